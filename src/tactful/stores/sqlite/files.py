"""The files of a data folder: where they lie, how they are made and opened, and what can be wrong with them."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tactful.domain.errors import NotInitialised, StoreBroken, StoreBusy, StoreFull, StoreReadOnly, TactfulError
from tactful.stores.durable import sync_folder
from tactful.stores.sqlite.master import Master, make_master, read_master

DATA, KEYS, TOMBSTONES = "data.db", "keys.db", "tombstones.db"
LOCK, SOCKET = "writer.lock", "writer.sock"
RESTORING = ".restoring"
"""The name of a file that is there while a backup is put back, and the ending of what is put back."""
SCHEMAS = {DATA: 3, KEYS: 1, TOMBSTONES: 1}
"""The schemas that this code reads and writes, as `PRAGMA user_version`. `data_1_to_2.sql` brings one up to the next."""
BUSY_MS = 1000
"""How long SQLite waits for a lock, in milliseconds, before it gives up."""
_FULL_S = 10  # seconds until somebody who found the disk full, or read-only, may ask again

_SETTINGS = f"""
PRAGMA busy_timeout = {BUSY_MS};
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 16000;
PRAGMA cache_size = -65536;
"""
_READER_SETTINGS = f"""
PRAGMA busy_timeout = {BUSY_MS};
PRAGMA temp_store = MEMORY;
PRAGMA mmap_size = 268435456;
PRAGMA cache_size = -16384;
PRAGMA query_only = ON;
"""
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
# SQLite says FULL for ENOSPC alone; a quota, or a limit on the size of files, is an error of writing to it.
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE}
_FULL_ERRNO = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY_ERRNO = {errno.EROFS, errno.EACCES, errno.EPERM}


def create(folder: Path | str) -> None:
    """Make a data folder with a new master key and empty databases; what is already there stays.

    The master key is not written if `TACTFUL_MASTER_KEY` holds it. Raises StoreFull, StoreBroken, BadInput.
    """
    folder = Path(folder)
    with disk_errors():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(folder.parent)
        initialised = (folder / DATA).exists()
        if initialised and not (folder / KEYS).exists():
            raise _keys_missing(folder)
        master = read_master(folder) if initialised or (folder / KEYS).exists() else make_master(folder)
        for name in (TOMBSTONES, KEYS, DATA):  # data.db last: a folder that has it is complete
            _create_file(folder / name, master)
            sync_folder(folder)  # each name before the next: no power cut leaves data.db without keys.db


def _create_file(path: Path, master: Master) -> None:
    # SQLite gives -wal and -shm the rights of the file. Never open one that is there: closing it would drop SQLite's own locks.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    db = _connect(path)
    try:
        db.executescript(_SETTINGS)
        if _schema(db) == 0:
            statements = Path(__file__).with_name(f"{path.stem}.sql").read_text("utf-8")
            db.executescript(f"BEGIN IMMEDIATE; {statements}")
            if path.name == KEYS:
                db.execute("INSERT INTO master (proof) VALUES (?)", (master.proof,))
            db.execute("COMMIT")
    finally:
        db.close()


def open_file(path: Path, *, reader: bool, older: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode. older: read a schema of an older Tactful as it is. Raises NotInitialised, StoreBusy, StoreFull, StoreBroken."""
    if not path.exists():
        raise _not_there(path.parent)
    with disk_errors():
        db = _connect(path)
        try:
            db.executescript(_READER_SETTINGS if reader else _SETTINGS)
            schema = _schema(db)
            if schema == 0:
                raise NotInitialised(path=path.parent)
            if schema > SCHEMAS[path.name]:
                raise StoreBroken(
                    why=f"{path} was written by a newer Tactful: schema {schema}, this one knows {SCHEMAS[path.name]}; update Tactful"
                )
            if schema < SCHEMAS[path.name] and not older:
                if reader:
                    raise StoreBusy(
                        why=f"{path} is of an older Tactful; its writer brings it up to date", retry_after=1
                    )
                _upgrade(db, path, schema)
        except BaseException:
            db.close()
            raise
    return db


def _upgrade(db: sqlite3.Connection, path: Path, schema: int) -> None:
    """Bring a database up to date, each step in a transaction of its own: whatever happens meanwhile, it is the old or the new."""
    for step in range(schema, SCHEMAS[path.name]):
        statements = Path(__file__).with_name(f"{path.stem}_{step}_to_{step + 1}.sql").read_text("utf-8")
        db.executescript(f"BEGIN IMMEDIATE; {statements} COMMIT;")


def open_keys(folder: Path, master: Master, *, reader: bool) -> sqlite3.Connection:
    """keys.db, once it is certain that it belongs to this master key."""
    if (folder / DATA).exists() and not (folder / KEYS).exists():
        raise _keys_missing(folder)
    db = open_file(folder / KEYS, reader=reader)
    with disk_errors():
        proof = db.execute("SELECT proof FROM master").fetchone()
    if proof is None or proof[0] != master.proof:
        db.close()
        raise StoreBroken(
            why=f"the master key does not fit {folder / KEYS}; restore master.key or set TACTFUL_MASTER_KEY to the right one"
        )
    return db


def _not_there(folder: Path) -> TactfulError:
    if (folder / RESTORING).exists():
        return StoreBroken(why=f"{folder}: putting a backup back was interrupted; run the same `tactful restore` again")
    return NotInitialised(path=folder)


def create_missing(folder: Path) -> None:
    """Make tombstones.db if it did not come along: a restored folder may lie on a new machine."""
    with disk_errors():
        if not (folder / TOMBSTONES).exists():
            _create_file(folder / TOMBSTONES, read_master(folder))
            sync_folder(folder)


def _keys_missing(folder: Path) -> StoreBroken:
    return StoreBroken(
        why=f"{folder / KEYS} is missing, without which {DATA} cannot be read; restore it from its backup"
    )


def take_lock(folder: Path) -> int | None:
    """Become the one writer of this folder: a file descriptor to be closed at the end. None if another process is it."""
    if not (folder / DATA).exists():
        raise _not_there(folder)
    with disk_errors():
        return lock(folder / LOCK)


def lock(path: Path) -> int | None:
    """Hold this lock: a file descriptor to be closed at the end. None if another process does. Raises OSError."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def store_error(error: sqlite3.Error) -> StoreBusy | StoreFull | StoreReadOnly | StoreBroken:
    """What SQLite says, in our words."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _FULL:
        return StoreFull(why=str(error), retry_after=_FULL_S)
    if code & 0xFF in _BUSY:
        return StoreBusy(why=str(error), retry_after=1)
    if code & 0xFF in _READ_ONLY:
        return StoreReadOnly(why=str(error), retry_after=_FULL_S)
    return StoreBroken(why=str(error) or type(error).__name__)


def file_error(error: OSError) -> StoreFull | StoreReadOnly | StoreBroken:
    """What the file system says, in our words."""
    why = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
    if error.errno in _FULL_ERRNO:
        return StoreFull(why=why, retry_after=_FULL_S)
    if error.errno in _READ_ONLY_ERRNO:
        return StoreReadOnly(why=why, retry_after=_FULL_S)
    return StoreBroken(why=why)


@contextmanager
def disk_errors() -> Iterator[None]:
    """What SQLite and the file system raise inside comes out as StoreBusy, StoreFull, StoreReadOnly or StoreBroken."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error) from error
    except OSError as error:
        raise file_error(error) from error


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: a file that went missing must not be silently made anew. Threads may read; the callers take turns.
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1000,
    )


def _schema(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
