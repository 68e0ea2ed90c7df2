"""What a plug-in's settings may be. What is outside is refused as the settings are read, with its name and what to use instead."""

import math
from collections.abc import Sequence, Sized

from tactful.domain.event import VERBS

MOST = 1_000_000_000
"""No setting means anything beyond that, and what is counted in 32 bits stays within them."""


def between(least: float, most: float, /, **numbers: float) -> None:
    """Raises ValueError at the first of these numbers that does not go from `least` to `most`."""
    for name, number in numbers.items():
        if not (math.isfinite(number) and least <= number <= most):
            raise ValueError(f"{name}: it is {number}; use a number from {least:,} to {most:,}")


def at_least(least: float, /, **numbers: float) -> None:
    """Raises ValueError at the first of these numbers that is below `least`, or no number."""
    between(least, MOST, **numbers)


def above(least: float, /, **numbers: float) -> None:
    """Raises ValueError at the first of these numbers that is not above `least`, or no number."""
    for name, number in numbers.items():
        if not (math.isfinite(number) and least < number <= MOST):
            raise ValueError(f"{name}: it is {number}; use a number above {least:,}, up to {MOST:,}")


def share(**numbers: float) -> None:
    """Raises ValueError at the first of these numbers that is no share of a whole."""
    between(0, 1, **numbers)


def filled(**things: Sized) -> None:
    """Raises ValueError at the first of these lists or texts that is empty."""
    for name, thing in things.items():
        if not len(thing):
            raise ValueError(f"{name}: it is empty; name at least one")


def verbs(**named: Sequence[str]) -> None:
    """Raises ValueError at the first list that is empty, or names a verb that there is not."""
    filled(**named)
    for name, among in named.items():
        for verb in among:
            if verb not in VERBS:
                raise ValueError(f"{name}: {verb!r} is no verb; use some of {', '.join(VERBS)}")
