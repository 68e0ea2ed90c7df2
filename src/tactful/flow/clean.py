"""Is it usable? What cannot be used is not thrown away: it goes to quarantine with the field and the reason.

A message that cannot be used at all goes as a whole; one wrong value among others costs that value only (`clean_values`).
"""

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, structs

from tactful.domain.charter import Charter, Type
from tactful.domain.event import VERBS, Arrival
from tactful.domain.identity import ANONYMOUS
from tactful.domain.type_rules import CHILD_TRAITS
from tactful.domain.values import Impossible, cleaned, magnitude
from tactful.domain.values.moments import birth_year

ID_MOST = 256
"""Longest id, in characters: longer ones are mistakes (a token, a whole page address)."""
ITEMS_MOST = 500
EARLIEST = (
    788_918_400_000  # 1995-01-01: an older clock was never set (they wake up in 1970 or 1980); MovieLens begins in 1996
)
AHEAD = 24 * 3_600_000  # a client may be a day ahead (its zone); more is a wrong clock


CURRENCY = "currency"
"""The property that names the currency of all money in an event."""


class Unusable(Struct, frozen=True):
    """Why an arrival, or a part of it, cannot be used: which field, and what would mend it."""

    field: str
    why: str


class Spoiled(Struct, frozen=True):
    """A trait that cannot be used while the rest of its arrival can: as an arrival of its own, to be kept until a fix, and why."""

    arrival: Arrival
    reason: Unusable


class Cleaned(Struct, frozen=True):
    """An arrival whose values are what the charter says they are.

    spoiled: traits that are not. dropped: fields that are not; they cannot be added to an event later, so they are not kept at all.
    """

    arrival: Arrival
    spoiled: tuple[Spoiled, ...] = ()
    dropped: tuple[Unusable, ...] = ()


def clean(arrival: Arrival, now: int) -> Arrival | Unusable:
    """The arrival with its time filled in, or the reason why it cannot be used. now: milliseconds since 1970."""
    if not 0 < len(arrival.id) <= ID_MOST:
        return _unusable_id("messageId", arrival.id)
    if not 0 < len(arrival.person) <= ID_MOST or arrival.person == ANONYMOUS:
        return _unusable_id("userId", arrival.person)
    at = now if arrival.at is None else arrival.at
    if not EARLIEST <= at <= now + AHEAD:
        return Unusable(
            "timestamp", "it lies before 1995 or more than a day ahead; set the client's clock, and send sentAt"
        )
    if arrival.verb:
        unusable = _unusable_interaction(arrival)
        if unusable is not None:
            return unusable
    if arrival.at is not None and at <= now:
        return arrival  # what claims to happen only later happened now: it cannot have come in before
    return structs.replace(arrival, at=now)


def _unusable_id(field: str, value: str) -> Unusable:
    if len(value) > ID_MOST:
        return Unusable(field, f"it has {len(value)} characters, the most is {ID_MOST}")
    return Unusable(field, f"it is missing or empty; send a {field}")


def _unusable_interaction(arrival: Arrival) -> Unusable | None:
    if arrival.verb not in VERBS:
        return Unusable("verb", f"it is none of {', '.join(VERBS)}")
    if not arrival.items or "" in arrival.items:
        return Unusable(
            "properties.product_id",
            "the event names no item; send product_id, item_id or id, or products with one each",
        )
    longest = max(map(len, arrival.items))
    if longest > ID_MOST:
        return Unusable("properties.product_id", f"it has {longest} characters, the most is {ID_MOST}")
    if len(arrival.items) > ITEMS_MOST:
        return Unusable("properties.products", f"it names {len(arrival.items)} items, the most is {ITEMS_MOST}")
    if arrival.value is not None and not math.isfinite(arrival.value):
        return Unusable("properties.value", "it is not a finite number")
    return None


# ------------------------------------------------------------------------------------------------------- value by value

_PROTECTING = {name: Type(types[0]) for name, types in CHILD_TRAITS.items()}
"""What says that somebody is a child is heard in any form, whatever the charter declares."""


def clean_values(arrival: Arrival, charter: Charter, now: int) -> Cleaned | Unusable:
    """Each value in the form that the charter declares; undeclared ones as they are. now: milliseconds since 1970.

    An interaction whose own value (stars, say) is impossible is Unusable as a whole: without it, it would say something else.
    """
    if not arrival.verb:
        return _clean_traits(arrival, charter, now) if arrival.traits else Cleaned(arrival)
    types = charter.types_of_verb.get(arrival.verb)
    return Cleaned(arrival) if types is None else _clean_fields(arrival, types, now)


def _clean_traits(arrival: Arrival, charter: Charter, now: int) -> Cleaned:
    kind = "told" if arrival.obtained is None else "obtained"
    declared = charter.types_of_trait
    if not declared and not any(name in arrival.traits for name in CHILD_TRAITS):
        return Cleaned(arrival)
    traits: dict[str, Any] = {}
    spoiled: list[Spoiled] = []
    for name, value in arrival.traits.items():
        type_ = declared.get((kind, name)) or _PROTECTING.get(name)
        try:
            found = value if type_ is None else _one(type_, value, arrival.traits, now)
            if name in CHILD_TRAITS and isinstance(found, str):
                birth_year(found, now)  # a date that only fills a gap (0001-01-01) must make nobody an adult
            traits[name] = found
        except Impossible as mistake:
            piece = {name: value}
            if type_ is not None and type_.type == "money" and CURRENCY in arrival.traits:
                piece[CURRENCY] = arrival.traits[CURRENCY]
            spoiled.append(Spoiled(alone(arrival, piece), Unusable(f"traits.{name}", str(mistake))))
    return Cleaned(structs.replace(arrival, traits=traits), tuple(spoiled))


def _clean_fields(arrival: Arrival, types: Mapping[str, Type], now: int) -> Cleaned | Unusable:
    fields, value = dict(arrival.fields), arrival.value
    dropped: list[Unusable] = []
    for name, type_ in types.items():
        try:
            if name == "value" and value is not None:
                value = float(magnitude(cleaned(type_, value, now)))
            elif name in fields:
                fields[name] = _one(type_, fields[name], arrival.fields, now)
        except Impossible as mistake:
            if name == "value":
                return Unusable("properties.value", str(mistake))
            del fields[name]
            dropped.append(Unusable(f"properties.{name}", str(mistake)))
    return Cleaned(structs.replace(arrival, fields=fields, value=value), (), tuple(dropped))


def _one(type_: Type, value: object, beside: Mapping[str, Any], now: int) -> object:
    return cleaned(type_, value, now, beside.get(CURRENCY) if type_.type == "money" else None)


def alone(arrival: Arrival, traits: dict[str, Any]) -> Arrival:
    """An arrival that brings these traits and nothing else: neither consent nor who is who comes twice."""
    return structs.replace(arrival, traits=traits, also=(), alias=False, says=None)
