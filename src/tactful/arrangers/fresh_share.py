"""At least a share of the slots for what is new, spread evenly; the best first otherwise. So new things get seen before anybody chose them."""

from datetime import UTC, datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.bounds import above, at_least, share
from tactful.domain.catalogue import Catalogue, Rows
from tactful.domain.decision import Slots
from tactful.domain.item import Attribute
from tactful.domain.view import Moment
from tactful.ports import Arranger, Dice

DAY = 86_400_000


class FreshShare(Arranger, Struct, frozen=True, forbid_unknown_fields=True):
    """attribute: the items' attribute that says since when they are there (a date such as 2026-12-24, or milliseconds since 1970); "" goes by
    when they first came into the catalogue. What nobody knows the age of is not new. days: for how long that is new. share: of the slots,
    0 to 1. pool: the best candidates looked at.
    """

    attribute: str = ""
    days: float = 30.0
    share: float = 0.2
    pool: int = 500

    def __post_init__(self) -> None:
        above(0, days=self.days)
        share(share=self.share)
        at_least(1, pool=self.pool)

    def arrange(
        self, rows: Rows, scores: NDArray[np.float64], limit: int, catalogue: Catalogue, dice: Dice, moment: Moment
    ) -> Slots:
        """Of the first n slots, at least share * n (rounded down) are new, as far as there are new candidates. Nothing is left to chance."""
        left = rows[: max(self.pool, limit)].tolist()
        since = moment.now - self.days * DAY
        new = [row for row in left if since <= self._came(row, catalogue) <= moment.now]
        fresh = set(new)
        chosen: list[int] = []
        shown = 0
        while left and len(chosen) < limit:
            due = shown < int(self.share * (len(chosen) + 1) + 1e-9)
            row = new[0] if due and new else left[0]
            left.remove(row)
            if row in fresh:
                new.remove(row)
                shown += 1
            chosen.append(row)
        return Slots(np.array(chosen, np.int32), np.ones(len(chosen)))

    def _came(self, row: int, catalogue: Catalogue) -> float:
        """Since when it is there, ms since 1970, or minus infinity if nobody knows."""
        if self.attribute:
            return _when(catalogue.item(row).attributes.get(self.attribute))
        return float(catalogue.since[row]) or float("-inf")


def _when(value: Attribute | None) -> float:
    """Milliseconds since 1970, or minus infinity for what is no date."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        when = None
    if when is None:
        return float("-inf")
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000
