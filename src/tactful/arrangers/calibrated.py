"""A list whose mix is the person's own: who reads seven parts crime and three parts poetry gets both, in about these parts.

Harald Steck, Calibrated Recommendations, RecSys 2018 (https://doi.org/10.1145/3240323.3240372): a list is worth
(1 - weight) * its scores - weight * KL(p || q'), where p is the mix of what the person turned to, q the mix of the list, and
q' = (1 - alpha) q + alpha p keeps the divergence finite. It is filled greedily, which is within 1 - 1/e of the best list.
"""

from typing import ClassVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.bounds import above, at_least, between, filled, share
from tactful.domain.catalogue import Catalogue, Rows
from tactful.domain.decision import Slots
from tactful.domain.event import NEUTRAL, TOWARDS
from tactful.domain.view import Moment
from tactful.ports import Arranger, Dice

SLOTS_MOST = 60
"""Slots that are filled for the mix; in a longer list (a ranking) the others follow best first. Bounds the work."""


class Calibrated(Arranger, Struct, frozen=True, forbid_unknown_fields=True):
    """attribute: of which the mix is to be kept (subjects, genre). weight: 0 goes by the scores alone, 1 by the mix alone. alpha: as in the
    paper. pool: the best candidates looked at. most: things done that the mix is made of, the latest first; half_life: in such things.
    """

    personal: ClassVar[bool] = True
    attribute: str
    weight: float = 0.5
    alpha: float = 0.01
    pool: int = 200
    most: int = 100
    half_life: float = 30.0

    def __post_init__(self) -> None:
        filled(attribute=self.attribute)
        share(weight=self.weight)
        between(0.0001, 0.9999, alpha=self.alpha)
        above(0, half_life=self.half_life)
        at_least(1, pool=self.pool, most=self.most)

    def arrange(
        self, rows: Rows, scores: NDArray[np.float64], limit: int, catalogue: Catalogue, dice: Dice, moment: Moment
    ) -> Slots:
        """Slot by slot what makes the list best; of somebody whose mix is not known, the best first. Nothing is left to chance."""
        rows, scores = rows[: max(self.pool, limit)], scores[: max(self.pool, limit)]
        mix = self._mix(catalogue, moment)
        if not mix or not len(rows):
            return Slots(rows[:limit], np.ones(len(rows[:limit])))
        values, person = list(mix), np.array(list(mix.values()))
        parts = np.array([_parts(catalogue, int(row), self.attribute, values) for row in rows])
        gain = (1.0 - self.weight) * scores / (scores[:limit].sum() or 1.0)
        chosen: list[int] = []
        so_far, left = np.zeros(len(values)), np.ones(len(rows), bool)
        while len(chosen) < min(limit, len(rows), SLOTS_MOST):
            list_mix = (so_far + parts) / (len(chosen) + 1)
            smoothed = (1.0 - self.alpha) * list_mix + self.alpha * person
            divergence = (person * np.log(person / smoothed)).sum(axis=1)
            place = int(np.argmax(np.where(left, gain - self.weight * divergence, -np.inf)))
            chosen.append(place)
            left[place] = False
            so_far = so_far + parts[place]
        order = np.concatenate([np.array(chosen, np.int64), np.flatnonzero(left)])[:limit]
        return Slots(rows[order], np.ones(len(order)))

    def _mix(self, catalogue: Catalogue, moment: Moment) -> dict[str, float]:
        """What the person turned to, by value; it adds up to 1. Items that they last refused do not count."""
        mix: dict[str, float] = {}
        seen: set[str] = set()
        counted = 0
        for act in reversed(moment.history):
            if act.verb in NEUTRAL or act.item in seen:
                continue
            seen.add(act.item)
            item = catalogue.get(act.item) if act.verb in TOWARDS else None
            values = dict.fromkeys(item.values(self.attribute)) if item is not None else {}
            for value in values:
                mix[value] = mix.get(value, 0.0) + 0.5 ** (counted / self.half_life) / len(values)
            counted += bool(values)
            if counted >= self.most:
                break
        whole = sum(mix.values())
        return {value: part / whole for value, part in sorted(mix.items())}


def _parts(catalogue: Catalogue, row: int, attribute: str, values: list[str]) -> list[float]:
    """How much of the item is of each of these values: 1 is shared among all that it has."""
    own = set(catalogue.item(row).values(attribute))
    return [(value in own) / max(1, len(own)) for value in values]
