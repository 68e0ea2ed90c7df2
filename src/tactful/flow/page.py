"""A page of rows, in the order in which this person is likeliest to choose from them, and no item twice.

A score estimates the chance that an item is chosen next, so the value of a row is the sum over what it would show: the chance that the
next choice falls into it. Rows are placed one by one, each time the most valuable of what is left, as Netflix describes it (Gomez-Uribe
& Hunt 2015, "The Netflix Recommender System", section 2.5).
"""

from collections.abc import Sequence

import numpy as np

from tactful.domain.placement import Row
from tactful.flow.decide import Considered, OnPage, standing_free


def value_of(row: Row, considered: Considered, page: OnPage, size: int) -> tuple[int, float]:
    """(items that the row would show, its value), given what stands on the page already. size: rows in the catalogue."""
    free = considered.kept & standing_free(considered, page, size)
    scores = considered.scored.scores[free]
    count = min(len(scores), considered.limit)
    best = np.partition(scores, len(scores) - count)[len(scores) - count :] if count else scores
    return count, row.weight * float(best.sum())


def next_row(
    left: Sequence[int], rows: Sequence[Row], considered: Sequence[Considered], page: OnPage, size: int
) -> tuple[int, float] | None:
    """(which row comes next, its value) of those left, or None if none has enough to show. Of equals the one declared first."""
    best: tuple[bool, float, int] | None = None
    for number in left:
        count, value = value_of(rows[number], considered[number], page, size)
        if count < max(rows[number].least, 1):
            continue
        rank = (rows[number].first, 0.0 if rows[number].first else value, -number)
        if best is None or rank > best:
            best, found = rank, (number, value)
    return None if best is None else found
