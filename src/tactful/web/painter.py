"""Draws pictures in a process of its own, so that no decision waits for one. Run as `python -m tactful.web.painter`, it is that process."""

import asyncio
import sys
from contextlib import suppress
from importlib.util import find_spec

import msgspec

from tactful.domain.errors import BadInput, StoreBusy
from tactful.web.picture import LOOKS, Picture

IDLE_S = 120.0
"""After so many seconds without a picture the process goes."""
DRAW_S = 20.0
"""How long a picture may take, in seconds: the first one starts the process."""
LINE_MOST = 4 << 20


def can_draw() -> bool:
    """Whether the extra `charts` is installed."""
    return find_spec("altair") is not None and find_spec("vl_convert") is not None


class Painter:
    """One process for a worker, started when a picture is wanted and ended when none was wanted for a while."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._rest: asyncio.TimerHandle | None = None

    async def draw(self, picture: Picture, look: str) -> bytes:
        """The picture as SVG. look: one of LOOKS. Raises BadInput, StoreBusy."""
        if look not in LOOKS:
            raise BadInput(field="look", why="there is no such look", fix=f"Use one of {', '.join(LOOKS)}")
        async with self._turn:
            try:
                found = await asyncio.wait_for(self._ask(msgspec.json.encode((picture, look))), DRAW_S)
            except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError):
                await self.close()
                raise StoreBusy(why="the picture could not be drawn", retry_after=5) from None
        return msgspec.json.decode(found, type=str).encode()

    async def _ask(self, line: bytes) -> bytes:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tactful.web.painter", stdin=-1, stdout=-1, limit=LINE_MOST
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + b"\n")
        await self._process.stdin.drain()
        found = await self._process.stdout.readuntil(b"\n")
        loop = asyncio.get_running_loop()
        if self._rest is not None:
            self._rest.cancel()
        self._rest = loop.call_later(IDLE_S, self._send_home)
        return found

    def _send_home(self) -> None:
        """Its input ends, and so does it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    async def close(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process = self._process, None
        if self._rest is not None:
            self._rest.cancel()
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def main() -> None:
    """Pictures in, one a line, and SVG out, until the input ends."""
    from tactful.web.charts import svg

    for line in sys.stdin.buffer:
        picture, look = msgspec.json.decode(line, type=tuple[Picture, str])
        theme, _, width = look.partition("-")
        sys.stdout.buffer.write(msgspec.json.encode(svg(picture, theme, width == "wide")) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
