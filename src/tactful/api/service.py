"""What the routes share: the engine of this worker, the access rules, the limits."""

from collections.abc import Callable
from typing import Any

from litestar import Request
from msgspec import Struct

from tactful.api.access import Access, Key
from tactful.connectors.segment import Caller
from tactful.domain.consent import ConsentChange, Dial
from tactful.domain.errors import NotAllowed
from tactful.domain.identity import ANONYMOUS, account_of
from tactful.domain.words import Languages
from tactful.engine import Engine
from tactful.languages import read_languages
from tactful.settings import Settings
from tactful.wire import means_of


class Feeding(Struct, frozen=True):
    """For receivers that fetch. feed: (name, after, most, heard) → NDJSON; secret: of a receiver. Both raise UnknownReceiver."""

    feed: Callable[[str, int, int, int], bytes]
    secret: Callable[[str], str]


class Service:
    """What one worker serves with."""

    def __init__(
        self,
        engine: Engine,
        access: Access,
        settings: Settings,
        feeding: Feeding | None = None,
        languages: Languages | None = None,
    ) -> None:
        self.engine, self.access, self.feeding = engine, access, feeding
        self.languages = languages or read_languages(default=settings.language)
        self.mute = settings.explain.mute
        self.limits, self.personalize, self.gorse = settings.limits, settings.personalize, settings.gorse
        self.means = means_of(settings, engine.charter)

    def key(self, request: "Request[Any, Any, Any]", scope: str, body_key: str | None = None) -> Key:
        """The key of a request. Raises NoKey or NotAllowed."""
        return self.access.key(request.headers.get("authorization", ""), scope, body_key)

    def token_person(self, request: "Request[Any, Any, Any]") -> str | None:
        """The person that the request's token proves, if it brings one."""
        return self.access.person(request.headers.get("x-person-token", ""), self.engine.shell.now())

    def caller(self, request: "Request[Any, Any, Any]", key: Key) -> Caller:
        """Who is sending."""
        return Caller(key.trusted, self.token_person(request))

    def assumed(self, key: Key) -> ConsentChange | None:
        """What the operator vouches that people named by this key agreed to elsewhere, for `engine.take`; None for most keys."""
        charter = self.engine.charter
        purposes = {name: True for name in key.granted if name in charter.purposes}
        if not key.trusted or not purposes:
            return None
        return ConsentChange(self.engine.shell.now(), key.source, charter.version, Dial.remember, purposes)

    def who(self, request: "Request[Any, Any, Any]", key: Key, person: str | None, anonymous: str | None) -> str | None:
        """For whom a decision is. A public key cannot name a known person without that person's token."""
        proven = self.token_person(request)
        if person is not None:
            if not key.trusted and (proven is None or proven not in (person, account_of(person))):
                raise NotAllowed(
                    why="A public key cannot ask for a known person",
                    fix="Send the person's token as X-Person-Token, or use a secret key",
                )
            return person
        if proven is not None:
            return proven
        return None if anonymous is None else ANONYMOUS + anonymous

    def own(self, request: "Request[Any, Any, Any]", person: str, scope: str) -> None:
        """Whether the request may act on this person's own things: by their token, or by a trusted key with the scope."""
        proven = self.token_person(request)
        if proven is not None and proven in (person, account_of(person)):
            return
        key = self.key(request, scope)
        if not key.trusted:
            raise NotAllowed(why="This belongs to a person", fix="Send that person's token, or use a secret key")


def of(request: "Request[Any, Any, Any]") -> Service:
    """The service of this worker."""
    found: Service = request.app.state["service"]
    return found
