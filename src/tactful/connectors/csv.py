"""Interactions from a CSV file with a header: which column holds the person, the item, the time, is said on the command line."""

import csv
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.ports import Quarantined


class Columns(Struct, frozen=True):
    """Names of columns. verb: a column of verbs; "" takes `always` for every row. value, at: "" if there is none."""

    person: str = "person"
    item: str = "item"
    at: str = "at"
    verb: str = ""
    value: str = ""
    always: str = "viewed"


def rows(path: Path, columns: Columns, now: int) -> Iterator[Arrival | Quarantined]:
    """Row by row: an arrival, or the row itself with what is wrong with it. Raises BadInput if a column is missing.

    Times are ISO 8601, or seconds or milliseconds since 1970. The same row of the same file always gets the same id, so that
    importing twice changes nothing.
    """
    # Bytes that are not UTF-8 are carried along, so that they cost their own row only.
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        reader = csv.DictReader(file)
        have = reader.fieldnames or []
        for wanted in filter(None, (columns.person, columns.item, columns.at, columns.verb, columns.value)):
            if wanted not in have:
                raise BadInput(
                    field=f"column {wanted!r}",
                    why=f"{path} has {', '.join(have)}",
                    fix="Name it with --person, --item, --at, --verb or --value",
                )
        try:
            for number, row in enumerate(reader, 2):
                raw = ",".join(map(str, row.values())).encode(errors="surrogateescape")
                name = hashlib.blake2b(b"%d|%b" % (number, raw), digest_size=9).hexdigest()
                try:
                    yield _arrival(name, _whole(row), columns)
                except (ValueError, OverflowError) as mistake:
                    line, person = f"line {reader.line_num}", _text(row.get(columns.person))
                    yield Quarantined(line, now, person, raw, line, str(mistake))
        except csv.Error as mistake:
            raise BadInput(
                field=f"{path}, line {reader.line_num}", why=str(mistake), fix="Look for a quote that is never closed"
            ) from None


def _text(cell: str | None) -> str:
    """A cell as text that can be kept: without what is not UTF-8."""
    return (cell or "").encode(errors="ignore").decode()


def _whole(row: dict[str, str]) -> dict[str, str]:
    """The row, if it has a cell for each column. Raises ValueError."""
    if None in row:
        raise ValueError("it has more cells than the header; put quotes around a cell that holds the separator")
    if None in row.values():
        raise ValueError("it has fewer cells than the header; leave a cell empty, but leave it there")
    if any(cell != _text(cell) for cell in row.values()):
        raise ValueError("it is not UTF-8; save the file as UTF-8")
    return row


def _arrival(name: str, row: dict[str, str], columns: Columns) -> Arrival:
    value = row[columns.value] if columns.value else ""
    verb = row[columns.verb] if columns.verb else columns.always
    if not verb:
        raise ValueError(f"column {columns.verb!r} names no verb")
    return Arrival(
        id=name,
        person=row[columns.person] or "",
        name=verb,
        at=_when(row[columns.at]) if columns.at and row[columns.at] else None,
        verb=verb,
        items=(row[columns.item],) if row[columns.item] else (),
        value=_number(value, columns.value) if value else None,
    )


def _number(text: str, column: str) -> float:
    """Raises ValueError; like all reasons it does not repeat what the file says, since reasons are shown and the file is personal."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"column {column!r} is not a number; write it as 4.5") from None


def _when(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("its time is none; write it as ISO 8601, or in seconds since 1970") from None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    return int(number if number > 1e11 else number * 1000)
