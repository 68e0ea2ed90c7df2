"""Events → profile. The order in which events arrive does not matter: the order in which they happened does."""

from collections.abc import Iterable
from typing import TypeVar

from tactful.domain.event import Event, Inferred, Interaction, Obtained, Told
from tactful.domain.profile import Profile

T = TypeVar("T", Told, Obtained, Inferred)


def fold(profile: Profile, events: Iterable[tuple[int, Event]]) -> Profile:
    """The profile once these events, each with its record's number, are known too."""
    observed: list[Interaction] = []
    declared, obtained, inferred = dict(profile.declared), dict(profile.obtained), dict(profile.inferred)
    sequence = profile.sequence
    for number, event in events:
        sequence = max(sequence, number)
        match event:
            case Interaction():
                observed.append(event)
            case Told():
                declared[event.name] = _later(declared.get(event.name), event)
            case Obtained():
                obtained[event.name] = _later(obtained.get(event.name), event)
            case Inferred():
                inferred[event.name] = _later(inferred.get(event.name), event)
    return Profile(_merge(profile.observed, observed), declared, obtained, inferred, sequence)


def _later(one: T | None, other: T) -> T:
    """The one that happened later; the id decides between two of the same millisecond, so that any order gives the same."""
    return other if one is None or (other.at, other.id) > (one.at, one.id) else one


def _merge(old: tuple[Interaction, ...], new: list[Interaction]) -> tuple[Interaction, ...]:
    if not new:
        return old
    new.sort(key=_moment)
    if not old or _moment(old[-1]) <= _moment(new[0]):
        return old + tuple(new)
    return tuple(sorted((*old, *new), key=_moment))


def _moment(interaction: Interaction) -> tuple[int, str]:
    return interaction.at, interaction.id
