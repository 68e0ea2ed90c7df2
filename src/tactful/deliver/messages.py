"""What receivers get, as JSON. Only what they need for their purpose: no reasons, no other purposes, no sensitive categories."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from tactful.domain.consent import ConsentChange
from tactful.domain.event import Event, Inferred, Interaction, Obtained
from tactful.domain.receipt import Receipt
from tactful.flow.release import News


class EventOut(Struct, frozen=True, omit_defaults=True, tag="event"):
    """Somebody did something with an item. number: its place in the feed; at, kept: when it happened and came in, ms since 1970."""

    number: int
    person: str
    id: str
    at: int
    kept: int
    data: str
    verb: str
    item: str
    value: float | None = None
    fields: dict[str, Any] = {}


class TraitOut(Struct, frozen=True, omit_defaults=True, tag="trait"):
    """Something is known about somebody. kind: told, obtained (with seller, licence and basis), or inferred."""

    number: int
    person: str
    id: str
    at: int
    kept: int
    data: str
    kind: str
    name: str
    value: Any
    seller: str = ""
    licence: str = ""
    basis: str = ""


class ItemOut(Struct, frozen=True):
    """What was shown in a slot, with the odds of its draw."""

    item: str
    odds: float


class DecisionOut(Struct, frozen=True, tag="decision"):
    """What was chosen for somebody. Why stays in the house: the reasons name what they did."""

    number: int
    person: str
    id: str
    at: int
    placement: str
    purpose: str
    recipe: str
    models: dict[str, str]
    verdict: str
    personal: bool
    items: list[ItemOut]


class ConsentOut(Struct, frozen=True, tag="consent"):
    """Somebody changed what they allow. allowed, dial: what holds for the receiver's purpose at the moment of sending.

    withdrawn: something was taken away; what is above the dial's level has to go.
    """

    number: int
    person: str
    at: int
    allowed: bool
    dial: str
    withdrawn: bool


class ForgottenOut(Struct, frozen=True, tag="person.forgotten"):
    """Somebody is forgotten: whatever the receiver has of them, from before this message, has to go. notice: its number."""

    person: str
    at: int
    notice: int


class End(Struct, frozen=True, tag="end"):
    """The last line of an answer of the feed. next: where to read on; withheld: what did not leave, by reason."""

    next: int
    withheld: dict[str, int]


encode = msgspec.json.Encoder().encode


def event_out(number: int, person: str, event: Event) -> EventOut | TraitOut:
    """An event as receivers get it."""
    kept = event.kept or event.at
    if isinstance(event, Interaction):
        return EventOut(
            number, person, event.id, event.at, kept, event.data, event.verb, event.item, event.value, event.fields
        )
    common = (number, person, event.id, event.at, kept, event.data)
    if isinstance(event, Obtained):
        return TraitOut(*common, "obtained", event.name, event.value, event.seller, event.licence, event.basis)
    return TraitOut(*common, "inferred" if isinstance(event, Inferred) else "told", event.name, event.value)


def decision_out(number: int, person: str, receipt: Receipt) -> DecisionOut:
    """A decision as receivers get it."""
    items = [ItemOut(shown.item, shown.odds) for shown in receipt.shown]
    return DecisionOut(
        number, person, receipt.id, receipt.at, receipt.placement, receipt.purpose, receipt.recipe, receipt.models,
        receipt.verdict, receipt.personal, items,
    )  # fmt: skip


def consent_out(number: int, person: str, change: ConsentChange, news: News) -> ConsentOut:
    """A change of consent as receivers get it."""
    return ConsentOut(number, person, change.at, news.level > 0, news.level.name, news.withdrawn)


def body_of(receiver: str, messages: Iterable[bytes]) -> bytes:
    """The body of one post."""
    return b'{"receiver":' + encode(receiver) + b',"messages":[' + b",".join(messages) + b"]}"


def lines_of(messages: Iterable[bytes], end: End) -> bytes:
    """The same messages as NDJSON, one a line; the last line says where to read on."""
    return b"".join(message + b"\n" for message in (*messages, encode(end)))
