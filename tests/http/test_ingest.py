"""Events in: the account adds up to the last message, a bad message costs itself only, and every error says what to do."""

import base64
import gzip
import json
import zlib
from itertools import accumulate
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.api.routes import inflate
from tactful.domain.errors import BadInput, TooLarge
from tests.http.served import Reply, Server, crowd, message, messages_of


def adds_up(account: dict[str, Any]) -> bool:
    """sent = stored + duplicate + quarantined + refused."""
    return bool(account["sent"] == sum(account[name] for name in ("stored", "duplicate", "quarantined", "refused")))


def counts(account: dict[str, Any]) -> tuple[int, int, int, int]:
    """stored, duplicate, quarantined, refused; after a look whether they add up."""
    assert adds_up(account), account
    return account["stored"], account["duplicate"], account["quarantined"], account["refused"]


def is_problem(reply: Reply, status: int, field: str, *words: str) -> None:
    """The reply is an error as RFC 9457 has it, names the field, and says what to do."""
    assert reply.status == status, (reply.status, reply.body[:500])
    assert reply.headers["content-type"].startswith("application/problem+json")
    body = reply.json
    assert body["status"] == status
    assert body["title"]
    assert body.get("field", "") == field, body
    assert body["detail"].endswith(".")
    for word in words:
        assert word in body["detail"], body["detail"]


def raw_batch(*messages: str | bytes | dict[str, Any]) -> bytes:
    """A batch of messages, some of them as they would come from a broken client."""
    plain = [
        json.dumps(one).encode() if isinstance(one, dict) else one.encode() if isinstance(one, str) else one
        for one in messages
    ]
    return b'{"batch":[' + b",".join(plain) + b"]}"


# ------------------------------------------------------------------------------------------------------------- the account


def test_a_mixed_batch_is_accounted_for_to_the_last_message_and_its_retry_changes_nothing(shop: Server) -> None:
    shop.allow("mixed")
    batch = [
        message("mixed", "mixed-1", "walden"),
        message("mixed", "mixed-2", "walden", "Product Clicked"),
        message(
            "mixed",
            "mixed-3",
            "walden",
            "Order Completed",
            properties={"products": [{"product_id": "walden"}, {"product_id": "we"}]},
        ),
        message("nobody-asked-me", "mixed-4", "walden"),
        message("mixed", "mixed-5", ""),
        message("mixed", "mixed-6", "walden", "Something Else Happened"),
        message("mixed", "mixed-7", "walden", timestamp="1970-01-01T00:00:00Z"),
        {
            "type": "track",
            "messageId": "m" * 300,
            "userId": "mixed",
            "event": "viewed",
            "properties": {"item_id": "walden"},
        },
        "not even a message",
    ]
    account = shop.send(*batch)  # type: ignore[arg-type]
    assert account["success"] is True
    assert counts(account) == (3, 0, 4, 2)
    assert len(account["problems"]) == 6
    assert all(problem["why"] for problem in account["problems"])
    again = shop.send(*batch)  # type: ignore[arg-type]
    assert counts(again) == (0, 3, 4, 2)


def test_a_message_that_comes_twice_in_one_batch_is_stored_once(shop: Server) -> None:
    shop.allow("twice")
    one = message("twice", "twice-1", "walden")
    assert counts(shop.send(one, one)) == (1, 1, 0, 0)
    assert counts(shop.send(one, one)) == (0, 2, 0, 0)


def test_a_whole_history_sent_again_and_again_is_all_duplicates(shop: Server) -> None:
    reader = crowd(3)[0]
    sent = messages_of(reader)[:100]
    for _ in range(3):
        assert counts(shop.send(*sent)) == (0, len(sent), 0, 0)


def test_the_same_message_id_of_two_people_is_two_events(shop: Server) -> None:
    for person in ("same-id-a", "same-id-b"):
        shop.allow(person)
    assert counts(shop.send(message("same-id-a", "one-id", "walden"), message("same-id-b", "one-id", "walden"))) == (
        2,
        0,
        0,
        0,
    )


def test_an_empty_batch_is_a_batch(shop: Server) -> None:
    assert counts(shop.send()) == (0, 0, 0, 0)


def test_undeclared_fields_are_stripped_and_counted_by_name(shop: Server) -> None:
    shop.allow("chatty")
    first = message("chatty", "chatty-1", "walden", properties={"item_id": "walden", "gps": [1, 2], "shoe_size": 44})
    second = message("chatty", "chatty-2", "walden", properties={"item_id": "walden", "shoe_size": 44})
    told = {
        "type": "identify",
        "messageId": "chatty-3",
        "userId": "chatty",
        "traits": {"interests": ["sea"], "salary": 1},
    }
    account = shop.send(first, second, told)
    assert counts(account) == (3, 0, 0, 0)
    assert account["stripped"] == {"gps": 1, "shoe_size": 2, "salary": 1}


def test_problems_are_listed_up_to_a_hundred_and_counted_beyond(shop: Server) -> None:
    account = shop.send(*[message("nobody", f"many-{number}", "walden") for number in range(150)])
    assert counts(account) == (0, 0, 0, 150)
    assert len(account["problems"]) == 100


# -------------------------------------------------------------------------------------------- a bad message costs itself only

BAD_MESSAGES: dict[str, str | bytes] = {
    "null": "null",
    "a number": "1",
    "a text": '"viewed"',
    "a list": "[]",
    "nothing in it": "{}",
    "a message id that is a number": '{"messageId":7,"userId":"sturdy","event":"viewed","properties":{"item_id":"walden"}}',
    "a message id of 300 letters": '{"messageId":"%s","userId":"sturdy","event":"viewed","properties":{"item_id":"walden"}}' % ("m" * 300),
    "nobody": '{"messageId":"bad","event":"viewed","properties":{"item_id":"walden"}}',
    "a person who is a list": '{"messageId":"bad","userId":["sturdy"],"event":"viewed","properties":{"item_id":"walden"}}',
    "a person of 300 letters": '{"messageId":"bad","userId":"%s","event":"viewed","properties":{"item_id":"walden"}}' % ("p" * 300),
    "a person who poses as a device": '{"messageId":"bad","userId":"anon:x","event":"viewed","properties":{"item_id":"walden"}}',
    "an event name that is a number": '{"messageId":"bad","userId":"sturdy","event":12,"properties":{"item_id":"walden"}}',
    "properties that are a text": '{"messageId":"bad","userId":"sturdy","event":"viewed","properties":"walden"}',
    "no item": '{"messageId":"bad","userId":"sturdy","event":"viewed"}',
    "an item of 300 letters": '{"messageId":"bad","userId":"sturdy","event":"viewed","properties":{"item_id":"%s"}}' % ("i" * 300),
    "an order with something that is no product": '{"messageId":"bad","userId":"sturdy","event":"bought","properties":{"products":[{"id":"we"},3]}}',
    "a clock of 1970": '{"messageId":"bad","userId":"sturdy","event":"viewed","timestamp":"1970-01-01T00:00:10Z","properties":{"item_id":"walden"}}',
    "a clock of 2100": '{"messageId":"bad","userId":"sturdy","event":"viewed","timestamp":"2100-01-01T00:00:00Z","properties":{"item_id":"walden"}}',
    "a time that is none": '{"messageId":"bad","userId":"sturdy","event":"viewed","timestamp":"yesterday","properties":{"item_id":"walden"}}',
    "the first and the last moment there is": '{"messageId":"bad","userId":"sturdy","event":"viewed","timestamp":"0001-01-01T00:00:00+14:00",'
    '"sentAt":"9999-12-31T23:59:59-14:00","properties":{"item_id":"walden"}}',
    "a value beyond all floats": '{"messageId":"bad","userId":"sturdy","event":"viewed","properties":{"item_id":"walden","value":1e999}}',
    "a value of 400 digits": '{"messageId":"bad","userId":"sturdy","event":"viewed","properties":{"item_id":"walden","value":1%s}}' % ("0" * 400),
    "an item of 5,000 digits": '{"messageId":"bad","userId":"sturdy","event":"viewed","properties":{"item_id":1%s}}' % ("0" * 5000),
    "bytes that are not UTF-8": b'{"messageId":"bad\xff\xfe","userId":"sturdy","event":"viewed","properties":{"item_id":"walden"}}',
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_MESSAGES)
def test_a_bad_message_costs_itself_only_and_is_told_why(shop: Server, what: str) -> None:
    shop.allow("sturdy")
    name = f"sturdy-{what}"
    batch = raw_batch(
        message("sturdy", f"{name}-1", "walden"), BAD_MESSAGES[what], message("sturdy", f"{name}-2", "walden")
    )
    reply = shop.post("/v1/batch", batch)
    assert reply.status == 200, reply.body
    assert counts(reply.json) == (2, 0, 1, 0)
    (problem,) = reply.json["problems"]
    assert problem["what"] == "quarantined"
    assert problem["field"]
    assert problem["why"]


def test_a_number_too_long_to_keep_is_stripped_and_costs_nothing_else(shop: Server) -> None:
    """A trait of 30 digits cannot be kept as a number; the other trait of the message can."""
    shop.allow("long-number")
    long = (
        '{"type":"identify","messageId":"long-1","userId":"long-number","traits":{"interests":1%s,"avoid":["war"]}}'
        % ("0" * 30)
    )
    reply = shop.post("/v1/batch", raw_batch(long, message("long-number", "long-2", "walden")))
    assert reply.status == 200, reply.body
    assert counts(reply.json) == (2, 0, 0, 0)
    assert reply.json["stripped"] == {"interests": 1}


def test_a_text_cut_in_the_middle_of_an_emoji_costs_half_a_character_and_no_message(shop: Server) -> None:
    """JavaScript sends such halves; no text can hold one, so U+FFFD stands in its place."""
    shop.allow("cutter")
    half = '{"messageId":"cut-\\ud83d","userId":"cutter","event":"viewed","properties":{"item_id":"walden"}}'
    assert counts(shop.post("/v1/batch", raw_batch(half, message("cutter", "cut-2", "walden"))).json) == (2, 0, 0, 0)
    assert counts(shop.send(message("cutter", "cut-\ufffd", "walden"))) == (0, 1, 0, 0)


def test_a_batch_nested_a_thousand_deep_is_the_senders_mistake(shop: Server) -> None:
    deep = '{"messageId":"deep","userId":"sturdy","event":"viewed","properties":{"x":%s}}' % ("[" * 5000 + "]" * 5000)
    is_problem(shop.post("/v1/batch", raw_batch(deep)), 400, "body", "nested")


def test_unknown_event_names_are_refused_by_name(shop: Server) -> None:
    shop.allow("inventive")
    account = shop.send(
        message("inventive", "inventive-1", "walden", "Hat Thrown"),
        {"type": "page", "messageId": "inventive-2", "userId": "inventive"},
    )
    assert counts(account) == (0, 0, 0, 2)
    assert "'Hat Thrown'" in account["problems"][0]["why"]
    assert "'page'" in account["problems"][1]["why"]


def test_a_wrong_clock_is_put_right_by_when_it_was_sent(shop: Server) -> None:
    """A client that believes it is 1970 says when it sent, so that its offset is known; so does one that believes it is 2100."""
    shop.allow("clockless")
    for year in ("1970", "2100"):
        wrong = message(
            "clockless",
            f"clock-{year}",
            "walden",
            originalTimestamp=f"{year}-01-01T00:00:10Z",
            sentAt=f"{year}-01-01T00:00:20Z",
        )
        assert counts(shop.send(wrong)) == (1, 0, 0, 0)


IDS = [
    "\N{WHALE}\N{BUTTERFLY}",
    "\u05e2\u05d1\u05e8\u05d9\u05ea-\u200f123",
    "\u202eoverride",
    "日本語",
    "a b\tc",
    "x" * 256,
    "nul\u0000led",
    "\u00e9",
    "e\u0301",
]


@pytest.mark.parametrize("person", IDS)
def test_ids_in_any_writing_are_ids(shop: Server, person: str) -> None:
    body = {"dial": "remember", "purposes": {"personalise": True}}
    assert shop.call("PUT", f"/v1/consent/{quote(person)}", body).status == 200
    account = shop.send(message(person, f"id-{person}"[:256], "🐋"))
    assert counts(account) == (1, 0, 0, 0)
    assert counts(shop.send(message(person, f"id-{person}"[:256], "🐋"))) == (0, 1, 0, 0)


# --------------------------------------------------------------------------------------------------------------- who may


def test_a_public_key_cannot_speak_for_a_known_person_without_their_token(shop: Server) -> None:
    shop.allow("known")
    token = shop.token("known")
    account = shop.send(message("known", "claim-1", "walden"), headers=shop.as_browser())
    assert counts(account) == (0, 0, 1, 0)
    assert account["problems"][0]["field"] == "userId"
    assert "token" in account["problems"][0]["why"]
    assert counts(shop.send(message("known", "claim-1", "walden"), headers=shop.as_browser(token))) == (1, 0, 0, 0)
    somebody_else = shop.token("somebody-else")
    assert counts(shop.send(message("known", "claim-2", "walden"), headers=shop.as_browser(somebody_else))) == (
        0,
        0,
        1,
        0,
    )


def test_what_a_device_did_under_a_claimed_name_stays_the_devices(shop: Server) -> None:
    """It is attached to nobody known: the device has its own consent, and here it has given none."""
    shop.allow("claimed")
    account = shop.send(message("claimed", "device-1", "walden", anonymousId="device-7"), headers=shop.as_browser())
    assert counts(account) == (0, 0, 0, 1)
    shop.allow("anon:device-7")
    assert counts(
        shop.send(message("claimed", "device-1", "walden", anonymousId="device-7"), headers=shop.as_browser())
    ) == (1, 0, 0, 0)
    assert counts(shop.send(message("claimed", "device-1", "walden"))) == (1, 0, 0, 0), (
        "so the claimed person did not have it"
    )


def test_no_key_or_a_wrong_one_is_401_and_says_where_keys_go(shop: Server) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic !!!"}, {"Authorization": ""}):
        for path, body in (("/v1/batch", {"batch": []}), ("/v1/decide", {"placements": ["home"]})):
            reply = shop.post(path, body, headers)
            is_problem(reply, 401, "", "Authorization: Bearer", "tactful init")
            assert reply.headers["www-authenticate"] == "Bearer"


def test_the_key_may_come_as_segments_clients_send_it(shop: Server) -> None:
    basic = base64.b64encode(f"{shop.keys['public']}:".encode()).decode()
    assert shop.post("/v1/batch", {"batch": []}, {"Authorization": f"Basic {basic}"}).status == 200
    assert shop.post("/v1/batch", {"batch": [], "writeKey": shop.keys["public"]}, {}).status == 200


def test_a_public_key_lacks_the_scopes_of_a_server(shop: Server) -> None:
    public = shop.as_browser()
    is_problem(shop.post("/v1/items", {"items": []}, public), 403, "", "scope 'items'", "secret key")
    is_problem(shop.post("/v1/tokens", {"person": "known"}, public), 403, "", "scope 'admin'")
    is_problem(shop.call("PUT", "/v1/consent/known", {"dial": "off"}, public), 403, "", "scope 'consent'")
    is_problem(shop.call("DELETE", "/v1/people/known", None, public), 403, "", "scope 'admin'")


def test_a_forged_or_foreign_or_outdated_token_is_403_and_says_where_to_get_one(shop: Server) -> None:
    good = shop.token("known")
    forged = good[:-4] + ("aaaa" if not good.endswith("aaaa") else "bbbb")
    for token in (forged, "no.token.atall", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJrbm93biJ9."):
        is_problem(shop.post("/v1/batch", {"batch": []}, shop.as_browser(token)), 403, "", "POST /v1/tokens")


# ---------------------------------------------------------------------------------------------------------- broken bodies


@pytest.mark.parametrize(
    ("body", "field", "word"),
    [
        (b"", "body", "not JSON"),
        (b"{", "body", "not JSON"),
        (b'{"batch":[{]}', "body", "not JSON"),
        (b"\xff\xfe", "body", "not JSON"),
        (b"[]", "batch", "array"),
        (b"null", "batch", "null"),
        (b"{}", "batch", "batch"),
        (b'{"batch":{}}', "batch", "object"),
        (b'{"batch":"viewed"}', "batch", "str"),
    ],
)
def test_a_body_that_is_no_batch_is_400_and_shows_what_one_is(shop: Server, body: bytes, field: str, word: str) -> None:
    is_problem(shop.post("/v1/batch", body), 400, field, word, '{"batch": [message, ...]}')


def test_a_huge_body_is_400_as_the_specification_asks_and_nothing_of_it_is_kept(shop: Server) -> None:
    shop.allow("huge")
    padding = "x" * 30_000
    batch = [
        message("huge", f"huge-{number}", "walden", properties={"item_id": "walden", "note": padding})
        for number in range(20)
    ]
    is_problem(shop.post("/v1/batch", {"batch": batch}), 400, "body", "512,000", "smaller")
    assert counts(shop.send(batch[0])) == (1, 0, 0, 0)


def test_a_body_beyond_all_limits_is_400_as_well(shop: Server) -> None:
    is_problem(shop.post("/v1/batch", b" " * 21_000_000), 400, "body", "smaller")


def test_a_catalogue_of_15_megabytes_is_taken(shop: Server, tmp_path: object) -> None:
    """The setting says 20 MB; no layer below may say less."""
    body = json.dumps({"items": []}).encode() + b" " * 15_000_000
    assert shop.post("/v1/items", body).json["stored"] == 0


def test_a_huge_event_is_400_names_it_and_nothing_of_the_batch_is_kept(shop: Server) -> None:
    shop.allow("heavy")
    small = message("heavy", "heavy-1", "walden")
    big = message("heavy", "heavy-2", "walden", properties={"item_id": "walden", "note": "x" * 40_000})
    is_problem(shop.post("/v1/batch", {"batch": [small, big]}), 400, "batch[1]", "32,768", "smaller")
    assert counts(shop.send(small)) == (1, 0, 0, 0)


def test_a_gzip_bomb_is_400_and_never_unpacked_whole(shop: Server) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([packer.compress(b" " * 10_000_000) for _ in range(10)]) + packer.flush()  # 100 MB in 100 kB
    assert len(bomb) < 200_000
    is_problem(shop.post("/v1/batch", bomb), 400, "body", "smaller")


def test_gzip_is_told_by_its_bytes_whatever_the_label_says(shop: Server) -> None:
    shop.allow("zipped")
    plain = json.dumps({"batch": [message("zipped", "zipped-1", "walden")]}).encode()
    labelled = {**shop.as_server(), "Content-Encoding": "gzip"}
    assert counts(shop.post("/v1/batch", gzip.compress(plain), labelled).json) == (1, 0, 0, 0)
    assert counts(shop.post("/v1/batch", gzip.compress(plain)).json) == (0, 1, 0, 0)
    assert counts(shop.post("/v1/batch", plain, labelled).json) == (0, 1, 0, 0)


def test_broken_gzip_is_400(shop: Server) -> None:
    is_problem(shop.post("/v1/batch", b"\x1f\x8b" + b"nonsense" * 10), 400, "body", "gzip")
    is_problem(shop.post("/v1/batch", gzip.compress(b'{"batch":[]}' + b" " * 1000)[:20]), 400, "body")


def test_gzip_in_several_members_is_read_to_its_end(shop: Server) -> None:
    """As `cat a.gz b.gz` and some loggers make it (RFC 1952, section 2.2)."""
    lines = [json.dumps({"id": f"member-{number}", "title": "Member"}).encode() + b"\n" for number in range(3)]
    headers = {**shop.as_server(), "Content-Type": "application/x-ndjson"}
    zipped = b"".join(map(gzip.compress, lines))
    assert shop.post("/v1/items", zipped, headers).json["stored"] == 3
    assert shop.post("/v1/items", zipped + b"\0" * 512, headers).json["stored"] == 3  # padding, as tapes have it


@pytest.mark.parametrize("spoilt", ["cut", "cut in the second", "followed by something else"])
def test_gzip_that_is_not_whole_is_refused_and_nothing_of_it_is_kept(shop: Server, spoilt: str) -> None:
    lines = b"".join(json.dumps({"id": f"torn-{n}", "title": str(n)}).encode() + b"\n" for n in range(50))
    zipped = gzip.compress(lines)
    sent = {
        "cut": zipped[:-6],
        "cut in the second": zipped + zipped[:-4],
        "followed by something else": zipped + lines,
    }[spoilt]
    headers = {**shop.as_server(), "Content-Type": "application/x-ndjson"}
    before = shop.get("/healthz").json["items"]
    is_problem(shop.post("/v1/items", sent, headers), 400, "body", "gzip")
    assert shop.get("/healthz").json["items"] == before


def test_gzip_in_far_too_many_members_is_refused_before_it_costs_anything() -> None:
    with pytest.raises(BadInput, match="5,000 pieces"):
        inflate(gzip.compress(b"") * 5_000, 1_000)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.integers(0, 1000), st.data())
def test_inflating_gives_all_that_was_zipped_or_says_why_not(
    parts: list[bytes], most: int, data: st.DataObject
) -> None:
    zipped, whole = b"".join(map(gzip.compress, parts)), b"".join(parts)
    if len(whole) > most:
        with pytest.raises(TooLarge):
            inflate(zipped, most)
    else:
        assert inflate(zipped, most) == whole
    ends = list(accumulate(len(gzip.compress(part)) for part in parts))
    cut = data.draw(st.integers(2, len(zipped)).filter(lambda at: at not in ends))
    with pytest.raises((BadInput, TooLarge)):
        inflate(zipped[:cut], most)


# ------------------------------------------------------------------------------------------------------------------ items


def test_a_wrong_item_is_named_and_none_of_the_batch_is_put(shop: Server) -> None:
    before = shop.get("/healthz").json["items"]
    good = {"id": "good-item", "title": "Good"}
    for bad, field, word in (
        ({"id": 7, "title": "x"}, "items[1].id", "str"),
        ({"id": "", "title": "x"}, "items[1].id", "empty"),
        ({"title": "x"}, "items[1].id", "missing"),
        ({"id": "x", "titel": "x"}, "items[1].titel", "unknown field"),
        (
            {"id": "x", "title": "x", "variants": [{"id": "v", "titel": "x"}]},
            "items[1].variants[0].titel",
            "unknown field",
        ),
        (["x"], "items[1]", "array"),
        ({"id": "x", "title": "x", "audience": "cats"}, "items[1].audience", "children"),
        ({"id": "x", "title": "x", "attributes": {"isbn": 10**30}}, "items[1].attributes.isbn", "64 bits"),
        ({"id": "x", "title": "x", "stock": 10**30}, "items[1].stock", "64 bits"),
        ({"id": "x", "title": "x", "vectors": {"text": [1e39]}}, "items[1].vectors.text", "32 bits"),
        ({"id": "x", "title": "x", "price": {"amount": "much"}}, "items[1].price.amount", ""),
    ):
        is_problem(shop.post("/v1/items", {"items": [good, bad]}), 400, field, word)
    for broken, word in (
        (b"{", ""),
        (b"[]", "array"),
        (b'{"items":3}', "array"),
        (b'{"items":' + b"[" * 3000, "nested"),
    ):
        is_problem(shop.post("/v1/items", broken), 400, "items", word, '{"items": [item, ...]}')
    assert shop.get("/healthz").json["items"] == before
