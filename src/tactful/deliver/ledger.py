"""How far each receiver has come: deliveries.db. It holds numbers and reasons, and of people nothing but the sealed names of those
whose forgetting is still to be told. Small transactions; any process may open it. Left out of backups: it is of no use to another copy.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from tactful.stores.sqlite.files import disk_errors

NOTICE_MS = 30 * 86_400_000
"""How long a forgetting that a receiver does not take is kept for it, in milliseconds: a month, as the law gives."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS receiver (
    name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, until INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS withheld (
    receiver TEXT NOT NULL, why TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (receiver, why)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead (
    number INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, after INTEGER NOT NULL, until INTEGER NOT NULL,
    at INTEGER NOT NULL, attempts INTEGER NOT NULL, why TEXT NOT NULL, again INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS notice (
    number INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, at INTEGER NOT NULL, sealed BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS epoch (only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL);
"""
_PLACE = "SELECT cursor, until, attempts, next_at, sent, why FROM receiver WHERE name = ?"
_BACK = "UPDATE receiver SET cursor = min(cursor, ?), until = 0, attempts = 0, next_at = 0, why = ''"
_BEGIN = "UPDATE receiver SET until = ? WHERE name = ? AND cursor = ?"
_FAILED = "UPDATE receiver SET attempts = ?, next_at = ?, why = ? WHERE name = ? AND cursor = ?"
_MOVE = "UPDATE receiver SET cursor = ?, until = 0, attempts = 0, next_at = 0, why = '', sent = sent + ? WHERE name = ? AND cursor = ?"
_REST = "UPDATE receiver SET attempts = 0, next_at = 0, why = '' WHERE name = ?"
_WITHHOLD = """
INSERT INTO withheld (receiver, why, count) VALUES (?, ?, ?) ON CONFLICT (receiver, why) DO UPDATE SET count = count + excluded.count
"""
_BURY = "INSERT INTO dead (receiver, after, until, at, attempts, why) VALUES (?, ?, ?, ?, ?, ?)"
_DEAD = "SELECT number, after, until, at, attempts, why, again FROM dead WHERE receiver = ? ORDER BY number"


class Place(Struct, frozen=True):
    """Where a receiver stands. cursor: it has everything up to this number. until: where the parcel under way ends (0: none is).

    attempts: of what is under way. next_at: not before this time, ms since 1970. sent: messages so far. why: the last failure.
    """

    cursor: int
    until: int
    attempts: int
    next_at: int
    sent: int
    why: str


class Dead(Struct, frozen=True):
    """A stretch that a receiver did not take. at: when it was put aside, ms since 1970. again: it is to be tried again."""

    number: int
    after: int
    until: int
    at: int
    attempts: int
    why: str
    again: bool


class Notice(Struct, frozen=True):
    """A forgetting that is still to be told. sealed: whose."""

    number: int
    at: int
    sealed: bytes


class Ledger:
    """deliveries.db, opened. Not for several threads at once. Raises StoreBusy, StoreFull, StoreBroken."""

    def __init__(self, path: Path) -> None:
        with disk_errors():
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=False)
            self._db.executescript("PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;" + _SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with disk_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def register(self, names: Iterable[str], cursor: int) -> None:
        """Note receivers that are new: they get what is numbered above `cursor`."""
        with self._change() as db:
            db.executemany("INSERT OR IGNORE INTO receiver (name, cursor) VALUES (?, ?)", [(n, cursor) for n in names])

    def names(self) -> list[str]:
        """All receivers that were ever registered."""
        with disk_errors():
            return [name for (name,) in self._db.execute("SELECT name FROM receiver ORDER BY name")]

    def place(self, name: str) -> Place:
        """Where a registered receiver stands."""
        with disk_errors():
            return Place(*self._db.execute(_PLACE, (name,)).fetchone())

    def withheld(self, name: str) -> dict[str, int]:
        """What did not leave, by reason."""
        with disk_errors():
            return dict(self._db.execute("SELECT why, count FROM withheld WHERE receiver = ? ORDER BY why", (name,)))

    # ------------------------------------------------------------------------------------------------- the courier's steps

    def begin(self, name: str, cursor: int, until: int) -> None:
        """A parcel is about to be posted: until it is taken or put aside, it stays the same stretch."""
        with self._change() as db:
            db.execute(_BEGIN, (until, name, cursor))

    def failed(self, name: str, cursor: int, attempts: int, next_at: int, why: str) -> None:
        """What is under way was not taken."""
        with self._change() as db:
            db.execute(_FAILED, (attempts, next_at, why, name, cursor))

    def move(self, name: str, cursor: int, until: int, sent: int, withheld: Mapping[str, int]) -> None:
        """The stretch from `cursor` to `until` is done with. Nothing happens if somebody moved the cursor meanwhile."""
        with self._change() as db:
            if db.execute(_MOVE, (until, sent, name, cursor)).rowcount:
                db.executemany(_WITHHOLD, [(name, why, count) for why, count in withheld.items()])

    def bury(self, name: str, cursor: int, dead: Dead, withheld: Mapping[str, int]) -> None:
        """The stretch is put aside, and the next one comes."""
        with self._change() as db:
            if db.execute(_MOVE, (dead.until, 0, name, cursor)).rowcount:
                db.execute(_BURY, (name, dead.after, dead.until, dead.at, dead.attempts, dead.why))
                db.executemany(_WITHHOLD, [(name, why, count) for why, count in withheld.items()])

    def rested(self, name: str) -> None:
        """The receiver takes things again."""
        with self._change() as db:
            db.execute(_REST, (name,))

    # -------------------------------------------------------------------------------------------------------- dead letters

    def dead(self, name: str) -> list[Dead]:
        """What was put aside, oldest first."""
        with disk_errors():
            rows = self._db.execute(_DEAD, (name,)).fetchall()
            return [
                Dead(n, after, until, at, tries, why, bool(again)) for n, after, until, at, tries, why, again in rows
            ]

    def again(self, name: str, number: int | None = None) -> int:
        """Ask for dead letters to be tried again, one or all. Answers with how many there are."""
        with self._change() as db:
            db.execute(_REST, (name,))
            if number is None:
                return db.execute("UPDATE dead SET again = 1 WHERE receiver = ?", (name,)).rowcount
            return db.execute("UPDATE dead SET again = 1 WHERE receiver = ? AND number = ?", (name, number)).rowcount

    def revived(self, name: str, number: int, sent: int) -> None:
        """A dead letter was taken."""
        with self._change() as db:
            if db.execute("DELETE FROM dead WHERE number = ?", (number,)).rowcount:
                db.execute("UPDATE receiver SET sent = sent + ? WHERE name = ?", (sent, name))

    def still_dead(self, number: int, why: str) -> None:
        """A dead letter was tried again in vain."""
        with self._change() as db:
            db.execute("UPDATE dead SET again = 0, attempts = attempts + 1, why = ? WHERE number = ?", (why, number))

    def rewind(self, name: str, cursor: int) -> None:
        """Pass everything above this number on, again where it was already."""
        with self._change() as db:
            db.execute("UPDATE receiver SET cursor = ?, until = 0 WHERE name = ?", (cursor, name))
            db.execute(_REST, (name,))

    # ------------------------------------------------------------------------------------------------------------- restores

    def epoch(self) -> str:
        """What tells numbers from those before the last restore: "" before the first."""
        with disk_errors():
            row = self._db.execute("SELECT name FROM epoch").fetchone()
            return row[0] if row else ""

    def restored(self, head: int, epoch: str) -> None:
        """An older copy of the store, that ends at `head`, is put back: what comes then has the numbers of what was lost."""
        with self._change() as db:
            db.execute(_BACK, (head,))
            db.execute("DELETE FROM dead")
            db.execute("INSERT OR REPLACE INTO epoch (only, name) VALUES (1, ?)", (epoch,))

    # --------------------------------------------------------------------------------------------------------- forgettings

    def announce(self, names: Iterable[str], at: int, sealed: bytes) -> None:
        """Somebody is about to be forgotten: these receivers have to hear of it."""
        with self._change() as db:
            db.executemany(
                "INSERT INTO notice (receiver, at, sealed) VALUES (?, ?, ?)", [(name, at, sealed) for name in names]
            )

    def notices(self, name: str) -> list[Notice]:
        """Forgettings that this receiver has not heard of."""
        with disk_errors():
            rows = self._db.execute("SELECT number, at, sealed FROM notice WHERE receiver = ? ORDER BY number", (name,))
            return [Notice(*row) for row in rows]

    def heard(self, name: str, until: int) -> None:
        """The receiver took all notices up to this number: the names go."""
        with self._change() as db:
            db.execute("DELETE FROM notice WHERE receiver = ? AND number <= ?", (name, until))

    def drop_notice(self, number: int) -> None:
        """A notice that nobody can read any more goes."""
        with self._change() as db:
            db.execute("DELETE FROM notice WHERE number = ?", (number,))

    def drop_old_notices(self, now: int) -> int:
        """Names are not kept for ever for a receiver that does not answer. Answers with how many went untold."""
        with self._change() as db:
            return db.execute("DELETE FROM notice WHERE at <= ?", (now - NOTICE_MS,)).rowcount
