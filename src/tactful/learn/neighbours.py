"""Lists of neighbours: for each item, what it leads to and how strongly. The common form of the models that count."""

from collections.abc import Iterable, Sequence

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from tactful.domain.catalogue import Rows
from tactful.domain.decision import NO_EVIDENCE, Evidence, Source
from tactful.ports import Model

Counts = NDArray[np.float64]


def strongest(counts: "sparse.csr_array", most: int, doubt: float | Counts = 0.0) -> dict[str, NDArray[np.generic]]:
    """The `most` strongest neighbours of each row, as shares of the row's whole: arrays `starts` int64[n+1], `rows` int32, `share` float32.

    Shares are of all of a row's neighbours, so that what is cut off is not given to the others, and of `doubt` beside (of all rows, or
    float64[n]): a row seen a few times only says little with certainty. Ties keep the lower row.
    """
    size = counts.shape[0]
    whole = np.asarray(counts.sum(axis=1)).ravel() + doubt
    starts = np.zeros(size + 1, np.int64)
    np.cumsum(np.minimum(np.diff(counts.indptr), most), out=starts[1:])
    rows = np.empty(starts[-1], np.int32)
    share = np.empty(starts[-1], np.float32)
    for row in range(size):  # row by row: sorting all pairs at once takes six times as long
        mine = slice(counts.indptr[row], counts.indptr[row + 1])
        others, values = counts.indices[mine], counts.data[mine]
        best = np.lexsort((others, -values))[:most]
        rows[starts[row] : starts[row + 1]] = others[best]
        share[starts[row] : starts[row + 1]] = values[best] / whole[row] if len(best) else 0.0
    return {"starts": starts, "rows": rows, "share": share}


def evidence_from(model: Model, items: Sequence[tuple[int, Source]], half_life: float, window: int) -> Evidence:
    """What these items, newest first, speak for: each weighs 2^(-age / half_life), scaled so that an endless history weighs 1.

    items: (catalogue row, source), one more than `window`, the number that count: it comes in if a newer one is taken away. Rows
    that the model has not seen speak for nothing.
    """
    starts: NDArray[np.int64] = model.arrays["starts"]
    known = [(age, row, source) for age, (row, source) in enumerate(items) if row < len(starts) - 1]
    if not known:
        return NO_EVIDENCE
    decay = 0.5 ** (1.0 / half_life)
    age = np.array([entry[0] for entry in known], np.int32)
    at = np.array([entry[1] for entry in known], np.int64)
    first = starts[at]
    lengths = starts[at + 1] - first
    ends = np.cumsum(lengths)
    where = np.repeat(first - (ends - lengths), lengths) + np.arange(ends[-1])
    return Evidence(
        rows=model.arrays["rows"][where],
        source=np.repeat(np.arange(len(known), dtype=np.int32), lengths),
        base=model.arrays["share"][where],
        sources=tuple(entry[2] for entry in known),
        age=age,
        newest=np.full(len(known), 1.0 - decay),
        decay=np.full(len(known), decay),
        window=np.full(len(known), window, np.int32),
        group=np.zeros(len(known), np.int32),
    )


def single(rows: Rows, base: NDArray[np.float32], sources: Iterable[Source], source: NDArray[np.int32]) -> Evidence:
    """Evidence in which nothing ages: each source weighs 1."""
    named = tuple(sources)
    count = len(named)
    return Evidence(
        rows, source, base, named, np.zeros(count, np.int32), np.ones(count), np.ones(count), np.ones(count, np.int32),
        np.arange(count, dtype=np.int32),
    )  # fmt: skip


def speaking_for_themselves(items: Sequence[tuple[int, Source]], half_life: float, window: int) -> Evidence:
    """Each of these items, newest first, speaks for itself, and weighs as in `evidence_from`. items: as there."""
    count, decay = len(items), 0.5 ** (1.0 / half_life)
    if not count:
        return NO_EVIDENCE
    return Evidence(
        np.array([row for row, _ in items], np.int32), np.arange(count, dtype=np.int32), np.ones(count, np.float32),
        tuple(source for _, source in items), np.arange(count, dtype=np.int32), np.full(count, 1.0 - decay),
        np.full(count, decay), np.full(count, window, np.int32), np.zeros(count, np.int32),
    )  # fmt: skip


def above_chance(count: Counts, expected: Counts, doubt: float) -> Counts:
    """How many times as often as expected something was seen, float64 of any shape, drawn towards 1 by `doubt` expected sightings.

    (count + doubt) / (expected + doubt): the mean of a rate with a gamma prior of mean 1 (DuMouchel 1999, Bayesian data mining in large
    frequency tables). Two sightings where none was expected are 1.2 times with a doubt of 10, and a hundred are 11 times.
    """
    ratio: Counts = (count + doubt) / (expected + doubt)
    return ratio
