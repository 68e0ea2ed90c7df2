"""How well it chooses: MovieLens-1M, leave the last one out, full ranking, seen films filtered (`../shared/data/ml-1m`)."""

import argparse
import gzip
import time
from pathlib import Path

import numpy as np

from benchmarks.world import show
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import Ask, Scored
from tactful.domain.event import VERBS, Interaction
from tactful.domain.item import Item
from tactful.domain.view import View
from tactful.plugins import build
from tactful.ports import Interactions, Shelf, Strategy

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "ml-1m" / "sasrec_canonical_order.csv.gz"


def main() -> None:
    """Measure popular and item_transitions and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    if not DATA.exists():
        print(f"quality: skipped, {DATA} is not there")
        return
    with gzip.open(DATA) as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1, dtype=np.int64)
    films, row = np.unique(table[:, 1], return_inverse=True)
    person = table[:, 0] - 1
    last = np.append(person[1:] != person[:-1], True)
    catalogue = Catalogue.of([Item(id=str(film), title=str(film)) for film in films])
    train = Interactions(
        person[~last].astype(np.int32), row[~last].astype(np.int32), np.arange(len(table), dtype=np.int64)[~last],
        np.full((~last).sum(), VERBS.index("rated"), np.int8), np.full((~last).sum(), np.nan, np.float32), int(person[-1]) + 1,
    )  # fmt: skip
    for recipe in ({"use": "popular", "half_life_days": 1e9, "most": len(films)}, {"use": "item_transitions"}):
        strategy = build(Strategy, recipe)
        began = time.perf_counter()
        model = strategy.fit(train, catalogue)
        seconds = time.perf_counter() - began
        shelf = Shelf(catalogue, {strategy.model: model})
        ndcg, hits = _judge(strategy, shelf, train, row[last])
        show(
            f"quality {recipe['use']}",
            {"ndcg_at_10": f"{ndcg:.4f}", "hr_at_10": f"{hits:.4f}", "fit_s": seconds},
            chosen.json,
        )


def _judge(strategy: Strategy, shelf: Shelf, train: Interactions, targets: np.ndarray) -> tuple[float, float]:
    """NDCG@10 and HR@10 through the served path: a View in, scored rows out."""
    starts = np.flatnonzero(np.append(True, train.person[1:] != train.person[:-1]))
    ends = np.append(starts[1:], len(train.person))
    gain = hits = 0.0
    for start, end, target in zip(starts, ends, targets, strict=True):
        seen = train.row[start:end]
        acts = tuple(
            Interaction(str(place), place, "rated", shelf.catalogue.ids[film], "opinions", ("personalise",))
            for place, film in enumerate(seen[-40:].tolist())
        )
        view = View(purpose="personalise", surface="private", history=acts, allowed=frozenset({"opinions"}))
        scored = Scored.of(strategy.propose(view, Ask("home"), shelf), len(shelf.catalogue))
        scores = np.zeros(len(shelf.catalogue))
        scores[scored.rows] = scored.scores
        scores[seen] = -1.0
        # Ties count against us: half a rank would flatter a model that gives everything the same score.
        rank = int(np.count_nonzero(scores >= scores[target])) - 1
        if rank < 10 and scores[target] > 0:
            gain += 1 / np.log2(rank + 2)
            hits += 1
    return gain / len(targets), hits / len(targets)


if __name__ == "__main__":
    main()
