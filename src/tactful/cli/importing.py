"""Bringing data in: piece by piece, with progress, an account that adds up to the last row, and a way back in after a stop."""

import gc
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import click
from msgspec import Struct

from tactful.cli.account import Account
from tactful.cli.notes import Note, Notebook, notebook
from tactful.domain.errors import BadInput
from tactful.domain.item import Item
from tactful.engine import Engine
from tactful.ports import Quarantined

PIECE = 20_000
"""Rows taken at once: acknowledged together, and shown as one step of progress."""
AHEAD = 2
"""How many pieces may be under way at once."""
_ITEMS_AT_ONCE = 5_000
_SWEEP = 100  # pieces between two sweeps of Python's garbage: what an import makes is freed without it
T = TypeVar("T")
R_contra = TypeVar("R_contra", contravariant=True)


class Source(Struct, Generic[T], frozen=True):
    """What is to be brought in. kind: the format. name: in words, for messages. meaning: all that makes it another import.

    fingerprint: by what the source is known again, when a stopped import goes on. rows: begins to read, always the same rows in the
    same order. items: the catalogue that comes along. total: how many rows there are, about; None if nobody knows.
    """

    kind: str
    name: str
    meaning: str
    fingerprint: str
    rows: Callable[[], Iterator[T]]
    items: Callable[[], Iterable[Item | Quarantined]] = tuple
    total: int | None = None


class Step(Struct, frozen=True):
    """What a taker may know of how far the import is. again: the piece may have been under way when the import was stopped."""

    note: Note
    book: Notebook
    again: bool


class Taker(Protocol[R_contra]):
    """Takes pieces. It must take the same piece again, and come to the same account, if it was stopped anywhere on the way."""

    ahead: int
    """How many pieces may be under way at once."""

    def skip(self, row: R_contra) -> None:
        """Hear of a row that was taken before a stop."""

    def take(self, piece: Sequence[R_contra], now: int, step: Step) -> Callable[[Account], None]:
        """Take a piece as of `now` (ms since 1970); what comes back waits until it is durable, and counts it in."""

    def before(self) -> int:
        """How many items there were before the oldest piece that is under way."""

    def people(self) -> int:
        """How many different people the rows have named so far."""


def bring(
    home: Path, engine: Engine, source: Source[T], taker: Taker[T], machine: bool = False, piece: int = PIECE
) -> Account:
    """Take everything, note the progress, show the account. Run again after a stop, it goes on where it was; with the same account."""
    with notebook(home, source.kind, f"{source.meaning}\0{engine.charter.version}") as book:
        note, resumed = _begin(book, engine, source, machine, piece)
        if not note.finished:
            _run(book, note, engine, source, taker, machine, resumed)
        note.account.show(machine)
        book.throw_away()
        return note.account


def _begin(book: Notebook, engine: Engine, source: Source[T], machine: bool, piece: int) -> tuple[Note, bool]:
    """The note of this import, and whether it goes on with one that was stopped."""
    if piece < 1:
        raise BadInput(field="--piece", why=f"{piece} is no number of rows", fix="20000 is usual")
    found = book.read()
    if found is not None and found.fingerprint != source.fingerprint:
        click.echo(f"{source.name} has changed since this import was stopped; it begins anew.", err=machine)
        found = None
    if found is not None and not found.finished and piece < found.piece and piece != PIECE:
        click.echo("The pieces are smaller than when this import was stopped; it begins anew.", err=machine)
        found = None
    if found is None:
        return Note(source.fingerprint, engine.shell.now(), piece, Account()), False
    if found.finished:
        click.echo(f"{source.name} was in already; only its account was still to be shown.", err=machine)
    else:
        click.echo(f"Goes on after row {found.rows:,} of {source.name}, where it was stopped.", err=machine)
        found.account.resumed = found.rows + 1
    return found, True


def _run(
    book: Notebook, note: Note, engine: Engine, source: Source[T], taker: Taker[T], machine: bool, resumed: bool
) -> None:
    began, before = time.perf_counter(), note.account.seconds
    rows = _begun(source.rows())  # before anything is noted: a file that cannot be read leaves nothing behind
    if not note.pieces and not note.stocked:
        note.account.items = 0
        book.write(note)
        _stock(engine, source.items(), note.account)
        note.stocked, note.catalogue = True, len(engine.shelf().catalogue)
        book.write(note)
    first = note.pieces
    under_way: deque[tuple[Callable[[Account], None], int]] = deque()

    def settle() -> None:
        finish, count = under_way.popleft()
        finish(note.account)
        note.pieces, note.rows, note.repeated = note.pieces + 1, note.rows + count, None
        note.catalogue, note.account.seconds = taker.before(), before + time.perf_counter() - began
        book.write(note)

    with _swept(), click.progressbar(length=source.total or 1, label="rows", hidden=machine) as bar:
        for row in islice(rows, note.rows):
            taker.skip(row)
        bar.update(note.rows)
        number = first
        while piece := list(islice(rows, note.piece)):
            step = Step(note, book, resumed and number < first + AHEAD)
            under_way.append((taker.take(piece, note.began + number, step), len(piece)))
            bar.update(len(piece))
            number += 1
            if number % _SWEEP == 0:
                gc.collect()
            if len(under_way) >= taker.ahead:
                settle()
        while under_way:
            settle()
    note.account.people, note.account.seconds = taker.people(), before + time.perf_counter() - began
    note.finished = True
    book.write(note)


def _begun(rows: Iterator[T]) -> Iterator[T]:
    """The same rows, the first of which is read already."""
    return chain(list(islice(rows, 1)), rows)


@contextmanager
def _swept() -> Iterator[None]:
    """Without Python's search for garbage in between: it would look through millions of rows again and again, and find nothing."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _stock(engine: Engine, things: Iterable[Item | Quarantined], account: Account) -> None:
    """Put the items; a row of them that cannot be used is counted with its reason. It names nobody, so it need not be kept."""
    rest = iter(things)
    while piece := list(islice(rest, _ITEMS_AT_ONCE)):
        good = [thing for thing in piece if isinstance(thing, Item)]
        if good:
            engine.put_items(good).wait()
            account.items += len(good)
        for bad in piece:
            if isinstance(bad, Quarantined):
                account.sent, account.quarantined = account.sent + 1, account.quarantined + 1
                account.blame("quarantined", bad.field, bad.why)
