"""Several strategies at once, each with its weight. Scores are chances, so a weighted sum of them is one too."""

from collections.abc import Sequence

from msgspec import Struct

from tactful.domain.bounds import above, at_least, filled
from tactful.domain.decision import Ask, Evidence
from tactful.domain.view import View
from tactful.ports import Shelf, Strategy


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """One strategy of a blend."""

    strategy: Strategy
    weight: float = 1.0

    def __post_init__(self) -> None:
        at_least(0, weight=self.weight)


def weighed(of: Sequence[Part]) -> None:
    """Raises ValueError if there is no part, or none that counts anything."""
    filled(of=of)
    above(0, of=sum(part.weight for part in of))


class Blend(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """of: the strategies, each as `{ weight = 1.0, strategy = { use = "..." } }`."""

    of: tuple[Part, ...]

    def __post_init__(self) -> None:
        weighed(self.of)

    def parts(self) -> Sequence[Strategy]:
        """The strategies in it."""
        return tuple(part.strategy for part in self.of)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The sum, with the evidence of all."""
        proposed = [(part.weight, part.strategy.propose(view, ask, shelf)) for part in self.of]
        return Evidence.blend(proposed)
