"""Another Tactful: everything that is kept, one JSON object a line, so that reading it in gives the same profiles, consents and links.

The first line says what it is. Then come the items, and person by person their consent with its proof, their links, their events.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from tactful.connectors.files import LINE_MOST, lines
from tactful.connectors.mapping import RAW_MOST
from tactful.domain.consent import ConsentChange
from tactful.domain.errors import BadInput
from tactful.domain.event import Event
from tactful.domain.identity import Link
from tactful.domain.item import Item
from tactful.ports import Quarantined

LAYOUT = 1
"""The layout of the lines, raised when an older reader could misread them."""


class Head(Struct, frozen=True):
    """The first line. charter: the version of the charter under which it was kept."""

    tactful: int
    charter: str = ""


class ItemLine(Struct, frozen=True, tag_field="kind", tag="item"):
    """A thing of the catalogue."""

    item: Item


class ConsentLine(Struct, frozen=True, tag_field="kind", tag="consent"):
    """All that a person ever answered, in order, each change with its proof."""

    person: str
    changes: list[ConsentChange]


class LinkLine(Struct, frozen=True, tag_field="kind", tag="link"):
    """Who is who."""

    link: Link


class EventLine(Struct, frozen=True, tag_field="kind", tag="event"):
    """Something that a person did, told, that others said of them, or that was concluded; as `domain/event.py` orders its fields."""

    person: str
    event: Event


Line = ItemLine | ConsentLine | LinkLine | EventLine

_line = msgspec.json.Decoder(Line).decode
_head = msgspec.json.Decoder(Head).decode
_encode = msgspec.json.Encoder().encode


def rows(path: Path) -> Iterator[Line | Quarantined]:
    """The lines after the first. Raises BadInput if the file does not begin as an export of Tactful does."""
    read = lines(path)
    check(next(read, b""), path)
    for number, line in enumerate(read, 2):
        if not line.strip():
            continue
        try:
            if len(line) > LINE_MOST * 16:
                raise ValueError("it is too long")
            yield _line(line)
        except (ValueError, RecursionError) as mistake:
            where = f"line {number}"
            undecodable = isinstance(mistake, msgspec.ValidationError)
            why = str(mistake) if undecodable else "it is no line of an export, or it was cut off"
            yield Quarantined(where, 0, "", line[:RAW_MOST], where, why)


def check(first: bytes, path: Path) -> None:
    """Whether a first line is one of ours. Raises BadInput."""
    try:
        head = _head(first)
    except ValueError:
        raise BadInput(
            field=f"{path}, line 1", why="it is no export of Tactful", fix="Make one with `tactful export tactful FILE`"
        ) from None
    if head.tactful > LAYOUT:
        raise BadInput(field=f"{path}, line 1", why=f"its layout is {head.tactful}, this one knows {LAYOUT}", fix="Update Tactful")  # fmt: skip


def write_head(file: IO[str], charter: str) -> None:
    """Write the first line."""
    file.write(_encode(Head(LAYOUT, charter)).decode() + "\n")


def write(file: IO[str], line: Line) -> None:
    """Write a line."""
    file.write(_encode(line).decode() + "\n")
