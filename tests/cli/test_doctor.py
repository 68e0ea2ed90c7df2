"""What is wrong with the disk is named, with the fix; and a folder that turned read-only still decides."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tactful.cli.checkup import examine
from tactful.cli.install import install
from tactful.contracts import LATER, ids, receipt, record
from tactful.domain.errors import StoreBroken, StoreBusy, StoreFull, StoreReadOnly
from tactful.stores.sqlite import open_sqlite
from tactful.stores.sqlite.files import file_error, store_error
from tests.http.served import installed, served, tactful


def finding(home: Path, check: str) -> tuple[bool, str]:
    return next((ok, says) for name, ok, says in examine(home) if name == check)


def test_a_healthy_folder_and_a_writer_that_answers(tmp_path: Path) -> None:
    keys = installed(tmp_path)
    assert finding(tmp_path, "writing") == (True, "can be written to; nobody does just now")
    assert not list((tmp_path / "data").glob(".doctor*"))
    with served(tmp_path, keys, workers=1):
        assert finding(tmp_path, "writing") == (True, "the writer answers")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """An installation whose data folder is on a disk that is mounted read-only."""
    install(tmp_path)
    kept = tmp_path / "kept"
    (tmp_path / "data").rename(kept)
    (tmp_path / "data").mkdir()
    data = str(tmp_path / "data")
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", data]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a disk cannot be mounted here: that takes Linux and root")
    try:
        for file in kept.iterdir():
            shutil.copy(file, tmp_path / "data" / file.name)
        subprocess.run(["mount", "-o", "remount,ro", data], check=True)
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", data], check=True)


def test_a_read_only_folder_is_named_with_the_fix_and_mended_by_mounting_it_again(read_only: Path) -> None:
    for check in ("stores", "writing"):
        ok, says = finding(read_only, check)
        assert not ok and "Read-only file system" in says and "Make the data folder writable" in says
    done = tactful(read_only, "serve", "--port", "0", check=False)
    assert done.returncode == 1 and "Make the data folder writable" in done.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(read_only / "data")], check=True)
    assert finding(read_only, "writing")[0]
    assert "".join(str(path.name) for path in (read_only / "data").glob(".doctor*")) == ""


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        (sqlite3.SQLITE_FULL, StoreFull, 507),
        (sqlite3.SQLITE_IOERR_WRITE, StoreFull, 507),
        (sqlite3.SQLITE_READONLY, StoreReadOnly, 503),
        (sqlite3.SQLITE_READONLY_DIRECTORY, StoreReadOnly, 503),
        (sqlite3.SQLITE_CANTOPEN, StoreReadOnly, 503),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusy, 503),
        (sqlite3.SQLITE_CORRUPT, StoreBroken, 500),
        (sqlite3.SQLITE_IOERR_READ, StoreBroken, 500),
    ],
)
def test_what_sqlite_says_in_our_words(code: int, kind: type, status: int) -> None:
    error = sqlite3.OperationalError("it says so")
    error.sqlite_errorcode = code
    ours = store_error(error)
    assert type(ours) is kind and ours.status == status and "it says so" in str(ours)
    assert status == 500 or ours.facts["retry_after"] >= 1


def test_what_the_file_system_says_in_our_words() -> None:
    assert isinstance(file_error(OSError(28, "No space left on device", "f")), StoreFull)
    assert isinstance(file_error(OSError(122, "Disk quota exceeded", "f")), StoreFull)
    assert isinstance(file_error(OSError(30, "Read-only file system", "f")), StoreReadOnly)
    assert isinstance(file_error(OSError(5, "Input/output error", "f")), StoreBroken)


def test_a_disk_that_turns_read_only_goes_on_being_read(tmp_path: Path) -> None:
    """As after `errors=remount-ro`: the writer is told so at each write, readers notice nothing, and later it is as before."""
    install(tmp_path)
    stores = open_sqlite(tmp_path / "data")
    stores.events.append([record("ann", "1")]).wait()
    writer = stores.events._room.link._writer  # type: ignore[attr-defined]
    writer._db.execute("PRAGMA query_only = ON")  # SQLite's answer is the same: SQLITE_READONLY
    with pytest.raises(StoreReadOnly, match="what is kept can still be read"):
        stores.events.append([record("ann", "2")]).wait()
    with pytest.raises(StoreReadOnly):
        stores.receipts.append(receipt("r", "ann"), LATER).wait()
    assert ids(stores.events.read("ann")) == ["1"] and stores.receipts.get("r") is None
    writer._db.execute("PRAGMA query_only = OFF")
    stores.events.append([record("ann", "2")]).wait()
    assert ids(stores.events.read("ann")) == ["1", "2"]
    stores.close()
