"""What the people of a house allow, as counts, in which nobody can be found."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field

from tactful.domain.consent import Consent, Dial

FEWEST = 5
"""A group with fewer people is not told apart from an empty one."""


class Allowed(Struct):
    """How many names said anything; where their dials stand; by purpose, how many said yes and no. A name may be a person or a device."""

    names: int = 0
    dials: Counter[Dial] = field(default_factory=Counter)
    yes: Counter[str] = field(default_factory=Counter)
    no: Counter[str] = field(default_factory=Counter)

    @staticmethod
    def of(consents: Iterable[Consent]) -> "Allowed":
        """The counts of these consents."""
        allowed = Allowed()
        for consent in consents:
            allowed.count(consent)
        return allowed

    def __add__(self, other: "Allowed") -> "Allowed":
        """The counts of both."""
        return Allowed(self.names + other.names, self.dials + other.dials, self.yes + other.yes, self.no + other.no)

    def count(self, consent: Consent) -> None:
        """Count one consent more."""
        self.names += 1
        self.dials[consent.dial] += 1
        self.yes.update(consent.granted)
        self.no.update(consent.refused)


def tellable(count: int) -> int | None:
    """A count of people as it may be told: None for fewer than FEWEST, none at all included."""
    return count if count >= FEWEST else None
