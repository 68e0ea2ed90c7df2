"""Every group gets its share of being seen: authors, small makers, kinds of items.

Fairness of exposure (Singh & Joachims, KDD 2018, https://doi.org/10.1145/3219819.3220088), stochastic: for each slot a group is drawn with
its share, then its best item left comes. Each slot gives each group its share, so whatever a slot is worth (the first ones are seen
most), the exposure that groups expect is in these shares, as long as none of them runs out of candidates.
"""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.bounds import at_least, filled, share
from tactful.domain.catalogue import Catalogue, Rows
from tactful.domain.decision import Slots
from tactful.domain.view import Moment
from tactful.ports import Arranger, Dice

SHARES = ("merit", "size", "equal")


class Fair(Arranger, Struct, frozen=True, forbid_unknown_fields=True):
    """attribute: what groups items (its first value; `kind` is the item's kind); items without it are a group too. share: by what a group's part
    is measured: `merit` (its candidates' scores added up), `size` (how many they are) or `equal`. strength: the chance, 0 to 1, that a slot
    goes by groups rather than to the best item left. pool: the best candidates looked at.
    """

    attribute: str
    share: str = "merit"
    strength: float = 1.0
    pool: int = 100

    def __post_init__(self) -> None:
        if self.share not in SHARES:
            raise ValueError(f"share: it is {self.share!r}; use one of {', '.join(SHARES)}")
        filled(attribute=self.attribute)
        share(strength=self.strength)
        at_least(1, pool=self.pool)

    def arrange(
        self, rows: Rows, scores: NDArray[np.float64], limit: int, catalogue: Catalogue, dice: Dice, moment: Moment
    ) -> Slots:
        """Slot by slot. The odds of the item in a slot, given those before it: (1 - strength) * [it was the best left] + strength * [it was
        its group's best left] * the group's part among the groups that have something left.
        """
        pool = max(self.pool, limit)
        groups = self._groups(rows[:pool], catalogue)
        parts = self._parts(groups, scores[:pool])
        chosen: list[int] = []
        odds: list[float] = []
        while groups and len(chosen) < limit:
            best = min(groups, key=lambda name: groups[name][0])
            drawn = _draw(parts, dice) if dice.random() < self.strength else best
            odds.append((1.0 - self.strength) * (drawn == best) + self.strength * parts[drawn] / sum(parts.values()))
            chosen.append(groups[drawn].pop(0))
            if not groups[drawn]:
                del groups[drawn], parts[drawn]
        return Slots(rows[chosen], np.array(odds))

    def _groups(self, rows: Rows, catalogue: Catalogue) -> dict[str, list[int]]:
        """The places of each group's candidates, best first."""
        groups: dict[str, list[int]] = {}
        for place, row in enumerate(rows.tolist()):
            item = catalogue.item(row)
            name = item.kind if self.attribute == "kind" else next(iter(item.values(self.attribute)), "")
            groups.setdefault(name, []).append(place)
        return groups

    def _parts(self, groups: Mapping[str, list[int]], scores: NDArray[np.float64]) -> dict[str, float]:
        """What each group is due, beside the others."""
        if self.share == "merit":
            merit = {name: float(scores[places].sum()) for name, places in groups.items()}
            least = 1e-6 * sum(merit.values())  # nobody is shut out for good, and odds stay above nothing
            return {name: max(part, least) or 1.0 for name, part in merit.items()}
        return {name: float(len(places)) if self.share == "size" else 1.0 for name, places in groups.items()}


def _draw(parts: Mapping[str, float], dice: Dice) -> str:
    """One of the names, each with its part."""
    names, at = list(parts), dice.random() * sum(parts.values())
    return names[min(int(np.searchsorted(np.cumsum(list(parts.values())), at, side="right")), len(names) - 1)]
