"""How fast a search is over 100,000 items, in process; and what reading them takes. `python -m benchmarks.search [--json]`"""

import argparse
import itertools
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.world import show
from tactful.domain.catalogue import Catalogue
from tactful.domain.item import Item
from tactful.stores.search import WORDS, Finder, WordIndex

SEED = 20_261_121
ROUNDS = 300
VOCABULARY = 60_000


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--items", type=int, default=100_000)
    chosen = options.parse_args()
    dice = random.Random(SEED)
    items = things(chosen.items, dice)
    catalogue = Catalogue.of(items)
    figures: dict[str, object] = {"items": chosen.items}
    with tempfile.TemporaryDirectory(prefix="tactful-bench-") as folder:
        path = Path(folder) / WORDS
        finder, figures["read_s"], figures["read_cpu_s"] = opened(path, catalogue)
        figures["file_mb"] = path.stat().st_size / 1e6
        _, figures["reopen_s"], figures["reopen_cpu_s"] = opened(path, catalogue)
        for name, run in kinds(finder, items, dice).items():
            wall, work = timed(run)
            figures[f"{name}_p50_ms"], figures[f"{name}_p99_ms"] = np.percentile(wall, [50, 99]).tolist()
            figures[f"{name}_cpu_p50_ms"], figures[f"{name}_cpu_p99_ms"] = np.percentile(work, [50, 99]).tolist()
    show("search", figures, chosen.json)


def things(count: int, dice: random.Random) -> list[Item]:
    """Items with words as frequent as in a language (Zipf): four in the title, an author, two subjects, a text of 25."""
    words = sorted({_word(dice) for _ in range(VOCABULARY)})
    dice.shuffle(words)
    often = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(words))))

    def some(many: int) -> str:
        return " ".join(dice.choices(words, cum_weights=often, k=many))

    return [
        Item(id=f"item-{number:06d}", title=some(4), attributes={"author": some(2), "subjects": [some(1), some(1)]}, text=some(25))
        for number in range(count)
    ]  # fmt: skip


def _word(dice: random.Random) -> str:
    pieces = "".join(dice.choice("bcdfghklmnprstvz") + dice.choice("aeiou") for _ in range(dice.randint(2, 4)))
    return pieces + dice.choice(["", "n", "s", "r"])


def opened(path: Path, catalogue: Catalogue) -> tuple[Finder, float, float]:
    """A way of searching once it is ready, with the seconds and the seconds of work that took."""
    finder = WordIndex(path, later=lambda work: work()).over(catalogue)
    began, worked = time.perf_counter(), time.process_time()
    finder.find("anything", 1)
    return finder, time.perf_counter() - began, time.process_time() - worked


def kinds(finder: Finder, items: Sequence[Item], dice: random.Random) -> dict[str, list[Callable[[], object]]]:
    """Searches of each kind, ready to run."""

    def titles() -> list[str]:
        return [dice.choice(items).title for _ in range(ROUNDS)]

    def spoiled(word: str) -> str:
        place = dice.randrange(1, len(word) - 1)
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]

    finds = {
        "two_words": [" ".join(title.split()[:2]) + " " for title in titles()],
        "one_word": [title.split()[0] + " " for title in titles()],
        "unfinished": [title[: dice.randint(2, 6)] for title in titles()],
        "mended": [spoiled(title.split()[0]) + " " for title in titles()],
    }
    runs: dict[str, list[Callable[[], object]]] = {
        name: [lambda query=query: finder.find(query, 200) for query in queries]  # type: ignore[misc]
        for name, queries in finds.items()
    }
    begun = [title[: dice.randint(1, 6)] for title in titles()]
    runs["suggest"] = [lambda query=query: finder.suggest(query, 8) for query in begun]  # type: ignore[misc]
    return runs


def timed(runs: Sequence[Callable[[], object]]) -> tuple[list[float], list[float]]:
    """Milliseconds that each took, and of work in each."""
    wall, work = [], []
    for run in runs:
        began, worked = time.perf_counter(), time.process_time()
        run()
        wall.append((time.perf_counter() - began) * 1000)
        work.append((time.process_time() - worked) * 1000)
    return wall, work


if __name__ == "__main__":
    main()
