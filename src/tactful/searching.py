"""A search, from what was typed to what is shown; and what to suggest while it is typed."""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct, structs

from tactful.domain.catalogue import Mask, Rows
from tactful.domain.consent import NOBODY
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput, NoSearch
from tactful.domain.event import Value
from tactful.domain.profile import UNKNOWN
from tactful.domain.spelling import words_of
from tactful.domain.view import Moment
from tactful.engine import Answer, Engine
from tactful.flow.decide import Decision, Recipe, permitted
from tactful.ports import SearchIndex, Shelf, Strategy
from tactful.stores.missed import Missed
from tactful.strategies.search import Search

QUERY_MOST = 200
"""Longest query, in characters."""
MENDED_FROM = 1_000
"""Among so many items with a word it is looked for one that may be shown, before the word is said to somebody who did not type it."""


class Found(Struct, frozen=True):
    """What a search found. mended: the query as it was searched for, if a typing mistake was mended, or "". It holds no word that is
    only in what may not be shown.

    count: items that match and may be shown. anything: whether any item matched at all.
    """

    answer: Answer
    query: str
    mended: str
    count: int
    anything: bool


def search(
    engine: Engine, missed: Missed | None, person: str | None, ask: Ask, context: Mapping[str, Value] | None = None
) -> Found:
    """Find what was typed (`ask.query`), in the person's order as far as the placement and they allow it.

    missed: told if nothing was found; None: nobody is. Raises UnknownPlacement, BadInput, NoSearch, SearchNotReady.
    """
    _recipe(engine, ask.placement)
    index = _index(engine.shelf())
    meant = index.mend(ask.query)
    answer = engine.decide(person, [ask], context)[0]
    found, anything = _found(answer.decision)
    if missed is not None and not anything and not answer.decision.faults:
        _note(engine, missed, person, ask.query)
    return Found(answer, ask.query, meant if _sayable(meant, ask.query, found, index) else "", len(found), anything)


def _sayable(meant: str, query: str, found: set[int], index: SearchIndex) -> bool:
    """Whether the query was mended, and each word that was stands in something that was found and may be shown (rows)."""
    typed = words_of(query)
    mended = [word for word in words_of(meant) if word not in typed]
    return bool(mended and found) and all(
        any(row in found for row, _ in index.find(f"{word} ", MENDED_FROM)) for word in mended
    )


def _note(engine: Engine, missed: Missed, person: str | None, query: str) -> None:
    """Count somebody who found nothing. A name under which nobody ever said what they allow is one that anybody can make up."""
    now = engine.shell.now()
    known = None if person is None else engine.people.who(person, now)
    consent = NOBODY if known is None else engine.consent(known)
    missed.note(query, known if consent.version else None, now, consent.since)


def suggest(
    engine: Engine,
    person: str | None,
    placement: str,
    prefix: str,
    most: int,
    context: Mapping[str, Value] | None = None,
) -> list[str]:
    """How what is typed could go on: titles, authors, subjects of what the placement may show, most fitting first.

    From the catalogue alone: never from what others typed, nor from what the person did; never from anything sensitive, whatever
    they turned on. Of the person it is only read whether they are a child. Raises UnknownPlacement, BadInput, NoSearch, SearchNotReady.
    """
    recipe, scene = _recipe(engine, placement), engine.scene(person, context)
    shelf, place = scene.shelf, recipe.placement
    view = structs.replace(scene, profile=UNKNOWN, _views={}).view(place.purpose, place.surface)
    moment = structs.replace(Moment.of(view, scene.context, scene.now), sensitive=frozenset())

    def permit(rows: Rows) -> Mask:
        return permitted(recipe, rows, moment, shelf) & ~shelf.catalogue.shut(rows, ())

    return _index(shelf).suggest(prefix, most, permit)


def _recipe(engine: Engine, placement: str) -> Recipe:
    """The recipe of a placement that searches. Raises UnknownPlacement, BadInput."""
    recipe = engine.recipe(placement)
    if not _searches(recipe.strategy):
        why = f"the recipe of {placement!r} does not search"
        raise BadInput(field="placement", why=why, fix="Ask for one that uses the strategy `search`")
    return recipe


def _index(shelf: Shelf) -> SearchIndex:
    if shelf.search is None:
        raise NoSearch
    return shelf.search


def _searches(strategy: Strategy) -> bool:
    """Whether it searches, or a part of it does."""
    return isinstance(strategy, Search) or any(_searches(part) for part in strategy.parts())


def _found(decision: Decision) -> tuple[set[int], bool]:
    """The rows that match the query and may be shown, and whether any matches at all."""
    scored = decision.scored
    typed = np.array([source.kind == "query" for source in scored.evidence.sources], bool)
    places = np.unique(scored.place[typed[scored.evidence.source]])
    return set(scored.rows[np.intersect1d(places, decision.ranked.index)].tolist()), bool(len(places))
