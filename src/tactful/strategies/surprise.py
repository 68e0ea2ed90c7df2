"""Something different, for whoever asks for it: good things that few know, and far from what the person turns to."""

import numpy as np
import scipy.sparse as sparse
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.bounds import above, at_least, share
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import NO_EVIDENCE, STATED_MOST, Ask, Evidence, Source
from tactful.domain.event import TOWARDS, VERBS, Value
from tactful.domain.view import View
from tactful.learn.alike import attribute_features
from tactful.learn.neighbours import single
from tactful.ports import Interactions, Model, Shelf, Strategy

ASKED = Source("context", "different", how="different")
MEANT = frozenset({"bought", "finished", "liked"})
NO = frozenset({"", "0", "no", "off", "false"})


class Surprise(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """most: how many good items it chooses from. known: the share of items, the most chosen ones, that are no surprise to anybody.
    doubt: choices for which the average is taken beside an item's own. attributes, common: what makes items alike, as in `similar`.
    window, half_life: the last items of the history from which it keeps away, and how fast they fade. far: how much more it counts that
    an item is far from all of them than that it is good.

    It speaks only if the context says `different`. That they asked is the reason for what is good, and with the usual settings the first
    reason of each item. The rest comes from the history, each thing speaking for what is *unlike* it: that is what changed the
    choice, so it stands in the evidence. With an empty View there is no rest, and the list is the same for everybody.
    """

    most: int = 300
    known: float = 0.1
    doubt: float = 20.0
    attributes: tuple[str, ...] = ()
    common: int = 100_000
    window: int = 8
    half_life: float = 6.0
    far: float = 6.0
    model: str = "surprise"

    def __post_init__(self) -> None:
        at_least(1, most=self.most, common=self.common, window=self.window)
        share(known=self.known)
        above(0, doubt=self.doubt, half_life=self.half_life)
        at_least(0, far=self.far)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """good * (1 + far * sum over the history of weight * (1 - likeness)^2): the weights are at most 1 together."""
        model = shelf.model(self.model)
        rows, good = model.arrays["rows"], model.arrays["good"]
        if not is_asked(ask.context.get("different")) or not len(rows):
            return NO_EVIDENCE
        asked = single(rows, good, [ASKED], np.zeros(len(rows), np.int32))
        index = shelf.catalogue.index
        acts = [
            (age, row, act)
            for age, act in enumerate(view.liked(self.window + STATED_MOST, index))
            if (row := index[act.item]) < len(model.arrays["starts"]) - 1
        ]
        if not acts:
            return Evidence.blend([(1.0 / (1.0 + self.far), asked)])
        count, decay = len(acts), 0.5 ** (1.0 / self.half_life)
        unlike = Evidence(
            np.tile(rows, count), np.repeat(np.arange(count, dtype=np.int32), len(rows)),
            np.concatenate([good * _unlike(model, row) ** 2 for _, row, _ in acts]).astype(np.float32),
            tuple(Source("history", act.item, act.data, act.verb, "different") for _, _, act in acts),
            np.array([age for age, _, _ in acts], np.int32), np.full(count, 1.0 - decay), np.full(count, decay),
            np.full(count, self.window, np.int32), np.zeros(count, np.int32),
        )  # fmt: skip
        return Evidence.blend([(1.0 / (1.0 + self.far), asked), (self.far / (1.0 + self.far), unlike)])

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Which items are good and little known, and what every item is like.

        Good is the share of an item's choices that somebody meant (bought, finished, liked), drawn towards the average by `doubt`.
        """
        size = len(catalogue)
        chosen = interactions.doing(TOWARDS)
        looked = np.bincount(chosen.row, minlength=size).astype(np.float64)
        meant = np.isin(chosen.verb, [VERBS.index(verb) for verb in sorted(MEANT)])
        kept = np.bincount(chosen.row[meant], minlength=size).astype(np.float64)
        average = kept.sum() / max(looked.sum(), 1.0)
        share = (kept + self.doubt * average) / (looked + self.doubt)
        known = np.argsort(-looked, kind="stable")[: int(self.known * size)]
        share[known[looked[known] > 0]] = -1.0
        best = np.argsort(-share, kind="stable")[: self.most].astype(np.int32)
        best = best[share[best] >= 0]
        good = 1.0 - 0.5 * np.arange(len(best)) / max(
            len(best), 1
        )  # the last one is half as good as the first: distance decides
        good = good / (2.0 * good.sum() or 1.0)
        features = attribute_features(catalogue, self.attributes, self.common)
        features.sort_indices()
        columns = features[best].tocsc()
        columns.sort_indices()
        return Model(
            self.model,
            {"rows": best, "good": good.astype(np.float32), **_arrays("", features), **_arrays("of_", columns)},
            {"choices": len(chosen.row)},
        )


def is_asked(different: Value) -> bool:
    """Whether the context says so: true, 1, "yes" and the like."""
    return different.strip().lower() not in NO if isinstance(different, str) else bool(different)


def _arrays(name: str, matrix: "sparse.csr_array | sparse.csc_array") -> dict[str, NDArray[np.generic]]:
    """A sparse matrix as arrays: where each row (or column) starts, which places it holds, how much there."""
    return {
        f"{name}starts": matrix.indptr.astype(np.int64),
        f"{name}places": matrix.indices.astype(np.int32),
        f"{name}weights": matrix.data.astype(np.float32),
    }


def _unlike(model: Model, row: int) -> NDArray[np.float64]:
    """1 less the cosine of the item in this row and of each good one, float64[k]."""
    arrays = model.arrays
    unlike = np.ones(len(arrays["rows"]))
    mine = slice(int(arrays["starts"][row]), int(arrays["starts"][row + 1]))
    for value, weight in zip(arrays["places"][mine].tolist(), arrays["weights"][mine].tolist(), strict=True):
        having = slice(int(arrays["of_starts"][value]), int(arrays["of_starts"][value + 1]))
        unlike[arrays["of_places"][having]] -= weight * arrays["of_weights"][having]
    return np.maximum(unlike, 0.0)
