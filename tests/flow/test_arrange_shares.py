"""Arrangers that give each its share: the person's own mix, groups that are seen fairly. The odds they log are the true ones."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import product
from math import log, log2, prod, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.arrangers.calibrated import SLOTS_MOST, Calibrated
from tactful.arrangers.fair import Fair
from tactful.arrangers.fresh_share import FreshShare
from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Dial
from tactful.domain.decision import Slots
from tactful.domain.event import Interaction
from tactful.domain.item import Item
from tactful.domain.view import Moment, View
from tactful.plugins import build
from tactful.ports import Arranger
from tests.shop import NOW, Shop, crowd, items_in, learned_models, placement

NOBODY = Moment(0, {}, {}, "adults", frozenset())


def of(*groups: list[str] | str) -> Catalogue:
    return Catalogue.of(
        [
            Item(id=f"i{row}", title="I", kind=f"kind {row % 2}", attributes={"genre": names} if names else {})
            for row, names in enumerate(groups)
        ]
    )


def moment(*acts: tuple[str, str]) -> Moment:
    done = tuple(Interaction(f"e{at}", NOW + at, verb, item, "browsing", ()) for at, (verb, item) in enumerate(acts))
    return Moment.of(View(purpose="p", surface="private", dial=Dial.remember, history=done), {}, NOW + 1_000)


# ------------------------------------------------------------------------------------------------------------------ the own mix

MIXED = of(*(["crime"] * 30 + ["poetry"] * 30 + [""] * 4))
RANKED = np.array([*range(30), *range(30, 60), *range(60, 64)], np.int32)
SCORES = np.linspace(1.0, 0.5, 64)


def genres(slots: Slots, catalogue: Catalogue) -> Counter[str]:
    return Counter(value for row in slots.rows for value in catalogue.item(int(row)).values("genre"))


def calibrated(at: Moment, limit: int = 10, **more: Any) -> Slots:
    return Calibrated("genre", **more).arrange(RANKED, SCORES, limit, MIXED, random.Random(1), at)


SEVEN_TO_THREE = moment(*[("viewed", f"i{row}") for row in (0, 30, 1, 2, 31, 3, 4, 32, 5, 6)])


def test_a_list_has_the_mix_of_what_the_person_turned_to() -> None:
    """Scores alone would fill all ten slots with crime."""
    slots = calibrated(SEVEN_TO_THREE, weight=0.9, half_life=1e9)
    assert genres(slots, MIXED) == {"crime": 7, "poetry": 3}
    assert slots.odds.tolist() == [1.0] * 10
    assert genres(calibrated(moment()), MIXED) == {"crime": 10}


def test_the_scores_count_too() -> None:
    assert calibrated(SEVEN_TO_THREE, weight=0.0).rows.tolist() == list(range(10))
    shares = [genres(calibrated(SEVEN_TO_THREE, weight=weight), MIXED)["poetry"] for weight in (0.0, 0.01, 0.5, 0.99)]
    assert shares == sorted(shares) and shares[0] < shares[-1]
    slots = calibrated(SEVEN_TO_THREE, weight=0.9)
    for genre in ("crime", "poetry"):
        rows = [row for row in slots.rows.tolist() if genre in MIXED.item(row).values("genre")]
        first = 30 if genre == "poetry" else 0
        assert rows == list(range(first, first + len(rows))), "the best of each"


def test_what_was_refused_or_only_shown_is_no_part_of_the_mix() -> None:
    acts = [("viewed", "i0"), ("viewed", "i30"), ("disliked", "i30"), ("shown", "i31"), ("searched", "i32")]
    assert genres(calibrated(moment(*acts), weight=1.0), MIXED) == {"crime": 10}


def test_what_is_longer_ago_is_less_of_the_mix() -> None:
    acts = [("viewed", f"i{row}") for row in (*range(5), *range(30, 35))]
    assert genres(calibrated(moment(*acts), weight=0.99, half_life=2.0), MIXED)["poetry"] >= 7
    assert genres(calibrated(moment(*acts), weight=0.99, half_life=1e9), MIXED)["poetry"] == 5
    assert genres(calibrated(moment(*acts), weight=0.99, most=5), MIXED)["crime"] == 0


def divergence(rows: tuple[int, ...], mix: dict[str, float], catalogue: Catalogue) -> float:
    """The paper's KL(p || q'), written out, with its alpha of 0.01."""
    shares: dict[str, float] = defaultdict(float)
    for row in rows:
        values = catalogue.item(row).values("genre")
        for value in values:
            shares[value] += 1 / len(values) / len(rows)
    return sum(part * log(part / (0.99 * shares[value] + 0.01 * part)) for value, part in mix.items())


GENRES = st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True)


@given(
    st.lists(GENRES, min_size=4, max_size=7), st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.floats(0, 1)
)
def test_each_slot_is_the_best_next_one(groups: list[list[str]], liked: list[str], weight: float) -> None:
    """Checked against the formula of the paper, step by step."""
    size = len(groups)
    # Each liking has an item of its own, so that it counts as often as it is in the list.
    catalogue = of(*groups, *liked)
    at = moment(*[("viewed", f"i{size + place}") for place in range(len(liked))])
    scores = np.linspace(1.0, 0.2, size)
    slots = Calibrated("genre", weight, half_life=1e9).arrange(
        np.arange(size, dtype=np.int32), scores, 3, catalogue, random.Random(1), at
    )
    mix = {value: count / len(liked) for value, count in Counter(liked).items()}
    chosen: tuple[int, ...] = ()
    for row in slots.rows.tolist():
        value = {one: _step(chosen, one, scores, mix, catalogue, weight) for one in range(size) if one not in chosen}
        assert value[row] == pytest.approx(max(value.values()), abs=1e-9)
        chosen = (*chosen, row)


def _step(
    chosen: tuple[int, ...], row: int, scores: np.ndarray, mix: dict[str, float], catalogue: Catalogue, weight: float
) -> float:
    """What adding the row is worth: its score, with the best list of three as the unit, and the mix that the list then has."""
    unit = sum(sorted(scores, reverse=True)[:3])
    return (1 - weight) * scores[row] / unit - weight * divergence((*chosen, row), mix, catalogue)


def test_a_long_list_is_calibrated_at_its_top_and_loses_nothing() -> None:
    many = of(*(["crime"] * 150 + ["poetry"] * 150))
    rows = np.arange(300, dtype=np.int32)
    slots = Calibrated("genre", 0.9).arrange(
        rows, np.linspace(1, 0.5, 300), 300, many, random.Random(1), moment(("viewed", "i0"), ("viewed", "i200"))
    )
    assert sorted(slots.rows.tolist()) == rows.tolist()
    rest = slots.rows[SLOTS_MOST:].tolist()
    assert rest == sorted(rest)


def test_through_the_engine_it_needs_history_that_may_be_read() -> None:
    home = placement("popular", arranger={"use": "calibrated", "attribute": "subjects", "weight": 0.9})
    shop = Shop(placements={"home": home}, models=[one for one in learned_models() if one.name == "popular"])
    reader = next(one for one in crowd() if len(one.acts) > 20 and not one.child)
    shop.live(reader)
    own, nobody = items_in(shop.decide(reader.id)), items_in(shop.decide(None))
    assert own != nobody
    shop.allow(reader.id, Dial.off)
    assert items_in(shop.decide(reader.id)) == nobody


# ------------------------------------------------------------------------------------------------------------------------- fair


class Loaded:
    """Dice that fall as they are told."""

    def __init__(self, falls: list[float]) -> None:
        self.falls = list(falls)

    def random(self) -> float:
        return self.falls.pop(0)


FEW = of("a", "b", "a", "c", "b", "c", "a")
FEW_ROWS, FEW_SCORES = np.arange(7, dtype=np.int32), np.array([1.0, 0.9, 0.8, 0.5, 0.4, 0.2, 0.1])


def pages(arranger: Fair, limit: int) -> dict[tuple[int, ...], tuple[float, ...]]:
    """Every page that the dice can bring, with the odds that are logged for it. Each slot throws twice: groups at all? which?"""
    found = {}
    grid = [(number + 0.5) / 15 for number in range(15)]
    slot: list[tuple[float, ...]] = [(0.0, at) for at in grid]
    slot += [(0.999999,)] if arranger.strength < 1 else []  # not by groups
    for ways in product(slot, repeat=limit):
        falls = [fall for way in ways for fall in way]
        slots = arranger.arrange(FEW_ROWS, FEW_SCORES, limit, FEW, Loaded(falls), NOBODY)
        page = tuple(slots.rows.tolist())
        odds = tuple(slots.odds.tolist())
        assert found.setdefault(page, odds) == odds, "one page, one probability, however the dice brought it"
    return found


@pytest.mark.parametrize("share", ["merit", "size", "equal"])
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_the_odds_of_all_pages_add_up_to_one_slot_by_slot(share: str, strength: float) -> None:
    found = pages(Fair("genre", share, strength), 3)
    assert sum(prod(odds) for odds in found.values()) == pytest.approx(1)
    for slot in range(3):
        for before in {page[:slot] for page in found}:
            ways = {page[slot]: odds[slot] for page, odds in found.items() if page[:slot] == before}
            assert sum(ways.values()) == pytest.approx(1)
            assert all(0 < way <= 1 for way in ways.values())


def draws(arranger: Arranger, limit: int, times: int, seed: int = 1) -> Iterator[Slots]:
    dice = random.Random(seed)
    return (arranger.arrange(FEW_ROWS, FEW_SCORES, limit, FEW, dice, NOBODY) for _ in range(times))


@pytest.mark.prove
@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_things_happen_as_often_as_their_odds_say(scale: Callable[[int, int], int], strength: float) -> None:
    """Chi-square over whole pages, as for `exploring`."""
    arranger, times = Fair("genre", "merit", strength), scale(20_000, 400_000)
    seen = Counter(tuple(slots.rows.tolist()) for slots in draws(arranger, 3, times))
    expected = {page: times * prod(odds) for page, odds in pages(arranger, 3).items()}
    assert set(seen) <= set(expected)
    square = sum((seen[page] - want) ** 2 / want for page, want in expected.items())
    free = len(expected) - 1
    assert square < free + 4 * sqrt(2 * free)


@pytest.mark.parametrize(
    ("share", "due"),
    [
        ("merit", {"a": 1.9, "b": 1.3, "c": 0.7}),
        ("size", {"a": 3, "b": 2, "c": 2}),
        ("equal", {"a": 1, "b": 1, "c": 1}),
    ],
)
def test_groups_expect_the_exposure_that_they_are_due(share: str, due: dict[str, float]) -> None:
    """Exactly, whatever a slot is worth: here 1 / log2(1 + place), as in the paper. (Two slots: no group can run out.)"""
    exposure: dict[str, float] = defaultdict(float)
    for page, odds in pages(Fair("genre", share), 2).items():
        for place, row in enumerate(page, 1):
            exposure[FEW.item(row).values("genre")[0]] += prod(odds) / log2(1 + place)
    whole = sum(exposure.values())
    assert {name: part / whole for name, part in exposure.items()} == pytest.approx(
        {name: part / sum(due.values()) for name, part in due.items()}
    )


def test_within_a_group_the_best_come_first() -> None:
    for slots in draws(Fair("genre"), 7, 50):
        assert sorted(slots.rows.tolist()) == list(range(7))
        for name in "abc":
            mine = [row for row in slots.rows.tolist() if FEW.item(row).values("genre") == (name,)]
            assert mine == sorted(mine)


def test_no_strength_is_the_best_first() -> None:
    for slots in draws(Fair("genre", strength=0.0), 4, 20):
        assert slots.rows.tolist() == [0, 1, 2, 3]
        assert slots.odds.tolist() == [1.0] * 4


def test_what_has_no_value_is_a_group_too_and_kinds_are_groups() -> None:
    catalogue = of("", "a", "", "a")
    rows, scores = np.arange(4, dtype=np.int32), np.array([0.4, 0.3, 0.2, 0.1])
    for attribute in ("genre", "kind"):
        seen = {
            int(Fair(attribute).arrange(rows, scores, 1, catalogue, random.Random(seed), NOBODY).rows[0])
            for seed in range(50)
        }
        assert seen == {0, 1}


def test_nothing_to_go_by_is_shared_alike() -> None:
    slots = Fair("genre").arrange(FEW_ROWS, np.zeros(7), 1, FEW, Loaded([0.0, 0.5]), NOBODY)
    assert slots.odds.tolist() == pytest.approx([1 / 3])


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"use": "fair", "attribute": "a", "share": "luck"}, "use one of merit, size, equal"),
        ({"use": "fair", "attribute": "a", "strength": 2}, "strength: .*from 0 to 1"),
        ({"use": "calibrated", "attribute": "a", "weight": 2}, "weight: .*from 0 to 1"),
        ({"use": "calibrated", "attribute": "a", "alpha": 0}, "alpha: .*from 0.0001 to 0.9999"),
        ({"use": "fresh_share", "attribute": "a", "share": 2}, "share: .*from 0 to 1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(recipe: dict[str, Any], says: str) -> None:
    with pytest.raises(Exception, match=says):
        build(Arranger, recipe)


def test_every_page_of_loaded_dice_is_one_that_could_be() -> None:
    """The enumeration above is whole: it finds each order in which groups can be drawn."""
    orders = {tuple(FEW.item(row).values("genre")[0] for row in page) for page in pages(Fair("genre"), 3)}
    assert orders == {order for order in product("abc", repeat=3) if order.count("b") < 3 and order.count("c") < 3}


# ------------------------------------------------------------------------------------------------------------------------- new


def aged(*days: int | None) -> Catalogue:
    """Items that came so many days ago; None: nobody says when."""
    whens = [None if one is None else datetime.fromtimestamp(NOW / 1000 - one * 86_400, UTC) for one in days]
    return Catalogue.of(
        [
            Item(
                id=f"i{row}",
                title="I",
                since=0 if when is None else int(when.timestamp() * 1000),
                attributes={} if when is None else {"added": when.isoformat()},
            )
            for row, when in enumerate(whens)
        ]
    )


AGES = st.lists(st.none() | st.integers(-5, 40), min_size=1, max_size=30)


@given(AGES, st.integers(0, 12), st.floats(0, 1), st.sampled_from(["added", ""]))
def test_of_the_first_slots_a_share_is_new_and_the_order_is_kept(
    ages: list[int | None], limit: int, share: float, attribute: str
) -> None:
    catalogue, rows = aged(*ages), np.arange(len(ages), dtype=np.int32)
    slots = FreshShare(attribute, 30.0, share).arrange(
        rows,
        np.linspace(1, 0.1, len(ages)),
        limit,
        catalogue,
        random.Random(1),
        Moment(NOW, {}, {}, "adults", frozenset()),
    )
    chosen = slots.rows.tolist()
    assert len(chosen) == len(set(chosen)) == min(limit, len(ages))
    assert slots.odds.tolist() == [1.0] * len(chosen)
    new = [row for row, age in enumerate(ages) if age is not None and 0 <= age <= 30]
    old = [row for row in range(len(ages)) if row not in new]
    for count in range(1, len(chosen) + 1):
        mine = [row for row in chosen[:count] if row in new]
        assert len(mine) >= min(len(new), int(share * count))
        assert mine == new[: len(mine)] and [row for row in chosen[:count] if row in old] == old[: count - len(mine)]
    for place, row in enumerate(chosen):  # no slot is given away that need not be
        better = [other for other in range(row) if other not in chosen[:place]]
        if better:
            before = sum(other in new for other in chosen[:place])
            assert row in new and before < int(share * (place + 1) + 1e-9)


def test_dates_are_read_in_any_usual_form() -> None:
    forms: list[Any] = [
        "2023-11-10",
        "2023-11-10T12:00:00Z",
        "2023-11-10T12:00:00+02:00",
        _ms("2023-11-10"),
        "soon",
        True,
        ["2023-11-10"],
        "1999-01-01",
    ]
    catalogue = Catalogue.of(
        [Item(id=f"i{row}", title="I", attributes={"added": form}) for row, form in enumerate(forms)]
    )
    at = Moment(_ms("2023-11-14"), {}, {}, "adults", frozenset())
    order = FreshShare("added", share=1.0).arrange(
        np.array([4, 5, 6, 7, 0, 1, 2, 3], np.int32), np.linspace(1, 0.1, 8), 8, catalogue, random.Random(1), at
    )
    assert order.rows.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


def _ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
