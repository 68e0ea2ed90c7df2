"""Gorse's REST objects → arrivals and items; and items back."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from tactful.connectors import pieces
from tactful.connectors.pieces import Brought, Unreadable, decoded, set_aside
from tactful.connectors.segment import Caller
from tactful.connectors.verbs import verb_of
from tactful.domain.event import TOWARDS, Arrival
from tactful.domain.identity import ANONYMOUS
from tactful.domain.item import Attribute, Item

T = TypeVar("T")
Name = Annotated[str, Meta(min_length=1, max_length=256)]
CATEGORIES, LABELS, TIMESTAMP = "categories", "labels", "timestamp"
OWN = (CATEGORIES, LABELS, TIMESTAMP)
"""Attributes under which an item keeps what Gorse has fields for."""
DEEPEST = 8
TOO_LARGE = ("body", "send less with each")


class Feedback(Struct):
    """Timestamp: ISO 8601, or empty for now. Value: 0 is none."""

    FeedbackType: Name
    UserId: Name
    ItemId: Name
    Timestamp: str | None = None
    Value: float | None = None


class SessionFeedback(Struct):
    """Feedback of a session, whose user is nobody here."""

    FeedbackType: Name
    ItemId: Name
    Timestamp: str | None = None


class User(Struct):
    """Labels: anything."""

    UserId: Name
    Labels: Any = None


class UserPatch(Struct):
    """What changes of a user."""

    Labels: Any = None


class GorseItem(Struct):
    """Labels: a list of words, or an object of words, numbers, lists and objects; a list of numbers is a vector."""

    ItemId: Name
    IsHidden: bool | None = None
    Categories: list[str] | None = None
    Timestamp: str | None = None
    Labels: Any = None
    Comment: str | None = None


class ItemPatch(Struct):
    """What changes of an item; what is null stays."""

    IsHidden: bool | None = None
    Categories: list[str] | None = None
    Timestamp: str | None = None
    Labels: Any = None
    Comment: str | None = None


class Score(Struct):
    """An item in its place. Score: as the placement adds it up."""

    Id: str
    Score: float


def read(body: bytes, kind: type[T]) -> T:
    """A request as this type. Raises BadInput, which names the field."""
    return pieces.read(body, kind, "Send what Gorse's API describes")


# ------------------------------------------------------------------------------------------------------------ feedback


def feedback_brought(
    came: Sequence[msgspec.Raw], caller: Caller, own: Mapping[str, str], now: int, most: int, overwrite: bool = False
) -> Brought:
    """What a list of feedback brings. own: feedback type → verb. most: bytes of one.

    Feedback with the same type, user, item and time is the same, so that what is sent again counts once; with overwrite (PUT), so must
    be its value. It is one thing done, and adds to what was done before.
    """
    result = Brought([], [], {})
    for number, raw in enumerate(came):
        person = ""
        try:
            one = decoded(raw, Feedback, most, *TOO_LARGE)
            person = _proven(one.UserId, caller)
            verb = verb_of(one.FeedbackType, own)
            if not verb:
                result.unmapped[one.FeedbackType] = result.unmapped.get(one.FeedbackType, 0) + 1
            identity = [one.FeedbackType, one.UserId, one.ItemId, one.Timestamp or ""]
            if overwrite:
                identity.append(str(one.Value))
            result.arrivals.append(
                Arrival(
                    id=_digest(identity),
                    person=person,
                    name=one.FeedbackType,
                    at=moment(one.Timestamp),
                    verb=verb,
                    items=(one.ItemId,) if verb else (),
                    value=one.Value or None,
                )
            )
        except Unreadable as reason:
            result.unusable.append(set_aside(f"feedback[{number}]", now, raw, reason, "UserId"))
    return result


def users_brought(came: Sequence[msgspec.Raw], caller: Caller, labels: str, now: int, most: int) -> Brought:
    """What a list of users brings: their labels as traits. labels: the trait under which a list of them is kept."""
    result = Brought([], [], {})
    for number, raw in enumerate(came):
        try:
            user = decoded(raw, User, most, *TOO_LARGE)
            result.arrivals.append(user_arrival(_proven(user.UserId, caller), user.Labels, labels, bytes(raw), now))
        except Unreadable as reason:
            result.unusable.append(set_aside(f"users[{number}]", now, raw, reason, "UserId"))
    return result


def user_arrival(person: str, given: Any, labels: str, raw: bytes, now: int) -> Arrival:
    """A user's labels: an object's entries by their names, a list under the name `labels`. raw: as it came; now: ms since 1970, since the
    same labels may be set again after others."""
    traits = given if isinstance(given, dict) else {labels: given} if given else {}
    return Arrival(id=_digest([person, str(now)], raw), person=person, name="user", traits=traits)


def _proven(user: str, caller: Caller) -> str:
    if user.startswith(ANONYMOUS):
        raise Unreadable("UserId", f"a person's id cannot begin with {ANONYMOUS}")
    if not caller.trusted and user != caller.person:
        raise Unreadable("UserId", "a public key cannot speak for a known person; use a secret key on your server")
    return user


def shown_arrival(person: str, items: Sequence[str], receipt: str) -> Arrival:
    """What a write-back says: that these recommended items were in front of the person."""
    return Arrival(id=_digest(["shown", receipt]), person=person, name="write-back", verb="shown", items=tuple(items))


def session_items(came: Sequence[SessionFeedback], own: Mapping[str, str], most: int) -> tuple[list[str], list[str]]:
    """(the latest items that the session spoke for, all of its items). most: how many of the former. Raises Unreadable."""
    latest = sorted(enumerate(came), key=lambda one: (moment(one[1].Timestamp) or math.inf, one[0]), reverse=True)
    towards = (one.ItemId for _, one in latest if verb_of(one.FeedbackType, own) in TOWARDS)
    return list(dict.fromkeys(towards))[:most], list(dict.fromkeys(one.ItemId for one in came))


# --------------------------------------------------------------------------------------------------------------- items


def item_of(came: GorseItem, known: Item | None) -> Item:
    """The item, replacing what stood there but for what Gorse's items cannot say: to whom it suits, what it would betray, its price.

    Hidden stays hidden unless the request says otherwise: being shown by mistake is worse than not being shown.
    """
    before = known or Item(id=came.ItemId, title=came.ItemId)
    kept = structs.replace(before, attributes={}, vectors={})
    return patched(kept, ItemPatch(came.IsHidden, came.Categories, came.Timestamp, came.Labels, came.Comment))


def patched(item: Item, change: ItemPatch) -> Item:
    """The item after a change. What the change leaves out stays. Raises Unreadable for labels that cannot be kept."""
    attributes, vectors = dict(item.attributes), dict(item.vectors)
    if change.Categories is not None:
        attributes[CATEGORIES] = change.Categories
    if change.Timestamp:
        at = moment(change.Timestamp)
        attributes[TIMESTAMP] = change.Timestamp if at is None else datetime.fromtimestamp(at / 1000, UTC).isoformat()
    if change.Labels is not None:
        attributes = {name: attributes[name] for name in (CATEGORIES, TIMESTAMP) if name in attributes}
        vectors = {}
        _flatten(change.Labels, "", attributes, vectors, 0)
    available = item.available if change.IsHidden is None else not change.IsHidden
    title = change.Comment or item.title
    return structs.replace(item, title=title, available=available, attributes=attributes, vectors=vectors)


def _flatten(
    value: Any, name: str, attributes: dict[str, Attribute], vectors: dict[str, list[float]], deep: int
) -> None:
    """Labels → attributes: `{"film": {"genre": ["drama"]}}` → `film.genre`. A list of numbers is a vector."""
    if deep > DEEPEST:
        raise Unreadable("Labels", f"{name} is nested too deeply; at most {DEEPEST} levels are kept")
    if isinstance(value, dict):
        for key, inner in value.items():
            taken = not name and key in OWN
            path = f"{name}.{key}" if name else f"{LABELS}.{key}" if taken else key
            _flatten(inner, path, attributes, vectors, deep + 1)
    elif isinstance(value, list) and value and all(_is_number(part) for part in value):
        vectors[name or LABELS] = [float(part) for part in value]
    elif isinstance(value, str | bool) or _is_number(value) or _are_words(value):
        attributes[name or LABELS] = value
    elif value is not None:
        raise Unreadable("Labels", f"{name or 'it'} is neither words nor numbers, nor a list of either")


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _is_number(value: Any) -> bool:
    """Numbers that an item can hold: at most 64 bits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1 << 63


def as_gorse(item: Item) -> dict[str, Any]:
    """An item as Gorse would give it back. Nested labels come back flat, under their paths."""
    rest: dict[str, Any] = {
        name.removeprefix(f"{LABELS}."): value for name, value in item.attributes.items() if name not in OWN
    }
    rest |= item.vectors
    listed = item.attributes.get(LABELS)
    return {
        "ItemId": item.id,
        "IsHidden": not item.available,
        "Categories": list(item.values(CATEGORIES)),
        "Timestamp": str(item.attributes.get(TIMESTAMP, "0001-01-01T00:00:00Z")),
        "Labels": listed
        if listed is not None and not rest
        else rest | ({LABELS: listed} if listed is not None else {}) or None,
        "Comment": item.title,
    }


class _Categorised(Struct):
    id: str
    attributes: dict[str, Any] = {}


_categorised = msgspec.msgpack.Decoder(_Categorised).decode


class Categories:
    """Which items are in which category, kept up to date from what changed in the catalogue."""

    def __init__(self) -> None:
        self.version = 0
        self._of: dict[str, tuple[str, ...]] = {}
        self._in: dict[str, dict[str, None]] = {}

    def update(self, changed: Sequence[tuple[int, bytes]], version: int) -> None:
        """Take up (row, packed item) of the items that changed since `self.version`."""
        for _, packed in changed:
            item = _categorised(packed)
            for category in self._of.pop(item.id, ()):
                self._in[category].pop(item.id, None)
            given = item.attributes.get(CATEGORIES)
            names = tuple(dict.fromkeys(given)) if isinstance(given, list) else ()
            if names:
                self._of[item.id] = names
            for category in names:
                self._in.setdefault(category, {})[item.id] = None
        self.version = version

    def items(self, categories: Sequence[str]) -> list[str]:
        """The items that are in all of these categories."""
        first, *others = categories
        found = self._in.get(first, {})
        return [item for item in found if all(item in self._in.get(category, {}) for category in others)]


# ---------------------------------------------------------------------------------------------------- times and digests


def moment(text: str | None) -> int | None:
    """A time as clients write it, in ms since 1970; None for none, or for Go's empty time. Raises Unreadable."""
    if not text or text.startswith("0001-01-01"):
        return None
    plain = re.sub(r"(\d{4})/(\d{1,2})/(\d{1,2})", r"\1-\2-\3", text.strip())
    plain = re.sub(r" ?([+-]\d{2}):?(\d{2})( [A-Z]{3,4})?$", r"\1:\2", plain)  # Go prints 2026-11-21 10:00:00 +0000 UTC
    plain = re.sub(r"(\.\d{6})\d+", r"\1", plain)  # and nanoseconds
    try:
        found = datetime.fromisoformat(plain)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Unreadable("Timestamp", "it is not a time in ISO 8601, such as 2026-11-21T10:00:00Z") from None


def _digest(parts: Sequence[str], raw: bytes = b"") -> str:
    return hashlib.blake2b(msgspec.json.encode(parts) + raw, digest_size=16).hexdigest()
