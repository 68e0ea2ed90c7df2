"""One person across names: whose an event is, which names a person goes by, and whose consent holds. Pure: links and consents are passed in.

Nothing here depends on the order in which events and links came, only on what they say.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from msgspec import structs

from tactful.domain.consent import Consent, Dial
from tactful.domain.event import Event
from tactful.domain.identity import ANONYMOUS, Link, Owners

OwnersOf = Callable[[str], Owners]


def owner_of(name: str, moment: int, owners: OwnersOf) -> str | None:
    """Whose an event under this name is, through chains of links; None if disowned. moment: ms since 1970.

    Names that lead round in a circle are all one person: the circle's first name in the alphabet.
    """
    path = [name]
    while True:
        following = owners(path[-1]).at(moment)
        if following is None or following == path[-1]:
            return following
        if following in path:
            return min(path[path.index(following) :])
        path.append(following)


def names_of(person: str, links: Callable[[str], Sequence[Link]]) -> tuple[str, ...]:
    """The person's own name, then every name that is or was theirs, or belongs to one that was, in the alphabet's order."""
    found, waiting = {person}, [person]
    while waiting:
        name = waiting.pop()
        for link in links(name):
            if link.person == name and link.name not in found:
                found.add(link.name)
                waiting.append(link.name)
    return (person, *sorted(found - {person}))


def new_names(name: str, owners: OwnersOf) -> tuple[str, ...]:
    """The name itself, then what it is an old name of, one after the other; where they lead round, each once."""
    found = [name]
    while (new := owners(found[-1]).alias) is not None and new not in found:
        found.append(new)
    return tuple(found)


def people_behind(name: str, owners: OwnersOf) -> tuple[str, ...]:
    """The name itself, then everybody to whom it leads, at one time or another, through chains of links."""
    found, waiting = {name}, [name]
    while waiting:
        for person in owners(waiting.pop()).people:
            if person not in found:
                found.add(person)
                waiting.append(person)
    return (name, *sorted(found - {name}))


def acts_as(person: str, moment: int, owners: OwnersOf) -> str:
    """For whom a decision asked for under this name is: an old name means the new one, an account whoever is using it.

    A device means itself, however linked: it proves nothing about who sits in front of it.
    """
    if person.startswith(ANONYMOUS):
        return person
    return owner_of(person, moment, owners) or person


def theirs(
    events: Iterable[tuple[int, Event]], name: str, person: str, owners: OwnersOf
) -> Iterable[tuple[int, Event]]:
    """Those of the events under this name that are this person's."""
    if name == person and not owners(name).handed_on:
        return events
    return ((number, event) for number, event in events if owner_of(name, event.at, owners) == person)


def held_back_by(names: Sequence[str], owners: OwnersOf, consents: Callable[[str], Consent]) -> dict[str, Consent]:
    """Linked names that the person has not confirmed, and what was answered under them; where nothing was, nothing holds back.

    names: the person's own first, as `names_of` gives them.
    """
    found, known = {}, frozenset(names)
    for name in names[1:]:
        of = owners(name)
        linked = [person for person in of.people if person in known and of.stands_for(person)]
        if linked and not any(of.confirmed(person) for person in linked) and consents(name).version:
            found[name] = consents(name)
    return found


def is_known_child(names: Sequence[str], owners: OwnersOf, consents: Callable[[str], Consent]) -> bool:
    """Whether a person is known to be a child under any name that was theirs all along. No confirmation takes that away.

    names: as for `held_back_by`. What is an old name of somebody else, and was their device for a while, says nothing of them.
    """
    known = frozenset(names)
    return any(consents(name).child for name in names if name == names[0] or owners(name).alias in known)


def effective(names: Sequence[str], owners: OwnersOf, consents: Callable[[str], Consent]) -> Consent:
    """What holds for a person: their own answers, less what unconfirmed links hold back; and a known child stays one.

    names: as for `held_back_by`.
    """
    held_back = held_back_by(names, owners, consents)
    held = strictest(consents(names[0]), held_back.values())
    if len(names) > 1:
        held = structs.replace(held, narrowed=narrowed(names, owners, consents, held_back))
    return structs.replace(held, child=True) if is_known_child(names, owners, consents) else held


def narrowed(names: Sequence[str], owners: OwnersOf, consents: Callable[[str], Consent], held: Container[str]) -> int:
    """When less of a person was last allowed, or less was theirs (ms since 1970): something was taken back under a name that is theirs,
    a name was given up, or one that holds them back was linked.

    names: as for `held_back_by`; held: what that gives. What was concluded before may stand on what is out of reach now.
    """
    known, latest = frozenset(names), consents(names[0]).narrowed
    for name in names[1:]:
        of = owners(name)
        latest = max(latest, *(of.parted(person) for person in known))
        if any(of.stands_for(person) for person in known):
            latest = max(latest, consents(name).narrowed)
        if name in held:
            latest = max(latest, *(of.joined(person) for person in known))
    return latest


def behind(
    name: str, owners: OwnersOf, links: Callable[[str], Sequence[Link]], consents: Callable[[str], Consent]
) -> tuple[Consent, ...]:
    """What everybody behind a name allows: its own answers first, then those of whoever it belongs to. A known child is one here too,
    under whatever old name that was learned."""
    found = []
    for one in people_behind(name, owners):
        consent, names = consents(one), names_of(one, links)
        if is_known_child(names, owners, consents):
            consent = structs.replace(consent, child=True)
        if len(names) > 1:
            held = held_back_by(names, owners, consents)
            consent = structs.replace(consent, narrowed=narrowed(names, owners, consents, held))
        found.append(consent)
    return tuple(found)


def strictest(consent: Consent, others: Iterable[Consent]) -> Consent:
    """What all of them allow: the lowest dial, the purposes granted by each, nothing that any refused. Version and age stay the first one's."""
    for other in others:
        child = True if True in (consent.child, other.child) else consent.child
        consent = Consent(
            dial=min(consent.dial, other.dial),
            granted=consent.granted & other.granted,
            refused=consent.refused | other.refused,
            sensitive=consent.sensitive & other.sensitive,
            child=child,
            version=consent.version,
            since=consent.since,
            refused_sellers=consent.refused_sellers | other.refused_sellers,
            dialled=consent.dialled,
            narrowed=max(consent.narrowed, other.narrowed),
        )
    return consent


def at_the_door(name: str, moment: int, owners: OwnersOf, consents: Callable[[str], Consent]) -> tuple[str, Consent]:
    """Under which name an event is kept, and under whose consent it comes in.

    A device's events come under what was answered on the device. What comes under an account while somebody else of it is using it
    is theirs, under their consent. What still comes under an old name, under which nothing was answered, comes under the new one's;
    and under the consent of somebody whose dial stands at "Off" nothing does. Whatever else the new one answered counts at use: a
    link may come after what was done, and the order must not matter.
    """
    own = consents(name)
    of = owners(name)
    if name.startswith(ANONYMOUS) or not of.handed_on:
        return name, own
    owner = owner_of(name, moment, owners)
    if owner is None or owner == name:
        return name, own
    if of.alias is not None:
        new = consents(owner)
        off = new.version > 0 and new.dial is Dial.off
        return name, own if own.version and not off else new
    return owner, consents(owner)


def merged(
    everybody: Iterable[tuple[str, list[Event]]], links: Mapping[str, Sequence[Link]]
) -> Iterable[tuple[str, list[Event]]]:
    """People with their events, those of linked names brought together under the person. In the alphabet's order of names
    among those without links, then among those with."""
    owners = {name: Owners(name, of) for name, of in links.items()}

    def owners_of(name: str) -> Owners:
        return owners.get(name) or Owners(name, ())

    together: dict[str, list[Event]] = {}
    for name, events in everybody:
        if name not in links:
            yield name, events
            continue
        for event in events:
            owner = owner_of(name, event.at, owners_of)
            if owner is not None:
                together.setdefault(owner, []).append(event)
    yield from sorted(together.items(), key=lambda person: person[0])


def effective_for_all(consents: Mapping[str, Consent], links: Mapping[str, Sequence[Link]]) -> dict[str, Consent]:
    """What holds for every name that has a consent or a link, as `effective` says."""
    owners = {name: Owners(name, of) for name, of in links.items()}
    nobody = Consent()

    def owners_of(name: str) -> Owners:
        return owners.get(name) or Owners(name, ())

    def consent_of(name: str) -> Consent:
        return consents.get(name, nobody)

    held = dict(consents)
    for name in links:
        held[name] = effective(names_of(name, lambda one: links.get(one, ())), owners_of, consent_of)
    return held
