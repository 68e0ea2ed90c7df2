"""Doors that pages of any origin may knock at: those for which a public key, or a person's token, is enough.

Any origin, since a public key is no secret; never with cookies, since no door of the API goes by them.
"""

from collections.abc import Sequence

from litestar import HttpMethod, route
from litestar.datastructures import MutableScopeHeaders
from litestar.handlers import HTTPRouteHandler
from litestar.types import Message, Scope

ANY_ORIGIN = {"any_origin": True}
"""The `opt` of a route that browsers may call from any page."""

ASKED = "*, Authorization, Content-Type, Content-Encoding, AnonymousId, SentAt, X-Person-Token, X-Retry-Count"
"""Request headers that are fine. The star does not stand for Authorization, and older browsers do not know the star."""
REMEMBERED_S = 7200


async def say_any_origin(message: Message, scope: Scope) -> None:
    """A hook before anything is sent: answers of such a door, errors too, may be read by pages of any origin."""
    handler = scope.get("route_handler")
    if message["type"] == "http.response.start" and handler is not None and handler.opt.get("any_origin"):
        headers = MutableScopeHeaders.from_message(message)
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = "Retry-After"


def preflight(paths: Sequence[str], methods: str = "POST") -> HTTPRouteHandler:
    """The route by which browsers ask beforehand whether they may call these paths. methods: with commas between them."""

    headers = {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": ASKED,
        "Access-Control-Max-Age": str(REMEMBERED_S),
        "Allow": f"{methods}, OPTIONS",
    }

    @route(
        list(paths), http_method=HttpMethod.OPTIONS, status_code=204, response_headers=headers, opt=ANY_ORIGIN,
        include_in_schema=False,
    )  # fmt: skip
    async def allowed() -> None:
        """What a page of another origin may send."""

    return allowed
