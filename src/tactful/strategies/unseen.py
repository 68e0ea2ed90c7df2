"""What is new in the catalogue: the same for all, with what meets a person's liking first.

What the person has met already is left to the guard `already_have`, which says so in the receipt: what a strategy leaves out in silence
would make a list about a person that calls itself the same for everyone.
"""

from weakref import WeakKeyDictionary

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.bounds import above, at_least
from tactful.domain.catalogue import Catalogue, Rows
from tactful.domain.decision import NO_EVIDENCE, STATED_MOST, Ask, Evidence, Source
from tactful.domain.event import KIND_OF
from tactful.domain.item import Item
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy

NEW = Source("new", "new")
DAY = 86_400_000


class Unseen(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """most: how many of the newest items count as new. days: for how long; what nobody knows the age of is not new. attributes: those by which a liking is told; empty takes all. liking: how much
    more it counts that an item meets the person's liking than that it is new. trait: the declared trait that lists likings ("": none).
    half_life, window: the last items of the history that count, and how fast they fade.
    """

    most: int = 60
    days: int = 90
    attributes: tuple[str, ...] = ()
    liking: float = 4.0
    trait: str = "interests"
    half_life: float = 4.0
    window: int = 8

    def __post_init__(self) -> None:
        at_least(1, most=self.most, days=self.days, window=self.window)
        at_least(0, liking=self.liking)
        above(0, half_life=self.half_life)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """Newest first; and `liking` times as much for what is like the history, and for what is as the person told. At most 1 in all."""
        new = _newest(shelf.catalogue, ask.at, self.most, self.attributes)
        young = int(np.count_nonzero(ask.at - new.since <= self.days * DAY))  # the first so many: the newest come first
        if not young or ask.item is not None:
            return NO_EVIDENCE
        fresh = 0.5 ** (np.arange(young) / max(young / 3.0, 1.0))
        fresh = fresh / (fresh.sum() * (1.0 + 2.0 * self.liking))
        parts = [(1.0, single(new.rows[:young], fresh.astype(np.float32), [NEW], np.zeros(len(fresh), np.int32)))]
        parts.append((self.liking, self._like_history(view, shelf.catalogue, new, fresh)))
        parts.append((self.liking, self._as_told(view, new, fresh)))
        return Evidence.blend([part for part in parts if len(part[1].rows)])

    def _like_history(self, view: View, catalogue: Catalogue, new: "_New", fresh: NDArray[np.float64]) -> Evidence:
        """Each thing of the history speaks for what shares its values, by the cosine of the two."""
        where: list[NDArray[np.int64]] = []
        base, sources, ages = [], [], []
        for age, act in enumerate(view.liked(self.window + STATED_MOST, catalogue.index)):
            item = catalogue.get(act.item)
            values = _values(item, self.attributes) if item is not None else []
            places = [place for value in values for place in new.having.get(value, ()) if place < len(fresh)]
            if not places:
                continue
            shared = np.bincount(places, minlength=len(fresh))
            met = np.flatnonzero(shared)
            where.append(met)
            base.append(fresh[met] * shared[met] / np.sqrt(new.counts[met] * len(values)))
            sources.append(Source("history", act.item, act.data, act.verb, "similar"))
            ages.append(age)
        if not where:
            return NO_EVIDENCE
        count, decay = len(sources), 0.5 ** (1.0 / self.half_life)
        return Evidence(
            new.rows[np.concatenate(where)], np.repeat(np.arange(count, dtype=np.int32), [len(met) for met in where]),
            np.concatenate(base).astype(np.float32), tuple(sources), np.array(ages, np.int32), np.full(count, 1.0 - decay),
            np.full(count, decay), np.full(count, self.window, np.int32), np.zeros(count, np.int32),
        )  # fmt: skip

    def _as_told(self, view: View, new: "_New", fresh: NDArray[np.float64]) -> Evidence:
        """Each liking speaks for the items that have it; all likings together weigh as much as one that all of them meet."""
        found = view.trait(self.trait) if self.trait else None
        if found is None or found.value is None:
            return NO_EVIDENCE
        likings = list(dict.fromkeys(found.value if isinstance(found.value, list) else [str(found.value)]))
        met = [(liking, [place for place in new.about.get(liking, ()) if place < len(fresh)]) for liking in likings]
        met = [(liking, places) for liking, places in met if places]
        if not met:
            return NO_EVIDENCE
        where = np.concatenate([places for _, places in met])
        return single(
            new.rows[where], (fresh[where] / len(likings)).astype(np.float32),
            [Source(KIND_OF[type(found)], self.trait, found.data, how=liking) for liking, _ in met],
            np.repeat(np.arange(len(met), dtype=np.int32), [len(places) for _, places in met]),
        )  # fmt: skip


class _New(Struct, frozen=True):
    """What is new in one state of the catalogue.

    rows int32[n], newest first; since int64[n], when each came, ms since 1970. counts float64[n]: values that each has. having: places by attribute and
    value; about: by value alone.
    """

    rows: Rows
    since: NDArray[np.int64]
    counts: NDArray[np.float64]
    having: dict[tuple[str, str], list[int]]
    about: dict[str, list[int]]


_KEPT: WeakKeyDictionary[Catalogue, dict[tuple[int, tuple[str, ...]], tuple[int, _New]]] = WeakKeyDictionary()
"""What is new, by catalogue, as long as that is used, and by settings; each with how many items were yet to come then."""


def _newest(catalogue: Catalogue, now: int, most: int, attributes: tuple[str, ...]) -> _New:
    """What is new, without what is yet to come. A catalogue stays as it is, so this changes only as something comes."""
    kept = _KEPT.setdefault(catalogue, {})
    ahead = int(np.count_nonzero(catalogue.since > now))
    found = kept.get((most, attributes))
    if found is None or found[0] != ahead:
        found = kept[most, attributes] = (ahead, _new_in(catalogue, ahead, most, attributes))
    return found[1]


def _new_in(catalogue: Catalogue, ahead: int, most: int, attributes: tuple[str, ...]) -> _New:
    known = np.flatnonzero(catalogue.since > 0)[::-1]
    rows = known[np.argsort(-catalogue.since[known], kind="stable")][ahead : ahead + most].astype(np.int32)
    having: dict[tuple[str, str], list[int]] = {}
    about: dict[str, dict[int, None]] = {}
    counts = np.zeros(len(rows))
    for place, row in enumerate(rows.tolist()):
        values = _values(catalogue.item(row), attributes)
        counts[place] = len(values)
        for value in values:
            having.setdefault(value, []).append(place)
            about.setdefault(value[1], {})[place] = None
    return _New(rows, catalogue.since[rows], counts, having, {value: list(places) for value, places in about.items()})


def _values(item: Item, attributes: tuple[str, ...]) -> list[tuple[str, str]]:
    """(attribute, value) of an item, each once."""
    return list(dict.fromkeys((name, value) for name in attributes or item.attributes for value in item.values(name)))
