"""What SQLite must withstand: prying eyes, full disks, restored backups, crashes, several processes at once."""

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tactful.contracts import LATER, NAMES, NOW, change, ids, piece, receipt, record, viewed
from tactful.domain.errors import BadInput, NotInitialised, StoreBroken, StoreBusy, StoreFull, TooLarge
from tactful.domain.event import Told
from tactful.domain.item import Item
from tactful.ports import QUARANTINE_MS, VISIT, Stores
from tactful.stores.memory import open_memory
from tactful.stores.sqlite import connect, create, open_sqlite
from tactful.stores.sqlite.commands import (
    Append,
    AppendReceipt,
    Call,
    Forget,
    Frames,
    PutItems,
    Row,
    answer,
    decode_answer,
    decode_call,
    frame,
)
from tactful.stores.sqlite.files import SCHEMAS, take_lock
from tactful.stores.sqlite.writer import Writer

PERSON, VALUE = "canary-person-ann@example.org", "canary-value-pregnant"


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Stores]:
    stores = open_sqlite(folder)
    try:
        yield stores
    finally:
        stores.close()


@contextlib.contextmanager
def writing(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A writer process that answers."""
    process = subprocess.Popen([sys.executable, "-m", "tactful.stores.sqlite", str(folder)])
    try:
        while not answers(folder):
            assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.wait()


def answers(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(folder / "writer.sock")) == 0


def writer_of(stores: Stores) -> Writer:
    return stores.events._room.link._writer  # type: ignore[attr-defined,no-any-return]


def found_in(folder: Path, *needles: bytes) -> list[str]:
    """Which needles lie in which files. In a process of its own: closing a file would take SQLite's locks away from us."""
    script = (
        "import sys, pathlib\n"
        "needles = [bytes.fromhex(needle) for needle in sys.stdin.read().split()]\n"
        "for path in pathlib.Path(sys.argv[1]).rglob('*'):\n"
        "    if path.is_file():\n"
        "        content = path.read_bytes()\n"
        "        [print(path.name, needle) for needle in needles if needle in content]\n"
    )
    assert all(len(needle) >= 8 for needle in needles), "anything shorter is found by chance"
    arguments = [sys.executable, "-c", script, str(folder)]
    sought = "\n".join(needle.hex() for needle in needles)
    return subprocess.run(arguments, input=sought, capture_output=True, text=True, check=True).stdout.splitlines()


def disguises(text: str) -> list[bytes]:
    raw = text.encode()
    coded = [base64.b64encode(raw[cut:]).rstrip(b"=")[2:-2] for cut in range(3)]
    return [raw, raw.hex().encode(), raw.hex().upper().encode(), raw[::-1], text.encode("utf-16-le"), *coded]


def fill(stores: Stores, person: str = PERSON, value: str = VALUE) -> None:
    """Something personal in every table."""
    event = structs.replace(viewed("canary-event-1", value), fields={value: value})
    told = Told("canary-event-2", NOW, "state", value, "told", ("recommend",))
    stores.events.append([record(person, event), record(person, told, data="told")]).wait()
    stores.events.append([record(person, structs.replace(event, id="canary-event-3"), data=VISIT)]).wait()
    stores.consents.append([(person, change(value))]).wait()
    stores.receipts.append(structs.replace(receipt("canary-receipt", person), faults=(value,)), LATER).wait()
    stores.receipts.append(structs.replace(receipt("canary-receipt-nobody", None), faults=(value,)), LATER).wait()
    stores.quarantine.put([structs.replace(piece("q", person), raw=value.encode())]).wait()
    stores.quarantine.put([structs.replace(piece("q nobody", ""), raw=value.encode())]).wait()


# --------------------------------------------------------------------------------------------------------- prying eyes


def test_no_file_says_who_or_what(folder: Path) -> None:
    with opened(folder) as stores:
        fill(stores)
        needles = [
            needle for secret in (PERSON, VALUE, "canary-event-1", "canary-receipt") for needle in disguises(secret)
        ]
        assert found_in(folder, *needles) == []
        assert [event.id for _, event in stores.events.read(PERSON)] == [f"canary-event-{n}" for n in (1, 2, 3)]
    assert found_in(folder, *needles) == []


def test_the_search_itself_finds_what_is_there(folder: Path) -> None:
    with opened(folder) as stores:
        stores.items.put([Item(id="canary-item", title="not personal")]).wait()
        assert found_in(folder, b"canary-item") != []


def blobs(folder: Path) -> dict[str, set[bytes]]:
    """All sealed rows and wrapped keys, by the file they lie in."""
    tables = {"data.db": ("event", "consent", "receipt", "quarantine"), "keys.db": ("key",)}
    found: dict[str, set[bytes]] = {}
    for name, names in tables.items():
        with contextlib.closing(sqlite3.connect(folder / name)) as db:
            column = "wrapped" if name == "keys.db" else "sealed"
            found[name] = {
                bytes(row[0]) for table in names for row in db.execute(f"SELECT {column} FROM {table}").fetchall()
            }
    return found


def test_forgetting_leaves_no_byte_of_rows_or_keys(folder: Path) -> None:
    people = [f"{PERSON}-{number}" for number in range(120)]
    with opened(folder) as stores:
        for person in people:
            fill(stores, person)
            stores.events.append([record(person, *[f"more {number}" for number in range(40)])]).wait()
        before = blobs(folder)
        assert len(before["keys.db"]) == 6 * len(people) + 1
        for person in people[::2] + people[1::2]:
            stores.events.forget(person).wait()
        left = blobs(folder)
        # What names nobody stays: one receipt (kept again and again) and one piece for each person.
        assert len(left["keys.db"]) == 1 and len(left["data.db"]) == 1 + len(people)
        # A slice from the middle of each: a page may cut a blob, but not everywhere.
        keys, rows = ([blob[20:44] for blob in before[name] - left[name]] for name in ("keys.db", "data.db"))
        assert len(keys) == 6 * len(people) and len(rows) > 6 * len(people)
        assert found_in(folder, *keys) == []
        # When SQLite merges pages it may leave a copy of a row in the gap. It is sealed with a key that is nowhere.
        remnants = found_in(folder, *rows)
        assert len(remnants) <= 5 and all(remnant.startswith("data.db ") for remnant in remnants)


def test_an_old_copy_of_the_data_is_unreadable_once_the_keys_are_destroyed(folder: Path) -> None:
    with opened(folder) as stores:
        fill(stores)
        fill(stores, "bob")
    shutil.copy(folder / "data.db", folder / "old.db")
    with opened(folder) as stores:
        stores.consents.forget(PERSON).wait()
        writer = writer_of(stores)
        with contextlib.closing(sqlite3.connect(folder / "old.db")) as old:
            rows = old.execute("SELECT person, data, sealed FROM event").fetchall()
        opening = [writer._keys.open((person, data), sealed) for person, data, sealed in rows]
        assert len(rows) == 6 and sum(content is not None for content in opening) == 3, "bob's three, nobody else's"


def test_two_people_or_two_entries_cannot_be_swapped(folder: Path) -> None:
    with opened(folder) as stores:
        stores.events.append([record("ann", "1"), record("bob", "2")]).wait()
    with contextlib.closing(sqlite3.connect(folder / "data.db", isolation_level=None)) as db:
        (one,), (two,) = db.execute("SELECT sealed FROM event ORDER BY seq").fetchall()
        db.execute("UPDATE event SET sealed = ? WHERE seq = 1", (one[:8] + two[8:],))
        db.execute("UPDATE event SET sealed = ? WHERE seq = 2", (one,))
    with opened(folder) as stores:
        with pytest.raises(StoreBroken, match="changed it"):
            stores.events.read("ann")
        assert stores.events.read("bob") == [], "sealed by a key that is not bob's"


def test_files_are_for_the_owner_only(folder: Path) -> None:
    with opened(folder) as stores:
        fill(stores)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {"data.db", "data.db-wal", "keys.db", "keys.db-wal", "master.key", "tombstones.db", "writer.lock"} <= set(
        modes
    )
    assert set(modes.values()) == {0o600}


def test_a_purge_destroys_the_keys_of_which_nothing_is_left(folder: Path) -> None:
    def entries() -> set[str]:
        with contextlib.closing(sqlite3.connect(folder / "keys.db")) as db:
            return {row[0] for row in db.execute("SELECT entry FROM key").fetchall()}

    with opened(folder) as stores:
        fill(stores)
        stores.events.append([record(PERSON, "kept", keep_until=LATER * 2)]).wait()
        assert entries() == {"history", "told", VISIT, ":consent", ":receipts", ":quarantine"}
        assert stores.quarantine.purge(LATER).wait() == 5
        assert entries() == {"history", ":consent", ":quarantine"}
        assert stores.quarantine.purge(NOW + QUARANTINE_MS).wait() == 2
        assert entries() == {"history", ":consent"}
        stores.events.append([record(PERSON, "again", data=VISIT)]).wait()
        assert ids(stores.events.read(PERSON)) == ["kept", "again"]


# ------------------------------------------------------------------------------------------------------ what may go wrong


def test_a_full_disk_keeps_nothing_and_hurts_only_the_guilty(folder: Path) -> None:
    with opened(folder) as stores:
        fill(stores)
        writer = writer_of(stores)
        pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
        writer._db.execute(f"PRAGMA max_page_count = {pages + 20}")
        big = record("ann", *[structs.replace(viewed(str(n)), fields={"x": "y" * 1000}) for n in range(500)])
        with pytest.raises(StoreFull):
            stores.events.append([record("ann", "small"), big]).wait()
        assert stores.events.read("ann") == [] and stores.events.head("ann") == 0
        version = stores.consents.version()

        small, huge = PutItems([("i", b"x")]), PutItems([("j", b"x" * 500_000)])
        first, second, third = writer.apply([small, huge, small])
        assert (first, third) == (1, 2) and isinstance(second, StoreFull)
        assert stores.consents.version() == version

        writer._db.execute("PRAGMA max_page_count = 1000000000")
        assert stores.events.append([record("ann", "small"), big]).wait() == frozenset()
        numbers = [number for number, _ in stores.events.read("ann")]
        assert len(numbers) == 501 and len(set(numbers)) == 2


def test_a_disk_that_is_full_while_somebody_is_forgotten(folder: Path) -> None:
    with opened(folder) as stores:
        fill(stores)
        writer = writer_of(stores)
        done, carry = [], writer._eraser._delete_people

        def full(people: list[bytes], last: int) -> None:
            carry(people, last)
            done.append(people)
            if len(done) < 3:
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error

        writer._eraser._delete_people = full  # type: ignore[method-assign]
        with pytest.raises(StoreFull):
            stores.events.forget(PERSON).wait()
        with pytest.raises(StoreFull):
            stores.events.append([record(PERSON, "new")]).wait()
        assert stores.events.read(PERSON) == [], "the keys are gone already"
        assert stores.events.append([record(PERSON, "new")]).wait() == frozenset()
        assert ids(stores.events.read(PERSON)) == ["new"]
    with opened(folder) as stores:
        assert ids(stores.events.read(PERSON)) == ["new"], "what came after the forgetting stays"


@pytest.mark.parametrize("name", ["data.db", "keys.db"])
def test_a_locked_database_is_busy_and_later_is_not(folder: Path, name: str) -> None:
    with opened(folder) as stores:
        stores.events.append([record("bob", "1")]).wait()
        with contextlib.closing(sqlite3.connect(folder / name, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy) as caught:
                stores.events.append([record("ann", "1")]).wait()
            assert caught.value.facts["retry_after"] == 1
            assert ids(stores.events.read("bob")) == ["1"], "readers do not mind"
            other.execute("ROLLBACK")
        assert stores.events.append([record("ann", "1")]).wait() == frozenset()


def test_forgetting_is_not_done_while_a_long_read_keeps_the_bytes(folder: Path) -> None:
    with opened(folder) as stores:
        fill(stores)
        with contextlib.closing(sqlite3.connect(folder / "data.db", isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM event").fetchone()
            with pytest.raises(StoreBusy, match="long read"):
                stores.events.forget(PERSON).wait()
            assert stores.events.read(PERSON) == []
            assert stores.events.append([record("bob", "1")]).wait() == frozenset(), "others go on meanwhile"
            other.execute("COMMIT")
        stores.events.forget(PERSON).wait()
        assert ids(stores.events.read("bob")) == ["1"]


def test_a_command_that_cannot_be_right_does_not_stop_the_writer(folder: Path) -> None:
    with opened(folder) as stores:
        with pytest.raises(StoreBroken, match="OverflowError"):
            stores.events.append([record("ann", "1", keep_until=2**70)]).wait()
        good = Append([Row(bytes(16), "history", NOW, [b"12345678"], [])])  # one message, no event
        broken, fine = writer_of(stores).apply([good, PutItems([("i", b"x")])])
        assert isinstance(broken, StoreBroken) and fine == 1
        assert stores.events.append([record("ann", "1")]).wait() == frozenset()


@pytest.mark.parametrize("name", ["data.db", "keys.db", "tombstones.db"])
def test_a_newer_schema_is_refused(folder: Path, name: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / name)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreBroken, match="newer Tactful"):
        open_sqlite(folder)
    with contextlib.closing(sqlite3.connect(folder / name)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMAS[name]}")
    with opened(folder) as stores:
        assert stores.events.head("ann") == 0


def test_folders_that_are_not_ready(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotInitialised):
        open_sqlite(folder / "nowhere")
    key = (folder / "master.key").read_bytes()
    (folder / "master.key").write_bytes(bytes(32))
    with pytest.raises(StoreBroken, match="master key does not fit"):
        open_sqlite(folder)
    (folder / "master.key").write_bytes(b"short")
    with pytest.raises(BadInput, match=r"master\.key"):
        open_sqlite(folder)
    (folder / "master.key").unlink()
    with pytest.raises(NotInitialised):
        create(folder)  # never a second master key beside data sealed with the first
    monkeypatch.setenv("TACTFUL_MASTER_KEY", "not hex")
    with pytest.raises(BadInput, match="64 hexadecimal"):
        open_sqlite(folder)
    monkeypatch.setenv("TACTFUL_MASTER_KEY", key.hex())
    with opened(folder) as stores:
        stores.events.append([record("ann", "1")]).wait()
    (folder / "keys.db").rename(folder / "elsewhere")
    with pytest.raises(StoreBroken, match="missing"):
        open_sqlite(folder)
    with pytest.raises(StoreBroken, match="missing"):
        create(folder)


def test_create_again_changes_nothing(folder: Path) -> None:
    with opened(folder) as stores:
        fill(stores)
        create(folder)
        assert len(stores.events.read(PERSON)) == 3
    create(folder)
    with opened(folder) as stores:
        assert len(stores.events.read(PERSON)) == 3


def test_the_master_key_of_the_environment_is_not_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TACTFUL_MASTER_KEY", os.urandom(32).hex())
    create(tmp_path / "data")
    assert not (tmp_path / "data" / "master.key").exists()
    with opened(tmp_path / "data") as stores:
        fill(stores)


def test_one_process_writes(folder: Path) -> None:
    with opened(folder), pytest.raises(StoreBusy, match="does not answer"):
        open_sqlite(folder, patience=0)


def test_a_path_too_long_for_a_socket_says_so(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    create(folder)
    with opened(folder) as stores:  # in this process, no socket is needed
        fill(stores)
        with pytest.raises(BadInput, match="shorter path"):
            open_sqlite(folder)


# ------------------------------------------------------------------------------------------------------------- backups


@pytest.mark.parametrize("restored", [("data.db",), ("keys.db",), ("data.db", "keys.db")])
def test_a_restored_backup_forgets_again(folder: Path, restored: tuple[str, ...]) -> None:
    with opened(folder) as stores:
        fill(stores)
        stores.events.append([record("bob", "1")]).wait()
    for name in restored:
        shutil.copy(folder / name, folder / f"{name}.backup")
    with opened(folder) as stores:
        stores.events.forget(PERSON).wait()
        stores.events.append([record(PERSON, "came back")]).wait()
        stores.events.forget("never heard of").wait()
    for name in restored:
        shutil.copy(folder / f"{name}.backup", folder / name)
    with opened(folder) as stores:
        assert not {f"canary-event-{n}" for n in (1, 2, 3)} & set(ids(stores.events.read(PERSON)))
        assert stores.consents.read(PERSON) == [] and stores.receipts.get("canary-receipt") is None
        assert [kept.id for kept in stores.quarantine.pieces()] == ["q nobody"]
        assert ids(stores.events.read("bob")) == ["1"]
        stores.events.append([record(PERSON, "canary-event-1")]).wait()
    for _ in range(2):
        with opened(folder) as stores:  # a tombstone is carried out once, not whenever the writer starts
            assert "canary-event-1" in ids(stores.events.read(PERSON))
            assert len(stores.receipts.get("canary-receipt-nobody").faults) == 1  # type: ignore[union-attr]


def test_a_backup_from_before_a_purge_does_not_bring_the_purged_back(folder: Path) -> None:
    with opened(folder) as stores:
        stores.events.append([record("ann", "old visit", data=VISIT)]).wait()
    shutil.copy(folder / "data.db", folder / "data.db.backup")
    with opened(folder) as stores:
        stores.quarantine.purge(LATER).wait()
        stores.events.append([record("ann", "new visit", data=VISIT, keep_until=LATER * 2)]).wait()
    shutil.copy(folder / "data.db.backup", folder / "data.db")
    with opened(folder) as stores:
        assert stores.events.read("ann") == [] == list(stores.events.people()), "its key was destroyed"
        stores.events.append([record("ann", "newer visit", data=VISIT, keep_until=LATER * 2)]).wait()
        assert ids(stores.events.read("ann")) == ["newer visit"]


def test_keys_older_than_the_data_are_noticed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copy(folder / "keys.db", folder / "keys.db.backup")
    with opened(folder) as stores:
        fill(stores)
    shutil.copy(folder / "keys.db.backup", folder / "keys.db")
    with opened(folder):
        assert "is older than" in caplog.text


def test_a_crash_between_tombstone_and_erasure(folder: Path) -> None:
    with opened(folder) as stores:
        fill(stores)
        writer = writer_of(stores)

        def crash() -> bool:
            raise KeyboardInterrupt

        writer._eraser._carry_out = crash  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            stores.events.forget(PERSON)
        assert len(stores.events.read(PERSON)) == 3
    with opened(folder) as stores:
        assert stores.events.read(PERSON) == [] == stores.consents.read(PERSON)


# --------------------------------------------------------------------------------------------------- several processes

_APPEND = """
import sys
from tactful.contracts import record
from tactful.stores.sqlite import open_sqlite
stores = open_sqlite(sys.argv[1])
for number in range(300):
    batch = [record(f"p{number % 7}", *[f"{number}-{k}" for k in range(5)]), record(f"p{number % 7}", f"{number}-0")]
    duplicates = stores.events.append(batch).wait()
    print(len(duplicates), flush=True)
stores.close()
"""


def test_two_clients_sending_the_same_at_once(folder: Path) -> None:
    with writing(folder):
        clients = [
            subprocess.Popen([sys.executable, "-c", _APPEND, str(folder)], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        answers = [[int(line) for line in process.communicate(timeout=120)[0].split()] for process in clients]
        assert [len(lines) for lines in answers] == [300, 300] and not any(p.returncode for p in clients)
        # Each batch has five messages and one of them twice: whoever comes second hears that all five are duplicates.
        assert all(sorted(pair) == [1, 5] for pair in zip(*answers, strict=True))
        stores = open_sqlite(folder)
        assert sum(len(stores.events.read(f"p{number}")) for number in range(7)) == 1500
        stores.close()


_STREAM = """
import sys
from tactful.contracts import record, receipt, LATER
from tactful.domain.errors import StoreBusy
from tactful.stores.sqlite import open_sqlite
stores = open_sqlite(sys.argv[1])
for number in range(1_000_000):
    try:
        stores.events.append([record(f"p{number % 50}", f"e{number}")]).wait()
    except StoreBusy:
        break
    print(number, flush=True)
stores.close()
"""


def test_a_writer_killed_in_full_flight_loses_nothing_acknowledged(folder: Path) -> None:
    acknowledged: list[int] = []
    for _ in range(3):
        with writing(folder) as writer:
            stream = subprocess.Popen(
                [sys.executable, "-c", _STREAM, str(folder)], stdout=subprocess.PIPE, text=True, bufsize=1
            )
            assert stream.stdout is not None
            for line in stream.stdout:
                acknowledged.append(int(line))
                if int(line) == 200:
                    writer.send_signal(signal.SIGKILL)
            assert stream.wait(30) == 0
            stream.stdout.close()
    assert max(acknowledged) >= 200
    with opened(folder) as stores:
        kept = {event.id for number in range(50) for _, event in stores.events.read(f"p{number}")}
        assert {f"e{number}" for number in acknowledged} <= kept
        assert len(kept) == sum(len(stores.events.read(f"p{number}")) for number in range(50)), "and nothing twice"


def test_an_orderly_end_answers_what_was_received(folder: Path) -> None:
    with writing(folder) as writer:
        stores = open_sqlite(folder)
        stores.events.append([record("ann", "0")]).wait()
        acks = [stores.events.append([record("ann", str(number))]) for number in range(1, 20)]
        receipts = [stores.receipts.append(receipt(f"r{number}"), LATER) for number in range(20)]
        acks[-1].wait()  # all of it has been received by now
        writer.send_signal(signal.SIGTERM)
        assert writer.wait(10) == 0
        for ack in (*acks, *receipts[:1]):
            ack.wait()
        with pytest.raises(StoreBusy):
            stores.events.append([record("ann", "late")]).wait()
        with writing(folder):
            assert stores.events.append([record("ann", "later")]).wait() == frozenset(), "reconnects by itself"
            assert len(stores.events.read("ann")) == 21
        stores.close()


def test_errors_cross_the_socket_as_what_they_are(folder: Path) -> None:
    with writing(folder):
        stores = open_sqlite(folder)
        stores.events.append([record("ann", "1")]).wait()
        with contextlib.closing(sqlite3.connect(folder / "data.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy, match="locked"):
                stores.events.append([record("ann", "2")]).wait()
            other.execute("ROLLBACK")
        with pytest.raises(StoreBroken, match="OverflowError"):
            stores.events.append([record("ann", "3", keep_until=2**63)]).wait()
        with pytest.raises(TooLarge, match="smaller batches"):
            big = structs.replace(viewed("big"), fields={"x": "y" * 68_000_000})
            stores.events.append([record("ann", big)]).wait()
        stores.events.append([record("ann", "4")]).wait()
        assert ids(stores.events.read("ann")) == ["1", "4"]
        stores.close()


def test_what_is_not_one_of_our_clients_is_hung_up_on(folder: Path) -> None:
    with writing(folder):
        stores = open_sqlite(folder)
        for nonsense in (b"GET / HTTP/1.0\r\n\r\n", b"\x00\x00\x00\x02\xc1\xc1", b"\xff" * 100):
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.connect(str(folder / "writer.sock"))
                stranger.sendall(nonsense)
                stranger.settimeout(10)
                with contextlib.suppress(ConnectionResetError):
                    assert stranger.recv(10) == b""
        assert stores.events.append([record("ann", "1")]).wait() == frozenset()
        stores.close()


def test_another_workers_keys_and_receipts(folder: Path) -> None:
    """What one worker writes, another sees at once: receipts on their way, a person forgotten and back with new keys."""
    with writing(folder):
        one, two = open_sqlite(folder), open_sqlite(folder)
        one.receipts.append(receipt("r"), LATER)
        assert two.receipts.get("r") == receipt("r")
        for turn in range(3):
            one.events.append([record("ann", f"turn {turn}")]).wait()
            one.consents.append([("ann", change(str(turn)))]).wait()
            assert ids(two.events.read("ann")) == [f"turn {turn}"]
            assert [made.source for made in two.consents.read("ann")] == [str(turn)]
            two.events.forget("ann").wait()
            assert one.events.read("ann") == [] == one.consents.read("ann")
        assert one.receipts.get("r") is None is two.receipts.get("r")
        one.close()
        two.close()


def test_a_server_awaits_many_at_once(folder: Path) -> None:
    async def serve() -> None:
        stores = await connect(folder)
        ack = stores.events.append([record("ann", "early")])
        with pytest.raises(RuntimeError, match="await it"):
            ack.wait()
        assert await ack == frozenset() == ack.wait()
        acks = [stores.events.append([record(f"p{n % 10}", str(n % 90))]) for n in range(100)]
        kept = [await ack for ack in acks]
        assert [len(duplicates) for duplicates in kept] == [0] * 90 + [1] * 10
        stores.receipts.append(receipt("r"), LATER)
        assert stores.receipts.get("r") == receipt("r")
        assert stores.receipts.get("no such thing") is None
        assert await stores.items.put([Item(id="i", title="I")]) == 1 == stores.items.version()
        assert await stores.quarantine.purge(LATER) == 1 + 90 + 1, "'early', those of the 90, and the receipt"
        for person in ("p1", "ann"):
            await stores.events.forget(person)
        stores.close()

    with writing(folder):
        asyncio.run(serve())


def test_a_server_outlives_its_writer(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def serve(writer: "subprocess.Popen[bytes]") -> None:
        stores = await connect(folder)
        await stores.events.append([record("ann", "1")])
        writer.kill()
        under_way = stores.events.append([record("ann", "2")])
        with pytest.raises(StoreBusy):
            await under_way
        with pytest.raises(StoreBusy):
            await stores.events.append([record("ann", "2")])
        stores.receipts.append(receipt("lost"), LATER)  # nobody waits, so the log says it
        assert "A receipt was not kept" in caplog.text
        with pytest.raises(StoreBusy):
            stores.receipts.get("lost")
        assert ids(stores.events.read("ann")) == ["1"], "reading needs no writer"
        with writing(folder):
            while True:
                try:
                    await stores.events.append([record("ann", "2")])
                    break
                except StoreBusy:
                    await asyncio.sleep(0.02)
            assert ids(stores.events.read("ann")) == ["1", "2"]
        stores.close()

    with writing(folder) as writer:
        asyncio.run(serve(writer))


def test_connecting_where_nobody_writes(folder: Path) -> None:
    async def serve() -> None:
        with pytest.raises(StoreBusy, match="does not answer"):
            await connect(folder, patience=0)

    asyncio.run(serve())


# ------------------------------------------------------------------------------------------------------------- frames


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(1, 30), max_size=40))
def test_frames_survive_any_cut(events: list[bytes], cuts: list[int]) -> None:
    calls = [Call(number, AppendReceipt(raw, None, number, raw)) for number, raw in enumerate(events)]
    stream, frames, heard = b"".join(frame(call) for call in calls), Frames(), []
    for cut in cuts:
        heard += [decode_call(message) for message in frames.feed(stream[:cut])]
        stream = stream[cut:]
    heard += [decode_call(message) for message in frames.feed(stream)]
    assert heard == calls


@pytest.mark.parametrize("error", [StoreBusy(why="x", retry_after=1), StoreFull(why="x"), StoreBroken(why="x")])
def test_an_error_comes_out_as_it_went_in(error: StoreBusy | StoreFull | StoreBroken) -> None:
    (message,) = Frames().feed(frame(answer(7, error)))
    again = decode_answer(message).failure()
    assert type(again) is type(error) and str(again) == str(error) and again.facts == error.facts  # type: ignore[union-attr]


# -------------------------------------------------------------------------------------- the same as memory, whatever happens

_PEOPLE = st.sampled_from(("ann", "bob", *NAMES[2:5]))
_EVENTS = st.lists(st.sampled_from([f"e{number}" for number in range(6)]), max_size=4)
_RECORDS = st.lists(
    st.tuples(_PEOPLE, _EVENTS, st.sampled_from(["history", VISIT]), st.integers(NOW, NOW + 5)), max_size=4
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), _RECORDS),
        st.tuples(st.just("consent"), st.lists(_PEOPLE, max_size=2)),
        st.tuples(
            st.just("receipt"), st.tuples(st.sampled_from("rst"), st.none() | _PEOPLE, st.integers(NOW, NOW + 5))
        ),
        st.tuples(st.just("piece"), st.tuples(st.just("") | _PEOPLE, st.integers(NOW, NOW + 5))),
        st.tuples(st.just("forget"), _PEOPLE),
        st.tuples(st.just("purge"), st.integers(NOW, NOW + 6) | st.just(NOW + QUARANTINE_MS + 3)),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=25,
)


def act(stores: Stores, verb: str, what: Any) -> Any:
    match verb:
        case "append":
            records = [record(who, *events, data=data, keep_until=until) for who, events, data, until in what]
            return stores.events.append(records).wait()
        case "consent":
            return stores.consents.append([(who, change(who)) for who in what]).wait()
        case "receipt":
            return stores.receipts.append(receipt(what[0], what[1]), what[2]).wait()
        case "piece":
            return stores.quarantine.put([piece("q", what[0], what[1])]).wait()
        case "forget":
            return stores.receipts.forget(what).wait()
        case "purge":
            return stores.quarantine.purge(what).wait()
    return None


def state(stores: Stores) -> Any:
    people = ("ann", "bob", *NAMES[2:5])
    return (
        [ids(stores.events.read(who)) for who in people],
        [bool(stores.events.head(who)) for who in people],
        [stores.consents.read(who) for who in people],
        [stores.receipts.get(name) for name in "rst"],
        stores.quarantine.pieces(),
        sorted([event.id for event in events] for _, events in stores.events.people()),
        sorted([made.source for made in changes] for _, changes in stores.consents.everybody()),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_STEPS)
def test_sqlite_does_what_memory_does(steps: list[tuple[str, Any]]) -> None:
    path = Path(tempfile.mkdtemp(prefix="tactful-"))
    create(path)
    memory, sqlite = open_memory(), open_sqlite(path)
    try:
        for verb, what in steps:
            if verb == "reopen":
                sqlite.close()
                sqlite = open_sqlite(path)
            assert act(memory, verb, what) == act(sqlite, verb, what), (verb, what)
            assert state(memory) == state(sqlite), (verb, what)
    finally:
        sqlite.close()
        shutil.rmtree(path)


def test_a_group_is_applied_in_order(folder: Path) -> None:
    lock = take_lock(folder)
    assert lock is not None
    writer = Writer(folder, lock, clock=lambda: NOW)
    try:
        row: Callable[[bytes], Append] = lambda message: Append([Row(b"p" * 16, "history", LATER, [message], [])])  # noqa: E731
        empty = Append([])
        outcomes = writer.apply([empty, Forget(b"p" * 16), empty, Forget(b"p" * 16), Forget(b"q" * 16), empty])
        assert outcomes == [[], None, [], None, None, []]
        assert isinstance(writer.apply([row(b"x" * 8)])[0], StoreBroken), "a message without its event"
    finally:
        writer.close()
