"""The account adds up: whatever comes in is stored, a duplicate, quarantined or refused, and nothing is anything else.

Eight clients send the same shuffled stream of good, malformed, repeated and unwanted events to two workers. What should become
of each is known beforehand, so the account is compared to it exactly, and then to what the store really holds.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tactful.stores.sqlite import open_sqlite
from tests.crash.proofs import note
from tests.http.served import Server, installed, served, speak

SEED = 20_261_121
CLIENTS = 8
BATCH = 100
ASKED, SILENT = 400, 40
"""People who agreed, and people who never did."""

MALFORMED: tuple[Callable[[dict[str, Any]], Any], ...] = (
    lambda good: {**good, "properties": {}},
    lambda good: {**good, "timestamp": "1970-01-01T00:00:00Z"},
    lambda good: {**good, "properties": "emma"},
    lambda good: {**good, "userId": {"id": 5}},
    lambda good: {**good, "messageId": "m" * 300},
    lambda good: [good],
    lambda good: 5,
)


def stream(dice: random.Random, count: int) -> tuple[list[tuple[str, Any]], int]:
    """(what it is, the message) of every send, shuffled; and how many different good events there are among them."""
    sends: list[tuple[str, Any]] = []
    good = 0
    while len(sends) < count:
        number = len(sends)
        kind = dice.random()
        person = f"person-{dice.randrange(ASKED)}"
        message = {
            "type": "track", "event": "Product Viewed", "messageId": f"m-{number}", "userId": person,
            "properties": {"product_id": f"thing-{dice.randrange(500)}", "list": "home"},
        }  # fmt: skip
        if kind < 0.1:
            sends.append(("malformed", dice.choice(MALFORMED)(message)))
        elif kind < 0.15:
            sends.append(("unwanted", {**message, "userId": f"silent-{dice.randrange(SILENT)}"}))
        else:
            good += 1
            sends += [("good", message)] * (2 if kind < 0.25 else 1)
    dice.shuffle(sends)
    return sends, good


class Client(threading.Thread):
    """Sends its share in batches and adds up the answers."""

    def __init__(self, server: Server, bodies: list[bytes]) -> None:
        super().__init__()
        self.server, self.bodies = server, bodies
        self.account: Counter[str] = Counter()

    def run(self) -> None:
        connection = self.server.connect()
        for body in self.bodies:
            reply = speak(connection, "POST", "/v1/batch", body, self.server.as_server())
            assert reply.status == 200, reply.body
            told = reply.json
            self.account.update(
                {name: told[name] for name in ("sent", "stored", "duplicate", "quarantined", "refused")}
            )
        connection.close()


def shares(sends: list[tuple[str, Any]]) -> Iterable[list[bytes]]:
    """The stream, dealt out to the clients in batches."""
    batches = [sends[start : start + BATCH] for start in range(0, len(sends), BATCH)]
    bodies = [json.dumps({"batch": [message for _, message in batch]}).encode() for batch in batches]
    return [bodies[number::CLIENTS] for number in range(CLIENTS)]


@pytest.mark.prove
def test_what_was_sent_is_stored_duplicate_quarantined_or_refused_exactly(
    home: Path, scale: Callable[[int, int], int]
) -> None:
    began = time.monotonic()
    sends, good = stream(random.Random(SEED), scale(20_000, 1_000_000))
    what = Counter(kind for kind, _ in sends)
    with served(home, installed(home)) as server:
        for number in range(ASKED):
            server.allow(f"person-{number}")
        clients = [Client(server, bodies) for bodies in shares(sends)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    account = sum((client.account for client in clients), Counter())
    assert account == {
        "sent": len(sends), "stored": good, "duplicate": what["good"] - good,
        "quarantined": what["malformed"], "refused": what["unwanted"],
    }  # fmt: skip
    stores = open_sqlite(home / "data")
    try:
        kept = sum(len(events) for _, events in stores.events.people())
        pieces = len(stores.quarantine.pieces())
    finally:
        stores.close()
    assert (kept, pieces) == (good, what["malformed"])
    note("events of which the account adds up and the store agrees", len(sends), 0, time.monotonic() - began)
