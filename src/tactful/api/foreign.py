"""What the foreign protocols share: reading a body, choosing for one placement, telling what became of a batch."""

import logging
from collections.abc import Mapping
from typing import Any

from litestar import Request
from msgspec import field, structs

from tactful.api.access import Key
from tactful.api.routes import inflate
from tactful.api.service import Service
from tactful.domain.decision import Ask
from tactful.domain.identity import ANONYMOUS
from tactful.domain.note import without_words
from tactful.engine import Answer, must_be_durable
from tactful.intake import Outcome

Req = Request[Any, Any, Any]
log = logging.getLogger("tactful")


class Account(Outcome, frozen=True):
    """What became of a batch: sent = stored + duplicate + quarantined + refused. unmapped: names that mean nothing here, and how often they came."""

    unmapped: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(outcome: Outcome, unmapped: Mapping[str, int]) -> "Account":
        """The account of an outcome."""
        return Account(**structs.asdict(outcome), unmapped=dict(unmapped))

    @property
    def header(self) -> str:
        """In one line, for clients that show headers only."""
        names = ("sent", "stored", "duplicate", "quarantined", "refused")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


async def body_of(request: Req, most_kb: int) -> bytes:
    """The body, unzipped. Raises TooLarge, BadInput."""
    return inflate(await request.body(), most_kb * 1024)


async def chosen(service: Service, person: str | None, ask: Ask, context: Mapping[str, str] | None = None) -> Answer:
    """One decision, once what must not be lost is on disk. Raises UnknownPlacement, NoModel."""
    answer = service.engine.decide(person, [ask], context)[0]
    if must_be_durable(answer):
        await answer.durable
    for fault in answer.receipt.faults:
        log.warning("placement %s: %s", answer.receipt.placement, without_words(fault))
    return answer


def seen(service: Service, name: str) -> bool:
    """Whether anything is known here under a name: an event, or what they allow."""
    return service.engine.stores.events.head(name) > 0 or service.engine.consent(name).version > 0


def whom(service: Service, request: Req, key: Key, user: str | None) -> str | None:
    """For whom a decision is, where a protocol has one field for people and sessions alike.

    A public key's word is only ever a device, unless a token proves the person. A secret key's is the device of that name, if that is
    known here and no person of that name is.
    """
    if not user or user == ANONYMOUS:
        return service.who(request, key, None, None)
    device = user if user.startswith(ANONYMOUS) else ANONYMOUS + user
    if not key.trusted and user != service.token_person(request):
        return device
    return device if seen(service, device) and not seen(service, user) else user
