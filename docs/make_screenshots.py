"""`make screenshots`: starts the demo, walks through it as a visitor would, and leaves its pages in docs/pictures/*.png.

Needs Debian's chromium, and the package `playwright`. `--folder` keeps the demo for the next time.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-component-update", "--disable-sync"]
PICTURES = Path(__file__).parent / "pictures"
DESK, PHONE = (1120, 760), (390, 780)
MOST_KB = 150


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[tuple[str, str]]:
    """The demo, served on a free port; its address, and the link that opens its owner's page once."""
    command = [sys.executable, "-m", "tactful", "demo", "--port", "0", "--folder", str(folder)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as serving:
        try:
            assert serving.stdout is not None
            for line in serving.stdout:
                if found := re.search(r"(http://[\d.]+:\d+)/owner/enter\?\S+", line):
                    yield found[1], found[0]
                    return
            raise SystemExit("The demo did not start")
        finally:
            serving.terminate()


def walk(page: Any, shoot: Any) -> None:
    """What a newcomer does: looks around, allows something, sees what it changes, and takes it back."""
    page.goto("/")
    shoot("home-off")
    page.get_by_role("button", name="Only what I tell you").click()
    page.goto("/quiz/1")
    for cover in ("Moby-Dick", "A Christmas Carol"):
        box = page.get_by_role("checkbox", name=cover)
        if box.count():
            box.check()
    page.get_by_role("button", name="That’s it: next").click()
    shoot("quiz")
    page.get_by_role("button", name="Remember me").click()
    for book in ("kidnapped", "treasure-island", "robinson-crusoe", "the-sea-wolf"):
        page.goto(f"/book/{book}")
    page.goto("/book/treasure-island")
    page.get_by_role("button", name="I like it").click()
    shoot("book")
    page.get_by_role("button", name="Put in cart").click()
    page.goto("/")
    shoot("home")
    page.get_by_role("link", name="Why these?").first.click()
    shoot("why")
    for name in ("preview", "you", "cart"):
        page.goto(f"/{name}")
        shoot(name)


def look_in(page: Any, link: str, cookies: list[Any], shoot: Any) -> None:
    """What the owner does: sees decisions arrive, opens one, and what they come to. cookies: of who came in by the link before."""
    if cookies:
        page.context.add_cookies(cookies)
        page.goto("/owner")
    else:
        page.goto(link)
        page.get_by_role("button", name="Come in").click()
    page.get_by_text("Arriving live").wait_for()
    shoot("owner")
    decision = page.locator("#live li", has_text="of home").locator("a").first.get_attribute("href")
    page.goto(decision)
    shoot("owner-decision")
    page.goto("/owner/house")
    shoot("owner-house")
    cookies[:] = page.context.cookies("http://127.0.0.1/owner")


def main() -> None:
    """Everything, at a desk by day and on a phone by night."""
    from playwright.sync_api import sync_playwright

    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--folder", type=Path)
    folder = told.parse_args().folder
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as passing,
        demo(folder or Path(passing) / "demo") as (address, link),
        sync_playwright() as running,
    ):
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        cookies: list[Any] = []
        for size, scheme, name in ((DESK, "light", ""), (PHONE, "dark", "-phone")):
            viewport = {"width": size[0], "height": size[1]}
            context = browser.new_context(base_url=address, color_scheme=scheme, viewport=viewport)
            page = context.new_page()

            def shoot(what: str, page: Any = page, ending: str = name) -> None:
                page.wait_for_load_state("load" if what == "owner" else "networkidle")  # decisions go on arriving there
                keep(PICTURES / f"{what}{ending}.png", page.screenshot())

            walk(page, shoot)
            look_in(page, link, cookies, shoot)
            context.close()
        browser.close()


def keep(path: Path, png: bytes) -> None:
    """Write a picture, unless it is too large for a page that shows several."""
    print(f"{path.name}: {len(png) // 1024} kB")
    if len(png) > MOST_KB * 1024:
        raise SystemExit(f"{path.name} has {len(png) // 1024} kB; {MOST_KB} are allowed")
    path.write_bytes(png)


if __name__ == "__main__":
    main()
