"""Forgetting: people on request, records when their time is up. What is gone is gone from the write-ahead log too."""

import os
import sqlite3
from collections.abc import Callable, Container, Iterator
from pathlib import Path

import msgspec

from tactful.domain.errors import StoreBusy
from tactful.domain.event import Event
from tactful.ports import VISIT
from tactful.stores.sqlite.files import TOMBSTONES, open_file
from tactful.stores.sqlite.keys import QUARANTINE, RECEIPTS, KeyMaker, Name, transaction

_STEP = 500  # people or rows per transaction of a purge, so that writers in between wait for milliseconds

_BURY = "INSERT INTO tombstone (number, person, at) VALUES (?, ?, ?)"
_BURIED = "SELECT 1 FROM tombstone WHERE person = ? LIMIT 1"
_LAST_BURIED = "SELECT coalesce(max(number), 0) FROM tombstone"
_BURIED_AFTER = "SELECT person FROM tombstone WHERE number > ? ORDER BY number"

_META = "SELECT value FROM meta WHERE name = ?"
_SET_META = "UPDATE meta SET value = ? WHERE name = ?"
_TABLES = ("event", "seen", "consent", "link", "receipt", "note", "quarantine", "unused_key")
_DELETE_PERSON = (*(f"DELETE FROM {table} WHERE person = ?" for table in _TABLES), "DELETE FROM link WHERE other = ?")
_KNOWN = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE person = :person" for table in _TABLES) + " LIMIT 1"

_DUE_PEOPLE = "SELECT DISTINCT person FROM event WHERE keep_until <= ?"
_VISITING = "SELECT 1 FROM event WHERE person = ? AND data = ? AND keep_until > ? LIMIT 1"
_DROP_EVENTS = "DELETE FROM event WHERE person = ? AND keep_until <= ? AND data <> ? RETURNING data"
_STILL_DUE = "SELECT 1 FROM event WHERE person = ? AND keep_until <= ? LIMIT 1"
_DROP_SEEN = "DELETE FROM seen WHERE person = ? AND keep_until <= ?"
_LEFT = "SELECT 1 FROM event WHERE person = ? AND data = ? LIMIT 1"
_RECORDS = "SELECT seq, data, sealed FROM event WHERE person = ?"
_RESEAL = "UPDATE event SET sealed = ? WHERE seq = ?"
_DROP_RECORD = "DELETE FROM event WHERE seq = ?"
_UNUSED = "INSERT OR IGNORE INTO unused_key (person, entry) VALUES (?, ?)"
_ALL_UNUSED = "SELECT person, entry FROM unused_key"
_CLEAR_UNUSED = "DELETE FROM unused_key"

_DROP_RECEIPTS = """
DELETE FROM receipt WHERE id IN (SELECT id FROM receipt WHERE keep_until <= ? LIMIT ?) RETURNING person
"""
_DROP_PIECES = """
DELETE FROM quarantine WHERE number IN (SELECT number FROM quarantine WHERE keep_until <= ? LIMIT ?) RETURNING person
"""
_DROP_NOTES = """
DELETE FROM note WHERE number IN (SELECT number FROM note WHERE keep_until <= ? LIMIT ?) RETURNING person
"""
_RECEIPT_LEFT = "SELECT 1 FROM receipt WHERE person = ?1 UNION ALL SELECT 1 FROM note WHERE person = ?1 LIMIT 1"
_DROP_PIECE = "DELETE FROM quarantine WHERE number = ? AND sealed = ? RETURNING person"
_PIECE_LEFT = "SELECT 1 FROM quarantine WHERE person = ? LIMIT 1"
_DUE = (
    (_DROP_RECEIPTS, _RECEIPT_LEFT, RECEIPTS),
    (_DROP_NOTES, _RECEIPT_LEFT, RECEIPTS),
    (_DROP_PIECES, _PIECE_LEFT, QUARANTINE),
)


_events = msgspec.msgpack.Decoder(list[Event]).decode
_encode = msgspec.msgpack.Encoder().encode


class Eraser:
    """The writer's hand for erasing. It works on the writer's connections."""

    def __init__(self, folder: Path, db: sqlite3.Connection, keys: KeyMaker, clock: Callable[[], int]) -> None:
        self._db, self._keys, self._clock = db, keys, clock
        self._stones = open_file(folder / TOMBSTONES, reader=False)
        self._behind = True  # tombstones may not be carried out yet
        self._unused = True  # keys may be waiting to be destroyed
        self._in_log = False  # what was erased may still lie in the write-ahead log

    def close(self) -> None:
        self._stones.close()

    def catch_up(self) -> bool:
        """Carry out what is still to be done: after a crash, a full disk, or the return of an old backup.

        A copy that has not seen a tombstone holds only what is older than it, so all it has of that person goes.
        Says whether anything in data.db changed.
        """
        changed = self._behind and self._carry_out()
        self._behind = False
        if self._unused:
            self._destroy_unused()
        return changed

    def forget(self, people: list[bytes]) -> None:
        """Leave nothing of these people. Comes back when it is done, on disk. Raises sqlite3.Error, StoreBusy.

        The order matters: a tombstone first, so that whatever happens next, it will be finished; then the keys, which makes
        every copy of the data unreadable; then the data.
        """
        self.catch_up()
        fresh = [person for person in dict.fromkeys(people) if not self._gone(person)]
        if fresh:
            number = max(self._stones.execute(_LAST_BURIED).fetchone()[0], self._done(), self._keys.tombstone())
            now = self._clock()
            with transaction(self._stones):
                self._stones.executemany(_BURY, [(number + k, person, now) for k, person in enumerate(fresh, 1)])
            self._behind = True
            self.catch_up()
        self.empty_logs()

    def _gone(self, person: bytes) -> bool:
        """Whether the person was forgotten and has not come back. Somebody never heard of gets a tombstone: a backup may know."""
        return (
            self._stones.execute(_BURIED, (person,)).fetchone() is not None
            and self._db.execute(_KNOWN, {"person": person}).fetchone() is None
            and not self._keys.between(person, person)
        )

    def _done(self) -> int:
        return int(self._db.execute(_META, ("tombstone",)).fetchone()[0])

    def _carry_out(self) -> bool:
        last = int(self._stones.execute(_LAST_BURIED).fetchone()[0])
        done = self._keys.tombstone()
        if done < last:
            self._keys.forget([person for (person,) in self._stones.execute(_BURIED_AFTER, (done,)).fetchall()], last)
            self._in_log = True
        done = self._done()
        if done < last:
            people = [person for (person,) in self._stones.execute(_BURIED_AFTER, (done,)).fetchall()]
            with transaction(self._db):
                self._delete_people(people, last)
            self._in_log = True
        return done < last

    def _delete_people(self, people: list[bytes], last: int) -> None:
        for person in dict.fromkeys(people):
            for statement in _DELETE_PERSON:
                self._db.execute(statement, (person,))
        seq = (
            int(self._db.execute(_META, ("seq",)).fetchone()[0]) + 1
        )  # a forgetting has a number too: caches notice it
        for name, value in (("seq", seq), ("changed", seq), ("tombstone", last)):
            self._db.execute(_SET_META, (value, name))

    def forget_events(self, person: bytes, events: Container[str]) -> None:
        """Leave nothing of a person's events with these ids. Comes back when they are gone from the disk. Raises sqlite3.Error, StoreBusy.

        The records are opened and sealed again here, where nobody else changes them meanwhile.
        """
        with transaction(self._db):
            for seq, data, box in self._db.execute(_RECORDS, (person,)).fetchall():
                content = self._keys.open((person, data), box)
                record = [] if content is None else _events(content)
                left = [event for event in record if event.id not in events]
                if left and len(left) < len(record):
                    self._reseal(person, seq, data, left)
                elif record and not left:
                    self._db.execute(_DROP_RECORD, (seq,))
                    if self._db.execute(_LEFT, (person, data)).fetchone() is None:
                        self._db.execute(_UNUSED, (person, data))
        self._note(1)
        self.catch_up()
        self.empty_logs()

    def _reseal(self, person: bytes, seq: int, data: str, events: list[Event]) -> None:
        key = self._keys.find((person, data))
        if key is not None:
            self._db.execute(_RESEAL, (key.seal((person, data), os.urandom(12), _encode(events)), seq))

    def empty_logs(self) -> None:
        """Empty the write-ahead logs, which still hold what was erased. SQLite waits a second for readers to step aside."""
        if not self._in_log:
            return
        for db in (self._keys.db, self._db):
            busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise StoreBusy(why="a long read keeps erased pages in the write-ahead log", retry_after=1)
        self._in_log = False

    # ------------------------------------------------------------------------------------------------ when time is up

    def purge(self, now: int) -> Iterator[int]:
        """Drop what is due, step by step; yields the rows that each step dropped. Raises sqlite3.Error, StoreBusy."""
        self.catch_up()
        people = [person for (person,) in self._db.execute(_DUE_PEOPLE, (now,)).fetchall()]
        for place in range(0, len(people), _STEP):
            with transaction(self._db):
                gone = sum(self._purge_person(person, now) for person in people[place : place + _STEP])
            self._note(gone)
            yield gone
        for drop, left, entry in _DUE:
            while True:
                with transaction(self._db):
                    gone = self._drop(drop, left, entry, now)
                self._note(gone)
                yield gone
                if gone < _STEP:
                    break
        self.catch_up()
        self.empty_logs()

    def _note(self, gone: int) -> None:
        if gone:
            self._unused = self._in_log = True

    def _purge_person(self, person: bytes, now: int) -> int:
        visiting = self._db.execute(_VISITING, (person, VISIT, now)).fetchone() is not None
        # While the visit goes on, all of it stays. No charter's data entry is called "", so "" spares nothing.
        entries = self._db.execute(_DROP_EVENTS, (person, now, VISIT if visiting else "")).fetchall()
        if self._db.execute(_STILL_DUE, (person, now)).fetchone() is None:
            # Messages are forgotten with their records; those of a visit that goes on must still count as seen.
            self._db.execute(_DROP_SEEN, (person, now))
        for (data,) in set(entries):
            if self._db.execute(_LEFT, (person, data)).fetchone() is None:
                self._db.execute(_UNUSED, (person, data))
        return len(entries)

    def _drop(self, drop: str, left: str, entry: str, now: int) -> int:
        people = self._db.execute(drop, (now, _STEP)).fetchall()
        for (person,) in set(people):
            if person is not None and self._db.execute(left, (person,)).fetchone() is None:
                self._db.execute(_UNUSED, (person, entry))
        return len(people)

    def drop(self, pieces: list[tuple[int, bytes]]) -> None:
        """Drop pieces of the quarantine, (number, as sealed), within the caller's transaction. The next purge empties the log of them."""
        for number, sealed in pieces:
            for (person,) in self._db.execute(_DROP_PIECE, (number, sealed)).fetchall():
                self._note(1)
                if self._db.execute(_PIECE_LEFT, (person,)).fetchone() is None:
                    self._db.execute(_UNUSED, (person, QUARANTINE))

    def _destroy_unused(self) -> None:
        """Destroy keys whose last row went, unless new rows use them since."""
        names: list[Name] = self._db.execute(_ALL_UNUSED).fetchall()
        if names:
            self._keys.destroy([name for name in names if not self._in_use(*name)])
            with transaction(self._db):
                self._db.execute(_CLEAR_UNUSED)
            self._in_log = True
        self._unused = False

    def _in_use(self, person: bytes, entry: str) -> bool:
        for _, left, kind in _DUE:
            if entry == kind:
                return self._db.execute(left, (person,)).fetchone() is not None
        return self._db.execute(_LEFT, (person, entry)).fetchone() is not None
