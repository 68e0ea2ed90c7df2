"""The catalogue over HTTP: lines each on their own, dry runs, one item changed, and every worker sees it at once."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.served import Server, installed, served, speak, tactful, until
from tests.http.test_ingest import is_problem

STALL = """
[placements.stall]
purpose = "personalise"
strategy = { use = "popular" }
guards = [{ use = "stock" }]
variant = { prefer = ["bright"] }
"""
TAXONOMY = """
[topics.health]
sensitivity = ["health"]
[topics."health/cancer"]
words = "cancer"
"""
LINES = {"Content-Type": "application/x-ndjson"}
HOUR = 3_600_000
NAMES = ("pear", "plum", "quince", "medlar", "a/b", "sea")


@pytest.fixture(scope="module")
def stall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A small shop with a taxonomy, two workers, and nobody in it."""
    home = tmp_path_factory.mktemp("stall")
    keys = installed(home)
    with (home / "tactful.toml").open("a", encoding="utf-8") as settings:
        settings.write(STALL)
    (home / "taxonomy.toml").write_text(TAXONOMY, encoding="utf-8")
    with served(home, keys) as server:
        server.post("/v1/items", {"items": [{"id": name, "title": name} for name in NAMES]})
        tactful(home, "train")
        until(lambda: server.get("/healthz").json["status"] == "ok", 20, "the models are taken up")
        yield server


def lines(*things: object) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in things)


def put(server: Server, *things: object, query: str = "") -> Any:
    reply = server.post(f"/v1/items{query}", lines(*things), {**server.as_server(), **LINES})
    assert reply.status == 200, reply.body
    return reply.json


def seen(connection: http.client.HTTPConnection, server: Server, **more: Any) -> dict[str, Any]:
    """What one worker shows of the stall, by item."""
    body = {"placements": [{"placement": "stall", "limit": 200}], **more}
    reply = speak(connection, "POST", "/v1/decide", body, server.as_server())
    if reply.status == 503:  # this worker has not taken up the models yet
        time.sleep(1.5)
        reply = speak(connection, "POST", "/v1/decide", body, server.as_server())
    assert reply.status == 200, reply.body
    return {one["id"]: one for one in reply.json["decisions"][0]["items"]}


def test_lines_are_put_each_on_its_own_and_a_dry_run_puts_nothing(stall: Server) -> None:
    batch = (
        {"id": "apple", "title": "Apple"}, b"{", b"", {"id": "plum", "title": "plum"}, {"id": "bad", "title": "B", "stock": -1},
        {"id": "pear", "title": "Pear"}, b"[]", {"id": "apple", "title": "Again"}, {"title": "nameless"},
    )  # fmt: skip
    before = stall.get("/healthz").json["items"]
    dry = put(stall, *batch, query="?dry_run=true")
    assert stall.get("/healthz").json["items"] == before
    assert (dry["dry_run"], dry["version"]) == (True, put(stall)["version"])
    done = put(stall, *batch)
    for one in (dry, done):
        assert [one[name] for name in ("stored", "new", "changed", "same", "rejected")] == [3, 1, 1, 1, 5]
        assert [(problem["where"], problem["field"]) for problem in one["problems"]] == [
            ("line 2", "item"), ("line 5", "stock"), ("line 7", "item"), ("line 8", "id"), ("line 9", "id"),
        ]  # fmt: skip
        assert all(problem["why"] and problem["fix"] for problem in one["problems"])
    assert done["version"] > dry["version"]
    assert put(stall, *batch)["version"] == done["version"]  # nothing changed, so nothing was written


def test_a_list_says_what_it_changed_and_a_dry_run_of_it_puts_nothing(stall: Server) -> None:
    body = {"items": [{"id": "fig", "title": "Fig"}, {"id": "quince", "title": "quince"}]}
    dry = stall.post("/v1/items?dry_run=true", body).json
    assert (dry["stored"], dry["new"], dry["same"], dry["dry_run"]) == (2, 1, 1, True)
    made = stall.post("/v1/items", body).json
    assert (made["new"], made["same"], made["dry_run"]) == (1, 1, False)
    assert stall.post("/v1/items", body).json["same"] == 2


def test_what_changes_nothing_is_not_written_and_an_item_stands_once_in_a_list(stall: Server) -> None:
    apricot = {"id": "apricot", "title": "Apricot", "stock": 2}
    first = stall.post("/v1/items", {"items": [apricot]}, stall.as_server()).json
    again = stall.post("/v1/items", {"items": [apricot]}, stall.as_server()).json
    assert (first["new"], again["same"], again["version"]) == (1, 1, first["version"])
    patch = ("PATCH", "/v1/items/apricot")
    for nothing in ({}, {"stock": 2}):
        done = stall.call(*patch, nothing, stall.as_server()).json
        assert (done["changed"], done["same"], done["version"]) == (0, 1, first["version"])
    done = stall.call(*patch, {"stock": 3}, stall.as_server()).json
    assert (done["changed"], done["same"]) == (1, 0)
    assert done["version"] > first["version"]
    twice = {"items": [{"id": "kaki", "title": "Kaki"}, {"id": "kaki", "title": "Other"}]}
    is_problem(stall.post("/v1/items", twice, stall.as_server()), 400, "items[1].id", "items[0] already", "Keep one")
    assert stall.call("PATCH", "/v1/items/kaki", {}, stall.as_server()).status == 404


def test_a_window_and_a_stock_that_change_are_seen_by_every_worker_at_the_next_decision(stall: Server) -> None:
    now = time.time_ns() // 1_000_000
    states: list[tuple[dict[str, Any], bool]] = [
        ({}, True), ({"available_until": now - 1}, False), ({"available_until": now + HOUR}, True),
        ({"available_from": now + HOUR}, False), ({"available_from": "2020-01-01"}, True), ({"stock": 0}, False),
        ({"stock": 2}, True), ({"available": False}, False), ({"topics": ["health/cancer"]}, False), ({"topics": ["fruit"]}, True),
    ]  # fmt: skip
    with stall.each_worker() as connections:
        for state, shown in states:
            put(stall, {"id": "medlar", "title": "Medlar", **state})
            assert all(("medlar" in seen(each, stall)) is shown for each in connections), state


def test_one_item_is_changed_in_part(stall: Server) -> None:
    put(stall, {"id": "a/b", "title": "A", "stock": 3, "attributes": {"kind": "x"}, "price": {"amount": 2}})
    with stall.each_worker() as connections:
        assert stall.call("PATCH", "/v1/items/a/b", {"stock": 0}, stall.as_server()).status == 200
        assert all("a/b" not in seen(each, stall) for each in connections)
        stall.call("PATCH", "/v1/items/a/b", {"stock": None, "price": {"amount": 3}}, stall.as_server())
        for each in connections:
            shown = seen(each, stall)["a/b"]
            assert (shown["price"]["amount"], shown["attributes"]) == (3, {"kind": "x"})
    patch = ("PATCH", "/v1/items/a/b")
    is_problem(stall.call("PATCH", "/v1/items/gone", {"stock": 1}, stall.as_server()), 404, "id", "gone", "items put")
    is_problem(stall.call(*patch, {"stock": -1}, stall.as_server()), 400, "stock", "less than nothing")
    is_problem(
        stall.call(*patch, {"nope": 1}, stall.as_server()), 400, "nope", "nope: ", "unknown field", "catalogue.md"
    )
    is_problem(stall.call(*patch, {"title": None}, stall.as_server()), 400, "title", "title: ", "missing")
    is_problem(stall.call(*patch, {"variants": [{}]}, stall.as_server()), 400, "variants[0].id", "missing")
    is_problem(stall.call(*patch, {"id": "c"}, stall.as_server()), 400, "id")
    is_problem(stall.call(*patch, b"[]", stall.as_server()), 400, "body")
    is_problem(stall.call(*patch, {"stock": 1}, stall.as_browser()), 403, "", "scope 'items'")


def test_an_item_is_shown_in_the_language_asked_for_with_the_variant_and_the_price_list(stall: Server) -> None:
    now = time.time_ns() // 1_000_000
    put(stall, {
        "id": "sea", "title": "The Sea", "text": "Long", "language": "en", "texts": {"de": {"title": "Das Meer"}},
        "price": {"amount": 5}, "prices": {"us": {"amount": 6, "currency": "USD"}},
        "variants": [
            {"id": "plain", "asset": "plain.svg"},
            {"id": "night", "asset": {"src": "night.svg", "w": 3}, "context": {"daypart": "night"}, "style": "bright", "title": "Sea by night"},
            {"id": "old", "asset": "old.svg", "style": "bright", "available_until": now - 1},
            {"id": "telling", "asset": "x.svg", "style": "bright", "sensitivity": ["health"]},
        ],
    })  # fmt: skip
    with stall.each_worker() as connections:
        for each in connections:
            shown = seen(each, stall)["sea"]
            assert (shown["title"], shown["language"], shown["variant"], shown["asset"]) == (
                "The Sea",
                "en",
                "plain",
                "plain.svg",
            )
            assert shown["price"] == {"amount": 5, "currency": "EUR"}
            assert "text" not in shown
            shown = seen(each, stall, language="de-AT, en", market="us", texts=True)["sea"]
            assert (shown["title"], shown["text"], shown["language"]) == ("Das Meer", "Long", "de")
            assert shown["price"] == {"amount": 6, "currency": "USD"}
            shown = seen(each, stall, context={"daypart": "night"})["sea"]
            assert (shown["variant"], shown["title"], shown["asset"]["src"]) == ("night", "Sea by night", "night.svg")
    body = {"placements": [{"placement": "stall", "limit": 200}]}
    decided = stall.post("/v1/decide", body).json["decisions"][0]
    receipt = stall.get(f"/v1/receipts/{decided['receipt']}", stall.as_server()).json["receipt"]
    assert {one["item"]: one["variant"] for one in receipt["shown"]}["sea"] == "plain"
    is_problem(stall.post("/v1/decide", {**body, "language": "klingonese"}), 400, "language")
