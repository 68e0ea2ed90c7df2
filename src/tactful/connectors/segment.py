"""Events in the shape of the Segment specification → arrivals."""

import math
import re
import tomllib
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from tactful.domain.errors import BadInput, TooLarge
from tactful.domain.event import VERBS, Arrival
from tactful.domain.identity import ANONYMOUS
from tactful.ports import Quarantined

FORMAT = "segment"
"""What pieces in quarantine are called that this connector can read again."""
ITEM_KEYS = ("product_id", "item_id", "item", "id", "sku")
"""Properties that name the item, in order of preference."""


class Message(Struct):
    """One message. Fields that we do not know are not read."""

    type: str = "track"
    messageId: str | None = None
    userId: str | int | None = None
    anonymousId: str | int | None = None
    event: str | None = None
    timestamp: datetime | None = None
    originalTimestamp: datetime | None = None
    sentAt: datetime | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


class Batch(Struct):
    """A batch as it comes: its messages are decoded one by one, so that a bad one costs itself only."""

    batch: list[msgspec.Raw]
    sentAt: datetime | None = None
    writeKey: str | None = None


class Caller(Struct, frozen=True):
    """Who is sending. trusted: with a secret key, may speak for anybody. person: proven by a signed token, else None."""

    trusted: bool
    person: str | None = None


_batch = msgspec.json.Decoder(Batch)
_message = msgspec.json.Decoder(Message)


@cache
def verbs() -> dict[str, str]:
    """Event name → verb: the specification's names, and our verbs themselves."""
    named: dict[str, str] = tomllib.loads(
        (files("tactful.connectors") / "segment_events.toml").read_text(encoding="utf-8")
    )
    return {**named, **{verb: verb for verb in VERBS}}


def read_batch(body: bytes) -> Batch:
    """The envelope. Raises BadInput if it is not JSON, or has no list called `batch`."""
    try:
        try:
            return _batch.decode(body)
        except msgspec.DecodeError:
            whole = _ESCAPES.sub(_without_half_characters, body)
            if whole == body:
                raise
            return _batch.decode(whole)
    except msgspec.ValidationError as mistake:
        raise BadInput(field="batch", why=str(mistake), fix='Send {"batch": [message, ...]}') from None
    except RecursionError:
        raise BadInput(field="body", why="it is nested too deeply", fix="Send flat properties") from None
    except msgspec.DecodeError as mistake:
        raise BadInput(field="body", why=f"it is not JSON ({mistake})", fix='Send {"batch": [message, ...]}') from None


_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\."
)


def _without_half_characters(escape: "re.Match[bytes]") -> bytes:
    """A client that cuts a text in the middle of an emoji sends half a character, which no text can hold; it becomes U+FFFD."""
    found = escape.group()
    return b"\\ufffd" if len(found) == 6 else found


def arrivals(batch: Batch, caller: Caller, now: int, event_most: int) -> tuple[list[Arrival], list[Quarantined]]:
    """What the batch brings, and what of it cannot even be read. now: ms since 1970; event_most: bytes of one message.

    Raises TooLarge, for the whole batch, as the specification asks.
    """
    read: list[Arrival] = []
    unusable: list[Quarantined] = []
    for number, raw in enumerate(batch.batch):
        if len(raw) > event_most:
            raise TooLarge(
                field=f"batch[{number}]", size=len(raw), unit="bytes", most=event_most, fix="Send smaller properties"
            )
        try:
            message = _message.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as mistake:  # ValidationError is a DecodeError
            field, why = _mistake(str(mistake))
            unusable.append(_set_aside(f"batch[{number}]", raw, field, why, caller, now))
            continue
        person = _person(message, caller)
        if person is None:
            why = "a public key cannot speak for a known person; send the person's token too, or use a secret key on your server"
            unusable.append(_set_aside(message.messageId or "", raw, "userId", why, caller, now))
            continue
        read.append(_arrival(message, person, batch.sentAt, now))
    return read, unusable


def again(piece: Quarantined) -> tuple[list[Arrival], list[Quarantined]]:
    """What a message from quarantine brings now, by the standing that its sender had then."""
    caller = Caller(piece.trusted, piece.proven or None)
    return arrivals(Batch([msgspec.Raw(piece.raw)]), caller, piece.at, len(piece.raw))


def _set_aside(name: str, raw: msgspec.Raw, field: str, why: str, caller: Caller, now: int) -> Quarantined:
    standing = caller.trusted, caller.person or ""
    return Quarantined(name, now, _claimed(raw), bytes(raw), field, why, FORMAT, *standing)


class _Claim(Struct):
    """Whom a message names, read from one that is otherwise unusable."""

    userId: Any = None
    anonymousId: Any = None


_claim = msgspec.json.Decoder(_Claim)


def _claimed(raw: msgspec.Raw) -> str:
    """Whom an unusable message names, proven or not, so that forgetting that person takes it out of quarantine too; "" if nobody."""
    try:
        claim = _claim.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    for prefix, name in (("", claim.userId), (ANONYMOUS, claim.anonymousId)):
        person = f"{prefix}{name}"
        if isinstance(name, str | int) and name != "" and len(person) <= 256 and person.isprintable():
            return person
    return ""


def _arrival(message: Message, person: str, sent_at: datetime | None, now: int) -> Arrival:
    properties = message.properties or {}
    name = message.event or message.type
    verb = verbs().get(name, "") if message.type == "track" else ""
    known = _ITEM_FIELDS if verb else frozenset()
    return Arrival(
        id=message.messageId or "",
        person=person,
        name=name,
        at=_when(message, sent_at, now),
        verb=verb,
        items=_items(properties) if verb else (),
        value=_value(properties),
        fields={name: value for name, value in properties.items() if name not in known},
        traits=(message.traits or {}) if message.type == "identify" else {},
        granted=_granted(message.context),
    )


_ITEM_FIELDS = frozenset({*ITEM_KEYS, "products", "value", "rating"})


def _items(properties: dict[str, Any]) -> tuple[str, ...]:
    products = properties.get("products")
    if isinstance(products, list):
        return tuple(_item(product) if isinstance(product, dict) else "" for product in products)
    item = _item(properties)
    return (item,) if item else ()


def _item(properties: dict[str, Any]) -> str:
    for key in ITEM_KEYS:
        value = properties.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def _value(properties: dict[str, Any]) -> float | None:
    for key in ("rating", "value"):
        value = properties.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value) if abs(value) < 1e300 else math.inf
    return None


def _person(message: Message, caller: Caller) -> str | None:
    """Whose event it is: "" if it does not say, None if it says something that the caller cannot prove."""
    anonymous = "" if message.anonymousId in (None, "") else f"{ANONYMOUS}{message.anonymousId}"
    if message.userId is None or message.userId == "":
        return anonymous
    user = str(message.userId)
    if user.startswith(ANONYMOUS):
        return None
    if caller.trusted or user == caller.person:
        return user
    # The claim cannot be proven: what the device did is the device's, and is attached to nobody known.
    return anonymous or None


def _when(message: Message, sent_at: datetime | None, now: int) -> int | None:
    """When it happened, corrected for the client's clock: receivedAt - (sentAt - originalTimestamp)."""
    happened = message.originalTimestamp or message.timestamp
    if happened is None:
        return None
    at = _ms(happened)
    sent = message.sentAt or sent_at
    return at if sent is None else now - (_ms(sent) - at)


def _ms(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _granted(context: dict[str, Any] | None) -> dict[str, bool] | None:
    """What the event itself says of consent (`context.consent.categoryPreferences`), by purpose; None if it says nothing."""
    consent = (context or {}).get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if not isinstance(preferences, dict):
        return None
    return {str(name): given is True for name, given in preferences.items()}


def _mistake(message: str) -> tuple[str, str]:
    why, _, path = message.partition(" - at `$")
    return path.rstrip("`").lstrip(".") or "message", why[:1].lower() + why[1:]
