"""Searching, and suggestions while something is typed."""

from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import structs

from tactful import searching
from tactful.api import shapes
from tactful.api.answers import decision_out, languages_of
from tactful.api.routes import Req, answered, saying, unreadable
from tactful.api.service import of
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput
from tactful.domain.placement import LIMIT_MOST

SUGGESTIONS = 8
CONTEXT = 'Send an object of at most 50 plain values or lists of ids, such as {"language": "de"}'
_context = msgspec.json.Decoder(shapes.Context)


@post("/v1/search", status_code=200)
async def search(request: Req, data: shapes.SearchRequest) -> shapes.SearchResponse:
    """Find items by words, in the person's order as far as they allow it. What is typed is not kept."""
    service = of(request)
    key = service.key(request, "decide")
    person = service.who(request, key, data.person, data.anonymous)
    recipe = service.engine.recipes.get(data.placement)
    limit = data.limit or (recipe.placement.limit if recipe else 1)
    if data.offset + limit > LIMIT_MOST:
        why = f"with the limit of {limit} it comes to more than {LIMIT_MOST}"
        raise BadInput(field="offset", why=why, fix="Ask for fewer, or let people say more of what they look for")
    ask = Ask(
        data.placement, query=data.query, exclude=data.exclude, limit=data.offset + limit,
        languages=languages_of(data.language), market=data.market,
    )  # fmt: skip
    found = searching.search(service.engine, service.missed, person, ask, data.context)
    decision = decision_out((await answered([found.answer]))[0], saying(service, data))
    shown = structs.replace(decision, items=decision.items[data.offset :])
    return shapes.SearchResponse(data.query, found.mended, found.count, data.offset, shown)


@get("/v1/suggest")
async def suggest(
    request: Req,
    q: Annotated[str, Parameter(min_length=1, max_length=searching.QUERY_MOST, description="What is typed so far.")],
    placement: Annotated[str, Parameter(min_length=1, max_length=256)] = "search",
    limit: Annotated[int, Parameter(ge=1, le=50)] = SUGGESTIONS,
    context: Annotated[
        str | None, Parameter(max_length=4000, description="What goes on around the person, as a JSON object.")
    ] = None,
    person: Annotated[
        str | None, Parameter(min_length=1, max_length=256, description="For whom: read is whether they are a child.")
    ] = None,
    anonymous: Annotated[
        str | None, Parameter(min_length=1, max_length=256, description="The same, for a device.")
    ] = None,
) -> shapes.SuggestResponse:
    """How what is typed could go on: from the catalogue alone, never from what others typed, nor anything sensitive."""
    service = of(request)
    key = service.key(request, "decide")
    whom = service.who(request, key, person, anonymous)
    try:
        around: dict[str, Any] = {} if context is None else _context.decode(context)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as mistake:
        raise BadInput(field="context", why=unreadable(mistake), fix=CONTEXT) from None
    return shapes.SuggestResponse(searching.suggest(service.engine, whom, placement, q, limit, around))


ROUTES: list[HTTPRouteHandler] = [search, suggest]
