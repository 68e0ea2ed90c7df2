"""The owner's page of the demo in Chromium: by its one-time link, live, by keyboard, without scripts, by day and by night.

Needs Debian's `chromium` and the package `playwright`; without them these tests are skipped, and say so.
"""

import re
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.demo import served_demo
from tests.browser.test_shop import AXE, FAINT, browser, needs_chromium
from tests.http.served import tactful, until
from tests.node import modules

pytestmark = needs_chromium
__all__ = ["browser"]


class Demo:
    """A demo made anew and served. link: the one that it printed; key: one that opens the owner's page again and again."""

    def __init__(self, address: str, link: str, key: str) -> None:
        self.address, self.link, self.key = address, link, key

    def decide(self, *paths: str) -> None:
        """Have the shop decide, for somebody unknown."""
        for path in paths or ("/",):
            urllib.request.urlopen(self.address + path, timeout=20).read()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("owner") / "demo"
    with served_demo(folder, readers=300) as (address, log):
        found = re.search(r"http\S+ticket=\S+", log.read_text())
        assert found is not None
        key = tactful(folder, "key", "add", "tester", "--scopes", "owner,receipts").stdout.strip()
        time.sleep(1.5)
        yield Demo(address, found.group(), key)


def opened(browser: Any, demo: Demo, **more: Any) -> Any:
    """A page of a browser that is signed in."""
    page = browser.new_context(base_url=demo.address, **more).new_page()
    page.goto("/owner")
    page.get_by_label("Secret key").fill(demo.key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/owner")
    return page


def test_the_link_that_the_demo_printed_opens_the_page_once(browser: Any, demo: Demo) -> None:
    for time_around in (1, 2):
        page = browser.new_context(base_url=demo.address).new_page()
        page.goto(demo.link)
        page.get_by_role("button", name="Come in").click()
        if time_around == 1:
            assert page.get_by_role("heading", level=1).inner_text() == "The last 24 hours"
            (cookie,) = page.context.cookies()
            assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/owner")
        else:
            assert "used already" in page.get_by_role("alert").inner_text()
        page.context.close()


def test_decisions_arrive_while_one_looks_and_can_be_held_up(browser: Any, demo: Demo) -> None:
    page = opened(browser, demo)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.reload()
    page.get_by_text("Arriving live").wait_for()
    before = page.locator("#live li").count()
    demo.decide()
    until(lambda: page.locator("#live li").count() > before, 15, "the decision arrives")
    first = page.locator("#live li").first
    assert "not linked" in first.inner_text() and "not personal" in first.inner_text()
    pause = page.get_by_role("button", name="Pause")
    pause.click()
    assert pause.get_attribute("aria-pressed") == "true" and "Paused" in page.get_by_role("status").inner_text()
    held = page.locator("#live li").count()
    demo.decide()
    page.wait_for_timeout(2000)
    assert page.locator("#live li").count() == held
    pause.click()
    assert page.locator("#live li").count() > held
    assert complaints == []
    page.context.close()


def test_without_scripts_all_of_it_is_there(browser: Any, demo: Demo) -> None:
    page = opened(browser, demo, java_script_enabled=False)
    before = int(page.locator(".glance b").first.inner_text().replace(",", ""))
    demo.decide()
    page.wait_for_timeout(1000)
    page.get_by_role("link", name="Look again").click()
    assert int(page.locator(".glance b").first.inner_text().replace(",", "")) > before
    assert not page.get_by_role("button", name="Pause").is_visible()
    page.get_by_role("link", name="The house").click()
    assert page.get_by_role("heading", name="Decisions by hour").is_visible()
    page.get_by_text("The numbers").first.click()
    assert page.get_by_role("columnheader", name="Hour (UTC)").is_visible()
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_label("Secret key").is_visible()
    page.context.close()


def a_personal_decision(browser: Any, demo: Demo) -> None:
    """A visitor who turns the dial up and looks at a few books."""
    visitor = browser.new_context(base_url=demo.address).new_page()
    visitor.goto("/")
    visitor.get_by_role("button", name="Remember me", exact=True).first.click()
    for path in ("/book/treasure-island", "/book/kidnapped", "/"):
        visitor.goto(path)
    visitor.context.close()


def test_a_decision_is_opened_from_the_list(browser: Any, demo: Demo) -> None:
    a_personal_decision(browser, demo)
    page = opened(browser, demo)
    page.wait_for_timeout(1000)
    page.reload()
    page.locator("#live li", has_text="Remember me").get_by_role("link").first.click()
    steps = page.locator(".way h2").all_inner_texts()
    assert steps == [
        "Asked",
        "What could be seen",
        "Proposed",
        "Permitted",
        "Arranged",
        "Reviewed",
        "What the person reads",
    ]
    assert "The dial stands at Remember me." in page.inner_text("main")
    page.context.close()


def test_by_keyboard(browser: Any, demo: Demo) -> None:
    demo.decide()
    page = browser.new_context(base_url=demo.address).new_page()
    page.goto("/owner")
    page.get_by_label("Secret key").focus()
    page.keyboard.type(demo.key)
    page.keyboard.press("Enter")
    page.wait_for_url("**/owner")
    page.get_by_text("Arriving live").wait_for()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        reached.append(focus.inner_text().strip())
        ring = focus.evaluate(
            "e => { const s = getComputedStyle(e); return s.outlineStyle === 'solid' && parseFloat(s.outlineWidth) >= 2 }"
        )
        assert ring, f"no visible focus on {reached[-1]}"
    assert reached[0] == "Skip to the content"
    assert {"Right now", "The house", "Sign out", "Pause"} <= set(reached)
    page.get_by_role("link", name="The house").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/owner/house")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("table").first.is_visible()
    page.context.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_nothing_is_faint_and_nothing_runs_over_the_edge(
    browser: Any, demo: Demo, scheme: str, width: int
) -> None:
    axe = (modules(AXE) / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    a_personal_decision(browser, demo)
    page = opened(browser, demo, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.wait_for_timeout(1000)
    page.goto("/owner")
    decision = page.locator("a.open").first.get_attribute("href")
    page.goto("/owner/house", wait_until="networkidle")

    def look(place: str) -> None:
        page.goto(place)
        for summary in page.locator("summary").all():
            summary.click()
        page.evaluate(axe)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        wrong = [(one["id"], node["html"][:160]) for one in found for node in one["nodes"]]
        assert wrong == [], place
        assert page.evaluate(FAINT) == [], place
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place

    for place in ("/owner", "/owner/house", decision, "/owner/decision/unheard-of", "/owner/enter"):
        look(place)
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pictures_are_drawn_for_what_one_looks_at_and_nothing_jumps(
    browser: Any, demo: Demo, scheme: str, width: int
) -> None:
    pytest.importorskip("altair", reason="the extra charts is not installed")
    demo.decide()
    page = opened(browser, demo, color_scheme=scheme, viewport={"width": width, "height": 800})
    foreign: list[str] = []
    page.on("request", lambda asked: None if asked.url.startswith(demo.address) else foreign.append(asked.url))
    page.add_init_script("""window.jumped = 0; new PerformanceObserver(list => list.getEntries().forEach(e => window.jumped += e.value))
        .observe({type: 'layout-shift', buffered: true})""")
    page.goto("/owner/house")
    page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    until(lambda: page.evaluate("[...document.images].every(i => i.complete)"), 60, "the pictures are drawn")
    drawn = page.evaluate("[...document.images].map(i => [i.currentSrc, i.naturalWidth, i.width])")
    wanted = f"{scheme}-{'narrow' if width == 390 else 'wide'}.svg"
    assert len(drawn) >= 4 and all(wanted in source and natural > 0 for source, natural, _ in drawn)
    assert page.evaluate("window.jumped") < 0.01 and foreign == []
    page.context.close()
