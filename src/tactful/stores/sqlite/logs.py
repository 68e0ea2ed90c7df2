"""The ports over a link to the writer and a reader of our own."""

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Raw, structs

from tactful.domain.catalogue import pack
from tactful.domain.consent import ConsentChange
from tactful.domain.errors import TactfulError
from tactful.domain.event import Event
from tactful.domain.identity import Link as Who
from tactful.domain.identity import pseudonymous
from tactful.domain.item import Item
from tactful.domain.note import Note
from tactful.domain.receipt import Receipt
from tactful.ports import NOTE_MS, QUARANTINE_MS, Ack, Quarantined, Record, Stores
from tactful.stores.sqlite.commands import (
    Append,
    AppendConsent,
    AppendLink,
    AppendReceipt,
    Command,
    DropPieces,
    Forget,
    ForgetEvents,
    Piece,
    Purge,
    PutItems,
    PutQuarantine,
    Row,
)
from tactful.stores.sqlite.feed import SqliteFeed
from tactful.stores.sqlite.links import Finish, Settled
from tactful.stores.sqlite.master import NOBODY, Master, receipt_row, seal_receipt
from tactful.stores.sqlite.reader import Reader

T = TypeVar("T")
_log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode


class Link(Protocol):
    """A way to the writer."""

    def send(self, command: Command, finish: Finish[T], settled: Settled | None = None) -> Ack[T]:
        """Ask for a command. What goes wrong comes out of the Ack."""

    def admit(self) -> None:
        """See `ports.Stores`."""

    def flush(self) -> None:
        """Wait until everybody's commands that the writer has are durable. Raises StoreBusy."""

    def close(self) -> None:
        """Let go of the writer."""


def stores(link: Link, reader: Reader, master: Master) -> Stores:
    """The ports, over this link and this reader."""
    room = _Room(link, reader, master)
    return Stores(
        _Events(room),
        _Consents(room),
        _Receipts(room),
        _Items(room),
        _Quarantine(room),
        _Links(room),
        SqliteFeed(reader),
        room.close,
        reader.glance,
        link.admit,
    )


def _same(value: Any) -> Any:
    return value


class _Room:
    """What the five have in common."""

    def __init__(self, link: Link, reader: Reader, master: Master) -> None:
        self.link, self.reader, self.master = link, reader, master
        self.pseudonym = master.pseudonym
        self.at_hand: dict[str, Receipt] = {}  # receipts on their way to the disk

    def forget(self, person: str) -> Ack[None]:
        """Whichever store is asked, the person goes from all of them: that is what a destroyed key means."""
        for receipt in [key for key, kept in self.at_hand.items() if kept.person == person]:
            del self.at_hand[receipt]
        return self.link.send(Forget(self.pseudonym(person)), _same)

    def close(self) -> None:
        self.link.close()
        self.reader.close()


class _Events:
    def __init__(self, room: _Room) -> None:
        self._room = room
        self._pseudonym = room.pseudonym
        self._head = room.reader.head

    def forget(self, person: str, events: Collection[str] | None = None) -> Ack[None]:
        if events is None:
            return self._room.forget(person)
        return self._room.link.send(ForgetEvents(self._pseudonym(person), list(events)), _same)

    def append(self, records: Sequence[Record]) -> Ack[frozenset[tuple[str, str]]]:
        records = tuple(records)
        message = self._room.master.message
        rows = []
        for record in records:
            person = self._pseudonym(record.person)
            rows.append(
                Row(
                    person,
                    record.data,
                    record.keep_until,
                    [message(person, event.id) for event in record.events],
                    [Raw(_encode(event)) for event in record.events],
                )
            )

        def finish(places: list[tuple[int, int]]) -> frozenset[tuple[str, str]]:
            return frozenset((records[row].person, records[row].events[place].id) for row, place in places)

        return self._room.link.send(Append(rows), finish)

    def head(self, person: str) -> int:
        return self._head(self._pseudonym(person))

    def read(self, person: str, after: int = 0) -> list[tuple[int, Event]]:
        return self._room.reader.events(self._pseudonym(person), after)

    def people(self) -> Iterator[tuple[str, list[Event]]]:
        for person, events in self._room.reader.people():
            yield person.hex(), events


class _Consents:
    def __init__(self, room: _Room) -> None:
        self._room = room
        self.forget = room.forget

    def append(self, changes: Sequence[tuple[str, ConsentChange]]) -> Ack[None]:
        packed = [
            (self._room.pseudonym(person), _encode(structs.replace(change, person=person)))
            for person, change in changes
        ]
        return self._room.link.send(AppendConsent(packed), _same)

    def read(self, person: str) -> list[ConsentChange]:
        return self._room.reader.consents(self._room.pseudonym(person))

    def version(self) -> int:
        return self._room.reader.meta("changed")

    def everybody(self) -> Iterator[tuple[str, list[ConsentChange]]]:
        for person, changes in self._room.reader.everybody():
            yield person.hex(), changes


class _Links:
    def __init__(self, room: _Room) -> None:
        self._room = room
        self.forget = room.forget

    def append(self, links: Sequence[Who]) -> Ack[None]:
        master, rows = self._room.master, []
        for link in links:
            ends = [master.pseudonym(name) for name in dict.fromkeys(filter(None, (link.name, link.person)))]
            packed = _encode(link)
            digest = master.message(ends[0], repr(link.key))
            rows += [(end, digest, other, packed) for end, other in zip(ends, reversed(ends), strict=True)]
        return self._room.link.send(AppendLink(rows), _same)

    def read(self, name: str) -> list[Who]:
        return self._room.reader.links(self._room.pseudonym(name))

    def everybody(self) -> Iterator[tuple[str, list[Who]]]:
        hidden = self._room.master.pseudonym
        for person, links in self._room.reader.linked():
            yield person.hex(), [pseudonymous(link, lambda name: hidden(name).hex()) for link in links]


class _Losses:
    """Receipts that could not be kept, said in the log: the first at once, further ones of the same second together."""

    def __init__(self) -> None:
        self._count, self._next = 0, 0.0

    def add(self, error: TactfulError) -> None:
        self._count += 1
        if (now := time.monotonic()) >= self._next:
            what = "A receipt was" if self._count == 1 else f"{self._count:,} receipts were"
            _log.warning("%s not kept: %s", what, error)
            self._count, self._next = 0, now + 1.0


class _Receipts:
    def __init__(self, room: _Room) -> None:
        self._losses = _Losses()
        self._room = room
        self.forget = room.forget
        self.noted, self.notes = room.reader.noted, room.reader.notes

    def append(self, receipt: Receipt, keep_until: int, feed: bool = False, note: Note | None = None) -> Ack[None]:
        row, packed, person = receipt_row(receipt.id), _encode(receipt), None
        if receipt.person is None:
            packed = seal_receipt(receipt.id, packed)
        else:
            person = self._room.pseudonym(receipt.person)
        at_hand = self._room.at_hand
        at_hand[receipt.id] = receipt
        noted = (b"", 0) if note is None else (_encode(note), note.at + NOTE_MS)
        command = AppendReceipt(row, person, keep_until, packed, feed, *noted)

        def settled(error: TactfulError | None) -> None:
            if at_hand.get(receipt.id) is receipt:
                del at_hand[receipt.id]
            if error is not None:  # nobody need wait for a receipt, so it is said here too
                self._losses.add(error)

        return self._room.link.send(command, _same, settled)

    def get(self, receipt: str) -> Receipt | None:
        reader = self._room.reader
        found = self._room.at_hand.get(receipt) or reader.receipt(receipt)
        if found is None:  # another worker's receipt may be on its way
            self._room.link.flush()
            found = reader.receipt(receipt)
        return found


class _Items:
    def __init__(self, room: _Room) -> None:
        self._room = room
        self.since = room.reader.items

    def version(self) -> int:
        return self._room.reader.meta("catalogue")

    def put(self, items: Sequence[Item]) -> Ack[int]:
        return self._room.link.send(PutItems([(item.id, pack(item)) for item in items]), _same)


class _Quarantine:
    def __init__(self, room: _Room) -> None:
        self._room = room
        self.pieces, self.count = room.reader.pieces, room.reader.piece_count
        self.forget = room.forget

    def put(self, pieces: Sequence[Quarantined]) -> Ack[None]:
        rows = [
            Piece(
                self._room.pseudonym(piece.person) if piece.person else NOBODY, piece.at + QUARANTINE_MS, _encode(piece)
            )
            for piece in pieces
        ]
        return self._room.link.send(PutQuarantine(rows), _same)

    def drop(self, pieces: Sequence[Quarantined]) -> Ack[None]:
        gone = set(pieces)
        found = self._room.reader.numbered_pieces(sorted({piece.at + QUARANTINE_MS for piece in gone}))
        rows = [(number, sealed) for piece, number, sealed in found if piece in gone]
        return self._room.link.send(DropPieces(rows), _same)

    def purge(self, now: int) -> Ack[int]:
        return self._room.link.send(Purge(now), _same)
