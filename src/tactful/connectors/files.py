"""Files as they lie there: plain or gzipped, read line by line in bounded memory, and known again by size and content."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from tactful.domain.errors import BadInput

LINE_MOST = 1 << 20
"""The longest line that is looked at, in bytes. What is longer is one mistake, not data."""
_LOOK = 1 << 20  # bytes at each end of a file by which it is known again
_UNZIPPED = 1 << 16  # bytes unzipped at once


class _Unzipped(io.RawIOBase):
    """What a gzipped file holds. Reading raises BadInput if it is no gzip, or was cut off."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._file.readinto(buffer)
        except (gzip.BadGzipFile, zlib.error, EOFError) as mistake:
            raise BadInput(
                field=str(self._file.name),
                why=f"its name ends in .gz, and it is not whole, or no gzip ({mistake})",
                fix="Zip it again, or rename it if it is not zipped",
            ) from None

    def close(self) -> None:
        self._file.close()
        super().close()


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unzipped if its name ends in `.gz`."""
    return io.BufferedReader(_Unzipped(gzip.GzipFile(path)), _UNZIPPED) if path.suffix == ".gz" else path.open("rb")


def open_text(path: Path, encoding: str = "utf-8-sig", errors: str = "strict", newline: str | None = None) -> IO[str]:
    """The file's text, unzipped if its name ends in `.gz`."""
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, errors=errors, newline=newline)


def lines(path: Path) -> Iterator[bytes]:
    """The lines without their ends. One longer than LINE_MOST comes cut, a byte too long, so that whoever reads it can tell."""
    with open_bytes(path) as file:
        read = iter(partial(file.readline, LINE_MOST + 1), b"")
        for line in read:
            if len(line) > LINE_MOST and not line.endswith(b"\n"):
                for rest in read:
                    if rest.endswith(b"\n"):
                        break
            yield line.rstrip(b"\r\n")


def count_lines(path: Path) -> int:
    """How many lines there are, for the progress bar; the last one may lack its end."""
    count, last = 0, b"\n"
    with open_bytes(path) as file:
        while chunk := file.read(1 << 20):
            count, last = count + chunk.count(b"\n"), chunk[-1:]
    return count + (last != b"\n")


def fingerprint(*paths: Path) -> str:
    """By what files are known again: names, sizes, and the first and last MiB of each. Hexadecimal."""
    state = hashlib.blake2b(digest_size=16)
    for path in paths:
        size = path.stat().st_size
        state.update(f"{path.name}\0{size}\0".encode(errors="surrogateescape"))
        with path.open("rb") as file:
            state.update(file.read(_LOOK))
            file.seek(max(0, size - _LOOK))
            state.update(file.read(_LOOK))
    return state.hexdigest()
