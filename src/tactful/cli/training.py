"""Training, told step by step."""

import time

import click

from tactful.cli.show import as_json, table
from tactful.engine import Engine
from tactful.learn.train import bytes_of, fit, learners
from tactful.wire import interactions_in


def train_all(engine: Engine, machine: bool) -> None:
    """Fit every model that a placement uses, and print what came of it."""
    began = time.perf_counter()
    interactions = interactions_in(engine)
    read = time.perf_counter() - began
    if not machine:
        click.echo(f"{len(interactions.row):,} interactions of {interactions.people:,} people, read in {read:.1f} s")
        if not interactions.people:
            click.echo("Nobody allows `learn` yet: models will know the catalogue only.")
    rows = []
    catalogue = engine.shelf().catalogue
    for name, strategy in learners(one for recipe in engine.recipes.values() for one in recipe.strategies).items():
        began = time.perf_counter()
        model = fit(strategy, interactions, catalogue)
        version = engine.models.save(model)
        rows.append((name, version, f"{time.perf_counter() - began:.2f}", f"{bytes_of(model) / 1e6:.1f}"))
    if machine:
        as_json({
            "interactions": len(interactions.row), "people": interactions.people, "read_s": read,
            "models": [{"name": row[0], "version": row[1], "seconds": float(row[2]), "megabytes": float(row[3])} for row in rows],
        })  # fmt: skip
    else:
        table(rows, ("model", "version", "seconds", "MB"))
