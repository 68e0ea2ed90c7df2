"""Deliveries of items: what they change, put in pieces, with an account that adds up to the last row."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import click
import msgspec
from msgspec import Struct, structs

from tactful.cli.show import as_json, table
from tactful.connectors.items import Piece, pieces
from tactful.domain.errors import BadInput
from tactful.domain.item_rules import Rejected
from tactful.engine import Engine
from tactful.flow.restock import CHANGED, NEW, SAME, Change, Restock

AT_ONCE = 2_000
"""Items put together."""
_SHOWN = 20
"""How many changes, and rejected rows, are printed."""


class Delivery(Struct, frozen=True):
    """Files of items. columns: column → field. merge: what an item leaves out stays."""

    files: tuple[Path, ...]
    columns: dict[str, str]
    merge: bool

    @staticmethod
    def of(files: Sequence[Path], columns: Sequence[str], merge: bool) -> "Delivery":
        """As the command line says it. Raises BadInput."""
        renamed = {}
        for one in columns:
            column, mark, field = one.partition("=")
            if not column or not mark:
                raise BadInput(field="--column", why=f"{one!r} names no field", fix="Write it as COLUMN=FIELD")
            renamed[column] = field
        return Delivery(tuple(files), renamed, merge)

    def pieces(self) -> Iterator[Piece]:
        """All pieces of all files; of several files, with the file's name where they stand."""
        for file in self.files:
            for where, came in pieces(file, self.columns):
                yield (where if len(self.files) == 1 else f"{file.name}, {where}"), came


class Account(Struct):
    """read = new + changed + same + rejected. missing: available items that no file names; retired: of those, made unavailable.

    fields: in how many items each field differs. changes: (what, id, fields) of the new, changed and missing ones.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    rejected: int = 0
    missing: int = 0
    retired: int = 0
    version: int = 0
    dry_run: bool = False
    fields: dict[str, int] = {}
    changes: list[tuple[str, str, tuple[str, ...]]] = []
    problems: list[Rejected] = []


def compare(engine: Engine, delivery: Delivery) -> Account:
    """What the delivery would change; nothing is put."""
    catalogue = engine.shelf().catalogue
    account, restock = (
        Account(version=catalogue.version, dry_run=True),
        Restock(catalogue, engine.shell.now(), delivery.merge),
    )
    for _ in _looked_through(delivery, restock, account):
        pass
    gone = [("missing", item.id, ()) for item in restock.missing()]
    account.missing, account.changes = len(gone), [*account.changes, *gone]
    return account


def put_all(engine: Engine, delivery: Delivery, replace: bool, dry_run: bool, machine: bool) -> Account:
    """Put what is new or changed; with `replace`, retire what is missing. Raises BadInput."""
    if replace or dry_run:
        account = compare(engine, delivery)
        _may_replace(account, replace)
        if dry_run:
            return account
    catalogue = engine.shelf().catalogue
    account, restock = Account(version=catalogue.version), Restock(catalogue, engine.shell.now(), delivery.merge)
    fresh = (one for one in _looked_through(delivery, restock, account) if one.what != SAME)
    with click.progressbar(length=max(1, len(catalogue)), label="items", hidden=machine) as bar:
        while piece := list(islice(fresh, AT_ONCE)):
            account.version = engine.put_items([one.item for one in piece]).wait()
            bar.update(len(piece))
    gone = iter(list(restock.missing()) if replace else [])
    while retired := [structs.replace(item, available=False) for item in islice(gone, AT_ONCE)]:
        account.version = engine.put_items(retired).wait()
        account.retired += len(retired)
    account.missing = account.retired
    return account


def _may_replace(account: Account, replace: bool) -> None:
    """What a broken file does not name is not known to be gone."""
    if replace and account.rejected:
        first = account.problems[0]
        why = f"{account.rejected:,} cannot be used, so that nobody knows what is missing ({first.where}, {first.field}: {first.why})"
        raise BadInput(field="--replace", why=why, fix="Mend them first, or put without --replace")
    if replace and not account.read:
        raise BadInput(field="--replace", why="the files hold no item", fix="Look whether these are the right files")


def _looked_through(delivery: Delivery, restock: Restock, account: Account) -> Iterator[Change]:
    fields: Counter[str] = Counter()
    account.changes, account.problems = [], []
    for where, came in delivery.pieces():
        account.read += 1
        found = came if isinstance(came, Rejected) else restock.look(where, came)
        if isinstance(found, Rejected):
            account.rejected += 1
            account.problems.append(found)
            continue
        setattr(account, found.what, getattr(account, found.what) + 1)
        if found.what != SAME:
            account.changes.append((found.what, found.item.id, found.fields))
            fields.update(found.fields)
        account.fields = dict(fields.most_common())
        yield found


def show_account(account: Account, rejects: Path | None, machine: bool) -> None:
    """Print what was put; leave with 1 if any was rejected."""
    if machine:
        as_json(structs.replace(account, changes=[]))
    else:
        lines = [("read", account.read), *((what, getattr(account, what)) for what in (NEW, CHANGED, SAME, "rejected"))]
        if account.missing:
            lines.append(("missing, and unavailable now" if account.retired else "missing", account.missing))
        table(((what, f"{count:,}") for what, count in lines), ("items", ""))
        if account.fields:
            click.echo("Changed: " + ", ".join(f"{name} in {count:,}" for name, count in account.fields.items()))
        if account.dry_run:
            click.echo("Nothing was put: this was a dry run.")
    _show_rejected(account, rejects, machine)


def show_diff(account: Account, rejects: Path | None, machine: bool) -> None:
    """Print what would change; leave with 1 if any was rejected."""
    if machine:
        as_json(account)
    else:
        shown = [(what, item, ", ".join(fields)) for what, item, fields in account.changes[:_SHOWN]]
        if shown:
            table(shown, ("", "item", "fields"))
        if len(account.changes) > _SHOWN:
            click.echo(f"... and {len(account.changes) - _SHOWN:,} more; --json lists all.")
        click.echo(
            f"{account.new:,} new, {account.changed:,} changed, {account.same:,} the same, {account.missing:,} missing from the file, "
            f"{account.rejected:,} rejected."
        )
    _show_rejected(account, rejects, machine)


def _show_rejected(account: Account, rejects: Path | None, machine: bool) -> None:
    if rejects is not None:
        rejects.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in account.problems))
    if account.problems and not machine:
        for one in account.problems[:_SHOWN]:
            click.echo(f"{one.where}, {one.field}: {one.why}. {one.fix}.", err=True)
        if len(account.problems) > _SHOWN:
            click.echo(f"... and {len(account.problems) - _SHOWN:,} more; --rejects FILE writes all.", err=True)
    if account.problems:
        raise SystemExit(1)
