"""Backup and restore: an installation comes back as it was, apart from whoever was forgotten since; anything torn is refused."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from msgspec import structs

from tactful.cli.backups import back_up, read_backup
from tactful.cli.restoring import restore
from tactful.contracts import LATER, change, ids, link, piece, receipt, record, viewed
from tactful.deliver.ledger import Dead, Ledger
from tactful.domain.errors import BadInput, StoreBroken, StoreBusy
from tactful.ports import Stores
from tactful.stores.sqlite import open_sqlite
from tests.http.served import installed, message, served, tactful
from tests.unit.test_sqlite import disguises, found_in

CANARY = "canary-person-ann@example.org"


def quiet(name: str, done: int, pages: int) -> None:
    """Nobody watches."""


@contextmanager
def stores_of(home: Path) -> Iterator[Stores]:
    stores = open_sqlite(home / "data")
    try:
        yield stores
    finally:
        stores.close()


def fill(stores: Stores, person: str) -> None:
    stores.events.append([record(person, structs.replace(viewed(f"{person} 1"), fields={"f": CANARY}))]).wait()
    stores.consents.append([(person, change(person))]).wait()
    stores.links.append([link(person, "")]).wait()
    stores.receipts.append(receipt(f"receipt of {person}", person), LATER).wait()
    stores.quarantine.put([piece(f"piece of {person}", person)]).wait()


def there(stores: Stores, person: str) -> tuple[bool, ...]:
    return (
        ids(stores.events.read(person)) == [f"{person} 1"],
        [made.source for made in stores.consents.read(person)] == [person],
        len(stores.links.read(person)) == 1,
        stores.receipts.get(f"receipt of {person}") is not None,
        f"piece of {person}" in [kept.id for kept in stores.quarantine.pieces()],
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An installation with two people."""
    installed(tmp_path / "home")
    with stores_of(tmp_path / "home") as stores:
        fill(stores, CANARY)
        fill(stores, "bob")
    return tmp_path / "home"


def test_an_installation_comes_back_on_another_machine(home: Path, tmp_path: Path) -> None:
    (home / "models" / "popular" / "v1").mkdir(parents=True)
    (home / "models" / "popular" / "v1" / "manifest.json").write_text("{}")
    (home / "models" / "current.json").write_text('{"popular": "v1"}')
    made = json.loads(tactful(home, "backup", str(tmp_path / "b"), "--keys", str(tmp_path / "k"), "--json").stdout)
    assert made["files"] == 8
    other = tmp_path / "other"
    told = json.loads(tactful(other, "restore", str(tmp_path / "b"), "--keys", str(tmp_path / "k"), "--json").stdout)
    assert told["keys_missing"] == 0
    assert ["tombstones.db" in warning for warning in told["warnings"]] == [True]
    with stores_of(other) as stores:
        assert all(there(stores, CANARY) + there(stores, "bob"))
        fill(stores, "new")
        assert all(there(stores, "new"))
    for name in (
        "tactful.toml",
        "charter.toml",
        "access.json",
        "models/current.json",
        "models/popular/v1/manifest.json",
    ):
        assert (other / name).read_bytes() == (home / name).read_bytes()


def test_secrets_stay_apart_and_files_are_for_the_owner_only(home: Path, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b", tmp_path / "k", quiet)
    assert not {"keys.db", "master.key", "access.json"} & {path.name for path in (tmp_path / "b").rglob("*")}
    assert {path.name for path in (tmp_path / "k").iterdir()} == {
        "keys.db",
        "master.key",
        "access.json",
        "manifest.json",
    }
    for path in [*(tmp_path / "b").rglob("*"), *(tmp_path / "k").rglob("*"), tmp_path / "b", tmp_path / "k"]:
        assert path.stat().st_mode & 0o077 == 0, path
        assert not path.name.startswith(("tombstones", "writer."))
    assert found_in(tmp_path / "b", *disguises(CANARY)) == []
    for other in (tmp_path / "b" / "inside", tmp_path / "b"):
        with pytest.raises(BadInput, match="keys next to what they open"):
            back_up(home, tmp_path / "b", other, quiet)
    with pytest.raises(BadInput, match="the data folder itself"):
        back_up(home, home / "data" / "b", None, quiet)
    with pytest.raises(BadInput, match="something in it"):
        back_up(home, tmp_path / "b", None, quiet)


def test_who_was_forgotten_after_the_backup_is_forgotten_again(home: Path, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b", tmp_path / "k", quiet)
    with stores_of(home) as stores:
        stores.events.forget(CANARY).wait()
        stores.events.append([record("bob", "later")]).wait()
    (old,) = _rows(tmp_path / "b" / "data.db")
    told = restore(home, tmp_path / "b", tmp_path / "k", force=True)
    assert told.warnings == []
    # Before anybody opens it: neither the person, nor the sealed row, nor the key that opened it.
    assert found_in(home, *disguises(CANARY)) == []
    assert found_in(home, old[0][20:44], old[1][20:44]) == []
    with stores_of(home) as stores:
        assert not any(there(stores, CANARY))
        assert all(there(stores, "bob"))
        fill(stores, CANARY)
    with stores_of(home) as stores:
        assert all(there(stores, CANARY)), "who comes back stays"


def test_imports_and_receivers_do_not_go_on_behind_the_end_of_what_came_back(home: Path, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b", tmp_path / "k", quiet)
    with stores_of(home) as stores:
        head = stores.feed.head()
    (home / "imports").mkdir()
    (home / "imports" / "events-abc.json").write_text("{}")
    with closing(Ledger(home / "data" / "deliveries.db")) as ledger:
        ledger.register(["ahead"], head + 5)
        ledger.register(["behind"], 1)
        ledger.begin("ahead", head + 5, head + 7)
        ledger.bury("behind", 1, Dead(0, 1, 2, 3, 4, "no", False), {})
        assert ledger.epoch() == ""
    epochs = set()
    for _ in range(2):
        restore(home, tmp_path / "b", tmp_path / "k", force=True)
        with closing(Ledger(home / "data" / "deliveries.db")) as ledger:
            assert (ledger.place("ahead").cursor, ledger.place("ahead").until) == (head, 0)
            assert ledger.place("behind").cursor == 2 and ledger.dead("behind") == []
            epochs.add(ledger.epoch())
    assert len(epochs) == 2 and "" not in epochs
    assert list((home / "imports").glob("*.json")) == []


def _rows(data: Path) -> list[tuple[bytes, bytes]]:
    """The sealed event of CANARY, and its wrapped key, as they lie in the backup."""
    master = open_sqlite_master(data.parent.parent / "home" / "data")
    person = master.pseudonym(CANARY)
    with closing(sqlite3.connect(data)) as db:
        sealed = db.execute("SELECT sealed FROM event WHERE person = ?", (person,)).fetchone()[0]
    with closing(sqlite3.connect(data.parent.parent / "k" / "keys.db")) as db:
        wrapped = db.execute("SELECT wrapped FROM key WHERE person = ? AND entry = 'history'", (person,)).fetchone()[0]
    return [(sealed, wrapped)]


def open_sqlite_master(data: Path):  # type: ignore[no-untyped-def]
    from tactful.stores.sqlite.master import read_master

    return read_master(data)


def test_data_alone_goes_back_to_the_keys_that_are_there(home: Path, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b", None, quiet)
    with stores_of(home) as stores:
        stores.events.append([record("bob", "later")]).wait()
    restore(home, tmp_path / "b", None, force=True)
    with stores_of(home) as stores:
        assert all(there(stores, CANARY) + there(stores, "bob"))
    with pytest.raises(BadInput, match="no keys here"):
        restore(tmp_path / "elsewhere", tmp_path / "b", None, force=False)
    assert not (tmp_path / "elsewhere" / "tactful.toml").exists()


def test_older_keys_than_data_are_said_clearly(home: Path, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b1", tmp_path / "k1", quiet)
    with stores_of(home) as stores:
        fill(stores, "new")
    back_up(home, tmp_path / "b2", tmp_path / "k2", quiet)
    told = restore(home, tmp_path / "b2", tmp_path / "k1", force=True)
    assert told.keys_missing == 5
    assert "another backup" in told.warnings[0] and "5 keys made in between are missing" in told.warnings[1]
    with stores_of(home) as stores:
        assert not any(there(stores, "new"))
        assert all(there(stores, "bob"))
    told = restore(home, tmp_path / "b1", tmp_path / "k2", force=True)
    assert told.keys_missing == 0, "newer keys open older data"
    with stores_of(home) as stores:
        assert all(there(stores, "bob"))


def test_what_is_torn_or_mixed_or_not_whole_is_refused_and_changes_nothing(home: Path, tmp_path: Path) -> None:
    b, k = tmp_path / "b", tmp_path / "k"
    back_up(home, b, k, quiet)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    def refused(words: str, folder: Path = b, keys: Path | None = k, force: bool = True) -> None:
        with pytest.raises(BadInput, match=words):
            restore(home, folder, keys, force)
        assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before

    refused("add --force", force=False)
    refused("not of the data", k, b)
    refused(r"no manifest\.json", tmp_path)
    whole = (b / "data.db").read_bytes()
    for torn in (whole[:-1], whole[:5000] + b"x" + whole[5001:]):
        (b / "data.db").write_bytes(torn)
        refused("changed, or was cut short")
    (b / "data.db").unlink()
    refused("is missing")
    (b / "data.db").write_bytes(whole)
    (b / "unfinished").touch()
    refused("interrupted")
    (b / "unfinished").unlink()
    installed(tmp_path / "stranger")
    back_up(tmp_path / "stranger", tmp_path / "sb", tmp_path / "sk", quiet)
    refused("another installation", b, tmp_path / "sk")
    refused("was sealed under", tmp_path / "sb", None)
    restore(home, b, k, force=True)


def test_an_interrupted_backup_is_begun_again_in_its_folder(home: Path, tmp_path: Path) -> None:
    def interrupt(name: str, done: int, pages: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(home, tmp_path / "b", tmp_path / "k", interrupt)
    with pytest.raises(BadInput, match="interrupted"):
        read_backup(tmp_path / "b", "data")
    back_up(home, tmp_path / "b", tmp_path / "k", quiet)
    read_backup(tmp_path / "b", "data")
    read_backup(tmp_path / "k", "keys")


def test_an_interrupted_restore_says_so_until_it_is_done(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(home, tmp_path / "b", tmp_path / "k", quiet)
    with monkeypatch.context() as patched:
        rename = Path.replace

        def fail(path: Path, target: Path) -> Path:
            if path.name.startswith("data.db"):
                raise KeyboardInterrupt
            return rename(path, target)

        patched.setattr(Path, "replace", fail)
        with pytest.raises(KeyboardInterrupt):
            restore(home, tmp_path / "b", tmp_path / "k", force=True)
    with pytest.raises(StoreBroken, match="run the same `tactful restore` again"):
        open_sqlite(home / "data")
    restore(home, tmp_path / "b", tmp_path / "k", force=False)
    with stores_of(home) as stores:
        assert all(there(stores, CANARY))
    assert not list((home / "data").glob("*.restoring"))


def test_a_log_that_a_crash_left_does_not_meet_the_restored_file(home: Path, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b", tmp_path / "k", quiet)
    with stores_of(home) as stores:
        for number in range(50):
            stores.events.append([record("bob", f"{number}")]).wait()
        shutil.copytree(home, tmp_path / "crashed")
    assert (tmp_path / "crashed/data/data.db-wal").stat().st_size > 0
    restore(tmp_path / "crashed", tmp_path / "b", tmp_path / "k", force=True)
    with stores_of(tmp_path / "crashed") as stores:
        assert all(there(stores, "bob"))


def test_backup_goes_beside_a_server_and_restore_does_not(tmp_path: Path) -> None:
    home = tmp_path / "home"
    keys = installed(home)
    with served(home, keys, workers=1) as server:
        server.allow("ann")
        assert server.send(message("ann", "e1", "i"))["stored"] == 1
        tactful(home, "backup", str(tmp_path / "b"), "--keys", str(tmp_path / "k"))
        assert server.send(message("ann", "e2", "i"))["stored"] == 1
        done = tactful(home, "restore", str(tmp_path / "b"), "--keys", str(tmp_path / "k"), "--force", check=False)
        assert done.returncode == 1 and "stop `tactful serve`" in done.stderr
        with pytest.raises(StoreBusy):
            restore(home, tmp_path / "b", tmp_path / "k", force=True)
        assert server.send(message("ann", "e3", "i"))["stored"] == 1
    tactful(home, "restore", str(tmp_path / "b"), "--keys", str(tmp_path / "k"), "--force")
    with served(home, keys, workers=1) as server:
        assert server.send(message("ann", "e1", "i"))["duplicate"] == 1
        assert server.send(message("ann", "e2", "i"))["stored"] == 1
