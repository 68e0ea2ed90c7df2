"""Several strategies in steps: what counts, in which order, and what would be without one thing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Dial
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Scored, Source
from tactful.domain.item import Item
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy
from tactful.strategies.blend import Part
from tactful.strategies.cascade import Cascade
from tactful.strategies.fallback import Fallback
from tactful.strategies.interleave import Interleave
from tests.shop import Shop, act, placement

SIZE = 12
SHELF = Shelf(Catalogue.of([Item(id=f"{row}", title=f"{row}") for row in range(SIZE)]), {})
NOBODY = View(purpose="personalise", surface="private")


class Says(Strategy, Struct, frozen=True):
    """Says what it is told to. said: (kind, key, row, amount); personal things only if the View still holds an act on the key."""

    said: tuple[tuple[str, str, int, float], ...] = ()

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """One source a key."""
        known = {act.item for act in view.history()}
        said = [one for one in self.said if one[0] != "history" or one[1] in known]
        keys = list(dict.fromkeys((kind, key) for kind, key, _, _ in said))
        if not said:
            return NO_EVIDENCE
        return single(
            np.array([one[2] for one in said], np.int32), np.array([one[3] for one in said], np.float32),
            [Source(*key) for key in keys], np.array([keys.index(one[:2]) for one in said], np.int32),
        )  # fmt: skip


def says(kind: str = "popular", **rows: float) -> Says:
    """says(r3=0.5): row 3 at 0.5, all for one reason."""
    return Says(tuple((kind, kind, int(name[1:]), amount) for name, amount in rows.items()))


def order(strategy: Strategy, view: View = NOBODY) -> list[int]:
    """The rows it proposes, best first."""
    scored = Scored.of(strategy.propose(view, Ask("home"), SHELF), SIZE)
    ranked = sorted(zip(-scored.scores, scored.rows, strict=True))
    return [int(row) for score, row in ranked if score < 0]


def test_the_first_of_a_cascade_gives_the_candidates_and_the_others_their_order() -> None:
    first, second = says(r1=0.1, r2=0.2, r3=0.3), says(r1=0.5, r9=9.0)
    assert order(Cascade((Part(first), Part(second)))) == [1, 3, 2]
    assert order(Cascade((Part(first), Part(second, 0.1)))) == [3, 2, 1]
    assert order(Cascade((Part(Says()), Part(second)))) == []


def test_the_first_that_speaks_is_the_only_one_heard() -> None:
    assert order(Fallback((Says(), says(r4=0.1), says(r5=0.9)))) == [4]
    assert order(Fallback((says(r4=0.0), says(r5=0.9)))) == [5], "something of no weight is nothing"
    assert order(Fallback((Says(), Says()))) == []


def test_turns_go_by_place_and_not_by_size_of_score() -> None:
    loud, quiet = says(r0=90.0, r1=80.0, r2=70.0, r3=60.0), says(r6=0.03, r7=0.02, r8=0.01)
    assert order(Interleave((Part(loud), Part(quiet)))) == [0, 6, 1, 7, 2, 8, 3]
    assert order(Interleave((Part(loud, 2.0), Part(quiet)))) == [0, 1, 6, 2, 3, 7, 8]
    assert order(Interleave((Part(loud, 0.0), Part(quiet)))) == [6, 7, 8]


def test_what_two_would_bring_comes_once_for_the_reasons_of_the_one_whose_turn_it_was() -> None:
    both = Interleave((Part(says("item", r0=1.0, r1=0.9)), Part(says("popular", r1=5.0, r2=4.0))))
    evidence = both.propose(NOBODY, Ask("home"), SHELF)
    assert order(both) == [0, 1, 2]
    amounts = evidence.amounts(evidence.weight)
    speaking = {
        int(row): evidence.sources[source].kind
        for row, source, amount in zip(evidence.rows, evidence.source, amounts, strict=True)
        if amount > 0
    }
    assert speaking == {0: "item", 1: "popular", 2: "popular"}


amounts = st.floats(0.015625, 1.0, width=16)
things = st.tuples(st.sampled_from(["history", "popular"]), st.sampled_from("abc"), st.integers(0, SIZE - 1), amounts)
saying = st.lists(things, max_size=8).map(lambda said: Says(tuple(said)))


def mixed(below: st.SearchStrategy[Strategy]) -> st.SearchStrategy[Strategy]:
    """A strategy of up to three others."""
    of = st.lists(below, min_size=1, max_size=3).map(tuple)
    weighed = st.lists(st.builds(Part, below, amounts), min_size=1, max_size=3).map(tuple)
    return st.one_of(of.map(Fallback), weighed.map(Cascade), weighed.map(Interleave))


@given(st.recursive(saying, mixed, max_leaves=6), st.sampled_from("abc"))
def test_what_would_be_without_a_thing_is_what_is_without_it(strategy: Strategy, gone: str) -> None:
    """However deep they nest."""
    acts = [act(item) for item in "abc"]
    view, less = (
        View(purpose="personalise", surface="private", dial=Dial.remember, history=tuple(history))
        for history in (acts, [one for one in acts if one.item != gone])
    )
    evidence = strategy.propose(view, Ask("home"), SHELF)
    places = [number for number, one in enumerate(evidence.sources) if (one.kind, one.key) == ("history", gone)]
    said = np.bincount(evidence.rows, evidence.amounts(evidence.without(places)), minlength=SIZE)
    again = strategy.propose(less, Ask("home"), SHELF)
    really = np.bincount(again.rows, again.amounts(again.weight), minlength=SIZE)
    assert np.allclose(said, really, rtol=1e-9)


@given(st.lists(st.builds(Part, saying, amounts), min_size=1, max_size=4).map(tuple))
def test_each_has_its_share_of_the_top(parts: tuple[Part, ...]) -> None:
    """Of the first k places each strategy has at least its share, rounded down, filled with what is among its own best."""
    lists = [order(part.strategy) for part in parts]
    merged = order(Interleave(parts))
    assert sorted(merged) == sorted({row for ranked in lists for row in ranked})
    whole = sum(part.weight for part in parts)
    for length in range(1, len(merged) + 1):
        for part, ranked in zip(parts, lists, strict=True):
            due = min(len(ranked), int(length * part.weight / whole - 1e-9))
            assert set(ranked[:due]) <= set(merged[:length])


def test_a_receipt_says_what_a_cascade_would_be_without_its_candidate() -> None:
    """Popularity lifts what a history brought: without the history it would not have come at all, popular or not."""
    shop = Shop(
        placements={
            "home": placement(
                {"use": "cascade", "of": [{"strategy": {"use": "similar"}}, {"strategy": {"use": "popular"}}]}
            )
        }
    )
    shop.train()
    shop.allow("ada")
    item = shop.engine.shelf().catalogue.ids[0]
    shop.does("ada", "viewed", item)
    receipt = shop.decide("ada").receipt
    assert receipt.personal
    assert receipt.shown
    for shown in receipt.shown:
        personal = [piece for piece in shown.contributions if piece.source.kind == "history"]
        assert [piece.source.key for piece in personal] == [item]
        if shown.contributions[0].source.kind == "history":
            assert shown.without is None
