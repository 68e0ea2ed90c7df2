"""How much is under way to the writer, how fast it goes, and when it is too much."""

import math
import time
from collections.abc import Callable

from msgspec import Struct

from tactful.domain.errors import TooBusy

_LEAST, _MOST = 1, 60  # seconds that somebody is asked to wait


class Bounds(Struct, frozen=True):
    """What a server takes upon itself. writes: commands under way; size: their bytes; seconds: how long an answer may take.

    Whoever asks at the door (`Stores.admit`) is refused at these bounds, and so are receipts; what has been let in, changes of
    consent and forgetting are refused at twice as much.
    """

    writes: int = 2000
    size: int = 64 << 20
    seconds: float = 10.0


class Pressure:
    """What is under way. clock: seconds, monotonic."""

    def __init__(self, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        self.bounds, self._clock = bounds, clock
        self.writes = self.size = 0
        self._rate = 0.0  # bytes that are finished in a second, lately
        self._since, self._finished = clock(), 0

    def began(self, size: int) -> None:
        """A command of so many bytes went out."""
        if not self.writes:  # an idle spell says nothing about the rate
            self._since, self._finished = self._clock(), 0
        self.writes += 1
        self.size += size

    def ended(self, size: int) -> None:
        """It was answered."""
        self.writes -= 1
        self.size -= size
        self._finished += size
        now = self._clock()
        if (spell := now - self._since) >= 0.5:
            fresh = self._finished / spell
            self._rate = fresh if not self._rate else (self._rate + fresh) / 2
            self._since, self._finished = now, 0

    def lost(self) -> None:
        """The connection is gone, and everything under way with it."""
        self.writes = self.size = 0

    def refusal(self, times: int = 1) -> TooBusy | None:
        """Why no more is taken, if so: the bounds, times so many, are reached."""
        bounds = self.bounds
        if self.writes < bounds.writes * times and self.size < bounds.size * times:
            return None
        why = f"{self.writes:,} writes, {self.size / 1e6:.1f} MB wait for it"
        return TooBusy(why=why, retry_after=self.wait())

    def wait(self) -> int:
        """Seconds until what is under way is likely to be done."""
        now = self._clock()
        running = self._finished / max(now - self._since, 0.5)
        rate = self._rate or running
        seconds = self.size / rate if rate else self.bounds.seconds
        return min(max(math.ceil(seconds), _LEAST), _MOST)
