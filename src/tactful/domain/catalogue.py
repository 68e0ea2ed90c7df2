"""All items at one moment, as columns that a guard or a strategy can work on at once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.conditions import Condition
from tactful.domain.item import AUDIENCES, Item

Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]

AUDIENCE_CODE = {name: code for code, name in enumerate(AUDIENCES)}


class _Columns(Struct, frozen=True, gc=False):
    """The fields of an item of which columns are made."""

    id: str
    available: bool = True
    sensitivity: tuple[str, ...] = ()
    audience: str = "unrated"


_decode = msgspec.msgpack.Decoder(Item).decode
_decode_columns = msgspec.msgpack.Decoder(_Columns).decode
_encode = msgspec.msgpack.Encoder().encode
Keys = Callable[[Item], Iterable[str]]
NO_ROWS: Rows = np.empty(0, np.int32)
_MOVED_MOST = 0.1  # of the catalogue: where more changes at once, its indexes are made anew when next asked for
_DECODED_MOST = 5_000  # decoded items kept at hand; the rest stays packed, a tenth of the size


class Proxy(Struct, frozen=True, forbid_unknown_fields=True):
    """Items that give a sensitive category away without being named so: any whose `attribute` has one of `values`."""

    attribute: str
    values: tuple[str, ...]


class Catalogue:
    """Items by row. A row is given once and never reused, so models and histories may refer to it for good.

    ids: item ids by row. version: the store's number for this state. Columns, all of shape [n]: `available` bool,
    `sensitivity` uint32 (bit k stands for category k of `categories`), `audience` int8 (index into `AUDIENCES`), `kind` object.
    """

    def __init__(self, proxies: Mapping[str, Sequence[Proxy]] | None = None) -> None:
        self.proxies = dict(proxies or {})
        self.categories = tuple(self.proxies)
        self.version = 0
        self.ids: list[str] = []
        self.index: dict[str, int] = {}
        self.available: Mask = np.empty(0, bool)
        self.sensitivity: NDArray[np.uint32] = np.empty(0, np.uint32)
        self.audience: NDArray[np.int8] = np.empty(0, np.int8)
        self._packed: list[bytes] = []
        self._decoded: OrderedDict[int, Item] = OrderedDict()
        self._telling: dict[int, frozenset[str]] = {}
        self._indexes: dict[Hashable, tuple[Keys, dict[str, Rows]]] = {}

    def __len__(self) -> int:
        return len(self._packed)  # not of the ids: a newer catalogue, which shares them, may have added some

    def with_items(self, items: Iterable[tuple[int, bytes]], version: int) -> "Catalogue":
        """A catalogue in which these rows are new or replaced.

        items: (row, packed item), rows dense: a new one is the next free one. The lists of ids are shared with the older
        catalogue: rows only ever grow at the end, so that whoever still holds the older one is not disturbed.
        """
        fresh = sorted(items)
        size = max(len(self), fresh[-1][0] + 1) if fresh else len(self)
        new = Catalogue(self.proxies)
        new.version, new.ids, new.index = version, self.ids, self.index
        new._packed = self._packed + [b""] * (size - len(self._packed))
        grown = size - len(self.available)
        new.available = np.concatenate([self.available, np.zeros(grown, bool)])
        new.sensitivity = np.concatenate([self.sensitivity, np.zeros(grown, np.uint32)])
        new.audience = np.concatenate([self.audience, np.zeros(grown, np.int8)])
        # Only the columns' fields are unpacked: with a hundred thousand items this is most of the time that a start takes.
        telling = any(self.proxies.values())
        for row, raw in fresh:
            item = _decode(raw) if telling else _decode_columns(raw)
            if row == len(new.ids):
                new.ids.append(item.id)
                new.index[item.id] = row
            new._packed[row] = raw
            new.available[row] = item.available
            new.audience[row] = AUDIENCE_CODE.get(item.audience, AUDIENCE_CODE["unrated"])
            new.sensitivity[row] = self._bits(item) if telling or item.sensitivity else 0
        if len(fresh) <= _MOVED_MOST * size:
            new._indexes = {
                name: (keys, self._moved(index, keys, fresh)) for name, (keys, index) in self._indexes.items()
            }
        return new

    @staticmethod
    def of(items: Sequence[Item], proxies: Mapping[str, Sequence[Proxy]] | None = None) -> "Catalogue":
        """A catalogue of these items, in this order. For tests and for stores that keep items in memory."""
        return Catalogue(proxies).with_items(((row, pack(item)) for row, item in enumerate(items)), len(items))

    def _bits(self, item: "Item | _Columns") -> int:
        bits = 0
        for place, category in enumerate(self.categories):
            betrayed = category in item.sensitivity
            if not betrayed and isinstance(item, Item):
                betrayed = any(
                    not set(item.values(proxy.attribute)).isdisjoint(proxy.values) for proxy in self.proxies[category]
                )
            bits |= betrayed << place
        # A category that the charter does not know is still sensitive: the last bit can be turned on by nobody.
        if any(category not in self.proxies for category in item.sensitivity):
            bits |= 1 << 31
        return bits

    def item(self, row: int) -> Item:
        """The item in this row."""
        found = self._decoded.get(row)
        if found is None:
            if len(self._decoded) >= _DECODED_MOST:
                self._decoded.popitem(last=False)  # one for one: clearing all would stall a request
            found = self._decoded[row] = _decode(self._packed[row])
        return found

    def packed(self, row: int) -> bytes:
        """The item in this row, as it lies in the store."""
        return self._packed[row]

    def differing(self, other: "Catalogue") -> list[int]:
        """The rows that are not as they are in the other catalogue, of which this one was made, or are not in it."""
        theirs = len(other)
        pairs = zip(self._packed, other._packed, strict=False)
        return [*(row for row, (mine, yours) in enumerate(pairs) if mine is not yours), *range(theirs, len(self))]

    def shut(self, rows: Rows, categories: Iterable[str]) -> Mask:
        """bool[n]: which of the rows int32[n] would betray a category outside these."""
        found: Mask = (self.sensitivity[rows] & np.uint32(0xFFFFFFFF & ~self.bits_of(categories))) != 0
        return found

    def get(self, item: str) -> Item | None:
        """The item with this id, if there is one."""
        row = self.index.get(item)
        return None if row is None or row >= len(self._packed) else self.item(row)

    def rows(self, items: Iterable[str]) -> Rows:
        """The rows of these items, in their order; ids that are not in the catalogue are left out."""
        size, index = len(self._packed), self.index
        found = [row for item in items if (row := index.get(item, size)) < size]
        return np.array(found, np.int32)

    def telling(self, categories: Iterable[str]) -> frozenset[str]:
        """Ids of the items an interest in which betrays a category outside these."""
        on = self.bits_of(categories)
        found = self._telling.get(on)
        if found is None:
            shut = np.uint32(0xFFFFFFFF & ~on)
            rows = np.flatnonzero(self.sensitivity & shut)
            found = self._telling[on] = frozenset(self.ids[row] for row in rows.tolist())
        return found

    def having(self, attribute: str) -> Mapping[str, Rows]:
        """The rows of the items that have each value of an attribute, in order."""
        return self._by(("attribute", attribute), lambda item: item.values(attribute))

    def meeting(self, condition: Condition) -> Rows:
        """The rows of the items of which a condition holds (see `Item.facts`), in order."""
        return self._by(condition, lambda item: ("yes",) if condition.holds(item.facts()) else ()).get("yes", NO_ROWS)

    def _by(self, name: Hashable, keys: Keys) -> Mapping[str, Rows]:
        """Rows by key. Made when first asked for (a hundred thousand items take about a second), then kept up as items change."""
        known = self._indexes.get(name)
        if known is None:
            found: dict[str, list[int]] = {}
            for row, raw in enumerate(self._packed):
                for key in dict.fromkeys(keys(_decode(raw))):
                    found.setdefault(key, []).append(row)
            known = self._indexes[name] = (keys, {key: np.array(rows, np.int32) for key, rows in found.items()})
        return known[1]

    def _moved(self, index: dict[str, Rows], keys: Keys, fresh: Sequence[tuple[int, bytes]]) -> dict[str, Rows]:
        """The index once these rows are new or replaced; this catalogue's own stays as it is."""
        moved = dict(index)
        gone: dict[str, list[int]] = {}
        come: dict[str, list[int]] = {}
        for row, raw in dict(fresh).items():
            for key in keys(self.item(row)) if row < len(self) else ():
                gone.setdefault(key, []).append(row)
            for key in keys(_decode(raw)):
                come.setdefault(key, []).append(row)
        for key in gone.keys() | come.keys():
            left = np.setdiff1d(moved.get(key, NO_ROWS), gone.get(key, ()))
            moved[key] = np.union1d(left, come.get(key, ())).astype(np.int32)
        return moved

    def bits_of(self, categories: Iterable[str]) -> int:
        """The bits of these categories, for `telling` and the sensitive guard."""
        wanted = set(categories)
        return sum(1 << place for place, category in enumerate(self.categories) if category in wanted)


def pack(item: Item) -> bytes:
    """An item as it lies in the store."""
    return _encode(item)


def unpack(raw: bytes) -> Item:
    """The item that `pack` packed."""
    return _decode(raw)


def chosen(rows: Rows, among: Rows, size: int) -> Mask:
    """For each of `rows`, whether it is one of `among`. size: rows in the catalogue. Faster than np.isin on small sets."""
    flag = np.zeros(size, bool)
    flag[among] = True
    return flag[rows]
