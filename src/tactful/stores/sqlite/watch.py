"""Whether the clock can be believed when something is to be deleted for its age (see docs/adr/0008)."""

import logging
import sqlite3
import time
from collections.abc import Callable

from tactful.domain.errors import ClockMoved

DAY = 86_400_000
TOO_FAR = DAY
"""How far, in ms, the clock may move against the time that passed before nothing is deleted any more."""
STEADY = DAY
"""How long, in ms, it must then run steadily until it is believed."""

_LAST = "SELECT value FROM meta WHERE name = 'clock'"
_NOTE = "INSERT OR REPLACE INTO meta (name, value) VALUES ('clock', ?)"

_log = logging.getLogger(__name__)
Point = tuple[int, int]  # the clock, and the time that has passed since some moment


def passed() -> int:
    """Milliseconds since some moment, whatever anybody sets the clock to; on Linux, sleep of the machine counts."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


class ClockWatch:
    """Compares the clock with the time that passed since the last purge; across a restart, with the last purge itself."""

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], int], passed: Callable[[], int] = passed) -> None:
        self._db, self._clock, self._passed = db, clock, passed
        self._trusted: Point | None = None
        self._doubted: Point | None = None  # when doubt began

    def check(self) -> None:
        """Before a purge. Raises ClockMoved while the clock is in doubt, sqlite3.Error."""
        here = (self._clock(), self._passed())
        if self._trusted is None:
            last = self._db.execute(_LAST).fetchone()
            self._trusted = here if last is None else (int(last[0]), here[1])
        moved = _drift(self._trusted, here)
        if abs(moved) > TOO_FAR:
            if self._doubted is None or abs(_drift(self._doubted, here)) > TOO_FAR:
                self._doubted = here
            left = STEADY - (here[1] - self._doubted[1])
            if left > 0:
                raise ClockMoved(moved=_words(moved), why="since the last deletion", hours=-(-left // 3_600_000))
            _log.warning("The clock moved by %s and has run steadily for a day: deletion goes on.", _words(moved))
        self._trusted, self._doubted = here, None
        self._db.execute(_NOTE, (here[0],))


def _drift(one: Point, other: Point) -> int:
    """How much further than the time that passed the clock went, in ms."""
    return (other[0] - one[0]) - (other[1] - one[1])


def _words(moved: int) -> str:
    return f"{moved / DAY:+.1f} days"
