"""`tactful items`: put a catalogue from files, see what a file would change, look through what there is."""

from pathlib import Path
from typing import Any

import click

from tactful.cli.opening import opened
from tactful.cli.show import as_json, errors, json_option, table

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_files = click.argument("files", type=FILE, nargs=-1, required=True)
_columns = click.option(
    "--column", "columns", multiple=True, metavar="COLUMN=FIELD",
    help="Which field a column is; COLUMN= leaves it out.",
)  # fmt: skip
_merge = click.option("--merge", is_flag=True, help="What an item of the file leaves out stays as it is.")
_rejects = click.option(
    "--rejects", type=click.Path(path_type=Path, dir_okay=False), help="Write the rejected ones here, as NDJSON."
)


@click.group()
def items() -> None:
    """The catalogue: put items from files, compare, list, check."""


@items.command("put")
@_files
@_columns
@_merge
@_rejects
@click.option("--replace", is_flag=True, help="What the files do not name becomes unavailable. Nothing is deleted.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
@click.pass_obj
@errors
def put(
    home: Path, files: tuple[Path, ...], columns: tuple[str, ...], merge: bool, rejects: Path | None, replace: bool,
    dry_run: bool, machine: bool,
) -> None:  # fmt: skip
    """Add or replace items by id, from NDJSON, CSV or Parquet. A served installation shows them from the next decision on.

    Leaves with 1 if any was rejected; the others are in.
    """
    from tactful.cli.restocking import Delivery, put_all, show_account

    with opened(home) as (_, engine):
        account = put_all(engine, Delivery.of(files, columns, merge), replace, dry_run, machine)
    show_account(account, rejects, machine)


@items.command("diff")
@_files
@_columns
@_merge
@_rejects
@json_option
@click.pass_obj
@errors
def diff(
    home: Path, files: tuple[Path, ...], columns: tuple[str, ...], merge: bool, rejects: Path | None, machine: bool
) -> None:
    """What the files would change: which items are new, changed (in which fields), the same, or missing from them."""
    from tactful.cli.restocking import Delivery, compare, show_diff

    with opened(home) as (_, engine):
        account = compare(engine, Delivery.of(files, columns, merge))
    show_diff(account, rejects, machine)


@items.command("list")
@click.option("--topic", default="", help="Only what is about this topic, or anything below it.")
@click.option("--hidden", is_flag=True, help="Only what cannot be shown now.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@json_option
@click.pass_obj
@errors
def list_(home: Path, topic: str, hidden: bool, limit: int, machine: bool) -> None:
    """Items, in the order in which they came."""
    import numpy as np

    with opened(home) as (_, engine):
        catalogue = engine.shelf().catalogue
        rows = np.arange(len(catalogue), dtype=np.int32)
        if topic:
            rows = rows[catalogue.about([topic])]
        if hidden:
            now = engine.shell.now()
            rows = rows[~catalogue.permitted_at(rows, now) | (catalogue.stock[rows] == 0)]
        found = [catalogue.item(row) for row in rows[:limit].tolist()]
    if machine:
        as_json(found)
        return
    lines = [
        (one.id, one.title, one.kind, ", ".join(one.topics), "" if one.stock is None else one.stock) for one in found
    ]
    table(lines, ("id", "title", "kind", "topics", "stock"))
    if len(rows) > len(found):
        click.echo(f"\n{len(rows) - len(found):,} more; --limit shows more.")


@items.command("show")
@click.argument("item")
@click.pass_obj
@errors
def show(home: Path, item: str) -> None:
    """One item, as JSON; whether it can be shown now stands on the error stream."""
    from tactful.cli.stockcheck import standing
    from tactful.domain.errors import UnknownItem

    with opened(home) as (_, engine):
        catalogue = engine.shelf().catalogue
        found = catalogue.get(item)
        if found is None:
            raise UnknownItem(name=item)
        says = standing(catalogue, catalogue.index[item], engine.shell.now())
    as_json(found)
    click.echo(says, err=True)


@items.command("check")
@json_option
@click.pass_obj
@errors
def check(home: Path, machine: bool) -> None:
    """Look the catalogue through: unknown topics and categories, windows that are over, what is sold out. Leaves with 1 if anything needs mending."""
    from tactful.cli.stockcheck import examine

    with opened(home) as (_, engine):
        findings = examine(engine.shelf().catalogue, engine.charter, engine.shell.now())
    if machine:
        as_json(findings)
    else:
        lines: list[tuple[Any, ...]] = [
            (one.what, "MEND" if one.mend else "ok", f"{one.count:,}", ", ".join(one.examples), one.fix)
            for one in findings
        ]
        table(lines, ("what", "", "items", "such as", "what to do"))
    if any(one.mend for one in findings):
        raise SystemExit(1)
