"""Do not show one thing too often. What counts is an exposure (the client says that it was seen), not a decision."""

from collections import Counter
from typing import ClassVar

from msgspec import Struct

from tactful.domain.bounds import above, at_least
from tactful.domain.catalogue import Catalogue, Mask, Rows, chosen
from tactful.domain.view import Moment
from tactful.ports import Guard


class FrequencyCap(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """most: times within so many days."""

    why: ClassVar[str] = "it was shown often enough lately"
    personal: ClassVar[bool] = True
    most: int = 3
    days: float = 7.0

    def __post_init__(self) -> None:
        at_least(1, most=self.most)
        above(0, days=self.days)

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Items shown fewer times than the cap."""
        since = moment.now - int(self.days * 86_400_000)
        shown = Counter(act.item for act in moment.done.get("shown", ()) if act.at >= since)
        tired = [item for item, times in shown.items() if times >= self.most]
        return ~chosen(rows, catalogue.rows(tired), len(catalogue))
