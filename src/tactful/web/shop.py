"""The demo bookshop: pages served beside the API. They work without a script, and without a cookie until the dial is turned up."""

from typing import Any

from litestar import Response, Router, get

from tactful.domain.errors import TactfulError
from tactful.web import cart, known, look, quiz, speak
from tactful.web.covers import STYLES, cover
from tactful.web.pages import FILES, asset, missing, page, picture
from tactful.web.rows import stock
from tactful.web.visitor import Req, visitor_of


@get("/covers/{name:str}")
async def cover_of(request: Req, name: str) -> Response[Any]:
    """A cover, drawn: the usual one, or `emma.type.svg`, one of its others."""
    item, _, style = name.removesuffix(".svg").partition(".")
    visitor = visitor_of(request)
    found = stock(request, visitor).get(item)
    if found is None or not name.endswith(".svg") or style not in ("", *STYLES):
        return missing(request, visitor, "We have no such cover.")
    drawn = cover(found.title, ", ".join(found.values("author")), found.values("subjects"), style)
    return picture(drawn, "image/svg+xml", anybody=False)


@get("/shop/{name:str}")
async def file_of(request: Req, name: str) -> Response[Any]:
    """The style sheet and the lantern."""
    if name not in FILES:
        return missing(request, visitor_of(request), "There is no such file.")
    return picture(asset(name), FILES[name])


def _sorry(request: Req, error: TactfulError) -> Response[str]:
    """An error of ours, as a page."""
    return page(request, visitor_of(request), "sorry.html", error.status, title="That did not work", why_not=str(error))


HANDLERS = [
    look.home, look.shelves, look.shelf, look.book, look.find, look.why_not, look.weekly, look.make_weekly, look.why, look.try_out,
    speak.dial, speak.verdict, speak.mute,
    quiz.begin, quiz.ask, quiz.answer,
    cart.cart, cart.change, cart.buy,
    known.you, known.take_along, known.correct, known.delete, known.purpose, known.disown, known.afresh, known.forget_me, known.child,
    cover_of, file_of,
]  # fmt: skip

PAGES: list[Router] = [
    Router(
        path="/",
        route_handlers=HANDLERS,
        exception_handlers={TactfulError: _sorry},
        include_in_schema=False,
    )
]
"""What `tactful.api.worker` serves beside the API when it is told to serve the shop."""
