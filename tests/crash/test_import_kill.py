"""The kill proof of imports: killed anywhere and run again with the same command, an import ends with the account and the log that it
would have had, in every format that keeps count of them: rows, people, items, consents, quarantine."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tactful.stores.sqlite import open_sqlite
from tests.crash.proofs import note
from tests.http.served import installed, tactful

SEED = 20_261_121
PIECE = 500
ROWS = 12_000
KILLS_MOST = 6


def acts(path: Path) -> None:
    """Rows of 60 people in no order: a tenth broken, a tenth of things nobody has heard of, some twice under the same id."""
    dice = random.Random(SEED)
    with path.open("w") as file:
        file.write("id,person,item,at,value\n")
        for row in range(ROWS):
            name = f"row-{row if dice.random() > 0.05 else dice.randrange(row + 1)}"
            person = f"person-{dice.randrange(60)}"
            item = f"item-{dice.randrange(row // 40 + 5)}"
            value = dice.choice(["1", "2.5", "five"]) if dice.random() < 0.2 else "3"
            at = "never" if dice.random() < 0.03 else str(1_700_000_000 + row)
            file.write(f"{name},{'' if dice.random() < 0.02 else person},{item},{at},{value}\n")


def csv_command(folder: Path) -> list[str]:
    path = folder / "acts.csv"
    if not path.exists():
        acts(path)
    return ["csv", str(path), "--id", "id", "--value", "value", "--always", "rated", "--granted", "personalise,learn"]


def tactful_command(folder: Path) -> list[str]:
    path = folder / "all.ndjson"
    if not path.exists():
        home = folder / "origin"
        installed(home)
        tactful(home, "import", *csv_command(folder))
        tactful(home, "export", "tactful", str(path))
        lines = path.read_text().splitlines()
        lines[100:100] = ["{broken", lines[50], '{"kind":"event","person":"nobody","event":[1]}']
        path.write_text("\n".join([*lines, lines[200], lines[-1]]) + "\n")
    return ["tactful", str(path)]


def state(home: Path) -> dict[str, Any]:
    """What is kept, but for moments and the order of the log: what two runs of the same import must share."""
    stores = open_sqlite(home / "data", patience=20)
    try:
        people = {}
        for _, changes in stores.consents.everybody():
            name = changes[0].person
            events = [event for _, event in stores.events.read(name)]
            people[name] = sorted((event.id, event.at, event.item, event.value) for event in events)  # type: ignore[union-attr]
            assert len(events) == len({event.id for event in events}), f"{name} has something twice"
            assert len(changes) == 1, f"{name} agreed twice"
        packed = [raw for _, raw in stores.items.since(0)]
        pieces = sorted((one.field, one.why, one.raw) for one in stores.quarantine.pieces())
        return {"people": people, "items": sorted(packed), "rows": packed, "quarantine": pieces}
    finally:
        stores.close()


def kill_and_finish(home: Path, command: list[str], dice: random.Random, span: float) -> tuple[dict[str, Any], int]:
    """Run the command, kill it at random moments, then let it end: its account, and how often it was killed."""
    words = [sys.executable, "-m", "tactful", "--home", str(home), "import", *command, "--piece", str(PIECE), "--json"]
    kills = 0
    while True:
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            if kills < KILLS_MOST:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    wait_until_it_writes(process, home)
                    process.wait(dice.uniform(0.0, span))
                if process.poll() is None:
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1
            out, err = process.communicate(timeout=120)
        if process.returncode == 0 or out:  # who was killed after the account was shown had finished
            return json.loads(out), kills
        assert process.returncode == -signal.SIGKILL, err


def wait_until_it_writes(process: "subprocess.Popen[str]", home: Path) -> None:
    """Until this process has noted something, so that starting Python is not what is killed each time."""
    before = {path: path.stat().st_mtime_ns for path in (home / "imports").glob("*.json")}
    give_up = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < give_up:
        now = {path: path.stat().st_mtime_ns for path in (home / "imports").glob("*.json") if path.exists()}
        if now != before:
            return
        time.sleep(0.002)


def compared(account: dict[str, Any]) -> dict[str, Any]:
    """The account without how long it took and where it went on."""
    return {name: value for name, value in account.items() if name not in ("seconds", "resumed")}


@pytest.mark.prove
@pytest.mark.parametrize("form", [csv_command, tactful_command], ids=["csv", "tactful"])
def test_an_import_that_is_killed_anywhere_ends_as_if_it_had_not_been(
    form: Callable[[Path], list[str]], tmp_path: Path, scale: Callable[[int, int], int], request: pytest.FixtureRequest
) -> None:
    began, rounds = time.monotonic(), scale(2, 40)
    command, empty = form(tmp_path), tmp_path / "empty"
    installed(empty)
    calm = tmp_path / "calm"
    shutil.copytree(empty, calm)
    whole = json.loads(tactful(calm, "import", *command, "--piece", str(PIECE), "--json").stdout)
    span = whole["seconds"] * 0.6  # of work: the first kill comes after the first note
    assert whole["sent"] == whole["stored"] + whole["duplicate"] + whole["quarantined"] + whole["refused"]
    assert whole["duplicate"] > 0 < whole["quarantined"], "the file has a bit of everything"
    wanted = state(calm)
    wrong, killed = [], 0
    for number in range(rounds):
        home = tmp_path / f"home-{number}"
        shutil.copytree(empty, home)
        account, kills = kill_and_finish(home, command, random.Random(SEED + number), span)
        killed += kills
        if compared(account) != compared(whole):
            wrong.append(f"round {number}: account {compared(account)} instead of {compared(whole)}")
        wrong += [f"round {number}: {name} differ" for name, value in state(home).items() if value != wanted[name]]
        assert not list((home / "imports").glob("*.json")), "what is finished leaves no note"
        shutil.rmtree(home)
    if request.config.getoption("--prove"):
        note(f"import {command[0]}: kills after which it ended as if there had been none", killed, len(wrong), time.monotonic() - began)  # fmt: skip
    assert not wrong, wrong[:5]
    assert killed >= rounds, "it was really killed"
