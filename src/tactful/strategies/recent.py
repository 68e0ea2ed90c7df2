"""What the person looked at lately and does not have: a way back to it."""

from msgspec import Struct

from tactful.domain.bounds import above, at_least
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.event import LOOKS, OVER
from tactful.domain.view import View
from tactful.learn.neighbours import speaking_for_themselves
from tactful.ports import Shelf, Strategy


class Recent(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """most: items. half_life: in items, the one last looked at weighing most."""

    most: int = 20
    half_life: float = 8.0

    def __post_init__(self) -> None:
        at_least(1, most=self.most)
        above(0, half_life=self.half_life)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The last one first, each once. What they have, finished or refused is not among them; nor is the page's own item."""
        index = shelf.catalogue.index
        looks = [
            next(act for act in acts if act.verb in LOOKS)
            for item, acts in view.by_item().items()
            if item in index
            and item != ask.item
            and any(act.verb in LOOKS for act in acts)
            and not any(act.verb in OVER for act in acts)
        ]
        if not looks:
            return NO_EVIDENCE
        looks.sort(key=lambda act: -act.at)
        items = [
            (index[act.item], Source("history", act.item, act.data, act.verb, "left")) for act in looks[: self.most + 1]
        ]
        return speaking_for_themselves(items, self.half_life, self.most)
