"""Keeps everything in memory: for tests, for trying things out, for programs that embed Tactful and keep nothing.

All stores share one state, so whichever of them is told to forget a person, the person is gone from all of them.
Not to be shared between threads.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from msgspec import structs

from tactful.domain.catalogue import pack
from tactful.domain.consent import NOBODY, Consent, ConsentChange
from tactful.domain.event import Event
from tactful.domain.identity import Link, pseudonymous
from tactful.domain.item import Item
from tactful.domain.note import Note
from tactful.domain.receipt import Receipt
from tactful.ports import NOTE_MS, QUARANTINE_MS, VISIT, Ack, Entry, Page, Quarantined, Record, Stores


def open_memory() -> Stores:
    """Stores that live as long as the process."""
    state = _State()
    return Stores(
        _Events(state), _Consents(state), _Receipts(state), _Items(), _Quarantine(state), _Links(state), _Feed(state)
    )


class _State:
    """What is kept about people, and how all of it is forgotten at once."""

    def __init__(self) -> None:
        self.seq = 0  # numbers records and consent changes; never goes back, so that nobody mistakes a new record for an old one
        self.secret = os.urandom(32)
        self.records: dict[str, list[tuple[int, Record]]] = {}
        self.seen: dict[str, dict[str, int]] = defaultdict(dict)  # person -> event id -> keep_until
        self.consents: dict[str, list[tuple[int, ConsentChange]]] = {}
        self.links: dict[str, list[Link]] = {}
        self.changed = 0  # number of the last consent change or forgetting
        self.receipts: dict[str, tuple[Receipt, int, int]] = {}  # id -> receipt, keep_until, number in the feed or 0
        self.noted = 0  # number of the last note
        self.notes: list[tuple[int, str | None, Note]] = []  # number, person, note
        self.pieces: list[Quarantined] = []

    def next(self) -> int:
        self.seq += 1
        return self.seq

    def pseudonym(self, person: str) -> str:
        return hashlib.blake2b(person.encode("utf-8", "surrogatepass"), digest_size=16, key=self.secret).hexdigest()

    def forget(self, person: str) -> Ack[None]:
        self.records.pop(person, None)
        self.seen.pop(person, None)
        self.consents.pop(person, None)
        for link in self.links.pop(person, ()):
            for other in {link.name, link.person} & self.links.keys():
                self.links[other] = [kept for kept in self.links[other] if person not in (kept.name, kept.person)]
        self.receipts = {key: kept for key, kept in self.receipts.items() if kept[0].person != person}
        self.notes = [kept for kept in self.notes if kept[1] != person]
        self.pieces = [piece for piece in self.pieces if not person or piece.person != person]
        self.changed = self.next()
        return Ack(None)


class _Events:
    def __init__(self, state: _State) -> None:
        self._state = state

    def forget(self, person: str, events: Collection[str] | None = None) -> Ack[None]:
        if events is None:
            return self._state.forget(person)
        records = self._state.records.pop(person, [])
        kept = [(seq, tuple(one for one in record.events if one.id not in events), record) for seq, record in records]
        left = [(seq, structs.replace(record, events=whole)) for seq, whole, record in kept if whole]
        if left:
            self._state.records[person] = left
        return Ack(None)

    def append(self, records: Sequence[Record]) -> Ack[frozenset[tuple[str, str]]]:
        duplicates = set()
        for record in records:
            seen = self._state.seen[record.person]
            kept = []
            for event in record.events:
                if event.id in seen:
                    duplicates.add((record.person, event.id))
                else:
                    seen[event.id] = record.keep_until
                    kept.append(event)
            if kept:
                fresh = Record(record.person, record.data, tuple(kept), record.keep_until)
                self._state.records.setdefault(record.person, []).append((self._state.next(), fresh))
        return Ack(frozenset(duplicates))

    def head(self, person: str) -> int:
        records = self._state.records.get(person)
        return records[-1][0] if records else 0

    def read(self, person: str, after: int = 0) -> list[tuple[int, Event]]:
        records = self._state.records.get(person, [])
        return [(seq, event) for seq, record in records if seq > after for event in record.events]

    def people(self) -> Iterator[tuple[str, list[Event]]]:
        names = sorted((self._state.pseudonym(person), person) for person in self._state.records)
        for name, person in names:
            if events := [event for _, event in self.read(person)]:
                yield name, events


class _Consents:
    def __init__(self, state: _State) -> None:
        self._state = state
        self.forget = state.forget

    def append(self, changes: Sequence[tuple[str, ConsentChange]]) -> Ack[None]:
        for person, change in changes:
            self._state.changed = self._state.next()
            kept = self._state.consents.setdefault(person, [])
            kept.append((self._state.changed, structs.replace(change, person=person)))
        return Ack(None)

    def read(self, person: str) -> list[ConsentChange]:
        return [change for _, change in self._state.consents.get(person, ())]

    def version(self) -> int:
        return self._state.changed

    def everybody(self) -> Iterator[tuple[str, list[ConsentChange]]]:
        for name, person in sorted((self._state.pseudonym(person), person) for person in self._state.consents):
            if changes := self.read(person):  # forgotten since the iteration began
                yield name, changes


class _Links:
    def __init__(self, state: _State) -> None:
        self._state = state
        self.forget = state.forget

    def append(self, links: Sequence[Link]) -> Ack[None]:
        for link in links:
            for name in dict.fromkeys(filter(None, (link.name, link.person))):
                kept = self._state.links.setdefault(name, [])
                if all(link.key != other.key for other in kept):
                    kept.append(link)
                    self._state.changed = self._state.next()
        return Ack(None)

    def read(self, name: str) -> list[Link]:
        return list(self._state.links.get(name, ()))

    def everybody(self) -> Iterator[tuple[str, list[Link]]]:
        hidden = self._state.pseudonym
        for name, person in sorted((hidden(person), person) for person in self._state.links):
            if links := self.read(person):
                yield name, [pseudonymous(link, hidden) for link in links]


class _Receipts:
    def __init__(self, state: _State) -> None:
        self._state = state
        self.forget = state.forget

    def append(self, receipt: Receipt, keep_until: int, feed: bool = False, note: Note | None = None) -> Ack[None]:
        number = self._state.next() if feed and receipt.person is not None else 0
        self._state.receipts[receipt.id] = (receipt, keep_until, number)
        if note is not None:
            self._state.noted += 1
            self._state.notes.append((self._state.noted, receipt.person, note))
        return Ack(None)

    def noted(self) -> int:
        return self._state.noted

    def notes(self, after: int, most: int) -> list[tuple[int, Note]]:
        return list(islice(((number, note) for number, _, note in self._state.notes if number > after), most))

    def get(self, receipt: str) -> Receipt | None:
        kept = self._state.receipts.get(receipt)
        return kept[0] if kept else None


class _Feed:
    def __init__(self, state: _State) -> None:
        self._state = state

    def head(self) -> int:
        return self._state.seq

    def after(self, number: int, most: int) -> Page:
        state = self._state
        kept: list[tuple[int, str, tuple[Event, ...] | ConsentChange | Receipt]] = []
        for person, records in state.records.items():
            if person in state.consents:
                kept += [(seq, person, record.events) for seq, record in records if seq > number]
        for person, changes in state.consents.items():
            kept += [(seq, person, change) for seq, change in changes if seq > number]
        kept += [
            (seq, receipt.person or "", receipt)
            for receipt, _, seq in state.receipts.values()
            if seq > number and receipt.person in state.consents
        ]
        kept.sort(key=lambda entry: entry[0])
        entries = [self._entry(*entry) for entry in kept[:most]]
        return Page(tuple(entries), entries[-1].number if len(entries) == most else state.seq)

    def _entry(self, number: int, person: str, content: tuple[Event, ...] | ConsentChange | Receipt) -> Entry:
        changes = self._state.consents.get(person, [])
        before = NOBODY
        if isinstance(content, ConsentChange):
            before = Consent.of(change for seq, change in changes if seq < number)
        return Entry(number, person, content, Consent.of(change for _, change in changes), before)


class _Items:
    def __init__(self) -> None:
        self._version = 0
        self._rows: dict[str, int] = {}
        self._items: list[tuple[int, bytes]] = []  # by row: (version, packed item)

    def put(self, items: Sequence[Item]) -> Ack[int]:
        if items:
            self._version += 1
        for item in items:
            row = self._rows.setdefault(item.id, len(self._rows))
            if row == len(self._items):
                self._items.append((0, b""))
            self._items[row] = (self._version, pack(item))
        return Ack(self._version)

    def version(self) -> int:
        return self._version

    def since(self, version: int) -> list[tuple[int, bytes]]:
        return [(row, raw) for row, (put, raw) in enumerate(self._items) if put > version]


class _Quarantine:
    def __init__(self, state: _State) -> None:
        self._state = state
        self.forget = state.forget

    def put(self, pieces: Sequence[Quarantined]) -> Ack[None]:
        self._state.pieces.extend(pieces)
        return Ack(None)

    def pieces(self) -> list[Quarantined]:
        return sorted(self._state.pieces, key=lambda piece: piece.at)

    def count(self) -> int:
        return len(self._state.pieces)

    def drop(self, pieces: Sequence[Quarantined]) -> Ack[None]:
        gone = set(pieces)
        self._state.pieces = [piece for piece in self._state.pieces if piece not in gone]
        return Ack(None)

    def purge(self, now: int) -> Ack[int]:
        state = self._state
        gone = 0
        pieces = [piece for piece in state.pieces if piece.at + QUARANTINE_MS > now]
        gone += len(state.pieces) - len(pieces)
        state.pieces = pieces
        receipts = {key: kept for key, kept in state.receipts.items() if kept[1] > now}
        gone += len(state.receipts) - len(receipts)
        state.receipts = receipts
        notes = [kept for kept in state.notes if kept[2].at + NOTE_MS > now]
        gone += len(state.notes) - len(notes)
        state.notes = notes
        return Ack(gone + sum(self._purge_person(person, now) for person in list(state.records)))

    def _purge_person(self, person: str, now: int) -> int:
        records = self._state.records[person]
        visiting = any(record.data == VISIT and record.keep_until > now for _, record in records)
        kept = [
            (seq, record) for seq, record in records if record.keep_until > now or (visiting and record.data == VISIT)
        ]
        if kept:
            self._state.records[person] = kept
        else:
            del self._state.records[person]
        ids = {event.id for _, record in kept for event in record.events}
        seen = self._state.seen[person]
        for event in [event for event, until in seen.items() if until <= now and event not in ids]:
            del seen[event]
        if not seen:
            del self._state.seen[person]
        return len(records) - len(kept)
