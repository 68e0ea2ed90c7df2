"""People as the stores know them: what each allows, who is who, what is known. Caches that notice what any worker changed."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from tactful.domain.consent import Consent, Dial
from tactful.domain.event import Event, Inferred, Interaction, Told
from tactful.domain.identity import ADDED, CHOSEN, DISOWNED, LINKED, Link, Owners
from tactful.domain.profile import UNKNOWN, Profile
from tactful.flow.fold import fold
from tactful.flow.gate import visit_start
from tactful.flow.identity import (
    acts_as,
    at_the_door,
    effective,
    held_back_by,
    is_known_child,
    names_of,
    new_names,
    owner_of,
    theirs,
)
from tactful.ports import Ack, Stores

NAMES_AT_HAND = 100_000


class _Known(Struct, frozen=True):
    """A profile at hand. heads: the last record folded in, by name; mark: what must not have changed meanwhile."""

    profile: Profile
    heads: tuple[int, ...]
    mark: tuple[tuple[int, tuple[Link, ...]], ...]


class Linked(Struct, frozen=True):
    """A name that is a person's: since when (ms since 1970), by what it was proven, whether they confirmed it, and the dial set on it."""

    name: str
    how: str
    since: int
    confirmed: bool
    source: str
    dial: Dial


class People:
    """What is asked about people, of the stores that are passed in. cached_events: how many events profiles at hand may hold together."""

    def __init__(self, stores: Stores, cached_events: int) -> None:
        self._stores = stores
        self._consents: dict[str, Consent] = {}
        self._links: dict[str, tuple[Link, ...]] = {}
        self._owners: dict[str, Owners] = {}
        self._ahead: set[str] = set()  # names of which something counts that is still on its way to the store
        self._version = -1
        self._profiles: OrderedDict[str, _Known] = OrderedDict()
        self._cached, self._cached_most = 0, cached_events

    def refresh(self) -> None:
        """Let go of what may be out of date: somebody, on some worker, changed a consent or a link, or was forgotten."""
        version = self._stores.consents.version()
        if version != self._version:
            self._let_go()
            self._version = version
        for name in self._ahead:  # what counted before it was kept, and perhaps never was
            for held in (self._consents, self._links, self._owners):
                held.pop(name, None)
        self._ahead.clear()

    def _let_go(self) -> None:
        self._consents.clear()
        self._links.clear()
        self._owners.clear()

    # Between two calls of `refresh`, all of these see one state.

    def consent(self, name: str) -> Consent:
        """What was answered under this name."""
        found = self._consents.get(name)
        if found is None:
            if len(self._consents) > NAMES_AT_HAND:
                self._let_go()
            found = self._consents[name] = Consent.of(self._stores.consents.read(name))
        return found

    def know(self, name: str, consent: Consent) -> None:
        """What is on its way to the store counts already."""
        self._consents[name] = consent
        self._ahead.add(name)

    def links(self, name: str) -> tuple[Link, ...]:
        """The links that mention this name."""
        found = self._links.get(name)
        if found is None:
            found = self._links[name] = tuple(self._stores.links.read(name))
        return found

    def link(self, link: Link) -> None:
        """What is on its way to the store counts already."""
        for name in {link.name, link.person} - {""}:
            self._links[name] = (*self.links(name), link)
            self._owners.pop(name, None)
            self._ahead.add(name)

    def owners(self, name: str) -> Owners:
        """Whose the events under this name are."""
        found = self._owners.get(name)
        if found is None:
            found = self._owners[name] = Owners(name, self.links(name))
        return found

    def names(self, person: str) -> tuple[str, ...]:
        """The names whose events may be this person's; their own first."""
        return names_of(person, self.links) if self.links(person) else (person,)

    def new_names(self, name: str) -> tuple[str, ...]:
        """The name, then what it is an old name of, one after the other."""
        return new_names(name, self.owners) if self.links(name) else (name,)

    def who(self, name: str, now: int) -> str:
        """Who is acting under this name now (ms since 1970)."""
        return acts_as(name, now, self.owners) if self.links(name) else name

    def door(self, name: str, moment: int) -> tuple[str, Consent]:
        """Under which name, and whose consent, an event of this moment comes in."""
        if not self.links(name):
            return name, self.consent(name)
        person, consent = at_the_door(name, moment, self.owners, self.consent)
        owner = owner_of(name, moment, self.owners) or person
        child = any(is_known_child(self.names(one), self.owners, self.consent) for one in {person, owner})
        return person, structs.replace(consent, child=True) if child else consent

    def disowned(self, name: str, moment: int) -> bool:
        """Whether the person, whose an event of this moment under this name would be, said that it was not them."""
        return bool(self.links(name)) and owner_of(name, moment, self.owners) is None

    def held_back_by(self, person: str) -> dict[str, Consent]:
        """Names linked to the person, not confirmed by them yet, whose answers hold for them too."""
        return held_back_by(self.names(person), self.owners, self.consent)

    def effective(self, person: str) -> Consent:
        """What holds for the person now."""
        return effective(self.names(person), self.owners, self.consent)

    def profile(self, person: str) -> Profile:
        """The profile, folded from the log. What is at hand is good as long as the last record under each of the person's names
        is the one folded in last, and nobody, on any worker, linked or forgot them meanwhile: a consent would begin anew."""
        names = self.names(person)
        heads = tuple([self._stores.events.head(name) for name in names])
        mark = tuple([(self.consent(name).since, self.links(name)) for name in names])
        known = self._profiles.pop(person, None)
        if known is not None:
            self._cached -= len(known.profile.observed)
            if known.mark != mark or any(new < old for new, old in zip(heads, known.heads, strict=True)):
                known = None  # linked, forgotten, or restored from an older copy
        if not any(heads):
            return UNKNOWN
        if known is None or known.heads != heads:
            known = self._folded(person, names, heads, known or _Known(UNKNOWN, (0,) * len(names), mark))
        self._profiles[person] = known
        self._cached += len(known.profile.observed)
        while self._cached > self._cached_most and len(self._profiles) > 1:
            _, oldest = self._profiles.popitem(last=False)
            self._cached -= len(oldest.profile.observed)
        return known.profile

    def _folded(self, person: str, names: tuple[str, ...], heads: tuple[int, ...], known: _Known) -> _Known:
        profile, reached = known.profile, []
        for name, head, old in zip(names, heads, known.heads, strict=True):
            events = self._stores.events.read(name, old) if head > old else []
            reached.append(events[-1][0] if events else head)  # more may have come in since the head was asked for
            profile = fold(profile, theirs(events, name, person, self.owners))
        return _Known(profile, tuple(reached), known.mark)

    # ------------------------------------------------------------------------------------------------------- who is who

    def keep(self, links: Sequence[Link]) -> Ack[None] | None:
        """Keep links that are new; they count at once. None if there were none."""
        new = [link for link in links if all(link.key != kept.key for kept in self.links(link.name))]
        for link in new:
            self.link(link)
        return self._stores.links.append(new) if new else None

    def linked(self, person: str) -> list[Linked]:
        """The names that are the person's, each with the last link that made it so."""
        found = []
        for name in self.names(person)[1:]:
            of = self.owners(name)
            if how := of.how(person):
                last = max(
                    (link for link in self.links(name) if (link.person, link.how, link.state) == (person, how, LINKED)),
                    key=lambda link: link.at,
                )
                found.append(Linked(name, how, last.at, of.confirmed(person), last.source, self.consent(name).dial))
        return found

    def members(self, account: str) -> list[str]:
        """The people who share this account."""
        return sorted(
            {link.person for link in self.links(account) if link.name == account and link.how in (ADDED, CHOSEN)}
        )

    def disown(self, person: str, since: int, now: int, by: str) -> list[Ack[None]]:
        """That was not me: what came under any of the person's names between the two moments (ms since 1970) is nobody's, and goes.

        by: an id for the statement.
        """
        gone = {name: self._between(name, person, since, now) for name in self.names(person)}
        acks: list[Ack[None]] = []
        for name, events in gone.items():
            whose = (
                {self.owners(name).at(at) for at in events.values()}
                if events
                else {person}
                if name == person
                else set()
            )
            links = [
                Link(by, now, name, one, DISOWNED, since=since, source="not me") for one in sorted(filter(None, whose))
            ]
            kept = self.keep(links) if links else None
            acks += [kept] if kept is not None else []
            acks += [self._stores.events.forget(name, frozenset(events))] if events else []
        return acks

    def take_back(self, person: str, which: Callable[[Event], bool], now: int, by: str) -> list[Ack[None]]:
        """Leave nothing of those of the person's events that `which` picks, under any name, nor of what was concluded since the first of
        them: it may stand on them. by: an id for the statement.

        The statement says of no moment that it was somebody else's; it is there so that every worker reads anew.
        """
        self.refresh()
        acks: list[Ack[None]] = []
        mine = {name: self._events(name, person) for name in self.names(person)}
        since = (event.kept or event.at for events in mine.values() for event in events if which(event))
        first = min(since, default=now + 1)
        for name, events in mine.items():
            gone = frozenset(one.id for one in events if which(one) or (isinstance(one, Inferred) and one.at >= first))
            if gone:
                acks.append(self._stores.events.forget(name, gone))
                kept = self.keep([Link(by, now, name, person, DISOWNED, since=now + 1, source="taken back")])
                acks += [kept] if kept is not None else []
        return acks

    def took_back(self, person: str, since: int) -> bool:
        """Whether anything of the person was taken back since this moment (ms since 1970), under any name."""
        names = self.names(person)
        return any(
            link.how == DISOWNED and link.person in names and link.at >= since
            for name in names
            for link in self.links(name)
        )

    def _between(self, name: str, person: str, since: int, until: int) -> dict[str, int]:
        """The events (id → when) that came under this name between two moments and are this person's."""
        return {event.id: event.at for event in self._events(name, person) if since <= event.at <= until}

    def _events(self, name: str, person: str) -> list[Event]:
        """The events that came under this name and are this person's."""
        return [event for _, event in self._stores.events.read(name) if owner_of(name, event.at, self.owners) == person]

    def visit_start(self, person: str, now: int, gap: int) -> int:
        """When the person's present visit began (ms since 1970), by what they did and told. What others said of them, or what we concluded,
        at night for all we know, is no visit. gap: ms without an event that end a visit."""
        own = (event for name in self.names(person) for event in self._events(name, person))
        visits = (event for event in own if isinstance(event, Interaction | Told))
        return visit_start(sorted(visits, key=lambda event: event.at), now, gap)

    def forget(self, person: str) -> list[Ack[None]]:
        """Leave nothing of the person, under any name: their devices and old names are forgotten with them, the people of their
        account too, and what they did under an account that they shared."""
        acks: list[Ack[None]] = []
        going = self.goes_with(person)
        for one in going:
            for account in sorted(self._shared_by(one) - set(going)):
                acks.append(self._stores.events.forget(account, frozenset(self._between(account, one, 0, 1 << 62))))
        for name in going:
            known = self._profiles.pop(name, None)
            if known is not None:
                self._cached -= len(known.profile.observed)
            stores = self._stores
            for store in (stores.events, stores.consents, stores.links, stores.receipts, stores.quarantine):
                acks.append(store.forget(name))
        self._let_go()
        return acks

    def _shared_by(self, person: str) -> set[str]:
        """The accounts that the person used."""
        return {link.name for link in self.links(person) if link.person == person and link.how == CHOSEN}

    def goes_with(self, person: str) -> list[str]:
        """Who is forgotten with this person: their devices and old names, the people of their account, and theirs.

        Asked for under an old name, it is whoever goes by the new one who is forgotten.
        """
        self.refresh()
        found = list(self.new_names(person))
        waiting = list(found)
        while waiting:
            name = waiting.pop()
            mine = [other for other in self.names(name) if self.owners(other).stands_for(name)]
            for other in [*mine, *self.members(name)]:
                if other not in found:
                    found.append(other)
                    waiting.append(other)
        return found
