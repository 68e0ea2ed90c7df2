"""`tactful export`: everything with its consent, or acts for a purpose."""

from pathlib import Path

import click

from tactful.cli.opening import opened
from tactful.cli.show import errors, json_option

FORMATS = ("tactful", "ndjson", "csv", "parquet", "recbole", "personalize")


@click.command()
@click.argument("kind", metavar="FORMAT", type=click.Choice(FORMATS))
@click.argument("file")
@click.option(
    "--purpose", default="", help="For which purpose it goes out; needed where the format cannot carry consent."
)
@click.option("--names", is_flag=True, help="With people's names; without it, pseudonyms stand for them.")
@json_option
@click.pass_obj
@errors
def export(home: Path, kind: str, file: str, purpose: str, names: bool, machine: bool) -> None:
    """Take data out: `tactful` is everything, with consent and its proof, for another installation; the other formats hold what
    people did and allow to be used for a purpose. FILE is a folder for recbole and personalize; `-` is the standard output."""
    from tactful.cli.exporting import export_to

    with opened(home) as (_, engine):
        report = export_to(engine, kind, file, purpose, names)
    report.show(machine, aside=file == "-")
