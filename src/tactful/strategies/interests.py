"""Items about what the person said they like. Works from the dial's first level up: it reads nothing but what was told."""

import numpy as np
from msgspec import Struct

from tactful.domain.bounds import at_least, filled
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.event import KIND_OF, TOWARDS
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Interactions, Model, Shelf, Strategy


class Interests(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """trait: the declared trait that lists likings. attribute: the item attribute it is compared with; "" takes all. most: items for each liking."""

    trait: str = "interests"
    attribute: str = ""
    most: int = 200
    model: str = "interests"

    def __post_init__(self) -> None:
        filled(trait=self.trait)
        at_least(1, most=self.most)

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """Each liking speaks for the items about it, the more chosen ones first."""
        model = shelf.model(self.model)
        if ask.item is not None:
            return NO_EVIDENCE
        told = view.trait(self.trait)
        found = told or view.assumed(self.trait)
        if found is None or found.value is None:
            return NO_EVIDENCE
        kind = "assumed" if told is None else KIND_OF[type(told)]
        likings = found.value if isinstance(found.value, list) else [str(found.value)]
        places = [place for liking in likings if (place := model.manifest["values"].get(liking)) is not None]
        if not places:
            return NO_EVIDENCE
        starts, values = model.arrays["starts"], {place: value for value, place in model.manifest["values"].items()}
        spans = [slice(int(starts[place]), int(starts[place + 1])) for place in places]
        # The source is the trait, not one of its values: "what you told us" comes and goes as one thing.
        sources = [Source(kind, self.trait, found.data, how=values[place]) for place in places]
        source = np.repeat(np.arange(len(places), dtype=np.int32), [span.stop - span.start for span in spans])
        rows = np.concatenate([model.arrays["rows"][span] for span in spans])
        whole = np.concatenate([model.arrays["share"][span] for span in spans])
        share = (whole / len(places)).astype(np.float32)
        return single(rows, share, sources, source)

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """For each value of the attribute: the items that have it, with their share of the choices among them."""
        chosen = np.bincount(interactions.doing(TOWARDS).row, minlength=len(catalogue)) + 1.0
        having: dict[str, list[int]] = {}
        for row in range(len(catalogue)):
            item = catalogue.item(row)
            names = [self.attribute] if self.attribute else sorted(item.attributes)
            for value in dict.fromkeys(value for name in names for value in item.values(name)):
                having.setdefault(value, []).append(row)
        starts, rows, share = [0], [], []
        for value in sorted(having):
            of_value = np.array(having[value], np.int32)
            best = of_value[np.argsort(-chosen[of_value], kind="stable")][: self.most]
            rows.append(best)
            share.append((chosen[best] / chosen[of_value].sum()).astype(np.float32))
            starts.append(starts[-1] + len(best))
        arrays = {
            "starts": np.array(starts, np.int64),
            "rows": np.concatenate([np.empty(0, np.int32), *rows]),
            "share": np.concatenate([np.empty(0, np.float32), *share]),
        }
        return Model(self.model, arrays, {"values": {value: place for place, value in enumerate(sorted(having))}})
