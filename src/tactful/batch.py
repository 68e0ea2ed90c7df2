"""Lists made ahead for each person: chosen now, kept as an inferred trait, and asked about consent once more when they are opened."""

from collections import Counter
from collections.abc import Callable, Iterator

from msgspec import Struct, structs

from tactful.domain.consent import Consent, Dial
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput
from tactful.domain.event import Inferred
from tactful.engine import Engine
from tactful.flow.decide import Recipe
from tactful.flow.explain import about_person
from tactful.flow.gate import Refused
from tactful.flow.readmit import allowed_now
from tactful.ports import Record

AT_ONCE = 500
"""Lists written together."""
TAKEN_BACK = "something was taken back while it was made"
NOTHING_KNOWN = "nothing is known that could make a list their own"


class Filled(Struct, frozen=True):
    """What became of one placement's lists. left_out: people without one, by the reason."""

    placement: str
    made: int
    left_out: dict[str, int]


def placements_in(engine: Engine, names: tuple[str, ...] = ()) -> list[Recipe]:
    """The placements whose lists are made ahead: these, or all there are. Raises UnknownPlacement, BadInput."""
    found = [engine.recipe(name) for name in names] or [one for one in engine.recipes.values() if one.maker is not None]
    for recipe in found:
        if recipe.maker is None:
            raise BadInput(
                field=recipe.name,
                why="it decides at the moment of asking",
                fix='Give it `batch = "TRAIT"` in tactful.toml to make its lists ahead',
            )
    return found


def fill(engine: Engine, recipe: Recipe, told: Callable[[int], None] = lambda count: None) -> Filled:
    """Make this placement's list for everybody who lets us remember. told: called with the number of people looked at."""
    people, left_out = 0, Counter[str]()
    waiting: list[tuple[str, Inferred]] = []
    for people, person in enumerate(_remembered(engine), 1):
        found = list_for(engine, recipe, person)
        if isinstance(found, Refused):
            left_out[found.why] += 1
        else:
            waiting.append((person, found))
        if len(waiting) >= AT_ONCE:
            left_out.update(_write(engine, waiting))
            waiting = []
        told(people)
    left_out.update(_write(engine, waiting))
    return Filled(recipe.name, people - left_out.total(), dict(left_out.most_common()))


def _write(engine: Engine, lists: list[tuple[str, Inferred]]) -> Counter[str]:
    """Keep lists (person, list) as far as the person allows it now: others waited with them, and minds were changed meanwhile. Answers
    with how many were not kept, by the reason."""
    engine.people.refresh()
    still, left_out = [], Counter[str]()
    for person, found in lists:
        consent = engine.people.effective(person)
        allowed = allowed_now(found, engine.charter, consent)
        if isinstance(allowed, Refused):
            left_out[allowed.why] += 1
        elif found.at < consent.since or engine.people.took_back(
            person, found.at
        ):  # forgotten and here again, or in part
            left_out[TAKEN_BACK] += 1
        else:
            still.append(Record(person, found.data, (allowed,), engine.keep_until(found.data, found.kept)))
    if still:
        engine.stores.events.append(still).wait()
    return left_out


def list_for(engine: Engine, recipe: Recipe, person: str) -> Inferred | Refused:
    """The list that this person gets, as it is to be kept; or why they get none.

    It is for the one purpose that it was made for: whatever went into it may be for no other.
    """
    assert recipe.maker is not None
    scene = engine.scene(person)
    look = scene.consider(structs.replace(recipe, strategy=recipe.maker, fallback=None), Ask(recipe.name))
    if not about_person(look.considered.scored, look.considered.kept):
        return Refused(NOTHING_KNOWN)
    chosen = scene.choose(look, engine.shell.dice).slots.rows.tolist()
    trait = recipe.placement.batch
    data = engine.charter.of_trait["inferred", trait]
    evidence = "chosen from what you did here and what you told us"
    kept = Inferred(
        f"{recipe.name}@{scene.now}", scene.now, trait, [scene.shelf.catalogue.ids[row] for row in chosen], data,
        (recipe.placement.purpose,), evidence, scene.now,
    )  # fmt: skip
    allowed = allowed_now(kept, engine.charter, scene.consent)
    return allowed if isinstance(allowed, Refused) else structs.replace(kept, purposes=allowed.purposes)


def _remembered(engine: Engine) -> Iterator[str]:
    """The names of everybody whose dial lets us remember them, each once: old names and devices are their person's."""
    engine.people.refresh()
    now = engine.shell.now()
    for _, changes in engine.stores.consents.everybody():
        person = changes[-1].person
        if person and Consent.of(changes).dial is Dial.remember and engine.people.who(person, now) == person:
            yield person
