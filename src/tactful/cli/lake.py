"""`tactful lake`: days that are over as Parquet files, and whether they still say what the store says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tactful.cli.show import as_json, errors, table

if TYPE_CHECKING:
    from tactful.ports import Stores
    from tactful.stores.lake import Lake
    from tactful.wire import Home

DEFAULT = ("measure",)
json_option = click.option("--json", "machine", is_flag=True, help="Print JSON for machines.")


@contextmanager
def _opened(path: Path) -> "Iterator[tuple[Home, Lake, Stores]]":
    from tactful.stores.sqlite import open_reading
    from tactful.wire import lake_of, read_home

    home = read_home(path)
    stores = open_reading(home.data)
    try:
        yield home, lake_of(home), stores
    finally:
        stores.close()


@click.group()
def lake() -> None:
    """Days that are over as Parquet files for analysis, under pseudonyms of their own."""


@lake.command()
@click.option(
    "--purpose", multiple=True, help="What it is for; repeat for several. Otherwise as in tactful.toml, or `measure`."
)
@json_option
@click.pass_obj
@errors
def export(home: Path, purpose: tuple[str, ...], machine: bool) -> None:
    """Write the days that are over and not there yet, and rewrite those that changed."""
    from tactful.wire import real_shell

    with _opened(home) as (found, kept, stores):
        purposes = purpose or found.settings.lake.purposes or DEFAULT
        days = kept.bring_up_to_date(stores, found.charter, purposes, real_shell().now())
        _tell(kept, days, machine)


@lake.command()
@json_option
@click.pass_obj
@errors
def rewrite(home: Path, machine: bool) -> None:
    """Take out what was withdrawn, forgotten or is over; no new days."""
    from tactful.wire import real_shell

    with _opened(home) as (found, kept, stores):
        now = real_shell().now()
        days = kept.bring_up_to_date(stores, found.charter, kept.manifest.purposes, now, new_days=False)
        _tell(kept, days, machine)


def _tell(kept: "Lake", days: list[str], machine: bool) -> None:
    held = kept.manifest
    rows = sum(sum(day.counts.values()) for day in held.days.values())
    if machine:
        as_json({"written": days, "days": len(held.days), "rows": rows, "withheld": held.withheld})
        return
    click.echo(f"{len(days)} days written; the lake holds {rows:,} events of {len(held.days)} days in {kept.folder}.")
    for why, count in held.withheld.items():
        click.echo(f"{count:,} withheld: {why}")


@lake.command()
@json_option
@click.pass_obj
@errors
def check(home: Path, machine: bool) -> None:
    """Compare the lake with the store, day by day and data entry by data entry. Exit status 1 if anything is due."""
    from datetime import UTC, datetime

    from tactful.stores.lake import DEADLINE_MS
    from tactful.wire import real_shell

    with _opened(home) as (found, kept, stores):
        findings = kept.check(stores, found.charter, real_shell().now())
        until = kept.manifest.at + DEADLINE_MS
    due = [one for one in findings if one.due]
    if machine:
        as_json({"days": findings, "due": [one.day for one in due], "deadline": until if due else None})
    else:
        entries = [
            (one.day, name, one.store.get(name, 0), one.lake.get(name, 0), "DUE" if one.due else "ok")
            for one in findings
            for name in sorted({*one.store, *one.lake})
        ]
        table(entries, ("day", "data", "store", "lake", ""))
        if due:
            by = datetime.fromtimestamp(until / 1000, UTC).isoformat(timespec="minutes")
            click.echo(f"{len(due)} days are due, at the latest by {by}: run `tactful lake export`.", err=True)
    if due:
        raise SystemExit(1)
