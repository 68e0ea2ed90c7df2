"""How well the bookshop's recipes choose: each against popularity, on what simulated readers choose next.

Models learn from some readers and are judged on others, through the gate, the guards and the arrangers that are served. For each recipe
the same cases are decided once more with `popular` in its place, everything else as it was; what is compared is NDCG over the recipe's
slots, case by case, with a bootstrap interval of the mean difference (2.5 % to 97.5 % of 2,000 draws).
"""

import argparse
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from msgspec import Struct, structs

from benchmarks.world import show
from tactful.cli.demonstration import consent_of, item_of
from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.consent import Consent
from tactful.domain.decision import Ask
from tactful.domain.event import Event, Interaction, Told
from tactful.domain.profile import Profile
from tactful.flow.decide import Recipe
from tactful.learn.interactions import interactions_of
from tactful.learn.train import fit, learners
from tactful.ports import Shelf, Strategy
from tactful.sample.books import books
from tactful.sample.readers import Act, Reader, next_choices, readers
from tactful.scene import Scene
from tactful.stores.search import WordIndex
from tactful.strategies.blend import Part
from tactful.strategies.cascade import Cascade
from tactful.strategies.popular import Popular
from tactful.strategies.search import Search
from tactful.wire import read_home

UNTIL = 1_760_000_000_000
LATER = UNTIL + 3_600_000
"""When the readers come back."""
SEED = 7
DRAWS = 2_000
PURPOSES = ("personalise", "learn")
LOOKS = ("viewed", "clicked")


class Case(Struct, frozen=True):
    """One decision to judge. acts: what is known of the reader; wanted: what they choose then; at: when they are asked; told: traits."""

    reader: Reader
    acts: Sequence[Act]
    ask: Ask
    wanted: Sequence[str]
    at: int = LATER
    told: Mapping[str, list[str]] = {}


class Verdict(Struct, frozen=True):
    """How a recipe did. ndcg, hits: mean NDCG, and share of cases with a hit, of the recipe and of popularity. low, high: the interval of
    the mean difference in NDCG. shown: what was shown in each case."""

    cases: int
    ndcg: float
    popular_ndcg: float
    hits: float
    popular_hits: float
    low: float
    high: float
    shown: Sequence[Sequence[str]] = ()


class Bookshop(Struct, frozen=True):
    """The demo's recipes, its models trained on some readers, and others to judge them on."""

    charter: Charter
    recipes: Mapping[str, Recipe]
    shelf: Shelf
    judges: Sequence[Reader]

    def decide(self, recipe: Recipe, case: Case) -> list[str]:
        """The items in the slots."""
        acts = tuple(_kept(act, self.charter) for act in case.acts)
        told = {
            name: Told(name, case.at - 1, name, value, self.charter.of_trait["told", name], PURPOSES)
            for name, value in case.told.items()
        }
        consent = Consent.of([consent_of(case.reader, UNTIL, self.charter.version)])
        profile = Profile(acts, told, sequence=1)
        scene = Scene(case.reader.id, consent, profile, self.shelf, self.charter, case.at, {})
        decision = scene.choose(scene.consider(recipe, case.ask), random.Random(SEED))
        return [self.shelf.catalogue.ids[row] for row in decision.slots.rows.tolist()]


def open_bookshop(taught: int, judged: int, seed: int = SEED) -> Bookshop:
    """Read the demo's settings, let so many readers live, train on the first ones. Nothing is known of children: they take no part."""
    with TemporaryDirectory(prefix="tactful-recipes-") as folder:
        for target, source in (("tactful.toml", "shop.toml"), ("charter.toml", "shop_charter.toml")):
            text = (files("tactful.sample") / source).read_text(encoding="utf-8")
            (Path(folder) / target).write_text(text, encoding="utf-8")
        home = read_home(Path(folder))
    crowd = list(readers(taught + judged, seed, UNTIL))
    catalogue = Catalogue.of([item_of(book) for book in books()], home.charter.proxies)
    consents = {reader.id: Consent.of([consent_of(reader, UNTIL, home.charter.version)]) for reader in crowd[:taught]}
    people: list[tuple[str, list[Event]]] = [
        (reader.id, [_kept(act, home.charter) for act in reader.acts]) for reader in crowd[:taught]
    ]
    interactions = interactions_of(people, consents, home.charter, catalogue, UNTIL)
    strategies = [one for recipe in home.recipes.values() for one in recipe.strategies]
    models = {name: fit(one, interactions, catalogue) for name, one in learners([*strategies, Popular()]).items()}
    shelf = Shelf(catalogue, models, search=WordIndex().over(catalogue))
    return Bookshop(home.charter, home.recipes, shelf, [reader for reader in crowd[taught:] if not reader.child])


def _kept(act: Act, charter: Charter) -> Interaction:
    return Interaction(act.id, act.at, act.verb, act.book, charter.of_verb[act.verb], PURPOSES)


# ------------------------------------------------------------------------------------------------------------ what is judged


def coming_back(placement: str, count: int = 5, *, new: bool = False) -> Callable[[Reader], Iterator[Case]]:
    """The reader comes back some day: what will they look at?"""

    def cases(reader: Reader) -> Iterator[Case]:
        yield Case(reader, reader.acts, Ask(placement), next_choices(reader, count, new=new))

    return cases


def on_the_page(reader: Reader) -> Iterator[Case]:
    """The reader looks at the last book they looked at: what comes after it?"""
    last = reader.acts[-1]
    yield Case(reader, reader.acts, Ask("related", item=last.book), next_choices(reader, 3), last.at + 5_000)


def bought_along(reader: Reader) -> Iterator[Case]:
    """Each time that the reader buys several books in a visit: what did they buy after the first? It lies in the cart then."""
    for acts in _visits(reader):
        buys = [place for place, act in enumerate(acts) if act.verb == "bought"]
        if len(buys) > 1:
            first = acts[buys[0]]
            before = [act for act in reader.acts if act.at < first.at]
            ask = Ask("together", context={"cart": [first.book]}, item=first.book)
            yield Case(reader, before, ask, [acts[place].book for place in buys[1:]], first.at + 1)


def reading_on(reader: Reader) -> Iterator[Case]:
    """The last visit begins: which of the books that they read do they finish in it? Readers open what they buy at once (`clicked`)."""
    visits = list(_visits(reader))
    before = [act for visit in visits[:-1] for act in visit]
    opened = [
        structs.replace(act, id=f"{act.id} opened", verb="clicked", at=act.at + 1)
        for act in before
        if act.verb == "bought"
    ]
    wanted = [act.book for act in visits[-1] if act.verb == "finished"]
    if wanted:
        known = sorted([*before, *opened], key=lambda act: act.at)
        yield Case(reader, known, Ask("continue"), wanted, visits[-1][0].at - 1)


def begun(placement: str, verbs: Sequence[str]) -> Callable[[Reader], Iterator[Case]]:
    """The last visit begins: which books that they know already do they turn to in it? Only for those who do."""

    def cases(reader: Reader) -> Iterator[Case]:
        visits = list(_visits(reader))
        before = [act for visit in visits[:-1] for act in visit]
        known = {act.book for act in before}
        wanted = dict.fromkeys(act.book for act in visits[-1] if act.verb in verbs and act.book in known)
        if wanted:
            yield Case(reader, before, Ask(placement), list(wanted), visits[-1][0].at - 1)

    return cases


def mid_visit(placement: str) -> Callable[[Reader], Iterator[Case]]:
    """The last visit is half over: what do they look at in the rest of it?"""

    def cases(reader: Reader) -> Iterator[Case]:
        *_, last = _visits(reader)
        looks = [act for act in last if act.verb in LOOKS]
        if len(looks) >= 4:
            now = looks[len(looks) // 2]
            before = [act for act in reader.acts if act.at < now.at]
            wanted = list(dict.fromkeys(act.book for act in looks if act.at >= now.at))
            yield Case(reader, before, Ask(placement), wanted, now.at - 1)

    return cases


def searching(reader: Reader) -> Iterator[Case]:
    """The reader types a mood that they like: which three of the books found will they look at next?"""
    mood = reader.answers.moods[0]
    found = {book.id for book in books() if book.mood == mood}
    wanted = [book for book in next_choices(reader, 12) if book in found]
    if wanted:
        yield Case(reader, reader.acts, Ask("search", query=mood), wanted[:3])


def after_the_quiz(reader: Reader) -> Iterator[Case]:
    """Nothing is known but three answers: subjects, moods, a length."""
    told = {
        "interests": [subject.replace("-", " ") for subject in reader.answers.subjects],
        "moods": list(reader.answers.moods),
        "length": [reader.answers.length],
    }
    yield Case(reader, (), Ask("home"), next_choices(reader, 5), told=told)


def _visits(reader: Reader) -> Iterator[list[Act]]:
    """The acts of each visit."""
    for number in dict.fromkeys(act.visit for act in reader.acts):
        yield [act for act in reader.acts if act.visit == number]


class Aim(Struct, frozen=True):
    """What a recipe is for. placement: in the demo; cases: what it is judged on; instead: what popularity is, where it is not `popular`.
    speaks: a row that is left out where it has nothing to show, so it is judged where it has something, against as many popular items.
    """

    placement: str
    cases: Callable[[Reader], Iterator[Case]]
    instead: Strategy = Popular()
    speaks: bool = False


AIMS: Mapping[str, Aim] = {
    "home row": Aim("home", coming_back("home")),
    "discover": Aim("discover", coming_back("discover", new=True)),
    "related": Aim("related", on_the_page),
    "complements": Aim("together", bought_along),
    "continue": Aim("continue", reading_on, speaks=True),
    "viewed, not bought": Aim("left", begun("left", ("viewed", "bought")), speaks=True),
    "this visit": Aim("session", mid_visit("session")),
    "personal menu": Aim("menu", mid_visit("menu")),
    "search": Aim("search", searching, Cascade((Part(Search(), 1e-9), Part(Popular())))),
    "weekly discovery": Aim("weekly", coming_back("weekly", 10, new=True)),
    "quiz start": Aim("home", after_the_quiz),
}
"""Each recipe whose aim it is to beat popularity, and what it is judged on."""


# -------------------------------------------------------------------------------------------------------------------- judging


def judge(shop: Bookshop, aim: Aim) -> Verdict:
    """The recipe against popularity, in the same cases."""
    recipe = shop.recipes[aim.placement]
    recipe = structs.replace(recipe, strategy=recipe.maker or recipe.strategy)  # a list made ahead, made now
    plain = structs.replace(recipe, strategy=aim.instead, fallback=None)
    cases = [case for reader in shop.judges for case in aim.cases(reader)]
    shown = [shop.decide(recipe, case) for case in cases]
    if aim.speaks:
        cases = [case for slots, case in zip(shown, cases, strict=True) if slots]
        shown = [slots for slots in shown if slots]
    limits = [len(slots) if aim.speaks else recipe.placement.limit for slots in shown]
    others = [shop.decide(plain, case)[:limit] for limit, case in zip(limits, cases, strict=True)]
    own, popular = (
        np.array([ndcg(slots, case.wanted, limit) for slots, case, limit in zip(lists, cases, limits, strict=True)])
        for lists in (shown, others)
    )
    low, high = interval(own - popular)
    return Verdict(
        len(cases), float(own.mean()), float(popular.mean()), float((own > 0).mean()), float((popular > 0).mean()),
        low, high, shown,
    )  # fmt: skip


def ndcg(slots: Sequence[str], wanted: Sequence[str], limit: int) -> float:
    """Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002), each wanted item gaining 1, over at most `limit` slots."""
    gain = sum(1.0 / np.log2(place + 2) for place, item in enumerate(slots) if item in set(wanted))
    best = sum(1.0 / np.log2(place + 2) for place in range(min(len(wanted), limit)))
    return float(gain / best)


def interval(differences: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[float, float]:
    """The middle 95 % of the means of 2,000 draws with putting back."""
    dice = np.random.default_rng(SEED)
    drawn = dice.integers(0, len(differences), (DRAWS, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Judge all recipes and print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--taught", type=int, default=1_500)
    options.add_argument("--judged", type=int, default=1_000)
    options.add_argument(
        "--seed", type=int, default=SEED, help="of the readers; the recipes were tuned with %(default)s"
    )
    chosen = options.parse_args()
    shop = open_bookshop(chosen.taught, chosen.judged, chosen.seed)
    for name, aim in AIMS.items():
        found = judge(shop, aim)
        show(
            f"recipe {name}",
            {
                "cases": found.cases, "ndcg": found.ndcg, "popular_ndcg": found.popular_ndcg,
                "better_by": f"{found.low:+.3f} to {found.high:+.3f}", "hits": found.hits, "popular_hits": found.popular_hits,
            },
            chosen.json,
        )  # fmt: skip


if __name__ == "__main__":
    main()
