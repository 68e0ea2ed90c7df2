"""The kill proof: whatever is killed, and whenever, no acknowledged event is lost, none is kept twice, and all count at once.

An outside client keeps its own list of what was acknowledged. It sends steadily, over several connections, single events and
batches, while at a random moment everything, or the supervisor, the writer or one worker, gets SIGKILL. What it has no answer
for it sends again, as clients do, or gives up. SIGKILL takes the processes, not the machine: what was written but had not
reached the disk survives it, so this says nothing about a power cut; for that there is `synchronous=FULL`.
"""

import contextlib
import http.client
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from tactful.stores.sqlite import open_sqlite
from tests.crash.proofs import note
from tests.http.served import Server, installed, message, served, speak, tactful, until

SEED = 20_261_120
CLIENTS = 4
ITEMS = 4000
NEVER_DONE = "thing-never"
SIZES = (1, 1, 1, 1, 3, 10, 40)
KINDS = ("everything", "supervisor", "writer", "worker", "everything, again while it starts", "writer", "everything")
PAUSE = 0.01
"""Seconds between two batches of a client, at most: it proves, it does not benchmark."""
Refused = (OSError, http.client.HTTPException)


class Client(threading.Thread):
    """Somebody outside who sends events as one person after another, and keeps account of what was acknowledged.

    acknowledged, sent: message ids by person. What was sent without an answer may be kept or not, but not twice.
    wrong: what broke a promise. looked: decisions looked at, each right after an acknowledgement.
    """

    def __init__(self, server: Server, number: int, chapter: "Chapter") -> None:
        super().__init__(name=f"client-{number}")
        self.server, self.number, self.chapter = server, number, chapter
        self.dice = random.Random(SEED + number)
        self.acknowledged: dict[str, list[str]] = {}
        self.sent: dict[str, set[str]] = {}
        self.wrong: list[str] = []
        self.looked = 0
        self._connection: http.client.HTTPConnection | None = None
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.chapter.over.is_set():
                self._be(f"person-{self.number}-{self.chapter.number}", self.chapter.number)
        except BaseException as failure:  # noqa: BLE001 - the main thread raises it again
            self.failure = failure
        finally:
            self._hang_up()

    def _be(self, person: str, chapter: int) -> None:
        """Be this person until the chapter ends, at most until they have done everything there is to do."""
        consent = {"dial": "remember", "purposes": {"personalise": True, "learn": True}}
        while self._ask("PUT", f"/v1/consent/{person}", consent) is None:
            if self.chapter.over.is_set():
                return
        self.sent[person] = set()
        self.acknowledged[person] = []
        place = 0
        while place < ITEMS and self.chapter.number == chapter and not self.chapter.over.is_set():
            things = list(range(place, min(place + self.dice.choice(SIZES), ITEMS)))
            place += len(things)
            self._send(person, things)
            time.sleep(self.dice.uniform(0.0, PAUSE))

    def _send(self, person: str, things: list[int]) -> None:
        """Finish these things: again and again until it is acknowledged, or else give up at the first failure."""
        names = [f"{person}-{thing}" for thing in things]
        batch = [message(person, name, f"thing-{thing}", "finished") for name, thing in zip(names, things, strict=True)]
        patient = self.dice.random() < 0.7
        tries = 0
        self.sent[person].update(names)
        while True:
            account = self._ask("POST", "/v1/batch", {"batch": batch})
            tries += 1
            if account is not None:
                break
            if not patient or self.chapter.over.is_set():
                return
        if account["stored"] + account["duplicate"] != len(batch) or (tries == 1 and account["duplicate"]):
            self.wrong.append(f"{person} {things}: wrong account {account}")
            return
        self.acknowledged[person] += names
        if self.dice.random() < 0.5:
            self._look(person, things)

    def _look(self, person: str, things: list[int]) -> None:
        """Whether the next decision, on whichever worker takes a fresh connection, knows that these things are finished."""
        self._hang_up()
        candidates = [*[f"thing-{thing}" for thing in things], NEVER_DONE]
        reply = self._ask("POST", "/v1/rank", {"placement": "home", "person": person, "items": candidates})
        if reply is not None:
            self.looked += 1
            shown = [item["id"] for item in reply["items"]]
            if shown != [NEVER_DONE]:
                self.wrong.append(f"{person}: acknowledged, but the next decision offers {shown}")

    def _ask(self, method: str, path: str, body: object) -> dict[str, object] | None:
        """The answer, or None if there is none or if it says to come back later."""
        try:
            if self._connection is None:
                self._connection = self.server.connect()
            reply = speak(self._connection, method, path, body, self.server.as_server())
        except Refused:
            self._hang_up()
            time.sleep(0.01)
            return None
        if reply.status == 200:
            found: dict[str, object] = reply.json
            return found
        if reply.status != 503 or "retry-after" not in reply.headers:
            self.wrong.append(f"{method} {path}: {reply.status} {reply.body[:200]!r}")
        time.sleep(0.02)
        return None

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Chapter:
    """How far the proof has come; clients turn to a new person with each chapter."""

    def __init__(self) -> None:
        self.number = 0
        self.over = threading.Event()


def kill(server: Server, kind: str, dice: random.Random) -> None:
    """SIGKILL to a part of the server; back once it is whole again."""
    match kind:
        case "writer":
            os.kill(server.writer(), signal.SIGKILL)
        case "worker":
            os.kill(dice.choice(server.workers()), signal.SIGKILL)
        case "supervisor":
            children = server.children()
            server.process.kill()
            server.process.wait(10)
            until(
                lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 20, "nobody outlives the supervisor"
            )
            server.start()
        case _:
            server.kill()
            if "again" in kind:
                server.launch()
                time.sleep(dice.uniform(0.0, 1.0))
                server.kill()
            server.start()
    if kind in ("writer", "worker"):
        time.sleep(0.3)  # the supervisor looks every 0.2 s
        server.await_whole()


def verdict(home: Path, clients: list[Client], people: set[str]) -> tuple[int, list[str]]:
    """Events looked for, and what is lost or doubled, read from the event log itself."""
    looked, wrong = 0, []
    stores = open_sqlite(home / "data", patience=20)
    try:
        for client in clients:
            for person in sorted(people & client.acknowledged.keys()):
                acknowledged = list(client.acknowledged[person])
                kept = [event.id for _, event in stores.events.read(person)]
                once = set(kept)
                looked += len(acknowledged)
                wrong += [f"{name} was acknowledged and is lost" for name in acknowledged if name not in once]
                if len(kept) != len(once):
                    wrong.append(f"{person} has {len(kept) - len(once)} events twice")
                wrong += [f"{name} was never sent" for name in once - client.sent[person]]
    finally:
        stores.close()
    return looked, wrong


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many kills: 5 in the tests; with --prove 100, or as many as TACTFUL_PROVE says."""
    return int(os.environ.get("TACTFUL_PROVE", "100")) if request.config.getoption("--prove") else 5


@pytest.mark.prove
def test_no_acknowledged_event_is_lost_or_doubled_or_late_whatever_is_killed_and_when(
    tmp_path: Path, rounds: int, request: pytest.FixtureRequest
) -> None:
    began = time.monotonic()
    dice = random.Random(SEED)
    keys = installed(tmp_path)
    kinds = [KINDS[number % len(KINDS)] for number in range(rounds)]
    dice.shuffle(kinds)
    with served(tmp_path, keys) as server:
        things = [
            {"id": name, "title": name, "audience": "everyone"}
            for name in (NEVER_DONE, *[f"thing-{n}" for n in range(ITEMS)])
        ]
        assert server.post("/v1/items", {"items": things}).status == 200
        tactful(tmp_path, "train")
        until(lambda: server.get("/healthz").json["status"] == "ok", 20, "the model is there")
        server.await_whole()
        chapter = Chapter()
        clients = [Client(server, number, chapter) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        failed: dict[int, list[str]] = {}
        events = 0
        try:
            for number, kind in enumerate(kinds):
                time.sleep(dice.uniform(0.05, 0.5))
                kill(server, kind, dice)
                chapter.number += 1
                # In this chapter clients may still be at their last batch: it is judged in the next one, and all are at the end.
                done = {f"person-{client.number}-{number - 1}" for client in clients}
                looked, wrong = verdict(tmp_path, clients, done)
                events += looked
                wrong += drain(clients)
                if wrong:
                    failed[number] = [f"round {number} ({kind}): {one}" for one in wrong]
        finally:
            chapter.over.set()
            for client in clients:
                client.join(60)
        everybody = {person for client in clients for person in client.acknowledged}
        events, wrong = verdict(tmp_path, clients, everybody)
        wrong += drain(clients)
        if wrong:
            failed[rounds] = wrong
    seconds = time.monotonic() - began
    looked = sum(client.looked for client in clients)
    messages = [one for found in failed.values() for one in found]
    print(
        f"{rounds} kills, {events:,} acknowledged events, {looked:,} decisions right after one, {seconds:.0f} s; {len(messages)} wrong"
    )
    if request.config.getoption("--prove"):
        note("kill: rounds after which every acknowledged event was kept, once", rounds, len(failed), seconds)
        note(
            "kill: acknowledged events kept, once",
            events,
            sum("lost" in one or "twice" in one for one in messages),
            seconds,
        )
        note(
            "kill: acknowledged events in the very next decision of any worker",
            looked,
            sum("next decision" in one for one in messages),
            seconds,
        )
    for client in clients:
        if client.failure is not None:
            raise client.failure
    assert not messages, messages[:10]
    assert events > 20 * rounds
    assert looked > rounds
    assert not list(tmp_path.glob("**/*.draft"))


def drain(clients: list[Client]) -> list[str]:
    """What the clients themselves found wrong since the last look."""
    found = []
    for client in clients:
        with contextlib.suppress(IndexError):
            while True:
                found.append(client.wrong.pop())
    return found
