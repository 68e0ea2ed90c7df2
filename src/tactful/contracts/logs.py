"""What every log must do: of events, consents, links and receipts."""

from __future__ import annotations

from msgspec import structs

from tactful.contracts.samples import LATER, NAMES, NOW, Opened, change, link, receipt, record, said, viewed
from tactful.domain.consent import ConsentChange, Dial
from tactful.domain.event import Event, Inferred, Interaction, Obtained, Told
from tactful.domain.identity import DISOWNED, Link
from tactful.domain.item import Item
from tactful.domain.note import Note
from tactful.ports import (
    NOTE_MS,
    VISIT,
)


class EventLogContract(Opened):
    """What every EventLog must do."""

    def test_nobody_has_nothing(self) -> None:
        assert self.stores.events.head("nobody") == 0
        assert self.stores.events.read("nobody") == []
        assert list(self.stores.events.people()) == []

    def test_events_come_back_whole_and_in_order(self) -> None:
        kinds: list[Event] = [
            Interaction(
                "a", NOW, "rated", "dune", "history", ("recommend", "measure"), True, 4.5, {"list": [1, "x", None]}
            ),
            Told("b", -1, "size", ["s", "m"], "preferences", ()),
            Obtained("c", NOW, "income", 3, "bought in", ("recommend",), "Seller", "licence", "contract"),
            Inferred("d", 2**53, "mood", None, "insights", ("recommend",), "you looked at 12 sad films"),
        ]
        assert self.append(record("ann", *kinds)) == frozenset()
        assert [event for _, event in self.stores.events.read("ann")] == kinds

    def test_records_are_read_in_the_order_they_came_whatever_their_times(self) -> None:
        late, early = structs.replace(viewed("late"), at=NOW + 9), structs.replace(viewed("early"), at=NOW - 9)
        self.append(record("ann", late), record("bob", "x"), record("ann", early, data="other"))
        self.append(record("ann", "third"))
        assert self.events("ann") == ["late", "early", "third"]

    def test_head_is_the_last_number_and_read_goes_on_after_it(self) -> None:
        self.append(record("ann", "1", "2"))
        head = self.stores.events.head("ann")
        assert head == self.stores.events.read("ann")[-1][0] > 0
        assert self.stores.events.read("ann", head) == []
        self.append(record("bob", "x"))
        assert self.stores.events.head("ann") == head
        self.append(record("ann", "3"), record("ann", "4"))
        numbers = [number for number, _ in self.stores.events.read("ann", head)]
        assert self.events("ann", head) == ["3", "4"] and numbers == sorted(numbers) and numbers[0] > head

    def test_a_message_is_kept_once(self) -> None:
        self.append(record("ann", "1", "2"))
        head = self.stores.events.head("ann")
        assert self.append(record("ann", "2", data="other")) == {("ann", "2")}
        assert self.stores.events.head("ann") == head, "a record of nothing but duplicates is no record"
        assert self.append(record("ann", "2", "3", "1")) == {("ann", "2"), ("ann", "1")}
        assert self.events("ann") == ["1", "2", "3"]

    def test_duplicates_within_a_batch_and_within_a_record(self) -> None:
        assert self.append(record("ann", "1", "1"), record("ann", "1", data="other")) == {("ann", "1")}
        assert self.events("ann") == ["1"]

    def test_two_people_may_use_the_same_message_id(self) -> None:
        assert self.append(record("ann", "1"), record("bob", "1")) == frozenset()
        assert self.append(record("bob", "1")) == {("bob", "1")}
        assert self.events("ann") == self.events("bob") == ["1"]

    def test_nothing_is_nothing(self) -> None:
        assert self.append() == frozenset()
        assert self.append(record("ann")) == frozenset()
        assert self.stores.events.head("ann") == 0

    def test_people_are_who_they_are_whatever_their_ids(self) -> None:
        self.append(*[record(name, f"of {place}", name) for place, name in enumerate(NAMES)])
        for place, name in enumerate(NAMES):
            assert self.events(name) == [f"of {place}", name]
        assert len(list(self.stores.events.people())) == len(NAMES)

    def test_people_are_pseudonyms_in_a_stable_order(self) -> None:
        self.append(*[record(f"p{number}", "1", "2") for number in range(600)])
        self.append(record("p7", "3"))
        first = [(name, [event.id for event in events]) for name, events in self.stores.events.people()]
        names = [name for name, _ in first]
        assert names == sorted(set(names)) and len(names) == 600 and not {"p7", "p599"} & set(names)
        assert sorted(len(events) for _, events in first) == [2] * 599 + [3]
        assert ["1", "2", "3"] in [events for _, events in first]
        self.reopen()
        assert first == [(name, [event.id for event in events]) for name, events in self.stores.events.people()]

    def test_a_large_record(self) -> None:
        many = [f"e{number}" for number in range(70_000)]
        assert self.append(record("ann", *many)) == frozenset()
        assert self.events("ann") == many
        assert self.append(record("ann", *many[:17])) == {("ann", event) for event in many[:17]}

    def test_forgetting_leaves_nothing_and_nobody_else_is_touched(self) -> None:
        self.append(record("ann", "1"), record("ann", "2", data=VISIT), record("bob", "1"))
        self.forget("ann")
        assert self.stores.events.head("ann") == 0 and self.events("ann") == []
        assert self.events("bob") == ["1"]
        assert len(list(self.stores.events.people())) == 1
        self.forget("ann")
        self.forget("nobody")
        self.reopen()
        assert self.events("ann") == [] and self.events("bob") == ["1"]

    def test_single_events_can_be_forgotten_and_still_count_as_seen(self) -> None:
        self.append(record("ann", "1", "2", "3"), record("ann", "4", data="other"), record("bob", "2"))
        self.stores.events.forget("ann", {"2", "4", "never there"}).wait()
        for _ in range(2):
            assert self.events("ann") == ["1", "3"] and self.events("bob") == ["2"]
            self.reopen()
        both = [
            self.stores.events.forget("ann", {"1"}),
            self.stores.events.forget("ann", {"3"}),
        ]  # neither waits for the other
        for ack in both:
            ack.wait()
        assert self.events("ann") == []
        assert self.append(record("ann", "2", "4", "5")) == {("ann", "2"), ("ann", "4")}
        assert self.events("ann") == ["5"]

    def test_a_forgotten_person_may_come_back_as_somebody_new(self) -> None:
        self.append(record("ann", "1"))
        old = self.stores.events.head("ann")
        for again in range(3):
            self.forget("ann")
            assert self.append(record("ann", "1", f"fresh {again}")) == frozenset(), "what is forgotten is no duplicate"
            assert self.events("ann") == ["1", f"fresh {again}"]
            assert self.stores.events.head("ann") > old, "numbers are never reused, or a cache would not notice"
            old = self.stores.events.head("ann")
        self.reopen()
        assert self.events("ann") == ["1", "fresh 2"]

    def test_numbers_go_on_after_a_restart(self) -> None:
        self.append(record("ann", "1"))
        old = self.stores.events.head("ann")
        self.forget("ann")
        self.reopen()
        self.append(record("bob", "1"))
        assert self.stores.events.head("bob") > old

    def test_everything_is_there_after_a_restart(self) -> None:
        self.append(record("ann", "1"), record("ann", "2"))
        before = self.stores.events.read("ann")
        self.reopen()
        assert self.stores.events.read("ann") == before
        assert self.append(record("ann", "2")) == {("ann", "2")}


class ConsentLogContract(Opened):
    """What every ConsentLog must do."""

    def keep(self, *changes: tuple[str, ConsentChange]) -> None:
        """Append and wait."""
        self.stores.consents.append(changes).wait()

    def test_nobody_has_said_nothing(self) -> None:
        assert self.stores.consents.read("nobody") == []
        assert self.stores.consents.version() == 0
        assert list(self.stores.consents.everybody()) == []

    def test_every_change_is_proof_and_comes_back_in_order(self) -> None:
        first, second = change("banner"), change("privacy centre", Dial.off)
        self.keep(("ann", first))
        self.keep(("bob", second), ("ann", second), ("ann", first))
        assert self.stores.consents.read("ann") == said("ann", first, second, first)
        self.reopen()
        assert self.stores.consents.read("ann") == said("ann", first, second, first)
        assert self.stores.consents.read("bob") == said("bob", second)

    def test_the_version_moves_with_every_change_and_with_nothing_else(self) -> None:
        versions = [self.stores.consents.version()]
        for person in ("ann", "bob", "ann"):
            self.keep((person, change()))
            versions.append(self.stores.consents.version())
        assert versions == sorted(set(versions))
        self.stores.events.append([record("ann", "1")]).wait()
        self.stores.receipts.append(receipt("r"), LATER).wait()
        self.stores.items.put([Item(id="i", title="I")]).wait()
        self.keep()
        assert self.stores.consents.version() == versions[-1]
        self.reopen()
        assert self.stores.consents.version() == versions[-1]

    def test_forgetting_moves_the_version_so_that_caches_let_go(self) -> None:
        self.keep(("ann", change()), ("bob", change()))
        before = self.stores.consents.version()
        self.forget("ann")
        after = self.stores.consents.version()
        assert after > before
        assert self.stores.consents.read("ann") == [] and self.stores.consents.read("bob") == said("bob", change())
        self.keep(("ann", change("again")))
        assert self.stores.consents.version() > after
        assert self.stores.consents.read("ann") == said("ann", change("again"))

    def test_everybody_has_the_names_of_the_event_log(self) -> None:
        for name in NAMES:
            self.keep((name, change(name)))
            self.stores.events.append([record(name, name)]).wait()
        consents = {name: [made.source for made in changes] for name, changes in self.stores.consents.everybody()}
        assert consents == {name: [events[0].id] for name, events in self.stores.events.people()}
        assert len(consents) == len(NAMES) and list(consents) == sorted(consents)


class LinkLogContract(Opened):
    """What every LinkLog must do."""

    def link_up(self, *links: Link) -> None:
        """Append and wait."""
        self.stores.links.append(links).wait()

    def test_nobody_is_linked(self) -> None:
        assert self.stores.links.read("nobody") == [] and list(self.stores.links.everybody()) == []

    def test_a_link_stands_at_both_its_names_in_the_order_it_came(self) -> None:
        first, second, third = link("phone", "ann"), link("tablet", "ann"), link("phone", "bob")
        self.link_up(first, second)
        self.link_up(third)
        for _ in range(2):
            assert self.stores.links.read("ann") == [first, second]
            assert self.stores.links.read("phone") == [first, third]
            assert self.stores.links.read("bob") == [third]
            self.reopen()

    def test_a_link_is_kept_once(self) -> None:
        self.link_up(link("phone", "ann"), link("phone", "ann"))
        version = self.stores.consents.version()
        self.link_up(link("phone", "ann"))
        assert self.stores.links.read("ann") == self.stores.links.read("phone") == [link("phone", "ann")]
        assert self.stores.consents.version() == version

    def test_a_name_linked_to_itself_or_to_nobody(self) -> None:
        self.link_up(link("ann", "ann"), link("phone", "", DISOWNED, since=NOW - 9))
        assert self.stores.links.read("ann") == [link("ann", "ann")]
        assert self.stores.links.read("phone") == [link("phone", "", DISOWNED, since=NOW - 9)]

    def test_a_link_moves_the_version_of_consent(self) -> None:
        before = self.stores.consents.version()
        self.link_up(link("phone", "ann"))
        assert self.stores.consents.version() > before

    def test_everybody_has_the_names_of_the_event_log(self) -> None:
        names = dict.fromkeys(name for name in NAMES)
        for name in names:
            self.stores.events.append([record(name, name)]).wait()
        self.link_up(*[link(name, "ann") for name in names])
        pseudonym = {events[0].id: name for name, events in self.stores.events.people()}
        everybody = dict(self.stores.links.everybody())
        assert list(everybody) == sorted(pseudonym.values())
        assert {one.name for one in everybody[pseudonym["ann"]]} == set(pseudonym.values())
        assert everybody[pseudonym["bob"]][0].person == pseudonym["ann"]

    def test_forgetting_takes_a_person_out_of_the_links_of_others(self) -> None:
        self.link_up(link("phone", "ann"), link("phone", "bob"), link("home", "ann"))
        self.forget("ann")
        self.reopen()
        assert self.stores.links.read("ann") == [] and self.stores.links.read("home") == []
        assert self.stores.links.read("phone") == self.stores.links.read("bob") == [link("phone", "bob")]
        self.link_up(link("phone", "ann"))
        assert self.stores.links.read("ann") == [link("phone", "ann")]


class ReceiptLogContract(Opened):
    """What every ReceiptLog must do."""

    def test_a_receipt_is_readable_at_once(self) -> None:
        for person in ("ann", None):
            name = f"receipt of {person}"
            self.stores.receipts.append(receipt(name, person), LATER)  # nobody waits
            assert self.stores.receipts.get(name) == receipt(name, person)
        assert self.stores.receipts.get("receipt of") is None

    def test_a_receipt_is_there_after_a_restart(self) -> None:
        for person in ("ann", None):
            self.stores.receipts.append(receipt(str(person), person), LATER).wait()
        self.reopen()
        assert self.stores.receipts.get("ann") == receipt("ann")
        assert self.stores.receipts.get("None") == receipt("None", None)

    def test_a_receipt_nobody_waited_for_is_there_after_an_orderly_restart(self) -> None:
        self.stores.receipts.append(receipt("r"), LATER)
        self.reopen()
        assert self.stores.receipts.get("r") == receipt("r")

    def test_keeping_a_receipt_twice_is_keeping_it_once(self) -> None:
        for _ in range(2):
            self.stores.receipts.append(receipt("r"), LATER).wait()
        assert self.stores.receipts.get("r") == receipt("r")
        assert self.stores.quarantine.purge(LATER).wait() == 1

    def test_forgetting_takes_the_receipts_of_this_person_only(self) -> None:
        for name, person in (("a", "ann"), ("b", "bob"), ("n", None)):
            self.stores.receipts.append(receipt(name, person), LATER)
        self.forget("ann")
        assert self.stores.receipts.get("a") is None
        assert self.stores.receipts.get("b") is not None and self.stores.receipts.get("n") is not None
        self.stores.receipts.append(receipt("a2", "ann"), LATER).wait()
        assert self.stores.receipts.get("a2") == receipt("a2") and self.stores.receipts.get("a") is None

    def test_receipts_are_purged_when_they_are_due(self) -> None:
        self.stores.receipts.append(receipt("due"), LATER).wait()
        self.stores.receipts.append(receipt("due, nobody's", None), LATER).wait()
        self.stores.receipts.append(receipt("not due"), LATER + 1).wait()
        assert self.stores.quarantine.purge(LATER - 1).wait() == 0
        assert self.stores.quarantine.purge(LATER).wait() == 2
        assert self.stores.receipts.get("due") is None and self.stores.receipts.get("due, nobody's") is None
        assert self.stores.receipts.get("not due") == receipt("not due")

    def note(self, name: str, person: str | None = None, at: int = NOW) -> Note:
        """Keep a receipt with its note; the note."""
        made = Note.of(structs.replace(receipt(name, person), at=at), 1.5)
        self.stores.receipts.append(receipt(name, person), LATER + NOTE_MS, note=made)
        return made

    def settle(self) -> None:
        """Until what was kept is durable."""
        self.stores.consents.append([]).wait()

    def test_notes_come_back_in_the_order_they_were_kept_and_reading_goes_on_after_a_number(self) -> None:
        assert self.stores.receipts.noted() == 0 and self.stores.receipts.notes(0, 9) == []
        self.stores.receipts.append(receipt("without"), LATER).wait()
        made = [self.note(f"of {person}", person) for person in ("ann", None, "bob", "ann", None)]
        self.settle()
        for _ in range(2):
            found = self.stores.receipts.notes(0, 9)
            assert [note for _, note in found] == made
            assert [note.receipt for _, note in found] == ["of ann", "", "of bob", "of ann", ""]
            numbers = [number for number, _ in found]
            assert numbers == sorted(set(numbers)) and self.stores.receipts.noted() == numbers[-1]
            assert self.stores.receipts.notes(0, 2) == found[:2]
            assert self.stores.receipts.notes(numbers[1], 2) == found[2:4]
            assert self.stores.receipts.notes(numbers[-1], 9) == []
            self.reopen()

    def test_notes_are_forgotten_with_the_person_and_their_numbers_come_never_again(self) -> None:
        kept = [self.note("b", "bob"), self.note("n")]
        for number in range(5):
            self.note(f"a{number}", "ann")
        self.settle()
        last = self.stores.receipts.noted()
        self.forget("ann")
        assert [note for _, note in self.stores.receipts.notes(0, 99)] == kept
        assert [note for _, note in self.stores.receipts.notes(0, 1)] == kept[:1]
        assert self.stores.receipts.noted() == last
        again = self.note("again", "ann")
        self.settle()
        assert [note for _, note in self.stores.receipts.notes(last, 99)] == [again]

    def test_notes_are_purged_after_a_day_though_the_receipt_stays(self) -> None:
        self.note("due", "ann")
        self.note("due, nobody's")
        left = [self.note("later", "ann", NOW + 1), self.note("later, nobody's", at=NOW + 1)]
        self.settle()
        assert self.stores.quarantine.purge(NOW + NOTE_MS - 1).wait() == 0
        assert self.stores.quarantine.purge(NOW + NOTE_MS).wait() == 2
        assert [note for _, note in self.stores.receipts.notes(0, 9)] == left
        assert self.stores.receipts.get("due") is not None
        assert self.stores.quarantine.purge(NOW + NOTE_MS + 1).wait() == 2
        assert self.stores.receipts.notes(0, 9) == [] and self.stores.receipts.get("later") is not None
        new = self.note("new", "ann")
        self.settle()
        assert [note for _, note in self.stores.receipts.notes(0, 9)] == [new]
