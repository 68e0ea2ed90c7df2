"""What a person allows: a level on the dial, purposes one by one, sensitive categories one by one. Versioned, timed, sourced."""

from collections.abc import Iterable
from enum import IntEnum

from msgspec import Struct, structs


class Dial(IntEnum):
    """How much a person lets it know. Each level holds what the one below holds, and more."""

    off = 0
    told = 1
    visit = 2
    remember = 3

    @property
    def words(self) -> str:
        """The level in the words that the person reads."""
        return ("Off", "Only what I tell you", "This visit", "Remember me")[self]


class ConsentChange(Struct, frozen=True, array_like=True):
    """One change, as it was made: the proof. What a change does not mention stays as it was.

    at: milliseconds since 1970, by the server's clock. source: where it was given, such as `privacy centre`.
    charter: the version of the charter whose words the person read. child: the person turned out to be a child, or not to be.
    sellers: those whose data about them they refuse (False), or allow again (True). person: whose change it is, so that an export can
    say; the store fills it in.
    """

    at: int
    source: str
    charter: str
    dial: Dial | None = None
    purposes: dict[str, bool] = {}
    sensitive: dict[str, bool] = {}
    child: bool | None = None
    sellers: dict[str, bool] = {}
    person: str = ""


class Consent(Struct, frozen=True):
    """What a person allows now. Nobody who has said nothing allows anything.

    granted, refused: purposes answered yes and no. sensitive: categories turned on. child: whether they are known to be one.
    refused_sellers: whose data about them they do not want used. version: how many changes led here. since: when the first was made; somebody forgotten who comes back begins anew.
    dialled: whether a level on the dial was ever chosen. narrowed: when something was last taken back, ms since 1970; what was concluded
    before may hold what is no longer allowed, and no later yes undoes that.
    """

    dial: Dial = Dial.off
    granted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    sensitive: frozenset[str] = frozenset()
    child: bool | None = None
    version: int = 0
    since: int = 0
    refused_sellers: frozenset[str] = frozenset()
    dialled: bool = False
    narrowed: int = 0

    @staticmethod
    def of(changes: Iterable[ConsentChange]) -> "Consent":
        """Fold the changes, in the order in which the server took them."""
        consent = Consent()
        for change in changes:
            consent = consent.after(change)
        return consent

    def after(self, change: ConsentChange) -> "Consent":
        """The consent once this change has been made."""
        yes = frozenset(name for name, given in change.purposes.items() if given)
        no = frozenset(change.purposes) - yes
        on = frozenset(name for name, given in change.sensitive.items() if given)
        off = frozenset(change.sensitive) - on
        wanted = frozenset(name for name, given in change.sellers.items() if given)
        after = Consent(
            dial=self.dial if change.dial is None else change.dial,
            granted=(self.granted | yes) - no,
            refused=(self.refused - yes) | no,
            sensitive=(self.sensitive | on) - off,
            child=self.child if change.child is None else change.child,
            version=self.version + 1,
            since=self.since or change.at,
            dialled=self.dialled or change.dial is not None,
            refused_sellers=(self.refused_sellers | frozenset(change.sellers)) - wanted,
            narrowed=self.narrowed,
        )
        return structs.replace(after, narrowed=max(self.narrowed, change.at)) if after._less_than(self) else after

    def _less_than(self, before: "Consent") -> bool:
        """Whether anything that was allowed before no longer is."""
        return bool(
            self.dial < before.dial
            or before.granted - self.granted
            or self.refused - before.refused
            or before.sensitive - self.sensitive
            or self.refused_sellers - before.refused_sellers
            or (self.child and not before.child)
        )


NOBODY = Consent()
"""The consent of somebody who was never asked."""
