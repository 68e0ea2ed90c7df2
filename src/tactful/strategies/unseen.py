"""What is new in the catalogue: the same for all, with what meets a person's liking first.

What the person has met already is left to the guard `already_have`, which says so in the receipt: what a strategy leaves out in silence
would make a list about a person that calls itself the same for everyone.
"""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import Catalogue, Rows
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.event import KIND_OF
from tactful.domain.item import Item
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy

NEW = Source("new", "new")
Holders = Mapping[tuple[str, str], list[int]]
"""For each value of an attribute: the places of the new items that have it."""


class Unseen(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """most: how many of the newest items count as new. attributes: those by which a liking is told; empty takes all. liking: how much
    more it counts that an item meets the person's liking than that it is new. trait: the declared trait that lists likings ("": none).
    half_life, window: the last items of the history that count, and how fast they fade.
    """

    most: int = 60
    attributes: tuple[str, ...] = ()
    liking: float = 4.0
    trait: str = "interests"
    half_life: float = 4.0
    window: int = 8

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """Newest first; and `liking` times as much for what is like the history, and for what is as the person told. At most 1 in all."""
        rows = _newest(shelf.catalogue, self.most)
        if not len(rows) or ask.item is not None:
            return NO_EVIDENCE
        fresh = 0.5 ** (np.arange(len(rows)) / max(len(rows) / 3.0, 1.0))
        fresh = fresh / (fresh.sum() * (1.0 + 2.0 * self.liking))
        items = [shelf.catalogue.item(row) for row in rows.tolist()]
        holders, counts = self._holders(items)
        parts = [(1.0, single(rows, fresh.astype(np.float32), [NEW], np.zeros(len(rows), np.int32)))]
        parts.append((self.liking, self._like_history(view, shelf.catalogue, rows, fresh, holders, counts)))
        parts.append((self.liking, self._as_told(view, rows, fresh, holders)))
        return Evidence.blend([part for part in parts if len(part[1].rows)])

    def _values(self, item: Item) -> list[tuple[str, str]]:
        names = self.attributes or item.attributes
        return list(dict.fromkeys((name, value) for name in names for value in item.values(name)))

    def _holders(self, items: list[Item]) -> tuple[Holders, "np.ndarray[tuple[int], np.dtype[np.float64]]"]:
        """Which of the items have each value, and how many values each has, float64[n]."""
        holders: dict[tuple[str, str], list[int]] = {}
        counts = np.zeros(len(items))
        for place, item in enumerate(items):
            values = self._values(item)
            counts[place] = len(values)
            for value in values:
                holders.setdefault(value, []).append(place)
        return holders, counts

    def _like_history(
        self,
        view: View,
        catalogue: Catalogue,
        rows: Rows,
        fresh: "np.ndarray[tuple[int], np.dtype[np.float64]]",
        holders: Holders,
        counts: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    ) -> Evidence:
        """Each thing of the history speaks for what shares its values, by the cosine of the two."""
        where: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
        base, sources, ages = [], [], []
        for age, act in enumerate(view.liked(self.window + 1)):
            item = catalogue.get(act.item)
            values = self._values(item) if item is not None else []
            shared = np.bincount([place for value in values for place in holders.get(value, ())], minlength=len(rows))
            met = np.flatnonzero(shared)
            if len(met):
                where.append(met)
                base.append(fresh[met] * shared[met] / np.sqrt(counts[met] * len(values)))
                sources.append(Source("history", act.item, act.data, act.verb, "similar"))
                ages.append(age)
        if not where:
            return NO_EVIDENCE
        count, decay = len(sources), 0.5 ** (1.0 / self.half_life)
        return Evidence(
            rows[np.concatenate(where)], np.repeat(np.arange(count, dtype=np.int32), [len(met) for met in where]),
            np.concatenate(base).astype(np.float32), tuple(sources), np.array(ages, np.int32), np.full(count, 1.0 - decay),
            np.full(count, decay), np.full(count, self.window, np.int32), np.zeros(count, np.int32),
        )  # fmt: skip

    def _as_told(
        self, view: View, rows: Rows, fresh: "np.ndarray[tuple[int], np.dtype[np.float64]]", holders: Holders
    ) -> Evidence:
        """Each liking speaks for the items that have it; all likings together weigh as much as one that all of them meet."""
        found = view.trait(self.trait) if self.trait else None
        if found is None or found.value is None:
            return NO_EVIDENCE
        likings = list(dict.fromkeys(found.value if isinstance(found.value, list) else [str(found.value)]))
        met = [
            (liking, sorted({place for (_, value), places in holders.items() if value == liking for place in places}))
            for liking in likings
        ]
        met = [(liking, places) for liking, places in met if places]
        if not met:
            return NO_EVIDENCE
        where = np.concatenate([places for _, places in met])
        return single(
            rows[where], (fresh[where] / len(likings)).astype(np.float32),
            [Source(KIND_OF[type(found)], self.trait, found.data, how=liking) for liking, _ in met],
            np.repeat(np.arange(len(met), dtype=np.int32), [len(places) for _, places in met]),
        )  # fmt: skip


def _newest(catalogue: Catalogue, most: int) -> Rows:
    """The rows that came last, newest first."""
    size = len(catalogue)
    return np.arange(size - 1, max(size - most, 0) - 1, -1, dtype=np.int32)
