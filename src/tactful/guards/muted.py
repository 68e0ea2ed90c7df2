"""What the person said they want to hear no more of: a topic, an author, one item."""

from typing import ClassVar

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import Catalogue, Mask, Rows, chosen
from tactful.domain.mutes import keys_in, rows_of
from tactful.domain.view import Moment
from tactful.ports import Guard


class Muted(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """trait: what lists the person's mutes, each `attribute:value` (`subjects:war`, `author:Jane Austen`), `topics:ID` for a topic and all
    below it, or `item:ID` for one item.
    """

    why: ClassVar[str] = "the person muted it"
    personal: ClassVar[bool] = True
    trait: str = "muted"

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Items that no mute fits."""
        out = [rows_of(key, catalogue) for key in keys_in(moment.value(self.trait))]
        if not out:
            return np.ones(len(rows), bool)
        return ~chosen(rows, np.concatenate(out), len(catalogue))
