"""The demo bookshop, walked through as a person would: in Chromium, with scripts and without, by mouse and by keyboard.

Needs Debian's `chromium` and the package `playwright`; without them these tests are skipped, and say so.
"""

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.demo import served_demo
from tests.node import modules

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
EVERYONE = "The same for everyone"
MINE = "Picked for you"
BY_STEVENSON = ("treasure-island", "kidnapped", "travels-with-a-donkey-in-the-cevennes")
TITLES = ("Treasure Island", "Kidnapped", "Travels with a Donkey in the Cévennes")
PAGES = (
    "/",
    "/shelf/sea",
    "/book/moby-dick",
    "/you",
    "/shelves",
    "/cart",
    "/quiz",
    "/preview",
    "/weekly",
    "/search?q=frankenstien",
)
ASKED = ("/quiz/1", "/quiz/3", "/quiz/6")
AXE = Path(__file__).parent / "node"

needs_chromium = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason=f"there is no {CHROMIUM}; on Debian: apt-get install chromium"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo made anew and served on a free port; its address."""
    with served_demo(tmp_path_factory.mktemp("shop") / "demo", readers=500) as (address, _):
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. For this module only: while it runs, Playwright keeps an event loop that other tests could trip over."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(params=["with scripts", "without scripts"])
def page(browser: Any, shop: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page of a browser that was never here. Whatever it complains about on its console fails the test."""
    context = browser.new_context(base_url=shop, java_script_enabled=request.param == "with scripts")
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def titles(page: Any) -> list[str]:
    """The books of the first row of the page, in order."""
    return [str(text) for text in page.locator(".cards").first.locator("h2, h3").all_inner_texts()]


def heading(page: Any) -> str:
    """What the page is called."""
    return str(page.locator("h1").inner_text())


def label(page: Any) -> str:
    """What the first row says of itself."""
    return str(page.locator(".label").first.inner_text())


def current(page: Any) -> list[str]:
    """Where the dial stands, as a screen reader hears it."""
    return [str(text) for text in page.locator('.dial button[aria-pressed="true"] b').all_inner_texts()]


def turn(page: Any, words: str) -> int:
    """Turn the dial; answers with the clicks it took."""
    page.get_by_role("button", name=words, exact=True).click()
    return 1


def get(address: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers, body."""
    return send(urllib.request.Request(address, headers=headers))


def send(request: urllib.request.Request) -> tuple[int, dict[str, str], str]:
    """Status, headers, body, whatever the status is."""
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return (
                answer.status,
                {name.lower(): value for name, value in answer.headers.items()},
                answer.read().decode(),
            )
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read().decode()


@needs_chromium
def test_the_whole_walk(page: Any) -> None:
    # Somebody new: nothing is kept, here or there.
    page.goto("/")
    assert label(page) == EVERYONE
    assert current(page) == ["Off"]
    everyone = titles(page)
    assert len(everyone) == 12
    for place in PAGES:
        page.goto(place)
    assert page.context.storage_state() == {"cookies": [], "origins": []}
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert not page.get_by_label("Say yes to this as well").is_checked()

    # One click gives consent, and brings the one cookie.
    page.goto("/")
    clicks_to_give = turn(page, "Remember me")
    assert current(page) == ["Remember me"]
    cookies = page.context.cookies()
    assert [(cookie["httpOnly"], cookie["sameSite"], cookie["path"]) for cookie in cookies] == [(True, "Lax", "/")]
    assert label(page) == EVERYONE, "nothing is known yet"
    assert titles(page) == everyone

    # Three books by one author; the page knows, and says by what.
    for book in BY_STEVENSON:
        page.goto(f"/book/{book}")
    page.goto("/")
    assert label(page) == MINE
    assert titles(page) != everyone
    reasons = page.locator(".cards").first.locator(".why").all_inner_texts()
    assert len(reasons) == 12
    assert any(title in reason for reason in reasons for title in TITLES)

    check_why(page)
    check_you(page)

    # A taste can be reset, and the dial stays where it is.
    page.get_by_role("button", name="Reset my taste").click()
    assert "Your taste is reset" in page.get_by_role("status").inner_text()
    assert current(page) == ["Remember me"]
    page.goto("/")
    assert label(page) == EVERYONE and titles(page) == everyone
    for book in BY_STEVENSON:
        page.goto(f"/book/{book}")

    # One click takes it back: the very next page is everybody's.
    page.goto("/")
    clicks_to_withdraw = turn(page, "Off")
    assert label(page) == EVERYONE
    assert titles(page) == everyone
    assert page.context.cookies() == []
    assert clicks_to_withdraw <= clicks_to_give
    page.goto("/you")
    assert "Nothing. The dial is at Off" in page.inner_text("main")


def check_why(page: Any) -> None:
    """The page of reasons."""
    page.get_by_role("link", name="Why these?").first.click()
    assert page.locator(".reasons > li").count() == 12
    assert any(title in page.inner_text(".reasons") for title in TITLES)
    assert re.search(
        r"Without .+ it would (be number \d+|not have come up at all)",
        page.inner_text(".reasons"),
    )
    assert "Which books you look at" in page.get_by_role("region", name="What was read").inner_text()
    assert page.get_by_role("region", name="What was held back, and why").is_visible()
    removed = page.get_by_role("region", name="What was taken out, and by which rule")
    assert "Nothing that could give something private away" in removed.inner_text()


def check_you(page: Any) -> None:
    """The page of what is known."""
    page.get_by_role("link", name="What we know about you").first.click()
    did = page.get_by_role("region", name="What you did here").inner_text()
    assert all(f"You looked at {title}" in did for title in TITLES)
    switches = page.get_by_role("switch")
    assert [switch.get_attribute("aria-checked") for switch in switches.all()] == ["true", "false"], (
        "learning was not asked for"
    )


@needs_chromium
def test_a_visit_is_remembered_by_a_cookie_that_goes_with_the_window(page: Any) -> None:
    page.goto("/book/treasure-island")
    turn(page, "This visit")
    (cookie,) = page.context.cookies()
    assert cookie["expires"] == -1 and cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    page.goto("/")
    assert label(page) == MINE
    page.goto("/you")
    assert "for this visit only" in page.inner_text("main")


@needs_chromium
def test_only_what_I_tell_you(page: Any) -> None:
    page.goto("/")
    turn(page, "Only what I tell you")
    page.goto("/book/emma")
    assert "we keep nothing of what you look at" in page.inner_text("main")
    page.goto("/")
    assert label(page) == EVERYONE, "looking at a book was not kept"
    page.goto("/you")
    page.get_by_label("Science fiction").check()
    page.get_by_role("button", name="Save what I like").click()
    assert page.get_by_label("Science fiction").is_checked()
    page.goto("/")
    assert label(page) == MINE
    assert "You told us that you like science fiction." in page.locator(".card .why").all_inner_texts()
    page.goto("/you")
    page.get_by_label("Science fiction").uncheck()
    page.get_by_role("button", name="Save what I like").click()
    page.goto("/")
    assert label(page) == EVERYONE


def buy(page: Any) -> None:
    """Put the book of this page into the cart, and buy it."""
    page.get_by_role("button", name="Put in cart").click()
    page.get_by_role("link", name="Cart").click()
    page.get_by_role("button", name="Buy").click()


@needs_chromium
def test_buying_disliking_and_forgetting(page: Any) -> None:
    page.goto("/book/the-sea-wolf")
    buy(page)
    assert "We do not keep that you bought it" in page.get_by_role("status").inner_text()
    page.goto("/book/the-sea-wolf")
    turn(page, "Remember me")
    buy(page)
    assert "We will not pick it for you again" in page.get_by_role("status").inner_text()
    page.goto("/book/robinson-crusoe")
    page.get_by_role("button", name="Not for me").click()
    assert page.get_by_role("button", name="Not for me").get_attribute("aria-pressed") == "true"
    page.goto("/book/moby-dick")
    page.goto("/")
    assert label(page) == MINE
    assert not {"The Sea-Wolf", "Robinson Crusoe"} & set(titles(page))
    page.get_by_role("link", name="Why these?").first.click()
    page.get_by_text("Which?").last.click()
    removed = page.get_by_role("region", name="What was taken out, and by which rule").inner_text()
    assert "The Sea-Wolf" in removed and "Robinson Crusoe" in removed
    receipt = page.url
    page.goto("/you")
    page.get_by_role("button", name="Forget me").click()
    assert "You are forgotten" in page.get_by_role("status").inner_text()
    assert label(page) == EVERYONE
    assert page.context.cookies() == []
    assert get(receipt)[0] == 404


@needs_chromium
def test_a_private_book_is_neither_kept_nor_picked(page: Any) -> None:
    page.goto("/")
    turn(page, "Remember me")
    page.goto("/shelf/faith")
    page.locator(".card a").first.click()
    assert "could give something private away" in page.inner_text("main")
    assert page.get_by_role("button", name="I like it").count() == 0, "nothing that we would have to keep is offered"
    page.goto("/you")
    assert "Nothing that we keep." in page.get_by_role("region", name="What you did here").inner_text()


@needs_chromium
def test_a_purpose_switched_off_counts_at_once(page: Any) -> None:
    page.goto("/book/kidnapped")
    turn(page, "Remember me")
    page.goto("/")
    assert label(page) == MINE
    page.goto("/you")
    page.get_by_role("switch", name="We use it to choose what to show you.").click()
    assert page.get_by_role("switch").first.get_attribute("aria-checked") == "false"
    page.goto("/")
    assert label(page) == EVERYONE


@needs_chromium
def test_learning_is_allowed_by_its_own_box_alone(page: Any) -> None:
    page.goto("/")
    page.get_by_label("Say yes to this as well").check()
    turn(page, "Remember me")
    page.goto("/you")
    assert [switch.get_attribute("aria-checked") for switch in page.get_by_role("switch").all()] == ["true", "true"]


@needs_chromium
def test_reasons_open_for_the_person_they_are_about_alone(page: Any, browser: Any, shop: str) -> None:
    page.goto("/book/kidnapped")
    turn(page, "Remember me")
    page.goto("/")
    page.get_by_role("link", name="Why these?").first.click()
    assert heading(page) == "Why these books"
    status, _, body = get(page.url)
    assert status == 404 and "Kidnapped" not in body


@needs_chromium
def test_by_keyboard(page: Any) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the books"
    reached, books = ["nothing"], titles(page)
    while len(reached) < 40 and reached[-1] not in books:
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        reached.append(focus.inner_text().strip() or focus.get_attribute("name"))
        ring = focus.evaluate(
            "e => [getComputedStyle(e), getComputedStyle(e, '::after')].some(s => s.outlineStyle === 'solid' && parseFloat(s.outlineWidth) >= 2)"
        )
        assert ring, f"no visible focus on {reached[-1]}"
    assert {
        "Off",
        "This visit",
        "Remember me",
        "learn",
        "q",
        "Adventure",
        "All shelves",
        "Find your taste in two minutes",
    } <= set(reached)
    assert reached[-1] in titles(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/*")
    page.goto("/")
    page.get_by_role("button", name="This visit").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/?done=visit")
    assert current(page) == ["This visit"]


@needs_chromium
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_runs_over_the_edge_and_targets_are_large_enough(browser: Any, shop: str, width: int) -> None:
    context = browser.new_context(base_url=shop, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto("/")
    turn(page, "Remember me")
    for place in (*PAGES, "/book/science-in-the-kitchen-and-the-art-of-eating-well"):
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place
        small = page.evaluate("""[...document.querySelectorAll('button, nav a, .chips a')]
            .filter(e => e.getBoundingClientRect().height < 40).map(e => e.innerText)""")
        assert small == [], place
    context.close()


@needs_chromium
def test_pages_are_light_and_do_not_jump(browser: Any, shop: str) -> None:
    context = browser.new_context(base_url=shop)
    page = context.new_page()
    weight: dict[str, int] = {}
    foreign: list[str] = []

    def weigh(response: Any) -> None:
        if not response.url.startswith(shop):
            foreign.append(response.url)
        if "/covers/" not in response.url:
            weight[response.url] = len(response.body())

    page.on("response", weigh)
    page.add_init_script("""window.jumped = 0; new PerformanceObserver(list => list.getEntries().forEach(e => window.jumped += e.value))
        .observe({type: 'layout-shift', buffered: true})""")
    for place in PAGES:
        weight.clear()
        page.goto(place, wait_until="networkidle")
        assert sum(weight.values()) <= 60_000, place
        assert page.evaluate("window.jumped") < 0.01, place
    assert foreign == []
    context.close()


@needs_chromium
def test_words_stand_out_from_their_ground_by_day_and_by_night(browser: Any, shop: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 at least; measured on what is drawn."""
    for scheme in ("light", "dark"):
        context = browser.new_context(base_url=shop, color_scheme=scheme)
        page = context.new_page()
        page.goto("/")
        turn(page, "Remember me")
        for place in PAGES:
            page.goto(place)
            faint = page.evaluate(FAINT)
            assert faint == [], (scheme, place)
        context.close()


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_any_page(browser: Any, shop: str, scheme: str, width: int) -> None:
    axe = (modules(AXE) / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(base_url=shop, color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()

    def look(place: str) -> None:
        page.goto(place)
        page.evaluate(axe)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        wrong = [(one["id"], node["html"][:160]) for one in found for node in one["nodes"]]
        assert wrong == [], place

    look("/")
    look("/quiz")
    turn(page, "Remember me")
    for book in BY_STEVENSON:
        page.goto(f"/book/{book}")
    page.get_by_text("Less like this").click()
    page.get_by_role("button", name="Less about travel").click()
    page.goto("/book/emma")
    page.get_by_role("button", name="Put in cart").click()
    page.goto("/")
    why = page.get_by_role("link", name="Why these?").first.get_attribute("href")
    for place in (*PAGES, *ASKED, why, f"{why}?in=de", "/book/no-such-book"):
        look(place)
    page.goto("/you")
    page.get_by_role("button", name="A child is using this").click()
    for place in ("/", "/you"):
        look(place)
    context.close()


FAINT = """() => {
    const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return {rgb: m.slice(0, 3), a: m.length > 3 ? m[3] : 1}; };
    const light = rgb => { const [r, g, b] = rgb.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
    const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c.rgb; } return [255, 255, 255]; };
    const faint = [];
    for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
        const [x, y] = [light(parse(getComputedStyle(e).color).rgb), light(ground(e))].sort((a, b) => b - a);
        if ((x + .05) / (y + .05) < 4.5) faint.push(e.innerText + ' ' + ((x + .05) / (y + .05)).toFixed(2));
    }
    return faint;
}"""


def test_headers_are_strict_and_nothing_is_cached_but_pictures(shop: str) -> None:
    for place in (*PAGES, "/book/no-such-book", "/why/no-such-receipt"):
        status, headers, body = get(shop + place)
        assert status == (404 if "no-such" in place else 200)
        assert headers["content-type"].startswith("text/html")
        assert (
            "default-src 'none'" in headers["content-security-policy"]
            and "frame-ancestors 'none'" in headers["content-security-policy"]
        )
        assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in headers
        assert (
            "<script" not in body and "style=" not in body and "http" not in re.sub(r'xmlns="[^"]+"', "", body).lower()
        )
    for place, kind in (("/covers/moby-dick.svg", "image/svg+xml"), ("/shop/shop.css", "text/css")):
        status, headers, _ = get(shop + place)
        assert (status, headers["content-type"].partition(";")[0]) == (200, kind)
        assert "max-age" in headers["cache-control"]
    assert get(shop + "/covers/moby-dick.svg")[2] == get(shop + "/covers/moby-dick.svg")[2]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize(
    "place", ["/dial", "/book/emma", "/cart", "/quiz/1", "/you/told", "/you/purpose", "/you/forget"]
)
def test_forms_of_other_sites_are_refused(shop: str, place: str, headers: dict[str, str]) -> None:
    request = urllib.request.Request(
        shop + place, data=b"dial=remember&verb=bought&purpose=learn&on=yes", headers=headers
    )
    status, answered, body = send(request)
    assert status == 403 and "set-cookie" not in answered and "came from another site" in body


def test_a_cookie_that_is_forged_proves_nobody_and_is_dropped(shop: str) -> None:
    status, headers, body = get(shop + "/", Cookie="reader=eyJhbGciOiJub25lIn0.eyJzdWIiOiJyZWFkZXItMDAwMSJ9.")
    assert status == 200 and EVERYONE in body
    assert "Max-Age=0" in headers["set-cookie"]


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    command = [
        sys.executable,
        "-m",
        "tactful",
        "demo",
        "--fresh",
        "--readers",
        "100",
        "--port",
        "0",
        "--folder",
        str(tmp_path),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1 and "not a demo" in ended.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.txt"]


def test_what_comes_in_with_the_address_is_never_repeated(shop: str) -> None:
    for place in ("/book/%3Cscript%3Ealert(1)", "/?done=%3Cscript%3E", "/shelf/%3Cscript%3E", "/why/%3Cscript%3E"):
        assert "<script" not in get(shop + place)[2]


def test_the_form_sends_nobody_to_another_site(shop: str) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    for back in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/book/../../evil",
        "/book/x%0d%0aSet-Cookie:a=b",
    ):
        data = f"dial=off&back={urllib.request.quote(back)}".encode()
        request = urllib.request.Request(shop + "/dial", data=data, headers={"Sec-Fetch-Site": "same-origin"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.build_opener(Stay).open(request, timeout=10)
        with caught.value as answer:
            assert answer.code == 303
            assert (
                answer.headers["Location"].startswith("/")
                and "evil" not in answer.headers["Location"].partition("?")[0]
            )
