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
    asked: whoever types the whole title of something sensitive into a search may be shown it; nothing about the person counts for it.
    given: how much the scores count that a caller brings to `POST /v1/rank`, from 0 to 1; the recipe counts the rest.
    fallback: a strategy's recipe, heard only where the strategy has too little to say. batch: the inferred trait under which
    `tactful batch` keeps the list that it makes ahead for each person; "" decides at the moment of asking.
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
    fallback: dict[str, Any] | None = None
    batch: str = ""
    asked: bool = False
    given: float = 0.5


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """A row of a page. placement: what fills it. weight: its value counts so much more or less. first: it stands above the rows
    that are put in order, where it has anything to show. least: with fewer items it is left out.
    """

    placement: str
    weight: float = 1.0
    first: bool = False
    least: int = 1


class Page(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows in a personal order, as `[pages.NAME]` declares them. rows: placements, or tables with settings. show: rows at most, 0 for all."""

    rows: tuple[str | Row, ...]
    show: int = 0
    words: str = ""

    @property
    def candidates(self) -> tuple[Row, ...]:
        """The rows, each with its settings."""
        return tuple(Row(row) if isinstance(row, str) else row for row in self.rows)
