"""What one receiver may be given of the feed, as things stand at this moment."""

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tactful.deliver.messages import consent_out, decision_out, encode, event_out
from tactful.domain.charter import Charter
from tactful.domain.consent import Consent, ConsentChange, Dial
from tactful.domain.event import Event
from tactful.domain.identity import Owners
from tactful.domain.receipt import Receipt
from tactful.domain.receiver import DECISIONS, EVENTS, Receiver
from tactful.flow.identity import behind, owner_of
from tactful.flow.release import News, decision_kept_back, kept_back, level, may_hold, news_of
from tactful.ports import Entry, Stores

BYTES = 1_000_000
"""A parcel is closed once it is larger than this, so that a receiver need not take endless bodies."""


class Parcel(Struct, frozen=True):
    """A stretch of the feed, cut down to what a receiver may have.

    after, until: the numbers it lies between. messages: encoded. withheld: what stayed, by reason. urgent: it tells that somebody
    took something away; it travels alone, and is never put aside.
    """

    after: int
    until: int
    messages: tuple[bytes, ...] = ()
    withheld: dict[str, int] = {}
    urgent: bool = False


class _Packed(Struct, frozen=True):
    messages: list[bytes]
    withheld: Counter[str]
    urgent: bool = False


class Outgoing:
    """The gate of one receiver, on stores that are open. Not for several threads at once."""

    def __init__(self, stores: Stores, charter: Charter, receiver: Receiver) -> None:
        self._stores, self._charter, self._receiver = stores, charter, receiver
        self._catalogue = charter.empty_catalogue()
        self._known: dict[str, tuple[Consent, ...]] = {}

    def head(self) -> int:
        """The last number of the feed."""
        return self._stores.feed.head()

    def after(self, number: int, most: int, now: int, until: int = 0) -> Parcel:
        """The next parcel. until: where an earlier attempt at it ended (0: there was none). now: milliseconds since 1970."""
        self._known.clear()
        self._refresh_items()
        page = self._stores.feed.after(number, most)
        messages: list[bytes] = []
        withheld: Counter[str] = Counter()
        size, reached = 0, number
        for entry in page.entries:
            if until and entry.number > until:
                break
            packed = self._packed(entry, now)
            if messages and (packed.urgent or size > BYTES):
                return Parcel(number, reached, tuple(messages), dict(withheld))
            messages += packed.messages
            withheld += packed.withheld
            size += sum(map(len, packed.messages))
            reached = entry.number
            if packed.urgent:
                return Parcel(number, reached, tuple(messages), dict(withheld), urgent=True)
        return Parcel(number, min(until or page.until, page.until), tuple(messages), dict(withheld))

    def _refresh_items(self) -> None:
        version = self._stores.items.version()
        if version != self._catalogue.version:
            fresh = self._stores.items.since(self._catalogue.version)
            self._catalogue = self._catalogue.with_items(fresh, version)

    def _packed(self, entry: Entry, now: int) -> _Packed:
        match entry.content:
            case ConsentChange():
                return self._consent(entry, entry.content)
            case Receipt():
                return self._decision(entry, entry.content)
            case events:
                return self._events(entry, events, now)

    def _events(self, entry: Entry, events: Sequence[Event], now: int) -> _Packed:
        packed = _Packed([], Counter())
        if EVENTS not in self._receiver.what:
            return packed
        consents = self._standing(entry.person, entry.consent)
        telling = self._telling(consents)
        for event in events:
            why = kept_back(event, self._receiver.purpose, consents, self._charter, now, telling)
            if why is None and owner_of(entry.person, event.at, self._owners_of) is None:
                why = "it was disowned"
            if why is None:
                packed.messages.append(encode(event_out(entry.number, entry.person, event)))
            else:
                packed.withheld[why] += 1
        return packed

    def _decision(self, entry: Entry, receipt: Receipt) -> _Packed:
        if DECISIONS not in self._receiver.what:
            return _Packed([], Counter())
        consents = self._standing(entry.person, entry.consent)
        telling = self._telling(consents)
        why = decision_kept_back(receipt, self._receiver.purpose, consents, self._charter, telling)
        if why is not None:
            return _Packed([], Counter([why]))
        return _Packed([encode(decision_out(entry.number, entry.person, receipt))], Counter())

    def _consent(self, entry: Entry, change: ConsentChange) -> _Packed:
        consents = self._standing(entry.person, entry.consent)
        news = news_of(change, entry.before, consents, self._receiver, self._charter)
        if news is None:
            return _Packed([], Counter())
        if isinstance(news, str):
            return _Packed([], Counter([news]))
        messages = [encode(consent_out(entry.number, entry.person, change, news))]
        for name, least in self._names_of(
            entry.person
        ):  # what the person takes away is taken away under all their names
            messages.append(encode(consent_out(entry.number, name, change, News(least, news.withdrawn))))
        return _Packed(messages, Counter(), urgent=news.withdrawn)

    # ------------------------------------------------------------------------------------------------------- who is who

    def _standing(self, person: str, consent: Consent) -> tuple[Consent, ...]:
        """What everybody behind the name allows: of a device, its own answers and those of whoever it belongs to."""
        found = self._known.get(person)
        if found is None:
            links = self._stores.links.read
            found = self._known[person] = behind(
                person, self._owners_of, links, lambda name: consent if name == person else self._consent_of(name)
            )
        return found

    def _owners_of(self, name: str) -> Owners:
        return Owners(name, self._stores.links.read(name))

    def _consent_of(self, person: str) -> Consent:
        return Consent.of(self._stores.consents.read(person))

    def _telling(self, consents: Sequence[Consent]) -> frozenset[str]:
        """Items that would betray a category that one of them has not turned on."""
        common = frozenset.intersection(*(consent.sensitive for consent in consents))
        return self._catalogue.telling(common)

    def _names_of(self, person: str) -> Iterator[tuple[str, Dial]]:
        """Other names of a person that this receiver may have heard of, each with what may be told under it now."""
        names = {link.name for link in self._stores.links.read(person) if link.person == person} - {person}
        for name in sorted(names):
            if may_hold(self._stores.consents.read(name), self._receiver.purpose, self._charter):
                consents = self._standing(name, self._consent_of(name))
                yield name, level(self._receiver.purpose, consents, self._charter)
