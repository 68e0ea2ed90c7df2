"""`tactful list`: lists picked by hand, with the queue of what was proposed. A running server takes a change up within a second."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
from msgspec import structs

from tactful.cli.show import as_json, errors, fail, json_option, table
from tactful.domain.curated import APPROVED, PROPOSED, REJECTED, CuratedList, Entry
from tactful.domain.errors import BadInput
from tactful.stores.lists import ListFolder

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("list")
def list_() -> None:
    """Lists that somebody picks by hand: show, add, propose, approve, reject, remove."""


@list_.command("show")
@click.argument("name", required=False)
@json_option
@click.pass_obj
@errors
def show(home: Path, name: str | None, machine: bool) -> None:
    """The lists, or one of them with what waits for its curator."""
    folder = _folder(home)
    if name is None:
        _show_all(folder, machine)
        return
    if name not in folder.names():
        raise BadInput(
            field=name,
            why="there is no such list",
            fix=f"There are: {', '.join(folder.names()) or 'none yet'}; `tactful list add` begins one",
        )
    found = folder.one(name)
    if machine:
        as_json(found)
        return
    click.echo(f"{found.words or name}{f', picked by {found.curator}' if found.curator else ''}\n")
    table(
        [
            (number, entry.item, entry.state, entry.start or "", entry.until or "", entry.by, entry.words)
            for number, entry in enumerate(found.entries, 1)
        ],
        ("", "item", "state", "from", "until", "by", "words"),
    )


HEADS = ("list", "approved", "waiting", "rejected", "curator", "words")


def _show_all(folder: ListFolder, machine: bool) -> None:
    """All lists that can be read; then those that cannot, each by its mistake. Leaves with 1 if there are any."""
    counts, broken = [], []
    for name in folder.names():
        try:
            counts.append(_counts(name, folder.one(name)))
        except BadInput as mistake:
            broken.append(str(mistake))
    if machine:
        as_json([dict(zip(HEADS, row, strict=True)) for row in counts])
    else:
        table(counts, HEADS)
    if broken:
        fail("\n".join(broken))


def _counts(name: str, found: CuratedList) -> tuple[str, int, int, int, str, str]:
    states = [entry.state for entry in found.entries]
    approved, waiting, rejected = (states.count(state) for state in (APPROVED, PROPOSED, REJECTED))
    return (name, approved, waiting, rejected, found.curator, found.words)


@list_.command("describe")
@click.argument("name")
@click.option("--words", default=None, help="What it is, for people.")
@click.option("--curator", default=None, help="Who answers for it.")
@click.pass_obj
@errors
def describe(home: Path, name: str, words: str | None, curator: str | None) -> None:
    """Say what a list is, and who picks it."""
    given = {key: value for key, value in (("words", words), ("curator", curator)) if value is not None}
    _edit(home, name, lambda found: structs.replace(found, **given), "Described")


@list_.command("add")
@click.argument("name")
@click.argument("item")
@click.option("--words", default="", help="Why it was picked.")
@click.option("--by", default="", help="Who picked it.")
@click.option("--from", "start", type=DAY, default=None, help="Its first day, as 2026-12-01.")
@click.option("--until", type=DAY, default=None, help="Its last day.")
@click.option("--first", is_flag=True, help="Before the others.")
@click.pass_obj
@errors
def add(
    home: Path, name: str, item: str, words: str, by: str, start: datetime | None, until: datetime | None, first: bool
) -> None:
    """Put an item into a list, approved. One that is there already is replaced."""
    entry = _entry(item, words, by, start, until)
    _edit(home, name, lambda found: found.add(entry, first), f"{item} is in")
    _look_up(home, item)


@list_.command("propose")
@click.argument("name")
@click.argument("item")
@click.option("--words", default="", help="Why.")
@click.option("--by", default="", help="Who proposes it.")
@click.option("--from", "start", type=DAY, default=None, help="Its first day, as 2026-12-01.")
@click.option("--until", type=DAY, default=None, help="Its last day.")
@click.pass_obj
@errors
def propose(
    home: Path, name: str, item: str, words: str, by: str, start: datetime | None, until: datetime | None
) -> None:
    """Propose an item: nobody sees it before it is approved."""
    entry = _entry(item, words, by, start, until)
    _edit(home, name, lambda found: found.propose(entry), f"{item} waits to be approved")
    _look_up(home, item)


@list_.command("approve")
@click.argument("name")
@click.argument("item")
@click.option("--by", default="", help="Who approves it.")
@click.pass_obj
@errors
def approve(home: Path, name: str, item: str, by: str) -> None:
    """Approve an item."""
    _edit(home, name, lambda found: found.judge(item, APPROVED, by), f"{item} is approved")


@list_.command("reject")
@click.argument("name")
@click.argument("item")
@click.option("--by", default="", help="Who rejects it.")
@click.pass_obj
@errors
def reject(home: Path, name: str, item: str, by: str) -> None:
    """Reject an item: it is not shown, and cannot be proposed again."""
    _edit(home, name, lambda found: found.judge(item, REJECTED, by), f"{item} is rejected")


@list_.command("remove")
@click.argument("name")
@click.argument("item")
@click.pass_obj
@errors
def remove(home: Path, name: str, item: str) -> None:
    """Take an item out of a list."""
    _edit(home, name, lambda found: found.remove(item), f"{item} is out")


def _folder(home: Path) -> ListFolder:
    from tactful.wire import read_home

    return read_home(home).lists


def _entry(item: str, words: str, by: str, start: datetime | None, until: datetime | None) -> Entry:
    try:
        return Entry(
            item, words=words, by=by, start=start.date() if start else None, until=until.date() if until else None
        )
    except ValueError as mistake:
        raise BadInput(field="--until", why=str(mistake), fix="Give a later day") from None


def _edit(home: Path, name: str, change: Callable[[CuratedList], CuratedList], done: str) -> None:
    _folder(home).edit(name, change)
    click.echo(f"{done}: {name}. A running server takes it up within a second.")


def _look_up(home: Path, item: str) -> None:
    """Say so if the catalogue does not have it: it may still come."""
    from tactful.cli.opening import opened

    with opened(home) as (_, engine):
        if engine.shelf().catalogue.get(item) is None:
            click.echo(f"{item} is not in the catalogue; it is shown once it is.", err=True)
