"""A spot in the product where something can be shown, and the recipe that fills it."""

from typing import Any

from msgspec import Struct, field

LIMIT_MOST = 200


class Placement(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A placement as `tactful.toml` declares it; `plugins.py` turns the recipes into parts that run.

    purpose: which of the charter's purposes it serves. strategy, guards, arranger: recipes, each a table with `use`, the name of
    the plug-in, and its settings. limit: items shown. surface: who else may see it. default: items shown where nothing else may be.
    high_stakes: the choice matters so much to a person (credit, housing, health) that a human decides it first.
    asked: whoever types the whole title of something sensitive into a search may be shown it; nothing about the person counts for it.
    given: how much the scores count that a caller brings to `POST /v1/rank`, from 0 to 1; the recipe counts the rest.
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
    asked: bool = False
    given: float = 0.5
