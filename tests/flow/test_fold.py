"""A profile depends on what happened and when, never on the order in which the news of it came."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from tactful.domain.event import Event, Inferred, Interaction, Obtained, Told
from tactful.domain.profile import UNKNOWN, Profile
from tactful.flow.fold import fold

TIMES = st.integers(0, 20)  # few, so that many things happen in the same millisecond
NAMES = st.sampled_from(("likes", "size", "mood"))


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of all four kinds, each with an id of its own."""
    events: list[Event] = []
    for number in range(draw(st.integers(0, 25))):
        name, at, kind = f"e{number}", draw(TIMES), draw(st.sampled_from(("act", "told", "obtained", "inferred")))
        if kind == "act":
            events.append(Interaction(name, at, "viewed", draw(st.sampled_from("abc")), "looks", ("choose",)))
        elif kind == "told":
            events.append(Told(name, at, draw(NAMES), number, "says", ("choose",)))
        elif kind == "obtained":
            events.append(Obtained(name, at, draw(NAMES), number, "bought", ("choose",), "seller", "licence", "basis"))
        else:
            events.append(Inferred(name, at, draw(NAMES), number, "guess", ("choose",), "because"))
    return events


def in_records(events: list[Event], cuts: list[int]) -> list[list[tuple[int, Event]]]:
    """The events in consecutive records, cut where `cuts` says, with the numbers of the records."""
    numbered = [(sum(cut <= place for cut in cuts) + 1, event) for place, event in enumerate(events)]
    return [list(record) for _, record in groupby(numbered, key=lambda entry: entry[0])]


def told_of(profile: Profile) -> tuple[object, ...]:
    """A profile without the number of its last record."""
    return profile.observed, profile.declared, profile.obtained, profile.inferred


@given(histories(), st.data())
def test_any_order_and_any_cut_give_the_same_profile(events: list[Event], data: st.DataObject) -> None:
    at_once = fold(UNKNOWN, [(1, event) for event in events])
    shuffled = data.draw(st.permutations(events))
    cuts = data.draw(st.lists(st.integers(0, len(events)), max_size=5))
    profile = UNKNOWN
    for record in in_records(shuffled, cuts):
        profile = fold(profile, record)
    assert told_of(profile) == told_of(at_once)
    assert profile.sequence == max((number for record in in_records(shuffled, cuts) for number, _ in record), default=0)


@given(histories())
def test_acts_are_in_the_order_in_which_they_happened_and_all_there(events: list[Event]) -> None:
    profile = fold(UNKNOWN, [(1, event) for event in events])
    acts = [event for event in events if isinstance(event, Interaction)]
    assert list(profile.observed) == sorted(acts, key=lambda act: (act.at, act.id))


@given(histories())
def test_of_each_trait_the_latest_word_counts_and_kinds_are_never_mixed(events: list[Event]) -> None:
    profile = fold(UNKNOWN, [(1, event) for event in events])
    for kind, kept in ((Told, profile.declared), (Obtained, profile.obtained), (Inferred, profile.inferred)):
        latest = {}
        for event in sorted((one for one in events if isinstance(one, kind)), key=lambda one: (one.at, one.id)):
            latest[event.name] = event
        assert kept == latest


@given(histories())
def test_folding_leaves_the_older_profile_alone(events: list[Event]) -> None:
    half = len(events) // 2
    older = fold(UNKNOWN, [(1, event) for event in events[:half]])
    before = (older.observed, dict(older.declared), dict(older.obtained), dict(older.inferred), older.sequence)
    fold(older, [(2, event) for event in events[half:]])
    assert (older.observed, older.declared, older.obtained, older.inferred, older.sequence) == before
    assert Profile() == UNKNOWN


def test_nothing_folds_to_nothing() -> None:
    assert fold(UNKNOWN, []) == UNKNOWN
