"""The counts of the house, kept by a worker while somebody looks at them: each note is read once, a few at a time, between requests."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tactful.domain.consent import Consent
from tactful.measure.allowed import Allowed
from tactful.measure.house import HOUR, House
from tactful.ports import Stores

HOURS = 24
"""Hours that are counted, the one under way included."""
AT_ONCE = 200
"""Notes, or people, read before others get their turn."""
PATIENCE_S = 2.0
"""How long a page waits for the counts, in seconds, before it shows what is counted so far."""
RECOUNT_MS = 10_000
"""What people allow is counted again at most so often."""


class Counting:
    """now: milliseconds since 1970."""

    def __init__(self, stores: Stores, now: Callable[[], int]) -> None:
        self._stores, self._now = stores, now
        self._house, self._at = House(), 0
        self._allowed, self._version, self._asked = Allowed(), -1, 0
        self._under_way: dict[str, asyncio.Task[None]] = {}

    @property
    def since(self) -> int:
        """From when on is counted: the beginning of an hour, ms since 1970."""
        return (self._now() // HOUR - HOURS + 1) * HOUR

    async def house(self) -> tuple[House, bool]:
        """(the counts since `since`, whether they are complete). Raises what reading raises."""
        whole = await self._waited("house", self._count_notes)
        return self._house.since(self.since // HOUR), whole

    async def allowed(self) -> tuple[Allowed, bool]:
        """(what people allow, whether everybody is counted). Raises what reading raises."""
        whole = await self._waited("allowed", self._count_people)
        return self._allowed, whole

    async def _waited(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Have this done, once for all who ask meanwhile. Whether it is done by now."""
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(work())
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
        if done and self._under_way.get(name) is task:
            del self._under_way[name]
        if done:
            task.result()
        return bool(done)

    async def _count_notes(self) -> None:
        while found := self._stores.receipts.notes(self._at, AT_ONCE):
            for _, note in found:
                self._house.count(note)
            self._at = found[-1][0]
            await asyncio.sleep(0)
        self._house = self._house.since(self.since // HOUR)

    async def _count_people(self) -> None:
        version = self._stores.consents.version()
        if version == self._version or self._now() - self._asked < RECOUNT_MS:
            return
        allowed = Allowed()
        for _, changes in self._stores.consents.everybody():
            allowed.count(Consent.of(changes))
            if allowed.names % AT_ONCE == 0:
                await asyncio.sleep(0)
        self._allowed, self._version, self._asked = allowed, version, self._now()
