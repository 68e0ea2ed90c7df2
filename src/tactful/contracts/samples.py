"""What the suites of stores are made of: moments, names, events, and how stores are opened for a test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import structs

from tactful.domain.consent import ConsentChange, Dial
from tactful.domain.event import Event, Interaction
from tactful.domain.identity import DEVICE, Link
from tactful.domain.receipt import Receipt
from tactful.ports import (
    Quarantined,
    Record,
    Stores,
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
