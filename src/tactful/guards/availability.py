"""Never show what cannot be had."""

from typing import ClassVar

from msgspec import Struct

from tactful.domain.catalogue import Catalogue, Mask, Rows
from tactful.domain.view import Moment
from tactful.ports import Guard


class Availability(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """No settings: an item says whether it is available, and between which times."""

    why: ClassVar[str] = "it is not available"

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Items that are available, and now within their window."""
        return catalogue.permitted_at(rows, moment.now)
