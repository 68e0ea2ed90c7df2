"""A list that was made ahead for this person, in its order. It stands in their ledger as an inferred trait, where they can see and forbid it."""

import numpy as np
from msgspec import Struct

from tactful.domain.bounds import above, filled, share
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.event import Inferred
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy


class KeptList(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """trait: the inferred trait that holds the items. share: the chance, 0 to 1, that the next choice is on the list at all."""

    trait: str
    share: float = 0.5

    def __post_init__(self) -> None:
        filled(trait=self.trait)
        above(0, share=self.share)
        share(share=self.share)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The items that there still are, each a little less likely than the one before (1, 1/2, 1/3 ... of the share).

        What somebody told, or others said, is no list that was made for them.
        """
        found = view.trait(self.trait)
        if not isinstance(found, Inferred) or not isinstance(found.value, list):
            return NO_EVIDENCE
        rows = shelf.catalogue.rows(dict.fromkeys(found.value))
        if not len(rows):
            return NO_EVIDENCE
        falling = 1.0 / np.arange(1, len(rows) + 1)
        share = (self.share * falling / falling.sum()).astype(np.float32)
        source = Source("inferred", self.trait, found.data, how="list")
        return single(rows, share, [source], np.zeros(len(rows), np.int32))
