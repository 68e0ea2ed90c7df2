"""What this visit is about: what people go on to within a visit, and what is like the last few things looked at."""

import numpy as np
import scipy.sparse as sparse
from msgspec import Struct

from tactful.domain.bounds import above, at_least, between, share
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import STATED_MOST, Ask, Evidence, Source
from tactful.domain.event import TOWARDS
from tactful.domain.view import View
from tactful.learn.alike import attribute_features, nearest
from tactful.learn.following import following
from tactful.learn.neighbours import Counts, evidence_from, strongest
from tactful.ports import Interactions, Model, Shelf, Strategy

MINUTE = 60_000
WHOLE = 60
"""Divisible by 1 to 5, so that the weights 1/gap are whole numbers and the counts exact, whatever the order of addition."""


class Session(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """minutes: what is older than this belongs to no visit of now; and in learning, two things further apart do not follow each other.

    about: how much likeness counts against what people go on to, from 0 to 1. attributes: those that make items alike; empty takes all.
    common, half_life, neighbours, most, doubt, gap, least: as in `similar` and `item_transitions`.

    Time is counted back from now, not from one act to the next: what somebody takes back then ends no visit, and what would be without
    it can be told exactly.
    """

    minutes: float = 30.0
    about: float = 0.4
    attributes: tuple[str, ...] = ()
    common: int = 2000
    half_life: float = 1.5
    neighbours: int = 100
    most: int = 6
    doubt: float = 30.0
    gap: int = 5
    least: int = 3
    model: str = "session"

    def __post_init__(self) -> None:
        between(1, WHOLE, gap=self.gap)
        above(0, minutes=self.minutes, half_life=self.half_life)
        share(about=self.about)
        at_least(1, common=self.common, neighbours=self.neighbours, most=self.most, least=self.least)
        at_least(0, doubt=self.doubt)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """From the last few things of this visit. What they have in common adds up: it is what the visit turns around."""
        index, since = shelf.catalogue.index, ask.at - self.minutes * MINUTE
        items = [
            (index[act.item], Source("history", act.item, act.data, act.verb, "session"))
            for act in view.liked(self.most + STATED_MOST, index)
            if act.at >= since
        ]
        return evidence_from(shelf.model(self.model, "least"), items, self.half_life, self.most)

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Shares of what people go on to within a visit, and of what is alike, mixed by `about`."""
        within = self.minutes * MINUTE
        acts = interactions.doing(TOWARDS)
        follows, lost = following(acts, len(catalogue), self.gap, WHOLE, self.least, within)
        alike = nearest(attribute_features(catalogue, self.attributes, self.common), self.neighbours)
        went = _shares(follows, lost + self.doubt * WHOLE)
        mixed = (1.0 - self.about) * went + self.about * _shares(alike, np.zeros(len(catalogue)))
        return Model(
            self.model,
            strongest(mixed.tocsr(), self.neighbours),
            {"pairs": int(follows.nnz), "least": self.least},
        )


def _shares(counts: "sparse.csr_array", doubt: Counts) -> "sparse.csr_array":
    """Each row divided by its sum, and by its `doubt` float64[n] beside."""
    whole = np.asarray(counts.sum(axis=1)).ravel() + doubt
    shares: sparse.csr_array = (sparse.diags_array(1.0 / np.where(whole > 0, whole, 1.0)) @ counts).tocsr()
    return shares
