"""Taking a stated reason away and deciding again: does the item fall? For any shop, any placement, any recipe.

Nothing here is a test. `Tally.of(cases(shop, people, Ask(placement)))` is what a test looks at.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct, structs

from tactful.domain.decision import PERSONAL, Ask, Source
from tactful.domain.profile import Profile
from tactful.domain.receipt import Shown
from tactful.domain.view import Moment
from tactful.flow.decide import Decision, decide
from tactful.sample.readers import Reader, readers
from tests.shop import NOW, SEED, Shop

TRAITS = {"told": "declared", "obtained": "obtained", "inferred": "inferred"}


def without_reasons(profile: Profile, sources: Iterable[Source]) -> Profile:
    """The profile if the things that are stated as reasons had never been."""
    for source in sources:
        profile = without_reason(profile, source)
    return profile


def without_reason(profile: Profile, source: Source) -> Profile:
    """The profile if the thing that a reason names had never been: no act on the item, or no such trait."""
    if source.kind == "history":
        return structs.replace(profile, observed=tuple(act for act in profile.observed if act.item != source.key))
    field = TRAITS[source.kind]
    kept = {name: trait for name, trait in getattr(profile, field).items() if name != source.key}
    return structs.replace(profile, **{field: kept})


def decide_with(shop: Shop, profile: Profile, person: str, ask: Ask) -> Decision:
    """What would be decided for this person if this were their profile."""
    recipe, shelf = shop.engine.recipes[ask.placement], shop.engine.shelf()
    placement = recipe.placement
    now = shop.engine.shell.now()
    ask = structs.replace(ask, at=now)
    view = shop.engine.view(
        profile, shop.engine.consent(person), placement.purpose, placement.surface, now, shelf.catalogue
    )
    shop.dice.seed(SEED)
    return decide(recipe, ask, view, Moment.of(view, ask.context, now), shelf, shop.dice)


def places_among(decision: Decision, permitted: np.ndarray, row: int) -> tuple[int, int] | None:
    """First and last place, among these rows, that the row's score can stand for (equal scores share places); None: no candidate."""
    scores = dict(zip(decision.scored.rows.tolist(), decision.scored.scores.tolist(), strict=True))
    own = scores.get(row, 0.0)
    if own <= 0:
        return None
    others = np.array([scores.get(other, 0.0) for other in permitted.tolist() if other != row])
    return 1 + int(np.sum(others > own * (1 + 1e-9))), 1 + int(np.sum(others > own * (1 - 1e-9)))


class Case(Struct):
    """One stated personal reason: where the item stood, where the receipt says it would have stood, where it really did."""

    shown: Shown
    really: tuple[int, int] | None

    @property
    def outcome(self) -> str:
        """What became of the item without the reason."""
        if self.really is None:
            return "gone"
        if self.really[0] > self.shown.rank:
            return "fell"
        return "first and stays first" if self.shown.rank == 1 else "did not fall"


def cases(shop: Shop, people: int | Sequence[Reader], ask: Ask) -> Iterator[Case]:
    """All stated personal reasons of one decision for each of these simulated readers, or of so many. They live in the shop first;
    every third says what they like."""
    crowd = readers(people, 11, NOW) if isinstance(people, int) else people
    for number, reader in enumerate(crowd):
        if reader.child:
            continue
        shop.live(reader)
        if number % 3 == 0:
            shop.tells(reader.id, interests=list(reader.tastes))
        answer, profile = shop.decide(reader.id, ask), shop.engine.profile(reader.id)
        assert not answer.receipt.faults, answer.receipt.faults
        again: dict[frozenset[tuple[str, str]], Decision] = {}
        for shown in answer.receipt.shown:
            sources = [piece.source for piece in shown.contributions[: shown.stated]]
            if not sources or sources[0].kind not in PERSONAL:
                continue
            key = frozenset((source.kind, source.key) for source in sources)
            if key not in again:
                again[key] = decide_with(shop, without_reasons(profile, sources), reader.id, ask)
            row = answer.catalogue.index[shown.item]
            yield Case(shown, places_among(again[key], answer.decision.ranked.rows, row))


class Tally(Struct):
    """How many reasons were stated, and what became of the items without them."""

    outcomes: Counter[str]

    @staticmethod
    def of(found: Iterable[Case]) -> "Tally":
        """Count."""
        return Tally(Counter(case.outcome for case in found))

    @property
    def reasons(self) -> int:
        """How many."""
        return self.outcomes.total()

    @property
    def share(self) -> float:
        """Of how many the item falls, 0 to 1."""
        return (self.outcomes["gone"] + self.outcomes["fell"]) / max(1, self.reasons)

    @property
    def words(self) -> str:
        """For the screen."""
        return f"{self.reasons:,} stated reasons; without it the item falls in {self.share:.1%} ({dict(self.outcomes)})"
