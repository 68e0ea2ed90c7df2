"""Why, why not, and what if: over HTTP, in two languages, to whom it belongs."""

import pytest

from tests.http.served import Server
from tests.http.test_decide import PLAIN, ids
from tests.http.test_ingest import is_problem

READER = "reader-0001"


def test_why_is_said_at_the_depth_and_in_the_language_asked_for(shop: Server) -> None:
    asked = {"person": READER, "placements": ["home"]}
    said = {
        (explain, language): shop.post("/v1/decide", {**asked, "explain": explain, "language": language}).json[
            "decisions"
        ][0]
        for explain in ("none", "sentence", "details")
        for language in ("en", "de-AT")
    }
    assert all(item["why"] == "" for item in said["none", "en"]["items"])
    assert said["sentence", "en"]["label"] == "Picked for you"
    assert said["sentence", "de-AT"]["label"] == "Für dich gewählt"
    assert "more" not in said["sentence", "en"]
    deep = said["details", "de-AT"]
    assert deep["more"]["read"].startswith("Das haben wir gelesen: ")
    for item in deep["items"]:
        assert 1 <= len(item["more"]["reasons"]) <= 3
        assert {one["key"].partition(":")[0] for one in item["more"]["mute"]} == {"subjects", "author"}
        assert any(one["words"].startswith("Nichts von ") for one in item["more"]["mute"])
    page = shop.post("/v1/rank", {"person": READER, "placement": "home", "items": PLAIN[:5], "explain": "none"}).json
    assert {item["why"] for item in page["items"]} == {""}


def test_a_receipt_opens_at_three_depths(shop: Server) -> None:
    receipt = shop.decide(READER)["receipt"]
    whole = shop.get(f"/v1/receipts/{receipt}").json
    assert whole["receipt"]["id"] == receipt
    assert whole["language"] == "en"
    short = shop.get(f"/v1/receipts/{receipt}?depth=sentence&language=de").json
    assert (short["receipt"], short["details"], short["language"]) == (None, None, "de")
    assert [one["item"] for one in short["reasons"]] == [one["item"] for one in whole["reasons"]]
    middle = shop.get(f"/v1/receipts/{receipt}?depth=details").json
    assert middle["receipt"] is None
    assert middle["details"] == whole["details"]
    is_problem(shop.get(f"/v1/receipts/{receipt}?depth=deepest"), 400, "depth")
    is_problem(shop.get(f"/v1/receipts/{receipt}?language=<b>"), 400, "language")


def test_why_not_is_answered_to_whom_the_decision_belongs(shop: Server) -> None:
    shown = ids(shop.decide(READER))
    other = next(item for item in PLAIN if item not in shown)
    reply = shop.post("/v1/why-not", {"person": READER, "placement": "home", "item": other, "language": "de"})
    assert reply.status == 200, reply.body
    assert reply.json["answer"]["kind"] in ("ranked", "removed", "nothing")
    assert reply.json["language"] == "de"
    assert reply.json["words"]
    again = shop.post("/v1/why-not", {"person": READER, "placement": "home", "item": shown[2]}).json
    assert (again["answer"]["kind"], again["words"]) == ("shown", "It is there, at number 3.")
    public = shop.as_browser()
    asked = {"person": READER, "placement": "home", "item": other}
    is_problem(shop.post("/v1/why-not", asked, public), 403, "")
    assert shop.post("/v1/why-not", {**asked, "person": None}, public).status == 200
    is_problem(shop.post("/v1/why-not", {**asked, "placement": "nowhere"}), 404, "placement")


def test_the_page_with_the_dial_lower(shop: Server) -> None:
    asked = {"person": READER, "placements": ["home"], "dial": "off"}
    low = shop.post("/v1/preview", asked).json["decisions"][0]
    assert (low["label"], low["personal"], low["receipt"]) == ("The same for everyone", False, "")
    assert ids(low) == ids(shop.post("/v1/preview", {**asked, "person": None}).json["decisions"][0])
    own = shop.post("/v1/preview", {**asked, "dial": "remember"}).json["decisions"][0]
    assert ids(own) == ids(shop.decide(READER))
    is_problem(shop.post("/v1/preview", {**asked, "person": None, "dial": "visit"}), 400, "dial")
    is_problem(shop.post("/v1/preview", {**asked, "dial": "loud"}), 400, "dial")
    is_problem(shop.post("/v1/preview", {**asked, "placements": []}), 400, "page")


@pytest.mark.parametrize("change", [{"explain": "all"}, {"language": "x"}, {"language": "../de"}])
def test_a_wrong_wish_is_named(shop: Server, change: dict[str, str]) -> None:
    is_problem(shop.post("/v1/decide", {"placements": ["home"], **change}), 400, next(iter(change)))


def test_why_not_says_of_what_is_not_there_now_what_it_says_of_what_never_was(shop: Server) -> None:
    later = 4_000_000_000_000
    items = [
        {"id": "why-not-hidden", "title": "Hidden", "audience": "everyone", "available": False},
        {"id": "why-not-later", "title": "Later", "audience": "everyone", "available_from": later},
        {"id": "why-not-there", "title": "There", "audience": "everyone"},
    ]
    assert shop.post("/v1/items", {"items": items}).status == 200
    answers = {}
    for item in ("why-not-hidden", "why-not-later", "why-not-there", "why-not-none"):
        for on_page in ([], [item]):
            asked = {"placement": "home", "item": item, "on_page": on_page}
            found = shop.post("/v1/why-not", asked, shop.as_browser()).json
            answers[item, bool(on_page)] = (found["answer"]["kind"], found["words"])
    assert answers["why-not-there", True][0] == "on_page" and answers["why-not-there", False][0] != "unknown"
    assert len({said for (item, _), said in answers.items() if item != "why-not-there"}) == 1
    assert answers["why-not-none", False][0] == "unknown"
