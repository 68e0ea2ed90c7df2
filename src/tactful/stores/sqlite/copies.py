"""Copies of a data folder's databases: taken while others write, put back while nobody does."""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tactful.domain.errors import StoreBroken, StoreBusy
from tactful.stores.durable import sync_file, sync_folder, write_whole
from tactful.stores.sqlite import files
from tactful.stores.sqlite.files import DATA, KEYS, LOCK, RESTORING, SCHEMAS, TOMBSTONES, disk_errors
from tactful.stores.sqlite.master import MASTER_KEY, Master, read_master
from tactful.stores.sqlite.writer import Writer, milliseconds

_PAGES = 2000  # copied between two reports of progress

Progress = Callable[[str, int, int], None]
"""Told the file, how many pages are copied, and of how many."""


def copy_database(source: Path, target: Path, progress: Progress) -> None:
    """A copy of data.db or keys.db as it is at one moment, beside whoever reads and writes. target: a file that is not there yet.

    While it runs, logs cannot be emptied: a forgetting is carried out, but not confirmed before the copy is done.
    Raises NotInitialised, StoreBusy, StoreFull, StoreReadOnly, StoreBroken.
    """
    with closing(files.open_file(source, reader=True, older=True)) as db, disk_errors():
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(files._connect(target)) as copy:
            db.execute("BEGIN")
            db.execute("SELECT 1 FROM meta").fetchone()  # from here on, this one state is seen
            db.backup(copy, pages=_PAGES, progress=lambda _, left, all_: progress(source.name, all_ - left, all_))
            db.execute("COMMIT")
            copy.execute("PRAGMA journal_mode = DELETE")  # so that the copy is one file
        sync_file(target)
        sync_folder(target.parent)


def counters(path: Path) -> dict[str, int]:
    """schema of a copy, and its counters: `keys` or `made` (keys ever made), `tombstone`. Raises StoreBroken."""
    with disk_errors(), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        found = dict(db.execute("SELECT name, value FROM meta").fetchall())
        found["schema"] = db.execute("PRAGMA user_version").fetchone()[0]
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreBroken(why=f"{path}: {verdict}")
    if found["schema"] > SCHEMAS[path.name]:
        why = f"{path} was written by a newer Tactful: schema {found['schema']}, this one knows {SCHEMAS[path.name]}; update Tactful"
        raise StoreBroken(why=why)
    return found


def fingerprint(master: Master) -> str:
    """What tells one installation from another, without giving its key away."""
    return hashlib.blake2b(master.proof, digest_size=16, person=b"installation").hexdigest()


@contextmanager
def alone(data: Path) -> Iterator[int]:
    """Nobody writes to this data folder, and nobody can begin to. Raises StoreBusy if somebody does."""
    with disk_errors():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = files.lock(data / LOCK)
    if lock is None:
        why = f"{data} is being written to: stop `tactful serve`, or wait until the import is finished"
        raise StoreBusy(why=why, retry_after=1)
    try:
        yield lock
    finally:
        os.close(lock)


def interrupted(data: Path) -> bool:
    """Whether putting a backup back into this folder was begun and not finished."""
    return (data / RESTORING).exists()


def put_back(data: Path, copies: dict[str, Path], others: Callable[[], None]) -> None:
    """Put copies (data.db, keys.db, master.key) in the place of what is there. others: puts everything else back.

    To be called inside `alone`. Interrupted, it leaves a folder that says so, and it can be begun again. tombstones.db stays.
    """
    with disk_errors():
        order = sorted(copies, key=(MASTER_KEY, KEYS, DATA).index)
        for name in order:
            shutil.copyfile(copies[name], _draft(data, name))
            _draft(data, name).chmod(0o600)
            sync_file(_draft(data, name))
        write_whole(data / RESTORING, b"A backup is being put back here.\n")
        others()
        for name in reversed(order):  # data.db goes first and comes last: a folder that has it is complete
            for old in (name, f"{name}-wal", f"{name}-shm", f"{name}-journal"):
                (data / old).unlink(missing_ok=True)  # the log of the old file must never meet the new one
            sync_folder(data)
        for name in order:
            _draft(data, name).replace(data / name)
            sync_folder(data)
        (data / RESTORING).unlink()
        sync_folder(data)


def _draft(data: Path, name: str) -> Path:
    return data / f"{name}{RESTORING}"


def settle(data: Path, clock: Callable[[], int] = milliseconds) -> int:
    """What a writer does first, before anybody reads: forget again, and bring an old schema up to date. To be called inside
    `alone`. Answers with how many keys are missing: keys made after this keys.db was copied. Raises what opening raises."""
    files.create_missing(data)
    descriptor = os.open(data / LOCK, os.O_RDWR)  # the writer closes it; the lock itself is ours
    writer = Writer(data, descriptor, clock)
    try:
        with disk_errors():
            writer.settle()
        return writer.keys_missing()
    finally:
        writer.close()


__all__ = [
    "DATA", "KEYS", "MASTER_KEY", "TOMBSTONES", "Progress", "alone", "copy_database", "counters", "fingerprint", "interrupted",
    "put_back", "read_master", "settle",
]  # fmt: skip
