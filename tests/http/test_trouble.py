"""When something breaks underneath: a clear answer at once, nothing acknowledged is lost, and service resumes by itself."""

import http.client
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tactful.stores.sqlite import open_sqlite
from tests.http.conftest import takes_up
from tests.http.served import Server, installed, message, served, speak, tactful, until
from tests.http.test_ingest import is_problem


@pytest.fixture(scope="module")
def frail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A small shop that things are done to."""
    home = tmp_path_factory.mktemp("frail")
    with served(home, installed(home)) as server:
        prepared(server)
        yield server


def prepared(server: Server) -> None:
    """A few items, a model, and a person who allows everything."""
    things = [
        {"id": f"thing-{n}", "title": f"Thing {n}", "audience": "everyone", "attributes": {"kind": f"kind-{n % 3}"}}
        for n in range(30)
    ]
    assert server.post("/v1/items", {"items": things}).status == 200
    tactful(server.home, "train")
    until(lambda: takes_up(server), 20, "both workers took up the models")
    server.allow("somebody")


def kept(home: Path, person: str) -> list[str]:
    """The ids of the events that the log holds of a person, read past the server."""
    stores = open_sqlite(home / "data", patience=20)
    try:
        return [event.id for _, event in stores.events.read(person)]
    finally:
        stores.close()


def says_come_back(reply: Any, status: int, *words: str) -> None:
    """The reply is a clear refusal that says when to come back."""
    is_problem(reply, status, "", "Nothing was acknowledged", *words)
    assert int(reply.headers["retry-after"]) >= 1


# -------------------------------------------------------------------------------------------------------------- the store


def test_a_locked_database_is_503_with_retry_after_and_service_resumes_when_it_is_free(frail: Server) -> None:
    for file in ("data.db", "keys.db"):
        person = f"patient-{file}"
        frail.allow(person) if file == "data.db" else None
        other = sqlite3.connect(frail.home / "data" / file, isolation_level=None)
        try:
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            if file == "data.db":
                says_come_back(frail.post("/v1/batch", {"batch": [message(person, "m1", "thing-1")]}), 503, "locked")
            says_come_back(frail.call("PUT", f"/v1/consent/{person}-2", {"dial": "remember"}), 503, "locked")
            assert time.monotonic() - began < 10
            assert frail.decide("somebody")["items"], "decisions go on: they only read"
        finally:
            other.execute("ROLLBACK")
            other.close()
        assert frail.get(f"/v1/consent/{person}-2").json["version"] == 0, "what was refused is not there"
        frail.allow(person)
        account = frail.send(message(person, "m1", "thing-1"))
        assert (account["stored"], account["duplicate"]) == (1, 0)


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Path]:
    """An installation whose data folder is a small disk of its own."""
    data = tmp_path / "data"
    data.mkdir()
    mounted = sys.platform == "linux" and os.geteuid() == 0
    mounted = (
        mounted
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(data)], capture_output=True, check=False
        ).returncode
        == 0
    )
    if not mounted:
        pytest.skip("a small disk cannot be mounted here: that takes Linux and root")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", str(data)], check=True)


def test_a_full_disk_is_507_and_loses_nothing_acknowledged_and_service_resumes_when_there_is_room(narrow: Path) -> None:
    with served(narrow, installed(narrow)) as server:
        prepared(server)
        acknowledged: list[str] = []
        for number in range(2000):
            names = [f"full-{number}-{place}" for place in range(20)]
            batch = [message("somebody", name, "thing-1") for name in names]
            reply = server.post("/v1/batch", {"batch": batch})
            if reply.status != 200:
                break
            assert reply.json["stored"] == len(batch)
            acknowledged += names
        is_problem(reply, 507, "", "full", "Nothing was acknowledged", "free some space")
        assert "retry-after" in reply.headers
        assert server.decide("somebody")["personal"] is True, "decisions go on"
        assert kept(narrow, "somebody") == acknowledged
        subprocess.run(["mount", "-o", "remount,size=64m", str(narrow / "data")], check=True)
        until(lambda: server.post("/v1/batch", {"batch": batch}).status == 200, 20, "service resumes")
        assert kept(narrow, "somebody") == acknowledged + names


# --------------------------------------------------------------------------------------------------------- the processes


def test_without_the_writer_events_are_503_and_decisions_go_on_until_the_supervisor_has_started_it_again(
    frail: Server,
) -> None:
    writer = frail.writer()
    os.kill(frail.process.pid, signal.SIGSTOP)  # so that the supervisor cannot be too quick for us
    try:
        os.kill(writer, signal.SIGKILL)
        with frail.each_worker() as connections:
            for worker in connections:
                batch = {"batch": [message("somebody", "widow-1", "thing-2")]}
                until(
                    lambda w=worker, b=batch: speak(w, "POST", "/v1/batch", b, frail.as_server()).status == 503,
                    5,
                    "the worker noticed",
                )
                says_come_back(speak(worker, "POST", "/v1/batch", batch, frail.as_server()), 503, "writer")
                decision = speak(
                    worker, "POST", "/v1/decide", {"placements": ["home"], "person": "somebody"}, frail.as_server()
                )
                assert decision.status == 200
                assert decision.json["decisions"][0]["items"]
    finally:
        os.kill(frail.process.pid, signal.SIGCONT)
    frail.await_whole()
    assert frail.writer() != writer
    assert frail.send(message("somebody", "widow-1", "thing-2"))["stored"] == 1
    assert "widow-1" in kept(frail.home, "somebody")


def test_a_killed_worker_is_started_again_and_the_other_serves_meanwhile(frail: Server) -> None:
    victim, other = frail.workers()
    os.kill(victim, signal.SIGKILL)
    for number in range(20):
        assert frail.send(message("somebody", f"bereft-{number}", "thing-3"))["stored"] == 1
    frail.await_whole()
    assert other in frail.workers()
    assert victim not in frail.workers()


def test_nobody_outlives_a_killed_supervisor(frail: Server) -> None:
    """Otherwise they would hold the port and the lock, and the next start would fail."""
    children = frail.children()
    assert len(children) == 3
    frail.process.kill()
    frail.process.wait(10)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 20, "all processes are gone")
    frail.start()


def test_sigterm_finishes_what_is_under_way_and_all_that_was_acknowledged_is_there(frail: Server) -> None:
    frail.allow("last-guest")
    acknowledged: list[str] = []
    stopped = threading.Event()

    def guest(number: int) -> None:
        connection = frail.connect()
        try:
            for turn in range(100_000):
                name = f"guest-{number}-{turn}"
                batch = {"batch": [message("last-guest", name, "thing-4")]}
                if speak(connection, "POST", "/v1/batch", batch, frail.as_server()).status == 200:
                    acknowledged.append(name)
                elif stopped.is_set():
                    return
        except (OSError, http.client.HTTPException):
            assert stopped.is_set()
        finally:
            connection.close()

    guests = [threading.Thread(target=guest, args=(number,)) for number in range(4)]
    for one in guests:
        one.start()
    until(lambda: len(acknowledged) > 50, 20, "guests are being served")
    stopped.set()
    children = frail.children()
    assert frail.stop() == 0
    for one in guests:
        one.join(20)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    there = kept(frail.home, "last-guest")
    assert len(there) == len(set(there))
    assert set(acknowledged) <= set(there)
    frail.start()
    assert frail.decide("last-guest")["personal"] is True


# -------------------------------------------------------------------------------------------------------------- the models


def test_a_broken_model_pointer_stops_nobody_and_is_taken_up_once_mended(frail: Server) -> None:
    pointer = frail.home / "models" / "current.json"
    good = pointer.read_text()
    try:
        pointer.write_text("{ broken")
        until(lambda: "could not be read" in frail.log.read_text(), 10, "a worker says so in the log")
        assert frail.decide("somebody")["items"]
    finally:
        pointer.write_text(good)
    frail.send(*[message("somebody", f"mend-{number}", f"thing-{number}", "bought") for number in range(10)])
    tactful(frail.home, "train")
    assert pointer.read_text() != good
    until(lambda: takes_up(frail), 20, "both workers took up the new models")
