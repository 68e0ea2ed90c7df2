"""A list that somebody picked by hand, in their order, for everybody alike. `tactful list` keeps it; `docs/curated.md` says how."""

import numpy as np
from msgspec import Struct

from tactful.domain.bounds import filled
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy


class Curated(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """name: the list. What is not approved, not in the catalogue, or not within its days is left out; `tactful doctor` names it."""

    name: str

    def __post_init__(self) -> None:
        filled(name=self.name)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The items of the list, evenly less from the first to the last, together 1."""
        found = shelf.lists.get(self.name)
        if found is None or not len(rows := shelf.catalogue.rows(entry.item for entry in found.showing(ask.at))):
            return NO_EVIDENCE
        share = np.arange(len(rows), 0, -1, dtype=np.float64)
        source = [Source("curated", self.name, how=found.words)]
        return single(rows, (share / share.sum()).astype(np.float32), source, np.zeros(len(rows), np.int32))
