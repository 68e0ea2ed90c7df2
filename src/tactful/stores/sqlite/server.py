"""The writer process: takes commands from a Unix socket, and commits whatever has come in meanwhile as one group."""

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec

from tactful.domain.errors import BadInput, StoreBusy
from tactful.stores.sqlite.commands import AppendReceipt, Call, Frames, Purge, answer, decode_call, frame
from tactful.stores.sqlite.files import disk_errors, take_lock
from tactful.stores.sqlite.links import address
from tactful.stores.sqlite.writer import Outcome, Purging, Writer, milliseconds

RECEIPTS_WAIT = 0.05
"""How long a receipt may wait for company before it is committed, in seconds."""
ARRIVED_MOST = 16 << 20
"""How much may have arrived and wait for its commit, in bytes: then nobody is listened to until it is done."""

_GOODBYE = 1.0  # seconds that clients have to take their last answers


def serve_writer(folder: Path | str, clock: Callable[[], int] = milliseconds) -> None:
    """Be the writer of this folder until SIGTERM or SIGINT; then finish what was received, answer, and return.

    To be called in the main thread of a process of its own. Raises StoreBusy if the folder has a writer already, NotInitialised,
    StoreBroken, BadInput (path too long for a socket).
    """
    folder = Path(folder)
    where = address(folder)
    lock = take_lock(folder)
    if lock is None:
        raise StoreBusy(why=f"{folder} has a writer already", retry_after=1)
    try:
        writer = Writer(folder, lock, clock)
    except BaseException:
        os.close(lock)
        raise
    try:
        listening = _listen(where)
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_Server(writer).run(listening))
        finally:
            listening.close()
            Path(where).unlink(missing_ok=True)
    finally:
        writer.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _listen(where: str) -> socket.socket:
    with disk_errors():
        Path(where).unlink(missing_ok=True)  # left by a writer that was killed; the lock says that it is gone
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)  # nobody else may connect, not even between bind and chmod
        try:
            listening.bind(where)
        except BaseException:
            listening.close()
            raise
        finally:
            os.umask(before)
        listening.setblocking(False)
    return listening


class _Server:
    """What has arrived and is not yet answered."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._arrived: list[tuple[_Client, Call]] = []
        self._purges: deque[tuple[_Client, int, Purging]] = deque()
        self._soon: asyncio.Handle | None = None  # the next round
        self._later: asyncio.TimerHandle | None = None  # the next round, if only receipts wait for it
        self._size = 0  # bytes of what has arrived
        self.clients: set[_Client] = set()

    async def run(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        server = await loop.create_unix_server(lambda: _Client(self), sock=listening)
        await stop.wait()
        server.close()
        self._round()
        while self._purges:
            self._round()
        for client in list(self.clients):
            client.transport.close()  # once its last answers are out
        until = loop.time() + _GOODBYE
        while self.clients and loop.time() < until:
            await asyncio.sleep(0.01)
        if self._later is not None:
            self._later.cancel()

    def take(self, client: "_Client", call: Call, size: int) -> None:
        self._arrived.append((client, call))
        self._size += size
        if not isinstance(call.command, AppendReceipt):
            self._hurry()
        if self._size >= ARRIVED_MOST:
            self._round()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(RECEIPTS_WAIT, self._round)

    def _hurry(self) -> None:
        # In the loop's next turn: by then all clients that have something to say have been read.
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._round)

    def _round(self) -> None:
        """Commit all that has arrived as one group, answer it, and go one step on with a purge if one is under way."""
        if self._later is not None:
            self._later.cancel()
        if self._soon is not None:
            self._soon.cancel()
        self._soon = self._later = None
        self._size = 0
        arrived, self._arrived = self._arrived, []
        calls = []
        for client, call in arrived:
            if isinstance(call.command, Purge):
                self._purges.append((client, call.number, Purging(call.command.now)))
            else:
                calls.append((client, call))
        outcomes = self._writer.apply([call.command for _, call in calls])
        answers: dict[_Client, list[bytes]] = {}
        for (client, call), outcome in zip(calls, outcomes, strict=True):
            answers.setdefault(client, []).append(_packed(call.number, outcome))
        for client, packed in answers.items():
            client.write(b"".join(packed))
        if self._purges:
            client, number, purging = self._purges[0]
            outcome = self._writer.step(purging)
            if outcome is not None:
                self._purges.popleft()
                client.write(_packed(number, outcome))
        if self._purges:
            self._hurry()


def _packed(number: int, outcome: Outcome) -> bytes:
    return frame(answer(number, outcome))


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._frames = Frames()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's transports are none of asyncio's classes
        self._server.clients.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.clients.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._frames.feed(data):
                self._server.take(self, decode_call(message), len(message))
        except (BadInput, msgspec.DecodeError):  # not one of our clients, or one of another version
            self.transport.abort()

    def pause_writing(self) -> None:
        """It does not read its answers, so it is not listened to until it does: they would pile up here."""
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def write(self, packed: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(packed)
