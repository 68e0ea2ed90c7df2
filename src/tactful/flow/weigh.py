"""Evidence before it is added up: what may count for something sensitive, and what a caller's own ranking counts."""

import numpy as np

from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import NO_EVIDENCE, PERSONAL, Ask, Evidence, Source
from tactful.domain.view import View

GIVEN = Source("query", "", how="given")
"""What stands for the scores that a caller brings of its own."""


def impartial(evidence: Evidence, view: View, catalogue: Catalogue) -> Evidence:
    """The evidence without what is known about the person, as far as it speaks for something sensitive.

    Where such an item may be shown because it was typed by name, nothing else about the person may move it.
    """
    shut = catalogue.shut(evidence.rows, view.sensitive)
    about = np.array([source.kind in PERSONAL for source in evidence.sources], bool)
    return evidence.only(~(shut & about[evidence.source])) if shut.any() else evidence


def given_evidence(ask: Ask, catalogue: Catalogue) -> Evidence:
    """The caller's own scores as evidence: each candidate's share of them all. Of two scores for one item the first counts."""
    scores: dict[str, float] = {}
    for item, score in zip(ask.items or (), ask.scores or (), strict=True):
        scores.setdefault(item, score)
    rows = catalogue.rows(item for item, score in scores.items() if score > 0)
    if not len(rows):
        return NO_EVIDENCE
    share = np.array([scores[catalogue.ids[row]] for row in rows.tolist()], np.float64)
    share /= share.max()  # before they are added up: the sum of very large numbers is none
    one, zero = np.ones(1), np.zeros(1, np.int32)
    base = (share / share.sum()).astype(np.float32)
    return Evidence(rows, np.zeros(len(rows), np.int32), base, (GIVEN,), zero, one, one, np.ones(1, np.int32), zero)


def beside(own: Evidence, given: Evidence, weight: float) -> Evidence:
    """The recipe's evidence and the caller's, each as shares of this list, in the proportion that the placement declares."""
    whole = float(own.amounts(own.weight).sum())
    parts = [((1.0 - weight) / whole, own)] if whole > 0 else []
    return Evidence.blend([*parts, (weight if parts else 1.0, given)])
