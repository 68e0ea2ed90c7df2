"""The best first, with a share of chance: some slots go to a candidate drawn at random, and the odds of each draw are kept.

The odds make decisions into data: inverse-propensity estimates of what another way of choosing would have earned are unbiased
(Horvitz & Thompson 1952; `tests/flow/test_arrange.py` checks it on a simulation).
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.bounds import at_least, share
from tactful.domain.catalogue import Catalogue, Rows
from tactful.domain.decision import Slots
from tactful.domain.view import Moment
from tactful.ports import Arranger, Dice


class Exploring(Arranger, Struct, frozen=True, forbid_unknown_fields=True):
    """share: chance, 0 to 1, that a slot is drawn at random. pool: the best candidates among which it is drawn."""

    share: float = 0.1
    pool: int = 100

    def __post_init__(self) -> None:
        share(share=self.share)
        at_least(1, pool=self.pool)

    def arrange(
        self, rows: Rows, scores: NDArray[np.float64], limit: int, catalogue: Catalogue, dice: Dice, moment: Moment
    ) -> Slots:
        """Slot by slot: the best one left with chance 1 - share, else any one left in the pool with equal chance.

        The odds of the item in a slot, given those before it: (1 - share) * [it was the best left] + share / (left in the pool).
        """
        left = rows[: max(self.pool, limit)].tolist()
        chosen: list[int] = []
        odds: list[float] = []
        while left and len(chosen) < limit:
            place = min(int(dice.random() * len(left)), len(left) - 1) if dice.random() < self.share else 0
            odds.append((1.0 - self.share) * (place == 0) + self.share / len(left))
            chosen.append(left.pop(place))
        return Slots(np.array(chosen, np.int32), np.array(odds))
