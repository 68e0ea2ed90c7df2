"""The maps between foreign structs and ours, without a server: what comes in, what is kept of an item, what goes back."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.connectors import gorse, personalize
from tactful.connectors.pieces import Brought, Unreadable
from tactful.connectors.segment import Caller
from tactful.connectors.verbs import USUAL, verb_of
from tactful.domain.catalogue import pack
from tactful.domain.errors import BadInput
from tactful.domain.event import VERBS
from tactful.domain.item import Item, Price

TRUSTED, PUBLIC = Caller(True), Caller(False)
NOW = 1_760_000_000_000

# --------------------------------------------------------------------------------------------------------------- verbs


def test_every_usual_name_means_a_verb_and_stands_in_the_form_in_which_it_is_looked_up() -> None:
    for name, verb in USUAL.items():
        assert verb in VERBS
        assert verb_of(name, {}) == verb


@pytest.mark.parametrize("name", ["AddToCart", "add_to_cart", "Add to cart", "ADD-TO-CART"])
def test_case_spaces_and_punctuation_do_not_matter(name: str) -> None:
    assert verb_of(name, {}) == "added"


def test_the_installations_own_words_come_first_and_count_to_the_letter() -> None:
    own = {"Watch": "finished"}
    assert (verb_of("Watch", own), verb_of("watch", own), verb_of("teleport", own)) == ("finished", "viewed", "")


# --------------------------------------------------------------------------------------------------------- Personalize


def put_events(*events: dict[str, Any], **more: Any) -> personalize.PutEvents:
    """A request as it is read."""
    body = {"trackingId": "t", "sessionId": "s", "eventList": events, **more}
    return personalize.read(json.dumps(body).encode(), personalize.PutEvents)


def brought(came: personalize.PutEvents, caller: Caller = TRUSTED, call: str = "c", known: bool = False) -> Brought:  # fmt: skip
    return personalize.brought(came, caller, call, NOW, {}, 32 * 1024, known)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("AWS4-HMAC-SHA256 Credential=sk_a-b_c/20261121/eu-west-1/personalize/aws4_request, SignedHeaders=host, Signature=0", "sk_a-b_c"),
        ("AWS4-HMAC-SHA256 Credential=/20261121/x", ""), ("AWS4-HMAC-SHA256 SignedHeaders=host", ""), ("Bearer sk_a", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_key_is_the_access_key_id(header: str, key: str) -> None:
    assert personalize.access_key(header) == key


def test_whose_an_event_is() -> None:
    event = {"eventType": "View", "sentAt": 1.7e9, "itemId": "i"}

    def person(caller: Caller, user: str | None, known: bool = False) -> tuple[str, tuple[str, ...]]:
        (arrival,) = brought(put_events(event, userId=user), caller, known=known).arrivals
        return arrival.person, arrival.also

    assert person(TRUSTED, "ada") == ("ada", ())
    assert person(TRUSTED, "ada", known=True) == ("ada", ("anon:s",))
    assert person(TRUSTED, None, known=True) == ("anon:s", ())
    assert person(PUBLIC, "ada", known=True) == ("anon:s", ())
    assert person(Caller(False, "ada"), "ada", known=True) == ("ada", ())
    assert person(Caller(False, "bob"), "ada") == ("anon:s", ())
    (refused,) = brought(put_events(event, userId="anon:other")).unusable
    assert refused.field == "userId"


def test_an_event_with_all_there_is() -> None:
    event = {"eventType": "Rating", "sentAt": 1.7e9, "itemId": "i", "eventValue": 4, "properties": '{"device": "tv"}', "eventId": "e",
             "recommendationId": "r", "impression": ["i", "j", "i"], "metricAttribution": {"eventAttributionSource": "x"}}  # fmt: skip
    shown, rated = brought(put_events(event, userId="u")).arrivals
    assert (rated.id, rated.verb, rated.items, rated.value, rated.at) == ("e", "rated", ("i",), 4.0, 1_700_000_000_000)
    assert rated.fields == {"device": "tv", "receipt": "r"}
    assert (shown.verb, shown.items, shown.at) == ("shown", ("i", "j"), rated.at)
    assert shown.id != rated.id


def test_times_beyond_all_calendars_are_whole_numbers_for_clean_to_refuse() -> None:
    for sent in (1e308, -1e308, 0):
        (arrival,) = brought(put_events({"eventType": "View", "sentAt": sent, "itemId": "i"})).arrivals
        assert isinstance(arrival.at, int)


def test_names_of_events_tell_calls_apart_and_tries_together() -> None:
    came = put_events(*[{"eventType": "View", "sentAt": 1.7e9, "itemId": "i"}] * 2)
    names = [[one.id for one in brought(came, call=call).arrivals] for call in ("a", "a", "b", "", "")]
    assert names[0] == names[1] != names[2]
    assert names[3] == names[4]
    assert all(len(set(pair)) == 2 for pair in names)


def item(properties: object, known: Item | None = None) -> Item:
    text = properties if isinstance(properties, str) else json.dumps(properties)
    return personalize.item_of(personalize.OneItem("i", text), known, "items[0]")


def test_an_item_with_all_there_is() -> None:
    made = item({"name": "T", "productDescription": "D", "price": 2, "currency": "CHF", "genres": "A|B", "year": 3, "new": True, "adult": "Yes", "none": None})  # fmt: skip
    assert made == Item(id="i", title="T", text="D", price=Price(2.0, "CHF"), audience="adults",
                        attributes={"genres": ["A", "B"], "year": 3, "new": True, "adult": "Yes"})  # fmt: skip


def test_what_their_items_cannot_say_stays() -> None:
    before = Item(id="i", title="T", available=False, sensitivity=("health",), audience="adults", vectors={"v": [1.0]}, attributes={"old": 1})  # fmt: skip
    after = item({"genres": "A"}, before)
    assert after == msgspec.structs.replace(before, attributes={"genres": "A"})
    said = item({"available": "true", "sensitivity": "faith|money", "audience": "children", "kind": "book"}, before)
    assert (said.available, said.sensitivity, said.audience, said.kind) == (
        True,
        ("faith", "money"),
        "children",
        "book",
    )


@pytest.mark.parametrize("properties", ["[]", "{", '{"a": {"b": 1}}', '{"a": [1]}', '{"audience": "cats"}', '{"audience": []}', f'{{"a": {1 << 64}}}'])  # fmt: skip
def test_a_wrong_item_is_named(properties: str) -> None:
    with pytest.raises(BadInput, match=r"^items\[0\]\.properties"):
        item(properties)


# --------------------------------------------------------------------------------------------------------------- Gorse

WORDS = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3)
LABELS = st.one_of(
    WORDS,
    st.dictionaries(
        st.sampled_from(["a", "b", "labels", "categories", "timestamp"]),
        st.one_of(
            WORDS, st.text(max_size=5), st.integers(-9, 9), st.booleans(), st.lists(st.floats(-1, 1), min_size=1)
        ),
        min_size=1,
    ),
)


@given(LABELS, WORDS, st.booleans())
def test_an_item_goes_back_as_it_came(labels: Any, categories: list[str], hidden: bool) -> None:
    sent = {"ItemId": "i", "IsHidden": hidden, "Categories": categories, "Timestamp": "2026-01-02T00:00:00+00:00", "Labels": labels, "Comment": "T"}  # fmt: skip
    came = gorse.read(msgspec.json.encode(sent), gorse.GorseItem)
    assert gorse.as_gorse(gorse.item_of(came, None)) == sent
    assert gorse.as_gorse(gorse.item_of(came, gorse.item_of(came, None))) == sent


def test_nested_labels_come_flat_under_their_paths() -> None:
    made = gorse.item_of(gorse.GorseItem("i", Labels={"film": {"genre": ["drama"], "v": [1, 2.5]}, "none": None}), None)
    assert made.attributes == {"film.genre": ["drama"]}
    assert made.vectors == {"film.v": [1.0, 2.5]}


def test_labels_that_cannot_be_kept_are_named() -> None:
    deep: Any = "x"
    for _ in range(20):
        deep = {"a": deep}
    for labels in ({"a": [1, "b"]}, {"a": [[1]]}, {"a": 1 << 64}, deep):
        with pytest.raises(Unreadable) as raised:
            gorse.item_of(gorse.GorseItem("i", Labels=labels), None)
        assert raised.value.field == "Labels"


@given(st.lists(st.tuples(st.sampled_from("pqr"), st.lists(st.sampled_from("xyz"), max_size=4)), max_size=12), st.integers(0, 12))  # fmt: skip
def test_categories_kept_up_to_date_are_those_counted_anew(puts: list[tuple[str, list[str]]], pause: int) -> None:
    packed = [(0, pack(Item(id=name, title=name, attributes={"categories": inside}))) for name, inside in puts]
    known = gorse.Categories()
    known.update(packed[:pause], pause)
    known.update(packed[pause:], len(packed))
    last = dict(puts)
    for wanted in (["x"], ["x", "y"], ["z", "x", "y"]):
        assert sorted(known.items(wanted)) == sorted(
            name for name, inside in last.items() if set(wanted) <= set(inside)
        )


def test_a_session_speaks_through_its_latest_items() -> None:
    pieces = [("read", "old", "2026-01-01"), ("star", "new", "2026-01-03"), ("dislike", "bad", "2026-01-04"), ("read", "new", "2026-01-02"), ("read", "mid", "2026-01-02")]  # fmt: skip
    came = [gorse.SessionFeedback(what, name, when) for what, name, when in pieces]
    assert gorse.session_items(came, {}, 2) == (["new", "mid"], ["old", "new", "bad", "mid"])


def test_a_user_that_cannot_be_read_is_put_aside_under_whom_it_names() -> None:
    came = personalize.PutUsers("", [msgspec.Raw(b'{"userId": "alice", "properties": {"secret": "x"}}')])
    brought = personalize.users_brought(came, Caller(True), "", NOW, 32_768)
    assert [piece.person for piece in brought.unusable] == ["alice"]
