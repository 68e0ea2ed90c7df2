"""Decisions out: what was just said or done counts in the very next one, on any worker."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any
from urllib.parse import quote

import pytest

from tactful.sample.books import books
from tests.crash.proofs import note
from tests.http.conftest import takes_up
from tests.http.served import Server, installed, message, served, speak, tactful, until
from tests.http.test_ingest import is_problem

PLAIN = [book.id for book in books() if not book.sensitivity and book.audience != "children"]


def ids(decision: dict[str, Any]) -> list[str]:
    """The items of a decision, in order."""
    return [item["id"] for item in decision["items"]]


def ask(
    connection: http.client.HTTPConnection, server: Server, person: str | None, placement: Any = "home"
) -> dict[str, Any]:
    """One decision over this connection."""
    reply = speak(connection, "POST", "/v1/decide", {"placements": [placement], "person": person}, server.as_server())
    assert reply.status == 200, reply.body
    decision: dict[str, Any] = reply.json["decisions"][0]
    return decision


def history_in(connection: http.client.HTTPConnection, server: Server, receipt: str) -> set[str]:
    """The items of a person's history that spoke for anything in a decision, by its receipt."""
    reply = speak(connection, "GET", f"/v1/receipts/{receipt}", None, server.as_server())
    assert reply.status == 200, reply.body
    sources = [piece["source"] for shown in reply.json["receipt"]["shown"] for piece in shown["contributions"]]
    return {source["key"] for source in sources if source["kind"] == "history"}


# ---------------------------------------------------------------------------------------------------------- what is asked


def test_a_decision_has_items_reasons_odds_and_a_receipt(shop: Server) -> None:
    decision = shop.decide("reader-0001")
    assert decision["placement"] == "home"
    assert decision["personal"] is True
    assert decision["held"] is False
    assert len(decision["items"]) == 12
    for item in decision["items"]:
        assert item["title"]
        assert item["why"]
        assert 0 < item["odds"] <= 1
    opened = shop.get(f"/v1/receipts/{decision['receipt']}").json
    assert opened["receipt"]["person"] == "reader-0001"
    assert [reason["item"] for reason in opened["reasons"]] == ids(decision)
    assert all(reason["why"] and reason["what_if"] for reason in opened["reasons"])


def test_several_placements_of_one_page_show_no_item_twice(shop: Server) -> None:
    related = {"placement": "related", "item": "walden", "limit": 20}
    reply = shop.post("/v1/decide", {"person": "reader-0002", "placements": ["home", "popular", related, "discover"]})
    decisions = reply.json["decisions"]
    assert [one["placement"] for one in decisions] == ["home", "popular", "related", "discover"]
    shown = [item for one in decisions for item in ids(one)]
    assert len(shown) == len(set(shown))
    assert "walden" not in ids(decisions[2])
    assert len({one["receipt"] for one in decisions}) == 4


def test_what_the_caller_excludes_does_not_come(shop: Server) -> None:
    first = shop.decide("reader-0001")
    rest = shop.decide("reader-0001", exclude=ids(first)[:6])
    assert not set(ids(rest)) & set(ids(first)[:6])


def test_ranking_gives_back_the_callers_candidates_in_the_persons_order(shop: Server) -> None:
    wanted = ids(shop.decide("reader-0001"))[:5]
    reply = shop.post("/v1/rank", {"placement": "home", "person": "reader-0001", "items": wanted[::-1]})
    assert ids(reply.json) == wanted


def test_for_somebody_unknown_ranking_keeps_the_callers_order_but_for_what_is_popular(shop: Server) -> None:
    reply = shop.post("/v1/rank", {"placement": "related", "items": PLAIN[:30]})
    assert ids(reply.json) == PLAIN[:30]


def test_a_thousand_items_can_be_ranked_and_unknown_ones_fall_away(shop: Server) -> None:
    items = [*PLAIN, *[f"unheard-of-{number}" for number in range(1000 - len(PLAIN))]]
    reply = shop.post("/v1/rank", {"placement": "home", "person": "reader-0003", "items": items})
    assert reply.status == 200, reply.body
    shown = ids(reply.json)
    assert len(shown) == len(set(shown)) > 50
    assert set(shown) <= set(PLAIN)


def test_ten_thousand_items_to_rank_are_too_many_and_the_error_says_what_to_do(shop: Server) -> None:
    items = [f"item-{number}" for number in range(10_000)]
    is_problem(
        shop.post("/v1/rank", {"placement": "home", "items": items}), 400, "items", "10,000", "1,000", "/v1/decide"
    )


def test_an_unknown_placement_is_404_and_lists_those_there_are(shop: Server) -> None:
    for path, body, field in (
        ("/v1/decide", {"placements": ["hom"]}, "placements[0]"),
        ("/v1/decide", {"placements": ["home", {"placement": "hom"}]}, "placements[1].placement"),
        ("/v1/preview", {"dial": "off", "placements": ["home", "hom"]}, "placements[1]"),
        ("/v1/rank", {"placement": "hom", "items": ["walden"]}, "placement"),
        ("/v1/search", {"placement": "hom", "query": "walden"}, "placement"),
        ("/v1/why-not", {"placement": "hom", "item": "walden"}, "placement"),
    ):
        is_problem(shop.post(path, body), 404, field, "'hom'", "discover, home, popular, related")
    is_problem(shop.post("/v1/decide/page", {"page": "hom"}), 404, "page", "'hom'")
    is_problem(shop.post("/v1/preview", {"dial": "off", "page": "hom"}), 404, "page", "'hom'")


@pytest.mark.parametrize("path", ["/v1/suggest", "/v1/suggest?limit=3", "/v1/feed"])
def test_what_is_missing_of_an_address_is_named(shop: Server, path: str) -> None:
    field = "receiver" if "feed" in path else "q"
    is_problem(shop.get(path), 400, field, "missing", f"'{field}'", "openapi")
    is_problem(shop.get("/v1/feed?receiver=x&most=0"), 400, "most", ">= 1")


def test_the_context_takes_lists_of_ids_as_a_cart_is_one(shop: Server) -> None:
    """The reference says of the strategy `together` that the cart is a list."""
    rest = {"/v1/decide": {"placements": ["home"]}, "/v1/rank": {"placement": "home", "items": ["emma"]}, "/v1/search": {"query": "emma"}}  # fmt: skip
    for path, body in rest.items():
        for cart in (["walden", "emma"], [], ["x"] * 50):
            reply = shop.post(path, {**body, "context": {"cart": cart}})
            assert reply.status == 200, reply.body
        for bad, word in ((["x"] * 51, "length <= 50"), (["x" * 257], "length <= 256"), ([""], "length >= 1"), ([7], "int"), ([["x"]], "array")):  # fmt: skip
            reply = shop.post(path, {**body, "context": {"cart": bad}})
            is_problem(reply, 400, reply.json["field"], word)
            assert reply.json["field"].startswith("context")


@pytest.mark.parametrize(
    ("body", "field", "word"),
    [
        (b"", "body", "empty"),
        (b"{", "body", "openapi"),
        (b'{"placements":["\xff"]}', "body", "UTF-8"),
        (b'{"placements":' + b"[" * 3000, "body", "nested"),
        (b"[]", "body", "object"),
        (b"{}", "placements", "placements"),
        (b'{"placements":[]}', "placements", ">= 1"),
        (b'{"placements":"home"}', "placements", "array"),
        (b'{"placements":[7]}', "placements[0]", "int"),
        (b'{"placements":["home"],"persn":"x"}', "persn", "unknown field"),
        (b'{"placements":[{"placement":"home","limt":3}]}', "placements[0].limt", "unknown field"),
        (b'{"placements":[{"placement":"home","limit":0}]}', "placements[0].limit", ">= 1"),
        (b'{"placements":[{"placement":"home","limit":201}]}', "placements[0].limit", "<= 200"),
        (b'{"placements":["home"],"person":["x"]}', "person", "array"),
        (b'{"placements":["home"],"person":""}', "person", "length >= 1"),
        (b'{"placements":["home"],"context":{"page":{"deep":1}}}', "context[...]", "object"),
        (b'{"placements":[' + b",".join([b'"home"'] * 21) + b"]}", "placements", "the most is 20"),
    ],
)
def test_a_request_of_the_wrong_shape_is_400_and_names_the_field(
    shop: Server, body: bytes, field: str, word: str
) -> None:
    is_problem(shop.post("/v1/decide", body), 400, field, word)


def test_what_is_not_there_and_what_a_path_does_not_take_is_said_so(shop: Server) -> None:
    is_problem(shop.get("/v1/nothing"), 404, "path", "/v1/nothing", "/openapi/openapi.json")
    is_problem(shop.get("/v1/decide"), 405, "method", "GET", "POST")
    is_problem(shop.get("/v1/receipts/no-such"), 404, "receipt", "'no-such'", "24 hours")
    is_problem(shop.call("PUT", "/v1/consent/somebody", {"dial": "max"}), 400, "dial", "off, told, visit, remember")
    is_problem(shop.call("PUT", "/v1/consent/somebody", {"purposes": {"sell": True}}), 400, "sell", "personalise")
    is_problem(shop.call("PUT", "/v1/consent/somebody", {"sensitive": {"shoes": True}}), 400, "shoes", "health")


def test_a_public_key_can_ask_for_a_device_and_for_a_person_who_proves_it(shop: Server) -> None:
    is_problem(
        shop.post("/v1/decide", {"placements": ["home"], "person": "reader-0001"}, shop.as_browser()),
        403,
        "",
        "X-Person-Token",
    )
    proven = shop.decide("reader-0001", headers=shop.as_browser(shop.token("reader-0001")))
    assert proven["personal"] is True
    by_token_alone = shop.decide(None, headers=shop.as_browser(shop.token("reader-0001")))
    assert ids(by_token_alone) == ids(proven)
    assert shop.decide(None, headers=shop.as_browser(), anonymous="device-1")["personal"] is False


# -------------------------------------------------------------------------------------------------------- event to effect


def test_each_acknowledged_click_counts_in_the_very_next_decision_on_either_worker(
    shop: Server, scale: Callable[[int, int], int]
) -> None:
    """200 clicks of people who go on clicking: each is among the reasons of the next decision of both workers."""
    clicks = scale(200, 2000)
    with shop.each_worker() as connections:
        assert len(connections) == 2
        one, other = connections
        for number in range(clicks):
            person, item = f"clicker-{number // 50}", PLAIN[number % 50]
            if number % 50 == 0:
                shop.allow(person)
            takes, asks = (one, other) if number % 2 else (other, one)
            reply = speak(
                takes,
                "POST",
                "/v1/batch",
                {"batch": [message(person, f"click-{number}", item, "clicked")]},
                shop.as_server(),
            )
            assert reply.json["stored"] == 1, reply.body
            for worker in (asks, takes):
                decision = ask(worker, shop, person)
                assert decision["personal"] is True
                assert item in history_in(worker, shop, decision["receipt"]), (number, item)


def test_what_was_just_finished_is_not_offered_again(shop: Server) -> None:
    shop.allow("finisher")
    shop.send(message("finisher", "finish-0", "walden", "clicked"))
    with shop.each_worker() as connections:
        for number, worker in zip(range(20), cycle(connections), strict=False):
            best = ids(ask(worker, shop, "finisher"))[0]
            shop.send(message("finisher", f"finished-{number}", best, "finished"))
            assert all(best not in ids(ask(each, shop, "finisher")) for each in connections)


def test_an_item_just_put_is_in_the_next_decision_and_one_taken_off_is_not(shop: Server) -> None:
    before = shop.decide(None, "popular")
    best = before["items"][0]
    kept = {name: best[name] for name in ("id", "title", "kind", "attributes", "price")} | {"audience": "everyone"}
    with shop.each_worker() as connections:
        try:
            shop.post("/v1/items", {"items": [kept | {"available": False}]})
            assert all(best["id"] not in ids(ask(worker, shop, None, "popular")) for worker in connections)
            shop.post("/v1/items", {"items": [kept | {"title": "A New Title"}]})
            for worker in connections:
                assert ask(worker, shop, None, "popular")["items"][0]["title"] == "A New Title"
            shop.post("/v1/items", {"items": [{"id": "brand-new", "title": "Brand New", "audience": "everyone"}]})
            body = {"placement": "home", "items": ["brand-new", "walden"]}
            for worker in connections:
                reply = speak(worker, "POST", "/v1/rank", body, shop.as_server())
                assert "brand-new" in ids(reply.json)
        finally:
            shop.post("/v1/items", {"items": [kept]})


# --------------------------------------------------------------------------------------------------------------- consent


def test_two_people_without_consent_get_the_same(shop: Server) -> None:
    """Somebody never heard of, somebody with a past who turned it off, a device, and nobody at all."""
    shop.allow("had-a-past")
    shop.send(*[message("had-a-past", f"past-{number}", item, "bought") for number, item in enumerate(PLAIN[:20])])
    assert shop.decide("had-a-past")["personal"] is True
    shop.allow("had-a-past", "off")
    for placement in ("home", "popular", {"placement": "related", "item": "walden"}):
        nobody = shop.decide(None, placement)
        others = [
            shop.decide("never-heard-of", placement),
            shop.decide("had-a-past", placement),
            shop.decide(None, placement, anonymous="some-device"),
        ]
        for other in others:
            assert [{**item} for item in other["items"]] == nobody["items"]
            assert other["personal"] is False
            assert shop.get(f"/v1/receipts/{other['receipt']}").json["receipt"]["person"] is None


@pytest.mark.prove
def test_a_withdrawal_counts_from_the_very_next_decision_with_eight_clients_at_once(
    shop: Server, scale: Callable[[int, int], int]
) -> None:
    """After each acknowledged withdrawal both workers decide as for nobody; after each acknowledged grant, for the person."""
    clients, each, began = 8, scale(125, 1250), time.monotonic()
    page = {"placement": "home", "limit": 4}
    nobody = ids(shop.decide(None, page))
    wrong: list[str] = []

    def client(number: int) -> None:
        with shop.each_worker() as connections:
            for turn, worker in zip(range(each), cycle(connections), strict=False):
                person = f"withdrawer-{number}-{turn // 25}"
                path = f"/v1/consent/{person}"
                if turn % 25 == 0:
                    shop.allow(person)
                    shop.send(message(person, f"{person}-1", PLAIN[number], "clicked"))
                yes = {"dial": "remember", "purposes": {"personalise": True}}
                no = {"purposes": {"personalise": False}} if turn % 2 else {"dial": "off"}
                if speak(worker, "PUT", path, yes, shop.as_server()).status != 200:
                    wrong.append(f"{person} turn {turn}: the grant failed")
                if turn % 10 == 0 and not ask(worker, shop, person, page)["personal"]:
                    wrong.append(f"{person} turn {turn}: the grant did not count")
                if speak(worker, "PUT", path, no, shop.as_server()).status != 200:
                    wrong.append(f"{person} turn {turn}: the withdrawal failed")
                for place, other in enumerate(connections):
                    decision = ask(other, shop, person, page)
                    if decision["personal"] or ids(decision) != nobody:
                        wrong.append(f"{person} turn {turn} worker {place}: still personal")

    together([lambda number=number: client(number) for number in range(clients)])
    if clients * each >= 10_000:
        name = "withdrawal: the next decision of either worker is as for nobody, 8 clients at once"
        note(name, clients * each, sum("still" in one for one in wrong), time.monotonic() - began)
    assert not wrong, f"{len(wrong)} of {clients * each}: {wrong[:5]}"


def test_a_forgotten_person_is_gone_on_both_workers_at_once(shop: Server) -> None:
    shop.allow("leaver")
    shop.send(message("leaver", "leaver-1", "walden", "clicked"))
    with shop.each_worker() as connections:
        decisions = [ask(worker, shop, "leaver") for worker in connections]
        assert all(decision["personal"] for decision in decisions)
        assert shop.call("DELETE", "/v1/people/leaver", None, {"X-Person-Token": shop.token("leaver")}).status == 204
        nobody = ids(shop.decide(None))
        for worker in connections:
            decision = ask(worker, shop, "leaver")
            assert decision["personal"] is False
            assert ids(decision) == nobody
            consent = speak(worker, "GET", "/v1/consent/leaver", None, shop.as_server()).json
            assert (consent["dial"], consent["version"]) == ("off", 0)
            for old in decisions:
                assert speak(worker, "GET", f"/v1/receipts/{old['receipt']}", None, shop.as_server()).status == 404
    shop.allow("leaver")
    assert shop.decide("leaver")["personal"] is False, "who comes back begins anew"
    assert shop.send(message("leaver", "leaver-1", "walden", "clicked"))["stored"] == 1, (
        "not even the message is remembered"
    )


# -------------------------------------------------------------------------------------------------------------- receipts


def test_a_receipt_opens_for_its_person_and_for_the_server_and_for_nobody_else(shop: Server) -> None:
    receipt = shop.decide("reader-0004")["receipt"]
    path = f"/v1/receipts/{receipt}"
    assert shop.get(path).json["receipt"]["person"] == "reader-0004"
    assert shop.get(path, {"X-Person-Token": shop.token("reader-0004")}).json["receipt"]["id"] == receipt
    stranger = shop.token("reader-0005")
    for headers in ({"X-Person-Token": stranger}, shop.as_browser(stranger), shop.as_browser(), {}):
        reply = shop.get(path, headers)
        unknown = shop.get("/v1/receipts/no-such", headers)
        assert (
            (reply.status, reply.json["title"]) == (unknown.status, unknown.json["title"]) == (404, "unknown_receipt")
        ), headers


def test_a_receipt_that_names_nobody_opens_by_its_id_alone(shop: Server) -> None:
    decision = shop.decide(None)
    assert ids(decision)
    opened = shop.get(f"/v1/receipts/{decision['receipt']}", {}).json
    assert opened["receipt"]["person"] is None
    assert [reason["item"] for reason in opened["reasons"]] == ids(decision)


def test_a_receipt_opens_at_once_on_the_other_worker(shop: Server) -> None:
    with shop.each_worker() as connections:
        for number in range(20):
            decides, opens = connections[:: 1 if number % 2 else -1]
            decision = ask(decides, shop, "reader-0001" if number % 3 else None)
            reply = speak(opens, "GET", f"/v1/receipts/{decision['receipt']}", None, shop.as_server())
            assert reply.status == 200, (number, reply.body)


# ------------------------------------------------------------------------------------------------------------------ models


def test_newly_trained_models_are_taken_up_beside_the_running_server_without_a_failed_request(shop: Server) -> None:
    before = shop.get("/healthz").json["models"]
    shop.allow("fashion")
    shop.send(*[message("fashion", f"fashion-{number}", item, "bought") for number, item in enumerate(PLAIN[10:40])])
    stop = threading.Event()
    bad: list[Any] = []
    done = [0] * 4

    def hammer(number: int) -> None:
        while not stop.is_set():
            for person in ("reader-0001", "reader-0002", None):
                reply = shop.post("/v1/decide", {"placements": ["home", "popular"], "person": person})
                done[number] += 1
                if reply.status != 200 or not all(one["items"] for one in reply.json["decisions"]):
                    bad.append((reply.status, reply.body[:300]))

    def swap() -> None:
        try:
            tactful(shop.home, "train")
            until(lambda: takes_up(shop), 20, "both workers took up the new models")
        finally:
            stop.set()

    together([swap, *[lambda number=number: hammer(number) for number in range(4)]])
    assert not bad, bad[:3]
    assert min(done) > 5
    after = shop.get("/healthz").json["models"]
    assert after.keys() == before.keys()
    assert after != before


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An installation as `tactful init` leaves it."""
    home = tmp_path_factory.mktemp("fresh")
    with served(home, installed(home)) as server:
        yield server


def test_a_fresh_installation_says_that_it_must_be_trained_then_serves_without_a_restart(fresh: Server) -> None:
    reply = fresh.post("/v1/decide", {"placements": ["home"]})
    is_problem(reply, 503, "", "tactful train")
    assert "retry-after" in reply.headers
    assert "tactful train" in fresh.get("/healthz").json["status"]
    fresh.post("/v1/items", {"items": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]})
    tactful(fresh.home, "train")
    until(lambda: takes_up(fresh), 20, "both workers took up the first models")
    assert fresh.get("/healthz").json["status"] == "ok"
    assert sorted(ids(fresh.decide())) == ["a", "b"]


def test_a_fresh_installation_profiles_nobody(fresh: Server) -> None:
    account = fresh.send(
        message("anybody", "m1", "a"),
        {"type": "identify", "messageId": "m2", "userId": "anybody", "traits": {"interests": ["x"]}},
    )
    assert account["stored"] == 0
    assert account["refused"] == 2


def together(jobs: list[Callable[[], None]]) -> None:
    """Run jobs at once, and raise what any of them raised."""
    failures: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as failure:  # noqa: BLE001 - raised again below
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_an_id_with_a_slash_can_consent_and_be_forgotten(shop: Server) -> None:
    for person in ("auth/one", "https://id.example/ann?x=1", "/leading"):
        path = quote(person, safe="")
        assert shop.call("PUT", f"/v1/consent/{path}", {"dial": "told"}).status == 200
        assert shop.get(f"/v1/consent/{path}").json["dial"] == "told"
        assert shop.call("DELETE", f"/v1/people/{path}").status == 204
        assert shop.get(f"/v1/consent/{path}").json["version"] == 0
