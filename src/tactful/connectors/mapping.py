"""Rows of a table become arrivals: which column is the person, which the item, and so on, is said on the command line."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from tactful.domain.charter import BASES
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival, Provenance
from tactful.ports import Quarantined

RAW_MOST = 64 * 1024
"""How many bytes of a row that cannot be used are kept in quarantine."""


class Columns(Struct, frozen=True):
    """Names of columns. verb: a column of verbs; "" takes `always` for every row. value, at, id: "" if there is none.

    fields: properties kept along, where the charter declares them, and traits: (column, name under which it is kept). With traits each
    row says something about a person, and item and verb are not looked at. seller, licence, basis: where traits come from somebody
    else, the same for all rows; seller_in, licence_in, basis_in: or the column that says so.
    """

    person: str = "person"
    item: str = "item"
    at: str = "at"
    verb: str = ""
    value: str = ""
    always: str = "viewed"
    id: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    traits: tuple[tuple[str, str], ...] = ()
    seller: str = ""
    licence: str = ""
    basis: str = ""
    seller_in: str = ""
    licence_in: str = ""
    basis_in: str = ""

    @property
    def obtained(self) -> bool:
        """Whether the rows come from somebody else than the people themselves."""
        return any((self.seller, self.licence, self.basis, self.seller_in, self.licence_in, self.basis_in))

    def wanted(self) -> tuple[str, ...]:
        """The columns that must be there. Raises BadInput for a mapping that cannot work."""
        if self.obtained and not self.traits:
            raise BadInput(
                field="--seller",
                why="data obtained from others is kept as traits, and no column is named as one",
                fix="Name the columns with --trait",
            )
        acts = () if self.traits else (self.item, self.verb, self.value, *(column for column, _ in self.fields))
        said = (self.seller_in, self.licence_in, self.basis_in, *(column for column, _ in self.traits))
        return tuple(filter(None, (self.person, self.at, self.id, *acts, *said)))


class Mapper:
    """Makes arrivals of rows whose columns are known. where: the file or table, for errors. Raises BadInput if a column is missing."""

    def __init__(self, columns: Columns, have: Sequence[str], where: object) -> None:
        self.columns, self.width = columns, len(have)
        self._where = where.name if isinstance(where, Path) else str(where)
        for wanted in columns.wanted():
            if wanted not in have:
                raise BadInput(
                    field=f"column {wanted!r}",
                    why=f"{where} has {', '.join(have) or 'none'}",
                    fix="Name it with --person, --item, --at, --verb or --value",
                )
        place = {name: number for number, name in reversed(list(enumerate(have)))}
        self._person, self._item = place[columns.person], place.get(columns.item) if columns.item else None
        self._at = place[columns.at] if columns.at else None
        self._verb = place[columns.verb] if columns.verb and not columns.traits else None
        self._value = place[columns.value] if columns.value and not columns.traits else None
        self._id = place[columns.id] if columns.id else None
        self._fields = () if columns.traits else tuple((place[column], name) for column, name in columns.fields)
        self._traits = tuple((place[column], name) for column, name in columns.traits)
        self._given = tuple(
            (what, place[column] if column else None, fixed)
            for what, column, fixed in (
                ("seller", columns.seller_in, columns.seller),
                ("licence", columns.licence_in, columns.licence),
                ("basis", columns.basis_in, columns.basis),
            )
        )

    def arrival(self, number: int, texts: Sequence[str], cells: Sequence[Any]) -> Arrival:
        """The arrival of a row. texts: its cells as text; cells: as they are; number: its place, part of its id. Raises ValueError.

        The same row at the same place always has the same id, so that importing twice changes nothing.
        """
        at = None if self._at is None else texts[self._at]
        # Without a time, the same row at the same place of two files may well be two acts: then the file's name tells them apart.
        row = f"{number}|{','.join(texts)}" if at else f"{self._where}|{number}|{','.join(texts)}"
        try:
            raw = row.encode()
        except UnicodeEncodeError:
            raise ValueError("it is not UTF-8; save the file as UTF-8") from None
        name = hashlib.blake2b(raw, digest_size=9).hexdigest() if self._id is None else texts[self._id]
        moment = when(at, self.columns.at) if at else None
        person = texts[self._person]
        if self._traits:
            return self._about(name, person, moment, texts, cells)
        verb = self.columns.always
        if self._verb is not None:
            verb = texts[self._verb]
            if not verb:
                raise ValueError(f"column {self.columns.verb!r} names no verb")
        item = "" if self._item is None else texts[self._item]
        stars = "" if self._value is None else texts[self._value]
        value = number_of(stars, self.columns.value) if stars else None
        fields = {label: cells[place] for place, label in self._fields if texts[place]} if self._fields else {}
        items = (item,) if item else ()
        return Arrival(id=name, person=person, name=verb, at=moment, verb=verb, items=items, value=value, fields=fields)

    def _about(self, name: str, person: str, moment: int | None, texts: Sequence[str], cells: Sequence[Any]) -> Arrival:
        traits = {label: cells[place] for place, label in self._traits if texts[place]}
        if not traits:
            raise ValueError("it says nothing: every column of a trait is empty")
        obtained = self._provenance(texts) if self.columns.obtained else None
        return Arrival(id=name, person=person, name="identify", at=moment, traits=traits, obtained=obtained)

    def _provenance(self, texts: Sequence[str]) -> Provenance:
        said = {what: (fixed if place is None else texts[place]).strip() for what, place, fixed in self._given}
        for what, found in said.items():
            if not found:
                raise ValueError(
                    f"no {what} stands with it; name it with --{what}, or the column that has it with --{what}-in"
                )
        if said["basis"] not in BASES:
            raise ValueError(f"its basis is no legal basis; use one of {', '.join(BASES)}")
        return Provenance(**said)

    def unusable(self, where: str, now: int, texts: Sequence[str], why: str) -> Quarantined:
        """The row that cannot be used, as it came. where: `line 7`."""
        return Quarantined(where, now, self.person(texts), _bytes(",".join(texts)), where, why)

    def person(self, texts: Sequence[str]) -> str:
        """Whose the row is, as far as that can be kept; "" if nobody's."""
        name = texts[self._person] if self._person < len(texts) else ""
        name = name.encode(errors="ignore").decode()
        return name if len(name) <= 256 else ""


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape" if _escaped(text) else "replace")[:RAW_MOST]


def _escaped(text: str) -> bool:
    """Whether every odd character stands for a byte that was not UTF-8."""
    return not any("\ud800" <= one <= "\udfff" and not "\udc80" <= one <= "\udcff" for one in text)


def text_of(value: Any) -> str:
    """A typed cell as text: nothing as "", whole numbers without a point, moments as ISO 8601. Raises ValueError for nested ones."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode(errors="surrogateescape")
    if isinstance(value, dict):
        raise ValueError("a cell holds a structure; name a plain column")
    return str(value)


def when(text: str, column: str) -> int:
    """Milliseconds since 1970 of ISO 8601 (UTC if it names no zone), or of seconds or milliseconds since 1970. Raises ValueError."""
    try:
        number = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"column {column!r} holds no time; write ISO 8601 or seconds since 1970") from None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    if number > 1e11:
        return _whole(number, column)
    return _whole(number * 1000, column)


def _whole(number: float, column: str) -> int:
    try:
        return int(number)
    except (ValueError, OverflowError):
        raise ValueError(f"column {column!r} holds no time; write ISO 8601 or seconds since 1970") from None


def number_of(text: str, column: str) -> float:
    """The number. Raises ValueError, without the text: reasons are counted and kept, and the text may be personal."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"column {column!r} holds no number; write it like 4.5") from None
