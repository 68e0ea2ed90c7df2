"""The shell: load once → flow → save once. Clock, dice and names are passed in."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.consent import NOBODY, Consent, ConsentChange, Dial
from tactful.domain.decision import Ask, Verdict
from tactful.domain.errors import StaleModel, UnknownPlacement
from tactful.domain.event import Arrival, Event, Interaction, Value
from tactful.domain.profile import UNKNOWN, Profile
from tactful.domain.receipt import Receipt
from tactful.domain.view import Moment, View
from tactful.flow.clean import ID_MOST, Unusable, clean
from tactful.flow.decide import Decision, Recipe, decide
from tactful.flow.explain import Stamp, explain
from tactful.flow.fold import fold
from tactful.flow.gate import DAY, Admitted, Refused, admit, view_of
from tactful.learn.train import fits
from tactful.ports import VISIT, Ack, Dice, Model, ModelStore, Quarantined, Record, Shelf, Stores

ANONYMOUS_RECEIPT_MS = DAY
RECEIPT_MS = 90 * DAY


class Shell(Struct, frozen=True):
    """What the engine cannot know by itself. now: milliseconds since 1970; name: a fresh unguessable name; dice: chance."""

    now: Callable[[], int]
    name: Callable[[], str]
    dice: Dice


def _nobody(person: str) -> None:
    """Nobody is told."""


class Onward(Struct, frozen=True):
    """What is passed on to receivers. decisions: whether receipts get a place in the feed. forgotten: told whom to forget, just before."""

    decisions: bool = False
    forgotten: Callable[[str], None] = _nobody


class Problem(Struct, frozen=True, omit_defaults=True):
    """What became of one event that was not kept. what: quarantined or refused."""

    event: str
    what: str
    why: str
    field: str = ""


class Outcome(Struct, frozen=True):
    """The account of a batch: sent = stored + duplicate + quarantined + refused, exactly. stripped: undeclared fields, by name."""

    sent: int
    stored: int
    duplicate: int
    quarantined: int
    refused: int
    stripped: dict[str, int]
    problems: tuple[Problem, ...] = ()


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
        what = Counter(problem.what for problem in self.problems)
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


class _Intake:
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
        self.problems.append(Problem(arrival.id, "quarantined", reason.why, reason.field))
        person = arrival.person if 0 < len(arrival.person) <= ID_MOST else ""
        raw = msgspec.json.encode(arrival)
        self.quarantined.append(Quarantined(arrival.id[:64], self.now, person, raw, reason.field, reason.why))

    def keep(self, person: str, admitted: Admitted) -> None:
        """Into the records; a message that brings only what an earlier one of this batch had is a duplicate."""
        if admitted.stripped:
            self._stripped.update(admitted.stripped)
        mine = []
        for event in admitted.events:
            part = (person, event.id)
            mine.append(part)
            if part not in self._met:
                data = VISIT if isinstance(event, Interaction) and event.visit else event.data
                self.records.setdefault((person, data), []).append(event)
        if mine and self._met.issuperset(mine):
            self._repeated += 1
        else:
            self._met.update(mine)
            self._parts.append(mine)

    def taken(self, events: Ack[frozenset[tuple[str, str]]], acks: list[Ack[Any]]) -> Taken:
        """The batch on its way."""
        sent = len(self._parts) + self._repeated + len(self.problems)
        return Taken(sent, self._repeated, self._parts, self.problems, self._stripped, events, acks)


class Answer(Struct, frozen=True):
    """A decision with its receipt, and the catalogue it was made on. durable: wait for it before showing what must not be lost."""

    decision: Decision
    receipt: Receipt
    durable: Ack[None]
    catalogue: Catalogue


class Engine:
    """Everything an installation can do, on top of stores that are passed in."""

    def __init__(
        self,
        stores: Stores,
        models: ModelStore,
        charter: Charter,
        recipes: Mapping[str, Recipe],
        shell: Shell,
        cached_events: int = 150_000,
        where: str = "",
        onward: Onward | None = None,
    ) -> None:
        self.stores, self.models, self.charter, self.recipes, self.shell = stores, models, charter, recipes, shell
        self.onward = onward or Onward()
        self._shelf = Shelf(Catalogue(charter.proxies), {}, where)
        self._consents: dict[str, Consent] = {}
        self._consents_version = -1
        self._profiles: OrderedDict[str, tuple[int, Profile]] = OrderedDict()
        self._cached, self._cached_most = 0, cached_events
        # An older copy of the stores may have been put back: then it must still be possible to open them, and to train anew.
        # Until then decisions say that there is no model.
        with suppress(StaleModel):
            self.refresh_models()

    # ------------------------------------------------------------------------------------------------------- what is kept

    def consent(self, person: str) -> Consent:
        """What the person allows now. The cache is good as long as nobody changed anything, on any worker."""
        self._drop_stale_consents()
        return self._known_consent(person)

    def _drop_stale_consents(self) -> None:
        version = self.stores.consents.version()
        if version != self._consents_version:
            self._consents.clear()
            self._consents_version = version

    def _known_consent(self, person: str) -> Consent:
        found = self._consents.get(person)
        if found is None:
            if len(self._consents) > 100_000:
                self._consents.clear()
            found = self._consents[person] = Consent.of(self.stores.consents.read(person))
        return found

    def profile(self, person: str) -> Profile:
        """The profile, folded from the log. The cache is good as long as the person's last record is the one folded in last,
        and nobody, on any worker, forgot them meanwhile: then the person's consent would begin anew."""
        head, since = self.stores.events.head(person), self.consent(person).since
        began, known = self._profiles.pop(person, (since, None))
        if known is not None and (known.sequence > head or head == 0 or began != since):
            self._cached -= len(known.observed)
            known = None  # forgotten, or restored from an older copy
        if head == 0:
            return UNKNOWN
        if known is None or known.sequence < head:
            self._cached -= len(known.observed) if known else 0
            known = fold(known or UNKNOWN, self.stores.events.read(person, known.sequence if known else 0))
            self._cached += len(known.observed)
        self._profiles[person] = since, known
        while self._cached > self._cached_most and len(self._profiles) > 1:
            _, (_, oldest) = self._profiles.popitem(last=False)
            self._cached -= len(oldest.observed)
        return known

    def shelf(self) -> Shelf:
        """The catalogue as it is now, and the models."""
        version = self.stores.items.version()
        catalogue = self._shelf.catalogue
        if version != catalogue.version:
            catalogue = catalogue.with_items(self.stores.items.since(catalogue.version), version)
            self._shelf = Shelf(catalogue, self._shelf.models, self._shelf.where)
        return self._shelf

    def refresh_models(self) -> bool:
        """Take up newly trained models, all at once; a decision under way keeps the ones it began with. True if there were any."""
        current = self.models.current()
        if current == {name: model.version for name, model in self._shelf.models.items()}:
            return False
        catalogue = self.shelf().catalogue
        models: dict[str, Model] = {}
        for name, version in current.items():
            held = self._shelf.models.get(name)
            model = held if held is not None and held.version == version else self.models.load(name, version)
            if not fits(model, catalogue):
                raise StaleModel(name=name, where=self._shelf.where)
            models[name] = model
        self._shelf = Shelf(catalogue, models, self._shelf.where)
        return True

    # ---------------------------------------------------------------------------------------------------------- events in

    def take(
        self, arrivals: Sequence[Arrival], unusable: Iterable[Quarantined] = (), assumed: ConsentChange | None = None
    ) -> Taken:
        """clean → gate → append. unusable: pieces of the batch that could not even be read.

        assumed: what people agreed to elsewhere, as the sender vouches; written down for those who never said anything here.
        """
        self._drop_stale_consents()  # once for the batch: what is withdrawn meanwhile is caught by the gate at use
        intake = _Intake(self.shell.now(), unusable)
        acks: list[Ack[Any]] = []
        if assumed is not None:
            acks.append(self._assume(arrivals, assumed))
        for arrival in arrivals:
            cleaned = clean(arrival, intake.now)
            if isinstance(cleaned, Unusable):
                intake.set_aside(arrival, cleaned)
                continue
            admitted = admit(cleaned, self.charter, self._known_consent(arrival.person), intake.now)
            if isinstance(admitted, Refused):
                intake.problems.append(Problem(arrival.id, "refused", admitted.why))
                continue
            if admitted.child is not None:
                acks.append(self._mark_child(arrival.person, admitted.child, intake.now))
            intake.keep(arrival.person, admitted)
        if intake.quarantined:
            acks.append(self.stores.quarantine.put(intake.quarantined))
        records = [
            Record(person, data, tuple(events), self._keep_until(data, intake.now))
            for (person, data), events in intake.records.items()
        ]
        nothing: Ack[frozenset[tuple[str, str]]] = Ack(frozenset())
        return intake.taken(self.stores.events.append(records) if records else nothing, acks)

    def _assume(self, arrivals: Iterable[Arrival], assumed: ConsentChange) -> Ack[None]:
        people = dict.fromkeys(arrival.person for arrival in arrivals if 0 < len(arrival.person) <= ID_MOST)
        silent = [(person, assumed) for person in people if self._known_consent(person).version == 0]
        for person, change in silent:
            self._consents[person] = NOBODY.after(change)  # it counts for this batch already
        return self.stores.consents.append(silent) if silent else Ack(None)

    def _keep_until(self, data: str, now: int) -> int:
        if data == VISIT:
            return now + self.charter.visit_ms
        return now + self.charter.data[data].retention_days * DAY

    def _mark_child(self, person: str, child: bool, now: int) -> Ack[None]:
        known = self.consent(person)
        if known.child == child:
            return Ack(None)
        change = ConsentChange(now, "declared age", self.charter.version, child=child)
        written = self.stores.consents.append([(person, change)])
        self._consents[person] = known.after(change)  # it counts for the rest of the batch already
        return written

    # ------------------------------------------------------------------------------------------------------ decisions out

    def decide(
        self, person: str | None, asks: Sequence[Ask], context: Mapping[str, Value] | None = None
    ) -> list[Answer]:
        """Choose for the placements of one page, in their order: no item comes twice on it. person: None for somebody unknown.

        Raises UnknownPlacement, NoModel.
        """
        for ask in asks:
            if ask.placement not in self.recipes:
                raise UnknownPlacement(name=ask.placement, available=", ".join(sorted(self.recipes)) or "none yet")
        now = self.shell.now()
        with self.stores.glance():
            shelf = self.shelf()
            consent = NOBODY if person is None else self.consent(person)
            profile = UNKNOWN if person is None else self.profile(person)
        taken: list[int] = []
        answers = []
        for ask in asks:
            recipe = self.recipes[ask.placement]
            view = self.view(profile, consent, recipe.placement.purpose, recipe.placement.surface, now, shelf.catalogue)
            moment = Moment.of(view, {**(context or {}), **ask.context}, now)
            decision = decide(recipe, ask, view, moment, shelf, self.shell.dice, taken)
            taken += decision.slots.rows.tolist()
            known = person is not None and view.dial > Dial.off
            stamp = Stamp(self.shell.name(), now, person if known else None)
            receipt = explain(decision, view, shelf, self.charter, consent, stamp)
            keep = RECEIPT_MS if known else ANONYMOUS_RECEIPT_MS
            durable = self.stores.receipts.append(receipt, now + keep, known and self.onward.decisions)
            answers.append(Answer(decision, receipt, durable, shelf.catalogue))
        return answers

    def view(
        self, profile: Profile, consent: Consent, purpose: str, surface: str, now: int, catalogue: Catalogue
    ) -> View:
        """The View of a profile; the only way from one to the other."""
        return view_of(
            profile, consent, self.charter, purpose=purpose, surface=surface, now=now,
            telling=catalogue.telling(consent.sensitive),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------------ rights

    def change_consent(self, person: str, change: ConsentChange) -> Ack[None]:
        """Write a change down; it counts from the next decision on any worker once acknowledged."""
        return self.stores.consents.append([(person, change)])

    def forget(self, person: str) -> list[Ack[None]]:
        """Leave nothing of the person, in any store."""
        self.onward.forgotten(person)  # before: afterwards nobody knows the name any more
        _, cached = self._profiles.pop(person, (0, UNKNOWN))
        self._cached -= len(cached.observed)
        self._consents.pop(person, None)
        kept = (self.stores.events, self.stores.consents, self.stores.receipts, self.stores.quarantine)
        return [store.forget(person) for store in kept]


def must_be_durable(answer: Answer) -> bool:
    """Whether an answer must wait for its receipt to be on disk: a held decision must not be lost."""
    return answer.decision.verdict is Verdict.hold
