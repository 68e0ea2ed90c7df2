"""Keys on the command line: made, listed, removed. A running server takes a change up within a second."""

from pathlib import Path

import click

from tactful.cli.show import as_json, errors, list_option, table


@click.group()
def key() -> None:
    """Keys by which programs speak to the server."""


@key.command("add")
@click.argument("name")
@list_option("--scopes", default=["write,decide"], show_default=True, help="What it may do, comma separated.")
@click.option("--public", is_flag=True, help="For browsers and apps: names nobody in particular.")
@list_option(
    "--granted", default=[""], help="Purposes that people named by this key agreed to elsewhere, comma separated."
)
@click.option("--source", default="", help="Where they agreed; stands in each one's proof of consent.")
@click.option("--json", "machine", is_flag=True, help="Print JSON for machines.")
@click.pass_obj
@errors
def add(home: Path, name: str, scopes: str, public: bool, granted: str, source: str, machine: bool) -> None:
    """Make a key. It is printed once: only its hash is stored.

    With --granted you vouch: whoever this key names, and who never said anything here, agreed to these purposes elsewhere. It is
    written down for them with the source as the proof, and counts until they say otherwise.
    """
    from tactful.api.access import Access
    from tactful.domain.errors import BadInput
    from tactful.wire import read_home

    purposes, charter = _words(granted), read_home(home).charter
    for purpose in purposes:
        if purpose not in charter.purposes:
            fix = f"It has {', '.join(charter.purposes)}"
            raise BadInput(field=f"--granted {purpose}", why="the charter has no such purpose", fix=fix)
    given = Access.add(home / "access.json", name, _words(scopes), not public, purposes, source)
    if machine:
        as_json({"name": name, "key": given})
        return
    click.echo(given)
    click.echo("Keep it now: only its hash is stored. A running server knows it within a second.", err=True)


@key.command("list")
@click.option("--json", "machine", is_flag=True, help="Print JSON for machines.")
@click.pass_obj
@errors
def list_(home: Path, machine: bool) -> None:
    """The keys by name, what each may do, and what it vouches for. The keys themselves are kept nowhere."""
    from tactful.api.access import Access

    keys = Access.keys(home / "access.json")
    if machine:
        as_json([
            {"name": one.name, "scopes": one.scopes, "trusted": one.trusted, "granted": one.granted, "source": one.source}
            for one in keys
        ])  # fmt: skip
        return
    rows = []
    for one in keys:
        vouches = f"{', '.join(one.granted)} ({one.source})" if one.granted else ""
        rows.append((one.name, "secret" if one.trusted else "public", ", ".join(one.scopes), vouches))
    table(rows, ("name", "kind", "scopes", "vouches for"))


@key.command("remove")
@click.argument("name")
@click.pass_obj
@errors
def remove(home: Path, name: str) -> None:
    """Remove a key. Within a second it opens nothing any more, on any worker."""
    from tactful.api.access import Access

    Access.remove(home / "access.json", name)
    click.echo(f"Removed {name}. A running server refuses it within a second.")


def _words(listed: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in listed.split(",") if word.strip()))
