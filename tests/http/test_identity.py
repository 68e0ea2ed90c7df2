"""Who is who, over HTTP: what a server, a person's own token and a public key may say."""

from typing import Any

from tests.http.served import Server, message


def identify(person: str, device: str, name: str, **more: Any) -> dict[str, Any]:
    """A login: this device is this person's."""
    return {"type": "identify", "messageId": name, "userId": person, "anonymousId": device, **more}


def on_device(device: str, name: str, item: str) -> dict[str, Any]:
    """Something done on a device."""
    return {
        "type": "track",
        "event": "viewed",
        "messageId": name,
        "anonymousId": device,
        "properties": {"item_id": item},
    }


def names(shop: Server, person: str) -> list[dict[str, Any]]:
    """The devices and old names of a person."""
    found: list[dict[str, Any]] = shop.get(f"/v1/identity/{person}", shop.as_server()).json["names"]
    return found


def test_a_login_makes_two_devices_one_person_and_a_public_key_alone_links_nothing(shop: Server) -> None:
    for name in ("iris", "anon:iris-phone", "anon:iris-tablet"):
        shop.allow(name)
    shop.send(on_device("iris-phone", "i1", "emma"), headers=shop.as_browser())
    forged = shop.send(identify("iris", "iris-phone", "i2"), headers=shop.as_browser())
    assert forged["stored"] == 0 and names(shop, "iris") == []
    token = shop.token("iris")
    proven = shop.send(identify("iris", "iris-phone", "i3"), headers=shop.as_browser(token))
    assert proven["stored"] == 1, proven
    shop.send(identify("iris", "iris-tablet", "i4"))
    assert [one["name"] for one in names(shop, "iris")] == ["anon:iris-phone", "anon:iris-tablet"]
    assert all(one["holds_back"] and not one["confirmed"] for one in names(shop, "iris"))
    again = shop.send(identify("iris", "iris-tablet", "i4"))
    assert (again["stored"], again["duplicate"]) == (0, 1)


def test_the_person_confirms_and_unlinks_with_their_own_token(shop: Server) -> None:
    shop.allow("ivan")
    shop.allow("anon:ivan-tv", dial="off")
    shop.send(message("ivan", "v1", "emma", "liked"))
    shop.send(identify("ivan", "ivan-tv", "v2"))
    assert not shop.decide("ivan")["personal"], "the television said no, and nobody has confirmed whose it is"
    browser = shop.as_browser(shop.token("ivan"))
    pair = {"person": "ivan", "name": "anon:ivan-tv"}
    confirmed = shop.post("/v1/identity/confirm", pair, browser)
    assert confirmed.status == 200 and confirmed.json["names"][0]["confirmed"]
    assert shop.decide("ivan")["personal"]
    assert shop.post("/v1/identity/unlink", pair, browser).json["names"] == []
    assert shop.post("/v1/identity/unlink", pair, browser).status == 400
    assert shop.post("/v1/identity/confirm", pair, shop.as_browser(shop.token("mallory"))).status == 403
    assert shop.post("/v1/identity/confirm", pair, shop.as_browser()).status == 403


def test_a_token_attaches_devices_and_never_another_persons_past(shop: Server) -> None:
    for name in ("victim", "thief"):
        shop.allow(name)
    shop.send(message("victim", "x1", "emma"))
    browser = shop.as_browser(shop.token("thief"))
    for alias in (False, True):
        reply = shop.post("/v1/identity/link", {"person": "thief", "name": "victim", "alias": alias}, browser)
        assert reply.status == 403, reply.body
    assert shop.post("/v1/identity/link", {"person": "thief", "name": "anon:own"}, browser).status == 200
    assert shop.post("/v1/identity/link", {"person": "victim", "name": "anon:own"}, browser).status == 403
    assert names(shop, "victim") == []
    server = shop.post("/v1/identity/link", {"person": "victim", "name": "victim-before", "alias": True})
    assert server.status == 200 and server.json["names"][0]["how"] == "alias"


def test_people_of_an_account_choose_and_are_not_each_other(shop: Server) -> None:
    shop.allow("family")
    browser = shop.as_browser(shop.token("family"))
    shop.send(message("family", "f1", "emma", "bought"))
    chosen = shop.post("/v1/identity/choose", {"account": "family", "name": "kim"}, browser)
    assert chosen.status == 200 and chosen.json == {"person": "member:kim:family", "members": ["member:kim:family"]}
    asked = {"dial": "remember", "purposes": {"personalise": True, "learn": True}}
    assert shop.call("PUT", "/v1/consent/member:kim:family", asked, browser).status == 200
    ranked = {"placement": "home", "person": "family", "items": ["emma", "dracula"]}
    emma = {one["id"] for one in shop.post("/v1/rank", ranked, browser).json["items"]}
    assert emma == {"emma", "dracula"}, "what mum bought, kim does not have"
    assert shop.get("/v1/identity/family", browser).json["acting"] == "member:kim:family"
    shop.post("/v1/identity/choose", {"account": "family", "name": ""}, browser)
    assert {one["id"] for one in shop.post("/v1/rank", ranked, browser).json["items"]} == {"dracula"}
    assert shop.post("/v1/identity/choose", {"account": "family", "name": "a:b"}, browser).status == 400
    stranger = shop.as_browser(shop.token("stranger"))
    assert shop.post("/v1/identity/choose", {"account": "family", "name": "me"}, stranger).status == 403
    assert shop.call("GET", "/v1/consent/member:kim:family", None, stranger).status == 403


def test_not_me_takes_a_visit_back(shop: Server) -> None:
    shop.allow("nora")
    shop.send(message("nora", "n1", "emma", "bought"))
    browser = shop.as_browser(shop.token("nora"))
    ranked = {"placement": "home", "person": "nora", "items": ["emma", "dracula"]}
    assert {one["id"] for one in shop.post("/v1/rank", ranked).json["items"]} == {"dracula"}
    assert shop.post("/v1/identity/not-me", {"person": "nora"}, shop.as_browser()).status == 403
    assert shop.post("/v1/identity/not-me", {"person": "nora"}, browser).status == 200
    assert {one["id"] for one in shop.post("/v1/rank", ranked).json["items"]} == {"emma", "dracula"}
    assert shop.post("/v1/identity/not-me", {"person": "nora", "since": 1 << 60}, browser).status == 400


def test_nobody_has_more_links_than_a_person_can_have_devices(shop: Server) -> None:
    shop.allow("legion")
    logins = [identify("legion", f"legion-{number}", f"l{number}") for number in range(2_000)]
    for begin in range(0, 2_000, 500):
        assert shop.send(*logins[begin : begin + 500])["stored"] == 500
    over = shop.send(identify("legion", "legion-more", "l-more"))
    assert over["refused"] == 1 and "2,000 links" in over["problems"][0]["why"]
    reply = shop.post("/v1/identity/link", {"person": "legion", "name": "anon:legion-more"})
    assert reply.status == 400 and b"2,000 links" in reply.body and b"Send the same id" in reply.body
    assert len(names(shop, "legion")) == 2_000
