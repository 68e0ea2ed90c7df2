"""The sample bookshop in memory: one place where the tests assemble an engine, its clock, its dice and its people.

Nothing here is a test. A `Shop` is an engine over the sample books; `learned_models` are trained on simulated readers.
"""

import random
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.consent import Consent, ConsentChange, Dial
from tactful.domain.decision import Ask
from tactful.domain.event import Arrival, Interaction
from tactful.domain.item import Item, Price
from tactful.domain.placement import Placement
from tactful.domain.view import View
from tactful.engine import Answer, Engine, Shell
from tactful.flow.decide import Recipe
from tactful.languages import read_languages
from tactful.learn.train import fit, learners
from tactful.ports import Interactions, Model, Shelf, Stores
from tactful.sample.books import Book, books
from tactful.sample.readers import Reader, readers
from tactful.stores.memory import open_memory
from tactful.stores.search import WordIndex
from tactful.wire import interactions_in, recipe_of

NOW = 1_760_000_000_000
MINUTE = 60_000
DAY = 86_400_000
EVERYTHING = ("personalise", "learn", "measure")
SEED = 7
LANGUAGES = read_languages()
EN, DE = LANGUAGES.speak("en"), LANGUAGES.speak("de")


# --------------------------------------------------------------------------------------------------- charter and placements


def template(name: str) -> str:
    """The text of `charter.toml` or `tactful.toml` as `tactful init` writes it."""
    return (files("tactful.templates") / name).read_text(encoding="utf-8")


def charter(**changes: Any) -> Charter:
    """The template's charter. changes: top-level entries to replace."""
    return msgspec.convert({**_charter(), **changes}, Charter)


@cache
def _charter() -> Mapping[str, Any]:
    return tomllib.loads(template("charter.toml"))


def placement(use: str | Mapping[str, Any] = "popular", **changes: Any) -> Placement:
    """A placement. use: a strategy's name or its whole recipe."""
    strategy = {"use": use} if isinstance(use, str) else dict(use)
    return Placement(**{"purpose": "personalise", "strategy": strategy, **changes})


@cache
def template_placements() -> Mapping[str, Placement]:
    """The placements of the template: home, related, discover, popular."""
    return msgspec.convert(tomllib.loads(template("tactful.toml"))["placements"], dict[str, Placement])


# ------------------------------------------------------------------------------------------------------------------ items


def item_of(book: Book) -> Item:
    """A book as an item."""
    return Item(
        id=book.id,
        title=book.title,
        kind="book",
        attributes={
            "author": book.author,
            "subjects": list(book.subjects),
            "mood": book.mood,
            "language": book.language,
        },
        text=book.text,
        price=Price(book.price),
        sensitivity=book.sensitivity,
        audience=book.audience,
    )


@cache
def shop_items() -> tuple[Item, ...]:
    """All books as items."""
    return tuple(map(item_of, books()))


@cache
def catalogue() -> Catalogue:
    """The books, sensitive categories of the template's charter known."""
    return Catalogue.of(shop_items(), charter().proxies)


SENSITIVE = tuple(item.id for item in shop_items() if item.sensitivity)
PLAIN = tuple(item.id for item in shop_items() if not item.sensitivity)
FOR_CHILDREN = frozenset(item.id for item in shop_items() if item.audience in ("children", "everyone"))


# ------------------------------------------------------------------------------------------------------------------ people


def allow(
    dial: Dial = Dial.remember, *purposes: str, child: bool | None = None, sensitive: Sequence[str] = ()
) -> ConsentChange:
    """A change of consent to this dial and these purposes (none named: all that there are)."""
    given = dict.fromkeys(purposes or EVERYTHING, True)
    return ConsentChange(NOW, "test", "1", dial, given, dict.fromkeys(sensitive, True), child)


def consent(dial: Dial = Dial.remember, *purposes: str, **more: Any) -> Consent:
    """The consent after `allow`."""
    return Consent.of([allow(dial, *purposes, **more)])


def act(item: str, at: int = NOW - DAY, verb: str = "viewed", **changes: Any) -> Interaction:
    """An interaction, kept as the template's charter keeps its verb, for all purposes."""
    made = {
        "id": f"{verb}-{item}-{at}",
        "at": at,
        "verb": verb,
        "item": item,
        "data": charter().of_verb[verb],
        "purposes": EVERYTHING,
    }
    return Interaction(**{**made, **changes})


def view(*history: Interaction, **more: Any) -> View:
    """A View that holds this history."""
    made = {"purpose": "personalise", "surface": "private", "dial": Dial.remember, "allowed": frozenset(charter().data)}
    return View(**{**made, "history": history, **more})


def arrivals_of(reader: Reader) -> list[Arrival]:
    """What a simulated reader did, as it comes in."""
    return [
        Arrival(id=one.id, person=reader.id, name=one.verb, at=one.at, verb=one.verb, items=(one.book,))
        for one in reader.acts
    ]


@cache
def crowd(size: int = 200, seed: int = SEED) -> tuple[Reader, ...]:
    """Simulated readers."""
    return tuple(readers(size, seed, NOW))


# ------------------------------------------------------------------------------------------------------------------ engine


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Models:
    """A model store in memory."""

    def __init__(self, models: Iterable[Model] = ()) -> None:
        self.kept: dict[tuple[str, str], Model] = {}
        self.versions: dict[str, str] = {}
        for model in models:
            self.save(model)

    def save(self, model: Model) -> str:
        version = model.version or f"{model.name}-{len(self.kept) + 1}"
        self.kept[model.name, version] = Model(model.name, model.arrays, model.manifest, version)
        self.versions[model.name] = version
        return version

    def current(self) -> dict[str, str]:
        return dict(self.versions)

    def load(self, name: str, version: str) -> Model:
        return self.kept[name, version]


class Shop:
    """An engine in memory, with a clock that can be set and dice that can be thrown again."""

    def __init__(
        self,
        items: Sequence[Item] | None = None,
        placements: Mapping[str, Placement] | None = None,
        models: Iterable[Model] = (),
        rules: Charter | None = None,
        stores: Stores | None = None,
        **more: Any,
    ) -> None:
        self.clock = Clock()
        self.charter = rules or charter()
        self.stores = stores or open_memory()
        if stores is None:
            self.stores.items.put(shop_items() if items is None else items)
        self.models = Models(models)
        names = count(1)
        self.dice = random.Random(SEED)
        shell = Shell(now=self.clock, name=lambda: f"receipt-{next(names)}", dice=self.dice)
        recipes = recipes_of(template_placements() if placements is None else placements, self.charter)
        self.engine = Engine(
            self.stores, self.models, self.charter, recipes, shell, **{"index": WordIndex().over, **more}
        )

    @staticmethod
    def beside(other: "Shop") -> "Shop":
        """Another worker: an engine of its own, with caches of its own, on the same stores."""
        return Shop(models=other.models.kept.values(), rules=other.charter, stores=other.stores)

    def allow(self, person: str, *args: Any, **more: Any) -> None:
        """Let this person allow something; see the function `allow`."""
        self.engine.change_consent(person, allow(*args, **more)).wait()

    def change(self, person: str, **changes: Any) -> None:
        """Any other change of consent."""
        self.engine.change_consent(person, ConsentChange(self.clock.now, "test", "1", **changes)).wait()

    def does(self, person: str, verb: str, *items: str, at: int | None = None, **more: Any) -> None:
        """Let a person do something with each of these items, one after the other, now."""
        arrivals = [
            Arrival(
                id=f"{person}-{verb}-{item}-{at}-{place}",
                person=person,
                name=verb,
                verb=verb,
                items=(item,),
                at=at,
                **more,
            )
            for place, item in enumerate(items)
        ]
        self.engine.take(arrivals).wait()

    def tells(self, person: str, **traits: Any) -> None:
        """Let a person declare traits."""
        name = f"{person}-tells-{self.clock.now}-{traits}"
        self.engine.take([Arrival(id=name[:200], person=person, name="identify", traits=traits)]).wait()

    def live(self, reader: Reader) -> None:
        """Let a simulated reader allow everything and do all that they did."""
        self.allow(reader.id, child=reader.child)
        self.engine.take(arrivals_of(reader)).wait()

    def decide(self, person: str | None, ask: str | Ask = "home", seed: int = SEED, **more: Any) -> Answer:
        """One decision, the dice thrown from this seed."""
        return self.page(person, [ask], seed, **more)[0]

    def page(self, person: str | None, asks: Sequence[str | Ask], seed: int = SEED, **more: Any) -> list[Answer]:
        """The decisions of one page, the dice thrown from this seed."""
        self.dice.seed(seed)
        return self.engine.decide(person, [Ask(ask) if isinstance(ask, str) else ask for ask in asks], **more)

    def train(self) -> None:
        """Learn from what is kept, and serve it."""
        for model in trained(self.engine.recipes.values(), interactions_in(self.engine), self.engine.shelf().catalogue):
            self.models.save(model)
        self.engine.refresh_models()


def recipes_of(placements: Mapping[str, Placement], rules: Charter | None = None) -> dict[str, Recipe]:
    """Placements with their parts ready to run."""
    return {name: recipe_of(name, one, rules or charter(), Path("shop")) for name, one in placements.items()}


def trained(recipes: Iterable[Recipe], interactions: Interactions, known: Catalogue) -> list[Model]:
    """Every model that these recipes serve from."""
    return [
        fit(strategy, interactions, known)
        for strategy in learners(one for recipe in recipes for one in recipe.strategies).values()
    ]


@cache
def learned_models() -> tuple[Model, ...]:
    """The template's models, trained on the simulated readers."""
    shop = Shop()
    for reader in crowd():
        shop.live(reader)
    return tuple(trained(shop.engine.recipes.values(), interactions_in(shop.engine), shop.engine.shelf().catalogue))


def open_shop(**more: Any) -> Shop:
    """The shop with its models trained, and nobody in it yet."""
    return Shop(models=learned_models(), **more)


def shelf(known: Catalogue | None = None, models: Iterable[Model] | None = None) -> Shelf:
    """The books and the trained models, for calls below the engine."""
    return Shelf(
        known or catalogue(), {model.name: model for model in (learned_models() if models is None else models)}
    )


def items_in(answer: Answer) -> list[str]:
    """The ids that an answer shows, in order."""
    return [shown.item for shown in answer.receipt.shown]
