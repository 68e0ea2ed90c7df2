"""Do not offer what is sold out."""

from typing import ClassVar

from msgspec import Struct

from tactful.domain.bounds import at_least
from tactful.domain.catalogue import Catalogue, Mask, Rows
from tactful.domain.view import Moment
from tactful.ports import Guard


class Stock(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """least: how many there must be. What is not counted is always there."""

    why: ClassVar[str] = "it is sold out"
    least: int = 1

    def __post_init__(self) -> None:
        at_least(0, least=self.least)

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Items of which there are enough, or which are not counted."""
        stock = catalogue.stock[rows]
        permitted: Mask = (stock < 0) | (stock >= self.least)
        return permitted
