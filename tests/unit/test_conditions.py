"""Targeting conditions: GrowthBook's own cases where they are at hand, a table of ours always, and laws that hold of all conditions."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.domain.conditions import Condition, check

CASES = Path("/work/shared/data/targeting-cases/growthbook_half.json")
COERCIONS: frozenset[str] = frozenset()
"""Cases of the public suite that we decide otherwise, because they rest on JavaScript taking one type for another. None in this half."""


def holds(condition: dict[str, Any], facts: dict[str, Any], **more: Any) -> bool:
    return Condition(condition).holds(facts, **more)


@pytest.mark.skipif(not CASES.exists(), reason=f"the public cases are not at {CASES}")
def test_the_public_cases_come_out_as_growthbook_has_them() -> None:
    cases = json.loads(CASES.read_text())["evalCondition"]
    wrong = {name for name, raw, facts, want, *groups in cases if holds(raw, facts, groups=dict(*groups)) != want}
    print(f"\n{len(cases) - len(wrong)} of {len(cases)} cases")
    assert len(cases) == 124
    assert wrong == COERCIONS


ANN = {
    "name": "Ann", "age": 34, "score": 0.5, "member": True, "note": None, "tags": ["Sea", "war"], "app": "v2.10.3", "count": "12",
    "address": {"country": "DE", "geo": {"zone": 3}}, "books": [{"title": "Dune", "stars": 5}, {"title": "Emma", "stars": 2}],
}  # fmt: skip

TABLE: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"name": "Ann"}, True),
    ({"name": "ann"}, False),
    ({"name": "Ann", "age": 35}, False),
    ({"age": 34.0}, True),
    ({"age": "34"}, False),
    ({"member": True}, True),
    ({"member": 1}, False),
    ({"member": {"$eq": 1}}, False),
    ({"nobody": None}, True),
    ({"note": None}, True),
    ({"nobody": False}, False),
    ({"address.country": "DE"}, True),
    ({"address.geo.zone": {"$gte": 3}}, True),
    ({"address.geo.zone.deeper": {"$exists": True}}, False),
    ({"name.first": "Ann"}, False),
    ({"address.geo": {"zone": 3}}, True),
    ({"address.geo": {}}, False),
    ({"tags": ["Sea", "war"]}, True),
    ({"tags": ["war", "Sea"]}, False),
    ({"name": {"$ne": "Bob"}}, True),
    ({"nobody": {"$ne": "Bob"}}, True),
    ({"age": {"$lt": 34}}, False),
    ({"age": {"$lte": 34}}, True),
    ({"age": {"$gt": 33, "$lt": 35}}, True),
    ({"age": {"$gt": "33"}}, True),
    ({"count": {"$lt": 100}}, True),
    ({"count": {"$lt": "100"}}, False),  # two texts compare as texts
    ({"name": {"$gt": 1}}, False),
    ({"name": {"$lte": 1}}, False),
    ({"nobody": {"$lt": 1}}, False),
    ({"member": {"$gte": 1}}, False),
    ({"name": {"$gte": "Amy", "$lt": "Bea"}}, True),
    ({"age": {"$in": [1, 34]}}, True),
    ({"age": {"$in": ["34"]}}, False),
    ({"member": {"$in": [1]}}, False),
    ({"tags": {"$in": ["war"]}}, True),
    ({"tags": {"$in": ["sea"]}}, False),
    ({"tags": {"$ini": ["SEA"]}}, True),
    ({"tags": {"$nin": ["sea"]}}, True),
    ({"tags": {"$nini": ["sea"]}}, False),
    ({"nobody": {"$in": [1]}}, False),
    ({"nobody": {"$nin": [1]}}, True),
    ({"tags": {"$all": ["war", "Sea"]}}, True),
    ({"tags": {"$all": ["war", "love"]}}, False),
    ({"tags": {"$all": [{"$regex": "^S"}]}}, True),
    ({"tags": {"$alli": ["WAR", "SEA"]}}, True),
    ({"name": {"$all": ["Ann"]}}, False),
    ({"nobody": {"$exists": False}}, True),
    ({"note": {"$exists": False}}, True),
    ({"address.country": {"$exists": True}}, True),
    ({"member": {"$type": "boolean"}}, True),
    ({"age": {"$type": "number"}}, True),
    ({"name": {"$type": "string"}}, True),
    ({"tags": {"$type": "array"}}, True),
    ({"address": {"$type": "object"}}, True),
    ({"nobody": {"$type": "null"}}, True),
    ({"member": {"$type": "number"}}, False),
    ({"tags": {"$size": 2}}, True),
    ({"tags": {"$size": {"$lt": 2}}}, False),
    ({"name": {"$size": 3}}, False),
    ({"books": {"$elemMatch": {"title": "Dune", "stars": {"$gt": 3}}}}, True),
    ({"books": {"$elemMatch": {"title": "Emma", "stars": {"$gt": 3}}}}, False),
    ({"books": {"$elemMatch": {"$or": [{"stars": 1}, {"stars": 2}]}}}, True),
    ({"tags": {"$elemMatch": {"$regexi": "^sea$"}}}, True),
    ({"tags": {"$not": {"$elemMatch": {"$eq": "love"}}}}, True),
    ({"name": {"$elemMatch": {"$eq": "A"}}}, False),
    ({"name": {"$regex": "^A.n$"}}, True),
    ({"name": {"$regex": "^a"}}, False),
    ({"name": {"$regexi": "^a"}}, True),
    ({"name": {"$notRegex": "^a"}}, True),
    ({"name": {"$notRegexi": "^a"}}, False),
    ({"nobody": {"$regex": "."}}, False),
    ({"nobody": {"$notRegex": "."}}, True),
    ({"age": {"$regex": "34"}}, False),
    ({"app": {"$veq": "2.10.3+build7"}}, True),
    ({"app": {"$vgt": "2.9.9"}}, True),
    ({"app": {"$vgt": "2.10.3-rc.1"}}, True),
    ({"app": {"$vlt": "2.10.100000"}}, True),  # beyond five digits too
    ({"app": {"$vlte": "2.10.3", "$vgte": "2.10.3"}}, True),
    ({"app": {"$vne": "2.10.3"}}, False),
    ({"nobody": {"$vlt": "1.0.0"}}, False),
    ({"nobody": {"$vne": "1.0.0"}}, True),
    ({"name": {"$inGroup": "staff"}}, True),
    ({"name": {"$notInGroup": "staff"}}, False),
    ({"name": {"$inGroup": "no such group"}}, False),
    ({"tags": {"$inGroup": "subjects"}}, True),
    ({"$or": [{"age": 1}, {"name": "Ann"}]}, True),
    ({"$or": []}, True),
    ({"$nor": [{"age": 1}, {"name": "Bob"}]}, True),
    ({"$nor": [{"age": 1}, {"name": "Ann"}]}, False),
    ({"$and": [{"age": 34}, {"name": "Bob"}]}, False),
    ({"$and": []}, True),
    ({"$not": {"name": "Ann"}}, False),
    ({"$or": [{"age": 34}], "name": "Bob"}, False),
    ({"age": {"$nope": 1}}, False),
    ({"name": {"$regex": "(?<=A)n"}}, False),  # RE2 looks neither ahead nor back; loading says so
]
GROUPS = {"staff": ["Ann", "Bob"], "subjects": ["war"]}


@pytest.mark.parametrize(("condition", "want"), TABLE, ids=lambda one: json.dumps(one))
def test_our_own_cases(condition: dict[str, Any], want: bool) -> None:
    assert holds(condition, ANN, groups=GROUPS) is want


def test_a_hostile_pattern_on_a_long_text_is_answered_at_once() -> None:
    """With a backtracking matcher this would outlast the universe."""
    assert not holds({"a": {"$regex": "(a+)+(b|c|aa)*$"}}, {"a": "a" * 100_000 + "!"})


def test_the_names_of_facts_are_known_before_it_is_asked() -> None:
    raw = {
        "$or": [{"traits.age": {"$gt": 3}}, {"$not": {"context.device": "phone"}}],
        "traits.age": 4,
        "$nor": [{"now.x": 1}],
    }
    assert Condition(raw).paths == ("traits.age", "context.device", "now.x")


def test_conditions_written_alike_are_one() -> None:
    one, other = Condition({"a": {"$in": [1]}, "b": 2}), Condition({"b": 2, "a": {"$in": [1]}})
    assert one == other and hash(one) == hash(other)
    assert one != Condition({"a": {"$in": [2]}, "b": 2})


# ------------------------------------------------------------------------------------------------------------------- laws

VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "1.2.3", "2"])
TREES = VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(st.sampled_from("xy"), VALUES, max_size=2)
FACTS = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)
SOME = st.lists(VALUES, min_size=1, max_size=3)
ORDERS = st.integers(-3, 3) | st.sampled_from(["a", "2"])
OPERATIONS = st.one_of(
    *[st.tuples(st.just(name), VALUES) for name in ("$eq", "$ne")],
    *[st.tuples(st.just(name), ORDERS) for name in ("$lt", "$lte", "$gt", "$gte")],
    *[st.tuples(st.just(name), SOME) for name in ("$in", "$nin", "$ini", "$nini", "$all", "$alli")],
    *[st.tuples(st.just(name), st.sampled_from(["a", "^b", "[0-9]"])) for name in ("$regex", "$notRegexi")],
    *[st.tuples(st.just(name), st.sampled_from(["1.2.3", "v2"])) for name in ("$veq", "$vne", "$vlt", "$vgte")],
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$type"), st.sampled_from(["string", "null", "array"])),
    st.tuples(st.just("$size"), st.integers(0, 3)),
).map(lambda pair: dict([pair]))
LEAVES = st.dictionaries(st.sampled_from(["a", "b", "c", "a.x", "b.y"]), VALUES | OPERATIONS, min_size=1, max_size=2)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).flatmap(
            lambda some: st.sampled_from(["$and", "$or", "$nor"]).map(lambda name: {name: some})
        ),
        inner.map(lambda one: {"$not": one}),
    ),
    max_leaves=6,
)
UNKNOWN = st.sets(st.sampled_from("abc"))


@given(CONDITIONS, FACTS, UNKNOWN)
def test_not_not_is_nothing(condition: dict[str, Any], facts: dict[str, Any], unknown: set[str]) -> None:
    twice = {"$not": {"$not": condition}}
    assert holds(twice, facts, unknown=unknown) == holds(condition, facts, unknown=unknown)


@given(CONDITIONS, FACTS)
def test_of_what_is_known_a_condition_or_its_opposite_holds(condition: dict[str, Any], facts: dict[str, Any]) -> None:
    assert holds(condition, facts) != holds({"$not": condition}, facts)


@given(st.lists(CONDITIONS, min_size=1, max_size=3), FACTS, UNKNOWN)
def test_de_morgan(some: list[dict[str, Any]], facts: dict[str, Any], unknown: set[str]) -> None:
    def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
        return holds(one, facts, unknown=unknown) == holds(other, facts, unknown=unknown)

    opposites = [{"$not": one} for one in some]
    assert same({"$not": {"$and": some}}, {"$or": opposites})
    assert same({"$not": {"$or": some}}, {"$and": opposites})
    assert same({"$nor": some}, {"$and": opposites})


@given(CONDITIONS, FACTS, UNKNOWN, FACTS)
def test_what_holds_holds_whatever_the_unknown_turns_out_to_be(
    condition: dict[str, Any], facts: dict[str, Any], unknown: set[str], more: dict[str, Any]
) -> None:
    if holds(condition, facts, unknown=unknown):
        truth = {**{name: more[name] for name in unknown if name in more}, **facts}
        assert holds(condition, truth)


@given(CONDITIONS)
def test_of_nothing_known_nothing_holds(condition: dict[str, Any]) -> None:
    assert not holds(condition, {}, unknown="abc")
    assert not holds({"$not": condition}, {}, unknown="abc")


@given(CONDITIONS, FACTS, TREES)
def test_a_fact_that_is_not_named_changes_nothing(condition: dict[str, Any], facts: dict[str, Any], value: Any) -> None:
    assert holds(condition, {**facts, "other": value}) == holds(condition, facts)


@given(SOME, FACTS)
def test_one_of_several_is_one_or_another(some: list[Any], facts: dict[str, Any]) -> None:
    if not isinstance(facts.get("a"), list):
        either = {"$or": [{"a": {"$eq": one}} for one in some]}
        assert holds({"a": {"$in": some}}, facts) == holds(either, facts)
    assert holds({"a": {"$nin": some}}, facts) != holds({"a": {"$in": some}}, facts)


VERSIONS = st.from_regex(r"v?[0-9]{1,7}\.[0-9]\.[0-9](-[a-z0-9]{1,3}(\.[0-9])?)?(\+b[0-9])?", fullmatch=True)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_versions_stand_in_one_order(one: str, other: str, third: str) -> None:
    def less(first: str, second: str) -> bool:
        return holds({"v": {"$vlt": second}}, {"v": first})

    assert [less(one, other), holds({"v": {"$veq": other}}, {"v": one}), less(other, one)].count(True) == 1
    assert holds({"v": {"$vlte": other}}, {"v": one}) != less(other, one)
    if less(one, other) and less(other, third):
        assert less(one, third)


# ---------------------------------------------------------------------------------------------------------- what is wrong


@given(CONDITIONS)
def test_what_is_well_written_has_no_problems(condition: dict[str, Any]) -> None:
    assert check(condition) == []


@pytest.mark.parametrize(
    ("raw", "path", "says"),
    [
        ({"a": {"$gtt": 1}}, "a.$gtt", r"Perhaps \$gt is meant|Perhaps \$gte is meant"),
        ({"a": {"$whatever": 1}}, "a.$whatever", "There are .eq"),
        ({"$orr": [{}]}, "$orr", r"Perhaps \$or is meant"),
        ({"$and": [{"a": 1}, {"b.c": {"$regex": "("}}]}, "$and.1.b.c.$regex", "RE2"),
        ({"a": {"$regex": "(?=x)"}}, "a.$regex", "no look-around"),
        ({"a": {"$regex": "x" * 501}}, "a.$regex", "500"),
        ({"a": {"$in": "b"}}, "a.$in", "a list"),
        ({"a": {"$gt": [1]}}, "a.$gt", "a number or a text"),
        ({"a": {"$gt": True}}, "a.$gt", "a number or a text"),
        ({"a": {"$exists": "yes"}}, "a.$exists", "true or false"),
        ({"a": {"$type": "text"}}, "a.$type", "string"),
        ({"a": {"$size": -1}}, "a.$size", "a number"),
        ({"a": {"$size": {"$gtt": 1}}}, "a.$size.$gtt", "Perhaps"),
        ({"a": {"$elemMatch": 3}}, "a.$elemMatch", "a table"),
        ({"a": {"$elemMatch": {"b": {"$x": 1}}}}, "a.$elemMatch.b.$x", "no operator"),
        ({"a": {"$elemMatch": {"$or": [{"b": {"$x": 1}}]}}}, "a.$elemMatch.$or.0.b.$x", "no operator"),
        ({"a": {"$all": [{"$x": 1}]}}, "a.$all.0.$x", "no operator"),
        ({"a": {"$not": {"$x": 1}}}, "a.$not.$x", "no operator"),
        ({"$not": {"a": {"$x": 1}}}, "$not.a.$x", "no operator"),
        ({"a": {"$gt": 1, "b": 2}}, "a", "mixes"),
        ({"a": {"$vgt": 3}}, "a.$vgt", "1.2.3"),
        ({"a": {"$inGroup": "stuff"}}, "a.$inGroup", "Perhaps staff is meant"),
        ({"$or": {}}, "$or", "a list of conditions"),
        ({"$or": ["a"]}, "$or.0", "Write a table"),
        ([], "", "Write a table"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_the_fix(raw: Any, path: str, says: str) -> None:
    (problem,) = check(raw, {"staff": []})
    assert problem.path == path
    assert re.search(says, str(problem))


def test_conditions_without_end_are_refused() -> None:
    raw: dict[str, Any] = {"a": 1}
    for _ in range(500):
        raw = {"$not": raw}
    assert "deep" in str(check(raw)[0])
    value: Any = {"$eq": 1}
    for _ in range(500):
        value = {"$not": value}
    assert "deep" in str(check({"a": value})[0])


@given(CONDITIONS, FACTS)
def test_a_setting_is_a_condition_or_says_what_is_wrong(condition: dict[str, Any], facts: dict[str, Any]) -> None:
    assert Condition.of_setting(condition).holds(facts) == holds(condition, facts)
    with pytest.raises(ValueError, match=r"\$typo"):
        Condition.of_setting({"$and": [condition, {"a": {"$typo": 1}}]})
