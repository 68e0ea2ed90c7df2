"""What the data is like: how complete, how often double, how fresh, by source. Read person by person; what is held grows with the charter, not with the people."""

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.event import Event, Interaction, Obtained, Trait

DAY = 86_400_000
CLOSE_MS = 2_000
"""The same person, verb and item twice within so many milliseconds is most likely one act sent twice."""
OLDEST_DAYS = 36_525
"""Older events are counted as this old, so that the ages held are bounded."""
EXAMPLES = 5


class SourceQuality(Struct, frozen=True):
    """One source: a data entry, and the seller of what was obtained.

    newest: ms since 1970. age: days, half of it is younger, and nine tenths. week, week_before: events of the last seven days, and of the
    seven before. doubled: events that most likely came twice. known: share of interactions whose item is in the catalogue (None: no interactions).
    stale: share of traits that are older than they may be (None: no traits).
    """

    source: str
    seller: str
    people: int
    events: int
    newest: int
    age_half: int
    age_most: int
    week: int
    week_before: int
    doubled: int
    known: float | None
    stale: float | None


class TraitQuality(Struct, frozen=True):
    """A declared trait: the share of people of whom it is known, and of those the share of whom it is stale. filled: assumed of the others."""

    trait: str
    data: str
    people: int
    share: float
    stale: float
    filled: bool


class Quality(Struct, frozen=True):
    """The whole report. attributes: share of items that have each. doubled_titles: items that share kind and title with another, and some of them."""

    people: int
    items: int
    sources: tuple[SourceQuality, ...]
    traits: tuple[TraitQuality, ...]
    attributes: dict[str, float]
    doubled_titles: int
    examples: tuple[tuple[str, ...], ...]


class _Source:
    """One source while it is counted."""

    def __init__(self) -> None:
        self.people = self.newest = self.doubled = self.acts = self.known = self.traits = self.stale = 0
        self.ages: Counter[int] = Counter()

    def add(self, event: Event, now: int) -> None:
        self.newest = max(self.newest, event.at)
        self.ages[min(OLDEST_DAYS, max(0, (now - event.at) // DAY))] += 1

    def done(self, source: str, seller: str) -> SourceQuality:
        events = self.ages.total()
        return SourceQuality(
            source, seller, self.people, events, self.newest, _quantile(self.ages, 0.5), _quantile(self.ages, 0.9),
            sum(self.ages[day] for day in range(7)), sum(self.ages[day] for day in range(7, 14)), self.doubled,
            self.known / self.acts if self.acts else None, self.stale / self.traits if self.traits else None,
        )  # fmt: skip


def quality(
    people: Iterable[tuple[str, list[Event]]],
    catalogue: Catalogue,
    charter: Charter,
    attributes: Sequence[str],
    now: int,
) -> Quality:
    """Look at everybody once. attributes: those that the placements go by; none takes all that items have. now: ms since 1970."""
    sources: defaultdict[tuple[str, str], _Source] = defaultdict(_Source)
    having: Counter[tuple[str, str]] = Counter()
    stale: Counter[tuple[str, str]] = Counter()
    count = 0
    for _, events in people:
        count += 1
        for source in {_source(event) for event in events}:
            sources[source].people += 1
        for event in events:
            sources[_source(event)].add(event, now)
        _count_acts([event for event in events if isinstance(event, Interaction)], catalogue, sources)
        for trait in _latest(events):
            name, old = (trait.data, trait.name), _is_stale(trait, charter, now)
            having[name] += 1
            stale[name] += old
            sources[_source(trait)].traits += 1
            sources[_source(trait)].stale += old
    titles = _doubled_titles(catalogue)
    return Quality(
        count, len(catalogue), tuple(sources[key].done(*key) for key in sorted(sources)),
        tuple(
            TraitQuality(
                trait, name, having[name, trait], having[name, trait] / count if count else 0.0,
                stale[name, trait] / (having[name, trait] or 1), any(fill[:2] == (name, trait) for fill in charter.fills),
            )
            for name, data in charter.data.items() for trait in data.traits
        ),
        _attribute_shares(catalogue, attributes), sum(map(len, titles)), tuple(titles[:EXAMPLES]),
    )  # fmt: skip


def _source(event: Event) -> tuple[str, str]:
    return event.data, event.seller if isinstance(event, Obtained) else ""


def _latest(events: Iterable[Event]) -> list[Trait]:
    """What is current of each trait, of each kind, unless it was taken back."""
    latest: dict[tuple[type, str], Trait] = {}
    for event in events:
        if not isinstance(event, Interaction):
            known = latest.get((type(event), event.name))
            if known is None or (event.at, event.id) > (known.at, known.id):
                latest[type(event), event.name] = event
    return [trait for trait in latest.values() if trait.value is not None]


def _is_stale(trait: Trait, charter: Charter, now: int) -> bool:
    entry = charter.data.get(trait.data)
    kind = None if entry is None else entry.types.get(trait.name)
    return kind is not None and bool(kind.fresh_days) and trait.at < now - kind.fresh_days * DAY


def _count_acts(acts: list[Interaction], catalogue: Catalogue, sources: dict[tuple[str, str], _Source]) -> None:
    """Whether their items are known, and which of them came twice: the same act again within two seconds, as another message."""
    for act in acts:
        source = sources[_source(act)]
        source.acts += 1
        source.known += act.item in catalogue.index
    acts.sort(key=lambda act: (act.item, act.verb, act.at, act.id))
    for before, act in pairwise(acts):
        if (before.item, before.verb) == (act.item, act.verb) and act.at - before.at <= CLOSE_MS:
            sources[_source(act)].doubled += 1


def _quantile(ages: Counter[int], share: float) -> int:
    """The age that this share of events does not exceed, in whole days."""
    wanted, seen = math.ceil(share * ages.total()), 0
    for age in sorted(ages):
        seen += ages[age]
        if seen >= wanted:
            return age
    return 0


def _attribute_shares(catalogue: Catalogue, attributes: Sequence[str]) -> dict[str, float]:
    having: Counter[str] = Counter()
    for row in range(len(catalogue)):
        item = catalogue.item(row)
        having.update(name for name in item.attributes if any(item.values(name)))
    size = len(catalogue) or 1
    return {name: having[name] / size for name in attributes or sorted(having)}


def _doubled_titles(catalogue: Catalogue) -> list[tuple[str, ...]]:
    """Ids of items of one kind whose titles differ at most in capitals, accents' spelling, spaces and signs."""
    titles: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in range(len(catalogue)):
        item = catalogue.item(row)
        plain = unicodedata.normalize("NFKC", item.title).casefold()
        titles[item.kind, "".join(filter(str.isalnum, plain)) or plain].append(item.id)
    return [tuple(ids) for ids in titles.values() if len(ids) > 1]
