"""What is known about a person, in the four kinds that are never mixed: declared, observed, obtained, inferred.

An *account* (a login, a device) may hold several people; each of them is a profile of their own, with a consent of their own.
"""

from msgspec import Struct

from tactful.domain.event import Inferred, Interaction, Obtained, Told


class Profile(Struct, frozen=True):
    """Everything kept about one person. Strategies never see it: they get a View, cut from it by `flow/gate.py`.

    observed: interactions, oldest first. sequence: the number of the last record folded in (0: nothing known).
    """

    observed: tuple[Interaction, ...] = ()
    declared: dict[str, Told] = {}
    obtained: dict[str, Obtained] = {}
    inferred: dict[str, Inferred] = {}
    sequence: int = 0


class Account(Struct, frozen=True):
    """A login or a device: the people behind it, and who is using it now."""

    id: str
    people: tuple[str, ...]
    current: str


UNKNOWN = Profile()
"""The profile of somebody of whom nothing is kept."""
