"""Backups, restores and beginnings that are cut short: whole, or known not to be; begun again, they succeed.

`kill -9` takes a forked process at a random moment; a power cut takes what was not synced (see `power`). Beside each backup
somebody writes: whatever was acknowledged before it began is in it.
"""

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tactful.cli.backups import back_up, read_backup
from tactful.cli.install import install
from tactful.cli.restoring import restore
from tactful.contracts import ids, record
from tactful.domain.errors import BadInput, NotInitialised, StoreBroken
from tactful.settings import read_settings
from tactful.stores.sqlite import files, open_sqlite
from tests.crash import power
from tests.crash.proofs import note

SEED = 20_261_122
SHM = "/dev/shm" if Path("/dev/shm").is_dir() else None


def quiet(name: str, done: int, pages: int) -> None:
    """Nobody watches."""


def dies(name: str, done: int, pages: int) -> None:
    """Killed in the middle of it, however fast the machine is."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def root() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="tactful-copies-", dir=SHM))
    yield path
    shutil.rmtree(path)


def forked(work: Callable[[], object]) -> int:
    """Do it in a process of its own; its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException as error:  # noqa: BLE001 - the parent sees the status
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(status)


def killed_after(seconds: float, child: int) -> bool:
    """SIGKILL after so long, if it still runs; whether it had finished by then, and well."""
    until = time.monotonic() + seconds
    while not (ended := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < until:
        time.sleep(0.001)
    if not ended[0]:
        os.kill(child, signal.SIGKILL)
        ended = os.waitpid(child, 0)
    status = ended[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)


def events(home: Path) -> list[str]:
    stores = open_sqlite(home / "data")
    try:
        return ids(stores.events.read("ann"))
    finally:
        stores.close()


@pytest.mark.prove
def test_an_installation_that_is_killed_while_it_is_made_is_made_again(
    root: Path, scale: Callable[[int, int], int], request: pytest.FixtureRequest
) -> None:
    began, dice, rounds, cut, wrong = time.monotonic(), random.Random(SEED), scale(20, 300), 0, 0
    install(root / "warm")  # so that all is imported by now
    for number in range(rounds):
        home = root / str(number)
        finished = killed_after(dice.uniform(0.0, 0.05), forked(lambda home=home: install(home)))  # type: ignore[misc]
        cut += not finished
        whole = (home / "tactful.toml").exists()
        wrong += finished and not whole
        if not whole:
            install(home)
        read_settings(home)
        stores = open_sqlite(home / "data")
        stores.events.append([record("ann", "1")]).wait()
        stores.close()
        wrong += events(home) != ["1"]
        shutil.rmtree(home)
    if request.config.getoption("--prove"):
        note("kill: installations killed while being made, then whole", rounds, wrong, time.monotonic() - began)
    assert not wrong and cut


@contextmanager
def writing(home: Path, log: Path) -> Iterator[int]:
    """Somebody writes, and notes in a file what was acknowledged."""

    def write() -> None:
        stores = open_sqlite(home / "data")
        with log.open("a", buffering=1) as out:
            for number in range(len(events_noted(log)), 1_000_000):
                stores.events.append([record("ann", f"e{number}")]).wait()
                out.write(f"e{number}\n")

    child = forked(write)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def events_noted(log: Path) -> list[str]:
    """Acknowledged events, in order; a line that is not finished counts for nothing."""
    text = log.read_text() if log.exists() else ""
    return text[: text.rfind("\n") + 1].split()


@pytest.mark.prove
def test_a_backup_that_is_killed_is_whole_or_known_not_to_be(
    root: Path, scale: Callable[[int, int], int], request: pytest.FixtureRequest
) -> None:
    began, dice, rounds, wrong, cut = time.monotonic(), random.Random(SEED), scale(12, 300), [], 0
    home, log = root / "home", root / "log"
    install(home)
    for number in range(rounds):
        b, k, other = root / f"b{number}", root / f"k{number}", root / f"other{number}"
        watch, patience = (dies, 60.0) if number == 0 else (quiet, dice.uniform(0.0, 0.15))
        with writing(home, log):
            time.sleep(dice.uniform(0.01, 0.1))
            before = events_noted(log)
            finished = killed_after(patience, forked(lambda b=b, k=k, watch=watch: back_up(home, b, k, watch)))  # type: ignore[misc]
            cut += not finished
            try:
                read_backup(b, "data"), read_backup(k, "keys")
            except BadInput:
                if finished:
                    wrong.append(f"{number}: finished, but not whole")
                again(home, b, k)  # beside the one who writes
        restore(other, b, k, force=False)
        missing = set(before) - set(events(other))
        wrong += [f"{number}: {sorted(missing)} acknowledged before, and not in it"] if missing else []
        if not set(events_noted(log)) <= set(events(home)):
            wrong.append(f"{number}: the installation itself lost something")
        for folder in (b, k, other):
            shutil.rmtree(folder)
    if request.config.getoption("--prove"):
        note("kill: backups killed beside a writer, then whole or known not to be", rounds, len(wrong), time.monotonic() - began)  # fmt: skip
    assert not wrong, wrong[:5]
    assert cut


def again(home: Path, b: Path, k: Path) -> None:
    """Back up once more into the same folders; if one of the two was finished already, into empty ones."""
    try:
        back_up(home, b, k, quiet)
    except BadInput as refused:
        assert "something in it" in str(refused)
        for folder in (b, k):
            shutil.rmtree(folder)
        back_up(home, b, k, quiet)


def on_disk(root: Path, dice: random.Random, cut_at: int, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> bool:  # fmt: skip
    """Do it on a disk whose power is cut; whether it was finished before that."""
    disk = power.Disk(root, dice, cut_at)
    power.current.append(disk)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(files, "_connect", power.Adapter)
            patched.setattr("os.fsync", disk.fsync)
            work()
            finished = not disk.dead
            while not disk.dead:
                disk._tick()
    finally:
        power.current.clear()
        disk.close()
    disk.after()
    return finished


@pytest.mark.prove
def test_a_power_cut_during_a_backup_or_a_restore(
    root: Path, scale: Callable[[int, int], int], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, dice, rounds, wrong, halves = time.monotonic(), random.Random(SEED), scale(16, 250), [], 0
    for number in range(rounds):
        disk = root / str(number)
        home, b, k = disk / "home", disk / "b", disk / "k"
        install(home)
        _write(home, "ann", "1")
        _write(home, "bob", "2")
        cut_at = dice.randint(1, 160)
        if number % 2:
            finished = on_disk(disk, dice, cut_at, monkeypatch, lambda: back_up(home, b, k, quiet))  # noqa: B023
            try:
                read_backup(b, "data"), read_backup(k, "keys")
            except (BadInput, FileNotFoundError):
                halves += 1
                wrong += [f"{number}: backup finished, but not whole"] if finished else []
                again(home, b, k)
            restore(disk / "other", b, k, force=False)
            wrong += [f"{number}: backup differs"] if _people(disk / "other") != ["1", "2"] else []
        else:
            back_up(home, b, k, quiet)
            _write(home, "ann", "3")
            _forget(home, "bob")
            finished = on_disk(disk, dice, cut_at, monkeypatch, lambda: restore(home, b, k, force=True))  # noqa: B023
            try:
                found = _people(home)
            except (StoreBroken, NotInitialised):
                halves += 1
                found = []
                wrong += [f"{number}: restore finished, but not whole"] if finished else []
            if found not in ([], ["1"], ["1", "3"]) or (finished and found != ["1"]):
                wrong.append(f"{number}: after the cut there is {found}")
            restore(home, b, k, force=bool(found))
            wrong += [f"{number}: {_people(home)}"] if _people(home) != ["1"] else []
        shutil.rmtree(disk)
    if request.config.getoption("--prove"):
        note("power: cuts in backups and restores, then whole or known not to be", rounds, len(wrong), time.monotonic() - began)  # fmt: skip
    assert not wrong, wrong[:5]
    assert halves


def _write(home: Path, person: str, name: str) -> None:
    stores = open_sqlite(home / "data")
    stores.events.append([record(person, name)]).wait()
    stores.close()


def _forget(home: Path, person: str) -> None:
    stores = open_sqlite(home / "data")
    stores.events.forget(person).wait()
    stores.close()


def _people(home: Path) -> list[str]:
    stores = open_sqlite(home / "data")
    try:
        return sorted(name for person in ("ann", "bob") for name in ids(stores.events.read(person)))
    finally:
        stores.close()
