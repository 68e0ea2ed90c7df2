"""What the person began and neither finished nor refused, to go on with."""

from itertools import takewhile

from msgspec import Struct

from tactful.domain.bounds import above, at_least, verbs
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.event import LOOKS, OVER, Interaction
from tactful.domain.view import View
from tactful.learn.neighbours import speaking_for_themselves
from tactful.ports import Shelf, Strategy

DAY = 86_400_000


class Unfinished(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """begun: verbs that begin something at once. looks: looking so often begins it too; 0: looking does not. days: nothing older (0: no
    end). most: items. half_life: in items, the one last touched weighing most.

    What was finished or refused is over for good. What was bought is over too, until it is begun after that: a book that somebody has
    can be read on.
    """

    begun: tuple[str, ...] = ("added", "clicked")
    looks: int = 2
    days: int = 60
    most: int = 20
    half_life: float = 5.0

    def __post_init__(self) -> None:
        verbs(begun=self.begun)
        at_least(0, looks=self.looks, days=self.days)
        at_least(1, most=self.most)
        above(0, half_life=self.half_life)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The last one first. On an item's own page there is nothing to go on with."""
        if ask.item is not None:
            return NO_EVIDENCE
        index = shelf.catalogue.index
        touched = [
            last
            for item, acts in view.by_item().items()
            if item in index and (last := self._last_touch(acts)) is not None and self._is_fresh(last, ask.at)
        ]
        touched.sort(key=lambda act: -act.at)
        items = [
            (index[act.item], Source("history", act.item, act.data, act.verb, "continue"))
            for act in touched[: self.most + 1]
        ]
        return speaking_for_themselves(items, self.half_life, self.most)

    def _last_touch(self, acts: list[Interaction]) -> Interaction | None:
        """The newest act that belongs to something begun; None if it was not begun, or is over. acts: newest first."""
        if any(act.verb in OVER and act.verb != "bought" for act in acts):
            return None
        since = list(takewhile(lambda act: act.verb != "bought", acts))
        looks = [act for act in since if act.verb in LOOKS]
        begun = any(act.verb in self.begun for act in since) or 0 < self.looks <= len(looks)
        touches = [act for act in since if act.verb in LOOKS or act.verb in self.begun]
        return touches[0] if begun else None

    def _is_fresh(self, act: Interaction, now: int) -> bool:
        return not self.days or now - act.at <= self.days * DAY
