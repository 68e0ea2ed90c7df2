"""Never show what would betray something sensitive, proxies included, unless the person turned that category on."""

from typing import ClassVar

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import Catalogue, Mask, Rows
from tactful.domain.item import Item
from tactful.domain.spelling import words_of
from tactful.domain.view import Moment
from tactful.ports import Guard

ARTICLE = 3
"""A first word of at most so many letters (the, a, der, les) may be left out."""


class Sensitive(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """The categories and their proxies stand in the charter.

    asked: let through what the person asked for by its whole title; the placement says so, not the guard's own recipe.
    """

    why: ClassVar[str] = "it could betray something sensitive that the person has not turned on"
    asked: bool = False

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Only items whose sensitive categories are all turned on; and, where `asked`, those that were typed by name."""
        permitted = ~catalogue.shut(rows, moment.sensitive)
        if self.asked and moment.query:
            typed = frozenset(words_of(moment.query))
            for place in np.flatnonzero(~permitted).tolist():
                permitted[place] = _named(catalogue.item(int(rows[place])), typed)
        return permitted


def _named(item: Item, typed: frozenset[str]) -> bool:
    """Whether these words name this item: all of one of its titles, in full and without a mistake."""
    for title in map(words_of, item.titles):
        telling = title[1:] if len(title) > 1 and len(title[0]) <= ARTICLE else title
        if telling and typed.issuperset(telling):
            return True
    return False
