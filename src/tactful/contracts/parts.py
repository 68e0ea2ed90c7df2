"""What every part that chooses must do: strategies, guards, arrangers."""

from __future__ import annotations

import inspect
import json
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from tactful.contracts.samples import NOW
from tactful.domain.catalogue import AUDIENCE_CODE, Catalogue, Mask, Proxy, Rows
from tactful.domain.consent import Dial
from tactful.domain.decision import PERSONAL, Ask, Evidence, Scored
from tactful.domain.event import VERBS, Inferred, Interaction, Told
from tactful.domain.item import Item
from tactful.domain.view import Assumed, Moment, View
from tactful.learn.train import fit, learners
from tactful.ports import (
    Arranger,
    Guard,
    Interactions,
    Model,
    SearchIndex,
    Shelf,
    Strategy,
)

BOOKS = Catalogue.of(
    [
        Item(
            id=f"book-{number}", title=f"Book {number}", available=number % 7 != 3, audience=list(AUDIENCE_CODE)[number % 4],
            attributes={"author": f"author {number % 9}", "subjects": ["sea", "war", "love"][: number % 4]},
            vectors={"look": [1.0, number / 10.0]}, sensitivity=("health",) if number % 11 == 5 else (),
            since=NOW - number * 86_400_000 * 4 if number % 5 else 0,
        )
        for number in range(60)
    ],
    {"health": (Proxy("subjects", ("medicine",)),), "faith": ()},
)  # fmt: skip
"""A catalogue for the suites: items of every kind that a plug-in may meet."""


TRAITS = ("interests", "weekly")
"""The traits that the Views of the suites hold."""
MINUTE, DAY = 60_000, 86_400_000


def walks(people: int = 40, seed: int = 1) -> Interactions:
    """What some people did with the books, in canonical order."""
    dice = random.Random(seed)
    person = [number for number in range(people) for _ in range(dice.randrange(2, 30))]
    count = len(person)
    return Interactions(
        np.array(person, np.int32),
        np.array([dice.randrange(len(BOOKS)) for _ in person], np.int32),
        NOW + np.arange(count, dtype=np.int64) * 60_000,
        np.array([dice.randrange(len(VERBS)) for _ in person], np.int8),
        np.full(count, np.nan, np.float32),
        people,
    )


def seeing(*items: str, told: tuple[str, ...] = (), verb: str = "viewed") -> View:
    """A View of somebody who did this with these books, one after the other, and who said that they like this."""
    acts = tuple(
        Interaction(f"e{place}", NOW + place, verb, item, "history", ("recommend",)) for place, item in enumerate(items)
    )
    traits = {"interests": Told("t", NOW, "interests", list(told), "told", ("recommend",))} if told else {}
    allowed = frozenset({"history", "told"})
    return View(
        purpose="recommend", surface="private", dial=Dial.remember, history=acts, traits=traits, allowed=allowed
    )


def doing(*acts: str, listed: tuple[str, ...] = ()) -> View:
    """A View of somebody who did all this ("viewed book-4"), a second apart, and for whom this list was made."""
    done = tuple(
        Interaction(f"d{place}", NOW + place * 1_000, verb, item, "history", ("recommend",))
        for place, (verb, item) in enumerate(act.split(" ") for act in acts)
    )
    traits = {"weekly": Inferred("i", NOW, "weekly", list(listed), "lists", ("recommend",), "made for you")}
    return View(
        purpose="recommend", surface="private", dial=Dial.remember, history=done, traits=traits if listed else {},
        allowed=frozenset({"history", "told", "lists"}),
    )  # fmt: skip


class _Anything(dict[str, Assumed]):
    """Assumes that anybody likes the sea, whatever is asked for."""

    def get(self, name: str, default: Any = None) -> Any:
        """The assumption about this trait."""
        return Assumed(name, ["sea", "war"], "told")


IMPERSONAL = {"item", "context", "popular", "assumed", "default", "query", "curated", "new"}
"""Kinds of source that say nothing about the person."""


class Titles:
    """The plainest way of searching, for the suites: what has the query in its title. See `ports.SearchIndex`."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._titles = [catalogue.item(row).title.lower() for row in range(len(catalogue))]

    def find(self, query: str, most: int) -> list[tuple[int, float]]:
        """Rows whose title holds the query, earlier ones first."""
        found = [row for row, title in enumerate(self._titles) if query and query.lower() in title]
        return [(row, 1.0 / (place + 1)) for place, row in enumerate(found[:most])]

    def mend(self, query: str) -> str:
        """The query: nothing is mended."""
        return query

    def suggest(self, prefix: str, most: int, permit: Callable[[Rows], Mask] | None = None) -> list[str]:
        """Titles that begin so."""
        rows = np.array([row for row, title in enumerate(self._titles) if title.startswith(prefix.lower())], np.int32)
        kept = rows if permit is None else rows[permit(rows)]
        return [self._titles[row] for row in kept.tolist()[:most]]


class _Documented:
    """A plug-in says what it is, and what each of its settings does."""

    def make(self) -> Any:
        """The plug-in under test."""
        raise NotImplementedError

    def test_it_has_words_for_itself_and_for_every_setting(self) -> None:
        kind = type(self.make())
        words = kind.__dict__.get("__doc__") or ""
        assert words.strip(), f"{kind.__name__} has no docstring"
        inherited = {name for base in kind.__mro__[1:] for name in vars(base)}
        for setting in structs.fields(kind):
            assert setting.name in inherited or re.search(rf"\b{setting.name}\b", words), (
                f"{setting.name} is not explained"
            )

    def test_it_is_one_frozen_value(self) -> None:
        made = self.make()
        assert made == self.make()
        assert hash(made) == hash(self.make())
        assert type(made).__struct_config__.frozen
        assert type(made).__struct_config__.forbid_unknown_fields, "a misspelt setting would be ignored"

    def test_its_methods_say_what_they_do(self) -> None:
        kind = type(self.make())
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if method.__module__ == kind.__module__ and not name.startswith("_"):
                assert method.__doc__, f"{kind.__name__}.{name} has no docstring"


class StrategyContract(_Documented):
    """What every strategy must do."""

    VIEWS = (
        seeing(),
        seeing("book-1"),
        seeing("book-2", "book-9", "book-2", "gone", "book-17"),
        seeing("book-5", verb="disliked"),
        seeing(told=("sea", "no such thing")),
        seeing(*(f"book-{number}" for number in range(50)), told=("war",)),
        doing("viewed book-4", "viewed book-4", "shown book-4", "added book-8", "bought book-12", "bought book-8", "viewed book-30"),
        doing("clicked book-6", "finished book-6", "added book-7", "dropped book-7", "viewed book-9", "viewed book-9", "shown book-1",
              listed=("book-3", "gone", "book-21")),
    )  # fmt: skip
    ASKS = (
        Ask("home", at=NOW + MINUTE),
        Ask("home"),
        Ask("related", item="book-3", at=NOW + MINUTE),
        Ask("related", item="gone"),
        Ask("home", context={"hour": 7, "different": True}, at=NOW + 30 * DAY),
        Ask("cart", context={"cart": "book-1,book-4, gone"}, at=NOW + MINUTE),
        Ask("cart", context={"cart": ["book-2", "book-9"], "different": "yes"}, item="book-2"),
        Ask("search", query="book 12", at=NOW + MINUTE),
    )
    """What may be asked: with and without an item, a cart, words to find, at different times. Inherit it and add what yours looks at."""

    def make(self) -> Strategy:
        """The strategy under test."""
        raise NotImplementedError

    def shelf(self, catalogue: Catalogue = BOOKS, people: int = 40) -> Shelf:
        """The books, and the models of the strategy and of its parts, which nobody can write to."""
        interactions = walks(people) if len(catalogue) else walks(0)
        models: dict[str, Model] = {}
        for name, strategy in learners([self.make()]).items():
            models[name] = fit(strategy, interactions, catalogue)
            for array in models[name].arrays.values():
                array.flags.writeable = False
        return Shelf(catalogue, models, search=Titles(catalogue))

    def test_what_it_learns_is_the_same_bytes_each_time(self) -> None:
        for one, other in zip(self.shelf().models.values(), self.shelf().models.values(), strict=True):
            assert one.manifest == other.manifest
            assert {name: (array.dtype, array.tobytes()) for name, array in one.arrays.items()} == {
                name: (array.dtype, array.tobytes()) for name, array in other.arrays.items()
            }

    def test_what_it_learns_is_numbers_and_a_manifest_that_can_be_read(self) -> None:
        for model in self.shelf().models.values():
            assert not any(array.dtype.hasobject for array in model.arrays.values()), "only numbers: never a pickle"
            assert json.loads(json.dumps(model.manifest)).keys() == model.manifest.keys()

    def test_it_learns_and_serves_where_there_is_nothing(self) -> None:
        strategy = self.make()
        for shelf in (self.shelf(people=0), self.shelf(Catalogue())):
            for view in self.VIEWS:
                assert len(strategy.propose(view, Ask("home"), shelf).rows) <= 60 * 60

    def test_its_evidence_is_of_items_that_there_are_and_adds_up(self) -> None:
        strategy, shelf = self.make(), self.shelf()
        for view in self.VIEWS:
            for ask in self.ASKS:
                evidence = strategy.propose(view, ask, shelf)
                size, count = len(BOOKS), len(evidence.sources)
                assert len(evidence.rows) == len(evidence.source) == len(evidence.base)
                assert np.all((evidence.rows >= 0) & (evidence.rows < size))
                assert np.all((evidence.source >= 0) & (evidence.source < count))
                assert all(
                    len(column) == count for column in (evidence.age, evidence.newest, evidence.decay, evidence.group)
                )
                scored = Scored.of(evidence, size)
                assert len(set(scored.rows.tolist())) == len(scored.rows)
                assert np.all(np.isfinite(scored.scores)) and np.all(scored.scores >= 0)
                total = np.zeros(size)
                amounts = evidence.amounts(evidence.weight)
                for row, amount in zip(evidence.rows, amounts, strict=True):
                    total[row] += float(amount)
                if not evidence.steps:
                    assert np.array_equal(amounts, evidence.base * evidence.weight[evidence.source])
                assert np.all(amounts >= 0)
                assert np.allclose(total[scored.rows], scored.scores, rtol=1e-9)

    def test_its_personal_reasons_were_read_and_say_where_they_are_kept(self) -> None:
        strategy, shelf = self.make(), self.shelf()
        for view in self.VIEWS:
            for ask in self.ASKS:
                view.opened.clear()
                for source in strategy.propose(view, ask, shelf).sources:
                    assert source.kind in PERSONAL | IMPERSONAL
                    assert not ask.query or ask.query not in source.key  # what was typed is nowhere kept
                    if source.kind in PERSONAL:
                        assert source.data in view.opened
                        assert source.data in view.allowed

    def test_what_is_only_assumed_is_never_given_as_a_fact(self) -> None:
        strategy, shelf = self.make(), self.shelf()
        for ask in self.ASKS:
            view = View(
                purpose="recommend", surface="private", dial=Dial.remember, allowed=frozenset({"told"}), assumed=_Anything()
            )  # fmt: skip
            sources = strategy.propose(view, ask, shelf).sources
            assert not any(source.kind in PERSONAL for source in sources), "nothing is known of this person"
            assert all(source.key in view.assumptions for source in sources if source.kind == "assumed")
            assert view.assumptions or not any(source.kind == "assumed" for source in sources)

    def test_of_somebody_unknown_it_says_the_same_as_of_anybody_unknown(self) -> None:
        strategy, shelf = self.make(), self.shelf()
        unknown = (View(purpose="recommend", surface="private"), seeing())
        for ask in self.ASKS:
            one, other = (strategy.propose(view, ask, shelf) for view in unknown)
            assert _same(one, other)
            assert not any(source.kind in PERSONAL for source in one.sources)

    def test_it_is_pure(self) -> None:
        strategy, shelf = self.make(), self.shelf()
        for view in self.VIEWS:
            for ask in self.ASKS:
                assert _same(strategy.propose(view, ask, shelf), strategy.propose(view, ask, shelf))

    def test_its_evidence_knows_what_would_be_without_each_thing_known(self) -> None:
        """What the receipt says of the place without a reason must be what happens without it.

        But for the item itself: a strategy may pass over what somebody has, and what was never bought may come again.
        """
        strategy, shelf = self.make(), self.shelf()
        for view in self.VIEWS:
            for ask in self.ASKS:
                evidence = strategy.propose(view, ask, shelf)
                for kind, key in {(one.kind, one.key) for one in evidence.sources if one.kind in PERSONAL}:
                    places = [place for place, one in enumerate(evidence.sources) if (one.kind, one.key) == (kind, key)]
                    said = _summed(evidence, evidence.without(places))
                    again = strategy.propose(_forgetting(view, kind, key), ask, shelf)
                    really = _summed(again, again.weight)
                    said[BOOKS.rows([key])] = really[BOOKS.rows([key])] = 0.0
                    assert np.allclose(said, really, rtol=1e-6, atol=1e-12), f"{ask} without {kind} {key}"


def _summed(evidence: Evidence, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The score of each book if the sources weigh so much, in float64[60]."""
    return np.bincount(evidence.rows, evidence.amounts(weight), minlength=len(BOOKS)).astype(np.float64)


def _forgetting(view: View, kind: str, key: str) -> View:
    """The View of the same person if this item had never been met, or this trait never been known."""
    history = view.history()
    if kind == "history":
        history = tuple(act for act in history if act.item != key)
    traits = {name: trait for name in TRAITS if (trait := view.trait(name)) is not None}
    if kind != "history":
        del traits[key]
    return View(
        purpose=view.purpose, surface=view.surface, dial=view.dial, history=history, traits=traits, allowed=view.allowed
    )


def _same(one: Evidence, other: Evidence) -> bool:
    """Whether two proposals are the same to the last bit."""
    columns = [name for name in Evidence.__struct_fields__ if name not in ("sources", "steps")]
    return (one.sources, one.steps) == (other.sources, other.steps) and all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in columns
    )


class GuardContract(_Documented):
    """What every guard must do."""

    def make(self) -> Guard:
        """The guard under test."""
        raise NotImplementedError

    def moments(self) -> list[Moment]:
        """Moments of all kinds. Inherit it and add what your guard looks at."""
        views = [seeing(), *(seeing("book-1", "book-2", "book-2", "gone", verb=verb) for verb in VERBS)]
        plain = [Moment.of(view, {}, NOW + 1_000) for view in views]
        return [
            *plain,
            structs.replace(plain[0], audience="children"),
            structs.replace(plain[0], sensitive=frozenset({"health"})),
            structs.replace(plain[0], context={"hour": 3, "device": "phone"}),
            structs.replace(plain[0], query="book 5"),
        ]

    def test_it_says_why(self) -> None:
        assert self.make().why.strip()

    def test_it_judges_each_row_on_its_own(self) -> None:
        rows = np.arange(len(BOOKS), dtype=np.int32)
        for moment in self.moments():
            whole = self.make().permit(rows, BOOKS, moment)
            assert whole.dtype == bool
            assert whole.shape == rows.shape
            for some in (rows[::-1], rows[5:20], rows[:1], rows[:0]):
                mask = self.make().permit(some, BOOKS, moment)
                assert mask.dtype == bool
                assert mask.tolist() == whole[some].tolist()

    def test_it_is_pure(self) -> None:
        rows = np.arange(len(BOOKS), dtype=np.int32)
        columns = (BOOKS.available, BOOKS.sensitivity, BOOKS.audience, rows)
        before = [column.tobytes() for column in columns]
        for moment in self.moments():
            one = self.make().permit(rows, BOOKS, moment)
            one_then = one.tolist()
            one[:] = False  # what it gave away is not what it works with
            assert self.make().permit(rows, BOOKS, moment).tolist() == one_then
        assert [column.tobytes() for column in columns] == before

    def test_one_that_is_not_personal_does_not_go_by_what_somebody_did(self) -> None:
        if self.make().personal:
            return
        rows = np.arange(len(BOOKS), dtype=np.int32)
        for moment in self.moments():
            forgetful = structs.replace(moment, done={}, history=(), value=EMPTY.value)
            assert (
                self.make().permit(rows, BOOKS, moment).tolist() == self.make().permit(rows, BOOKS, forgetful).tolist()
            )

    def test_it_manages_where_there_is_nothing(self) -> None:
        for moment in self.moments():
            assert self.make().permit(np.empty(0, np.int32), Catalogue(), moment).tolist() == []


MOMENT = Moment.of(seeing("book-1", "book-2", "book-9", "gone", told=("sea",)), {"device": "phone"}, NOW + 1_000)
"""Somebody of whom a little is known."""
EMPTY = Moment.of(seeing(), {"device": "phone"}, NOW + 1_000)
"""Somebody of whom nothing is known, at the same time and place."""


class ArrangerContract(_Documented):
    """What every arranger must do."""

    def make(self) -> Arranger:
        """The arranger under test."""
        raise NotImplementedError

    def test_it_fills_slots_from_what_it_is_given_each_once_at_most_so_many_with_odds(self) -> None:
        for seed in range(100):
            dice = random.Random(seed)
            rows = np.array(dice.sample(range(len(BOOKS)), dice.randrange(len(BOOKS))), np.int32)
            scores = np.array(sorted((dice.random() for _ in rows), reverse=True))
            limit = dice.randrange(15)
            slots = self.make().arrange(rows, scores, limit, BOOKS, random.Random(seed), MOMENT)
            chosen = slots.rows.tolist()
            assert len(chosen) <= limit
            assert len(set(chosen)) == len(chosen)
            assert set(chosen) <= set(rows.tolist())
            assert slots.odds.shape == slots.rows.shape
            assert np.all((slots.odds > 0) & (slots.odds <= 1))

    def test_the_same_dice_fill_the_same_slots_and_nothing_given_is_changed(self) -> None:
        rows, scores = np.arange(40, dtype=np.int32), np.linspace(1, 0, 40)
        for column in (rows, scores):
            column.flags.writeable = False
        for seed in range(20):
            one, other = (self.make().arrange(rows, scores, 8, BOOKS, random.Random(seed), MOMENT) for _ in range(2))
            assert one.rows.tolist() == other.rows.tolist()
            assert one.odds.tolist() == other.odds.tolist()

    def test_one_that_is_not_personal_does_not_go_by_what_somebody_did(self) -> None:
        if self.make().personal:
            return
        rows, scores = np.arange(40, dtype=np.int32), np.linspace(1, 0, 40)
        for seed in range(20):
            known, unknown = (
                self.make().arrange(rows, scores, 8, BOOKS, random.Random(seed), moment) for moment in (MOMENT, EMPTY)
            )
            assert (known.rows.tolist(), known.odds.tolist()) == (unknown.rows.tolist(), unknown.odds.tolist())

    def test_odds_of_one_are_certain_and_others_are_not(self) -> None:
        """Where every slot has odds of 1, other dice fill it no differently."""
        rows, scores = np.arange(40, dtype=np.int32), np.linspace(1, 0, 40)
        pages = [self.make().arrange(rows, scores, 8, BOOKS, random.Random(seed), EMPTY) for seed in range(50)]
        if all(np.all(page.odds == 1) for page in pages):
            assert len({tuple(page.rows.tolist()) for page in pages}) == 1


class SearchIndexContract:
    """What every way of searching must do."""

    def over(self, catalogue: Catalogue) -> SearchIndex:
        """A way of searching this catalogue, ready."""
        raise NotImplementedError

    def test_it_finds_items_by_the_words_of_their_titles_best_first_each_once(self) -> None:
        found = self.over(BOOKS).find("book 7", 100)
        rows = [row for row, _ in found]
        assert rows[0] == 7
        assert len(rows) == len(set(rows))
        assert all(0 <= row < len(BOOKS) for row in rows)
        relevance = [one for _, one in found]
        assert relevance == sorted(relevance, reverse=True)
        assert all(one > 0 and np.isfinite(one) for one in relevance)

    def test_it_finds_no_more_than_it_is_asked_for(self) -> None:
        index = self.over(BOOKS)
        assert index.find("book", 5) == index.find("book", 60)[:5]
        assert len(index.suggest("b", 3)) <= 3

    def test_it_finds_nothing_where_there_is_nothing(self) -> None:
        assert self.over(Catalogue()).find("book", 5) == []
        assert self.over(Catalogue()).suggest("book", 5) == []
        for nothing in ("", "   ", "?!"):
            assert self.over(BOOKS).find(nothing, 5) == []
            assert self.over(BOOKS).suggest(nothing, 5) == []
            assert self.over(BOOKS).mend(nothing) == nothing

    def test_it_suggests_what_is_permitted_alone(self) -> None:
        index = self.over(BOOKS)
        assert index.suggest("book 1", 5, lambda rows: np.zeros(len(rows), bool)) == []
        (one,) = index.suggest("book 1", 60, lambda rows: rows == 12)
        assert one.lower() == "book 12"
