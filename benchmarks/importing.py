"""How fast a file is imported, and in how much memory: generated rows, through the gate, sealed and durable.

By person is the order of MovieLens and of most tables; by time is that of a log, where each piece names nearly everybody once.
Where others use the machine too, `rows_per_cpu_second` says more than `rows_per_second`: the import is one busy process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.world import SEED, show
from tactful.cli.install import install

FIRST = 1_600_000_000
_AT_ONCE = 500_000


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--history", type=int, default=100, help="rows a person, on average")
    options.add_argument("--items", type=int, default=10_000)
    options.add_argument("--order", choices=["person", "time"], default="person", help="as the rows lie in the file")
    chosen = options.parse_args()
    people = max(1, chosen.rows // chosen.history)
    with tempfile.TemporaryDirectory(prefix="tactful-bench-") as folder:
        home, path = Path(folder) / "home", Path(folder) / "acts.csv"
        install(home)
        generate(path, chosen.rows, people, chosen.items, chosen.order)
        ceiling = _read_per_second(path)
        account, wall, used = _import(home, path)
        kept = sum(file.stat().st_size for file in (home / "data").iterdir())
    adds_up = account["sent"] == account["stored"] == chosen.rows
    figures: dict[str, object] = {
        "order": chosen.order, "rows": chosen.rows, "people": people, "items": chosen.items,
        "rows_per_second": chosen.rows / wall, "seconds": wall, "cpu_seconds": used.ru_utime + used.ru_stime,
        "rows_per_cpu_second": chosen.rows / (used.ru_utime + used.ru_stime),
        "peak_mib": used.ru_maxrss / 1024, "disk_mib": kept / 2**20,
        "csv_reader_alone_per_second": ceiling, "account_adds_up": adds_up,
    }  # fmt: skip
    show("importing", figures, chosen.json)


def generate(path: Path, rows: int, people: int, items: int, order: str) -> None:
    """Write a made-up file: who did what is drawn evenly, times rise by a second a row (in order of time) or a person (of person)."""
    dice = np.random.default_rng(SEED)
    with path.open("w", encoding="utf-8") as file:
        file.write("person,item,at,value\n")
        for start in range(0, rows, _AT_ONCE):
            count = min(_AT_ONCE, rows - start)
            place = np.arange(start, start + count)
            who = place * people // rows if order == "person" else dice.integers(0, people, count)
            what, stars = dice.integers(0, items, count), dice.integers(1, 6, count)
            columns = zip(who.tolist(), what.tolist(), place.tolist(), stars.tolist(), strict=True)
            file.writelines(f"person-{one},item-{item},{FIRST + at},{value}\n" for one, item, at, value in columns)


def _import(home: Path, path: Path) -> tuple[dict[str, int], float, resource.struct_rusage]:
    """The account, wall seconds from start to end of the process, and what it used: processor, largest resident memory."""
    command = [sys.executable, "-m", "tactful", "--home", str(home), "import", "csv", str(path), "--value", "value"]
    command += ["--always", "rated", "--granted", "personalise,learn", "--source", "benchmark", "--json"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(process.returncode)
    return json.loads(said), wall, used


def _read_per_second(path: Path) -> float:
    """Rows a second of Python's csv.reader doing nothing with them: the ceiling on this machine at this hour."""
    import csv

    began = time.perf_counter()
    with path.open(newline="", encoding="utf-8") as file:
        rows = sum(1 for _ in csv.reader(file))
    return rows / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
