"""A served installation under pressure, on a full disk, and told to stop: quick and clear answers, bounded memory, nothing lost."""

import http.client
import json
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.served import Server, installed, message, served, speak, until
from tests.http.test_trouble import kept, prepared, says_come_back

TIGHT = """
[limits]
waiting_writes = 10
waiting_mb = 2
bodies_mb = 2
answer_s = 4
"""


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shop that takes little upon itself."""
    home = tmp_path_factory.mktemp("tight")
    keys = installed(home)
    settings = home / "tactful.toml"
    settings.write_text(settings.read_text() + TIGHT)
    with served(home, keys) as server:
        prepared(server)
        yield server


def memory(pid: int) -> int:
    """Resident memory of a process, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Pusher(threading.Thread):
    """Somebody who sends batches as fast as they are taken, whatever the answer, and sends again what was not acknowledged."""

    def __init__(self, server: Server, number: int, over: threading.Event) -> None:
        super().__init__()
        self.server, self.number, self.over = server, number, over
        self.acknowledged: list[str] = []
        self.answers: list[tuple[int, float, str]] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        connection = self.server.connect(60)
        try:
            for turn in range(100_000):
                names = [f"push-{self.number}-{turn}-{place}" for place in range(20)]
                batch = {"batch": [message("somebody", name, "thing-1", note="n" * 200) for name in names]}
                if not self._push(connection, batch):
                    return
                self.acknowledged += names
        except BaseException as failure:  # noqa: BLE001 - the main thread raises it again
            self.failure = failure
        finally:
            connection.close()

    def _push(self, connection: http.client.HTTPConnection, batch: Any) -> bool:
        """Until it is acknowledged, or all is over. A pause is made, but not as long as asked for."""
        while True:
            began = time.monotonic()
            reply = speak(connection, "POST", "/v1/batch", batch, self.server.as_server())
            self.answers.append((reply.status, time.monotonic() - began, reply.headers.get("retry-after", "")))
            if reply.status == 200:
                assert reply.json["stored"] + reply.json["duplicate"] == 20
                return not self.over.is_set()
            if self.over.is_set():
                return False
            time.sleep(0.02)


def test_a_writer_that_hangs_costs_nobody_long_and_no_memory_and_loses_nothing(tight: Server) -> None:
    over = threading.Event()
    pushers = [Pusher(tight, number, over) for number in range(60)]
    writer, workers = tight.writer(), tight.workers()
    before = {pid: memory(pid) for pid in workers}
    os.kill(writer, signal.SIGSTOP)
    try:
        for one in pushers:
            one.start()
        statuses = lambda: {status for one in pushers for status, _, _ in one.answers}  # noqa: E731
        until(lambda: 503 in statuses(), 30, "the workers noticed that nobody answers")
        until(lambda: sum(len(one.answers) for one in pushers) > 1500, 60, "many were turned away")
        assert statuses() == {429, 503}
        assert all(after.isdigit() and int(after) >= 1 for one in pushers for _, _, after in one.answers)
        assert max(took for one in pushers for _, took, _ in one.answers) < 20, "four seconds, and much patience"
        assert tight.decide("somebody")["items"], "decisions go on"
        grown = {pid: memory(pid) - before[pid] for pid in workers}
        assert max(grown.values()) < 80 << 20, f"memory grew by {grown}"
    finally:
        os.kill(writer, signal.SIGCONT)
    until(lambda: sum(len(one.acknowledged) for one in pushers) > 5000, 60, "all goes on")
    over.set()
    for one in pushers:
        one.join(60)
        if one.failure is not None:
            raise one.failure
    there = kept(tight.home, "somebody")
    assert len(there) == len(set(there)), "sent again, kept once"
    assert {name for one in pushers for name in one.acknowledged} <= set(there)
    assert tight.writer() == writer and tight.workers() == workers, "nobody had to be started again"


def test_bodies_that_come_slowly_take_up_a_bounded_room(tight: Server) -> None:
    slow = []
    body = json.dumps({"batch": [message("somebody", "slow", "thing-1", note="n" * 390_000)]}).encode()
    try:
        for _ in range(30):
            wire = socket.create_connection(("127.0.0.1", tight.port), timeout=30)
            head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: {tight.as_server()['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
            wire.sendall(head.encode() + body[:-1])
            slow.append(wire)

        def refused() -> bool:
            reply = tight.post("/v1/batch", {"batch": [message("somebody", "quick", "thing-1", note="n" * 300_000)]})
            if reply.status != 429:
                return False
            says_come_back(reply, 429, "requests")
            return True

        until(refused, 20, "the room is taken")
        assert tight.decide("somebody")["items"]
    finally:
        for wire in slow:
            wire.close()
    until(
        lambda: tight.post("/v1/batch", {"batch": [message("somebody", "later", "thing-1")]}).status == 200, 20, "room"
    )


def test_a_limit_on_the_size_of_files_is_507_and_service_resumes_without_a_restart(tight: Server) -> None:
    """As a quota does it: SQLite calls it an I/O error, not a full disk."""
    writer = tight.writer()
    soft, hard = resource.prlimit(writer, resource.RLIMIT_FSIZE)
    acknowledged = []
    resource.prlimit(writer, resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        for number in range(200):
            name = f"quota-{number}"
            reply = tight.post("/v1/batch", {"batch": [message("somebody", name, "thing-1", note="n" * 5000)]})
            if reply.status != 200:
                break
            acknowledged.append(name)
        says_come_back(reply, 507, "full", "free some space")
        assert int(reply.headers["retry-after"]) >= 5
        says_come_back(tight.call("PUT", "/v1/consent/new", {"dial": "remember"}), 507, "full")
        assert tight.decide("somebody")["personal"] is True, "decisions go on"
        until(lambda: "not kept" in tight.log.read_text(), 10, "the log says that receipts are lost")
    finally:
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (soft, hard))
    assert tight.send(message("somebody", "after-quota", "thing-1"))["stored"] == 1
    there = kept(tight.home, "somebody")
    assert set(acknowledged) <= set(there) and "after-quota" in there and name not in there
    assert tight.writer() == writer


def test_sigterm_answers_everything_that_was_accepted(tight: Server) -> None:
    """Requests are in the workers' hands, the writer is held up: told to stop, the workers wait for it and answer all of them."""
    tight.allow("patient")
    replies: dict[str, int] = {}
    writer = tight.writer()

    def ask(name: str) -> None:
        reply = tight.post("/v1/batch", {"batch": [message("patient", name, "thing-1")]})
        replies[name] = reply.status

    os.kill(writer, signal.SIGSTOP)
    try:
        guests = [threading.Thread(target=ask, args=(f"patient-{number}",)) for number in range(8)]
        for one in guests:
            one.start()
        time.sleep(0.7)  # all of them have been read by now; the writer may be silent for four seconds
        children = tight.children()
        tight.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
    finally:
        os.kill(writer, signal.SIGCONT)
    for one in guests:
        one.join(30)
    assert tight.stop() == 0
    assert list(replies.values()) == [200] * 8
    assert set(kept(tight.home, "patient")) == set(replies)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    tight.start()


def test_receipts_that_nobody_waited_for_are_kept_when_told_to_stop(tmp_path: Path) -> None:
    """More of them than a socket holds: the writer is held up, so the rest is in the worker's own hands when it is told to stop."""
    keys = installed(tmp_path)
    with served(tmp_path, keys, workers=1) as server:
        prepared(server)
        server.allow("somebody")
        writer = server.writer()
        os.kill(writer, signal.SIGSTOP)
        try:
            receipts = [server.decide("somebody")["receipt"] for _ in range(150)]
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)  # the worker could be gone by now
        finally:
            os.kill(writer, signal.SIGCONT)
        assert server.stop() == 0
        server.start()
        kept_of = [server.get(f"/v1/receipts/{one}", server.as_server()).status for one in receipts]
        assert kept_of == [200] * len(receipts)
