"""Guards that go by what a person told us or did: languages, mutes, dislikes."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Dial
from tactful.domain.event import Interaction, Told
from tactful.domain.item import Item, Text
from tactful.domain.topics import Topic
from tactful.domain.view import Moment, View
from tactful.plugins import build
from tactful.ports import Guard
from tests.shop import NOW, Shop, catalogue, charter, items_in, placement

LANGUAGES = (["en"], ["de"], ["de-AT", "fr"], [], ["en-US"])
SMALL = Catalogue.of(
    [
        Item(
            id=f"i{row}", title="I", language=next(iter(LANGUAGES[row % 5]), ""), texts={tag: Text("I") for tag in LANGUAGES[row % 5][1:]},
            attributes={"language": list(LANGUAGES[row % 5]), "author": "abcd"[row % 4], "subjects": ["war", "sea"][: row % 3]},
        )
        for row in range(20)
    ]
)  # fmt: skip
ROWS = np.arange(20, dtype=np.int32)


def moment(*acts: tuple[str, str], context: dict[str, Any] | None = None, **traits: Any) -> Moment:
    done = tuple(
        Interaction(f"e{place}", NOW + place, verb, item, "opinions", ()) for place, (verb, item) in enumerate(acts)
    )
    told = {name: Told(name, NOW, name, value, "told", ()) for name, value in traits.items()}
    view = View(purpose="personalise", surface="private", dial=Dial.remember, history=done, traits=told)
    return Moment.of(view, context or {}, NOW + 1_000)


def kept(recipe: dict[str, Any], at: Moment) -> set[str]:
    mask = build(Guard, recipe).permit(ROWS, SMALL, at)
    return {SMALL.ids[row] for row in ROWS[mask]}


def those(holds: Any) -> set[str]:
    return {SMALL.ids[row] for row in ROWS if holds(SMALL.item(int(row)))}


# -------------------------------------------------------------------------------------------------------------------- language


@pytest.mark.parametrize(
    ("traits", "context", "passing"),
    [
        ({}, {}, {0, 1, 2, 3, 4}),
        ({"languages": ["de"]}, {}, {1, 2, 3}),
        ({"languages": "fr-CA"}, {}, {2, 3}),
        ({"languages": ["en", "fr"]}, {}, {0, 2, 3, 4}),
        ({"languages": ["nl"]}, {}, {3}),
        ({}, {"language": "en-GB"}, {0, 3, 4}),
        ({"languages": ["de"]}, {"language": "en"}, {1, 2, 3}),
        ({"languages": []}, {"language": "en"}, {0, 3, 4}),
        ({}, {"language": 7}, {0, 1, 2, 3, 4}),
    ],
)
def test_only_languages_that_the_person_reads(traits: Any, context: Any, passing: set[int]) -> None:
    for attribute in ("", "language"):  # the item's own language, or an attribute that says so
        found = kept({"use": "language", "attribute": attribute}, moment(context=context, **traits))
        assert found == {f"i{row}" for row in range(20) if row % 5 in passing}, attribute


def test_words_in_another_language_are_words_that_can_be_read() -> None:
    found = Catalogue.of(
        [Item(id="a", title="A", language="en", texts={"de-AT": Text("B")}), Item(id="b", title="B", language="fr")]
    )
    mask = build(Guard, {"use": "language"}).permit(np.arange(2, dtype=np.int32), found, moment(languages=["de"]))
    assert mask.tolist() == [True, False]


def test_the_recipe_says_where_languages_stand() -> None:
    recipe = {"use": "language", "attribute": "author", "trait": "reads", "context": "locale"}
    assert kept(recipe, moment(reads=["b"])) == those(lambda item: item.values("author") == ("b",))
    assert kept(recipe, moment(context={"locale": "c"})) == those(lambda item: item.values("author") == ("c",))


# ------------------------------------------------------------------------------------------------------------------------ muted

MUTES = st.lists(
    st.sampled_from(["subjects:war", "subjects:sea", "author:a", "item:i3", "item:gone", "nonsense", "x:y"])
)


@given(MUTES)
def test_nothing_muted_comes_and_nothing_else_goes(mutes: list[str]) -> None:
    def free(item: Item) -> bool:
        said = {f"item:{item.id}"} | {f"{name}:{value}" for name in item.attributes for value in item.values(name)}
        return said.isdisjoint(mutes)

    assert kept({"use": "muted"}, moment(muted=mutes)) == those(free)


def test_one_mute_needs_no_list() -> None:
    assert kept({"use": "muted"}, moment(muted="author:a")) == those(lambda item: item.values("author") != ("a",))
    assert len(kept({"use": "muted"}, moment(muted=7))) == 20


def test_a_muted_topic_takes_along_all_below_it() -> None:
    taxonomy = {
        "war": Topic(words="War"),
        "world-war": Topic(words="World war", parent="war"),
        "sea": Topic(words="Sea"),
    }
    items = [
        Item(id=str(row), title="I", topics=topics)
        for row, topics in enumerate([("war",), ("world-war",), ("sea",), ()])
    ]
    found = Catalogue.of(items, taxonomy=taxonomy)
    mask = build(Guard, {"use": "muted"}).permit(np.arange(4, dtype=np.int32), found, moment(muted=["topics:war"]))
    assert mask.tolist() == [False, False, True, True]


# --------------------------------------------------------------------------------------------------------------------- disliked

ACTS = st.lists(
    st.tuples(st.sampled_from(["disliked", "liked", "viewed", "bought"]), st.sampled_from([*SMALL.ids[:9], "gone"]))
)


@given(ACTS, st.integers(1, 3))
def test_what_was_disliked_does_not_come_again(acts: list[tuple[str, str]], most: int) -> None:
    said = {item: verb for verb, item in acts if verb != "viewed"}
    out = {item for item, verb in said.items() if verb == "disliked"}
    assert kept({"use": "disliked"}, moment(*acts)) == those(lambda item: item.id not in out)
    times = Counter(SMALL.item(SMALL.index[item]).values("author")[0] for item in out if item in SMALL.index)
    found = kept({"use": "disliked", "attribute": "author", "most": most}, moment(*acts))
    assert found == those(lambda item: item.id not in out and times[item.values("author")[0]] < most)


def test_looking_again_takes_no_dislike_back() -> None:
    assert "i1" not in kept({"use": "disliked"}, moment(("disliked", "i1"), ("viewed", "i1")))


def test_never_is_no_number_of_dislikes() -> None:
    with pytest.raises(Exception, match="most: it is 0"):
        build(Guard, {"use": "disliked", "most": 0})


# --------------------------------------------------------------------------------------------------------- through the engine


def test_a_mute_counts_from_the_next_decision_and_only_where_it_may_be_read() -> None:
    shop = Shop(
        placements={"home": placement({"use": "rules", "rules": [{"show": {}}]}, guards=({"use": "muted"},), limit=200)}
    )
    at_sea = {catalogue().ids[row] for row in catalogue().having("subjects")["sea"]}
    assert "muted" in charter().data["told"].traits
    shop.allow("ann")
    assert at_sea & set(items_in(shop.decide("ann")))
    shop.tells("ann", muted=["subjects:sea"])
    answer = shop.decide("ann")
    assert not at_sea & set(items_in(answer))
    (removal,) = [one for one in answer.receipt.removed if one.by == "muted"]
    assert removal.personal and removal.count
    assert "told" in answer.receipt.opened
    shop.allow("ann", Dial.off)
    assert at_sea & set(items_in(shop.decide("ann")))
