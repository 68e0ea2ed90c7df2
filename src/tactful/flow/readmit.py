"""What another Tactful kept, and may be kept here too: each event stays what it was, under the consent that it came in with and what the person allows now."""

from msgspec import structs

from tactful.domain.charter import Charter
from tactful.domain.consent import Consent, ConsentChange, Dial
from tactful.domain.event import Event, Inferred, Interaction, Obtained, Told
from tactful.flow.clean import AHEAD, EARLIEST, ID_MOST
from tactful.flow.gate import DAY, Refused, is_child, overtaken, purposes_for

PART_MOST = 20
"""How much longer than a message's id the id of one of its events may be (`#interests`, `#12`), in characters."""
_KIND: dict[type, str] = {Interaction: "observed", Told: "told", Obtained: "obtained", Inferred: "inferred"}


def readmit(event: Event, charter: Charter, now: int) -> tuple[Event, int] | Refused:
    """The event as it may be kept here, and until when (ms since 1970); or why it may not.

    It keeps its id, time and values, and of its purposes those that the charter here has too. It never gets another purpose. Its
    time runs from when it first came in, there.
    """
    data = charter.data.get(event.data)
    if data is None:
        return Refused(f"the charter here has no [data.{event.data}]")
    kind = _KIND[type(event)]
    if data.kind != kind:
        return Refused(f"[data.{event.data}] is {data.kind} here, and this was {kind}")
    owned = (
        charter.of_verb.get(event.verb) if isinstance(event, Interaction) else charter.of_trait.get((kind, event.name))
    )
    if owned != event.data:
        return Refused(f"[data.{event.data}] does not keep it here")
    purposes = tuple(name for name in event.purposes if name in data.purposes and name in charter.purposes)
    if not purposes:
        return Refused("it came in for no purpose that the charter here has")
    if isinstance(event, Interaction) and event.visit:
        return Refused("it was kept for one visit only")
    if not EARLIEST <= event.at <= now + AHEAD or not 0 < len(event.id) <= ID_MOST * 2 + PART_MOST:
        return Refused("its time or its id is none that can be kept")
    until = (event.kept or event.at) + data.retention_days * DAY
    if until <= now:
        return Refused("its time is over")
    return structs.replace(event, purposes=purposes), until


def allowed_now(event: Event, charter: Charter, consent: Consent) -> Event | Refused:
    """The event with those of its purposes that the person allows here now; or why it may not be kept at all.

    What comes from elsewhere stays, so of somebody who lets it remember a visit only, nothing that they did comes in.
    """
    data = charter.data[event.data]
    if is_child(consent, charter):
        return Refused("children are not profiled")
    if consent.dial < (Dial.told if isinstance(event, Told) else Dial.remember):
        return Refused(f"the person's dial stands at {consent.dial.words!r}")
    purposes = purposes_for(data, charter, consent, dict.fromkeys(event.purposes, True))
    if not purposes:
        return Refused(f"the person allows no purpose of [data.{event.data}] that it came in for")
    if data.sensitive and data.sensitive not in consent.sensitive:
        return Refused(f"the person has not turned on {data.sensitive!r}")
    if isinstance(event, Obtained) and event.seller in consent.refused_sellers:
        return Refused(f"the person refuses data from {event.seller!r}")
    if overtaken(event, consent):
        return Refused("it was made before the person allowed less")
    return event if set(purposes) == set(event.purposes) else structs.replace(event, purposes=purposes)


def still_to_say(here: list[ConsentChange], there: list[ConsentChange]) -> list[ConsentChange] | Refused:
    """The changes of consent made there that are not known here yet. What a person said here later stands: then none is taken."""
    fresh = [change for change in there if change not in here]
    if fresh and here != there[: len(here)] and max(one.at for one in here) > max(one.at for one in fresh):
        return Refused("the person answered here later than there, and that stands")
    return fresh
