"""Messages in the shape of the Segment specification, as Segment's and RudderStack's clients send them → arrivals."""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, structs

from tactful.connectors.pieces import Unreadable
from tactful.connectors.segment_body import Batch, read_batch, read_one
from tactful.connectors.segment_names import ITEM_KEYS, Meaning, meaning, specification, specified
from tactful.domain.errors import TooLarge
from tactful.domain.event import Arrival
from tactful.domain.identity import ANONYMOUS
from tactful.ports import Quarantined

__all__ = [
    "FORMAT", "ITEM_KEYS", "Batch", "Caller", "Meaning", "again", "arrivals", "meaning", "read_batch", "read_one", "specification", "specified",
]  # fmt: skip

FORMAT = "segment"
"""What pieces in quarantine are called that this connector can read again."""
CONSENT_EVENT = "Segment Consent Preference Updated"
"""The track event by which a consent tool tells what the person answered."""
NAME_MOST = 256
"""Longest name of a person or device, in characters, with the prefix of devices."""
DAY = 86_400_000


class Message(Struct):
    """One message. Fields that we do not know are not read."""

    type: str = "track"
    messageId: str | None = None
    userId: str | int | None = None
    anonymousId: str | int | None = None
    previousId: str | int | None = None
    event: str | None = None
    name: Any = None
    timestamp: datetime | None = None
    originalTimestamp: datetime | None = None
    sentAt: datetime | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


class Caller(Struct, frozen=True):
    """Who is sending. trusted: with a secret key, may speak for anybody. person: proven by a signed token, else None.

    device: the anonymous id that the request itself names, for messages that name nobody; "" if it names none.
    """

    trusted: bool
    person: str | None = None
    device: str = ""


class _Around(NamedTuple):
    """What is needed to read a message besides the message."""

    sent_at: datetime | None
    caller: Caller
    now: int
    means: Meaning


_message = msgspec.json.Decoder(Message)


def arrivals(
    batch: Batch, caller: Caller, now: int, event_most: int, means: Meaning | None = None
) -> tuple[list[Arrival], list[Quarantined]]:
    """What the batch brings, and what of it cannot even be read. now: ms since 1970; event_most: bytes of one message.

    Raises TooLarge, for the whole batch, as the specification asks.
    """
    means = specification() if means is None else means
    around = _Around(batch.sent_at, caller, now, means)
    read: list[Arrival] = []
    unusable: list[Quarantined] = []
    for number, raw in enumerate(batch.messages):
        place = f"batch[{number}]"
        if len(raw) > event_most:
            raise TooLarge(field=place, size=len(raw), unit="bytes", most=event_most, fix="Send smaller properties")
        try:
            message = _decoded(raw, batch)
        except Unreadable as wrong:
            unusable.append(_set_aside(place, raw, wrong, batch, around))
            continue
        try:
            read.append(_arrival(message, around))
        except Unreadable as wrong:
            unusable.append(_set_aside((message.messageId or place)[:64], raw, wrong, batch, around))
    return read, unusable


def _decoded(raw: msgspec.Raw, batch: Batch) -> Message:
    """The message, with what holds for the whole batch. Raises Unreadable."""
    try:
        message = _message.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as mistake:  # ValidationError is a DecodeError
        why, _, path = str(mistake).partition(" - at `$")
        raise Unreadable(path.rstrip("`").lstrip(".") or "message", why[:1].lower() + why[1:]) from None
    if batch.kind:
        message.type = batch.kind
    if batch.context:
        message.context = {**batch.context, **(message.context or {})}
    return message


def again(piece: Quarantined, means: Meaning | None = None) -> tuple[list[Arrival], list[Quarantined]]:
    """What a message from quarantine brings now, by the standing that its sender had then."""
    caller = Caller(piece.trusted, piece.proven or None)
    return arrivals(Batch([msgspec.Raw(piece.raw)]), caller, piece.at, len(piece.raw), means)


def _set_aside(name: str, raw: msgspec.Raw, wrong: Unreadable, batch: Batch, around: _Around) -> Quarantined:
    standing = around.caller.trusted, around.caller.person or ""
    whole = _with_its_envelope(raw, batch)
    return Quarantined(name, around.now, _claimed(raw), whole, wrong.field, wrong.why, FORMAT, *standing)


def _with_its_envelope(raw: msgspec.Raw, batch: Batch) -> bytes:
    """The message with what its address and its batch said for it, so that it can be read again by itself; else as it came."""
    said: dict[str, Any] = {"sentAt": batch.sent_at} if batch.sent_at else {}
    told: dict[str, Any] = {"type": batch.kind} if batch.kind else {}
    if not (said or told or batch.context):
        return bytes(raw)
    try:
        message = msgspec.json.decode(raw, type=dict[str, Any])
        if batch.context and isinstance(message.get("context") or {}, dict):
            told["context"] = {**batch.context, **(message.get("context") or {})}
        return msgspec.json.encode({**said, **message, **told})
    except (ValueError, OverflowError, RecursionError):
        return bytes(raw)


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
        if isinstance(name, str | int) and name != "" and len(person) <= NAME_MOST and person.isprintable():
            return person
    return ""


# ------------------------------------------------------------------------------------------------------- what a message says


def _arrival(message: Message, around: _Around) -> Arrival:
    """The message in our words. Raises Unreadable."""
    caller, means = around.caller, around.means
    person = _person(message, caller)
    said: dict[str, Any]  # fields of the arrival
    match message.type:
        case "track" if message.event == CONSENT_EVENT:
            said = _consent(message, means)
        case "track":
            said = _track(message, means)
        case "page" | "screen":
            said = _page(message, means)
        case "identify":
            said = _identify(message, person, caller)
        case "alias":
            said = _alias(message, person, caller)
        case _:
            said = {"name": message.type}
    if "says" not in said:
        said["granted"] = _granted(message.context, means)
    name = message.messageId or _id_of(message, around.now)
    return Arrival(id=name, person=person, at=_when(message, around), **said)


def _track(message: Message, means: Meaning) -> dict[str, Any]:
    name = message.event or message.type
    verb = means.of_event(name)
    properties = message.properties or {}
    items = _items(properties, means) if verb else ()
    if verb and not items and not means.needs_item(name, verb):
        return {"name": f"{name} without an item"}
    return _with_items(name, verb, items, properties, means)


def _page(message: Message, means: Meaning) -> dict[str, Any]:
    """A page or screen means something only if the installation says so, and if it names an item."""
    verb = means.of_page(message.name if isinstance(message.name, str) else "")
    properties = message.properties or {}
    items = _items(properties, means) if verb else ()
    return _with_items(message.type, verb if items else "", items, properties, means)


def _with_items(
    name: str, verb: str, items: tuple[str, ...], properties: dict[str, Any], means: Meaning
) -> dict[str, Any]:
    known = means.elsewhere if verb else frozenset()
    fields = {key: value for key, value in properties.items() if key not in known}
    return {"name": name, "verb": verb, "items": items, "value": _value(properties), "fields": fields}


def _identify(message: Message, person: str, caller: Caller) -> dict[str, Any]:
    """Traits, which RudderStack's clients put into the context; and, from whom may say so, whose the device is."""
    behind = (message.context or {}).get("traits")
    traits = {**(behind if isinstance(behind, dict) else {}), **(message.traits or {})}
    device = _device(message.anonymousId)
    also = (device,) if device and _speaks_for(caller, person) else ()
    return {"name": message.type, "traits": traits, "also": also, "trusted": caller.trusted}


def _alias(message: Message, person: str, caller: Caller) -> dict[str, Any]:
    """Two names of one person. Raises Unreadable unless the caller may speak for the one that stays."""
    user = _name(message.userId)
    if not user:
        raise Unreadable("userId", "an alias names nobody whom the previous id belongs to; send a userId")
    if person != user:
        raise Unreadable("userId", _UNPROVEN)
    previous = _name(message.previousId)
    if not previous:
        raise Unreadable("previousId", "it is missing or empty; send the id that the person had before")
    device = previous if previous.startswith(ANONYMOUS) else _device(previous)
    if len(device) > NAME_MOST:
        raise Unreadable("previousId", f"it has {len(previous)} characters, the most is {NAME_MOST - len(ANONYMOUS)}")
    # Whoever proves to be one person has not proven to be the other: only a server may join two known names.
    known = (previous,) if caller.trusted and previous not in (user, device) else ()
    return {"name": message.type, "also": (device, *known), "alias": True, "trusted": caller.trusted}


def _consent(message: Message, means: Meaning) -> dict[str, Any]:
    """What the person answered in the consent tool. Only a clear yes or no is an answer."""
    told = (message.properties or {}).get("categoryPreferences")
    preferences = told if isinstance(told, dict) else _preferences(message.context)
    says = means.answers({name: given for name, given in (preferences or {}).items() if isinstance(given, bool)})
    name = CONSENT_EVENT if says else f"{CONSENT_EVENT} about none of the charter's purposes"
    return {"name": name, "says": says or None}


# ------------------------------------------------------------------------------------------------------------- whose it is

_UNPROVEN = (
    "a public key cannot speak for a known person; send the person's token too, or use a secret key on your server"
)


def _person(message: Message, caller: Caller) -> str:
    """Whose event it is, "" if it does not say. Raises Unreadable if it says something that the caller cannot prove."""
    user = _name(message.userId)
    if not user:
        return _device(message.anonymousId) or _device(caller.device)
    if user.startswith(ANONYMOUS):
        raise Unreadable("userId", f"it begins with {ANONYMOUS!r} like a device's name; send a device's as anonymousId")
    if _speaks_for(caller, user):
        return user
    anonymous = _device(message.anonymousId) or _device(caller.device)
    if not anonymous:
        raise Unreadable("userId", _UNPROVEN)
    # The claim cannot be proven: what the device did is the device's, and is attached to nobody known.
    return anonymous


def _speaks_for(caller: Caller, person: str) -> bool:
    """Whether the caller has proven to act for this known person."""
    return bool(person) and not person.startswith(ANONYMOUS) and (caller.trusted or person == caller.person)


def _name(name: str | int | None) -> str:
    return "" if name is None else str(name)


def _device(name: str | int | None) -> str:
    return "" if name in (None, "") else f"{ANONYMOUS}{name}"


def _id_of(message: Message, now: int) -> str:
    """An id for a message that brings none, as every client of theirs does: made from its content, so that sending it again adds nothing.

    The same content without any time is taken for the same event within one day (UTC) only.
    """
    timed = message.timestamp or message.originalTimestamp
    content = structs.replace(message, messageId=None, sentAt=None)
    try:
        plain = msgspec.json.encode(content, order="deterministic")
    except (ValueError, OverflowError, RecursionError):
        plain = repr(content).encode(errors="replace")
    day = b"" if timed else b"%d" % (now // DAY)
    return f"made-{hashlib.blake2b(plain + day, digest_size=15).hexdigest()}"


# ---------------------------------------------------------------------------------------------------- about what, how much, when


def _items(properties: dict[str, Any], means: Meaning) -> tuple[str, ...]:
    products = properties.get("products")
    if isinstance(products, list) and products:
        return tuple(_item(product, means) if isinstance(product, dict) else "" for product in products)
    item = _item(properties, means)
    return (item,) if item else ()


def _item(properties: dict[str, Any], means: Meaning) -> str:
    for key in means.items:
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


def _when(message: Message, around: _Around) -> int | None:
    """When it happened, corrected for the client's clock: receivedAt - (sentAt - originalTimestamp). None if it does not say.

    Segment's clients put the original time into `timestamp`. A message that has both says by `originalTimestamp` when it was made,
    and by another `timestamp` when what it tells of happened: that is told, not read off the client's clock, and is taken as it is.
    """
    original = message.originalTimestamp or message.timestamp
    if original is None:
        return None
    at = _ms(original)
    told = message.timestamp
    if told is not None and told is not original and _ms(told) != at:
        return _ms(told)
    sent = (
        message.sentAt or around.sent_at
    )  # by the clock that the message was made by, rather than by one that passed it on
    return at if sent is None else around.now - (_ms(sent) - at)


def _ms(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


# ------------------------------------------------------------------------------------------------------------------ consent


def _granted(context: dict[str, Any] | None, means: Meaning) -> dict[str, bool] | None:
    """What the event itself says of consent, by purpose; None if it says nothing."""
    if not context:
        return None
    preferences = _preferences(context)
    return None if preferences is None else means.answers(preferences)


def _preferences(context: dict[str, Any] | None) -> Mapping[str, Any] | None:
    """By category of the consent tool: `consent.categoryPreferences` (Segment), or the lists of `consentManagement` (RudderStack)."""
    context = context or {}
    consent = context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if isinstance(preferences, dict):
        return preferences
    managed = context.get("consentManagement")
    if not isinstance(managed, dict):
        return None
    told = {}
    for key, given in (("allowedConsentIds", True), ("deniedConsentIds", False)):
        names = managed.get(key)
        told.update({str(name): given for name in (names if isinstance(names, list) else ())})
    return told or None
