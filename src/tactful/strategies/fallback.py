"""The first strategy that has anything to say."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from tactful.domain.bounds import filled
from tactful.domain.decision import PERSONAL, Ask, Evidence
from tactful.domain.view import View
from tactful.ports import Shelf, Strategy


class Fallback(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """of: the strategies, each as `{ use = "..." }`, the preferred one first."""

    of: tuple[Strategy, ...]

    def __post_init__(self) -> None:
        filled(of=self.of)

    def parts(self) -> Sequence[Strategy]:
        """The strategies in it."""
        return self.of

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """Those up to the first that speaks for something and would, whatever was taken away; of these only the first counts."""
        proposed = []
        for strategy in self.of:
            proposed.append((1.0, strategy.propose(view, ask, shelf)))
            if _stands_alone(proposed[-1][1]):
                break
        return Evidence.in_steps("unless", proposed)


def _stands_alone(evidence: Evidence) -> bool:
    """Whether it says something that is not about the person, and so cannot be taken away."""
    lasting = np.array([source.kind not in PERSONAL for source in evidence.sources], bool)
    return bool(np.any(lasting[evidence.source] & (evidence.amounts(evidence.weight) > 0)))
