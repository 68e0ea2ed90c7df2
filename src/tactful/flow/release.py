"""The gate on the way out: what may leave the house, to a receiver or into the lake, for one purpose.

What was agreed when something came in and what the person allows now must both include the purpose. Take a check out and
`tests/flow/test_release.py` fails.
"""

from collections.abc import Container, Iterable, Sequence

from msgspec import Struct

from tactful.domain.charter import Charter
from tactful.domain.consent import Consent, ConsentChange, Dial
from tactful.domain.event import Event, Interaction, Obtained, Told
from tactful.domain.receipt import Receipt
from tactful.domain.receiver import CONSENT, Receiver
from tactful.flow.gate import DAY, allows, is_child, overtaken


class News(Struct, frozen=True):
    """What a receiver is told about somebody's consent. level: how much it may have now; withdrawn: this change took something away."""

    level: Dial
    withdrawn: bool


def level(purpose: str, consents: Iterable[Consent], charter: Charter) -> Dial:
    """How much of somebody may leave for a purpose: the strictest answer of all whose it may be. Off: nothing."""
    answers = [
        Dial.off if is_child(consent, charter) or not allows(purpose, charter, consent) else consent.dial
        for consent in consents
    ]
    return min(answers, default=Dial.off)


def kept_back(
    event: Event, purpose: str, consents: Sequence[Consent], charter: Charter, now: int, telling: Container[str]
) -> str | None:
    """Why an event does not leave for this purpose, or None. now: milliseconds since 1970.

    consents: of the name it came under and of everybody whom that name belongs to. telling: items an interest in which would betray
    a category that one of them has not turned on.
    """
    data = charter.data.get(event.data)
    if data is None:
        return "the charter no longer declares it"
    if purpose not in data.purposes or purpose not in event.purposes:
        return f"it was not collected for {purpose!r}"
    shut = _shut(purpose, consents, charter)
    if shut is not None:
        return shut
    if data.sensitive and any(data.sensitive not in consent.sensitive for consent in consents):
        return f"sensitive: {data.sensitive!r} is not turned on"
    # What leaves stays where it went, so nothing leaves that is to be forgotten when the visit ends.
    least = Dial.told if isinstance(event, Told) else Dial.remember
    dial = level(purpose, consents, charter)
    if dial < least:
        return f"the dial stands at {dial.words!r}"
    if isinstance(event, Interaction) and event.visit:
        return "it was kept for one visit only"
    if isinstance(event, Interaction) and event.item in telling:
        return "sensitive: the item would betray what is not turned on"
    if isinstance(event, Obtained) and any(event.seller in consent.refused_sellers for consent in consents):
        return "the person refuses what this seller knows"
    if any(overtaken(event, consent) for consent in consents):
        return "it was made before the person allowed less"
    if (event.kept or event.at) < now - data.retention_days * DAY:
        return "its time is over"
    return None


def decision_kept_back(
    receipt: Receipt, purpose: str, consents: Sequence[Consent], charter: Charter, telling: Container[str]
) -> str | None:
    """Why a decision does not leave for this purpose, or None."""
    shut = _shut(purpose, consents, charter)
    if shut is not None:
        return shut
    dial = level(purpose, consents, charter)
    if dial < Dial.remember:
        return f"the dial stands at {dial.words!r}"
    if any(shown.item in telling for shown in receipt.shown):
        return "sensitive: an item would betray what is not turned on"
    return None


def news_of(
    change: ConsentChange, before: Consent, consents: Sequence[Consent], receiver: Receiver, charter: Charter
) -> News | str | None:
    """What a receiver is told of a change of consent; why it is not told; or None, if the change is none of its business.

    before: what the person allowed until then. consents: what they, and those they belong to, allow now; that is what is told, so that
    an old message never says more than the truth. That something was taken away is told to every receiver that may have had it.
    """
    was = level(receiver.purpose, [before], charter)
    became = level(receiver.purpose, [before.after(change)], charter)
    now = level(receiver.purpose, consents, charter)
    if became < was:
        return News(now, True)
    if became == was or CONSENT not in receiver.what:
        return None
    if now == Dial.off:
        return _shut(receiver.purpose, consents, charter)
    return News(now, False)


def may_hold(changes: Iterable[ConsentChange], purpose: str, charter: Charter) -> bool:
    """Whether a receiver with this purpose may have been told anything about somebody: whether they ever allowed it."""
    consent = Consent()
    for change in changes:
        consent = consent.after(change)
        if level(purpose, [consent], charter) > Dial.off:
            return True
    return False


def _shut(purpose: str, consents: Sequence[Consent], charter: Charter) -> str | None:
    """Why nothing at all leaves for this purpose, or None."""
    if not consents:
        return "it is not known what the person allows"
    if any(is_child(consent, charter) for consent in consents):
        return "children are not profiled"
    if not all(allows(purpose, charter, consent) for consent in consents):
        return f"no consent for {purpose!r}"
    if any(consent.dial == Dial.off for consent in consents):
        return "the dial stands at 'Off'"
    return None
