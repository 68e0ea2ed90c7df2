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
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        have = reader.fieldnames or []
        for wanted in filter(None, (columns.person, columns.item, columns.at, columns.verb, columns.value)):
            if wanted not in have:
                raise BadInput(
                    field=f"column {wanted!r}",
                    why=f"{path} has {', '.join(have)}",
                    fix="Name it with --person, --item, --at, --verb or --value",
                )
        for number, row in enumerate(reader, 2):
            name = hashlib.blake2b(f"{number}|{'|'.join(map(str, row.values()))}".encode(), digest_size=9).hexdigest()
            try:
                yield _arrival(name, row, columns)
            except ValueError as mistake:
                raw = ",".join(map(str, row.values())).encode()
                yield Quarantined(
                    f"line {number}", now, row.get(columns.person) or "", raw, f"line {number}", str(mistake)
                )


def _arrival(name: str, row: dict[str, str], columns: Columns) -> Arrival:
    value = row[columns.value] if columns.value else ""
    return Arrival(
        id=name,
        person=row[columns.person] or "",
        name=columns.verb or columns.always,
        at=_when(row[columns.at]) if columns.at and row[columns.at] else None,
        verb=row[columns.verb] if columns.verb else columns.always,
        items=(row[columns.item],) if row[columns.item] else (),
        value=float(value) if value else None,
    )


def _when(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    return int(number if number > 1e11 else number * 1000)
