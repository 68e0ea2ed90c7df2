"""Ways to the writer that may block: it is this very process, or a socket away."""

import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tactful.domain.errors import BadInput, StoreBusy, TactfulError, TooLarge
from tactful.ports import Ack
from tactful.stores.sqlite.commands import Call, Command, Flush, Frames, decode_answer, frame
from tactful.stores.sqlite.files import SOCKET
from tactful.stores.sqlite.writer import Writer

T = TypeVar("T")
Finish = Callable[[Any], T]
"""Makes the writer's answer into ours."""
Settled = Callable[[TactfulError | None], None]
"""Told when a command is answered, with what went wrong if something did."""
TIMEOUT = 30.0
"""How long a blocking client waits for an answer, in seconds. A large purge or a slow disk may take some of it."""

_ADDRESS_MOST = 107  # bytes of a Unix socket's path, by the kernel's sockaddr_un


def address(folder: Path) -> str:
    """Where the writer of this folder listens. Raises BadInput if the path is too long for a Unix socket."""
    path = str(folder.resolve() / SOCKET)
    if len(path.encode()) > _ADDRESS_MOST:
        raise BadInput(
            field="folder",
            why=f"{path} is {len(path.encode())} bytes long, and a Unix socket's path may have {_ADDRESS_MOST}",
            fix="Use a data folder with a shorter path",
        )
    return path


class Failed(Ack[T]):
    """The promise of a write that went wrong."""

    def __init__(self, error: TactfulError) -> None:
        self._error = error

    def wait(self) -> T:
        """Raises what went wrong."""
        raise self._error

    def __await__(self) -> Any:
        raise self._error
        yield  # makes this a generator, as `await` wants it


class Here:
    """The writer is in this process: everything is durable by the time `send` comes back."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def send(self, command: Command, finish: Finish[T], settled: Settled | None = None) -> Ack[T]:
        """See `logs.Link`."""
        (outcome,) = self._writer.apply([command])
        error = outcome if isinstance(outcome, TactfulError) else None
        if settled is not None:
            settled(error)
        return Ack(finish(outcome)) if error is None else Failed(error)

    def admit(self) -> None:
        """Nothing is ever under way, so there is always room."""

    def flush(self) -> None:
        """Nothing is ever under way."""

    def close(self) -> None:
        """Give the folder free for another writer."""
        self._writer.close()


class Nowhere:
    """No writer is wanted: for a process that only reads, so that it never takes the writer's place."""

    def send(self, command: Command, finish: Finish[T], settled: Settled | None = None) -> Ack[T]:
        """See `logs.Link`. Always fails."""
        error = StoreBusy(why="these stores were opened for reading only", retry_after=1)
        if settled is not None:
            settled(error)
        return Failed(error)

    def admit(self) -> None:
        """Nothing is ever under way, so there is always room."""

    def flush(self) -> None:
        """Nothing is ever under way."""

    def close(self) -> None:
        """There is nothing to let go of."""


class _Waiting(Ack[T]):
    """A promise that reads the socket until its answer is there."""

    def __init__(self, link: "Blocking", finish: Finish[T], settled: Settled | None) -> None:
        self._link, self._finish, self._settled = link, finish, settled
        self.done = False
        self._error: TactfulError | None = None

    def settle(self, value: Any, error: TactfulError | None) -> None:
        self.done, self._error = True, error
        if error is None:
            self.value = self._finish(value)
        if self._settled is not None:
            self._settled(error)

    def wait(self) -> T:
        """Blocks. Raises what went wrong."""
        self._link.read_until(self)
        if self._error is not None:
            raise self._error
        return self.value

    def __await__(self) -> Any:
        return self.wait()
        yield


class Blocking:
    """The writer is at the other end of a Unix socket. Calls may be sent ahead; answers are read when somebody waits.

    Connects again when the writer was restarted. What was under way then fails with StoreBusy: it may or may not be kept, and
    may be sent again, since events that arrived are found to be duplicates. Not for several threads at once.
    """

    def __init__(self, folder: Path, timeout: float = TIMEOUT) -> None:
        self._address = address(folder)
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._frames = Frames()
        self._number = 0
        self._under_way: dict[int, _Waiting[Any]] = {}

    def send(self, command: Command, finish: Finish[T], settled: Settled | None = None) -> Ack[T]:
        """See `logs.Link`."""
        self._number += 1
        ack = _Waiting(self, finish, settled)
        try:
            packed = frame(Call(self._number, command))
            self._connected().sendall(packed)
        except TooLarge as error:
            ack.settle(None, error)
        except OSError as error:
            ack.settle(None, self._lost(error))
        else:
            self._under_way[self._number] = ack
        return ack

    def read_until(self, ack: _Waiting[Any]) -> None:
        """Read answers until this one is settled."""
        while not ack.done:
            if self._socket is None:
                ack.settle(None, gone("the connection was closed"))
                return
            try:
                data = self._socket.recv(1 << 18)
                if not data:
                    raise ConnectionResetError("the writer went away")
            except OSError as error:
                self._lost(error)
                continue
            for message in self._frames.feed(data):
                answer = decode_answer(message)
                waiting = self._under_way.pop(answer.number, None)
                if waiting is not None:
                    waiting.settle(answer.value, answer.failure())

    def admit(self) -> None:
        """Whoever blocks is held up by the socket itself."""

    def flush(self) -> None:
        """Wait until all that the writer has is durable. Raises StoreBusy."""
        self.send(Flush(), _none).wait()

    def reach(self) -> None:
        """Make sure that the writer is there. Raises StoreBusy."""
        try:
            self._connected()
        except OSError as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Wait for what is under way, then hang up."""
        for ack in list(self._under_way.values()):
            self.read_until(ack)
        self._hang_up()

    def _connected(self) -> socket.socket:
        if self._socket is not None and not self._under_way:
            # The writer may have been restarted since: find out now, while there is nothing to lose. No answer is expected,
            # so if there is something to be read, it is the end.
            waiting = select.poll()
            waiting.register(self._socket, select.POLLIN)
            if waiting.poll(0):
                self._hang_up()
        if self._socket is None:
            fresh = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            fresh.settimeout(self._timeout)
            try:
                fresh.connect(self._address)
            except OSError:
                fresh.close()
                raise
            self._socket, self._frames = fresh, Frames()
        return self._socket

    def _lost(self, error: OSError) -> StoreBusy:
        self._hang_up()
        lost = gone(str(error))
        for ack in list(self._under_way.values()):
            ack.settle(None, lost)
        self._under_way.clear()
        return lost

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def gone(why: str, retry_after: int = 1) -> StoreBusy:
    """What a client says when the writer does not answer."""
    return StoreBusy(why=f"the writer process does not answer: {why}", retry_after=retry_after)


def _none(value: object) -> None:
    return None
