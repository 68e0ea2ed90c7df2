"""The way to the writer for servers: one connection, calls sent ahead, answers awaited."""

import asyncio
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from tactful.domain.errors import BadInput, StoreBusy, TactfulError
from tactful.ports import Ack
from tactful.stores.sqlite.commands import AppendReceipt, Call, Command, Frames, Purge, decode_answer, frame
from tactful.stores.sqlite.links import Blocking, Failed, Finish, Settled, address, gone
from tactful.stores.sqlite.pressure import Bounds, Pressure

T = TypeVar("T")

_FLUSH_TIMEOUT = 2.0  # seconds that a look-up of an unknown receipt may hold up the loop at worst
_AGAIN = 0.05  # seconds between two attempts to reach a writer that went away
_PURGE_S = 600.0  # a purge goes on in steps, between which others are answered


class _Promise(Ack[T]):
    """A promise that the event loop keeps."""

    def __init__(self, future: "asyncio.Future[T]") -> None:
        self._future = future

    def wait(self) -> T:
        """The outcome if it is there. Raises RuntimeError if it is not: blocking would stop the loop that has to bring it."""
        if not self._future.done():
            raise RuntimeError("This write is still under way; await it instead of calling wait() on the event loop.")
        return self._future.result()

    def __await__(self) -> Any:
        return self._future.__await__()


class _Sent(Generic[T]):
    """A command that the writer has not answered. size: bytes; until: when its sender stops waiting, by the loop's clock."""

    __slots__ = ("_finish", "_future", "_settled", "settled", "size", "until")

    def __init__(
        self, future: "asyncio.Future[T]", finish: Finish[T], settled: Settled | None, size: int, until: float
    ) -> None:
        self._future, self._finish, self._settled = future, finish, settled
        self.size, self.until, self.settled = size, until, False

    def settle(self, value: Any, error: TactfulError | None) -> None:
        """Tell whoever waits, once."""
        if self.settled:
            return
        self.settled = True
        if not self._future.done():  # whoever waited may have been cancelled
            if error is None:
                self._future.set_result(self._finish(value))
            else:
                self._future.set_exception(error)
                if self._settled is not None:
                    self._future.exception()  # `settled` reports it, so asyncio need not complain that nobody asked
        if self._settled is not None:
            self._settled(error)


class Connection(asyncio.Protocol):
    """The writer is at the other end of a Unix socket. For one event loop; reconnects by itself when the writer was restarted.

    While there is no writer, commands fail at once with StoreBusy, and so they do while there is one that does not answer. What
    was under way when it went, or fell silent, may or may not be kept. More than the bounds allow is refused with TooBusy.
    """

    def __init__(self, folder: Path, bounds: Bounds | None = None) -> None:
        self._address = address(folder)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._frames = Frames()
        self._number = 0
        self._under_way: dict[int, _Sent[Any]] = {}
        self._pressure = Pressure(bounds or Bounds())
        self._seconds = self._pressure.bounds.seconds
        self._heard = self._loop.time()  # when the writer last gave a sign of life
        self._silent = False  # it owes answers for longer than it may
        self._watch: asyncio.TimerHandle | None = None
        self._closing = False
        self._reconnecting: asyncio.Task[None] | None = None
        self._aside = Blocking(folder, _FLUSH_TIMEOUT)

    async def reach(self, patience: float) -> None:
        """Connect, waiting at most `patience` seconds for a writer to come up. Raises StoreBusy."""
        until = self._loop.time() + patience
        while True:
            try:
                await self._loop.create_unix_connection(lambda: self, self._address)
                return
            except OSError as error:
                if self._loop.time() >= until:
                    raise gone(str(error)) from error
            await asyncio.sleep(_AGAIN)

    def send(self, command: Command, finish: Finish[T], settled: Settled | None = None) -> Ack[T]:
        """See `logs.Link`."""
        try:
            transport = self._reached()
            if (refusal := self._pressure.refusal(1 if isinstance(command, AppendReceipt) else 2)) is not None:
                raise refusal
            packed = frame(Call(self._number + 1, command))
        except TactfulError as error:
            if settled is not None:
                settled(error)
            return Failed(error)
        self._number += 1
        transport.write(packed)
        now = self._loop.time()
        if not self._under_way:
            self._heard = now  # it owed nothing until now
        until = now + (_PURGE_S if isinstance(command, Purge) else self._seconds)
        future: asyncio.Future[T] = self._loop.create_future()
        self._under_way[self._number] = _Sent(future, finish, settled, len(packed), until)
        self._pressure.began(len(packed))
        if self._watch is None:
            self._watch = self._loop.call_later(self._seconds / 8, self._look)
        return _Promise(future)

    def admit(self) -> None:
        """See `ports.Stores`. Raises TooBusy, StoreBusy."""
        self._reached()
        if (refusal := self._pressure.refusal()) is not None:
            raise refusal

    def flush(self) -> None:
        """Wait until all that the writer has is durable. Blocks the loop for a commit. Raises StoreBusy."""
        self._reached()
        self._aside.flush()

    def close(self) -> None:
        """Hang up. What was sent still reaches the writer, but nobody hears the answer."""
        self._closing = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.close()
        self._aside.close()

    # ------------------------------------------------------------------------------------------- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports are none of asyncio's classes
        self._frames = Frames()
        self._silent = False

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._heard, self._silent = self._loop.time(), False
        try:
            for message in self._frames.feed(data):
                answer = decode_answer(message)
                if (sent := self._under_way.pop(answer.number, None)) is not None:
                    self._pressure.ended(sent.size)
                    sent.settle(answer.value, answer.failure())
        except BadInput:  # not our writer
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        self._transport = None
        lost = gone(str(error) if error else "the connection was closed")
        under_way = list(self._under_way.values())
        self._under_way.clear()
        self._pressure.lost()
        for sent in under_way:
            sent.settle(None, lost)
        if not self._closing:
            self._reconnecting = self._loop.create_task(self._reconnect())

    # --------------------------------------------------------------------------------------------------------- inside

    def _reached(self) -> asyncio.Transport:
        """The way to a writer that answers. Raises StoreBusy."""
        if self._transport is None:
            raise gone("not connected")
        if self._silent:
            raise self._overdue()
        return self._transport

    def _overdue(self) -> StoreBusy:
        return gone(f"nothing for {self._seconds:g} s; the disk may hang", self._pressure.wait())

    def _look(self) -> None:
        """Let go of those who have waited too long. What they sent may still be kept: it counts until it is answered."""
        self._watch = None
        now = self._loop.time()
        if self._under_way and now - self._heard >= self._seconds:
            self._silent = True
        late = [sent for sent in self._under_way.values() if sent.until <= now and not sent.settled]
        for sent in late:
            sent.settle(None, self._overdue())
        if self._under_way and not self._closing:
            self._watch = self._loop.call_later(self._seconds / 8, self._look)

    async def _reconnect(self) -> None:
        while True:
            try:
                await self.reach(60.0)
                return
            except StoreBusy:  # a minute without a writer: whoever asks is told, and this goes on trying
                continue
