"""`tactful receivers` and `tactful feed`: how far those who are told have come, and what they were not told."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tactful.cli.show import as_json, errors, table
from tactful.domain.errors import BadInput

if TYPE_CHECKING:
    from tactful.deliver.ledger import Ledger
    from tactful.wire import Home

json_option = click.option("--json", "machine", is_flag=True, help="Print JSON for machines.")


@contextmanager
def _ledger(path: Path, name: str | None = None) -> "Iterator[tuple[Home, Ledger]]":
    """The ledger of an installation, with all its receivers in it. name: one that has to be declared. Raises UnknownReceiver."""
    from tactful.cli.delivering import register
    from tactful.deliver.ledger import Ledger
    from tactful.wire import read_home, receiver_of

    home = read_home(path)
    if name is not None:
        receiver_of(home, name)
    register(home)
    with closing(Ledger(home.deliveries)) as ledger:
        yield home, ledger


@click.group()
def receivers() -> None:
    """Those to whom something is passed on: how far they are, what they did not take."""


@receivers.command("list")
@json_option
@click.pass_obj
@errors
def list_(home: Path, machine: bool) -> None:
    """Each receiver: its purpose, how far it is, what it did not take, what did not leave and why."""
    rows = []
    with _ledger(home) as (found, ledger):
        for name, receiver in found.settings.receivers.items():
            place = ledger.place(name)
            rows.append(
                {
                    "name": name,
                    "words": receiver.words,
                    "purpose": receiver.purpose,
                    "what": receiver.what,
                    "url": receiver.url,
                    "cursor": place.cursor,
                    "sent": place.sent,
                    "attempts": place.attempts,
                    "why": place.why,
                    "dead": len(ledger.dead(name)),
                    "forgettings": len(ledger.notices(name)),
                    "withheld": ledger.withheld(name),
                }
            )
    if machine:
        as_json(rows)
        return
    table(
        ([row[key] for key in ("name", "purpose", "cursor", "sent", "dead", "forgettings", "why")] for row in rows),
        ("receiver", "purpose", "up to", "sent", "put aside", "to forget", "last failure"),
    )
    for row in rows:
        for why, count in row["withheld"].items():  # type: ignore[attr-defined]
            click.echo(f"{row['name']}: {count:,} withheld: {why}")


@receivers.command()
@click.argument("name")
@json_option
@click.pass_obj
@errors
def dead(home: Path, name: str, machine: bool) -> None:
    """What a receiver did not take: numbers of the feed, never content."""
    with _ledger(home, name) as (_, ledger):
        found = ledger.dead(name)
    if machine:
        as_json(found)
    elif not found:
        click.echo(f"{name} took everything.")
    else:
        rows = (
            (one.number, one.after + 1, one.until, one.attempts, one.why, "yes" if one.again else "") for one in found
        )
        table(rows, ("number", "from", "to", "attempts", "why", "to be tried again"))


@receivers.command()
@click.argument("name")
@click.option("--number", type=int, default=None, help="One dead letter, by its number; otherwise all.")
@click.option("--since", type=click.IntRange(min=0), default=None, help="Everything above this number of the feed.")
@click.pass_obj
@errors
def replay(home: Path, name: str, number: int | None, since: int | None) -> None:
    """Try dead letters again, or go back in the feed. It goes out as it may today; a running server begins at once."""
    if number is not None and since is not None:
        raise BadInput(field="--since", why="it cannot be combined with --number", fix="Give one of the two")
    with _ledger(home, name) as (_, ledger):
        if since is not None:
            ledger.rewind(name, min(since, ledger.place(name).cursor))
            click.echo(f"{name} is told everything after {since} again.")
            return
        count = ledger.again(name, number)
    if number is not None and not count:
        raise BadInput(
            field="--number", why=f"{name} has no dead letter {number}", fix=f"See `tactful receivers dead {name}`"
        )
    click.echo(f"{count} to be tried again.")


@receivers.command()
@click.argument("name")
@click.pass_obj
@errors
def secret(home: Path, name: str) -> None:
    """Print the secret by which a receiver can tell that a post is ours."""
    from tactful.wire import secret_of

    with _ledger(home, name) as (found, _):
        click.echo(secret_of(found, name))


@click.command()
@click.argument("name")
@click.option("--after", type=click.IntRange(min=0), default=0, show_default=True, help="Begin after this number.")
@click.option("--most", type=click.IntRange(1, 1000), default=200, show_default=True, help="Entries at most.")
@click.pass_obj
@errors
def feed(home: Path, name: str, after: int, most: int) -> None:
    """Print what a receiver may have, as NDJSON; the last line says where to read on."""
    from tactful.stores.sqlite import open_reading
    from tactful.wire import feed_of, read_home

    found = read_home(home)
    stores = open_reading(found.data)
    try:
        click.echo(feed_of(found, stores)(name, after, most, 0).decode(), nl=False)
    finally:
        stores.close()
