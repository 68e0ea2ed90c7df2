"""A spot in the product where something can be shown, and the recipe that fills it."""

from typing import Any

from msgspec import Struct, field

from tactful.domain.variants import Choice

LIMIT_MOST = 200


class Placement(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A placement as `tactful.toml` declares it; `plugins.py` turns the recipes into parts that run.

    purpose: which of the charter's purposes it serves. strategy, guards, arranger: recipes, each a table with `use`, the name of
    the plug-in, and its settings. limit: items shown. surface: who else may see it. default: items shown where nothing else may be.
    variant: which presentation of an item it prefers, where there are several: `{ prefer = ["bright"] }`, by style or by id.
    high_stakes: the choice matters so much to a person (credit, housing, health) that a human decides it first.
    """

    purpose: str
    strategy: dict[str, Any]
    guards: tuple[dict[str, Any], ...] = ()
    arranger: dict[str, Any] = field(default_factory=lambda: {"use": "top"})
    limit: int = 12
    surface: str = "private"
    default: tuple[str, ...] = ()
    high_stakes: bool = False
    words: str = ""
    variant: Choice = Choice()
