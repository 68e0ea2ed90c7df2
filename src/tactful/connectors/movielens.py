"""MovieLens: 1M (`movies.dat`, `ratings.dat`), 100k (`u.item`, `u.data`), the newer CSV releases, and RecBole's atomic files.

Where the stars are missing and only the order and a "four stars or more" flag are known, the rating has no value: none is made up.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tactful.connectors.files import count_lines, open_text
from tactful.connectors.mapping import RAW_MOST
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.domain.item import Attribute, Item
from tactful.ports import Quarantined

GRANTED = ("personalise", "learn")
"""The people of MovieLens agreed to research use; the import records these purposes for them, with MovieLens as the source."""

GENRES_100K = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip

RATINGS = ("ratings.dat", "ratings.csv", "u.data", "interactions_ordered_ts.csv", "ml-100k.inter")
MOVIES = ("movies.dat", "movies.csv", "u.item", "ml-100k.item")


def items(folder: Path) -> Iterator[Item]:
    """The films. Raises BadInput if there is no file of films."""
    path = _first(folder, MOVIES)
    with _open(path, "latin-1" if path.name.startswith(("movies.dat", "u.item")) else "utf-8") as file:
        if "movies.dat" in path.name:
            for line in file:
                film, title, kinds = line.rstrip("\n").split("::")
                yield _film(film, title, kinds.split("|"))
        elif "movies.csv" in path.name:
            for row in csv.DictReader(file):
                yield _film(row["movieId"], row["title"], row["genres"].split("|"))
        elif "u.item" in path.name:
            for line in file:
                cells = line.rstrip("\n").split("|")
                genres = [genre for genre, flag in zip(GENRES_100K, cells[5:], strict=False) if flag == "1"]
                yield _film(cells[0], cells[1], genres)
        else:
            next(file)
            for line in file:
                film, title, year, kinds = line.rstrip("\n").split("\t")
                yield _film(film, f"{title} ({year})" if year else title, kinds.split())


def ratings(folder: Path, now: int = 0) -> Iterator[Arrival | Quarantined]:
    """The ratings, in the file's order; a line that cannot be used, with what is wrong with it. Raises BadInput if there is no file
    of ratings. now: milliseconds since 1970, for those lines."""
    path = _first(folder, RATINGS)
    if "ratings.dat" in path.name:
        split = "::"
    elif "u.data" in path.name or "inter" in path.suffixes or path.name.startswith("ml-100k"):
        split = "\t"
    else:
        split = ","
    headed = split == "," or (split == "\t" and "u.data" not in path.name)
    read = _ordered if "ordered" in path.name else _starred
    with _open(path, "utf-8") as file:
        for number, line in enumerate(file, 1):
            if headed and number == 1:
                continue
            cells = line.rstrip("\n").split(split)
            try:
                yield read(cells)
            except (ValueError, OverflowError):
                where, raw = f"line {number}", line.encode(errors="surrogateescape")[:RAW_MOST]
                why = f"it is no rating; write user, film, stars and seconds since 1970 with {split!r} between"
                yield Quarantined(where, now, "", raw, where, why)


def count(folder: Path) -> int:
    """How many lines of ratings there are, for the progress bar."""
    return count_lines(_first(folder, RATINGS))


def files(folder: Path) -> tuple[Path, Path]:
    """The files that are read: films, ratings. Raises BadInput."""
    return _first(folder, MOVIES), _first(folder, RATINGS)


def _ordered(cells: list[str]) -> Arrival:
    user, film, position, _, at, _ = cells
    # Many ratings share a second: the id carries the position, so that the order survives.
    name = f"ml-{int(position):05d}"
    return Arrival(id=name, person=_utf8(user), name="rated", at=int(at) * 1000, verb="rated", items=(_utf8(film),))


def _starred(cells: list[str]) -> Arrival:
    user, film, stars, at = cells
    moment, value = int(float(at)) * 1000, float(stars)
    return Arrival(
        id=f"ml-{_utf8(film)}", person=_utf8(user), name="rated", at=moment, verb="rated", items=(film,), value=value
    )


def _utf8(text: str) -> str:
    text.encode()  # raises UnicodeEncodeError, a ValueError, for what was not UTF-8
    return text


def _film(film: str, title: str, genres: list[str]) -> Item:
    attributes: dict[str, Attribute] = {"genres": [genre for genre in genres if genre]}
    year = re.search(r"\((\d{4})\)\s*$", title)
    if year:
        attributes["decade"] = f"{year.group(1)[:3]}0s"
    return Item(id=film, title=title.strip(), kind="film", attributes=attributes, audience="unrated")


def _first(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.exists():
                return path
    raise BadInput(
        field=str(folder),
        why=f"it holds none of {', '.join(names)} (or .gz)",
        fix="Name the folder of a MovieLens release",
    )


def _open(path: Path, encoding: str) -> IO[str]:
    return open_text(path, encoding, errors="surrogateescape")
