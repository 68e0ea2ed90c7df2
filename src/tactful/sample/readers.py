"""Simulated readers: who they are, and what they did in the bookshop over the last 90 days.

The world they live in, so that anyone can say what an engine ought to learn from it:

* A reader has two or three subjects they care for, weighted to sum to one; two moods and a length they like add a
  little. In a quiz they would say so (`Reader.answers`).
* Within a visit, three steps in four go to a book close to the one in hand (same author, shared subjects, same mood:
  `world.closeness`), preferring what meets the taste. That is what a transition model can learn and a popularity list
  cannot. The other steps are choices by taste alone. One visit in five goes on from where the last one ended.
* Some books are simply better known. A fixed popularity, the same under every seed, leans on every choice.
  A few books (`world.trending`) are far better known in the last `TREND_DAYS` days than they were before.
* People come in visits, at most one a day, around a favourite hour; patience says how long they stay.
* One grown-up or child in three goes by the hour (`Habits.by_the_hour`): at weekends adventure and travel draw them
  three times as much, on other evenings (from 18 o'clock UTC) calm and dark books do.
* Most views lead nowhere. The better a book meets the taste, the likelier it is bought or liked; the worse, the
  likelier it is disliked. A reader does not come back to a book they gave such a verdict on, so nobody buys the same
  book twice. A view alone does not keep them from coming back on another day.
* Some books are bought together (`world.goes_with`): after buying one, a reader looks at the next part of its series or
  at its fixed companion at once, three times in five, and then buys it in every second case, whatever their taste.
* Some books are put into the cart and stay there, or are taken out again (`added`, `dropped`). A third of the visits
  after that begin with the book left in the cart, and then a third of the readers buy it.
* Half of what was bought is `finished` at a later visit. A visit that begins so goes on, one time in two, to the next
  part if there is one, and every second reader buys that.
* About one reader in seven changes: halfway through their visits one subject makes way for a new one.
  `Reader.tastes` is the taste at the end, the one an engine should have caught up with.
* About one reader in seventeen is a child and meets books for children only.
* The language a book was written in moves nobody: these readers read translations.

No clock is read and no global random state is used. Each reader has a generator of their own, seeded from the seed
and their number, so that reader 7 is the same whether 10 or 10,000 are asked for.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from random import Random
from typing import Literal, cast

import numpy as np
from msgspec import Struct

from tactful.sample.books import Mood, Subject
from tactful.sample.world import Floats, Hour, Length, Shelf, shelf_for

DAYS = 90
"""Length of the simulated past, in days before `until`."""
TREND_DAYS = 10
"""How many of them the trend has lasted."""
CHILD_SHARE = 0.06
"""Share of readers who are children."""
DRIFT_SHARE = 0.15
"""Share of readers whose taste changes halfway."""
HOUR_SHARE = 0.35
"""Share of readers who go by the hour."""
LONGEST_VISIT = 12
"""Most books one reader looks at in one visit."""

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_EVENING = 18
_FOLLOW = 0.75  # chance that the next book is chosen by the book in hand, not by taste alone
_RESUME = 0.2  # chance that a visit goes on from where the one before ended
_TOGETHER = 0.6  # chance that a purchase is followed by a look at what goes with it
_RETURN = 0.35  # chance that a visit begins with what was left in the cart
_FINISH = 0.5  # chance that a bought book is ever finished
_BASE_APPEAL = 0.1  # appeal of a book outside one's taste: people do look around
_MOOD_APPEAL, _LENGTH_APPEAL = 0.12, 0.08

Verb = Literal["viewed", "added", "dropped", "bought", "finished", "liked", "disliked"]


class Act(Struct, frozen=True):
    """One thing a reader did with one book."""

    id: str
    """Unique among all readers of one run, and the same in each run: "act-0001-0007"."""
    at: int
    """When, in milliseconds since 1970-01-01 UTC."""
    verb: Verb
    """What they did. A verdict (bought, liked, disliked) and a move into the cart always follow a view of the book."""
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
    by_the_hour: bool
    """Whether evenings and weekends change what they look for."""


class Answers(Struct, frozen=True):
    """What an honest reader would answer in a quiz about their taste."""

    subjects: tuple[Subject, ...]
    """All they care for, the dearest first."""
    moods: tuple[Mood, ...]
    """Two."""
    length: Length
    """How long a book may be; see `world.length_of`."""


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
    answers: Answers
    """What they would say about their taste at the end of the 90 days."""
    acts: tuple[Act, ...]
    """All they did, oldest first, before `until` without exception."""


def readers(count: int, seed: int, until: int) -> Iterator[Reader]:
    """The first `count` readers of the world `seed`, as seen at `until` (milliseconds since 1970-01-01 UTC).

    The same arguments give the same readers to the byte, and a larger `count` only adds readers at the end.
    Acts fall on the 89 whole UTC days before the day of `until`.
    """
    for number in range(1, count + 1):
        yield _reader(number, seed, until)


def next_choices(reader: Reader, count: int, *, new: bool = False) -> tuple[str, ...]:
    """Ids of up to `count` different books that this reader would look at next, in order, by the law they lived by so far.

    For judging a recipe on choices it has not seen. The same reader always chooses the same. What they bought, liked or
    disliked is left out as always; new: leave out whatever they ever looked at.
    """
    shelf = shelf_for(reader.child)
    last = reader.acts[-1]
    walk = _Walk(Random(f"next:{reader.id}:{last.at}:{last.book}"), shelf, "", reader.answers, reader.tastes)
    walk.surging = True
    seen = {shelf.row[act.book] for act in reader.acts if act.verb in VERDICTS or new}
    chosen: list[int] = []
    while len(chosen) < count:
        book = walk.next(chosen[-1] if chosen else shelf.row[last.book], seen)
        if book is None:
            break
        seen.add(book)
        chosen.append(book)
    return tuple(shelf.ids[book] for book in chosen)


VERDICTS = frozenset({"bought", "liked", "disliked"})
"""Verbs after which a reader is done with a book."""


def _reader(number: int, seed: int, until: int) -> Reader:
    rng = Random(f"{seed}:{number}")
    child = rng.random() < CHILD_SHARE
    shelf = shelf_for(child)
    habits = _habits(rng, child)
    tastes = _tastes(rng, shelf)
    moods = cast("tuple[Mood, ...]", tuple(rng.sample(list(shelf.of_mood), 2)))
    length: Length = rng.choice(("short", "medium", "long"))
    drift_at = habits.visits // 2 + 1 if rng.random() < DRIFT_SHARE else 0
    walk = _Walk(rng, shelf, f"{number:04d}", Answers((), moods, length), tastes)
    trend_from = until // _DAY_MS * _DAY_MS - TREND_DAYS * _DAY_MS
    for visit, start in enumerate(_starts(rng, habits, until), 1):
        if visit == drift_at:
            tastes = _drifted(rng, shelf, tastes)
            walk.turn_to(tastes)
        walk.surging = start >= trend_from
        walk.hour = _hour_of(start) if habits.by_the_hour else ""
        walk.visit(visit, start, habits.patience)
    answers = Answers(tuple(sorted(tastes, key=lambda subject: -tastes[subject])), moods, length)
    return Reader(f"reader-{number:04d}", tastes, habits, child, answers, tuple(walk.acts))


def _hour_of(at: int) -> Hour:
    """What the time asks for. Day 0 of the epoch was a Thursday."""
    if (at // _DAY_MS + 3) % 7 >= 5:
        return "weekend"
    return "evening" if at % _DAY_MS >= _EVENING * _HOUR_MS else ""


def _habits(rng: Random, child: bool) -> Habits:
    # Children come after school; others over breakfast, in the lunch break and, most of them, in the evening.
    hour = rng.choice((14, 15, 16, 17, 18) if child else (7, 8, 12, 13, 18, 19, 20, 20, 21, 21, 22))
    visits = 3 + min(int(rng.expovariate(1 / 6)), 27)
    return Habits(hour, visits, patience=rng.randint(2, 7), by_the_hour=rng.random() < HOUR_SHARE)


def _tastes(rng: Random, shelf: Shelf) -> dict[Subject, float]:
    # Each later subject counts less than the one before, so that a reader has a first love and not three equal ones.
    chosen = rng.sample(_subjects(shelf), rng.choice((2, 3)))
    raw = [rng.uniform(0.5, 1.0) / place for place in range(1, len(chosen) + 1)]
    return {subject: weight / sum(raw) for subject, weight in zip(chosen, raw, strict=True)}


def _subjects(shelf: Shelf) -> list[Subject]:
    """Subjects a taste can hold, sorted: those with some books, save the one that nearly all children's books have."""
    return sorted(subject for subject, found in shelf.of_subject.items() if found.sum() >= 3 and subject != "children")


def _drifted(rng: Random, shelf: Shelf, tastes: Mapping[Subject, float]) -> dict[Subject, float]:
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

    def __init__(self, rng: Random, shelf: Shelf, name: str, likes: Answers, tastes: Mapping[Subject, float]) -> None:
        self.acts: list[Act] = []
        self.hour: Hour = ""
        self.surging = False
        self._rng = rng
        self._shelf = shelf
        self._name = name
        self._likes = likes
        self._judged: set[int] = set()
        self._cart: list[int] = []
        self._unread: list[int] = []
        self._last: int | None = None
        self.turn_to(tastes)

    def turn_to(self, tastes: Mapping[Subject, float]) -> None:
        """Choose by these tastes from now on."""
        shelf = self._shelf
        appeal: Floats = np.full(len(shelf.ids), _BASE_APPEAL)
        for subject, weight in tastes.items():
            appeal += weight * shelf.of_subject[subject]
        for mood in self._likes.moods:
            appeal += _MOOD_APPEAL * shelf.of_mood[mood]
        appeal += _LENGTH_APPEAL * shelf.of_length[self._likes.length]
        self._appeal = appeal
        self._appeals: list[float] = appeal.tolist()
        self._sums: dict[tuple[Hour, bool], list[float]] = {}

    def visit(self, visit: int, start: int, patience: int) -> None:
        """Walk through one visit that starts at `start` (milliseconds) and ends when patience does."""
        self._visit, self._at = visit, start
        length = min(1 + int(self._rng.expovariate(1 / (patience - 0.5))), LONGEST_VISIT)
        last = self._last if self._rng.random() < _RESUME else None
        wanted, keen = self._first(visit)
        seen: set[int] = set()
        # What goes with a purchase is looked at even by those who were about to leave.
        while len(seen) < (length if wanted is None else LONGEST_VISIT):
            book = wanted if wanted is not None else self.next(last, seen | self._judged)
            if book is None:
                break
            bought = self._look(book, keen)
            seen.add(book)
            last, wanted, keen = book, None, 0.0
            partner = self._shelf.partner[book] if bought else None
            if partner is not None and partner not in seen | self._judged and self._rng.random() < _TOGETHER:
                wanted, keen = partner, 0.5
        self._last = last

    def _first(self, visit: int) -> tuple[int | None, float]:
        """What the visit begins with, if anything: the next part of what was finished, or the cart. With the least chance of buying it."""
        if visit > 1 and self._unread and self._rng.random() < 0.4:
            book = self._unread.pop(0)
            if self._rng.random() < _FINISH:
                self._add("finished", book)
                self._at += self._rng.randint(20_000, 60_000)
                part = self._shelf.partner[book]
                if part is not None and part not in self._judged and self._rng.random() < 0.5:
                    return part, 0.5
        if self._cart and self._rng.random() < _RETURN:
            return self._cart[-1], 0.35
        return None, 0.0

    def _look(self, book: int, keen: float) -> bool:
        """Look at a book and see what comes of it. Whether it was bought."""
        self._add("viewed", book)
        verdict = self._verdict(book, keen)
        later = self._at + self._rng.randint(5_000, 18_000)
        if verdict is not None:
            self._add(verdict, book, later)
            if verdict in VERDICTS:
                self._judged.add(book)
                if book in self._cart:
                    self._cart.remove(book)
            elif verdict == "added":
                self._cart.append(book)
            else:
                self._cart.remove(book)
        if verdict == "bought":
            self._unread.append(book)
        self._at += self._rng.randint(20_000, 210_000)
        return verdict == "bought"

    def next(self, last: int | None, out: set[int]) -> int | None:
        """The next book, none of those that are out; None when there is no such book left."""
        rng, pulled = self._rng, self._shelf.at_hour[self.hour]
        if last is not None and rng.random() < _FOLLOW:
            near = [(other, pull) for other, pull in self._shelf.neighbours[last] if other not in out]
            if near:
                pulls = accumulate(pull * self._appeals[other] * pulled[other] for other, pull in near)
                return near[_drawn(rng, list(pulls))][0]
        sums = self._by_taste()
        # Drawing again is much faster than weighing what is left, and nearly always enough.
        for _ in range(4):
            book = _drawn(rng, sums)
            if book not in out:
                return book
        left = [book for book in range(len(self._appeals)) if book not in out]
        return left[_drawn(rng, list(accumulate(self._appeals[book] ** 2 for book in left)))] if left else None

    def _by_taste(self) -> list[float]:
        """Running sums of what draws this reader now: taste, fame and hour."""
        key = self.hour, self.surging
        if key not in self._sums:
            # Squared, or the many books outside the taste would outweigh the few inside it.
            drawn = self._appeal**2 * self._shelf.popularity[self.surging] * self._shelf.at_hour[self.hour]
            self._sums[key] = drawn.cumsum().tolist()
        return self._sums[key]

    def _verdict(self, book: int, keen: float) -> Verb | None:
        """What comes of a view: mostly nothing. keen: the least chance of buying. Appeal runs from 0.1 (outside the taste) to 1.3 (all of it and more)."""
        appeal = self._appeals[book]
        bought, liked, disliked = max(0.11 * appeal, keen), 0.13 * appeal, 0.07 * max(1.1 - appeal, 0.0)
        roll = self._rng.random()
        if roll < bought:
            return "bought"
        if roll < bought + liked:
            return "liked"
        if roll < bought + liked + disliked:
            return "disliked"
        if roll < bought + liked + disliked + 0.07:
            # Taken out of the cart if it lies there, put into it if it does not and meets the taste at all.
            return "dropped" if book in self._cart else "added" if appeal > 0.3 else None
        return None

    def _add(self, verb: Verb, book: int, at: int | None = None) -> None:
        number = len(self.acts) + 1
        made = Act(
            f"act-{self._name}-{number:04d}", self._at if at is None else at, verb, self._shelf.ids[book], self._visit
        )
        self.acts.append(made)


def _drawn(rng: Random, sums: list[float]) -> int:
    """A place drawn by weight, the weights given as running sums."""
    return min(bisect_right(sums, rng.random() * sums[-1]), len(sums) - 1)
