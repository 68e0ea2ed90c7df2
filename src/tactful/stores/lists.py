"""Curated lists as files: `lists/NAME.json` in the installation, for a person's eye and hand. Nothing personal is in them."""

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from tactful.domain.curated import CuratedList, Lists
from tactful.domain.errors import BadInput
from tactful.stores.durable import write_whole

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
Stamp = tuple[tuple[str, int, int], ...]


class ListFolder:
    """The folder of the lists. Need not be there: then there are none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stamp(self) -> Stamp:
        """Changes when a list does. Cheap: it is asked every second."""
        found = []
        for path in self._files():
            about = path.stat()
            found.append((path.stem, about.st_mtime_ns, about.st_size))
        return tuple(found)

    def read(self) -> Lists:
        """All lists by name. Raises BadInput that names the file and what is wrong in it."""
        return {path.stem: _read(path) for path in self._files()}

    def names(self) -> list[str]:
        """The names of the lists, whatever is in them."""
        return [path.stem for path in self._files()]

    def one(self, name: str) -> CuratedList:
        """The list of this name; there must be one. Raises BadInput if its file cannot be read, whatever the others are like."""
        return _read(self.folder / f"{name}.json")

    def edit(self, name: str, change: Callable[[CuratedList], CuratedList]) -> CuratedList:
        """Change a list (a new one begins empty) and write it whole; who edits at the same time waits. Raises BadInput."""
        if not NAME.fullmatch(name):
            raise BadInput(
                field=name, why="this is no name for a list", fix="Use small letters, digits, - and _, at most 64"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            path = self.folder / f"{name}.json"
            changed = change(_read(path) if path.exists() else CuratedList())
            write_whole(path, msgspec.json.format(msgspec.json.encode(changed), indent=2) + b"\n", 0o644)
        finally:
            os.close(folder)
        return changed

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"))


def _read(path: Path) -> CuratedList:
    try:
        return msgspec.json.decode(path.read_bytes(), type=CuratedList)
    except (msgspec.DecodeError, UnicodeDecodeError) as mistake:
        raise BadInput(
            field=str(path), why=str(mistake), fix="Correct it there; docs/curated.md shows the form"
        ) from None
