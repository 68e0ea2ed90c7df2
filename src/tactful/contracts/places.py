"""What the other places to keep things must do: items, quarantine, the feed; and all of them together."""

from __future__ import annotations

from msgspec import structs

from tactful.contracts.logs import ConsentLogContract, EventLogContract, LinkLogContract, ReceiptLogContract
from tactful.contracts.samples import LATER, NAMES, NOW, Opened, change, piece, receipt, record, viewed
from tactful.domain.catalogue import unpack
from tactful.domain.consent import Consent, ConsentChange, Dial
from tactful.domain.item import Item, Price
from tactful.domain.receipt import Receipt
from tactful.ports import (
    QUARANTINE_MS,
    VISIT,
    Entry,
    Page,
)


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

    def test_pieces_are_counted(self) -> None:
        assert self.stores.quarantine.count() == 0
        self.stores.quarantine.put([piece("1", "ann"), piece("2", "bob"), piece("3", "")]).wait()
        assert self.stores.quarantine.count() == 3
        self.forget("bob")
        assert self.stores.quarantine.count() == 2

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
