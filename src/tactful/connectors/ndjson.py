"""JSON objects, one a line: which key holds the person, the item, the time, is said on the command line; `user.id` looks inside."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from tactful.connectors.files import LINE_MOST, lines
from tactful.connectors.mapping import RAW_MOST, Columns, Mapper, text_of
from tactful.domain.event import Arrival, Interaction
from tactful.ports import Quarantined

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def rows(path: Path, columns: Columns, now: int) -> Iterator[Arrival | Quarantined]:
    """Line by line: an arrival, or the line itself with what is wrong with it. A key that is missing is an empty cell.

    Raises BadInput for a mapping that cannot work.
    """
    wanted = tuple(dict.fromkeys(columns.wanted()))
    mapper = Mapper(columns, wanted, path)
    paths = [tuple(name.split(".")) for name in wanted]
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        texts: list[str] = []
        try:
            if len(line) > LINE_MOST:
                raise ValueError(f"it is longer than {LINE_MOST:,} bytes")
            cells = [_look(_object(line), path) for path in paths]
            texts = list(map(text_of, cells))
            yield mapper.arrival(number, texts, cells)
        except (ValueError, OverflowError) as mistake:
            where = f"line {number}"
            yield Quarantined(where, now, mapper.person(texts), line[:RAW_MOST], where, str(mistake))


def _object(line: bytes) -> dict[str, Any]:
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("it is no JSON object; write one object a line, in UTF-8") from None


def _look(found: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def write(file: IO[str], acts: Iterable[tuple[str, Interaction]]) -> None:
    """Write acts, each with whose it is, what it may be used for, and the fields kept along. at: milliseconds since 1970."""
    for person, act in acts:
        line = {
            "id": act.id, "person": person, "item": act.item, "at": act.at, "verb": act.verb, "value": act.value,
            "purposes": act.purposes, "fields": act.fields,
        }  # fmt: skip
        file.write(msgspec.json.encode(line).decode() + "\n")
