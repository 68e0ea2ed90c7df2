"""What somebody decided by hand: if this holds of the person or the moment, show that. Conditions are tables, nothing is run as code.

`rules = [{ when = { "traits.interests" = { "$in" = ["sea"] }, "context.device" = "phone" }, show = { mood = "calm" } }]`. A condition asks
`traits.NAME` (through the View, and only those it names), `context.NAME` (what the page says) and `now.NAME` (`daypart`, `weekday`,
`days`, `season`, `hour`). `docs/conditions.md` lists the operators.

A trait that may not be read, or is not there, is unknown: then neither a condition on it holds nor its opposite.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from tactful.domain.bounds import filled
from tactful.domain.catalogue import Rows
from tactful.domain.conditions import Condition
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.event import KIND_OF, Trait, Value
from tactful.domain.occasion import occasion, zone_named
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy

ROOTS = ("traits", "context", "now")
UNKNOWN = ("traits", "now")
SAID = {
    "daypart": "daypart", "weekday": "weekday", "days": "weekday", "season": "season", "device": "device", "weather": "weather",
    "country": "place", "region": "place",
}  # fmt: skip
"""What of the context and the time a reason names with its value, and under which key. Of anything else it says only that it counted."""
SAID_MOST = 40
"""Characters of such a value."""


Facts = Mapping[str, Mapping[str, Any]]


class When(Condition):
    """A condition on traits, context and now. `context.device = "phone"` without quotes, a table within a table to TOML, means the same."""

    __slots__ = ()

    @staticmethod
    def of_setting(raw: Any) -> "When":
        """As it stands in a recipe. Raises ValueError with everything that is wrong with it."""
        flat = _flat(raw, ROOTS)
        Condition.of_setting(flat)
        made = When(flat)
        for path in made.paths:
            root, _, name = path.partition(".")
            if root not in ROOTS or not name:
                raise ValueError(f"{path}: there is no such fact. Name one as traits.NAME, context.NAME or now.NAME")
        return made


class Show(Condition):
    """A condition on items: their fields and attributes."""

    __slots__ = ()

    @staticmethod
    def of_setting(raw: Any) -> "Show":
        """As it stands in a recipe. Raises ValueError with everything that is wrong with it."""
        flat = _flat(raw, ("price",))
        Condition.of_setting(flat)
        return Show(flat)


def _flat(raw: Any, roots: tuple[str, ...]) -> Any:
    """The condition with names in a row (`a.b`) where TOML made tables of them."""
    if not isinstance(raw, Mapping):
        return raw
    flat: dict[str, Any] = {}
    for key, value in raw.items():
        if key in ("$and", "$or", "$nor") and isinstance(value, list):
            flat[key] = [_flat(one, roots) for one in value]
        elif key == "$not":
            flat[key] = _flat(value, roots)
        elif key in roots and isinstance(value, Mapping) and not any(name.startswith("$") for name in value):
            flat |= {f"{key}.{name}": one for name, one in value.items()}
        else:
            flat[key] = value
    return flat


class Segment(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition with a name, for rules to share."""

    name: str
    when: When


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """when, segment: for whom; both left out is everybody. show: which items, or items: these, the first first.

    weight: beside the other rules. words: why, for people, where the rule holds for everybody.
    """

    when: When = When({})
    segment: str = ""
    show: Show | None = None
    items: tuple[str, ...] = ()
    weight: float = 1.0
    words: str = ""

    def __post_init__(self) -> None:
        if (self.show is None) == (not self.items):
            raise ValueError(
                "a rule shows either what `show` describes or the `items` it lists; give it one of the two"
            )
        if not 0 < self.weight < float("inf"):
            raise ValueError(f"weight: it is {self.weight}, not above 0; leave the rule out instead")


class Rules(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """rules: each `{ when = {...}, show = {...} }`, with `segment`, `items`, `weight`, `words` as they like. segments: conditions that rules
    share by name, each `{ name = "...", when = {...} }`. zone: where it is `now`, if the page does not say (`Europe/Berlin`; "" is UTC).
    southern: whether the seasons are those of the south. likings: traits that list what a person likes, so that a reason may say so.
    """

    rules: tuple[Rule, ...]
    segments: tuple[Segment, ...] = ()
    zone: str = ""
    southern: bool = False
    likings: tuple[str, ...] = ("interests",)

    def __post_init__(self) -> None:
        filled(rules=self.rules)
        if self.zone and zone_named(self.zone) is None:
            raise ValueError(f"there is no time zone {self.zone!r}; use a name such as Europe/Berlin")
        names = [segment.name for segment in self.segments]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two segments are called {name!r}; rename one")
        for rule in self.rules:
            if rule.segment and rule.segment not in names:
                raise ValueError(f"there is no segment {rule.segment!r}; there are: {', '.join(names) or 'none yet'}")

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """Each rule that holds speaks for its items, all rules of the recipe together for 1, so that one does not change with another."""
        facts = self._facts(ask)
        segments = {segment.name: segment.when for segment in self.segments}
        whole = sum(rule.weight for rule in self.rules)
        sources: list[Source] = []
        found: list[tuple[Rows, NDArray[np.float64], int]] = []
        for rule in self.rules:
            when = _both(segments[rule.segment], rule.when) if rule.segment else rule.when
            traits = {name: trait for name in _named(when, "traits") if (trait := view.trait(name)) is not None}
            reasons = _reasons(rule, when, traits, facts, self.likings)
            rows, share = _shown(rule, shelf) if reasons else (np.empty(0, np.int32), np.empty(0))
            for source, part in reasons if len(rows) else ():
                found.append((rows, share * (part * rule.weight / whole), len(sources)))
                sources.append(source)
        if not found:
            return NO_EVIDENCE
        return single(
            np.concatenate([rows for rows, _, _ in found]),
            np.concatenate([share for _, share, _ in found]).astype(np.float32),
            sources,
            np.repeat(np.arange(len(found), dtype=np.int32), [len(rows) for rows, _, _ in found]),
        )

    def _facts(self, ask: Ask) -> Facts:
        now = occasion(ask.at, ask.context, self.zone, self.southern)
        return {"context": dict(ask.context), "now": structs.asdict(now) if now else {}}


@lru_cache(maxsize=1024)
def _both(one: When, other: When) -> When:
    return When({"$and": [one.raw, other.raw]})


def _named(when: When, root: str) -> list[str]:
    """The traits, or the things of context or now, that a condition names."""
    start = root + "."
    return list(dict.fromkeys(path.split(".")[1] for path in when.paths if path.startswith(start)))


def _shown(rule: Rule, shelf: Shelf) -> tuple[Rows, NDArray[np.float64]]:
    """The rule's items and their shares of it: alike, or falling evenly down its list."""
    if rule.show is not None:
        rows = shelf.catalogue.meeting(rule.show)
        return rows, np.full(len(rows), 1.0 / max(1, len(rows)))
    rows = shelf.catalogue.rows(dict.fromkeys(rule.items))
    share = np.arange(len(rows), 0, -1, dtype=np.float64)
    return rows, share / max(1.0, share.sum())


def _reasons(
    rule: Rule, when: When, traits: Mapping[str, Trait], facts: Facts, likings: tuple[str, ...]
) -> list[tuple[Source, float]]:
    """What the rule holds by, with how much of it is due to each; nothing if it does not hold.

    Due to the traits without any of which it would not hold, in equal parts; where each of several would do, to each of them whole, so
    that one less leaves the others. Where it holds without traits, to context; where without that too, to whoever wrote the rule.
    """

    def holds(names: list[str]) -> bool:
        return when.holds({**facts, "traits": {name: traits[name].value for name in names}}, unknown=UNKNOWN)

    if not holds(list(traits)):
        return []
    if holds([]):
        return _around(rule, when, facts)
    needed = [name for name in traits if not holds([one for one in traits if one != name])]
    enough = [] if needed else [name for name in traits if holds([name])]
    speaking = needed or enough or list(traits)
    part = 1.0 if enough else 1.0 / len(speaking)
    return [(_trait_source(name, traits, when, facts, name in likings), part) for name in speaking]


def _trait_source(name: str, traits: Mapping[str, Trait], when: When, facts: Facts, liking: bool) -> Source:
    """The trait as a source; of one that lists likings, with the first liking by which the rule holds."""
    trait = traits[name]
    source = Source(KIND_OF[type(trait)], name, trait.data)
    if not liking:
        return source  # "you like 34" would be no true reason
    rest = {one: other.value for one, other in traits.items()}
    values = trait.value if isinstance(trait.value, list) else [str(trait.value)]
    telling = [value for value in values if when.holds({**facts, "traits": {**rest, name: [value]}}, unknown=UNKNOWN)]
    return structs.replace(source, how=(telling or values)[0])


def _around(rule: Rule, when: When, facts: Facts) -> list[tuple[Source, float]]:
    """What of the context and of the time the rule holds by."""
    there = [
        (root, name) for root in ("context", "now") for name in _named(when, root) if facts[root].get(name) is not None
    ]
    needed = [
        (root, name)
        for root, name in there
        if not when.holds(
            {**facts, root: {one: value for one, value in facts[root].items() if one != name}}, unknown=UNKNOWN
        )
    ]
    speaking = needed or there
    if not speaking:
        house = Source("curated", rule.words, how=rule.words) if rule.words else Source("default", "rules")
        return [(house, 1.0)]
    return [(_around_source(name, facts[root][name]), 1.0 / len(speaking)) for root, name in speaking]


def _around_source(name: str, value: Value) -> Source:
    key = SAID.get(name, "")
    return Source(
        "context", key or name, how=value if key and isinstance(value, str) and len(value) <= SAID_MOST else ""
    )
