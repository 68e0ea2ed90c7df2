"""What `tactful doctor` looks at."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tactful.cli.show import as_json, table
from tactful.domain.curated import PROPOSED
from tactful.domain.errors import BadInput, StoreBroken, TactfulError
from tactful.stores.sqlite.files import disk_errors, take_lock
from tactful.stores.sqlite.links import Blocking

if TYPE_CHECKING:
    from tactful.engine import Engine

_ANSWER_S = 5.0  # seconds that the writer has for an answer

Finding = tuple[str, bool, str]


def show(home: Path, machine: bool) -> None:
    """Print the findings; leave with 1 if anything needs mending."""
    findings = examine(home)
    if machine:
        as_json([{"check": name, "ok": ok, "says": says} for name, ok, says in findings])
    else:
        table(((name, "ok" if ok else "MEND", says) for name, ok, says in findings), ("check", "", "finding"))
    if not all(ok for _, ok, _ in findings):
        raise SystemExit(1)


def examine(home: Path) -> list[Finding]:
    """(check, whether it is well, what was found and what would mend it), in order; a check that needs a failed one is left out."""
    findings: list[Finding] = []

    def check(name: str, look: Callable[[], str]) -> bool:
        try:
            says = look()
        except TactfulError as error:
            findings.append((name, False, str(error)))
            return False
        findings.append((name, True, says))
        return True

    if not check("settings", lambda: _settings(home)):
        return findings
    check("keys", lambda: _keys(home))
    check("stores", lambda: _stores(home))
    check("catalogue", lambda: _catalogue(home))
    check("lists", lambda: _lists(home))
    check("writing", lambda: _writing(home / "data"))
    free = shutil.disk_usage(home).free
    findings.append(
        ("disk", free > 1 << 30, f"{free / 1e9:.1f} GB free" + ("" if free > 1 << 30 else "; free some space"))
    )
    return findings


def _settings(home: Path) -> str:
    from tactful.wire import read_home

    found = read_home(home)
    charter = found.charter
    return f"{len(found.recipes)} placements; charter {charter.version} of {charter.operator}, {len(charter.purposes)} purposes, {len(charter.data)} kinds of data"


def _keys(home: Path) -> str:
    from tactful.api.access import Access

    Access.read(home / "access.json")
    open_to_others = (home / "access.json").stat().st_mode & 0o077
    return "readable by others: run chmod 600 access.json" if open_to_others else "hashed, readable by you alone"


def _writing(data: Path) -> str:
    """Whether something can be written, and whether the writer, if there is one, answers."""
    from tactful.stores.durable import write_whole
    from tactful.stores.sqlite import copies

    if copies.interrupted(data):
        raise StoreBroken(why=f"{data}: putting a backup back was interrupted; run the same `tactful restore` again")
    probe = data / ".doctor"
    try:
        with disk_errors():
            write_whole(probe, bytes(1 << 16))
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    lock = take_lock(data)
    if lock is not None:
        os.close(lock)
        return "can be written to; nobody does just now"
    writer = Blocking(data, _ANSWER_S)
    try:
        writer.flush()
    finally:
        writer.close()
    return "the writer answers"


def _catalogue(home: Path) -> str:
    from tactful.cli.opening import opened
    from tactful.cli.stockcheck import examine

    with opened(home) as (_, engine):
        shelf = engine.shelf()
        findings = examine(shelf.catalogue, engine.charter, engine.shell.now())
    wrong = [f"{one.what}: {one.count:,} ({', '.join(one.examples)})" for one in findings if one.mend]
    if wrong:
        raise BadInput(field="the catalogue", why="; ".join(wrong), fix="`tactful items check` says what to do")
    return f"{findings[0].count:,} of {len(shelf.catalogue):,} items can be shown now"


def _lists(home: Path) -> str:
    """Lists that people pick by hand: each can be read, is there if a placement shows it, and what it holds can be shown."""
    from tactful.cli.opening import opened

    with opened(home) as (whole, engine):
        lists, catalogue, now = whole.lists.read(), engine.shelf().catalogue, engine.shell.now()
        missing = sorted(_lists_shown(engine) - lists.keys())
    wrong = [
        f"a placement shows {name!r}, which is not there: `tactful list add {name} ITEM` begins it" for name in missing
    ]
    for name, found in lists.items():
        gone = [entry.item for entry in found.entries if catalogue.get(entry.item) is None]
        past = [entry.item for entry in found.entries if entry.over(now)]
        for items, what in ((gone, "not in the catalogue"), (past, "past its last day")):
            if items:
                wrong.append(
                    f"{name} holds what is {what} ({', '.join(items[:5])}): `tactful list remove {name} {items[0]}`"
                )
    if wrong:
        raise BadInput(field="lists", why="; ".join(wrong), fix="What is wrong is left out meanwhile")
    waiting = sum(entry.state == PROPOSED for found in lists.values() for entry in found.entries)
    return f"{len(lists)} lists; {waiting} items wait to be approved"


def _lists_shown(engine: "Engine") -> set[str]:
    from tactful.learn.train import parts_below
    from tactful.strategies.curated import Curated

    whole = [one for recipe in engine.recipes.values() for one in (recipe.strategy, recipe.maker) if one is not None]
    return {part.name for one in whole for part in (one, *parts_below(one)) if isinstance(part, Curated)}


def _stores(home: Path) -> str:
    from tactful.cli.opening import opened

    with opened(home) as (_, engine):
        shelf = engine.shelf()
        people = sum(1 for _ in engine.stores.events.people())
        waiting = len(engine.stores.quarantine.pieces())
        missing = [
            name for recipe in engine.recipes.values() if (name := recipe.strategy.model) and name not in shelf.models
        ]
        models = f"models {', '.join(sorted(shelf.models))}" if shelf.models else "no model yet: run `tactful train`"
        if missing:
            models += f"; missing {', '.join(missing)}: run `tactful train`"
        return f"{len(shelf.catalogue):,} items, {people:,} people, {waiting:,} in quarantine; {models}"
