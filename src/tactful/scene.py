"""Who asks, when, and what may be chosen from: loaded once, so that all decisions of a page see one state."""

from collections.abc import Mapping

from msgspec import Struct, structs

from tactful.domain.charter import Charter
from tactful.domain.consent import Consent, Dial
from tactful.domain.decision import Ask
from tactful.domain.event import Value
from tactful.domain.profile import Profile
from tactful.domain.view import Moment, View
from tactful.flow.decide import Considered, Decision, OnPage, Recipe, choose, consider
from tactful.flow.gate import view_of
from tactful.ports import Dice, Shelf


class Look(Struct, frozen=True):
    """A placement half decided, with the View and the Moment that it was considered under."""

    considered: Considered
    view: View
    moment: Moment


class Scene(Struct, frozen=True):
    """One person (None: somebody unknown) at one moment, in front of one state of the shelf. now: ms since 1970."""

    person: str | None
    consent: Consent
    profile: Profile
    shelf: Shelf
    charter: Charter
    now: int
    context: Mapping[str, Value]

    def view(self, purpose: str, surface: str) -> View:
        """What may be read for this purpose, on this surface: the only way from a profile to a View."""
        return view_of(
            self.profile, self.consent, self.charter, purpose=purpose, surface=surface, now=self.now,
            telling=self.shelf.catalogue.telling(self.consent.sensitive),
        )  # fmt: skip

    def consider(self, recipe: Recipe, ask: Ask) -> Look:
        """propose → permit."""
        ask = structs.replace(ask, context={**self.context, **ask.context}, at=self.now)
        view = self.view(recipe.placement.purpose, recipe.placement.surface)
        moment = Moment.of(view, ask.context, self.now)
        return Look(consider(recipe, ask, view, moment, self.shelf), view, moment)

    def choose(self, look: Look, dice: Dice, page: OnPage | None = None) -> Decision:
        """arrange → review."""
        return choose(look.considered, look.moment, self.shelf, dice, page)

    def known(self, view: View) -> bool:
        """Whether a receipt may name the person."""
        return self.person is not None and view.dial > Dial.off
