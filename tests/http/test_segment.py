"""The doors of the Segment protocol: every address that a client calls, with its habits; replayed by hand as the real ones were recorded."""

import base64
import gzip
import itertools
import json
import time
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.api.segment import BATCHES, SINGLES
from tests.http.served import Server, message, moment
from tests.http.test_ingest import adds_up, counts, is_problem
from tests.http.test_segment_clients import done_by, told_by

DAY = 86_400_000
NOW = time.time_ns() // 1_000_000
ORIGIN = {"Origin": "https://shop.example"}
NUMBERS = itertools.count()
"""Batches that must be new to the server take the next one."""
VIEWED = {"event": "Product Viewed", "properties": {"product_id": "walden"}}


def basic(key: str) -> dict[str, str]:
    """The header as Segment's clients make it: the key as user name, no password."""
    return {"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}


# ------------------------------------------------------------------------------------------------------------------ addresses


@pytest.mark.parametrize("path", BATCHES)
def test_every_address_of_batches_takes_one(mapped: Server, path: str) -> None:
    person = f"batch{path.replace('/', '-')}"
    mapped.allow(person)
    body = {"batch": [message(person, "one", "walden"), {"broken": 7, "type": 7}], "sentAt": moment(NOW)}
    reply = mapped.post(path, body)
    assert counts(reply.json) == (1, 0, 1, 0)
    assert set(done_by(mapped, person)) == {("viewed", "walden")}
    assert mapped.post(f"{path}/", body).json["duplicate"] == 1, "with a slash at the end as well"


@pytest.mark.parametrize("path", SINGLES)
def test_every_address_of_one_message_takes_it_by_the_type_that_it_names(mapped: Server, path: str) -> None:
    kind, person = SINGLES[path], f"single{path.replace('/', '-')}"
    mapped.allow(person)
    sent = {
        "track": {**VIEWED}, "identify": {"traits": {"interests": ["sea"]}},
        "page": {"name": "Book Page", "properties": {"product_id": "walden"}},
        "screen": {"name": "Book Page", "properties": {"product_id": "walden"}},
        "group": {"groupId": "g", "traits": {"interests": ["golf"]}}, "alias": {"previousId": f"{person}-before"},
    }[kind]  # fmt: skip
    reply = mapped.post(path, {**sent, "userId": person, "messageId": "one", "integrations": {"All": False}})
    assert reply.status == 200, reply.body
    assert reply.json["sent"] == 1
    assert reply.json["quarantined"] == 0
    assert adds_up(reply.json)
    if kind in ("track", "page", "screen"):
        assert set(done_by(mapped, person)) == {("viewed", "walden")}
    else:
        assert done_by(mapped, person) == {}
    assert told_by(mapped, person) == ({"interests": ["sea"]} if kind == "identify" else {})


def test_one_message_that_is_malformed_is_quarantined_and_that_is_no_error(mapped: Server) -> None:
    for body, field in (
        ({"userId": ["x"]}, "userId"),
        ({**VIEWED}, "userId"),
        ({"userId": "x", "event": "viewed"}, "properties.product_id"),
    ):
        reply = mapped.post("/v1/track", body)
        assert counts(reply.json) == (0, 0, 1, 0)
        assert reply.json["problems"][0]["field"] == field
    is_problem(mapped.post("/v1/track", b"{"), 400, "body", "not JSON", '"event"')
    is_problem(mapped.post("/v1/t", b"[]"), 400, "body", "object")


# ------------------------------------------------------------------------------------------------------------------ keys


def test_the_key_may_be_in_the_body_or_the_header_and_for_a_beacon_in_the_address(mapped: Server) -> None:
    key = mapped.keys["public"]
    nothing: dict[str, Any] = {"batch": []}
    for path in (*BATCHES, "/v1/track"):
        body = nothing if path != "/v1/track" else {"anonymousId": "keyed", **VIEWED}
        for headers in (basic(key), {"Authorization": f"Bearer {key}"}):
            assert mapped.post(path, body, headers).status == 200
        assert mapped.post(path, {**body, "writeKey": key}, {}).status == 200
        for junk in (None, 7, ""):
            assert mapped.post(path, {**body, "writeKey": junk}, basic(key)).status == 200
        is_problem(mapped.post(path, body, {}), 401, "", "writeKey")
        is_problem(mapped.post(path, {**body, "writeKey": "wrong"}, {}), 401, "", "writeKey")
    assert mapped.post(f"/beacon/v1/batch?writeKey={key}", nothing, {}).status == 200
    is_problem(mapped.post("/beacon/v1/batch?writeKey=wrong", nothing, {}), 401, "", "writeKey")
    is_problem(mapped.post(f"/v1/batch?writeKey={key}", nothing, {}), 401, "", "writeKey")


def test_a_beacon_brings_events_without_any_header(mapped: Server) -> None:
    mapped.allow("anon:beacon-device")
    body = {
        "batch": [
            {
                "anonymousId": "beacon-device",
                "userId": "",
                "messageId": "b1",
                "type": "track",
                "channel": "web",
                **VIEWED,
            }
        ]
    }
    reply = mapped.post(
        f"/beacon/v1/batch?writeKey={mapped.keys['public']}", json.dumps(body).encode(), {"Content-Type": "text/plain"}
    )
    assert counts(reply.json) == (1, 0, 0, 0)


def test_rudderstacks_header_names_the_device_of_messages_that_name_none(mapped: Server) -> None:
    mapped.allow("anon:in-header")
    named = {**basic(mapped.keys["public"]), "AnonymousId": base64.b64encode(b"in-header").decode()}
    assert counts(mapped.post("/v1/track", {**VIEWED, "messageId": "h1"}, named).json) == (1, 0, 0, 0)
    assert counts(mapped.post("/v1/track", {**VIEWED, "messageId": "h1", "anonymousId": None}, named).json) == (
        0,
        1,
        0,
        0,
    )
    other = mapped.post("/v1/track", {**VIEWED, "messageId": "h1", "anonymousId": "not-in-header"}, named).json
    assert counts(other) == (0, 0, 0, 1), "the message's own device comes first"
    for broken in ("%%%", "/w==", "é"):
        reply = mapped.post(
            "/v1/track", {**VIEWED, "messageId": "h2"}, {**basic(mapped.keys["public"]), "AnonymousId": broken}
        )
        assert counts(reply.json) == (0, 0, 1, 0)


# ----------------------------------------------------------------------------------------------------------- other origins


@pytest.mark.parametrize("path", [*BATCHES, *SINGLES, "/v1/projects/any/settings", "/sourceConfig/"])
def test_pages_of_any_origin_may_call_and_read_what_they_need_but_never_with_cookies(mapped: Server, path: str) -> None:
    method = "GET" if "ettings" in path or "Config" in path else "POST"
    asked = {
        **ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "anonymousid,authorization,content-type,sentat",
    }
    before = mapped.call("OPTIONS", path, None, asked)
    allowed = {name.strip().lower() for name in before.headers["access-control-allow-headers"].split(",")}
    assert before.status == 204
    assert {"authorization", "content-type", "anonymousid", "sentat", "x-person-token"} <= allowed
    assert method in before.headers["access-control-allow-methods"]
    answers = [before, mapped.call(method, path, None if method == "GET" else {}, {**ORIGIN})]
    assert answers[1].status in (400, 401), "a page may read what was wrong, too"
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["access-control-expose-headers"] == "Retry-After"


def test_doors_for_servers_are_for_servers(mapped: Server) -> None:
    for path, method in (
        ("/v1/items", "POST"),
        ("/v1/tokens", "POST"),
        ("/v1/consent/x", "PUT"),
        ("/v1/people/x", "DELETE"),
    ):
        asked = {**ORIGIN, "Access-Control-Request-Method": method}
        for answer in (mapped.call("OPTIONS", path, None, asked), mapped.call(method, path, {}, {**ORIGIN})):
            assert "access-control-allow-origin" not in answer.headers, path


# ----------------------------------------------------------------------------------------------------------- asked for first


def test_segments_client_is_told_to_send_here_and_nowhere_else(mapped: Server) -> None:
    key = mapped.keys["public"]
    told = mapped.get(f"/v1/projects/{key}/settings", {}).json
    assert list(told["integrations"]) == ["Segment.io"]
    here = told["integrations"]["Segment.io"]
    assert (here["apiKey"], here["apiHost"], here["protocol"]) == (key, f"127.0.0.1:{mapped.port}/v1", "http")
    for said, heard in (("https", "https"), ("https, http", "https"), ("javascript", "http")):
        behind = mapped.get(f"/v1/projects/{key}/settings", {"X-Forwarded-Proto": said}).json
        assert behind["integrations"]["Segment.io"]["protocol"] == heard
    is_problem(mapped.get("/v1/projects/wrong/settings", {}), 401, "", "key")


def test_rudderstacks_client_is_told_that_the_source_is_there_and_wants_nothing_else(mapped: Server) -> None:
    key = mapped.keys["public"]
    for path, headers in ((f"/sourceConfig/?p=npm&v=3&writeKey={key}", {}), ("/sourceConfig?p=npm", basic(key))):
        reply = mapped.get(path, headers)
        source = reply.json["source"]
        assert reply.headers["content-type"] == "application/json"
        assert (source["enabled"], source["destinations"], source["dataplanes"]) == (True, [], {})
        assert source["config"]["statsCollection"] == {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    is_problem(mapped.get("/sourceConfig/?writeKey=wrong", {}), 401, "", "key")


# -------------------------------------------------------------------------------------------------------------------- bodies


def test_a_body_is_told_by_its_content_whatever_the_label_says(mapped: Server) -> None:
    mapped.allow("labelled")
    plain = json.dumps({"batch": [message("labelled", "l1", "walden")]}).encode()
    forms = (plain, gzip.compress(plain), quote_plus(plain).encode(), b"data=" + quote_plus(plain).encode())
    labels = (
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "application/json",
        "multipart/form-data",
        "nonsense",
        "",
    )
    first = True
    for body in forms:
        for label in labels:
            reply = mapped.post("/v1/batch", body, {**mapped.as_server(), "Content-Type": label})
            assert reply.status == 200, (label, body[:20], reply.body)
            assert counts(reply.json) == ((1, 0, 0, 0) if first else (0, 1, 0, 0))
            first = False


def batch_of(size: int, **more: Any) -> dict[str, Any]:
    """A batch of so many bytes, in messages of 20 kB."""
    one = {"type": "track", "userId": "big", **more, **VIEWED}
    return {
        "batch": [
            {**one, "messageId": f"big-{number}", "context": {"pad": "x" * 20_000}} for number in range(size // 20_000)
        ]
    }


def test_rudderstacks_batches_may_be_larger_than_segments(mapped: Server) -> None:
    is_problem(mapped.post("/v1/batch", batch_of(700_000)), 400, "body", "512,000", "smaller batches")
    assert mapped.post("/v1/batch", batch_of(450_000)).status == 200
    for big in (700_000, 3_900_000):
        body = json.dumps(batch_of(big, channel="server")).encode()
        assert mapped.post("/v1/batch", body).status == 200
        assert mapped.post("/v1/batch", gzip.compress(body, 1)).status == 200
    body = json.dumps(batch_of(4_600_000, channel="server")).encode()
    for sent in (body, gzip.compress(body, 1)):
        is_problem(mapped.post("/v1/batch", sent), 400, "body", "4,194,304", "smaller batches")


def test_an_event_that_is_too_large_is_400_at_each_door(mapped: Server) -> None:
    heavy = {"userId": "heavy", **VIEWED, "context": {"pad": "x" * 33_000}}
    is_problem(mapped.post("/v1/batch", {"batch": [heavy]}), 400, "batch[0]", "32,768", "smaller properties")
    is_problem(mapped.post("/v1/track", heavy), 400, "batch[0]", "32,768", "smaller properties")
    is_problem(mapped.post("/v1/track", b" " * 600_000), 400, "body", "512,000")
    assert mapped.post("/v1/track", {**heavy, "context": {"pad": "x" * 30_000}}).status == 200


# ------------------------------------------------------------------------------------------------------ what becomes of messages


def test_a_message_without_an_id_is_kept_once_however_often_it_is_sent(mapped: Server) -> None:
    mapped.allow("nameless")
    at = moment(NOW - DAY)
    for sent_at, expected in ((NOW, (1, 0, 0, 0)), (NOW + 5000, (0, 1, 0, 0)), (NOW + 9000, (0, 1, 0, 0))):
        body = {"batch": [{"userId": "nameless", "timestamp": at, **VIEWED}]}
        shifted = {"sentAt": moment(sent_at)}  # each try says anew when it was sent
        assert counts(mapped.post("/v1/batch", {**body, **shifted}).json) == expected
        retried = mapped.post("/v1/track", {"userId": "nameless", "timestamp": at, **VIEWED, **shifted})
        assert counts(retried.json) == (0, 1, 0, 0), "through another door as well"
    other = {"userId": "nameless", "timestamp": moment(NOW - DAY + 1000), **VIEWED}
    assert counts(mapped.post("/v1/track", other).json) == (1, 0, 0, 0)


def test_a_search_for_nothing_in_the_catalogue_is_refused_in_clear_words_and_one_that_names_items_is_kept(
    mapped: Server,
) -> None:
    mapped.allow("seeker")
    searched = {"event": "Products Searched", "userId": "seeker"}
    account = mapped.send(
        {**searched, "messageId": "s1", "properties": {"query": "pond"}},
        {**searched, "messageId": "s2", "properties": {"query": "pond", "products": [{"product_id": "walden"}]}},
        {"event": "searched", "userId": "seeker", "messageId": "s3", "properties": {"query": "pond"}},
    )
    assert counts(account) == (1, 0, 0, 2)
    assert {problem["what"] for problem in account["problems"]} == {"refused"}
    assert "'Products Searched without an item'" in account["problems"][0]["why"]
    assert set(done_by(mapped, "seeker")) == {("searched", "walden")}


def test_the_installations_own_names_count(mapped: Server) -> None:
    mapped.allow("moviegoer")
    film = {"film_id": "walden"}
    account = mapped.send(
        {"userId": "moviegoer", "messageId": "o1", "event": "Film Finished", "properties": film},
        {"userId": "moviegoer", "messageId": "o2", "event": "Product Shared", "properties": film},
        {"userId": "moviegoer", "messageId": "o3", "type": "screen", "name": "Book Page", "properties": film},
        {"userId": "moviegoer", "messageId": "o4", "type": "page", "name": "Home", "properties": film},
    )
    assert counts(account) == (2, 0, 0, 2)
    assert set(done_by(mapped, "moviegoer")) == {("finished", "walden"), ("viewed", "walden")}


def test_what_an_event_or_its_batch_says_of_consent_narrows_what_it_is_kept_for(mapped: Server) -> None:
    mapped.allow("choosy")

    def sent(name: str, context: object, of_batch: object = None) -> tuple[int, int, int, int]:
        one = {"userId": "choosy", "messageId": name, "context": context, **VIEWED}
        return counts(mapped.post("/v1/batch", {"batch": [one], "context": of_batch}).json)

    def preferring(**categories: bool) -> dict[str, Any]:
        return {"consent": {"categoryPreferences": categories}}

    assert sent("c1", preferring(Advertising=True)) == (1, 0, 0, 0)
    assert sent("c2", preferring(Advertising=False)) == (0, 0, 0, 1)
    assert sent("c3", None, preferring(Advertising=False)) == (0, 0, 0, 1)
    assert sent("c4", preferring(Functional=True), preferring(Advertising=False)) == (1, 0, 0, 0)
    assert sent("c5", {"consentManagement": {"deniedConsentIds": ["Functional"]}}) == (0, 0, 0, 1)
    assert sent("c6", preferring(Functional=True, Advertising=False)) == (1, 0, 0, 0)
    from tactful.cli.opening import opened

    with opened(mapped.home) as (_, engine):
        kept = {act.id: act.purposes for act in engine.profile("choosy").observed}
    assert kept == {"c1": ("personalise",), "c4": ("personalise", "learn"), "c6": ("learn",)}


def test_what_the_person_answers_in_the_consent_tool_counts_from_the_next_event(mapped: Server) -> None:
    """A device answers for itself with the public key; nobody answers for a known person without proof."""
    public, viewed = basic(mapped.keys["public"]), {"anonymousId": "answering", **VIEWED}

    def answer(name: str, **categories: bool) -> dict[str, Any]:
        said = {"anonymousId": "answering", "event": "Segment Consent Preference Updated", "messageId": name}
        return {**said, "properties": {"categoryPreferences": categories}}

    assert counts(mapped.post("/v1/t", {**viewed, "messageId": "v1"}, public).json) == (0, 0, 0, 1)
    assert counts(mapped.post("/v1/t", answer("a1", Advertising=True, Weather=True), public).json) == (1, 0, 0, 0)
    assert counts(mapped.post("/v1/t", answer("a1", Advertising=True, Weather=True), public).json) == (0, 1, 0, 0)
    consent = mapped.get("/v1/consent/anon:answering", mapped.as_server()).json
    assert (consent["granted"], consent["dial"]) == (["personalise"], "remember")
    assert counts(mapped.post("/v1/t", {**viewed, "messageId": "v2"}, public).json) == (1, 0, 0, 0)
    both = {"batch": [answer("a2", Advertising=False), {**viewed, "messageId": "v3", "type": "track"}]}
    assert counts(mapped.post("/v1/batch", both, public).json) == (1, 0, 0, 1), "within one batch as well"
    assert counts(mapped.post("/v1/t", answer("a3", Weather=False), public).json) == (0, 0, 0, 1)
    claimed = {**answer("a4", Advertising=True), "anonymousId": None, "userId": "somebody-known"}
    assert counts(mapped.post("/v1/t", claimed, public).json) == (0, 0, 1, 0)
    assert mapped.get("/v1/consent/somebody-known", mapped.as_server()).json["version"] == 0


def test_who_proves_to_be_a_person_brings_what_their_device_did_along(mapped: Server) -> None:
    """A visit, then a login by which the page gets a token, then an old name that only the server may join."""
    person, public = "arriving", basic(mapped.keys["public"])
    mapped.allow(person)
    mapped.allow("anon:arrivals-phone")
    visit = {"anonymousId": "arrivals-phone", "messageId": "p1", **VIEWED}
    assert counts(mapped.post("/v1/t", visit, public).json) == (1, 0, 0, 0)
    login = {"userId": person, "anonymousId": "arrivals-phone", "messageId": "p2", "traits": {"interests": ["sea"]}}
    mapped.post("/v1/i", login, public)
    assert done_by(mapped, person) == {}, "the claim alone proves nothing"
    mapped.post("/v1/i", {**login, "messageId": "p3"}, {**public, "X-Person-Token": mapped.token(person)})
    assert set(done_by(mapped, person)) == {("viewed", "walden")}
    mapped.allow("arriving-before")
    before = {"userId": "arriving-before", "messageId": "p4", "event": "liked", "properties": {"id": "we"}}
    joined = {"userId": person, "previousId": "arriving-before", "messageId": "p5"}
    assert counts(mapped.post("/v1/t", before).json) == (1, 0, 0, 0)
    mapped.post("/v1/a", joined, {**public, "X-Person-Token": mapped.token(person)})
    assert ("liked", "we") not in done_by(mapped, person), "who is one person has not proven to be another"
    assert counts(mapped.post("/v1/a", {**joined, "messageId": "p6"}).json) == (1, 0, 0, 0)
    assert set(done_by(mapped, person)) == {("viewed", "walden"), ("liked", "we")}


@given(st.lists(st.sampled_from(["good", "repeated", "unwanted", "unread", "unusable", "claimed"]), max_size=12))
def test_bad_messages_among_good_ones_cost_themselves_only(mapped: Server, kinds: list[str]) -> None:
    mapped.allow("among")
    made = {
        "good": lambda name: message("among", name, "walden"),
        "repeated": lambda name: message("among", "among-always", "walden"),
        "unwanted": lambda name: message("among", name, "walden", "Hat Thrown"),
        "unread": lambda name: {"userId": {}, "messageId": name},
        "unusable": lambda name: message("among", name, ""),
        "claimed": lambda name: {"userId": "anon:among", "messageId": name, **VIEWED},
    }
    mapped.send(made["repeated"](""))
    batch_number = next(NUMBERS)
    batch = [made[kind](f"among-{batch_number}-{number}") for number, kind in enumerate(kinds)]
    first, again = mapped.send(*batch), mapped.send(*batch)
    good, repeated, unwanted = (kinds.count(kind) for kind in ("good", "repeated", "unwanted"))
    bad = len(kinds) - good - repeated - unwanted
    assert first["sent"] == again["sent"] == len(kinds)
    assert counts(again) == (0, good + repeated, bad, unwanted)
    assert counts(first) == (good, repeated, bad, unwanted)
