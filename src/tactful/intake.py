"""The account of a batch: what became of each message, from the gate to the disk."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from tactful.domain.event import Arrival, Event, Interaction
from tactful.flow.clean import ID_MOST, Spoiled, Unusable
from tactful.flow.gate import Admitted
from tactful.ports import VISIT, Ack, Quarantined


class Problem(Struct, frozen=True, omit_defaults=True):
    """What became of one event that was not kept: quarantined or refused. part: it is about one field of it; the account counts events,
    so what became of the event itself is said elsewhere. what: of a part also `stripped`.
    """

    event: str
    what: str
    why: str
    field: str = ""
    part: bool = False


class Outcome(Struct, frozen=True):
    """The account of a batch: sent = stored + duplicate + quarantined + refused, exactly. stripped: undeclared fields, by name."""

    sent: int
    stored: int
    duplicate: int
    quarantined: int
    refused: int
    stripped: dict[str, int]
    problems: tuple[Problem, ...]


class Taken(Struct):
    """A batch on its way to the disk: wait for `acks`, then `outcome` tells what became of it.

    parts: what each message brought. repeated: messages that brought only what an earlier one of the same batch had.
    """

    sent: int
    repeated: int
    parts: list[list[tuple[str, str]]]
    problems: list[Problem]
    stripped: Counter[str]
    events: Ack[frozenset[tuple[str, str]]]
    acks: list[Ack[Any]]

    def outcome(self, duplicates: frozenset[tuple[str, str]]) -> Outcome:
        """The account, given what the event log already had. A message is a duplicate if all that it brought was there."""
        duplicate = 0
        if duplicates:
            duplicate = sum(all(part in duplicates for part in message) for message in self.parts if message)
        what = Counter(problem.what for problem in self.problems if not problem.part)
        return Outcome(
            self.sent, len(self.parts) - duplicate, duplicate + self.repeated, what["quarantined"], what["refused"],
            dict(self.stripped), tuple(self.problems[:100]),
        )  # fmt: skip

    def wait(self) -> Outcome:
        """Block until it is durable."""
        for ack in self.acks:
            ack.wait()
        return self.outcome(self.events.wait())

    async def settled(self) -> Outcome:
        """Until it is durable, without blocking the loop."""
        for ack in self.acks:
            await ack
        return self.outcome(await self.events)


class Intake:
    """A batch while it is looked through: what is kept, by person and data entry, and what becomes of the rest."""

    def __init__(self, now: int, unusable: Iterable[Quarantined]) -> None:
        self.now = now
        self.quarantined = list(unusable)
        self.problems = [Problem(piece.id, "quarantined", piece.why, piece.field) for piece in self.quarantined]
        self.records: dict[tuple[str, str], list[Event]] = {}
        self._parts: list[list[tuple[str, str]]] = []
        self._met: set[tuple[str, str]] = set()
        self._repeated = 0
        self._stripped: Counter[str] = Counter()

    def set_aside(self, arrival: Arrival, reason: Unusable) -> None:
        """Into quarantine, with its reason."""
        self._part(arrival, reason, part=False)

    def _part(self, arrival: Arrival, reason: Unusable, part: bool) -> None:
        self.problems.append(Problem(arrival.id, "quarantined", reason.why, reason.field, part))
        person = arrival.person if 0 < len(arrival.person) <= ID_MOST else ""
        raw = msgspec.json.encode(arrival)
        self.quarantined.append(
            Quarantined(arrival.id[:64], self.now, person, raw, reason.field, reason.why, "arrival")
        )

    def not_admitted(self, arrival: Arrival, why: str, spoiled: Iterable[Spoiled]) -> None:
        """Nothing of it is kept. What could be kept once it is mended waits in quarantine, and then the event counts as quarantined."""
        pieces = list(spoiled)
        if not pieces:
            self.problems.append(Problem(arrival.id, "refused", why))
        for number, piece in enumerate(pieces):
            self._part(piece.arrival, piece.reason, part=number > 0)

    def keep_without(self, arrival: Arrival, spoiled: Iterable[Spoiled], dropped: Iterable[Unusable]) -> None:
        """Say what became of the parts of an event that is kept without them."""
        for piece in spoiled:
            self._part(piece.arrival, piece.reason, part=True)
        for reason in dropped:
            self._stripped[reason.field.partition(".")[2]] += 1
            self.problems.append(Problem(arrival.id, "stripped", reason.why, reason.field, part=True))

    def keep(self, person: str, admitted: Admitted, fresh: bool | None = None) -> None:
        """Into the records; a message that brings only what was there already is a duplicate.

        fresh: whether the consent or the link that it brought is new; None if it brought neither.
        """
        if admitted.stripped:
            self._stripped.update(admitted.stripped)
        mine = []
        for event in admitted.events:
            part = (person, event.id)
            mine.append(part)
            if part not in self._met:
                data = VISIT if isinstance(event, Interaction) and event.visit else event.data
                self.records.setdefault((person, data), []).append(event)
        repeated = self._met.issuperset(mine) if mine else fresh is False
        self._met.update(mine)
        if fresh:
            self._parts.append([])  # whatever else it brings, it is no duplicate
        elif repeated:
            self._repeated += 1
        else:
            self._parts.append(mine)

    def taken(self, events: Ack[frozenset[tuple[str, str]]], acks: list[Ack[Any]]) -> Taken:
        """The batch on its way."""
        sent = len(self._parts) + self._repeated + sum(not problem.part for problem in self.problems)
        return Taken(sent, self._repeated, self._parts, self.problems, self._stripped, events, acks)
