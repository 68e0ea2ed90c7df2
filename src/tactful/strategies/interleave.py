"""Several strategies by turns, so that each has its share of the top, whatever the size of its scores."""

from collections.abc import Sequence

from msgspec import Struct

from tactful.domain.decision import Ask, Evidence
from tactful.domain.view import View
from tactful.ports import Shelf, Strategy
from tactful.strategies.blend import Part, weighed


class Interleave(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """of: the strategies, as in `blend`. weight is how often one has its turn: with 2 and 1, two of every three are the first one's.

    An item that two of them would bring comes at the earlier turn, for the reasons of the one whose turn it was. Scores follow the
    places (see `domain/step.py`), so that what would be without one thing can be told exactly.
    """

    of: tuple[Part, ...]

    def __post_init__(self) -> None:
        weighed(self.of)

    def parts(self) -> Sequence[Strategy]:
        """The strategies in it."""
        return tuple(part.strategy for part in self.of)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """Each one's best, then each one's second best, and so on. A weight of 0 has no turn."""
        taking = [part for part in self.of if part.weight > 0]
        proposed = [(1.0, part.strategy.propose(view, ask, shelf)) for part in taking]
        return Evidence.in_steps("turns", proposed, tuple(part.weight for part in taking))
