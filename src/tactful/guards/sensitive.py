"""Never show what would betray something sensitive, proxies included, unless the person turned that category on."""

from typing import ClassVar

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import Catalogue, Mask, Rows
from tactful.domain.view import Moment
from tactful.ports import Guard


class Sensitive(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """No settings: the categories and their proxies stand in the charter."""

    why: ClassVar[str] = "it could betray something sensitive that the person has not turned on"

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Only items whose sensitive categories are all turned on."""
        shut = np.uint32(0xFFFFFFFF & ~catalogue.bits_of(moment.sensitive))
        permitted: Mask = (catalogue.sensitivity[rows] & shut) == 0
        return permitted
