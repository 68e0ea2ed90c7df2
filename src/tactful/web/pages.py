"""How pages are made: templates, headers, the words that every page shares."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.response import Redirect
from msgspec import Struct

from tactful.domain.consent import Dial
from tactful.domain.event import Interaction
from tactful.domain.item import Item, Price
from tactful.web.rows import menu, stock
from tactful.web.stock import slug
from tactful.web.visitor import Req, Visitor, drop_cookie, shop_of

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it browsers send `Origin: null` along with forms, and we could not tell ours from others.
    "Referrer-Policy": "same-origin",
}
FILES = {"shop.css": "text/css", "lantern.svg": "image/svg+xml"}

SENTENCES = {
    Dial.off: "We know nothing about you. What we kept is deleted.",
    Dial.told: "Only what you tell us yourself.",
    Dial.visit: "What you do on this visit. Forgotten when it ends.",
    Dial.remember: "What you do here, for a year at most.",
}
"""What each level holds."""

NOTES = {
    "off": "The dial is at Off. We deleted what we kept, and took our cookie back.",
    "told": "The dial is at “Only what I tell you”.",
    "visit": "The dial is at “This visit”.",
    "remember": "The dial is at “Remember me”.",
    "bought": "Bought. (This is a demo: nothing is charged or sent.) We will not pick it for you again.",
    "bought-unkept": "Bought. (This is a demo: nothing is charged or sent.) We do not keep that you bought it.",
    "added": "It is in your cart.",
    "dropped": "It is out of your cart.",
    "full": "Your cart is full. Buy what is in it, or take something out.",
    "liked": "Noted: you like it.",
    "disliked": "Noted: this one is not for you.",
    "clicked": "Noted: you are reading it.",
    "finished": "Noted: you have finished it.",
    "listed": "Your list is made. It stands on the page about you, too.",
    "unlisted": "We could not make a list: it takes the dial at “Remember me”, and something to go by. Open a few books first.",
    "muted": "Noted: less of this from now on. You can take it back on the page about you.",
    "unmuted": "Taken back. It may come up again.",
    "unkept": "We heard you, but kept nothing: you have not allowed it.",
    "saved": "Saved.",
    "deleted": "Deleted.",
    "afresh": "Your taste is reset. We have forgotten all that you did and told us. The dial stands where it was.",
    "not-you": "This visit was not you: what was done in it is deleted.",
    "forgotten": "You are forgotten. Nothing about you is left here, and our cookie is gone.",
    "child": "These are the children’s shelves now. We keep nothing about what is done here.",
    "grown-up": "These are the shelves for grown-ups again.",
}
"""What a page can be told to say at its top, by name: never words from the address."""

DONE_WORDS = {
    "viewed": "You looked at", "clicked": "You are reading", "bought": "You bought", "liked": "You liked",
    "disliked": "You said not for me to", "shown": "We showed you", "added": "You put in your cart", "dropped": "You took out of your cart",
    "returned": "You gave back", "finished": "You finished", "rated": "You rated", "searched": "You searched for",
}  # fmt: skip

RULES = {
    "sensitive": (
        "Nothing that could give something private away",
        "a liking for them could tell something private, and you have not turned that on",
    ),
    "children": ("For a child, only what suits a child", "they are not marked as suitable for children"),
    "availability": ("Only what can be bought", "we do not have them now"),
    "already_have": ("Nothing that you have, or do not want", "you bought them, or said that they are not for you"),
    "frequency_cap": ("Nothing too often", "you saw them often enough lately"),
    "muted": ("Nothing that you want less of", "you said so"),
    "disliked": ("Nothing that you did not like", "you said that they are not for you"),
    "stock": ("Only what is on the shelf", "they are sold out"),
    "caller": ("Not the book that the page is about", "you are looking at it"),
    "page": ("No book twice on a page", "they stand on this page already"),
}
"""By guard: the rule, and why books were taken out, as this shop says it to a reader. A guard not named here speaks for itself."""


class Level(Struct, frozen=True):
    """One level of the dial, as the page shows it."""

    name: str
    words: str
    holds: str
    current: bool


def money(price: Price | None) -> str:
    """A price as people write it."""
    if price is None:
        return ""
    return f"€{price.amount:.2f}" if price.currency == "EUR" else f"{price.amount:.2f} {price.currency}"


def ago(then: int, now: int) -> str:
    """How long ago, in words. Both in milliseconds."""
    seconds = max(0, now - then) // 1000
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' * (count > 1)} ago"
    return "just now"


def done(act: Interaction, item: Item | None) -> str:
    """One thing that a person did, in words."""
    return f"{DONE_WORDS.get(act.verb, act.verb)} {item.title if item else 'a book that is no longer here'}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tactful.web", "shop_pages"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"money": money, "slug": slug}
    environment.globals |= {"css_version": _version("shop.css"), "rules": RULES}
    return environment


@cache
def asset(name: str) -> bytes:
    """A file that goes with the pages."""
    return (files("tactful.web") / "shop_pages" / name).read_bytes()


def _version(name: str) -> str:
    return hashlib.blake2b(asset(name), digest_size=6).hexdigest()


def page(request: Req, visitor: Visitor, template: str, status: int = 200, **words: Any) -> Response[str]:
    """A page, with what every page carries: the dial, the menu, the note, the headers. Never cached: it may be about a person."""
    engine = shop_of(request).engine
    levels = [Level(level.name, level.words, SENTENCES[level], level is visitor.dial) for level in Dial]
    text = (
        _environment()
        .get_template(template)
        .render(
            levels=levels,
            level=visitor.dial.name,
            child=visitor.child,
            handed=visitor.handed,
            in_cart=len(visitor.cart),
            menu=menu(engine, visitor, stock(request, visitor)),
            searchable="search" in engine.recipes and engine.shelf().search is not None,
            note=NOTES.get(request.query_params.get("done", ""), ""),
            purposes=engine.charter.purposes,
            back=request.url.path,
            operator=engine.charter.operator,
            **{"asked": "", **words},
        )
    )
    response = Response(
        text, status_code=status, media_type="text/html", headers={**HEADERS, "Cache-Control": "no-store"}
    )
    for name in visitor.stale:
        drop_cookie(response, name)
    return response


def missing(request: Req, visitor: Visitor, why_not: str) -> Response[str]:
    """The page that says that there is no such page."""
    return page(request, visitor, "sorry.html", 404, title="Not here", why_not=why_not)


def picture(content: bytes | str, media_type: str, anybody: bool = True) -> Response[bytes | str]:
    """A cover or another file that changes only with its address, or hardly ever. anybody: may have it from a cache on the way."""
    keep = f"{'public' if anybody else 'private'}, max-age=604800"
    return Response(content, media_type=media_type, headers={**HEADERS, "Cache-Control": keep})


def go(path: str, note: str = "") -> Redirect:
    """Send the browser on after a form, so that reloading does not send it twice."""
    headers = {**HEADERS, "Cache-Control": "no-store"}
    return Redirect(f"{path}?done={note}" if note else path, status_code=303, headers=headers)
