"""Who is looking at a page: nobody at all, until they turn the dial up. One cookie, set then, dropped when it goes back to Off.

Two more cookies are there only for what was asked for: a cart with something in it, and a browser that a child is using.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from litestar import Request, Response
from msgspec import Struct, structs

from tactful.domain.consent import NOBODY, Consent, ConsentChange, Dial
from tactful.domain.errors import NotAllowed, TactfulError
from tactful.domain.event import Arrival, Event, Inferred, Told
from tactful.domain.identity import ANONYMOUS
from tactful.domain.words import Languages, Words
from tactful.engine import Engine
from tactful.flow.gate import DAY, is_child
from tactful.stores.missed import Missed

Req = Request[Any, Any, Any]
COOKIE = "reader"
CHILD_COOKIE = "young"
"""Says that a child is using this browser. While it is there, whoever else the browser knows is left alone."""
CART_COOKIE = "cart"
"""What lies in the cart, signed. It names books and nobody; it goes when the browser closes."""
CART = "tactful cart"
"""For whom the token of a cart is; a person's token is for another, so that neither passes for the other."""
CART_MOST = 20
AFRESH = "started afresh"
"""The source of the change with which somebody begins anew."""
NO_WORDS = Words("en", {})
KEPT_DAYS = 180
"""How long the cookie lasts at the levels that outlive a visit."""
VISIT_DAYS = 1
"""How long a token is good at the level `visit`, whose cookie the browser drops when it closes."""


class Tokens(Protocol):
    """What signs and checks the cookie."""

    def token(self, person: str, now: int, seconds: int = 3600, audience: str | None = None) -> str:
        """A token for a person, or for what else the audience takes."""

    def person(self, token: str, now: int, audience: str | None = None) -> str | None:
        """Whom a token proves. Raises NotAllowed."""


class Shop(Protocol):
    """What the pages need of the service that serves them: see `tactful.api.service`."""

    engine: Engine
    languages: Languages
    missed: Missed | None

    @property
    def access(self) -> Tokens:
        """Signs the cookie."""


class Visitor(Struct, frozen=True):
    """person: None for somebody unknown. stale: cookies that the browser brought and that are good for nothing, to be dropped.

    child: whoever looks is a child, or presumed to be one. handed: because somebody said so in this browser; then the person is one of
    whom this is all that is known, and it can be taken back. cart: ids of books.
    words: the language in which reasons are said, as `?in=` asks; the pages themselves are in English.
    """

    person: str | None = None
    consent: Consent = NOBODY
    stale: tuple[str, ...] = ()
    child: bool = False
    handed: bool = False
    cart: tuple[str, ...] = ()
    words: Words = NO_WORDS

    @property
    def dial(self) -> Dial:
        """Where the dial stands."""
        return self.consent.dial


def shop_of(request: Req) -> Shop:
    """The service of this worker. By its name in the state, so that the pages need not know the API."""
    found: Shop = request.app.state["service"]
    return found


def visitor_of(request: Req) -> Visitor:
    """Whoever the cookies prove. A cookie that is forged, too old, or of somebody forgotten proves nobody."""
    shop, stale = shop_of(request), []
    words = shop.languages.speak(request.query_params.get("in") or "en")
    cart = _proven(request, CART_COOKIE, audience=CART)
    if cart == "":
        stale.append(CART_COOKIE)
    items = tuple(cart.split(",")) if cart else ()
    for name in (CHILD_COOKIE, COOKIE):
        person = _proven(request, name)
        if person is None:
            continue
        consent, handed = shop.engine.consent(person), name == CHILD_COOKIE
        if consent.version and (consent.child or not handed):
            child = handed or is_child(shop.engine.people.effective(person), shop.engine.charter)
            return Visitor(person, consent, tuple(stale), child, handed, items, words)
        stale.append(name)
    return Visitor(stale=tuple(stale), child=is_child(NOBODY, shop.engine.charter), cart=items, words=words)


def _proven(request: Req, name: str, audience: str | None = None) -> str | None:
    """What a cookie proves: None without the cookie, and "" for one that proves nothing."""
    token = request.cookies.get(name, "")
    if not token:
        return None
    shop = shop_of(request)
    try:
        return shop.access.person(token, shop.engine.shell.now(), audience) or ""
    except TactfulError:
        return ""


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


async def take(engine: Engine, person: str, verb: str, item: str) -> bool:
    """Take one thing that a person did, and wait until the next decision knows it. Whether it was kept."""
    arrival = Arrival(id=engine.shell.name(), person=person, name=verb, verb=verb, items=(item,))
    return (await engine.take([arrival]).settled()).stored > 0


async def tell(engine: Engine, visitor: Visitor, traits: dict[str, list[str]]) -> bool:
    """Take what a visitor says about themself. Whether it was kept. Where it takes back an answer of before, what we concluded goes too."""
    if visitor.person is None or visitor.dial < Dial.told or visitor.child:
        return False
    arrival = Arrival(id=engine.shell.name(), person=visitor.person, name="told", traits=traits)
    before = engine.profile(visitor.person).declared
    kept = (await engine.take([arrival]).settled()).stored > 0
    if kept and any(set(_answers(before.get(name))) - set(answers) for name, answers in traits.items()):
        await take_back(engine, visitor.person, lambda event: isinstance(event, Inferred))
    return kept


def _answers(told: Told | None) -> list[str]:
    return told.value if told is not None and isinstance(told.value, list) else []


async def start_afresh(engine: Engine, person: str) -> str:
    """Reset a taste: somebody new, who allows what this person allows, and of whom nothing else is known. The old one is forgotten
    whole, so that not even a receipt tells what they liked.

    A change that changes nothing stands first, so that the new one is no older than they are: nobody is two people of long standing.
    """
    new = ANONYMOUS + engine.shell.name()
    began = ConsentChange(engine.shell.now(), AFRESH, engine.charter.version)
    changes = [change for change in engine.stores.consents.read(person) if change.source != AFRESH]
    await engine.stores.consents.append([(new, structs.replace(change, person="")) for change in (began, *changes)])
    await forget(engine, person)
    return new


async def take_back(engine: Engine, person: str, which: Callable[[Event], bool]) -> None:
    """Leave nothing of those things about the person that `which` picks."""
    for ack in engine.people.take_back(person, which, engine.shell.now(), engine.shell.name()):
        await ack


async def not_me(engine: Engine, person: str) -> None:
    """That was somebody else: the visit that is going on is taken back."""
    engine.people.refresh()
    now = engine.shell.now()
    since = engine.people.visit_start(person, now, engine.charter.visit_ms)
    for ack in engine.people.disown(person, since, now, engine.shell.name()):
        await ack


async def hand_to_child(engine: Engine) -> str:
    """Somebody of whom it is known that they are a child, and never anything else."""
    child = ANONYMOUS + engine.shell.name()
    await engine.change_consent(
        child, ConsentChange(engine.shell.now(), "bookshop", engine.charter.version, child=True)
    )
    return child


def keep_cookie(request: Req, response: Response[Any], person: str, level: Dial) -> None:
    """Give the browser its one cookie. No script can read it, and no other site can send it."""
    _set(request, response, COOKIE, person, VISIT_DAYS if level is Dial.visit else KEPT_DAYS, level is Dial.visit)


def keep_child(request: Req, response: Response[Any], person: str) -> None:
    """Note in the browser that a child is using it."""
    _set(request, response, CHILD_COOKIE, person, KEPT_DAYS)


def keep_cart(request: Req, response: Response[Any], items: Sequence[str]) -> None:
    """Note in the browser what lies in the cart; nothing, if it is empty."""
    if items:
        _set(request, response, CART_COOKIE, ",".join(items[-CART_MOST:]), VISIT_DAYS, closes=True, audience=CART)
    else:
        drop_cookie(response, CART_COOKIE)


def _set(
    request: Req,
    response: Response[Any],
    name: str,
    proves: str,
    days: int,
    closes: bool = False,
    audience: str | None = None,
) -> None:
    """audience: of what is no person's token. closes: the cookie goes when the browser closes."""
    shop, seconds = shop_of(request), days * DAY // 1000
    response.set_cookie(
        key=name,
        value=shop.access.token(proves, shop.engine.shell.now(), seconds, audience),
        max_age=None if closes else seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def drop_cookie(response: Response[Any], name: str = COOKIE) -> None:
    """Take a cookie back."""
    response.delete_cookie(key=name, path="/")
