"""Items like those this person turned to: by what they share (author, genre) and by their vectors (text, image, sound)."""

import scipy.sparse as sparse
from msgspec import Struct

from tactful.domain.bounds import above, at_least
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import STATED_MOST, Ask, Evidence, Source
from tactful.domain.view import View
from tactful.learn.alike import attribute_features, nearest, vector_features
from tactful.learn.neighbours import evidence_from, strongest
from tactful.ports import Interactions, Model, Shelf, Strategy


class Similar(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """attributes: those that make items alike; empty takes all. vectors: named vectors to compare too.

    common: an attribute value shared by more items than this makes nothing alike. half_life, most, neighbours: as in item_transitions.
    """

    attributes: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    common: int = 2000
    half_life: float = 3.0
    neighbours: int = 50
    most: int = 8
    model: str = "similar"

    def __post_init__(self) -> None:
        above(0, half_life=self.half_life)
        at_least(1, common=self.common, neighbours=self.neighbours, most=self.most)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """From the page's item where there is one, else from the history."""
        catalogue = shelf.catalogue
        model = shelf.model(self.model)
        if ask.item is not None:
            start = [(int(row), Source("item", ask.item, how="similar")) for row in catalogue.rows([ask.item])]
            return evidence_from(model, start, 1.0, 1)
        items = [
            (catalogue.index[act.item], Source("history", act.item, act.data, act.verb, "similar"))
            for act in view.liked(self.most + STATED_MOST, catalogue.index)
        ]
        return evidence_from(model, items, self.half_life, self.most)

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Cosine of attribute values (rarer ones weigh more) and of vectors; each item keeps its nearest."""
        features: list[sparse.csr_array] = [attribute_features(catalogue, self.attributes, self.common)]
        features += [vector_features(catalogue, name) for name in self.vectors]
        joined = sparse.hstack(features, format="csr")
        alike = nearest(joined, self.neighbours)
        return Model(
            self.model, strongest(alike, self.neighbours), {"items": len(catalogue), "features": int(joined.shape[1])}
        )
