"""An item as it comes in: dates and languages in one form, and whatever is wrong with it named by its field."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, structs

from tactful.domain.errors import BadInput, place_and_reason
from tactful.domain.item import AUDIENCES, Attribute, Item, Price
from tactful.domain.type_rules import Problem
from tactful.domain.values.impossible import Impossible
from tactful.domain.values.moments import moment_ms
from tactful.domain.values.words import language

ID_MOST = 256
VARIANTS_MOST = 100
_TIMES = ("available_from", "available_until", "since")
_TIME_MOST = 1 << 62
_WHOLE_MOST = (1 << 63) - 1
_FLOAT32_MOST = (2 - 2**-23) * 2.0**127
"""The greatest number of 32 bits: vectors are compared in them."""
_SEE = "See docs/catalogue.md for an item's fields"


class Rejected(Struct, frozen=True, omit_defaults=True):
    """An item that cannot be used. where: `line 7`; field: of the item; why and fix in words."""

    where: str
    field: str
    why: str
    fix: str


def item_of(came: object) -> Item:
    """The item that this is, read from JSON or made of cells. Times may be ISO 8601, without a zone UTC. Raises BadInput."""
    if isinstance(came, dict):
        came = _with_times(came, "")
        if isinstance(variants := came.get("variants"), list):
            named = enumerate(variants)
            came["variants"] = [_with_times(v, f"variants[{n}].") if isinstance(v, dict) else v for n, v in named]
    try:
        item = msgspec.convert(came, Item)
    except (msgspec.ValidationError, RecursionError, OverflowError) as mistake:
        field, why = place_and_reason(str(mistake))
        raise BadInput(field=field, why=why, fix=_SEE) from None
    for field, why, fix in item_problems(item):
        raise BadInput(field=field, why=why, fix=fix)
    return _with_tags(item)


def merged(known: Item, came: Mapping[str, Any]) -> dict[str, Any]:
    """What comes in laid over an item that is there, as RFC 7396 merges: null takes a field away, tables are merged, all else replaced."""
    return _laid_over(msgspec.to_builtins(known), came)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    whole = dict(below)
    for name, value in above.items():
        if value is None:
            whole.pop(name, None)
        elif isinstance(value, Mapping):
            under = whole.get(name)
            whole[name] = _laid_over(under if isinstance(under, Mapping) else {}, value)
        else:
            whole[name] = value
    return whole


def _with_times(came: Mapping[str, Any], at: str) -> dict[str, Any]:
    whole = dict(came)
    for name in _TIMES:
        if isinstance(value := whole.get(name), str):
            try:
                whole[name] = moment_ms(value)
            except Impossible as mistake:
                why, _, fix = str(mistake).partition("; ")
                raise BadInput(field=f"{at}{name}", why=why, fix=fix[:1].upper() + fix[1:]) from None
    return whole


def _with_tags(item: Item) -> Item:
    """Languages as BCP 47 writes them: "EN_us" is "en-US". They are known to be in its registry."""
    if not (item.language or item.texts or any(variant.language for variant in item.variants)):
        return item
    variants = [structs.replace(one, language=language(one.language)) if one.language else one for one in item.variants]
    return structs.replace(
        item, language=language(item.language) if item.language else "", variants=tuple(variants),
        texts={language(tag): text for tag, text in item.texts.items()},
    )  # fmt: skip


def item_problems(item: Item) -> Iterator[Problem]:
    """(field, why, fix) of everything wrong with an item."""
    if not 0 < len(item.id) <= ID_MOST:
        yield "id", f"it is empty or longer than {ID_MOST} characters", "Give it a short id"
    if item.audience not in AUDIENCES:
        yield "audience", f"{item.audience!r} is none", f"Use one of {', '.join(AUDIENCES)}"
    if item.stock is not None and not 0 <= item.stock <= _WHOLE_MOST:
        why = "it is less than nothing" if item.stock < 0 else "it has more than 64 bits"
        yield "stock", why, "Leave it out if it is not counted"
    if not 0 <= item.since < _TIME_MOST:
        yield "since", f"{item.since} is no time", "Send milliseconds since 1970, or leave it out"
    yield from _attribute_problems(item.attributes, "attributes")
    yield from _window_problems(item.available_from, item.available_until, "")
    yield from _language_problems([("language", item.language), *((f"texts.{tag}", tag) for tag in item.texts)])
    prices = [("price", item.price), *((f"prices.{name}", price) for name, price in item.prices.items())]
    for field, price in prices:
        yield from _price_problems(price, field)
    if any(not topic.strip() or len(topic) > ID_MOST for topic in item.topics):
        yield (
            "topics",
            f"one is empty or longer than {ID_MOST} characters",
            "Name topics by their ids, as health/cancer",
        )
    for name, vector in item.vectors.items():
        if not all(abs(number) <= _FLOAT32_MOST for number in vector):  # of what is no number, nothing is true
            yield f"vectors.{name}", "one of its numbers is none, or too great for 32 bits", "Send finite numbers"
    yield from _variant_problems(item)


def _variant_problems(item: Item) -> Iterator[Problem]:
    if len(item.variants) > VARIANTS_MOST:
        yield "variants", f"there are {len(item.variants)}, the most is {VARIANTS_MOST}", "Keep those that are used"
    seen: set[str] = set()
    for number, variant in enumerate(item.variants):
        at = f"variants[{number}]"
        if not 0 < len(variant.id) <= ID_MOST:
            yield f"{at}.id", f"it is empty or longer than {ID_MOST} characters", "Give it a short id"
        if variant.id in seen:
            yield f"{at}.id", f"{variant.id!r} is taken by one before it", "Give each variant an id of its own"
        seen.add(variant.id)
        if variant.audience and variant.audience not in AUDIENCES:
            yield f"{at}.audience", f"{variant.audience!r} is none", f"Use one of {', '.join(AUDIENCES)}"
        if not (math.isfinite(variant.weight) and variant.weight >= 0):
            yield f"{at}.weight", f"{variant.weight} is no weight", "Use 0 or more; 1 is usual"
        if isinstance(variant.asset, dict):
            yield from _attribute_problems(variant.asset, f"{at}.asset")
        yield from _attribute_problems(variant.context, f"{at}.context")
        yield from _window_problems(variant.available_from, variant.available_until, f"{at}.")
        yield from _language_problems([(f"{at}.language", variant.language)])


def _attribute_problems(attributes: Mapping[str, Attribute], at: str) -> Iterator[Problem]:
    for name, value in attributes.items():
        if isinstance(value, int) and not -_WHOLE_MOST - 1 <= value <= _WHOLE_MOST:
            yield f"{at}.{name}", f"{value} has more than 64 bits", "Send it as text"
        if isinstance(value, float) and not math.isfinite(value):
            yield f"{at}.{name}", f"{value} is no number", "Leave it out, or send it as text"


def _window_problems(start: int | None, end: int | None, at: str) -> Iterator[Problem]:
    for name, value in (("available_from", start), ("available_until", end)):
        if value is not None and abs(value) >= _TIME_MOST:
            yield f"{at}{name}", f"{value} is no time", "Send ISO 8601, or milliseconds since 1970"
    if start is not None and end is not None and end <= start:
        yield f"{at}available_until", "it is not after available_from", "Let the window end after it begins"


def _language_problems(tags: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    for field, tag in tags:
        try:
            if tag or field.startswith("texts"):
                language(tag)
        except Impossible as mistake:
            why, _, fix = str(mistake).partition("; ")
            yield field, why, fix[:1].upper() + fix[1:]


def _price_problems(price: Price | None, field: str) -> Iterator[Problem]:
    if price is not None and not (math.isfinite(price.amount) and price.amount >= 0):
        yield f"{field}.amount", f"{price.amount} is no price", "Use 0 or more, in the currency's main unit"
