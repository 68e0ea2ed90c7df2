"""`tactful demo`: a bookshop with simulated readers, made on the first run and served on every run."""

import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import click
from msgspec import structs

from tactful.domain.consent import ConsentChange, Dial
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.domain.item import Item, Price, Variant
from tactful.engine import Engine
from tactful.flow.wording import ordinal
from tactful.sample.books import Book, books
from tactful.sample.readers import Reader, readers

SEED = 7
SOURCE = "simulated reader"
HOST = "127.0.0.1"
MARKER = ".tactful-demo"
"""A file that says that a folder is ours to delete. It holds READY once the demo is complete."""
READY = "ready"
OWNER = "the demo's owner"
LINK_MS = 86_400_000
"""How long the link to the owner's page is good, unless it is used before."""
DAY_MS = 86_400_000
NEW_SHARE, NEW_DAYS = 20, 21
PIECE = 20_000
"""Acts taken at once."""

LANGUAGES = {
    "akk": "Akkadian", "ang": "Old English", "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish",
    "de": "German", "en": "English", "enm": "Middle English", "es": "Spanish", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "fro": "Old French", "grc": "Greek", "gu": "Gujarati", "hi": "Hindi", "hu": "Hungarian",
    "it": "Italian", "ja": "Japanese", "la": "Latin", "nl": "Dutch", "no": "Norwegian", "non": "Old Norse",
    "pi": "Pali", "pl": "Polish", "pt": "Portuguese", "ru": "Russian", "sa": "Sanskrit", "sv": "Swedish",
    "yi": "Yiddish", "zh": "Chinese",
}  # fmt: skip


def demonstrate(folder: Path, port: int, fresh: bool, count: int) -> None:
    """Make the demo in `folder` if it is not there yet, then serve it until stopped. fresh: begin anew. count: simulated readers.

    Only a folder that carries the demo's marker is ever deleted from. Raises BadInput.
    """
    from tactful.cli.serving import supervise

    if fresh or not _complete(folder):
        _clear(folder)
        _make(folder, count)
    else:
        click.echo(f"The bookshop in {folder} is made already. `tactful demo --fresh` makes it anew.")
    supervise(folder, HOST, port, workers=1, pages="shop,owner", welcome=lambda address: _link(folder, address))


def _link(folder: Path, address: str) -> str:
    """A link that opens the owner's page once, as a sentence. Whoever could read it here could read the whole demo."""
    from tactful.api.access import Access

    path = folder / "access.json"
    if all(key.name != OWNER for key in Access.keys(path)):
        Access.add(path, OWNER, ("owner", "receipts"), True)
    ticket = Access.ticket(path, OWNER, time.time_ns() // 1_000_000 + LINK_MS)
    return f"The owner's page, once: {address}/owner/enter?ticket={ticket}"


def _complete(folder: Path) -> bool:
    """Whether the whole demo is there: a first run that was broken off leaves no READY behind."""
    marker = folder / MARKER
    return marker.exists() and marker.read_text(encoding="utf-8").strip() == READY


def _clear(folder: Path) -> None:
    """Empty a folder that is a demo; leave anything else alone."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MARKER).exists():
        raise BadInput(
            field=str(folder), why="it holds something that is not a demo", fix="Name another folder with --folder"
        )
    for entry in folder.iterdir():
        if entry.name == MARKER:
            continue  # goes last, so that a deletion broken off can be taken up again
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    (folder / MARKER).unlink()


def _make(folder: Path, count: int) -> None:
    """The installation, its books, its readers, its models."""
    from tactful.cli.install import install
    from tactful.cli.opening import opened

    began = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("begun\n", encoding="utf-8")
    click.echo(f"Making a bookshop in {folder.resolve()}. This is done once.")
    install(folder)
    for target, source in (("tactful.toml", "shop.toml"), ("charter.toml", "shop_charter.toml")):
        text = (files("tactful.sample") / source).read_text(encoding="utf-8")
        (folder / target).write_text(text, encoding="utf-8")
    with opened(folder) as (_, engine):
        _fill(engine, time.time_ns() // 1_000_000, count)
    (folder / MARKER).write_text(f"{READY}\n", encoding="utf-8")
    click.echo(f"Made in {time.perf_counter() - began:.1f} s.\n")


def _fill(engine: Engine, now: int, count: int) -> None:
    """Put the books, take what the readers did, train."""
    from tactful.cli.training import train_all

    items = stocked(now)
    engine.put_items(items).wait()
    click.echo(f"{len(items)} books put on the shelves.")
    crowd = list(readers(count, SEED, now))
    agreed = [(reader.id, consent_of(reader, now, engine.charter.version)) for reader in crowd]
    engine.stores.consents.append(agreed).wait()
    children = sum(reader.child for reader in crowd)
    click.echo(
        f"{len(crowd):,} simulated readers said what they allow. {children} are children, so nothing of theirs is kept."
    )
    stored = 0
    for piece in _pieces(list(acts_of(crowd, items))):
        stored += engine.take(piece).wait().stored
    click.echo(f"{stored:,} things that they did in the last 90 days were taken in. Now the shop learns from them:")
    train_all(engine, machine=False)


def _pieces(arrivals: Sequence[Arrival]) -> Iterator[Sequence[Arrival]]:
    for start in range(0, len(arrivals), PIECE):
        yield arrivals[start : start + PIECE]


def item_of(book: Book) -> Item:
    """A book as an item. The order of its attributes is the order in which they explain why two books are alike."""
    century = (book.year - 1) // 100 + 1 if book.year > 0 else (-book.year - 1) // 100 + 1
    era = "" if book.year > 0 else " BC"
    return Item(
        id=book.id,
        title=book.title,
        kind="book",
        attributes={
            "author": book.author,
            # That a book is for children is its audience, not what it is about.
            "subjects": [subject.replace("-", " ") for subject in book.subjects if subject != "children"],
            "mood": book.mood,
            "reading_level": book.reading_level,
            "language": LANGUAGES.get(book.language, book.language),
            "century": f"{ordinal(century)} century{era}",
            "year": book.year,
            "pages": book.pages,
            "length": length(book.pages),
            **({"series": book.series, "part": book.part} if book.series else {}),
        },
        text=book.text,
        price=Price(book.price),
        sensitivity=book.sensitivity,
        audience=book.audience,
        # Shown where a recipe prefers one; everywhere else a book has its usual cover.
        variants=tuple(
            Variant(id=style, style=style, weight=0, asset=f"/covers/{book.id}.{style}.svg") for style in book.variants
        ),
    )


def stocked(now: int) -> list[Item]:
    """The books as they stand in the shop: one in twenty came within these three weeks, the others a year ago. now: ms since 1970."""
    dice = {book.id: zlib.crc32(book.id.encode()) for book in books()}
    days = {name: number // NEW_SHARE % NEW_DAYS if number % NEW_SHARE == 0 else 365 for name, number in dice.items()}
    return [structs.replace(item_of(book), since=now - days[book.id] * DAY_MS) for book in books()]


def length(pages: int) -> str:
    """How long a book is, as a reader says it. Up to 200 pages take an evening or two; above 450 they take weeks."""
    return "short" if pages <= 200 else "long" if pages > 450 else "medium"


def consent_of(reader: Reader, now: int, charter: str) -> ConsentChange:
    """What a simulated reader allows: a grown-up is remembered and learned from; a child is only known to be one."""
    if reader.child:
        return ConsentChange(now, SOURCE, charter, child=True)
    return ConsentChange(now, SOURCE, charter, Dial.remember, {"personalise": True, "learn": True}, child=False)


def acts_of(crowd: Sequence[Reader], items: Sequence[Item]) -> Iterator[Arrival]:
    """What the grown-up readers did with books that were there by then. Children's acts are not even sent."""
    since = {item.id: item.since for item in items}
    for reader in crowd:
        if reader.child:
            continue
        for act in reader.acts:
            if since[act.book] <= act.at:
                yield Arrival(id=act.id, person=reader.id, name=act.verb, at=act.at, verb=act.verb, items=(act.book,))
