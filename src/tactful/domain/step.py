"""What is done to the amounts of evidence once they are weighed, where several strategies are no plain sum (docs/adr/0011).

A step is a pure function of the amounts, so that what would be without one thing is found by weighing anew and doing the same steps.
"""

from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Amounts = NDArray[np.float64]
Numbers = NDArray[np.int32]
How = Literal["where", "unless", "turns"]


class Step(Struct, frozen=True):
    """Several strategies in a row, and what becomes of them.

    how: `where` (the later ones count only for rows for which the first speaks), `unless` (each counts only if none before it speaks for
    anything), `turns` (they take turns). bounds: strategy p has the sources bounds[p] up to bounds[p + 1], k + 1 places for k strategies.
    shares: for `turns`, how often each has its turn, all above 0.
    """

    how: How
    bounds: tuple[int, ...]
    shares: tuple[float, ...] = ()

    def moved(self, offset: int) -> "Step":
        """The same step where the sources begin so many places later."""
        return Step(self.how, tuple(place + offset for place in self.bounds), self.shares)

    def apply(self, rows: Numbers, source: Numbers, amounts: Amounts) -> Amounts:
        """The amounts float64[m] of the pieces after this step. rows, source: int32[m], what each piece speaks for, and who speaks."""
        inside = np.flatnonzero((source >= self.bounds[0]) & (source < self.bounds[-1]))
        if not len(inside):
            return amounts
        part = np.searchsorted(np.array(self.bounds), source[inside], side="right") - 1
        done = {"where": _where, "unless": _unless, "turns": self._turns}[self.how](part, rows[inside], amounts[inside])
        changed = amounts.copy()
        changed[inside] = done
        return changed

    def _turns(self, part: NDArray[np.int64], rows: Numbers, amounts: Amounts) -> Amounts:
        """Each strategy's n-th best has its turn at n / share (stride scheduling, Waldspurger and Weihl 1995), an item at its first turn.

        The item at place p gets a share of all amounts in proportion to 1 / (p + 1). It is the evidence of the strategy whose turn it
        was, each piece in proportion; what others say of the item moved nothing, and counts nothing.
        """
        items, which = _numbered(rows, int(rows.max()) + 1)
        width = len(items)
        cells, cell = _numbered(part * width + which, len(self.shares) * width)
        whole = np.bincount(cell, amounts, minlength=len(cells))
        of_part, of_item = np.divmod(cells, width)
        best = np.lexsort((items[of_item], -whole, of_part))
        best = best[whole[best] > 0]
        starts = np.searchsorted(of_part[best], np.arange(len(self.shares)))
        turn = (np.arange(len(best)) - starts[of_part[best]] + 1) / np.array(self.shares)[of_part[best]]
        in_turn = best[np.lexsort((of_part[best], turn))]
        numbers = np.arange(len(in_turn))
        first = np.empty(width, np.int64)
        first[of_item[in_turn[::-1]]] = numbers[::-1]  # where several are written to one place, the last one stays
        winners = in_turn[first[of_item[in_turn]] == numbers]
        chance = 1.0 / (1.0 + np.arange(len(winners)))
        factor = np.zeros(len(cells))
        factor[winners] = chance * (whole.sum() / (chance.sum() or 1.0)) / whole[winners]
        given: Amounts = amounts * factor[cell]
        return given


def _where(part: NDArray[np.int64], rows: Numbers, amounts: Amounts) -> Amounts:
    candidate = np.zeros(int(rows.max()) + 1, bool)
    candidate[rows[(part == 0) & (amounts > 0)]] = True
    return np.where((part == 0) | candidate[rows], amounts, 0.0)


def _unless(part: NDArray[np.int64], rows: Numbers, amounts: Amounts) -> Amounts:
    speaking = part[amounts > 0]
    return np.where(part == (speaking.min() if len(speaking) else 0), amounts, 0.0)


def _numbered(keys: NDArray[Any], size: int) -> tuple[NDArray[Any], Numbers]:
    """The different keys, each below `size`, and for each key which of them it is. Like np.unique, but not sorted, and without sorting."""
    numbers = np.arange(len(keys), dtype=np.int32)
    where = np.empty(size, np.int32)  # only touched entries are ever read
    where[keys] = numbers
    different = keys[where[keys] == numbers]
    where[different] = np.arange(len(different), dtype=np.int32)
    return different, where[keys]
