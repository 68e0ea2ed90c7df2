"""Searching over HTTP and by command: what is typed, what comes back, what an operator can read of it afterwards."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tactful.stores.missed import ASKERS_LEAST
from tests.http.served import Server, speak, tactful
from tests.http.test_ingest import is_problem


def search(server: Server, query: str, headers: Any = None, **more: Any) -> Any:
    reply = server.post("/v1/search", {"query": query, **more}, headers)
    assert reply.status == 200, reply.body
    return reply.json


def titles(found: Any) -> list[str]:
    return [item["title"] for item in found["decision"]["items"]]


def test_a_search_says_what_it_found_and_what_it_took_the_words_for(shop: Server) -> None:
    found = search(shop, "frankenstien", shop.as_browser())
    assert found["query"] == "frankenstien"
    assert found["mended"] == "frankenstein"
    assert found["count"] == 1
    assert titles(found) == ["Frankenstein"]
    assert found["decision"]["items"][0]["why"] == "It fits what you looked for."
    assert found["decision"]["label"] == "The same for everyone"
    assert search(shop, "emma")["mended"] == ""


def test_both_workers_search(shop: Server) -> None:
    with shop.each_worker() as connections:
        for one in connections:
            reply = speak(one, "POST", "/v1/search", {"query": "verne"}, shop.as_browser())
            assert reply.status == 200
            assert reply.json["count"] >= 4


def test_pages_of_results_follow_one_another(shop: Server) -> None:
    whole = search(shop, "adventure", limit=6)
    first, second = search(shop, "adventure", limit=3), search(shop, "adventure", limit=3, offset=3)
    assert titles(first) + titles(second) == titles(whole)
    assert first["count"] == second["count"] == whole["count"] >= 6
    assert titles(search(shop, "emma", offset=50)) == []


def test_the_receipt_of_a_search_opens_for_its_person_and_that_of_nobody_by_its_id_alone(shop: Server) -> None:
    nobodys = search(shop, "verne")["decision"]["receipt"]
    theirs = search(shop, "verne", person="reader-0001")["decision"]["receipt"]
    assert shop.get(f"/v1/receipts/{theirs}", {}).status == 404
    assert shop.get(f"/v1/receipts/{theirs}", shop.as_browser(shop.token("reader-0002"))).status == 404
    for receipt, headers, person in (
        (nobodys, {}, None),
        (theirs, shop.as_browser(shop.token("reader-0001")), "reader-0001"),
    ):
        opened = shop.get(f"/v1/receipts/{receipt}", headers)
        assert opened.status == 200
        assert opened.json["receipt"]["person"] == person
        assert b'verne"' not in opened.body.lower().replace(b"jules verne", b"")


def test_an_item_is_found_once_it_is_put(shop: Server) -> None:
    item = {"id": "search-test", "title": "The Xylophone of Zanzibar", "audience": "everyone"}
    assert search(shop, "zanzibar")["count"] == 0
    assert shop.post("/v1/items", {"items": [item]}).status == 200
    with shop.each_worker() as connections:
        for one in connections:
            assert speak(one, "POST", "/v1/search", {"query": "xylofone"}, shop.as_browser()).json["count"] == 1
    assert shop.post("/v1/items", {"items": [{**item, "available": False}]}).status == 200
    assert search(shop, "zanzibar")["count"] == 0


def test_suggestions(shop: Server) -> None:
    reply = shop.get("/v1/suggest?q=jul", shop.as_browser())
    assert "Jules Verne" in reply.json["suggestions"]
    assert len(shop.get("/v1/suggest?q=a&limit=3", shop.as_browser()).json["suggestions"]) <= 3
    context = "%7B%22language%22%3A%22de%22%7D"
    assert shop.get(f"/v1/suggest?q=jul&context={context}", shop.as_browser()).status == 200


def test_a_child_is_suggested_what_is_for_children_however_it_is_named(shop: Server) -> None:
    books = [
        {"id": "grown-up", "title": "Quaggmire Nights", "audience": "adults"}, {"id": "young", "title": "Quaggmire Days", "audience": "children"},
    ]  # fmt: skip
    assert shop.post("/v1/items", {"items": books}).status == 200
    for name in ({"userId": "kid"}, {"anonymousId": "tablet"}):
        shop.send({"type": "identify", "traits": {"child": True}, "messageId": f"child {name}", **name})
    whole, young = {"Quaggmire Nights", "Quaggmire Days"}, {"Quaggmire Days"}
    asked = (
        ("", shop.as_browser(), whole), ("&anonymous=phone", shop.as_browser(), whole), ("&anonymous=tablet", shop.as_browser(), young),
        ("&person=kid", shop.as_server(), young), ("", shop.as_browser(shop.token("kid")), young),
    )  # fmt: skip
    for query, headers, wanted in asked:
        reply = shop.get(f"/v1/suggest?q=quagg{query}", headers)
        assert reply.status == 200 and set(reply.json["suggestions"]) == wanted, (query, reply.body)
    assert shop.get("/v1/suggest?q=quagg&person=kid", shop.as_browser()).status == 403
    is_problem(shop.get("/v1/suggest?q=quagg&placement=popular", shop.as_browser()), 400, "placement")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"), ({"query": ""}, "query"), ({"query": "x" * 201}, "query"), ({"query": 7}, "query"),
        ({"query": "x", "limit": 0}, "limit"), ({"query": "x", "offset": -1}, "offset"), ({"query": "x", "placement": "popular"}, "placement"),
        ({"query": "x", "limit": 101, "offset": 100}, "offset"), ({"query": "x", "offset": 199}, "offset"), ({"query": "x", "colour": 1}, "colour"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_search_is_named(shop: Server, body: Any, field: str) -> None:
    is_problem(shop.post("/v1/search", body), 400, field)


@pytest.mark.parametrize(
    "query",
    ["", "?q=", f"?q={'x' * 201}", "?q=a&limit=0", "?q=a&context=%5B", "?q=a&context=%5B1%5D", "?q=a&context=7"],
)
def test_what_is_wrong_with_asking_for_suggestions_is_named(shop: Server, query: str) -> None:
    reply = shop.get(f"/v1/suggest{query}", shop.as_browser())
    assert reply.status == 400, reply.body
    assert reply.json["detail"]


def test_who_may_search(shop: Server) -> None:
    assert shop.post("/v1/search", {"query": "emma"}, {}).status == 401
    assert shop.get("/v1/suggest?q=emma", {}).status == 401
    assert shop.post("/v1/search", {"query": "emma", "person": "reader-0001"}, shop.as_browser()).status == 403
    token = shop.token("reader-0001")
    assert shop.post("/v1/search", {"query": "emma", "person": "reader-0001"}, shop.as_browser(token)).status == 200
    assert shop.post("/v1/search", {"query": "emma", "placement": "none"}).status == 404
    assert shop.get("/v1/suggest?q=emma&placement=none").json["field"] == "placement"


def test_scores_of_ones_own_go_into_a_ranking(shop: Server) -> None:
    body: dict[str, Any] = {"placement": "home", "items": ["walden", "emma", "dracula"], "scores": [0, 1, 5.5]}
    reply = shop.post("/v1/rank", {**body, "person": "nobody knows me"})
    assert reply.status == 200, reply.body
    assert len(reply.json["items"]) == 3
    assert reply.json["items"][0]["id"] == "dracula"
    is_problem(shop.post("/v1/rank", {**body, "scores": [1]}), 400, "scores")
    assert shop.post("/v1/rank", {**body, "scores": [1, 2, -1]}).status == 400


# ------------------------------------------------------------------------------------------------------------ by command


def test_search_by_command(shop: Server) -> None:
    found = json.loads(tactful(shop.home, "search", "sherlok", "holmes", "--person", "reader-0001", "--json").stdout)
    assert found["mended"] == "sherlock holmes"
    assert "The Adventures of Sherlock Holmes" in titles(found)
    said = tactful(shop.home, "search", "sherlok", "holmes").stdout
    assert "Showing results for sherlock holmes" in said
    assert "The Adventures of Sherlock Holmes" in said
    assert tactful(shop.home, "search", "emma", "--placement", "popular", check=False).returncode == 1


def test_what_was_searched_for_in_vain_is_reported_once_enough_people_did(shop: Server) -> None:
    for number in range(ASKERS_LEAST + 1):  # somebody who never said what they allow may be anybody, again and again
        shop.allow(f"anon:device-{number}")
    for number in range(ASKERS_LEAST * shop.count):
        with shop.each_worker() as connections:
            for one in connections:
                for query in ("gormenghast", f"qqxsecret{chr(97 + number)}"):
                    body = {"query": query, "anonymous": f"device-{number}"}
                    assert speak(one, "POST", "/v1/search", body, shop.as_browser()).json["count"] == 0
        if number == ASKERS_LEAST:
            break
    assert "Nothing yet" in tactful(shop.home, "search-report").stdout
    shop.stop()
    try:
        kept = json.loads(tactful(shop.home, "search-report", "--json").stdout)
        assert [one["words"] for one in kept] == ["gormenghast"]
        assert kept[0]["times"] >= ASKERS_LEAST
        assert "gormenghast" in tactful(shop.home, "search-report").stdout
        for path in (shop.home / "data").iterdir():
            if path.is_file():
                assert b"qqxsecret" not in path.read_bytes(), path
        assert (shop.home / "data" / "missed.db").stat().st_mode & 0o077 == 0
        assert (shop.home / "search.db").stat().st_mode & 0o077 == 0
    finally:
        shop.start()


def test_a_restored_installation_searches_what_was_restored(shop: Server, tmp_path: Path) -> None:
    tactful(shop.home, "backup", str(tmp_path / "copy"), "--keys", str(tmp_path / "keys"))
    home = tmp_path / "again"
    tactful(home, "restore", str(tmp_path / "copy"), "--keys", str(tmp_path / "keys"))
    assert not (home / "search.db").exists()
    assert json.loads(tactful(home, "search", "emma", "--json").stdout)["count"] == 1
    with sqlite3.connect(home / "search.db") as db:
        db.execute("UPDATE state SET version = 1000000")
    tactful(home, "restore", str(tmp_path / "copy"), "--keys", str(tmp_path / "keys"), "--force")
    assert not (home / "search.db").exists()
