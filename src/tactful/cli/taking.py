"""How the rows of an import reach the engine, so that a piece can be taken again and comes to the same."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from tactful.cli.account import Account
from tactful.cli.importing import AHEAD, Step
from tactful.domain.consent import ConsentChange, Dial
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.domain.item import Item
from tactful.engine import Engine
from tactful.intake import Taken
from tactful.ports import Ack, Quarantine, Quarantined

Row = Arrival | Quarantined


class Distinct:
    """Counts different names at 8 bytes each, however often they come. Two names are told apart but for one chance in 2**64."""

    def __init__(self) -> None:
        self._known: NDArray[np.int64] = np.empty(0, np.int64)

    def add(self, names: Iterable[str]) -> None:
        """Hear of names."""
        fresh = np.fromiter({hash(name) for name in names}, np.int64)
        place = np.searchsorted(self._known, fresh)
        here = place < len(self._known)
        here[here] = self._known[place[here]] == fresh[here]
        if not here.all():
            # Two sorted runs: a stable sort merges them in one go.
            self._known = np.sort(np.concatenate([self._known, np.sort(fresh[~here])]), kind="stable")

    def __len__(self) -> int:
        return len(self._known)


class Intake:
    """Rows as arrivals, through both gates. granted: purposes that people who never said anything here agreed to elsewhere.

    source: where they agreed, for the proof. Raises BadInput for a purpose that the charter does not have.
    """

    ahead = AHEAD

    def __init__(self, engine: Engine, granted: Sequence[str], source: str) -> None:
        for purpose in granted:
            if purpose not in engine.charter.purposes:
                raise BadInput(
                    field=f"--granted {purpose}",
                    why="the charter has no such purpose",
                    fix=f"It has {', '.join(engine.charter.purposes)}",
                )
        self._engine, self._granted, self._source = engine, tuple(granted), source
        self._stores, self._now, clock = engine.stores, 0, engine.shell.now
        engine.shell = structs.replace(engine.shell, now=lambda: self._now or clock())
        self._met, self._skipped = Distinct(), list[str]()
        self._sizes: list[int] = []  # items before each piece under way
        self._acks: list[Ack[Any]] = []  # of the last piece
        self._again: int | None = None  # the same, before a piece that is taken again
        self._counted: set[str] = set()  # items that an earlier piece, taken again, added

    def skip(self, row: Row) -> None:
        """Hear of a row that was taken before a stop."""
        if isinstance(row, Arrival) and row.person:
            self._skipped.append(row.person)
            if len(self._skipped) >= 100_000:
                self._hear_skipped()

    def _hear_skipped(self) -> None:
        self._met.add(self._skipped)
        self._skipped.clear()

    def take(self, piece: Sequence[Row], now: int, step: Step) -> Callable[[Account], None]:
        """See `Taker`."""
        self._now, again = now, step.again
        if again and self._again is None:
            self._again = step.note.catalogue
        self._hear_skipped()
        arrivals = [row for row in piece if isinstance(row, Arrival)]
        unusable = [structs.replace(row, at=now) for row in piece if isinstance(row, Quarantined)]
        self._met.add(row.person for row in arrivals if row.person)
        added = self._add_missing_items(arrivals, again)
        quarantine = _Once(self._stores.quarantine, now) if again else self._stores.quarantine
        self._engine.stores = structs.replace(self._stores, quarantine=quarantine)
        for ack in self._acks:  # what the last piece wrote of consent must be readable, or it would be written twice
            ack.wait()
        taken = self._engine.take(arrivals, unusable, self._assumed(now))
        self._acks = taken.acks

        def finish(account: Account) -> None:
            outcome = taken.outcome(self._duplicates(taken, now, again))
            account.items += added
            account.add(outcome, taken.problems)
            self._sizes.pop(0)

        return finish

    def _assumed(self, now: int) -> ConsentChange | None:
        if not self._granted:
            return None
        granted = dict.fromkeys(self._granted, True)
        return ConsentChange(now, self._source, self._engine.charter.version, Dial.remember, granted)

    def _duplicates(self, taken: Taken, now: int, again: bool) -> frozenset[tuple[str, str]]:
        """What the log had before this piece. Of a piece taken again, what came in as of the very same moment is its own."""
        for ack in taken.acks:
            ack.wait()
        found = taken.events.wait()
        if not again or not found:
            return found
        own = {
            (person, event.id)
            for person in {person for person, _ in found}
            for _, event in self._stores.events.read(person)
            if event.kept == now
        }
        return found - own

    def _add_missing_items(self, arrivals: Iterable[Arrival], again: bool) -> int:
        """An item that only the rows know is added by its id, so that it can be learned about and shown. Answers with how many.

        again: of a piece taken again, those that came after it was first begun are its own.
        """
        catalogue = self._engine.shelf().catalogue
        known = self._again if again else None
        self._sizes.append(len(catalogue) if known is None else known)
        index = catalogue.index
        wanted = dict.fromkeys([item for arrival in arrivals for item in arrival.items])
        missing = [Item(id=item, title=item) for item in wanted if item not in index and 0 < len(item) <= 256]
        if missing:
            self._stores.items.put(missing).wait()
        if known is None:
            return len(missing)
        own = {item for item in wanted if index.get(item, -1) >= known} - self._counted
        self._counted |= own
        self._again = known + len(missing) + len(own)
        return len(missing) + len(own)

    def before(self) -> int:
        """How many items there were before the oldest piece that is under way."""
        return self._sizes[0] if self._sizes else len(self._engine.shelf().catalogue)

    def people(self) -> int:
        """How many different people the rows have named so far."""
        self._hear_skipped()
        return len(self._met)


class _Once:
    """A quarantine for a piece that may have been put aside before: what it brought then, as of the very same moment, is not put again."""

    def __init__(self, quarantine: Quarantine, now: int) -> None:
        self._quarantine, self._now = quarantine, now
        self.pieces, self.purge, self.forget = quarantine.pieces, quarantine.purge, quarantine.forget

    def put(self, pieces: Sequence[Quarantined]) -> Ack[None]:
        """Keep pieces, unless they are there: they came together, so either all are there or none."""
        if any(piece.at == self._now for piece in self._quarantine.pieces()):
            return Ack(None)
        return self._quarantine.put(pieces)
