"""Consent on the command line."""

import click

from tactful.api.answers import consent_out, dial_of, sellers_of
from tactful.cli.show import as_json
from tactful.domain.consent import ConsentChange
from tactful.domain.errors import BadInput
from tactful.engine import Engine


def change_of(
    engine: Engine,
    dial: str | None,
    grant: tuple[str, ...],
    withdraw: tuple[str, ...],
    turn_on: tuple[str, ...],
    turn_off: tuple[str, ...],
    refuse_seller: tuple[str, ...] = (),
    allow_seller: tuple[str, ...] = (),
) -> ConsentChange | None:
    """The change that the options describe, or None if they describe none. Raises BadInput for a name the charter does not know."""
    charter = engine.charter
    for names, known, what in (
        (grant + withdraw, charter.purposes, "purpose"),
        (turn_on + turn_off, charter.sensitive, "sensitive category"),
    ):
        for name in names:
            if name not in known:
                raise BadInput(
                    field=name, why=f"the charter has no such {what}", fix=f"It has {', '.join(known) or 'none'}"
                )
    sellers = sellers_of({**dict.fromkeys(allow_seller, True), **dict.fromkeys(refuse_seller, False)})
    if dial is None and not (grant or withdraw or turn_on or turn_off or sellers):
        return None
    return ConsentChange(
        engine.shell.now(), "command line", charter.version, dial_of(dial),
        {**dict.fromkeys(grant, True), **dict.fromkeys(withdraw, False)},
        {**dict.fromkeys(turn_on, True), **dict.fromkeys(turn_off, False)},
        sellers=sellers,
    )  # fmt: skip


def show_consent(engine: Engine, person: str, machine: bool) -> None:
    """Print what a person allows now."""
    out = consent_out(engine.consent(person))
    if machine:
        as_json(out)
        return
    click.echo(f"Dial: {out.words}")
    for name, purpose in engine.charter.purposes.items():
        answer = "yes" if name in out.granted else "no" if name in out.refused else "not asked"
        click.echo(f"  {name}: {answer}. {purpose.words}")
    if out.sensitive:
        click.echo(f"Sensitive, turned on: {', '.join(out.sensitive)}")
    if out.refused_sellers:
        click.echo(f"Data from these is refused: {', '.join(out.refused_sellers)}")
    click.echo(f"{out.version} change{'' if out.version == 1 else 's'} on record.")
