"""A disk whose power can be cut: SQLite runs on it through `apsw`, plain files through `os.fsync`. Nothing here is a test.

The disk keeps for certain what was synced: of a file its content, of a folder its names. When the power is cut, of everything
else a random part is there: writes in any order, torn at 512 bytes, truncations, new names, names that were taken away. What
happens after the cut happens on a ghost: the picture of the disk was taken at the cut, and `after` writes it down.

What this leaves unproven: a disk or file system that lies about syncing; sectors that destroy their neighbours; SQLite as
the standard library brings it, where that is another version than apsw's (reopening after the cut is done with the former).
"""

import os
import random
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
Pending = tuple[int, bytes | None]  # a write at an offset, or (size, None): a truncation


class Content:
    """Of one file, by inode: what is certain, and what is on its way. plain: not written by SQLite, so only seen when synced."""

    def __init__(self, synced: bytes, plain: bool) -> None:
        self.synced, self.plain = bytearray(synced), plain
        self.pending: list[Pending] = []

    def sync(self) -> None:
        for place, data in self.pending:
            _land(self.synced, place, data)
        self.pending.clear()


class Disk:
    """The disk under one folder. cut_at: how many operations it lives; dice: what happens to what was not synced."""

    def __init__(self, root: Path, dice: random.Random, cut_at: int) -> None:
        self.root, self.dice, self.left = root, dice, cut_at
        self.files: dict[int, Content] = {}
        self.names: dict[Path, dict[str, int]] = {}
        self.picture: dict[Path, bytes] | None = None
        self.picture_folders: list[Path] = []
        self._held: list[int] = []  # so that no inode number is given twice; O_PATH, so that closing it drops no lock
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            self.names[folder] = {}
            for path in folder.iterdir():
                if path.is_file() and not path.name.endswith("-shm"):
                    self.names[folder][path.name] = self._track(path, path.read_bytes())

    @property
    def dead(self) -> bool:
        """Whether the power was cut. What is done from now on did not happen."""
        return self.picture is not None

    def close(self) -> None:
        for held in self._held:
            os.close(held)

    def after(self) -> None:
        """Make the folder what the cut left of it."""
        assert self.picture is not None
        shutil.rmtree(self.root)
        self.root.mkdir()
        for folder in self.picture_folders:
            folder.mkdir(parents=True, exist_ok=True)
        for path, content in self.picture.items():
            path.write_bytes(content)
            path.chmod(0o600)

    # ------------------------------------------------------------------------------------------------- what happens to it

    def opened(self, path: Path) -> Content:
        """SQLite opens a file."""
        known = path.stat().st_ino in self.files
        content = self.files[self._track(path, b"")]
        if not known and path.stat().st_size:
            content.synced[:] = path.read_bytes()
        content.plain = False
        return content

    def write(self, content: Content, place: int, data: bytes | None) -> None:
        content.pending.append((place, data))
        self._tick()

    def synced(self, content: Content, path: Path | None) -> None:
        """SQLite synced a file; path: if its name is synced with it, as it does with logs that it made."""
        self._tick()
        content.sync()
        if path is not None:
            self.names.setdefault(path.parent, {})[path.name] = path.stat().st_ino

    def fsync(self, descriptor: int) -> None:
        """Stands in for `os.fsync`."""
        found = os.fstat(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if not path.is_relative_to(self.root):
            return
        self._tick()
        if stat.S_ISDIR(found.st_mode):
            self.names[path] = self._listing(path)
        else:
            self._track(path, b"")
            self.files[found.st_ino].synced[:] = path.read_bytes()

    # ------------------------------------------------------------------------------------------------------------ inside

    def _track(self, path: Path, content: bytes) -> int:
        number = path.stat().st_ino
        if number not in self.files:
            self._held.append(os.open(path, os.O_PATH))
            self.files[number] = Content(content, plain=True)
        return number

    def _listing(self, folder: Path) -> dict[str, int]:
        found = {}
        for path in folder.iterdir():
            if path.is_file() and not path.name.endswith("-shm"):
                found[path.name] = self._track(path, b"")
        return found

    def _tick(self) -> None:
        self.left -= 1
        if self.left <= 0 and self.picture is None:
            self.picture_folders = [path for path in self.root.rglob("*") if path.is_dir()]
            self.picture = dict(self._cut())

    def _cut(self) -> Iterator[tuple[Path, bytes]]:
        lucky = self.dice.choice((0.0, 0.0, 0.5, 0.9, 1.0))
        for folder in [self.root, *self.picture_folders]:
            sure, now = self.names.get(folder, {}), self._listing(folder)
            for name in sorted({*sure, *now}):
                number = now.get(name) if self.dice.random() < lucky else sure.get(name)
                if number is not None:
                    yield folder / name, self._survives(self.files[number], folder / name, lucky)

    def _survives(self, content: Content, path: Path, lucky: float) -> bytes:
        if content.plain and not content.synced and path.exists():
            whole = path.read_bytes()
            return whole[: self.dice.randint(0, len(whole))]
        left = bytearray(content.synced)
        if self.dice.random() < 0.5:  # in order, up to some point
            landed = content.pending[: self.dice.randint(0, len(content.pending))] if lucky else []
            for place, data in landed[:-1]:
                _land(left, place, data)
            if landed:
                _land(left, *_torn(landed[-1], self.dice))
        else:  # in any order, sector by sector
            for place, data in content.pending:
                if data is None:
                    if self.dice.random() < lucky:
                        _land(left, place, None)
                    continue
                for start in range(0, len(data), SECTOR):
                    if self.dice.random() < lucky:
                        _land(left, place + start, data[start : start + SECTOR])
        return bytes(left)


def _torn(write: Pending, dice: random.Random) -> Pending:
    place, data = write
    return (place, None) if data is None else (place, data[: SECTOR * dice.randint(0, len(data) // SECTOR + 1)])


def _land(content: bytearray, place: int, data: bytes | None) -> None:
    if data is None:
        del content[place:]
        return
    if len(content) < place:
        content.extend(bytes(place - len(content)))
    content[place : place + len(data)] = data


# ------------------------------------------------------------------------------------------------------------- SQLite's side

current: list[Disk] = []
"""The disk that is written to now, if one is."""
_LOGS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL


class _File(apsw.VFSFile):
    def __init__(self, base: str, name: Any, flags: list[int]) -> None:
        self.path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name) if name else None
        fresh = self.path is not None and not self.path.exists()
        super().__init__(base, name, flags)
        self.disk = current[0] if self.path is not None and current else None
        self.content = self.disk.opened(self.path) if self.disk is not None and self.path is not None else None
        self.names_itself = self.path if fresh and flags[0] & _LOGS else None

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        if self.disk is not None and self.content is not None:
            self.disk.write(self.content, offset, bytes(data))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        if self.disk is not None and self.content is not None:
            self.disk.write(self.content, size, None)

    def xSync(self, flags: int) -> None:
        if self.disk is not None and self.content is not None:
            named = self.names_itself
            self.disk.synced(self.content, named if named is not None and named.exists() else None)


class _Vfs(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("power", "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        return _File("", name, flags)


_vfs = _Vfs()


class _Rows:
    """As much of a `sqlite3.Cursor` as the stores use."""

    def __init__(self, cursor: Any, rowcount: int) -> None:
        self._cursor, self.rowcount = cursor, rowcount

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return list(self._cursor)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)


class Adapter:
    """As much of a `sqlite3.Connection` as the stores use, on the disk that can be cut."""

    def __init__(self, path: Path) -> None:
        self.db = apsw.Connection(str(path.resolve()), apsw.SQLITE_OPEN_READWRITE, "power")
        self.execute("PRAGMA busy_timeout = 1000")

    @property
    def in_transaction(self) -> bool:
        return not self.db.getautocommit()

    def execute(self, statement: str, values: Any = ()) -> _Rows:
        return self._ours(lambda: _Rows(self.db.cursor().execute(statement, values), self.db.changes()))

    def executemany(self, statement: str, rows: Any) -> _Rows:
        return self._ours(lambda: _Rows(self.db.cursor().executemany(statement, rows), 0))

    def executescript(self, script: str) -> None:
        self._ours(lambda: list(self.db.cursor().execute(script)))

    def backup(self, target: "Adapter", *, pages: int = -1, progress: Callable[[int, int, int], object]) -> None:
        with target.db.backup("main", self.db, "main") as backup:
            while not backup.done:
                backup.step(pages)
                progress(0, backup.remaining, backup.page_count)

    def close(self) -> None:
        self.db.close()

    @staticmethod
    def _ours(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except apsw.Error as error:
            ours = sqlite3.OperationalError(str(error))
            ours.sqlite_errorcode = error.extendedresult
            raise ours from error
