"""What people go on to from where this person has just been: counts of who followed whom, the recent past weighing most.

Order is worth more than depth: on MovieLens-1M this equals a transformer trained for minutes (`benchmarks/quality.py`).
"""

import numpy as np
import scipy.sparse as sparse
from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import STATED_MOST, Ask, Evidence, Source
from tactful.domain.event import TOWARDS
from tactful.domain.view import View
from tactful.learn.neighbours import evidence_from, strongest
from tactful.ports import Interactions, Model, Shelf, Strategy

WHOLE = 2520
"""Divisible by 1 to 10, so that the weights 1/gap are whole numbers and the counts exact, whatever the order of addition."""


class ItemTransitions(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """gap: how many items apart two still count as following each other, at weight 1/distance. half_life: in items of the history.

    neighbours: kept for each item. most: items of the history looked at. doubt: an item is believed by half once it was followed
    so many times; one seen once or twice would else speak louder than one seen a thousand times.
    """

    gap: int = 10
    half_life: float = 2.0
    neighbours: int = 100
    most: int = 10
    doubt: float = 30.0
    model: str = "item_transitions"

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """From the page's item where there is one, else from the history."""
        catalogue = shelf.catalogue
        model = shelf.model(self.model)
        if ask.item is not None:
            start = [(int(row), Source("item", ask.item)) for row in catalogue.rows([ask.item])]
            return evidence_from(model, start, 1.0, 1)
        items = [
            (row, Source("history", act.item, act.data, act.verb))
            for act in view.liked(self.most + STATED_MOST)
            if (row := catalogue.index.get(act.item)) is not None
        ]
        return evidence_from(model, items, self.half_life, self.most)

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Count pairs up to `gap` apart within each person's sequence, in whole numbers."""
        acts = interactions.doing(TOWARDS)
        size = len(catalogue)
        counts = sparse.csr_array((size, size), dtype=np.int64)
        for distance in range(1, self.gap + 1):
            counts = counts + _pairs(acts.person, acts.row, distance, size)
        counts.setdiag(0)
        counts.eliminate_zeros()
        return Model(
            self.model,
            strongest(counts, self.neighbours, self.doubt * WHOLE),
            {"pairs": int(counts.nnz), "choices": len(acts.row)},
        )


def _pairs(
    person: "np.ndarray[tuple[int], np.dtype[np.int32]]",
    row: "np.ndarray[tuple[int], np.dtype[np.int32]]",
    distance: int,
    size: int,
) -> "sparse.csr_array":
    """int64[size, size]: how often one row came `distance` after another with the same person, at WHOLE / distance each."""
    same = person[distance:] == person[:-distance]
    before, after = row[:-distance][same], row[distance:][same]
    weight = np.full(len(before), round(WHOLE / distance), np.int64)
    return sparse.coo_array((weight, (before, after)), shape=(size, size)).tocsr()
