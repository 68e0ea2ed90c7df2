"""What it weighs: import, start with trained models, memory of all processes, training time; 100,000 items and 100,000 people."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.load import closed_loop, request
from benchmarks.world import build, memory_mib, show, tactful
from tactful.learn.train import fit, learners
from tactful.stores.sqlite import open_sqlite
from tactful.wire import engine_of, interactions_in, read_home


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--items", type=int, default=100_000)
    options.add_argument("--people", type=int, default=100_000)
    options.add_argument("--history", type=int, default=10)
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    figures: dict[str, object] = {"items": chosen.items, "people": chosen.people, "workers": chosen.workers}
    figures["import_s"] = statistics.median(_import_s() for _ in range(5))
    with tempfile.TemporaryDirectory(prefix="tactful-bench-") as folder:
        home = Path(folder) / "home"
        began = time.perf_counter()
        keys = build(home, chosen.items, chosen.people, chosen.history, train=False)
        figures["events"] = chosen.people * chosen.history
        figures["fill_s"] = time.perf_counter() - began
        figures["train_s"] = _train_s(home)
        starts = []
        for _ in range(3):
            with tactful(home, chosen.workers) as (port, pid, seconds):
                starts.append(seconds)
                uvloop.run(closed_loop(port, _decisions(keys["secret"], chosen.people), 16, 5.0))
                figures["rss_mib"] = memory_mib(pid)
        figures["start_s"] = statistics.median(starts)
    show("footprint", figures, chosen.json)


def _import_s() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import tactful, tactful.engine"], check=True)
    whole = time.perf_counter() - began
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return whole - (time.perf_counter() - began)


def _train_s(home: Path) -> float:
    """Read the log and fit every model of the default recipes."""
    stores = open_sqlite(home / "data")
    engine = engine_of(read_home(home), stores)
    began = time.perf_counter()
    interactions = interactions_in(engine)
    for strategy in learners(one for recipe in engine.recipes.values() for one in recipe.strategies).values():
        engine.models.save(fit(strategy, interactions, engine.shelf().catalogue))
    spent = time.perf_counter() - began
    stores.close()
    return spent


def _decisions(key: str, people: int) -> list[bytes]:
    """Decisions for people all over the house, so that the caches fill as they would."""
    auth = {"Authorization": f"Bearer {key}"}
    return [
        request(
            "/v1/decide",
            json.dumps({"person": f"person-{number * 7919 % people}", "placements": ["home"]}).encode(),
            auth,
        )
        for number in range(20_000)
    ]


if __name__ == "__main__":
    main()
