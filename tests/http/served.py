"""A real installation, served as `tactful serve` serves it, and ways to talk to it. Nothing here is a test."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from tactful.cli.demonstration import item_of
from tactful.sample.books import books
from tactful.sample.readers import Reader, readers

SEED = 7
PURPOSES = {"personalise": True, "learn": True}


class Reply(Struct, frozen=True):
    """An answer. body: as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def speak(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One request on a connection. body: bytes as they are; anything else as JSON."""
    payload = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection.request(method, path, payload, {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tactful(home: Path, *words: str, check: bool = True, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the command line, as a newcomer does."""
    command = [sys.executable, "-m", "tactful", "--home", str(home), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.stderr}"
    return done


def installed(home: Path) -> dict[str, str]:
    """Make an installation with `tactful init`; its keys."""
    keys: dict[str, str] = json.loads(tactful(home, "init", "--json").stdout)["keys"]
    return keys


class Server:
    """A served installation: one supervisor, one writer, some workers; and a client for it."""

    def __init__(
        self,
        home: Path,
        keys: Mapping[str, str],
        workers: int = 2,
        environment: Mapping[str, str] | None = None,
        words: Sequence[str] = (),
    ) -> None:
        self.words = words  # further options of `tactful serve`
        self.home, self.keys, self.count = home, keys, workers
        self.port = free_port()
        self.log = home / "serve.log"
        self._environment = {**os.environ, **(environment or {})}
        self.process: subprocess.Popen[bytes]
        self._known: set[int] = set()
        self.start()

    # ---------------------------------------------------------------------------------------------------------- processes

    def start(self) -> None:
        """Start it, and wait until every worker serves."""
        self.launch()
        self.await_whole()

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        command = [
            sys.executable,
            "-m",
            "tactful",
            "--home",
            str(self.home),
            "serve",
            "--port",
            str(self.port),
            "--workers",
            str(self.count),
            *self.words,
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)

    def children(self, what: str = "") -> list[int]:
        """Process ids of the supervisor's living children whose command holds this word."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
                with contextlib.suppress(OSError):
                    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
                    if what in command and "tactful" in command:
                        found.append(int(pid))
        self._known.update(found)
        return found

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return self.children("tactful.api.worker")

    def writer(self) -> int:
        """Process id of the writer."""
        (pid,) = self.children("tactful.stores.sqlite")
        return pid

    def await_whole(self, seconds: float = 40) -> None:
        """Until the writer and every worker are there and answer."""

        def whole() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            if len(self.workers()) < self.count or len(self.children("tactful.stores.sqlite")) < 1:
                return False
            with self.each_worker(patience=1) as connections:
                return len(connections) == self.count and all(
                    speak(one, "POST", "/v1/items", {"items": []}, self.as_server()).status == 200
                    for one in connections
                )

        until(whole, seconds, "the server is whole")

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM, and wait; the exit status."""
        self.children()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to the supervisor and all that it ever started and that still runs."""
        self.children()
        pids = [self.process.pid] if self.process.poll() is None else []
        for pid in [*pids, *self._known]:
            with contextlib.suppress(OSError):
                if pid == self.process.pid or str(self.home) in Path(f"/proc/{pid}/cmdline").read_bytes().decode():
                    os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        for pid in self._known:
            until(lambda pid=pid: not _lives(pid), 10, "the killed processes are gone")
        self._known.clear()

    # ----------------------------------------------------------------------------------------------------------- requests

    def connect(self, seconds: float = 30) -> http.client.HTTPConnection:
        """A fresh connection, to whichever worker takes it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)

    def as_server(self) -> dict[str, str]:
        """Headers with the secret key."""
        return {"Authorization": f"Bearer {self.keys['secret']}"}

    def as_browser(self, token: str = "") -> dict[str, str]:
        """Headers with the public key, and a person's token if there is one."""
        headers = {"Authorization": f"Bearer {self.keys['public']}"}
        return {**headers, "X-Person-Token": token} if token else headers

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Reply:
        """One request on a connection of its own; with the secret key, unless other headers are given."""
        connection = self.connect()
        try:
            return speak(connection, method, path, body, self.as_server() if headers is None else headers)
        finally:
            connection.close()

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Reply:
        """See `call`."""
        return self.call("POST", path, body, headers)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """See `call`."""
        return self.call("GET", path, None, headers)

    def token(self, person: str, seconds: int = 3600) -> str:
        """A token by which a browser proves that it acts for this person."""
        return str(self.post("/v1/tokens", {"person": person, "seconds": seconds}).json["token"])

    def allow(self, person: str, dial: str = "remember", **purposes: bool) -> Reply:
        """Write down what a person allows; all purposes if none is named."""
        reply = self.call("PUT", f"/v1/consent/{person}", {"dial": dial, "purposes": purposes or PURPOSES})
        assert reply.status == 200, reply.body
        return reply

    def send(self, *messages: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """Send messages in one batch; the account."""
        reply = self.post("/v1/batch", {"batch": messages}, headers)
        assert reply.status == 200, reply.body
        return reply.json

    def decide(
        self, person: str | None = None, placement: Any = "home", headers: Mapping[str, str] | None = None, **more: Any
    ) -> Any:
        """One decision."""
        reply = self.post("/v1/decide", {"placements": [placement], "person": person, **more}, headers)
        assert reply.status == 200, reply.body
        return reply.json["decisions"][0]

    @contextlib.contextmanager
    def each_worker(self, patience: float = 20) -> Iterator[list[http.client.HTTPConnection]]:
        """A connection to each worker, in the order of their process ids. Fewer than all once patience ran out."""
        found: dict[int, http.client.HTTPConnection] = {}
        opened: list[http.client.HTTPConnection] = []
        give_up = time.monotonic() + patience
        try:
            while len(found) < self.count and time.monotonic() < give_up:
                connection = self.connect(5)
                opened.append(connection)
                try:
                    speak(connection, "GET", "/healthz")
                except (OSError, http.client.HTTPException):
                    time.sleep(0.02)
                    continue
                worker = self._owner(connection)
                if worker is not None:
                    found.setdefault(worker, connection)
            yield [found[pid] for pid in sorted(found)]
        finally:
            for connection in opened:
                connection.close()

    def _owner(self, connection: http.client.HTTPConnection) -> int | None:
        """The worker at the other end of a connection: whoever holds the socket that /proc/net/tcp says is our peer."""
        ours, theirs = connection.sock.getsockname()[1], self.port
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            cells = line.split()
            if (int(cells[1].rpartition(":")[2], 16), int(cells[2].rpartition(":")[2], 16)) == (theirs, ours):
                for pid in self.workers():
                    with contextlib.suppress(OSError):
                        if any(
                            f"socket:[{cells[9]}]" == str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()
                        ):
                            return pid
        return None


def _lives(pid: int) -> bool:
    """Whether a process still runs; one that is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something is true; fail if it does not come about."""
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def served(
    home: Path, keys: Mapping[str, str], workers: int = 2, words: Sequence[str] = (), **environment: str
) -> Iterator[Server]:
    """Serve an installation until the block ends. words: further options of `tactful serve`."""
    server = Server(home, keys, workers, environment, words)
    try:
        yield server
        server.stop()
    finally:
        server.kill()


# ----------------------------------------------------------------------------------------------------------------- content


def crowd(count: int) -> list[Reader]:
    """Simulated grown-up readers with what they did in the last 90 days."""
    return [reader for reader in readers(count, SEED, time.time_ns() // 1_000_000) if not reader.child]


def messages_of(reader: Reader) -> list[dict[str, Any]]:
    """What a reader did, as messages."""
    return [
        {"type": "track", "event": act.verb, "messageId": act.id, "userId": reader.id, "timestamp": moment(act.at), "properties": {"item_id": act.book}}
        for act in reader.acts
    ]  # fmt: skip


def moment(at: int) -> str:
    """Milliseconds since 1970 as ISO 8601."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def message(person: str, name: str, item: str, verb: str = "viewed", **more: Any) -> dict[str, Any]:
    """One message: a person did something with an item, now."""
    return {
        "type": "track",
        "event": verb,
        "messageId": name,
        "userId": person,
        "properties": {"item_id": item},
        **more,
    }


def stocked(server: Server, people: int = 30) -> None:
    """Put our sample books on the shelves, and let some of our sample readers have been there."""
    shelf = json.loads(json.dumps([_plain(item_of(book)) for book in books()]))
    reply = server.post("/v1/items", {"items": shelf})
    assert reply.status == 200, reply.body
    for reader in crowd(people):
        server.allow(reader.id)
        for start in range(0, len(reader.acts), 400):
            account = server.send(*messages_of(reader)[start : start + 400])
            assert account["stored"] == account["sent"], account


def _plain(item: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(item)
