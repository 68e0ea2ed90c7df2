"""The owner's page: decisions as they arrive, each opened step by step, and what they all come to. It works without a script."""

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Litestar, Response, Router, get, post
from litestar.response import Redirect, Stream

from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Dial
from tactful.domain.errors import BadInput, NoKey, NotAllowed, TactfulError, TooBusy, UnknownReceipt
from tactful.domain.note import Note
from tactful.measure.house import House, Spread
from tactful.web import doors
from tactful.web.counting import Counting
from tactful.web.doors import PLACE, Owner, house_of, owner_of
from tactful.web.findings import findings, many, percent
from tactful.web.live import Live, events
from tactful.web.painter import Painter, can_draw
from tactful.web.picture import Picture
from tactful.web.steps import moment, steps_of
from tactful.web.visitor import Req

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # not `no-referrer`: with it browsers send `Origin: null` along with forms
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAPER = "shop.css"
"""Of the shop's style sheet this page takes the first part, up to the first rule that has a heading: colours, letters, plain elements."""
FILES = {
    "owner.css": ("owner_pages", "text/css"),
    PAPER: ("shop_pages", "text/css"),
    "owner.js": ("owner_pages", "text/javascript"),
    "lantern.svg": ("shop_pages", "image/svg+xml"),
}
COLUMNS = (("hours", "personal", "guards", "dials", "faults"), ("coverage", "most", "purposes", "searches"))
"""Which findings stand below each other, where there is room for two columns."""
SEARCHES_MOST = 12
SHOWN = 30
"""Decisions in the list before any arrive."""
VERDICTS = {"release": "released", "hold": "held for a person"}


class Desk:
    """What a worker keeps for this page, from the first time that somebody opens it."""

    def __init__(self, app: Litestar) -> None:
        engine = app.state["service"].engine
        leaving: Callable[[], bool] = app.state.get("leaving", lambda: False)
        self.live = Live(engine.stores.receipts, leaving)
        self.counting = Counting(engine.stores, engine.shell.now)
        self.painter = Painter()


def _desk(request: Req) -> Desk:
    state = request.app.state
    if "owner" not in state:
        state["owner"] = Desk(request.app)
    found: Desk = state["owner"]
    return found


async def leave_desk(app: Litestar) -> None:
    """When the worker ends."""
    if "owner" in app.state:
        await app.state["owner"].painter.close()


# --------------------------------------------------------------------------------------------------------------- coming in


@get(f"{PLACE}/enter")
async def door(request: Req, ticket: str = "") -> Response[str]:
    """Where a link leads. It is used up by pressing the button, so that no program that only looks at links uses it up."""
    return _page(request, None, "enter.html", ticket=ticket, to=PLACE, wrong="")


@post(f"{PLACE}/enter")
async def enter(request: Req) -> Response[Any]:
    """Sign in, with a key or with a link's ticket."""
    doors.ours(request)
    form = await request.form()
    ticket, sent, to = (str(form.get(name, "")).strip() for name in ("ticket", "key", "to"))
    house = house_of(request)
    try:
        key = house.access.enter(ticket, house.engine.shell.now()) if ticket else doors.key_of(request, sent)
    except (NoKey, NotAllowed) as error:
        wrong = "This link was used already, or is too old." if ticket else "This key opens nothing here."
        if isinstance(error, NotAllowed):
            wrong = str(error)
        return _page(request, None, "enter.html", 403, ticket="", to=PLACE, wrong=wrong)
    response = _go(to if to in (PLACE, f"{PLACE}/house") else PLACE)
    doors.keep_cookie(request, response, key)
    return response


@post(f"{PLACE}/leave")
async def leave(request: Req) -> Redirect:
    """Sign out."""
    doors.ours(request)
    response = _go(PLACE)
    doors.drop_cookie(response)
    return response


# ----------------------------------------------------------------------------------------------------------------- looking


@get(PLACE)
async def now(request: Req) -> Response[str]:
    """The last day at a glance, and decisions as they arrive."""
    owner, desk = owner_of(request), _desk(request)
    house, whole = await desk.counting.house()
    lines = [_line(note, owner) for _, note in desk.live.last(SHOWN)]
    return _page(
        request, owner, "now.html", glance=_glance(house), whole=whole, lines=lines,
        since=f"{moment(desk.counting.since):%A, %H:%M} UTC", noted=house_of(request).engine.noted,
    )  # fmt: skip


def _glance(house: House) -> list[tuple[str, str, str]]:
    """(number, what it counts, more of it)."""
    decisions, half, most = house.total("decisions"), house.within(0.5), house.within(0.99)
    return [
        (f"{decisions:,}", "decisions", f"{many(house.total('items'), 'place')} filled"),
        (percent(house.total("personal"), decisions), "personal", "something about the person spoke for an item"),
        ("–" if half is None else f"≤ {half:g} ms", "half of them took", "" if most is None else f"99 of 100 took ≤ {most:g} ms"),
        (f"{house.total('held'):,}", "held", "a person decides these first"),
        (f"{house.total('empty'):,}", "came up empty", "nothing was left to show"),
        (f"{house.total('faulty'):,}", "with a fault", "they went on without the part that failed"),
    ]  # fmt: skip


@get(f"{PLACE}/live")
async def live(request: Req) -> Response[Any] | Stream:
    """Decisions as they arrive: server-sent events, a line each."""
    owner = owner_of(request)
    last = request.headers.get("last-event-id", "")
    listener = _desk(request).live.listen(int(last) if last.isdecimal() and len(last) < 19 else None)
    if listener is None:
        raise TooBusy(why="too many pages listen already", retry_after=10)

    def good() -> bool:
        try:
            owner_of(request)
        except NoKey:
            return False
        return True

    stream = events(listener, lambda note: _line(note, owner), good)
    headers = {**HEADERS, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(stream, media_type="text/event-stream", headers=headers)


@get(f"{PLACE}/decision")
async def find(request: Req, receipt: str = "") -> Redirect:
    """From the form to the page of a receipt."""
    owner_of(request)
    return _go(f"{PLACE}/decision/{quote(receipt.strip(), safe='')}")


@get(f"{PLACE}/decision/{{receipt:str}}")
async def decision(request: Req, receipt: str) -> Response[str]:
    """A decision, step by step. A receipt that names somebody opens with a key that may open receipts; another, for who has its id."""
    owner, service = owner_of(request), house_of(request)
    found = service.engine.stores.receipts.get(receipt)
    if found is None:
        raise UnknownReceipt(receipt=receipt)
    if found.person is not None and not owner.receipts:
        raise NotAllowed(
            why=f"The key {owner.key!r} may not open receipts that say something about a person",
            fix="Sign in with a key that has the scopes 'owner' and 'receipts'",
        )
    steps = steps_of(found, service.engine.shelf().catalogue, service.engine.charter, service.languages.speak("en"))
    return _page(request, owner, "decision.html", steps=steps)


@get(f"{PLACE}/house")
async def house(request: Req) -> Response[str]:
    """What the decisions of the last day come to."""
    owner, desk, service = owner_of(request), _desk(request), house_of(request)
    engine = service.engine
    counted, whole = await desk.counting.house()
    allowed, everybody = await desk.counting.allowed()
    catalogue = engine.shelf().catalogue
    missed = [] if service.missed is None else [(one.words, one.times) for one in service.missed.report(SEARCHES_MOST)]
    spread = Spread.of(counted.by_item(), _to_be_had(catalogue, engine.shell.now()))
    found = findings(counted, desk.counting.since, spread, catalogue, allowed, engine.charter, missed)
    return _page(
        request, owner, "house.html", columns=[[one for one in found if one.name in names] for names in COLUMNS], whole=whole and everybody, draws=can_draw(),
        since=f"{moment(desk.counting.since):%A, %H:%M} UTC", waiting=engine.stores.quarantine.count(), noted=engine.noted,
    )  # fmt: skip


def _to_be_had(catalogue: Catalogue, now: int) -> list[str]:
    """Items that can be shown to somebody, at this time (ms since 1970)."""
    rows = np.arange(len(catalogue), dtype=np.int32)
    return [catalogue.ids[row] for row in rows[catalogue.permitted_at(rows, now)].tolist()]


@get(f"{PLACE}/picture/{{look:str}}")
async def picture(request: Req, look: str, d: str = "") -> Response[bytes]:
    """A picture of the numbers in its address."""
    owner_of(request)
    if not can_draw():
        raise BadInput(field="picture", why="pictures are not installed", fix="pip install 'tactful[charts]'")
    drawn = await _desk(request).painter.draw(Picture.read(d), look.removesuffix(".svg"))
    headers = {**HEADERS, "Cache-Control": "private, max-age=3600"}
    return Response(drawn, media_type="image/svg+xml", headers=headers)


@get(f"{PLACE}/file/{{name:str}}")
async def file_of(request: Req, name: str) -> Response[Any]:
    """The style sheets and the script: the same for everybody, signed in or not."""
    if name not in FILES:
        raise UnknownReceipt(receipt=name)
    headers = {**HEADERS, "Cache-Control": "public, max-age=604800"}
    return Response(_asset(name), media_type=FILES[name][1], headers=headers)


# ------------------------------------------------------------------------------------------------------------------- shared


def _line(note: Note, owner: Owner) -> str:
    """One decision as a line of the list."""
    text: str = _environment().get_template("line.html").render(
        note=note, at=moment(note.at), dial=Dial(note.dial).words, verdict=VERDICTS.get(note.verdict, note.verdict),
        opens=bool(note.receipt) and owner.receipts, items=many(len(note.shown), "item"), place=PLACE,
    )  # fmt: skip
    return text


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tactful.web", "owner_pages"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals |= {
        "files": {name: f"{PLACE}/file/{name}?v={_version(name)}" for name in FILES},
        "place": PLACE,
    }
    environment.globals |= {"many": many}
    return environment


@cache
def _asset(name: str) -> bytes:
    whole = (files("tactful.web") / FILES[name][0] / name).read_bytes()
    return whole.partition(b"\n/* -- ")[0] if name == PAPER else whole


def _version(name: str) -> str:
    return hashlib.blake2b(_asset(name), digest_size=6).hexdigest()


def _page(request: Req, owner: Owner | None, template: str, status: int = 200, **words: Any) -> Response[str]:
    charter = house_of(request).engine.charter
    text = _environment().get_template(template).render(
        owner=owner, operator=charter.operator, here=request.url.path, **words
    )  # fmt: skip
    headers = {**HEADERS, "Cache-Control": "no-store"}
    return Response(text, status_code=status, media_type="text/html", headers=headers)


def _go(path: str) -> Redirect:
    return Redirect(path, status_code=303, headers={**HEADERS, "Cache-Control": "no-store"})


def _sign_in(request: Req, _: NoKey) -> Response[str]:
    """Nobody sees anything without a key."""
    response = _page(request, None, "enter.html", 401, ticket="", to=request.url.path, wrong="")
    if doors.COOKIE in request.cookies:
        doors.drop_cookie(response)
    return response


def _sorry(request: Req, error: TactfulError) -> Response[str]:
    """An error of ours, as a page."""
    try:
        owner: Owner | None = owner_of(request)
    except NoKey:
        owner = None
    return _page(request, owner, "sorry.html", error.status, why_not=str(error))


PAGES: list[Router] = [
    Router(
        path="/",
        route_handlers=[door, enter, leave, now, live, find, decision, house, picture, file_of],
        exception_handlers={NoKey: _sign_in, TactfulError: _sorry},
        include_in_schema=False,
    )
]
"""What `tactful.api.worker` serves beside the API when it is told to serve the owner's page."""
