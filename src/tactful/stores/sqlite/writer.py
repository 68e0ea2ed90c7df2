"""The one who writes. Many commands share a transaction; only what is committed is answered."""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from tactful.domain.errors import StoreBroken, StoreBusy, TactfulError
from tactful.stores.sqlite.commands import (
    Append,
    AppendConsent,
    AppendLink,
    AppendReceipt,
    Command,
    DropPieces,
    Flush,
    Forget,
    ForgetEvents,
    Purge,
    PutItems,
    PutQuarantine,
    Row,
)
from tactful.stores.sqlite.erase import Eraser
from tactful.stores.sqlite.files import DATA, KEYS, disk_errors, open_file
from tactful.stores.sqlite.keys import CONSENT, LINKS, QUARANTINE, RECEIPTS, KeyMaker, transaction
from tactful.stores.sqlite.master import NOBODY, read_master
from tactful.stores.sqlite.watch import ClockWatch

_SEEN = "INSERT OR IGNORE INTO seen (person, message, keep_until) VALUES (?, ?, ?)"
_EVENT = "INSERT INTO event (seq, person, data, keep_until, sealed) VALUES (?, ?, ?, ?, ?)"
_CONSENT = "INSERT INTO consent (seq, person, sealed) VALUES (?, ?, ?)"
_LINK = "INSERT INTO link (seq, person, link, other, sealed) VALUES (?, ?, ?, ?, ?)"
_LINKED = "SELECT 1 FROM link WHERE person = ? AND link = ?"
_RECEIPT = "INSERT OR REPLACE INTO receipt (id, person, keep_until, seq, sealed) VALUES (?, ?, ?, ?, ?)"
_NOTE = "INSERT INTO note (person, keep_until, sealed) VALUES (?, ?, ?)"
_QUARANTINE = "INSERT INTO quarantine (person, keep_until, sealed) VALUES (?, ?, ?)"
_ITEM = """
INSERT INTO item (number, id, version, packed) VALUES ((SELECT coalesce(max(number), -1) + 1 FROM item), ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, packed = excluded.packed
"""
_META = "SELECT name, value FROM meta"
_SET_META = "UPDATE meta SET value = ? WHERE name = ?"

_COUNTED = ("seq", "changed", "catalogue", "keys")

_log = logging.getLogger(__name__)
T = TypeVar("T")
Outcome = object
"""What a command is answered with: a value, or the TactfulError that stopped it."""


def milliseconds() -> int:
    """The time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Purging:
    """A purge under way. now: milliseconds since 1970; gone: rows dropped so far."""

    def __init__(self, now: int) -> None:
        self.now, self.gone = now, 0
        self.steps: Iterator[int] | None = None


class Writer:
    """Owns the databases of a folder. lock: the descriptor from `take_lock`, which it closes. Not for several threads at once."""

    def __init__(self, folder: Path, lock: int, clock: Callable[[], int] = milliseconds) -> None:
        self._lock = lock
        with ExitStack() as opened:  # whatever is open is closed again if the next step fails
            self._keys = KeyMaker(folder, read_master(folder))
            opened.callback(self._keys.close)
            self._db = open_file(folder / DATA, reader=False)
            opened.callback(self._db.close)
            self._eraser = Eraser(folder, self._db, self._keys, clock)
            opened.callback(self._eraser.close)
            self._watch = ClockWatch(self._db, clock)
            with disk_errors():
                self._eraser.catch_up()
                with suppress(StoreBusy):  # somebody is reading: then the next forgetting empties them
                    self._eraser.empty_logs()
                self._counts = self._read_counts()
            if self.keys_missing():
                _log.warning(
                    "%s is older than %s: what was kept in between cannot be read. Restore a newer copy of it.",
                    folder / KEYS, folder / DATA,
                )  # fmt: skip
            self._opened = opened.pop_all()
        # To be sealed when the transaction ends: (statement, columns before `sealed`, pseudonym, entry, content).
        self._plain: list[tuple[str, tuple[object, ...], bytes, str, bytes]] = []
        self._linking: set[tuple[bytes, bytes]] = set()  # links among them

    def keys_missing(self) -> int:
        """How many keys were made after this keys.db was copied; what they sealed cannot be read."""
        return max(self._counts["keys"] - self._keys.made, 0)

    def settle(self) -> None:
        """Whoever was forgotten is gone from the logs too. Raises sqlite3.Error, StoreBusy."""
        self._eraser.catch_up()
        self._eraser.empty_logs()

    def close(self) -> None:
        """Move the write-ahead logs into the databases as far as readers allow, and let go of everything."""
        with suppress(sqlite3.Error):  # nothing is lost if it cannot be done now
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self._opened.close()
        os.close(self._lock)

    def apply(self, commands: Sequence[Command]) -> list[Outcome]:
        """Carry out commands, in order. What stands between two forgettings or purges shares a transaction.

        An outcome is a value, or the error that stopped this command: then nothing of it is kept.
        """
        outcomes: list[Outcome] = []
        for kind, run in groupby(commands, key=_kind):
            if kind is Forget:
                people = [command.person for command in run if isinstance(command, Forget)]
                outcomes += [self._guarded(self._forget, people)] * len(people)
            elif kind is Purge:
                outcomes += [self._guarded(self._purge, command.now) for command in run if isinstance(command, Purge)]
            elif kind is ForgetEvents:
                outcomes += [
                    self._guarded(self._forget_events, command) for command in run if isinstance(command, ForgetEvents)
                ]
            elif kind is Flush:
                outcomes += [None for _ in run]  # whatever came before is committed by now
            else:
                outcomes += self._together(list(run))
        return outcomes

    def step(self, purging: "Purging") -> Outcome:
        """Go one step on with a purge, a few milliseconds long. None: not finished; otherwise the outcome."""
        return self._guarded(self._step, purging)

    def _step(self, purging: "Purging") -> Outcome:
        if purging.steps is None:
            self._watch.check()
            purging.steps = self._eraser.purge(purging.now)
        for gone in purging.steps:
            purging.gone += gone
            return None
        return purging.gone

    def _purge(self, now: int) -> Outcome:
        self._watch.check()
        return sum(self._eraser.purge(now))

    def _forget(self, people: list[bytes]) -> None:
        try:
            self._eraser.forget(people)
        finally:
            self._counts = self._read_counts()

    def _forget_events(self, command: ForgetEvents) -> None:
        self._eraser.forget_events(command.person, frozenset(command.events))

    def _together(self, commands: list[Command]) -> list[Outcome]:
        """All in one transaction. If it fails, each in one of its own, so that only the guilty ones fail."""
        outcome = self._guarded(self._transact, commands)
        if isinstance(outcome, list):
            return outcome
        if len(commands) == 1 or isinstance(outcome, StoreBusy):  # busy: nobody is guilty, and each would wait as long
            return [outcome] * len(commands)
        return [self._together([command])[0] for command in commands]

    def _guarded(self, work: Callable[[T], Outcome], what: T) -> Outcome:
        try:
            with disk_errors():
                return work(what)
        except TactfulError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a command that only its sender could have got wrong must not stop the writer
            return StoreBroken(why=f"{type(error).__name__}: {error}")

    def _transact(self, commands: list[Command]) -> list[Outcome]:
        if self._eraser.catch_up():  # a forgetting that a full disk cut short comes before anything new
            self._counts = self._read_counts()
        self._plain.clear()
        before = dict(self._counts)
        try:
            with transaction(self._db):
                outcomes = [self._do(command) for command in commands]
                self._seal()
                changed = [(self._counts[name], name) for name in _COUNTED if self._counts[name] != before[name]]
                self._db.executemany(_SET_META, changed)
        except BaseException:
            self._counts = before
            raise
        finally:
            self._plain.clear()
            self._linking.clear()
        return outcomes

    def _do(self, command: Command) -> Outcome:
        match command:
            case Append(rows):
                return [place for number, row in enumerate(rows) for place in self._append(number, row)]
            case AppendConsent(changes):
                for person, packed in changes:
                    self._counts["changed"] = seq = self._next()
                    self._plain.append((_CONSENT, (seq, person), person, CONSENT, packed))
            case AppendLink(links):
                for person, link, other, packed in links:
                    if (
                        self._linking.isdisjoint([(person, link)])
                        and not self._db.execute(_LINKED, (person, link)).fetchone()
                    ):
                        self._linking.add((person, link))
                        self._counts["changed"] = seq = self._next()
                        self._plain.append((_LINK, (seq, person, link, other), person, LINKS, packed))
            case AppendReceipt(row, person, keep_until, packed, feed, note, note_until):
                if person is None:  # sealed by the sender, under the receipt's own id
                    self._db.execute(_RECEIPT, (row, None, keep_until, None, packed))
                else:
                    place = self._next() if feed else None
                    self._plain.append((_RECEIPT, (row, person, keep_until, place), person, RECEIPTS, packed))
                if note:  # under the key of the person's receipts, so that it goes with them
                    whose = person or NOBODY
                    self._plain.append((_NOTE, (whose, note_until), whose, RECEIPTS, note))
            case PutItems(items):
                version = self._counts["catalogue"] = self._counts["catalogue"] + bool(items)
                self._db.executemany(_ITEM, [(item, version, packed) for item, packed in items])
                return version
            case PutQuarantine(pieces):
                self._plain += [
                    (_QUARANTINE, (piece.person, piece.keep_until), piece.person, QUARANTINE, piece.packed)
                    for piece in pieces
                ]
            case DropPieces(found):
                self._eraser.drop(found)
        return None

    def _next(self) -> int:
        self._counts["seq"] += 1
        return self._counts["seq"]

    def _append(self, number: int, row: Row) -> list[tuple[int, int]]:
        """Keep what the person does not have yet; gives back (number, place) of what they do."""
        execute, person, keep_until = self._db.execute, row.person, row.keep_until
        # One statement looks the message up and notes it, so duplicates within a batch are found like all others.
        fresh = [execute(_SEEN, (person, message, keep_until)).rowcount for message in row.messages]
        kept = [event for event, new in zip(row.events, fresh, strict=True) if new]
        if kept:
            packed = _array(len(kept)) + b"".join(kept)
            self._plain.append((_EVENT, (self._next(), person, row.data, keep_until), person, row.data, packed))
        return [(number, place) for place, new in enumerate(fresh) if not new]

    def _seal(self) -> None:
        """Seal and insert what this transaction holds. Keys are durable before anything is sealed with them."""
        plain = self._plain
        keys = self._keys.ensure({(person, entry) for _, _, person, entry, _ in plain})
        self._counts["keys"] = max(self._counts["keys"], self._keys.made)
        nonces = os.urandom(12 * len(plain))
        sealed: dict[str, list[tuple[object, ...]]] = {}
        for place, (statement, columns, person, entry, content) in enumerate(plain):
            name = (person, entry)
            box = keys[name].seal(name, nonces[12 * place : 12 * place + 12], content)
            sealed.setdefault(statement, []).append((*columns, box))
        for statement, rows in sealed.items():
            self._db.executemany(statement, rows)

    def _read_counts(self) -> dict[str, int]:
        return dict(self._db.execute(_META).fetchall())


def _kind(command: Command) -> type[Struct]:
    """What stands next to each other with the same kind is carried out together."""
    return type(command) if isinstance(command, Forget | ForgetEvents | Purge | Flush) else Struct


def _array(size: int) -> bytes:
    """The head of a MessagePack array, so that events packed one by one become one list."""
    if size < 16:
        return bytes([0x90 | size])
    return b"\xdc" + size.to_bytes(2, "big") if size < 65536 else b"\xdd" + size.to_bytes(4, "big")
