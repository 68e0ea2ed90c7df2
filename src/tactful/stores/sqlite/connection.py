"""The way to the writer for servers: one connection, calls sent ahead, answers awaited."""

import asyncio
from pathlib import Path
from typing import Any, TypeVar, cast

from tactful.domain.errors import BadInput, StoreBusy, TactfulError, TooLarge
from tactful.ports import Ack
from tactful.stores.sqlite.commands import Call, Command, Frames, decode_answer, frame
from tactful.stores.sqlite.links import Blocking, Failed, Finish, Settled, address, gone

T = TypeVar("T")

_FLUSH_TIMEOUT = 2.0  # seconds that a look-up of an unknown receipt may hold up the loop at worst
_AGAIN = 0.05  # seconds between two attempts to reach a writer that went away


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


class Connection(asyncio.Protocol):
    """The writer is at the other end of a Unix socket. For one event loop; reconnects by itself when the writer was restarted.

    While there is no writer, commands fail at once with StoreBusy. What was under way when it went may or may not be kept.
    """

    def __init__(self, folder: Path) -> None:
        self._address = address(folder)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._frames = Frames()
        self._number = 0
        self._under_way: dict[int, tuple[asyncio.Future[Any], Finish[Any], Settled | None]] = {}
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
        error: TactfulError | None = None
        self._number += 1
        try:
            packed = frame(Call(self._number, command))
        except TooLarge as too_large:
            error = too_large
        if self._transport is None:
            error = error or gone("not connected")
        if error is not None or self._transport is None:
            if settled is not None:
                settled(error)
            return Failed(error or gone("not connected"))
        self._transport.write(packed)
        future: asyncio.Future[T] = self._loop.create_future()
        self._under_way[self._number] = (future, finish, settled)
        return _Promise(future)

    def flush(self) -> None:
        """Wait until all that the writer has is durable. Blocks the loop for a commit. Raises StoreBusy."""
        self._aside.flush()

    def close(self) -> None:
        """Hang up. What was sent still reaches the writer, but nobody hears the answer."""
        self._closing = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        if self._transport is not None:
            self._transport.close()
        self._aside.close()

    # ------------------------------------------------------------------------------------------- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports are none of asyncio's classes
        self._frames = Frames()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        try:
            for message in self._frames.feed(data):
                answer = decode_answer(message)
                if (entry := self._under_way.pop(answer.number, None)) is not None:
                    _settle(entry, answer.value, answer.failure())
        except BadInput:  # not our writer
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        self._transport = None
        lost = gone(str(error) if error else "the connection was closed")
        entries = list(self._under_way.values())
        self._under_way.clear()
        for entry in entries:
            _settle(entry, None, lost)
        if not self._closing:
            self._reconnecting = self._loop.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        while True:
            try:
                await self.reach(60.0)
                return
            except StoreBusy:  # a minute without a writer: whoever asks is told, and this goes on trying
                continue


def _settle(
    entry: "tuple[asyncio.Future[Any], Finish[Any], Settled | None]", value: Any, error: TactfulError | None
) -> None:
    future, finish, settled = entry
    if not future.done():  # whoever waited may have been cancelled
        if error is None:
            future.set_result(finish(value))
        else:
            future.set_exception(error)
            if settled is not None:
                future.exception()  # `settled` reports it, so asyncio need not complain that nobody asked
    if settled is not None:
        settled(error)
