"""What the charter says a value is → the value in one form, or why it cannot be one.

Kept values say what they are by themselves ("180 cm", "12.90 EUR", "2024-05-17"), so that a charter that later names another unit
does not turn centimetres into metres. Cleaning what is clean changes nothing.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from tactful.domain.charter import Type
from tactful.domain.event import Value
from tactful.domain.values.impossible import Impossible, shape
from tactful.domain.values.moments import birth_year, day, moment
from tactful.domain.values.money import money
from tactful.domain.values.numbers import exact, kept, whole
from tactful.domain.values.units import amount
from tactful.domain.values.words import country, language, text, yes_no

PIECES_MOST = 100
"""The longest list."""
PIECE_MOST = 256
"""The longest text in a list, in characters."""

_READERS: dict[str, Callable[[Type, object, int, object], Value]] = {
    "text": lambda kind, value, now, beside: text(value),
    "number": lambda kind, value, now, beside: kept(exact(value)),
    "whole": lambda kind, value, now, beside: whole(exact(value)),
    "yes_no": lambda kind, value, now, beside: yes_no(value),
    "date": lambda kind, value, now, beside: day(value),
    "moment": lambda kind, value, now, beside: moment(value),
    "birth_year": lambda kind, value, now, beside: birth_year(value, now),
    "language": lambda kind, value, now, beside: language(value),
    "country": lambda kind, value, now, beside: country(value),
    "money": lambda kind, value, now, beside: money(value, beside, kind.unit),
    "amount": lambda kind, value, now, beside: amount(value, kind.unit),
    "list": lambda kind, value, now, beside: _pieces(kind, value),
}
TYPES = tuple(_READERS)
"""What a value can be declared as."""
PIECE_TYPES = ("text", "language", "country", "date")
"""What the pieces of a list can be."""


def cleaned(kind: Type, value: object, now: int, beside: object = None) -> Value:
    """The value in the one form that its type has.

    value: anything that JSON can say; null takes back what was said, whatever the type. now: milliseconds since 1970.
    beside: for money, the currency as the event names it elsewhere. Raises Impossible.
    """
    if value is None:
        return None
    found = _READERS[kind.type](kind, value, now, beside)
    if kind.one_of and kind.type != "list":
        found = _chosen(kind, found)
    if kind.least is not None or kind.most is not None:
        _measure(kind, found)
    return found


def _pieces(kind: Type, value: object) -> list[str]:
    """A list without repeats; a single piece is a list of one."""
    if isinstance(value, dict | bool | float):
        raise Impossible(f"it is {shape(value)}, not a list; send a list")
    pieces = value if isinstance(value, list) else [value]
    if len(pieces) > PIECES_MOST:
        raise Impossible(f"it has {len(pieces)} pieces, the most is {PIECES_MOST}; send fewer")
    one = Type(kind.of)
    found: dict[str, None] = {}
    for piece in pieces:
        if piece is None:
            raise Impossible("one of its pieces is null; leave it out")
        clean = text(piece, PIECE_MOST) if kind.of == "text" else cleaned(one, piece, 0)
        found[str(_chosen(kind, clean) if kind.one_of else clean)] = None
    return list(found)


def _chosen(kind: Type, found: Value) -> Value:
    """The one of the charter's list that it is, whatever its capitals."""
    for allowed in kind.one_of:
        if str(found).casefold() == allowed.casefold():
            return allowed
    raise Impossible(f"the charter does not know it; send one of {', '.join(kind.one_of)}")


def magnitude(value: Value) -> Decimal:
    """How much a kept number, amount or sum of money is, in its own unit: "180 cm" is 180. Raises ValueError for anything else."""
    return exact(value.partition(" ")[0] if isinstance(value, str) else value)


def limit(kind: Type, said: object) -> Decimal | str:
    """`least` or `most` of a type as something to compare with. Raises Impossible if it is none for this type."""
    if kind.type in ("date", "moment"):
        found = cleaned(Type(kind.type), said, 0)
        return str(found)
    if isinstance(said, str):
        raise Impossible("it is text; write a number")
    return exact(said)


@lru_cache(1024)
def _bound(type_: str, said: int | float | str) -> Decimal | str:
    return limit(Type(type_), said)


def _measure(kind: Type, found: Value) -> None:
    """Raises Impossible if it is less than the least or more than the most. Of text counts the length, of a list the pieces."""
    size: Decimal | str
    match kind.type:
        case "date" | "moment":
            size = str(found)
        case "text" | "list":
            size = Decimal(len(found)) if isinstance(found, str | list) else Decimal(0)
        case _:
            size = magnitude(found)
    what = {"text": " characters", "list": " pieces", "amount": f" {kind.unit}", "money": f" {kind.unit}".rstrip()}
    for said, wrong, name in ((kind.least, -1, "least"), (kind.most, 1, "most")):
        if said is None:
            continue
        bound = _bound(kind.type, said)
        # Both are of one kind: `limit` and `size` go by the type.
        if (size > bound) - (size < bound) == wrong:  # type: ignore[operator]
            raise Impossible(f"it is out of range; the {name} is {said}{what.get(kind.type, '')}")


__all__ = ["PIECE_TYPES", "TYPES", "Impossible", "cleaned", "limit", "magnitude"]
