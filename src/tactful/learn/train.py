"""Fit every strategy that learns, and write down from what."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np

from tactful import __version__
from tactful.domain.catalogue import Catalogue
from tactful.domain.errors import BadInput
from tactful.ports import Interactions, Model, Strategy


def learners(strategies: Iterable[Strategy]) -> dict[str, Strategy]:
    """The strategies that learn, parts of blends included, by the name of their model.

    Two that share a model's name must have the same settings; otherwise one would serve what the other learned.
    """
    found: dict[str, Strategy] = {}
    for strategy in strategies:
        for one in (strategy, *parts_below(strategy)):
            if not one.model:
                continue
            if found.setdefault(one.model, one) != one:
                raise BadInput(
                    field=f"model {one.model!r}",
                    why="two placements train it with different settings",
                    fix="Give one of them a `model` name of its own",
                )
    return found


def parts_below(strategy: Strategy) -> Iterator[Strategy]:
    """All strategies that this one is made of, however deep."""
    for part in strategy.parts():
        yield part
        yield from parts_below(part)


def fit(strategy: Strategy, interactions: Interactions, catalogue: Catalogue) -> Model:
    """One model, its manifest complete. No wall time in it: the same input gives the same bytes."""
    model = strategy.fit(interactions, catalogue)
    manifest = {
        **model.manifest,
        "strategy": type(strategy).__module__.rpartition(".")[2],
        "settings": msgspec.to_builtins(strategy),
        "code": __version__,
        "people": interactions.people,
        "interactions": len(interactions.row),
        "from": int(interactions.at.min()) if len(interactions.at) else None,
        "to": int(interactions.at.max()) if len(interactions.at) else None,
        "items": len(catalogue),
        "catalogue": fingerprint(catalogue.ids, len(catalogue)),
    }
    return Model(model.name, model.arrays, manifest)


def fingerprint(ids: Sequence[str], count: int) -> str:
    """A hash of the first `count` item ids: a model fits a catalogue whose first rows are those it was trained on."""
    return hashlib.blake2b("\n".join(ids[:count]).encode(), digest_size=16).hexdigest()


def fits(model: Model, catalogue: Catalogue) -> bool:
    """Whether a model was trained on this catalogue, or on the start of it."""
    count = model.manifest.get("items", 0)
    return count <= len(catalogue.ids) and model.manifest.get("catalogue") == fingerprint(catalogue.ids, count)


def bytes_of(model: Model) -> int:
    """How much memory its arrays take."""
    return int(sum(np.asarray(array).nbytes for array in model.arrays.values()))
