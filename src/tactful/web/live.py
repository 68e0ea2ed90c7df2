"""Decisions as they arrive: one look at the store each half second for all who listen, however many they are."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from weakref import WeakSet

from tactful.domain.errors import TactfulError
from tactful.domain.note import Note
from tactful.ports import ReceiptLog

LOOK_S = 0.5
"""How often the store is looked at, in seconds."""
BEAT_S = 10.0
"""After so many seconds of silence a listener hears that somebody is still there."""
AT_ONCE = 200
"""Notes taken at one look. If more came, the newest are taken, and it is said how many were not."""
LISTENERS_MOST = 100
"""Open pages at most, in each worker."""
log = logging.getLogger("tactful")

Numbered = tuple[int, Note]


class Listener:
    """What is on its way to one open page. missed: decisions that it will not hear of. ended: nothing more will come."""

    def __init__(self) -> None:
        self._came: list[Numbered] = []
        self._news = asyncio.Event()
        self.missed, self.ended = 0, False

    def tell(self, notes: Sequence[Numbered], missed: int) -> None:
        """Pass these on. Of what a slow page has not fetched, only the newest is kept."""
        came = [*self._came, *notes]
        self._came = came[-AT_ONCE:]
        self.missed += missed + len(came) - len(self._came)
        self._news.set()

    def end(self) -> None:
        """Nothing more will come."""
        self.ended = True
        self._news.set()

    async def fetch(self, seconds: float) -> tuple[list[Numbered], int]:
        """(what came since, how much was missed); nothing, if nothing came within these seconds."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return [], 0
        self._news.clear()
        came, missed = self._came, self.missed
        self._came, self.missed = [], 0
        return came, missed


class Live:
    """The notes of all workers, passed on to whoever listens to this one. leaving: whether the worker is about to end."""

    def __init__(self, receipts: ReceiptLog, leaving: Callable[[], bool]) -> None:
        self._receipts, self._leaving = receipts, leaving
        # Held by the pages alone: one that goes away, however it goes, is no longer here.
        self._listeners: WeakSet[Listener] = WeakSet()
        self._at = 0
        self._looking: asyncio.Task[None] | None = None

    def listen(self, after: int | None = None) -> Listener | None:
        """Hear of every decision from now on; and of those numbered above `after`, as far as one look holds them. None: too many listen."""
        if len(self._listeners) >= LISTENERS_MOST:
            return None
        listener = Listener()
        if self._looking is None or self._looking.done():
            self._at = self._receipts.noted()
            self._looking = asyncio.create_task(self._look())
        if after is not None and after < self._at:
            start = max(after, self._at - AT_ONCE)
            missed = [one for one in self._receipts.notes(start, AT_ONCE) if one[0] <= self._at]
            listener.tell(missed, start - after)
        self._listeners.add(listener)
        return listener

    def last(self, most: int) -> list[Numbered]:
        """The last notes, newest first: at most so many."""
        return self._receipts.notes(max(self._receipts.noted() - most, 0), most)[::-1]

    async def _look(self) -> None:
        """Until nobody listens any more, or the worker ends."""
        while len(self._listeners) and not self._leaving():
            await asyncio.sleep(LOOK_S)
            try:
                start = max(self._at, self._receipts.noted() - AT_ONCE)
                found = self._receipts.notes(start, AT_ONCE)
            except TactfulError as error:
                log.warning("the live list waits: %s", error)
                continue
            if found:
                missed, self._at = start - self._at, found[-1][0]
                for listener in list(self._listeners):
                    listener.tell(found, missed)
        for listener in list(self._listeners):
            listener.end()


async def events(
    listener: Listener, line: Callable[[Note], str], good: Callable[[], bool], beat: float = BEAT_S
) -> AsyncIterator[str]:
    """Server-sent events (WHATWG HTML, 9.2): `decision` with a line of HTML, `missed` with a count, `over` once the session is not good."""
    yield "retry: 2000\n\n"
    while not listener.ended:
        if not good():
            yield "event: over\ndata: sign in again\n\n"
            return
        came, missed = await listener.fetch(beat)
        if missed:
            yield f"event: missed\ndata: {missed}\n\n"
        for number, note in came:
            yield f"id: {number}\nevent: decision\ndata: {' '.join(line(note).split())}\n\n"
        if not came and not missed:
            yield ": still here\n\n"
