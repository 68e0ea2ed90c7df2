"""What was typed into a search, found by the words of the items. Says nothing about a person: what is typed is not kept."""

import numpy as np
from msgspec import Struct

from tactful.domain.bounds import at_least
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.errors import NoSearch
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy

TYPED = Source("query", "")
"""Without the query itself: a source stands in receipts, and what was typed is not kept."""


class Search(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """most: items it finds at most, the best ones. kinds: kinds of items that it finds; empty takes all."""

    most: int = 200
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at_least(1, most=self.most)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The items that match the query, each with its share of the relevance of all. Raises NoSearch."""
        if not ask.query:
            return NO_EVIDENCE
        if shelf.search is None:
            raise NoSearch
        found = shelf.search.find(ask.query, self.most)
        if self.kinds:
            found = [(row, relevance) for row, relevance in found if shelf.catalogue.item(row).kind in self.kinds]
        if not found:
            return NO_EVIDENCE
        rows = np.array([row for row, _ in found], np.int32)
        relevance = np.array([relevance for _, relevance in found])
        return single(rows, (relevance / relevance.sum()).astype(np.float32), [TYPED], np.zeros(len(rows), np.int32))
