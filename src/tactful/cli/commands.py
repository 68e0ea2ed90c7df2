"""The commands. Each is thin: read the arguments, call the engine, print."""

from pathlib import Path

import click

from tactful import __version__
from tactful.cli.access_keys import key
from tactful.cli.data_quality import data_quality
from tactful.cli.exports import export
from tactful.cli.identity import who
from tactful.cli.imports import import_
from tactful.cli.items import items
from tactful.cli.lake import lake
from tactful.cli.lists import list_
from tactful.cli.opening import opened
from tactful.cli.placements import batch, page, placement
from tactful.cli.quarantine import quarantine
from tactful.cli.receivers import feed, receivers
from tactful.cli.searches import search, search_report
from tactful.cli.show import as_json, errors, fail, json_option, language_option, table
from tactful.cli.why_not import why_not


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=Path(),
    envvar="TACTFUL_HOME",
    help="The installation's folder.",
)
@click.pass_context
def tactful(context: click.Context, home: Path) -> None:
    """Personalization that knows you, and knows when to stop."""
    context.obj = home


@tactful.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@json_option
@click.pass_obj
@errors
def init(home: Path, folder: Path | None, machine: bool) -> None:
    """Make an installation: settings, a charter to start from, keys. It profiles nobody yet."""
    from tactful.cli.install import install

    place = folder or home
    if (place / "tactful.toml").exists():
        fail(f"{place} already holds an installation. Nothing was changed.")
    keys = install(place)
    if machine:
        as_json({"home": str(place.resolve()), "keys": keys})
        return
    click.echo(f"Made {place.resolve()}: tactful.toml, charter.toml, access.json, data/.\n")
    table(
        [("public", keys["public"], "browsers and apps: events in, decisions out, for nobody by name"),
         ("secret", keys["secret"], "your server: everything")],
        ("key", "value", "for"),
    )  # fmt: skip
    click.echo("\nKeep the secret key now: only its hash is stored.")
    click.echo("Next: tactful import movielens FOLDER, tactful train, tactful serve.")


@tactful.command()
@json_option
@click.pass_obj
@errors
def train(home: Path, machine: bool) -> None:
    """Fit the models that the placements use, from people who allow it. A running server takes them up within a second."""
    from tactful.cli.training import train_all

    with opened(home) as (_, engine):
        train_all(engine, machine)


@tactful.command()
@click.option("--host", default=None, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=None, help="Port to listen on; 0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=None, help="Serving processes.")
@click.option("--owner", is_flag=True, help="Serve the owner's page too, at /owner, for keys with the scope owner.")
@click.pass_obj
@errors
def serve(home: Path, host: str | None, port: int | None, workers: int | None, owner: bool) -> None:
    """Serve the HTTP API: one process that writes, and the workers."""
    from tactful.cli.serving import supervise
    from tactful.wire import read_home

    server = read_home(home).settings.server
    supervise(
        home, host or server.host, server.port if port is None else port, workers or server.workers,
        "owner" if owner else "", (lambda address: f"The owner's page: {address}/owner") if owner else None,
    )  # fmt: skip


@tactful.command()
@click.argument("placement")
@click.option("--person", default=None, help="For whom; left out: for somebody unknown.")
@click.option("--item", default=None, help="The item that the page is about.")
@click.option("--limit", type=click.IntRange(1, 200), default=None, help="How many items.")
@language_option
@click.option(
    "--depth", type=click.Choice(["none", "sentence", "details"]), default="sentence", help="How much of why."
)
@json_option
@click.pass_obj
@errors
def decide(
    home: Path, placement: str, person: str | None, item: str | None, limit: int | None,
    language: str | None, depth: str, machine: bool,
) -> None:  # fmt: skip
    """Choose for one placement, and say why each item is there."""
    from tactful.api.answers import decision_out, languages_of
    from tactful.cli.receipts import saying, show_details
    from tactful.domain.decision import Ask

    with opened(home) as (installed, engine):
        ask = Ask(placement, item=item, limit=limit, languages=languages_of(language))
        answer = engine.decide(person, [ask])[0]
        answer.durable.wait()
        shown = decision_out(answer, saying(installed, language, depth))
        faults = answer.receipt.faults
    if machine:
        as_json(shown)
        return
    for fault in faults:
        click.echo(f"Failed, and was left out: {fault}", err=True)
    click.echo(f"{shown.label} · {shown.placement} · receipt {shown.receipt}\n")
    table(((number, one.title, one.why) for number, one in enumerate(shown.items, 1)), ("", "item", "why"))
    show_details(shown)
    click.echo(f"\nMore: tactful explain {shown.receipt}")


@tactful.command()
@click.argument("receipt")
@language_option
@click.option(
    "--depth", type=click.Choice(["sentence", "details", "full"]), default="full", help="How much of the receipt."
)
@json_option
@click.pass_obj
@errors
def explain(home: Path, receipt: str, language: str | None, depth: str, machine: bool) -> None:
    """Open a receipt: why each item, what else would have been, what was read, withheld and removed."""
    from tactful.api.answers import receipt_out
    from tactful.cli.receipts import saying, show_receipt
    from tactful.domain.errors import UnknownReceipt

    with opened(home) as (installed, engine):
        found = engine.stores.receipts.get(receipt)
        if found is None:
            raise UnknownReceipt(receipt=receipt)
        out = receipt_out(found, engine.shelf().catalogue, saying(installed, language, depth))
    if machine:
        as_json(out)
    else:
        show_receipt(out)


@tactful.command()
@click.argument("person")
@click.option("--dial", type=click.Choice(["off", "told", "visit", "remember"]), help="How much it may know.")
@click.option("--grant", multiple=True, help="A purpose the person allows.")
@click.option("--withdraw", multiple=True, help="A purpose the person no longer allows.")
@click.option("--turn-on", multiple=True, help="A sensitive category the person turns on.")
@click.option("--turn-off", multiple=True, help="A sensitive category the person turns off.")
@click.option("--refuse-seller", multiple=True, help="Somebody whose data about them the person refuses.")
@click.option("--allow-seller", multiple=True, help="Somebody whose data about them the person allows again.")
@json_option
@click.pass_obj
@errors
def consent(home: Path, /, person: str, machine: bool, dial: str | None, **names: tuple[str, ...]) -> None:
    """Show what a person allows, or write down a change that they made."""
    from tactful.cli.consents import change_of, show_consent

    with opened(home) as (_, engine):
        change = change_of(engine, dial, **names)
        if change is not None:
            engine.change_consent(person, change).wait()
        show_consent(engine, person, machine)


@tactful.command()
@click.argument("person")
@click.option("--seconds", type=click.IntRange(1, 86_400), default=3600, show_default=True)
@click.pass_obj
@errors
def token(home: Path, person: str, seconds: int) -> None:
    """Print a token by which a browser or an app proves that it acts for a person."""
    import time

    from tactful.api.access import Access

    click.echo(Access.read(home / "access.json").token(person, time.time_ns() // 1_000_000, seconds))


@tactful.command()
@click.argument("person")
@click.confirmation_option(prompt="This cannot be undone. Forget this person?")
@click.pass_obj
@errors
def forget(home: Path, person: str) -> None:
    """Forget a person: destroy their keys, delete their records."""
    with opened(home) as (_, engine):
        for ack in engine.forget(person):
            ack.wait()
    click.echo("Forgotten. Models that were trained with this person forget at the next `tactful train`.")


@tactful.group(invoke_without_command=True)
@json_option
@click.pass_context
@errors
def doctor(context: click.Context, machine: bool) -> None:
    """Check the installation: settings, charter, keys, stores, models, disk; each with the fix."""
    from tactful.cli.checkup import show

    if context.invoked_subcommand is None:
        show(context.obj, machine)


doctor.add_command(data_quality)
tactful.add_command(quarantine)


@tactful.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--keys", type=click.Path(path_type=Path, file_okay=False), help="Where the keys go: elsewhere than the data."
)
@json_option
@click.pass_obj
@errors
def backup(home: Path, folder: Path, keys: Path | None, machine: bool) -> None:
    """Copy the installation into FOLDER, while it serves; with --keys, what opens it into another one."""
    from tactful.cli.backups import back_up, show_backup, show_progress

    show_backup(back_up(home, folder, keys, show_progress), machine)


@tactful.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--keys", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Where the keys are.")
@click.option("--force", is_flag=True, help="Replace the installation that is there.")
@json_option
@click.pass_obj
@errors
def restore(home: Path, folder: Path, keys: Path | None, force: bool, machine: bool) -> None:
    """Put a backup back. Whoever was forgotten since is forgotten again."""
    from tactful.cli import restoring

    restoring.show(restoring.restore(home, folder, keys, force), machine)


@tactful.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="Port to listen on.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="Where the demo keeps its things.",
)
@click.option("--fresh", is_flag=True, help="Begin anew.")
@click.option(
    "--readers",
    type=click.IntRange(20, 20_000),
    default=3000,
    show_default=True,
    help="Simulated readers to learn from.",
)
@errors
def demo(port: int, folder: Path, fresh: bool, readers: int) -> None:
    """A bookshop with our own sample data: see a page get to know you, say why, and stop when told to."""
    from tactful.cli.demonstration import demonstrate

    demonstrate(folder, port, fresh, readers)


tactful.add_command(import_)
tactful.add_command(export)
tactful.add_command(items)
tactful.add_command(who)
tactful.add_command(why_not)
tactful.add_command(receivers)
tactful.add_command(feed)
tactful.add_command(lake)
tactful.add_command(key)
tactful.add_command(list_)
for command in (placement, page, batch, search, search_report):
    tactful.add_command(command)
