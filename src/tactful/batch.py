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
    made, left_out = 0, Counter[str]()
    waiting: list[Record] = []
    for number, person in enumerate(_remembered(engine), 1):
        found = list_for(engine, recipe, person)
        if isinstance(found, Refused):
            left_out[found.why] += 1
        else:
            made += 1
            waiting.append(Record(person, found.data, (found,), engine.keep_until(found.data, found.kept)))
        if len(waiting) >= AT_ONCE:
            _write(engine, waiting)
            waiting = []
        told(number)
    _write(engine, waiting)
    return Filled(recipe.name, made, dict(left_out.most_common()))


def _write(engine: Engine, lists: list[Record]) -> None:
    """Keep lists, but of nobody who was forgotten or turned the dial down while they were made."""
    engine.people.refresh()
    still = [one for one in lists if engine.people.consent(one.person).dial is Dial.remember]
    if still:
        engine.stores.events.append(still).wait()


def list_for(engine: Engine, recipe: Recipe, person: str) -> Inferred | Refused:
    """The list that this person gets, as it is to be kept; or why they get none."""
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
        engine.charter.data[data].purposes, evidence, scene.now,
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
