"""`tactful doctor data`: how complete, how often double and how fresh the data is, by source."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tactful.cli.opening import opened
from tactful.cli.show import as_json, errors, table

if TYPE_CHECKING:
    from tactful.engine import Engine
    from tactful.flow.decide import Recipe
    from tactful.learn.quality import Quality
    from tactful.ports import Strategy
    from tactful.replay import Group


@click.command("data")
@click.option("--json", "machine", is_flag=True, help="Print JSON for machines.")
@click.pass_obj
@errors
def data_quality(home: Path, machine: bool) -> None:
    """Completeness, duplicates, freshness and impossible values, by source."""
    with opened(home) as (_, engine):
        found, impossible = look(engine)
    if machine:
        as_json({"quality": found, "impossible": impossible})
    else:
        _show(found, impossible)


def look(engine: "Engine") -> "tuple[Quality, list[Group]]":
    """The quality of what is kept, and the reasons of what lies in quarantine."""
    from tactful.learn.quality import quality
    from tactful.ports import QUARANTINE_MS
    from tactful.replay import grouped

    now, stores = engine.shell.now(), engine.stores
    attributes = attributes_used(engine.recipes.values())
    found = quality(stores.events.people(), engine.shelf().catalogue, engine.charter, attributes, now)
    return found, grouped([piece for piece in stores.quarantine.pieces() if piece.at + QUARANTINE_MS > now])


def attributes_used(recipes: "Iterable[Recipe]") -> list[str]:
    """The attributes of items that the placements name; none if they name none, and so go by all."""
    used: dict[str, None] = {}
    for recipe in recipes:
        parts: list[Any] = [recipe.arranger, *recipe.guards.values(), *_whole(recipe.strategy)]
        for part in parts:
            for name in (getattr(part, "attribute", ""), *getattr(part, "attributes", ())):
                if name:
                    used[name] = None
    return sorted(used)


def _whole(strategy: "Strategy") -> "list[Strategy]":
    return [strategy, *(inner for part in strategy.parts() for inner in _whole(part))]


def _show(found: "Quality", impossible: "list[Group]") -> None:
    click.echo(f"{found.people:,} people, {found.items:,} items\n")
    rows = [
        (one.source + (f" ({one.seller})" if one.seller else ""), f"{one.people:,}", f"{one.events:,}", f"{one.week:,}",
         f"{one.week_before:,}", f"{one.age_half:,} d", f"{one.age_most:,} d", f"{one.doubled:,}", _share(one.known), _share(one.stale))
        for one in found.sources
    ]  # fmt: skip
    table(rows, ("source", "people", "events", "last week", "week before", "half younger than", "nine in ten", "came twice",
                 "item known", "stale"))  # fmt: skip
    if found.traits:
        click.echo()
        table(
            [(one.trait, one.data, _share(one.share), _share(one.stale), "assumed" if one.filled else "")
             for one in found.traits],
            ("trait", "kept as", "people who told", "stale", "otherwise"),
        )  # fmt: skip
    click.echo()
    table([(name, _share(share)) for name, share in found.attributes.items()], ("attribute", "items that have it"))
    click.echo(f"\n{found.doubled_titles:,} items share their title with another of their kind")
    for ids in found.examples:
        click.echo(f"  {', '.join(ids[:5])}")
    for group in impossible:
        click.echo(f"{group.count:,} in quarantine · {group.field}: {group.why}")


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
