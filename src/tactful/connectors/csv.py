"""CSV with a header: which column holds the person, the item, the time, is said on the command line (see `mapping.Columns`)."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from tactful.connectors.files import open_text
from tactful.connectors.mapping import Columns, Mapper
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival, Interaction
from tactful.ports import Quarantined

__all__ = ["Columns", "rows", "table", "write"]

TOO_LONG = f"a cell has more than {csv.field_size_limit():,} characters; shorten it"

HEADER = ("id", "person", "item", "at", "verb", "value")
"""The columns of an export, which an import reads with `--id id --verb verb --value value`."""


def rows(path: Path, columns: Columns, now: int, separator: str = ",") -> Iterator[Arrival | Quarantined]:
    """Row by row: an arrival, or the row itself with what is wrong with it. Raises BadInput if a column is missing.

    Times are ISO 8601, or seconds or milliseconds since 1970. The same row of the same file always gets the same id, so that
    importing twice changes nothing.
    """
    read = table(path, separator)
    mapper = Mapper(columns, next(read)[1], path)
    width, arrival = mapper.width, mapper.arrival
    for number, (line, cells, wrong) in enumerate(read, 2):
        try:
            if wrong or len(cells) != width:
                raise ValueError(wrong or _width(len(cells) > width))
            yield arrival(number, cells, cells)
        except (ValueError, OverflowError) as mistake:
            yield mapper.unusable(f"line {line}", now, cells, str(mistake))


def table(path: Path, separator: str = ",") -> Iterator[tuple[int, list[str], str]]:
    """(number of its last line, cells, what is wrong with it or "") of the header, then of each row that is not empty.

    Raises BadInput where a cell of several lines is too long: who knows where the next row begins?
    """
    # Bytes that are not UTF-8 are carried along, so that they cost their own row only.
    with open_text(path, errors="surrogateescape", newline="") as file:
        last = ""

        def lines() -> Iterator[str]:
            nonlocal last
            for line in file:
                last = line
                yield line

        reader = csv.reader(lines(), delimiter=separator)
        cells: list[str] | None = []
        while cells is not None:
            before, wrong = reader.line_num, ""
            try:
                cells = next(reader, None)
            except csv.Error as mistake:
                if reader.line_num > before + 1:
                    raise BadInput(
                        field=f"{path}, line {before + 1}",
                        why=str(mistake),
                        fix="Look for a quote that is never closed",
                    ) from None
                cells, wrong = last.rstrip("\r\n").split(separator), TOO_LONG
            if cells or not before:
                yield reader.line_num, cells or [], wrong


def _width(more: bool) -> str:
    if more:
        return "it has more cells than the header; put quotes around a cell that holds the separator"
    return "it has fewer cells than the header; leave a cell empty, but leave it there"


def write(file: IO[str], acts: Iterable[tuple[str, Interaction]]) -> None:
    """Write acts, each with whose it is. at: milliseconds since 1970."""
    out = csv.writer(file, lineterminator="\n")
    out.writerow(HEADER)
    for person, act in acts:
        out.writerow((act.id, person, act.item, act.at, act.verb, "" if act.value is None else repr(act.value)))
