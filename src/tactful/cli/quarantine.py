"""`tactful quarantine`: what came in and could not be used, and taking it in again after a fix."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tactful.cli.opening import opened
from tactful.cli.show import as_json, errors, fail, table

if TYPE_CHECKING:
    from tactful.ports import Quarantined

_json_option = click.option("--json", "machine", is_flag=True, help="Print JSON for machines.")


@click.group()
def quarantine() -> None:
    """What came in and could not be used: it waits here for a fix, sealed, seven days at most."""


@quarantine.command("list")
@click.option("--reason", default="", help="Only pieces whose reason holds these words.")
@click.option("--field", default="", help="Only pieces that are here because of this field.")
@click.option("--show", is_flag=True, help="Print the pieces too, as they came: personal data.")
@_json_option
@click.pass_obj
@errors
def list_(home: Path, reason: str, field: str, show: bool, machine: bool) -> None:
    """What lies there, by field and reason; nothing of what people said unless asked to --show."""
    from tactful.ports import QUARANTINE_MS
    from tactful.replay import concerns, grouped

    with opened(home) as (_, engine):
        now = engine.shell.now()
        pieces = [
            piece
            for piece in engine.stores.quarantine.pieces()
            if piece.at + QUARANTINE_MS > now and reason in piece.why and (not field or concerns(piece, field))
        ]
    groups = grouped(pieces)
    if machine:
        as_json({"pieces": len(pieces), "groups": groups, **({"shown": list(map(_plain, pieces))} if show else {})})
        return
    if not pieces:
        click.echo("Nothing is in quarantine.")
        return
    rows = [(f"{one.count:,}", one.last, one.format or "?", one.field, one.why, one.gone) for one in groups]
    table(rows, ("pieces", "last came", "format", "field", "why", "gone by"))
    for piece in pieces if show else ():
        click.echo(f"\n{piece.person or 'nobody'} · {piece.field}: {piece.why}\n{_plain(piece)['raw']}")
    click.echo("\nOnce it is mended: tactful quarantine replay --all, or --field FIELD")


def _plain(piece: "Quarantined") -> dict[str, object]:
    """A piece with its content as text, for the operator's eyes."""
    return {
        "id": piece.id, "person": piece.person, "field": piece.field, "why": piece.why,
        "raw": piece.raw.decode(errors="backslashreplace"),
    }  # fmt: skip


@quarantine.command()
@click.option("--all", "everything", is_flag=True, help="All pieces.")
@click.option("--field", default="", help="Only pieces that are here because of this field, such as traits.height.")
@_json_option
@click.pass_obj
@errors
def replay(home: Path, everything: bool, field: str, machine: bool) -> None:
    """Take pieces in again after a fix. What succeeds, or may not be kept, leaves; the rest stays until its seven days are over."""
    from tactful.replay import concerns
    from tactful.replay import replay as again
    from tactful.wire import means_of

    if everything == bool(field):
        fail("Say which pieces: --all, or --field FIELD. `tactful quarantine list` names the fields.")
    with opened(home) as (installed, engine):
        means = means_of(installed.settings, installed.charter)
        done = again(engine, lambda piece: everything or concerns(piece, field), means)
    if machine:
        as_json(done)
        return
    names = ("tried", "stored", "duplicate", "refused", "stayed")
    table([[f"{getattr(done, name):,}" for name in names]], names)
    for why, count in sorted(done.reasons.items(), key=lambda one: -one[1]):
        click.echo(f"  {count:,} × {why}")
