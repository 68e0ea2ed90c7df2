"""Gorse's REST interface, the half that chooses: recommendations, neighbours, popular items, sessions; and what has no counterpart."""

import re
from typing import Literal

import msgspec
from litestar import Response, get, post, route
from litestar.handlers import HTTPRouteHandler

from tactful.api.foreign import Req, body_of, chosen
from tactful.api.gorse import HANDLERS, OPTIONS, RESULTS, Missing, count_of, key_of
from tactful.api.service import of
from tactful.connectors import gorse
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput
from tactful.domain.placement import LIMIT_MOST
from tactful.domain.receipt import Shown
from tactful.engine import Answer

SESSION_ITEMS = 10
"""From how many of a session's latest items neighbours are gathered, as in Gorse."""
NEIGHBOURS = 100


def _page(request: Req) -> tuple[int, int]:
    """(how many, after how many), as the request says. Raises BadInput."""
    count, after = count_of(request, "n", RESULTS, LIMIT_MOST), count_of(request, "offset", 0, LIMIT_MOST)
    if count + after > LIMIT_MOST:
        raise BadInput(field="offset", why=f"with n it goes beyond {LIMIT_MOST}", fix="Ask for the first ones only")
    return count, after


def _within(request: Req, category: str) -> list[str] | None:
    """The items of the categories that the request names, in its path or its query; None if it names none."""
    named = [name for name in [category, *request.query_params.getall("category", [])] if name]
    if not named:
        return None
    items = of(request).engine.stores.items
    version = items.version()
    known: gorse.Categories | None = request.app.state.get("gorse_categories")
    if known is None:
        known = request.app.state["gorse_categories"] = gorse.Categories()
    if known.version != version:
        known.update(items.since(known.version), version)
    return known.items(named)


async def _choose(
    request: Req, placement: str, person: str | None, category: str, item: str | None = None
) -> tuple[list[Shown], Answer | None]:
    """What the request's page holds, and the decision; no decision if there is nothing to choose from."""
    if not placement:
        raise Missing("No placement answers this. Name one under [gorse] in tactful.toml.")
    (count, after), inside = _page(request), _within(request, category)
    if inside == [] or count == 0:
        return [], None
    ask = Ask(placement, item=item, items=inside, limit=count + after)
    answer = await chosen(of(request), person, ask)
    return list(answer.receipt.shown[after:]), answer


def _scores(shown: list[Shown]) -> list[gorse.Score]:
    return [gorse.Score(one.item, one.score) for one in shown]


@get(["/api/recommend/{user_id:str}", "/api/recommend/{user_id:str}/{category:str}"], **OPTIONS)
async def recommend(request: Req, user_id: str, category: str = "") -> Response[bytes]:
    """Gorse: recommend items to a user. With `X-API-Version: 2` their scores come along. A write-back says: these were shown."""
    service = of(request)
    key = key_of(request, "decide")
    person = service.who(request, key, user_id, None)
    back, delay = request.query_params.get("write-back-type"), request.query_params.get("write-back-delay", "")
    if re.search(r"[1-9]", delay):
        raise Missing("write-back-delay: what was shown counts at once here. Leave it out, or send the feedback later.")
    if back:
        key_of(request, "write")
    shown, answer = await _choose(request, service.gorse.recommend, person, category)
    if back and answer is not None and shown and person is not None:
        arrival = gorse.shown_arrival(person, [one.item for one in shown], answer.receipt.id)
        await service.engine.take([arrival], assumed=service.assumed(key)).settled()
    newer = request.headers.get("x-api-version") == "2"
    body = msgspec.json.encode(_scores(shown) if newer else [one.item for one in shown])
    headers = {} if answer is None else {"x-tactful-receipt": answer.receipt.id}
    return Response(body, media_type="application/json", headers=headers)


@get(["/api/item/{item_id:str}/neighbors", "/api/item/{item_id:str}/neighbors/{category:str}"], **OPTIONS)
async def neighbors(request: Req, item_id: str, category: str = "") -> list[gorse.Score]:
    """Gorse: items like this one."""
    key_of(request, "decide")
    return _scores((await _choose(request, of(request).gorse.neighbors, None, category, item_id))[0])


@get(["/api/popular", "/api/popular/{category:str}"], **OPTIONS)
async def popular(request: Req, category: str = "") -> list[gorse.Score]:
    """Gorse: what many people choose. With user-id, where the placement's guards take out what that person has."""
    return await _same_for_all(request, of(request).gorse.popular, category)


@get(["/api/latest", "/api/latest/{category:str}"], **OPTIONS)
async def latest(request: Req, category: str = "") -> list[gorse.Score]:
    """Gorse: what is new, where a placement for it is named under [gorse]."""
    return await _same_for_all(request, of(request).gorse.latest, category)


async def _same_for_all(request: Req, placement: str, category: str) -> list[gorse.Score]:
    service = of(request)
    key, user, person = key_of(request, "decide"), request.query_params.get("user-id"), None
    if user:
        recipe = service.engine.recipes.get(placement)
        if recipe is not None and "already_have" not in recipe.guards:
            why = f"user-id: the placement {placement!r} has no guard `already_have` to take out what they have"
            raise Missing(f"{why}. Give it that guard, or leave user-id out.")
        person = service.who(request, key, user, None)
    return _scores((await _choose(request, placement, person, category))[0])


@post(["/api/session/recommend", "/api/session/recommend/{category:str}"], **OPTIONS)
async def session_recommend(request: Req, category: str = "") -> list[gorse.Score]:
    """Gorse: recommend to a session of nobody: neighbours of its latest items, added up. Nothing of it is kept."""
    key_of(request, "decide")
    service = of(request)
    if not service.gorse.neighbors:
        raise Missing("No placement answers this. Name one as `neighbors` under [gorse] in tactful.toml.")
    came = gorse.read(await body_of(request, service.limits.body_kb), list[gorse.SessionFeedback])
    (count, after), inside = _page(request), _within(request, category)
    start, had = gorse.session_items(came, service.gorse.feedback, SESSION_ITEMS)
    scores: dict[str, float] = {}
    for item in start if inside != [] else ():
        ask = Ask(service.gorse.neighbors, item=item, items=inside, exclude=had, limit=NEIGHBOURS)
        for one in (await chosen(service, None, ask)).receipt.shown:
            if one.score > 0:
                scores[one.item] = scores.get(one.item, 0.0) + one.score
    best = sorted(scores, key=lambda item: (-scores[item], item))[after : after + count]
    return [gorse.Score(item, scores[item]) for item in best]


# ---------------------------------------------------------------------------------------------------- what is not here


def _missing(method: Literal["GET", "DELETE"], why: str, *paths: str) -> HTTPRouteHandler:
    async def not_here(request: Req) -> None:
        raise Missing(why)

    # Left out of the description of the interface, which says what there is.
    made = route(
        list(paths), http_method=[method], status_code=200, exception_handlers=HANDLERS, include_in_schema=False
    )
    return made(not_here)


NO_READING = (
    "What a person did is not read back by programs: it is shown to that person, and leaves in their own export."
)
NO_LISTING = "People cannot be listed: they are kept under keyed hashes. Ask for one by name, or have them ask."
NO_PIECE = "One piece of feedback cannot be taken back; nothing was deleted. Send feedback that says the opposite, or delete the user, who is then forgotten."
NO_PEOPLE = "People are not compared with each other by name here. Ask for recommendations, which learn from people who allow it."
NO_INSIGHT = "There are no measurements by this name here. See GET /healthz, and the receipts."
NO_NAMED = "There are no recommenders by name here, but placements. Use /api/recommend, /api/popular or an item's neighbors, or POST /v1/decide."
ONE, TWO, THREE = "/{a:str}", "/{a:str}/{b:str}", "/{a:str}/{b:str}/{c:str}"
OF_USER, OF_ITEM = "/api/user/{user_id:str}", "/api/item/{item_id:str}"
MISSING: list[HTTPRouteHandler] = [
    _missing("GET", NO_LISTING, "/api/users"),
    _missing("GET", NO_READING, OF_USER, *(f"/api/feedback{path}" for path in ("", ONE, TWO, THREE))),
    _missing("GET", NO_READING, *(f"{whose}/feedback{path}" for whose in (OF_USER, OF_ITEM) for path in ("", ONE))),
    _missing("DELETE", NO_PIECE, f"/api/feedback{TWO}", f"/api/feedback{THREE}"),
    _missing("GET", NO_PEOPLE, f"{OF_USER}/neighbors", f"/api/user-to-user{TWO}"),
    _missing("GET", NO_INSIGHT, f"/api/measurements{ONE}"),
    _missing("GET", NO_NAMED, *(f"/api/intermediate/recommend{path}" for path in (ONE, TWO))),
    _missing("GET", NO_NAMED, f"/api/collaborative-filtering{ONE}", f"/api/non-personalized{ONE}", f"/api/item-to-item{TWO}"),
]  # fmt: skip

ROUTES: list[HTTPRouteHandler] = [recommend, neighbors, popular, latest, session_recommend, *MISSING]
