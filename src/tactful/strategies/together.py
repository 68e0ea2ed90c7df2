"""What people buy along with something: complements, not substitutes.

What is bought together counts beyond what chance would bring (`above_chance`). What is looked at together and seldom
bought together is one instead of the other (McAuley et al. 2015, Inferring networks of substitutable and complementary products), and so is
what is too alike. What is bought some days later, in that order only, goes on from the first: part 2 after part 1.
"""

import numpy as np
import scipy.sparse as sparse
from msgspec import Struct, structs
from numpy.typing import NDArray

from tactful.domain.bounds import above, at_least, share, verbs
from tactful.domain.catalogue import Catalogue, Rows, chosen
from tactful.domain.decision import Ask, Evidence, Source
from tactful.domain.event import LOOKS, Value
from tactful.domain.view import View
from tactful.learn.alike import attribute_features
from tactful.learn.neighbours import above_chance, evidence_from, strongest
from tactful.ports import Interactions, Model, Shelf, Strategy

HOUR = 3_600_000
VISIT_HOURS = 0.5
FURTHEST = 20
"""How many of a person's purchases (or looks) apart two still count as a pair: bounds the work."""


class Together(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """hours: bought by one person within so long, two things are together. days: bought later, up to so many days, one goes on from the
    other; 0: never. verbs: what counts as buying. alike: attributes that two items share which do the same job; empty takes all.
    too_alike: how much a pair loses if it shares them all, from 0 to 1. least: people who have to have bought both. doubt: pairs that
    would have to be expected for a comparison to be believed by half. most: items of the history or the cart that count. half_life,
    neighbours: as in `item_transitions`.

    It starts from the page's item and the cart (`cart` in the context: a list of ids, or "a,b"), else from what the person bought or put aside
    lately. Neither these nor, in the last case, anything that they bought is proposed; in the first, what they have is left to the guard
    `already_have`, so that the list says of itself whom it is for.
    """

    hours: float = 24.0
    days: float = 30.0
    verbs: tuple[str, ...] = ("bought", "added")
    alike: tuple[str, ...] = ()
    too_alike: float = 0.5
    least: int = 2
    doubt: float = 3.0
    most: int = 5
    half_life: float = 3.0
    neighbours: int = 50
    model: str = "together"

    def __post_init__(self) -> None:
        above(0, hours=self.hours, half_life=self.half_life)
        at_least(0, days=self.days, doubt=self.doubt)
        share(too_alike=self.too_alike)
        at_least(1, least=self.least, most=self.most, neighbours=self.neighbours)
        verbs(verbs=self.verbs)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """From the page's item and the cart where there are any, else from the history."""
        catalogue, model = shelf.catalogue, shelf.model(self.model)
        here = dict.fromkeys([*([ask.item] if ask.item else []), *_listed(ask.context.get("cart"))])
        if here:
            start = [
                (row, Source("item", item, how="together"))
                for item in list(here)[: self.most]
                if (row := catalogue.index.get(item)) is not None
            ]
            evidence, out = _evenly(evidence_from(model, start, 1.0, self.most)), catalogue.rows(here)
        else:
            items, out = self._lately(view, catalogue)
            evidence = evidence_from(model, items, self.half_life, self.most)
        return evidence.only(~chosen(evidence.rows, out, len(catalogue)))

    def _lately(self, view: View, catalogue: Catalogue) -> tuple[list[tuple[int, Source]], Rows]:
        """What the person bought or put aside and did not take back, newest first, one more than counts; and the rows of all of it."""
        settled: set[str] = set()
        items: list[tuple[int, Source]] = []
        for act in reversed(view.history()):
            if act.item in settled or act.verb not in {*self.verbs, "returned", "dropped", "disliked"}:
                continue
            settled.add(act.item)
            row = catalogue.index.get(act.item)
            if act.verb in self.verbs and row is not None:
                items.append((row, Source("history", act.item, act.data, act.verb, "together")))
        return items[: self.most + 1], np.array([row for row, _ in items], np.int32)

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Pairs of purchases beyond chance, less what are substitutes."""
        size = len(catalogue)
        bought = interactions.doing(self.verbs)
        baskets = _both_ways(_people(bought, -1.0, self.hours, size))
        later = _people(bought, self.hours, self.days * 24.0, size)
        looks = _both_ways(_people(interactions.doing(LOOKS), -1.0, VISIT_HOURS, size))
        once = np.unique(bought.person.astype(np.int64) * size + bought.row)
        share = np.bincount(once % size, minlength=size) / max(len(once), 1) if size else np.empty(0)
        strength = self._beyond_chance(baskets, share)
        strength.data *= self._complements(strength, baskets, looks, catalogue)
        whole = (strength + self._beyond_chance(later, share)).tocsr()
        whole.sort_indices()
        return Model(
            self.model,
            strongest(whole, self.neighbours, self.doubt),
            {"pairs": int(whole.nnz), "baskets": len(bought.row)},
        )

    def _beyond_chance(self, pairs: "sparse.csr_array", share: NDArray[np.float64]) -> "sparse.csr_array":
        """The pairs that at least `least` people made, float64[n, n]: n * (1 - 1 / `above_chance`), what there are beyond those expected.

        share: of all that people bought, float64[n]. Expected are as many pairs in all, of things drawn by their shares.
        """
        found = pairs.tocoo()
        row, column, count = found.row, found.col, found.data.astype(np.float64)
        ratio = above_chance(count, count.sum() * share[row] * share[column], self.doubt)
        kept = (count >= self.least) & (ratio > 1.0)
        strong = count[kept] * (1.0 - 1.0 / ratio[kept])
        beyond: sparse.csr_array = sparse.coo_array((strong, (row[kept], column[kept])), shape=pairs.shape).tocsr()
        beyond.sort_indices()
        return beyond

    def _complements(
        self, strength: "sparse.csr_array", baskets: "sparse.csr_array", looks: "sparse.csr_array", catalogue: Catalogue
    ) -> NDArray[np.float64]:
        """For each pair of `strength`, from 0 to 1: how little the one is there instead of the other.

        n / (n + looks at both * the usual rate of buying both), times 1 - too_alike * cosine of what they are.
        """
        if not strength.nnz:
            return np.empty(0)
        pairs = strength.tocoo()
        count, looked = baskets[pairs.row, pairs.col], looks[pairs.row, pairs.col]
        rate = float(baskets.sum()) / max(float(looks.sum()), 1.0)
        features = attribute_features(catalogue, self.alike, len(catalogue))
        shared = np.asarray(features[pairs.row].multiply(features[pairs.col]).sum(axis=1)).ravel()
        share: NDArray[np.float64] = count / np.maximum(count + looked * rate, 1.0) * (1.0 - self.too_alike * shared)
        return share


def _listed(cart: Value) -> list[str]:
    """The ids in a cart, which comes as a list or as text."""
    if isinstance(cart, str):
        return [item for part in cart.split(",") if (item := part.strip())]
    return cart if isinstance(cart, list) else []


def _evenly(evidence: Evidence) -> Evidence:
    """The evidence with all its sources weighing the same: in a cart the first is as near as the last."""
    count = len(evidence.sources)
    return structs.replace(evidence, newest=np.full(count, 1.0 / max(count, 1)), decay=np.ones(count))


def _people(acts: Interactions, after_hours: float, until_hours: float, size: int) -> "sparse.csr_array":
    """int64[size, size]: how many people did it with one item and, more than `after_hours` and at most `until_hours` later, another.

    Where `after_hours` is below 0 the order says nothing: each pair stands once, the lower row first.
    """
    found: list[NDArray[np.int64]] = [np.empty((3, 0), np.int64)]
    for places in range(1, min(FURTHEST, len(acts.row) - 1) + 1):
        hours = (acts.at[places:] - acts.at[:-places]) / HOUR
        near = (acts.person[places:] == acts.person[:-places]) & (hours > after_hours) & (hours <= until_hours)
        near &= acts.row[places:] != acts.row[:-places]
        one, other = acts.row[:-places][near], acts.row[places:][near]
        if after_hours < 0:
            one, other = np.minimum(one, other), np.maximum(one, other)
        found.append(np.stack([acts.person[places:][near], one, other]))
    once = np.unique(np.concatenate(found, axis=1), axis=1)
    pairs = sparse.coo_array((np.ones(once.shape[1], np.int64), (once[1], once[2])), shape=(size, size)).tocsr()
    pairs.sum_duplicates()
    return pairs


def _both_ways(pairs: "sparse.csr_array") -> "sparse.csr_array":
    """The pairs, whichever came first."""
    either: sparse.csr_array = (pairs + pairs.T).tocsr()
    return either
