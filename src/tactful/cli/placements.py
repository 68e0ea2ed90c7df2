"""`tactful placement list | try`, `tactful page`, `tactful batch`: what placements do, step by step."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from tactful.cli.opening import opened
from tactful.cli.show import as_json, errors, json_option, table
from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import Ask, Scored
from tactful.domain.words import Words
from tactful.flow.decide import Decision, Recipe, checked_evidence, guarded
from tactful.flow.explain import Stamp, explain
from tactful.flow.wording import sentence
from tactful.plugins import name_of
from tactful.ports import Strategy
from tactful.scene import Look, Scene

BEST = 3
"""Items named for each step."""


@click.group()
def placement() -> None:
    """What placements there are, and what each step of one does to the list."""


@placement.command("list")
@json_option
@click.pass_obj
@errors
def list_(home: Path, machine: bool) -> None:
    """All placements, with what they are made of."""
    with opened(home) as (_, engine):
        rows = [_made_of(recipe) for recipe in engine.recipes.values()]
    if machine:
        as_json([dict(zip(HEADS, row, strict=True)) for row in rows])
    else:
        table(rows, HEADS)


HEADS = ("placement", "purpose", "shows", "strategy", "guards", "arranger")


def _made_of(recipe: Recipe) -> tuple[str, ...]:
    strategy = name_of(recipe.maker or recipe.strategy) + (" (made ahead)" if recipe.maker else "")
    guards = ", ".join(recipe.guards)
    return (
        recipe.name,
        recipe.placement.purpose,
        str(recipe.placement.limit),
        strategy,
        guards,
        name_of(recipe.arranger),
    )


@placement.command("try")
@click.argument("placement")
@click.option("--person", default=None, help="For whom; left out: for somebody unknown.")
@click.option("--item", default=None, help="The item that the page is about.")
@click.option("--query", default="", help="What was typed into the search.")
@click.option(
    "--context",
    multiple=True,
    metavar="NAME=VALUE",
    help="What goes on around them, such as device=phone; again for more.",
)
@click.option("--limit", type=click.IntRange(1, 200), default=None, help="How many items.")
@json_option
@click.pass_obj
@errors
def try_(
    home: Path, placement: str, person: str | None, item: str | None, query: str, context: tuple[str, ...],
    limit: int | None, machine: bool,
) -> None:  # fmt: skip
    """Decide without keeping anything, and show what each step did to the list."""
    around = dict(pair.partition("=")[::2] for pair in context)
    with opened(home) as (installed, engine):
        scene = engine.scene(person, around)
        look = scene.consider(engine.recipe(placement), Ask(placement, item=item, query=query, limit=limit))
        decision = scene.choose(look, engine.shell.dice)
        steps, slots = list(_steps(scene, look, decision)), _slots(scene, look, decision, installed.languages.speak())
    if machine:
        as_json(
            {
                "steps": [dict(zip(STEP, row, strict=True)) for row in steps],
                "shown": [dict(zip(SLOT, row, strict=True)) for row in slots],
            }
        )
        return
    table(steps, STEP)
    click.echo()
    table(slots, SLOT)


STEP = ("step", "by", "items", "what")
SLOT = ("slot", "item", "rank", "score", "odds", "why")


def _steps(scene: Scene, look: Look, decision: Decision) -> Iterator[tuple[str, str, str, str]]:
    """One row for each thing that happened to the list."""
    considered, view, catalogue = look.considered, look.view, scene.shelf.catalogue
    allowed = ", ".join(sorted(view.allowed)) or "nothing about the person"
    yield "view", view.dial.words, "", f"may read {allowed}"
    for held in view.withheld:
        yield "", "withheld", str(held.count), f"{held.data}: {held.why}"
    for strategy in _leaves(considered.recipe.strategy):
        faults: list[str] = []
        proposed = guarded("it failed", faults, list[int](), lambda one=strategy: _proposed(one, scene, look))  # type: ignore[misc]
        said = faults[0] if faults else _titles(catalogue, proposed[:BEST])
        yield "propose", name_of(strategy), f"{len(proposed):,}", said
    yield "", "together", f"{len(considered.scored.rows):,}", ""
    for gone in considered.removed:
        yield "permit", gone.by, f"-{gone.count:,}", f"{gone.why}: {_names(catalogue, gone.items)}"
    yield "", "left", f"{int(considered.kept.sum()):,}", ""
    yield "arrange", name_of(considered.recipe.arranger), str(considered.limit), "at most"
    for fault in decision.faults:
        yield "failed", "", "", fault


def _proposed(strategy: Strategy, scene: Scene, look: Look) -> list[int]:
    """The rows that a strategy alone speaks for, best first."""
    size = len(scene.shelf.catalogue)
    scored = Scored.of(checked_evidence(strategy.propose(look.view, look.considered.ask, scene.shelf), size), size)
    order = np.argsort(-scored.scores, kind="stable")
    return [int(row) for row in scored.rows[order[scored.scores[order] > 0]]]


def _leaves(strategy: Strategy) -> Iterator[Strategy]:
    parts = strategy.parts()
    if not parts:
        yield strategy
    for part in parts:
        yield from _leaves(part)


def _slots(scene: Scene, look: Look, decision: Decision, words: Words) -> list[tuple[str, ...]]:
    """What would be shown, with the reason for each."""
    catalogue = scene.shelf.catalogue
    receipt = explain(decision, look.view, scene.shelf, scene.charter, scene.consent, Stamp("", scene.now, None))
    return [
        (
            str(place),
            _names(catalogue, (shown.item,)),
            str(shown.rank),
            f"{shown.score:.4f}",
            f"{shown.odds:.3f}",
            sentence(shown, catalogue, words),
        )
        for place, shown in enumerate(receipt.shown, 1)
    ]


def _titles(catalogue: Catalogue, rows: list[int]) -> str:
    return " · ".join(catalogue.item(row).title for row in rows)


def _names(catalogue: Catalogue, ids: tuple[str, ...]) -> str:
    found = [item.title if (item := catalogue.get(name)) else name for name in ids[:BEST]]
    return " · ".join(found) + (" ..." if len(ids) > BEST else "")


@click.command()
@click.argument("name")
@click.option("--person", default=None, help="For whom; left out: for somebody unknown.")
@json_option
@click.pass_obj
@errors
def page(home: Path, name: str, person: str | None, machine: bool) -> None:
    """A whole page: its rows in the person's own order."""
    from tactful.api.answers import page_out
    from tactful.cli.receipts import saying

    with opened(home) as (installed, engine):
        answers = engine.page(person, name)
        for answer in answers:
            answer.durable.wait()
        out = page_out(name, answers, saying(installed, None, "sentence"))
    if machine:
        as_json(out)
        return
    for place, row in enumerate(out.rows, 1):
        click.secho(f"{place}. {row.words or row.placement} · {row.label} · receipt {row.receipt}", bold=True)
        table(((number, item.title, item.why) for number, item in enumerate(row.items, 1)), ("", "item", "why"))
        click.echo()


@click.command()
@click.argument("placements", nargs=-1)
@json_option
@click.pass_obj
@errors
def batch(home: Path, placements: tuple[str, ...], machine: bool) -> None:
    """Make the lists of placements with `batch` ahead of time, for everybody who lets the shop remember them."""
    from tactful.batch import fill, placements_in

    def told(count: int) -> None:
        if count % 100 == 0 and not machine:
            click.echo(f"  {count:,} people", err=True)

    with opened(home) as (_, engine):
        done = [fill(engine, recipe, told) for recipe in placements_in(engine, placements)]
    if machine:
        as_json(done)
        return
    rows: list[tuple[Any, ...]] = [
        (one.placement, f"{one.made:,}", "; ".join(f"{count:,} × {why}" for why, count in one.left_out.items()))
        for one in done
    ]
    table(rows, ("placement", "lists made", "people without one"))
