"""Sequences: one line for each person (`ada a b c`) or for each session of nobody known (`a b c`), oldest item first.

The order is known, the times are not: the items of a line are set a second apart, beginning at a moment that the operator names.
The long form, `session_id,item_id,timestamp`, is CSV with these columns.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tactful.connectors.files import LINE_MOST, lines
from tactful.connectors.mapping import RAW_MOST, Columns
from tactful.domain.event import Arrival
from tactful.domain.identity import ANONYMOUS
from tactful.ports import Quarantined


def long(always: str = "viewed") -> Columns:
    """What the columns of the long form mean. Its sessions are known by their ids."""
    return Columns("session_id", "item_id", "timestamp", always=always)


def rows(path: Path, since: int, now: int, named: bool = True, always: str = "viewed", separator: str | None = None) -> Iterator[Arrival | Quarantined]:  # fmt: skip
    """Each item of each line as an act; a line that cannot be used, with what is wrong with it.

    since: when the first item of each line is said to have happened, ms since 1970. named: whether a line begins with a person; if
    not, each line is somebody of their own. separator: between items; None: any white space.
    """
    stem, label = path.name.partition(".")[0], path.name.encode(errors="surrogateescape")
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        try:
            cells = _cells(line, separator)
            person = cells.pop(0) if named else f"{ANONYMOUS}{stem}-{number}"
            if not cells:
                raise ValueError("it has a person and no item; write the items after the person")
        except ValueError as mistake:
            where = f"line {number}"
            why = "it is not UTF-8; save the file as UTF-8" if isinstance(mistake, UnicodeError) else str(mistake)
            yield Quarantined(where, now, "", line[:RAW_MOST], where, why)
            continue
        # An id for the line and a number for the place: hashing each item would cost as much as reading it.
        name = hashlib.blake2b(b"%b|%d|%b" % (label, number, line), digest_size=9).hexdigest()
        for place, item in enumerate(cells):
            yield Arrival(
                id=f"{name}-{place}", person=person, name=always, at=since + 1000 * place, verb=always, items=(item,)
            )


def count(path: Path, named: bool = True, separator: str | None = None) -> int:
    """How many items there are, for the progress bar."""
    return sum(_length(line, separator) - named for line in lines(path) if line.strip())


def is_long(path: Path) -> bool:
    """Whether the file begins with the header of the long form."""
    first: Iterable[bytes] = lines(path)
    return b"session_id" in next(iter(first), b"")


def _length(line: bytes, separator: str | None) -> int:
    return len(line.split(separator.encode() if separator else None))


def _cells(line: bytes, separator: str | None) -> list[str]:
    if len(line) > LINE_MOST:
        raise ValueError(f"it is longer than {LINE_MOST:,} bytes")
    cells = line.decode("utf-8-sig").split(separator)
    return [cell.strip() for cell in cells] if separator else cells
