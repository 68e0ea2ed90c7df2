"""A made-up shop of any size, its people and their habits, installed and trained; and the servers to measure."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from tactful.cli.install import install
from tactful.domain.consent import ConsentChange, Dial
from tactful.domain.event import Arrival
from tactful.domain.item import Item
from tactful.learn.train import fit, learners
from tactful.stores.sqlite import open_sqlite
from tactful.wire import engine_of, interactions_in, read_home

SEED = 20_261_120


def build(home: Path, items: int, people: int, history: int, train: bool = True, more: str = "") -> dict[str, str]:
    """Make the installation and answer with its keys. Items fall into kinds, people have a few kinds they like. more: TOML for the end
    of its `tactful.toml`."""
    keys = install(home)
    with (home / "tactful.toml").open("a") as settings:
        settings.write(more)
    dice = np.random.default_rng(SEED)
    kinds = max(20, items // 250)
    kind_of = dice.integers(0, kinds, items)
    members = [np.flatnonzero(kind_of == kind) for kind in range(kinds)]
    stores = open_sqlite(home / "data")
    engine = engine_of(read_home(home), stores)
    catalogue = [
        Item(id=f"item-{row:06d}", title=f"Thing number {row}", kind="thing", audience="everyone",
             attributes={"kind": f"kind-{kind_of[row]}", "maker": f"maker-{row % max(50, items // 40)}"})
        for row in range(items)
    ]  # fmt: skip
    engine.stores.items.put(catalogue).wait()
    now = engine.shell.now()
    change = ConsentChange(now, "benchmark", "1", Dial.remember, {"personalise": True, "learn": True})
    engine.stores.consents.append([(f"person-{number}", change) for number in range(people)]).wait()
    piece: list[Arrival] = []
    for number in range(people):
        likes = dice.integers(0, kinds, 4)
        picks = dice.integers(0, 1 << 30, history)
        which = likes[dice.integers(0, 4, history)]
        for place in range(history):
            mine = members[which[place]]
            row = mine[picks[place] % len(mine)] if len(mine) else int(picks[place]) % items
            at = now - (history - place) * 3_600_000
            piece.append(
                Arrival(
                    id=f"e{place}",
                    person=f"person-{number}",
                    name="viewed",
                    at=at,
                    verb="viewed",
                    items=(f"item-{row:06d}",),
                )
            )
        if len(piece) >= 20_000:
            engine.take(piece).wait()
            piece = []
    if piece:
        engine.take(piece).wait()
    if train:
        interactions = interactions_in(engine)
        for strategy in learners(one for recipe in engine.recipes.values() for one in recipe.strategies).values():
            engine.models.save(fit(strategy, interactions, engine.shelf().catalogue))
    stores.close()
    return keys


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def serving(command: list[str], port: int, path: str = "/healthz") -> Iterator[tuple[int, float]]:
    """Run a server until the block ends. Gives its process id, and the seconds until its first answer."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL) as process:
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1).read()
                    break
                except OSError:
                    if process.poll() is not None:
                        raise SystemExit(f"the server ended with {process.returncode}") from None
                    time.sleep(0.01)
            yield process.pid, time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def tactful(home: Path, workers: int) -> Iterator[tuple[int, int, float]]:
    """Serve an installation. Gives port, process id, seconds to the first answer."""
    port = free_port()
    command = ["-m", "tactful", "--home", str(home), "serve", "--port", str(port), "--workers", str(workers)]
    with serving(command, port) as (pid, seconds):
        yield port, pid, seconds


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == pid:
                found += family(int(entry.name))
    return found


def memory_mib(pid: int) -> float:
    """Proportional set size (shared pages counted once among those who share them) of a process and all below it, in MiB."""
    total = 0
    for one in family(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def machine() -> str:
    """What it runs on, for the table's foot."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "?",
    )
    return f"{os.cpu_count()} cores, {model}, Python {sys.version.split()[0]}"


def show(name: str, figures: dict[str, object], as_json: bool) -> None:
    """Print one benchmark's figures."""
    if as_json:
        print(msgspec.json.encode({"benchmark": name, **figures}).decode())
        return
    print(f"\n{name}  ({machine()})")
    for key, value in figures.items():
        text = (
            f"{value:,.3f}"
            if isinstance(value, float) and abs(value) < 100
            else f"{value:,.0f}"
            if isinstance(value, (int, float))
            else str(value)
        )
        print(f"  {key:<28} {text}")
