"""What is chosen clearly more often lately than before. Says nothing about a person."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.bounds import above, at_least
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.event import TOWARDS
from tactful.domain.view import View
from tactful.learn.neighbours import above_chance, single
from tactful.ports import Interactions, Model, Shelf, Strategy

TRENDING = Source("popular", "trending", how="trending")
DAY = 86_400_000
WEEK = 7 * DAY
"""Once nothing newer than that was learned from, nothing can be called popular this week."""
WHOLE = 1 << 20
"""Weights are whole numbers of this size, so that sums are exact, whatever the order of addition."""


class Trending(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """recent_days, usual_days: a choice counts half after so long, in what is compared and in what it is compared with.

    least: times as often as usual from which on it is a trend. doubt: choices that would have to be expected for the comparison to be
    believed by half; with 10, four choices of something new are no trend and seven are one. most: items it can propose.
    """

    recent_days: float = 4.0
    usual_days: float = 45.0
    least: float = 1.5
    doubt: float = 10.0
    most: int = 200
    model: str = "trending"

    def __post_init__(self) -> None:
        above(0, recent_days=self.recent_days, doubt=self.doubt)
        above(self.recent_days, usual_days=self.usual_days)
        at_least(1, least=self.least, most=self.most)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The same for everybody: each item's share of recent choices beyond what was to be expected. Nothing, a week after the last one."""
        model = shelf.model(self.model, "newest")
        if ask.at - model.manifest["newest"] > WEEK:
            return NO_EVIDENCE
        rows = model.arrays["rows"]
        return single(rows, model.arrays["share"], [TRENDING], np.zeros(len(rows), np.int32))

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Recent choices of each item against those expected: its usual share of all that were made recently.

        A person counts once for an item, when they first chose it. An item scores its recent choices beyond the expected ones, if
        they are `least` times as many by `above_chance`.
        """
        size = len(catalogue)
        chosen = interactions.doing(TOWARDS)
        _, first = np.unique(chosen.person.astype(np.int64) * size + chosen.row, return_index=True)
        row, at, newest = chosen.row[first], chosen.at[first], int(chosen.at.max(initial=0))
        recent = _weighed(row, at, self.recent_days, size)
        usual = _weighed(row, at, self.usual_days, size)
        expected = usual * (recent.sum() / (usual.sum() or 1.0))
        beyond = np.where(above_chance(recent, expected, self.doubt) >= self.least, recent - expected, 0.0)
        order = np.argsort(-beyond, kind="stable")[: self.most].astype(np.int32)
        order = order[beyond[order] > 0]
        share = (beyond[order] / (recent.sum() or 1.0)).astype(np.float32)
        return Model(self.model, {"rows": order, "share": share}, {"choices": len(row), "newest": newest})


def _weighed(row: NDArray[np.int32], at: NDArray[np.int64], half_life_days: float, size: int) -> NDArray[np.float64]:
    """Choices of each item float64[size], each weighing half after so many days, counted back from the latest one."""
    age_days = (at.max(initial=0) - at) / DAY
    weight = np.rint(WHOLE * 0.5 ** (age_days / half_life_days))
    return np.bincount(row, weight, minlength=size) / WHOLE
