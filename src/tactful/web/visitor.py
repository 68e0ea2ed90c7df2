"""Who is looking at a page: nobody at all, until they turn the dial up. One cookie, set then, dropped when it goes back to Off."""

from typing import Any, Protocol
from urllib.parse import urlsplit

from litestar import Request, Response
from msgspec import Struct

from tactful.domain.consent import NOBODY, Consent, ConsentChange, Dial
from tactful.domain.errors import NotAllowed, TactfulError
from tactful.domain.identity import ANONYMOUS
from tactful.domain.words import Languages
from tactful.engine import Engine
from tactful.flow.gate import DAY

Req = Request[Any, Any, Any]
COOKIE = "reader"
KEPT_DAYS = 180
"""How long the cookie lasts at the levels that outlive a visit."""
VISIT_DAYS = 1
"""How long a token is good at the level `visit`, whose cookie the browser drops when it closes."""


class Tokens(Protocol):
    """What signs and checks the cookie."""

    def token(self, person: str, now: int, seconds: int = 3600) -> str:
        """A token for a person."""

    def person(self, token: str, now: int) -> str | None:
        """The person of a token. Raises NotAllowed."""


class Shop(Protocol):
    """What the pages need of the service that serves them: see `tactful.api.service`."""

    engine: Engine
    languages: Languages

    @property
    def access(self) -> Tokens:
        """Signs the cookie."""


class Visitor(Struct, frozen=True):
    """person: None for somebody unknown. stale: the browser brought a cookie that is good for nothing, to be dropped."""

    person: str | None = None
    consent: Consent = NOBODY
    stale: bool = False

    @property
    def dial(self) -> Dial:
        """Where the dial stands."""
        return self.consent.dial


def shop_of(request: Req) -> Shop:
    """The service of this worker. By its name in the state, so that the pages need not know the API."""
    found: Shop = request.app.state["service"]
    return found


def visitor_of(request: Req) -> Visitor:
    """Whoever the cookie proves. A cookie that is forged, too old, or of somebody forgotten proves nobody."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        return Visitor()
    shop = shop_of(request)
    try:
        person = shop.access.person(token, shop.engine.shell.now())
    except TactfulError:
        return Visitor(stale=True)
    consent = NOBODY if person is None else shop.engine.consent(person)
    if consent.version == 0:
        return Visitor(stale=True)
    return Visitor(person, consent)


def refuse_forged(request: Req) -> None:
    """Only our own pages may change anything. Browsers say where a form came from; one that says nothing is refused. Raises NotAllowed."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        ours = urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "-")
    if not ours:
        raise NotAllowed(why="This came from another site", fix="Go back to the shop and press the button there")


async def turn_dial(request: Req, visitor: Visitor, level: Dial, learn: bool) -> str | None:
    """Set the dial. Answers with the person, None once the dial is Off.

    Raising it from Off is the moment of consent: it grants `personalise`, and `learn` only if its own box was ticked. Turning it
    to Off takes everything back; as nobody could ever open what is left without the cookie, that is deleted too.
    """
    engine = shop_of(request).engine
    if level is Dial.off:
        if visitor.person is not None:
            no = dict.fromkeys(engine.charter.purposes, False)
            await engine.change_consent(visitor.person, _change(engine, Dial.off, no))
            await forget(engine, visitor.person)
        return None
    purposes: dict[str, bool] = {}
    if visitor.dial is Dial.off:
        purposes = dict.fromkeys(["personalise", "learn"] if learn else ["personalise"], True)
    person = visitor.person or ANONYMOUS + engine.shell.name()
    await engine.change_consent(person, _change(engine, level, purposes))
    return person


async def switch_purpose(request: Req, visitor: Visitor, purpose: str, on: bool) -> None:
    """Say yes or no to one purpose."""
    if visitor.person is not None:
        engine = shop_of(request).engine
        await engine.change_consent(visitor.person, _change(engine, None, {purpose: on}))


async def forget(engine: Engine, person: str) -> None:
    """Leave nothing of the person."""
    for ack in engine.forget(person):
        await ack


def _change(engine: Engine, dial: Dial | None, purposes: dict[str, bool]) -> ConsentChange:
    return ConsentChange(engine.shell.now(), "bookshop", engine.charter.version, dial, purposes)


def keep_cookie(request: Req, response: Response[Any], person: str, level: Dial) -> None:
    """Give the browser its one cookie. No script can read it, and no other site can send it."""
    shop = shop_of(request)
    days = VISIT_DAYS if level is Dial.visit else KEPT_DAYS
    response.set_cookie(
        key=COOKIE,
        value=shop.access.token(person, shop.engine.shell.now(), days * DAY // 1000),
        max_age=None if level is Dial.visit else days * DAY // 1000,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def drop_cookie(response: Response[Any]) -> None:
    """Take the cookie back."""
    response.delete_cookie(key=COOKIE, path="/")
