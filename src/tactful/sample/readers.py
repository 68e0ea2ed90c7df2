"""Simulated readers: who they are, and what they did in the bookshop over the last 90 days.

The world they live in, so that anyone can say what an engine ought to learn from it:

* A reader has two or three subjects they care for, weighted to sum to one.
* Within a visit, three steps in four go to a book close to the one in hand (same author, shared subjects, same mood:
  `closeness`), preferring what meets the taste. That is what a transition model can learn and a popularity list
  cannot. The other steps are choices by taste alone. One visit in five goes on from where the last one ended.
* Some books are simply better known. A fixed popularity, the same under every seed, leans on every choice.
* People come in visits, at most one a day, around a favourite hour; patience says how long they stay.
* Most views lead nowhere. The better a book meets the taste, the likelier it is bought or liked; the worse, the
  likelier it is disliked. A reader does not come back to a book they gave such a verdict on, so nobody buys the same
  book twice. A view alone does not keep them from coming back on another day.
* About one reader in seven changes: halfway through their visits one subject makes way for a new one.
  `Reader.tastes` is the taste at the end, the one an engine should have caught up with.
* About one reader in seventeen is a child and meets books for children only.

No clock is read and no global random state is used. Each reader has a generator of their own, seeded from the seed
and their number, so that reader 7 is the same whether 10 or 10,000 are asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import Literal

from msgspec import Struct

from tactful.sample.books import Book, Subject, books

DAYS = 90
"""Length of the simulated past, in days before `until`."""
CHILD_SHARE = 0.06
"""Share of readers who are children."""
DRIFT_SHARE = 0.15
"""Share of readers whose taste changes halfway."""
LONGEST_VISIT = 12
"""Most books one reader looks at in one visit."""

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_NEIGHBOURS = 16
_FOLLOW = 0.75  # chance that the next book is chosen by the book in hand, not by taste alone
_RESUME = 0.2  # chance that a visit goes on from where the one before ended
_BASE_APPEAL = 0.1  # appeal of a book outside one's taste: people do look around

Verb = Literal["viewed", "bought", "liked", "disliked"]


class Act(Struct, frozen=True):
    """One thing a reader did with one book."""

    id: str
    """Unique among all readers of one run, and the same in each run: "act-0001-0007"."""
    at: int
    """When, in milliseconds since 1970-01-01 UTC."""
    verb: Verb
    """What they did. A verdict (bought, liked, disliked) always follows a view of the same book."""
    book: str
    """Id of the book."""
    visit: int
    """Which visit of this reader, counted from 1."""


class Habits(Struct, frozen=True):
    """When and how long a reader comes."""

    hour: int
    """Favourite hour of the day, 0 to 23, UTC."""
    visits: int
    """How many visits in the 90 days; a reader who has judged every book there is would make fewer."""
    patience: int
    """Books looked at in a visit, about, before they have enough."""


class Reader(Struct, frozen=True):
    """One simulated reader with all they did."""

    id: str
    """ "reader-0001" and so on, counted from 1."""
    tastes: Mapping[Subject, float]
    """Weight of each subject they care for, at the end of the 90 days; sums to one."""
    habits: Habits
    """When and how long they come."""
    child: bool
    """Whether this is a child, who meets only books for children."""
    acts: tuple[Act, ...]
    """All they did, oldest first, before `until` without exception."""


class _Shelf(Struct, frozen=True):
    """The books one kind of reader can meet, with all that does not depend on the reader worked out once."""

    ids: tuple[str, ...]
    popularity: tuple[float, ...]
    neighbours: tuple[tuple[tuple[int, float], ...], ...]
    by_subject: dict[Subject, tuple[int, ...]]


def readers(count: int, seed: int, until: int) -> Iterator[Reader]:
    """The first `count` readers of the world `seed`, as seen at `until` (milliseconds since 1970-01-01 UTC).

    The same arguments give the same readers to the byte, and a larger `count` only adds readers at the end.
    Acts fall on the 89 whole UTC days before the day of `until`.
    """
    for number in range(1, count + 1):
        yield _reader(number, seed, until)


def closeness(one: Book, other: Book) -> float:
    """How natural a step from one book to the other is: 0 (nothing shared) to 5.5 (author, subjects and mood)."""
    shared = len({*one.subjects} & {*other.subjects}) / len({*one.subjects} | {*other.subjects})
    return 3.0 * shared + 2.0 * (one.author == other.author) + 0.5 * (one.mood == other.mood)


@cache
def _shelf(child: bool) -> _Shelf:
    kept = [book for book in books() if book.audience == "children" or not child]
    # A fixed seed of its own: which books are well known is a fact of the shop, not of one simulated crowd.
    order = Random("popularity").sample(range(len(kept)), len(kept))
    popularity = [0.0] * len(kept)
    for rank, index in enumerate(order, 1):
        popularity[index] = rank**-0.4
    by_subject: dict[Subject, tuple[int, ...]] = {}
    for index, book in enumerate(kept):
        for subject in book.subjects:
            by_subject[subject] = (*by_subject.get(subject, ()), index)
    neighbours = tuple(_nearest(index, kept, popularity) for index in range(len(kept)))
    return _Shelf(tuple(book.id for book in kept), tuple(popularity), neighbours, by_subject)


def _nearest(index: int, kept: Sequence[Book], popularity: Sequence[float]) -> tuple[tuple[int, float], ...]:
    """The closest books to the one at `index`, each with its pull: closeness squared times popularity."""
    close = [(closeness(kept[index], book), other) for other, book in enumerate(kept) if other != index]
    # Ties go by place in the file, so that the order never depends on anything but the catalogue.
    close.sort(key=lambda pair: (-pair[0], pair[1]))
    return tuple((other, near * near * popularity[other]) for near, other in close[:_NEIGHBOURS])


def _reader(number: int, seed: int, until: int) -> Reader:
    rng = Random(f"{seed}:{number}")
    child = rng.random() < CHILD_SHARE
    shelf = _shelf(child)
    habits = _habits(rng, child)
    tastes = _tastes(rng, shelf)
    drift_at = habits.visits // 2 + 1 if rng.random() < DRIFT_SHARE else 0
    walk = _Walk(rng, shelf, f"{number:04d}", tastes)
    for visit, start in enumerate(_starts(rng, habits, until), 1):
        if visit == drift_at:
            tastes = _drifted(rng, shelf, tastes)
            walk.turn_to(tastes)
        walk.visit(visit, start, habits.patience)
    return Reader(f"reader-{number:04d}", tastes, habits, child, tuple(walk.acts))


def _habits(rng: Random, child: bool) -> Habits:
    # Children come after school; others over breakfast, in the lunch break and, most of them, in the evening.
    hour = rng.choice((14, 15, 16, 17, 18) if child else (7, 8, 12, 13, 18, 19, 20, 20, 21, 21, 22))
    return Habits(hour, visits=3 + min(int(rng.expovariate(1 / 6)), 27), patience=rng.randint(2, 7))


def _tastes(rng: Random, shelf: _Shelf) -> dict[Subject, float]:
    # Each later subject counts less than the one before, so that a reader has a first love and not three equal ones.
    chosen = rng.sample(_subjects(shelf), rng.choice((2, 3)))
    raw = [rng.uniform(0.5, 1.0) / place for place in range(1, len(chosen) + 1)]
    return {subject: weight / sum(raw) for subject, weight in zip(chosen, raw, strict=True)}


def _subjects(shelf: _Shelf) -> list[Subject]:
    """Subjects a taste can hold, sorted: those with some books, save the one that nearly all children's books have."""
    return sorted(subject for subject, found in shelf.by_subject.items() if len(found) >= 3 and subject != "children")


def _drifted(rng: Random, shelf: _Shelf, tastes: Mapping[Subject, float]) -> dict[Subject, float]:
    """The same taste with its strongest subject replaced by one that was not there; the weights stay."""
    new = rng.choice([subject for subject in _subjects(shelf) if subject not in tastes])
    first = max(tastes, key=lambda subject: tastes[subject])
    return {new if subject == first else subject: weight for subject, weight in tastes.items()}


def _starts(rng: Random, habits: Habits, until: int) -> list[int]:
    """Starting times of the visits, oldest first, on different days, all of them before the day of `until`."""
    today = until // _DAY_MS * _DAY_MS
    starts = []
    for back in sorted(rng.sample(range(1, DAYS), habits.visits), reverse=True):
        hour = rng.gauss(habits.hour + 0.5, 1.2)
        # Kept inside 0 to 23 o'clock: the longest visit takes under an hour, so none runs into the next day.
        start = int(min(max(hour, 0.0), 23.0) * _HOUR_MS)
        starts.append(today - back * _DAY_MS + start)
    return starts


class _Walk:
    """One reader on the way from book to book; collects what they do."""

    def __init__(self, rng: Random, shelf: _Shelf, name: str, tastes: Mapping[Subject, float]) -> None:
        self.acts: list[Act] = []
        self._rng = rng
        self._shelf = shelf
        self._name = name
        self._all = range(len(shelf.ids))
        self._judged: set[int] = set()
        self._last: int | None = None
        self.turn_to(tastes)

    def turn_to(self, tastes: Mapping[Subject, float]) -> None:
        """Choose by these tastes from now on."""
        appeal = [_BASE_APPEAL] * len(self._all)
        for subject, weight in tastes.items():
            for index in self._shelf.by_subject[subject]:
                appeal[index] += weight
        self._appeal = appeal
        total = 0.0
        # Squared, or the many books outside the taste would outweigh the few inside it.
        self._by_taste = [
            total := total + mine * mine * known for mine, known in zip(appeal, self._shelf.popularity, strict=True)
        ]

    def visit(self, visit: int, start: int, patience: int) -> None:
        """Walk through one visit that starts at `start` (milliseconds) and ends when patience does."""
        length = min(1 + int(self._rng.expovariate(1 / (patience - 0.5))), LONGEST_VISIT)
        last = self._last if self._rng.random() < _RESUME else None
        seen: set[int] = set()
        at = start
        for _ in range(length):
            book = self._next(last, seen)
            if book is None:
                break
            self._add(at, "viewed", book, visit)
            verdict = self._verdict(book)
            if verdict is not None:
                self._judged.add(book)
                self._add(at + self._rng.randint(5_000, 18_000), verdict, book, visit)
            seen.add(book)
            last = book
            at += self._rng.randint(20_000, 240_000)
        self._last = last

    def _next(self, last: int | None, seen: set[int]) -> int | None:
        """The next book, one not seen in this visit nor judged before; None when there is no such book left."""
        if last is not None and self._rng.random() < _FOLLOW:
            near = [
                (other, pull * self._appeal[other])
                for other, pull in self._shelf.neighbours[last]
                if other not in seen and other not in self._judged
            ]
            if near:
                return self._rng.choices([other for other, _ in near], [pull for _, pull in near])[0]
        # Drawing again is much faster than weighing what is left, and nearly always enough.
        for _ in range(4):
            book = self._rng.choices(self._all, cum_weights=self._by_taste)[0]
            if book not in seen and book not in self._judged:
                return book
        left = [book for book in self._all if book not in seen and book not in self._judged]
        return self._rng.choices(left, [self._appeal[book] ** 2 for book in left])[0] if left else None

    def _verdict(self, book: int) -> Verb | None:
        """What comes of a view: mostly nothing. Appeal runs from 0.1 (outside the taste) to 1.1 (all of it)."""
        appeal = self._appeal[book]
        bought, liked, disliked = 0.12 * appeal, 0.14 * appeal, 0.07 * (1.1 - appeal)
        roll = self._rng.random()
        if roll < bought:
            return "bought"
        if roll < bought + liked:
            return "liked"
        return "disliked" if roll < bought + liked + disliked else None

    def _add(self, at: int, verb: Verb, book: int, visit: int) -> None:
        number = len(self.acts) + 1
        self.acts.append(Act(f"act-{self._name}-{number:04d}", at, verb, self._shelf.ids[book], visit))
