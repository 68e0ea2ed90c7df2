"""How the command line speaks: tables, JSON, progress, errors with the fix."""

import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeVar

import click
import msgspec

from tactful.domain.errors import TactfulError

F = TypeVar("F", bound=Callable[..., Any])

language_option = click.option("--language", default=None, help="In which language to say why: en, de, de-AT.")
json_option = click.option("--json", "machine", is_flag=True, help="Print JSON for machines.")


def list_option(name: str, **attributes: Any) -> Callable[[F], F]:
    """An option that takes a list with commas. Given several times it is one list: nothing that was said is dropped."""

    def joined(_: click.Context, option: click.Parameter, given: tuple[str, ...]) -> str | None:
        return ",".join(given) if given else None

    return click.option(name, multiple=True, callback=joined, **attributes)


def as_json(value: Any) -> None:
    """Print for machines."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(rows: Iterable[Sequence[object]], heads: Sequence[str]) -> None:
    """Print in columns, as wide as they need to be."""
    text = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(heads), *text]) for column in range(len(heads))]
    for number, line in enumerate([list(heads), *text]):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(click.style(cells, bold=True) if number == 0 else cells)


def fail(message: str) -> NoReturn:
    """Print an error and leave."""
    click.secho(f"Error: {message}", fg="red", err=True)
    sys.exit(1)


def errors(command: F) -> F:
    """Turn our own errors into a message with the fix; anything else is a fault and keeps its traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except TactfulError as error:
            fail(str(error))

    return run  # type: ignore[return-value]
