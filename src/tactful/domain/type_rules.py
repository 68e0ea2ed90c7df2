"""The hard rules of what values are: a type that nothing can have, or a filling that would pass for a fact, does not load."""

from collections.abc import Iterator, Mapping

from tactful.domain.charter import Data, Type
from tactful.domain.values import PIECE_TYPES, TYPES, Impossible, cleaned, limit
from tactful.domain.values.money import currency
from tactful.domain.values.units import UNITS

Problem = tuple[str, str, str]
"""(where, as dotted keys; what is wrong; the fix)"""

CHILD_TRAITS: Mapping[str, tuple[str, ...]] = {
    "child": ("yes_no",),
    "birth_year": ("birth_year",),
    "birth_date": ("date", "birth_year"),
    "birthday": ("date", "birth_year"),
}
"""Traits that say whether somebody is a child, and the types they may have; the first, where none is declared. They protect, so they are
heard whatever the charter keeps."""

_MEASURED = ("text", "number", "whole", "date", "moment", "birth_year", "money", "amount", "list")
_CHOSEN = ("text", "language", "country", "list")


def type_problems(name: str, data: Data, sensitive: bool) -> Iterator[Problem]:
    """Everything wrong with the types of one data entry. sensitive: whether what it holds is."""
    kept = (*data.fields, "value") if data.kind == "observed" else data.traits
    for trait, kind in data.types.items():
        at = f"data.{name}.types.{trait}"
        if trait not in kept:
            list_name = "fields" if data.kind == "observed" else "traits"
            yield at, f"[data.{name}] keeps nothing called so", f"Add it to {list_name}, or correct the name"
        if kind.type not in TYPES:
            yield f"{at}.type", f"{kind.type!r} is no type", f"Use one of {', '.join(TYPES)}"
            continue
        wrong = list(_unit_problems(at, kind)) or list(_range_problems(at, kind))
        yield from wrong
        if data.kind == "observed":
            yield from _observed_problems(at, trait, kind)
        elif not wrong:
            yield from _trait_problems(at, trait, kind, data, sensitive)


def _unit_problems(at: str, kind: Type) -> Iterator[Problem]:
    if kind.type == "amount" and kind.unit not in UNITS:
        yield f"{at}.unit", f"{kind.unit!r} is not a unit", f"Use one of {', '.join(UNITS)}"
    elif kind.type == "money" and kind.unit:
        try:
            known = currency(kind.unit) == kind.unit
        except Impossible:
            known = False
        if not known:
            yield f"{at}.unit", f"{kind.unit!r} is not a currency", "Use a code of ISO 4217, such as EUR"
    elif kind.unit and kind.type not in ("amount", "money"):
        yield f"{at}.unit", f"a {kind.type} has no unit", 'Delete it, or write type = "amount"'
    if kind.of not in PIECE_TYPES:
        yield f"{at}.of", f"{kind.of!r} cannot be in a list", f"Use one of {', '.join(PIECE_TYPES)}"


def _range_problems(at: str, kind: Type) -> Iterator[Problem]:
    bounds = []
    for name, said in (("least", kind.least), ("most", kind.most)):
        if said is None:
            continue
        if kind.type not in _MEASURED:
            yield f"{at}.{name}", f"a {kind.type} has no {name}", "Delete it"
            continue
        try:
            bounds.append(limit(kind, said))
        except Impossible as mistake:
            yield f"{at}.{name}", str(mistake), "Write it as the values are written"
    if len(bounds) == 2 and bounds[0] > bounds[1]:  # type: ignore[operator]  # both are of one kind
        yield f"{at}.least", "it is more than the most", "Exchange the two"
    if kind.one_of and kind.type not in _CHOSEN:
        yield f"{at}.one_of", f"a {kind.type} cannot be chosen from a list", "Use least and most, or delete it"
    if kind.fresh_days < 0:
        yield f"{at}.fresh_days", f"{kind.fresh_days} is not a time", "Say after how many days it is stale"


def _observed_problems(at: str, field: str, kind: Type) -> Iterator[Problem]:
    if kind.fresh_days:
        yield f"{at}.fresh_days", "what was done stays true", "Delete it; retention_days says how long it is kept"
    if kind.fill is not None:
        yield f"{at}.fill", "what somebody did is never made up", "Delete it"
    if field == "value" and kind.type not in ("number", "whole"):
        yield f"{at}.type", "what an interaction is worth is a number", 'Write type = "number"'


def _trait_problems(at: str, trait: str, kind: Type, data: Data, sensitive: bool) -> Iterator[Problem]:
    heard = CHILD_TRAITS.get(trait, (kind.type,))
    if kind.type not in heard:
        types = " or ".join(f'type = "{name}"' for name in heard)
        yield f"{at}.type", "it protects children, so it must be heard rightly", f"Write {types}"
    if kind.fill is None:
        return
    if sensitive:
        yield f"{at}.fill", "nothing sensitive is ever assumed of anybody", "Delete it"
    if trait in CHILD_TRAITS or kind.type == "birth_year":
        yield f"{at}.fill", "nobody is assumed to be a child, or not to be one", "Delete it"
    if data.kind != "told":
        yield f"{at}.fill", f"an entry of kind {data.kind!r} is not filled", 'Only entries of kind "told" can be'
    try:
        same = cleaned(kind, kind.fill, 0) == kind.fill
        why = "" if same else f"it is written otherwise than the values: {cleaned(kind, kind.fill, 0)!r}"
    except Impossible as mistake:
        why = str(mistake).partition(";")[0]
    if why:
        yield f"{at}.fill", why, "Write a value as it is kept"
