"""What was searched for in vain: counted, never by whom, and readable only once several people used the same words."""

from pathlib import Path

import pytest

from tactful.stores.missed import ASKERS_LEAST, DAY, KEPT_DAYS, Missed, MissedQuery

HOUR = 3_600_000
NOW = 1_760_000_000_000 - 1_760_000_000_000 % DAY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "missed.db"


def noted(missed: Missed, query: str, people: int, now: int = NOW) -> None:
    for number in range(people):
        missed.note(query, f"person {number}", now, since=NOW - DAY)


def test_words_are_readable_once_enough_different_people_used_them(path: Path) -> None:
    missed = Missed(path)
    noted(missed, "Dune", ASKERS_LEAST - 1)
    missed.flush(NOW)
    assert missed.report() == []
    assert not path.exists(), "nothing that nobody may read is written anywhere"
    missed.note("DUNE!", "another", NOW, since=NOW)
    missed.flush(NOW)
    assert missed.report() == [MissedQuery("dune", ASKERS_LEAST)]


def test_one_person_who_asks_often_stays_one(path: Path) -> None:
    missed = Missed(path)
    for _ in range(50):
        missed.note("my own name", "me", NOW)
    missed.flush(NOW)
    assert missed.report() == []


def test_people_whom_nobody_can_tell_apart_are_one_however_long_it_takes(path: Path) -> None:
    missed = Missed(path)
    for hour in range(24):
        for _ in range(9):
            missed.note("dune", None, NOW + hour * HOUR)
        missed.flush(NOW + hour * HOUR)
        assert missed.report() == []
    noted(missed, "dune", ASKERS_LEAST - 2, NOW + 23 * HOUR)
    missed.flush(NOW + 23 * HOUR)
    assert missed.report() == []
    missed.note("dune", "another", NOW + 23 * HOUR, since=NOW)
    missed.flush(NOW + 23 * HOUR)
    assert missed.report() == [MissedQuery("dune", 24 * 9 + ASKERS_LEAST - 1)]


def test_whoever_came_after_the_words_began_to_wait_may_be_somebody_who_asked_before(path: Path) -> None:
    missed = Missed(path)
    for number in range(50):
        missed.note("my own name", f"me again {number}", NOW + number, since=NOW + number)
    missed.flush(NOW + 50)
    assert missed.report() == []


def test_what_waits_goes_after_a_day(path: Path) -> None:
    missed = Missed(path)
    noted(missed, "dune", ASKERS_LEAST - 1)
    missed.note("dune", "another", NOW + DAY, since=NOW)
    missed.flush(NOW + DAY)
    assert missed.report() == []
    missed.flush(NOW + 2 * DAY)
    assert not missed._waiting


def test_what_may_be_read_goes_on_being_counted_by_every_worker_and_after_a_restart(path: Path) -> None:
    first, second = Missed(path), Missed(path)
    noted(first, "dune", ASKERS_LEAST)
    first.flush(NOW)
    second.flush(NOW)  # learns what may be read
    second.note("dune", None, NOW)
    second.flush(NOW)
    again = Missed(path)
    again.flush(NOW)
    again.note("dune", None, NOW)
    again.flush(NOW)
    again.flush(NOW)
    assert again.report() == [MissedQuery("dune", ASKERS_LEAST + 2)]


def test_words_that_nobody_searches_for_any_more_go(path: Path) -> None:
    missed = Missed(path)
    noted(missed, "dune", ASKERS_LEAST)
    missed.flush(NOW)
    missed.flush(NOW + KEPT_DAYS * DAY)
    assert missed.report()
    missed.flush(NOW + (KEPT_DAYS + 1) * DAY)
    assert missed.report() == []
    assert b"dune" not in path.read_bytes()
    missed.note("dune", "me", NOW + (KEPT_DAYS + 2) * DAY)
    missed.flush(NOW + (KEPT_DAYS + 2) * DAY)
    assert missed.report() == [], "it waits again, like any other"


@pytest.mark.parametrize("query", ["ann@example.org", "+49 170 1234567", "4111-1111-1111", "x" * 81, "?!", ""])
def test_what_is_somebodys_own_is_not_even_counted(path: Path, query: str) -> None:
    missed = Missed(path)
    noted(missed, query, ASKERS_LEAST + 3)
    missed.flush(NOW)
    assert missed.report() == []
    assert not missed._waiting


def test_memory_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tactful.stores.missed.WAITING_MOST", 10)
    missed = Missed(path)
    for number in range(100):
        missed.note(f"word {number}", "me", NOW)
    assert len(missed._waiting) == 10


def test_the_most_frequent_come_first(path: Path) -> None:
    missed = Missed(path)
    noted(missed, "seldom", ASKERS_LEAST)
    noted(missed, "often", ASKERS_LEAST + 4)
    missed.flush(NOW)
    assert [one.words for one in missed.report()] == ["often", "seldom"]
    assert [one.words for one in missed.report(1)] == ["often"]
