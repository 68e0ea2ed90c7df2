"""`tactful who`: the names a person goes by."""

from datetime import UTC, datetime
from pathlib import Path

import click

from tactful.cli.opening import opened
from tactful.cli.show import as_json, errors, json_option, table


@click.command()
@click.argument("person")
@json_option
@click.pass_obj
@errors
def who(home: Path, person: str, machine: bool) -> None:
    """List a person's devices and old names, and the people of their account."""
    with opened(home) as (_, engine):
        people = engine.people
        people.refresh()
        linked, members, held = people.linked(person), people.members(person), people.held_back_by(person)
        acting = people.who(person, engine.shell.now())
    if machine:
        as_json({"person": person, "acting": acting, "names": linked, "members": members, "held_back_by": sorted(held)})
        return
    if acting != person:
        click.echo(f"{person} now means {acting}.\n")
    rows = [(one.name, one.how, _day(one.since), "yes" if one.confirmed else "no", one.dial.words) for one in linked]
    if rows:
        table(rows, ("name", "how", "since", "confirmed", "dial"))
    else:
        click.echo("No other name is linked to this person.")
    if members:
        click.echo(f"\nPeople of this account: {', '.join(members)}")
    if held:
        click.echo(f"\nUntil the person confirms them, these hold back what may be used: {', '.join(sorted(held))}")


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
