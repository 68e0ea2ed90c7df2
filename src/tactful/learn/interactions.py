"""The log → columns to learn from: only of people who allow it now, only what they allowed when it came in."""

from collections.abc import Container, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.consent import Consent, Dial
from tactful.domain.event import VERBS, Event, Interaction
from tactful.ports import Interactions

PURPOSE = "learn"
"""The charter's purpose under which models are trained."""
DAY = 86_400_000
_CODE = {verb: code for code, verb in enumerate(VERBS)}


def interactions_of(
    people: Iterable[tuple[str, list[Event]]],
    consents: Mapping[str, Consent],
    charter: Charter,
    catalogue: Catalogue,
    now: int,
) -> Interactions:
    """Columns in canonical order: people by pseudonym without gaps, each person's acts by time, then id.

    Somebody who allows nothing, a child, what belonged to one visit only, what is past its time (now: ms since 1970) and acts on
    items that would betray something the person has not turned on leave no trace, not even a gap in the numbering.
    """
    person: list[int] = []
    row: list[int] = []
    at: list[int] = []
    verb: list[int] = []
    value: list[float] = []
    count = 0
    for pseudonym, events in people:
        consent = consents.get(pseudonym)
        if consent is None or not may_learn_from(consent, charter):
            continue
        acts = _acts(events, _oldest(consent, charter, now), catalogue.telling(consent.sensitive), catalogue)
        if not acts:
            continue
        person += [count] * len(acts)
        at += [act[0] for act in acts]
        row += [act[2] for act in acts]
        verb += [_CODE[act[3].verb] for act in acts]
        value += [np.nan if act[3].value is None else act[3].value for act in acts]
        count += 1
    return Interactions(
        np.array(person, np.int32), np.array(row, np.int32), np.array(at, np.int64),
        np.array(verb, np.int8), _as_float32(value), count,
    )  # fmt: skip


def _acts(
    events: Iterable[Event], oldest: Mapping[str, int], telling: Container[str], catalogue: Catalogue
) -> list[tuple[int, str, int, Interaction]]:
    """(time, id, row of the item, act) of what may be learned from, in order. telling: items that would betray something."""
    index, size = catalogue.index, len(catalogue)
    acts = [
        (event.at, event.id, place, event)
        for event in events
        if isinstance(event, Interaction)
        and PURPOSE in event.purposes
        and (since := oldest.get(event.data)) is not None
        and (event.kept or event.at) >= since
        and not event.visit
        and event.item not in telling
        and (place := index.get(event.item, size)) < size
    ]
    acts.sort(key=lambda act: act[:2])
    return acts


def _oldest(consent: Consent, charter: Charter, now: int) -> dict[str, int]:
    """For each data entry that models may learn from: from when on (ms). Sensitive ones only if the person turned them on."""
    return {
        name: now - data.retention_days * DAY
        for name, data in charter.data.items()
        if PURPOSE in data.purposes and (not data.sensitive or data.sensitive in consent.sensitive)
    }


def _as_float32(values: list[float]) -> NDArray[np.float32]:
    most = np.finfo(np.float32).max
    return np.clip(np.array(values, np.float64), -most, most).astype(np.float32)


def may_learn_from(consent: Consent, charter: Charter) -> bool:
    """Whether models may be trained on what this person did."""
    child = charter.children.unknown_age_is_child if consent.child is None else consent.child
    return PURPOSE in consent.granted and consent.dial == Dial.remember and not child
