"""Data keys: one per person and entry, random, wrapped by the master key. Whoever destroys the key has destroyed the data."""

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tactful.domain.errors import KeyDestroyed
from tactful.stores.sqlite.files import open_keys
from tactful.stores.sqlite.master import Master, bound

Name = tuple[bytes, str]
"""What a key is for: the person's pseudonym, and a data entry of the charter or one of the entries below."""

CONSENT, RECEIPTS, QUARANTINE = ":consent", ":receipts", ":quarantine"
"""Entries of what is not an event. The colon keeps them apart from the charter's own."""

# Keys kept in memory, unwrapped. A cipher made from one takes 1 µs and 2.5 kB, so it is made anew each time; looking the key
# up in the file and unwrapping it takes 8 µs.
_AT_HAND = 50_000

_FIND = "SELECT wrapped FROM key WHERE person = ? AND entry = ?"
_RANGE = "SELECT person, entry, wrapped FROM key WHERE person BETWEEN ? AND ?"
_INSERT = "INSERT INTO key (person, entry, wrapped) VALUES (?, ?, ?)"
_DELETE = "DELETE FROM key WHERE person = ? AND entry = ?"
_DELETE_PERSON = "DELETE FROM key WHERE person = ? RETURNING entry"
_TOMBSTONE = "SELECT value FROM meta WHERE name = 'tombstone'"
_SET_TOMBSTONE = "UPDATE meta SET value = ? WHERE name = 'tombstone'"


class Keys:
    """Reads keys, and keeps those used last at hand."""

    def __init__(self, folder: Path, master: Master, *, reader: bool = True) -> None:
        self._wrap = master.wrap
        self.db = open_keys(folder, master, reader=reader)
        self._ready: OrderedDict[Name, bytes] = OrderedDict()

    def close(self) -> None:
        self._ready.clear()
        self.db.close()

    def find(self, name: Name) -> AESGCM | None:
        """The key, or None if there is none (any more). Raises sqlite3.Error."""
        secret = self._ready.get(name)
        if secret is not None:
            self._ready.move_to_end(name)
            return AESGCM(secret)
        row = self.db.execute(_FIND, name).fetchone()
        return None if row is None else AESGCM(self._keep(name, self._unwrap(name, row[0])))

    def get(self, name: Name) -> AESGCM:
        """The key. Raises KeyDestroyed, sqlite3.Error."""
        key = self.find(name)
        if key is None:
            raise KeyDestroyed
        return key

    def reload(self, name: Name) -> AESGCM:
        """The key as it is now: the person may have been forgotten and come back. Raises KeyDestroyed, sqlite3.Error."""
        self._ready.pop(name, None)
        return self.get(name)

    def between(self, first: bytes, last: bytes) -> dict[Name, AESGCM]:
        """All keys of the people in this range of pseudonyms, past the ones at hand."""
        rows = self.db.execute(_RANGE, (first, last)).fetchall()
        return {(person, entry): AESGCM(self._unwrap((person, entry), wrapped)) for person, entry, wrapped in rows}

    def _keep(self, name: Name, secret: bytes) -> bytes:
        self._ready[name] = secret
        if len(self._ready) > _AT_HAND:
            self._ready.popitem(last=False)
        return secret

    def _unwrap(self, name: Name, wrapped: bytes) -> bytes:
        return self._wrap.decrypt(wrapped[:12], wrapped[12:], bound(*name))


class KeyMaker(Keys):
    """The writer's keys: the only place where keys are made and destroyed."""

    def __init__(self, folder: Path, master: Master) -> None:
        super().__init__(folder, master, reader=False)

    def ensure(self, names: Iterable[Name]) -> dict[Name, AESGCM]:
        """Keys for all of these. New ones are durable before this returns, so no data is ever older than its key."""
        found: dict[Name, AESGCM] = {}
        made: list[tuple[Name, bytes, bytes]] = []
        for name in names:
            key = self.find(name)
            if key is None:
                secret, nonce = os.urandom(32), os.urandom(12)
                key = AESGCM(secret)
                made.append((name, secret, nonce + self._wrap.encrypt(nonce, secret, bound(*name))))
            found[name] = key
        if made:
            with transaction(self.db):
                self.db.executemany(_INSERT, [(*name, wrapped) for name, _, wrapped in made])
            for name, secret, _ in made:
                self._keep(name, secret)
        return found

    def destroy(self, names: Sequence[Name]) -> None:
        """Destroy these keys."""
        with transaction(self.db):
            self.db.executemany(_DELETE, names)
        for name in names:
            self._ready.pop(name, None)

    def tombstone(self) -> int:
        """The number of the last tombstone that this copy of keys.db has carried out."""
        return int(self.db.execute(_TOMBSTONE).fetchone()[0])

    def forget(self, people: Iterable[bytes], tombstone: int) -> None:
        """Destroy all keys of these people, and note the tombstone that asked for it."""
        with transaction(self.db):
            gone = [
                (person, entry)
                for person in people
                for (entry,) in self.db.execute(_DELETE_PERSON, (person,)).fetchall()
            ]
            self.db.execute(_SET_TOMBSTONE, (tombstone,))
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
