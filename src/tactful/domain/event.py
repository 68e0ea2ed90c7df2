"""What happened: the events that a profile is folded from.

An event is kept as part of a record (see `ports.Record`) that says whose it is. Structs that are stored are arrays on disk:
add fields at the end only, with a default, and an older log stays readable.
"""

from typing import Any

from msgspec import Struct

VERBS = (
    "shown",  # an exposure: the item was really in front of the person
    "viewed",
    "clicked",
    "searched",
    "added",  # to a cart or a list
    "dropped",  # taken out of a cart or a list
    "bought",
    "returned",
    "finished",
    "rated",
    "liked",
    "disliked",
)
"""What a person can do with an item. `docs/reference.md` says which events of the Segment specification mean which verb."""

TOWARDS = frozenset({"viewed", "clicked", "added", "bought", "finished", "rated", "liked"})
"""Verbs that speak for an item."""

NEUTRAL = frozenset({"shown", "searched"})
"""Verbs that speak neither for an item nor against it. What is left (dropped, returned, disliked) speaks against it."""

LOOKS = frozenset({"viewed", "clicked"})
"""Verbs of looking at an item, which commit to nothing."""

OVER = frozenset({"bought", "finished", "returned", "dropped", "disliked"})
"""Verbs after which a person is done with an item, for good or ill: they need no way back to it."""

Value = str | int | float | bool | list[str] | None


class Interaction(Struct, frozen=True, array_like=True, tag="interaction", gc=False):
    """A person did something with an item.

    at: when, in milliseconds since 1970, corrected for the skew of the client's clock.
    data: the charter's data entry it is kept as. purposes: what it may be used for, as agreed when it came in.
    visit: kept for the current visit only. kept: when it came in, from which its retention time counts (0: when it happened).
    """

    id: str
    at: int
    verb: str
    item: str
    data: str
    purposes: tuple[str, ...]
    visit: bool = False
    value: float | None = None
    fields: dict[str, Any] = {}
    kept: int = 0


class Told(Struct, frozen=True, array_like=True, tag="told", gc=False):
    """A trait that the person declared."""

    id: str
    at: int
    name: str
    value: Value
    data: str
    purposes: tuple[str, ...]
    kept: int = 0


class Obtained(Struct, frozen=True, array_like=True, tag="obtained", gc=False):
    """A trait that came from somebody else: the seller, the licence and the legal basis stand with it."""

    id: str
    at: int
    name: str
    value: Value
    data: str
    purposes: tuple[str, ...]
    seller: str
    licence: str
    basis: str
    kept: int = 0


class Inferred(Struct, frozen=True, array_like=True, tag="inferred", gc=False):
    """A trait that we concluded. As an event it stands in the person's ledger, where they can see it; it is used from nowhere else.

    evidence: what it was concluded from, in words that the person can read.
    """

    id: str
    at: int
    name: str
    value: Value
    data: str
    purposes: tuple[str, ...]
    evidence: str
    kept: int = 0


Trait = Told | Obtained | Inferred
KIND_OF: dict[type, str] = {Told: "told", Obtained: "obtained", Inferred: "inferred"}
"""The kind of source that a trait is. The four kinds are never mixed."""
Event = Interaction | Told | Obtained | Inferred


class Provenance(Struct, frozen=True):
    """Where obtained data comes from. Without all three it may not be kept."""

    seller: str = ""
    licence: str = ""
    basis: str = ""


class Arrival(Struct, frozen=True, kw_only=True):
    """What a connector read, in our words but not yet believed: `flow/clean.py` checks it, `flow/gate.py` asks whether it may stay.

    at: milliseconds since 1970, or None for now. verb: "" if the event means nothing to us; name: what the client called it.
    items: most often one; an order brings several. granted: purposes as the event itself states them, True or False; they can only narrow what the person allows.
    also: other names of the same person, which the caller has proven: a device (`anon:...`) that is theirs from `at` on, or, with
    `alias`, a name that was theirs all along. says: purposes that the person answers with this event, to be written down as their consent.
    trusted: whether the sender may speak for anybody; otherwise it has proven who it is, and no more.
    obtained: set where the traits come from somebody else than the person; then they are kept as obtained, never as told.
    """

    id: str
    person: str
    name: str
    at: int | None = None
    verb: str = ""
    items: tuple[str, ...] = ()
    value: float | None = None
    fields: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    granted: dict[str, bool] | None = None
    also: tuple[str, ...] = ()
    alias: bool = False
    trusted: bool = True
    says: dict[str, bool] | None = None
    obtained: Provenance | None = None
