"""What was searched for and not found: words and how often, never by whom; and the words only once several people used them."""

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from tactful.domain.spelling import words_of
from tactful.stores.sqlite.files import disk_errors

ASKERS_LEAST = 5
"""So many different people must have searched for the same words within a day before anybody can read them."""
DAY = 86_400_000
KEPT_DAYS = 90
"""Words that nobody searched for during so many days go."""
WAITING_MOST = 10_000
"""So many queries wait in memory at most; beyond, the oldest goes."""
LETTERS_MOST = 80
_TELLING = re.compile(r"@|(\d\D?){6}")
"""An address or a long number is somebody's, so it is not even counted."""

_TABLE = "CREATE TABLE IF NOT EXISTS missed (words TEXT PRIMARY KEY, times INTEGER NOT NULL, day INTEGER NOT NULL)"
_ADD = """
INSERT INTO missed VALUES (?, ?, ?)
ON CONFLICT (words) DO UPDATE SET times = times + excluded.times, day = max(day, excluded.day)
"""


class MissedQuery(Struct, frozen=True):
    """Words that were searched for in vain, and how often."""

    words: str
    times: int


class _Waiting(Struct):
    """since: ms; askers: keyed hashes, of which nobody keeps the key."""

    since: int
    askers: set[bytes]
    times: int = 0


class Missed:
    """path: a file that workers share; it holds only what may be read. What waits is in memory, and goes after a day or with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key = os.urandom(32)
        self._waiting: dict[str, _Waiting] = {}
        self._open: set[str] = set()
        self._counted: dict[str, int] = {}

    def note(self, query: str, asker: str | None, now: int, since: int = 0) -> None:
        """Nothing was found for this query. asker: who asked, or None: all whom nobody can tell apart count as one. since: when they
        became known. Whoever did only after the words began to wait may have asked before under another name. Times in ms since 1970.
        """
        words = " ".join(words_of(query))
        if not words or len(words) > LETTERS_MOST or _TELLING.search(query):
            return
        if words in self._open:
            self._counted[words] = self._counted.get(words, 0) + 1
            return
        found = self._waiting.get(words)
        if found is None or found.since + DAY <= now:
            self._waiting.pop(words, None)
            found = self._waiting[words] = _Waiting(now, set())
            if len(self._waiting) > WAITING_MOST:
                del self._waiting[next(iter(self._waiting))]
        name = f"person {asker}" if asker is not None and since <= found.since else "somebody"
        found.askers.add(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16, key=self._key).digest())
        found.times += 1
        if len(found.askers) >= ASKERS_LEAST:
            self._open.add(words)
            self._counted[words] = found.times
            del self._waiting[words]

    def flush(self, now: int) -> None:
        """Write down what may be read, and let go of what is too old. From time to time. Raises StoreBusy, StoreFull, StoreBroken."""
        self._waiting = {words: one for words, one in self._waiting.items() if one.since + DAY > now}
        if not self._counted and not self._path.exists():
            return
        day, counted = now // DAY, dict(self._counted)
        with self._opened() as db:
            db.executemany(_ADD, [(words, times, day) for words, times in counted.items()])
            db.execute("DELETE FROM missed WHERE day < ?", (day - KEPT_DAYS,))
            kept = {words for (words,) in db.execute("SELECT words FROM missed")}
        for words, times in counted.items():  # what was counted meanwhile waits for the next time
            self._counted[words] -= times
        self._counted = {words: times for words, times in self._counted.items() if times}
        self._open = kept | self._counted.keys()

    def report(self, most: int = 100) -> list[MissedQuery]:
        """What was searched for in vain, the most frequent first. Raises StoreBusy, StoreBroken."""
        if not self._path.exists():
            return []
        look = "SELECT words, times FROM missed ORDER BY times DESC, words LIMIT ?"
        with self._opened() as db:
            return [MissedQuery(words, times) for words, times in db.execute(look, (most,))]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """One transaction on the file."""
        with disk_errors():
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(self._path, timeout=1.0)) as db, db:
                db.execute("PRAGMA secure_delete = ON")
                db.execute(_TABLE)
                yield db
