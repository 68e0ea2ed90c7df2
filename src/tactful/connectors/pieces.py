"""What the connectors of foreign requests share: a request is read as a whole, its pieces one by one, and a bad one costs itself only."""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.ports import Quarantined

T = TypeVar("T")
_WRONG = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # a ValidationError is a DecodeError


class Brought(Struct, frozen=True):
    """What a request brings, what of it cannot be read, and types of event that mean nothing here, with how often they came."""

    arrivals: list[Arrival]
    unusable: list[Quarantined]
    unmapped: dict[str, int]


class Unreadable(Exception):
    """Which field of a piece cannot be read, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field, self.why = field, why


def read(body: bytes, kind: type[T], fix: str) -> T:
    """A request as this type. Raises BadInput, which names the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except _WRONG as mistake:
        field, why = named(mistake)
        raise BadInput(field=field, why=why, fix=fix) from None


def decoded(raw: msgspec.Raw, kind: type[T], most: int, field: str, fix: str) -> T:
    """A piece as this type. most: its bytes; field, fix: what to name where it has more. Raises Unreadable."""
    if len(raw) > most:
        raise Unreadable(field, f"it has {len(raw):,} bytes, the most is {most:,}; {fix}")
    try:
        return msgspec.json.decode(raw, type=kind)
    except _WRONG as mistake:
        raise Unreadable(*named(mistake)) from None


def named(mistake: Exception) -> tuple[str, str]:
    """(field, why) of what msgspec found wrong."""
    if isinstance(mistake, RecursionError):
        return "body", "it is nested too deeply"
    why, _, path = str(mistake).partition(" - at `$")
    missing = re.search(r"required field `(.+?)`", why)
    field = f"{path.rstrip('`')}.{missing.group(1)}" if missing else path.rstrip("`")
    return field.lstrip(".") or "body", why[:1].lower() + why[1:]


class _Claim(Struct):
    """Whom a piece names, read from what is otherwise unusable: in Personalize's word for it, or in Gorse's."""

    userId: Any = None
    UserId: Any = None


def set_aside(
    where: str, now: int, raw: msgspec.Raw, reason: Unreadable, naming: str = "userId", person: str = ""
) -> Quarantined:
    """Into quarantine, under whom it names, proven or not, so that forgetting that person takes it out of there too.

    naming: the field in which a piece says whose it is. person: whose it is, where more than the piece says so.
    """
    found = person or _claimed(raw, naming)
    known = found if isinstance(found, str) and 0 < len(found) <= 256 and found.isprintable() else ""
    return Quarantined(where, now, known, bytes(raw), reason.field, reason.why)


def _claimed(raw: msgspec.Raw, naming: str) -> Any:
    try:
        return getattr(msgspec.json.decode(raw, type=_Claim), naming)
    except _WRONG:
        return ""
