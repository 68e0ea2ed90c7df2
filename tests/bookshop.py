"""The demo bookshop in memory: its own recipes, charter and books, models trained on simulated readers. Nothing here is a test."""

import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from tactful.cli.demonstration import acts_of, consent_of, stocked
from tactful.flow.decide import Recipe
from tactful.ports import Model
from tactful.sample.readers import readers
from tactful.wire import Home, interactions_in, read_home
from tests.shop import NOW, SEED, Shop, trained

READERS = 300
ITEMS = tuple(stocked(NOW))


@cache
def home() -> Home:
    """The installation that the demo makes, as its settings say."""
    with tempfile.TemporaryDirectory(prefix="tactful-bookshop-") as folder:
        for target, source in (("tactful.toml", "shop.toml"), ("charter.toml", "shop_charter.toml")):
            text = (files("tactful.sample") / source).read_text(encoding="utf-8")
            (Path(folder) / target).write_text(text, encoding="utf-8")
        return read_home(Path(folder))


@cache
def betrays() -> Mapping[str, frozenset[str]]:
    """The categories that each book gives away: by its own word, or by a value that the charter names as telling. Worked out here anew,
    so that the catalogue's own columns are not taken at their word."""
    sensitive = home().charter.sensitive
    return {
        item.id: frozenset(item.sensitivity) | {
            name for name, category in sensitive.items() for proxy in category.proxies
            if not set(item.values(proxy.attribute)).isdisjoint(proxy.values)
        }
        for item in ITEMS
    }  # fmt: skip


def recipes() -> Mapping[str, Recipe]:
    """The placements of the demo."""
    return home().recipes


@cache
def models() -> tuple[Model, ...]:
    """All models of the demo, trained on some readers."""
    shop = _empty()
    crowd = list(readers(READERS, SEED, NOW))
    shop.stores.consents.append([(reader.id, consent_of(reader, NOW, shop.charter.version)) for reader in crowd]).wait()
    shop.engine.take(list(acts_of(crowd, ITEMS))).wait()
    return tuple(trained(shop.engine.recipes.values(), interactions_in(shop.engine), shop.engine.shelf().catalogue))


def open_bookshop() -> Shop:
    """The bookshop with its models trained, and nobody in it yet."""
    return _empty(models())


def _empty(learned: tuple[Model, ...] = ()) -> Shop:
    shop = Shop(items=ITEMS, placements={}, models=learned, rules=home().charter, pages=home().settings.pages)
    shop.engine.recipes = home().recipes
    shop.engine.refresh_models()
    return shop
