"""How far an import has come, noted after each acknowledged piece, so that it can be stopped anywhere and goes on from there."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from tactful.cli.account import Account
from tactful.domain.errors import BadInput


class Note(Struct):
    """What is known of an import that is under way.

    fingerprint: by what the source is known again. began: ms since 1970; piece number n is taken as of `began + n`, so that a piece
    taken again is the same piece. piece: rows a piece. stocked: the items are in. pieces, rows: done so far. catalogue: how many items
    there were before the next piece. repeated: for the next piece, the places of rows that were there before it was begun; None if it
    was not begun. finished: only the account is still to be shown.
    """

    fingerprint: str
    began: int
    piece: int
    account: Account
    stocked: bool = False
    pieces: int = 0
    rows: int = 0
    catalogue: int = 0
    repeated: list[int] | None = None
    finished: bool = False


class Notebook:
    """The place of one note. It is written whole or not at all: a draft, synced, then renamed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Note | None:
        """The note, or None if there is none that can be read."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Note)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def write(self, note: Note) -> None:
        """Write it down, durably. Raises BadInput if that cannot be done."""
        draft = self.path.with_suffix(".draft")
        try:
            with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
                file.write(msgspec.json.encode(note))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as error:
            raise BadInput(
                field=str(self.path), why=f"the progress cannot be noted ({error.strerror})", fix="Mend that, then run the same command again"
            ) from None  # fmt: skip

    def throw_away(self) -> None:
        """The import is over, and its account was shown."""
        self.path.unlink(missing_ok=True)


@contextmanager
def notebook(home: Path, kind: str, meaning: str) -> Iterator[Notebook]:
    """The note's place for one command: the same command finds the same place. meaning: all that makes two commands differ.

    One import at a time in an installation. Raises BadInput if another one is running.
    """
    folder = home / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                field=str(home), why="another import is running here", fix="Wait until it is finished, or stop it"
            ) from None
        name = hashlib.blake2b(f"{kind}\0{meaning}".encode(errors="surrogateescape"), digest_size=9).hexdigest()
        yield Notebook(folder / f"{kind}-{name}.json")
    finally:
        os.close(lock)
