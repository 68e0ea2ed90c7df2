"""The two gates: nothing is kept without a purpose, and nothing is read without that purpose.

This is the only file that turns a profile into a View. Take the checks out and `tests/flow/test_gate.py` fails.
"""

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from tactful.domain.charter import Charter, Data
from tactful.domain.consent import Consent, Dial
from tactful.domain.event import Arrival, Event, Inferred, Interaction, Obtained, Provenance, Told, Trait
from tactful.domain.profile import Profile
from tactful.domain.type_rules import CHILD_TRAITS
from tactful.domain.values.moments import full_years, year
from tactful.domain.view import Assumed, View, Withheld

DAY = 86_400_000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Admitted(Struct, frozen=True):
    """What may stay. stripped: fields and traits that the charter does not declare, by name. child: what the traits say of it."""

    events: tuple[Event, ...]
    stripped: tuple[str, ...] = ()
    child: bool | None = None


class Refused(Struct, frozen=True):
    """Why nothing may stay."""

    why: str


# ------------------------------------------------------------------------------------------------------------ at the door


def admit(arrival: Arrival, charter: Charter, consent: Consent, now: int) -> Admitted | Refused:
    """What of an arrival may be kept, and for which purposes: what the person allows, narrowed by what the event itself says."""
    if arrival.verb:
        if arrival.obtained is not None:
            return Refused("what somebody did is not bought: data obtained from others is kept as traits only")
        return _admit_interaction(arrival, charter, consent, now)
    if arrival.obtained is not None:
        return _admit_obtained(arrival, arrival.obtained, charter, consent, now)
    child = child_in(arrival.traits, now, charter.children.age)
    if not arrival.traits:
        return Refused(f"the event {arrival.name!r} means nothing that the charter keeps")
    minor = is_child(consent, charter) if child is None else child
    traits, stripped = _traits(arrival, "told", charter, consent)
    if minor or consent.dial < Dial.told:
        traits = []
    at = arrival.at or now
    events = [
        Told(f"{arrival.id}#{name}", at, name, value, entry, purposes, now) for name, value, entry, purposes in traits
    ]
    if minor and child is None:
        return Refused("children are not profiled")
    if not events and child is None:
        return Refused("none of its traits may be kept: undeclared in the charter, or not allowed by the person")
    return Admitted(tuple(events), stripped, child)


def _traits(
    arrival: Arrival, kind: str, charter: Charter, consent: Consent
) -> tuple[list[tuple[str, Any, str, tuple[str, ...]]], tuple[str, ...]]:
    """((name, value, data entry, purposes) of each trait that may be kept, the names of those that the charter does not declare)."""
    found, stripped = [], []
    for name, value in arrival.traits.items():
        entry = charter.of_trait.get((kind, name))
        if entry is None or not _plain(value):
            stripped.append(name)
            continue
        data = charter.data[entry]
        purposes = purposes_for(data, charter, consent, arrival.granted)
        if purposes and not _shut(data, consent):
            found.append((name, value, entry, purposes))
    return found, tuple(stripped)


def mendable(piece: Arrival, charter: Charter, consent: Consent, now: int) -> bool:
    """Whether a trait that cannot be used as it is might be kept once it is mended. Only then does it wait in quarantine.

    What says that somebody is a child waits too: it protects.
    """
    if any(name in piece.traits for name in CHILD_TRAITS):
        return True
    blank = structs.replace(piece, traits=dict.fromkeys(piece.traits))
    return isinstance(admit(blank, charter, consent, now), Admitted)


def _admit_interaction(arrival: Arrival, charter: Charter, consent: Consent, now: int) -> Admitted | Refused:
    entry = charter.of_verb.get(arrival.verb)
    if entry is None:
        return Refused(f"the charter keeps no data for {arrival.verb!r}")
    if is_child(consent, charter):
        return Refused("children are not profiled")
    if consent.dial < Dial.visit:
        return Refused(f"the person's dial stands at {consent.dial.words!r}")
    data = charter.data[entry]
    purposes = purposes_for(data, charter, consent, arrival.granted)
    if not purposes:
        return Refused(f"the person allows no purpose of [data.{entry}]")
    if _shut(data, consent):
        return Refused(f"the person has not turned on {data.sensitive!r}")
    fields = arrival.fields
    stripped: tuple[str, ...] = ()
    if fields:
        fields = {name: value for name, value in arrival.fields.items() if name in data.fields and _plain(value)}
        stripped = tuple([name for name in arrival.fields if name not in fields])
    at, value, visit = arrival.at or 0, arrival.value, consent.dial == Dial.visit
    verb, items = arrival.verb, arrival.items
    if len(items) == 1:  # most often, and an import has millions of them
        kept: tuple[Interaction, ...] = (
            Interaction(arrival.id, at, verb, items[0], entry, purposes, visit, value, fields, now),
        )
    else:
        kept = tuple(
            [
                Interaction(f"{arrival.id}#{place}", at, verb, item, entry, purposes, visit, value, fields, now)
                for place, item in enumerate(items)
            ]
        )
    return Admitted(kept, stripped)


def _admit_obtained(
    arrival: Arrival, source: Provenance, charter: Charter, consent: Consent, now: int
) -> Admitted | Refused:
    """Traits that come from somebody else: only with seller, licence and basis, and only while the person does not refuse the seller."""
    for name in ("seller", "licence", "basis"):
        if not getattr(source, name):
            return Refused(f"no {name} stands with it; data obtained from others needs seller, licence and legal basis")
    if source.seller in consent.refused_sellers:
        return Refused(f"the person refuses data from {source.seller!r}")
    if is_child(consent, charter) or child_in(arrival.traits, now, charter.children.age):
        return Refused("children are not profiled")
    if consent.dial < Dial.remember:
        return Refused(f"the person's dial stands at {consent.dial.words!r}")
    traits, stripped = _traits(arrival, "obtained", charter, consent)
    papers = (source.seller, source.licence, source.basis)
    at = arrival.at or now
    events = [
        Obtained(f"{arrival.id}#{name}", at, name, value, entry, purposes, *papers, now)
        for name, value, entry, purposes in traits
    ]
    if not events:
        return Refused(
            "none of its traits may be kept: undeclared as obtained in the charter, or not allowed by the person"
        )
    return Admitted(tuple(events), stripped)


def purposes_for(
    data: Data, charter: Charter, consent: Consent, granted: Mapping[str, bool] | None = None
) -> tuple[str, ...]:
    """The purposes of a data entry that the person allows now; `granted`, what the event itself says, can only take away."""
    # People answer in few different ways, and this is asked for every event: each answer is worked out once.
    key = (data.purposes, consent.granted, consent.refused)
    allowed = charter.answers.get(key)
    if allowed is None:
        allowed = tuple(purpose for purpose in data.purposes if allows(purpose, charter, consent))
        if len(charter.answers) < 10_000:
            charter.answers[key] = allowed
    if granted is None:
        return allowed
    return tuple(purpose for purpose in allowed if granted.get(purpose, False))


def allows(purpose: str, charter: Charter, consent: Consent) -> bool:
    """Whether the person allows a purpose: said yes where consent is the basis, has not objected elsewhere."""
    declared = charter.purposes.get(purpose)
    if declared is None:
        return False
    if declared.basis == "consent":
        return purpose in consent.granted
    return purpose not in consent.refused


def is_child(consent: Consent, charter: Charter) -> bool:
    """Whether the person is a child, or must be presumed to be one."""
    return charter.children.unknown_age_is_child if consent.child is None else consent.child


def child_in(traits: Mapping[str, object], now: int, age: int) -> bool | None:
    """What declared traits say of being a child: None, if nothing. Where several say when somebody was born, the youngest counts."""
    said = traits.get("child")
    if isinstance(said, bool):
        return said
    ages = [_age(traits[name], now) for name in CHILD_TRAITS if name in traits]
    known = [years for years in ages if years is not None]
    return min(known) < age if known else None


def _age(born: object, now: int) -> int | None:
    """How old somebody is, by the year or the date of their birth. Of a year alone the birthday is taken to be yet to come."""
    if isinstance(born, int) and not isinstance(born, bool):
        return year(now) - born - 1
    return full_years(born, now) if isinstance(born, str) and _DATE.fullmatch(born) else None


def _shut(data: Data, consent: Consent) -> bool:
    return bool(data.sensitive) and data.sensitive not in consent.sensitive


def _plain(value: object) -> bool:
    """Whether a value is one that can be shown to the person as it is: no nested structures, no long texts."""
    if isinstance(value, list):
        return len(value) <= 100 and all(isinstance(piece, str) and len(piece) <= 256 for piece in value)
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 63  # longer ones no store can hold as a number
    return value is None or isinstance(value, float) or (isinstance(value, str) and len(value) <= 1024)


# --------------------------------------------------------------------------------------------------------------- at use


def view_of(
    profile: Profile,
    consent: Consent,
    charter: Charter,
    *,
    purpose: str,
    surface: str,
    now: int,
    telling: Container[str],
) -> View:
    """Cut the profile down to what this person allows, for this purpose, on this surface, now.

    telling: items an interest in which would betray a category that this person has not turned on.
    """
    child = is_child(consent, charter)
    shut = _closed(consent, charter, purpose, child)
    if shut is not None:
        audience = "children" if child else "adults"
        return View(purpose=purpose, surface=surface, withheld=_all_withheld(profile, shut), audience=audience)
    cut = _Cut(consent, charter, purpose, surface, now)
    visit_from = visit_start(profile.observed, now, charter.visit_ms)
    history = cut.history(profile.observed, visit_from, telling)
    traits: dict[str, Trait] = {}
    # What the person said comes last: it overrides what others said or we concluded.
    for kind in (profile.inferred, profile.obtained, profile.declared):
        traits.update({name: trait for name, trait in kind.items() if cut.keeps_trait(trait)})
    allowed = frozenset(name for name in charter.data if cut.entry_shut(name) is None)
    return View(
        purpose=purpose, surface=surface, dial=consent.dial, history=history, traits=traits, allowed=allowed,
        withheld=cut.withheld(), sensitive=consent.sensitive, assumed=cut.assumed(profile) if charter.fills else None,
    )  # fmt: skip


def _closed(consent: Consent, charter: Charter, purpose: str, child: bool) -> str | None:
    """Why nothing at all may be read, or None."""
    if child:
        return "children are not profiled"
    if consent.dial == Dial.off:
        return "the dial stands at 'Off'"
    if not allows(purpose, charter, consent):
        return f"no consent for {purpose!r}"
    return None


def _all_withheld(profile: Profile, why: str) -> tuple[Withheld, ...]:
    count: Counter[str] = Counter(interaction.data for interaction in profile.observed)
    for kind in (profile.declared, profile.obtained, profile.inferred):
        count.update(trait.data for trait in kind.values())
    return tuple(Withheld(data, why, number) for data, number in sorted(count.items()))


def overtaken(event: Event, consent: Consent) -> bool:
    """Whether something was concluded before the person last took anything back: it may stand on what they no longer allow, and
    does not say on what it stands."""
    return isinstance(event, Inferred) and event.at <= consent.narrowed


def visit_start(observed: Sequence[Event], now: int, gap: int) -> int:
    """When the visit that is going on now began: walk back, newest last, from now until nothing happened for longer than the gap."""
    start = now
    for interaction in reversed(observed):
        if start - interaction.at > gap:
            break
        start = min(start, interaction.at)
    return start


class _Cut:
    """One cut of a profile: decides piece by piece, and keeps count of what it withheld and why."""

    def __init__(self, consent: Consent, charter: Charter, purpose: str, surface: str, now: int) -> None:
        self.consent, self.charter, self.purpose, self.surface, self.now = consent, charter, purpose, surface, now
        self._why: Counter[tuple[str, str]] = Counter()
        self._entries: dict[str, str | None] = {}
        self._oldest: dict[str, int] = {}

    def entry_shut(self, name: str) -> str | None:
        """Why nothing kept under this data entry may be read, or None. Worked out once an entry."""
        if name not in self._entries:
            self._entries[name] = self._entry_shut(name)
            data = self.charter.data.get(name)
            self._oldest[name] = self.now - (data.retention_days * DAY if data else 0)
        return self._entries[name]

    def _entry_shut(self, name: str) -> str | None:
        data = self.charter.data.get(name)
        if data is None:
            return "the charter no longer declares it"
        if self.purpose not in data.purposes:
            return f"it is not for {self.purpose!r}"
        if self.surface not in data.surfaces:
            return f"it is not for the surface {self.surface!r}"
        if _shut(data, self.consent):
            return f"sensitive: {data.sensitive!r} is not turned on"
        if data.kind != "told" and self.consent.dial < Dial.visit:
            return f"the dial stands at {self.consent.dial.words!r}"
        if data.kind in ("obtained", "inferred") and self.consent.dial < Dial.remember:
            return f"the dial stands at {self.consent.dial.words!r}"
        return None

    def history(
        self, observed: Sequence[Interaction], visit_from: int, telling: Container[str]
    ) -> tuple[Interaction, ...]:
        """The interactions that may be read. This runs for every event of a profile at every decision: the common case comes first."""
        open_since = {
            name: self._oldest[name] for name in {one.data for one in observed} if self.entry_shut(name) is None
        }
        purpose, this_visit = self.purpose, self.consent.dial == Dial.visit
        kept = []
        for one in observed:
            oldest = open_since.get(one.data)
            if (
                oldest is not None
                and (one.kept or one.at) >= oldest
                and purpose in one.purposes
                and one.item not in telling
                and (one.at >= visit_from or not (this_visit or one.visit))
            ):
                kept.append(one)
            else:
                self._why[one.data, self._reason(one, telling)] += 1
        return tuple(kept)

    def _reason(self, one: Interaction, telling: Container[str]) -> str:
        """Why an interaction is withheld, in words."""
        shut = self.entry_shut(one.data)
        if shut is not None:
            return shut
        if self.purpose not in one.purposes:
            return f"it was not collected for {self.purpose!r}"
        if (one.kept or one.at) < self._oldest[one.data]:
            return "its time is over"
        if one.item in telling:
            return "sensitive: the item would betray what is not turned on"
        return "it belongs to an earlier visit"

    def keeps_trait(self, trait: Trait) -> bool:
        """Whether a trait may be read."""
        why = self.entry_shut(trait.data)
        if why is None and self.purpose not in trait.purposes:
            why = f"it was not collected for {self.purpose!r}"
        if why is None:
            why = self._outdated(trait)
        if why is None and isinstance(trait, Obtained) and trait.seller in self.consent.refused_sellers:
            why = f"the person refuses data from {trait.seller!r}"
        if why is None and overtaken(trait, self.consent):
            why = "it was made before the person allowed less"
        if why is None:
            return True
        self._why[trait.data, why] += 1
        return False

    def _outdated(self, trait: Trait) -> str | None:
        """Why a trait is no longer taken for true, or None."""
        if (trait.kept or trait.at) < self._oldest[trait.data]:
            return "its time is over"
        entry = self.charter.data.get(trait.data)
        kind = None if entry is None else entry.types.get(trait.name)
        if kind is not None and kind.fresh_days and trait.at < self.now - kind.fresh_days * DAY:
            return f"stale: older than {kind.fresh_days} days"
        return None

    def assumed(self, profile: Profile) -> dict[str, Assumed]:
        """What the charter lets us assume of traits of which nothing is known, or nothing that is still taken for true.

        What is known but may not be read is not assumed either: an assumption never stands in for what somebody withholds.
        """
        known = {
            name
            for kind in (profile.declared, profile.obtained, profile.inferred)
            for name, trait in kind.items()
            if self.entry_shut(trait.data) is not None or self._outdated(trait) is None
        }
        return {
            name: Assumed(name, value, entry)
            for entry, name, value in self.charter.fills
            if name not in known and self.entry_shut(entry) is None
        }

    def withheld(self) -> tuple[Withheld, ...]:
        """What was withheld so far, by data entry and reason."""
        return tuple(Withheld(data, why, count) for (data, why), count in sorted(self._why.items()))
