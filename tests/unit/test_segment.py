"""What messages of the Segment specification become: whose, when, which verb, which consent; and under which id."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tactful.connectors.segment import Caller, Meaning, again, arrivals, meaning, read_batch, read_one, specified
from tactful.domain.errors import BadInput, BadSettings
from tactful.domain.event import VERBS, Arrival
from tactful.ports import Quarantined
from tactful.wire import read_home
from tests.shop import DAY, MINUTE, NOW, template

SERVER, PUBLIC, ADA = Caller(trusted=True), Caller(trusted=False), Caller(trusted=False, person="ada")
PURPOSES = ("personalise", "learn", "measure")
OWN = meaning(
    events={"Film Finished": "finished", "product shared": "", "Film Sought": "searched"},
    pages={"Film": "viewed"},
    items=("film_id",),
    consent={"Advertising": "personalise", "Functional": ("personalise", "learn")},
    purposes=PURPOSES,
)


def read(
    *messages: object, caller: Caller = SERVER, now: int = NOW, means: Meaning = OWN, **envelope: Any
) -> tuple[list[Arrival], list[Quarantined]]:
    """What the connector makes of a batch of these messages."""
    batch = read_batch(json.dumps({"batch": messages, **envelope}).encode())
    return arrivals(batch, caller, now, 32 * 1024, means)


def one(caller: Caller = SERVER, now: int = NOW, means: Meaning = OWN, **fields: Any) -> Arrival:
    """What the connector makes of one message, ada's unless it says otherwise."""
    got, unusable = read({"messageId": "m", "userId": "ada", **fields}, caller=caller, now=now, means=means)
    assert not unusable, unusable[0].why
    return got[0]


def wrong(caller: Caller = SERVER, **fields: Any) -> Quarantined:
    """What is wrong with one message."""
    got, unusable = read({"messageId": "m", "userId": "ada", **fields}, caller=caller)
    assert not got, got
    return unusable[0]


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


# ---------------------------------------------------------------------------------------------------------------- who is who


def test_who_proves_to_be_a_person_says_whose_the_device_is() -> None:
    for caller in (SERVER, ADA):
        told = one(caller, type="identify", anonymousId="d1", traits={"a": 1})
        assert (told.person, told.also, told.traits, told.alias) == ("ada", ("anon:d1",), {"a": 1}, False)
    assert one(type="identify", anonymousId=None, traits={"a": 1}).also == ()
    assert one(type="identify", anonymousId=7).also == ("anon:7",)


@pytest.mark.parametrize("caller", [PUBLIC, Caller(trusted=False, person="bob")])
def test_who_proves_nothing_attaches_nothing_to_a_known_person(caller: Caller) -> None:
    told = one(caller, type="identify", anonymousId="d1", traits={"a": 1})
    assert (told.person, told.also, told.traits) == ("anon:d1", (), {"a": 1})
    assert wrong(caller, type="identify", traits={"a": 1}).field == "userId"
    claimed = wrong(caller, type="alias", anonymousId="d1", previousId="d1")
    assert (claimed.field, claimed.person) == ("userId", "ada")
    assert "token" in claimed.why


def test_other_events_link_nothing() -> None:
    for kind in ("track", "page", "screen", "group"):
        told = one(type=kind, anonymousId="d1", event="Product Viewed", properties={"id": "a"})
        assert (told.person, told.also, told.alias, told.says) == ("ada", (), False, None)


def test_a_server_joins_two_known_names_and_a_person_only_their_own_device() -> None:
    by_server, by_ada = one(type="alias", previousId="old"), one(ADA, type="alias", previousId="old")
    assert (by_server.name, by_server.person, by_server.alias) == ("alias", "ada", True)
    assert by_server.also == ("anon:old", "old")
    assert (by_ada.also, by_ada.alias) == (("anon:old",), True)
    assert one(type="alias", previousId="anon:d").also == ("anon:d",)
    assert one(type="alias", previousId="ada").also == ("anon:ada",), "nobody is their own alias"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"previousId": None}, "previousId"),
        ({"previousId": ""}, "previousId"),
        ({"previousId": "p" * 252}, "previousId"),
        ({"previousId": "d", "userId": None}, "userId"),
        ({"previousId": "d", "userId": None, "anonymousId": "d"}, "userId"),
        ({"previousId": "d", "userId": "anon:x"}, "userId"),
    ],
)
def test_an_alias_that_lacks_a_name_says_which(fields: dict[str, Any], field: str) -> None:
    assert wrong(type="alias", **fields).field == field


def test_rudderstacks_traits_lie_in_the_context_and_count_for_identify_only() -> None:
    context = {"traits": {"a": 1, "b": 1}}
    assert one(type="identify", context=context, traits={"b": 2}).traits == {"a": 1, "b": 2}
    for kind in ("track", "page", "group"):
        assert one(type=kind, context=context, traits={"c": 1}).traits == {}


def test_the_requests_device_is_only_for_messages_that_name_nobody() -> None:
    caller = Caller(trusted=False, device="header")
    assert one(caller, userId=None, anonymousId=None).person == "anon:header"
    assert one(caller, userId="", anonymousId="own").person == "anon:own"
    assert one(caller, anonymousId=None).person == "anon:header", "a claim without proof is the device's"
    assert one(Caller(trusted=True, device="header"), anonymousId=None).person == "ada"
    told = one(Caller(trusted=True, device="header"), type="identify")
    assert told.also == (), "a header links nothing"


# ---------------------------------------------------------------------------------------------------------- ids and envelopes


def test_a_message_without_an_id_gets_one_from_its_content_so_that_a_retry_is_no_second_event() -> None:
    content = {"messageId": None, "event": "Product Viewed", "properties": {"id": "a", "z": 1}, "timestamp": iso(NOW)}
    first = one(**content, sentAt=iso(NOW))
    again = one(now=NOW + 3 * DAY, **{**content, "properties": {"z": 1, "id": "a"}}, sentAt=iso(NOW + MINUTE))
    assert first.id == again.id
    assert first.id.startswith("made-")
    others = [
        {**content, "properties": {"id": "b", "z": 1}},
        {**content, "timestamp": iso(NOW + 1)},
        {**content, "event": "Product Clicked"},
        {**content, "userId": "bob"},
        {**content, "type": "page"},
    ]
    assert len({first.id, *(one(**other).id for other in others)}) == len(others) + 1


def test_without_any_time_the_same_content_is_the_same_event_for_a_day() -> None:
    content = {"messageId": "", "event": "Product Viewed", "properties": {"id": "a"}}
    midnight = NOW - NOW % DAY
    ids = [one(now=midnight + after, **content).id for after in (0, DAY - 1, DAY)]
    assert ids[0] == ids[1] != ids[2]


def test_what_the_batch_says_holds_for_each_message_that_says_nothing_else() -> None:
    no = {"consent": {"categoryPreferences": {"learn": False}}}
    yes = {"consent": {"categoryPreferences": {"learn": True}}}
    got, _ = read({"userId": "a"}, {"userId": "b", "context": yes}, {"userId": "c", "context": {"x": 1}}, context=no)
    assert [arrival.granted for arrival in got] == [{"learn": False}, {"learn": True}, {"learn": False}]
    got, _ = read({"userId": "a", "context": None}, context={"traits": {"a": 1}}, integrations={"All": False})
    assert got[0].granted is None


@pytest.mark.parametrize("junk", [7, [], {}, "yesterday", True])
def test_an_envelope_field_of_the_wrong_kind_costs_no_message(junk: Any) -> None:
    got, unusable = read(
        {"userId": "a", "timestamp": iso(NOW)}, sentAt=junk, writeKey=junk, context=junk, integrations=junk
    )
    assert (len(got), unusable) == (1, [])
    assert got[0].at == NOW


BODY = b'{"batch": [{"userId": "a", "event": "caf\xc3\xa9 + 100%"}], "writeKey": "k"}'


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        b"\xef\xbb\xbf" + BODY,
        b"\n  " + BODY,
        quote(BODY).encode(),
        quote_plus(BODY).encode(),
        b"data=" + quote_plus(BODY).encode(),
        b"data=" + quote(BODY).encode() + b"&verbose=1",
        quote_plus(BODY).encode() + b"=",
    ],
)
def test_a_body_is_what_its_content_says(body: bytes) -> None:
    batch = read_batch(body)
    assert batch.write_key == "k"
    assert json.loads(bytes(batch.messages[0]))["event"] == "café + 100%"


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"null", b"{", b'"x"', b"data=", b"data=%7B", b"\xff", b"a=b&c=d"])
def test_one_message_that_is_none_is_refused_with_what_one_looks_like(body: bytes) -> None:
    with pytest.raises(BadInput, match='"event"'):
        read_one(body, "track")


def test_a_number_that_is_none_costs_nobody_anything() -> None:
    """Python's `json`, by which Segment's client for Python writes, knows NaN and Infinity; JSON does not."""
    odd = {"id": "a", "nan": float("nan"), "most": [float("inf"), float("-inf")], "text": 'NaN, "Infinity" \\'}
    assert one(event="viewed", properties=odd).fields == {"nan": None, "most": [None, None], "text": odd["text"]}


def test_the_address_says_the_type_of_one_message() -> None:
    batch = read_one(
        json.dumps({"type": "track", "userId": "ada", "event": "viewed", "sentAt": iso(NOW)}).encode(), "page"
    )
    assert arrivals(batch, SERVER, NOW, 32 * 1024)[0][0].name == "page"
    half = read_one(b'{"userId": "ada", "event": "a\\ud83d"}', "track")
    assert arrivals(half, SERVER, NOW, 32 * 1024)[0][0].name == "a\ufffd"


def test_a_batch_of_rudderstacks_is_known_by_its_channel() -> None:
    assert read_batch(b'{"batch": [{"channel": "server"}]}').rudder
    for body in (b'{"batch": []}', b'{"batch": [{}]}', b'{"batch": [7]}', b'{"batch": [{"channel": null}]}'):
        assert not read_batch(body).rudder


# --------------------------------------------------------------------------------------------------------------------- when


@pytest.mark.parametrize("skew", [-400 * DAY, -3_600_000, 0, 3_600_000, 7 * DAY])
@pytest.mark.parametrize("field", ["timestamp", "originalTimestamp"])
def test_a_wrong_clock_is_put_right_whichever_field_the_client_uses(skew: int, field: str) -> None:
    theirs = NOW + skew
    assert one(**{field: iso(theirs - 5 * MINUTE)}, sentAt=iso(theirs)).at == NOW - 5 * MINUTE
    both = {"timestamp": iso(theirs - 5 * MINUTE), "originalTimestamp": iso(theirs - 5 * MINUTE)}
    assert one(**both, sentAt=iso(theirs)).at == NOW - 5 * MINUTE


def test_a_messages_own_sent_at_counts_before_that_of_who_passed_it_on() -> None:
    theirs = NOW - 30 * DAY
    got, _ = read({"userId": "a", "timestamp": iso(theirs - MINUTE), "sentAt": iso(theirs)}, sentAt=iso(NOW))
    assert got[0].at == NOW - MINUTE


def test_a_time_that_was_told_beside_the_time_of_telling_is_taken_as_told() -> None:
    """RudderStack's client for Node: `timestamp` is what the caller says, `originalTimestamp` is when the caller said it."""
    told = one(timestamp=iso(NOW - 3 * DAY), originalTimestamp=iso(NOW - MINUTE), sentAt=iso(NOW))
    assert told.at == NOW - 3 * DAY


# --------------------------------------------------------------------------------------------------------------- what it means

SAID = [
    ("Products Searched", "searched"), ("Product List Viewed", "shown"), ("Product List Filtered", "shown"),
    ("Promotion Viewed", "shown"), ("Promotion Clicked", "clicked"), ("Product Clicked", "clicked"),
    ("Product Viewed", "viewed"), ("Product Added", "added"), ("Product Removed", "dropped"), ("Cart Viewed", "shown"),
    ("Checkout Started", "shown"), ("Order Completed", "bought"), ("Order Refunded", "returned"),
    ("Order Cancelled", "returned"), ("Product Added to Wishlist", "added"), ("Product Removed from Wishlist", "dropped"),
    ("Wishlist Product Added to Cart", "added"), ("Product Shared", "clicked"), ("Product Reviewed", "rated"),
]  # fmt: skip
SILENT = [
    "Checkout Step Viewed", "Checkout Step Completed", "Payment Info Entered", "Order Updated", "Coupon Entered",
    "Coupon Applied", "Coupon Denied", "Coupon Removed", "Cart Shared", "Application Opened", "Anything Else",
]  # fmt: skip
PLAIN = meaning(purposes=PURPOSES)


@pytest.mark.parametrize(("name", "verb"), SAID)
def test_the_e_commerce_events_mean_verbs_with_one_item_or_several(name: str, verb: str) -> None:
    several = [{"product_id": "a", "price": 3}, {"sku": "b"}]
    for properties, items in (({"product_id": "a"}, ("a",)), ({"products": several}, ("a", "b"))):
        for spelling in (name, name.lower(), name.upper()):
            said = one(means=PLAIN, event=spelling, properties=properties)
            assert (said.verb, said.items, said.name) == (verb, items, spelling)
    assert one(means=PLAIN, event=name, properties={"id": "a", "products": []}).items == ("a",)


@pytest.mark.parametrize("name", SILENT)
def test_what_says_nothing_of_an_item_means_nothing(name: str) -> None:
    said = one(means=PLAIN, event=name, properties={"product_id": "a"})
    assert (said.verb, said.items, said.name) == ("", (), name)


def test_what_may_name_items_and_names_none_is_no_mistake_and_says_so() -> None:
    for name in (*specified().may_name_items, "searched"):
        said = one(means=PLAIN, event=name, properties={"query": "pond", "products": []})
        assert (said.verb, said.items, said.name) == ("", (), f"{name} without an item")
    for name in (*specified().about_items, "viewed"):
        assert one(means=PLAIN, event=name).verb, "the gate of usable things says what is missing"


def test_a_promotion_and_a_film_are_items() -> None:
    assert one(means=PLAIN, event="Promotion Viewed", properties={"promotion_id": "p"}).items == ("p",)
    assert one(means=PLAIN, event="Video Content Completed", properties={"asset_id": 7}).items == ("7",)


def test_an_installations_own_names_mean_what_it_says() -> None:
    film = {"film_id": "f", "product_id": "p", "length": 90}
    said = one(event="film finished", properties=film)
    assert (said.verb, said.items, said.fields) == ("finished", ("f",), {"length": 90})
    assert one(event="Product Shared", properties=film).verb == "", "a name of the specification can be taken away"
    assert one(event="Film Sought", properties={"query": "pond"}).name == "Film Sought without an item"
    assert one(event="Film Finished").verb == "finished", "its own events are about an item, unless they are searches"
    assert one(event="Product Viewed", properties=film).items == ("f",)


def test_a_page_means_something_where_the_installation_says_so_and_only_with_an_item() -> None:
    for kind in ("page", "screen"):
        said = one(type=kind, name="film", properties={"film_id": "f"})
        assert (said.name, said.verb, said.items) == (kind, "viewed", ("f",))
        for fields in ({"name": "Film"}, {"name": "Home", "properties": {"film_id": "f"}}, {"name": 7}, {}):
            said = one(type=kind, **fields)
            assert (said.name, said.verb, said.items) == (kind, "", ())
    every = meaning(pages={"*": "viewed", "Home": ""})
    assert one(means=every, type="page", properties={"id": "f"}).verb == "viewed"
    assert one(means=every, type="page", name="Home", properties={"id": "f"}).verb == ""
    assert one(means=every, type="page", name="Else").verb == ""


def test_a_type_that_nobody_knows_means_nothing() -> None:
    said = one(type="merge", event="Product Viewed", properties={"id": "a"})
    assert (said.name, said.verb) == ("merge", "")


def test_every_verb_of_the_mapping_is_one() -> None:
    names = specified()
    assert {*names.about_items.values(), *names.may_name_items.values()} <= set(VERBS)
    assert not names.about_items.keys() & names.may_name_items.keys()


# ------------------------------------------------------------------------------------------------------------------- consent


def preferring(**categories: Any) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": categories}}


@pytest.mark.parametrize(
    ("categories", "granted"),
    [
        ({"personalise": True, "learn": False}, {"personalise": True, "learn": False}),
        ({"Advertising": True}, {"personalise": True}),
        ({"Functional": True}, {"personalise": True, "learn": True}),
        ({"Advertising": False, "Functional": True}, {"personalise": False, "learn": True}),
        ({"Functional": True, "Advertising": False}, {"personalise": False, "learn": True}),
        ({"Advertising": True, "Weather": False}, {"personalise": True}),
        ({"Weather": True}, {}),
        (
            {"Advertising": "true", "learn": 1, "measure": None},
            {"personalise": False, "learn": False, "measure": False},
        ),
        ({}, {}),
    ],
)
def test_an_event_grants_what_its_categories_stand_for(categories: dict[str, Any], granted: dict[str, bool]) -> None:
    assert one(event="viewed", context=preferring(**categories)).granted == granted


def test_rudderstacks_consent_lists_mean_the_same() -> None:
    lists = {"allowedConsentIds": ["Functional"], "deniedConsentIds": ["Advertising", "Weather"], "provider": "custom"}
    assert one(context={"consentManagement": lists}).granted == {"personalise": False, "learn": True}
    assert one(context={"consentManagement": {"allowedConsentIds": [], "deniedConsentIds": []}}).granted is None


@pytest.mark.parametrize(
    "context",
    [None, {}, {"consent": None}, {"consent": 7}, {"consent": {"categoryPreferences": []}}, {"consentManagement": 7}],
)
def test_an_event_that_says_nothing_of_consent_grants_and_denies_nothing(context: Any) -> None:
    assert one(event="viewed", context=context).granted is None


UPDATED = "Segment Consent Preference Updated"


def test_the_event_of_a_consent_tool_is_the_persons_answer() -> None:
    said = one(
        event=UPDATED, properties={"categoryPreferences": {"Advertising": True, "measure": False, "Weather": True}}
    )
    assert (said.says, said.granted, said.verb, said.person) == (
        {"personalise": True, "measure": False},
        None,
        "",
        "ada",
    )
    assert one(event=UPDATED, context=preferring(learn=False)).says == {"learn": False}
    assert one(ADA, event=UPDATED, context=preferring(learn=True)).says == {"learn": True}
    assert one(event=UPDATED, context=preferring(learn="no", measure=True)).says == {"measure": True}, "not an answer"


def test_nobody_answers_for_somebody_else() -> None:
    answer = {"event": UPDATED, "context": preferring(learn=True)}
    assert one(PUBLIC, anonymousId="d", **answer).person == "anon:d"
    assert wrong(PUBLIC, **answer).field == "userId"


def test_an_answer_about_nothing_that_we_ask_is_none() -> None:
    for fields in ({}, {"context": preferring(Weather=True)}, {"properties": {"categoryPreferences": 7}}):
        said = one(event=UPDATED, **fields)
        assert said.says is None
        assert said.name.startswith(UPDATED)
    assert one(event="Something Else", context=preferring(learn=True)).says is None


# ------------------------------------------------------------------------------------------------------------------ settings

MISTAKES = {
    '[segment.events]\n"Film Finished" = "watched"': ("segment.events.Film Finished", "'watched' is no verb", "Film Finished"),
    '[segment.pages]\n"*" = "seen"': ("segment.pages.*", "'seen' is no verb", "[segment.pages]"),
    '[segment.consent]\nAdvertising = ["personalise", "fun"]': ("segment.consent.Advertising", "no purpose 'fun'", "Advertising"),
    "[segment]\nevent = {}": ("segment.event", "Perhaps 'events'", "event ="),
    '[segment.consent]\nAdvertising = 7': ("segment.consent", "expected", "Advertising = 7"),
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_the_names_is_named_with_its_line(text: str, tmp_path: Any) -> None:
    field, words, on_the_line = MISTAKES[text]
    whole = f"{template('tactful.toml')}\n{text}\n"
    (tmp_path / "tactful.toml").write_text(whole, encoding="utf-8")
    (tmp_path / "charter.toml").write_text(template("charter.toml"), encoding="utf-8")
    with pytest.raises(BadSettings) as caught:
        read_home(tmp_path)
    assert str(caught.value.facts["field"]).startswith(field)
    assert words in str(caught.value)
    assert on_the_line in whole.splitlines()[int(caught.value.facts["line"]) - 1]


# ------------------------------------------------------------------------------------------------------------- anything at all

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "type", "messageId", "userId", "anonymousId", "previousId", "event", "name", "timestamp", "originalTimestamp", "sentAt",
    "properties", "traits", "context", "integrations", "channel", "groupId",
)  # fmt: skip
LIKELY = {
    "type": st.sampled_from(("track", "identify", "page", "screen", "group", "alias")),
    "event": st.sampled_from(("Product Viewed", UPDATED, "Products Searched")),
    "timestamp": st.sampled_from((iso(NOW), "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z")),
    "context": st.dictionaries(st.sampled_from(("consent", "traits", "consentManagement")), ANYTHING),
}


@st.composite
def junk(draw: st.DrawFn) -> object:
    """Something that looks like a message, with anything in it."""
    chosen = draw(st.lists(st.sampled_from(FIELDS), unique=True))
    return {name: draw(LIKELY.get(name, ANYTHING) if draw(st.booleans()) else ANYTHING) for name in chosen}


@given(st.lists(junk() | ANYTHING, max_size=4), st.sampled_from((SERVER, PUBLIC, ADA)))
def test_whatever_comes_each_message_is_read_or_set_aside_and_good_ones_are_read(
    pieces: list[object], caller: Caller
) -> None:
    good = {"messageId": "good", "anonymousId": "d", "event": "viewed", "properties": {"id": "a"}}
    got, unusable = read(good, *pieces, good, caller=caller)
    assert len(got) + len(unusable) == len(pieces) + 2
    assert got[0] == got[-1]
    assert got[0].verb == "viewed"
    assert all(arrival.id for arrival in got)
    assert all(piece.field and piece.why for piece in unusable)
    assert read(good, *pieces, good, caller=caller) == (got, unusable)


def test_a_message_from_quarantine_is_read_again_as_its_address_and_its_batch_said() -> None:
    film = {"userId": "ada", "messageId": "m", "name": "Film", "properties": {"film_id": "f"}}
    late = {**film, "timestamp": iso(NOW + DAY), "sentAt": iso(NOW + DAY + MINUTE)}
    _, (piece,) = arrivals(read_one(json.dumps(late).encode(), "page"), PUBLIC, NOW, 32 * 1024, OWN)
    (arrival,), nothing = again(replace(piece, trusted=True), OWN)
    assert (arrival.name, arrival.verb, arrival.at, nothing) == ("page", "viewed", NOW - MINUTE, [])
    assert again(piece, OWN)[0] == [], "asking again proves nothing"
    wrong_time = {"userId": "ada", "type": "track", "timestamp": "yesterday"}
    _, (piece,) = read(wrong_time, sentAt=iso(NOW), context=preferring(learn=True))
    kept = json.loads(piece.raw)
    assert (kept["timestamp"], kept["context"]) == ("yesterday", preferring(learn=True))
    assert kept["sentAt"]
    assert read(wrong_time)[1][0].raw == json.dumps(wrong_time).encode(), "else it is kept as it came"


def test_zipped_bytes_are_no_json_for_the_connector() -> None:
    with pytest.raises(BadInput, match="not JSON"):
        read_batch(gzip.compress(BODY))
