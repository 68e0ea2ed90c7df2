"""What the decisions of a house come to, hour by hour: counts only, and nothing about anybody."""

from collections.abc import Collection, Iterable, Mapping
from operator import itemgetter
from typing import TypeVar

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from tactful.domain.decision import Verdict
from tactful.domain.note import Note

HOUR = 3_600_000
"""In milliseconds."""
QUICK = (0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Upper ends, in milliseconds, of the steps in which durations are counted; the last step has none."""
KINDS = ("decisions", "personal", "held", "faulty", "empty", "items")
"""What is counted of each placement. empty: decisions that showed nothing though nobody held them; items: places filled."""

Key = TypeVar("Key", bound=tuple[object, ...])


class House(Struct):
    """Counts, each by the hour it happened in (ms since 1970, divided by HOUR).

    placed: (hour, placement, one of KINDS). quick: (hour, step of QUICK). removed: (hour, placement, guard) → items taken away.
    shown: (hour, item) → places filled. faults: (hour, what failed). levels: (hour, level of the dial) → decisions.
    Memory: a few numbers an hour for each placement and guard, and one for each item that was shown in it.
    """

    placed: dict[tuple[int, str, str], int] = field(default_factory=dict)
    quick: dict[tuple[int, int], int] = field(default_factory=dict)
    removed: dict[tuple[int, str, str], int] = field(default_factory=dict)
    shown: dict[tuple[int, str], int] = field(default_factory=dict)
    faults: dict[tuple[int, str], int] = field(default_factory=dict)
    levels: dict[tuple[int, int], int] = field(default_factory=dict)

    @staticmethod
    def of(notes: Iterable[Note]) -> "House":
        """The counts of these decisions."""
        house = House()
        for note in notes:
            house.count(note)
        return house

    def __add__(self, other: "House") -> "House":
        """The counts of both."""
        return House(
            _sum(self.placed, other.placed), _sum(self.quick, other.quick), _sum(self.removed, other.removed),
            _sum(self.shown, other.shown), _sum(self.faults, other.faults), _sum(self.levels, other.levels),
        )  # fmt: skip

    def count(self, note: Note) -> None:
        """Count one decision more."""
        hour, placement = note.at // HOUR, note.placement
        held = note.verdict == Verdict.hold
        counts = (1, note.personal, held, bool(note.faults), not note.shown and not held, len(note.shown))
        for kind, count in zip(KINDS, counts, strict=True):
            if count:
                _more(self.placed, (hour, placement, kind), int(count))
        _more(self.quick, (hour, sum(note.took > end for end in QUICK)), 1)
        _more(self.levels, (hour, note.dial), 1)
        for by, removed in note.removed:
            _more(self.removed, (hour, placement, by), removed)
        for item in note.shown:
            _more(self.shown, (hour, item), 1)
        for fault in note.faults:
            _more(self.faults, (hour, fault), 1)

    def since(self, hour: int) -> "House":
        """The counts of this hour and those after it."""
        return House(
            _from(self.placed, hour), _from(self.quick, hour), _from(self.removed, hour),
            _from(self.shown, hour), _from(self.faults, hour), _from(self.levels, hour),
        )  # fmt: skip

    # --------------------------------------------------------------------------------------------------------- questions

    def total(self, kind: str) -> int:
        """One of KINDS, in all."""
        return sum(count for (_, _, counted), count in self.placed.items() if counted == kind)

    def by_placement(self, kind: str) -> dict[str, int]:
        """One of KINDS by placement, the most first."""
        return _by((placement, count) for (_, placement, counted), count in self.placed.items() if counted == kind)

    def by_hour(self, placement: str) -> dict[int, int]:
        """Decisions for a placement, by hour."""
        found = (((hour, name, kind), count) for (hour, name, kind), count in self.placed.items() if name == placement)
        return {hour: count for (hour, _, kind), count in found if kind == "decisions"}

    def by_guard(self) -> dict[str, int]:
        """Items taken away, by guard, the most first."""
        return _by((guard, count) for (_, _, guard), count in self.removed.items())

    def by_guard_and_placement(self) -> dict[tuple[str, str], int]:
        """Items taken away, by (guard, placement), the most first."""
        return _by(((guard, placement), count) for (_, placement, guard), count in self.removed.items())

    def by_fault(self) -> dict[str, int]:
        """Decisions that went on without a plug-in that failed, by what failed, the most first."""
        return _by((fault, count) for (_, fault), count in self.faults.items())

    def by_level(self) -> dict[int, int]:
        """Decisions by level of the dial, the most first."""
        return _by((level, count) for (_, level), count in self.levels.items())

    def by_item(self) -> dict[str, int]:
        """Places filled, by item, the most first."""
        return _by((item, count) for (_, item), count in self.shown.items())

    def within(self, share: float) -> float | None:
        """The time, in milliseconds, within which this share of the decisions was made: the upper end of its step. None: of no decision,
        or longer than the last step."""
        steps = [0] * (len(QUICK) + 1)
        for (_, step), count in self.quick.items():
            steps[step] += count
        wanted, so_far = share * sum(steps), 0
        for end, count in zip(QUICK, steps, strict=False):
            so_far += count
            if so_far >= wanted and so_far:
                return end
        return None


class Spread(Struct, frozen=True):
    """How evenly places fall to the items that could have them.

    items: how many there are; shown: how many had any place. gini: 0 where all have as many, near 1 where one has them all.
    curve: float64[points, 2]: the share of the items, fewest places first, and the share of the places that they have together.
    """

    items: int
    shown: int
    gini: float
    curve: NDArray[np.float64]

    @staticmethod
    def of(places: Mapping[str, int], items: Collection[str], points: int = 41) -> "Spread":
        """Of places by item, among these items; others are left out.

        The Lorenz curve, and the Gini coefficient from ordered values: G = sum((2i - n - 1) x_i) / (n sum(x)), i from 1
        (Damgaard & Weiner 2000, "Describing inequality in plant size or fecundity", Ecology 81, equation 1).
        """
        had = np.sort(np.array([places.get(item, 0) for item in items], np.float64))
        count, whole = len(had), float(had.sum())
        share = np.linspace(0.0, 1.0, points)
        if not whole:
            return Spread(count, 0, 0.0, np.column_stack([share, share]))
        gini = float(((2 * np.arange(1, count + 1) - count - 1) * had).sum() / (count * whole))
        along = np.concatenate([[0.0], had.cumsum() / whole])
        curve = np.column_stack([share, np.interp(share, np.linspace(0.0, 1.0, count + 1), along)])
        return Spread(count, int(np.count_nonzero(had)), gini, curve)


def _more(counts: dict[Key, int], key: Key, count: int) -> None:
    counts[key] = counts.get(key, 0) + count


def _sum(one: dict[Key, int], other: dict[Key, int]) -> dict[Key, int]:
    both = dict(one)
    for key, count in other.items():
        _more(both, key, count)
    return both


def _from(counts: dict[Key, int], hour: int) -> dict[Key, int]:
    return {key: count for key, count in counts.items() if key[0] >= hour}  # type: ignore[operator]


Name = TypeVar("Name", str, int, tuple[str, str])


def _by(pieces: Iterable[tuple[Name, int]]) -> dict[Name, int]:
    """The sum by name, the most first, and by name where they are equal."""
    found: dict[Name, int] = {}
    for name, count in pieces:
        found[name] = found.get(name, 0) + count
    ordered = sorted(found.items(), key=itemgetter(0))
    return dict(sorted(ordered, key=itemgetter(1), reverse=True))
