"""The owner's page for real: two workers, a browser's kind of client that listens, and a server that is told to stop meanwhile."""

import contextlib
import http.client
import json
import queue
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.http.served import Server, installed, served, speak, stocked, tactful, until


@pytest.fixture
def owned(home: Path) -> Iterator[Server]:
    keys = installed(home)
    made = tactful(home, "key", "add", "owner", "--scopes", "owner,receipts", "--json")
    keys["owner"] = json.loads(made.stdout)["key"]
    with served(home, keys, workers=2, words=["--owner"]) as server:
        stocked(server, 3)
        tactful(home, "train")
        time.sleep(1.5)
        yield server


def cookie_of(server: Server) -> dict[str, str]:
    """Sign in; the header that a browser sends from then on."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    reply = server.post("/owner/enter", f"key={server.keys['owner']}".encode(), headers)
    assert reply.status == 303, reply.body
    return {"Cookie": reply.headers["set-cookie"].partition(";")[0]}


class Ear:
    """A client of server-sent events, on a connection of its own: (name, data, id) of each, as the standard says to read them."""

    def __init__(self, connection: http.client.HTTPConnection, headers: dict[str, str]) -> None:
        self.heard: queue.Queue[tuple[str, str, str]] = queue.Queue()
        self.ended = threading.Event()
        self.connection = connection
        connection.request("GET", "/owner/live", None, {**headers, "Accept": "text/event-stream"})
        self.answer = connection.getresponse()
        assert self.answer.status == 200 and self.answer.headers["Content-Type"].startswith("text/event-stream")
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        name, data, number = "message", "", ""
        try:
            while line := self.answer.readline():
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data = value
                elif field == "id":
                    number = value
                elif not field:
                    if data:
                        self.heard.put((name, data, number))
                    name, data = "message", ""
        except (OSError, http.client.HTTPException, ValueError):
            pass
        self.ended.set()

    def close(self) -> None:
        """Go away."""
        if self.connection.sock is not None:
            with contextlib.suppress(OSError):
                self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.answer.close()
        self.connection.close()


@pytest.fixture
def listen() -> Iterator[Callable[[http.client.HTTPConnection, dict[str, str]], Ear]]:
    """Make ears, which close their connections at the end."""
    with contextlib.ExitStack() as closing_all:

        def made(connection: http.client.HTTPConnection, headers: dict[str, str]) -> Ear:
            ear = Ear(connection, headers)
            closing_all.callback(ear.close)
            return ear

        yield made


Listen = Callable[[http.client.HTTPConnection, dict[str, str]], Ear]


def test_a_decision_made_by_any_worker_after_connecting_arrives_everywhere_and_only_once(
    owned: Server, listen: Listen
) -> None:
    cookie = cookie_of(owned)
    owned.allow("ann")
    with owned.each_worker() as connections:
        ears = [listen(connection, cookie) for connection in connections]
        assert len(ears) == 2
        with owned.each_worker() as others:
            made = []
            for other in others:
                body = {"placements": ["home"], "person": "ann"}
                made.append(speak(other, "POST", "/v1/decide", body, owned.as_server()).json["decisions"][0]["receipt"])
            nobodys = owned.decide()["receipt"]
        last = ""
        for ear in ears:
            heard = [ear.heard.get(timeout=20) for _ in range(3)]
            assert [name for name, _, _ in heard] == ["decision"] * 3
            lines = [line for _, line, _ in heard]
            assert all(any(f"/owner/decision/{receipt}" in line for line in lines) for receipt in made)
            assert sum("not linked" in line for line in lines) == 1 and not any(nobodys in line for line in lines)
            assert all("ann" not in line for line in lines)
            last = heard[0][2]
            assert ear.heard.empty()
        listens_again = listen(owned.connect(), {**cookie, "Last-Event-ID": last})
        missed = [listens_again.heard.get(timeout=20)[1] for _ in range(2)]
        assert missed == lines[1:], "what came while the connection was lost"
        assert owned.get(f"/owner/decision/{made[0]}", cookie).status == 200
    page = owned.get("/owner", cookie).body.decode()
    assert "<b>3</b>" in page, "both workers together"


def test_a_server_that_is_told_to_stop_does_not_wait_for_those_who_listen(owned: Server, listen: Listen) -> None:
    ear = listen(owned.connect(), cookie_of(owned))
    began = time.monotonic()
    assert owned.stop() == 0
    assert ear.ended.wait(5) and time.monotonic() - began < 9, "a worker has ten seconds before it is cut off"


def test_a_listener_hears_that_its_session_is_over_when_the_key_goes(owned: Server, listen: Listen) -> None:
    ear = listen(owned.connect(), cookie_of(owned))
    tactful(owned.home, "key", "remove", "owner")
    name, _, _ = ear.heard.get(timeout=30)
    assert name == "over"
    until(ear.ended.is_set, 10, "the stream ends")
    assert ear.heard.empty()


def test_without_the_option_there_is_no_page_and_decisions_leave_no_notes(home: Path) -> None:
    with served(home, installed(home), workers=1) as server:
        stocked(server, 1)
        for path in ("/owner", "/owner/live", "/owner/enter"):
            assert server.get(path).status == 404
    with contextlib.closing(sqlite3.connect(home / "data" / "data.db")) as db:
        assert db.execute("SELECT count(*) FROM note").fetchone() == (0,)
