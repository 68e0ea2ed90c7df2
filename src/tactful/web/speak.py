"""What a visitor says on the pages of books, and with the dial."""

import re
from urllib.parse import quote

from litestar import post
from litestar.response import Redirect

from tactful.domain.consent import Dial
from tactful.domain.errors import BadInput
from tactful.web.pages import go
from tactful.web.rows import muted_words, stock, told_list
from tactful.web.visitor import (
    Req,
    drop_cookie,
    keep_cookie,
    refuse_forged,
    shop_of,
    take,
    tell,
    turn_dial,
    visitor_of,
)

VERDICTS = ("liked", "disliked", "clicked", "finished")
BACK = re.compile(r"/|/(you|quiz|cart|weekly|shelves|preview|search)|/quiz/[0-9]|/(book|shelf)/[^/?#\\]+")
"""Pages to which a form may send the browser back."""
MUTED_MOST = 50


def back_to(said: object) -> str:
    """Where a form may send the browser back to: the front page, unless it says another page of ours."""
    return said if isinstance(said, str) and BACK.fullmatch(said) else "/"


@post("/dial")
async def dial(request: Req) -> Redirect:
    """Turn the dial."""
    refuse_forged(request)
    form = await request.form()
    name = str(form.get("dial", ""))
    if name not in Dial.__members__:
        raise BadInput(field="dial", why="there is no such level", fix="Use one of the four buttons")
    visitor, level = visitor_of(request), Dial[name]
    if visitor.child and (visitor.handed or level is not Dial.off):  # whoever is known may always turn it off
        raise BadInput(field="dial", why="there is none for children", fix="Go back to the shelves for grown-ups first")
    person = await turn_dial(request, visitor, level, form.get("learn") == "yes")
    response = go(back_to(form.get("back")), name)
    if person is None:
        drop_cookie(response)
    else:
        keep_cookie(request, response, person, level)
    return response


@post("/book/{item:str}")
async def verdict(request: Req, item: str) -> Redirect:
    """Like a book, or say that it is not for you, or how far you are with it. Answers honestly whether anything of it was kept.

    Of a book that could give something private away, nothing is.
    """
    refuse_forged(request)
    visitor, engine = visitor_of(request), shop_of(request).engine
    verb = str((await request.form()).get("verb", ""))
    if verb not in VERDICTS or stock(request, visitor).get(item) is None:
        raise BadInput(field="verb", why="this cannot be done with a book", fix="Use the buttons under the book")
    kept = False
    private = item in engine.shelf().catalogue.telling(visitor.consent.sensitive)
    if visitor.person is not None and visitor.dial >= Dial.visit and not private:
        kept = await take(engine, visitor.person, verb, item)
    return go(f"/book/{quote(item, safe='')}", verb if kept else "unkept")


@post("/muted")
async def mute(request: Req) -> Redirect:
    """Say of what one wants less (`subjects:war`, `author:...`, `item:...`), or take that back."""
    refuse_forged(request)
    visitor, engine, form = visitor_of(request), shop_of(request).engine, await request.form()
    what, back = str(form.get("what", "")), back_to(form.get("back"))
    if not muted_words(what, stock(request, visitor)):
        raise BadInput(field="what", why="there is no such subject, author or book", fix="Use the buttons on the page")
    muted, more = [one for one in told_list(engine, visitor, "muted") if one != what], form.get("less") == "yes"
    kept = await tell(engine, visitor, {"muted": [*muted, *([what] if more else [])][-MUTED_MOST:]})
    return go(back, ("muted" if more else "unmuted") if kept else "unkept")
