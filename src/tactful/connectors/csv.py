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

__all__ = ["Columns", "rows", "write"]

HEADER = ("id", "person", "item", "at", "verb", "value")
"""The columns of an export, which an import reads with `--id id --verb verb --value value`."""


def rows(path: Path, columns: Columns, now: int, separator: str = ",") -> Iterator[Arrival | Quarantined]:
    """Row by row: an arrival, or the row itself with what is wrong with it. Raises BadInput if a column is missing.

    Times are ISO 8601, or seconds or milliseconds since 1970. The same row of the same file always gets the same id, so that
    importing twice changes nothing.
    """
    # Bytes that are not UTF-8 are carried along, so that they cost their own row only.
    with open_text(path, errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        try:
            mapper = Mapper(columns, next(reader, []), path)
            width, arrival = mapper.width, mapper.arrival
            for number, cells in enumerate(filter(None, reader), 2):
                try:
                    if len(cells) != width:
                        raise ValueError(_width(len(cells) > width))
                    yield arrival(number, cells, cells)
                except (ValueError, OverflowError) as mistake:
                    yield mapper.unusable(f"line {reader.line_num}", now, cells, str(mistake))
        except csv.Error as mistake:
            raise BadInput(
                field=f"{path}, line {reader.line_num}", why=str(mistake), fix="Look for a quote that is never closed"
            ) from None


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
