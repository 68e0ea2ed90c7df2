"""The best first."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.catalogue import Catalogue, Rows
from tactful.domain.decision import Slots
from tactful.domain.view import Moment
from tactful.ports import Arranger, Dice


class Top(Arranger, Struct, frozen=True, forbid_unknown_fields=True):
    """No settings."""

    def arrange(
        self, rows: Rows, scores: NDArray[np.float64], limit: int, catalogue: Catalogue, dice: Dice, moment: Moment
    ) -> Slots:
        """The first `limit`; nothing is left to chance, so the odds are 1."""
        chosen = rows[:limit]
        return Slots(chosen, np.ones(len(chosen)))
