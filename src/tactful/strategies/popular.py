"""What many people chose lately. Says nothing about a person, so it serves those who want to be left alone."""

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import Ask, Evidence, Source
from tactful.domain.event import TOWARDS
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Interactions, Model, Shelf, Strategy

OFTEN = Source("popular", "popular")
SELDOM = Source("popular", "seldom", how="seldom")
ENOUGH = 5
"""Choices (weighted by age) from which on it is true to say that many people chose it."""


class Popular(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """half_life_days: a choice counts half after so long, looking back from the latest one. most: items it can propose."""

    half_life_days: float = 90.0
    most: int = 500
    model: str = "popular"

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The same for everybody: each item's share of all choices."""
        model = shelf.model(self.model)
        rows, share = model.arrays["rows"], model.arrays["share"]
        return single(rows, share, [OFTEN, SELDOM], model.arrays["seldom"])

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Count, later choices more. Items nobody chose yet follow with half a choice, so that an empty shop is not an empty page."""
        chosen = interactions.doing(TOWARDS)
        if len(chosen.at):
            age_days = (chosen.at.max() - chosen.at) / 86_400_000
            weight = 0.5 ** (age_days / self.half_life_days)
        else:
            weight = np.empty(0)
        count = np.bincount(chosen.row, weight, minlength=len(catalogue)).astype(np.float64) + 0.5
        order = np.argsort(-count, kind="stable")[: self.most].astype(np.int32)
        share = (count[order] / count.sum()).astype(np.float32)
        seldom = (count[order] < ENOUGH).astype(np.int32)
        return Model(self.model, {"rows": order, "share": share, "seldom": seldom}, {"choices": len(chosen.at)})
