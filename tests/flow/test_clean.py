"""What comes in is kept, or it is known why not: sent = stored + duplicate + quarantined + refused, exactly."""

import json
import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.connectors.segment import Caller, arrivals, read_batch
from tactful.domain.consent import Dial
from tactful.domain.errors import BadInput, TooLarge
from tactful.domain.event import VERBS, Arrival, Interaction, Told
from tactful.flow.clean import AHEAD, EARLIEST, ID_MOST, ITEMS_MOST, Unusable, clean
from tactful.intake import Outcome
from tactful.ports import Quarantined
from tests.shop import DAY, MINUTE, NOW, PLAIN, Shop, charter, open_shop

PUBLIC, SERVER = Caller(trusted=False), Caller(trusted=True)


def arrival(**changes: Any) -> Arrival:
    """A good one, but for the changes."""
    return Arrival(
        **{"id": "m1", "person": "ada", "name": "viewed", "at": NOW, "verb": "viewed", "items": ("a",), **changes}
    )


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def message(**changes: Any) -> dict[str, Any]:
    """A good message of the Segment specification, but for the changes."""
    made = {
        "type": "track",
        "messageId": "m1",
        "userId": "ada",
        "event": "Product Viewed",
        "properties": {"product_id": PLAIN[0]},
    }
    return {**made, **changes}


def read(
    *messages: object, caller: Caller = SERVER, now: int = NOW, **envelope: Any
) -> tuple[list[Arrival], list[Quarantined]]:
    """What the connector makes of a batch of these messages; text is put in as it is."""
    parts = [one if isinstance(one, str) else json.dumps(one) for one in messages]
    rest = "".join(f", {json.dumps(name)}: {json.dumps(value)}" for name, value in envelope.items())
    return arrivals(read_batch(f'{{"batch": [{", ".join(parts)}]{rest}}}'.encode()), caller, now, 32 * 1024)


def send(shop: Shop, *messages: object, **more: Any) -> Outcome:
    """Send a batch all the way in."""
    return shop.engine.take(*read(*messages, **more)).wait()


def add_up(outcome: Outcome) -> bool:
    return outcome.sent == outcome.stored + outcome.duplicate + outcome.quarantined + outcome.refused


@pytest.fixture
def shop() -> Shop:
    opened = open_shop()
    opened.allow("ada")
    return opened


# ---------------------------------------------------------------------------------------------------------------- one arrival


def test_a_good_arrival_comes_through_as_it_is() -> None:
    assert clean(arrival(), NOW) == arrival()
    assert clean(arrival(at=None), NOW) == arrival(at=NOW)


@pytest.mark.parametrize(
    ("changes", "field", "fix"),
    [
        ({"id": ""}, "messageId", "send a messageId"),
        ({"id": "x" * (ID_MOST + 1)}, "messageId", "the most is 256"),
        ({"person": ""}, "userId", "send a userId"),
        ({"person": "anon:"}, "userId", "send a userId"),
        ({"person": "x" * 10_000}, "userId", "the most is 256"),
        ({"at": 0}, "timestamp", "set the client's clock"),
        ({"at": -(10**15)}, "timestamp", "set the client's clock"),
        ({"at": 315_532_800_000}, "timestamp", "set the client's clock"),
        ({"at": EARLIEST - 1}, "timestamp", "set the client's clock"),
        ({"at": NOW + AHEAD + 1}, "timestamp", "set the client's clock"),
        ({"at": 4_102_444_800_000}, "timestamp", "set the client's clock"),
        ({"verb": "sniffed"}, "verb", "viewed"),
        ({"items": ()}, "properties.product_id", "send product_id"),
        ({"items": ("a", "")}, "properties.product_id", "send product_id"),
        ({"items": ("x" * (ID_MOST + 1),)}, "properties.product_id", "the most is 256"),
        ({"items": ("a",) * (ITEMS_MOST + 1)}, "properties.products", "the most is 500"),
        ({"value": float("inf")}, "properties.value", "finite"),
        ({"value": float("nan")}, "properties.value", "finite"),
    ],
)
def test_what_cannot_be_used_names_the_field_and_the_fix(changes: dict[str, Any], field: str, fix: str) -> None:
    unusable = clean(arrival(**changes), NOW)
    assert isinstance(unusable, Unusable)
    assert unusable.field == field
    assert fix in unusable.why
    assert "sniffed" not in unusable.why, "reasons are shown and counted, values stay with the data"


@pytest.mark.parametrize("at", [EARLIEST, NOW, NOW + AHEAD])
def test_times_from_1995_until_a_day_ahead_are_taken(at: int) -> None:
    assert isinstance(clean(arrival(at=at), NOW), Arrival)


@pytest.mark.parametrize("name", ["🦄" * ID_MOST, "שלום", "a\u202eb", "a\nb", " ", "'; DROP TABLE", "\x00"])
def test_any_text_is_a_name_if_it_is_not_too_long(name: str, shop: Shop) -> None:
    """And what is stored under it is found under it."""
    shop.allow(name)
    outcome = shop.engine.take([arrival(id=name, person=name, items=(name,))]).wait()
    assert outcome.stored == 1
    assert [act.item for act in shop.engine.profile(name).observed] == [name]


@given(st.builds(
    Arrival, id=st.text(max_size=300), person=st.text(max_size=300), name=st.text(), at=st.none() | st.integers(-(10**14), 10**14),
    verb=st.sampled_from(("", "x", *VERBS)), items=st.lists(st.text(max_size=300), max_size=4).map(tuple),
    value=st.none() | st.floats(), fields=st.dictionaries(st.text(), st.text() | st.floats() | st.none() | st.lists(st.integers())),
    traits=st.dictionaries(st.sampled_from(("interests", "avoid", "x", "child")), st.text() | st.booleans() | st.lists(st.text())),
    granted=st.none() | st.dictionaries(st.sampled_from(("personalise", "learn")), st.booleans()),
))  # fmt: skip
def test_no_arrival_is_too_odd_to_be_accounted_for(odd: Arrival) -> None:
    shop = ODD_SHOP
    shop.allow(odd.person)
    outcome = shop.engine.take([odd, arrival(id=f"good-{odd.id[:20]}", person="ada")]).wait()
    assert outcome.sent == 2
    assert add_up(outcome)
    assert all(problem.why and (problem.field or problem.what == "refused") for problem in outcome.problems)


ODD_SHOP = Shop(items=[], placements={})


# ------------------------------------------------------------------------------------------------------------------ the account


def test_the_account_is_exact_on_any_mix(shop: Shop) -> None:
    """Held against a count of our own, and against what the store then holds."""
    dice, names, kept = random.Random(1), [f"p{number}" for number in range(8)], set()
    for name in names[:6]:
        shop.allow(name)  # the last two allow nothing
    total: Counter[str] = Counter()
    for batch in range(60):
        messages: list[object] = []
        expected: Counter[str] = Counter()
        for number in range(dice.randrange(1, 25)):
            what = dice.choice(("new", "new", "again", "junk", "nobody", "unfit", "nameless", "order"))
            person, name = dice.choice(names[:6]), f"b{batch}-{number}"
            if what == "again" and kept:
                person, name = dice.choice(sorted(kept))
                messages.append(message(messageId=name, userId=person))
                expected["duplicate"] += 1
            elif what == "junk":
                messages.append(dice.choice(('{"type": 7}', "[]", "3", '"x"', "null", '{"userId": {}}')))
                expected["quarantined"] += 1
            elif what == "nobody":
                messages.append(message(messageId=name, userId=dice.choice(names[6:])))
                expected["refused"] += 1
            elif what == "unfit":
                messages.append(message(messageId=name, userId=person, properties={}))
                expected["quarantined"] += 1
            elif what == "nameless":
                messages.append(message(messageId="m" * 300, userId=person))
                expected["quarantined"] += 1
            elif what == "order":
                products = [{"product_id": item} for item in dice.sample(PLAIN, 3)]
                messages.append(
                    message(messageId=name, userId=person, event="Order Completed", properties={"products": products})
                )
                expected["stored"] += 1
            else:
                messages.append(message(messageId=name, userId=person))
                kept.add((person, name))
                expected["stored"] += 1
        outcome = send(shop, *messages)
        got = Counter({what: getattr(outcome, what) for what in ("stored", "duplicate", "quarantined", "refused")})
        assert got == expected
        assert outcome.sent == len(messages)
        assert add_up(outcome)
        total.update(got)
    held = {(name, act.id) for name in names for act in shop.engine.profile(name).observed if "#" not in act.id}
    assert held == kept
    assert len(shop.stores.quarantine.pieces()) == total["quarantined"]
    assert all(total[what] > 20 for what in ("stored", "duplicate", "quarantined", "refused"))


def test_a_message_that_comes_twice_in_one_batch_is_stored_once_and_counted_so(shop: Shop) -> None:
    outcome = send(shop, message(), message(), message(messageId="m2"))
    assert (outcome.stored, outcome.duplicate, outcome.sent) == (2, 1, 3)
    assert len(shop.engine.profile("ada").observed) == 2
    again = send(shop, message(), message())
    assert (again.stored, again.duplicate) == (0, 2)


def test_the_same_id_from_two_people_is_two_messages(shop: Shop) -> None:
    shop.allow("bob")
    assert send(shop, message(), message(userId="bob")).stored == 2


def test_an_order_is_a_duplicate_if_all_of_it_was_there(shop: Shop) -> None:
    order = message(
        event="Order Completed", properties={"products": [{"product_id": PLAIN[0]}, {"product_id": PLAIN[1]}]}
    )
    assert send(shop, order).stored == 1
    assert len(shop.engine.profile("ada").observed) == 2
    assert send(shop, order).duplicate == 1


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"dial": Dial.off}, "'Off'"),
        ({"dial": Dial.told}, "'Only what I tell you'"),
        ({"purposes": dict.fromkeys(("personalise", "learn", "measure"), False)}, "[data.browsing]"),
        ({"child": True}, "children"),
    ],
)
def test_what_is_refused_says_why(said: dict[str, Any], why: str, shop: Shop) -> None:
    shop.change("ada", **said)
    outcome = send(shop, message())
    assert (outcome.refused, outcome.stored) == (1, 0)
    assert why in outcome.problems[0].why
    assert shop.stores.events.head("ada") == 0


def test_an_event_that_means_nothing_to_the_charter_is_refused_by_its_name(shop: Shop) -> None:
    outcome = send(shop, message(event="Cart Shared"))
    assert (outcome.refused, outcome.problems[0].event) == (1, "m1")
    assert "'Cart Shared'" in outcome.problems[0].why


def test_what_the_event_itself_says_of_consent_can_only_take_away(shop: Shop) -> None:
    def purposes_kept(**preferences: Any) -> tuple[str, ...]:
        context = {"consent": {"categoryPreferences": preferences}}
        send(shop, message(messageId=str(preferences), context=context))
        acts = [act for act in shop.engine.profile("ada").observed if act.id == str(preferences)]
        return acts[0].purposes if acts else ()

    assert purposes_kept(personalise=True, learn=False) == ("personalise",)
    assert purposes_kept(personalise="yes") == ()
    assert purposes_kept() == ()
    shop.change("ada", purposes={"learn": False})
    assert purposes_kept(personalise=True, learn=True) == ("personalise",)


# -------------------------------------------------------------------------------------------------------------------- stripping


def test_undeclared_fields_are_stripped_and_counted_by_name() -> None:
    rules = charter()
    from msgspec.structs import replace

    declared = replace(rules, data={**rules.data, "browsing": replace(rules.data["browsing"], fields=("shelf",))})
    shop = Shop(placements={}, rules=declared)
    shop.allow("ada")
    first = {"product_id": PLAIN[0], "shelf": "top", "ip": "1.2.3.4", "nested": {"a": 1}}
    second = {"product_id": PLAIN[0], "shelf": {"not": "plain"}, "ip": "1.2.3.4"}
    outcome = send(shop, message(properties=first), message(messageId="m2", properties=second))
    assert outcome.stripped == {"ip": 2, "nested": 1, "shelf": 1}
    assert [act.fields for act in shop.engine.profile("ada").observed] == [{"shelf": "top"}, {}]


def test_undeclared_traits_are_stripped_and_counted_by_name(shop: Shop) -> None:
    outcome = send(
        shop, message(type="identify", traits={"interests": ["sea"], "salary": 3, "avoid": {"not": "plain"}})
    )
    assert (outcome.stored, outcome.stripped) == (1, {"salary": 1, "avoid": 1})
    assert set(shop.engine.profile("ada").declared) == {"interests"}


def test_a_child_found_out_in_a_batch_is_a_child_for_the_rest_of_it(shop: Shop) -> None:
    outcome = send(shop, message(type="identify", messageId="m0", traits={"child": True}), message())
    assert (outcome.stored, outcome.refused) == (1, 1)
    assert shop.engine.consent("ada").child
    assert shop.stores.events.head("ada") == 0


# -------------------------------------------------------------------------------------------------------------- who may speak


def test_a_public_key_cannot_speak_for_a_known_person(shop: Shop) -> None:
    got, unusable = read(message(), caller=PUBLIC)
    assert got == []
    assert (unusable[0].field, unusable[0].person) == ("userId", "ada")
    assert "send the person's token" in unusable[0].why
    outcome = shop.engine.take(got, unusable).wait()
    assert (outcome.sent, outcome.quarantined) == (1, 1)
    assert shop.stores.events.head("ada") == 0


@pytest.mark.parametrize(
    ("says", "caller", "whose"),
    [
        ({"userId": "ada"}, SERVER, "ada"),
        ({"userId": "ada"}, Caller(False, "ada"), "ada"),
        ({"userId": "ada"}, Caller(False, "bob"), None),
        ({"userId": "ada", "anonymousId": "device"}, PUBLIC, "anon:device"),
        ({"userId": "ada", "anonymousId": "device"}, SERVER, "ada"),
        ({"userId": None, "anonymousId": "device"}, PUBLIC, "anon:device"),
        ({"userId": "", "anonymousId": "device"}, PUBLIC, "anon:device"),
        ({"userId": 7}, SERVER, "7"),
        ({"userId": None, "anonymousId": 7}, PUBLIC, "anon:7"),
        ({"userId": "anon:device"}, PUBLIC, None),
        ({"userId": "anon:device"}, SERVER, None),
        ({"userId": "anon:device", "anonymousId": "mine"}, Caller(False, "anon:device"), None),
        ({"userId": None}, PUBLIC, ""),
    ],
)
def test_whose_a_message_is(says: dict[str, Any], caller: Caller, whose: str | None) -> None:
    got, unusable = read(message(**says), caller=caller)
    assert [one.person for one in got] == ([] if whose is None else [whose])
    assert len(unusable) == (whose is None)


# --------------------------------------------------------------------------------------------------------------------- clocks


def test_a_clock_that_is_wrong_by_hours_is_corrected_by_when_it_says_it_sent() -> None:
    """What counts is how long before sending it happened: the client may think that it is last week."""
    for skew in (-7 * DAY, -3_600_000, 0, 3_600_000, 400 * DAY):
        theirs = NOW + skew
        for at_message in (True, False):
            sent = {"sentAt": iso(theirs)}
            got, _ = read(
                message(originalTimestamp=iso(theirs - 5 * MINUTE), **(sent if at_message else {})),
                **({} if at_message else sent),
            )
            assert got[0].at == NOW - 5 * MINUTE


@pytest.mark.parametrize("year", [1970, 2100])
def test_a_clock_that_was_never_set_is_quarantined_unless_sent_at_tells(year: int, shop: Shop) -> None:
    wrong = datetime(year, 1, 1, 12, tzinfo=UTC)
    outcome = send(shop, message(timestamp=wrong.isoformat()))
    assert (outcome.quarantined, outcome.problems[0].field) == (1, "timestamp")
    told = send(shop, message(timestamp=wrong.isoformat(), sentAt=wrong.isoformat()))
    assert told.stored == 1
    assert shop.engine.profile("ada").observed[0].at == NOW


def test_a_time_without_a_zone_is_utc_and_no_time_is_now() -> None:
    got, _ = read(message(timestamp="2025-10-09T08:53:20"), message(messageId="m2"))
    assert [one.at for one in got] == [NOW, None]


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_the_ends_of_the_calendar_are_only_wrong_clocks(text: str, shop: Shop) -> None:
    assert send(shop, message(timestamp=text), message(messageId="m2")).stored == 1


# ----------------------------------------------------------------------------------------------------------- malformed messages


BAD = [
    "{}", "[]", "3", "null", '"text"', '{"type": 7}', '{"userId": []}', '{"properties": []}', '{"timestamp": "yesterday"}',
    '{"userId": "\\ud800", "event": "viewed"}',
    json.dumps(message(messageId="x", properties={"id": PLAIN[0], "value": 10**400})),
    json.dumps(message(messageId="x", userId=10**30)).replace("1" + "0" * 30, "1" + "0" * 5000),
    '{"type":"track","userId":"ada","messageId":"x","event":"viewed","properties":{"id":1' + "0" * 5000 + "}}",
    '{"type":"track","userId":"ada","messageId":"x","event":"viewed","properties":{"id":"a","value":1e999}}',
    '{"type":"track","userId":"ada","messageId":"x","event":"viewed","properties":{"products":[1,{"id":"a"}]}}',
    '{"type":"track","userId":"ada","messageId":"x","event":"viewed","properties":{"products":[]}}',
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_a_malformed_message_costs_itself_only(bad: str, shop: Shop) -> None:
    outcome = send(shop, message(messageId="before"), bad, message(messageId="after"))
    assert (outcome.stored, outcome.sent) == (2, 3)
    assert add_up(outcome)
    assert [act.id for act in shop.engine.profile("ada").observed if act.id in ("before", "after")] == [
        "after",
        "before",
    ]
    problem = outcome.problems[0]
    assert problem.why
    assert problem.field


def test_half_a_character_costs_nobody_anything(shop: Shop) -> None:
    """JavaScript can cut an emoji in two and send one half; strict JSON knows no such text."""
    for number, (sent, kept) in enumerate(
        {r"a\ud83d": "a\ufffd", r"\udfffb": "\ufffdb", r"\ud83e\udd84": "🦄", r"\\ud83d": r"\ud83d"}.items()
    ):
        half = f'{{"messageId":"h{number}","userId":"ada","event":"viewed","properties":{{"id":"{sent}"}}}}'
        assert (
            send(shop, message(messageId=f"m{number}"), half, half.replace(sent, r"\ud83d").replace("h", "z", 1)).stored
            == 3
        )
        assert kept in {act.item for act in shop.engine.profile("ada").observed}


def test_what_is_malformed_waits_in_quarantine_as_it_came(shop: Shop) -> None:
    send(shop, '{"type": 7, "x": "keep me"}', message(), message(messageId="m" * 300, userId="ada"))
    pieces = shop.stores.quarantine.pieces()
    assert pieces[0].raw == b'{"type": 7, "x": "keep me"}'
    assert (pieces[0].field, pieces[0].id) == ("type", "batch[0]")
    assert (pieces[1].person, pieces[1].field) == ("ada", "messageId")
    assert b"Product Viewed" in pieces[1].raw


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"batch": {}}', b'{"batch": 1}', b"{}", b"\xff"])
def test_an_envelope_that_is_none_is_refused_whole_with_the_fix(body: bytes) -> None:
    with pytest.raises(BadInput, match=r'Send \{"batch"'):
        read_batch(body)


def test_a_message_that_is_too_large_is_too_large_and_says_which() -> None:
    with pytest.raises(TooLarge, match=r"batch\[1\] is"):
        read(message(), message(properties={"id": "a", "text": "x" * 40_000}))


# ------------------------------------------------------------------------------------------------------------ what events mean


@pytest.mark.parametrize(
    ("event", "properties", "verb", "items"),
    [
        ("Product Viewed", {"product_id": "a"}, "viewed", ("a",)),
        ("Product Viewed", {"sku": "a", "product_id": "b"}, "viewed", ("b",)),
        ("Order Completed", {"products": [{"product_id": "a"}, {"sku": "b"}]}, "bought", ("a", "b")),
        ("liked", {"item": 7}, "liked", ("7",)),
        ("liked", {"item": True}, "liked", ()),
        ("Product Viewed", {}, "viewed", ()),
        ("Anything Else", {"product_id": "a"}, "", ()),
    ],
)
def test_events_of_the_specification_mean_verbs(
    event: str, properties: dict[str, Any], verb: str, items: tuple[str, ...]
) -> None:
    got, _ = read(message(event=event, properties=properties))
    assert (got[0].verb, got[0].items) == (verb, items)


def test_a_rating_is_a_value_and_a_yes_is_not() -> None:
    got, _ = read(
        *(
            message(event="Product Reviewed", properties={"id": "a", **more})
            for more in ({"rating": 4}, {"value": True}, {"rating": "5"})
        )
    )
    assert [one.value for one in got] == [4.0, None, None]


def test_what_is_kept_is_kept_under_the_entry_that_keeps_its_verb(shop: Shop) -> None:
    send(
        shop,
        message(),
        message(messageId="m2", event="Order Completed"),
        message(messageId="m3", type="identify", traits={"interests": ["sea"]}),
    )
    profile = shop.engine.profile("ada")
    assert [(type(act), act.verb, act.data) for act in profile.observed] == [
        (Interaction, "viewed", "browsing"),
        (Interaction, "bought", "purchases"),
    ]
    assert isinstance(profile.declared["interests"], Told)


def test_what_is_unusable_but_names_somebody_goes_when_they_are_forgotten(shop: Shop) -> None:
    """Also where the name could not be proven, or where something else in the message is wrong."""
    send(shop, message(userId="ada", timestamp="yesterday"), message(userId="ada", messageId="m" * 300))
    send(shop, message(userId="ada"), caller=Caller(trusted=False))
    assert len(shop.stores.quarantine.pieces()) == 3
    for ack in shop.engine.forget("ada"):
        ack.wait()
    assert shop.stores.quarantine.pieces() == []
