"""Words as a search compares them: without case and accents; and which word was probably meant by one with a typing mistake."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHORTEST = 4
"""Shorter words are not mended: too many others are one mistake away."""
LONG = 8
"""From so many letters on, two mistakes are mended."""
LONGEST = 24
"""Longer words are not mended."""
_AFTER_ALL = chr(0x10FFFF)
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The words of a text: runs of letters and digits, in small letters, without accents."""
    if not text.isascii():
        marked = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in marked if not unicodedata.combining(letter))
        # Compatibility forms may hide capitals, and small letters may bring marks of their own (such as the Turkish i).
        text = "".join(letter for letter in text.casefold() if not unicodedata.combining(letter))
    return _WORD.findall(text.lower())


class Vocabulary:
    """The words that there are, sorted, and in how many items each is. For spelling: nothing here is about people."""

    def __init__(self, words: Sequence[str], items: Sequence[int]) -> None:
        self.words: list[str] = list(words)
        self.items = np.array(items, np.int64)
        self._until = np.concatenate([[0], np.cumsum(self.items)])
        self._place = {word: place for place, word in enumerate(self.words)}
        short = np.array([word[:LONGEST] for word in self.words] or [""], f"<U{LONGEST}")
        self._letters: NDArray[np.uint32] = short.view(np.uint32).reshape(len(short), LONGEST)
        self._length = np.array([len(word) for word in self.words] or [0], np.int64)
        self._marks = _marks(self._letters)

    def __contains__(self, word: str) -> bool:
        return word in self._place

    def count(self, word: str) -> int:
        """In how many items the word is."""
        place = self._place.get(word)
        return 0 if place is None else int(self.items[place])

    def count_from(self, start: str) -> int:
        """In how many items each word is that begins so, added up; 0 if none does."""
        first, end = bisect_left(self.words, start), bisect_left(self.words, start + _AFTER_ALL)
        return int(self._until[end] - self._until[first])

    def nearest(self, word: str) -> str | None:
        """The word that was probably meant: the one with the fewest mistakes, with the same first letter, in the most items.

        None if there is none within one mistake (two in a long word), or if it is too short, too long, or a number.
        """
        if not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
            return None
        for edits in (1, 2) if len(word) >= LONG else (1,):
            places = self._within(word, edits)
            if len(places):
                other = self._letters[places, 0] != ord(word[0])
                best = np.lexsort((places, -self.items[places], other))[0]
                return self.words[int(places[best])]
        return None

    def _within(self, word: str, edits: int) -> NDArray[np.int64]:
        """Places int64[m] of the words at most so many mistakes away."""
        if not self.words:
            return np.empty(0, np.int64)
        letters = np.frombuffer(word.encode("utf-32-le"), np.uint32)
        mark = _marks(letters[None, :])[0]
        # A mistake changes at most two letters of the set, and the length by at most one: most words need not be compared.
        near = np.abs(self._length - len(word)) <= edits
        near &= np.bitwise_count(self._marks ^ mark) <= 2 * edits
        places = np.flatnonzero(near)
        distance = distances(letters, self._letters[places], self._length[places])
        found: NDArray[np.int64] = places[distance <= edits]
        return found


def _marks(letters: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Which letters there are, uint64[n], from codes uint32[n, width]; 0 stands for none. Rare letters share bits."""
    bits = np.where(letters == 0, np.uint64(0), np.uint64(1) << (letters % 64).astype(np.uint64))
    found: NDArray[np.uint64] = np.bitwise_or.reduce(bits, axis=1)
    return found


def distances(word: NDArray[np.uint32], others: NDArray[np.uint32], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Mistakes int64[m] between a word uint32[a] and others uint32[m, width] of these lengths int64[m].

    A mistake is a letter too many, one too few, a wrong one, or two neighbours swapped: Damerau-Levenshtein distance, in the
    form in which nothing is changed twice (optimal string alignment; Boytsov 2011, doi:10.1145/1963190.1963191).
    """
    count, width = others.shape
    rows = [np.broadcast_to(np.arange(width + 1), (count, width + 1)).copy()]
    for i in range(1, len(word) + 1):
        row = np.empty((count, width + 1), np.int64)
        row[:, 0] = i
        for j in range(1, width + 1):
            cost = (others[:, j - 1] != word[i - 1]).astype(np.int64)
            best = np.minimum(np.minimum(rows[-1][:, j] + 1, row[:, j - 1] + 1), rows[-1][:, j - 1] + cost)
            if i > 1 and j > 1:
                swapped = (others[:, j - 1] == word[i - 2]) & (others[:, j - 2] == word[i - 1])
                best = np.where(swapped, np.minimum(best, rows[-2][:, j - 2] + 1), best)
            row[:, j] = best
        rows.append(row)
    found: NDArray[np.int64] = rows[-1][np.arange(count), lengths]
    return found
