"""What stands in the shop, as its pages ask for it: books by shelf, for grown-ups and for children. Worked out once a catalogue."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property, lru_cache

import numpy as np

from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.item import Item

SHELVES = ("subjects", "author")
"""Attributes that have shelves of their own."""


def slug(words: str) -> str:
    """A name as it stands in an address."""
    return "".join(letter if letter.isalnum() else "-" for letter in words.lower())


class Stock:
    """The books that may be seen by whoever is looking. audiences: None for grown-ups, who may see all; there: rows that may be shown now."""

    def __init__(
        self, catalogue: Catalogue, private: frozenset[str], audiences: frozenset[str] | None, there: Iterable[int]
    ) -> None:
        items = (catalogue.item(row) for row in there)
        self.books = sorted(
            (item for item in items if item.kind == "book" and _suits(item, audiences)), key=lambda item: item.title
        )
        self._by_id = {item.id: item for item in self.books}
        self._private = private

    def get(self, item: str) -> Item | None:
        """The book with this id, if it may be seen here."""
        return self._by_id.get(item)

    def some(self, items: Iterable[str]) -> list[Item]:
        """Those of these books that may be seen here."""
        return [found for item in items if (found := self.get(item))]

    @cached_property
    def shelves(self) -> dict[str, tuple[str, str, list[Item]]]:
        """By the name in the address: (attribute, words, its books)."""
        found: dict[str, tuple[str, str, list[Item]]] = {}
        for attribute in reversed(SHELVES):  # where a subject is called as an author is, the subject has the address
            for words in self.values(attribute):
                books = [item for item in self.books if words in item.values(attribute)]
                found[slug(words)] = (attribute, words, books)
        return found

    def values(self, attribute: str) -> list[str]:
        """All values of an attribute, in the order of the alphabet."""
        return sorted({value for item in self.books for value in item.values(attribute)})

    @cached_property
    def subjects(self) -> list[str]:
        """All subjects, in the order of the alphabet."""
        return self.values("subjects")

    @cached_property
    def largest(self) -> list[str]:
        """Subjects with the most books first: the order of the menu where nothing is known."""
        counts = Counter(value for item in self.books for value in item.values("subjects"))
        return sorted(counts, key=lambda subject: (-counts[subject], subject))

    @cached_property
    def sayable(self) -> list[str]:
        """Subjects that a person can say they like: none that would say something private about them."""
        telling: Counter[str] = Counter()
        for item in self.books:
            telling.update(value for value in item.values("subjects") if item.id in self._private)
        counts = Counter(value for item in self.books for value in item.values("subjects"))
        return [subject for subject in self.subjects if telling[subject] < counts[subject]]

    @cached_property
    def samples(self) -> list[Item]:
        """Books to show to somebody of whom nothing is known: one for each shelf, the largest shelf first. None of them private."""
        taken: dict[str, Item] = {}
        authors: set[str] = set()
        for subject in self.largest:
            for item in self.books:
                first = item.values("subjects")[:1]
                fresh = item.id not in taken and authors.isdisjoint(item.values("author"))
                if first == (subject,) and fresh and item.id not in self._private:
                    taken[item.id] = item
                    authors.update(item.values("author"))
                    break
        return list(taken.values())


def _suits(item: Item, audiences: frozenset[str] | None) -> bool:
    return audiences is None or item.audience in audiences


@lru_cache(maxsize=8)
def _stock(catalogue: Catalogue, private: frozenset[str], audiences: frozenset[str] | None, permitted: bytes) -> Stock:
    """permitted: for each row, whether it may be shown: what is kept holds for as long as that does, whatever the time."""
    return Stock(catalogue, private, audiences, np.flatnonzero(np.frombuffer(permitted, bool)).tolist())


def stock_of(catalogue: Catalogue, charter: Charter, child: bool, now: int) -> Stock:
    """What may be seen now (ms since 1970): by a child, only what is for children."""
    audiences = frozenset(charter.children.audiences) if child else None
    permitted = catalogue.permitted_at(np.arange(len(catalogue), dtype=np.int32), now)
    return _stock(catalogue, catalogue.telling(()), audiences, permitted.tobytes())
