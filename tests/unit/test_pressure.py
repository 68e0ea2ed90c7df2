"""How much may be under way to the writer, and what happens to those who wait for one that does not answer."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tactful.contracts import LATER, change, receipt, record
from tactful.domain.errors import StoreBusy, TooBusy
from tactful.stores.sqlite import Bounds, connect
from tactful.stores.sqlite.commands import Append, Call, Frames, answer, decode_call, frame
from tactful.stores.sqlite.pressure import Pressure


class Mute:
    """A writer that takes everything and answers when it is told to."""

    def __init__(self) -> None:
        self.heard: list[Call] = []
        self._wires: list[asyncio.StreamWriter] = []

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._wires.append(writer)
        frames = Frames()
        while data := await reader.read(1 << 16):
            self.heard += [decode_call(message) for message in frames.feed(data)]

    async def close(self) -> None:
        for wire in self._wires:
            wire.close()
            with contextlib.suppress(OSError):
                await wire.wait_closed()

    def answer(self) -> None:
        calls, self.heard = self.heard, []
        for call in calls:
            self._wires[-1].write(frame(answer(call.number, [] if isinstance(call.command, Append) else None)))


def with_mute(folder: Path, bounds: Bounds, story: Callable[[Any, Mute], Awaitable[None]]) -> None:
    """Tell a story to stores whose writer is mute."""

    async def telling() -> None:
        mute = Mute()
        server = await asyncio.start_unix_server(mute.listen, folder / "writer.sock")
        stores = await connect(folder, bounds=bounds)
        try:
            await story(stores, mute)
        finally:
            stores.close()
            server.close()
            await mute.close()

    asyncio.run(telling())


async def soon(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


def append(stores: Any, name: str) -> Any:
    return stores.events.append([record("ann", name)])


def test_the_door_closes_at_the_bound_and_receipts_with_it_while_consent_still_gets_in(folder: Path) -> None:
    async def story(stores: Any, mute: Mute) -> None:
        stores.admit()
        acks = [append(stores, str(number)) for number in range(10)]
        with pytest.raises(TooBusy, match="10 writes") as caught:
            stores.admit()
        assert caught.value.facts["retry_after"] >= 1
        assert caught.value.status == 429
        with pytest.raises(TooBusy):
            await stores.receipts.append(receipt("r"), LATER)
        acks += [stores.consents.append([("ann", change(str(number)))]) for number in range(10)]
        with pytest.raises(TooBusy):
            await stores.consents.append([("ann", change("one too many"))])
        with pytest.raises(TooBusy):
            await append(stores, "one too many")
        await soon(lambda: len(mute.heard) == 20)
        mute.answer()
        for ack in acks:
            await ack
        stores.admit()
        late = append(stores, "after")
        await soon(lambda: len(mute.heard) == 1)
        mute.answer()
        await late

    with_mute(folder, Bounds(writes=10, seconds=60), story)


def test_bytes_are_bounded_too(folder: Path) -> None:
    async def story(stores: Any, mute: Mute) -> None:
        taken = 0
        with pytest.raises(TooBusy, match="MB"):
            while True:
                stores.admit()
                append(stores, "x" * 9_000)
                taken += 1
        assert 100_000 / 9_500 < taken < 100_000 / 8_500
        await soon(lambda: len(mute.heard) == taken)
        mute.answer()
        await soon(lambda: _admits(stores))

    with_mute(folder, Bounds(size=100_000, seconds=60), story)


def _admits(stores: Any) -> bool:
    try:
        stores.admit()
    except TooBusy:
        return False
    return True


def test_a_writer_that_does_not_answer_keeps_nobody_waiting_and_is_believed_again_once_it_does(folder: Path) -> None:
    async def story(stores: Any, mute: Mute) -> None:
        first = append(stores, "1")
        with pytest.raises(StoreBusy, match=r"nothing for 0\.3 s"):
            await asyncio.wait_for(first, 20)
        await soon(lambda: _silent(stores))
        with pytest.raises(StoreBusy):
            await append(stores, "2")  # at once: nothing is sent to somebody who does not answer
        with pytest.raises(StoreBusy):
            stores.receipts.get("whichever")  # nor is the loop held up for it
        assert len(mute.heard) == 1
        mute.answer()
        await soon(lambda: not _silent(stores))
        again = append(stores, "2")
        await soon(lambda: len(mute.heard) == 1)
        mute.answer()
        assert await again == frozenset()

    with_mute(folder, Bounds(seconds=0.3), story)


def _silent(stores: Any) -> bool:
    try:
        stores.admit()
    except StoreBusy:
        return True
    return False


def test_what_nobody_waits_for_any_longer_still_counts_until_it_is_answered(folder: Path) -> None:
    async def story(stores: Any, mute: Mute) -> None:
        link = stores.events._room.link
        waiting = [append(stores, str(number)) for number in range(5)]
        for one in waiting:
            with pytest.raises(StoreBusy):
                await one
        assert link._pressure.writes == 5
        mute.answer()
        await soon(lambda: link._pressure.writes == 0)
        assert link._pressure.size == 0 and not link._under_way

    with_mute(folder, Bounds(seconds=0.2), story)


def test_receipts_that_are_lost_fill_no_log(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(stores: Any, mute: Mute) -> None:
        for number in range(500):
            stores.receipts.append(receipt(f"r{number}"), LATER)
        await soon(lambda: len(mute.heard) == 10)
        assert 1 <= caplog.text.count("not kept") <= 3

    with_mute(folder, Bounds(writes=10, seconds=60), story)


def test_how_long_to_wait_follows_from_how_fast_it_goes() -> None:
    now = [0.0]
    pressure = Pressure(Bounds(writes=10, size=1000, seconds=7.5), lambda: now[0])
    assert pressure.refusal() is None
    pressure.began(1000)
    assert pressure.refusal().facts["retry_after"] == 8, "nothing is known yet: as long as an answer may take"  # type: ignore[union-attr]
    now[0] += 2.0
    pressure.began(500)
    pressure.ended(1000)  # 500 bytes a second
    pressure.began(9_500)
    assert pressure.wait() == 20
    assert pressure.refusal(times=11) is None
    pressure.began(1_000_000)
    assert pressure.wait() == 60, "nobody is sent away for longer than a minute"
    for size in (500, 9_500, 1_000_000):
        pressure.ended(size)
    assert (pressure.writes, pressure.size, pressure.refusal()) == (0, 0, None)
    assert pressure.wait() == 1
