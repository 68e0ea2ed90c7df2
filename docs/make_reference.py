"""Print docs/reference.md from the types themselves: `python docs/make_reference.py > docs/reference.md`. A test checks that they agree."""

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import NODEFAULT, Struct

from tactful.connectors import segment
from tactful.connectors.verbs import USUAL
from tactful.domain import charter, errors, item, placement, topics, variants
from tactful.domain.consent import Dial
from tactful.domain.event import VERBS
from tactful.domain.receiver import Receiver
from tactful.plugins import ROOMS, available, load
from tactful.settings import Explain, Gorse, Lake, Limits, Personalize, Search, Segment, Server


def main() -> None:
    """The whole page."""
    print(
        "# Reference\n\nMade from the code by `python docs/make_reference.py`; `make check` fails when the two differ.\n"
    )
    for lines in (plugins(), settings(), charter_entries(), items(), verbs(), mistakes()):
        print("\n".join(lines), end="\n\n")


def plugins() -> Iterator[str]:
    """Every plug-in with its settings."""
    for kind, room in ROOMS.items():
        yield f"## {room.capitalize()}\n"
        for name in available(kind):
            made = load(kind, name)
            module = inspect.getdoc(importlib.import_module(made.__module__)) or ""
            yield f"### `{name}`\n\n{module}\n"
            yield from struct(made)


def settings() -> Iterator[str]:
    """tactful.toml."""
    yield "## tactful.toml\n\n`charter`: the charter's file, beside it. `taxonomy`: the topics' file, if there is one. `language`: in which reasons are said (docs/explaining.md).\n"
    tables = {
        "[server]": Server, "[limits]": Limits, "[placements.NAME]": placement.Placement,
        "[placements.NAME.variant]": variants.Choice, "[segment]": Segment,
        "[personalize]": Personalize, "[gorse]": Gorse, "[receivers.NAME]": Receiver, "[lake]": Lake,
        "[search]": Search, "[explain]": Explain, "[pages.NAME]": placement.Page, "[pages.NAME] rows": placement.Row,
    }  # fmt: skip
    for title, kind in tables.items():
        yield f"### `{title}`\n"
        yield from struct(kind)


def charter_entries() -> Iterator[str]:
    """The charter."""
    yield "## The charter\n"
    kinds = {
        "the top": charter.Charter, "[purposes.NAME]": charter.Purpose, "[data.NAME]": charter.Data,
        "[data.NAME.types]": charter.Type,
        "[sensitive.NAME]": charter.Sensitive, "[children]": charter.Children,
        "[topics.NAME]": topics.Topic,
    }  # fmt: skip
    for title, kind in kinds.items():
        yield f"### `{title}`\n"
        yield from struct(kind)
    yield "The dial has the levels " + ", ".join(f"`{level.name}` ({level.words})" for level in Dial) + ".\n"


def items() -> Iterator[str]:
    """An item."""
    yield "## Items\n"
    yield from struct(item.Item)
    for name, kind in (("prices", item.Price), ("texts", item.Text), ("variants", item.Variant)):
        yield f"### `{name}`\n"
        yield from struct(kind)
    yield f"Audiences: {', '.join(f'`{name}`' for name in item.AUDIENCES)}. Children see only what says that it suits them.\n"


def verbs() -> Iterator[str]:
    """Events and what they mean."""
    yield "## Events\n\n`track` events by these names mean something, in capitals or not; others are refused, and counted. `[segment.events]` adds names.\n"
    names = segment.specified()
    for words, table in (
        ("About an item; quarantined if they name none", {**names.about_items, **{verb: verb for verb in VERBS}}),
        ("May name items; refused if they name none", names.may_name_items),
    ):
        yield f"| {words} | verb |\n|---|---|"
        for event, verb in table.items():
            yield f"| {event} | {verb} |"
        yield ""
    keys = ", ".join(f"`{key}`" for key in segment.ITEM_KEYS)
    yield f"The item is the first of the properties {keys}, or each of `products`.\n"
    yield "Clients of Amazon Personalize and of Gorse call them so, whatever the case, spaces and punctuation:\n"
    yield "| verb | names |\n|---|---|"
    for verb in VERBS:
        yield f"| {verb} | {', '.join(name for name, meant in USUAL.items() if meant == verb)} |"
    yield ""


def mistakes() -> Iterator[str]:
    """Errors by code."""
    yield "## Errors\n\nProblem details (RFC 9457): `title` is the code, `detail` the message with the fix.\n"
    yield "| code | status | message |\n|---|---|---|"
    for thing in vars(errors).values():
        if inspect.isclass(thing) and issubclass(thing, errors.TactfulError) and thing is not errors.TactfulError:
            yield f"| {thing.code} | {thing.status} | {' '.join((thing.__doc__ or '').split())} |"


def struct(kind: type[Struct]) -> Iterator[str]:
    """A Struct's description and its fields as a table."""
    yield f"{inspect.getdoc(kind)}\n"
    fields = msgspec.structs.fields(kind)
    if fields:
        yield "| field | default |\n|---|---|"
        for field in fields:
            yield f"| `{field.encode_name}` | {_default(field)} |"
        yield ""


def _default(field: Any) -> str:
    if field.default is not NODEFAULT:
        return f"`{field.default!r}`"
    if field.default_factory is not NODEFAULT:
        return f"`{field.default_factory()!r}`"
    return "required"


if __name__ == "__main__":
    main()
