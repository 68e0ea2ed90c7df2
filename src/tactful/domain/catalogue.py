"""All items at one moment, as columns that a guard or a strategy can work on at once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import msgspec
import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from tactful.domain.conditions import Condition
from tactful.domain.item import AUDIENCES, Attribute, Item, values_in
from tactful.domain.language import nearest
from tactful.domain.topics import Topic, Topics

Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]

AUDIENCE_CODE = {name: code for code, name in enumerate(AUDIENCES)}


ALWAYS = np.iinfo(np.int64)
"""What stands in a column of times where nothing is said: a window that was always open, or that never shuts."""
_STOCK_MOST = np.iinfo(np.int32).max


class _Columns(Struct, frozen=True, gc=False):
    """The fields of an item of which columns are made."""

    id: str
    available: bool = True
    sensitivity: tuple[str, ...] = ()
    audience: str = "unrated"
    available_from: int | None = None
    available_until: int | None = None
    stock: int | None = None
    language: str = ""
    texts: dict[str, msgspec.Raw] = {}
    topics: tuple[str, ...] = ()
    variants: msgspec.Raw = msgspec.Raw()
    since: int = 0


class _Telling(_Columns, frozen=True, gc=False):
    """The same, where the charter names attributes that give something away."""

    attributes: dict[str, Attribute] = {}


_decode = msgspec.msgpack.Decoder(Item).decode
_decode_columns = msgspec.msgpack.Decoder(_Columns).decode
_decode_telling = msgspec.msgpack.Decoder(_Telling).decode
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

    ids: item ids by row. version: the store's number for this state. Columns, all of shape [n]: `available` bool; `opens`, `shuts` and
    `since` int64 (ms since 1970; never shut is the greatest number there is); `stock` int32 (-1: not counted); `sensitivity` uint32 (bit k
    stands for category k of `categories`), what the topics bring included; `audience` int8 (index into `AUDIENCES`), the topics' included;
    `topics` and `languages` int32 (index into `topic_sets` and `language_sets`: an item's topics, and the languages it speaks, its own
    first); `varied` bool (has variants).
    """

    def __init__(
        self,
        proxies: Mapping[str, Sequence[Proxy]] | None = None,
        taxonomy: "Mapping[str, Topic] | Topics | None" = None,
    ) -> None:
        self.proxies = dict(proxies or {})
        self.categories = tuple(self.proxies)
        self._betrayed: dict[str, dict[str, int]] = {}  # attribute -> value -> bits of the categories it gives away
        for place, category in enumerate(self.categories):
            for proxy in self.proxies[category]:
                told = self._betrayed.setdefault(proxy.attribute, {})
                told.update((value, told.get(value, 0) | 1 << place) for value in proxy.values)
        self.taxonomy = taxonomy if isinstance(taxonomy, Topics) else Topics(taxonomy)
        self.version = 0
        self.ids: list[str] = []
        self.index: dict[str, int] = {}
        self.topic_sets = _Sets()
        self.language_sets = _Sets()
        self.available: Mask = np.empty(0, bool)
        self.opens: NDArray[np.int64] = np.empty(0, np.int64)
        self.shuts: NDArray[np.int64] = np.empty(0, np.int64)
        self.since: NDArray[np.int64] = np.empty(0, np.int64)
        self.stock: NDArray[np.int32] = np.empty(0, np.int32)
        self.sensitivity: NDArray[np.uint32] = np.empty(0, np.uint32)
        self.audience: NDArray[np.int8] = np.empty(0, np.int8)
        self.topics: NDArray[np.int32] = np.empty(0, np.int32)
        self.languages: NDArray[np.int32] = np.empty(0, np.int32)
        self.varied: Mask = np.empty(0, bool)
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
        new = Catalogue(self.proxies, self.taxonomy)
        new.version, new.ids, new.index = version, self.ids, self.index
        new.topic_sets, new.language_sets = self.topic_sets, self.language_sets
        new._packed = self._packed + [b""] * (size - len(self._packed))
        rows = np.fromiter((row for row, _ in fresh), np.int64, len(fresh))
        for name, unsaid in _COLUMNS.items():
            column = getattr(self, name)
            grown = np.concatenate([column, np.full(size - len(column), 0, column.dtype)])
            grown[rows] = unsaid
            setattr(new, name, grown)
        # Only the columns' fields are unpacked: with a hundred thousand items this is most of the time that a start takes.
        decode = _decode_telling if self._betrayed else _decode_columns
        for row, raw in fresh:
            item = decode(raw)
            if row == len(new.ids):
                new.ids.append(item.id)
                new.index[item.id] = row
            new._packed[row] = raw
            new._enter(row, item)
        if len(fresh) <= _MOVED_MOST * size:
            new._indexes = {
                name: (keys, self._moved(index, keys, fresh)) for name, (keys, index) in self._indexes.items()
            }
        return new

    def _enter(self, row: int, item: "_Columns") -> None:
        """Write an item into the columns, where it says something: most items leave most of it out."""
        if not item.available:
            self.available[row] = False
        if item.available_from is not None:
            self.opens[row] = item.available_from
        if item.available_until is not None:
            self.shuts[row] = item.available_until
        if item.since:
            self.since[row] = item.since
        if item.stock is not None:
            self.stock[row] = min(item.stock, _STOCK_MOST)
        if item.variants:
            self.varied[row] = True
        if item.language or item.texts:
            self.languages[row] = self.language_sets.number((item.language, *item.texts))
        audience = item.audience
        if item.topics:
            self.topics[row] = self.topic_sets.number(item.topics)
            audience = self.taxonomy.audience(audience, item.topics)
        if audience != "unrated":
            self.audience[row] = AUDIENCE_CODE.get(audience, AUDIENCE_CODE["unrated"])
        if item.sensitivity or item.topics or type(item) is _Telling:
            self.sensitivity[row] = self._bits(item)

    @staticmethod
    def of(
        items: Sequence[Item],
        proxies: Mapping[str, Sequence[Proxy]] | None = None,
        taxonomy: Mapping[str, Topic] | None = None,
    ) -> "Catalogue":
        """A catalogue of these items, in this order. For tests and for stores that keep items in memory."""
        return Catalogue(proxies, taxonomy).with_items(
            ((row, pack(item)) for row, item in enumerate(items)), len(items)
        )

    def _bits(self, item: "_Columns") -> int:
        named: Iterable[str] = item.sensitivity
        if item.topics:
            named = {*named, *self.taxonomy.sensitivity(item.topics)}
        bits = self._known_bits(named) if named else 0
        if isinstance(item, _Telling) and item.attributes:
            for attribute, betrayed in self._betrayed.items():
                for value in values_in(item.attributes, attribute):
                    bits |= betrayed.get(value, 0)
        return bits

    def _known_bits(self, named: Iterable[str]) -> int:
        # A category that the charter does not know is still sensitive: the last bit can be turned on by nobody.
        return self.bits_of(named) | (any(category not in self.proxies for category in named) << 31)

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

    def permitted_at(self, rows: Rows, now: int) -> Mask:
        """Which of the rows may be shown at all at this time (ms since 1970): available, and within their windows."""
        mask: Mask = self.available[rows] & (self.opens[rows] <= now) & (now < self.shuts[rows])
        return mask

    def about(self, topics: Iterable[str]) -> Mask:
        """bool[n]: which items are about one of these topics, or about anything below it."""
        wanted = set(topics)
        sets = self.topic_sets.all()
        hit = [
            any(not wanted.isdisjoint(self.taxonomy.inherited(topic).above) for topic in together) for together in sets
        ]
        mask: Mask = np.array(hit, bool)[self.topics]
        return mask

    def speaking(self, tags: Sequence[str]) -> Mask:
        """bool[n]: which items have words in one of these languages to try (`language.chain`), or do not say in which they are."""
        hit = [not spoken or "" in spoken or nearest(spoken, tags) is not None for spoken in self.language_sets.all()]
        mask: Mask = np.array(hit, bool)[self.languages]
        return mask

    def settled(self, item: Item, now: int) -> Item:
        """The item as it is kept: with the time when it first came. now: ms since 1970, for one that is new and does not say."""
        if item.since:
            return item
        row = self.index.get(item.id, len(self))
        since = int(self.since[row]) if row < len(self) else now
        return structs.replace(item, since=since) if since else item

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


_COLUMNS: dict[str, int] = {
    "available": True, "opens": ALWAYS.min, "shuts": ALWAYS.max, "since": 0, "stock": -1, "sensitivity": 0,
    "audience": AUDIENCE_CODE["unrated"], "topics": 0, "languages": 0, "varied": False,
}  # fmt: skip
"""The columns, and what stands in them where an item says nothing."""


class _Sets:
    """Different combinations of words, each with a number; number 0 is the empty one. Only ever grows, so that it can be shared."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {(): 0}

    def number(self, words: tuple[str, ...]) -> int:
        """The number of this combination."""
        return self._numbers.setdefault(words, len(self._numbers))

    def all(self) -> list[tuple[str, ...]]:
        """The combinations, by number."""
        return list(self._numbers)


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
