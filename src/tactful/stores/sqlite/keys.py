"""Data keys: one per person and entry, random, wrapped by the master key. Whoever destroys the key has destroyed the data."""

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tactful.domain.errors import StoreBroken
from tactful.stores.sqlite.files import open_keys
from tactful.stores.sqlite.master import SEALED_AS, Master, bound

Name = tuple[bytes, str]
"""What a key is for: the person's pseudonym, and a data entry of the charter or one of the entries below."""

CONSENT, LINKS, RECEIPTS, QUARANTINE = ":consent", ":links", ":receipts", ":quarantine"
"""Entries of what is not an event. The colon keeps them apart from the charter's own."""

# Keys kept in memory, unwrapped. A cipher made from one takes 1 µs and 2.5 kB, so it is made anew each time; looking the key
# up in the file and unwrapping it takes 8 µs.
_AT_HAND = 50_000
_ID = 8  # bytes of a key's id

_FIND = "SELECT wrapped FROM key WHERE person = ? AND entry = ?"
_RANGE = "SELECT person, entry, wrapped FROM key WHERE person BETWEEN ? AND ?"
_INSERT = "INSERT INTO key (person, entry, wrapped) VALUES (?, ?, ?)"
_DELETE = "DELETE FROM key WHERE person = ? AND entry = ?"
_DELETE_PERSON = "DELETE FROM key WHERE person = ? RETURNING entry"
_META = "SELECT value FROM meta WHERE name = ?"
_SET_META = "UPDATE meta SET value = ? WHERE name = ?"


class Key:
    """A data key, ready to use. id: 8 bytes that stand in front of whatever it sealed, so that a row whose key was destroyed is
    told from a row that was tampered with, even when the person came back and has a new key."""

    __slots__ = ("_cipher", "id")

    def __init__(self, packed: bytes) -> None:
        self.id = packed[:_ID]
        self._cipher = AESGCM(packed[_ID:])

    def seal(self, name: Name, nonce: bytes, content: bytes) -> bytes:
        """The content sealed, bound to whose it is and what it is. nonce: 12 random bytes, never used before."""
        return self.id + nonce + self._cipher.encrypt(nonce, SEALED_AS + content, bound(*name))

    def sealed(self, box: bytes) -> bool:
        """Whether it was this key that sealed the box."""
        return box.startswith(self.id)

    def open(self, name: Name, box: bytes) -> memoryview:
        """The content. Raises StoreBroken if the box was tampered with."""
        try:
            return memoryview(self._cipher.decrypt(box[_ID : _ID + 12], box[_ID + 12 :], bound(*name)))[
                len(SEALED_AS) :
            ]
        except InvalidTag as error:
            raise StoreBroken(why="a row does not open with the key that sealed it: somebody changed it") from error


class Keys:
    """Reads keys, and keeps those used last at hand."""

    def __init__(self, folder: Path, master: Master, *, reader: bool = True) -> None:
        self._wrap = master.wrap
        self.db = open_keys(folder, master, reader=reader)
        self._ready: OrderedDict[Name, bytes] = OrderedDict()

    def close(self) -> None:
        """Forget the keys at hand, and let go of the file."""
        self._ready.clear()
        self.db.close()

    def find(self, name: Name) -> Key | None:
        """The key, or None if there is none (any more). Raises sqlite3.Error."""
        packed = self._ready.get(name)
        if packed is not None:
            self._ready.move_to_end(name)
            return Key(packed)
        row = self.db.execute(_FIND, name).fetchone()
        return None if row is None else Key(self._keep(name, self._unwrap(name, row[0])))

    def open(self, name: Name, box: bytes) -> memoryview | None:
        """What was sealed; None if its key is destroyed, which means that it is erased. Raises sqlite3.Error, StoreBroken."""
        key = self.find(name)
        if key is None or not key.sealed(box):
            self._ready.pop(
                name, None
            )  # the person was forgotten and came back: look at the file, not at what is at hand
            key = self.find(name)
        return key.open(name, box) if key is not None and key.sealed(box) else None

    def between(self, first: bytes, last: bytes) -> dict[Name, Key]:
        """All keys of the people in this range of pseudonyms, past the ones at hand."""
        rows = self.db.execute(_RANGE, (first, last)).fetchall()
        return {(person, entry): Key(self._unwrap((person, entry), wrapped)) for person, entry, wrapped in rows}

    def _keep(self, name: Name, packed: bytes) -> bytes:
        self._ready[name] = packed
        if len(self._ready) > _AT_HAND:
            self._ready.popitem(last=False)
        return packed

    def _unwrap(self, name: Name, wrapped: bytes) -> bytes:
        """The key's id, which is part of the nonce it was wrapped with, and its 32 bytes."""
        try:
            return wrapped[:_ID] + self._wrap.decrypt(wrapped[:12], wrapped[12:], bound(*name))
        except InvalidTag as error:
            raise StoreBroken(why="a key does not unwrap: somebody changed keys.db") from error


class KeyMaker(Keys):
    """The writer's keys: the only place where keys are made and destroyed."""

    def __init__(self, folder: Path, master: Master) -> None:
        super().__init__(folder, master, reader=False)
        self.made = self._meta("made")
        """How many keys were ever made, by which a keys.db older than its data.db is found out."""

    def ensure(self, names: Iterable[Name]) -> dict[Name, Key]:
        """Keys for all of these. New ones are durable before this returns, so no data is ever older than its key."""
        found: dict[Name, Key] = {}
        made: list[tuple[Name, bytes, bytes]] = []
        for name in names:
            key = self.find(name)
            if key is None:
                secret, nonce = os.urandom(32), os.urandom(12)
                packed = nonce[:_ID] + secret
                made.append((name, packed, nonce + self._wrap.encrypt(nonce, secret, bound(*name))))
                key = Key(packed)
            found[name] = key
        if made:
            with transaction(self.db):
                self.db.executemany(_INSERT, [(*name, wrapped) for name, _, wrapped in made])
                self.db.execute(_SET_META, (self.made + len(made), "made"))
            self.made += len(made)
            for name, packed, _ in made:
                self._keep(name, packed)
        return found

    def destroy(self, names: Sequence[Name]) -> None:
        """Destroy these keys."""
        with transaction(self.db):
            self.db.executemany(_DELETE, names)
        for name in names:
            self._ready.pop(name, None)

    def tombstone(self) -> int:
        """The number of the last tombstone that this copy of keys.db has carried out."""
        return self._meta("tombstone")

    def _meta(self, name: str) -> int:
        return int(self.db.execute(_META, (name,)).fetchone()[0])

    def forget(self, people: Iterable[bytes], tombstone: int) -> None:
        """Destroy all keys of these people, and note the tombstone that asked for it."""
        with transaction(self.db):
            gone = [
                (person, entry)
                for person in people
                for (entry,) in self.db.execute(_DELETE_PERSON, (person,)).fetchall()
            ]
            self.db.execute(_SET_META, (tombstone, "tombstone"))
        for name in gone:
            self._ready.pop(name, None)


class transaction:
    """BEGIN IMMEDIATE, then COMMIT, or ROLLBACK if something is raised inside."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
            except BaseException:
                self._undo()
                raise
        else:
            self._undo()

    def _undo(self) -> None:
        if self._db.in_transaction:  # a full disk may have rolled back already
            self._db.execute("ROLLBACK")
