"""The demo bookshop: pages served beside the API. They work without a script, and without a cookie until the dial is turned up."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from litestar import Response, Router, get, post
from litestar.response import Redirect
from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Dial
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput, TactfulError
from tactful.domain.event import Arrival, Interaction
from tactful.domain.item import Item
from tactful.domain.receipt import Receipt
from tactful.domain.view import View
from tactful.domain.words import Words
from tactful.engine import Answer, Engine
from tactful.flow.gate import allows
from tactful.flow.wording import label, sentence, what_if
from tactful.web.covers import cover
from tactful.web.pages import FILES, ago, asset, done, go, page, picture, slug
from tactful.web.visitor import (
    Req,
    Visitor,
    drop_cookie,
    forget,
    keep_cookie,
    refuse_forged,
    shop_of,
    switch_purpose,
    turn_dial,
    visitor_of,
)

PURPOSE, SURFACE = "personalise", "private"
VERDICTS = ("bought", "liked", "disliked")
BACK = re.compile(r"/|/you|/(book|shelf)/[^/?#\\]+")
"""Pages to which a form may send the browser back."""
HISTORY_SHOWN = 100


class Card(Struct, frozen=True):
    """A book as a page shows it."""

    item: Item
    why: str = ""
    what_if: str = ""


class Row(Struct, frozen=True):
    """A row of books: the label that the decision earned, and the receipt that explains it."""

    label: str
    receipt: str
    personal: bool
    cards: list[Card]


# ------------------------------------------------------------------------------------------------------------------ looking


@get("/")
async def home(request: Req) -> Response[str]:
    """The front page."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    answer = engine.decide(visitor.person, [Ask("home")])[0]
    catalogue = engine.shelf().catalogue
    return page(
        request, visitor, "home.html", row=_row(answer, catalogue, words_of(request)), subjects=_values(catalogue, "subjects"),
        nothing_yet=_view(engine, visitor).empty,
    )  # fmt: skip


@get("/shelf/{name:str}")
async def shelf(request: Req, name: str) -> Response[str]:
    """All books about one subject, or by one author: in the order of the alphabet, the same for everyone."""
    visitor, catalogue = visitor_of(request), shop_of(request).engine.shelf().catalogue
    for attribute in ("subjects", "author"):
        words = next((value for value in _values(catalogue, attribute) if slug(value) == name), None)
        if words is not None:
            found = [item for item in _books(catalogue) if words in item.values(attribute)]
            cards = [Card(item) for item in sorted(found, key=lambda item: item.title)]
            return page(request, visitor, "shelf.html", words=words, by=attribute, cards=cards)
    return _missing(request, visitor, "There is no such shelf.")


@get("/book/{item:str}")
async def book(request: Req, item: str) -> Response[str]:
    """One book, and others close to it."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    catalogue = engine.shelf().catalogue
    found = catalogue.get(item)
    if found is None or found.kind != "book":
        return _missing(request, visitor, "We have no such book.")
    private = item in catalogue.telling(visitor.consent.sensitive)
    await _note_view(request, visitor, item, private)
    answer = engine.decide(visitor.person, [Ask("related", item=item)])[0]
    said = [act.verb for act in _view(engine, visitor).history() if act.item == item]
    return page(
        request, visitor, "book.html", item=found, row=_row(answer, catalogue, words_of(request)), private=private,
        bought="bought" in said, opinion=next((verb for verb in reversed(said) if verb in ("liked", "disliked")), ""),
    )  # fmt: skip


async def _note_view(request: Req, visitor: Visitor, item: str, private: bool) -> None:
    """Take the view of a book before the page is made, so that the page knows of it already.

    Not where nobody allowed it; not for a book that could give something private away; not twice in a row, or a reload would
    count; not when the browser only fetches ahead.
    """
    if (
        visitor.person is None
        or visitor.dial < Dial.visit
        or private
        or "prefetch" in request.headers.get("sec-purpose", "")
    ):
        return
    engine = shop_of(request).engine
    last = _view(engine, visitor).history()[-1:]
    if not last or last[0].item != item:
        await _take(engine, visitor.person, "viewed", item)


@get("/why/{receipt:str}")
async def why(request: Req, receipt: str) -> Response[str]:
    """A receipt in words. One that names a person opens for that person alone; whether it exists is nobody else's business."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    found = engine.stores.receipts.get(receipt)
    if found is None or (found.person is not None and found.person != visitor.person):
        return _missing(
            request,
            visitor,
            "There is no such page, or it is gone. Reasons are kept for a day; with the dial up, for 90 days.",
        )
    catalogue, charter, words = engine.shelf().catalogue, engine.charter, words_of(request)
    return page(
        request, visitor, "why.html", receipt=found, label=label(found, words), cards=_cards(found, catalogue, words),
        dial=Dial(found.dial).words, about=catalogue.get(_about(found)),
        read=[charter.data[name].words for name in found.opened if name in charter.data],
        held=[(charter.data[one.data].words if one.data in charter.data else one.data, one.count, one.why) for one in found.withheld],
        removed=[(one, [item.title for name in one.items if (item := catalogue.get(name))]) for one in found.removed],
    )  # fmt: skip


def _about(receipt: Receipt) -> str:
    """The book that the row was about, "" if it was about none."""
    sources = (piece.source for shown in receipt.shown for piece in shown.contributions)
    return next((source.key for source in sources if source.kind == "item"), "")


@get("/you")
async def you(request: Req) -> Response[str]:
    """What the shop knows about whoever is looking, and the switches."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    catalogue, charter, now = engine.shelf().catalogue, engine.charter, engine.shell.now()
    profile = None if visitor.person is None else engine.profile(visitor.person)
    told = profile.declared.get("interests") if profile else None
    acts: Sequence[Interaction] = profile.observed if profile else ()
    changes = [] if visitor.person is None else engine.stores.consents.read(visitor.person)
    return page(
        request, visitor, "you.html", known=visitor.person is not None and visitor.dial > Dial.off,
        count=len(acts), acts=[(done(act, catalogue.get(act.item)), act, ago(act.at, now)) for act in acts[::-1][:HISTORY_SHOWN]],
        likings=told.value if told and isinstance(told.value, list) else [], choices=_choices(engine, catalogue),
        switches=[(name, purpose.words, allows(name, charter, visitor.consent)) for name, purpose in charter.purposes.items()],
        changes=[(change, ago(change.at, now)) for change in changes[::-1]], data=list(charter.data.values()),
        held=_view(engine, visitor).withheld, charter=charter,
    )  # fmt: skip


def _choices(engine: Engine, catalogue: Catalogue) -> list[str]:
    """Subjects that a person can say they like: none that would say something private about them."""
    proxies = [
        proxy for kind in engine.charter.sensitive.values() for proxy in kind.proxies if proxy.attribute == "subjects"
    ]
    private = {value for proxy in proxies for value in proxy.values}
    return [value for value in _values(catalogue, "subjects") if value not in private]


# ------------------------------------------------------------------------------------------------------------------- saying


@post("/dial")
async def dial(request: Req) -> Redirect:
    """Turn the dial."""
    refuse_forged(request)
    form = await request.form()
    name = str(form.get("dial", ""))
    if name not in Dial.__members__:
        raise BadInput(field="dial", why="there is no such level", fix="Use one of the four buttons")
    visitor, level = visitor_of(request), Dial[name]
    person = await turn_dial(request, visitor, level, form.get("learn") == "yes")
    back = str(form.get("back", "/"))
    response = go(back if BACK.fullmatch(back) else "/", name)
    if person is None:
        drop_cookie(response)
    else:
        keep_cookie(request, response, person, level)
    return response


@post("/book/{item:str}")
async def verdict(request: Req, item: str) -> Redirect:
    """Buy a book, like it, or say that it is not for you. Answers honestly whether anything of it was kept.

    Of a book that could give something private away, nothing is.
    """
    refuse_forged(request)
    visitor, engine = visitor_of(request), shop_of(request).engine
    verb = str((await request.form()).get("verb", ""))
    if verb not in VERDICTS or engine.shelf().catalogue.get(item) is None:
        raise BadInput(field="verb", why="this cannot be done with a book", fix="Use the buttons under the book")
    kept = False
    private = item in engine.shelf().catalogue.telling(visitor.consent.sensitive)
    if visitor.person is not None and visitor.dial >= Dial.visit and not private:
        kept = await _take(engine, visitor.person, verb, item)
    back = f"/book/{quote(item, safe='')}"
    if verb == "bought":
        return go(back, "bought" if kept else "bought-unkept")
    return go(back, verb if kept else "unkept")


@post("/you/told")
async def tell(request: Req) -> Redirect:
    """Say which subjects one likes."""
    refuse_forged(request)
    visitor, engine = visitor_of(request), shop_of(request).engine
    choices = _choices(engine, engine.shelf().catalogue)
    said = set((await request.form()).getall("like", []))
    kept = False
    if visitor.person is not None:
        traits = {"interests": [choice for choice in choices if choice in said]}
        arrival = Arrival(id=engine.shell.name(), person=visitor.person, name="told", traits=traits)
        kept = (await engine.take([arrival]).settled()).stored > 0
    return go("/you", "saved" if kept else "unkept")


@post("/you/purpose")
async def purpose(request: Req) -> Redirect:
    """Say yes or no to one purpose."""
    refuse_forged(request)
    form = await request.form()
    name = str(form.get("purpose", ""))
    if name not in shop_of(request).engine.charter.purposes:
        raise BadInput(field="purpose", why="the shop has no such purpose", fix="Use the switches on the page")
    await switch_purpose(request, visitor_of(request), name, form.get("on") == "yes")
    return go("/you", "saved")


@post("/you/forget")
async def forget_me(request: Req) -> Redirect:
    """Forget whoever asks, at once."""
    refuse_forged(request)
    visitor = visitor_of(request)
    if visitor.person is not None:
        await forget(shop_of(request).engine, visitor.person)
    response = go("/", "forgotten")
    drop_cookie(response)
    return response


# ----------------------------------------------------------------------------------------------------------------- pictures


@get("/covers/{name:str}")
async def cover_of(request: Req, name: str) -> Response[Any]:
    """A cover, drawn."""
    found = shop_of(request).engine.shelf().catalogue.get(name.removesuffix(".svg"))
    if found is None or not name.endswith(".svg"):
        return _missing(request, visitor_of(request), "We have no such book.")
    return picture(cover(found.title, ", ".join(found.values("author")), found.values("subjects")), "image/svg+xml")


@get("/shop/{name:str}")
async def file_of(request: Req, name: str) -> Response[Any]:
    """The style sheet and the lantern."""
    if name not in FILES:
        return _missing(request, visitor_of(request), "There is no such file.")
    return picture(asset(name), FILES[name])


# ------------------------------------------------------------------------------------------------------------------- shared


async def _take(engine: Engine, person: str, verb: str, item: str) -> bool:
    """Take one thing that a person did, and wait until the next decision knows it. Whether it was kept."""
    arrival = Arrival(id=engine.shell.name(), person=person, name=verb, verb=verb, items=(item,))
    return (await engine.take([arrival]).settled()).stored > 0


def _view(engine: Engine, visitor: Visitor) -> View:
    """What the visitor allows to be read, now, on a page that only they see. Empty for somebody unknown."""
    if visitor.person is None:
        return View(purpose=PURPOSE, surface=SURFACE)
    profile, catalogue = engine.profile(visitor.person), engine.shelf().catalogue
    return engine.view(profile, visitor.consent, PURPOSE, SURFACE, engine.shell.now(), catalogue)


def words_of(request: Req) -> Words:
    """The words that the pages use: their own language, whatever the installation's is."""
    return shop_of(request).languages.speak("en")


def _row(answer: Answer, catalogue: Catalogue, words: Words) -> Row:
    receipt = answer.receipt
    return Row(label(receipt, words), receipt.id, receipt.personal, _cards(receipt, catalogue, words))


def _cards(receipt: Receipt, catalogue: Catalogue, words: Words) -> list[Card]:
    pairs = [(shown, catalogue.get(shown.item)) for shown in receipt.shown]
    return [
        Card(item, sentence(shown, catalogue, words), what_if(shown, catalogue, words))
        for shown, item in pairs
        if item is not None
    ]


def _books(catalogue: Catalogue) -> list[Item]:
    items = (catalogue.item(row) for row in range(len(catalogue)))
    return [item for item in items if item.available and item.kind == "book"]


def _values(catalogue: Catalogue, attribute: str) -> list[str]:
    return sorted({value for item in _books(catalogue) for value in item.values(attribute)})


def _missing(request: Req, visitor: Visitor, why_not: str) -> Response[str]:
    return page(request, visitor, "sorry.html", 404, title="Not here", why_not=why_not)


def _sorry(request: Req, error: TactfulError) -> Response[str]:
    """An error of ours, as a page."""
    return page(request, visitor_of(request), "sorry.html", error.status, title="That did not work", why_not=str(error))


PAGES: list[Router] = [
    Router(
        path="/",
        route_handlers=[home, shelf, book, why, you, dial, verdict, tell, purpose, forget_me, cover_of, file_of],
        exception_handlers={TactfulError: _sorry},
        include_in_schema=False,
    )
]
"""What `tactful.api.worker` serves beside the API when it is told to serve the shop."""
