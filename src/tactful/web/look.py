"""Pages to look at: the front page, shelves, books, search, the list made ahead, reasons, the dial tried out."""

from collections.abc import Sequence

from litestar import Response, get, post
from litestar.response import Redirect

from tactful.batch import list_for
from tactful.domain.consent import Dial
from tactful.domain.decision import Ask
from tactful.domain.receipt import Receipt
from tactful.flow.gate import Refused
from tactful.flow.why_not import in_words
from tactful.flow.wording import details
from tactful.ports import Record
from tactful.searching import QUERY_MOST, search, suggest
from tactful.web.covers import STYLES
from tactful.web.pages import SENTENCES, go, missing, page
from tactful.web.rows import Card, cards_of, page_rows, preview, row_of, rows, stock, view_of
from tactful.web.steps import moment
from tactful.web.visitor import Req, Visitor, refuse_forged, shop_of, take, visitor_of

SUGGESTED = 6
NAMING = ("history", "item")
"""Kinds of reasons that name an item."""
LANGUAGES = {"en": "English", "de": "Deutsch"}
"""Languages in which reasons are said."""


@get("/")
async def home(request: Req) -> Response[str]:
    """The front page: rows in the visitor's order. `?different=yes` puts a row of surprises on top: other ones than those of the receipt `not`."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    surprise = None
    if request.query_params.get("different") == "yes":
        before = engine.stores.receipts.get(request.query_params.get("not", ""))
        seen = [shown.item for shown in before.shown] if before and before.person in (None, visitor.person) else []
        surprise = rows(engine, visitor, [Ask("different", exclude=seen)], {"different": True}).get("different")
    found = page_rows(engine, visitor, "home")
    return page(
        request, visitor, "home.html", rows=found, surprise=surprise, personal=any(row.personal for row in found),
        different="different" in engine.recipes, weekly="weekly" in engine.recipes,
        nothing_yet=view_of(engine, visitor).empty,
    )  # fmt: skip


@get("/shelves")
async def shelves(request: Req) -> Response[str]:
    """All shelves: the same for everyone."""
    visitor = visitor_of(request)
    found = stock(request, visitor).shelves.values()
    subjects = sorted((words, len(books)) for attribute, words, books in found if attribute == "subjects")
    authors = sorted((words, len(books)) for attribute, words, books in found if attribute == "author")
    return page(request, visitor, "shelves.html", subjects=subjects, authors=authors)


@get("/shelf/{name:str}")
async def shelf(request: Req, name: str) -> Response[str]:
    """All books about one subject, or by one author: in the order of the alphabet, the same for everyone."""
    visitor = visitor_of(request)
    found = stock(request, visitor).shelves.get(name)
    if found is None:
        return missing(request, visitor, "There is no such shelf.")
    attribute, words, books = found
    return page(request, visitor, "shelf.html", words=words, by=attribute, cards=[Card(item) for item in books])


@get("/book/{item:str}")
async def book(request: Req, item: str) -> Response[str]:
    """One book, and others close to it."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    found = stock(request, visitor).get(item)
    if found is None:
        return missing(request, visitor, "We have no such book.")
    private = item in engine.shelf().catalogue.telling(visitor.consent.sensitive)
    await _note_view(request, visitor, item, private)
    near = rows(engine, visitor, [Ask("related", item=item), Ask("together", item=item, context={"cart": [item]})])
    said = [act.verb for act in view_of(engine, visitor).history() if act.item == item]
    style = request.query_params.get("cover", "")
    return page(
        request, visitor, "book.html", item=found, rows=[row for row in near.values() if row.cards], private=private,
        bought="bought" in said, opinion=last_of(said, ("liked", "disliked")), reading=last_of(said, ("clicked", "finished")),
        carted=item in visitor.cart, learns=visitor.dial >= Dial.visit and not private and not visitor.child,
        tells=visitor.dial >= Dial.told and not visitor.child, covers=["", *STYLES], cover=style if style in STYLES else "",
    )  # fmt: skip


def last_of(said: Sequence[str], verbs: Sequence[str]) -> str:
    """Which of these verbs came last, "" if none did."""
    return next((verb for verb in reversed(said) if verb in verbs), "")


async def _note_view(request: Req, visitor: Visitor, item: str, private: bool) -> None:
    """Take the view of a book before the page is made, so that the page knows of it already.

    Not where nobody allowed it; not for a book that could give something private away; not twice in a row, or a reload would
    count; not when the browser only fetches ahead.
    """
    ahead = "prefetch" in request.headers.get("sec-purpose", "")
    if visitor.person is None or visitor.dial < Dial.visit or private or ahead:
        return
    engine = shop_of(request).engine
    last = view_of(engine, visitor).history()[-1:]
    if not last or last[0].item != item:
        await take(engine, visitor.person, "viewed", item)


@get("/search")
async def find(request: Req) -> Response[str]:
    """What was typed, found; in the visitor's order as far as they allow it. What is typed is not kept as theirs."""
    visitor, shop = visitor_of(request), shop_of(request)
    typed = " ".join(request.query_params.get("q", "").split())[:QUERY_MOST]
    if "search" not in shop.engine.recipes or shop.engine.shelf().search is None:
        return missing(request, visitor, "This shop cannot be searched.")
    found, like, row = None, [], None
    if typed:
        found = search(shop.engine, shop.missed, visitor.person, Ask("search", query=typed))
        row = row_of(shop.engine, found.answer, visitor.words)
        like = suggest(shop.engine, visitor.person, "search", typed, SUGGESTED)
    return page(
        request, visitor, "search.html", asked=typed, row=row, found=found, like=[one for one in like if one != typed],
        shelves=[one for one in stock(request, visitor).subjects if typed and one.startswith(typed.lower())],
    )  # fmt: skip


@get("/book/{item:str}/why-not")
async def why_not(request: Req, item: str) -> Response[str]:
    """Why a book is not on the front page, by choosing once more. Nothing of it is kept."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    found = stock(request, visitor).get(item)
    if found is None:
        return missing(request, visitor, "We have no such book.")
    said = engine.why_not(visitor.person, Ask("home"), item)
    row, words = engine.recipe("home").placement.words, in_words(said, engine.shelf().catalogue, visitor.words)
    return page(request, visitor, "why_not.html", item=found, row=row, words=words, shown=said.kind == "shown")


@get("/weekly")
async def weekly(request: Req) -> Response[str]:
    """The list that was made ahead, with the day it was made. The guards, and the consent, are asked again now."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    row = rows(engine, visitor, [Ask("weekly")]).get("weekly")
    if row is None:
        return missing(request, visitor, "There is no list made ahead.")
    kept = view_of(engine, visitor).trait(engine.recipe("weekly").placement.batch)
    made = f"{moment(kept.at):%-d %B %Y}" if kept is not None else ""
    return page(request, visitor, "weekly.html", row=row, made=made)


@post("/weekly")
async def make_weekly(request: Req) -> Redirect:
    """Make the list now, for somebody who does not want to wait for `tactful batch`."""
    refuse_forged(request)
    visitor, engine = visitor_of(request), shop_of(request).engine
    if visitor.person is None or visitor.child or visitor.dial < Dial.remember:
        return go("/weekly", "unlisted")
    found = list_for(engine, engine.recipe("weekly"), visitor.person)
    if isinstance(found, Refused):
        return go("/weekly", "unlisted")
    until = engine.keep_until(found.data, found.kept)
    await engine.stores.events.append([Record(visitor.person, found.data, (found,), until)])
    return go("/weekly", "listed")


@get("/why/{receipt:str}")
async def why(request: Req, receipt: str) -> Response[str]:
    """A receipt in words. One that names a person opens for that person alone; whether it exists is nobody else's business."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    found = engine.stores.receipts.get(receipt)
    if (
        found is None
        or (found.person is not None and found.person != visitor.person)
        or not _seen(request, visitor, found)
    ):
        return missing(
            request,
            visitor,
            "There is no such page, or it is gone. Reasons are kept for a day; with the dial up, for 90 days, but those of a search never longer than a day.",
        )
    catalogue, books, words = engine.shelf().catalogue, stock(request, visitor), visitor.words
    data = {name: entry.words for name, entry in engine.charter.data.items()}
    return page(
        request, visitor, "why.html", receipt=found, more=details(found, catalogue, words, data),
        cards=cards_of(found, catalogue, words), said=words.language, languages=LANGUAGES,
        dial=Dial(found.dial).words, about=books.get(_about(found)),
        read=[data[name] for name in found.opened if name in data],
        held=[(data.get(one.data, one.data), one.count, one.why) for one in found.withheld],
        removed=[(one, [item.title for item in books.some(one.items)]) for one in found.removed],
        titles={item.id: item.title for item in books.books},
    )  # fmt: skip


def _seen(request: Req, visitor: Visitor, receipt: Receipt) -> bool:
    """Whether all that the receipt shows, and names as a reason, may be seen by whoever is looking: a child opens no reasons of a grown-up's page."""
    named = {shown.item for shown in receipt.shown}
    named |= {one.source.key for shown in receipt.shown for one in shown.contributions if one.source.kind in NAMING}
    return not visitor.child or all(stock(request, visitor).get(item) for item in named if item)


def _about(receipt: Receipt) -> str:
    """The book that the row was about, "" if it was about none."""
    sources = (piece.source for shown in receipt.shown for piece in shown.contributions)
    return next((source.key for source in sources if source.kind == "item"), "")


@get("/preview")
async def try_out(request: Req) -> Response[str]:
    """The front page at two levels of the dial, side by side. Nothing of it is kept.

    Downwards only: what a higher level would use has not been kept, so there is nothing to show.
    """
    visitor, engine = visitor_of(request), shop_of(request).engine
    name = request.query_params.get("dial", "")
    other = Dial[name] if name in Dial.__members__ and Dial[name] < visitor.dial else Dial.off
    sides = []
    if visitor.dial > Dial.off and not visitor.child:
        for words, level in (("As it is now", visitor.dial), ("As it would be", other)):
            sides.append((words, level, preview(engine, visitor, "home", level)))
    return page(request, visitor, "preview.html", sides=sides, other=other.name, sentences=SENTENCES)
