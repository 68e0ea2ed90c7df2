"""What the person said they want to hear no more of: a topic, an author, one item."""

from typing import ClassVar

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import NO_ROWS, Catalogue, Mask, Rows, chosen
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
        value = moment.value(self.trait)
        mutes = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        out = [_meant(mute, catalogue) for mute in mutes]
        if not out:
            return np.ones(len(rows), bool)
        return ~chosen(rows, np.concatenate(out), len(catalogue))


def _meant(mute: str, catalogue: Catalogue) -> Rows:
    """The rows of what a mute names. One that names nothing in the catalogue takes nothing away."""
    attribute, _, value = mute.partition(":")
    if attribute == "item":
        return catalogue.rows([value])
    if attribute == "topics":
        return np.flatnonzero(catalogue.about([value])).astype(np.int32)
    return catalogue.having(attribute).get(value, NO_ROWS)
