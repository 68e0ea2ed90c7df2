"""Why is this one not there? Read off a decision made anew, with the guards asked about this one item."""

from collections.abc import Collection

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import Removal, Verdict
from tactful.domain.mutes import keys_in, rows_of
from tactful.domain.receipt import Contribution
from tactful.domain.view import Moment
from tactful.domain.words import Words
from tactful.flow.decide import FAILED, Decision, checked_mask, guarded
from tactful.flow.explain import contributions
from tactful.flow.wording import MUTED, muted, named, reason, removed


class WhyNot(Struct, frozen=True):
    """kind: `unknown` (not in the catalogue), `about` (the page is about it), `excluded` (by the caller), `on_page`, `held` (a person
    decides first), `removed` (by a guard), `nothing` (speaks for it), `ranked` (behind all that are shown), `passed` (before one that is
    shown: variety or chance), `shown`.

    guard, why: by which guard and its reason. muted: what the person muted that it has, as `attribute:value`. place: its slot if it is
    shown, else its rank among so many (count) permitted ones, from 1. speaks: what speaks for it. last: the lowest in rank of those
    shown; more: that of which it has most more than this one. faults: guards that failed at this item.
    """

    item: str
    kind: str
    guard: str = ""
    why: str = ""
    muted: str = ""
    place: int = 0
    count: int = 0
    speaks: tuple[Contribution, ...] = ()
    last: str = ""
    more: Contribution | None = None
    faults: tuple[str, ...] = ()


def why_not(decision: Decision, item: str, moment: Moment, catalogue: Catalogue, taken: Collection[int] = ()) -> WhyNot:
    """Why a decision does not show an item, or that it does. taken: rows that stood on the page already. Pure."""
    ask, row = decision.ask, catalogue.index.get(item)
    if row is None or catalogue.get(item) is None:
        return WhyNot(item, "unknown")
    if decision.verdict is Verdict.hold:
        return WhyNot(item, "held")
    slots = decision.slots.rows.tolist()
    if row in slots:
        return WhyNot(item, "shown", place=1 + slots.index(row))
    for kind, out in (("about", item == ask.item), ("excluded", item in ask.exclude), ("on_page", row in taken)):
        if out:
            return WhyNot(item, kind)
    return _guarded(decision, item, row, moment, catalogue) or _outranked(decision, item, row, catalogue)


def _guarded(decision: Decision, item: str, row: int, moment: Moment, catalogue: Catalogue) -> WhyNot | None:
    """The first guard that does not permit it. One that fails permits nothing."""
    alone = np.array([row], np.int32)
    for name, guard in decision.recipe.guards.items():
        faults: list[str] = []
        permitted = guarded(
            f"guard {name}", faults, np.zeros(1, bool),
            lambda g=guard: checked_mask(g.permit(alone, catalogue, moment), 1),  # type: ignore[misc]
        )  # fmt: skip
        if not permitted[0]:
            keys = keys_in(moment.value(MUTED)) if name == MUTED and not faults else []
            key = next((key for key in keys if row in rows_of(key, catalogue)), "")
            return WhyNot(item, "removed", name, FAILED if faults else guard.why, key, faults=tuple(faults))
    return None


def _outranked(decision: Decision, item: str, row: int, catalogue: Catalogue) -> WhyNot:
    """It may be shown, and something else was: where it stands, and what one that is shown has more."""
    ranked = decision.ranked
    found = np.flatnonzero(ranked.rows == row)
    if not len(found):
        return WhyNot(item, "nothing")
    place, count = int(found[0]), len(ranked.rows)
    speaks = contributions(decision, [int(ranked.index[place])])[0]
    if not speaks:
        return WhyNot(item, "nothing")
    chosen = decision.slots.rows[: len(decision.slots.rows) - decision.defaults]
    ranks = np.flatnonzero(np.isin(ranked.rows, chosen))
    if not len(ranks):
        return WhyNot(item, "ranked", place=1 + place, count=count, speaks=speaks)
    lowest = int(ranks[-1])
    last = catalogue.ids[int(ranked.rows[lowest])]
    if lowest > place:
        return WhyNot(item, "passed", place=1 + place, count=count, speaks=speaks, last=last)
    more = _more(contributions(decision, [int(ranked.index[lowest])])[0], speaks)
    return WhyNot(item, "ranked", place=1 + place, count=count, speaks=speaks, last=last, more=more)


def _more(theirs: tuple[Contribution, ...], own: tuple[Contribution, ...]) -> Contribution | None:
    """That of which they have most more."""
    amounts = {(piece.source.kind, piece.source.key): piece.amount for piece in own}

    def ahead(piece: Contribution) -> float:
        return piece.amount - amounts.get((piece.source.kind, piece.source.key), 0.0)

    best = max(theirs, key=ahead, default=None)
    return best if best is not None and ahead(best) > 0 else None


def in_words(found: WhyNot, catalogue: Catalogue, words: Words) -> str:
    """The answer as the person reads it."""
    if found.muted:
        return muted(found.muted, catalogue, words)
    if found.kind == "removed":
        why = removed(Removal(found.guard, found.why, 1), words)
        return words.say("why_not.removed", why=why)
    said = [words.say(f"why_not.{found.kind}", place=found.place, count=found.count)]
    if found.speaks:
        why = reason(found.speaks[0].source, found.item, catalogue, words)
        said.append(words.say("why_not.speaks", why=why))
    if found.more is not None:
        name = named(found.last, catalogue, words)
        why = reason(found.more.source, found.last, catalogue, words)
        said.append(words.say("why_not.more", name=name, why=why))
    return " ".join(said)
