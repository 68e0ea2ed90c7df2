"""The lake: its counts are the store's, its files are deterministic, and what is withdrawn or forgotten is not in it any more."""

import hashlib
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tactful.cli.delivering import errands
from tactful.domain.charter import Data
from tactful.domain.consent import Consent, Dial
from tactful.domain.errors import BadInput
from tactful.domain.identity import ALIAS, DISOWNED, Link
from tactful.domain.item import Item
from tactful.ports import Stores
from tactful.stores import lake as lakes
from tactful.stores.lake import Lake
from tactful.stores.sqlite import create, open_sqlite
from tests.http.served import installed, served, tactful, until
from tests.shop import DAY, NOW, Shop

duckdb = pytest.importorskip("duckdb")

KEY = b"k" * 32
MEASURE = ("measure",)


def everybody_did_something(shop: Shop, start: int = NOW) -> None:
    """Three people, over four days."""
    for number, person in enumerate(("ann", "bob", "cid")):
        shop.clock.now = start
        shop.allow(person)
        for day in range(4):
            shop.clock.now = start + day * DAY
            shop.does(person, "viewed", "emma", at=shop.clock.now)
            shop.does(person, "bought", *["walden", "dracula"][: number + 1], at=shop.clock.now)


class Pond:
    """A shop with a lake beside it. `tomorrow`: by when all that happened lies on days that are over."""

    def __init__(self, folder: Path, stores: Stores | None = None) -> None:
        self.shop = Shop(stores=stores)
        self.lake = Lake(folder / "lake", KEY)
        self.tomorrow = NOW + 5 * DAY

    def export(self, *purposes: str, new_days: bool = True) -> list[str]:
        return self.lake.bring_up_to_date(
            self.shop.stores, self.shop.charter, purposes or MEASURE, self.tomorrow, new_days
        )

    def due(self) -> list[str]:
        return [one.day for one in self.lake.check(self.shop.stores, self.shop.charter, self.tomorrow) if one.due]

    def stale(self) -> bool:
        return self.lake.stale(self.shop.stores, self.shop.charter, self.tomorrow)

    def rows(self) -> list[dict[str, Any]]:
        """All that DuckDB finds."""
        if not list(self.lake.folder.glob("day=*/*.parquet")):
            return []
        with duckdb.connect() as db:
            found = db.execute(
                f"SELECT * FROM read_parquet('{self.lake.folder}/*/*.parquet', hive_partitioning = true) ORDER BY ALL"
            )
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def digest(self) -> dict[str, str]:
        """Every file but the manifest, by its bytes."""
        return {
            str(path.relative_to(self.lake.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.lake.folder.rglob("*.parquet"))
        }


@pytest.fixture
def pond(tmp_path: Path) -> Pond:
    made = Pond(tmp_path)
    everybody_did_something(made.shop)
    return made


def forget(shop: Shop, person: str) -> None:
    for ack in shop.engine.forget(person):
        ack.wait()


# ------------------------------------------------------------------------------------------------------------ what is there


def test_counts_are_the_stores_day_by_day_and_entry_by_entry(pond: Pond) -> None:
    days = pond.export()
    assert len(days) == 4
    found = Counter((str(row["day"]), row["data"]) for row in pond.rows())
    store: Counter[tuple[str, str]] = Counter()
    for person in ("ann", "bob", "cid"):
        for _, event in pond.shop.stores.events.read(person):
            store[time.strftime("%Y-%m-%d", time.gmtime(event.kept / 1000)), event.data] += 1
    assert found == store and sum(store.values()) == 4 * (2 + 3 + 3)
    assert pond.due() == [] and not pond.stale()
    assert {one.day: one.lake for one in pond.lake.check(pond.shop.stores, pond.shop.charter, pond.tomorrow)} == {
        day: {"browsing": 3, "purchases": 5} for day in days
    }


def test_a_row_says_what_happened_under_pseudonyms_of_the_lakes_own(pond: Pond) -> None:
    pond.export("measure", "learn")
    rows = pond.rows()
    names = {row["person"] for row in rows}
    assert len(names) == 3 and not names & {"ann", "bob", "cid"}
    assert not names & {name for name, _ in pond.shop.stores.events.people()}, "not those of the store"
    other = Lake(pond.lake.folder.with_name("other"), b"x" * 32)
    other.bring_up_to_date(pond.shop.stores, pond.shop.charter, MEASURE, pond.tomorrow)
    with duckdb.connect() as db:
        assert not names & {
            name for (name,) in db.execute(f"SELECT person FROM '{other.folder}/*/*.parquet'").fetchall()
        }
    row = next(row for row in rows if row["verb"] == "bought" and row["item"] == "dracula")
    assert row["purposes"] == ["learn", "measure"] and row["value"] is None and row["data"] == "purchases"
    assert len({row["id"] for row in rows}) == len(rows)
    first = min(row["at"] for row in rows)
    assert first.isoformat() == time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOW / 1000))
    raw = b"".join(path.read_bytes() for path in pond.lake.folder.rglob("*") if path.is_file())
    assert b"ann-bought" not in raw and b"ann" not in raw.replace(b"browsing", b"")


def test_files_are_the_same_whenever_they_are_made(pond: Pond, tmp_path: Path) -> None:
    pond.export()
    other = Pond(tmp_path / "other", pond.shop.stores)
    other.export()
    assert pond.digest() == other.digest() and len(pond.digest()) == 4
    with duckdb.connect() as db:
        for path in pond.lake.folder.rglob("*.parquet"):
            rows = db.execute(f"SELECT person, \"at\", id FROM '{path}'").fetchall()
            assert rows == sorted(rows), "the order says nothing about the order of arrival"
    before = {path: path.stat().st_mtime_ns for path in pond.lake.folder.rglob("*.parquet")}
    assert pond.export() == [], "what is true is not written again"
    assert before == {path: path.stat().st_mtime_ns for path in pond.lake.folder.rglob("*.parquet")}


def test_a_day_is_sealed_once_it_is_over(pond: Pond) -> None:
    pond.tomorrow = (NOW // DAY + 2) * DAY
    assert len(pond.export()) == 2
    pond.tomorrow -= 1
    assert len(pond.export()) == 1, "a clock that is set back takes the day out again"
    assert len(pond.rows()) == 8 and len(list(pond.lake.folder.glob("day=*"))) == 1
    pond.tomorrow += 1 + DAY
    assert pond.stale()
    assert len(pond.export()) == 2 and pond.due() == []


def test_only_what_may_leave_is_there(tmp_path: Path) -> None:
    pond = Pond(tmp_path)
    shop = pond.shop
    shop.stores.items.put(
        [*[Item(id=name, title=name) for name in ("emma",)], Item(id="pills", title="P", sensitivity=("health",))]
    )
    shop.allow("open")
    shop.allow("learner", Dial.remember, "learn", "personalise")
    shop.allow("visitor", Dial.visit)
    shop.allow("sick", sensitive=["health"])
    shop.allow("late")
    for person in ("open", "learner", "visitor", "sick", "late"):
        shop.does(person, "viewed", "emma", "pills")
    shop.tells("open", interests=["sea"])
    shop.change("late", purposes={"measure": False})
    shop.allow("phone")
    shop.allow("owner", Dial.remember, "learn")
    shop.does("phone", "viewed", "emma")
    shop.stores.links.append([Link("l", NOW, "phone", "owner", ALIAS)]).wait()
    shop.allow("stolen")
    shop.does("stolen", "viewed", "emma")
    shop.stores.links.append([Link("m", NOW + 1, "stolen", "stolen", DISOWNED, since=NOW - 1)]).wait()
    pond.export()
    assert sorted((row["item"], row["purposes"]) for row in pond.rows()) == [
        ("emma", ["measure"]), ("emma", ["measure"]), ("pills", ["measure"]),
    ]  # fmt: skip
    assert sum(pond.lake.manifest.withheld.values()) == 5 + 5 - 3 + 2
    assert pond.due() == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["allow", "part", "does", "withdraw", "forget"]), st.integers(0, 3)), max_size=25))  # fmt: skip
def test_whatever_happens_the_lake_holds_what_the_gate_lets_out(
    tmp_path_factory: pytest.TempPathFactory, story: list[tuple[str, str, int]]
) -> None:
    pond = Pond(tmp_path_factory.mktemp("pond"))
    shop, stamp = pond.shop, 0
    for person, what, day in story:
        shop.clock.now, stamp = NOW + day * DAY, stamp + 1
        if what == "allow":
            shop.allow(person)
        elif what == "part":
            shop.allow(person, Dial.remember, "learn")
        elif what == "does":
            shop.does(person, "viewed", f"item-{stamp}", at=shop.clock.now)
        elif what == "withdraw":
            shop.change(person, purposes={"measure": False})
        else:
            forget(shop, person)
        if stamp % 5 == 0:
            pond.export()
    pond.export()
    wanted = []
    for person in "abc":
        if "measure" in Consent.of(shop.stores.consents.read(person)).granted:
            wanted += [e.item for _, e in shop.stores.events.read(person) if "measure" in e.purposes]  # type: ignore[union-attr]
    assert sorted(row["item"] for row in pond.rows()) == sorted(wanted)
    assert pond.due() == []


# ------------------------------------------------------------------------------------------------------------- what goes


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_of_who_is_forgotten_no_byte_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real store, with a canary; uncompressed, so that looking at the bytes means something."""
    monkeypatch.setattr(lakes, "_COPY", lakes._COPY.replace("zstd", "uncompressed"))
    folder = tmp_path / "data"
    create(folder)
    stores = open_sqlite(folder)
    try:
        stores.items.put([Item(id="emma", title="Emma")]).wait()
        pond = Pond(tmp_path, stores)
        everybody_did_something(pond.shop)
        pond.shop.allow("canary")
        for day in range(3):
            pond.shop.clock.now = NOW + day * DAY
            pond.shop.does("canary", "viewed", f"canary-item-{day}", at=pond.shop.clock.now)
        pond.export()
        there = [row for row in pond.rows() if "canary" in row["item"]]
        (canary,) = {row["person"] for row in there}
        assert len(there) == 3 and canary.encode() in bytes_of(pond.lake.folder)
        untouched = pond.digest()
        forget(pond.shop, "canary")
        assert pond.stale() and len(pond.due()) == 3
        assert len(pond.export(new_days=False)) == 3
        left = bytes_of(pond.lake.folder)
        for trace in ("canary", canary, *[row["id"] for row in there]):
            assert trace.encode() not in left
        assert not [row for row in pond.rows() if "canary" in row["item"] or row["person"] == canary]
        assert len(pond.rows()) == 32 and pond.due() == [] and not pond.stale()
        assert sum(untouched[name] == now for name, now in pond.digest().items()) == 1, "one day was not hers"
    finally:
        stores.close()


def test_a_withdrawal_a_narrower_charter_and_time_take_events_out(pond: Pond) -> None:
    pond.export()
    pond.shop.change("ann", purposes={"measure": False})
    assert pond.stale() and len(pond.due()) == 4
    pond.export()
    assert len(pond.rows()) == 24 and pond.due() == []
    rules = pond.shop.charter
    browsing: Data = structs.replace(rules.data["browsing"], purposes=("personalise",))
    pond.shop.charter = structs.replace(rules, data={**rules.data, "browsing": browsing})
    assert pond.stale()
    pond.export()
    assert {row["data"] for row in pond.rows()} == {"purchases"} and len(pond.rows()) == 16
    pond.shop.charter = rules
    pond.tomorrow = NOW + (rules.data["browsing"].retention_days + 1) * DAY + 1
    assert pond.stale()
    pond.export()
    assert Counter(row["data"] for row in pond.rows()) == {"purchases": 16, "browsing": 4}


def test_rewriting_adds_no_days(pond: Pond) -> None:
    pond.tomorrow = (NOW // DAY + 1) * DAY
    pond.export()
    pond.tomorrow += DAY
    assert pond.export(new_days=False) == []
    assert len(pond.lake.manifest.days) == 1


def test_other_purposes_make_it_anew_and_unknown_ones_are_named(pond: Pond) -> None:
    pond.export()
    assert len(pond.export("learn")) == 4
    assert {use for row in pond.rows() for use in row["purposes"]} == {"learn"}
    with pytest.raises(BadInput, match="'selling'"):
        pond.export("selling")


def test_a_crash_leaves_whole_files_and_the_next_export_finishes(pond: Pond, monkeypatch: pytest.MonkeyPatch) -> None:
    pond.export()
    pond.shop.change("ann", purposes={"measure": False})
    replace, count = lakes._replace, 0

    class Crash(Exception):
        pass

    for at in range(1, 7):
        count = 0

        def crash(fresh: Path, path: Path, at: int = at) -> None:
            nonlocal count
            count += 1
            if count == at:
                raise Crash
            replace(fresh, path)

        monkeypatch.setattr(lakes, "_replace", crash)
        with pytest.raises(Crash):
            pond.export()
        monkeypatch.setattr(lakes, "_replace", replace)
        assert list(pond.lake.folder.rglob("*.tmp")) and pond.stale()
        assert 24 <= len(pond.rows()) <= 32, "whoever reads meanwhile reads whole files"
        pond.export()
        assert not list(pond.lake.folder.rglob("*.tmp"))
        assert len(pond.rows()) == 24 and pond.due() == [] and not pond.stale()
        pond.shop.change("ann", purposes={"measure": True})
        pond.export()
        assert len(pond.rows()) == 32
        pond.shop.change("ann", purposes={"measure": False})


def test_what_a_crash_left_behind_goes(pond: Pond) -> None:
    pond.export()
    (day, *_) = pond.lake.folder.glob("day=*")
    orphan = pond.lake.folder / "day=2000-01-01"
    orphan.mkdir()
    for left in (day / "events.parquet.tmp", orphan / "events.parquet", pond.lake.folder / "manifest.json.tmp"):
        left.write_text("canary")
    pond.export()
    assert b"canary" not in bytes_of(pond.lake.folder) and not orphan.exists()


def test_a_file_that_was_changed_or_lost_is_due(pond: Pond) -> None:
    pond.export()
    lost, odd = sorted(pond.lake.folder.glob("day=*/*.parquet"))[:2]
    lost.unlink()
    with duckdb.connect() as db:
        db.execute(f"COPY (SELECT * FROM '{odd}' LIMIT 1) TO '{odd}.new' (FORMAT parquet)")
    Path(f"{odd}.new").replace(odd)
    broken = sorted(pond.lake.folder.glob("day=*/*.parquet"))[-1]
    broken.write_bytes(b"PAR1 but no more")
    assert pond.due() == [lost.parent.name[4:], odd.parent.name[4:], broken.parent.name[4:]]
    assert len(pond.export()) == 3 and pond.due() == [] and len(pond.rows()) == 32


def test_many_days_are_written_in_several_passes(pond: Pond, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lakes, "ROWS_AT_ONCE", 10)
    assert len(pond.export()) == 4 and len(pond.rows()) == 32 and pond.due() == []


# ---------------------------------------------------------------------------------------------------- from the command line


@pytest.fixture
def served_home(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """An installation whose people did things in the last week, and its keys."""
    home = tmp_path / "home"
    keys = installed(home)
    stores = open_sqlite(home / "data")
    try:
        stores.items.put([Item(id="emma", title="Emma")]).wait()
        everybody_did_something(Shop(stores=stores), time.time_ns() // 1_000_000 - 6 * DAY)
    finally:
        stores.close()
    return home, keys


def held(home: Path) -> int:
    """Rows that the lake says it holds."""
    return sum(sum(day.counts.values()) for day in Lake(home / "lake", KEY).manifest.days.values())


def test_the_commands_export_check_and_rewrite(served_home: tuple[Path, dict[str, str]]) -> None:
    home, _ = served_home
    account = json.loads(tactful(home, "lake", "export", "--json").stdout)
    assert (account["days"], account["rows"]) == (4, 32)
    assert (home / "lake.key").stat().st_mode & 0o077 == 0
    assert tactful(home, "lake", "check").stdout.count("ok") == 8
    tactful(home, "forget", "ann", "--yes")
    due = tactful(home, "lake", "check", check=False)
    assert due.returncode == 1 and "4 days are due" in due.stderr
    assert json.loads(tactful(home, "lake", "rewrite", "--json").stdout)["rows"] == 24
    assert tactful(home, "lake", "check").returncode == 0
    refused = tactful(home, "lake", "export", "--purpose", "selling", check=False)
    assert refused.returncode == 1 and "selling" in refused.stderr


def test_a_server_keeps_a_declared_lake_up_to_date_by_itself(served_home: tuple[Path, dict[str, str]]) -> None:
    home, keys = served_home
    assert errands(home) == []
    with (home / "tactful.toml").open("a") as file:
        file.write('\n[lake]\npurposes = ["measure"]\n')
    with served(home, keys, workers=1, TACTFUL_LAKE_SECONDS="0.1") as server:
        until(lambda: held(home) == 32, 30, "it is exported")
        assert server.call("DELETE", "/v1/people/ann").status == 204
        until(lambda: held(home) == 24, 30, "it is rewritten")
