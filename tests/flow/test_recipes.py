"""The bookshop's recipes choose better than popularity, where that is their aim: on simulated readers whom no model has learned from."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.recipes import AIMS, Bookshop, Case, Verdict, coming_back, interval, judge, ndcg, open_bookshop
from tactful.domain.decision import Ask
from tactful.sample.world import trending
from tests.bookshop import open_bookshop as open_demo
from tests.deletion import Tally, cases
from tests.shop import MINUTE, crowd

TAUGHT, JUDGED = 700, 300


@pytest.fixture(scope="module")
def shop() -> Bookshop:
    """The bookshop, its models trained on some readers, with others to judge them on."""
    return open_bookshop(TAUGHT, JUDGED)


@pytest.fixture(scope="module")
def verdict(shop: Bookshop) -> Callable[[str], Verdict]:
    """The verdict on a recipe, worked out once."""
    known: dict[str, Verdict] = {}

    def find(name: str) -> Verdict:
        if name not in known:
            known[name] = judge(shop, AIMS[name])
        return known[name]

    return find


@pytest.mark.parametrize("name", AIMS)
def test_it_beats_popularity_on_choices_nobody_has_seen(name: str, verdict: Callable[[str], Verdict]) -> None:
    found = verdict(name)
    print(
        f"\n{name}: NDCG {found.ndcg:.3f} against {found.popular_ndcg:.3f}, better by {found.low:+.3f} to {found.high:+.3f}"
    )
    assert found.cases >= 20
    assert found.low > 0


def test_weekly_discovery_is_thirty_new_ones_at_most_two_by_one_author(
    shop: Bookshop, verdict: Callable[[str], Verdict]
) -> None:
    for reader, shown in zip(shop.judges, verdict("weekly discovery").shown, strict=True):
        assert len(set(shown)) == 30
        assert set(shown).isdisjoint(act.book for act in reader.acts)
        authors = Counter(
            shop.shelf.catalogue.item(shop.shelf.catalogue.index[item]).values("author") for item in shown
        )
        assert max(authors.values()) <= 2


def test_what_is_on_the_rise_is_what_everybody_turns_to_since_last_week(shop: Bookshop) -> None:
    """Nothing but the world's six, and those of them that enough of so few readers came upon."""
    (case,) = coming_back("trending")(shop.judges[0])
    found = shop.decide(shop.recipes["trending"], Case(case.reader, (), Ask("trending"), case.wanted))
    assert len(found) >= 3
    assert set(found) <= set(trending())


@pytest.mark.parametrize("placement", ["session", "menu", "left", "search"])
def test_in_the_middle_of_a_visit_too_an_item_falls_without_its_reason(placement: str) -> None:
    """The deletion test where it needs a moment of its own: right after the last act, or with something typed."""
    bookshop, found = open_demo(), []
    for reader in crowd(40):
        bookshop.clock.now = reader.acts[-1].at + MINUTE
        ask = Ask(placement, query=reader.answers.moods[0] if placement == "search" else "")
        found += list(cases(bookshop, [reader], ask))
    tally = Tally.of(found)
    assert tally.reasons >= 30
    assert tally.share >= 0.95
    for case in found:
        said, really = case.shown.without, case.really
        assert said is None if really is None else said is not None and really[0] <= said <= really[1]


def test_a_strategy_that_is_popularity_does_not_beat_popularity(shop: Bookshop) -> None:
    """What the test would say of a recipe that learned nothing."""
    popular = shop.recipes["popular"]
    aim = AIMS["home row"]
    same = judge(Bookshop(shop.charter, {**shop.recipes, "home": popular}, shop.shelf, shop.judges), aim)
    assert same.ndcg == same.popular_ndcg
    assert not same.low > 0


def test_ndcg_and_interval() -> None:
    assert ndcg(["a", "b", "c"], ["a", "b"], 3) == 1.0
    assert ndcg(["x", "a"], ["a"], 3) == pytest.approx(1 / np.log2(3))
    assert ndcg([], ["a"], 3) == 0.0
    assert ndcg(["a"], ["a", "b", "c"], 1) == 1.0, "more than fits cannot be asked for"
    low, high = interval(np.random.default_rng(1).normal(0.3, 1.0, 1_000))
    assert low < 0.3 < high
    assert 0.1 < high - low < 0.15, "about four standard errors"
