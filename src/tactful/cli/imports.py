"""`tactful import`: one command a format. Each reads its options, names a source, and has it brought in."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tactful.cli.opening import opened
from tactful.cli.show import errors, json_option, list_option

if TYPE_CHECKING:
    from tactful.cli.importing import Source
    from tactful.connectors.mapping import Columns
    from tactful.engine import Engine

C = TypeVar("C", bound=Callable[..., Any])
Option = Callable[[C], C]
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)

_piece = click.option("--piece", default=20_000, show_default=True, help="Rows acknowledged together.")
_granted = list_option(
    "--granted", required=True, help='Purposes these people agreed to, comma separated; "" if they were not asked.'
)
_source = click.option("--source", default="", help="Where they agreed; stands in each one's proof of consent.")
_always = click.option(
    "--always", default="viewed", show_default=True, help="The verb of every row, if there is no such column."
)


def _all(*options: Option[Any]) -> Option[Any]:
    """Several options as one."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_common = _all(_granted, _source, _piece, json_option, click.pass_obj, errors)
_columns = _all(
    click.option("--person", default="person", show_default=True, help="Column of the person."),
    click.option("--item", default="item", show_default=True, help="Column of the item."),
    click.option("--at", default="at", show_default=True, help='Column of the time: ISO 8601, or seconds or milliseconds since 1970; "" for none.'),
    click.option("--verb", default="", help="Column of the verb, if there is one."),
    _always,
    click.option("--value", default="", help="Column of the value (stars, amount), if there is one."),
    click.option("--id", default="", help="Column of each row's own id; without it one is made of its place and content."),
    click.option("--field", "fields", multiple=True, metavar="COLUMN[=NAME]", help="A property kept along, where the charter declares it."),
    click.option("--trait", "traits", multiple=True, metavar="COLUMN[=NAME]", help="A trait of the person: the rows are about people, not about acts."),
    click.option("--seller", default="", help="Who the traits were obtained from."),
    click.option("--licence", default="", help="Under which licence."),
    click.option("--basis", default="", help="On which legal basis: consent, contract, legitimate_interest, legal_obligation."),
    click.option("--seller-in", default="", help="Column of the seller, if rows differ."),
    click.option("--licence-in", default="", help="Column of the licence, if rows differ."),
    click.option("--basis-in", default="", help="Column of the legal basis, if rows differ."),
)  # fmt: skip


@click.group("import")
def import_() -> None:
    """Bring in what there is already, with an exact account. Stopped anywhere, the same command goes on."""


@import_.command("csv")
@click.argument("file", type=FILE)
@_columns
@_common
def import_csv(home: Path, /, file: Path, **options: Any) -> None:
    """Interactions or traits from a CSV file with a header. Items not in the catalogue yet are added by their id."""
    from tactful.connectors import csv
    from tactful.connectors.files import count_lines

    columns = columns_of(options)
    _bring(home, "csv", file, options, lambda: csv.rows(file, columns, 0), lambda: count_lines(file) - 1)


@import_.command("ndjson")
@click.argument("file", type=FILE)
@_columns
@_common
def import_ndjson(home: Path, /, file: Path, **options: Any) -> None:
    """Interactions or traits from a file with a JSON object a line; `user.id` names a key inside another."""
    from tactful.connectors import ndjson
    from tactful.connectors.files import count_lines

    columns = columns_of(options)
    _bring(home, "ndjson", file, options, lambda: ndjson.rows(file, columns, 0), lambda: count_lines(file))


@import_.command("parquet")
@click.argument("file", type=FILE)
@_columns
@_common
def import_parquet(home: Path, /, file: Path, **options: Any) -> None:
    """Interactions or traits from a Parquet file. Needs the extra [parquet]."""
    from tactful.connectors import parquet

    columns = columns_of(options)
    _bring(home, "parquet", file, options, lambda: parquet.rows(file, columns, 0), lambda: parquet.count(file))


@import_.command("postgres")
@click.argument("table")
@click.option(
    "--dsn",
    default="",
    envvar="TACTFUL_IMPORT_DSN",
    help="postgresql://USER@HOST/DATABASE; without it, PGHOST, PGUSER and so on.",
)
@click.option(
    "--key", default="", help="A column unlike in each row, by which rows are told apart; without it, the primary key."
)
@_columns
@_common
def import_postgres(home: Path, /, table: str, dsn: str, key: str, **options: Any) -> None:
    """Interactions or traits from a PostgreSQL table. Needs the extra [postgres]."""
    from tactful.connectors.postgres import Table

    columns = columns_of(options)
    found = Table(dsn, table, key)
    _bring(
        home, "postgres", found.name, {**options, "key": key, "where": found.where}, lambda: found.rows(columns, 0),
        found.count, found.fingerprint(),
    )  # fmt: skip


@import_.command("movielens")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@list_option("--granted", help="Purposes these people agreed to, comma separated.")
@_piece
@json_option
@click.pass_obj
@errors
def import_movielens(home: Path, folder: Path, granted: str | None, piece: int, machine: bool) -> None:
    """MovieLens 1M, 100k or newer: films and ratings, and for its people the consent under which they were collected."""
    from tactful.cli.importing import Source, bring
    from tactful.cli.taking import Intake
    from tactful.connectors import movielens
    from tactful.connectors.files import fingerprint

    purposes = movielens.GRANTED if granted is None else purposes_in(granted)
    with opened(home) as (_, engine):
        taker = Intake(engine, purposes, "MovieLens (research use)")
        if not machine:
            click.echo(f"Consent recorded as given to MovieLens: {', '.join(purposes)}")
        source = Source(
            "movielens", str(folder), f"{folder.resolve()}{purposes}", fingerprint(*movielens.files(folder)),
            lambda: movielens.ratings(folder), lambda: movielens.items(folder), movielens.count(folder),
        )  # fmt: skip
        bring(home, engine, source, taker, machine, piece)


@import_.command("recbole")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--always", default="", help="The verb of every row; without it, rated if there are ratings, else viewed."
)
@_common
def import_recbole(home: Path, /, path: Path, always: str, **options: Any) -> None:
    """RecBole's atomic files: a folder with .inter, perhaps .item and .user, or its .inter file."""
    from tactful.connectors import recbole
    from tactful.connectors.files import count_lines, fingerprint

    parts = recbole.parts(path)
    inter, people, items = parts["inter"], parts.get("user"), parts.get("item")
    columns = recbole.columns_of(inter, always)

    def rows(engine: "Engine") -> "Source[Any]":
        told = told_in(engine)

        def both() -> Any:
            if people is not None:
                yield from recbole.people(people, told, 0)
            yield from recbole.rows(inter, columns, 0)

        return _source_of(
            "recbole", inter, {**options, "always": always, "told": told}, both, lambda: count_lines(inter) - 1,
            fingerprint(*parts.values()), (lambda: recbole.items(items)) if items else tuple,
        )  # fmt: skip

    _import(home, rows, options, inter.name)


@import_.command("sequences")
@click.argument("file", type=FILE)
@click.option(
    "--since",
    default="",
    help="When the first item of each line is said to have happened, ISO 8601: the order is known, the times are not.",
)
@click.option(
    "--lines",
    type=click.Choice(["person", "session"]),
    default="person",
    show_default=True,
    help="Whether a line begins with a person, or is a session of nobody known.",
)
@click.option("--separator", default=None, help="What stands between items; without it, white space.")
@_always
@_common
def import_sequences(home: Path, /, file: Path, since: str, lines: str, separator: str | None, **options: Any) -> None:
    """Sequences, a line for each person or session; or the long form with the columns session_id, item_id, timestamp."""
    from tactful.connectors import csv, sequences
    from tactful.connectors.files import count_lines
    from tactful.connectors.mapping import when
    from tactful.domain.errors import BadInput

    if sequences.is_long(file):
        columns = sequences.long(options["always"])
        _bring(home, "sequences", file, options, lambda: csv.rows(file, columns, 0), lambda: count_lines(file) - 1)
        return
    try:
        moment, named = when(since, "--since"), lines == "person"
    except ValueError:
        raise BadInput(
            field="--since", why=f"{since!r} is no time", fix="Say when these sequences began, such as 2026-01-31"
        ) from None
    _bring(
        home, "sequences", file, {**options, "since": moment, "lines": lines, "separator": separator},
        lambda: sequences.rows(file, moment, 0, named, options["always"], separator),
        lambda: sequences.count(file, named, separator),
    )  # fmt: skip


@import_.command("personalize")
@click.argument("interactions", type=FILE)
@click.option("--items", type=FILE, help="The items file.")
@click.option(
    "--users", type=FILE, help="The users file; of its columns those that the charter declares as told traits."
)
@click.option("--means", multiple=True, metavar="TYPE=VERB", help="What an EVENT_TYPE means that is not known.")
@_always
@_common
def import_personalize(
    home: Path, /, interactions: Path, items: Path | None, users: Path | None, means: tuple[str, ...], **options: Any
) -> None:
    """Amazon Personalize's CSV files. A row with an IMPRESSION counts twice: what was done, and what was shown."""
    from tactful.connectors import personalize_csv
    from tactful.connectors.files import count_lines, fingerprint

    meanings = dict(_pair(one, "--means") for one in means)

    def rows(engine: "Engine") -> "Source[Any]":
        told = told_in(engine)

        def both() -> Any:
            if users is not None:
                yield from personalize_csv.people(users, told, 0)
            yield from personalize_csv.rows(interactions, 0, meanings, options["always"])

        files = [path for path in (interactions, items, users) if path is not None]
        meaning = {**options, "means": meanings, "files": files, "told": told}
        return _source_of(
            "personalize", interactions, meaning, both, lambda: count_lines(interactions) - 1, fingerprint(*files),
            (lambda: personalize_csv.items(items)) if items else tuple,
        )  # fmt: skip

    _import(home, rows, options, interactions.name)


@import_.command("tactful")
@click.argument("file", type=FILE)
@_piece
@json_option
@click.pass_obj
@errors
def import_tactful(home: Path, file: Path, piece: int, machine: bool) -> None:
    """What `tactful export tactful` wrote: items, consents with their proof, links, events with their own ids and times."""
    from tactful.cli.importing import Source, bring
    from tactful.cli.readmitting import Restore
    from tactful.connectors import tactful
    from tactful.connectors.files import count_lines, fingerprint

    with opened(home) as (_, engine):
        source = Source(
            "tactful", file.name, str(file.resolve()), fingerprint(file), lambda: tactful.rows(file),
            total=count_lines(file) - 1,
        )  # fmt: skip
        bring(home, engine, source, Restore(engine), machine, piece)


# --------------------------------------------------------------------------------------------------------- what they share


def columns_of(options: dict[str, Any]) -> "Columns":
    """The mapping that the options describe. Raises BadInput."""
    from tactful.connectors.mapping import Columns

    given = {name: options[name] for name in Columns.__struct_fields__ if name in options}
    for name in ("fields", "traits"):
        given[name] = tuple(_pair(one, f"--{name[:-1]}") for one in given[name])
    columns = Columns(**given)
    columns.wanted()
    return columns


def purposes_in(granted: str) -> tuple[str, ...]:
    """The purposes of a comma-separated list."""
    return tuple(name.strip() for name in granted.split(",") if name.strip())


def told_in(engine: "Engine") -> tuple[str, ...]:
    """Traits that the charter keeps as told by the person."""
    return tuple(sorted(name for kind, name in engine.charter.of_trait if kind == "told"))


def _pair(text: str, option: str) -> tuple[str, str]:
    from tactful.domain.errors import BadInput

    left, _, right = text.partition("=")
    if not left or (option == "--means" and not right):
        raise BadInput(field=option, why=f"{text!r} says nothing", fix="Write it as NAME=NAME")
    return left, right or left


def _source_of(
    kind: str, what: Path | str, options: dict[str, Any], rows: Any, total: Any, fingerprint: str, items: Any = tuple
) -> "Source[Any]":
    from tactful.cli.importing import Source

    where = what.resolve() if isinstance(what, Path) else what
    ignored = ("machine", "piece")
    meaning = repr((str(where), sorted((name, value) for name, value in options.items() if name not in ignored)))
    return Source(kind, what.name if isinstance(what, Path) else what, meaning, fingerprint, rows, items, total())


def _bring(
    home: Path, kind: str, what: Path | str, options: dict[str, Any], rows: Any, total: Any, fingerprint: str = ""
) -> None:
    from tactful.connectors import files

    def source(_: "Engine") -> "Source[Any]":
        known = fingerprint or files.fingerprint(Path(what))
        return _source_of(kind, what, options, rows, total, known)

    _import(home, source, options, what.name if isinstance(what, Path) else f"table {what}")


def _import(home: Path, source: "Callable[[Engine], Source[Any]]", options: dict[str, Any], name: str) -> None:
    from tactful.cli.importing import bring
    from tactful.cli.taking import Intake

    with opened(home) as (_, engine):
        found = source(engine)
        taker = Intake(engine, purposes_in(options["granted"]), options["source"] or f"import of {name}")
        bring(home, engine, found, taker, options["machine"], options["piece"])
