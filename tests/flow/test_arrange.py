"""Filling the slots: the best first, variety where it is asked for, and chance whose odds are known exactly."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from math import prod, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.arrangers.diverse import Diverse
from tactful.arrangers.exploring import Exploring
from tactful.arrangers.top import Top
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import Slots
from tactful.domain.item import Item
from tactful.domain.view import Moment

AUTHORS = st.lists(st.lists(st.sampled_from("abc"), max_size=2, unique=True), min_size=1, max_size=25)


def catalogue(authors: Sequence[list[str]]) -> Catalogue:
    return Catalogue.of(
        [Item(id=f"i{row}", title="I", attributes={"author": names}) for row, names in enumerate(authors)]
    )


def rows_of(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int32)


def scores_of(count: int) -> np.ndarray:
    return np.linspace(1.0, 0.1, count)


NOBODY = Moment(0, {}, {}, "adults", frozenset())
ANY = catalogue([[]] * 200)


# ---------------------------------------------------------------------------------------------------------------------- top


@pytest.mark.parametrize(("count", "limit"), [(0, 3), (2, 3), (3, 3), (9, 3), (9, 0)])
def test_top_is_the_best_first(count: int, limit: int) -> None:
    slots = Top().arrange(rows_of(count), scores_of(count), limit, ANY, random.Random(1), NOBODY)
    assert slots.rows.tolist() == list(range(min(count, limit)))
    assert slots.odds.tolist() == [1.0] * min(count, limit)


# ------------------------------------------------------------------------------------------------------------------ variety


@given(AUTHORS, st.integers(1, 3), st.integers(0, 12))
def test_no_author_comes_more_often_than_the_cap_and_the_order_is_kept(
    authors: list[list[str]], most: int, limit: int
) -> None:
    rows = rows_of(len(authors))
    slots = Diverse("author", most).arrange(
        rows, scores_of(len(rows)), limit, catalogue(authors), random.Random(1), NOBODY
    )
    chosen = slots.rows.tolist()
    assert chosen == sorted(chosen)
    assert len(chosen) <= limit
    assert max(Counter(name for row in chosen for name in authors[row]).values(), default=0) <= most
    assert slots.odds.tolist() == [1.0] * len(chosen)


@given(AUTHORS, st.integers(1, 3), st.integers(1, 12))
def test_what_is_skipped_would_have_been_one_too_many(authors: list[list[str]], most: int, limit: int) -> None:
    slots = Diverse("author", most).arrange(
        rows_of(len(authors)), scores_of(len(authors)), limit, catalogue(authors), random.Random(1), NOBODY
    )
    chosen = slots.rows.tolist()
    end = chosen[-1] if len(chosen) == limit else len(authors)
    for row in set(range(end)) - set(chosen):
        before = Counter(name for earlier in chosen if earlier < row for name in authors[earlier])
        assert any(before[name] >= most for name in authors[row])


# ------------------------------------------------------------------------------------------------------------------- chance


def draws(arranger: Exploring, count: int, limit: int, times: int, seed: int = 1) -> Iterator[Slots]:
    """So many pages, all from the same dice."""
    dice = random.Random(seed)
    rows, scores = rows_of(count), scores_of(count)
    return (arranger.arrange(rows, scores, limit, ANY, dice, NOBODY) for _ in range(times))


class Loaded:
    """Dice that fall as they are told."""

    def __init__(self, falls: Sequence[float]) -> None:
        self.falls = list(falls)

    def random(self) -> float:
        return self.falls.pop(0)


def odds_of_page(arranger: Exploring, page: Sequence[int], count: int) -> list[float]:
    """The odds that are logged when the dice bring exactly this page."""
    falls: list[float] = []
    left = list(range(count))[: max(arranger.pool, len(page))]
    for row in page:
        falls += [0.0, (left.index(row) + 0.5) / len(left)]  # explore, and draw this one
        left.remove(row)
    slots = arranger.arrange(rows_of(count), scores_of(count), len(page), ANY, Loaded(falls), NOBODY)
    assert slots.rows.tolist() == list(page)
    return slots.odds.tolist()


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(("count", "limit", "pool"), [(1, 1, 5), (4, 1, 9), (4, 2, 3), (4, 3, 2), (5, 5, 9)])
def test_the_odds_of_all_pages_add_up_to_one_slot_by_slot(share: float, count: int, limit: int, pool: int) -> None:
    """Of all ways to go on from the slots already filled, exactly one happens."""
    arranger = Exploring(share, pool)
    pages = list(permutations(range(min(count, max(pool, limit))), limit))
    odds = {page: odds_of_page(arranger, page, count) for page in pages}
    assert sum(prod(one) for one in odds.values()) == pytest.approx(1)
    for slot in range(limit):
        for before in {page[:slot] for page in pages}:
            ways = {page[slot]: odds[page][slot] for page in pages if page[:slot] == before}
            assert sum(ways.values()) == pytest.approx(1)
            assert all(0 < way <= 1 for way in ways.values())


@pytest.mark.prove
def test_things_happen_as_often_as_their_odds_say(scale: Callable[[int, int], int]) -> None:
    """Chi-square over whole pages: its mean is the number of pages less one, its spread the root of twice that."""
    arranger, count, limit, times = Exploring(0.4, 5), 5, 3, scale(20_000, 400_000)
    seen = Counter(tuple(slots.rows.tolist()) for slots in draws(arranger, count, limit, times))
    pages = list(permutations(range(count), limit))
    expected = {page: times * prod(odds_of_page(arranger, page, count)) for page in pages}
    square = sum((seen[page] - want) ** 2 / want for page, want in expected.items())
    free = len(pages) - 1
    print(f"\nchi-square {square:.1f} on {free} degrees of freedom")
    assert square < free + 4 * sqrt(2 * free)


def test_nothing_is_left_to_chance_where_the_share_is_none() -> None:
    for slots in draws(Exploring(0.0, 100), 20, 6, 50):
        assert slots.rows.tolist() == list(range(6))
        assert slots.odds.tolist() == [1.0] * 6


@given(st.integers(0, 30), st.integers(0, 12), st.integers(1, 20), st.floats(0, 1), st.integers(0, 99))
def test_a_page_holds_what_it_may_each_once(count: int, limit: int, pool: int, share: float, seed: int) -> None:
    slots = next(draws(Exploring(share, pool), count, limit, 1, seed))
    chosen = slots.rows.tolist()
    assert len(chosen) == len(set(chosen)) == min(count, limit)
    assert all(row < max(pool, limit) for row in chosen)
    assert all(0 < odds <= 1 for odds in slots.odds)


# --------------------------------------------------------------------------------------------- what the odds are good for


def clicks(count: int) -> np.ndarray:
    """The truth of a simulated world: the chance that each item is clicked. The best ranked is not the best liked."""
    return np.array([0.2, 0.9, 0.1, 0.5, 0.3, 0.7, 0.05, 0.6][:count])


def estimate(
    pages: Iterator[Slots], truth: np.ndarray, seed: int, odds: Callable[[Slots], float]
) -> tuple[float, float]:
    """What `always show item 1 in the first slot` would earn, from pages on which chance did it now and then: mean and standard
    error of click / odds over the pages (Horvitz & Thompson 1952)."""
    dice = random.Random(seed)
    earned = []
    for slots in pages:
        first = int(slots.rows[0])
        earned.append((dice.random() < truth[first]) / odds(slots) if first == 1 else 0.0)
    return float(np.mean(earned)), float(np.std(earned) / sqrt(len(earned)))


@pytest.mark.prove
def test_the_logged_odds_give_an_unbiased_estimate_of_what_was_not_done(scale: Callable[[int, int], int]) -> None:
    truth, inside, worlds = clicks(6), 0, scale(40, 400)
    for seed in range(worlds):
        mean, error = estimate(
            draws(Exploring(0.3, 6), 6, 3, 2_000, seed), truth, seed, lambda slots: float(slots.odds[0])
        )
        inside += abs(mean - truth[1]) < 1.96 * error
    print(f"\nthe 95 % interval covers the truth in {inside} of {worlds} worlds")
    assert inside / worlds > 0.95 - 3 * sqrt(0.95 * 0.05 / worlds)


@pytest.mark.parametrize(
    ("name", "odds"),
    [
        ("the share alone, as though the best could not be drawn by chance", lambda slots: 0.3 / 5),
        ("the share, not divided by how many there were", lambda slots: 0.3),
        ("as though nothing were left to chance", lambda slots: 1.0),
    ],
)
def test_wrong_odds_are_found_out(name: str, odds: Callable[[Slots], float]) -> None:
    truth = clicks(6)
    mean, error = estimate(draws(Exploring(0.3, 6), 6, 3, 60_000), truth, 1, odds)
    assert abs(mean - truth[1]) > 1.96 * error, name


def test_the_whole_page_is_worth_what_its_odds_say() -> None:
    """Also beyond the first slot: the odds of a later slot are given those before it, so that a page's odds are their product."""
    truth, dice = clicks(5), random.Random(1)
    target, earned = (1, 3), []
    for slots in draws(Exploring(0.5, 5), 5, 2, 30_000):
        got = sum(dice.random() < truth[row] for row in slots.rows)
        earned.append(got / prod(slots.odds) if tuple(slots.rows.tolist()) == target else 0.0)
    worth = truth[1] + truth[3]
    assert abs(np.mean(earned) - worth) < 3 * np.std(earned) / sqrt(len(earned))
