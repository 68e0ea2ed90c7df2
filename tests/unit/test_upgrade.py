"""What version 0.1 wrote is read by this version. tests/data/schema_1 was written by 0.1 itself (see make.py there)."""

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tactful.cli.backups import back_up
from tactful.cli.install import install
from tactful.cli.restoring import restore
from tactful.contracts import LATER, ids, link, receipt, record
from tactful.domain.catalogue import unpack
from tactful.domain.errors import StoreBusy, StoreFull
from tactful.ports import Stores
from tactful.stores.sqlite import files, open_sqlite
from tactful.stores.sqlite.files import SCHEMAS
from tactful.stores.sqlite.master import read_master
from tactful.stores.sqlite.reader import Reader
from tests.crash import power
from tests.crash.test_copies import SHM, on_disk, quiet
from tests.http.served import message, served

OLD = Path(__file__).parents[1] / "data" / "schema_1"
KEY = "11" * 32


def old_folder(folder: Path) -> None:
    """A data folder as version 0.1 left it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("data", "keys", "tombstones"):
        for old in folder.glob(f"{name}.db*"):
            old.unlink()
        with contextlib.closing(sqlite3.connect(folder / f"{name}.db")) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript((OLD / f"{name}.sql").read_text())
        (folder / f"{name}.db").chmod(0o600)


def schema(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "data.db")) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TACTFUL_MASTER_KEY", KEY)
    old_folder(tmp_path / "data")
    yield tmp_path / "data"


def all_there(stores: Stores) -> None:
    """Everything that version 0.1 kept can be read, and only that."""
    for who in ("ann", "bob"):
        assert ids(stores.events.read(who)) == [f"{who} 1", f"{who} 2", f"{who} told"]
        assert [made.source for made in stores.consents.read(who)] == [f"{who} said"]
        kept = stores.receipts.get(f"receipt of {who}")
        assert kept is not None and kept.person == who
        assert stores.links.read(who) == []
    assert stores.receipts.get("receipt of nobody") is not None
    assert stores.events.read("gone") == [] == stores.consents.read("gone")
    assert [piece.id for piece in stores.quarantine.pieces()] == ["piece of ann", "piece of bob"]
    items = [unpack(packed) for _, packed in stores.items.since(0)]
    assert [(item.id, item.title) for item in items] == [("dune", "Dune, again"), ("emma", "Emma")]


def test_the_data_of_the_last_version_is_all_there_and_goes_on(folder: Path) -> None:
    assert schema(folder) == 1 < SCHEMAS["data.db"]
    for _ in range(2):
        stores = open_sqlite(folder)
        all_there(stores)
        stores.close()
    assert schema(folder) == SCHEMAS["data.db"]
    stores = open_sqlite(folder)
    assert stores.events.append([record("ann", "ann 1")]).wait() == {("ann", "ann 1")}, "what was seen counts as seen"
    stores.events.append([record("ann", "ann 3")]).wait()
    stores.links.append([link("ann", "")]).wait()
    stores.receipts.append(receipt("new", "ann"), LATER).wait()
    assert ids(stores.events.read("ann"))[-1] == "ann 3"
    assert len(stores.links.read("ann")) == 1 and stores.receipts.get("new") is not None
    stores.events.forget("ann").wait()
    assert stores.events.read("ann") == [] == stores.links.read("ann")
    stores.close()


def test_the_tables_are_those_of_a_new_installation(folder: Path, tmp_path: Path) -> None:
    open_sqlite(folder).close()
    install(tmp_path / "new")

    def shape(path: Path) -> dict[str, list[str]]:
        with contextlib.closing(sqlite3.connect(path / "data.db")) as db:
            names = db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
            return {name: [str(row) for row in db.execute(f"PRAGMA table_xinfo({name})")] for (name,) in names}

    assert shape(folder) == shape(tmp_path / "new" / "data")


def test_readers_wait_for_the_writer_to_bring_it_up_to_date(folder: Path) -> None:
    with pytest.raises(StoreBusy, match="its writer brings it up to date"):
        Reader(folder, read_master(folder))
    assert schema(folder) == 1


def test_an_upgrade_that_fails_half_way_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = files._connect

    def small(path: Path) -> sqlite3.Connection:
        db = connect(path)
        if path.name == "data.db":
            db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0] + 1}")
        return db

    with monkeypatch.context() as patched:
        patched.setattr(files, "_connect", small)
        with pytest.raises(StoreFull):
            open_sqlite(folder)
    assert schema(folder) == 1
    with contextlib.closing(sqlite3.connect(folder / "data.db")) as db:
        assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'link'").fetchall()
    stores = open_sqlite(folder)
    all_there(stores)
    stores.close()


def test_a_power_cut_at_any_moment_leaves_the_old_or_the_new(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice, seen = random.Random(1), set()
    for cut_at in range(1, 60):
        old_folder(folder)
        finished = on_disk(tmp_path, dice, cut_at, monkeypatch, lambda: open_sqlite(folder).close())
        version = schema(folder)
        seen.add(version)
        assert version in (1, 2, 3) and (version == 3 or not finished)
        stores = open_sqlite(folder)
        all_there(stores)
        stores.close()
    assert seen == {1, 2, 3}
    assert not power.current and SHM in (None, "/dev/shm")


def test_an_installation_of_the_last_version_is_served(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    keys = install(home)
    shutil.rmtree(home / "data")
    shutil.copytree(folder, home / "data")
    with served(home, keys, workers=2, TACTFUL_MASTER_KEY=KEY) as server:
        consent = server.get("/v1/consent/ann", server.as_server()).json
        assert (consent["dial"], consent["version"]) == ("remember", 1)
        server.allow("ann")
        account = server.send(message("ann", "ann 1", "dune"), message("ann", "new", "dune"))
        assert (account["duplicate"], account["stored"]) == (1, 1)
        assert server.get("/v1/receipts/receipt of nobody".replace(" ", "%20"), server.as_server()).status == 200
    assert schema(home / "data") == SCHEMAS["data.db"]


def test_a_backup_of_the_last_version_comes_back_up_to_date(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    install(home)
    shutil.rmtree(home / "data")
    shutil.copytree(folder, home / "data")
    back_up(home, tmp_path / "b", tmp_path / "k", quiet)
    assert schema(home / "data") == 1, "a backup changes nothing"
    restore(tmp_path / "other", tmp_path / "b", tmp_path / "k", force=False)
    assert schema(tmp_path / "other" / "data") == SCHEMAS["data.db"]
    stores = open_sqlite(tmp_path / "other" / "data")
    all_there(stores)
    stores.close()
