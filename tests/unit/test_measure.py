"""Counts of the house: they merge, they say what happened, and nobody can be found in them."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tactful.contracts import NOW, receipt
from tactful.domain.consent import Consent, Dial
from tactful.domain.note import Note
from tactful.domain.receipt import Receipt
from tactful.measure.allowed import FEWEST, Allowed, tellable
from tactful.measure.house import HOUR, QUICK, House, Spread

NAMES = st.sampled_from(["home", "related", "menu"])
NOTES = st.builds(
    Note,
    at=st.integers(NOW, NOW + 30 * HOUR),
    placement=NAMES,
    purpose=st.just("personalise"),
    receipt=st.just(""),
    dial=st.integers(0, 3),
    personal=st.booleans(),
    verdict=st.sampled_from(["release", "hold"]),
    shown=st.lists(st.sampled_from("abcdef"), max_size=4).map(tuple),
    removed=st.lists(st.tuples(st.sampled_from(["sensitive", "page"]), st.integers(1, 50)), max_size=3).map(tuple),
    faults=st.lists(st.sampled_from(["guard a: KeyError"]), max_size=1).map(tuple),
    took=st.floats(0, 3000),
)
CONSENTS = st.builds(
    Consent,
    dial=st.sampled_from(Dial),
    granted=st.frozensets(st.sampled_from(["learn", "measure"])),
    refused=st.frozensets(st.sampled_from(["sell"])),
)


@given(st.lists(NOTES, max_size=20), st.integers(0, 20))
def test_the_house_of_two_halves_is_the_sum_of_their_houses(notes: list[Note], cut: int) -> None:
    assert House.of(notes[:cut]) + House.of(notes[cut:]) == House.of(notes)


@given(st.lists(CONSENTS, max_size=20), st.integers(0, 20))
def test_what_two_halves_allow_is_the_sum(consents: list[Consent], cut: int) -> None:
    assert Allowed.of(consents[:cut]) + Allowed.of(consents[cut:]) == Allowed.of(consents)


@given(st.lists(NOTES, max_size=20))
def test_every_decision_counts_once_wherever_it_is_counted(notes: list[Note]) -> None:
    house = House.of(notes)
    assert house.total("decisions") == len(notes) == sum(house.by_level().values())
    assert house.by_placement("decisions") == Counter(note.placement for note in notes)
    assert sum(count for name in house.by_placement("decisions") for count in house.by_hour(name).values()) == len(
        notes
    )
    assert house.total("personal") == sum(note.personal for note in notes)
    assert house.total("held") == sum(note.verdict == "hold" for note in notes)
    assert house.total("empty") == sum(not note.shown and note.verdict == "release" for note in notes)
    assert house.total("items") == sum(house.by_item().values()) == sum(len(note.shown) for note in notes)
    assert sum(house.by_guard().values()) == sum(count for note in notes for _, count in note.removed)
    assert sum(house.by_guard_and_placement().values()) == sum(house.by_guard().values())
    assert sum(house.by_fault().values()) == sum(len(note.faults) for note in notes)
    for found in (house.by_item(), house.by_guard(), house.by_level()):
        assert list(found.values()) == sorted(found.values(), reverse=True)


@given(st.lists(NOTES, max_size=20), st.integers(0, 40))
def test_since_an_hour_is_as_if_nothing_had_been_before(notes: list[Note], hours: int) -> None:
    hour = NOW // HOUR + hours
    assert House.of(notes).since(hour) == House.of(note for note in notes if note.at >= hour * HOUR)


@given(st.lists(NOTES, min_size=1, max_size=30), st.floats(0.01, 1))
def test_a_share_is_made_within_a_time_and_no_smaller_step_holds_it(notes: list[Note], share: float) -> None:
    within = House.of(notes).within(share)
    steps = (0.0, *QUICK)
    if within is None:
        assert sum(note.took <= QUICK[-1] for note in notes) < share * len(notes)
    else:
        assert sum(note.took <= within for note in notes) >= share * len(notes)
        below = steps[steps.index(within) - 1]
        assert sum(note.took <= below for note in notes) < share * len(notes) or below == 0.0
    assert House().within(share) is None


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_gini_is_the_mean_difference_between_two_items(had: list[int]) -> None:
    places = {str(item): count for item, count in enumerate(had)}
    spread = Spread.of({**places, "not for sale": 99}, list(places))
    assert (spread.items, spread.shown) == (len(had), sum(count > 0 for count in had))
    if sum(had):
        apart = sum(abs(one - other) for one in had for other in had)
        assert spread.gini == pytest.approx(apart / (2 * len(had) * sum(had)))
    share, part = spread.curve.T
    assert part[0] == 0 and part[-1] == pytest.approx(1) and (np.diff(part) >= -1e-12).all()
    assert (part <= share + 1e-12).all(), "those who have least never have more than their share"


def test_gini_of_what_is_known() -> None:
    assert Spread.of({"a": 5, "b": 5}, ["a", "b"]).gini == 0
    assert Spread.of({"a": 7}, [*"abcd"]).gini == 0.75
    assert Spread.of({"a": 7}, [*"abcd"], 5).curve.tolist() == [[0, 0], [0.25, 0], [0.5, 0], [0.75, 0], [1, 1]]
    assert Spread.of({}, []).gini == 0


def test_small_groups_are_not_told() -> None:
    assert [tellable(count) for count in range(FEWEST + 2)] == [None] * FEWEST + [FEWEST, FEWEST + 1]


def test_a_note_says_nothing_of_the_person_and_nothing_that_a_plug_in_blurted_out() -> None:
    known = Note.of(faulty("ann"), 2.5)
    assert known.receipt == "r" and known.took == 2.5
    assert known.faults == ("strategy of home: KeyError",)
    assert "ann" not in str(known)
    assert Note.of(faulty(None), 1).receipt == "", "it opens for who has its id, and for nobody else"


def faulty(person: str | None) -> Receipt:
    return structs.replace(receipt("r", person), faults=("strategy of home: KeyError: 'ann': was not there",))


def test_the_steps_of_time_grow() -> None:
    assert all(one < other for one, other in pairwise(QUICK))
