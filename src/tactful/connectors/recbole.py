"""RecBole's atomic files: tab separated, each column with its type in the header (`user_id:token`, `rating:float`, `class:token_seq`)."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from msgspec import structs

from tactful.connectors.files import open_text
from tactful.connectors.mapping import Columns, Mapper
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival, Interaction
from tactful.domain.item import Attribute, Item
from tactful.ports import Quarantined

TITLES = ("title", "name", "movie_title", "item_name")
TYPES = ("token", "token_seq", "float", "float_seq")


def parts(path: Path) -> dict[str, Path]:
    """The files of a data set by kind, `inter` always among them. path: its folder, or its .inter file. Raises BadInput."""
    folder = path if path.is_dir() else path.parent
    wanted = "*" if path.is_dir() else path.name.partition(".inter")[0]
    found: dict[str, Path] = {}
    for kind in ("inter", "item", "user"):
        choice = sorted([*folder.glob(f"{wanted}.{kind}"), *folder.glob(f"{wanted}.{kind}.gz")])
        if len(choice) > 1:
            raise BadInput(field=str(path), why=f"it holds several .{kind} files", fix="Name the .inter file")
        if choice:
            found[kind] = choice[0]
    if "inter" not in found:
        raise BadInput(field=str(path), why="it holds no .inter file", fix="Name the folder of a RecBole data set")
    return found


def columns_of(path: Path, always: str = "") -> Columns:
    """What the columns of an .inter file mean, by RecBole's names. always: the verb; "": rated if there are ratings, else viewed."""
    have = [name for name, _ in _header(path)]
    stars = "rating" if "rating" in have else ""
    at = "timestamp" if "timestamp" in have else ""
    return Columns("user_id", "item_id", at, value=stars, always=always or ("rated" if stars else "viewed"))


def rows(path: Path, columns: Columns, now: int) -> Iterator[Arrival | Quarantined]:
    """The acts of an .inter file, in its order. Raises BadInput if a column is missing or has no type."""
    mapper = Mapper(columns, [name for name, _ in _header(path)], path)
    yield from _arrivals(path, mapper, now)


def people(path: Path, declared: Iterable[str], now: int) -> Iterator[Arrival | Quarantined]:
    """What a .user file says of people: the columns that the charter declares as told traits. Nothing if it declares none."""
    known = frozenset(declared)
    header = _header(path)
    traits = tuple((name, name) for name, _ in header if name in known)
    if traits:
        kinds = dict(header)
        mapper = Mapper(Columns("user_id", "", "", traits=traits), [name for name, _ in header], path)
        for row in _arrivals(path, mapper, now):
            yield _typed(row, kinds) if isinstance(row, Arrival) else row


def items(path: Path) -> Iterator[Item | Quarantined]:
    """The things of an .item file: the column of titles is found by its name, all others become attributes."""
    header = _header(path)
    names = [name for name, _ in header]
    if "item_id" not in names:
        raise BadInput(field="column 'item_id'", why=f"{path} has {', '.join(names)}", fix="Name it item_id:token")
    own = names.index("item_id")
    title = next((names.index(name) for name in TITLES if name in names), own)
    for number, cells in _lines(path):
        where = f"line {number}"
        try:
            if len(cells) != len(header):
                raise ValueError(f"it has {len(cells)} cells, the header {len(header)}")
            attributes = {
                name: value
                for place, (name, kind) in enumerate(header)
                if place not in (own, title) and cells[place] and (value := _value(cells[place], kind)) is not None
            }
            "\t".join(cells).encode()
            if not cells[own]:
                raise ValueError("item_id is empty")
            yield Item(id=cells[own], title=cells[title] or cells[own], attributes=attributes)
        except ValueError as mistake:
            raw = "\t".join(cells).encode(errors="surrogateescape")
            why = "it is not UTF-8; save the file as UTF-8" if isinstance(mistake, UnicodeError) else str(mistake)
            yield Quarantined(where, 0, "", raw, where, why)


def write(inter: IO[str], acts: Iterable[tuple[str, Interaction]]) -> Iterator[str]:
    """Write acts as an .inter file, times in seconds since 1970; gives the reason for each one that the format cannot hold."""
    inter.write("user_id:token\titem_id:token\trating:float\ttimestamp:float\tverb:token\n")
    for person, act in acts:
        if _breaks(person) or _breaks(act.item):
            yield "its person or its item has a tab or a line break in it, which the format cannot hold"
        else:
            value = "" if act.value is None else repr(act.value)
            inter.write(f"{person}\t{act.item}\t{value}\t{act.at / 1000:.3f}\t{act.verb}\n")


def write_items(file: IO[str], things: Iterable[Item]) -> Iterator[str]:
    """Write items as an .item file; gives the reason for each one that the format cannot hold."""
    file.write("item_id:token\ttitle:token_seq\tkind:token\tattributes:token_seq\n")
    for thing in things:
        if _breaks(thing.id):
            yield "its id has a tab or a line break in it, which the format cannot hold"
        else:
            values = [value for name in thing.attributes for value in thing.values(name)]
            words = " ".join("_".join(value.split()) for value in values)
            file.write(f"{thing.id}\t{' '.join(thing.title.split())}\t{' '.join(thing.kind.split())}\t{words}\n")


def _breaks(text: str) -> bool:
    return "\t" in text or len(text.splitlines()) > 1 or text.strip() != text


def _header(path: Path) -> list[tuple[str, str]]:
    with open_text(path, errors="surrogateescape") as file:
        cells = file.readline().rstrip("\r\n").split("\t")
    header = []
    for cell in cells:
        name, _, kind = cell.partition(":")
        if kind not in TYPES:
            raise BadInput(
                field=f"{path}, line 1", why=f"{cell!r} names no type", fix=f"Write NAME:TYPE with one of {', '.join(TYPES)}"
            )  # fmt: skip
        header.append((name, kind))
    return header


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    with open_text(path, errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if number > 1 and (text := line.rstrip("\r\n")):
                yield number, text.split("\t")


def _arrivals(path: Path, mapper: Mapper, now: int) -> Iterator[Arrival | Quarantined]:
    arrival, width = mapper.arrival, mapper.width
    for number, cells in _lines(path):
        try:
            if len(cells) != width:
                raise ValueError(f"it has {len(cells)} cells, the header {width}; put one tab between two cells")
            yield arrival(number, cells, cells)
        except (ValueError, OverflowError) as mistake:
            yield mapper.unusable(f"line {number}", now, cells, str(mistake))


def _typed(row: Arrival, kinds: dict[str, str]) -> Arrival:
    traits = {name: _value(value, kinds[name]) for name, value in row.traits.items()}
    return structs.replace(row, traits=traits)


def _value(cell: str, kind: str) -> Attribute | None:
    """The cell by its type; None for numbers that are none."""
    of: dict[str, Callable[[str], Attribute]] = {
        "token": str, "float": float, "token_seq": str.split, "float_seq": str.split,
    }  # fmt: skip
    try:
        return of[kind](cell)
    except ValueError:
        return None
