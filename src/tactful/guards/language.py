"""Only what the person can read: in a language that they told us, or else in the one that the page says they use."""

from typing import ClassVar

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import Catalogue, Mask, Rows, chosen
from tactful.domain.event import Value
from tactful.domain.language import chain
from tactful.domain.view import Moment
from tactful.ports import Guard


class Language(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """attribute: the items' attribute that names their languages; "" goes by the item's own `language` and `texts`. Items that name none
    pass. trait: what lists the person's languages. context: what of the page's context names one, where the person told none. `de-AT` is
    `de` to it. Where neither is known, all pass.
    """

    why: ClassVar[str] = "it is in a language that was not asked for"
    personal: ClassVar[bool] = True
    attribute: str = ""
    trait: str = "languages"
    context: str = "language"

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Items in one of the languages, and items that name none."""
        wanted = _languages(moment.value(self.trait)) or _languages(moment.context.get(self.context))
        if not wanted:
            return np.ones(len(rows), bool)
        if not self.attribute:
            return catalogue.speaking(chain(sorted(wanted)))[rows]
        having, size = catalogue.having(self.attribute), len(catalogue)
        said, fits = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
        for language, among in having.items():
            there = chosen(rows, among, size)
            said |= there
            if _languages(language) & wanted:
                fits |= there
        return fits | ~said


def _languages(value: Value) -> set[str]:
    """The languages by their first part, in small letters."""
    names = value if isinstance(value, list) else [value]
    return {name.replace("_", "-").partition("-")[0].lower() for name in names if isinstance(name, str) and name}
