"""propose → permit → arrange → review: the only file that knows the order."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.catalogue import Catalogue, Mask, Rows, chosen
from tactful.domain.decision import (
    NO_EVIDENCE,
    PERSONAL,
    Ask,
    Evidence,
    Removal,
    Scored,
    Slots,
    Source,
    Verdict,
    add_up,
)
from tactful.domain.errors import TactfulError
from tactful.domain.placement import Placement
from tactful.domain.view import Moment, View
from tactful.ports import Arranger, Dice, Guard, Shelf, Strategy

REMOVED_NAMED = 20
"""How many of the items that a guard removed are named in the receipt, best first; all are counted."""

GIVEN = Source("query", "", how="given")
"""What stands for the scores that a caller brings of its own."""

T = TypeVar("T")


class Recipe(Struct, frozen=True):
    """A placement with its parts ready to run. guards: by name, the charter's own first. fingerprint: of all settings."""

    name: str
    placement: Placement
    strategy: Strategy
    guards: Mapping[str, Guard]
    arranger: Arranger
    fingerprint: str = ""


class Ranked(Struct, frozen=True):
    """Permitted candidates, best first: rows int32[n], scores float64[n], index int64[n] into the proposal's rows."""

    rows: Rows
    scores: NDArray[np.float64]
    index: NDArray[np.int64]


class Decision(Struct, frozen=True):
    """What was chosen, and all that the explanation needs. defaults: how many slots at the end hold default items."""

    recipe: Recipe
    ask: Ask
    scored: Scored
    ranked: Ranked
    slots: Slots
    removed: tuple[Removal, ...]
    verdict: Verdict
    defaults: int
    faults: tuple[str, ...]


def decide(
    recipe: Recipe, ask: Ask, view: View, moment: Moment, shelf: Shelf, dice: Dice, taken: Sequence[int] = ()
) -> Decision:
    """Choose for one placement. taken: rows already shown on this page by earlier placements.

    Pure: the same arguments give the same decision. With an empty View it is the same for everybody.
    """
    faults: list[str] = []
    catalogue = shelf.catalogue
    limit = recipe.placement.limit if ask.limit is None else ask.limit
    scored = _propose(recipe, ask, view, shelf, faults)
    kept, removed = _permit(recipe, scored, ask, moment, shelf, taken, faults)
    ranked = _rank(scored, kept)
    fallback = Slots(np.empty(0, np.int32), np.empty(0))
    slots = _guarded(
        f"arranger of {recipe.name}", faults, fallback,
        lambda: _checked_slots(recipe.arranger.arrange(ranked.rows, ranked.scores, limit, catalogue, dice, moment), ranked, limit),
    )  # fmt: skip
    verdict = Verdict.hold if recipe.placement.high_stakes else Verdict.release
    if verdict is Verdict.hold:  # what a person has yet to decide is not shown meanwhile
        slots = fallback
    elif ask.items is not None:
        slots = _with_the_rest(slots, ranked, limit)
    slots, defaults = _fill(recipe, ask, slots, limit, moment, shelf, taken, faults)
    return Decision(recipe, ask, scored, ranked, slots, removed, verdict, defaults, tuple(faults))


def _guarded(what: str, faults: list[str], fallback: T, run: Callable[[], T]) -> T:
    """Run a plug-in. One that fails costs its own contribution, never the decision; the receipt says so."""
    try:
        return run()
    except TactfulError:
        raise  # an error of ours names the fix: it belongs to the caller
    except Exception as failure:  # noqa: BLE001 - a plug-in may fail in any way
        faults.append(f"{what}: {type(failure).__name__}: {failure}")
        return fallback


def _checked_evidence(evidence: Evidence, size: int) -> Evidence:
    """The evidence, if it speaks of items that there are."""
    if len(evidence.rows) and not 0 <= evidence.rows.min() <= evidence.rows.max() < size:
        raise ValueError(f"it proposed rows outside the catalogue's 0 to {size - 1}")
    return evidence


def _checked_mask(mask: Mask, count: int) -> Mask:
    """The mask, if it says yes or no to each row: what a guard forgot to judge is not permitted."""
    if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.shape != (count,):
        raise ValueError(f"it did not answer with bool[{count}], one for each row")
    return mask


def _checked_slots(slots: Slots, ranked: Ranked, limit: int) -> Slots:
    """The slots, if they hold permitted items, each once, at most so many, each with its odds."""
    count, rows = len(slots.rows), set(slots.rows.tolist())
    given = rows.issubset(ranked.rows[:256].tolist()) or rows.issubset(
        ranked.rows.tolist()
    )  # nearly always the first will do
    if count > limit or len(rows) < count or not given:
        raise ValueError("it filled slots with items that it was not given, or with too many, or with one twice")
    if slots.odds.shape != slots.rows.shape or not np.all((slots.odds > 0) & (slots.odds <= 1)):
        raise ValueError("it did not say for each slot with what odds, above 0 and at most 1, it was filled")
    return slots


def _propose(recipe: Recipe, ask: Ask, view: View, shelf: Shelf, faults: list[str]) -> Scored:
    size = len(shelf.catalogue)
    evidence = _guarded(
        f"strategy of {recipe.name}", faults, NO_EVIDENCE,
        lambda: _checked_evidence(recipe.strategy.propose(view, ask, shelf), size),
    )  # fmt: skip
    if recipe.placement.asked:
        evidence = _impartial(evidence, view, shelf.catalogue)
    if ask.items is None:
        return Scored.of(evidence, size)
    # Ranking: the caller's candidates, in the caller's order where nothing is known about them.
    wanted = shelf.catalogue.rows(dict.fromkeys(ask.items))
    place = np.full(size, -1, np.int32)
    place[wanted] = np.arange(len(wanted), dtype=np.int32)
    target = place[evidence.rows]
    inside = target >= 0
    narrowed = evidence.only(inside)
    if ask.scores is not None:
        narrowed = _beside(narrowed, _given(ask, shelf.catalogue), recipe.placement.given)
    target = place[narrowed.rows]
    pieces = narrowed.base * narrowed.weight[narrowed.source]
    return Scored(wanted, add_up(target, pieces, len(wanted)), narrowed, target)


def _impartial(evidence: Evidence, view: View, catalogue: Catalogue) -> Evidence:
    """The evidence without what is known about the person, as far as it speaks for something sensitive.

    Where such an item may be shown because it was typed by name, nothing else about the person may move it.
    """
    shut = catalogue.shut(evidence.rows, view.sensitive)
    about = np.array([source.kind in PERSONAL for source in evidence.sources], bool)
    return evidence.only(~(shut & about[evidence.source])) if shut.any() else evidence


def _given(ask: Ask, catalogue: Catalogue) -> Evidence:
    """The caller's own scores as evidence: each candidate's share of them all."""
    scores = dict(
        reversed(list(zip(ask.items or (), ask.scores or (), strict=True)))
    )  # of two for one item the first counts
    size = len(catalogue)
    known = [
        (row, score) for item, score in scores.items() if (row := catalogue.index.get(item, size)) < size and score > 0
    ]
    if not known:
        return NO_EVIDENCE
    rows = np.array([row for row, _ in known], np.int32)
    share = np.array([score for _, score in known]) / max(
        score for _, score in known
    )  # first: the sum may be beyond all numbers
    one, zero = np.ones(1), np.zeros(1, np.int32)
    base = (share / share.sum()).astype(np.float32)
    return Evidence(rows, np.zeros(len(rows), np.int32), base, (GIVEN,), zero, one, one, np.ones(1, np.int32), zero)


def _beside(own: Evidence, given: Evidence, weight: float) -> Evidence:
    """The recipe's evidence and the caller's, each as shares of this list, in the proportion that the placement declares."""
    whole = float((own.base * own.weight[own.source]).sum())
    parts = [((1.0 - weight) / whole, own)] if whole > 0 else []
    return Evidence.blend([*parts, (weight if parts else 1.0, given)])


def _permit(
    recipe: Recipe, scored: Scored, ask: Ask, moment: Moment, shelf: Shelf, taken: Sequence[int], faults: list[str]
) -> tuple[Mask, tuple[Removal, ...]]:
    """Which candidates may be shown: those that no guard, nor the caller, nor an earlier placement takes away."""
    catalogue, rows = shelf.catalogue, scored.rows
    # What only a source beyond its window speaks for is no candidate. (When ranking, all that was brought is.)
    kept = np.ones(len(rows), bool) if ask.items is not None or scored.evidence is NO_EVIDENCE else scored.scores > 0
    removed: list[Removal] = []

    def apply(by: str, why: str, mask: Mask, personal: bool = False) -> None:
        nonlocal kept
        gone = kept & ~mask
        count = int(np.count_nonzero(gone))
        if count:
            places = np.flatnonzero(gone)
            best = places[np.argsort(-scored.scores[places], kind="stable")[:REMOVED_NAMED]]
            removed.append(Removal(by, why, count, tuple(catalogue.ids[rows[place]] for place in best), personal))
            kept = kept & mask

    out = catalogue.rows([*ask.exclude, *([ask.item] if ask.item else [])])
    if len(out):
        apply("caller", "the request excludes it", ~chosen(rows, out, len(catalogue)))
    if len(taken):
        apply("page", "it already stands on this page", ~chosen(rows, np.array(taken, np.int32), len(catalogue)))
    for name, guard in recipe.guards.items():
        nothing = np.zeros(len(rows), bool)
        before = len(faults)
        mask = _guarded(
            f"guard {name}", faults, nothing,
            lambda g=guard: _checked_mask(g.permit(rows, catalogue, moment), len(rows)),  # type: ignore[misc]
        )  # fmt: skip
        failed = len(faults) > before
        why = "the guard failed, and a guard that fails permits nothing" if failed else guard.why
        apply(name, why, mask, guard.personal)
    return kept, tuple(removed)


def permitted(recipe: Recipe, rows: Rows, moment: Moment, shelf: Shelf) -> Mask:
    """bool[n]: which of the rows int32[n] the guards of a placement let through, for what is shown without a decision."""
    scored = Scored(rows, np.zeros(len(rows)), NO_EVIDENCE, np.empty(0, np.int32))
    return _permit(recipe, scored, Ask(recipe.name), moment, shelf, (), [])[0]


def _rank(scored: Scored, kept: Mask) -> Ranked:
    """Permitted candidates, best first; equal scores keep the order of proposal, which is that of the caller when ranking."""
    index = np.flatnonzero(kept)
    order = np.argsort(-scored.scores[index], kind="stable")
    index = index[order]
    return Ranked(scored.rows[index], scored.scores[index], index)


def _with_the_rest(slots: Slots, ranked: Ranked, limit: int) -> Slots:
    """A ranking keeps all that was brought and is permitted: what the arranger passed over comes last, best first."""
    rest = ranked.rows[~np.isin(ranked.rows, slots.rows)][: limit - len(slots.rows)]
    if not len(rest):
        return slots
    return Slots(np.concatenate([slots.rows, rest]), np.concatenate([slots.odds, np.ones(len(rest))]))


def _fill(
    recipe: Recipe,
    ask: Ask,
    slots: Slots,
    limit: int,
    moment: Moment,
    shelf: Shelf,
    taken: Sequence[int],
    faults: list[str],
) -> tuple[Slots, int]:
    """Fill a page that ran short from the placement's default list, itself permitted."""
    if len(slots.rows) >= limit or not recipe.placement.default or ask.items is not None:
        return slots, 0
    rows = shelf.catalogue.rows(dict.fromkeys(recipe.placement.default))
    scored = Scored(rows, np.zeros(len(rows)), NO_EVIDENCE, np.empty(0, np.int32))
    kept, _ = _permit(recipe, scored, ask, moment, shelf, [*taken, *slots.rows.tolist()], faults)
    more = rows[kept][: limit - len(slots.rows)]
    return Slots(np.concatenate([slots.rows, more]), np.concatenate([slots.odds, np.ones(len(more))])), len(more)
