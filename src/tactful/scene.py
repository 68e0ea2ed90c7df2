"""Who asks, when, and what may be chosen from: loaded once, so that all decisions of a page see one state."""

from collections.abc import Mapping

from msgspec import Struct, field, structs

from tactful.domain.charter import Charter
from tactful.domain.consent import Consent, Dial
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput
from tactful.domain.event import Value
from tactful.domain.profile import Profile
from tactful.domain.view import Moment, View
from tactful.flow.decide import Considered, Decision, OnPage, Recipe, choose, consider
from tactful.flow.explain import about_person
from tactful.flow.gate import view_of
from tactful.ports import Dice, Shelf


class Look(Struct, frozen=True):
    """A placement half decided, with the View and the Moment that it was considered under."""

    considered: Considered
    view: View
    moment: Moment

    def moved(self) -> bool:
        """Whether anything about the person spoke for what may be shown, or took something away: then its value is theirs, not everybody's."""
        considered = self.considered
        less = not self.view.empty and any(removal.personal for removal in considered.removed)
        return less or about_person(considered.scored, considered.kept)


class Scene(Struct, frozen=True):
    """One person (None: somebody unknown) at one moment, in front of one state of the shelf. now: ms since 1970; began: by the
    shell's other clock, in seconds."""

    person: str | None
    consent: Consent
    profile: Profile
    shelf: Shelf
    charter: Charter
    now: int
    context: Mapping[str, Value]
    began: float = 0.0
    _views: dict[tuple[str, str], View] = field(default_factory=dict)

    def view(self, purpose: str, surface: str) -> View:
        """What may be read for this purpose, on this surface: the only way from a profile to a View. Cut once a scene, opened anew each time."""
        found = self._views.get((purpose, surface))
        if found is None:
            found = self._views[purpose, surface] = view_of(
                self.profile, self.consent, self.charter, purpose=purpose, surface=surface, now=self.now,
                telling=self.shelf.catalogue.telling(self.consent.sensitive),
            )  # fmt: skip
        return found.again()

    def consider(self, recipe: Recipe, ask: Ask) -> Look:
        """propose → permit."""
        ask = structs.replace(ask, context={**self.context, **ask.context}, at=self.now)
        view = self.view(recipe.placement.purpose, recipe.placement.surface)
        moment = Moment.of(view, ask.context, self.now, ask.query)
        return Look(consider(recipe, ask, view, moment, self.shelf), view, moment)

    def choose(self, look: Look, dice: Dice, page: OnPage | None = None) -> Decision:
        """arrange → review."""
        return choose(look.considered, look.moment, self.shelf, dice, page)

    def with_dial(self, dial: Dial) -> "Scene":
        """The same, with the person's dial at another level, at most at its own. Raises BadInput."""
        own = self.consent.dial
        if dial > own:
            raise BadInput(
                field="dial",
                why=f"the dial stands at {own.words!r}, and what a higher level would use has not been kept",
                fix=f"Choose {own.name} or a lower level",
            )
        return structs.replace(self, consent=structs.replace(self.consent, dial=dial), _views={})

    def known(self, look: Look) -> bool:
        """Whether the receipt names the person: then it opens for them alone, and goes with them."""
        return self.person is not None and look.view.dial > Dial.off

    def lasts(self, look: Look) -> bool:
        """Whether the receipt is kept for long and may be heard of elsewhere. What a search found nearly says what was typed, and
        that is not kept: its receipt is there for the person to ask why, and for nothing else."""
        return self.known(look) and not look.considered.ask.query
