"""`tactful search` and `tactful search-report`: finding items by words, and what nobody found."""

from pathlib import Path

import click

from tactful.cli.opening import opened
from tactful.cli.show import as_json, errors, json_option, language_option, table


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--placement", default="search", show_default=True, help="Whose recipe searches.")
@click.option("--person", default=None, help="For whom; left out: for somebody unknown.")
@click.option("--limit", type=click.IntRange(1, 200), default=None, help="How many items.")
@language_option
@json_option
@click.pass_obj
@errors
def search(
    home: Path, words: tuple[str, ...], placement: str, person: str | None, limit: int | None,
    language: str | None, machine: bool,
) -> None:  # fmt: skip
    """Find items by WORDS, and say why each is there. Nothing of it is counted or kept but a receipt, for a day."""
    from tactful import searching
    from tactful.api.answers import decision_out
    from tactful.api.shapes import SearchResponse
    from tactful.cli.receipts import saying
    from tactful.domain.decision import Ask
    from tactful.domain.errors import BadInput

    query = " ".join(words)
    if not 0 < len(query) <= searching.QUERY_MOST:
        raise BadInput(field="WORDS", why=f"{len(query)} characters", fix=f"Type 1 to {searching.QUERY_MOST}")
    with opened(home) as (installed, engine):
        found = searching.search(engine, None, person, Ask(placement, query=query, limit=limit))
        found.answer.durable.wait()
        shown = decision_out(found.answer, saying(installed, language, "sentence"))
        faults = found.answer.receipt.faults
    if machine:
        as_json(SearchResponse(query, found.mended, found.count, 0, shown))
        return
    for fault in faults:
        click.echo(f"Failed, and was left out: {fault}", err=True)
    if found.mended:
        click.echo(f"Showing results for {found.mended}")
    click.echo(f"{found.count} found · {shown.label} · {shown.placement} · receipt {shown.receipt}\n")
    table(((number, one.title, one.why) for number, one in enumerate(shown.items, 1)), ("", "item", "why"))


@click.command("search-report")
@click.option("--most", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many queries.")
@json_option
@click.pass_obj
@errors
def search_report(home: Path, most: int, machine: bool) -> None:
    """What several people searched for in vain, the most frequent first: words and how often, nobody's names."""
    from tactful.wire import missed_of, read_home

    found = missed_of(read_home(home)).report(most)
    if machine:
        as_json(found)
    elif not found:
        click.echo("Nothing yet that at least five people searched for within a day, and nobody found.")
    else:
        table(((f"{one.times:,}", one.words) for one in found), ("times", "searched for"))
