"""Items from files: NDJSON, CSV, Parquet. A column is a field of an item by its name; any other is an attribute.

`texts.de.title`, `prices.us.amount` and `attributes.year` reach inside; a cell that holds JSON is read as such.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from tactful.connectors import parquet
from tactful.connectors.files import LINE_MOST, lines, open_text
from tactful.domain.errors import BadInput
from tactful.domain.item import Item
from tactful.domain.item_rules import Rejected
from tactful.domain.values.impossible import Impossible
from tactful.domain.values.words import yes_no

FORMATS = {".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson", ".csv": "csv", ".parquet": "parquet"}
LINE = "Write one JSON object a line, in UTF-8"
_FIELDS = frozenset(Item.__struct_fields__)
_LISTS = ("topics", "sensitivity")
_TABLES = ("attributes", "texts", "prices", "vectors", "variants")

Piece = tuple[str, Any]
"""Where it stands, and the item as it came: a table, or why there is none."""


def format_of(path: Path) -> str:
    """ndjson, csv or parquet, by the file's name. Raises BadInput."""
    found = FORMATS.get(Path(path.name.removesuffix(".gz")).suffix.lower())
    if found is None:
        raise BadInput(field=str(path), why="its name tells no format", fix="Name it .ndjson, .csv or .parquet")
    return found


def pieces(path: Path, renamed: Mapping[str, str] = {}) -> Iterator[Piece]:
    """The items of a file as they came, for `Restock.look`. renamed: column → field; "" leaves a column out. Raises BadInput."""
    kind = format_of(path)
    if kind == "ndjson":
        yield from ndjson(lines(path), renamed)
    elif kind == "csv":
        yield from _csv(path, renamed)
    else:
        have, cells = parquet.table(path)
        fields = _fields(have, renamed, path)
        for number, row in enumerate(cells, 1):
            yield _row(f"row {number}", fields, row)


def ndjson(found: Iterator[bytes] | Sequence[bytes], renamed: Mapping[str, str] = {}) -> Iterator[Piece]:
    """The items of these lines; empty ones are passed over."""
    for number, line in enumerate(found, 1):
        where = f"line {number}"
        if not line.strip():
            continue
        if len(line) > LINE_MOST:
            yield where, Rejected(where, "item", f"it is longer than {LINE_MOST:,} bytes", "Keep texts short")
            continue
        try:
            came = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield where, Rejected(where, "item", "it is no JSON", LINE)
            continue
        if isinstance(came, dict):
            yield where, {renamed.get(name, name): value for name, value in came.items() if renamed.get(name, name)}
        else:
            yield where, Rejected(where, "item", "it is no JSON object", LINE)


def _csv(path: Path, renamed: Mapping[str, str]) -> Iterator[Piece]:
    with open_text(path, errors="surrogateescape", newline="") as file:
        reader = csv.reader(file)
        try:
            fields = _fields(next(reader, []), renamed, path)
            for cells in filter(None, reader):
                where = f"line {reader.line_num}"
                if len(cells) == len(fields):
                    yield _row(where, fields, cells)
                else:
                    why = f"it has {len(cells)} cells, the header {len(fields)}"
                    yield where, Rejected(where, "item", why, "Put quotes around a cell that holds a comma")
        except csv.Error as mistake:
            where = f"{path}, line {reader.line_num}"
            raise BadInput(field=where, why=str(mistake), fix="Look for a quote that is never closed") from None


def _fields(have: Sequence[str], renamed: Mapping[str, str], path: Path) -> list[str]:
    """The field of each column; "" for one that is left out."""
    if not have:
        raise BadInput(
            field=str(path), why="it has no header", fix="Begin it with the names of its columns, such as id,title"
        )
    for column in renamed:
        if column not in have:
            why = f"{path.name} has {', '.join(have) or 'none'}"
            raise BadInput(field=f"column {column!r}", why=why, fix="Correct --column")
    fields = [renamed.get(name, name) for name in have]
    twice = next((name for name in fields if name and fields.count(name) > 1), None)
    if twice is not None or "id" not in fields:
        why = f"two columns are {twice!r}" if twice is not None else f"no column of {path.name} is `id`"
        raise BadInput(field="columns", why=why, fix="Say which is which with --column COLUMN=FIELD")
    return fields


def _row(where: str, fields: Sequence[str], cells: Sequence[Any]) -> Piece:
    came: dict[str, Any] = {}
    for field, cell in zip(fields, cells, strict=True):
        if not field or cell is None or cell == "":
            continue
        try:
            _put(came, field, cell)
        except ValueError as mistake:
            why, _, fix = str(mistake).partition("; ")
            return where, Rejected(where, field, why, fix[:1].upper() + fix[1:] or "Correct the cell")
    attributes, price = came.get("attributes", {}), came.get("price")
    if isinstance(price, dict) and isinstance(attributes.get("currency"), str):
        price.setdefault("currency", attributes.pop("currency"))
    return where, came


def _put(came: dict[str, Any], field: str, cell: Any) -> None:
    """Lay a cell where its column's name says. Raises ValueError."""
    first, *rest = field.split(".")
    if first not in _FIELDS:
        first, rest = "attributes", [field]
    elif first in ("attributes", "vectors") and rest:
        rest = [field.partition(".")[2]]  # their names may hold dots
    value = _value(first, rest, cell)
    table = came
    for key in [first, *rest][:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise Impossible("another column says it whole already; keep one of the two")
    key = [first, *rest][-1]
    if isinstance(value, dict) and isinstance(table.get(key), dict):
        value = {**table[key], **value}
    table[key] = value


def _value(field: str, inside: Sequence[str], cell: Any) -> Any:
    cell = _plain(cell)
    if isinstance(cell, str):
        try:
            cell.encode()
        except UnicodeEncodeError:
            raise Impossible("it is not UTF-8; save the file as UTF-8") from None
        return _from_text(field, inside, cell)
    if field in ("price", "prices") and isinstance(cell, int | float) and inside[-1:] not in (["amount"], ["currency"]):
        return {"amount": cell}
    if field == "stock" and isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return str(cell) if field in ("id", "title") and isinstance(cell, int) else cell


def _from_text(field: str, inside: Sequence[str], cell: str) -> Any:
    if field in _TABLES and cell[:1] in ("{", "["):
        try:
            return msgspec.json.decode(cell)
        except (msgspec.DecodeError, RecursionError):
            raise Impossible("it begins like JSON and is none; correct it") from None
    if field in _LISTS:
        return [part.strip() for part in cell.split("|") if part.strip()]
    if field == "available":
        return yes_no(cell)
    if field == "stock":
        return _number(cell, whole=True)
    if field == "price" and not inside:
        return {"amount": _number(cell)}
    if field == "prices" and len(inside) == 1:
        return {"amount": _number(cell)}
    if field in ("price", "prices") and inside[-1] == "amount":
        return _number(cell)
    return cell.split("|") if field == "attributes" and "|" in cell else cell


def _number(text: str, whole: bool = False) -> float:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        raise Impossible(
            f"it is no {'whole ' if whole else ''}number; write it like {'4' if whole else '4.5'}"
        ) from None


def _plain(cell: Any) -> Any:
    """A typed cell in the types of JSON: moments as ISO 8601, exact numbers as they are near."""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return float(cell)
    if isinstance(cell, list | tuple):
        return [_plain(one) for one in cell]
    if isinstance(cell, dict):
        return {name: _plain(one) for name, one in cell.items() if one is not None}
    return cell
