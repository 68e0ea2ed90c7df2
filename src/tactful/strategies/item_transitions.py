"""What people go on to from where this person has just been: counts of who followed whom, the recent past weighing most.

Order is worth more than depth: on MovieLens-1M this equals a transformer trained for minutes (`benchmarks/quality.py`).
"""

from msgspec import Struct

from tactful.domain.bounds import above, at_least, between
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import STATED_MOST, Ask, Evidence, Source
from tactful.domain.event import TOWARDS
from tactful.domain.view import View
from tactful.learn.following import following
from tactful.learn.neighbours import evidence_from, strongest
from tactful.ports import Interactions, Model, Shelf, Strategy

WHOLE = 2520
"""Divisible by 1 to 10, so that the weights 1/gap are whole numbers and the counts exact, whatever the order of addition."""


class ItemTransitions(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """gap: how many items apart two still count as following each other, at weight 1/distance. half_life: in items of the history.

    neighbours: kept for each item. most: items of the history looked at. doubt: an item is believed by half once it was followed
    so many times; one seen once or twice would else speak louder than one seen a thousand times. least: people who have to have gone on
    from the one to the other. With 3, whoever asks may be one of them, and it is still true of others; with less it tells what one
    person did.
    """

    gap: int = 10
    half_life: float = 2.0
    neighbours: int = 100
    most: int = 10
    doubt: float = 30.0
    least: int = 3
    model: str = "item_transitions"

    def __post_init__(self) -> None:
        between(1, WHOLE, gap=self.gap)
        above(0, half_life=self.half_life)
        at_least(1, neighbours=self.neighbours, most=self.most, least=self.least)
        at_least(0, doubt=self.doubt)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """From the page's item where there is one, else from the history."""
        catalogue = shelf.catalogue
        model = shelf.model(self.model, "least")
        if ask.item is not None:
            start = [(int(row), Source("item", ask.item)) for row in catalogue.rows([ask.item])]
            return evidence_from(model, start, 1.0, 1)
        items = [
            (catalogue.index[act.item], Source("history", act.item, act.data, act.verb))
            for act in view.liked(self.most + STATED_MOST, catalogue.index)
        ]
        return evidence_from(model, items, self.half_life, self.most)

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Count pairs up to `gap` apart within each person's sequence, in whole numbers."""
        acts = interactions.doing(TOWARDS)
        counts, lost = following(acts, len(catalogue), self.gap, WHOLE, self.least)
        return Model(
            self.model,
            strongest(counts, self.neighbours, lost + self.doubt * WHOLE),
            {"pairs": int(counts.nnz), "choices": len(acts.row), "least": self.least},
        )
