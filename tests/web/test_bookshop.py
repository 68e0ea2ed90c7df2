"""The bookshop's pages over HTTP, without a browser: each at each level of the dial, what they keep, and what they never show."""

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.datastructures import State
from litestar.testing import TestClient
from msgspec import Struct, structs

from tactful.api.access import Access, Stored
from tactful.domain.consent import Dial
from tactful.domain.errors import NotAllowed
from tactful.domain.profile import UNKNOWN
from tactful.domain.words import Languages
from tactful.engine import Engine
from tactful.languages import read_languages
from tactful.stores.missed import Missed
from tactful.web.shop import HANDLERS, PAGES
from tests.bookshop import ITEMS, open_bookshop
from tests.shop import NOW, Shop

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated inferred style")
OURS = {"Sec-Fetch-Site": "same-origin"}
LEVELS = [level.name for level in Dial]
TITLES = {item.id: item.title for item in ITEMS}
PRIVATE = frozenset(item.id for item in ITEMS if item.sensitivity)
FOR_CHILDREN = frozenset(item.id for item in ITEMS if item.audience == "children")
PLACES = (
    "/",
    "/shelves",
    "/shelf/sea",
    "/book/moby-dick",
    "/cart",
    "/quiz",
    "/you",
    "/preview",
    "/weekly",
    "/search?q=sea",
)
POSTS = sorted({path for one in HANDLERS for path in one.paths if "POST" in one.http_methods})


class Served(Struct):
    """What the pages need of a service."""

    engine: Engine
    access: Access
    languages: Languages
    missed: Missed | None = None


class Visitor:
    """A browser, and a look behind the counter."""

    def __init__(self, shop: Shop, client: "TestClient[Litestar]") -> None:
        self.shop, self.client = shop, client

    def get(self, place: str, status: int = 200) -> str:
        self.shop.clock.now += 1_000
        answer = self.client.get(place)
        assert answer.status_code == status, (place, answer.text)
        return answer.text

    def post(self, place: str, **form: Any) -> str:
        self.shop.clock.now += 1_000
        answer = self.client.post(place, data=form, headers=OURS)
        assert answer.status_code == 200, (place, answer.text)
        return answer.text

    def turn(self, level: str) -> None:
        self.post("/dial", dial=level, back="/")

    @property
    def person(self) -> str | None:
        token = self.client.cookies.get("reader")
        return None if token is None else Access(Stored("00" * 32, [])).person(token, self.shop.clock.now)

    @property
    def profile(self) -> Any:
        return UNKNOWN if self.person is None else self.shop.engine.profile(self.person)

    def done(self) -> list[tuple[str, str]]:
        return [(act.verb, act.item) for act in self.profile.observed]

    def told(self) -> dict[str, Any]:
        return {name: trait.value for name, trait in self.profile.declared.items() if trait.value}


@pytest.fixture
def shop() -> Shop:
    return open_bookshop()


def entering(shop: Shop, missed: Missed | None = None) -> "TestClient[Litestar]":
    service = Served(shop.engine, Access(Stored("00" * 32, [])), read_languages(), missed)
    return TestClient(Litestar(PAGES, state=State({"service": service})), base_url="http://shop.example")


@pytest.fixture
def ann(shop: Shop) -> Iterator[Visitor]:
    with entering(shop) as client:
        yield Visitor(shop, client)


@pytest.fixture
def bob(shop: Shop) -> Iterator[Visitor]:
    with entering(shop) as client:
        yield Visitor(shop, client)


def shown(text: str) -> list[str]:
    """Ids of the books that a page shows in rows and lists."""
    return re.findall(r'<a href="/book/([^"/?]+)"', text)


def picked(text: str) -> list[str]:
    """Ids of the books that somebody chose to show: not those of a shelf."""
    return re.findall(r'<(?:h2|h3|h4|p)><a href="/book/([^"/]+)"', text)


def everywhere(text: str) -> str:
    """A page without what is different on each."""
    return re.sub(r"/why/receipt-\d+|receipt-\d+", "", text)


# ---------------------------------------------------------------------------------------------------------------- looking


@pytest.mark.parametrize("level", LEVELS)
def test_every_page_at_every_level_is_whole_strict_and_light(ann: Visitor, level: str) -> None:
    ann.turn(level)
    for place in (*PLACES, *(("/quiz/1", "/quiz/3", "/quiz/6") if level != "off" else ())):
        answer = ann.client.get(place)
        assert answer.status_code == 200, place
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "style-src 'self'" in policy and "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "<script" not in answer.text and "style=" not in answer.text and " on" + "click" not in answer.text
        assert answer.text.count("<h1") == 1, place
        assert len(answer.content) <= 45_000, (place, len(answer.content))
        for tag in re.findall(r"<img[^>]*>", answer.text):
            assert 'width="' in tag and 'height="' in tag and "alt=" in tag, tag


def test_at_off_nothing_is_set_and_everybody_sees_the_same(ann: Visitor, bob: Visitor) -> None:
    for place in PLACES:
        ann.get(place)
    assert len(ann.client.cookies) == 0
    for place in PLACES[:-1]:  # the last one searches, and an index in memory belongs to one thread
        assert everywhere(ann.get(place)) == everywhere(bob.get(place)), place


def test_the_rows_and_the_menu_follow_the_visit_and_go_back_with_the_dial(ann: Visitor) -> None:
    everyone = everywhere(ann.get("/"))
    ann.turn("visit")
    for book in ("dracula", "frankenstein", "carmilla") if "carmilla" in TITLES else ("dracula", "frankenstein"):
        ann.get(f"/book/{book}")
    mine = ann.get("/")
    assert "Picked for you" in mine
    assert menu(mine) != menu(everyone) and "horror" in menu(mine)
    ann.turn("off")
    assert everywhere(ann.get("/")) == everyone


def menu(text: str) -> list[str]:
    return re.findall(r'href="/shelf/([^"]+)"', text.partition('aria-label="Shelves"')[2].partition("</nav>")[0])


def test_a_view_is_noted_once_and_never_of_a_private_book(ann: Visitor) -> None:
    ann.turn("remember")
    for _ in range(2):
        ann.get("/book/emma")
    private = sorted(PRIVATE)[0]
    ann.get(f"/book/{private}")
    assert ann.done() == [("viewed", "emma")]


@pytest.mark.parametrize("seed", range(8))
def test_private_books_are_never_picked_by_behaviour(ann: Visitor, seed: int) -> None:
    dice = random.Random(seed)
    ann.turn(dice.choice(["visit", "remember"]))
    for item in dice.sample(sorted(TITLES), 12) + dice.sample(sorted(PRIVATE), 4):
        ann.get(f"/book/{item}")
        ann.client.post(f"/book/{item}", data={"verb": dice.choice(["liked", "clicked", "finished"])}, headers=OURS)
    ann.client.post("/weekly", headers=OURS)
    ann.post("/cart", item=dice.choice(sorted(PRIVATE)), back="/")
    ann.post("/quiz/1", pick=dice.sample(sorted(TITLES), 3))
    assert not PRIVATE & {item for _, item in ann.done()}
    for place in ("/", "/weekly", "/quiz/2", "/preview", f"/book/{sorted(PRIVATE)[0]}", "/book/emma"):
        assert not PRIVATE & set(picked(ann.get(place))), place
    carted = ann.get("/cart").partition('aria-labelledby="together"')[2]
    assert not PRIVATE & set(picked(carted))


# ----------------------------------------------------------------------------------------------------------------- saying


@pytest.mark.parametrize("place", POSTS)
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_forged_forms_are_refused_and_change_nothing(ann: Visitor, place: str, headers: dict[str, str]) -> None:
    ann.turn("remember")
    ann.get("/book/emma")
    before = (ann.done(), ann.told(), len(ann.shop.stores.consents.read(ann.person or "")))
    where = place.replace("{item:str}", "emma").replace("{step:int}", "1")
    form = {
        "dial": "off",
        "verb": "liked",
        "item": "emma",
        "pick": "emma",
        "on": "yes",
        "what": "subjects:sea",
        "less": "yes",
        "purpose": "learn",
        "kind": "told",
    }
    answer = ann.client.post(where, data=form, headers=headers)
    assert answer.status_code == 403 and "came from another site" in answer.text
    assert "set-cookie" not in answer.headers
    assert before == (ann.done(), ann.told(), len(ann.shop.stores.consents.read(ann.person or "")))


def test_the_cart_works_at_off_and_tells_nobody_anything(ann: Visitor) -> None:
    assert "Put in cart" in ann.get("/book/emma")
    ann.post("/cart", item="emma", back="/book/emma")
    assert set(ann.client.cookies) == {"cart"}, "only what the cart needs"
    assert "Emma" in ann.get("/cart") and "Take out of cart" in ann.get("/book/emma")
    ann.post("/cart", item="kidnapped", back="/cart")
    ann.post("/cart", item="emma", out="yes", back="/cart")
    assert shown(ann.get("/cart"))[:1] == ["kidnapped"]
    assert "do not keep that you bought it" in ann.post("/cart/buy")
    assert not ann.client.cookies.get("cart")
    assert list(ann.shop.stores.consents.everybody()) == [] and list(ann.shop.stores.events.people()) == []


def test_a_forged_cart_is_dropped(ann: Visitor) -> None:
    for token in ("no-token", Access(Stored("11" * 32, [])).token("cart:emma", ann.shop.clock.now)):
        ann.client.cookies.set("cart", token, domain="shop.example", path="/")
        answer = ann.client.get("/cart")
        assert "It is empty" in answer.text and "Max-Age=0" in answer.headers["set-cookie"]
        ann.client.cookies.clear()


def test_a_cart_proves_nobody_and_a_person_is_no_cart(ann: Visitor) -> None:
    access, shop = Access(Stored("00" * 32, [])), ann.shop
    ann.post("/cart", item="emma", back="/")
    with pytest.raises(NotAllowed):
        access.person(ann.client.cookies["cart"], shop.clock.now)
    for name in ("emma", "cart:emma"):  # even of somebody who is called like what lies in it
        shop.allow(name)
    assert access.person(access.token("emma", shop.clock.now), shop.clock.now) == "emma"
    ann.turn("remember")
    ann.post("/cart", item="emma", back="/")
    person, cart = ann.client.cookies["reader"], ann.client.cookies["cart"]
    ann.client.cookies.clear()
    ann.client.cookies.set("reader", cart, domain="shop.example", path="/")
    ann.client.cookies.set("cart", person, domain="shop.example", path="/")
    assert 'aria-pressed="true" aria-describedby="holds-off"' in ann.get("/")
    assert "It is empty" in ann.get("/cart")


def test_what_is_bought_with_the_dial_up_is_not_picked_again(ann: Visitor) -> None:
    ann.turn("remember")
    first = picked(ann.get("/"))[0]
    ann.post("/cart", item=first, back="/")
    assert "will not pick it" in ann.post("/cart/buy")
    assert ann.done() == [("added", first), ("bought", first)]
    assert first not in picked(ann.get("/")) and "You bought this one" in ann.get(f"/book/{first}")


def test_a_cart_holds_only_so_much(ann: Visitor) -> None:
    for item in sorted(TITLES)[:25]:
        text = ann.post("/cart", item=item, back="/cart")
    assert "Your cart is full" in text and ann.get("/cart").count("Take out<") == 20


# ------------------------------------------------------------------------------------------------------------------- quiz


def test_the_quiz_asks_first_and_counts_at_once(ann: Visitor) -> None:
    assert "needs you to turn the dial up" in ann.get("/quiz")
    assert ann.client.get("/quiz/1", follow_redirects=False).headers["location"] == "/quiz"
    ann.post("/quiz/1", pick="moby-dick")
    assert ann.told() == {} and len(ann.client.cookies) == 0
    ann.post("/dial", dial="told", back="/quiz/1")
    text = ann.get("/quiz/1")
    was = re.findall(r'name="was" value="([^"]+)"', text)[0]
    text = ann.post("/quiz/1", pick="moby-dick", was=was)
    assert "Question 2 of 5" in text and "sea" in ann.told()["interests"]
    assert re.search(r"Your answer brought \d new book", text) and "New here" in text
    ann.post("/quiz/2", pick=["funny", "no such mood"])
    ann.post("/quiz/3", pick=["short", "long"])
    assert ann.told()["moods"] == ["funny"] and ann.told()["length"] == ["short"]
    assert "you are in for something funny" in ann.get("/quiz/6")
    assert ann.done() == [], "only what was told"


def test_answers_of_the_quiz_can_be_corrected_and_deleted(ann: Visitor) -> None:
    ann.turn("told")
    ann.post("/you/told", interests=["sea", "war"], moods="calm")
    assert ann.told() == {"interests": ["sea", "war"], "moods": ["calm"]}
    ann.post("/you/told", interests="war")
    assert ann.told() == {"interests": ["war"]}
    ann.post("/you/delete", kind="told", name="interests")
    assert ann.told() == {} and "interests" not in ann.profile.declared


def test_nobody_can_tell_the_shop_something_private(ann: Visitor) -> None:
    ann.turn("told")
    for place in ("/you", "/quiz/5"):
        assert 'value="faith"' not in ann.get(place)
    ann.post("/you/told", interests=["faith", "medicine", "sea"])
    ann.post("/quiz/5", pick=["politics", "sea"])
    assert ann.told() == {"interests": ["sea"]}
    answer = ann.client.post("/muted", data={"what": "subjects:faith", "less": "yes"}, headers=OURS)
    assert answer.status_code == 400 and ann.told() == {"interests": ["sea"]}


def test_less_like_this_is_kept_shown_and_taken_back(ann: Visitor) -> None:
    ann.turn("remember")
    assert "Less about sea" in ann.get("/book/moby-dick")
    ann.post("/muted", what="subjects:sea", less="yes", back="/book/moby-dick")
    ann.post("/muted", what="author:Jane Austen", less="yes", back="/")
    assert ann.told()["muted"] == ["subjects:sea", "author:Jane Austen"]
    assert "Take back: less of Jane Austen" in ann.get("/you")
    for place in ("/", "/weekly", "/book/treasure-island"):
        found = set(picked(ann.get(place)))
        assert found and not found & {item.id for item in ITEMS if "sea" in item.values("subjects")}, place
        assert not found & {item.id for item in ITEMS if "Jane Austen" in item.values("author")}, place
    assert "moby-dick" in shown(ann.get("/shelf/sea")), "it still stands on its shelf"
    ann.post("/muted", what="subjects:sea", back="/you")
    assert ann.told()["muted"] == ["author:Jane Austen"]


# ------------------------------------------------------------------------------------------------------------- what is known


def test_one_thing_can_be_deleted_and_every_worker_knows(ann: Visitor) -> None:
    other = Shop.beside(ann.shop)
    ann.turn("remember")
    for book in ("emma", "dracula"):
        ann.get(f"/book/{book}")
    person = ann.person or ""
    assert len(other.engine.profile(person).observed) == 2
    act = ann.profile.observed[0].id
    ann.post("/you/delete", act=act)
    assert ann.done() == [("viewed", "dracula")]
    assert [one.item for one in other.engine.profile(person).observed] == ["dracula"]
    assert not ann.shop.engine.people.disowned(person, ann.shop.clock.now), "what comes now is still theirs"
    ann.get("/book/emma")
    assert ("viewed", "emma") in ann.done()


def test_nobody_deletes_what_is_somebody_elses(ann: Visitor, bob: Visitor) -> None:
    for visitor in (ann, bob):
        visitor.turn("remember")
    ann.get("/book/emma")
    bob.client.post("/you/delete", data={"act": ann.profile.observed[0].id}, headers=OURS)
    assert ann.done() == [("viewed", "emma")]


def test_start_afresh_forgets_all_but_what_is_allowed(ann: Visitor) -> None:
    ann.turn("remember")
    ann.get("/book/dracula")
    ann.post("/you/told", interests="sea")
    ann.post("/you/purpose", purpose="learn", on="yes")
    receipt = re.findall(r'"(/why/[^"]+)"', ann.get("/"))[0]
    ann.get(receipt)
    before, consent = ann.person or "", ann.shop.engine.consent(ann.person or "")
    proof = [change.at for change in ann.shop.stores.consents.read(before)]
    assert "Your taste is reset" in ann.post("/you/afresh")
    assert ann.person != before and ann.profile == UNKNOWN
    after = ann.shop.engine.consent(ann.person or "")
    assert (after.dial, after.granted, after.since) == (consent.dial, consent.granted, ann.shop.clock.now)
    assert [change.at for change in ann.shop.stores.consents.read(ann.person or "")] == [after.since, *proof]
    assert "You started afresh" in ann.get("/you")
    ann.get(receipt, status=404)
    assert ann.shop.stores.events.read(before) == [] and ann.shop.stores.consents.read(before) == []


def test_a_visit_of_somebody_else_is_taken_back(ann: Visitor) -> None:
    ann.turn("remember")
    ann.get("/book/emma")
    ann.shop.clock.now += 2 * 86_400_000
    for book in ("dracula", "frankenstein"):
        ann.get(f"/book/{book}")
    assert "This visit was not you" in ann.post("/you/not-me")
    assert ann.done() == [("viewed", "emma")]


@pytest.mark.parametrize("level", ["told", "remember"])
def test_what_somebody_else_told_in_a_visit_is_taken_back_with_it(ann: Visitor, level: str) -> None:
    ann.turn(level)
    ann.post("/you/told", interests="sea")
    ann.shop.clock.now += 2 * 86_400_000
    ann.post("/quiz/5", pick=["horror", "war"])
    ann.post("/muted", what="subjects:sea", less="yes", back="/")
    if level == "remember":
        ann.get("/book/emma")
        ann.post("/weekly")
        assert "weekly" in ann.profile.inferred
    assert "This visit was not you" in ann.post("/you/not-me")
    assert ann.told() == {"interests": ["sea"]} and ann.done() == [] and ann.profile.inferred == {}
    events = ann.shop.stores.events.read(ann.person or "")
    assert {event.at for _, event in events} == {NOW + 2_000}, "nor is anything of it kept"


def test_forget_me_leaves_nothing(ann: Visitor) -> None:
    ann.turn("remember")
    ann.get("/book/emma")
    person = ann.person or ""
    ann.post("/cart", item="emma", back="/")
    assert "You are forgotten" in ann.post("/you/forget")
    assert len(ann.client.cookies) == 0 and ann.shop.stores.consents.read(person) == []


def test_all_of_it_can_be_taken_along(ann: Visitor, bob: Visitor) -> None:
    ann.turn("remember")
    ann.get("/book/emma")
    ann.post("/you/told", interests="sea")
    answer = ann.client.get("/you/data.json")
    assert "attachment" in answer.headers["content-disposition"]
    held = json.loads(answer.text)
    assert set(held) == {"told", "observed", "obtained", "inferred", "allowed"}
    assert held["observed"][0]["item"] == "emma" and {one["name"] for one in held["told"]} >= {"interests"}
    assert held["allowed"][0]["source"] == "bookshop"
    assert not any(json.loads(bob.get("/you/data.json")).values())


def test_the_list_of_the_week_is_made_when_asked_for_stands_on_the_page_and_goes(ann: Visitor) -> None:
    assert "These are everybody’s" in ann.get("/weekly")
    ann.turn("remember")
    assert "could not make a list" in ann.post("/weekly")
    for book in ("dracula", "frankenstein", "moby-dick"):
        ann.get(f"/book/{book}")
    text = ann.post("/weekly")
    mine = picked(text)
    assert len(mine) == 30 and not {"dracula", "frankenstein", "moby-dick"} & set(mine)
    kept = ann.profile.inferred["weekly"]
    assert mine == kept.value
    assert f"Made for you on {datetime.fromtimestamp(kept.at / 1000, UTC):%-d %B %Y}" in text
    assert "this week" not in text + ann.get("/"), "it is kept for two"
    assert TITLES[mine[0]] in ann.get("/you").partition('id="guessed"')[2]
    ann.turn("visit")
    assert "These are everybody’s" in ann.get("/weekly"), "asked about consent when it is opened"
    ann.turn("remember")
    assert "These are everybody’s" in ann.get("/weekly"), "and no new yes brings an old list back"
    assert "it was made before the person allowed less" in ann.get("/you")
    ann.post("/you/delete", kind="inferred", name="weekly")
    assert ann.profile.inferred == {} and "These are everybody’s" in ann.get("/weekly")


def test_the_list_of_the_week_goes_with_what_it_was_made_from(ann: Visitor) -> None:
    ann.turn("remember")
    for book in ("dracula", "frankenstein"):
        ann.get(f"/book/{book}")
    assert len(picked(ann.post("/weekly"))) == 30
    ann.post("/you/delete", act=ann.profile.observed[0].id)
    assert ann.profile.inferred == {} and "These are everybody’s" in ann.get("/weekly")


def test_the_list_of_the_week_goes_with_an_answer_that_was_corrected_and_not_with_one_more(ann: Visitor) -> None:
    ann.turn("remember")
    ann.get("/book/dracula")
    ann.post("/you/told", interests=["horror", "war"])
    ann.post("/weekly")
    ann.post("/you/told", interests=["horror", "war", "sea"])
    ann.post("/muted", what="author:Jane Austen", less="yes", back="/")
    assert "weekly" in ann.profile.inferred
    ann.post("/you/told", interests=["sea"])
    assert ann.profile.inferred == {} and "These are everybody’s" in ann.get("/weekly")


def test_trying_the_dial_out_keeps_nothing_and_tells_the_truth(ann: Visitor, bob: Visitor) -> None:
    everyone = picked(bob.get("/"))[:4]
    ann.turn("remember")
    for book in ("dracula", "frankenstein"):
        ann.get(f"/book/{book}")
    now, done = picked(ann.get("/"))[:4], ann.done()
    text = ann.get("/preview?dial=off").partition('class="sides"')[2]
    left, _, right = text.partition('aria-labelledby="side-2"')
    assert picked(left)[:4] == now and picked(right)[:4] == everyone
    assert "Picked for you" in left and "Picked for you" not in right
    assert ann.done() == done and "/why/" not in text.partition("</main>")[0]


def test_reasons_open_for_their_own_person(ann: Visitor, bob: Visitor) -> None:
    ann.turn("remember")
    ann.get("/book/dracula")
    receipt = re.findall(r'"(/why/[^"]+)"', ann.get("/"))[0]
    text = ann.get(receipt)
    assert "Dracula" in text and "What each book scored" in text
    german = ann.get(f"{receipt}?in=de")
    assert "Für dich ausgesucht" not in text and 'lang="de"' in german and "Dracula" in german
    bob.get(receipt, status=404)
    bob.turn("remember")
    bob.get(receipt, status=404)


def of_search(text: str) -> str:
    """The address of the reasons of a search."""
    return re.findall(r'<a class="whylink" href="(/why/[^"]+)">Why in this order', text)[0]


def lead(text: str) -> str:
    """What the page of reasons says first."""
    return " ".join(re.sub("<[^>]+>", "", text.partition('<p class="lead">')[2].partition("</p>")[0]).split())


def test_the_page_of_reasons_says_first_what_the_list_says(ann: Visitor) -> None:
    place = of_search(ann.get("/search?q=sea"))
    text = ann.get(place)
    assert lead(text) == "The same for everyone. Nothing about you spoke for any of these books."
    assert "The same for everyone" in lead(ann.get(f"{place}?in=en")) and "Für alle gleich" in lead(
        ann.get(f"{place}?in=de")
    )
    assert (
        "with the dial at" not in text
        and "names nobody" in text
        and "All that we keep about you may be used" not in text
    )
    ann.turn("remember")
    for book in ("dracula", "frankenstein"):
        ann.get(f"/book/{book}")
        ann.post(f"/book/{book}", verb="liked")
    for words in ("sea", "mystery", "homer"):
        page = ann.get(f"/search?q={words}")
        label = re.findall(r'<p class="label[^"]*">([^<]+)</p>', page)[0]
        text = ann.get(of_search(page))
        assert lead(text).startswith(f"{label}, with the dial at “Remember me”.")
        assert "names nobody" not in text
    ann.post("/you/purpose", purpose="personalise", on="no")
    text = ann.get(of_search(ann.get("/search?q=mystery")))
    assert "dial" not in lead(text) and "names nobody" in text


def test_the_reasons_of_a_search_open_for_their_own_person_and_go_with_them(ann: Visitor, bob: Visitor) -> None:
    ann.turn("remember")
    for book in ("dracula", "frankenstein"):
        ann.get(f"/book/{book}")
        ann.post(f"/book/{book}", verb="liked")
    reasons = of_search(ann.get("/search?q=mystery"))
    assert "Dracula" in ann.get(reasons), "what they did counted"
    bob.get(reasons, status=404)
    bob.turn("remember")
    bob.get(reasons, status=404)
    ann.post("/you/forget")
    ann.get(reasons, status=404)


# ---------------------------------------------------------------------------------------------------------------- children


def test_a_child_opens_no_reasons_that_name_a_book_for_grown_ups(ann: Visitor) -> None:
    """Not even their own of before, and not where all the books shown are for children."""
    ann.turn("remember")
    for book in ("the-golden-pot", "mademoiselle-de-scuderi"):
        ann.get(f"/book/{book}")
        ann.post(f"/book/{book}", verb="liked")
    reasons = of_search(ann.get("/search?q=nutcracker"))
    receipt = ann.shop.stores.receipts.get(reasons.removeprefix("/why/"))
    assert (
        receipt is not None and {one.item for one in receipt.shown} <= FOR_CHILDREN and "Golden Pot" in ann.get(reasons)
    )
    ann.shop.change(ann.person or "", child=True)
    assert "Golden Pot" not in ann.get(reasons, status=404)


def test_somebody_known_to_be_a_child_sees_only_books_for_children_and_can_go(ann: Visitor) -> None:
    ann.turn("remember")
    ann.get("/book/dracula")
    person = ann.person or ""
    ann.shop.change(person, child=True)
    for place in (*(place for place in PLACES if place not in ("/shelf/sea", "/book/moby-dick", "/quiz")), "/you"):
        text = ann.get(place)
        assert set(shown(text)) <= FOR_CHILDREN and "Back to the shelves for grown-ups" not in text, place
    ann.get("/book/dracula", status=404)
    ann.get("/covers/dracula.svg", status=404)
    ann.post("/you/child", on="no")
    ann.get("/book/dracula", status=404)
    assert ann.person == person and len(ann.done()) == 1, "nobody grows up by pressing a button"
    assert "dracula" in ann.get("/you/data.json") and "Forget me" in ann.get("/you")
    ann.post("/you/forget")
    assert ann.person is None and ann.shop.stores.events.read(person) == []


def test_somebody_known_to_be_a_child_can_turn_the_dial_off_and_not_up(ann: Visitor) -> None:
    ann.turn("told")
    person = ann.person or ""
    ann.shop.change(person, child=True)
    assert ann.client.post("/dial", data={"dial": "remember"}, headers=OURS).status_code == 400
    ann.turn("off")
    assert ann.person is None and ann.shop.stores.consents.read(person) == []


def test_where_whoever_is_unknown_is_presumed_a_child_they_see_what_children_see(ann: Visitor) -> None:
    rules = ann.shop.charter
    ann.shop.engine.charter = structs.replace(
        rules, children=structs.replace(rules.children, unknown_age_is_child=True)
    )
    ann.get("/book/dracula", status=404)
    ann.get("/covers/dracula.svg", status=404)
    for place in ("/", "/shelves", "/search?q=love"):
        assert set(shown(ann.get(place))) <= FOR_CHILDREN, place
    assert "Back to the shelves for grown-ups" not in ann.get("/") and "Forget me" not in ann.get("/you")


def test_a_book_is_there_in_its_time_and_at_no_other(ann: Visitor) -> None:
    now, day = ann.shop.clock.now, 86_400_000
    emma = next(item for item in ITEMS if item.id == "emma")
    ann.shop.engine.put_items([structs.replace(emma, available_from=now + day, available_until=now + 3 * day)]).wait()
    for after, status in ((0, 404), (2, 200), (4, 404), (2, 200), (0, 404)):
        ann.shop.clock.now = now + after * day
        ann.get("/book/emma", status=status)
        ann.get("/covers/emma.svg", status=status)
        assert ("emma" in shown(ann.get("/shelf/jane-austen"))) == (status == 200)


def test_a_cover_is_for_whoever_may_see_the_book(ann: Visitor) -> None:
    answer = ann.client.get("/covers/dracula.svg")
    assert answer.status_code == 200 and answer.headers["cache-control"].startswith("private")
    emma = next(item for item in ITEMS if item.id == "emma")
    ann.shop.engine.put_items([structs.replace(emma, available=False)]).wait()
    assert "Emma" not in ann.get("/covers/emma.svg", status=404)
    ann.post("/you/child", on="yes")
    ann.get("/covers/dracula.svg", status=404)
    ann.get(f"/covers/{min(FOR_CHILDREN)}.svg")


def test_a_child_sees_only_books_for_children_and_nothing_is_kept(ann: Visitor) -> None:
    ann.turn("remember")
    for book in ("dracula", "moby-dick"):
        ann.get(f"/book/{book}")
    receipt, grown_up = re.findall(r'"(/why/[^"]+)"', ann.get("/"))[0], ann.person
    assert "children’s shelves" in ann.post("/you/child", on="yes")
    people = len(list(ann.shop.stores.events.people()))
    text = ann.get("/shelves")
    shelves = re.findall(r'"(/shelf/[^"]+)"', text)
    seen: set[str] = set()
    for place in (*(place for place in PLACES if place not in ("/shelf/sea", "/book/moby-dick", "/quiz")), *shelves):
        text = ann.get(place)
        seen |= set(shown(text))
        assert set(shown(text)) <= FOR_CHILDREN, place
    assert len(seen) == len(FOR_CHILDREN), "and all of those"
    for item in sorted(FOR_CHILDREN)[:6]:
        text = ann.get(f"/book/{item}")
        assert set(shown(text)) <= FOR_CHILDREN and "Less like this" not in text and 'name="verb"' not in text
        ann.client.post(f"/book/{item}", data={"verb": "liked"}, headers=OURS)
        ann.post("/cart", item=item, back="/")
    assert set(shown(ann.get("/cart"))) <= FOR_CHILDREN
    ann.post("/cart/buy")
    for place in ("/book/dracula", "/book/emma", "/quiz", "/quiz/1", receipt):
        assert "Dracula" not in ann.get(place, status=404)
    refused = ann.client.post("/dial", data={"dial": "remember"}, headers=OURS)
    assert refused.status_code == 400
    for place in ("/weekly", "/you/afresh", "/you/not-me", "/you/forget"):
        ann.client.post(place, headers=OURS)
    assert json.loads(ann.get("/you/data.json")) == {
        "told": [], "observed": [], "obtained": [], "inferred": [], "allowed": []
    }  # fmt: skip
    assert len(list(ann.shop.stores.events.people())) == people, "nothing of the child"
    assert "grown-ups again" in ann.post("/you/child", on="no")
    assert ann.person == grown_up and len(ann.done()) == 2, "the grown-up is as before"
    assert len(list(ann.shop.stores.consents.everybody())) == 1, "and nothing is left of the child"


def test_a_child_without_any_cookie_before_is_one_too(ann: Visitor) -> None:
    ann.post("/you/child", on="yes")
    assert set(ann.client.cookies) == {"young"}
    assert set(shown(ann.get("/"))) <= FOR_CHILDREN
    assert everywhere(ann.get("/")) == everywhere(ann.get("/"))


def test_something_different_comes_when_asked_for_and_differs_again(ann: Visitor) -> None:
    assert "Something different" not in ann.get("/")
    text = ann.get("/?different=yes")
    first = picked(text)[:12]
    again = re.findall(r'name="not" value="([^"]+)"', text)[0]
    assert "Something different" in text and not set(first) & set(picked(ann.get(f"/?different=yes&not={again}"))[:12])


def test_a_search_mends_says_so_and_keeps_nothing(ann: Visitor) -> None:
    ann.turn("remember")
    text = ann.get("/search?q=frankenstien")
    assert "Showing results for" in text and "frankenstein" in picked(text)
    assert "Nothing found" in ann.get("/search?q=xqzzyv") and "/shelves" in ann.get("/search?q=xqzzyv")
    assert ann.done() == []
    assert "Type a title" in ann.get("/search")
    ann.post("/you/child", on="yes")
    for words in ("frankenstein", "war", "love"):
        assert set(shown(ann.get(f"/search?q={words}"))) <= FOR_CHILDREN


def test_a_child_is_not_told_that_there_is_something_for_others(ann: Visitor) -> None:
    assert "Showing results for <b>dracula" in ann.get("/search?q=dracla")
    ann.post("/you/child", on="yes")
    for words in ("dracla", "xqzzyv vqx", "dracula", "kama suttra"):
        text = ann.get(f"/search?q={words}")
        assert "Nothing found. Try" in text and "Showing results" not in text
        assert "may show" not in text, words


def test_a_reset_makes_no_second_person_of_whom_nothing_was_found_for(shop: Shop, tmp_path: Path) -> None:
    missed = Missed(tmp_path / "missed.db")
    with entering(shop, missed) as client:
        ann = Visitor(shop, client)
        ann.turn("told")
        for _ in range(7):
            assert "Nothing found" in ann.get("/search?q=xqzzyv")
            ann.post("/you/afresh")
        assert "Only what I tell you" in ann.get("/you") and ann.shop.engine.consent(ann.person or "").dial is Dial.told
    missed.flush(shop.clock.now)
    assert missed.report() == []


def test_a_book_says_why_it_is_not_on_the_front_page(ann: Visitor) -> None:
    ann.turn("remember")
    ann.post("/muted", what="author:Jane Austen", less="yes", back="/")
    assert "You muted Jane Austen" in ann.get("/book/emma/why-not")
    ann.get("/book/no-such-book/why-not", status=404)


def test_a_book_has_other_covers(ann: Visitor) -> None:
    text = ann.get("/book/emma")
    covers = set(re.findall(r"/covers/emma[^\"]*", text))
    assert len(covers) == 4
    assert len({ann.client.get(cover).text for cover in covers}) == 4
    assert 'src="/covers/emma.type.svg" alt="" width="300"' in ann.get("/book/emma?cover=type")
    ann.get("/covers/emma.neon.svg", status=404)


def test_addresses_are_not_repeated(ann: Visitor) -> None:
    bad = quote("<script>alert(1)</script>", safe="")
    for place in (
        f"/shelf/{bad}",
        f"/book/{bad}",
        f"/why/{bad}",
        f"/quiz/1?was={bad}",
        f"/preview?dial={bad}",
        f"/search?q={bad}",
        f"/?done={bad}",
    ):
        assert "<script" not in ann.client.get(place).text


def test_what_came_lately_stands_in_a_row_of_its_own_in_another_cover_and_its_page_shows_that_cover(
    ann: Visitor,
) -> None:
    page = ann.get("/")
    row = page[page.index("New on the shelves") :].split("</section>")[0]
    shown = re.findall(r'src="/covers/([^"]+)\.drawing\.svg"', row)
    since = {item.id: item.since for item in ITEMS}
    assert len(shown) >= 6 and all(NOW - since[name] < 21 * 86_400_000 for name in shown)
    assert ".drawing." not in page.replace(row, "")  # everywhere else a book has its usual cover
    assert f'href="/book/{shown[0]}?cover=drawing"' in row
    front = ann.get(f"/book/{shown[0]}?cover=drawing").split('class="front">')[1]
    assert front.startswith(f'<img src="/covers/{shown[0]}.drawing.svg"')
