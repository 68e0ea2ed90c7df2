"""What every implementation of a port must do, as tests. Inherit a suite, give it `open`, and run it with pytest:

    from tactful.contracts import StoresContract

    class TestMine(StoresContract):
        def open(self):
            return my_stores("some folder")

`open` is called anew after a restart and must then give back what was kept; say `durable = False` if nothing outlives the process.

For a plug-in, inherit StrategyContract, GuardContract or ArrangerContract and give it `make`, which builds it:

    class TestMine(StrategyContract):
        def make(self):
            return Mine(half_life=2.0)
"""

from __future__ import annotations

import inspect
import json
import random
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from msgspec import structs

from tactful.domain.catalogue import AUDIENCE_CODE, Catalogue, Proxy, unpack
from tactful.domain.consent import Consent, ConsentChange, Dial
from tactful.domain.decision import PERSONAL, Ask, Evidence, Scored
from tactful.domain.event import VERBS, Event, Inferred, Interaction, Obtained, Told
from tactful.domain.identity import DEVICE, DISOWNED, Link
from tactful.domain.item import Item, Price
from tactful.domain.receipt import Receipt
from tactful.domain.view import Assumed, Moment, View
from tactful.learn.train import fit, learners
from tactful.ports import (
    QUARANTINE_MS,
    VISIT,
    Arranger,
    Entry,
    Guard,
    Interactions,
    Model,
    Page,
    Quarantined,
    Record,
    Shelf,
    Stores,
    Strategy,
)

NOW = 1_700_000_000_000
"""A moment, in milliseconds since 1970. The suites never look at a clock."""
LATER = NOW + 86_400_000
"""A day after it."""
NAMES = (
    "ann",
    "bob",
    "👩‍👩‍👧‍👦",
    "שָׁלוֹם",
    "مرحبا",
    "a\u202eb",
    "İ",
    "i̇",
    " ",
    "x" * 2_000,
    "' OR 1=1 --",
    "null\x00byte",
)
"""People's ids as they come: emoji, right to left, odd cases, long, hostile."""


def viewed(event: str, item: str = "dune", data: str = "history") -> Interaction:
    """An event for tests."""
    return Interaction(event, NOW, "viewed", item, data, ("recommend",), fields={"page": "home"})


def record(person: str, *events: Event | str, data: str = "history", keep_until: int = LATER) -> Record:
    """A record for tests; a string stands for an event with this id."""
    whole = tuple(viewed(event, data=data) if isinstance(event, str) else event for event in events)
    return Record(person, data, whole, keep_until)


def change(source: str = "privacy centre", dial: Dial | None = Dial.remember) -> ConsentChange:
    """A change of consent for tests."""
    return ConsentChange(NOW, source, "v1", dial, {"recommend": True, "measure": False}, {"health": True}, False)


def said(person: str, *changes: ConsentChange) -> list[ConsentChange]:
    """Changes as the log gives them back: with whose they are."""
    return [structs.replace(made, person=person) for made in changes]


def link(name: str, person: str, how: str = DEVICE, at: int = NOW, **more: Any) -> Link:
    """A link for tests."""
    return Link(f"{name} is {person} since {at}", at, name, person, how, **more)


def receipt(name: str, person: str | None = "ann") -> Receipt:
    """A receipt for tests."""
    return Receipt(
        id=name, at=NOW, placement="home", purpose="recommend", surface="private", person=person, dial=3, consent_version=1,
        charter="v1", catalogue=1, models={"similar": "m1"}, recipe="r", allowed=("history",), opened=("history",), withheld=(),
        proposed=10, permitted=9, removed=(), shown=(), verdict="release", personal=person is not None,
    )  # fmt: skip


def piece(name: str, person: str = "ann", at: int = NOW) -> Quarantined:
    """A quarantined piece for tests."""
    return Quarantined(name, at, person, b'{"type": "trak"}\xff', "type", "unknown")


def ids(read: Iterable[tuple[int, Event]]) -> list[str]:
    """The ids of events as `EventLog.read` gives them."""
    return [event.id for _, event in read]


class Opened:
    """Opens the stores for each test and closes them afterwards."""

    durable = True
    """Whether what is kept outlives `close`."""
    stores: Stores

    def open(self) -> Stores:
        """The stores under test; after the first call of a test, with all that was kept."""
        raise NotImplementedError

    def setup_method(self) -> None:
        """Called by pytest."""
        self.stores = self.open()

    def teardown_method(self) -> None:
        """Called by pytest."""
        self.stores.close()

    def reopen(self) -> None:
        """Close and open again, as a restart does."""
        if self.durable:
            self.stores.close()
            self.stores = self.open()

    def forget(self, person: str) -> None:
        """Forget a person everywhere, as the engine does."""
        for store in (self.stores.events, self.stores.consents, self.stores.receipts, self.stores.quarantine):
            store.forget(person).wait()

    def append(self, *records: Record) -> frozenset[tuple[str, str]]:
        """Append and wait."""
        return self.stores.events.append(records).wait()

    def events(self, person: str, after: int = 0) -> list[str]:
        """The ids of a person's events."""
        return ids(self.stores.events.read(person, after))


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
        assert self.append(record("ann", "2", "4", "5")) == {("ann", "2"), ("ann", "4")}
        assert self.events("ann") == ["1", "3", "5"]

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


class ItemStoreContract(Opened):
    """What every ItemStore must do."""

    def test_items_come_back_whole(self) -> None:
        item = Item(
            id="🎬", title="דיונה", kind="film", attributes={"genre": ["sf"], "year": 1984, "hit": False}, text="Sand",
            price=Price(9.5), sensitivity=("faith",), audience="adults", vectors={"text": [0.5, -1.0]},
        )  # fmt: skip
        version = self.stores.items.put([item]).wait()
        assert version == self.stores.items.version() > 0
        assert [(row, unpack(raw)) for row, raw in self.stores.items.since(0)] == [(0, item)]

    def test_rows_are_dense_and_stay(self) -> None:
        assert self.stores.items.version() == 0 and self.stores.items.since(0) == []
        first = self.stores.items.put([Item(id=name, title=name) for name in "abc"]).wait()
        second = self.stores.items.put(
            [Item(id="d", title="d"), Item(id="b", title="B"), Item(id="d", title="D")]
        ).wait()
        assert second > first
        assert self.titles(0) == [(0, "a"), (1, "B"), (2, "c"), (3, "D")]
        assert self.titles(first) == [(1, "B"), (3, "D")]
        assert self.titles(second) == []
        self.reopen()
        assert self.stores.items.version() == second
        self.stores.items.put([Item(id="e", title="e")]).wait()
        assert self.titles(second) == [(4, "e")]

    def test_putting_nothing_changes_nothing(self) -> None:
        version = self.stores.items.put([Item(id="a", title="a")]).wait()
        assert self.stores.items.put([]).wait() == version == self.stores.items.version()

    def titles(self, after: int) -> list[tuple[int, str]]:
        """(row, title) of what was put after a version."""
        return [(row, unpack(raw).title) for row, raw in self.stores.items.since(after)]


class QuarantineContract(Opened):
    """What every Quarantine must do, the purge of everything included."""

    def test_pieces_come_back_oldest_first(self) -> None:
        pieces = [
            piece("late", at=NOW + 5),
            piece("early", "", NOW - 5),
            piece("mid", "👩‍👩‍👧‍👦"),
            piece("mid 2", "ann"),
        ]
        self.stores.quarantine.put(pieces[:2]).wait()
        self.stores.quarantine.put(pieces[2:]).wait()
        self.stores.quarantine.put([]).wait()
        expected = [pieces[1], pieces[2], pieces[3], pieces[0]]
        assert self.stores.quarantine.pieces() == expected
        self.reopen()
        assert self.stores.quarantine.pieces() == expected

    def test_what_is_dropped_is_gone_and_nothing_else(self) -> None:
        mine, same, other = piece("a"), piece("a", at=NOW + 1), piece("a", "bob")
        nobodys = structs.replace(piece("n", ""), format="segment", trusted=True, proven="ann")
        self.stores.quarantine.put([mine, same, other, nobodys]).wait()
        self.stores.quarantine.drop([mine, nobodys, piece("never came")]).wait()
        assert self.stores.quarantine.pieces() == [other, same]
        self.stores.quarantine.drop([mine]).wait()
        self.stores.quarantine.drop([]).wait()
        self.reopen()
        assert self.stores.quarantine.pieces() == [other, same]
        self.stores.quarantine.drop([same]).wait()
        self.stores.quarantine.put([mine]).wait()
        assert set(self.stores.quarantine.pieces()) == {other, mine}, "who has no piece left can have one again"
        assert self.stores.quarantine.purge(NOW + QUARANTINE_MS).wait() == 2

    def test_pieces_keep_the_standing_of_their_sender(self) -> None:
        kept = structs.replace(piece("a"), format="segment", trusted=True, proven="ann")
        self.stores.quarantine.put([kept]).wait()
        self.reopen()
        assert self.stores.quarantine.pieces() == [kept]

    def test_forgetting_takes_the_pieces_of_this_person_only(self) -> None:
        self.stores.quarantine.put([piece("a"), piece("b", "bob"), piece("n", "")]).wait()
        self.forget("ann")
        assert [kept.id for kept in self.stores.quarantine.pieces()] == ["b", "n"]
        self.stores.quarantine.put([piece("a2")]).wait()
        assert {kept.id for kept in self.stores.quarantine.pieces()} == {"b", "n", "a2"}

    def test_pieces_are_gone_after_seven_days(self) -> None:
        self.stores.quarantine.put(
            [piece("old", at=NOW), piece("new", at=NOW + 1), piece("old, nobody's", "", NOW)]
        ).wait()
        assert self.stores.quarantine.purge(NOW + QUARANTINE_MS - 1).wait() == 0
        assert self.stores.quarantine.purge(NOW + QUARANTINE_MS).wait() == 2
        assert [kept.id for kept in self.stores.quarantine.pieces()] == ["new"]

    def test_records_are_purged_when_they_are_due_and_may_then_come_again(self) -> None:
        self.append(record("ann", "due"), record("ann", "not due", keep_until=LATER + 1), record("bob", "due"))
        assert self.stores.quarantine.purge(LATER - 1).wait() == 0
        assert self.stores.quarantine.purge(LATER).wait() == 2
        assert self.events("ann") == ["not due"] and self.events("bob") == []
        assert self.stores.events.head("bob") == 0 and len(list(self.stores.events.people())) == 1
        assert self.append(record("ann", "due", "not due"), record("bob", "due")) == {("ann", "not due")}
        assert self.events("ann") == ["not due", "due"]

    def test_a_visit_goes_as_a_whole_once_it_is_over(self) -> None:
        hour = 3_600_000
        self.append(record("ann", "1", data=VISIT, keep_until=NOW + hour), record("ann", "kept", keep_until=LATER))
        self.append(
            record("ann", "other", keep_until=NOW + hour), record("bob", "1", data=VISIT, keep_until=NOW + hour)
        )
        self.append(record("ann", "2", data=VISIT, keep_until=NOW + 2 * hour))
        assert self.stores.quarantine.purge(NOW + hour).wait() == 2, "bob's visit is over, ann's goes on"
        assert self.events("ann") == ["1", "kept", "2"] and self.events("bob") == []
        assert self.append(record("ann", "1", data=VISIT)) == {("ann", "1")}, "what is still kept is still a duplicate"
        assert self.stores.quarantine.purge(NOW + 2 * hour).wait() == 2
        assert self.events("ann") == ["kept"]
        assert self.append(record("ann", "1", "2", data=VISIT)) == frozenset()

    def test_a_purge_of_many_people(self) -> None:
        self.append(*[record(f"p{number}", "1", keep_until=NOW + number % 2) for number in range(1_300)])
        self.stores.quarantine.put([piece(str(number), at=NOW - QUARANTINE_MS) for number in range(1_300)]).wait()
        assert self.stores.quarantine.purge(NOW).wait() == 650 + 1_300
        assert len(list(self.stores.events.people())) == 650
        assert self.stores.quarantine.purge(NOW + 1).wait() == 650
        assert list(self.stores.events.people()) == []


class FeedContract(Opened):
    """What every Feed must do."""

    def say(self, person: str, made: ConsentChange | None = None) -> None:
        """Write down what somebody allows."""
        self.stores.consents.append([(person, made or change())]).wait()

    def read(self, after: int = 0, most: int = 100) -> list[Entry]:
        """The feed to its end, page by page."""
        found: list[Entry] = []
        while True:
            page = self.stores.feed.after(after, most)
            assert all(after < entry.number <= page.until for entry in page.entries) and len(page.entries) <= most
            found += page.entries
            if page.until == after:
                assert after == self.stores.feed.head()
                return found
            after = page.until

    def test_nothing_kept_is_nothing_to_pass_on(self) -> None:
        assert self.stores.feed.head() == 0
        assert self.stores.feed.after(0, 10) == Page((), 0)

    def test_everything_comes_once_in_the_order_it_was_kept_with_names_whatever_the_pages(self) -> None:
        self.say("ann", change("banner"))
        self.append(record("ann", "1", "2"), record("ann", "3", data="other"))
        self.stores.receipts.append(receipt("r"), LATER, feed=True).wait()
        self.say("bob")
        self.append(record("bob", "4"))
        self.say("ann", change("privacy centre", Dial.off))
        whole = self.read()
        kinds = [(one.person, one.content) for one in whole]
        assert kinds == [
            ("ann", structs.replace(change("banner"), person="ann")),
            ("ann", (viewed("1"), viewed("2"))),
            ("ann", (viewed("3", data="other"),)),
            ("ann", receipt("r")),
            ("bob", structs.replace(change(), person="bob")),
            ("bob", (viewed("4"),)),
            ("ann", structs.replace(change("privacy centre", Dial.off), person="ann")),
        ]
        numbers = [one.number for one in whole]
        assert numbers == sorted(set(numbers)) and numbers[0] > 0
        for most in (1, 2, 3, 7):
            assert self.read(most=most) == whole
        assert self.read(numbers[3]) == whole[4:]
        self.reopen()
        assert self.read() == whole

    def test_entries_say_what_is_allowed_now_and_changes_what_was_before(self) -> None:
        self.say("ann", change("one", Dial.remember))
        self.append(record("ann", "1"))
        self.say("ann", change("two", Dial.off))
        first, event, second = self.read()
        now = Consent.of(self.stores.consents.read("ann"))
        assert now.dial == Dial.off and [one.consent for one in (first, event, second)] == [now] * 3
        assert first.before == Consent() and second.before.dial == Dial.remember and second.before.version == 1

    def test_names_come_back_whatever_they_are(self) -> None:
        for name in NAMES:
            self.say(name)
            self.append(record(name, "1"))
        assert [one.person for one in self.read()] == [name for name in NAMES for _ in (0, 1)]

    def test_receipts_are_in_it_only_where_that_is_asked_for_and_they_name_somebody(self) -> None:
        self.say("ann")
        self.stores.receipts.append(receipt("plain"), LATER).wait()
        self.stores.receipts.append(receipt("nobody's", None), LATER, feed=True).wait()
        self.stores.receipts.append(receipt("ann's"), LATER, feed=True).wait()
        assert [one.content.id for one in self.read() if isinstance(one.content, Receipt)] == ["ann's"]
        assert self.stores.receipts.get("ann's") == receipt("ann's")
        assert self.stores.receipts.get("nobody's") == receipt("nobody's", None)

    def test_what_is_erased_or_over_is_not_in_it_and_reading_goes_on_past_it(self) -> None:
        for name in ("ann", "bob"):
            self.say(name)
            self.append(record(name, "1"), record(name, "2", data="other", keep_until=NOW))
        self.stores.receipts.append(receipt("r"), NOW, feed=True).wait()
        self.stores.quarantine.purge(NOW).wait()
        assert [(one.person, type(one.content)) for one in self.read()] == [
            (name, kind) for name in ("ann", "bob") for kind in (ConsentChange, tuple)
        ]
        head = self.stores.feed.head()
        self.forget("ann")
        assert {one.person for one in self.read(most=1)} == {"bob"}
        assert self.stores.feed.head() > head, "a forgetting has a number, and none is given twice"
        self.say("ann")
        self.append(record("ann", "new"))
        assert [one.content for one in self.read(head) if isinstance(one.content, tuple)] == [(viewed("new"),)]

    def test_those_who_never_said_anything_are_not_in_it(self) -> None:
        self.append(record("ann", "1"))
        self.stores.receipts.append(receipt("r"), LATER, feed=True).wait()
        assert self.read() == []


class StoresContract(
    EventLogContract,
    ConsentLogContract,
    LinkLogContract,
    ReceiptLogContract,
    ItemStoreContract,
    QuarantineContract,
    FeedContract,
):
    """All that stores opened together must do."""


# ------------------------------------------------------------------------------------------------------- parts that choose

BOOKS = Catalogue.of(
    [
        Item(
            id=f"book-{number}", title=f"Book {number}", available=number % 7 != 3, audience=list(AUDIENCE_CODE)[number % 4],
            attributes={"author": f"author {number % 9}", "subjects": ["sea", "war", "love"][: number % 4]},
            vectors={"look": [1.0, number / 10.0]}, sensitivity=("health",) if number % 11 == 5 else (),
        )
        for number in range(60)
    ],
    {"health": (Proxy("subjects", ("medicine",)),), "faith": ()},
)  # fmt: skip
"""A catalogue for the suites: items of every kind that a plug-in may meet."""


def walks(people: int = 40, seed: int = 1) -> Interactions:
    """What some people did with the books, in canonical order."""
    dice = random.Random(seed)
    person = [number for number in range(people) for _ in range(dice.randrange(2, 30))]
    count = len(person)
    return Interactions(
        np.array(person, np.int32),
        np.array([dice.randrange(len(BOOKS)) for _ in person], np.int32),
        NOW + np.arange(count, dtype=np.int64) * 60_000,
        np.array([dice.randrange(len(VERBS)) for _ in person], np.int8),
        np.full(count, np.nan, np.float32),
        people,
    )


def seeing(*items: str, told: tuple[str, ...] = (), verb: str = "viewed") -> View:
    """A View of somebody who did this with these books, one after the other, and who said that they like this."""
    acts = tuple(
        Interaction(f"e{place}", NOW + place, verb, item, "history", ("recommend",)) for place, item in enumerate(items)
    )
    traits = {"interests": Told("t", NOW, "interests", list(told), "told", ("recommend",))} if told else {}
    allowed = frozenset({"history", "told"})
    return View(
        purpose="recommend", surface="private", dial=Dial.remember, history=acts, traits=traits, allowed=allowed
    )


class _Anything(dict[str, Assumed]):
    """Assumes that anybody likes the sea, whatever is asked for."""

    def get(self, name: str, default: Any = None) -> Any:
        """The assumption about this trait."""
        return Assumed(name, ["sea", "war"], "told")


class _Documented:
    """A plug-in says what it is, and what each of its settings does."""

    def make(self) -> Any:
        """The plug-in under test."""
        raise NotImplementedError

    def test_it_has_words_for_itself_and_for_every_setting(self) -> None:
        kind = type(self.make())
        words = kind.__dict__.get("__doc__") or ""
        assert words.strip(), f"{kind.__name__} has no docstring"
        inherited = {name for base in kind.__mro__[1:] for name in vars(base)}
        for setting in structs.fields(kind):
            assert setting.name in inherited or re.search(rf"\b{setting.name}\b", words), (
                f"{setting.name} is not explained"
            )

    def test_it_is_one_frozen_value(self) -> None:
        made = self.make()
        assert made == self.make()
        assert hash(made) == hash(self.make())
        assert type(made).__struct_config__.frozen
        assert type(made).__struct_config__.forbid_unknown_fields, "a misspelt setting would be ignored"

    def test_its_methods_say_what_they_do(self) -> None:
        kind = type(self.make())
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if method.__module__ == kind.__module__ and not name.startswith("_"):
                assert method.__doc__, f"{kind.__name__}.{name} has no docstring"


class StrategyContract(_Documented):
    """What every strategy must do."""

    VIEWS = (
        seeing(),
        seeing("book-1"),
        seeing("book-2", "book-9", "book-2", "gone", "book-17"),
        seeing("book-5", verb="disliked"),
        seeing(told=("sea", "no such thing")),
        seeing(*(f"book-{number}" for number in range(50)), told=("war",)),
    )
    ASKS = (Ask("home"), Ask("related", item="book-3"), Ask("related", item="gone"), Ask("home", context={"hour": 7}))

    def make(self) -> Strategy:
        """The strategy under test."""
        raise NotImplementedError

    def shelf(self, catalogue: Catalogue = BOOKS, people: int = 40) -> Shelf:
        """The books, and the models of the strategy and of its parts, which nobody can write to."""
        interactions = walks(people) if len(catalogue) else walks(0)
        models: dict[str, Model] = {}
        for name, strategy in learners([self.make()]).items():
            models[name] = fit(strategy, interactions, catalogue)
            for array in models[name].arrays.values():
                array.flags.writeable = False
        return Shelf(catalogue, models)

    def test_what_it_learns_is_the_same_bytes_each_time(self) -> None:
        for one, other in zip(self.shelf().models.values(), self.shelf().models.values(), strict=True):
            assert one.manifest == other.manifest
            assert {name: (array.dtype, array.tobytes()) for name, array in one.arrays.items()} == {
                name: (array.dtype, array.tobytes()) for name, array in other.arrays.items()
            }

    def test_what_it_learns_is_numbers_and_a_manifest_that_can_be_read(self) -> None:
        for model in self.shelf().models.values():
            assert not any(array.dtype.hasobject for array in model.arrays.values()), "only numbers: never a pickle"
            assert json.loads(json.dumps(model.manifest)).keys() == model.manifest.keys()

    def test_it_learns_and_serves_where_there_is_nothing(self) -> None:
        for shelf in (self.shelf(people=0), self.shelf(Catalogue())):
            for view in self.VIEWS:
                assert len(self.make().propose(view, Ask("home"), shelf).rows) <= 60 * 60

    def test_its_evidence_is_of_items_that_there_are_and_adds_up(self) -> None:
        shelf = self.shelf()
        for view in self.VIEWS:
            for ask in self.ASKS:
                evidence = self.make().propose(view, ask, shelf)
                size, count = len(BOOKS), len(evidence.sources)
                assert len(evidence.rows) == len(evidence.source) == len(evidence.base)
                assert np.all((evidence.rows >= 0) & (evidence.rows < size))
                assert np.all((evidence.source >= 0) & (evidence.source < count))
                assert all(
                    len(column) == count for column in (evidence.age, evidence.newest, evidence.decay, evidence.group)
                )
                scored = Scored.of(evidence, size)
                assert len(set(scored.rows.tolist())) == len(scored.rows)
                assert np.all(np.isfinite(scored.scores)) and np.all(scored.scores >= 0)
                total = np.zeros(size)
                for row, base, source in zip(evidence.rows, evidence.base, evidence.source, strict=True):
                    total[row] += float(base) * float(evidence.weight[source])
                assert np.allclose(total[scored.rows], scored.scores, rtol=1e-9)

    def test_its_personal_reasons_were_read_and_say_where_they_are_kept(self) -> None:
        shelf = self.shelf()
        for view in self.VIEWS:
            for ask in self.ASKS:
                view.opened.clear()
                for source in self.make().propose(view, ask, shelf).sources:
                    assert source.kind in PERSONAL | {"item", "context", "popular", "assumed", "default"}
                    if source.kind in PERSONAL:
                        assert source.data in view.opened
                        assert source.data in view.allowed

    def test_what_is_only_assumed_is_never_given_as_a_fact(self) -> None:
        shelf = self.shelf()
        for ask in self.ASKS:
            view = View(
                purpose="recommend", surface="private", dial=Dial.remember, allowed=frozenset({"told"}), assumed=_Anything()
            )  # fmt: skip
            sources = self.make().propose(view, ask, shelf).sources
            assert not any(source.kind in PERSONAL for source in sources), "nothing is known of this person"
            assert all(source.key in view.assumptions for source in sources if source.kind == "assumed")
            assert view.assumptions or not any(source.kind == "assumed" for source in sources)

    def test_of_somebody_unknown_it_says_the_same_as_of_anybody_unknown(self) -> None:
        shelf = self.shelf()
        unknown = (View(purpose="recommend", surface="private"), seeing())
        for ask in self.ASKS:
            one, other = (self.make().propose(view, ask, shelf) for view in unknown)
            assert _same(one, other)
            assert not any(source.kind in PERSONAL for source in one.sources)

    def test_it_is_pure(self) -> None:
        shelf = self.shelf()
        for view in self.VIEWS:
            for ask in self.ASKS:
                assert _same(self.make().propose(view, ask, shelf), self.make().propose(view, ask, shelf))

    def test_its_evidence_knows_what_would_be_without_each_thing_done(self) -> None:
        """What the receipt says of the place without a reason must be what happens without it."""
        shelf = self.shelf()
        for view in self.VIEWS:
            evidence = self.make().propose(view, Ask("home"), shelf)
            for key in {source.key for source in evidence.sources if source.kind == "history"}:
                places = [
                    place
                    for place, source in enumerate(evidence.sources)
                    if (source.kind, source.key) == ("history", key)
                ]
                said, really = np.zeros(len(BOOKS)), np.zeros(len(BOOKS))
                np.add.at(said, evidence.rows, evidence.base * evidence.without(places)[evidence.source])
                items = [act.item for act in view.history() if act.item != key]
                traits = view.value("interests")
                told = tuple(traits) if isinstance(traits, list) else ()
                again = self.make().propose(seeing(*items, told=told, verb=view.history()[0].verb), Ask("home"), shelf)
                np.add.at(really, again.rows, again.base * again.weight[again.source])
                assert np.allclose(said, really, rtol=1e-6, atol=1e-12)


def _same(one: Evidence, other: Evidence) -> bool:
    """Whether two proposals are the same to the last bit."""
    columns = [name for name in Evidence.__struct_fields__ if name != "sources"]
    return one.sources == other.sources and all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in columns
    )


class GuardContract(_Documented):
    """What every guard must do."""

    def make(self) -> Guard:
        """The guard under test."""
        raise NotImplementedError

    def moments(self) -> list[Moment]:
        """Moments of all kinds. Inherit it and add what your guard looks at."""
        views = [seeing(), *(seeing("book-1", "book-2", "book-2", "gone", verb=verb) for verb in VERBS)]
        plain = [Moment.of(view, {}, NOW + 1_000) for view in views]
        return [
            *plain,
            structs.replace(plain[0], audience="children"),
            structs.replace(plain[0], sensitive=frozenset({"health"})),
            structs.replace(plain[0], context={"hour": 3, "device": "phone"}),
        ]

    def test_it_says_why(self) -> None:
        assert self.make().why.strip()

    def test_it_judges_each_row_on_its_own(self) -> None:
        rows = np.arange(len(BOOKS), dtype=np.int32)
        for moment in self.moments():
            whole = self.make().permit(rows, BOOKS, moment)
            assert whole.dtype == bool
            assert whole.shape == rows.shape
            for some in (rows[::-1], rows[5:20], rows[:1], rows[:0]):
                mask = self.make().permit(some, BOOKS, moment)
                assert mask.dtype == bool
                assert mask.tolist() == whole[some].tolist()

    def test_it_is_pure(self) -> None:
        rows = np.arange(len(BOOKS), dtype=np.int32)
        columns = (BOOKS.available, BOOKS.sensitivity, BOOKS.audience, rows)
        before = [column.tobytes() for column in columns]
        for moment in self.moments():
            one = self.make().permit(rows, BOOKS, moment)
            one_then = one.tolist()
            one[:] = False  # what it gave away is not what it works with
            assert self.make().permit(rows, BOOKS, moment).tolist() == one_then
        assert [column.tobytes() for column in columns] == before

    def test_one_that_is_not_personal_does_not_go_by_what_somebody_did(self) -> None:
        if self.make().personal:
            return
        rows = np.arange(len(BOOKS), dtype=np.int32)
        for moment in self.moments():
            forgetful = structs.replace(moment, done={})
            assert (
                self.make().permit(rows, BOOKS, moment).tolist() == self.make().permit(rows, BOOKS, forgetful).tolist()
            )

    def test_it_manages_where_there_is_nothing(self) -> None:
        for moment in self.moments():
            assert self.make().permit(np.empty(0, np.int32), Catalogue(), moment).tolist() == []


class ArrangerContract(_Documented):
    """What every arranger must do."""

    def make(self) -> Arranger:
        """The arranger under test."""
        raise NotImplementedError

    def test_it_fills_slots_from_what_it_is_given_each_once_at_most_so_many_with_odds(self) -> None:
        for seed in range(100):
            dice = random.Random(seed)
            rows = np.array(dice.sample(range(len(BOOKS)), dice.randrange(len(BOOKS))), np.int32)
            scores = np.array(sorted((dice.random() for _ in rows), reverse=True))
            limit = dice.randrange(15)
            slots = self.make().arrange(rows, scores, limit, BOOKS, random.Random(seed))
            chosen = slots.rows.tolist()
            assert len(chosen) <= limit
            assert len(set(chosen)) == len(chosen)
            assert set(chosen) <= set(rows.tolist())
            assert slots.odds.shape == slots.rows.shape
            assert np.all((slots.odds > 0) & (slots.odds <= 1))

    def test_the_same_dice_fill_the_same_slots_and_nothing_given_is_changed(self) -> None:
        rows, scores = np.arange(40, dtype=np.int32), np.linspace(1, 0, 40)
        for column in (rows, scores):
            column.flags.writeable = False
        for seed in range(20):
            one, other = (self.make().arrange(rows, scores, 8, BOOKS, random.Random(seed)) for _ in range(2))
            assert one.rows.tolist() == other.rows.tolist()
            assert one.odds.tolist() == other.odds.tolist()

    def test_odds_of_one_are_certain_and_others_are_not(self) -> None:
        """Where every slot has odds of 1, other dice fill it no differently."""
        rows, scores = np.arange(40, dtype=np.int32), np.linspace(1, 0, 40)
        pages = [self.make().arrange(rows, scores, 8, BOOKS, random.Random(seed)) for seed in range(50)]
        if all(np.all(page.odds == 1) for page in pages):
            assert len({tuple(page.rows.tolist()) for page in pages}) == 1
