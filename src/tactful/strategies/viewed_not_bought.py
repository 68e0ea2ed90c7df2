"""A reminder of what the person looked at several times, or put aside, and did not buy. It knows when to stop."""

from itertools import takewhile

from msgspec import Struct

from tactful.domain.bounds import above, at_least
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.event import LOOKS, OVER, Interaction
from tactful.domain.view import View
from tactful.learn.neighbours import speaking_for_themselves
from tactful.ports import Shelf, Strategy

DAY = 86_400_000
TURNS = LOOKS | {"added"}


class ViewedNotBought(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """looks: how often somebody has to have looked, unless they put it aside. days: it stops so long after the last look. most: it stops
    once it was shown so often since, and nobody looked. items: at most so many. half_life: in items, the last one weighing most.

    It stops, too, once the item is bought, finished, sent back, taken out or disliked.
    """

    looks: int = 2
    days: int = 14
    most: int = 3
    items: int = 20
    half_life: float = 5.0

    def __post_init__(self) -> None:
        at_least(1, looks=self.looks, days=self.days, most=self.most, items=self.items)
        above(0, half_life=self.half_life)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The one they turned to last first. On an item's own page nobody is reminded of others."""
        if ask.item is not None:
            return NO_EVIDENCE
        index = shelf.catalogue.index
        left = [
            last
            for item, acts in view.by_item().items()
            if item in index and (last := self._left(acts)) is not None and ask.at - last.at <= self.days * DAY
        ]
        left.sort(key=lambda act: -act.at)
        items = [
            (index[act.item], Source("history", act.item, act.data, act.verb, "left")) for act in left[: self.items + 1]
        ]
        return speaking_for_themselves(items, self.half_life, self.items)

    def _left(self, acts: list[Interaction]) -> Interaction | None:
        """The last look at an item that was left behind, None if it is none. acts: newest first."""
        if any(act.verb in OVER for act in acts):
            return None
        turns = [act for act in acts if act.verb in TURNS]
        if len(turns) < self.looks and not any(act.verb == "added" for act in turns):
            return None
        in_vain = sum(act.verb == "shown" for act in takewhile(lambda act: act.verb not in TURNS, acts))
        return turns[0] if turns and in_vain < self.most else None
