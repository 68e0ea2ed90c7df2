"""The words of all items in SQLite's full-text index (FTS5): in a file that workers share, or in memory. Made from the catalogue alone."""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tactful.domain.catalogue import unpack
from tactful.domain.item import Item
from tactful.domain.spelling import words_of
from tactful.domain.topics import Topic, Topics

SCHEMA = 2
WAIT_S = 5.0
"""How long whoever takes items in waits for another worker that does so too, in seconds."""
HITS_MOST = 500
"""So many hits of a query of frequent words are looked at in each of these places."""
PLACES = ("{title} : ", "{said} : ", "")
BETWEEN = " / "
"""Between the titles of an item in different languages: no word of any."""
WEIGHTS = "10.0, 5.0, 3.0, 1.0"
"""What a word counts in the title, in what an attribute says, in one of several things it says, and in the text."""

_TABLES = """
CREATE VIRTUAL TABLE word USING fts5 (title, said, topics, body, tokenize = 'unicode61');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (word, row);
CREATE TABLE mark (row INTEGER PRIMARY KEY, mark INTEGER NOT NULL);
CREATE TABLE state (version INTEGER NOT NULL);
INSERT INTO state VALUES (0);
"""
_PUT = "INSERT OR REPLACE INTO word (rowid, title, said, topics, body) VALUES (?, ?, ?, ?, ?)"
_WEIGHED = f"SELECT rowid, title, -bm25(word, {WEIGHTS}) FROM word WHERE word MATCH ?"
_PLAIN = "SELECT rowid, title FROM word WHERE word MATCH ? LIMIT ?"

log = logging.getLogger("tactful")
Marked = tuple[int, int, bytes]  # row, mark, packed item
Hit = tuple[int, str, float]
"""Row, words of the titles, weight."""


class Said:
    """What is searched of items beside their titles and texts. attributes: those; empty takes all. topics: the taxonomy, for its words."""

    def __init__(self, attributes: Sequence[str] = (), topics: Mapping[str, Topic] | None = None) -> None:
        self.attributes, self._tree = tuple(attributes), Topics(topics)
        self.named = sorted((name, topic.words, topic.parent) for name, topic in self._tree.topics.items())

    def of(self, item: Item) -> tuple[list[str], list[str]]:
        """What an item says in attributes that say one thing, and in those that say several; its topics and those above are of these."""
        single: list[str] = []
        several: list[str] = []
        for name in self.attributes or sorted(item.attributes):
            value = item.attributes.get(name)
            if value is not None and not isinstance(value, bool):  # a yes or no says nothing by itself
                (several if isinstance(value, list) else single).extend(item.values(name))
        for topic in dict.fromkeys(above for own in item.topics for above in self._tree.inherited(own).above):
            declared = self._tree.topics.get(topic)
            several.append((declared.words if declared else "") or topic.rpartition("/")[2])
        return single, several


class Words:
    """path: the file; None keeps all in memory. said: what is searched of an item beside its titles and texts. For one thread."""

    def __init__(self, path: Path | None, said: "Said") -> None:
        self.path, self._said = path, said
        self._key = hashlib.blake2b(repr((SCHEMA, said.attributes, said.named)).encode(), digest_size=16).digest()
        self._db = _opened(path)

    def version(self) -> int:
        """The version of the catalogue that was taken in last; 0 if none was."""
        return int(self._db.execute("SELECT version FROM state").fetchone()[0])

    def take_in(self, packed: Callable[[int], bytes], rows: Iterable[int], version: int) -> bool:
        """Take in what differs among these rows from what was taken in. False: another worker is doing it just now.

        Where another worker has taken in a later version already, nothing is done.
        """
        marked = [(row, self._mark(raw), raw) for row in rows for raw in (packed(row),)]
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
        try:
            if self.version() <= version:
                self._put(marked)
                self._db.execute("UPDATE state SET version = ?", (version,))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return True

    def _mark(self, packed: bytes) -> int:
        digest = hashlib.blake2b(packed, digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big", signed=True)

    def _put(self, marked: Sequence[Marked]) -> None:
        if len(marked) > 1000:
            known = dict(self._db.execute("SELECT row, mark FROM mark").fetchall())
        else:
            look = "SELECT row, mark FROM mark WHERE row = ?"
            known = dict(pair for row, _, _ in marked for pair in self._db.execute(look, (row,)))
        fresh = [(row, mark, raw) for row, mark, raw in marked if known.get(row) != mark]
        self._db.executemany(_PUT, ((row, *self._columns(unpack(raw))) for row, _, raw in fresh))
        self._db.executemany("INSERT OR REPLACE INTO mark VALUES (?, ?)", ((row, mark) for row, mark, _ in fresh))

    def _columns(self, item: Item) -> tuple[str, str, str, str]:
        single, several = self._said.of(item)
        texts = [item.text, *(one.text for one in item.texts.values())]
        titles = BETWEEN.join(_joined(title) for title in item.titles)
        return (titles, _joined("\n".join(single)), _joined("\n".join(several)), _joined("\n".join(texts)))

    def weighed(self, expression: str) -> list[Hit]:
        """All that matches an FTS5 expression, weighed by BM25. For words that are not frequent: it takes about 2 µs for each place."""
        return self._db.execute(_WEIGHED, (expression,)).fetchall()

    def rows(self, expression: str) -> set[int]:
        """The rows of all that matches."""
        return {row for (row,) in self._db.execute("SELECT rowid FROM word WHERE word MATCH ?", (expression,))}

    def plain(self, expression: str) -> list[Hit]:
        """Some of what matches, not weighed (0): what has it in the title first, then in an attribute, then anywhere."""
        found: dict[int, Hit] = {}
        for place in PLACES:
            for row, title in self._db.execute(_PLAIN, (f"{place}({expression})", HITS_MOST)):
                found.setdefault(row, (row, title, 0.0))
            if len(found) >= HITS_MOST:
                break
        return list(found.values())

    def vocabulary(self) -> tuple[list[str], list[int]]:
        """All words, sorted, and in how many items each is."""
        rows = self._db.execute("SELECT term, doc FROM vocabulary").fetchall()
        return [term for term, _ in rows], [count for _, count in rows]

    def knows(self, start: str, whole: bool) -> bool:
        """Whether there is this word, or one that begins so."""
        if whole:
            return self._db.execute("SELECT 1 FROM vocabulary WHERE term = ?", (start,)).fetchone() is not None
        found = self._db.execute("SELECT term FROM vocabulary WHERE term >= ? LIMIT 1", (start,)).fetchone()
        return found is not None and str(found[0]).startswith(start)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def drop_words(path: Path) -> None:
    """Forget the index; the next search makes it anew. Not while it is in use."""
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _joined(text: str) -> str:
    return " ".join(words_of(text))


def _opened(path: Path | None) -> sqlite3.Connection:
    """A file that cannot be used is made anew; if that cannot be either, memory does, and the log says so."""
    if path is not None:
        for _ in range(2):
            try:
                return _connected(path)
            except (sqlite3.Error, OSError) as error:
                log.warning("%s: %s", path, error)
                with suppress(OSError):
                    drop_words(path)
        log.warning("the search keeps its words in memory, since %s cannot be used", path)
    return _connected(None)


def _connected(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    where = ":memory:" if path is None else str(path)
    db = sqlite3.connect(where, isolation_level=None, timeout=WAIT_S)
    try:
        # It can be made anew, so nothing waits for the disk.
        db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;")
        db.execute("BEGIN IMMEDIATE")
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        if schema not in (0, SCHEMA):
            raise sqlite3.DatabaseError(f"it is of another Tactful (schema {schema}), and is made anew")
        if schema == 0:
            for statement in filter(str.strip, f"{_TABLES} PRAGMA user_version = {SCHEMA};".split(";")):
                db.execute(statement)
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db
