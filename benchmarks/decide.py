"""How fast decisions are: 12 chosen from 100,000 items for people with 100 events, consent gate, sealed store and receipt on."""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import uvloop

from benchmarks.load import Result, closed_loop, open_loop, request
from benchmarks.world import build, free_port, serving, show, tactful
from tactful.domain.decision import Ask
from tactful.stores.sqlite import connect
from tactful.wire import engine_of, read_home

# A home page as the demo bookshop has it: five rows of twelve, each with its own way of choosing, in the person's order.
PAGE = """
[placements.next]
words = "Where others went on to"
purpose = "personalise"
guards = [{ use = "already_have" }]
strategy = { use = "item_transitions" }

[placements.alike]
words = "Close to what you looked at"
purpose = "personalise"
guards = [{ use = "already_have" }]
strategy = { use = "similar" }

[pages.front]
rows = ["home", "next", "alike", "discover", "popular"]
show = 5
"""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--items", type=int, default=100_000)
    options.add_argument("--people", type=int, default=1_000)
    options.add_argument("--history", type=int, default=100)
    options.add_argument(
        "--rate", type=float, default=200.0, help="requests a second; a fifth of it for pages of five rows"
    )
    options.add_argument("--seconds", type=float, default=8.0)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--workers", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="tactful-bench-") as folder:
        home = Path(folder) / "home"
        keys = build(home, chosen.items, chosen.people, chosen.history, more=PAGE)
        figures = {"items": chosen.items, "people": chosen.people, "workers": chosen.workers}
        figures |= _served(home, keys["secret"], chosen)
        figures |= _echo(chosen)
    show("decide", figures, chosen.json)


def _served(home: Path, key: str, chosen: argparse.Namespace) -> dict[str, object]:
    auth = {"Authorization": f"Bearer {key}"}
    dice = np.random.default_rng(1)
    people = dice.integers(0, chosen.people, 2_000)
    decide = [
        request("/v1/decide", json.dumps({"person": f"person-{who}", "placements": ["home"]}).encode(), auth)
        for who in people
    ]
    rank = [
        request("/v1/rank", json.dumps({
            "person": f"person-{who}", "placement": "home",
            "items": [f"item-{row:06d}" for row in dice.choice(chosen.items, 100, replace=False)],
        }).encode(), auth)
        for who in people[:500]
    ]  # fmt: skip
    page = [
        request("/v1/decide/page", json.dumps({"person": f"person-{who}", "page": "front"}).encode(), auth)
        for who in people
    ]
    with tactful(home, chosen.workers) as (port, _, _):
        uvloop.run(closed_loop(port, decide, 16, 2.0))  # warm
        uvloop.run(closed_loop(port, page, 4, 2.0))
        paced = [uvloop.run(open_loop(port, decide, chosen.rate, chosen.seconds)) for _ in range(chosen.runs)]
        ranked = [uvloop.run(open_loop(port, rank, chosen.rate, chosen.seconds)) for _ in range(chosen.runs)]
        pages = [uvloop.run(open_loop(port, page, chosen.rate / 5, chosen.seconds)) for _ in range(chosen.runs)]
        full = [uvloop.run(closed_loop(port, decide, 16, chosen.seconds / 2)) for _ in range(chosen.runs)]
        in_process = uvloop.run(_in_process(home, chosen.people))
    return {
        "rate": chosen.rate,
        "p50_ms": _median(paced, 0.5),
        "p99_ms": _median(paced, 0.99),
        "rerank_p50_ms": _median(ranked, 0.5),
        "rerank_p99_ms": _median(ranked, 0.99),
        "page_p50_ms": _median(pages, 0.5),
        "page_p99_ms": _median(pages, 0.99),
        "per_second": statistics.median(result.per_second for result in full),
        "inprocess_ms": in_process,
        "failed": sum(result.failed for result in (*paced, *ranked, *pages, *full)),
    }


def _echo(chosen: argparse.Namespace) -> dict[str, object]:
    port = free_port()
    payloads = [request("/echo", b"x" * 1024, {})]
    with serving(["-m", "benchmarks.echo", str(port)], port):
        uvloop.run(closed_loop(port, payloads, 16, 1.0))
        paced = [uvloop.run(open_loop(port, payloads, chosen.rate, chosen.seconds / 2)) for _ in range(3)]
        full = [uvloop.run(closed_loop(port, payloads, 16, 2.0)) for _ in range(3)]
    return {
        "echo_p50_ms": _median(paced, 0.5),
        "echo_p99_ms": _median(paced, 0.99),
        "echo_per_second": statistics.median(result.per_second for result in full),
    }


async def _in_process(home: Path, people: int) -> float:
    """Milliseconds a decision, back to back, without HTTP: beside a running writer, receipts handed over but not waited for."""
    stores = await connect(home / "data")
    engine = engine_of(read_home(home), stores)
    names = [f"person-{number}" for number in range(min(people, 300))]
    for name in names:
        engine.decide(name, [Ask("home")])
    began = time.perf_counter()
    for name in names * 3:
        engine.decide(name, [Ask("home")])
        await asyncio.sleep(0)
    spent = time.perf_counter() - began
    stores.close()
    return spent / (3 * len(names)) * 1000


def _median(results: list[Result], share: float) -> float:
    return statistics.median(result.percentile(share) for result in results)


if __name__ == "__main__":
    main()
