"""What is said to people, in one language: phrases by key. The keys and what each phrase must hold stand here, the phrases in TOML files."""

import string
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from tactful.domain.event import TOWARDS
from tactful.domain.language import chain

SHAPES: Mapping[str, Mapping[str, str]] = {
    "why": {
        "default": "", "nothing": "", "other": "", "too": "", "also": "thing", "new": "", "context": "",
        "history": "did", "history_similar": "did alike", "history_together": "did", "history_continue": "name",
        "history_left": "did", "history_session": "did", "history_different": "did",
        "history_other": "did",
        "item": "name", "item_similar": "name alike", "item_together": "name", "item_other": "name",
        "told": "value", "told_plain": "", "told_different": "", "obtained": "value", "obtained_plain": "",
        "inferred": "value", "inferred_plain": "", "inferred_list": "", "assumed": "value", "assumed_plain": "",
        "popular": "", "popular_ever": "", "popular_seldom": "", "popular_trending": "", "query": "", "query_given": "", "curated": "list", "curated_plain": "",
    },
    "name": {"title": "title", "this": "", "that": "", "gone": ""},
    "did": {**dict.fromkeys(sorted(TOWARDS), "name"), "other": "name"},
    "alike": {"nothing": "", "other": "attribute value"},
    "without": {"place": "thing place", "gone": "thing", "both": "one other", "told": "", "obtained": "", "inferred": ""},
    "label": {"hold": "", "picked": "", "partly": "", "less": "", "opened": "", "children": "", "everyone": ""},
    "share": {"mostly": "why", "also": "why", "little": "why"},
    "account": {
        "read": "data", "read_nothing": "", "assumed": "names", "withheld": "data count why", "removed": "count why", "chance": "percent",
    },
    "withheld": {
        "children": "", "dial": "", "purpose": "", "use": "", "collected": "", "surface": "", "sensitive": "", "time": "", "visit": "",
        "seller": "", "stale": "", "overtaken": "", "undeclared": "",
    },
    "guard": {"caller": "", "page": "", "failed": ""},
    "why_not": {
        "unknown": "", "held": "", "about": "", "excluded": "", "on_page": "", "removed": "why", "muted": "value", "muted_this": "", "nothing": "",
        "shown": "place", "passed": "place count", "ranked": "place count", "speaks": "why", "more": "name why",
    },
    "mute": {"other": "attribute value"},
}  # fmt: skip
"""Keys that every language must have, by table, each with what its phrase must name in braces."""

OPEN: Mapping[str, str] = {"alike": "value", "guard": "", "mute": "value", "context": ""}
"""Tables to which a file may add keys of its own (an attribute's name, a guard's, a fact of the moment), with what their phrases name."""

PLAIN = ("values", "attributes", "data")
"""Tables of plain words: values and names of attributes as the catalogue has them, data entries as the charter has them → how to say them."""


class Words(Struct, frozen=True):
    """One language. phrases: by dotted key, with what is filled in in braces. values, attributes, data: words for words; what has none
    stays as it is."""

    language: str
    phrases: Mapping[str, str]
    values: Mapping[str, str] = MappingProxyType({})
    attributes: Mapping[str, str] = MappingProxyType({})
    data: Mapping[str, str] = MappingProxyType({})

    def say(self, key: str, **facts: object) -> str:
        """The phrase, filled in. What is filled in is never read as a phrase itself."""
        return self.phrases[key].format_map(facts)

    def has(self, key: str) -> bool:
        """Whether there is such a phrase."""
        return key in self.phrases

    def value(self, value: str) -> str:
        """How to say an attribute's value."""
        return self.values.get(value, value)

    def attribute(self, name: str) -> str:
        """How to call an attribute."""
        return self.attributes.get(name, name.replace("_", " "))

    def with_more(self, language: str, more: "Words") -> "Words":
        """These words, for another language or place, where `more` has no others."""
        return Words(
            language, {**self.phrases, **more.phrases}, {**self.values, **more.values},
            {**self.attributes, **more.attributes}, {**self.data, **more.data},
        )  # fmt: skip


class Languages(Struct, frozen=True):
    """All languages that are spoken. default: the one to fall back on; it is among the known, as are all by their tags in small letters."""

    default: str
    known: Mapping[str, Words]

    def speak(self, asked: str | None = None) -> Words:
        """The words to use for who asks for this language (BCP 47: `de`, `de-AT`; several with commas, best first): that one, the same said
        less closely, or the default."""
        return next((self.known[tag] for tag in tags(asked or "") if tag in self.known), self.known[self.default])


def tags(asked: str) -> tuple[str, ...]:
    """The tags to try for those asked for, with commas between them, as `Languages` knows them: "de_AT" gives "de-at" and "de"."""
    return chain(tag.strip().lower().replace("_", "-") for tag in asked.split(","))


def required() -> Iterator[str]:
    """All keys that a language must have."""
    for table, keys in SHAPES.items():
        yield from (f"{table}.{key}" for key in keys)


def problems(phrases: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(key, why, fix) of each phrase that stands under no key that there is, or does not name what it must."""
    for key, phrase in phrases.items():
        table, _, name = key.partition(".")
        shape = SHAPES.get(table, {}).get(name, OPEN.get(table))
        if shape is None:
            near = ", ".join(SHAPES.get(table, SHAPES))
            yield key, "there is no such key", f"Use one of {near}"
            continue
        try:
            pieces = list(string.Formatter().parse(phrase))
        except ValueError as mistake:
            yield key, f"its braces are wrong ({mistake})", "Write each as {name}, and a brace itself as {{ or }}"
            continue
        found = {field + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
                 for _, field, form, conversion in pieces if field is not None}  # fmt: skip
        if found != set(shape.split()):
            wanted = " and ".join(f"{{{piece}}}" for piece in shape.split()) or "nothing in braces"
            yield key, f"it must name {wanted}, each at least once, and nothing else", f"It says {phrase!r}"
        elif not phrase.strip():
            yield key, "it is empty", "Say something"
