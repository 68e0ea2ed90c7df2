"""Reading. One connection per process, in autocommit: each SELECT sees all that is committed, and holds nobody up."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from tactful.domain.consent import ConsentChange
from tactful.domain.event import Event
from tactful.domain.identity import Link
from tactful.domain.note import Note
from tactful.domain.receipt import Receipt
from tactful.ports import Quarantined
from tactful.stores.sqlite.files import DATA, disk_errors, open_file, store_error
from tactful.stores.sqlite.keys import CONSENT, LINKS, QUARANTINE, RECEIPTS, Keys
from tactful.stores.sqlite.master import Master, open_receipt, receipt_row

_HEAD = "SELECT seq FROM event WHERE person = ? ORDER BY seq DESC LIMIT 1"
_EVENTS = "SELECT seq, data, sealed FROM event WHERE person = ? AND seq > ? ORDER BY seq"
_PEOPLE = "SELECT DISTINCT person FROM event WHERE person > ? ORDER BY person LIMIT ?"
_EVENTS_OF_PEOPLE = "SELECT person, data, sealed FROM event WHERE person BETWEEN ? AND ? ORDER BY person, seq"
_CONSENTS = "SELECT sealed FROM consent WHERE person = ? ORDER BY seq"
_CONSENTED = "SELECT DISTINCT person FROM consent WHERE person > ? ORDER BY person LIMIT ?"
_CONSENTS_OF_PEOPLE = "SELECT person, sealed FROM consent WHERE person BETWEEN ? AND ? ORDER BY person, seq"
_LINKS = "SELECT sealed FROM link WHERE person = ? ORDER BY seq"
_LINKED = "SELECT DISTINCT person FROM link WHERE person > ? ORDER BY person LIMIT ?"
_SAID = "SELECT seq, sealed FROM consent WHERE person = ? ORDER BY seq"
_FEED = " UNION ALL ".join(
    f"SELECT * FROM (SELECT seq, person, {entry}, sealed FROM {table} WHERE seq > :after ORDER BY seq LIMIT :most)"
    for table, entry in (("event", "data"), ("consent", f"'{CONSENT}'"), ("receipt", f"'{RECEIPTS}'"))
)
_META = "SELECT value FROM meta WHERE name = ?"
_RECEIPT = "SELECT person, sealed FROM receipt WHERE id = ?"
_NOTES = "SELECT number, person, sealed FROM note WHERE number > ? ORDER BY number LIMIT ?"
_NOTED = "SELECT seq FROM sqlite_sequence WHERE name = 'note'"
_ITEMS = "SELECT number, packed FROM item WHERE version > ? ORDER BY number"
_PIECES = "SELECT number, person, sealed FROM quarantine ORDER BY keep_until, number"
_PIECE_COUNT = "SELECT count(*) FROM quarantine"
_PIECES_DUE = "SELECT number, person, sealed FROM quarantine WHERE keep_until = ?"

_PEOPLE_AT_ONCE = 256

Content = tuple[Event, ...] | ConsentChange | Receipt
Row = tuple[int, bytes, Content]
"""Of the feed: number, pseudonym, what was kept."""

_events = msgspec.msgpack.Decoder(list[Event]).decode
_change = msgspec.msgpack.Decoder(ConsentChange).decode
_link = msgspec.msgpack.Decoder(Link).decode
_receipt = msgspec.msgpack.Decoder(Receipt).decode
_note = msgspec.msgpack.Decoder(Note).decode
_piece = msgspec.msgpack.Decoder(Quarantined).decode


def _content(entry: str, packed: memoryview) -> Content:
    if entry == CONSENT:
        return _change(packed)
    return _receipt(packed) if entry == RECEIPTS else tuple(_events(packed))


class _Glance:
    """A read transaction as a `with` block. (A generator would cost as much as what is saved.)"""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        self._db.execute("COMMIT")


class Reader:
    """Opens what the writer sealed. People are given by pseudonym. Every method raises StoreBusy or StoreBroken if it cannot read."""

    def __init__(self, folder: Path, master: Master) -> None:
        self._keys = Keys(folder, master)
        try:
            self._db = open_file(folder / DATA, reader=True)
        except BaseException:
            self._keys.close()
            raise

    def close(self) -> None:
        self._db.close()
        self._keys.close()

    def glance(self) -> "_Glance":
        """One read transaction for several reads: they see one state, and the locks are taken once."""
        return _Glance(self._db)

    def head(self, person: bytes) -> int:
        try:
            row = self._db.execute(_HEAD, (person,)).fetchone()
        except sqlite3.Error as error:
            raise store_error(error) from error
        return row[0] if row else 0

    def events(self, person: bytes, after: int) -> list[tuple[int, Event]]:
        return [(seq, event) for seq, _, events in self.records(person, after) for event in events]

    def records(self, person: bytes, after: int = 0) -> list[tuple[int, str, list[Event]]]:
        """(seq, data entry, events) of the records numbered above `after`."""
        found = []
        with disk_errors():
            for seq, data, sealed in self._db.execute(_EVENTS, (person, after)).fetchall():
                content = self._keys.open((person, data), sealed)
                if content is not None:
                    found.append((seq, data, _events(content)))
        return found

    def people(self) -> Iterator[tuple[bytes, list[Event]]]:
        for first, last in self._ranges(_PEOPLE):
            yield from self._events_between(first, last)

    def _events_between(self, first: bytes, last: bytes) -> list[tuple[bytes, list[Event]]]:
        with disk_errors():
            rows = self._db.execute(_EVENTS_OF_PEOPLE, (first, last)).fetchall()
            keys = self._keys.between(
                first, last
            )  # after the rows: a key that is gone by now means that they are erased
        found: dict[bytes, list[Event]] = {}
        for person, data, sealed in rows:
            key = keys.get((person, data))
            if key is not None and key.sealed(sealed):
                found.setdefault(person, []).extend(_events(key.open((person, data), sealed)))
        return list(found.items())

    def consents(self, person: bytes) -> list[ConsentChange]:
        with disk_errors():
            boxes = self._db.execute(_CONSENTS, (person,)).fetchall()
            opened = [self._keys.open((person, CONSENT), sealed) for (sealed,) in boxes]
        return [_change(content) for content in opened if content is not None]

    def everybody(self) -> Iterator[tuple[bytes, list[ConsentChange]]]:
        for first, last in self._ranges(_CONSENTED):
            yield from self._consents_between(first, last)

    def _consents_between(self, first: bytes, last: bytes) -> list[tuple[bytes, list[ConsentChange]]]:
        with disk_errors():
            rows = self._db.execute(_CONSENTS_OF_PEOPLE, (first, last)).fetchall()
            keys = self._keys.between(first, last)
        found: dict[bytes, list[ConsentChange]] = {}
        for person, sealed in rows:
            key = keys.get((person, CONSENT))
            if key is not None and key.sealed(sealed):
                found.setdefault(person, []).append(_change(key.open((person, CONSENT), sealed)))
        return list(found.items())

    def _ranges(self, statement: str) -> Iterator[tuple[bytes, bytes]]:
        """First and last of some people at a time, in order: between two, no read transaction is open."""
        last = b""
        while True:
            with disk_errors():
                people = self._db.execute(statement, (last, _PEOPLE_AT_ONCE)).fetchall()
            if not people:
                return
            first, last = people[0][0], people[-1][0]
            yield first, last

    def links(self, person: bytes) -> list[Link]:
        with disk_errors():
            boxes = self._db.execute(_LINKS, (person,)).fetchall()
            opened = [self._keys.open((person, LINKS), sealed) for (sealed,) in boxes]
        return [_link(content) for content in opened if content is not None]

    def linked(self) -> Iterator[tuple[bytes, list[Link]]]:
        last = b""
        while True:
            with disk_errors():
                people = self._db.execute(_LINKED, (last, _PEOPLE_AT_ONCE)).fetchall()
            if not people:
                return
            for (last,) in people:
                if links := self.links(last):
                    yield last, links

    def feed(self, after: int, most: int) -> tuple[list[Row], int]:
        """What is kept with a number above `after`, opened, in order; and the number up to which this is all of it."""
        with disk_errors(), self.glance():
            rows = self._db.execute(f"SELECT * FROM ({_FEED}) ORDER BY seq LIMIT :most", {"after": after, "most": most})
            found = rows.fetchall()
            until = found[-1][0] if len(found) == most else self.meta("seq")
        opened = [
            (seq, person, entry, self._keys.open((person, entry), sealed)) for seq, person, entry, sealed in found
        ]
        return [
            (seq, person, _content(entry, packed)) for seq, person, entry, packed in opened if packed is not None
        ], until

    def said(self, person: bytes) -> list[tuple[int, ConsentChange]]:
        """A person's changes of consent, with their numbers."""
        with disk_errors():
            boxes = self._db.execute(_SAID, (person,)).fetchall()
            opened = [(seq, self._keys.open((person, CONSENT), sealed)) for seq, sealed in boxes]
        return [(seq, _change(content)) for seq, content in opened if content is not None]

    def meta(self, name: str) -> int:
        """A counter: `changed` or `catalogue`."""
        try:
            return int(self._db.execute(_META, (name,)).fetchone()[0])
        except sqlite3.Error as error:
            raise store_error(error) from error

    def receipt(self, receipt: str) -> Receipt | None:
        row = receipt_row(receipt)
        with disk_errors():
            found = self._db.execute(_RECEIPT, (row,)).fetchone()
            if found is None:
                return None
            person, sealed = found
            if person is None:
                return _receipt(open_receipt(receipt, sealed))
            content = self._keys.open((person, RECEIPTS), sealed)
        return None if content is None else _receipt(content)

    def noted(self) -> int:
        with disk_errors():
            found = self._db.execute(_NOTED).fetchone()
        return found[0] if found else 0

    def notes(self, after: int, most: int) -> list[tuple[int, Note]]:
        while True:
            with disk_errors():
                rows = self._db.execute(_NOTES, (after, most)).fetchall()
                opened = [(number, self._keys.open((person, RECEIPTS), sealed)) for number, person, sealed in rows]
            found = [(number, _note(packed)) for number, packed in opened if packed is not None]
            if found or not rows:
                return found
            after = rows[-1][0]  # all of these people were forgotten just now

    def items(self, version: int) -> list[tuple[int, bytes]]:
        with disk_errors():
            return self._db.execute(_ITEMS, (version,)).fetchall()

    def piece_count(self) -> int:
        with disk_errors():
            return int(self._db.execute(_PIECE_COUNT).fetchone()[0])

    def pieces(self) -> list[Quarantined]:
        return [piece for piece, _, _ in self._pieces(_PIECES)]

    def numbered_pieces(self, due: Iterable[int]) -> list[tuple[Quarantined, int, bytes]]:
        """The pieces that are due at these times (ms), each with its row's number and its sealed form."""
        return [found for at in due for found in self._pieces(_PIECES_DUE, at)]

    def _pieces(self, statement: str, *values: int) -> list[tuple[Quarantined, int, bytes]]:
        with disk_errors():
            rows = self._db.execute(statement, values).fetchall()
            opened = [self._keys.open((person, QUARANTINE), sealed) for _, person, sealed in rows]
        return [
            (_piece(content), number, sealed)
            for content, (number, _, sealed) in zip(opened, rows, strict=True)
            if content is not None
        ]
