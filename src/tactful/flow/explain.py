"""Decision → receipt, read off the evidence. What is said of it (`flow/wording.py`) is read off the receipt: true by construction."""

from collections.abc import Sequence
from itertools import chain, combinations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tactful.domain.catalogue import Catalogue, Mask, Rows
from tactful.domain.charter import Charter
from tactful.domain.consent import Consent
from tactful.domain.decision import PERSONAL, STATED_MOST, Placed, Scored, Source, add_up
from tactful.domain.receipt import Contribution, Receipt, Shown
from tactful.domain.view import View
from tactful.flow.decide import Decision
from tactful.ports import Shelf

CONTRIBUTIONS_NAMED = 3
"""How many sources of an item's score a receipt names, biggest first."""


class Stamp(Struct, frozen=True):
    """What a receipt needs from outside the decision. person: None where the person gave no consent to keep it. placed: where it
    stands, if it is a row of a page."""

    receipt: str
    at: int
    person: str | None
    placed: Placed | None = None


def explain(decision: Decision, view: View, shelf: Shelf, charter: Charter, consent: Consent, stamp: Stamp) -> Receipt:
    """The receipt of a decision."""
    shown = _shown(decision, shelf.catalogue)
    known = (
        stamp.person is not None
    )  # without consent a receipt says nothing about the person, not even the number of their consent
    placement = decision.recipe.placement
    return Receipt(
        id=stamp.receipt,
        at=stamp.at,
        placement=decision.recipe.name,
        purpose=placement.purpose,
        surface=placement.surface,
        person=stamp.person,
        dial=int(view.dial) if known else 0,
        consent_version=consent.version if known else 0,
        charter=charter.version,
        catalogue=shelf.catalogue.version,
        models={name: model.version for name, model in shelf.models.items()},
        recipe=decision.recipe.fingerprint,
        allowed=tuple(sorted(view.allowed)),
        opened=tuple(sorted(view.opened)),
        withheld=view.withheld if stamp.person else (),
        proposed=len(decision.ranked.rows) + sum(removal.count for removal in decision.removed),
        permitted=len(decision.ranked.rows),
        removed=decision.removed,
        shown=shown,
        verdict=decision.verdict,
        personal=any(piece.source.kind in PERSONAL for one in shown for piece in one.contributions) or _spoke(decision),
        placed=stamp.placed,
        faults=decision.faults,
        assumed=tuple(sorted(view.assumptions)),
        shaped=_shaped(decision, view, shelf.catalogue),
    )


def _shaped(decision: Decision, view: View, catalogue: Catalogue) -> tuple[str, ...]:
    """What about the person shaped the list without speaking for an item."""
    found = []
    if decision.recipe.arranger.personal and not view.empty:
        found.append("arranger")
    # Nobody else would have been shown what stands in a category that has to be turned on.
    if view.sensitive and catalogue.sensitivity[decision.ranked.rows].any():
        found.append("sensitive")
    return tuple(found)


def _spoke(decision: Decision) -> bool:
    """Whether something about the person spoke for an item that could be shown: also one that chance or variety passed over."""
    permitted = np.zeros(len(decision.scored.rows), bool)
    permitted[decision.ranked.index] = True
    return about_person(decision.scored, permitted)


def about_person(scored: Scored, permitted: Mask) -> bool:
    """Whether something about the person speaks for any of the permitted candidates bool[n]."""
    evidence = scored.evidence
    about = np.array([source.kind in PERSONAL for source in evidence.sources], bool) & (evidence.weight > 0)
    if not about.any():
        return False
    spoke = about[evidence.source]
    if evidence.steps:
        spoke &= evidence.amounts(evidence.weight) > 0
    return bool(permitted[scored.place[spoke]].any())


def _shown(decision: Decision, catalogue: Catalogue) -> tuple[Shown, ...]:
    slots, ranked, scored = decision.slots, decision.ranked, decision.scored
    chosen = len(slots.rows) - decision.defaults
    asked = _Counterfactuals(decision)
    ranks = _ranks(ranked.rows, slots.rows[:chosen].tolist())
    places = [int(ranked.index[rank - 1]) for rank in ranks]
    reasons, scores = contributions(decision, places), scored.scores[places].tolist()
    shown = []
    for slot, (row, odds) in enumerate(zip(slots.rows.tolist(), slots.odds.tolist(), strict=True)):
        name = catalogue.ids[row]
        if slot >= chosen:
            shown.append(Shown(name, 0.0, odds, 0, (Contribution(Source("default", "default"), 0.0, 1.0),), None, True))
            continue
        rank, place = ranks[slot], places[slot]
        pieces, without, stated = _stated(asked, place, rank, reasons[slot])
        shown.append(Shown(name, scores[slot], odds, rank, pieces, without, stated=stated))
    return tuple(shown)


def _stated(
    asked: "_Counterfactuals", place: int, rank: int, pieces: tuple[Contribution, ...]
) -> tuple[tuple[Contribution, ...], int | None, int]:
    """The contributions with those to state put first, the item's place without them, and how many they are.

    Stated is the biggest that the item would fall without. The very biggest may hold up the items above even more: take it away
    and this one rises, so that it would be no reason for its place. Nor is "many chose it" the reason to state, however much it
    counts, where the item would fall without something personal. Where each alone could go and it would stay, two are the reason together;
    and where those could go too, what is not personal is.
    """
    if not pieces or pieces[0].source.kind not in (*PERSONAL, "popular"):
        return pieces, None, 1
    about = [piece for piece in pieces if piece.source.kind in PERSONAL]
    others = [piece for piece in pieces if piece.source.kind not in PERSONAL]
    for stated in chain.from_iterable(combinations(about, count) for count in range(1, STATED_MOST + 1)):
        without = asked.rank(place, [piece.source for piece in stated])
        if without is None or without > rank:
            return (*stated, *(piece for piece in pieces if piece not in stated)), without, len(stated)
    if others:
        return (*others, *about), None, 1
    return pieces, asked.rank(place, [pieces[0].source]), 1


def _ranks(ranked: Rows, chosen: list[int]) -> list[int]:
    """The place of each chosen row among the ranked ones, from 1. Nearly always it is among the first."""
    first = {row: place for place, row in enumerate(ranked[: max(64, 2 * len(chosen))].tolist(), 1)}
    return [first.get(row) or 1 + int(np.flatnonzero(ranked == row)[0]) for row in chosen]


def contributions(decision: Decision, places: list[int]) -> list[tuple[Contribution, ...]]:
    """What made the score of each of these candidates (places among the proposed), the biggest few: one thing seen by two
    strategies counts once."""
    scored, evidence = decision.scored, decision.scored.evidence
    wanted = np.full(len(scored.rows), -1, np.int32)
    wanted[places] = np.arange(len(places), dtype=np.int32)
    slot_of = wanted[scored.place]
    pieces = np.flatnonzero(slot_of >= 0)
    source = evidence.source[pieces]
    amounts = evidence.amounts(evidence.weight)[pieces]
    by_slot: list[dict[tuple[str, str], _Sum]] = [{} for _ in places]
    sources = evidence.sources
    for slot, number, amount in zip(slot_of[pieces].tolist(), source.tolist(), amounts.tolist(), strict=True):
        one = sources[number]
        known = by_slot[slot].get((one.kind, one.key))
        if known is None:
            by_slot[slot][one.kind, one.key] = _Sum(amount, amount, one)
        else:
            known.whole += amount
            if amount > known.most:  # where two strategies speak of the same thing, the stronger one words the reason
                known.most, known.source = amount, one
    return [_strongest(list(by_key.values())) if by_key else () for by_key in by_slot]


class _Sum(Struct):
    whole: float
    most: float
    source: Source


def _strongest(sums: list[_Sum]) -> tuple[Contribution, ...]:
    whole = sum([one.whole for one in sums]) or 1.0
    sums.sort(key=lambda one: (-one.whole, one.source.key))
    named = [one for one in sums[:CONTRIBUTIONS_NAMED] if one.whole > 0]
    if not any(one.source.kind in PERSONAL for one in named):
        # That something personal counted is never left out, however little it was.
        first = next((one for one in sums[len(named) :] if one.whole > 0 and one.source.kind in PERSONAL), None)
        named = named if first is None else [*named[: CONTRIBUTIONS_NAMED - 1], first]
    return tuple([Contribution(one.source, one.whole, one.whole / whole) for one in named])


class _Counterfactuals:
    """Ranks in worlds where one thing had never happened; each world is worked out once a decision."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        scored = decision.scored
        # What is not permitted scores nothing in any world, and so stands above nobody.
        self._permitted = np.zeros(len(scored.rows))
        self._permitted[decision.ranked.index] = 1.0
        self._sources: dict[tuple[str, str], list[int]] = {}
        for number, source in enumerate(decision.scored.evidence.sources):
            self._sources.setdefault((source.kind, source.key), []).append(number)
        self._worlds: dict[frozenset[tuple[str, str]], NDArray[np.float64]] = {}

    def rank(self, place: int, things: Sequence[Source]) -> int | None:
        """Where the candidate would stand among the permitted ones without these things; None: it would not be a candidate."""
        keys = frozenset((source.kind, source.key) for source in things)
        scores = self._worlds.get(keys)
        scored = self.decision.scored
        if scores is None:
            evidence = scored.evidence
            pieces = evidence.amounts(evidence.without([number for key in keys for number in self._sources[key]]))
            scores = self._worlds[keys] = self._permitted * add_up(scored.place, pieces, len(scored.rows))
        own = scores[place]
        if own <= 0.0:
            return None
        return 1 + int(np.count_nonzero(scores > own))
