"""Amazon Personalize's interface, for clients of it (boto3 with `endpoint_url`): events, items, users, recommendations, rankings.

The access-key id is one of our API keys. Signatures cannot be checked: only hashes of keys are kept, and no secret of theirs. The key
itself, 256 random bits in the header, is what proves the sender, as with a bearer token; so speak TLS.
"""

from typing import Any

import msgspec
from litestar import Response, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from tactful.api.access import Key
from tactful.api.foreign import Account, Req, body_of, chosen, seen, whom
from tactful.api.service import Service, of
from tactful.connectors import personalize
from tactful.connectors.pieces import Brought
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput, NoKey, TactfulError, TooManyItems, UnknownPlacement
from tactful.domain.identity import ANONYMOUS
from tactful.domain.placement import LIMIT_MOST
from tactful.domain.words import Words
from tactful.engine import Answer
from tactful.flow.wording import sentence

RESULTS = 25
"""How many items a client gets that does not say how many it wants, as at Amazon."""
KEY_FIX = "No valid key came with the request. Set aws_access_key_id to one of your API keys (`tactful init` printed them), and aws_secret_access_key to anything."
CODES = {
    400: "InvalidInputException", 401: "UnrecognizedClientException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
    413: "InvalidInputException", 429: "ThrottlingException", 503: "ServiceUnavailableException", 507: "ServiceUnavailableException",
}  # fmt: skip


def _failed(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    """An error in the shape of which boto3 makes its own exceptions."""
    body = msgspec.json.encode({"message": message})
    return Response(
        body, status_code=status, media_type="application/json", headers={**(headers or {}), "x-amzn-ErrorType": code}
    )


def _known_error(_: Req, error: TactfulError) -> Response[bytes]:
    if isinstance(error, NoKey):
        return _failed(403, CODES[401], KEY_FIX)
    if error.code in ("no_model", "stale_model"):
        return _failed(404, CODES[404], str(error))  # to a client of theirs: the campaign is not there yet
    status = 400 if error.status == 413 else error.status
    headers = {"Retry-After": "1"} if status in (429, 503, 507) else None
    return _failed(status, CODES.get(status, "InternalServerException"), str(error), headers)


def _http_error(_: Req, error: HTTPException) -> Response[bytes]:
    status = 400 if error.status_code == 413 else error.status_code
    detail = (
        "body: it is larger than this endpoint takes. Send less at once." if error.status_code == 413 else error.detail
    )
    return _failed(status, CODES.get(status, "InvalidInputException"), detail)


HANDLERS: Any = {TactfulError: _known_error, HTTPException: _http_error}


def _key(request: Req, scope: str) -> Key:
    sent = personalize.access_key(request.headers.get("authorization", ""))
    return of(request).key(request, scope, sent or None)


def _call(request: Req) -> str:
    """By what an AWS client tells its calls apart; the same when it tries again, so that nothing counts twice."""
    return str(request.headers.get("amz-sdk-invocation-id", ""))


async def _taken(service: Service, key: Key, brought: Brought, named: bool) -> Response[Account]:
    """Take it. named: the client names people, not a session of nobody by name, who agreed to nothing elsewhere."""
    assumed = service.assumed(key) if named else None
    outcome = await service.engine.take(brought.arrivals, brought.unusable, assumed).settled()
    account = Account.of(outcome, brought.unmapped)
    return Response(account, headers={"x-tactful-account": account.header})


@post("/events", status_code=200, exception_handlers=HANDLERS)
async def put_events(request: Req) -> Response[Account]:
    """PutEvents of Amazon Personalize. Answered 200 once what may be kept is durable; the account says what was not, and why."""
    service = of(request)
    key = _key(request, "write")
    came = personalize.read(await body_of(request, service.limits.body_kb), personalize.PutEvents)
    brought = personalize.brought(
        came, service.caller(request, key), _call(request), service.engine.shell.now(), service.personalize.events,
        service.limits.event_kb * 1024, seen(service, ANONYMOUS + came.sessionId),
    )  # fmt: skip
    return await _taken(service, key, brought, came.userId is not None)


@post("/items", status_code=200, exception_handlers=HANDLERS)
async def put_items_of_personalize(request: Req) -> dict[str, int]:
    """PutItems of Amazon Personalize: add or replace, all or none."""
    service = of(request)
    _key(request, "items")
    came = personalize.read(await body_of(request, service.limits.body_kb), personalize.PutItems)
    catalogue = service.engine.shelf().catalogue
    items = [
        personalize.item_of(one, catalogue.get(one.itemId), f"items[{number}]") for number, one in enumerate(came.items)
    ]
    await service.engine.put_items(items)
    return {"stored": len(items)}


@post("/users", status_code=200, exception_handlers=HANDLERS)
async def put_users(request: Req) -> Response[Account]:
    """PutUsers of Amazon Personalize: traits. Kept are those that the charter declares, of people who allow it."""
    service = of(request)
    key = _key(request, "write")
    came = personalize.read(await body_of(request, service.limits.body_kb), personalize.PutUsers)
    now, most = service.engine.shell.now(), service.limits.event_kb * 1024
    brought = personalize.users_brought(came, service.caller(request, key), _call(request), now, most)
    return await _taken(service, key, brought, True)


@post("/recommendations", status_code=200, exception_handlers=HANDLERS)
async def get_recommendations(request: Req) -> personalize.ItemList:
    """GetRecommendations of Amazon Personalize: the campaign or recommender names the placement."""
    service = of(request)
    key = _key(request, "decide")
    ask = personalize.read(await body_of(request, service.limits.body_kb), personalize.GetRecommendations)
    arn = ask.campaignArn or ask.recommenderArn
    if arn is None:
        fix = "Send one whose last part is a placement, or name it in [personalize.campaigns]"
        raise BadInput(field="campaignArn", why="neither it nor recommenderArn is there", fix=fix)
    if ask.promotions:
        fix = "Leave it out, and give the promoted items a placement of their own"
        raise BadInput(field="promotions", why="there are none here", fix=fix)
    limit = ask.numResults or RESULTS
    if limit > LIMIT_MOST:
        raise BadInput(field="numResults", why=f"{limit:,} is too many", fix=f"Ask for at most {LIMIT_MOST}")
    placement, columns = _placement(service, arn, ask.filterArn, ask.filterValues), _columns(ask.metadataColumns)
    person = whom(service, request, key, ask.userId)
    answer = await chosen(service, person, Ask(placement, item=ask.itemId or None, limit=limit), ask.context)
    return personalize.ItemList(_predicted(answer, columns, service.languages.speak()), answer.receipt.id)


@post("/personalize-ranking", status_code=200, exception_handlers=HANDLERS)
async def get_personalized_ranking(request: Req) -> personalize.Ranking:
    """GetPersonalizedRanking of Amazon Personalize. What is not in the catalogue, or may not be shown, does not come back."""
    service = of(request)
    key = _key(request, "decide")
    ask = personalize.read(await body_of(request, service.limits.body_kb), personalize.GetPersonalizedRanking)
    if len(ask.inputList) > service.limits.rank_items:
        raise TooManyItems(count=len(ask.inputList), most=service.limits.rank_items)
    columns = _columns(ask.metadataColumns)
    placement = _placement(service, ask.campaignArn, ask.filterArn, ask.filterValues)
    wanted = Ask(placement, items=ask.inputList, limit=len(ask.inputList))
    answer = await chosen(service, whom(service, request, key, ask.userId), wanted, ask.context)
    return personalize.Ranking(_predicted(answer, columns, service.languages.speak()), answer.receipt.id)


@post(["/actions", "/action-interactions", "/action-recommendations"], status_code=200, exception_handlers=HANDLERS)
async def actions(request: Req) -> None:
    """Amazon's next best actions: there are none here. Always an error, which says what to do instead."""
    _key(request, "write" if request.scope["path"] != "/action-recommendations" else "decide")
    why = "there are no actions here, apart from items"
    raise BadInput(field="path", why=why, fix="Make each action an item, with a placement of its own")


def _placement(service: Service, arn: str, wanted: str | None, values: dict[str, str] | None) -> str:
    """The placement that an ARN names. Raises UnknownPlacement; BadInput for a filter that the placement does not keep to."""
    placement = personalize.translated(arn, service.personalize.campaigns) or personalize.last_part(arn)
    recipe = service.engine.recipes.get(placement)
    if recipe is None:
        raise UnknownPlacement(name=placement, available=", ".join(sorted(service.engine.recipes)) or "none yet")
    if wanted is None:
        if values:
            raise BadInput(field="filterValues", why="there is no filterArn that they belong to", fix="Leave them out")
        return placement
    guard = personalize.translated(wanted, service.personalize.filters)
    fix = "Hide items with `available`, or have a guard do it, and say so in [personalize.filters]; nothing was left out for you"
    if guard is None:
        raise BadInput(field="filterArn", why=f"there is no filter {personalize.last_part(wanted)!r} here", fix=fix)
    if guard not in recipe.guards:
        raise BadInput(field="filterArn", why=f"the placement {placement!r} has no guard {guard!r}", fix=fix)
    if values:
        raise BadInput(field="filterValues", why=f"the guard {guard!r} takes none with a request", fix=fix)
    return placement


def _columns(asked: dict[str, list[str]] | None) -> list[str]:
    """Of which columns of the items the client wants to see the values. Raises BadInput."""
    found: list[str] = []
    for dataset, names in (asked or {}).items():
        if dataset.upper() != "ITEMS":
            raise BadInput(field="metadataColumns", why=f"{dataset!r} has none here", fix="Ask for columns of ITEMS")
        found += names
    return found


def _predicted(answer: Answer, columns: list[str], words: Words) -> list[personalize.PredictedItem]:
    items = []
    for shown in answer.receipt.shown:
        item = answer.catalogue.get(shown.item)
        more = personalize.metadata(item, columns) if item and columns else {}
        why = sentence(shown, answer.catalogue, words)
        items.append(personalize.PredictedItem(shown.item, shown.score, [why], more))
    return items


ROUTES: list[HTTPRouteHandler] = [
    put_events, put_items_of_personalize, put_users, get_recommendations, get_personalized_ranking, actions,
]  # fmt: skip
