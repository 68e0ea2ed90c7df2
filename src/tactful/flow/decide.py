"""propose → permit → arrange → review: the only file that knows the order."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from tactful.domain.catalogue import Catalogue, Mask, Rows, chosen
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Removal, Scored, Slots, Verdict, add_up
from tactful.domain.errors import TactfulError
from tactful.domain.placement import Placement
from tactful.domain.view import Moment, View
from tactful.flow.weigh import beside, given_evidence, impartial
from tactful.ports import Arranger, Dice, Guard, Shelf, Strategy

REMOVED_NAMED = 20
"""How many of the items that a guard removed are named in the receipt, best first; all are counted."""

STANDS = "it already stands on this page"
FAILED = "the guard failed, and a guard that fails permits nothing"
"""Why items are gone that a broken guard should have judged."""
SOFTLY = 1e-6
"""What a fallback's evidence counts: enough to fill a page that runs short, never enough to pass what the strategy said."""
PLENTY = 3
"""A strategy with fewer permitted candidates than so many pages' worth may run short once other placements have chosen."""

T = TypeVar("T")


class Recipe(Struct, frozen=True):
    """A placement with its parts ready to run.

    guards: by name, the charter's own first. fingerprint: of all settings. fallback: speaks, very softly, where the strategy has too
    little to say. maker: where lists are made ahead, the strategy that makes them; `strategy` then shows the list.
    """

    name: str
    placement: Placement
    strategy: Strategy
    guards: Mapping[str, Guard]
    arranger: Arranger
    fingerprint: str = ""
    fallback: Strategy | None = None
    maker: Strategy | None = None

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """All that may propose here, now or ahead of time."""
        return tuple(one for one in (self.strategy, self.maker, self.fallback) if one is not None)


class Ranked(Struct, frozen=True):
    """Permitted candidates, best first: rows int32[n], scores float64[n], index int64[n] into the proposal's rows."""

    rows: Rows
    scores: NDArray[np.float64]
    index: NDArray[np.int64]


class Considered(Struct, frozen=True):
    """A placement half decided: its candidates, and kept bool[n]: which of them may be shown. faults: plug-ins that failed so far."""

    recipe: Recipe
    ask: Ask
    scored: Scored
    kept: Mask
    removed: tuple[Removal, ...]
    faults: tuple[str, ...]

    @property
    def limit(self) -> int:
        """How many are to be shown."""
        return self.recipe.placement.limit if self.ask.limit is None else self.ask.limit


class OnPage(Struct, frozen=True):
    """What stands on the page already. rows: of the catalogue; personal: whether anything about the person put them there."""

    rows: tuple[int, ...] = ()
    personal: bool = False


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
    recipe: Recipe, ask: Ask, view: View, moment: Moment, shelf: Shelf, dice: Dice, page: OnPage | None = None
) -> Decision:
    """Choose for one placement. page: what earlier placements of the same page show.

    Pure: the same arguments give the same decision. With an empty View it is the same for everybody.
    """
    return choose(consider(recipe, ask, view, moment, shelf), moment, shelf, dice, page)


def consider(recipe: Recipe, ask: Ask, view: View, moment: Moment, shelf: Shelf) -> Considered:
    """propose → permit: which items come into question, whatever else stands on the page."""
    faults: list[str] = []
    evidence = _unnamed(_evidence(recipe, recipe.strategy, ask, view, shelf, faults), recipe, moment, shelf)
    scored = _scored(evidence, ask, shelf.catalogue, recipe.placement.given)
    kept, removed = _permit(recipe, scored, ask, moment, shelf, faults)
    limit = recipe.placement.limit if ask.limit is None else ask.limit
    if recipe.fallback is not None and ask.items is None and np.count_nonzero(kept) < PLENTY * limit:
        softly = _unnamed(_evidence(recipe, recipe.fallback, ask, view, shelf, faults), recipe, moment, shelf)
        scored = _scored(Evidence.blend([(1.0, evidence), (SOFTLY, softly)]), ask, shelf.catalogue, 0.0)
        kept, removed = _permit(recipe, scored, ask, moment, shelf, faults)
    return Considered(recipe, ask, scored, kept, removed, tuple(faults))


def choose(considered: Considered, moment: Moment, shelf: Shelf, dice: Dice, page: OnPage | None = None) -> Decision:
    """arrange → review, of what was considered and does not stand on the page already."""
    recipe, ask, scored, limit = considered.recipe, considered.ask, considered.scored, considered.limit
    catalogue, page, faults = shelf.catalogue, page or OnPage(), list(considered.faults)
    free = standing_free(considered, page, len(catalogue))
    gone = considered.kept & ~free
    removed = (
        *considered.removed,
        *_removal("page", STANDS, scored, gone, catalogue, page.personal),
    )
    ranked = _rank(scored, considered.kept & free)
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
    slots, defaults, more = _fill(considered, slots, moment, shelf, page, faults)
    return Decision(recipe, ask, scored, ranked, slots, _together(removed, more), verdict, defaults, tuple(faults))


def standing_free(considered: Considered, page: OnPage, size: int) -> Mask:
    """bool[n]: which candidates do not stand on the page already. size: rows in the catalogue."""
    if not page.rows:
        return np.ones(len(considered.scored.rows), bool)
    return ~chosen(considered.scored.rows, np.array(page.rows, np.int32), size)


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


def _evidence(recipe: Recipe, strategy: Strategy, ask: Ask, view: View, shelf: Shelf, faults: list[str]) -> Evidence:
    evidence = _guarded(
        f"strategy of {recipe.name}", faults, NO_EVIDENCE,
        lambda: _checked_evidence(strategy.propose(view, ask, shelf), len(shelf.catalogue)),
    )  # fmt: skip
    return impartial(evidence, view, shelf.catalogue) if recipe.placement.asked else evidence


def _unnamed(evidence: Evidence, recipe: Recipe, moment: Moment, shelf: Shelf) -> Evidence:
    """The evidence, without the name of what the page is about or the cart holds, if the person may not see that: it would be a reason."""
    rows = shelf.catalogue.rows(dict.fromkeys(one.key for one in evidence.sources if one.kind == "item"))
    named = np.ones(len(rows), bool)
    for name in ("children", "availability") if len(rows) else ():
        if (guard := recipe.guards.get(name)) is not None:
            permit = partial(guard.permit, rows, shelf.catalogue, moment)
            named &= _guarded(name, [], np.zeros(len(rows), bool), permit)
    hidden = {shelf.catalogue.ids[row] for row in rows[~named].tolist()}
    if not hidden:
        return evidence
    sources = (
        structs.replace(one, key="") if one.kind == "item" and one.key in hidden else one for one in evidence.sources
    )
    return structs.replace(evidence, sources=tuple(sources))


def _scored(evidence: Evidence, ask: Ask, catalogue: Catalogue, given: float) -> Scored:
    """The candidates. given: how much the caller's own scores count, if there are any."""
    size = len(catalogue)
    if ask.items is None:
        return Scored.of(evidence, size)
    # Ranking: the caller's candidates, in the caller's order where nothing is known about them.
    wanted = catalogue.rows(dict.fromkeys(ask.items))
    place = np.full(size, -1, np.int32)
    place[wanted] = np.arange(len(wanted), dtype=np.int32)
    target = place[evidence.rows]
    inside = target >= 0
    narrowed = evidence.only(inside)
    if ask.scores is not None:
        narrowed = beside(narrowed, given_evidence(ask, catalogue), given)
    target = place[narrowed.rows]
    return Scored(wanted, add_up(target, narrowed.amounts(narrowed.weight), len(wanted)), narrowed, target)


def _permit(
    recipe: Recipe, scored: Scored, ask: Ask, moment: Moment, shelf: Shelf, faults: list[str]
) -> tuple[Mask, tuple[Removal, ...]]:
    """Which candidates may be shown: those that neither a guard nor the caller takes away."""
    catalogue, rows = shelf.catalogue, scored.rows
    # What only a source beyond its window speaks for is no candidate. (When ranking, all that was brought is.)
    kept = np.ones(len(rows), bool) if ask.items is not None or scored.evidence is NO_EVIDENCE else scored.scores > 0
    removed: list[Removal] = []

    def apply(by: str, why: str, mask: Mask, personal: bool = False) -> None:
        nonlocal kept
        removed.extend(_removal(by, why, scored, kept & ~mask, catalogue, personal))
        kept = kept & mask

    out = catalogue.rows([*ask.exclude, *([ask.item] if ask.item else [])])
    if len(out):
        apply("caller", "the request excludes it", ~chosen(rows, out, len(catalogue)))
    for name, guard in recipe.guards.items():
        nothing = np.zeros(len(rows), bool)
        before = len(faults)
        mask = _guarded(
            f"guard {name}", faults, nothing,
            lambda g=guard: _checked_mask(g.permit(rows, catalogue, moment), len(rows)),  # type: ignore[misc]
        )  # fmt: skip
        failed = len(faults) > before
        why = FAILED if failed else guard.why
        apply(name, why, mask, guard.personal)
    return kept, tuple(removed)


def permitted(recipe: Recipe, rows: Rows, moment: Moment, shelf: Shelf) -> Mask:
    """bool[n]: which of the rows int32[n] the guards of a placement let through, for what is shown without a decision."""
    scored = Scored(rows, np.zeros(len(rows)), NO_EVIDENCE, np.empty(0, np.int32))
    return _permit(recipe, scored, Ask(recipe.name), moment, shelf, [])[0]


def _removal(
    by: str, why: str, scored: Scored, gone: Mask, catalogue: Catalogue, personal: bool
) -> tuple[Removal, ...]:
    """What was taken away, the best of it by name; nothing, if nothing was."""
    places = np.flatnonzero(gone)
    if not len(places):
        return ()
    best = places[np.argsort(-scored.scores[places], kind="stable")[:REMOVED_NAMED]]
    names = tuple(catalogue.ids[scored.rows[place]] for place in best)
    return (Removal(by, why, len(places), names, personal),)


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
    considered: Considered, slots: Slots, moment: Moment, shelf: Shelf, page: OnPage, faults: list[str]
) -> tuple[Slots, int, tuple[Removal, ...]]:
    """Fill a page that ran short from the placement's default list, itself permitted: (slots, how many are defaults, what was taken from
    the list that was no candidate before)."""
    recipe, ask, limit, catalogue = considered.recipe, considered.ask, considered.limit, shelf.catalogue
    if len(slots.rows) >= limit or not recipe.placement.default or ask.items is not None:
        return slots, 0, ()
    rows, size = catalogue.rows(dict.fromkeys(recipe.placement.default)), len(catalogue)
    before = considered.scored
    known = chosen(rows, before.rows[before.scores > 0], size)  # what happens to these is told already
    removed: tuple[Removal, ...] = ()
    free = np.zeros(size, bool)
    for part, told in ((rows[known], False), (rows[~known], True)):
        if not len(part):
            continue
        scored = Scored(part, np.zeros(len(part)), NO_EVIDENCE, np.empty(0, np.int32))
        kept, taken = _permit(recipe, scored, ask, moment, shelf, faults)
        above = chosen(part, np.array(page.rows, np.int32), size)
        free[part[kept & ~above]] = True
        if told:
            removed = (*taken, *_removal("page", STANDS, scored, kept & above, catalogue, page.personal))
    free[slots.rows] = False
    more = rows[free[rows]][: limit - len(slots.rows)]
    filled = Slots(np.concatenate([slots.rows, more]), np.concatenate([slots.odds, np.ones(len(more))]))
    return filled, len(more), removed


def _together(removed: Sequence[Removal], more: Sequence[Removal]) -> tuple[Removal, ...]:
    """All that was taken away, what one guard took for one reason as one."""
    found = {(one.by, one.why): one for one in removed}
    for one in more:
        first = found.get((one.by, one.why))
        if first is not None:
            names = (*first.items, *one.items)[:REMOVED_NAMED]
            one = Removal(one.by, one.why, first.count + one.count, names, first.personal or one.personal)
        found[one.by, one.why] = one
    return tuple(found.values())
