"""How the lines of another Tactful's export are taken: consents with their proof, links, events with their own ids and times."""

from collections.abc import Callable, Sequence

from msgspec import structs

from tactful.cli.account import Account
from tactful.cli.importing import Step
from tactful.cli.taking import Distinct
from tactful.connectors.tactful import ConsentLine, EventLine, ItemLine, Line, LinkLine
from tactful.domain.consent import Consent, ConsentChange
from tactful.domain.event import Event
from tactful.engine import Engine
from tactful.flow.clean import ID_MOST
from tactful.flow.gate import Refused
from tactful.flow.readmit import allowed_now, readmit, still_to_say
from tactful.ports import Quarantined, Record

Row = Line | Quarantined


class Restore:
    """Lines as they were kept elsewhere. Before a piece is begun it is noted which of its lines were here already, so that the account
    is the same if it has to be taken again."""

    ahead = 1

    def __init__(self, engine: Engine) -> None:
        self._engine, self._met = engine, Distinct()

    def skip(self, row: Row) -> None:
        """Hear of a line that was taken before a stop."""
        self._met.add([_person(row)] if _person(row) else [])

    def before(self) -> int:
        """How many items there were before the oldest piece that is under way."""
        return len(self._engine.shelf().catalogue)

    def people(self) -> int:
        """How many different people the lines have named so far."""
        return len(self._met)

    def take(self, piece: Sequence[Row], now: int, step: Step) -> Callable[[Account], None]:
        """See `Taker`."""
        self._met.add(person for person in map(_person, piece) if person)
        sorted_out = _Piece(self._engine, now)
        for place, row in enumerate(piece):
            sorted_out.look(place, row)
        note = step.note
        if note.repeated is None:
            note.repeated = sorted(sorted_out.known)
            step.book.write(note)
        repeated = len(set(note.repeated) - sorted_out.refused.keys())  # taken again, the person may refuse it by now
        sorted_out.keep(step.again)

        def finish(account: Account) -> None:
            bad = sorted_out.quarantined
            account.sent += len(piece)
            account.items += sum(isinstance(row, ItemLine) for row in piece)
            account.quarantined += len(bad)
            account.refused += len(sorted_out.refused)
            account.duplicate += repeated
            account.stored += len(piece) - len(bad) - len(sorted_out.refused) - repeated
            for one in bad:
                account.blame("quarantined", one.field, one.why)
            for why in sorted_out.refused.values():
                account.blame("refused", "", why)

        return finish


class _Piece:
    """A piece while it is looked through. known: places of lines that are here already. What is looked at changes nothing yet."""

    def __init__(self, engine: Engine, now: int) -> None:
        self._engine, self._stores, self._now = engine, engine.stores, now
        self.quarantined: list[Quarantined] = []
        self.refused: dict[int, str] = {}  # why, by place
        self.known: set[int] = set()
        self._items: list[ItemLine] = []
        self._links: list[LinkLine] = []
        self._changes: dict[str, list[ConsentChange]] = {}
        self._records: dict[tuple[str, str, int], list[Event]] = {}  # by person, data entry, and until when
        self._ids: dict[str, set[str]] = {}  # events that a person has
        self._said: dict[str, Consent] = {}  # what a person allows by what is here and what came with this piece

    def look(self, place: int, row: Row) -> None:
        """Sort a line out."""
        match row:
            case Quarantined():
                self.quarantined.append(structs.replace(row, at=self._now))
            case ItemLine(item):
                self._items.append(row)
                catalogue = self._engine.shelf().catalogue
                if catalogue.get(item.id) == item:
                    self.known.add(place)
            case ConsentLine(person, changes):
                self._look_consent(place, person, changes)
            case LinkLine(link):
                if link in self._stores.links.read(link.name) or row in self._links:
                    self.known.add(place)
                else:
                    self._links.append(row)
            case EventLine(person, event):
                self._look_event(place, person, event)

    def _look_consent(self, place: int, person: str, changes: list[ConsentChange]) -> None:
        if not changes or not 0 < len(person) <= ID_MOST:
            self.refused[place] = "it names nobody, or holds no change of consent"
            return
        named = [structs.replace(change, person=person) for change in changes]
        here = [structs.replace(change, person=person) for change in self._stores.consents.read(person)]
        fresh = still_to_say(here + self._changes.get(person, []), named)
        if isinstance(fresh, Refused):
            self.refused[place] = fresh.why
            return
        self._said.pop(person, None)
        if fresh:
            self._changes.setdefault(person, []).extend(fresh)
        else:
            self.known.add(place)

    def _look_event(self, place: int, person: str, event: Event) -> None:
        if not 0 < len(person) <= ID_MOST:
            self.refused[place] = "it names nobody"
            return
        consent = self._consent(person)
        if not consent.version:
            self.refused[place] = "no consent of this person came before it, and none is here"
            return
        kept = readmit(event, self._engine.charter, self._now)
        if isinstance(kept, Refused):
            self.refused[place] = kept.why
            return
        if person not in self._ids:
            self._ids[person] = {known.id for _, known in self._stores.events.read(person)}
        if event.id in self._ids[person]:
            self.known.add(place)
            return
        admitted = allowed_now(kept[0], self._engine.charter, consent)
        if isinstance(admitted, Refused):
            self.refused[place] = admitted.why
            return
        self._ids[person].add(event.id)
        until = kept[1]
        self._records.setdefault((person, event.data, until), []).append(admitted)

    def _consent(self, person: str) -> Consent:
        if person not in self._said:
            self._said[person] = Consent.of(self._stores.consents.read(person) + self._changes.get(person, []))
        return self._said[person]

    def keep(self, again: bool) -> None:
        """Write it down, and wait until it is durable. again: what could not be read may have been put aside already."""
        stores = self._stores
        if self._items:
            stores.items.put([line.item for line in self._items]).wait()
        if self._changes:
            stores.consents.append(
                [(who, change) for who, changes in self._changes.items() for change in changes]
            ).wait()
        if self._links:
            stores.links.append([line.link for line in self._links]).wait()
        if self.quarantined and not (again and any(one.at == self._now for one in stores.quarantine.pieces())):
            stores.quarantine.put(self.quarantined).wait()
        if self._records:
            records = [Record(who, data, tuple(events), until) for (who, data, until), events in self._records.items()]
            stores.events.append(records).wait()


def _person(row: Row) -> str:
    match row:
        case ConsentLine(person) | EventLine(person):
            return person
    return ""
