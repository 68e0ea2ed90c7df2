"""Is it usable? An arrival that cannot be used is not thrown away: it goes to quarantine with the field and the reason."""

import math

from msgspec import Struct, structs

from tactful.domain.event import VERBS, Arrival
from tactful.domain.identity import ANONYMOUS

ID_MOST = 256
"""Longest id, in characters: longer ones are mistakes (a token, a whole page address)."""
ITEMS_MOST = 500
EARLIEST = (
    788_918_400_000  # 1995-01-01: an older clock was never set (they wake up in 1970 or 1980); MovieLens begins in 1996
)
AHEAD = 24 * 3_600_000  # a client may be a day ahead (its zone); more is a wrong clock


class Unusable(Struct, frozen=True):
    """Why an arrival cannot be used: which field, and what would mend it."""

    field: str
    why: str


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
        return Unusable("verb", f"{arrival.verb!r} is not one of {', '.join(VERBS)}")
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
