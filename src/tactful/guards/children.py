"""Show a child only what says that it suits children."""

from typing import ClassVar

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import AUDIENCE_CODE, Catalogue, Mask, Rows
from tactful.domain.view import Moment
from tactful.ports import Guard


class Children(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """audiences: what a child may be shown; the charter says."""

    why: ClassVar[str] = "it is not marked as suitable for children"
    audiences: tuple[str, ...] = ("children", "everyone")

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Everything for grown-ups; for children what is marked for them."""
        if moment.audience != "children":
            return np.ones(len(rows), bool)
        return np.isin(catalogue.audience[rows], [AUDIENCE_CODE[name] for name in self.audiences])
