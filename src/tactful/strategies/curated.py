"""A list that somebody picked by hand, in their order, for everybody alike. `tactful list` keeps it; `docs/curated.md` says how."""

import numpy as np
from msgspec import Struct

from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy


class Curated(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """name: the list. What is not approved, not in the catalogue, or not within its days is left out; `tactful doctor` names it."""

    name: str

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The items of the list, evenly less from the first to the last, together 1. Each says the words it was picked with, or the list's."""
        found = shelf.lists.get(self.name)
        size, index = len(shelf.catalogue), shelf.catalogue.index
        entries = [
            (row, entry)
            for entry in (found.showing(ask.at) if found else ())
            if (row := index.get(entry.item, size)) < size
        ]
        if found is None or not entries:
            return NO_EVIDENCE
        share = np.arange(len(entries), 0, -1, dtype=np.float64)
        words = list(dict.fromkeys(entry.words or found.words for _, entry in entries))
        return single(
            np.array([row for row, _ in entries], np.int32),
            (share / share.sum()).astype(np.float32),
            [Source("curated", self.name, how=one) for one in words],
            np.array([words.index(entry.words or found.words) for _, entry in entries], np.int32),
        )
