"""The shop as the simulated readers find it: what is well known, what lies close to what, what goes with what.

All of it follows from the catalogue and from seeds of its own, so it is the same for every crowd, and no reader's doing.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from random import Random
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.sample.books import Book, Subject, books

NEIGHBOURS = 16
"""Books that can be stepped to from one book, the closest."""
SURGE = 40.0
"""How many times better known a trending book is while it trends."""
TRENDING = 6
COMPANIONS: tuple[tuple[Subject, Subject], ...] = (("travel", "nature"), ("war", "history"), ("cookery", "travel"))
"""A book on the first goes with one certain book on the second that it shares no subject with."""

Length = Literal["short", "medium", "long"]
Hour = Literal["", "evening", "weekend"]
"""What the time asks for: nothing; evening: calm or dark books; weekend: adventure and travel."""
PULL = 3.0
"""How many times more such a book draws a reader who goes by the hour."""

Floats = NDArray[np.float64]


class Shelf(Struct, frozen=True):
    """The books one kind of reader can meet, with all that does not depend on the reader worked out once. Rows as in `ids`."""

    ids: tuple[str, ...]
    row: dict[str, int]
    popularity: tuple[Floats, Floats]
    """How well known each book is: usually, and in the days of the trend."""
    neighbours: tuple[tuple[tuple[int, float], ...], ...]
    """For each book the closest others, each with its pull: closeness squared times popularity."""
    of_subject: dict[Subject, Floats]
    """1 for the books on a subject, 0 for the others."""
    of_mood: dict[str, Floats]
    of_length: dict[str, Floats]
    at_hour: dict[Hour, Floats]
    """What each book's pull is multiplied by at this hour."""
    partner: tuple[int | None, ...]
    """What is bought along with each book; see `goes_with`."""


def closeness(one: Book, other: Book) -> float:
    """How natural a step from one book to the other is: 0 (nothing shared) to 5.5 (author, subjects and mood)."""
    shared = len({*one.subjects} & {*other.subjects}) / len({*one.subjects} | {*other.subjects})
    return 3.0 * shared + 2.0 * (one.author == other.author) + 0.5 * (one.mood == other.mood)


def length_of(book: Book) -> Length:
    """short: under 180 pages; long: 400 and more."""
    if book.pages < 180:
        return "short"
    return "medium" if book.pages < 400 else "long"


@cache
def trending() -> tuple[str, ...]:
    """Ids of the little-known books that everybody turns to in the last days before `until`."""
    plain = [book.id for book in books() if not book.sensitivity and book.audience != "adults"]
    return tuple(sorted(Random("trending").sample(plain, TRENDING)))


@cache
def goes_with() -> dict[str, str]:
    """What is often bought along with a book: the next part of its series, or else its companion by a fixed pairing."""
    shop = books()
    pairs: dict[str, str] = {}
    for first, second in COMPANIONS:
        dice = Random(f"companions of {first}")
        for book in shop:
            if first in book.subjects and book.id not in pairs:
                fitting = [other.id for other in shop if _companion(book, other, second)]
                if fitting:
                    pairs[book.id] = dice.choice(fitting)
    return pairs | _next_parts(shop)


def _companion(book: Book, other: Book, subject: Subject) -> bool:
    """Whether the other may go with the book. Nothing that betrays its reader takes part in the pairing."""
    if book.sensitivity or other.sensitivity or other.audience != book.audience:
        return False
    return subject in other.subjects and not {*book.subjects} & {*other.subjects} - {"children"}


def _next_parts(shop: Sequence[Book]) -> dict[str, str]:
    """From each part of a series to the next one that the shop has."""
    parts = sorted((book for book in shop if book.series), key=lambda book: (book.series, book.part))
    return {one.id: other.id for one, other in pairwise(parts) if one.series == other.series}


@cache
def shelf_for(child: bool) -> Shelf:
    """What a child meets, or what a grown-up does."""
    kept = [book for book in books() if book.audience == "children" or not child]
    row = {book.id: place for place, book in enumerate(kept)}
    popularity = _popularity(len(kept))
    surged = popularity.copy()
    surged[[row[name] for name in trending() if name in row]] *= SURGE
    pairs = goes_with()
    evening = _marks([book.mood in ("calm", "dark") for book in kept])
    weekend = _marks([bool({"adventure", "travel"} & {*book.subjects}) for book in kept])
    return Shelf(
        ids=tuple(row),
        row=row,
        popularity=(popularity, surged),
        neighbours=_neighbours(kept, popularity),
        of_subject=_by_subject(kept),
        of_mood={mood: _marks([book.mood == mood for book in kept]) for mood in sorted({book.mood for book in kept})},
        of_length={size: _marks([length_of(book) == size for book in kept]) for size in ("short", "medium", "long")},
        at_hour={"": np.ones(len(kept)), "evening": 1 + (PULL - 1) * evening, "weekend": 1 + (PULL - 1) * weekend},
        partner=tuple(row.get(pairs.get(book.id, "")) for book in kept),
    )


def _marks(which: Sequence[bool]) -> Floats:
    return np.array(which, np.float64)


def _by_subject(kept: Sequence[Book]) -> dict[Subject, Floats]:
    names = sorted({subject for book in kept for subject in book.subjects})
    return {name: _marks([name in book.subjects for book in kept]) for name in names}


def _popularity(count: int) -> Floats:
    # A fixed seed of its own: which books are well known is a fact of the shop, not of one simulated crowd.
    order = Random("popularity").sample(range(count), count)
    popularity = np.zeros(count)
    popularity[order] = np.arange(1.0, count + 1) ** -0.4
    return popularity


def _neighbours(kept: Sequence[Book], popularity: Floats) -> tuple[tuple[tuple[int, float], ...], ...]:
    """The closest books to each one. This is `closeness` for all pairs at once."""
    marks = np.stack(list(_by_subject(kept).values()))
    both = marks.T @ marks
    many = marks.sum(axis=0)
    near = 3.0 * both / (many[:, None] + many[None, :] - both)
    for share, words in ((2.0, [book.author for book in kept]), (0.5, [book.mood for book in kept])):
        number = {word: place for place, word in enumerate(words)}
        codes = np.array([number[word] for word in words])
        near += share * (codes[:, None] == codes[None, :])
    np.fill_diagonal(near, -1.0)
    # Ties go by place in the file, so that the order never depends on anything but the catalogue.
    order = np.argsort(-near, axis=1, kind="stable")[:, :NEIGHBOURS]
    return tuple(
        tuple((int(other), float(near[one, other] ** 2 * popularity[other])) for other in row)
        for one, row in enumerate(order)
    )
