"""Gorse's own client, pygorse as it comes, with nothing changed but the address and the key."""

import asyncio
import http.client
import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from gorse import AsyncGorse, Gorse, GorseException

from tests.http.served import Reply, Server

NAMES = itertools.count()


@pytest.fixture
def gorse(moved: Server) -> Gorse:
    """The client, with the key of an operator who vouches."""
    return client(moved)


def client(server: Server, key: str = "moved") -> Gorse:
    """The client as its documentation makes it. key: one of the server's."""
    return Gorse(f"http://127.0.0.1:{server.port}", server.keys[key], timeout=20)


def now() -> str:
    """A time, as its documentation writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def feedback(user: str, item: str, what: str = "read", when: str | None = None, **more: Any) -> dict[str, Any]:
    """One piece of feedback."""
    return {"FeedbackType": what, "UserId": user, "ItemId": item, "Timestamp": now() if when is None else when, **more}


def ids(scored: list[Any]) -> list[str]:
    """Ids of what came back."""
    return [one.id if hasattr(one, "id") else one["Id"] for one in scored]


def ask(server: Server, method: str, path: str, body: object = None, key: str = "moved") -> Reply:
    """A request that the client has no method for."""
    return server.call(method, path, body, {"X-API-Key": server.keys[key]})


# ------------------------------------------------------------------------------------------------------------ feedback


def test_feedback_counts_in_the_very_next_recommendation(gorse: Gorse) -> None:
    before = ids(gorse.get_recommend("bob", n=10))
    assert len(before) == 10
    assert gorse.insert_feedback("read", "bob", "walden", now()) == {"RowAffected": 1, "account": whole(1, stored=1)}
    reply = gorse.insert_feedbacks([feedback("bob", "emma", "star"), feedback("bob", "we", "rating", Value=4)])
    assert reply["RowAffected"] == 2
    after = ids(gorse.get_recommend("bob", n=10))
    assert after != before
    assert "we" not in after  # rated, so the person has it


def whole(sent: int, **counts: int) -> dict[str, Any]:
    """An account without problems."""
    none: dict[str, Any] = {"stripped": {}, "problems": [], "unmapped": {}}
    return {"sent": sent, "stored": 0, "duplicate": 0, "quarantined": 0, "refused": 0, **none, **counts}


def test_one_bad_piece_costs_itself_only(gorse: Gorse) -> None:
    pieces: list[Any] = [
        feedback("mix", "walden"),
        feedback("mix", "emma", when="the day before yesterday"),
        feedback("mix", "emma", what="teleport"),
        {"FeedbackType": "read", "UserId": "mix"},
        "not even an object",
        feedback("anon:mix", "emma"),
        feedback("mix", "we", what="fork"),
        feedback("mix", "emma", when="1969-07-20"),
    ]
    reply = gorse.insert_feedbacks(pieces)
    account = reply["account"]
    assert reply["RowAffected"] == 2
    counts = {name: account[name] for name in ("sent", "stored", "duplicate", "quarantined", "refused")}
    assert counts == {"sent": 8, "stored": 2, "duplicate": 0, "quarantined": 5, "refused": 1}
    assert account["unmapped"] == {"teleport": 1}
    named = {problem["event"]: problem.get("field") for problem in account["problems"]}
    assert named["feedback[1]"] == "Timestamp"
    assert named["feedback[3]"] == "ItemId"
    assert named["feedback[5]"] == "UserId"


def test_the_same_feedback_counts_once_and_at_another_time_again(gorse: Gorse) -> None:
    first, later = feedback("same", "walden", when="2026-01-01"), feedback("same", "walden", when="2026-01-02T10:00:00+01:00")  # fmt: skip
    assert [gorse.insert_feedbacks([one])["RowAffected"] for one in (first, first, later, later)] == [1, 0, 1, 0]
    timeless = {"FeedbackType": "read", "UserId": "same", "ItemId": "emma", "Timestamp": ""}
    assert [gorse.insert_feedbacks([timeless])["RowAffected"] for _ in range(2)] == [1, 0]


def test_times_as_clients_of_all_kinds_write_them(gorse: Gorse) -> None:
    times = ("2022-02-24", "2022/02/24", "2022-02-24T01:02:03Z", "2022-02-24 01:02:03", "2022-02-24 01:02:03.123456789 +0000 UTC", "0001-01-01T00:00:00Z")  # fmt: skip
    pieces = [feedback("clock", "walden", when=time) for time in times]
    assert gorse.insert_feedbacks(pieces)["RowAffected"] == len(times)


def test_putting_feedback_again_with_another_value_adds_to_it(moved: Server) -> None:
    one = feedback("putter", "walden", "rating", when="2026-01-01", Value=2)
    assert ask(moved, "PUT", "/api/feedback", [one]).json["RowAffected"] == 1
    assert ask(moved, "PUT", "/api/feedback", [one]).json["RowAffected"] == 0
    assert ask(moved, "PUT", "/api/feedback", [{**one, "Value": 5}]).json["RowAffected"] == 1


# ------------------------------------------------------------------------------------------------------ consent and rights


def test_without_the_operators_word_nobody_is_remembered(moved: Server, gorse: Gorse) -> None:
    reply = client(moved, "secret").insert_feedbacks([feedback("unasked", "walden"), feedback("unasked", "emma")])
    assert (reply["RowAffected"], reply["account"]["refused"]) == (0, 2)
    assert ids(gorse.get_recommend("unasked")) == ids(gorse.get_recommend("never-heard-of"))


def test_the_operators_word_never_overrules_the_person(moved: Server, gorse: Gorse) -> None:
    gorse.insert_feedbacks([feedback("turned-off", "walden"), feedback("turned-off", "emma", "star")])
    assert ids(gorse.get_recommend("turned-off")) != ids(gorse.get_recommend("never-heard-of"))
    moved.allow("turned-off", "off", personalise=False)
    assert ids(gorse.get_recommend("turned-off")) == ids(gorse.get_recommend("never-heard-of"))
    assert gorse.insert_feedback("read", "turned-off", "we", now())["RowAffected"] == 0
    consent = moved.get("/v1/consent/turned-off").json
    assert (consent["dial"], consent["version"]) == ("off", 2)


def test_deleting_a_user_forgets_them(moved: Server, gorse: Gorse) -> None:
    gorse.insert_feedbacks([feedback("leaving", "walden"), feedback("leaving", "emma", "star"), {"UserId": "leaving"}])
    assert ids(gorse.get_recommend("leaving")) != ids(gorse.get_recommend("never-heard-of"))
    assert gorse.delete_user("leaving") == {"RowAffected": 1}
    assert ids(gorse.get_recommend("leaving")) == ids(gorse.get_recommend("never-heard-of"))
    assert moved.get("/v1/consent/leaving").json["version"] == 0


def test_a_public_key_reaches_nobody_by_name(moved: Server, gorse: Gorse) -> None:
    gorse.insert_feedback("read", "named", "walden", now())
    browser = client(moved, "public")
    for forbidden in (lambda: browser.get_recommend("named"), lambda: browser.delete_user("named"), lambda: browser.insert_item({"ItemId": "x"})):  # fmt: skip
        with pytest.raises(GorseException) as raised:
            forbidden()
        assert raised.value.status_code == 403
    assert browser.insert_feedback("read", "named", "emma", now())["account"]["quarantined"] == 1
    assert ids(browser.get_neighbors("walden"))


# --------------------------------------------------------------------------------------------------------------- users


def test_users_bring_labels_that_the_charter_declares(gorse: Gorse) -> None:
    assert gorse.insert_user({"UserId": "ula", "Labels": ["utopia", "satire"], "Comment": "Ula"})["RowAffected"] == 1
    told = gorse.insert_users([{"UserId": "uwe", "Labels": {"interests": ["utopia"], "shoes": 44}}, {"UserId": "uta"}])
    assert told["RowAffected"] == 1
    assert told["account"]["stripped"] == {"shoes": 1}
    assert told["account"]["refused"] == 1  # nothing was said of uta


def test_modifying_a_user_replaces_labels(moved: Server) -> None:
    for labels in (["utopia"], ["satire"], ["utopia"]):
        assert ask(moved, "PATCH", "/api/user/ugo", {"Labels": labels}).json["RowAffected"] == 1


# --------------------------------------------------------------------------------------------------------------- items


def test_an_item_comes_back_as_it_went_in(gorse: Gorse) -> None:
    item = {"ItemId": "g-1", "IsHidden": False, "Categories": ["g-new"], "Timestamp": "2026-01-02T00:00:00+00:00",
            "Labels": {"topics": ["a", "b"], "year": 2026, "embedding": [0.1, 0.2]}, "Comment": "A title"}  # fmt: skip
    assert gorse.insert_item(item) == {"RowAffected": 1}
    assert gorse.get_item("g-1") == item
    listed = {**item, "ItemId": "g-2", "Labels": ["x", "y"]}
    gorse.insert_item(listed)
    assert gorse.get_item("g-2") == listed
    with pytest.raises(GorseException) as raised:
        gorse.get_item("nothing")
    assert raised.value.status_code == 404


def test_every_page_of_items_is_reached(moved: Server, gorse: Gorse) -> None:
    pages, cursor = [], ""
    while True:
        items, cursor = gorse.get_items(50, cursor)
        pages += [item["ItemId"] for item in items]
        if not cursor:
            break
    assert len(pages) == len(set(pages)) == moved.get("/healthz").json["items"]


def test_what_is_hidden_or_deleted_is_recommended_to_nobody(gorse: Gorse) -> None:
    top = ids(gorse.get_recommend("hider", n=3))
    try:
        gorse.update_item(top[0], is_hidden=True)
        gorse.delete_item(top[1])
        assert not {top[0], top[1]} & set(ids(gorse.get_recommend("hider", n=100)))
        assert gorse.get_item(top[0])["IsHidden"] is True
        gorse.insert_item({"ItemId": top[0], "Comment": "Put again"})  # not said to be visible, so it stays hidden
        assert top[0] not in ids(gorse.get_recommend("hider", n=100))
    finally:
        for item in top:
            gorse.update_item(item, is_hidden=False)
    assert set(top) <= set(ids(gorse.get_recommend("hider", n=100)))


def test_replacing_an_item_keeps_what_gorse_cannot_say(moved: Server, gorse: Gorse) -> None:
    moved.post("/v1/items", {"items": [{"id": "telling", "title": "T", "sensitivity": ["health"], "audience": "adults", "price": {"amount": 3}}]})  # fmt: skip
    gorse.insert_item({"ItemId": "telling", "Labels": ["x"], "Comment": "New title"})
    assert "telling" not in ids(gorse.get_neighbors("telling", n=100))
    # Ranked for somebody who has not turned health on, it still does not come.
    ranked = moved.post("/v1/rank", {"placement": "home", "items": ["telling", "walden"]}).json["items"]
    assert [item["id"] for item in ranked] == ["walden"]


def test_categories_narrow_what_is_recommended(moved: Server, gorse: Gorse) -> None:
    everything = ids(gorse.get_recommend("cat", n=30))
    inside = everything[3:9]
    for item in inside:
        assert ask(moved, "PUT", f"/api/item/{item}/category/winter").json["RowAffected"] == 1
    assert set(ids(gorse.get_recommend("cat", "winter", n=50))) == set(inside)
    assert set(ids(ask(moved, "GET", "/api/popular/winter?n=50").json)) == set(inside)
    assert ids(gorse.get_recommend("cat", "summer")) == []
    ask(moved, "DELETE", f"/api/item/{inside[0]}/category/winter")
    assert set(ids(gorse.get_recommend("cat", "winter", n=50))) == set(inside[1:])
    both = ask(moved, "GET", "/api/recommend/cat?category=winter&category=summer").json
    assert both == []


def test_a_wrong_item_is_named_and_none_is_put(moved: Server) -> None:
    reply = ask(moved, "POST", "/api/items", [{"ItemId": "half"}, {"ItemId": "odd", "Labels": {"a": [1, "b"]}}])
    assert reply.status == 400
    assert reply.body.startswith(b"items[1].Labels: a is neither words nor numbers")
    assert ask(moved, "GET", "/api/item/half").status == 404


# ------------------------------------------------------------------------------------------------------- recommendations


def test_pages_of_recommendations_follow_each_other(gorse: Gorse) -> None:
    whole_list = ids(gorse.get_recommend("pager", n=20))
    assert ids(gorse.get_recommend("pager", n=10)) + ids(gorse.get_recommend("pager", n=10, offset=10)) == whole_list


def test_older_clients_get_ids_and_newer_ones_scores(moved: Server, gorse: Gorse) -> None:
    plain = ask(moved, "GET", "/api/recommend/older?n=5").json
    scored = gorse.get_recommend("older", n=5)
    assert plain == ids(scored)
    assert all(one.score > 0 for one in scored)


def test_a_write_back_says_that_they_were_shown(moved: Server, gorse: Gorse) -> None:
    gorse.insert_feedback("read", "shown-to", "walden", now())
    first = ids(gorse.get_recommend("shown-to", n=5))
    for _ in range(6):  # the home placement shows an item at most five times in seven days
        gorse.get_recommend("shown-to", n=5, write_back_type="read")
    assert not set(first) & set(ids(gorse.get_recommend("shown-to", n=5)))
    with pytest.raises(GorseException) as raised:
        gorse.get_recommend("shown-to", write_back_type="read", write_back_delay="10m")
    assert raised.value.status_code == 501


def test_neighbours_popular_items_and_sessions(moved: Server, gorse: Gorse) -> None:
    near = gorse.get_neighbors("walden", n=5)
    assert len(near) == 5
    assert ids(gorse.get_neighbors("walden", n=3, offset=2)) == ids(near)[2:]
    assert len(ask(moved, "GET", "/api/popular?n=7").json) == 7
    assert gorse.session_recommend([feedback("", "walden")], n=5) == near
    several = gorse.session_recommend([feedback("", "walden"), feedback("", "emma", "star")], n=5)
    assert several != near
    assert not {"walden", "emma"} & set(ids(several))
    assert gorse.session_recommend([feedback("", "walden", "dislike")]) == []


def test_the_asynchronous_client_works_alike(moved: Server) -> None:
    async def both() -> tuple[Any, Any]:
        other = AsyncGorse(f"http://127.0.0.1:{moved.port}", moved.keys["moved"])
        return await other.insert_feedback("read", "asy", "walden", now()), await other.get_recommend("asy", n=4)

    inserted, scored = asyncio.run(both())
    assert inserted["RowAffected"] == 1
    assert len(scored) == 4


# --------------------------------------------------------------------------------------------------- errors, and the rest


def test_errors_are_the_clients_own_with_the_fix(moved: Server, gorse: Gorse) -> None:
    stranger = Gorse(f"http://127.0.0.1:{moved.port}", "guessed", timeout=20)
    for wrong, status, words in (
        (lambda: stranger.get_recommend("x"), 401, "X-API-Key"),
        (lambda: gorse.get_recommend("x", n=500), 400, "n: it is no whole number from 0 to 200"),
        (lambda: gorse.get_recommend("x", n=150, offset=150), 400, "offset: with n it goes beyond 200"),
        (lambda: gorse.insert_feedbacks({"not": "a list"}), 400, "body: expected `array`"),  # type: ignore[arg-type]
        (lambda: gorse.insert_item({"Labels": []}), 400, "ItemId: object missing required field"),
        (lambda: gorse.update_item("no-such-item", comment="x"), 400, "Insert it first"),
    ):
        with pytest.raises(GorseException) as raised:
            wrong()
        assert raised.value.status_code == status
        assert words in raised.value.message


def test_what_has_no_counterpart_says_so(moved: Server, gorse: Gorse) -> None:
    for wanted in (
        lambda: gorse.list_feedbacks("read", "bob"),
        lambda: gorse.get_feedbacks(10),
        lambda: gorse.delete_feedback("bob", "walden"),
        lambda: gorse.get_user("bob"),
        lambda: gorse.get_users(10),
        lambda: gorse.search_items("walden"),
    ):
        with pytest.raises(GorseException) as raised:
            wanted()
        assert raised.value.status_code == 501
        assert raised.value.message.endswith(".")
    for path in ("/api/latest", "/api/popular?user-id=bob", "/api/user/bob/neighbors", "/api/intermediate/recommend/bob",
                 "/api/measurements/ndcg", "/api/feedback/read/bob/walden", "/api/item/walden/feedback", "/api/non-personalized/x"):  # fmt: skip
        assert ask(moved, "GET", path).status == 501, path


def test_health_needs_no_key(moved: Server) -> None:
    for path in ("/api/health/live", "/api/health/ready"):
        reply = moved.get(path, {})
        assert (reply.status, reply.json["Ready"]) == (200, True)


def test_a_user_id_may_hold_anything_but_a_slash(moved: Server, gorse: Gorse) -> None:
    user = "o'neil@example.org ü+&?#%"
    assert gorse.insert_feedback("read", user, "walden", now())["RowAffected"] == 1
    connection = http.client.HTTPConnection("127.0.0.1", moved.port, timeout=20)
    connection.request("GET", "/api/recommend/o%27neil%40example.org%20%C3%BC%2B%26%3F%23%25", headers={"X-API-Key": moved.keys["moved"]})  # fmt: skip
    reply = connection.getresponse()
    assert reply.status == 200
    receipt = reply.headers["x-tactful-receipt"]
    connection.close()
    assert moved.get(f"/v1/receipts/{receipt}").json["receipt"]["person"] == user
