"""What the person disliked does not come again; nor, if wanted, what is by somebody whom they disliked more than once."""

from collections import Counter
from typing import ClassVar

from msgspec import Struct

from tactful.domain.bounds import at_least, verbs
from tactful.domain.catalogue import Catalogue, Mask, Rows, chosen
from tactful.domain.view import Moment
from tactful.ports import Guard


class Disliked(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """verbs: what counts as a dislike; back: what takes it back, if it comes later. attribute: what items share (`author`): no item of a
    value of which `most` items were disliked; "" looks at the items alone.
    """

    why: ClassVar[str] = "the person disliked it, or too much that is like it"
    personal: ClassVar[bool] = True
    verbs: tuple[str, ...] = ("disliked",)
    back: tuple[str, ...] = ("liked", "added", "bought")
    attribute: str = ""
    most: int = 2

    def __post_init__(self) -> None:
        verbs(verbs=self.verbs, back=self.back)
        at_least(1, most=self.most)

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Items not disliked, and not of a value disliked too often."""
        standing: dict[str, bool] = {}
        for act in moment.history:
            if act.verb in self.verbs or act.verb in self.back:
                standing[act.item] = act.verb in self.verbs
        disliked = [item for item, out in standing.items() if out]
        permitted = ~chosen(rows, catalogue.rows(disliked), len(catalogue))
        if self.attribute and disliked:
            known = [found for item in disliked if (found := catalogue.get(item)) is not None]
            times = Counter(value for item in known for value in dict.fromkeys(item.values(self.attribute)))
            for value, count in times.items():
                if count >= self.most:
                    permitted &= ~chosen(rows, catalogue.having(self.attribute)[value], len(catalogue))
        return permitted
