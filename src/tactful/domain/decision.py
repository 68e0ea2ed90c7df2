"""What was asked, and what was chosen."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import accumulate

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from tactful.domain.catalogue import Mask, Rows
from tactful.domain.event import Value
from tactful.domain.step import How, Step

PERSONAL = frozenset({"history", "told", "obtained", "inferred"})
"""Kinds of source that say something about the person."""

STATED_MOST = 2
"""So many things may be the reason together. A strategy that goes by the last n things proposes for so many more, whose weight is nothing:
taken out of the last n, they leave room for these, and what would be then is worked out from the same evidence."""


class Ask(Struct, frozen=True):
    """One request for one placement.

    context: what goes on around the person, as the client says (device, weather, place, cart ...). item: the item that the page is
    about, for related items. items: the caller's own candidates (ranking), or None. exclude: item ids that must not come. limit: None
    takes the placement's. query: what was typed into a search. at: when it is asked, ms since 1970; the engine fills it in.
    scores: what the caller's own search or ranking says of each of `items`, 0 or above, as long as `items`; or None.
    languages: to say it in, best first. market: the price list to take prices from.
    """

    placement: str
    context: Mapping[str, Value] = {}
    item: str | None = None
    items: Sequence[str] | None = None
    exclude: Sequence[str] = ()
    limit: int | None = None
    query: str = ""
    at: int = 0
    scores: Sequence[float] | None = None
    languages: tuple[str, ...] = ()
    market: str = ""


class Source(Struct, frozen=True):
    """Something that speaks for an item.

    kind: `history`, `told`, `obtained`, `inferred` (personal), or `item`, `context`, `popular`, `assumed`, `default`, `query`, `curated`,
    `new` (not).
    key: the item or trait it stands for: the same kind and key in two strategies are the same thing, and go away as one. Of a query
    it is empty: sources stand in receipts, and what was typed is not kept. So it is of an item that the person may not see.
    data: the charter's data entry, for personal kinds. verb: what the person did.
    """

    kind: str
    key: str
    data: str = ""
    verb: str = ""
    how: str = ""


class Evidence(Struct, frozen=True, dict=True):
    """Why each row has its score, exactly: score[row] = sum of base * weight[source] over the pieces of that row, the steps done.

    rows int32[m], source int32[m] (index into `sources`), base float32[m]. Per source, all of length k: age int32 (place in the
    history, 0 the newest), newest float64 (weight at age 0), decay float64 (what a step of age leaves of it), window int32 (ages
    from here on count nothing: one such source is brought along, since it counts when a newer one is taken away), group int32
    (the strategy it came from). weight = newest * decay^age, within the window. steps: what is done to the amounts, one after the
    other, in strategies that are no plain sum.
    """

    rows: Rows
    source: NDArray[np.int32]
    base: NDArray[np.float32]
    sources: tuple[Source, ...]
    age: NDArray[np.int32]
    newest: NDArray[np.float64]
    decay: NDArray[np.float64]
    window: NDArray[np.int32]
    group: NDArray[np.int32]
    steps: tuple[Step, ...] = ()

    @cached_property
    def weight(self) -> NDArray[np.float64]:
        """What each source counts, float64[k]."""
        return self._weighed(self.age)

    def amounts(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each piece counts, float64[m], if the sources weigh so much, float64[k]."""
        amounts: NDArray[np.float64] = self.base * weight[self.source]
        for step in self.steps:
            amounts = step.apply(self.rows, self.source, amounts)
        return amounts

    def without(self, places: "Sequence[int]") -> NDArray[np.float64]:
        """The weights float64[k] if these sources had never been: they count nothing, and what is older moves up one place."""
        age = self.age.copy()
        for place in places:
            age -= (self.group == self.group[place]) & (self.age > self.age[place])
        weight = self._weighed(age)
        weight[list(places)] = 0.0
        return weight

    def _weighed(self, age: NDArray[np.int32]) -> NDArray[np.float64]:
        weight: NDArray[np.float64] = self.newest * self.decay**age * (age < self.window)
        return weight

    def only(self, kept: Mask) -> "Evidence":
        """The evidence without the pieces that the mask bool[m] leaves out."""
        return Evidence(
            self.rows[kept], self.source[kept], self.base[kept],
            self.sources, self.age, self.newest, self.decay, self.window, self.group, self.steps,
        )  # fmt: skip

    @staticmethod
    def blend(parts: "Sequence[tuple[float, Evidence]]") -> "Evidence":
        """The evidence of a weighted sum of strategies."""
        if not parts:
            return NO_EVIDENCE
        offset, groups, source, group, steps = 0, 0, [], [], []
        for _, part in parts:
            steps += [step.moved(offset) for step in part.steps]
            source.append(part.source + np.int32(offset))
            group.append(part.group + np.int32(groups))
            offset += len(part.sources)
            groups += int(part.group.max(initial=-1)) + 1  # no number comes twice, however deep blends nest
        return Evidence(
            np.concatenate([part.rows for _, part in parts]),
            np.concatenate(source),
            np.concatenate([part.base for _, part in parts]),
            tuple(one for _, part in parts for one in part.sources),
            np.concatenate([part.age for _, part in parts]),
            np.concatenate([share * part.newest for share, part in parts]),
            np.concatenate([part.decay for _, part in parts]),
            np.concatenate([part.window for _, part in parts]),
            np.concatenate(group),
            tuple(steps),
        )

    @staticmethod
    def in_steps(how: How, parts: "Sequence[tuple[float, Evidence]]", shares: tuple[float, ...] = ()) -> "Evidence":
        """The evidence of strategies one after the other; see `Step` for how."""
        ends = list(accumulate((len(part.sources) for _, part in parts), initial=0))
        whole = Evidence.blend(parts)
        return structs.replace(whole, steps=(*whole.steps, Step(how, tuple(ends), shares)))


NO_EVIDENCE = Evidence(
    np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32), (),
    np.empty(0, np.int32), np.empty(0), np.empty(0), np.empty(0, np.int32), np.empty(0, np.int32),
)  # fmt: skip


def add_up(place: NDArray[np.int32], pieces: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Sum float64[size] of the pieces float64[m] by place int32[m]."""
    return np.bincount(place, pieces, minlength=size).astype(np.float64, copy=False)


class Scored(Struct, frozen=True):
    """Candidates: rows int32[n] without repeats, scores float64[n], the evidence, and each piece's place among the rows int32[m]."""

    rows: Rows
    scores: NDArray[np.float64]
    evidence: Evidence
    place: NDArray[np.int32]

    @staticmethod
    def of(evidence: Evidence, size: int) -> "Scored":
        """Add the evidence up. size: rows in the catalogue. Work is proportional to the evidence, not to the catalogue."""
        rows, count = evidence.rows, len(evidence.rows)
        numbers = np.arange(count, dtype=np.int32)
        where = np.empty(size, np.int32)  # only touched entries are ever read
        where[rows] = numbers
        unique = rows[where[rows] == numbers]
        where[unique] = np.arange(len(unique), dtype=np.int32)
        place = where[rows]
        pieces = evidence.amounts(evidence.weight)
        return Scored(unique, add_up(place, pieces, len(unique)), evidence, place)


class Slots(Struct, frozen=True):
    """What an arranger chose: rows int32[k] in order, and odds float64[k], each given the slots before it."""

    rows: Rows
    odds: NDArray[np.float64]


class Removal(Struct, frozen=True):
    """Items that a guard took away: how many, and the best of them by name. by: the guard; why: in words.

    personal: the guard went by something about the person.
    """

    by: str
    why: str
    count: int
    items: tuple[str, ...] = ()
    personal: bool = False


class Verdict(StrEnum):
    """What the review said."""

    release = "release"
    hold = "hold"


class Placed(Struct, frozen=True):
    """A row's place on a page. page: its name; place: 1 is on top; value: the estimated chance that the next choice falls into it.

    personal: something about the person moved the rows.
    """

    page: str
    place: int
    value: float
    personal: bool
