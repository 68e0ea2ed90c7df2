"""How fast events are taken: durable (synchronous=FULL), sealed, visible to the next decision; the bare commit of this disk beside it."""

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import uvloop

from benchmarks.load import closed_loop, request
from benchmarks.world import build, show, tactful


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--people", type=int, default=1_000)
    options.add_argument("--batches", type=int, default=400, help="of 100 events, each run")
    options.add_argument("--singles", type=int, default=8_000, help="requests with one event, each run")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--workers", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="tactful-bench-") as folder:
        home = Path(folder) / "home"
        keys = build(home, 5_000, chosen.people, 5, train=True)
        auth = {"Authorization": f"Bearer {keys['secret']}"}
        figures: dict[str, object] = {"workers": chosen.workers}
        with tactful(home, chosen.workers) as (port, _, _):
            batched, single, failed = [], [], 0
            for run in range(chosen.runs):
                many = uvloop.run(closed_loop(port, _batches(chosen.batches, 100, chosen.people, auth, f"m{run}"), 8))
                ones = uvloop.run(closed_loop(port, _batches(chosen.singles, 1, chosen.people, auth, f"s{run}"), 32))
                batched.append(many.per_second * 100)
                single.append(ones.per_second)
                failed += many.failed + ones.failed
        figures |= {
            "batched_per_second": statistics.median(batched),
            "single_per_second": statistics.median(single),
            "commit_ms": _commit_ms(Path(folder) / "bare.db"),
            "failed": failed,
        }
    show("ingest", figures, chosen.json)


def _batches(count: int, size: int, people: int, auth: dict[str, str], run: str) -> list[bytes]:
    dice = np.random.default_rng(7)
    payloads = []
    for number in range(count):
        who, what = dice.integers(0, people, size), dice.integers(0, 5_000, size)
        events = [
            {
                "type": "track", "event": "Product Viewed", "messageId": f"{run}-{number}-{place}", "userId": f"person-{who[place]}",
                "properties": {"product_id": f"item-{what[place]:06d}", "name": "A thing with a name", "price": 12.9, "currency": "EUR",
                               "category": "things", "position": 3, "url": "https://shop.example/things/1"},
                "context": {"library": {"name": "bench", "version": "1"}, "page": {"path": "/things/1", "referrer": ""}},
            }
            for place in range(size)
        ]  # fmt: skip
        payloads.append(request("/v1/batch", json.dumps({"batch": events}).encode(), auth))
    return payloads


def _commit_ms(path: Path) -> float:
    """Milliseconds of one commit of one row on this disk: what nobody can be faster than without grouping."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (x BLOB)")
    began = time.perf_counter()
    for _ in range(300):
        connection.execute("INSERT INTO row VALUES (zeroblob(200))")
    spent = time.perf_counter() - began
    connection.close()
    return spent / 300 * 1000


if __name__ == "__main__":
    main()
