"""`tactful why-not`: why an item is not shown."""

from pathlib import Path

import click

from tactful.cli.opening import opened
from tactful.cli.show import as_json, errors, json_option, language_option


@click.command("why-not")
@click.argument("placement")
@click.argument("item")
@click.option("--person", default=None, help="For whom; left out: for somebody unknown.")
@click.option("--about", default=None, help="The item that the page is about.")
@language_option
@json_option
@click.pass_obj
@errors
def why_not(
    home: Path, placement: str, item: str, person: str | None, about: str | None, language: str | None, machine: bool
) -> None:
    """Say why ITEM is not shown in PLACEMENT, by deciding once more. Nothing is kept."""
    from tactful.api.shapes import WhyNotResponse
    from tactful.domain.decision import Ask
    from tactful.flow.why_not import in_words

    with opened(home) as (installed, engine):
        found = engine.why_not(person, Ask(placement, item=about), item)
        words = installed.languages.speak(language)
        said = in_words(found, engine.shelf().catalogue, words)
    if machine:
        as_json(WhyNotResponse(said, found, words.language))
    else:
        click.echo(said)
        for fault in found.faults:
            click.echo(f"Failed: {fault}", err=True)
