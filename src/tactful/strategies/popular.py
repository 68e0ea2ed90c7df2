"""What many people chose. Says nothing about a person, so it serves those who want to be left alone."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.bounds import above, at_least
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import Ask, Evidence, Source
from tactful.domain.event import TOWARDS
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Interactions, Model, Shelf, Strategy

OFTEN = Source("popular", "popular")
SELDOM = Source("popular", "seldom", how="seldom")
EVER = Source("popular", "ever", how="ever")
ENOUGH = 5
"""People from which on it is true to say that many chose it."""
DAY = 86_400_000
LATELY = 30 * DAY
"""For how long back from now it is true to say that they chose it lately."""


class Popular(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """half_life_days: a choice counts half after so long, looking back from the latest one. most: items it can propose.

    It says of an item that many chose it if five people did, and that they did lately if five did within the last 30 days.
    """

    half_life_days: float = 90.0
    most: int = 500
    model: str = "popular"

    def __post_init__(self) -> None:
        above(0, half_life_days=self.half_life_days)
        at_least(1, most=self.most)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The same for everybody: each item's share of all choices."""
        model = shelf.model(self.model, "since")
        rows, share, since = model.arrays["rows"], model.arrays["share"], model.arrays["since"]
        lately = np.where(ask.at - since <= LATELY, 0, 2)
        return single(rows, share, [OFTEN, SELDOM, EVER], np.where(since > 0, lately, 1).astype(np.int32))

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Count, later choices more. Items nobody chose yet follow with half a choice, so that an empty shop is not an empty page."""
        chosen = interactions.doing(TOWARDS)
        age_days = (chosen.at.max(initial=0) - chosen.at) / DAY
        count = np.bincount(chosen.row, 0.5 ** (age_days / self.half_life_days), minlength=len(catalogue)) + 0.5
        order = np.argsort(-count, kind="stable")[: self.most].astype(np.int32)
        share = (count[order] / count.sum()).astype(np.float32)
        since = _many_since(chosen, len(catalogue))[order]
        return Model(self.model, {"rows": order, "share": share, "since": since}, {"choices": len(chosen.at)})


def _many_since(chosen: Interactions, size: int) -> NDArray[np.int64]:
    """Since when, ms since 1970, `ENOUGH` people chose each item, each person at their last time: int64[size], 0 where fewer did."""
    key = chosen.row.astype(np.int64) * chosen.people + chosen.person
    order = np.lexsort((chosen.at, key))
    last = order[np.append(key[order][1:] != key[order][:-1], True)[: len(order)]]
    row, at = chosen.row[last], chosen.at[last]
    order = np.lexsort((-at, row))
    row, at = row[order], at[order]
    enough = np.flatnonzero(row[ENOUGH - 1 :] == row[: len(row) - ENOUGH + 1]) if len(row) >= ENOUGH else row[:0]
    since = np.zeros(size, np.int64)
    # Backwards, so that of each item the first one stays: the latest time at which there were enough.
    since[row[enough[::-1]]] = at[enough[::-1] + ENOUGH - 1]
    return since
