"""Clocks that jump: nothing is deleted early, what was withdrawn stays withdrawn, and everything goes on."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tactful.contracts import NOW, change, ids, piece, record
from tactful.domain.consent import Consent, Dial
from tactful.domain.errors import ClockMoved
from tactful.ports import QUARANTINE_MS, VISIT, Stores
from tactful.stores.sqlite import open_sqlite
from tactful.stores.sqlite.watch import DAY, ClockWatch

HOUR = 3_600_000


class Machine:
    """A clock that can be set, and the time that really passes."""

    def __init__(self) -> None:
        self.clock, self.passed = NOW, 5_000

    def live(self, ms: int) -> None:
        self.clock += ms
        self.passed += ms

    def opened(self, folder: Path) -> Stores:
        stores = open_sqlite(folder, clock=lambda: self.clock)
        writer = stores.events._room.link._writer  # type: ignore[attr-defined]
        writer._watch = ClockWatch(writer._db, lambda: self.clock, lambda: self.passed)
        return stores

    def purge(self, stores: Stores) -> int:
        return stores.quarantine.purge(self.clock).wait()


def test_a_jump_ahead_deletes_nothing_and_all_is_well_once_the_clock_is_right_again(folder: Path) -> None:
    machine = Machine()
    stores = machine.opened(folder)
    stores.events.append([record("ann", "1", keep_until=NOW + 365 * DAY)]).wait()
    stores.quarantine.put([piece("q", "ann")]).wait()
    assert machine.purge(stores) == 0
    machine.clock += 10_000 * DAY
    for _ in range(23):
        machine.live(HOUR)
        with pytest.raises(ClockMoved, match=r"moved by \+10000\.0 days .* in \d+ h"):
            machine.purge(stores)
    machine.clock -= 10_000 * DAY
    assert machine.purge(stores) == 0, "right again: no need to wait"
    assert ids(stores.events.read("ann")) == ["1"] and len(stores.quarantine.pieces()) == 1
    machine.live(QUARANTINE_MS)
    assert machine.purge(stores) == 1, "seven days that really passed"
    stores.close()


def test_a_clock_that_stays_where_it_jumped_to_is_believed_after_a_day(folder: Path) -> None:
    machine = Machine()
    stores = machine.opened(folder)
    stores.events.append([record("ann", "1", keep_until=NOW + 30 * DAY)]).wait()
    machine.purge(stores)
    machine.clock += 40 * DAY
    with pytest.raises(ClockMoved, match="in 24 h"):
        machine.purge(stores)
    machine.live(12 * HOUR)
    with pytest.raises(ClockMoved, match="in 12 h"):
        machine.purge(stores)
    machine.clock += 5 * DAY  # it jumps once more: the day begins anew
    with pytest.raises(ClockMoved, match="in 24 h"):
        machine.purge(stores)
    machine.live(DAY)
    assert machine.purge(stores) == 1
    machine.live(HOUR)
    assert machine.purge(stores) == 0
    stores.close()


def test_a_jump_while_nobody_was_there_is_noticed_too(folder: Path) -> None:
    machine = Machine()
    stores = machine.opened(folder)
    stores.events.append([record("ann", "1", keep_until=NOW + 30 * DAY)]).wait()
    machine.purge(stores)
    stores.close()
    machine.clock += 300 * DAY
    machine.passed = 7
    stores = machine.opened(folder)
    with pytest.raises(ClockMoved):
        machine.purge(stores)
    stores.close()
    machine.clock -= 300 * DAY - 2 * HOUR
    stores = machine.opened(folder)
    assert machine.purge(stores) == 0
    assert ids(stores.events.read("ann")) == ["1"]
    stores.close()


def test_small_corrections_and_long_runs_hold_nothing_up(folder: Path) -> None:
    machine = Machine()
    stores = machine.opened(folder)
    for step in range(60):
        machine.live(20 * HOUR)
        machine.clock += (-1) ** step * 3 * HOUR
        machine.purge(stores)
    machine.live(40 * DAY)
    machine.purge(stores)  # nobody asked for 40 days, and 40 days passed
    stores.close()


def test_a_clock_that_goes_back_deletes_nothing_early_and_is_noted(folder: Path) -> None:
    machine = Machine()
    stores = machine.opened(folder)
    stores.events.append([record("ann", "1", data=VISIT, keep_until=NOW + HOUR)]).wait()
    machine.purge(stores)
    machine.clock -= 3 * DAY
    with pytest.raises(ClockMoved, match=r"-3\.0 days"):
        machine.purge(stores)
    machine.clock += 3 * DAY
    machine.live(HOUR)
    assert machine.purge(stores) == 1
    stores.close()


def test_what_is_withdrawn_counts_whatever_the_clock_said_when_it_was_granted(folder: Path) -> None:
    """Changes of consent count in the order in which they came in, not in the order of their times."""
    stores = open_sqlite(folder)
    granted = change("granted with a clock in the future")
    withdrawn = change("withdrawn with the clock set right", Dial.off)
    from msgspec import structs

    stores.consents.append([("ann", structs.replace(granted, at=NOW + 100 * DAY))]).wait()
    stores.consents.append([("ann", structs.replace(withdrawn, at=NOW))]).wait()
    assert Consent.of(stores.consents.read("ann")).dial is Dial.off
    stores.close()


def test_events_are_read_in_the_order_they_came_whatever_their_times(folder: Path) -> None:
    machine = Machine()
    stores = machine.opened(folder)
    for name, moved in (("1", 0), ("2", 5 * DAY), ("3", -9 * DAY)):
        machine.clock += moved
        stores.events.append([record("ann", name, keep_until=machine.clock + 30 * DAY)]).wait()
    numbers = [number for number, _ in stores.events.read("ann")]
    assert ids(stores.events.read("ann")) == ["1", "2", "3"] and numbers == sorted(numbers)
    assert stores.events.head("ann") == numbers[-1]
    stores.close()


def test_the_first_purge_of_all_has_nothing_to_compare_with(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "data.db")) as db:
        assert db.execute("SELECT 1 FROM meta WHERE name = 'clock'").fetchone() is None
    machine = Machine()
    machine.clock += 4_000 * DAY
    stores = machine.opened(folder)
    assert machine.purge(stores) == 0
    stores.close()
