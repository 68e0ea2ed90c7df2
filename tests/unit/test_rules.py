"""Rules and context: what holds is shown, for the reasons given, and mistakes in a recipe are named with their place."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.cli.install import install
from tactful.domain.conditions import OPERATORS
from tactful.domain.consent import Dial
from tactful.domain.decision import Ask, Evidence, Source
from tactful.domain.errors import BadSettings
from tactful.domain.event import Inferred, Obtained, Told, Trait
from tactful.domain.view import View
from tactful.flow.wording import sentence
from tactful.plugins import build
from tactful.ports import Shelf, Strategy
from tactful.wire import read_home
from tests.shop import EN, NOW, PLAIN, Shop, catalogue, items_in, placement

SHELF = Shelf(catalogue(), {})
EVENING = 1_767_636_000_000  # Monday, 5 January 2026, 18:00 UTC


def told(name: str, value: Any) -> Told:
    return Told(f"e-{name}", NOW, name, value, "told", ("personalise",))


def seen(*traits: Trait) -> View:
    return View(
        purpose="personalise", surface="private", dial=Dial.remember, traits={one.name: one for one in traits},
        allowed=frozenset({"told", "bought_data", "guesses"}),
    )  # fmt: skip


def rules(*each: dict[str, Any], **more: Any) -> Strategy:
    return build(Strategy, {"use": "rules", "rules": list(each), **more})


def scores(evidence: Evidence) -> dict[str, float]:
    """What each item is worth."""
    total: dict[str, float] = {}
    for row, base, source in zip(evidence.rows, evidence.base, evidence.source, strict=True):
        name = catalogue().ids[row]
        total[name] = total.get(name, 0.0) + float(base) * float(evidence.weight[source])
    return total


def propose(strategy: Strategy, view: View, context: dict[str, Any] | None = None, at: int = EVENING) -> Evidence:
    return strategy.propose(view, Ask("home", context=context or {}, at=at), SHELF)


SEA = {"when": {"traits.interests": {"$in": ["sea"]}}, "show": {"subjects": {"$in": ["sea"]}}}
AT_SEA = set(np.array(catalogue().ids)[catalogue().having("subjects")["sea"]])


# ---------------------------------------------------------------------------------------------------------------------- rules


def test_a_rule_shows_what_it_describes_to_whom_it_describes() -> None:
    found = propose(rules(SEA), seen(told("interests", ["war", "sea"])))
    assert set(scores(found)) == AT_SEA
    assert sum(scores(found).values()) == pytest.approx(1)
    assert found.sources == (Source("told", "interests", "told", how="sea"),)
    assert not len(propose(rules(SEA), seen(told("interests", ["war"]))).rows)
    assert not len(propose(rules(SEA), seen()).rows)


def test_a_rule_shows_the_items_it_lists_the_first_first() -> None:
    items = list(catalogue().ids[5:9])
    found = scores(propose(rules({"items": [*items, "gone"]}), seen()))
    assert sorted(found, key=lambda item: -found[item]) == items
    assert len(set(found.values())) == len(items)
    assert sum(found.values()) == pytest.approx(1)


def test_rules_share_by_weight_and_do_not_change_with_one_another() -> None:
    both = rules({**SEA, "weight": 3.0}, {"when": {"context.device": "phone"}, "items": ["x", catalogue().ids[0]]})
    view = seen(told("interests", ["sea"]))
    with_both, with_one = (
        scores(propose(both, view, context)) for context in ({"device": "phone"}, {"device": "desk"})
    )
    assert sum(with_one.values()) == pytest.approx(0.75)
    assert sum(with_both.values()) == pytest.approx(1)
    assert {item: with_both[item] for item in AT_SEA - {catalogue().ids[0]}} == {
        item: with_one[item] for item in AT_SEA - {catalogue().ids[0]}
    }


@pytest.mark.parametrize(
    ("trait", "kind"),
    [
        (told("age", 20), "told"),
        (Obtained("o", NOW, "age", 20, "bought_data", (), "seller", "licence", "consent"), "obtained"),
        (Inferred("i", NOW, "age", 20, "guesses", (), "what you read"), "inferred"),
    ],
)
def test_a_trait_speaks_as_what_it_is(trait: Trait, kind: str) -> None:
    found = propose(rules({"when": {"traits.age": {"$gte": 18}}, "items": [catalogue().ids[0]]}), seen(trait))
    assert found.sources == (Source(kind, "age", trait.data),)


@pytest.mark.parametrize(
    ("when", "context", "source"),
    [
        ({"context.device": "phone"}, {"device": "phone"}, Source("context", "device", how="phone")),
        ({"context": {"device": "phone"}}, {"device": "phone"}, Source("context", "device", how="phone")),
        ({"context.country": {"$in": ["DE"]}}, {"country": "DE"}, Source("context", "place", how="DE")),
        ({"context.hour": {"$lt": 9}}, {"hour": 7}, Source("context", "hour")),
        ({"context.email": {"$regex": "@"}}, {"email": "ann@example.org"}, Source("context", "email")),
        ({"now.days": "workday"}, {}, Source("context", "weekday", how="workday")),
        ({"now.daypart": "evening"}, {}, Source("context", "daypart", how="evening")),
        ({"now": {"daypart": "night"}}, {"utc_offset": 300}, Source("context", "daypart", how="night")),
        ({"$or": [{"now.days": "weekend"}, {"context.weather": "rain"}]}, {"weather": "rain"}, Source("context", "weather", how="rain")),
        ({}, {}, Source("curated", "Our choice", how="Our choice")),
    ],
)  # fmt: skip
def test_a_rule_that_needs_no_trait_is_not_personal(when: Any, context: dict[str, Any], source: Source) -> None:
    strategy = rules({"when": when, "items": [catalogue().ids[0]], "words": "Our choice"})
    assert propose(strategy, seen(told("interests", ["sea"])), context).sources == (source,)
    assert propose(strategy, seen(), context).sources == (source,)


def test_a_rule_without_words_is_the_houses_own() -> None:
    assert propose(rules({"items": [catalogue().ids[0]]}), seen()).sources == (Source("default", "rules"),)


def test_what_is_said_of_a_rule_is_true() -> None:
    """Whoever told us their age did not say that they like it."""
    home = placement(
        {"use": "rules", "rules": [{"when": {"traits.languages": {"$in": ["en"]}}, "items": [PLAIN[0]]}, SEA]}
    )
    shop = Shop(placements={"home": home})
    shop.allow("ann")
    shop.tells("ann", interests=["war", "sea"], languages=["en", "fr"])
    answer = shop.decide("ann")
    words = {one.item: sentence(one, answer.catalogue, EN) for one in answer.receipt.shown}
    assert words.pop(PLAIN[0]) == "It fits what you told us."
    assert set(words.values()) == {"You told us that you like sea."}
    assert answer.receipt.personal


def test_only_traits_that_are_named_are_read() -> None:
    view = seen(told("interests", ["sea"]), Inferred("i", NOW, "mood", "low", "guesses", (), "e"))
    propose(rules(SEA, {"when": {"context.device": "phone"}, "items": ["a"]}), view)
    assert view.opened == {"told"}


def test_a_segment_is_a_condition_that_rules_share() -> None:
    segments = [{"name": "grown-up sailors", "when": {"traits.interests": "sea", "traits.age": {"$gte": 18}}}]
    one = {
        "segment": "grown-up sailors",
        "when": {"context.device": "phone"},
        "items": [catalogue().ids[0]],
    }
    strategy, view = rules(one, segments=segments), seen(told("interests", "sea"), told("age", 30))
    found = propose(strategy, view, {"device": "phone"})
    assert [(source.key, source.how) for source in found.sources] == [("interests", "sea"), ("age", "")]
    assert not len(propose(strategy, view, {"device": "desk"}).rows)
    assert not len(propose(strategy, seen(told("interests", "sea")), {"device": "phone"}).rows)


PIECES = st.sampled_from(
    [
        {"traits.a": 1}, {"traits.b": 1}, {"traits.c": {"$in": [1, 2]}}, {"traits.a": {"$ne": 2}}, {"traits.b": {"$exists": False}},
        {"context.device": "phone"}, {"now.daypart": "evening"},
    ]
)  # fmt: skip
WHENS = st.recursive(
    PIECES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"$or": some}),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"$and": some}),
        inner.map(lambda one: {"$not": one}),
    ),
    max_leaves=5,
)
PEOPLE = st.dictionaries(st.sampled_from("abc"), st.integers(1, 3))


@given(WHENS, PEOPLE, st.sampled_from([{}, {"device": "phone"}]))
def test_without_a_stated_trait_the_items_fall(
    when: dict[str, Any], person: dict[str, int], context: dict[str, Any]
) -> None:
    """And where one trait alone is stated, or several of which each would do, they fall exactly as far as the receipt says."""
    strategy = rules({"when": when, "items": [catalogue().ids[0]]})
    found = propose(strategy, seen(*(told(name, value) for name, value in person.items())), context)
    score = sum(scores(found).values())
    personal = [source for source in found.sources if source.kind == "told"]
    assert not personal or len(personal) == len(found.sources)
    for number, source in enumerate(personal):
        rest = seen(*(told(name, value) for name, value in person.items() if name != source.key))
        really = sum(scores(propose(strategy, rest, context)).values())
        said = float((found.base * found.without([number])[found.source]).sum())
        if len(personal) == 1 or score > 1.5:
            assert really == pytest.approx(said, abs=1e-6)
        elif really:  # two of three, say: then none is needed and none is enough
            assert really == pytest.approx(score)
        else:
            assert said < score


@given(WHENS, PEOPLE)
def test_a_rule_that_holds_of_nobody_in_particular_holds_of_everybody(
    when: dict[str, Any], person: dict[str, int]
) -> None:
    """So nothing that a person told us ever takes away what is shown as the same for everyone."""
    strategy = rules({"when": when, "items": [catalogue().ids[0]]})
    if len(propose(strategy, seen()).rows):
        assert len(propose(strategy, seen(*(told(name, value) for name, value in person.items()))).rows)


# ---------------------------------------------------------------------------------------------------------------------- context


SEA_ITEMS = {"subjects": ["sea", "no such thing"]}
FITS = {
    "daypart": {"evening": SEA_ITEMS},
    "weather": {"rain": SEA_ITEMS},
    "device": {"phone": SEA_ITEMS},
    "weekday": {"workday": SEA_ITEMS, "sunday": {"subjects": "sea"}},
    "place": {"DE": SEA_ITEMS, "DE-BY": SEA_ITEMS},
    "season": {"summer": SEA_ITEMS},
}


def contextual(fits: Any) -> Strategy:
    return build(Strategy, {"use": "contextual", "fits": fits})


def about(evidence: Evidence) -> list[tuple[str, str]]:
    return [(source.key, source.how) for source in evidence.sources]


def test_what_fits_the_moment_is_shown() -> None:
    only = contextual({"weather": {"rain": SEA_ITEMS}})
    found = propose(only, seen(), {"weather": "rain"})
    assert set(scores(found)) == AT_SEA
    assert sum(scores(found).values()) == pytest.approx(1)
    assert about(found) == [("weather", "rain")]
    assert not len(propose(only, seen(), {"weather": "sun"}).rows)
    assert not len(propose(only, seen()).rows)


@pytest.mark.parametrize(
    ("context", "at", "want"),
    [
        ({"weather": "rain"}, 0, [("weather", "rain")]),
        ({"country": "DE", "region": "DE-BY"}, 0, [("place", "DE"), ("place", "DE-BY")]),
        ({"country": "FR"}, 0, []),
        ({"country": "Berlin, Unter den Linden 1", "region": "52.5,13.4", "city": "DE"}, 0, []),
        ({"weather": 3, "device": ["phone"]}, 0, []),
        ({}, EVENING, [("daypart", "evening"), ("weekday", "workday")]),
        ({"utc_offset": 300}, EVENING, [("weekday", "workday")]),
        ({"timezone": "Asia/Tokyo"}, EVENING - 28 * 3_600_000, [("weekday", "sunday")]),
    ],
)
def test_what_counts_of_the_context(context: dict[str, Any], at: int, want: list[tuple[str, str]]) -> None:
    found = propose(contextual(FITS), seen(), context, at)
    assert about(found) == want
    assert set(scores(found)) == (AT_SEA if want else set())


def test_the_south_has_its_summer_in_january() -> None:
    fits = {"season": {"summer": {"subjects": ["sea"]}}}
    south, north = (
        propose(build(Strategy, {"use": "contextual", "fits": fits, "southern": side}), seen())
        for side in (True, False)
    )
    assert about(south) == [("season", "summer")] and not len(north.rows)


def test_context_moves_a_page_and_says_so_and_not_as_personal() -> None:
    shop = Shop(
        placements={"home": placement({"use": "contextual", "fits": {"weather": {"rain": {"subjects": ["sea"]}}}})}
    )
    answer = shop.decide(None, Ask("home", context={"weather": "rain"}))
    assert items_in(answer) and set(items_in(answer)) <= AT_SEA
    assert not answer.receipt.personal
    assert {shown.contributions[0].source for shown in answer.receipt.shown} == {
        Source("context", "weather", how="rain")
    }


# --------------------------------------------------------------------------------------------------------------------- mistakes

A = [{"items": ["a"]}]


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"use": "rules", "rules": [{"when": {"traits.age": {"$gtt": 3}}, "items": ["a"]}]}, r"traits\.age\.\$gtt.*Perhaps .*rules\[0\]\.when"),
        ({"use": "rules", "rules": [{"when": {"age": 3}, "items": ["a"]}]}, "age: there is no such fact"),
        ({"use": "rules", "rules": [{"when": {"traits": {"$gt": 3}}, "items": ["a"]}]}, "traits: there is no such fact"),
        ({"use": "rules", "rules": [{"show": {"mood": {"$in": "a"}}}]}, r"mood\.\$in.*a list.*show"),
        ({"use": "rules", "rules": [{"show": {"mood": "a"}, "items": ["a"]}]}, "one of the two"),
        ({"use": "rules", "rules": [{"when": {}}]}, "one of the two"),
        ({"use": "rules", "rules": [{"items": ["a"], "weight": 0}]}, "not above 0"),
        ({"use": "rules", "rules": [{"items": ["a"], "segment": "x"}]}, "no segment 'x'"),
        ({"use": "rules", "rules": A, "segments": [{"name": "x", "when": {}}, {"name": "x", "when": {}}]}, "two segments"),
        ({"use": "rules", "rules": A, "zone": "Berlin"}, "no time zone 'Berlin'"),
        ({"use": "contextual", "fits": {"city": {"x": {"a": ["b"]}}}}, "city: it is nothing of the context"),
        ({"use": "contextual", "fits": {"place": {"Berlin": {"a": ["b"]}}}}, "Nothing finer"),
        ({"use": "contextual", "fits": {"place": {"DE-10115": {"a": ["b"]}}}}, "Nothing finer"),
        ({"use": "contextual", "fits": {"daypart": {"noon": {"a": ["b"]}}}}, "daypart.noon: there is no such daypart"),
        ({"use": "contextual", "fits": {"daypart": {"night": {"a": []}}}}, r"daypart\.night\.a: it needs the values"),
        ({"use": "contextual", "fits": {"daypart": {"night": "a"}}}, r"daypart\.night: it needs a table"),
        ({"use": "contextual", "fits": {"device": {"tv": {"a": ["b"]}}}, "zone": "x"}, "no time zone"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_recipe_is_named_with_its_place(recipe: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        build(Strategy, recipe)


def test_a_mistake_in_a_rule_is_named_with_its_line(tmp_path: Path) -> None:
    install(tmp_path)
    path = tmp_path / "tactful.toml"
    text = path.read_text() + (
        '\n[placements.ours]\npurpose = "personalise"\n\n[placements.ours.strategy]\nuse = "rules"\n'
        'rules = [{ when = { "context.device" = { "$regex" = "(" } }, items = ["a"] }]\n'
    )
    path.write_text(text)
    line = text.splitlines().index('rules = [{ when = { "context.device" = { "$regex" = "(" } }, items = ["a"] }]') + 1
    with pytest.raises(
        BadSettings, match=rf"line {line}, placements\.ours\.strategy\.rules\.when: context\.device\.\$regex"
    ):
        read_home(tmp_path)


@pytest.mark.parametrize("page", ["conditions.md", "curated.md"])
def test_the_recipes_in_the_documentation_can_be_read(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, flags=re.S)]
    recipes = [one["strategy"] for block in blocks for one in block["placements"].values()]
    assert recipes
    for recipe in recipes:
        build(Strategy, recipe)


def test_every_operator_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs/conditions.md").read_text(encoding="utf-8")
    assert [name for name in OPERATORS if f"`{name}`" not in text] == []
