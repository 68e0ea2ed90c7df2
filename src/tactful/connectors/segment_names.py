"""What the names that Segment's clients use mean here: events, pages, and the categories of consent tools."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from tactful.domain.event import VERBS

ITEM_KEYS = ("product_id", "item_id", "item", "id", "sku", "promotion_id", "asset_id", "content_asset_id")
"""Properties that name the item, in order of preference."""

_KEPT_ELSEWHERE = ("products", "value", "rating")

ANY_PAGE = "*"
"""In `[segment.pages]`: whatever page or screen names an item."""


class Events(Struct, frozen=True):
    """Event name → verb, as the specification has it. about_items: must name one; may_name_items: need not."""

    about_items: dict[str, str]
    may_name_items: dict[str, str]


@cache
def specified() -> Events:
    """The names of the specification, from segment_events.toml."""
    text = (files("tactful.connectors") / "segment_events.toml").read_text(encoding="utf-8")
    return Events(**tomllib.loads(text))


class Meaning(Struct, frozen=True):
    """What names mean in one installation. Names of events and pages are compared without regard to case.

    events: event → verb, "" for none. itemless: events that need name no item. pages: page or screen → verb. items: properties that
    name the item, the first that is there counts. elsewhere: properties that an interaction keeps elsewhere than among its fields. consent: category of the consent tool → our purposes. purposes: those of the
    charter; None takes any name for a purpose.
    """

    events: Mapping[str, str]
    itemless: frozenset[str]
    pages: Mapping[str, str] = {}
    items: tuple[str, ...] = ITEM_KEYS
    elsewhere: frozenset[str] = frozenset({*ITEM_KEYS, *_KEPT_ELSEWHERE})
    consent: Mapping[str, tuple[str, ...]] = {}
    purposes: frozenset[str] | None = None

    def of_event(self, name: str) -> str:
        """The verb of a track event, or ""."""
        return self.events.get(name.casefold(), "")

    def of_page(self, name: str) -> str:
        """The verb of a page or screen that names an item, or ""."""
        return self.pages.get(name.casefold(), self.pages.get(ANY_PAGE, ""))

    def needs_item(self, name: str, verb: str) -> bool:
        """Whether an event that names no item is a mistake. A search is none."""
        return verb != "searched" and name.casefold() not in self.itemless

    def answers(self, preferences: Mapping[str, Any]) -> dict[str, bool]:
        """By purpose, what the categories of a consent tool answer; no, if one of several categories of a purpose does.

        What is neither mapped nor a purpose is ignored. Whatever is not `true` is a no.
        """
        said: dict[str, bool] = {}
        for category, given in preferences.items():
            for purpose in self.consent.get(category, (category,)):
                if self.purposes is None or purpose in self.purposes:
                    said[purpose] = said.get(purpose, True) and given is True
        return said


def meaning(
    events: Mapping[str, str] | None = None,
    pages: Mapping[str, str] | None = None,
    items: Sequence[str] = (),
    consent: Mapping[str, str | tuple[str, ...]] | None = None,
    purposes: Iterable[str] | None = None,
) -> Meaning:
    """The specification's names and our verbs themselves, and on top of them what an installation says (`[segment]` in tactful.toml)."""
    names = specified()
    own = {name.casefold(): verb for name, verb in (events or {}).items()}
    known = {**names.about_items, **names.may_name_items, **{verb: verb for verb in VERBS}}
    return Meaning(
        events={**{name.casefold(): verb for name, verb in known.items()}, **own},
        itemless=frozenset(name.casefold() for name in names.may_name_items) - own.keys(),
        pages={name.casefold(): verb for name, verb in (pages or {}).items()},
        items=(*items, *ITEM_KEYS),
        elsewhere=frozenset({*items, *ITEM_KEYS, *_KEPT_ELSEWHERE}),
        consent={name: (to,) if isinstance(to, str) else tuple(to) for name, to in (consent or {}).items()},
        purposes=None if purposes is None else frozenset(purposes),
    )


@cache
def specification() -> Meaning:
    """What names mean where an installation says nothing of its own."""
    return meaning()
