"""What is special about each strategy, beyond what the contract asks of all."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Dial
from tactful.domain.decision import PERSONAL, Ask, Scored
from tactful.domain.event import OVER, VERBS, Inferred, Interaction, Told
from tactful.domain.item import Item
from tactful.domain.view import View
from tactful.learn.neighbours import above_chance
from tactful.learn.train import fit
from tactful.ports import Interactions, Shelf, Strategy
from tactful.strategies.item_transitions import ItemTransitions
from tactful.strategies.kept_list import KeptList
from tactful.strategies.recent import Recent
from tactful.strategies.session import Session
from tactful.strategies.similar import Similar
from tactful.strategies.surprise import Surprise, is_asked
from tactful.strategies.together import Together
from tactful.strategies.trending import Trending
from tactful.strategies.unfinished import Unfinished
from tactful.strategies.unseen import Unseen
from tactful.strategies.viewed_not_bought import ViewedNotBought

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_760_000_000_000
SUBJECTS = ("sea", "war", "love", "tea")
ITEMS = [
    Item(
        id=f"b{row}",
        title=f"Book {row}",
        attributes={"subject": SUBJECTS[row % 4], "author": f"author {row % 7}"},
        since=NOW - (40 - row) * 10 * DAY if row else 0,
    )
    for row in range(40)
]
BOOKS = Catalogue.of(ITEMS)


def did(*acts: tuple[str, str, float]) -> View:
    """A View of somebody who did this: (verb, item, days ago)."""
    ordered = sorted(acts, key=lambda one: -one[2])
    return View(
        purpose="personalise", surface="private", dial=Dial.remember, allowed=frozenset({"browsing"}),
        history=tuple(
            Interaction(f"{place}", NOW - int(days * DAY), verb, item, "browsing", ())
            for place, (verb, item, days) in enumerate(ordered)
        ),
    )  # fmt: skip


def learned(strategy: Strategy, *acts: tuple[int, str, int, float], catalogue: Catalogue = BOOKS) -> Shelf:
    """A shelf with the model of what people did: (person, verb, row, days ago)."""
    ordered = sorted(acts, key=lambda one: (one[0], -one[3]))
    columns = Interactions(
        np.array([one[0] for one in ordered], np.int32), np.array([one[2] for one in ordered], np.int32),
        np.array([NOW - int(one[3] * DAY) for one in ordered], np.int64),
        np.array([VERBS.index(one[1]) for one in ordered], np.int8), np.full(len(ordered), np.nan, np.float32),
        len({one[0] for one in ordered}),
    )  # fmt: skip
    return Shelf(catalogue, {strategy.model: fit(strategy, columns, catalogue)} if strategy.model else {})


NOTHING_LEARNED = Shelf(BOOKS, {})
NOBODY = View(purpose="personalise", surface="private")


def ranked(strategy: Strategy, view: View, shelf: Shelf = NOTHING_LEARNED, **ask: object) -> list[str]:
    """What it proposes, best first."""
    evidence = strategy.propose(view, Ask("home", **{"at": NOW, **ask}), shelf)  # type: ignore[arg-type]
    scored = Scored.of(evidence, len(shelf.catalogue))
    order = sorted(zip(-scored.scores, scored.rows, strict=True))
    return [shelf.catalogue.ids[row] for score, row in order if score < 0]


def scores(strategy: Strategy, view: View, shelf: Shelf, **ask: object) -> dict[str, float]:
    evidence = strategy.propose(view, Ask("home", **{"at": NOW, **ask}), shelf)  # type: ignore[arg-type]
    scored = Scored.of(evidence, len(shelf.catalogue))
    return {shelf.catalogue.ids[row]: score for row, score in zip(scored.rows, scored.scores.tolist(), strict=True)}


# --------------------------------------------------------------------------------------------------------------- trending


STEADY = [(person, "viewed", person % 20, float(day)) for day in range(90) for person in range(day * 5, day * 5 + 5)]
"""Five people a day choose among twenty books, for ninety days."""


def test_what_is_chosen_more_often_than_before_is_a_trend_and_what_always_was_chosen_is_none() -> None:
    favourite = [(5_000 + number, "bought", 3, number / 4) for number in range(300)]
    rising = [(9_000 + number, "viewed", 30, number / 10) for number in range(20)]
    strategy = Trending()
    assert ranked(strategy, NOBODY, learned(strategy, *STEADY, *favourite, *rising)) == ["b30"]


@pytest.mark.parametrize(("people", "found"), [(2, []), (4, []), (7, ["b30"])])
def test_two_choices_are_no_trend(people: int, found: list[str]) -> None:
    strategy = Trending()
    few = [(9_000 + number, "viewed", 30, 0.0) for number in range(people)]
    assert ranked(strategy, NOBODY, learned(strategy, *STEADY, *few)) == found


def test_one_person_makes_no_trend_however_often_they_look() -> None:
    strategy = Trending()
    again = [(9_000, "viewed", 30, number / 100) for number in range(100)]
    assert ranked(strategy, NOBODY, learned(strategy, *STEADY, *again)) == []


def test_that_everybody_comes_more_often_is_no_trend_of_anything() -> None:
    strategy = Trending()
    rush = [(20_000 + number, "viewed", number % 20, 0.5) for number in range(400)]
    assert ranked(strategy, NOBODY, learned(strategy, *STEADY, *rush)) == []


@pytest.mark.parametrize(("days", "found"), [(6.9, ["b30"]), (7.1, [])])
def test_what_was_a_trend_when_the_data_ended_is_none_a_week_later(days: float, found: list[str]) -> None:
    strategy = Trending()
    shelf = learned(strategy, *STEADY, *[(9_000 + number, "viewed", 30, number / 10) for number in range(20)])
    assert ranked(strategy, NOBODY, shelf, at=NOW + int(days * DAY)) == found


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.1, 100))
def test_doubt_draws_towards_one(count: float, expected: float, doubt: float) -> None:
    ratio = float(above_chance(np.array(count), np.array(expected), doubt))
    assert (ratio >= 1) == (count >= expected) or abs(ratio - 1) < 1e-9
    if expected > 0:
        assert min(1.0, count / expected) - 1e-9 <= ratio <= max(1.0, count / expected) * (1 + 1e-9)
    assert above_chance(np.array(2.0), np.array(0.0), 10.0) == pytest.approx(1.2)


# -------------------------------------------------------------------------------------------- begun, recent, left behind


def test_what_was_begun_comes_newest_first_and_what_is_over_does_not_come() -> None:
    view = did(
        ("viewed", "b1", 3), ("viewed", "b1", 2), ("added", "b2", 1), ("clicked", "b3", 5), ("viewed", "b4", 0.5),
        ("added", "b5", 2), ("bought", "b5", 1), ("clicked", "b6", 2), ("disliked", "b6", 1), ("clicked", "gone", 1),
        ("clicked", "b7", 80), ("clicked", "b8", 4), ("shown", "b8", 0.1),
    )  # fmt: skip
    assert ranked(Unfinished(), view) == ["b2", "b1", "b8", "b3"]
    assert ranked(Unfinished(days=0), view) == ["b2", "b1", "b8", "b3", "b7"]
    assert ranked(Unfinished(looks=0), view) == ["b2", "b8", "b3"]
    assert ranked(Unfinished(most=1), view) == ["b2"]
    assert ranked(Unfinished(), view, item="b9") == []


def test_what_was_bought_can_be_gone_on_with_once_it_is_begun_after_that() -> None:
    assert ranked(Unfinished(), did(("added", "b1", 3), ("bought", "b1", 2))) == []
    assert ranked(Unfinished(), did(("added", "b1", 3), ("bought", "b1", 2), ("clicked", "b1", 1))) == ["b1"]
    assert ranked(Unfinished(), did(("bought", "b1", 2), ("clicked", "b1", 1), ("finished", "b1", 0.5))) == []


def test_what_was_looked_at_lately_comes_once_newest_first_but_for_what_they_have_or_refused() -> None:
    view = did(
        ("viewed", "b1", 3), ("viewed", "b2", 2), ("viewed", "b1", 1), ("clicked", "b3", 4), ("viewed", "b4", 1),
        ("bought", "b4", 0.5), ("viewed", "b5", 1), ("disliked", "b5", 0.5), ("shown", "b6", 0.2), ("shown", "b2", 0.1),
    )  # fmt: skip
    assert ranked(Recent(), view) == ["b1", "b2", "b3"]
    assert ranked(Recent(), view, item="b2") == ["b1", "b3"]


LEFT = (("viewed", "b1", 3.0), ("viewed", "b1", 2.0))


def test_somebody_is_reminded_of_what_they_looked_at_twice_or_put_aside() -> None:
    assert ranked(ViewedNotBought(), did(*LEFT, ("viewed", "b2", 1), ("added", "b3", 1))) == ["b3", "b1"]
    assert ranked(ViewedNotBought(looks=1), did(*LEFT, ("viewed", "b2", 1))) == ["b2", "b1"]


@pytest.mark.parametrize("verb", sorted(OVER))
def test_a_reminder_stops_once_it_is_bought_or_refused(verb: str) -> None:
    assert ranked(ViewedNotBought(), did(*LEFT, (verb, "b1", 1))) == []


def test_a_reminder_stops_after_some_days() -> None:
    assert ranked(ViewedNotBought(days=3), did(*LEFT)) == ["b1"]
    assert ranked(ViewedNotBought(days=1), did(*LEFT)) == []


def test_a_reminder_stops_when_it_was_shown_in_vain_and_not_when_somebody_looked_again() -> None:
    shown = [("shown", "b1", 1.0 - number / 10) for number in range(3)]
    assert ranked(ViewedNotBought(most=3), did(*LEFT, *shown[:2])) == ["b1"]
    assert ranked(ViewedNotBought(most=3), did(*LEFT, *shown)) == []
    assert ranked(ViewedNotBought(most=3), did(*LEFT, *shown, ("clicked", "b1", 0.1))) == ["b1"]


@given(st.lists(st.tuples(st.sampled_from(VERBS), st.sampled_from(["b1", "b2", "b3"]), st.floats(0, 30)), max_size=25))
def test_nobody_is_reminded_of_what_they_bought_or_refused(acts: list[tuple[str, str, float]]) -> None:
    over = {item for verb, item, _ in acts if verb in OVER}
    bought_only = over - {item for verb, item, _ in acts if verb in OVER and verb != "bought"}
    for strategy in (Unfinished(), Recent(), ViewedNotBought()):
        found = ranked(strategy, did(*acts))
        assert {item for item in over if strategy != Unfinished() or item not in bought_only}.isdisjoint(found)
        assert set(found) <= {item for verb, item, _ in acts if verb in ("viewed", "clicked", "added")}


# ---------------------------------------------------------------------------------------------------------- bought together

TEA_AND_POT = [(person, "bought", row, 1.0 + row / 1000) for person in range(30) for row in (0, 1)]
"""Thirty people buy book 0 and book 1 in one go."""
OTHERS = [(1_000 + person, "bought", person % 40, float(person % 50)) for person in range(400)]
BOOKLOVERS = [(2_000 + person, "bought", row, 2.0) for person in range(40) for row in (5, 6 + person % 30)]
"""Everybody buys book 5, with anything."""


def test_what_is_bought_along_comes_and_neither_the_cart_nor_what_everybody_buys() -> None:
    strategy = Together(days=0)
    shelf = learned(strategy, *TEA_AND_POT, *OTHERS, *BOOKLOVERS)
    assert ranked(strategy, NOBODY, shelf, item="b0")[0] == "b1"
    assert ranked(strategy, NOBODY, shelf, context={"cart": "b0, b39"})[0] == "b1"
    assert "b1" not in ranked(strategy, NOBODY, shelf, context={"cart": ["b0", "b1"]})
    assert ranked(strategy, NOBODY, shelf, item="gone") == []
    assert ranked(strategy, did(("bought", "b0", 1)), shelf)[0] == "b1"
    assert "b1" not in ranked(strategy, did(("bought", "b0", 1), ("bought", "b1", 40)), shelf)
    assert ranked(strategy, did(("bought", "b0", 3), ("returned", "b0", 1)), shelf) == []


def test_one_pair_is_no_pair() -> None:
    strategy = Together()
    shelf = learned(strategy, *OTHERS, (1, "bought", 0, 1.0), (1, "bought", 1, 1.0))
    assert ranked(strategy, NOBODY, shelf, item="b0") == []


def test_one_person_who_buys_a_pair_in_both_orders_is_one_person() -> None:
    strategy = Together()
    both_ways = [(1, "bought", row, 1.0 - place / 100) for place, row in enumerate((0, 1, 0, 1))]
    assert ranked(strategy, NOBODY, learned(strategy, *OTHERS, *both_ways), item="b0") == []


def test_what_is_looked_at_together_and_seldom_bought_together_is_there_instead() -> None:
    """0 and 1, 0 and 2 are bought together just as often; but 0 and 2 are compared by a hundred people who then buy one."""
    both = [(person, "bought", row, 1.0) for person in range(20) for row in (0, 1 + person % 2)]
    compared = [(100 + person, "viewed", row, 1.0) for person in range(100) for row in (0, 2)]
    strategy = Together(too_alike=0.0, days=0)
    found = scores(strategy, NOBODY, learned(strategy, *both, *compared, *OTHERS), item="b0")
    assert found["b1"] > 2 * found["b2"]


def test_what_is_too_alike_is_there_instead() -> None:
    """4 is about the sea like 0; 1 is not."""
    both = [(person, "bought", row, 1.0) for person in range(20) for row in (0, (1, 4)[person % 2])]
    strategy = Together(too_alike=0.8, days=0, alike=("subject",))
    found = scores(strategy, NOBODY, learned(strategy, *both, *OTHERS), item="b0")
    assert found["b1"] > 2 * found["b4"]


def test_part_two_comes_after_part_one_and_not_before() -> None:
    series = [(person, "bought", row, 20.0 - 10 * place) for person in range(20) for place, row in enumerate((8, 9))]
    strategy = Together()
    shelf = learned(strategy, *series, *OTHERS)
    assert ranked(strategy, did(("bought", "b8", 1)), shelf)[0] == "b9"
    assert "b8" not in ranked(strategy, did(("bought", "b9", 1)), shelf)


# -------------------------------------------------------------------------------------------------------------- new, different


def test_what_is_new_is_the_same_for_all_newest_first_and_in_the_order_of_a_liking_where_there_is_one() -> None:
    assert ranked(Unseen(most=4), NOBODY) == ["b39", "b38", "b37", "b36"]
    assert ranked(Unseen(most=4, liking=20), did(("liked", "b2", 1)))[0] == "b38", "it is about love, too"
    told = View(
        purpose="personalise", surface="private", dial=Dial.told, allowed=frozenset({"told"}),
        traits={"interests": Told("t", NOW, "interests", ["sea"], "told", ())},
    )  # fmt: skip
    assert ranked(Unseen(most=4, liking=20), told)[0] == "b36"
    assert ranked(Unseen(most=4), NOBODY, item="b1") == []


def test_what_is_old_or_of_unknown_age_is_not_new() -> None:
    assert ranked(Unseen(days=25), NOBODY) == ["b39", "b38"]
    assert ranked(Unseen(days=100_000), NOBODY)[-1] == "b1"
    assert ranked(Unseen(days=5), NOBODY) == []
    back = Catalogue.of([ITEMS[9], *ITEMS[:3]])
    assert ranked(Unseen(days=100_000), NOBODY, Shelf(back, {})) == ["b9", "b2", "b1"], "by when it came, not by row"


def test_what_is_yet_to_come_is_not_new_and_takes_no_place_of_what_is() -> None:
    ahead = [Item(id=f"soon{row}", title="Soon", since=NOW + (row + 1) * DAY) for row in range(3)]
    books = Shelf(Catalogue.of([*ITEMS, *ahead]), {})
    assert ranked(Unseen(most=2), NOBODY, books) == ["b39", "b38"]
    assert ranked(Unseen(most=2), NOBODY, books, at=NOW + DAY) == ["soon0", "b39"], "once it has come"


def test_a_catalogue_that_is_not_used_any_more_is_let_go() -> None:
    catalogue = Catalogue.of(ITEMS)
    ranked(Unseen(), NOBODY, Shelf(catalogue, {}))
    gone = weakref.ref(catalogue)
    del catalogue
    gc.collect()
    assert gone() is None


FORGOTTEN = [("viewed", f"gone{number}", number / 1000) for number in range(30)]
"""Thirty things, looked at last, that the catalogue does not know any more."""


@pytest.mark.parametrize(
    ("strategy", "ask"),
    [
        (Similar(attributes=("subject",)), {}),
        (ItemTransitions(), {}),
        (Session(), {}),
        (Unseen(most=40, days=100_000), {}),
        (Surprise(most=19), {"context": {"different": True}}),
    ],
)
def test_what_is_gone_takes_no_place_in_the_history_of_what_is_there(
    strategy: Strategy, ask: dict[str, object]
) -> None:
    walks = [(person, "viewed", row, 0.5 - row / 10_000) for person in range(1_000, 1_005) for row in (4, 5)]
    shelf = learned(strategy, *STEADY, *walks)
    there = ("viewed", "b4", 0.02)
    found = scores(strategy, did(there, *FORGOTTEN), shelf, **ask)
    assert found == scores(strategy, did(there), shelf, **ask)
    assert found != scores(strategy, NOBODY, shelf, **ask)


def surprising() -> tuple[Surprise, Shelf]:
    """Books 0 to 3 are known to all; of the others, those above 20 are bought by who finds them."""
    known = [(person, "viewed", person % 4, 1.0) for person in range(400)]
    seldom = [(500 + row, "viewed", row, 2.0) for row in range(4, 40)]
    good = [(600 + row, "bought", row, 2.0) for row in range(21, 40)]
    strategy = Surprise(most=19)
    return strategy, learned(strategy, *known, *seldom, *good)


def test_something_different_is_good_little_known_and_only_for_who_asks() -> None:
    strategy, shelf = surprising()
    assert ranked(strategy, NOBODY, shelf) == []
    found = ranked(strategy, NOBODY, shelf, context={"different": True})
    assert sorted(found) == sorted(f"b{row}" for row in range(21, 40))


def test_something_different_is_far_from_what_they_turn_to() -> None:
    strategy, shelf = surprising()
    sea = did(*[("liked", f"b{row}", row / 10) for row in (4, 8, 12, 16)])
    found = ranked(strategy, sea, shelf, context={"different": "yes"})
    about = [BOOKS.item(BOOKS.index[item]).attributes["subject"] for item in found]
    assert "sea" not in about[:12]
    assert about.count("sea") == 4


def test_that_they_asked_is_the_first_reason_and_what_it_kept_away_from_stands_beside() -> None:
    strategy, shelf = surprising()
    sea = did(("liked", "b4", 1), ("viewed", "b8", 2))
    evidence = strategy.propose(sea, Ask("home", context={"different": 1}, at=NOW), shelf)
    amounts = evidence.amounts(evidence.weight)
    for row in set(evidence.rows.tolist()):
        mine = evidence.rows == row
        asked = amounts[mine & (evidence.source == 0)]
        assert len(asked) == 1
        assert np.all(amounts[mine] <= asked)
    assert evidence.sources[0].kind == "context"
    assert {source.how for source in evidence.sources if source.kind in PERSONAL} == {"different"}
    assert sum(amounts) <= 1


@pytest.mark.parametrize("said", [None, False, 0, "", "no", "False", " off ", "0", []])
def test_no_means_no(said: object) -> None:
    assert not is_asked(said)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------------ this visit


def test_what_a_visit_is_about_is_what_its_items_have_in_common() -> None:
    strategy = Session(about=1.0, attributes=("subject", "author"))
    shelf = learned(strategy, *STEADY)
    visit = did(*[("viewed", f"b{row}", row / 10_000) for row in (0, 4, 8)])
    best = ranked(strategy, visit, shelf)[:6]
    assert {BOOKS.item(BOOKS.index[item]).attributes["subject"] for item in best} == {"sea"}


def test_an_earlier_visit_does_not_speak() -> None:
    strategy = Session()
    shelf = learned(strategy, *STEADY)
    assert ranked(strategy, did(("viewed", "b0", 0.01)), shelf)
    assert ranked(strategy, did(("viewed", "b0", 0.03)), shelf) == []
    assert scores(strategy, did(("viewed", "b0", 0.01)), shelf) == scores(
        strategy, did(("viewed", "b0", 0.01), ("viewed", "b1", 5)), shelf
    )


def test_what_people_go_on_to_within_a_visit_comes_and_not_what_they_did_next_day() -> None:
    strategy = Session(about=0.0)
    minute = 1 / 1440
    walks = [(person, "viewed", row, 3 - place * minute) for person in range(20) for place, row in enumerate((0, 1))]
    later = [(person, "viewed", 2, 1.0) for person in range(20)]
    found = ranked(strategy, did(("viewed", "b0", 0.001)), learned(strategy, *walks, *later))
    assert found == ["b1"]


# ------------------------------------------------------------------------------------------------------------------ a kept list


def test_a_kept_list_is_shown_in_its_order_and_what_somebody_told_is_none() -> None:
    for made, found in ((Inferred, ["b5", "b2", "b9"]), (Told, [])):
        words = ("made for you",) if made is Inferred else ()
        trait = made("t", NOW, "weekly", ["b5", "gone", "b2", "b5", "b9"], "lists", (), *words)
        view = View(
            purpose="personalise", surface="private", dial=Dial.remember, allowed=frozenset({"lists"}), traits={"weekly": trait}
        )  # fmt: skip
        assert ranked(KeptList("weekly"), view) == found
