"""Files that are there whole or not at all, whatever happens meanwhile: written beside, synced, renamed, and the folder synced too."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

DRAFT = ".draft"


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file, in place of an older one if there is one. Back once it would survive a power cut. Raises OSError."""
    draft = path.with_name(path.name + DRAFT)
    _write(draft, content, mode)
    draft.replace(path)
    sync_folder(path.parent)


def write_new(path: Path, content: bytes, mode: int = 0o600) -> None:
    """As `write_whole`, but raises FileExistsError if there is one already."""
    draft = path.with_name(path.name + DRAFT)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # the draft has one name, and many may want to be the first
        _write(draft, content, mode)
        try:
            os.link(draft, path)  # unlike a rename, it never takes another's place
        finally:
            draft.unlink()
        os.fsync(folder)
    finally:
        os.close(folder)


def write_once(path: Path, content: bytes, mode: int = 0o600) -> None:
    """As `write_whole`, unless there is one already: whoever comes second finds the first one's, and finds it whole."""
    if not path.exists():
        with suppress(FileExistsError):
            write_new(path, content, mode)


def sync_file(path: Path) -> None:
    """What was written to this file reaches the disk. Not for a database that is open: closing it would drop SQLite's locks."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """The names in this folder reach the disk: a new file is not safe before its name is."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)  # left by somebody who was interrupted
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
