"""Lists picked by hand: what is shown when, the queue, the files, and a server that takes them up."""

import asyncio
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tactful.api import app
from tactful.api.access import Access
from tactful.api.service import Service
from tactful.cli.backups import back_up
from tactful.cli.checkup import examine
from tactful.cli.commands import tactful
from tactful.cli.install import install
from tactful.cli.opening import opened
from tactful.domain.curated import CuratedList, Entry
from tactful.domain.decision import Ask, Source
from tactful.domain.errors import BadInput
from tactful.domain.item import Item
from tactful.stores.lists import ListFolder
from tactful.wire import read_home
from tests.shop import DAY, NOW, PLAIN, SENSITIVE, Shop, items_in, placement

TODAY = datetime.fromtimestamp(NOW / 1000, UTC).date()
HOME = {"home": placement({"use": "curated", "name": "weekend"})}


def day(away: int) -> date:
    return TODAY + timedelta(days=away)


def ms(of: date) -> int:
    return int(datetime(of.year, of.month, of.day, tzinfo=UTC).timestamp() * 1000)


# ----------------------------------------------------------------------------------------------------------------- the list

ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from("abcdef"),
        st.sampled_from(["approved", "proposed", "rejected"]),
        start=st.none() | st.integers(-3, 0).map(day),
        until=st.none() | st.integers(0, 3).map(day),
    ),
    unique_by=lambda entry: entry.item,
)


@given(ENTRIES, st.integers(-5, 5))
def test_what_is_approved_is_shown_in_order_on_its_days_the_last_included(entries: list[Entry], away: int) -> None:
    found = CuratedList(entries=tuple(entries))
    begins = ms(day(away))
    want = [
        entry.item
        for entry in entries
        if entry.state == "approved"
        and (entry.start is None or entry.start <= day(away))
        and (entry.until is None or day(away) <= entry.until)
    ]
    assert [entry.item for entry in found.showing(begins)] == want
    assert [entry.item for entry in found.showing(begins + DAY - 1)] == want
    assert {entry.item for entry in entries if entry.over(begins)} == {
        entry.item for entry in entries if entry.until is not None and entry.until < day(away)
    }


def test_what_is_proposed_waits_until_it_is_approved() -> None:
    found = CuratedList().add(Entry("a")).propose(Entry("b", by="Ben"))
    assert [entry.item for entry in found.showing(NOW)] == ["a"]
    approved = found.judge("b", "approved", "Ada")
    assert [entry.item for entry in approved.showing(NOW)] == ["a", "b"]
    assert approved.entry("b") == Entry("b", by="Ben", judged_by="Ada")
    rejected = found.judge("b", "rejected", "Ada")
    assert [entry.item for entry in rejected.showing(NOW)] == ["a"]
    for state, of in (("approved", approved), ("proposed", found), ("rejected", rejected)):
        with pytest.raises(BadInput, match=f"b: it is in the list already, {state}"):
            of.propose(Entry("b"))


def test_adding_again_moves_and_removing_forgets() -> None:
    found = CuratedList().add(Entry("a")).add(Entry("b")).add(Entry("c"), first=True)
    assert [entry.item for entry in found.entries] == ["c", "a", "b"]
    assert [entry.item for entry in found.add(Entry("c", words="x")).entries] == ["a", "b", "c"]
    assert [entry.item for entry in found.remove("a").entries] == ["c", "b"]
    for change in (lambda: found.remove("z"), lambda: found.judge("z", "approved")):
        with pytest.raises(BadInput, match="z: it is not in the list"):
            change()


# ---------------------------------------------------------------------------------------------------------------- the files


@given(ENTRIES)
def test_a_list_comes_back_from_its_file_as_it_was(tmp_path_factory: Any, entries: list[Entry]) -> None:
    folder = ListFolder(tmp_path_factory.mktemp("lists"))
    made = CuratedList("Für dich", "Ada", tuple(entries))
    folder.edit("weekend", lambda _: made)
    assert folder.read() == {"weekend": made}
    assert folder.edit("weekend", lambda found: found) == made


@pytest.mark.parametrize("name", ["", "../x", "A", "a.b", "-a", "a" * 65])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="small letters"):
        ListFolder(tmp_path / "lists").edit(name, lambda found: found)
    assert not (tmp_path / "lists").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "weekend.json"),
        ('{"entries": [{"item": "a", "state": "perhaps"}]}', r"use one of approved.*entries\[0\]"),
        ('{"entries": [{"item": "a"}, {"item": "a"}]}', "'a' stands in it twice"),
        ('{"entries": [{"item": "a", "from": "soon"}]}', r"entries\[0\]\.from"),
        ('{"entries": [{"item": "a", "from": "2026-02-02", "until": "2026-02-01"}]}', "is before from"),
        ('{"entris": []}', "entris"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "weekend.json").write_text(text)
    with pytest.raises(BadInput, match=says):
        ListFolder(tmp_path).read()


# -------------------------------------------------------------------------------------------------------------- the engine


def open_shop(folder: Path) -> tuple[Shop, ListFolder]:
    lists = ListFolder(folder)
    return Shop(placements=HOME, lists=lists), lists


def test_a_list_is_shown_in_its_order_with_its_words(tmp_path: Path) -> None:
    lists = ListFolder(tmp_path)
    first, second, third, *_ = PLAIN
    for item in (second, SENSITIVE[0], "gone", first, third):
        lists.edit("weekend", lambda found, item=item: found.add(Entry(item)))
    lists.edit("weekend", lambda found: CuratedList("For you", "Ada", found.entries))
    shop, _ = open_shop(tmp_path)
    answer = shop.decide(None)
    assert items_in(answer) == [second, first, third]
    assert [one.contributions[0].source for one in answer.receipt.shown] == [
        Source("curated", "weekend", how="For you")
    ] * 3
    assert not answer.receipt.personal


def test_an_edit_is_taken_up_and_one_with_a_mistake_changes_nothing(tmp_path: Path) -> None:
    shop, lists = open_shop(tmp_path)
    assert items_in(shop.decide(None)) == []
    lists.edit("weekend", lambda found: found.add(Entry(PLAIN[0])))
    assert shop.engine.refresh_lists() and items_in(shop.decide(None)) == [PLAIN[0]]
    assert not shop.engine.refresh_lists(), "nothing new"
    (tmp_path / "weekend.json").write_text("{")
    with pytest.raises(BadInput, match="weekend"):
        shop.engine.refresh_lists()
    assert items_in(shop.decide(None)) == [PLAIN[0]]
    with pytest.raises(BadInput):
        shop.engine.refresh_lists()  # it says so until it is mended
    (tmp_path / "weekend.json").write_text(json.dumps({"entries": [{"item": PLAIN[1]}]}))
    os.utime(tmp_path / "weekend.json", ns=(1, 1))  # whichever way its time moved
    assert shop.engine.refresh_lists() and items_in(shop.decide(None)) == [PLAIN[1]]
    (tmp_path / "weekend.json").unlink()
    assert shop.engine.refresh_lists() and items_in(shop.decide(None)) == []


def test_lists_stay_when_the_catalogue_moves(tmp_path: Path) -> None:
    ListFolder(tmp_path).edit("weekend", lambda found: found.add(Entry("new")).add(Entry(PLAIN[0])))
    shop, _ = open_shop(tmp_path)
    assert items_in(shop.decide(None)) == [PLAIN[0]]
    shop.stores.items.put([Item(id="new", title="New")])
    assert items_in(shop.decide(None)) == ["new", PLAIN[0]]


def test_it_counts_by_the_time_of_the_decision(tmp_path: Path) -> None:
    ListFolder(tmp_path).edit("weekend", lambda found: found.add(Entry(PLAIN[0], start=day(1), until=day(2))))
    shop, _ = open_shop(tmp_path)
    shown = []
    for away in range(4):
        shop.clock.now = ms(day(away))
        shown.append(items_in(shop.decide(None, Ask("home"))) == [PLAIN[0]])
    assert shown == [False, True, True, False]


def test_a_server_takes_lists_up_and_a_broken_one_holds_up_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    shop, lists = open_shop(tmp_path / "of the shop")
    service = Service(shop.engine, Access.read(home / "access.json"), read_home(home).settings)
    monkeypatch.setattr(app, "REFRESH_S", 0.001)
    taken: list[bool] = []
    monkeypatch.setattr(shop.engine, "refresh_models", lambda: taken.append(True))

    async def until(holds: Any) -> None:
        async with asyncio.timeout(20):
            task = asyncio.create_task(app._refresh(service))
            while not holds():
                await asyncio.sleep(0.001)
            task.cancel()

    lists.edit("weekend", lambda found: found.add(Entry(PLAIN[0])))
    asyncio.run(until(lambda: items_in(shop.decide(None)) == [PLAIN[0]]))
    (lists.folder / "weekend.json").write_text("{")
    taken.clear()
    asyncio.run(until(lambda: taken))
    assert items_in(shop.decide(None)) == [PLAIN[0]]


# ---------------------------------------------------------------------------------------------------------------- commands


@pytest.fixture
def home(tmp_path: Path) -> Path:
    install(tmp_path)
    path = tmp_path / "tactful.toml"
    path.write_text(
        path.read_text()
        + '\n[placements.weekend]\npurpose = "personalise"\nstrategy = { use = "curated", name = "weekend" }\n'
    )
    with opened(tmp_path) as (_, engine):
        engine.stores.items.put([Item(id=name, title=name.upper()) for name in "abc"]).wait()
    return tmp_path


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(tactful, ["--home", str(home), "list", *words])


def finding(home: Path) -> tuple[bool, str]:
    return next((ok, says) for name, ok, says in examine(home) if name == "lists")


def test_a_curator_works_through_the_queue(home: Path) -> None:
    ok, says = finding(home)
    assert not ok and "shows 'weekend', which is not there" in says
    assert run(home, "describe", "weekend", "--words", "Rainy days", "--curator", "Ada").exit_code == 0
    assert run(home, "add", "weekend", "a", "--from", "2020-01-01").exit_code == 0
    proposed = run(home, "propose", "weekend", "b", "--by", "Ben", "--words", "So dry")
    assert "waits to be approved" in proposed.output
    assert finding(home) == (True, "1 lists; 1 items wait to be approved")
    with opened(home) as (_, engine):
        assert items_in(engine.decide(None, [Ask("weekend")])[0]) == ["a"]
    assert run(home, "approve", "weekend", "b", "--by", "Ada").exit_code == 0
    with opened(home) as (_, engine):
        assert items_in(engine.decide(None, [Ask("weekend")])[0]) == ["a", "b"]
    (entry,) = [
        one for one in json.loads(run(home, "show", "weekend", "--json").output)["entries"] if one["item"] == "b"
    ]
    assert entry == {"item": "b", "words": "So dry", "by": "Ben", "judged_by": "Ada"}
    assert "Rainy days, picked by Ada" in run(home, "show", "weekend").output
    (counts,) = json.loads(run(home, "show", "--json").output)
    assert (counts["approved"], counts["waiting"], counts["rejected"]) == (2, 0, 0)
    assert run(home, "reject", "weekend", "b").exit_code == 0
    again = run(home, "propose", "weekend", "b")
    assert again.exit_code == 1 and "already, rejected" in again.output
    assert run(home, "remove", "weekend", "b").exit_code == 0
    assert run(home, "propose", "weekend", "b").exit_code == 0


def test_the_doctor_names_what_cannot_be_shown(home: Path) -> None:
    added = run(home, "add", "weekend", "zzz")
    assert added.exit_code == 0 and "zzz is not in the catalogue" in added.output
    run(home, "add", "weekend", "a", "--until", "2020-01-01")
    ok, says = finding(home)
    assert not ok
    assert "not in the catalogue (zzz): `tactful list remove weekend zzz`" in says
    assert "past its last day (a): `tactful list remove weekend a`" in says
    (home / "lists" / "weekend.json").write_text("[]")
    ok, says = finding(home)
    assert not ok and "weekend.json" in says


def test_mistakes_on_the_command_line_are_named(home: Path) -> None:
    assert "There are: none yet" in run(home, "show", "weekend").output
    assert (
        "Give a later day" in run(home, "add", "weekend", "a", "--from", "2026-02-02", "--until", "2026-02-01").output
    )
    assert "small letters" in run(home, "add", "No Name", "a").output
    assert run(home, "approve", "weekend", "a").exit_code == 1


def test_a_backup_takes_the_lists_along(home: Path, tmp_path_factory: Any) -> None:
    run(home, "add", "weekend", "a")
    folder = tmp_path_factory.mktemp("backup") / "it"
    back_up(home, folder, None, lambda *_: None)
    assert ListFolder(folder / "lists").read() == ListFolder(home / "lists").read()


@pytest.mark.parametrize("whole", ["alpha", "omega"])
def test_a_broken_list_is_named_and_the_others_work(home: Path, whole: str) -> None:
    ListFolder(home / "lists").edit(whole, lambda found: found)
    (home / "lists" / "broken.json").write_text("{")
    for words in (("add", whole, "a"), ("propose", whole, "b"), ("approve", whole, "b")):
        assert run(home, *words).exit_code == 0
    one = run(home, "show", whole, "--json")
    assert (one.exit_code, len(json.loads(one.stdout)["entries"])) == (0, 2)
    for more in ((), ("--json",)):
        every = run(home, "show", *more)
        assert (every.exit_code, whole in every.stdout) == (1, True)
        assert "broken.json" in every.stderr
        assert "Correct it there" in every.stderr
    for words in (("show", "broken"), ("add", "broken", "a")):
        assert run(home, *words).exit_code == 1
        assert "broken.json" in run(home, *words).stderr
    assert whole in run(home, "show", "none-such").stderr
