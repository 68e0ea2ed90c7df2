"""Settings → engine: the only place that knows every room."""

import hashlib
import random
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tactful.connectors.segment_names import Meaning, meaning
from tactful.deliver.courier import Courier, World
from tactful.deliver.fetch import fetch
from tactful.deliver.forgotten import Forgettings, sweep
from tactful.deliver.ledger import Ledger
from tactful.deliver.outgoing import Outgoing
from tactful.deliver.post import post
from tactful.deliver.secrets import Secrets
from tactful.domain.charter import Charter
from tactful.domain.consent import Consent
from tactful.domain.errors import BadInput, UnknownPlugin, UnknownReceiver
from tactful.domain.placement import Placement
from tactful.domain.receiver import DECISIONS, Receiver
from tactful.domain.words import Languages
from tactful.engine import Engine, Onward, Shell
from tactful.flow.decide import Recipe
from tactful.flow.identity import effective_for_all, merged
from tactful.languages import read_languages
from tactful.learn.interactions import interactions_of
from tactful.learn.train import learners
from tactful.plugins import build
from tactful.ports import Arranger, Guard, Interactions, Stores, Strategy
from tactful.settings import (
    Settings,
    bad_recipe,
    check_consent,
    check_outside,
    check_pages,
    read_charter,
    read_settings,
    with_taxonomy,
    wrong,
)
from tactful.stores.durable import write_once
from tactful.stores.lake import Lake
from tactful.stores.lists import ListFolder
from tactful.stores.missed import Missed
from tactful.stores.registry import Registry
from tactful.stores.search import WORDS, WordIndex


class Home(Struct, frozen=True):
    """An installation on disk: tactful.toml, charter, data/, models/."""

    path: Path
    settings: Settings
    charter: Charter
    recipes: Mapping[str, Recipe]
    languages: Languages

    @property
    def data(self) -> Path:
        """Where the stores are."""
        return self.path / "data"

    @property
    def deliveries(self) -> Path:
        """How far each receiver has come."""
        return self.data / "deliveries.db"

    @property
    def lists(self) -> ListFolder:
        """Where the lists are that people pick by hand."""
        return ListFolder(self.path / "lists")

    @property
    def words(self) -> Path:
        """What the search reads: made from the catalogue, and made anew wherever it is missing."""
        return self.path / WORDS

    @property
    def missed(self) -> Path:
        """What several people searched for and nobody found."""
        return self.data / "missed.db"

    @property
    def models(self) -> Registry:
        """Where the models are."""
        return Registry(self.path / "models")


def read_home(path: Path) -> Home:
    """Read and check an installation's settings. Raises NotInitialised, BadSettings, BadCharter."""
    settings = read_settings(path)
    charter = with_taxonomy(read_charter(path / settings.charter), path, settings.taxonomy)
    check_consent(path, settings.segment, charter)
    check_outside(path, settings, charter)
    recipes = {name: recipe_of(name, placement, charter, path) for name, placement in settings.placements.items()}
    check_pages(path, settings)
    learners(
        one for recipe in recipes.values() for one in recipe.strategies
    )  # a clash of models is better known before serving
    return Home(path, settings, charter, recipes, read_languages(path, settings.language))


def recipe_of(name: str, placement: Placement, charter: Charter, home: Path = Path()) -> Recipe:
    """A placement with its parts ready to run. The charter's guards come first, and no placement can leave them out."""
    at = f"placements.{name}"
    if placement.purpose not in charter.purposes:
        why, fix = f"the charter has no purpose {placement.purpose!r}", f"Use one of {', '.join(charter.purposes)}"
        raise wrong(home / "tactful.toml", f"{at}.purpose", why, fix)
    always: list[dict[str, Any]] = [{"use": guard} for guard in charter.guards_always]
    for recipe in always:
        if recipe["use"] == "children":
            recipe["audiences"] = charter.children.audiences
        if recipe["use"] == "sensitive" and placement.asked:
            recipe["asked"] = True
    guards: dict[str, Guard] = {}
    for recipe in (*always, *placement.guards):
        guards.setdefault(str(recipe.get("use")), _part(Guard, recipe, f"{at}.guards", home))
    strategy = _part(Strategy, placement.strategy, f"{at}.strategy", home)
    arranger = _part(Arranger, placement.arranger, f"{at}.arranger", home)
    if placement.asked and arranger.personal:
        why = "it puts things in the order of the person, who must not move what is sensitive"
        raise wrong(home / "tactful.toml", f"{at}.arranger", why, "Leave out `asked`, or use `top`")
    return Recipe(
        name=name,
        placement=placement,
        strategy=_kept_list(placement, charter, at, home) if placement.batch else strategy,
        guards=guards,
        arranger=arranger,
        fallback=_part(Strategy, placement.fallback, f"{at}.fallback", home) if placement.fallback else None,
        maker=strategy if placement.batch else None,
        fingerprint=hashlib.blake2b(msgspec.json.encode([placement, always]), digest_size=8).hexdigest(),
    )


def _kept_list(placement: Placement, charter: Charter, at: str, home: Path) -> Strategy:
    """What shows a list that was made ahead. It stands in the person's ledger as an inferred trait, so the charter must declare it: for
    the placement's purpose, and for its surface alone, as what went into the list may be for no other."""
    trait, purpose, surface = placement.batch, placement.purpose, placement.surface
    entry = charter.of_trait.get(("inferred", trait))
    why, fix = "", ""
    if entry is None:
        why, fix = f"the charter keeps no inferred trait {trait!r}", "Add it to a [data] entry with kind = 'inferred'"
    elif purpose not in charter.data[entry].purposes:
        why, fix = f"[data.{entry}], which keeps {trait!r}, is not for {purpose!r}", "Add that to its purposes"
    elif charter.data[entry].surfaces != (surface,):
        why = f"the list is made of what may be used on the surface {surface!r}"
        fix = f"Keep {trait!r} in a [data] entry with surfaces = [{surface!r}]"
    if why:
        raise wrong(home / "tactful.toml", f"{at}.batch", why, fix)
    kept: Strategy = _part(Strategy, {"use": "kept_list", "trait": trait}, f"{at}.batch", home)
    return kept


def _part(kind: type, recipe: Mapping[str, Any], where: str, home: Path) -> Any:
    try:
        return build(kind, recipe)
    except (msgspec.ValidationError, UnknownPlugin) as mistake:
        raise bad_recipe(home, where, mistake) from None


def means_of(settings: Settings, charter: Charter) -> Meaning:
    """What the names that Segment's clients use mean here."""
    names = settings.segment
    return meaning(names.events, names.pages, names.items, names.consent, charter.purposes)


def real_shell() -> Shell:
    """The machine's clock, unguessable names, real dice."""
    return Shell(
        now=lambda: time.time_ns() // 1_000_000,
        name=lambda: secrets.token_hex(16),  # no dash, which a command line would take for an option
        dice=random.Random(secrets.randbits(64)),
        passed=time.monotonic,
    )


def engine_of(home: Home, stores: Stores, shell: Shell | None = None, noted: bool = False) -> Engine:
    """The engine of an installation, on stores that are already open. noted: decisions leave notes for the owner's page."""
    return Engine(
        stores, home.models, home.charter, home.recipes, shell or real_shell(),
        home.settings.limits.cached_events, str(home.path), onward_of(home, stores), home.settings.pages, home.lists, index_of(home).over,
        noted,
    )  # fmt: skip


def index_of(home: Home) -> WordIndex:
    """What the catalogue is searched with. Reads nothing before the first search."""
    return WordIndex(home.words, home.settings.search.attributes, home.charter.topics)


def missed_of(home: Home) -> Missed:
    """What was searched for and not found."""
    return Missed(home.missed)


def onward_of(home: Home, stores: Stores) -> Onward:
    """What the engine does for receivers: nothing, where none is declared."""
    receivers = home.settings.receivers

    def sweep_old() -> None:
        if home.deliveries.exists():
            with closing(Ledger(home.deliveries)) as ledger:
                sweep(ledger, real_shell().now())

    if not receivers:
        return Onward(sweep=sweep_old)

    def forgotten(person: str) -> None:
        if home.deliveries.exists():  # otherwise nobody was ever told anything
            ledger = Ledger(home.deliveries)
            try:
                told = forgettings_of(home, stores, ledger)
                told.announce(person, receivers, home.charter, real_shell().now())
            finally:
                ledger.close()

    return Onward(any(DECISIONS in receiver.what for receiver in receivers.values()), forgotten, sweep_old)


def forgettings_of(home: Home, stores: Stores, ledger: Ledger) -> Forgettings:
    """Whom receivers have still to forget."""
    return Forgettings(stores, ledger, Secrets.of(home.path / "receivers.json"))


def receiver_of(home: Home, name: str) -> Receiver:
    """A declared receiver. Raises UnknownReceiver."""
    if name not in home.settings.receivers:
        raise UnknownReceiver(name=name, available=", ".join(sorted(home.settings.receivers)) or "none yet")
    return home.settings.receivers[name]


def secret_of(home: Home, name: str) -> str:
    """A receiver's secret. Raises UnknownReceiver, BadInput."""
    receiver_of(home, name)
    return Secrets.of(home.path / "receivers.json").secret(name)


def courier_of(home: Home, name: str, stores: Stores, ledger: Ledger) -> Courier:
    """The courier of one receiver, on stores and a ledger of its own."""
    receiver, shell, secret = receiver_of(home, name), real_shell(), secret_of(home, name)
    outgoing, forgettings = Outgoing(stores, home.charter, receiver), forgettings_of(home, stores, ledger)
    return Courier(name, receiver, outgoing, ledger, forgettings, secret, World(shell.now, shell.dice, post))


def feed_of(home: Home, stores: Stores) -> Callable[[str, int, int, int], bytes]:
    """What receivers fetch: (name, after, most, heard) → NDJSON."""
    kept: dict[str, Outgoing] = {}

    def feed(name: str, after: int, most: int, heard: int) -> bytes:
        if name not in kept:
            kept[name] = Outgoing(stores, home.charter, receiver_of(home, name))
        ledger = Ledger(home.deliveries)
        try:
            forgettings = forgettings_of(home, stores, ledger)
            return fetch(name, kept[name], forgettings, ledger, after, most, heard, real_shell().now())
        finally:
            ledger.close()

    return feed


def lake_of(home: Home) -> Lake:
    """The lake of an installation; its key is made on first use."""
    path = home.path / "lake.key"
    write_once(path, secrets.token_bytes(32))
    key = path.read_bytes()
    if len(key) != 32:
        raise BadInput(field=str(path), why="a lake's key is 32 bytes", fix="Delete it and the lake, and export anew")
    return Lake(home.path / "lake", key)


def interactions_in(engine: Engine) -> Interactions:
    """What may be learned from, of all that is kept."""
    links = dict(engine.stores.links.everybody())
    said = {name: Consent.of(changes) for name, changes in engine.stores.consents.everybody()}
    consents = effective_for_all(said, links)
    people, catalogue = merged(engine.stores.events.people(), links), engine.shelf().catalogue
    return interactions_of(people, consents, engine.charter, catalogue, engine.shell.now())
