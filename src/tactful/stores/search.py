"""Finds items by words: what `Shelf.search` is made of. Derived from the catalogue; holds nothing about people."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import Catalogue, Mask, Rows
from tactful.domain.errors import SearchNotReady
from tactful.domain.spelling import Vocabulary, words_of
from tactful.domain.topics import Topic
from tactful.stores.words import BETWEEN, Hit, Said, Words

WORDS = "search.db"
"""The name of the file in an installation."""
AT_ONCE = 2000
"""A catalogue of at most so many items is read on the spot, which takes up to 0.1 s; a larger one beside what goes on."""
WORDS_MOST = 12
"""So many words of a query count; nobody types more to find a thing."""
PREFIX_LEAST = 2
"""The last word may be unfinished from so many letters on."""
OFTEN = 2000
"""A word in more items is frequent: it is not weighed where others say more, and where none does, hits are not weighed one by one."""
TELLING = 0.25
"""Where nothing has all the words, those that a larger share of the items has are left out."""
AND, OR = " AND ", " OR "
COMPARED_MOST = 400
"""The titles of so many of the best hits are compared with the query, and of all that are just that."""
SUGGEST_FROM = 200
"""So many of the best hits are looked through for suggestions."""

log = logging.getLogger("tactful")


def in_thread(work: Callable[[], None]) -> None:
    """Work beside what goes on."""
    threading.Thread(target=work, name="search", daemon=True).start()


class Reading(Struct, frozen=True):
    """A query as it is understood. words: mended; unfinished: whether the last one may go on; mended: whether any was changed."""

    words: tuple[str, ...]
    unfinished: bool
    mended: bool


class WordIndex:
    """The words of a catalogue that changes. Nothing is read before the first search.

    path: a file that the workers of an installation share; None keeps all in memory. attributes: those that are searched beside
    titles and texts; empty takes all. topics: the taxonomy, whose words are searched too. later: does long work without keeping anybody waiting.
    """

    def __init__(
        self,
        path: Path | None = None,
        attributes: Sequence[str] = (),
        topics: Mapping[str, Topic] | None = None,
        later: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._path, self.said, self._later = path, Said(attributes, topics), later
        self._words: Words | None = None
        self._taken = Catalogue()
        self._vocabulary: Vocabulary | None = None
        self._busy = False

    def over(self, catalogue: Catalogue) -> "Finder":
        """A way of searching this state of the catalogue."""
        return Finder(self, catalogue)

    def ready(self, catalogue: Catalogue) -> tuple[Words, Vocabulary]:
        """The words of the catalogue; while many are being read, those of the one before. Raises SearchNotReady if there is none."""
        if self._words is None:
            self._words = Words(self._path, self.said)
        if catalogue.version > self._taken.version and not self._busy:
            self._busy = True
            if len(catalogue) <= AT_ONCE or self._words.path is None:
                self._take_in(self._words, catalogue)
            else:
                self._later(lambda: self._beside(catalogue))
        vocabulary = self._vocabulary
        if vocabulary is None:
            if len(catalogue):
                raise SearchNotReady(items=len(catalogue), retry_after=1)
            vocabulary = Vocabulary((), ())
        return self._words, vocabulary

    def _beside(self, catalogue: Catalogue) -> None:
        """In a thread of its own, and so with a connection of its own."""
        words = Words(self._path, self.said)
        try:
            self._take_in(words, catalogue)
        except sqlite3.Error as error:  # what was read before goes on serving; the next search tries again
            log.warning("the words of the catalogue could not be read: %s", error)
        finally:
            words.close()

    def _take_in(self, words: Words, catalogue: Catalogue) -> None:
        try:
            if words.take_in(catalogue.packed, catalogue.differing(self._taken), catalogue.version):
                self._vocabulary = Vocabulary(*words.vocabulary())
                self._taken = catalogue
        finally:
            self._busy = False


class Finder:
    """See `ports.SearchIndex`."""

    def __init__(self, index: WordIndex, catalogue: Catalogue) -> None:
        self._index, self._catalogue = index, catalogue

    def find(self, query: str, most: int) -> list[tuple[int, float]]:
        """See `ports.SearchIndex`: what has all the words; where nothing has, what has some of them."""
        words, vocabulary = self._index.ready(self._catalogue)
        reading = _read(query, words, vocabulary)
        if not reading.words:
            return []
        hits = self._all(words, vocabulary, reading) or self._some(words, vocabulary, reading)
        whole = " ".join(reading.words)
        hits.sort(key=lambda hit: (hit[1] != whole, -hit[2], hit[0]))
        weighed = [
            (row, weight * _likeness(title, reading.words)) for row, title, weight in hits[: max(most, COMPARED_MOST)]
        ]
        return sorted(weighed, key=lambda hit: (-hit[1], hit[0]))[:most]

    def mend(self, query: str) -> str:
        """See `ports.SearchIndex`."""
        reading = _read(query, *self._index.ready(self._catalogue))
        return " ".join(reading.words) if reading.mended else query

    def suggest(self, prefix: str, most: int, permit: Callable[[Rows], Mask] | None = None) -> list[str]:
        """See `ports.SearchIndex`: what begins like the query comes first, then what several items have."""
        words, vocabulary = self._index.ready(self._catalogue)
        reading = _read(prefix, words, vocabulary, 1)
        if not reading.words:
            return []
        hits = sorted(self._all(words, vocabulary, reading), key=lambda hit: (-hit[2], hit[0]))
        rows = np.array([row for row, _, _ in hits[:SUGGEST_FROM]], np.int32)
        if permit is not None:
            rows = rows[permit(rows)]
        counts: dict[str, int] = {}
        for row in rows.tolist():
            for phrase in self._phrases(row):
                counts[phrase] = counts.get(phrase, 0) + 1
        begins = {phrase: words_of(phrase) for phrase in counts}
        fitting = [phrase for phrase, said in begins.items() if _goes_on(said, reading.words)]
        order = {phrase: place for place, phrase in enumerate(fitting)}
        fitting.sort(key=lambda phrase: (not _begins(begins[phrase], reading.words), -counts[phrase], order[phrase]))
        return fitting[:most]

    def _phrases(self, row: int) -> list[str]:
        item = self._catalogue.item(row)
        single, several = self._index.said.of(item)
        return list(dict.fromkeys([*item.titles, *single, *several]))

    def _all(self, words: Words, vocabulary: Vocabulary, reading: Reading) -> list[Hit]:
        """What has all the words. Frequent ones are not weighed where others say more."""
        pieces = _pieces(reading, vocabulary)
        rare = [piece for piece, count in pieces.items() if count <= OFTEN]
        if not rare:
            plain = words.plain(AND.join(pieces))
            return self._there((row, title, _share(title, reading.words)) for row, title, _ in plain)
        found = words.weighed(AND.join(rare))
        if len(rare) < len(pieces):
            having = words.rows(AND.join(pieces))
            found = [hit for hit in found if hit[0] in having]
        return self._there(found)

    def _some(self, words: Words, vocabulary: Vocabulary, reading: Reading) -> list[Hit]:
        """What has at least one of the words; those that very many items have (the, of, und, les) find nothing alone."""
        most = min(OFTEN, max(len(self._catalogue) * TELLING, 1))
        telling = [piece for piece, count in _pieces(reading, vocabulary).items() if count <= most]
        return self._there(words.weighed(OR.join(telling))) if telling and len(reading.words) > 1 else []

    def _there(self, hits: Iterable[Hit]) -> list[Hit]:
        """The hits in this state of the catalogue, each with a weight above 0."""
        size = len(self._catalogue)
        return [(row, title, max(weight, 1e-9)) for row, title, weight in hits if row < size]


def _read(query: str, words: Words, vocabulary: Vocabulary, least: int = PREFIX_LEAST) -> Reading:
    """Understand a query: a word that is nowhere is taken for the one that was probably meant."""
    typed = words_of(query)[:WORDS_MOST]
    unfinished = bool(typed) and len(typed[-1]) >= least and query[-1:].isalnum()
    meant = []
    for place, word in enumerate(typed):
        going_on = unfinished and place == len(typed) - 1
        known = word in vocabulary or (going_on and vocabulary.count_from(word) > 0) or words.knows(word, not going_on)
        meant.append(word if known else vocabulary.nearest(word) or word)
    return Reading(tuple(meant), unfinished, meant != typed)


def _pieces(reading: Reading, vocabulary: Vocabulary) -> dict[str, int]:
    """Each word in FTS5's language, and in how many items it is."""
    found = {}
    for place, word in enumerate(reading.words):
        unfinished = reading.unfinished and place == len(reading.words) - 1
        found[_piece(word, unfinished)] = vocabulary.count_from(word) if unfinished else vocabulary.count(word)
    return found


def _piece(word: str, unfinished: bool) -> str:
    """A word in FTS5's language. Words are letters and digits only, and quoted, so nothing typed is ever taken for syntax."""
    return f'("{word}" OR "{word}" *)' if unfinished else f'"{word}"'


def _likeness(titles: str, typed: Sequence[str]) -> float:
    """What an item counts more for a title: the one that was typed, one that begins like it, one that has some of the words.

    BM25 alone would have a short author before a long title.
    """
    whole, best = " ".join(typed), 1.0
    for title in titles.split(BETWEEN):
        if title == whole:
            return 4.0
        said = title.split()
        having = sum(any(one.startswith(word) for one in said) for word in typed) / len(typed)
        best = max(best, 1.0 + having + (0.5 if title.startswith(whole) else 0.0))
    return best


def _share(titles: str, typed: Sequence[str]) -> float:
    """Which share of a title was typed, 0 to 1; of the title of which it is most."""
    said = [title.split() for title in titles.split(BETWEEN)]
    return max(sum(word in typed for word in title) / max(len(title), 1) for title in said)


def _goes_on(said: Sequence[str], typed: Sequence[str]) -> bool:
    """Whether a phrase has all the words typed, the last of which may be unfinished."""
    return set(typed[:-1]).issubset(said) and any(word.startswith(typed[-1]) for word in said)


def _begins(said: Sequence[str], typed: Sequence[str]) -> bool:
    """Whether a phrase begins like what was typed."""
    return " ".join(said).startswith(" ".join(typed))
