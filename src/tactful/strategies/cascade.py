"""One strategy gives the candidates, the others only change their order."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from tactful.domain.decision import Ask, Evidence
from tactful.domain.view import View
from tactful.ports import Shelf, Strategy
from tactful.strategies.blend import Part, weighed


class Cascade(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """of: the strategies, as in `blend`; the first gives the candidates. What the others say of anything else counts nothing."""

    of: tuple[Part, ...]

    def __post_init__(self) -> None:
        weighed(self.of)

    def parts(self) -> Sequence[Strategy]:
        """The strategies in it."""
        return tuple(part.strategy for part in self.of)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The weighted sum, over the first one's candidates. Should the first lose one, it is no candidate any more."""
        first, *others = ((part.weight, part.strategy.propose(view, ask, shelf)) for part in self.of)
        possible = np.zeros(len(shelf.catalogue), bool)
        possible[first[1].rows] = True
        # All of what takes turns: there places depend on one another.
        inside = [(weight, one if one.steps else one.only(possible[one.rows])) for weight, one in others]
        return Evidence.in_steps("where", [first, *inside])
