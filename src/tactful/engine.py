"""The shell: load once → flow → save once. Clock, dice and names are passed in."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any, Protocol

from msgspec import Struct, structs

from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.consent import NOBODY, Consent, ConsentChange, Dial
from tactful.domain.curated import Lists
from tactful.domain.decision import Ask, Placed, Verdict
from tactful.domain.errors import BadInput, StaleModel, UnknownPage, UnknownPlacement
from tactful.domain.event import Arrival, Value
from tactful.domain.identity import ALIAS, ANONYMOUS, CHOSEN, DEVICE, Link
from tactful.domain.item import Item
from tactful.domain.note import Note
from tactful.domain.placement import Page
from tactful.domain.profile import UNKNOWN, Profile
from tactful.domain.receipt import Receipt
from tactful.domain.view import View
from tactful.flow.clean import ID_MOST, Cleaned, Unusable, alone, clean, clean_values
from tactful.flow.decide import Decision, OnPage, Recipe
from tactful.flow.explain import Stamp, explain
from tactful.flow.gate import DAY, Admitted, Refused, admit, mendable
from tactful.flow.page import next_row
from tactful.flow.present import with_variants
from tactful.flow.why_not import WhyNot, why_not
from tactful.intake import Intake, Taken
from tactful.learn.train import fits
from tactful.people import People
from tactful.ports import (
    VISIT,
    Ack,
    Dice,
    ListStore,
    Model,
    ModelStore,
    Quarantined,
    Record,
    SearchIndex,
    Shelf,
    Stores,
)
from tactful.scene import Look, Scene

SHORT_RECEIPT_MS = DAY
"""How long a receipt is kept that names nobody, or is of a search."""
RECEIPT_MS = 90 * DAY
LINKS_MOST = 2_000
"""Links that one person may have: whoever says more invents devices."""
TOO_MANY_LINKS = f"{LINKS_MOST:,} links name the person already, and no more are kept"
ONE_FOR_EACH = "Send the same id for the same device, one for each device; unlinking frees none, since links are proof"
NOT_MENDABLE = "none of its traits can be used as they are, nor may any be kept once mended"


class Shell(Struct, frozen=True):
    """What the engine cannot know by itself. now: milliseconds since 1970; name: a fresh unguessable name; dice: chance;
    passed: seconds since some moment, whatever anybody sets the clock to."""

    now: Callable[[], int]
    name: Callable[[], str]
    dice: Dice
    passed: Callable[[], float] = float


def _nobody(person: str) -> None:
    """Nobody is told."""


def _nothing() -> None:
    """Nothing waits to be told."""


class Onward(Struct, frozen=True):
    """What is passed on to receivers. decisions: whether receipts get a place in the feed. forgotten: told whom to forget, just before.

    sweep: lets go of what has waited too long to be told. To be called now and then, whether anybody is told anything still.
    """

    decisions: bool = False
    forgotten: Callable[[str], None] = _nobody
    sweep: Callable[[], None] = _nothing


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
        pages: Mapping[str, Page] | None = None,
        lists: ListStore | None = None,
        index: Callable[[Catalogue], SearchIndex] | None = None,
        noted: bool = False,
    ) -> None:
        """index: what searches a state of the catalogue by words; None: nothing can be searched. noted: decisions leave notes for the
        owner's page."""
        self.noted = noted
        self.pages: Mapping[str, Page] = pages or {}
        self.stores, self.models, self.charter, self.recipes, self.shell = stores, models, charter, recipes, shell
        self.onward, self._index = onward or Onward(), index
        self._list_store = lists
        self._list_stamp: Hashable = None
        self._lists: Lists = {}
        self._shelf = self._on_shelf(charter.empty_catalogue(), {}, where)
        with suppress(BadInput):  # a list with a mistake in it keeps nobody from anything else; the doctor names it
            self.refresh_lists()
        self.people = People(stores, cached_events)
        # An older copy of the stores may have been put back: then it must still be possible to open them, and to train anew.
        # Until then decisions say that there is no model.
        with suppress(StaleModel):
            self.refresh_models()

    # ------------------------------------------------------------------------------------------------------- what is kept

    def consent(self, person: str) -> Consent:
        """What the person allows now, as they answered under this name."""
        self.people.refresh()
        return self.people.consent(person)

    def profile(self, person: str) -> Profile:
        """What is known about the person, under all their names."""
        self.people.refresh()
        return self.people.profile(person)

    def shelf(self) -> Shelf:
        """The catalogue as it is now, and the models."""
        version = self.stores.items.version()
        catalogue = self._shelf.catalogue
        if version != catalogue.version:
            catalogue = catalogue.with_items(self.stores.items.since(catalogue.version), version)
            self._shelf = self._on_shelf(catalogue, self._shelf.models, self._shelf.where)
        if self._shelf.lists is not self._lists:
            self._shelf = structs.replace(self._shelf, lists=self._lists)
        return self._shelf

    def _on_shelf(self, catalogue: Catalogue, models: dict[str, Model], where: str) -> Shelf:
        return Shelf(catalogue, models, where, self._index(catalogue) if self._index else None, self._lists)

    def put_items(self, items: Sequence[Item]) -> Ack[int]:
        """Add or replace items, by id; answers with the catalogue's new version. Notes when each first came, if it does not say so."""
        catalogue = self.shelf().catalogue
        now = self.shell.now()
        return self.stores.items.put([catalogue.settled(item, now) for item in items])

    def refresh_lists(self) -> bool:
        """Take up lists that were edited. True if there were any. Raises BadInput; then those that were read before go on being shown."""
        stamp = self._list_store.stamp() if self._list_store else None
        if self._list_store is None or stamp == self._list_stamp:
            return False
        self._lists = self._list_store.read()
        self._list_stamp = stamp  # taken before reading: what changed meanwhile is read again
        return True

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
        self._shelf = self._on_shelf(catalogue, models, self._shelf.where)
        return True

    # ---------------------------------------------------------------------------------------------------------- events in

    def take(
        self,
        arrivals: Sequence[Arrival],
        unusable: Iterable[Quarantined] = (),
        assumed: ConsentChange | None = None,
        of_devices: bool = True,
    ) -> Taken:
        """clean → gate → append. unusable: pieces of the batch that could not even be read.

        assumed: what people agreed to elsewhere, as the sender vouches; written down for those who never said anything here;
        of_devices: for devices too, not only for people.
        """
        self.people.refresh()  # once for the batch: what is withdrawn meanwhile is caught by the gate at use
        intake = Intake(self.shell.now(), unusable)
        acks: list[Ack[Any]] = []
        if assumed is not None:
            names = [arrival.person for arrival in arrivals if of_devices or not arrival.person.startswith(ANONYMOUS)]
            acks.append(self._assume(names, assumed))
        for arrival in arrivals:
            self._look_through(arrival, intake, acks)
        return self._append(intake, acks)

    def retake(self, arrivals: Sequence[Arrival], unusable: Sequence[Quarantined], now: int) -> Taken | str:
        """Once more what came in before (`now`, ms since 1970) and could not be used. Text: why it still cannot; nothing was done.

        It brings data only, and its times count from when it first came: neither retention nor quarantine begins anew.
        """
        self.people.refresh()
        intake = Intake(now, unusable)
        acks: list[Ack[Any]] = []
        for arrival in arrivals:
            self._look_through(alone(arrival, arrival.traits), intake, acks)
        for problem in intake.problems:
            if problem.what == "quarantined" and not problem.part:
                return f"{problem.field}: {problem.why}"
        return self._append(intake, acks)

    def _look_through(self, arrival: Arrival, intake: Intake, acks: list[Ack[Any]]) -> None:
        """clean → gate, for one arrival."""
        now = intake.now
        usable = clean(arrival, now)
        cleaned = usable if isinstance(usable, Unusable) else clean_values(usable, self.charter, now)
        if isinstance(cleaned, Unusable):
            self._write_noes(arrival, now, acks)
            intake.set_aside(arrival, cleaned)
        elif self.people.disowned(arrival.person, cleaned.arrival.at or now):
            self._write_noes(arrival, now, acks)
            intake.not_admitted(arrival, "it belongs to a visit of which somebody said that it was not theirs", ())
        else:
            self._let_in(arrival, cleaned, intake, acks)

    def _let_in(self, arrival: Arrival, cleaned: Cleaned, intake: Intake, acks: list[Ack[Any]]) -> None:
        """The gate. What an arrival says of consent and of who is who comes first, so that it counts for the rest."""
        now, usable = intake.now, cleaned.arrival
        at = usable.at or now
        answered = self._write_down(usable, now, acks)
        linked = self._link(usable, at, acks)
        heard = [new for new in (answered, linked) if isinstance(new, bool)]
        person, consent = self.people.door(usable.person, at)
        admitted = admit(usable, self.charter, consent, now)
        wanted = [piece for piece in cleaned.spoiled if mendable(piece.arrival, self.charter, consent, now)]
        if isinstance(admitted, Refused):
            if not heard:
                why = admitted.why
                if not usable.verb and not usable.traits:  # it brings nothing else that could have been kept
                    if cleaned.spoiled:
                        why = NOT_MENDABLE
                    elif isinstance(linked, Refused):
                        why = linked.why
                return intake.not_admitted(arrival, why, wanted)
            admitted = Admitted(())
        if admitted.child is not None:
            acks.append(self._mark_child(person, admitted.child, now))
        if cleaned.spoiled or cleaned.dropped:
            intake.keep_without(arrival, wanted, cleaned.dropped)
        return intake.keep(person, admitted, any(heard) if heard else None)

    def _append(self, intake: Intake, acks: list[Ack[Any]]) -> Taken:
        if intake.quarantined:
            acks.append(self.stores.quarantine.put(intake.quarantined))
        records = [
            Record(person, data, tuple(events), self.keep_until(data, intake.now))
            for (person, data), events in intake.records.items()
        ]
        nothing: Ack[frozenset[tuple[str, str]]] = Ack(frozenset())
        return intake.taken(self.stores.events.append(records) if records else nothing, acks)

    def _write_down(self, arrival: Arrival, now: int, acks: list[Ack[Any]]) -> bool | None:
        """Keep what the person answers with this event: whether it is new, or None if it answers nothing.

        What an event states of itself (`granted`) is an answer too, as long as the person has given no other.
        """
        known = {name: self.people.consent(name) for name in self.people.new_names(self._who_answers(arrival, now))}
        silent = not any(consent.version for consent in known.values())
        said = arrival.granted if arrival.says is None and silent else arrival.says
        purposes = {name: given for name, given in (said or {}).items() if name in self.charter.purposes}
        if not purposes:
            return None
        source = f"{arrival.name} {arrival.id}"
        before = [change for name, own in known.items() if own.version for change in self.stores.consents.read(name)]
        if any(change.source == source for change in before):
            return False
        purposes = _not_overtaken(purposes, arrival.at or now, before)
        # Who says yes and never touched the dial allows what the purposes say; who did touch it is left where they put it.
        dials = {
            name: Dial.remember if any(purposes.values()) and not own.dialled else None for name, own in known.items()
        }
        changes = [
            (name, ConsentChange(now, source, self.charter.version, dial, purposes)) for name, dial in dials.items()
        ]
        acks.append(self.stores.consents.append(changes))
        for name, change in changes:
            self.people.know(name, known[name].after(change))
        return True

    def _write_noes(self, arrival: Arrival, now: int, acks: list[Ack[Any]]) -> None:
        """A no is written down whatever else is wrong with the message that brings it, as long as it names somebody."""
        noes = {name: False for name, given in (arrival.says or {}).items() if not given}
        if not noes:
            return
        name = arrival.id if 0 < len(arrival.id) <= ID_MOST else self.shell.name()
        usable = clean(Arrival(id=name, person=arrival.person, name=arrival.name, at=arrival.at, says=noes), now)
        if isinstance(usable, Unusable):  # a wrong clock delays no withdrawal
            usable = clean(Arrival(id=name, person=arrival.person, name=arrival.name, at=now, says=noes), now)
        if isinstance(usable, Arrival):
            self._write_down(usable, now, acks)

    def _who_answers(self, arrival: Arrival, now: int) -> str:
        """An answer given under an account is whoever's was using it; under any other name it is that name's."""
        name = arrival.person
        if name.startswith(ANONYMOUS) or not self.people.links(name):
            return name
        owners = self.people.owners(name)
        using = owners.at(arrival.at or now)
        return using if using is not None and CHOSEN in owners.hows(using) else name

    def _link(self, arrival: Arrival, at: int, acks: list[Ack[Any]]) -> bool | Refused | None:
        """Keep that other names are this person's: whether that is new, why it may not be kept, or None if it says nothing of it."""
        names = [name for name in arrival.also if 0 < len(name) <= ID_MOST and name != arrival.person]
        if not names:
            return None
        own = self.people.consent(arrival.person)
        allowed = own.dial > Dial.off or (
            own.version == 0 and any(self.people.consent(name).dial > Dial.off for name in names)
        )
        if not allowed:
            return Refused(f"the person's dial stands at {own.dial.words!r}")
        if len(self.people.links(arrival.person)) >= LINKS_MOST:
            return Refused(f"{TOO_MANY_LINKS}. {ONE_FOR_EACH}")
        links = [self._link_of(arrival, name, at) for name in names]
        kept = self.people.keep(links)
        if kept is not None:
            acks.append(kept)
        return kept is not None

    def _link_of(self, arrival: Arrival, name: str, at: int) -> Link:
        """A device is never anybody's all along, since others may have used it before; and who speaks for themselves alone
        cannot say that they used it while somebody else did."""
        device = name.startswith(ANONYMOUS)
        if not arrival.trusted and any(link.person != arrival.person for link in self.people.links(name)):
            at = self.shell.now()
        how = ALIAS if arrival.alias and not device else DEVICE
        return Link(arrival.id, at, name, arrival.person, how, source=arrival.name)

    def _assume(self, names: Iterable[str], assumed: ConsentChange) -> Ack[None]:
        people = dict.fromkeys(name for name in names if 0 < len(name) <= ID_MOST)
        silent = [(person, assumed) for person in people if self.people.consent(person).version == 0]
        for person, change in silent:
            self.people.know(person, NOBODY.after(change))  # it counts for this batch already
        return self.stores.consents.append(silent) if silent else Ack(None)

    def keep_until(self, data: str, now: int) -> int:
        """Until when (ms since 1970) what came in now may be kept under this data entry."""
        if data == VISIT:
            return now + self.charter.visit_ms
        return now + self.charter.data[data].retention_days * DAY

    def _mark_child(self, person: str, child: bool, now: int) -> Ack[None]:
        known = self.people.consent(person)
        if known.child == child:
            return Ack(None)
        change = ConsentChange(now, "declared age", self.charter.version, child=child)
        written = self.stores.consents.append([(person, change)])
        self.people.know(person, known.after(change))  # it counts for the rest of the batch already
        return written

    # ------------------------------------------------------------------------------------------------------ decisions out

    def decide(
        self, person: str | None, asks: Sequence[Ask], context: Mapping[str, Value] | None = None
    ) -> list[Answer]:
        """Choose for the placements of one page, in their order: no item comes twice on it. person: None for somebody unknown.

        Raises UnknownPlacement, NoModel.
        """
        recipes = [self.recipe(ask.placement) for ask in asks]
        return _decided(self.scene(person, context), recipes, asks, self._answer)

    def page(
        self,
        person: str | None,
        name: str,
        context: Mapping[str, Value] | None = None,
        exclude: Sequence[str] = (),
        languages: tuple[str, ...] = (),
        market: str = "",
    ) -> list[Answer]:
        """The rows of a declared page, in this person's order; where nothing may be known, in the same order for everybody.

        exclude, languages, market: see `Ask`; for every row. Raises UnknownPage, NoModel.
        """
        self.declared(name)  # before anything is loaded
        like = Ask(name, exclude=exclude, languages=languages, market=market)
        return self._page(self.scene(person, context), name, like, self._answer)

    def preview(
        self,
        person: str | None,
        dial: Dial,
        page: str | Ask | Sequence[Ask],
        context: Mapping[str, Value] | None = None,
    ) -> list[Answer]:
        """A page (its name, or an ask by its name, for all rows; or its placements) as if the person's dial stood at another level, at most at its own. Nothing is written, no
        receipt is kept.

        Chance falls the same way at every level, so that two previews differ by the dial alone. Raises UnknownPage, UnknownPlacement,
        NoModel, BadInput.
        """
        scene = self.scene(person, context).with_dial(dial)
        dice = Random(0)

        def unkept(scene: Scene, look: Look, page: OnPage, placed: Placed | None = None) -> Answer:
            decision, receipt = self._made(scene, look, page, placed, dice, "")
            return Answer(decision, receipt, Ack(None), scene.shelf.catalogue)

        page = Ask(page) if isinstance(page, str) else page
        if isinstance(page, Ask):
            return self._page(scene, page.placement, page, unkept)
        return _decided(scene, [self.recipe(ask.placement) for ask in page], page, unkept)

    def why_not(
        self,
        person: str | None,
        ask: Ask,
        item: str,
        context: Mapping[str, Value] | None = None,
        on_page: Sequence[str] = (),
    ) -> WhyNot:
        """Why an item is not shown, by deciding once more. on_page: items that stood on the page already. Nothing is kept.

        Raises UnknownPlacement, NoModel.
        """
        recipe, scene = self.recipe(ask.placement), self.scene(person, context)
        look, catalogue = scene.consider(recipe, ask), scene.shelf.catalogue
        page = OnPage(tuple(catalogue.rows(on_page).tolist()))
        return why_not(scene.choose(look, Random(0), page), item, look.moment, catalogue, page.rows)

    def _page(self, scene: Scene, name: str, like: Ask, answered: "_Answered") -> list[Answer]:
        declared = self.declared(name)
        rows = declared.candidates
        asks = [structs.replace(like, placement=row.placement) for row in rows]
        looks = [scene.consider(self.recipe(ask.placement), ask) for ask in asks]
        considered, size = [look.considered for look in looks], len(scene.shelf.catalogue)
        personal = any(look.moved() for look in looks)
        page, answers, left = OnPage(), [], list(range(len(rows)))
        for place in range(1, (declared.show or len(rows)) + 1):
            found = next_row(left, rows, considered, page, size)
            if found is None:
                break
            left.remove(found[0])
            answer = answered(scene, looks[found[0]], page, Placed(name, place, found[1], personal))
            page = _with(page, answer)
            answers.append(answer)
        return answers

    def declared(self, page: str) -> Page:
        """The declared page called so. Raises UnknownPage."""
        found = self.pages.get(page)
        if found is None:
            raise UnknownPage(name=page, available=", ".join(sorted(self.pages)) or "none yet")
        return found

    def recipe(self, placement: str) -> Recipe:
        """The recipe of a placement. Raises UnknownPlacement."""
        found = self.recipes.get(placement)
        if found is None:
            raise UnknownPlacement(name=placement, available=", ".join(sorted(self.recipes)) or "none yet")
        return found

    def scene(self, person: str | None, context: Mapping[str, Value] | None = None) -> Scene:
        """Everything that decisions for this person need, as it is now. person: None for somebody unknown."""
        now, began = self.shell.now(), self.shell.passed()
        with self.stores.glance():
            shelf = self.shelf()
            consent, profile = NOBODY, UNKNOWN
            if person is not None:
                self.people.refresh()
                person = self.people.who(person, now)
                consent, profile = self.people.effective(person), self.people.profile(person)
        return Scene(person, consent, profile, shelf, self.charter, now, context or {}, began)

    def view(
        self, profile: Profile, consent: Consent, purpose: str, surface: str, now: int, catalogue: Catalogue
    ) -> View:
        """The View of a profile."""
        return Scene(None, consent, profile, Shelf(catalogue, {}), self.charter, now, {}).view(purpose, surface)

    def _answer(self, scene: Scene, look: Look, page: OnPage, placed: Placed | None = None) -> Answer:
        """Choose, and keep the receipt."""
        decision, receipt = self._made(scene, look, page, placed, self.shell.dice, self.shell.name())
        lasts = scene.lasts(look)
        keep = RECEIPT_MS if lasts else SHORT_RECEIPT_MS
        note = Note.of(receipt, (self.shell.passed() - scene.began) * 1000, lasts) if self.noted else None
        durable = self.stores.receipts.append(receipt, scene.now + keep, lasts and self.onward.decisions, note)
        return Answer(decision, receipt, durable, scene.shelf.catalogue)

    def _made(
        self, scene: Scene, look: Look, page: OnPage, placed: Placed | None, dice: Dice, name: str
    ) -> tuple[Decision, Receipt]:
        """Choose, and write a receipt called so."""
        decision = scene.choose(look, dice, page)
        stamp = Stamp(name, scene.now, scene.person if scene.known(look) else None, placed)
        receipt = explain(decision, look.view, scene.shelf, self.charter, scene.consent, stamp)
        audiences = self.charter.children.audiences if look.view.audience == "children" else None
        return decision, with_variants(receipt, decision, look.moment, scene.shelf.catalogue, audiences)

    # ------------------------------------------------------------------------------------------------------------ rights

    def change_consent(self, person: str, change: ConsentChange) -> Ack[None]:
        """Write a change down; it counts from the next decision on any worker once acknowledged.

        What is answered under an old name is answered by whoever goes by the new one, and under every name between.
        """
        self.people.refresh()
        return self.stores.consents.append([(name, change) for name in self.people.new_names(person)])

    def forget(self, person: str) -> list[Ack[None]]:
        """Leave nothing of the person, in any store, under any name that is theirs."""
        for name in self.people.goes_with(person):
            self.onward.forgotten(name)  # before: afterwards nobody knows the name any more
        return self.people.forget(person)


def _not_overtaken(purposes: dict[str, bool], at: int, before: Sequence[ConsentChange]) -> dict[str, bool]:
    """The answers, without a yes that was on its way (since `at`, ms since 1970) while a no was given."""
    refused: dict[str, int] = {}
    for change in before:  # made under several names, so not in order
        for name, given in change.purposes.items():
            if not given:
                refused[name] = max(change.at, refused.get(name, 0))
    return {name: given for name, given in purposes.items() if not given or at >= refused.get(name, at)}


class _Answered(Protocol):
    """What makes an answer of a placement half decided."""

    def __call__(self, scene: Scene, look: Look, page: OnPage, placed: Placed | None = None) -> Answer:
        """The answer, given what stands on the page already."""


def _decided(scene: Scene, recipes: Sequence[Recipe], asks: Sequence[Ask], answered: _Answered) -> list[Answer]:
    """The placements of one page, in their order."""
    page, answers = OnPage(), []
    for recipe, ask in zip(recipes, asks, strict=True):
        answer = answered(scene, scene.consider(recipe, ask), page)
        page = _with(page, answer)
        answers.append(answer)
    return answers


def _with(page: OnPage, answer: Answer) -> OnPage:
    """The page with one more placement on it."""
    about = answer.receipt.personal or any(removal.personal for removal in answer.receipt.removed)
    return OnPage((*page.rows, *answer.decision.slots.rows.tolist()), page.personal or about)


def must_be_durable(answer: Answer) -> bool:
    """Whether an answer must wait for its receipt to be on disk: a held decision must not be lost."""
    return answer.decision.verdict is Verdict.hold
