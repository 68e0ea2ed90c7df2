"""The owner's page: who may see it, what it says, and what never stands on it. In this process, by the engine's own clock."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from msgspec import structs

from tactful.api.access import Access
from tactful.api.app import create_app
from tactful.api.service import Service
from tactful.domain.consent import Dial
from tactful.domain.decision import Ask
from tactful.domain.errors import StoreBusy
from tactful.domain.note import Note
from tactful.flow.wording import label, sentence
from tactful.settings import Settings
from tactful.web import owner as pages
from tactful.web.doors import SESSION_MS
from tactful.web.owner import PAGES
from tests.shop import NOW, Shop, learned_models

pytestmark = pytest.mark.filterwarnings(
    "ignore::litestar.exceptions.base_exceptions.LitestarDeprecationWarning"
)  # of Litestar 3, which we do not use
OURS = {"Sec-Fetch-Site": "same-origin"}
WHO = "ann-lovelace@example.com"


class House:
    """The shop with its owner's page. keys: by name, those with the scopes that they are named after."""

    def __init__(self, folder: Path) -> None:
        self.shop = Shop(models=learned_models(), noted=True)
        self.shop.allow(WHO, Dial.remember, "personalise")
        self.shop.does(WHO, "viewed", "treasure-island")
        self.path = folder / "access.json"
        self.keys = Access.create(self.path)
        for name in ("owner", "owner,receipts", "receipts"):
            self.keys[name] = Access.add(self.path, name, tuple(name.split(",")), True)
        access = Access.read(self.path)
        access._clock = lambda: float("inf")  # looks at the file every time
        self.service = Service(self.shop.engine, access, Settings())
        self.app = create_app(self.service, PAGES)
        self.client: TestClient[Any] = TestClient(self.app, base_url="https://shop.test")

    def decide(self, person: str | None, placement: str = "home") -> str:
        return self.shop.engine.decide(person, [Ask(placement)])[0].receipt.id

    def sign_in(self, name: str = "owner,receipts", headers: Mapping[str, str] = OURS, **form: str) -> Any:
        data = form or {"key": self.keys[name]}
        return self.client.post("/owner/enter", data=data, headers=dict(headers), follow_redirects=False)

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, follow_redirects=False, **more)

    def text(self, path: str) -> str:
        reply = self.get(path)
        assert reply.status_code == 200, reply.text
        return str(reply.text)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    with made.client:
        yield made


# -------------------------------------------------------------------------------------------------------------- coming in


@pytest.mark.parametrize(
    "path", ["", "/house", "/live", "/decision?receipt=x", "/decision/x", "/picture/light-wide.svg"]
)
def test_nobody_sees_anything_without_a_key(house: House, path: str) -> None:
    house.decide(None)
    for cookie in ("", "forged", "eyJhbGciOiJub25lIn0.eyJhdWQiOiJ0YWN0ZnVsIG93bmVyIn0."):
        house.client.cookies.set("owner", cookie, path="/owner")
        reply = house.get(f"/owner{path}")
        assert reply.status_code == 401
        assert "Secret key" in reply.text and "home" not in reply.text
        assert reply.headers["cache-control"] == "no-store"


def test_a_person_s_token_opens_no_owner_s_page_and_an_owner_s_session_speaks_for_no_person(house: House) -> None:
    access = house.service.access
    house.client.cookies.set("owner", access.token("secret", NOW), path="/owner")
    assert house.get("/owner").status_code == 401
    session = house.sign_in().cookies["owner"]
    assert house.get(f"/v1/consent/{WHO}", headers={"X-Person-Token": session}).status_code == 403


@pytest.mark.parametrize("key", ["public", "receipts", "nonsense"])
def test_only_a_secret_key_with_the_scope_signs_in(house: House, key: str) -> None:
    house.keys["nonsense"] = "sk_nonsense"
    reply = house.sign_in(key)
    assert reply.status_code == 403 and "set-cookie" not in reply.headers
    assert house.get("/owner").status_code == 401
    assert house.keys[key] not in reply.text


def test_signing_in_sets_a_short_lived_cookie_that_no_script_and_no_other_site_can_use(house: House) -> None:
    reply = house.sign_in(key=house.keys["owner"], to="/owner/house")
    assert (reply.status_code, reply.headers["location"]) == (303, "/owner/house")
    words = {word.strip().lower() for word in reply.headers["set-cookie"].split(";")}
    assert {"httponly", "secure", "samesite=strict", "path=/owner", f"max-age={SESSION_MS // 1000}"} <= words
    assert house.keys["owner"] not in reply.headers["set-cookie"]
    assert house.get("/owner").status_code == 200
    for elsewhere in ("https://evil.example", "//evil.example", "/owner/../x", "/"):
        assert house.sign_in(key=house.keys["owner"], to=elsewhere).headers["location"] == "/owner"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
)
def test_forms_of_other_sites_are_refused(house: House, headers: dict[str, str]) -> None:
    reply = house.sign_in(headers=headers)
    assert reply.status_code == 403 and "set-cookie" not in reply.headers and "another site" in reply.text
    house.sign_in()
    reply = house.client.post("/owner/leave", headers=headers, follow_redirects=False)
    assert reply.status_code == 403 and house.get("/owner").status_code == 200


def test_a_session_is_over_by_the_engine_s_clock(house: House) -> None:
    house.sign_in()
    house.shop.clock.now += SESSION_MS - 1000
    assert house.get("/owner").status_code == 200
    house.shop.clock.now += 1000
    reply = house.get("/owner")
    assert reply.status_code == 401 and "Max-Age=0" in reply.headers["set-cookie"]


def test_a_session_is_over_when_its_key_goes_or_loses_the_scope(house: House) -> None:
    for change in ("removed", "made anew with the same name"):
        house.sign_in("owner")
        assert house.get("/owner").status_code == 200
        Access.remove(house.path, "owner")
        if change != "removed":
            Access.add(house.path, "owner", ("receipts",), True)
        assert house.get("/owner").status_code == 401, change
        if change == "removed":
            house.keys["owner"] = Access.add(house.path, "owner", ("owner",), True)


def test_signing_out(house: House) -> None:
    house.sign_in()
    reply = house.client.post("/owner/leave", headers=OURS, follow_redirects=False)
    assert reply.status_code == 303 and "Max-Age=0" in reply.headers["set-cookie"]


def test_a_link_opens_the_page_once_and_looking_at_it_uses_nothing_up(house: House) -> None:
    ticket = Access.ticket(house.path, "owner,receipts", NOW + 60_000)
    assert ticket not in house.path.read_text()
    for _ in range(2):
        seen = house.text(f"/owner/enter?ticket={ticket}")
        assert "Come in" in seen and "set-cookie" not in seen
    assert house.sign_in(ticket=ticket).status_code == 303
    assert house.get("/owner").status_code == 200
    house.client.cookies.clear()
    again = house.sign_in(ticket=ticket)
    assert again.status_code == 403 and "used already" in again.text and house.get("/owner").status_code == 401


def test_a_link_is_too_old_or_its_key_is_gone_or_it_was_never_given(house: House) -> None:
    old, gone = (Access.ticket(house.path, "owner", NOW + 60_000) for _ in range(2))
    Access.remove(house.path, "owner")
    for ticket in (gone, "never given"):
        assert house.sign_in(ticket=ticket).status_code == 403
    Access.add(house.path, "owner", ("owner",), True)
    house.shop.clock.now += 60_000
    assert house.sign_in(ticket=old).status_code == 403


def test_headers_are_strict(house: House) -> None:
    house.sign_in()
    receipt = house.decide(WHO)
    for path in ("/owner", "/owner/house", f"/owner/decision/{receipt}", "/owner/decision/none", "/owner/enter"):
        reply = house.get(path)
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and reply.headers["cache-control"] == "no-store"
        assert "style=" not in reply.text and " onclick" not in reply.text
        assert "http:" not in reply.text and "https:" not in reply.text, "nothing comes from elsewhere"
    assert house.get("/owner/file/owner.js").headers["content-type"].startswith("text/javascript")
    assert house.get("/owner/file/..%2Fowner.py").status_code == 404


# ------------------------------------------------------------------------------------------------------------ what it says


def test_no_page_names_a_person_or_says_what_they_did_but_an_opened_receipt(house: House) -> None:
    house.decide(WHO)
    house.sign_in()
    for path in ("/owner", "/owner/house"):
        text = house.text(path)
        assert WHO not in text and "lovelace" not in text and "Treasure Island" not in _without_titles(text)
    receipt = house.decide(WHO)
    text = house.text(f"/owner/decision/{receipt}")
    assert WHO not in text and "Treasure Island" in text and "about somebody who allowed it" in text


def _without_titles(text: str) -> str:
    """The page without the list of what is chosen most: titles are the catalogue's."""
    return re.sub(r'<section aria-labelledby="f-most">.*?</section>', "", text, flags=re.S)


def test_a_line_says_how_a_decision_went(house: House) -> None:
    house.decide(None, "popular")
    receipt = house.decide(WHO)
    house.sign_in()
    own, everyones = re.findall(r'<li class="decision.*?</li>', house.text("/owner"), flags=re.S)
    assert ">home" in own and "Remember me" in own and ">personal<" in own and "12 items" in own and "released" in own
    assert f'href="/owner/decision/{receipt}"' in own
    assert ">popular" in everyones and ">Off<" in everyones and "not personal" in everyones and "href" not in everyones
    assert "ms" in own and re.search(r"\d\d:\d\d:\d\d", own)


def test_receipts_that_say_something_about_a_person_need_the_right_for_receipts(house: House) -> None:
    own, nobodys = house.decide(WHO), house.decide(None)
    house.sign_in("owner")
    reply = house.get(f"/owner/decision/{own}")
    assert reply.status_code == 403 and "Treasure Island" not in reply.text
    assert "href" not in re.findall(r'<li class="decision.*?</li>', house.text("/owner"), flags=re.S)[1]
    assert "names nobody" in house.text(f"/owner/decision/{nobodys}"), "it opens for who has its id"
    assert house.get("/owner/decision/unheard-of").status_code == 404
    house.client.cookies.clear()
    house.sign_in("owner,receipts")
    assert house.get(f"/owner/decision/{own}").status_code == 200


def test_the_id_of_a_receipt_that_names_nobody_stands_nowhere(house: House) -> None:
    receipt = house.decide(None)
    house.sign_in()
    assert receipt not in house.text("/owner") + house.text("/owner/house")
    assert all(receipt not in str(note) for _, note in house.shop.stores.receipts.notes(0, 99))


def test_a_decision_is_opened_step_by_step(house: House) -> None:
    receipt = house.decide(WHO)
    house.sign_in()
    found = house.get("/owner/decision", params={"receipt": f" {receipt} "})
    assert found.headers["location"] == f"/owner/decision/{receipt}"
    text = house.text(f"/owner/decision/{receipt}")
    steps = re.findall(r'<h2 id="\w+">(.+?)</h2>', text)
    assert steps == [
        "Asked",
        "What could be seen",
        "Proposed",
        "Permitted",
        "Arranged",
        "Reviewed",
        "What the person reads",
    ]
    opened = house.shop.stores.receipts.get(receipt)
    assert opened is not None
    for removal in opened.removed:
        assert f"<b>{removal.by}</b>" in text and f"took away {removal.count}" in text
    words = house.service.languages.speak("en")
    catalogue = house.shop.engine.shelf().catalogue
    said = text.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert escape(label(opened, words)) in said
    assert all(escape(sentence(one, catalogue, words)) in said for one in opened.shown)


def test_faults_stand_out_with_their_words_in_the_receipt_alone(house: House) -> None:
    house.decide(WHO)
    broken = structs.replace(
        house.shop.stores.receipts.get("receipt-1"), id="broken", faults=("guard children: KeyError: 'ann <b>'",)
    )
    house.shop.stores.receipts.append(broken, NOW + 9, note=Note.of(broken, 1.0)).wait()
    house.sign_in()
    opened = house.text("/owner/decision/broken")
    assert "What failed" in opened and "KeyError: &#39;ann &lt;b&gt;&#39;" in opened
    assert "with a fault" in house.text("/owner") and "ann &lt;" not in house.text("/owner")
    assert "guard children: KeyError</th>" in house.text("/owner/house")


def test_the_house_counts_what_was_decided(house: House) -> None:
    for _ in range(3):
        house.decide(WHO)
    house.decide(None, "popular")
    house.sign_in()
    text = house.text("/owner/house")
    assert "4 decisions; most in the hour from" in text
    assert "In 75% of all decisions something about the person spoke for an item." in text
    assert re.search(r'<th scope="row">home</th><td>3</td><td>3</td><td>100%</td><td>0</td>', text)
    assert "Gini" in text and "Nothing failed." in text and "Nothing waits" in text
    house.decide(None, "popular")
    assert "5 decisions" in house.text("/owner/house"), "what came since is counted too, and nothing twice"
    house.shop.clock.now += 25 * 3_600_000
    house.sign_in()
    assert "Nothing was decided." in house.text("/owner/house"), "what is older than a day is no longer counted"


def test_small_groups_are_not_told_apart_from_none(house: House) -> None:
    house.sign_in()
    assert "<td>fewer than 5</td>" in house.text("/owner/house") and "No group has 5" in house.text("/owner/house")
    for number in range(4):
        house.shop.allow(f"p{number}", Dial.remember, "personalise")
    house.shop.clock.now += 20_000
    text = house.text("/owner/house")
    assert re.search(r'<th scope="row">Remember me</th><td>5</td>', text)
    assert re.search(r'<th scope="row">This visit</th><td>fewer than 5</td>', text)


def test_without_the_extra_the_tables_stand_alone_and_it_is_said_what_brings_pictures(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.decide(WHO)
    house.sign_in()
    assert "<picture>" in house.text("/owner/house") and "tactful[charts]" not in house.text("/owner/house")
    address = re.findall(r'<img src="([^"]+)"', house.text("/owner/house"))[0]
    with_pictures = re.findall(r"<tr>.*?</tr>", house.text("/owner/house"), flags=re.S)
    monkeypatch.setattr(pages, "can_draw", lambda: False)
    text = house.text("/owner/house")
    assert (
        "<picture>" not in text
        and "<details>" not in text
        and "pip install &#39;tactful[charts]&#39;" in text.replace("'", "&#39;")
    )
    assert re.findall(r"<tr>.*?</tr>", text, flags=re.S) == with_pictures, "the same numbers"
    assert house.get(address).status_code == 400


def test_a_store_that_cannot_be_read_is_said_as_a_page(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.sign_in()

    def busy(*_: object) -> None:
        raise StoreBusy(why="locked", retry_after=1)

    monkeypatch.setattr(house.app.state["service"].engine.stores.receipts, "notes", busy)
    reply = house.get("/owner")
    assert reply.status_code == 503 and "locked" in reply.text


def test_of_the_shop_s_style_sheet_the_page_takes_paper_and_ink_alone(house: House) -> None:
    paper = house.text("/owner/file/shop.css")
    assert "--paper:" in paper and "prefers-color-scheme: dark" in paper and "body {" in paper
    assert ".card" not in paper and "/* --" not in paper
