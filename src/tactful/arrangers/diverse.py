"""The best first, but not one kind only: at most so many that share an attribute's value."""

from collections import Counter

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.bounds import at_least, filled
from tactful.domain.catalogue import Catalogue, Rows
from tactful.domain.decision import Slots
from tactful.domain.view import Moment
from tactful.ports import Arranger, Dice


class Diverse(Arranger, Struct, frozen=True, forbid_unknown_fields=True):
    """attribute: what should not repeat (author, genre). most: times one value may come. Items without it are free."""

    attribute: str
    most: int = 2

    def __post_init__(self) -> None:
        filled(attribute=self.attribute)
        at_least(1, most=self.most)

    def arrange(
        self, rows: Rows, scores: NDArray[np.float64], limit: int, catalogue: Catalogue, dice: Dice, moment: Moment
    ) -> Slots:
        """Walk down the list and skip what would be one too many of its kind. Nothing is left to chance."""
        used: Counter[str] = Counter()
        chosen: list[int] = []
        for row in rows:
            if len(chosen) == limit:
                break
            values = catalogue.item(int(row)).values(self.attribute)
            if all(used[value] < self.most for value in values):
                used.update(values)
                chosen.append(int(row))
        return Slots(np.array(chosen, np.int32), np.ones(len(chosen)))
