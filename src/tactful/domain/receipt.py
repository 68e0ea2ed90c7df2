"""The receipt: what was read, under which consent, what was withheld, who removed what, and the odds of each choice."""

from msgspec import Struct

from tactful.domain.decision import Placed, Removal, Source
from tactful.domain.view import Withheld


class Contribution(Struct, frozen=True):
    """How much one source added to an item's score (exact), and its share of the whole, 0 to 1."""

    source: Source
    amount: float
    share: float


class Shown(Struct, frozen=True):
    """One item in its slot.

    odds: the chance with which the arranger put it there, given the slots before. rank: place among the permitted items before
    arranging (1 is best). stated: so many of the first contributions are its reason together; more than one where each alone could go.
    without: the place it would have had without what is stated; None: not a candidate.
    variant: the presentation shown, by its id; "": the item's own.
    """

    item: str
    score: float
    odds: float
    rank: int
    contributions: tuple[Contribution, ...] = ()
    without: int | None = None
    default: bool = False
    variant: str = ""
    stated: int = 1


class Receipt(Struct, frozen=True):
    """The record of one decision. For a person without consent it names no person and nothing about one.

    at: milliseconds since 1970. opened ⊆ allowed: data entries. models: version by name. proposed, permitted: counts of items.
    assumed: traits of which nothing is known, and of which the charter's assumption was read instead.
    placed: where it stood, as a row of a page. personal: something about the person spoke for an item. shaped: what else about the person shaped the list: `arranger` (it went by
    something about them), `sensitive` (categories that they turned on let items in). faults: plug-ins that failed; the decision went on without them.
    """

    id: str
    at: int
    placement: str
    purpose: str
    surface: str
    person: str | None
    dial: int
    consent_version: int
    charter: str
    catalogue: int
    models: dict[str, str]
    recipe: str
    allowed: tuple[str, ...]
    opened: tuple[str, ...]
    withheld: tuple[Withheld, ...]
    proposed: int
    permitted: int
    removed: tuple[Removal, ...]
    shown: tuple[Shown, ...]
    verdict: str
    personal: bool
    faults: tuple[str, ...] = ()
    version: int = 1
    assumed: tuple[str, ...] = ()
    placed: Placed | None = None
    shaped: tuple[str, ...] = ()
