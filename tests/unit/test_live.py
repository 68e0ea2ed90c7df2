"""The live list: one look for all, nothing lost and nothing twice, bounded, and gone when nobody listens. And pictures."""

import asyncio
import gc
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.contracts import LATER, receipt
from tactful.domain.errors import BadInput, StoreBusy
from tactful.domain.note import Note
from tactful.stores.memory import open_memory
from tactful.web import live as module
from tactful.web.live import AT_ONCE, LISTENERS_MOST, Listener, Live, events
from tactful.web.painter import Painter
from tactful.web.picture import LOOKS, Picture


class World:
    """Receipts in memory that count how often they are looked at."""

    def __init__(self) -> None:
        self.receipts = open_memory().receipts
        self.looks, self.leaving, self.fails = 0, False, 0
        self.live = Live(self, lambda: self.leaving)  # type: ignore[arg-type]

    def noted(self) -> int:
        return self.receipts.noted()

    def notes(self, after: int, most: int) -> list[tuple[int, Note]]:
        self.looks += 1
        if self.fails:
            self.fails -= 1
            raise StoreBusy(why="locked", retry_after=1)
        return self.receipts.notes(after, most)

    def decide(self, *names: object) -> None:
        for name in names:
            made = receipt(str(name), "ann")
            self.receipts.append(made, LATER, note=Note.of(made, 1.0))


async def heard(listener: Listener) -> list[str]:
    """What came since."""
    came, _ = await listener.fetch(5)
    return [note.receipt for _, note in came]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.001)


def run(story: Callable[[World], object]) -> None:
    async def whole() -> None:
        await story(World())  # type: ignore[misc]

    asyncio.run(whole())


def test_all_hear_the_same_from_one_look() -> None:
    async def story(world: World) -> None:
        world.decide("before")
        ears = [world.live.listen() for _ in range(20)]
        world.looks = 0
        world.decide("a", "b")
        for ear in ears:
            assert ear is not None and await heard(ear) == ["a", "b"]
        assert world.looks <= 3, "twenty listeners are no more work than one"

    run(story)


def test_who_comes_back_hears_what_they_missed_once() -> None:
    async def story(world: World) -> None:
        world.decide(*range(5))
        back = world.live.listen(after=2)
        assert back is not None and await heard(back) == ["2", "3", "4"]
        world.decide("new")
        assert await heard(back) == ["new"]
        ahead = world.live.listen(after=99)
        world.decide("next")
        assert ahead is not None and await heard(ahead) == ["next"]

    run(story)


def test_what_is_too_much_is_said_and_the_newest_is_kept() -> None:
    async def story(world: World) -> None:
        ear = world.live.listen()
        assert ear is not None
        world.decide(*range(3 * AT_ONCE))
        came, missed = await ear.fetch(5)
        assert [note.receipt for _, note in came] == [str(number) for number in range(2 * AT_ONCE, 3 * AT_ONCE)]
        assert missed == 2 * AT_ONCE
        world.decide("after")
        assert await heard(ear) == ["after"]
        long_gone = world.live.listen(after=0)
        assert long_gone is not None
        came, missed = await long_gone.fetch(5)
        assert len(came) + missed == world.noted() and len(came) == AT_ONCE

    run(story)


def test_a_slow_page_holds_no_more_than_one_look() -> None:
    note = Note.of(receipt("r", "ann"), 1.0)
    slow = Listener()

    async def story() -> None:
        for start in range(0, 10 * AT_ONCE, 50):
            slow.tell([(number, note) for number in range(start, start + 50)], 0)
        came, missed = await slow.fetch(1)
        assert len(came) == AT_ONCE and missed == 9 * AT_ONCE and came[-1][0] == 10 * AT_ONCE - 1

    asyncio.run(story())


def test_a_store_that_is_busy_is_asked_again() -> None:
    async def story(world: World) -> None:
        ear = world.live.listen()
        world.fails = 3
        world.decide("late")
        assert ear is not None and await heard(ear) == ["late"]

    run(story)


def test_nobody_looks_once_nobody_listens_and_places_are_free_again() -> None:
    async def story(world: World) -> None:
        ears = [world.live.listen() for _ in range(LISTENERS_MOST)]
        assert None not in ears and world.live.listen() is None
        ears.clear()
        gc.collect()
        task = world.live._looking
        assert task is not None
        await asyncio.wait_for(task, 5)
        again = world.live.listen()
        world.decide("x")
        assert again is not None and await heard(again) == ["x"]

    run(story)


def test_streams_end_when_the_worker_leaves_and_when_the_session_is_over() -> None:
    async def story(world: World) -> None:
        good = True
        stream = events(world.live.listen(), lambda note: f"<li>{note.receipt}\n</li>", lambda: good, 0.01)  # type: ignore[arg-type]
        assert await anext(stream) == "retry: 2000\n\n"
        assert await anext(stream) == ": still here\n\n", "a heartbeat"
        world.decide("a")
        said = ""
        while "decision" not in said:
            said = await anext(stream)
        assert said == "id: 1\nevent: decision\ndata: <li>a </li>\n\n"
        good = False
        rest = [one async for one in stream]
        assert rest[-1].startswith("event: over") and len(rest) <= 2
        leaves = events(world.live.listen(), lambda note: note.receipt, lambda: True, 5)  # type: ignore[arg-type]
        await anext(leaves)
        world.leaving = True
        assert [one async for one in leaves if "event" in one] == []

    run(story)


# ---------------------------------------------------------------------------------------------------------------- pictures

ROWS = st.lists(
    st.tuples(st.text(max_size=9) | st.floats(0, 1), st.floats(0, 1e9), st.sampled_from(["", "home"])), max_size=30
)


@given(ROWS.map(tuple), st.sampled_from(["columns", "bars", "curve"]))
def test_a_picture_travels_in_its_address(rows: tuple[tuple[str | float, float, str], ...], shape: str) -> None:
    drawn = Picture(shape, "a", "b", rows, ("", "home"))  # type: ignore[arg-type]
    address = drawn.address()
    assert Picture.read(address) == drawn and re.fullmatch(r"[\w-]*", address)


@pytest.mark.parametrize("address", ["", "x", "%%%", "AAAA", "eJwDAAAAAAE", "é"])
def test_what_is_no_picture_is_refused(address: str) -> None:
    with pytest.raises(BadInput):
        Picture.read(address)


def test_a_bomb_is_not_inflated() -> None:
    import base64
    import zlib

    bomb = base64.urlsafe_b64encode(zlib.compress(b"\x00" * 50_000_000)).decode()
    with pytest.raises(BadInput):
        Picture.read(bomb)
    with pytest.raises(BadInput, match="too many rows"):
        Picture.read(Picture("bars", "", "", (("a", 1.0, ""),) * 1001).address())


def test_pictures_are_drawn_in_their_size_and_nothing_in_them_comes_from_elsewhere() -> None:
    pytest.importorskip("altair", reason="the extra charts is not installed")
    bars = Picture("bars", "items", "", (("<b>one</b>: 3", 3.0, "home"), ("two: 1", 1.0, "menu")), ("home", "menu"))
    columns = Picture("columns", "hour", "decisions", tuple((f"{n:02}:00", float(n), "home") for n in range(24)))
    curve = Picture("curve", "items", "places", tuple((n / 10, n * n / 100, "") for n in range(11)))

    async def draw() -> None:
        painter = Painter()
        try:
            for picture, look in zip((bars, columns, curve, bars), LOOKS, strict=True):
                svg = (await painter.draw(picture, look)).decode()
                width, height = picture.size(look.endswith("wide"))
                assert f'width="{width}" height="{height}"' in svg.partition(">")[0]
                assert re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?(?!#)\w", svg) == [] and "<b>" not in svg
            assert "&lt;b&gt;one&lt;/b&gt;: 3" in (await painter.draw(bars, "light-wide")).decode()
            with pytest.raises(BadInput, match="no such look"):
                await painter.draw(bars, "huge")
            first = painter._process
            assert first is not None
            first.kill()
            await first.wait()
            assert b"<svg" in await painter.draw(curve, "dark-wide"), "a painter that died is replaced"
        finally:
            await painter.close()

    asyncio.run(draw())
