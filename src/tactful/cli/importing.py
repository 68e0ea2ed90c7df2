"""Bringing data in: in pieces, with progress, and an account that adds up to the last row."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence

import click
from msgspec import Struct

from tactful.cli.show import as_json, table
from tactful.domain.consent import ConsentChange, Dial
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.domain.item import Item
from tactful.engine import Engine
from tactful.ports import Quarantined

PIECE = 20_000
"""Rows taken at once: acknowledged together, and shown as one step of progress."""


class Account(Struct):
    """What became of the rows: sent = stored + duplicate + quarantined + refused."""

    items: int = 0
    people: int = 0
    sent: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    seconds: float = 0.0
    reasons: dict[str, int] = {}

    def show(self, machine: bool) -> None:
        """Print it."""
        if machine:
            as_json(self)
            return
        names = ("sent", "stored", "duplicate", "quarantined", "refused")
        table([[f"{getattr(self, name):,}" for name in names]], names)
        for why, count in sorted(self.reasons.items(), key=lambda entry: -entry[1]):
            click.echo(f"  {count:,} × {why}")
        rate = self.sent / self.seconds if self.seconds else 0.0
        click.echo(f"{self.items:,} items, {self.people:,} people, {self.seconds:.1f} s, {rate:,.0f} rows/s")


def bring(
    engine: Engine,
    items: Sequence[Item],
    rows: Iterable[Arrival | Quarantined],
    total: int,
    granted: Sequence[str],
    source: str,
    quiet: bool,
) -> Account:
    """Put the items, write down the consent of people not seen before, and take the rows, piece by piece.

    granted: purposes recorded for these people, with `source` as the proof of where they agreed. Nobody who has already said
    something themselves is changed.
    """
    for purpose in granted:
        if purpose not in engine.charter.purposes:
            raise BadInput(
                field=f"--granted {purpose}",
                why="the charter has no such purpose",
                fix=f"It has {', '.join(engine.charter.purposes)}",
            )
    account, began = Account(reasons={}), time.perf_counter()
    if items:
        engine.stores.items.put(items).wait()
        account.items = len(items)
    met: set[str] = set()
    with click.progressbar(length=total, label="rows", hidden=quiet) as bar:
        piece: list[Arrival] = []
        unusable: list[Quarantined] = []
        for row in rows:
            if isinstance(row, Arrival):
                piece.append(row)
            else:
                unusable.append(row)
            if len(piece) + len(unusable) >= PIECE:
                _take(engine, piece, unusable, granted, source, met, account)
                bar.update(len(piece) + len(unusable))
                piece, unusable = [], []
        _take(engine, piece, unusable, granted, source, met, account)
        bar.update(len(piece) + len(unusable))
    account.people, account.seconds = len(met), time.perf_counter() - began
    return account


def _take(
    engine: Engine,
    piece: list[Arrival],
    unusable: list[Quarantined],
    granted: Sequence[str],
    source: str,
    met: set[str],
    account: Account,
) -> None:
    new = {arrival.person for arrival in piece} - met - {""}
    met |= new
    if granted and new:
        change = ConsentChange(
            engine.shell.now(), source, engine.charter.version, Dial.remember, dict.fromkeys(granted, True)
        )
        unasked = [(person, change) for person in sorted(new) if engine.consent(person).version == 0]
        if unasked:
            engine.stores.consents.append(unasked).wait()
    _add_missing_items(engine, piece, account)
    outcome = engine.take(piece, unusable).wait()
    account.sent += outcome.sent
    account.stored += outcome.stored
    account.duplicate += outcome.duplicate
    account.quarantined += outcome.quarantined
    account.refused += outcome.refused
    why = Counter(
        f"{problem.what}: {problem.field + ' ' if problem.field else ''}{problem.why}" for problem in outcome.problems
    )
    account.reasons = dict(Counter(account.reasons) + why)


def _add_missing_items(engine: Engine, piece: Iterable[Arrival], account: Account) -> None:
    """An item that only the interactions know is added by its id, so that it can be learned about and shown."""
    catalogue = engine.shelf().catalogue
    wanted = dict.fromkeys(item for arrival in piece for item in arrival.items if item and len(item) <= 256)
    missing = [Item(id=item, title=item) for item in wanted if item not in catalogue.index]
    if missing:
        engine.stores.items.put(missing).wait()
        account.items += len(missing)
