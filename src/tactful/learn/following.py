"""Who goes on from what to what: pairs of items within people's sequences, and by how many people each pair was made."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from tactful.learn.neighbours import Counts
from tactful.ports import Interactions

MOST = 1 << 62
"""Keys stay below this, so that they are whole numbers of 64 bits."""


def following(
    acts: Interactions, size: int, gap: int, whole: int, least: int, within_ms: float = np.inf
) -> tuple["sparse.csr_array", Counts]:
    """(int64[size, size]: how often one row came up to `gap` places, and so many ms, after another with the same person, at whole / places
    each, of the pairs that at least `least` people made; float64[size]: how much of each row's whole the others were).

    What fewer people did is left out, since it would tell one what another did.
    """
    counts = sparse.csr_array((size, size), dtype=np.int64)
    for places, near in _near(acts, gap, within_ms):
        pair = (acts.row[:-places][near], acts.row[places:][near])
        weight = np.full(len(pair[0]), round(whole / places), np.int64)
        counts = counts + sparse.coo_array((weight, pair), shape=(size, size)).tocsr()
    counts.sort_indices()
    few = _people(acts, size, gap, within_ms) < least
    before = np.repeat(np.arange(size), np.diff(counts.indptr))
    lost = np.bincount(before[few], counts.data[few], minlength=size).astype(np.float64)
    counts.data[few] = 0
    counts.eliminate_zeros()
    return counts, lost


def _near(acts: Interactions, gap: int, within_ms: float) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """(places, bool[acts - places]: which acts make a pair with the act so many places later)."""
    for places in range(1, gap + 1):
        near = (acts.person[places:] == acts.person[:-places]) & (acts.row[places:] != acts.row[:-places])
        if within_ms < np.inf:
            near &= acts.at[places:] - acts.at[:-places] <= within_ms
        yield places, near


def _people(acts: Interactions, size: int, gap: int, within_ms: float) -> NDArray[np.int64]:
    """How many people made each pair that there is, int64[pairs], by the first row, then the second.

    By sorting, since `np.unique` takes ten times as long; as many first rows at a time as keys have room for, which is mostly all.
    """
    found = [np.empty(0, np.int64)]
    block = max(1, MOST // max(1, size * acts.people))
    for start in range(0, size, block):
        inside = (acts.row >= start) & (acts.row < start + block)
        before = np.where(inside, acts.row.astype(np.int64) - start, 0) * (size * acts.people) + acts.person
        after = acts.row.astype(np.int64) * acts.people
        keys: list[NDArray[Any]] = [np.empty(0, np.int64)]
        for places, near in _near(acts, gap, within_ms):
            made_here = near & inside[:-places]
            keys.append(before[:-places][made_here] + after[places:][made_here])
        made = np.sort(np.concatenate(keys))
        pairs = made[_changes(made)] // max(1, acts.people)  # each person's pair once
        found.append(np.diff(np.append(np.flatnonzero(_changes(pairs)), len(pairs))))
    return np.concatenate(found)


def _changes(ordered: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where in a sorted column another value begins."""
    return np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
