"""Amazon Personalize's requests (personalize-events 2018-03-22, personalize-runtime 2018-05-22) → arrivals, items, asks; and answers back.

Limits are Amazon's own, so that what passes there passes here. One wrong event or user costs itself only.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from tactful.connectors import pieces
from tactful.connectors.pieces import Brought, Unreadable, decoded, named, set_aside
from tactful.connectors.segment import Caller
from tactful.connectors.verbs import verb_of
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.domain.identity import ANONYMOUS
from tactful.domain.item import AUDIENCES, Attribute, Item, Price

T = TypeVar("T")
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Arn = Annotated[str, Meta(max_length=256, pattern=r"^arn:[a-z\d-]+:personalize:[^\r\n]*:[^\r\n]*:[^\r\n]+$")]
FilterValues = Annotated[dict[str, Annotated[str, Meta(max_length=1000)]], Meta(max_length=25)]
Context = Annotated[dict[str, Annotated[str, Meta(max_length=1000)]], Meta(max_length=150)]
Columns = Annotated[dict[str, Annotated[list[str], Meta(max_length=99)]], Meta(max_length=1)]
BOUND = 1 << 63
TOO_LARGE = ("properties", "send smaller properties")
LATEST = 1e11  # seconds: far beyond what `clean` takes, and still a whole number


class PutEvents(Struct):
    """What one person, or a session of nobody by name, did. Its events are decoded one by one."""

    trackingId: Name
    sessionId: Name
    eventList: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=10)]
    userId: Name | None = None


class OneEvent(Struct):
    """sentAt: seconds since 1970. properties: a JSON object as text. impression: what was shown beside it."""

    eventType: Name
    sentAt: float
    itemId: Name | None = None
    eventValue: float | None = None
    properties: str | None = None
    eventId: Name | None = None
    recommendationId: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    impression: Annotated[list[Name], Meta(min_length=1, max_length=25)] | None = None


class OneItem(Struct):
    """properties: a JSON object as text."""

    itemId: Name
    properties: str | None = None


class PutItems(Struct):
    """All or none. datasetArn: there is one catalogue here, so only its shape is looked at."""

    datasetArn: Arn
    items: Annotated[list[OneItem], Meta(min_length=1, max_length=10)]


class OneUser(Struct):
    """properties: a JSON object as text."""

    userId: Name
    properties: str | None = None


class PutUsers(Struct):
    """Its users are decoded one by one."""

    datasetArn: Arn
    users: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=10)]


class GetRecommendations(Struct):
    """Which items for whom, where."""

    campaignArn: Arn | None = None
    recommenderArn: Arn | None = None
    itemId: Annotated[str, Meta(max_length=256)] | None = None
    userId: Annotated[str, Meta(max_length=256)] | None = None
    numResults: Annotated[int, Meta(ge=0)] | None = None
    context: Context | None = None
    filterArn: Arn | None = None
    filterValues: FilterValues | None = None
    promotions: list[msgspec.Raw] | None = None
    metadataColumns: Columns | None = None


class GetPersonalizedRanking(Struct):
    """The caller's own candidates, in whose order."""

    campaignArn: Arn
    inputList: Annotated[list[Name], Meta(min_length=1)]
    userId: Annotated[str, Meta(max_length=256)]
    context: Context | None = None
    filterArn: Arn | None = None
    filterValues: FilterValues | None = None
    metadataColumns: Columns | None = None


def access_key(authorization: str) -> str:
    """The access-key id in the header of a signed request; "" if there is none."""
    found = re.match(r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/", authorization)
    return found.group(1) if found else ""


def read(body: bytes, kind: type[T]) -> T:
    """A request. Raises BadInput, which names the field."""
    return pieces.read(body, kind, "Send what the Amazon Personalize API describes")


# -------------------------------------------------------------------------------------------------------------- events


def brought(
    came: PutEvents, caller: Caller, call: str, now: int, own: Mapping[str, str], most: int, known_session: bool
) -> Brought:
    """What a PutEvents brings.

    call: by what a client tells its calls apart, the same when it tries again ("" if it does not). own: event type → verb.
    most: bytes of one event. known_session: the session was here before the person said who they are, and becomes theirs.
    """
    session = ANONYMOUS + came.sessionId
    proven = came.userId if came.userId is not None and (caller.trusted or came.userId == caller.person) else None
    person = session if proven is None else proven
    also = (session,) if proven is not None and caller.trusted and known_session else ()
    seed = call or f"{came.trackingId}|{came.sessionId}|"
    result = Brought([], [], Counter())
    for number, raw in enumerate(came.eventList):
        where = f"eventList[{number}]"
        try:
            if (came.userId or "").startswith(ANONYMOUS):
                raise Unreadable(
                    "userId", f"a person's id cannot begin with {ANONYMOUS}; leave it out, sessionId names the device"
                )
            event = decoded(raw, OneEvent, most, *TOO_LARGE)
            fresh = _digest(f"{seed}|{number}", b"" if call else bytes(raw))
            result.arrivals.extend(_arrivals(event, person, also, fresh, own, result.unmapped))
        except Unreadable as reason:
            result.unusable.append(set_aside(where, now, raw, reason, person=person))
    return result


def _arrivals(
    event: OneEvent, person: str, also: tuple[str, ...], fresh: str, own: Mapping[str, str], unmapped: dict[str, int]
) -> list[Arrival]:
    properties = _properties(event.properties)
    item = event.itemId or properties.pop("itemId", None)
    value = properties.pop("eventValue", None) if event.eventValue is None else event.eventValue
    if event.recommendationId is not None:
        properties["receipt"] = event.recommendationId
    verb, name, at = (
        verb_of(event.eventType, own),
        event.eventId or fresh,
        int(max(min(event.sentAt, LATEST), 0.0) * 1000),
    )
    if not verb:
        unmapped[event.eventType] = unmapped.get(event.eventType, 0) + 1
    elif not isinstance(item, str) or not item:
        raise Unreadable("itemId", "the event names no item; send itemId")
    did = Arrival(
        id=name, person=person, name=event.eventType, at=at, verb=verb, also=also, fields=properties,
        items=(item,) if verb and isinstance(item, str) else (), value=_number(value),
    )  # fmt: skip
    if not event.impression:
        return [did]
    shown = Arrival(
        id=_digest(f"shown|{name}"), person=person, name="impression", at=at, verb="shown", also=also,
        items=tuple(dict.fromkeys(event.impression)),
    )  # fmt: skip
    return [shown, did]


def users_brought(came: PutUsers, caller: Caller, call: str, now: int, most: int) -> Brought:
    """What a PutUsers brings: traits, as the caller's own records have them. See `brought`."""
    result = Brought([], [], {})
    for number, raw in enumerate(came.users):
        person = ""
        try:
            user = decoded(raw, OneUser, most, *TOO_LARGE)
            person = user.userId
            if person.startswith(ANONYMOUS):
                raise Unreadable("userId", f"a person's id cannot begin with {ANONYMOUS}")
            if not caller.trusted and person != caller.person:
                raise Unreadable(
                    "userId", "a public key cannot speak for a known person; use a secret key on your server"
                )
            fresh = _digest(f"{call}|user|{number}", b"" if call else bytes(raw))
            traits = {name: _value(value) for name, value in _properties(user.properties).items()}
            result.arrivals.append(Arrival(id=fresh, person=person, name="put_users", traits=traits))
        except Unreadable as reason:
            result.unusable.append(set_aside(f"users[{number}]", now, raw, reason, person=person))
    return result


def _properties(text: str | None) -> dict[str, Any]:
    """The object that stands as text in `properties`; empty if there is none."""
    if text is None or not text.strip():
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as mistake:
        raise Unreadable("properties", f"it is not a JSON object as text ({named(mistake)[1]})") from None


def _value(value: Any) -> Any:
    """A property's value; several come as one text with bars between them."""
    return [part.strip() for part in value.split("|")] if isinstance(value, str) and "|" in value else value


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else None


def _digest(name: str, more: bytes = b"") -> str:
    return hashlib.blake2b(name.encode(errors="surrogatepass") + more, digest_size=16).hexdigest()


# --------------------------------------------------------------------------------------------------------------- items

TITLES = ("title", "name", "itemName", "productName")
TEXTS = ("productDescription", "description")


def item_of(came: OneItem, known: Item | None, where: str) -> Item:
    """The item. known: the same item as it stood; what Amazon's items cannot say (whether it may be shown, to whom it suits, what it
    would betray, its vectors) stays as it was. where: the place in the request, for errors. Raises BadInput."""
    before = known or Item(id=came.itemId, title=came.itemId)
    try:
        properties = _properties(came.properties)
    except Unreadable as reason:
        raise BadInput(field=f"{where}.properties", why=reason.why, fix="Send a JSON object as text") from None
    title, text = (
        next((properties.pop(n) for n in names if isinstance(properties.get(n), str)), "") for names in (TITLES, TEXTS)
    )
    price, currency = _number(properties.get("price")), properties.pop("currency", None)
    if price is not None:
        properties.pop("price")
        before_currency = before.price.currency if before.price else "EUR"
        cost: Price | None = Price(price, currency if isinstance(currency, str) else before_currency)
    else:
        cost = before.price
    item = structs.replace(before, title=title or before.title, text=text or before.text, price=cost)
    item = _with_our_words(item, properties, where)
    attributes = {
        name: _attribute(value, f"{where}.properties.{name}") for name, value in properties.items() if value is not None
    }
    return structs.replace(item, attributes=attributes)


def _with_our_words(item: Item, properties: dict[str, Any], where: str) -> Item:
    """Take the properties that say what only our items can say: available, audience, sensitivity, kind; and Amazon's `adult`."""
    if str(properties.get("adult")).casefold() in ("yes", "true", "1"):
        item = structs.replace(item, audience="adults")
    if isinstance(kind := properties.pop("kind", None), str):
        item = structs.replace(item, kind=kind)
    available = properties.pop("available", None)
    if available is not None:
        item = structs.replace(item, available=str(available).casefold() in ("yes", "true", "1"))
    audience = properties.pop("audience", None)
    if audience is not None:
        if audience not in AUDIENCES:
            fix = f"Use one of {', '.join(AUDIENCES)}"
            raise BadInput(field=f"{where}.properties.audience", why=f"{audience!r} is none", fix=fix)
        item = structs.replace(item, audience=audience)
    sensitivity = properties.pop("sensitivity", None)
    if sensitivity is not None:
        named = _value(sensitivity)
        names = tuple(map(str, named)) if isinstance(named, list) else (str(named),)
        item = structs.replace(item, sensitivity=tuple(name for name in names if name))
    return item


def _attribute(value: Any, field: str) -> Attribute:
    value = _value(value)
    if isinstance(value, int) and not -BOUND <= value < BOUND:
        raise BadInput(field=field, why="it has more than 64 bits", fix="Send it as text")
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    raise BadInput(
        field=field, why="it is neither text, number nor yes or no", fix="Send several values with | between them"
    )


def metadata(item: Item, columns: list[str]) -> dict[str, str]:
    """The item's values under the caller's names for them: `GENRES` finds `genres`, `CREATION_TIMESTAMP` finds `creationTimestamp`."""
    plain = {_plain(name): value for name, value in item.attributes.items()}
    plain |= {"title": item.title, "kind": item.kind}
    if item.price:
        plain |= {"price": item.price.amount, "currency": item.price.currency}
    if item.text:
        plain |= {_plain(name): item.text for name in TEXTS}
    found = {column: plain[_plain(column)] for column in columns if _plain(column) in plain}
    return {column: "|".join(value) if isinstance(value, list) else str(value) for column, value in found.items()}


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


# ------------------------------------------------------------------------------------------------------------- answers


class PredictedItem(Struct, omit_defaults=True):
    """An item in its place. score: as the placement adds it up, not a share of 1. reason: one sentence, true of this person."""

    itemId: str
    score: float = 0.0
    reason: list[str] = []
    metadata: dict[str, str] = {}


class ItemList(Struct):
    """The answer to GetRecommendations. recommendationId: the receipt, see GET /v1/receipts/{receipt}."""

    itemList: list[PredictedItem]
    recommendationId: str


class Ranking(Struct):
    """The answer to GetPersonalizedRanking."""

    personalizedRanking: list[PredictedItem]
    recommendationId: str


def last_part(arn: str) -> str:
    """`arn:aws:personalize:eu-west-1:1:campaign/home` → `home`."""
    return re.split(r"[/:]", arn)[-1]


def translated(arn: str, words: Mapping[str, str]) -> str | None:
    """What the installation calls this ARN: by the whole of it, or by its last part; None if it has no word for it."""
    return words.get(arn) or words.get(last_part(arn))
