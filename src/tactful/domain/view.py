"""The View: the profile cut down to what this person allows, for this purpose, on this surface. It is all that a strategy ever sees."""

from collections.abc import Callable, Container, Mapping

from msgspec import Struct

from tactful.domain.consent import Dial
from tactful.domain.event import NEUTRAL, TOWARDS, Interaction, Trait, Value

SURFACES = ("private", "shared", "email", "push")
"""Where something can be shown, from the one that only this person sees to those that others may."""


class Withheld(Struct, frozen=True):
    """What a View does not hold although it is kept. data: the charter's data entry; count: pieces; why: in words."""

    data: str
    why: str
    count: int


class Assumed(Struct, frozen=True):
    """A value that the charter lets us assume where nothing is known. No trait: nobody said it, nobody saw it, and it is never kept."""

    name: str
    value: Value
    data: str


class View:
    """What may be read, and a note of what was. Built by `flow/gate.py` and nowhere else.

    A frozen thing but for `opened`, which grows as accessors are used: `reasons ⊆ opened ⊆ allowed` is a tested property.
    This is a promise between rooms, no sandbox against a hostile plug-in.
    """

    __slots__ = (
        "_assumed",
        "_data",
        "_done",
        "_history",
        "_traits",
        "allowed",
        "assumptions",
        "audience",
        "dial",
        "opened",
        "purpose",
        "sensitive",
        "surface",
        "withheld",
    )

    def __init__(
        self,
        *,
        purpose: str,
        surface: str,
        dial: Dial = Dial.off,
        history: tuple[Interaction, ...] = (),
        traits: Mapping[str, Trait] | None = None,
        allowed: frozenset[str] = frozenset(),
        withheld: tuple[Withheld, ...] = (),
        sensitive: frozenset[str] = frozenset(),
        audience: str = "adults",
        assumed: Mapping[str, Assumed] | None = None,
    ) -> None:
        self.purpose, self.surface, self.dial = purpose, surface, dial
        self._history, self._traits = history, dict(traits or {})
        self._assumed = assumed or {}
        self._data: frozenset[str] | None = None
        self._done: dict[str, tuple[Interaction, ...]] | None = None
        self.allowed = allowed
        self.withheld = withheld
        self.sensitive = sensitive
        """Sensitive categories that the person turned on."""
        self.audience = audience
        """`children` where the person is, or must be presumed to be, a child."""
        self.opened: set[str] = set()
        self.assumptions: set[str] = set()
        """Traits whose assumed value was read."""

    def again(self) -> "View":
        """The same View, of which nothing was opened yet: for another decision at the same moment."""
        other = View(
            purpose=self.purpose, surface=self.surface, dial=self.dial, history=self._history, traits=self._traits,
            allowed=self.allowed, withheld=self.withheld, sensitive=self.sensitive, audience=self.audience, assumed=self._assumed,
        )  # fmt: skip
        other._done = self.done()
        return other

    @property
    def empty(self) -> bool:
        """Whether nothing about the person may be read: the output must then be the same for anybody."""
        return not self._history and not self._traits

    def history(self) -> tuple[Interaction, ...]:
        """What the person did, oldest first."""
        if self._data is None:
            self._data = frozenset([interaction.data for interaction in self._history])
        self.opened |= self._data
        return self._history

    def done(self) -> dict[str, tuple[Interaction, ...]]:
        """What the person did by verb, oldest first. Nobody may change it."""
        if self._done is None:
            done: dict[str, list[Interaction]] = {}
            for interaction in self._history:
                done.setdefault(interaction.verb, []).append(interaction)
            self._done = {verb: tuple(acts) for verb, acts in done.items()}
        return self._done

    def liked(self, most: int, among: Container[str] | None = None) -> list[Interaction]:
        """What the person turned to: newest first, each item once, at its last place, at most so many. among: of these items alone.

        Items that they last refused (disliked, returned, dropped) are not among them; being shown something counts for nothing.
        """
        seen: set[str] = set()
        found: list[Interaction] = []
        for interaction in reversed(self.history()):
            if interaction.verb in NEUTRAL or interaction.item in seen:
                continue
            if among is not None and interaction.item not in among:
                continue
            seen.add(interaction.item)
            if interaction.verb in TOWARDS:
                found.append(interaction)
                if len(found) >= most:
                    break
        return found

    def by_item(self) -> dict[str, list[Interaction]]:
        """What the person did with each item, newest first; the item they did something with last comes first. Being shown counts."""
        found: dict[str, list[Interaction]] = {}
        for interaction in reversed(self.history()):
            found.setdefault(interaction.item, []).append(interaction)
        return found

    def trait(self, name: str) -> Trait | None:
        """One trait, whatever its kind; its type says which. What is only assumed is not among them."""
        found = self._traits.get(name)
        if found is not None:
            self.opened.add(found.data)
        return found

    def value(self, name: str) -> Value:
        """A trait's value, or None."""
        found = self.trait(name)
        return None if found is None else found.value

    def assumed(self, name: str) -> Assumed | None:
        """What to assume of a trait of which nothing is known. Whoever goes by it gives a source of kind `assumed`, never one of a fact."""
        found = None if name in self._traits else self._assumed.get(name)
        if found is not None:
            self.opened.add(found.data)
            self.assumptions.add(name)
        return found


def _nothing(trait: str) -> Value:
    """Of nobody nothing is known."""
    return None


class Moment(Struct, frozen=True):
    """What the guards know: the time, the context of the request, and what the View says was done and shown before.

    now: milliseconds since 1970. done: items by verb, most recent last. history: the same, oldest first. sensitive: categories turned
    on. value: reads a trait through the View, which notes it. query: what was typed into a search.
    """

    now: int
    context: Mapping[str, Value]
    done: Mapping[str, tuple[Interaction, ...]]
    audience: str
    sensitive: frozenset[str]
    history: tuple[Interaction, ...] = ()
    value: Callable[[str], Value] = _nothing
    query: str = ""

    @staticmethod
    def of(view: View, context: Mapping[str, Value], now: int, query: str = "") -> "Moment":
        """Built from the View, so that a guard cannot go round the consent."""
        history = view.history()
        return Moment(now, context, view.done(), view.audience, view.sensitive, history, view.value, query)
