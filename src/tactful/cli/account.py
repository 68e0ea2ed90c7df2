"""What became of the rows of an import: to the last one."""

from collections import Counter
from collections.abc import Iterable

import click
from msgspec import Struct

from tactful.cli.show import as_json, table
from tactful.intake import Outcome, Problem

REASONS_MOST = 200
"""How many different reasons are told apart; what comes after is counted as `other reasons`."""


class Account(Struct):
    """What became of the rows: sent = stored + duplicate + quarantined + refused, exactly.

    items: added or replaced. people: different ones named. stripped: undeclared fields, by name. reasons: why rows were not kept, and
    how many; first: where each reason came up first, if that is known. resumed: the row at which a stopped import went on, 0 if it was
    never stopped.
    """

    items: int = 0
    people: int = 0
    sent: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    seconds: float = 0.0
    stripped: dict[str, int] = {}
    reasons: dict[str, int] = {}
    first: dict[str, str] = {}
    resumed: int = 0

    def add(self, outcome: Outcome, problems: Iterable[Problem]) -> None:
        """Count a piece in. problems: all of them, where the outcome names a few."""
        self.sent += outcome.sent
        self.stored += outcome.stored
        self.duplicate += outcome.duplicate
        self.quarantined += outcome.quarantined
        self.refused += outcome.refused
        self.stripped = dict(Counter(self.stripped) + Counter(outcome.stripped))
        for problem in problems:
            self.blame(problem.what, problem.field, problem.why)

    def blame(self, what: str, field: str, why: str) -> None:
        """Count a reason. field: the field that is wrong, or the line (`line 7`) where it is."""
        place = field if field.startswith(("line ", "row ")) else ""
        reason = f"{what}: {field + ' ' if field and not place else ''}{why}"
        if reason not in self.reasons and len(self.reasons) >= REASONS_MOST:
            reason, place = f"{what}: other reasons", ""
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if place:
            self.first.setdefault(reason, place)

    def show(self, machine: bool) -> None:
        """Print it."""
        if machine:
            as_json(self)
            return
        names = ("sent", "stored", "duplicate", "quarantined", "refused")
        table([[f"{getattr(self, name):,}" for name in names]], names)
        for reason, count in sorted(self.reasons.items(), key=lambda entry: -entry[1]):
            where = f" (first in {self.first[reason]})" if reason in self.first else ""
            click.echo(f"  {count:,} × {reason}{where}")
        if self.stripped:
            click.echo("  Not declared in the charter, so not kept: " + _counted(self.stripped))
        rate = self.sent / self.seconds if self.seconds else 0.0
        click.echo(f"{self.items:,} items, {self.people:,} people, {self.seconds:.1f} s, {rate:,.0f} rows/s")


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in sorted(counts.items(), key=lambda entry: -entry[1]))
