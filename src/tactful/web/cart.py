"""The cart. It works with the dial at Off: it lies in the browser, in a cookie that names books and nobody."""

from litestar import Response, get, post
from litestar.response import Redirect

from tactful.domain.consent import Dial
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput
from tactful.web.pages import go, page
from tactful.web.rows import rows, stock
from tactful.web.speak import back_to
from tactful.web.visitor import (
    CART_MOST,
    Req,
    Visitor,
    keep_cart,
    refuse_forged,
    shop_of,
    take,
    visitor_of,
)


@get("/cart")
async def cart(request: Req) -> Response[str]:
    """What lies in the cart, and what goes well with it."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    books = stock(request, visitor).some(visitor.cart)
    held = [item.id for item in books]
    row = None
    if books:
        ask = Ask("together", context={"cart": held}, exclude=held)
        row = rows(engine, visitor, [ask]).get("together")
    total = sum(item.price.amount for item in books if item.price)
    return page(
        request,
        visitor,
        "cart.html",
        books=books,
        total=f"€{total:.2f}",
        row=row,
        learns=visitor.dial >= Dial.visit and not visitor.child,
    )


@post("/cart")
async def change(request: Req) -> Redirect:
    """Put a book into the cart, or take it out."""
    refuse_forged(request)
    visitor, form = visitor_of(request), await request.form()
    item, out = str(form.get("item", "")), form.get("out") == "yes"
    if stock(request, visitor).get(item) is None:
        raise BadInput(field="item", why="we have no such book", fix="Use the buttons on the pages of books")
    left = [one for one in visitor.cart if one != item]
    if not out and len(left) >= CART_MOST:
        return go("/cart", "full")
    await _note(request, visitor, "dropped" if out else "added", item)
    response = go(back_to(form.get("back")), "dropped" if out else "added")
    keep_cart(request, response, left if out else [*left, item])
    return response


@post("/cart/buy")
async def buy(request: Req) -> Redirect:
    """Buy what lies in the cart. A demo: nothing is charged or sent."""
    refuse_forged(request)
    visitor = visitor_of(request)
    books = stock(request, visitor).some(visitor.cart)
    kept = [await _note(request, visitor, "bought", item.id) for item in books]
    response = go("/cart", "bought" if any(kept) else "bought-unkept" if books else "")
    keep_cart(request, response, ())
    return response


async def _note(request: Req, visitor: Visitor, verb: str, item: str) -> bool:
    """Take it as something the visitor did, where they allow it and it gives nothing private away. Whether it was kept."""
    engine = shop_of(request).engine
    private = item in engine.shelf().catalogue.telling(visitor.consent.sensitive)
    if visitor.person is None or visitor.dial < Dial.visit or private:
        return False
    return await take(engine, visitor.person, verb, item)
