"""Receipt → what people read, at three depths: a sentence, the details, or the receipt itself. The words come from a catalogue (`domain/words.py`)."""

import re
from collections.abc import Mapping
from functools import reduce

from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import PERSONAL, Removal, Source
from tactful.domain.item import Item
from tactful.domain.mutes import ITEM, TOPICS, keys_of
from tactful.domain.receipt import Contribution, Receipt, Shown
from tactful.domain.view import Withheld
from tactful.domain.words import Words
from tactful.flow.decide import FAILED

MOSTLY, ALSO = 0.5, 0.2
"""Shares of the score from which on a reason counts "mostly", or "also"; below it is "a little"."""

# ------------------------------------------------------------------------------------------------------------- a sentence


def sentence(shown: Shown, catalogue: Catalogue, words: Words) -> str:
    """Why one item is there, in one or two short sentences."""
    if shown.default:
        return words.say("why.default")
    if not shown.contributions:
        return words.say("why.nothing")
    first, *others = (piece.source for piece in shown.contributions)
    said = reason(first, shown.item, catalogue, words)
    if shown.stated > 1:
        return f"{said} {words.say('why.also', thing=_things(shown, 1, catalogue, words))}"
    if first.kind not in PERSONAL and any(source.kind in PERSONAL for source in others):
        said = f"{said} {words.say('why.too')}"
    return said


def reason(source: Source, item: str, catalogue: Catalogue, words: Words) -> str:
    """What one source says for an item."""
    about = catalogue.get(item)
    key = _key(source, about, words)
    match source.kind:
        case "history" | "item":
            name = named(source.key, catalogue, words, here=item)
            alike = _alike(about, catalogue.get(source.key), words)
            return words.say(key, did=_did(source.verb, name, words), name=name, alike=alike)
        case "told" | "obtained" | "inferred" | "assumed":
            return words.say(key, value=", ".join(map(words.value, source.how.split(", "))))
        case "curated":
            return words.say(key, list=source.how.rstrip(" ."))
        case _:
            return words.say(key)


def _key(source: Source, item: Item | None, words: Words) -> str:
    """The phrase for a source: by its kind, and by how it speaks. What is unknown is never passed off as something known."""
    kind, how = source.kind, source.how
    match kind:
        case "context":
            tried = [f"context.{source.key}.{how}", f"context.{source.key}.other", "why.context"]
        case "told" | "obtained" | "inferred" | "assumed":
            if kind + how in ("tolddifferent", "inferredlist"):
                return f"why.{kind}_{how}"
            return f"why.{kind}" if _liked(how, item) else f"why.{kind}_plain"
        case "item" if not source.key:  # what the person may not see is not named
            tried = []
        case "history" | "item":
            tried = [f"why.{kind}_{how}" if how else f"why.{kind}", f"why.{kind}_other"]
        case "popular":
            tried = [f"why.{kind}_{how}" if how else f"why.{kind}"]
        case "query":
            tried = ["why.query_given" if how == "given" else "why.query"]
        case "curated":
            tried = ["why.curated" if how else "why.curated_plain"]
        case "new" | "default":
            tried = [f"why.{kind}"]
        case _:
            tried = []
    return next((key for key in tried if words.has(key)), "why.other")


def _liked(how: str, item: Item | None) -> bool:
    """Whether what a trait holds is a liking: something that the item has. An age or a country is not liked."""
    return (
        bool(how)
        and item is not None
        and any(value in item.values(attribute) for attribute in item.attributes for value in (how, *how.split(", ")))
    )


def named(item: str, catalogue: Catalogue, words: Words, here: str = "") -> str:
    """How an item is called inside a sentence about the item `here`."""
    if item == here:
        return words.say("name.this")
    found = catalogue.get(item)
    return words.say("name.title", title=found.title) if found else words.say("name.gone")


def _did(verb: str, name: str, words: Words) -> str:
    key = f"did.{verb}"
    return words.say(key if words.has(key) else "did.other", name=name)


def _alike(one: Item | None, other: Item | None, words: Words) -> str:
    """What two items share: the first attribute of the other, in its own order, that has a value in common."""
    if one is None or other is None:
        return words.say("alike.nothing")
    for attribute in other.attributes:
        both = [value for value in other.values(attribute) if value in one.values(attribute)]
        if both:
            return _of_attribute("alike", attribute, both[0], words)
    return words.say("alike.nothing")


def _of_attribute(table: str, attribute: str, value: str, words: Words) -> str:
    """A phrase about an attribute's value: its own, or the one for any."""
    if attribute not in ("other", "nothing") and words.has(f"{table}.{attribute}"):
        return words.say(f"{table}.{attribute}", value=words.value(value))
    return words.say(f"{table}.other", attribute=words.attribute(attribute), value=words.value(value))


def what_if(shown: Shown, catalogue: Catalogue, words: Words) -> str:
    """What would be different without what is stated, or "" if that is nothing personal."""
    if not shown.contributions or shown.contributions[0].source.kind not in PERSONAL:
        return ""
    thing = _things(shown, 0, catalogue, words)
    if shown.without is None:
        return words.say("without.gone", thing=thing)
    return words.say("without.place", thing=thing, place=shown.without)


def _things(shown: Shown, start: int, catalogue: Catalogue, words: Words) -> str:
    """What is stated, from the first, second … on, as things inside a sentence; each once."""
    things = dict.fromkeys(
        _thing(piece.source, shown.item, catalogue, words) for piece in shown.contributions[start : shown.stated]
    )
    return reduce(lambda one, other: words.say("without.both", one=one, other=other), things)


def _thing(source: Source, item: str, catalogue: Catalogue, words: Words) -> str:
    if source.kind != "history":
        return words.say(f"without.{source.kind}")
    return words.say("name.that") if source.key == item else named(source.key, catalogue, words)


def label(receipt: Receipt, words: Words) -> str:
    """What stands above the list. It says "picked for you" only where something about the person spoke for an item on it, and "the
    same for everyone" only where it is."""
    return words.say(f"label.{_label(receipt)}")


def _label(receipt: Receipt) -> str:
    if receipt.verdict == "hold":
        return "hold"
    if receipt.personal:
        pieces = (piece for shown in receipt.shown for piece in shown.contributions)
        # What spoke may have spoken for an item that chance or variety passed over.
        return "picked" if any(piece.source.kind in PERSONAL for piece in pieces) else "partly"
    less, more = any(removal.personal for removal in receipt.removed), "sensitive" in receipt.shaped
    if "arranger" in receipt.shaped or (less and more):
        return "partly"
    if less:
        return "less"
    if more:
        return "opened"
    return "children" if any(removal.by == "children" for removal in receipt.removed) else "everyone"


# ------------------------------------------------------------------------------------------------------------ the details


class Reason(Struct, frozen=True):
    """One reason with how much it counts: in words, and as a share of the score, 0 to 1."""

    words: str
    share: float


class ItemDetails(Struct, frozen=True):
    """More of why one item is there. chance: in words, "" where none was in play."""

    item: str
    title: str
    why: str
    what_if: str
    reasons: tuple[Reason, ...]
    chance: str


class Details(Struct, frozen=True):
    """More of why a list is as it is: what was read, assumed, withheld, and what was left out by which rule."""

    label: str
    items: tuple[ItemDetails, ...]
    read: str
    assumed: str
    withheld: tuple[str, ...]
    removed: tuple[str, ...]


def details(receipt: Receipt, catalogue: Catalogue, words: Words, data: Mapping[str, str]) -> Details:
    """The second depth. data: what the charter calls each of its data entries."""
    read = ", ".join(_data(name, words, data) for name in receipt.opened)
    return Details(
        label(receipt, words),
        tuple(item_details(shown, catalogue, words) for shown in receipt.shown),
        words.say("account.read", data=read) if read else words.say("account.read_nothing"),
        words.say("account.assumed", names=", ".join(map(words.attribute, receipt.assumed))) if receipt.assumed else "",
        tuple(
            words.say("account.withheld", data=_data(one.data, words, data), count=one.count, why=withheld(one, words))
            for one in receipt.withheld
        ),
        tuple(words.say("account.removed", count=one.count, why=removed(one, words)) for one in receipt.removed),
    )


def item_details(shown: Shown, catalogue: Catalogue, words: Words) -> ItemDetails:
    """The second depth, for one item."""
    item = catalogue.get(shown.item)
    percent = max(1, round(100 * shown.odds))
    return ItemDetails(
        shown.item,
        item.title if item else shown.item,
        sentence(shown, catalogue, words),
        what_if(shown, catalogue, words),
        tuple(_counted(piece, shown.item, catalogue, words) for piece in shown.contributions if piece.amount > 0),
        words.say("account.chance", percent=percent) if percent < 100 else "",
    )


def _counted(piece: Contribution, item: str, catalogue: Catalogue, words: Words) -> Reason:
    much = "mostly" if piece.share >= MOSTLY else "also" if piece.share >= ALSO else "little"
    return Reason(words.say(f"share.{much}", why=reason(piece.source, item, catalogue, words)), piece.share)


def _data(name: str, words: Words, data: Mapping[str, str]) -> str:
    return words.data.get(name) or data.get(name, name)


REASONS = (
    ("children are not profiled", "children"),
    (r"the dial stands at '.*'", "dial"),
    (r"no consent for '.*'", "purpose"),
    ("the charter no longer declares it", "undeclared"),
    (r"it is not for the surface '.*'", "surface"),
    (r"it is not for '.*'", "use"),
    (r"sensitive: .*", "sensitive"),
    (r"it was not collected for '.*'", "collected"),
    ("its time is over", "time"),
    ("it belongs to an earlier visit", "visit"),
    (r"the person refuses data from '.*'", "seller"),
    (r"stale: older than \d+ days", "stale"),
    ("it was made before the person allowed less", "overtaken"),
)
"""What the gate writes into a receipt → the phrase that says so to the person."""


def withheld(one: Withheld, words: Words) -> str:
    """Why something was not read. What nobody has words for is said as the receipt has it."""
    found = next((key for pattern, key in REASONS if re.fullmatch(pattern, one.why)), None)
    return one.why if found is None else words.say(f"withheld.{found}")


def removed(one: Removal, words: Words) -> str:
    """Why a guard left items out. What nobody has words for is said as the guard has it."""
    if one.why == FAILED:
        return words.say("guard.failed")
    return words.say(f"guard.{one.by}") if words.has(f"guard.{one.by}") else one.why


# ------------------------------------------------------------------------------------------------------------ no more of it


class Mutable(Struct, frozen=True):
    """Something that a person can say they want no more of. key: as the trait `muted` lists it (`domain/mutes.py`)."""

    key: str
    words: str


MUTED = "muted"
"""The declared trait that lists what the person wants no more of, and the guard that keeps to it."""


def mutable(item: Item, attributes: tuple[str, ...], catalogue: Catalogue, words: Words) -> tuple[Mutable, ...]:
    """What can be muted of an item, by the attributes (or `topics`) that the installation lists."""
    found = []
    for key in keys_of(item, attributes):
        attribute, value = _of_key(key, catalogue)
        found.append(Mutable(key, _of_attribute("mute", attribute, value, words)))
    return tuple(found)


def muted(key: str, catalogue: Catalogue, words: Words) -> str:
    """What the person did when they muted this key: "You muted war." """
    attribute, value = _of_key(key, catalogue)
    return (
        words.say("why_not.muted_this") if attribute == ITEM else words.say("why_not.muted", value=words.value(value))
    )


def _of_key(key: str, catalogue: Catalogue) -> tuple[str, str]:
    """A mute's attribute and value; of a topic or an item, what people call it."""
    attribute, _, value = key.partition(":")
    if attribute == TOPICS and (topic := catalogue.taxonomy.topics.get(value)) is not None:
        return attribute, topic.words or value
    if attribute == ITEM and (item := catalogue.get(value)) is not None:
        return attribute, item.title
    return attribute, value


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th ... 11th, 12th, 13th ... 21st. English."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
