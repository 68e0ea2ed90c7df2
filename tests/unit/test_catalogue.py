"""The catalogue: windows, stock, topics and what they pass on, languages, variants, price lists, and what a delivery changes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tactful.domain.catalogue import Catalogue, Proxy, pack, unpack
from tactful.domain.errors import BadInput
from tactful.domain.item import AUDIENCES, Item, Price, Text, Variant
from tactful.domain.item_rules import Rejected, item_of, merged
from tactful.domain.language import chain, nearest, said
from tactful.domain.topics import Topic, Topics, strictest, topic_problems
from tactful.domain.variants import Choice, variant_of
from tactful.domain.view import Moment
from tactful.flow.restock import CHANGED, NEW, SAME, Restock
from tactful.guards.availability import Availability
from tactful.guards.sensitive import Sensitive
from tactful.guards.stock import Stock
from tests.shop import NOW, view

TIMES = st.integers(-(1 << 61), 1 << 61)
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
VALUES = st.one_of(WORDS, st.integers(-(1 << 63), (1 << 63) - 1), st.booleans(), st.lists(WORDS, max_size=3))
TAGS = st.sampled_from(["de", "de-AT", "en", "en-GB", "fr", "zh-Hant-TW", "he"])
PRICES = st.builds(Price, st.floats(0, 1e6), st.sampled_from(["EUR", "USD"]))
CATEGORIES = ("health", "faith", "money")


@st.composite
def windows(draw: st.DrawFn) -> dict[str, int | None]:
    """A window that can be: it ends after it begins, where it does both."""
    start, end = draw(st.none() | TIMES), draw(st.none() | TIMES)
    if start is not None and end is not None and end <= start:
        start, end = end - 1, start
    return {"available_from": start, "available_until": end}


@st.composite
def variants(draw: st.DrawFn, name: str) -> Variant:
    return Variant(
        id=name, title=draw(st.just("") | WORDS), asset=draw(WORDS | st.dictionaries(WORDS, VALUES, max_size=2)),
        style=draw(st.sampled_from(["", "bright", "dark"])), weight=draw(st.floats(0, 9)), language=draw(st.just("") | TAGS),
        context=draw(st.dictionaries(st.sampled_from(["daypart", "device"]), WORDS, max_size=2)),
        audience=draw(st.sampled_from(["", *AUDIENCES])), sensitivity=tuple(draw(st.lists(st.sampled_from(CATEGORIES), max_size=2))),
        **draw(windows()),
    )  # fmt: skip


@st.composite
def items(draw: st.DrawFn, name: str | None = None) -> Item:
    """Any item that can be."""
    return Item(
        id=name or draw(WORDS), title=draw(WORDS), attributes=draw(st.dictionaries(WORDS, VALUES, max_size=3)), text=draw(WORDS),
        price=draw(st.none() | PRICES), available=draw(st.booleans()), audience=draw(st.sampled_from(AUDIENCES)),
        sensitivity=tuple(draw(st.lists(st.sampled_from([*CATEGORIES, "unheard"]), max_size=2))),
        stock=draw(st.none() | st.integers(0, 1 << 40)), language=draw(st.just("") | TAGS),
        texts=draw(st.dictionaries(TAGS, st.builds(Text, WORDS, WORDS), max_size=2)),
        topics=tuple(draw(st.lists(st.sampled_from(["a", "a/b", "a/b/c", "d", "d/x"]), max_size=3, unique=True))),
        variants=tuple(draw(variants(f"v{number}")) for number in range(draw(st.integers(0, 2)))),
        prices=draw(st.dictionaries(WORDS, PRICES, max_size=2)), since=draw(st.just(0) | st.integers(1, 1 << 50)),
        **draw(windows()),
    )  # fmt: skip


def moment(now: int = NOW, **more: Any) -> Moment:
    return structs.replace(Moment.of(view(), {}, now), **more)


def rows_of(catalogue: Catalogue) -> Any:
    return np.arange(len(catalogue), dtype=np.int32)


# ------------------------------------------------------------------------------------------------------------ what is kept


@given(items())
def test_an_item_comes_back_whole_from_the_store_and_from_json(item: Item) -> None:
    import msgspec

    assert unpack(pack(item)) == item
    assert item_of(msgspec.json.decode(msgspec.json.encode(item))) == item


def test_an_item_of_an_older_store_is_read_and_a_plain_one_takes_no_more_room() -> None:
    import msgspec

    old = msgspec.msgpack.encode({"id": "a", "title": "A"})
    assert unpack(old) == Item(id="a", title="A")
    assert len(pack(Item(id="a", title="A"))) <= len(old) + 2  # the head of a table that could be longer


@given(st.lists(items(), max_size=5, unique_by=lambda item: item.id), st.integers(0, 4))
def test_columns_say_what_the_items_say_also_after_they_were_replaced(them: list[Item], first: int) -> None:
    """Whatever a row held before, its columns are those of the item that is there now."""
    proxies = {name: (Proxy("subject", ("x",)),) for name in CATEGORIES}
    turned = [structs.replace(one, id=other.id) for one, other in zip(reversed(them), them, strict=True)]
    whole = Catalogue.of(them, proxies)
    changed = Catalogue.of(turned, proxies).with_items(((row, pack(item)) for row, item in enumerate(them)), 9)
    for column in ("available", "opens", "shuts", "since", "stock", "sensitivity", "audience", "varied"):
        assert getattr(changed, column).tolist() == getattr(whole, column).tolist(), column
    for row, item in enumerate(them):
        assert changed.topic_sets.all()[changed.topics[row]] == item.topics
        spoken = (item.language, *item.texts) if item.language or item.texts else ()
        assert changed.language_sets.all()[changed.languages[row]] == spoken
        assert changed.since[row] == item.since


# ------------------------------------------------------------------------------------------------------- windows and stock


@given(st.lists(items(), min_size=1, max_size=6, unique_by=lambda item: item.id), TIMES)
def test_an_item_can_be_shown_from_its_beginning_on_and_before_its_end(them: list[Item], now: int) -> None:
    edges = [edge for item in them for edge in (item.available_from, item.available_until) if edge is not None]
    catalogue = Catalogue.of(them)
    for at in (now, *edges, *(edge - 1 for edge in edges)):
        permitted = Availability().permit(rows_of(catalogue), catalogue, moment(at)).tolist()
        for item, may in zip(them, permitted, strict=True):
            begun = item.available_from is None or item.available_from <= at
            over = item.available_until is not None and at >= item.available_until
            assert may == (item.available and begun and not over)


def test_what_is_sold_out_is_not_offered_and_what_is_not_counted_is() -> None:
    counts = [0, 1, 2, None, 1 << 40]
    catalogue = Catalogue.of([Item(id=str(n), title="T", stock=count) for n, count in enumerate(counts)])
    assert Stock().permit(rows_of(catalogue), catalogue, moment()).tolist() == [False, True, True, True, True]
    assert Stock(least=2).permit(rows_of(catalogue), catalogue, moment()).tolist() == [False, False, True, True, True]
    assert Stock.why == "it is sold out"


def test_the_first_time_an_item_came_stays_when_it_is_put_again() -> None:
    before = Catalogue.of([Item(id="old", title="O"), Item(id="known", title="K", since=5)])
    assert before.settled(Item(id="new", title="N"), 9).since == 9
    assert before.settled(Item(id="known", title="Again"), 9).since == 5
    assert before.settled(Item(id="old", title="Again"), 9).since == 0  # it was there before anybody noted when
    assert before.settled(Item(id="known", title="K", since=3), 9).since == 3


# ------------------------------------------------------------------------------------------------------------------ topics


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Topic]:
    """A taxonomy: each topic has a parent among those before it, or none, or the one that its id names."""
    names: list[str] = []
    tree: dict[str, Topic] = {}
    for number in range(draw(st.integers(1, 7))):
        below = draw(st.sampled_from(["", *names]))
        name = f"{below}/t{number}" if below and draw(st.booleans()) else f"t{number}"
        parent = below if draw(st.booleans()) else ""
        sensitivity = tuple(draw(st.lists(st.sampled_from([*CATEGORIES, "unheard"]), max_size=2)))
        tree[name] = Topic("words", parent, sensitivity, draw(st.sampled_from(["", *AUDIENCES])))
        names.append(name)
    return tree


def above(tree: dict[str, Topic], name: str) -> list[str]:
    """The way up, told from the declaration alone."""
    way = [name]
    while True:
        topic = tree.get(way[-1])
        parent = topic.parent if topic else ""
        if not parent:
            head = way[-1].rpartition("/")[0]
            while head and head not in tree:
                head = head.rpartition("/")[0]
            parent = head
        if not parent:
            return way
        way.append(parent)


@given(trees(), st.data())
def test_an_item_is_at_least_as_sensitive_as_any_ancestor_of_its_topics(
    tree: dict[str, Topic], data: st.DataObject
) -> None:
    assert list(topic_problems(tree)) == []
    name = data.draw(st.sampled_from([*tree, *(f"{one}/never-declared" for one in tree)]))
    own = data.draw(st.sampled_from(AUDIENCES))
    catalogue = Catalogue.of(
        [Item(id="i", title="I", topics=(name,), audience=own)], dict.fromkeys(CATEGORIES, ()), tree
    )
    bits = int(catalogue.sensitivity[0])
    strictness = [AUDIENCES.index(one) for one in ("children", "everyone", "unrated", "adults")]
    audience = AUDIENCES[catalogue.audience[0]]
    for topic in filter(None, (tree.get(step) for step in above(tree, name))):
        for category in topic.sensitivity:
            place = CATEGORIES.index(category) if category in CATEGORIES else 31
            assert bits >> place & 1
        if topic.audience:
            assert strictness.index(AUDIENCES.index(audience)) >= strictness.index(AUDIENCES.index(topic.audience))
    if own != "unrated":
        assert strictness.index(AUDIENCES.index(audience)) >= strictness.index(AUDIENCES.index(own))
    named = {category for step in above(tree, name) if step in tree for category in tree[step].sensitivity}
    assert bits == sum(1 << (CATEGORIES.index(one) if one in CATEGORIES else 31) for one in named)  # and no more
    shown = Sensitive().permit(rows_of(catalogue), catalogue, moment(sensitive=frozenset(CATEGORIES)))
    assert shown.tolist() == ["unheard" not in named]


def test_a_topic_about_something_sensitive_is_withheld_from_the_history_too() -> None:
    tree = {"health": Topic(sensitivity=("health",)), "cancer": Topic(parent="health")}
    catalogue = Catalogue.of(
        [Item(id="a", title="A", topics=("cancer",)), Item(id="b", title="B")], {"health": ()}, tree
    )
    assert catalogue.telling(()) == {"a"}
    assert catalogue.telling(("health",)) == frozenset()
    assert catalogue.about(["health"]).tolist() == [True, False]
    assert catalogue.about(["cancer", "other"]).tolist() == [True, False]


def test_an_item_without_a_rating_is_rated_only_if_all_its_topics_are() -> None:
    tree = Topics({"play": Topic(audience="children"), "war": Topic(), "wine": Topic(audience="adults")})
    assert tree.audience("unrated", ["play"]) == "children"
    assert tree.audience("unrated", ["play", "war"]) == "unrated"
    assert tree.audience("children", ["war"]) == "children"
    assert tree.audience("children", ["wine", "play"]) == "adults"
    assert strictest(["children", "unrated", "nonsense"]) == "unrated"


def test_a_taxonomy_that_is_no_tree_is_named_with_what_would_mend_it() -> None:
    circle = {"a": Topic(parent="b"), "b": Topic(parent="c"), "c": Topic(parent="a"), "d": Topic(parent="a")}
    found = {field: why for field, why, fix in topic_problems(circle) if fix}
    assert set(found) == {"topics.a.parent", "topics.b.parent", "topics.c.parent"}
    assert "a > b > c > a" in found["topics.a.parent"]
    assert [field for field, _, _ in topic_problems({"a/b": Topic(parent="a/b/c"), "a/b/c": Topic()})] == [
        "topics.a/b.parent",
        "topics.a/b/c.parent",
    ]
    wrong = {"a": Topic(parent="gone"), "b": Topic(audience="cats"), "/": Topic()}
    assert [field for field, _, _ in topic_problems(wrong)] == ["topics.a.parent", "topics.b.audience", "topics./"]


# --------------------------------------------------------------------------------------------------- languages, price lists


def test_words_come_in_the_language_asked_for_or_the_nearest_there_is() -> None:
    item = Item(
        id="i", title="Sea", text="Long", language="en",
        texts={"de-AT": Text("Meer"), "fr": Text("Mer", "Longue"), "zh-Hant-TW": Text("海")},
    )  # fmt: skip
    for asked, language, words in (
        (("de-AT",), "de-AT", Text("Meer", "Long")), (("de",), "de-AT", Text("Meer", "Long")),
        (("de-CH", "fr"), "de-AT", Text("Meer", "Long")), (("fr-CA", "de"), "fr", Text("Mer", "Longue")),
        (("he", "en-GB"), "en", Text("Sea", "Long")), (("he",), "en", Text("Sea", "Long")), ((), "en", Text("Sea", "Long")),
        (("zh-Hant",), "zh-Hant-TW", Text("海", "Long")),
    ):  # fmt: skip
        assert said(item, chain(asked)) == (language, words), asked
    assert chain(["de-AT", "en-a-x-GB", ""]) == ("de-AT", "de", "en-a-x-GB", "en")
    assert nearest(["", "den"], chain(["de"])) is None


def test_which_items_speak_a_language_is_one_look() -> None:
    them = [
        Item(id="en", title="E", language="en"), Item(id="both", title="E", language="en", texts={"de-AT": Text("D")}),
        Item(id="unsaid", title="U"), Item(id="half", title="H", texts={"fr": Text("F")}),
    ]  # fmt: skip
    assert Catalogue.of(them).speaking(chain(["de"])).tolist() == [False, True, True, True]


def test_a_price_list_is_the_callers_choice_and_the_list_price_stands_where_it_has_none() -> None:
    item = Item(id="i", title="I", price=Price(5), prices={"us": Price(6, "USD")})
    assert item.price_in("us") == Price(6, "USD")
    assert item.price_in("") == item.price_in("jp") == Price(5)


# ---------------------------------------------------------------------------------------------------------------- variants


def choose(them: Sequence[Variant], now: int = NOW, **more: Any) -> str:
    item = Item(id="i", title="I", language="en", variants=tuple(them))
    found = variant_of(item, **{"now": now, "context": {}, **more})
    return "" if found is None else found.id


@given(
    st.lists(st.integers(), max_size=4).flatmap(lambda n: st.tuples(*(variants(f"v{k}") for k in range(len(n))))), TIMES
)
def test_a_variant_shown_is_alive_and_permitted_and_there_is_one_if_any_is(them: tuple[Variant, ...], now: int) -> None:
    context, sensitive, audiences = {"daypart": "x"}, {"health"}, ("children", "everyone")
    item = Item(id="i", title="I", variants=them)
    found = variant_of(item, now=now, context=context, languages=("de",), audiences=audiences, sensitive=sensitive)
    fit = [
        one for one in them
        if (one.available_from is None or one.available_from <= now) and (one.available_until is None or now < one.available_until)
        and one.audience in ("", *audiences) and set(one.sensitivity) <= sensitive
        and one.weight > 0 and one.context.items() <= context.items() and one.language.split("-")[0] in ("", "de")
    ]  # fmt: skip
    assert (found in fit) if fit else found is None


def test_variants_come_in_the_recipes_order_then_by_language_context_and_weight() -> None:
    bright, dark = Variant(id="b", style="bright"), Variant(id="d", style="dark")
    assert choose([bright, dark]) == "b"
    assert choose([bright, dark], choice=Choice(("dark",))) == "d"
    assert choose([bright, dark], choice=Choice(("d", "bright"))) == "d"
    assert choose([bright, structs.replace(dark, available_until=NOW)], choice=Choice(("dark",))) == "b"
    assert choose([bright, structs.replace(dark, weight=2.0)]) == "d"
    aside = structs.replace(dark, weight=0.0)
    assert (choose([aside]), choose([aside], choice=Choice(("dark",)))) == ("", "d")
    evening = Variant(id="e", context={"daypart": ["evening", "night"]})
    assert choose([bright, evening]) == "b"
    assert choose([bright, evening], context={"daypart": "night"}) == "e"
    german, english = Variant(id="de", language="de"), Variant(id="en", language="en")
    assert choose([german, english]) == "en"
    assert choose([english, german], languages=chain(["de-AT"])) == "de"
    assert choose([german]) == ""


def test_a_variant_keeps_from_a_child_and_from_everybody_what_they_did_not_turn_on() -> None:
    grown, quiet = Variant(id="g", audience="adults"), Variant(id="q", sensitivity=("health",))
    assert choose([grown]) == "g"
    assert choose([grown], audiences=("children", "everyone")) == ""
    assert choose([quiet]) == ""
    assert choose([quiet], sensitive={"health"}) == "q"


# -------------------------------------------------------------------------------------------------------------- deliveries


def test_times_may_be_dates_and_languages_are_written_in_one_way() -> None:
    came = {
        "id": "i", "title": "I", "available_from": "2026-01-31", "available_until": "2026-02-01T10:00+02:00",
        "language": "EN_us", "texts": {"iw": {"title": "ים"}}, "variants": [{"id": "v", "available_until": "2026-01-31"}],
    }  # fmt: skip
    item = item_of(came)
    assert (item.available_from, item.available_until) == (1_769_817_600_000, 1_769_932_800_000)
    assert item.variants[0].available_until == 1_769_817_600_000
    assert item.language == "en-US"
    assert list(item.texts) == ["he"]
    assert came["available_from"] == "2026-01-31"  # what came is left as it was


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"id": ""}, "id"), ({"stock": -1}, "stock"), ({"stock": "3"}, "stock"), ({"available_from": "31.1.2026"}, "available_from"),
        ({"available_from": 5, "available_until": 5}, "available_until"), ({"language": "klingonese"}, "language"),
        ({"texts": {"": {"title": "x"}}}, "texts."), ({"texts": {"xx9": {}}}, "texts.xx9"), ({"price": {"amount": -1}}, "price.amount"),
        ({"prices": {"us": {"amount": float("inf")}}}, "prices.us.amount"), ({"topics": [" "]}, "topics"),
        ({"variants": [{"id": "v"}, {"id": "v"}]}, "variants[1].id"), ({"variants": [{"id": ""}]}, "variants[0].id"),
        ({"variants": [{"id": "v", "weight": -1.0}]}, "variants[0].weight"),
        ({"variants": [{"id": "v", "audience": "cats"}]}, "variants[0].audience"),
        ({"variants": [{"id": "v", "language": "klingonese"}]}, "variants[0].language"),
        ({"variants": [{"id": "v", "available_from": "soon"}]}, "variants[0].available_from"),
        ({"variants": [{"id": "v", "asset": {"n": 1 << 70}}]}, "variants[0].asset.n"), ({"since": -1}, "since"),
        ({"available_until": 1 << 70}, "available_until"), ({"attributes": {"a": {"b": 1}}}, "attributes[...]"),
        ({"stock": 10**30}, "stock"), ({"stock": 1 << 63}, "stock"), ({"since": 10**30}, "since"),
        ({"variants": [{"id": "v", "available_from": -(10**30)}]}, "variants[0].available_from"),
        ({"variants": [{"id": "v", "weight": float("inf")}]}, "variants[0].weight"),
        ({"vectors": {"text": [0.5, float("nan")]}}, "vectors.text"), ({"vectors": {"text": [1e39]}}, "vectors.text"),
        ({"vectors": {"text": [float("-inf")]}}, "vectors.text"), ({"attributes": {"a": float("nan")}}, "attributes.a"),
        ({"variants": [{"id": "v", "context": {"a": float("inf")}}]}, "variants[0].context.a"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_item_is_named_by_its_field_with_the_fix(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        item_of({"id": "i", "title": "I", **wrong})
    assert caught.value.facts["field"] == field
    assert caught.value.facts["fix"]


NUMBERS = st.integers() | st.sampled_from([1 << 62, 1 << 63, 1 << 64, 10**30]) | st.floats(width=64)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.lists(NUMBERS, max_size=2))
def test_whatever_number_comes_the_item_is_refused_or_kept_and_read_back(
    stock: float, since: float, start: float, amount: float, vector: list[float]
) -> None:
    came = {
        "id": "i", "title": "I", "stock": stock, "since": since, "available_from": start, "price": {"amount": amount},
        "attributes": {"n": amount}, "vectors": {"text": vector}, "variants": [{"id": "v", "weight": amount, "context": {"n": stock}}],
    }  # fmt: skip
    for fields in ({"id", "title", name} for name in came):
        try:
            item = item_of({name: value for name, value in came.items() if name in fields})
        except BadInput:
            continue
        assert unpack(pack(item)) == item
        assert len(Catalogue.of([item])) == 1
        assert np.isfinite([np.array(one, np.float32) for one in item.vectors.values()]).all()


def test_a_change_is_laid_over_what_is_there() -> None:
    known = Item(id="i", title="I", attributes={"a": 1, "b": 2}, stock=3, prices={"us": Price(1)})
    change = {"id": "i", "stock": None, "attributes": {"a": None, "c": ["3"]}, "price": {"amount": 2}}
    after = item_of(merged(known, change))
    assert after == structs.replace(known, stock=None, attributes={"b": 2, "c": ["3"]}, price=Price(2))
    assert item_of(merged(known, {"id": "i"})) == known


CATALOGUES = st.lists(st.sampled_from("abcdef"), max_size=6, unique=True).flatmap(
    lambda names: st.tuples(*(items(name) for name in names))
)


@given(CATALOGUES, CATALOGUES)
def test_a_diff_is_exact_applying_it_gives_what_the_delivery_says(
    before: tuple[Item, ...], file: tuple[Item, ...]
) -> None:
    import msgspec

    now = 1 << 51
    catalogue = Catalogue.of(before)
    restock = Restock(catalogue, now)
    changes = [restock.look(f"line {n}", msgspec.to_builtins(item)) for n, item in enumerate(file)]
    assert not any(isinstance(one, Rejected) for one in changes)
    fresh = [one.item for one in changes if one.what != SAME]  # type: ignore[union-attr]
    missing = list(restock.missing())
    after = {item.id: item for item in before}
    after |= {item.id: item for item in fresh} | {item.id: structs.replace(item, available=False) for item in missing}
    wanted = {item.id: catalogue.settled(item, now) for item in file}
    for item in before:
        wanted.setdefault(item.id, structs.replace(item, available=False))
    assert after == wanted
    for one, item in zip(changes, file, strict=True):
        old = catalogue.get(item.id)
        new = wanted[item.id]
        differ = () if old is None else tuple(n for n in Item.__struct_fields__ if getattr(old, n) != getattr(new, n))
        assert (one.what, one.fields) == (NEW if old is None else CHANGED if differ else SAME, differ)  # type: ignore[union-attr]


def test_an_item_that_comes_twice_is_rejected_the_second_time() -> None:
    restock = Restock(Catalogue(), NOW)
    restock.look("line 1", {"id": "a", "title": "A"})
    again = restock.look("line 2", {"id": "a", "title": "B"})
    assert isinstance(again, Rejected)
    assert (again.where, again.field) == ("line 2", "id")
    assert "line 1" in again.why
