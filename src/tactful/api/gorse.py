"""Gorse's REST interface, for clients of it: feedback, users, items. The key comes as `X-API-Key`; `gorse_choices` has the rest.

Errors are text, as Gorse's are. What Gorse has and we have not is answered 501, with the reason and what to do instead.
"""

import re
from typing import Any

import msgspec
from litestar import Response, delete, get, patch, post, put
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from tactful.api.access import Key
from tactful.api.foreign import Account, Req, body_of
from tactful.api.service import Service, of
from tactful.connectors import gorse
from tactful.connectors.pieces import Brought, Unreadable
from tactful.domain.errors import BadInput, NoKey, NotAllowed, TactfulError
from tactful.domain.item import Item

RESULTS = 10
KEY_FIX = "No valid key came with the request. Send one of your API keys as X-API-Key; `tactful init` printed them."


class Success(Struct, omit_defaults=True):
    """RowAffected: how many were really kept. account: what became of the rest, and why."""

    RowAffected: int = msgspec.field()
    account: Account | None = None


class Health(Struct):
    """As Gorse says it; there is one store."""

    Ready: bool = True
    DataStoreError: str | None = None
    CacheStoreError: str | None = None
    DataStoreConnected: bool = True
    CacheStoreConnected: bool = True


class Missing(Exception):
    """Something that Gorse has, and that we have not, or not for this."""


def _text(status: int, words: str) -> Response[bytes]:
    headers = {"Retry-After": "1"} if status in (429, 503, 507) else None
    return Response(words.encode(), status_code=status, media_type="text/plain; charset=utf-8", headers=headers)


def _known_error(_: Req, error: TactfulError) -> Response[bytes]:
    return _text(error.status, KEY_FIX if isinstance(error, NoKey) else str(error))


def _unreadable(_: Req, error: Unreadable) -> Response[bytes]:
    return _text(400, f"{error.field}: {error.why}.")


def _http_error(_: Req, error: HTTPException) -> Response[bytes]:
    return _text(error.status_code, error.detail)


def _not_here(_: Req, error: Missing) -> Response[bytes]:
    return _text(501, str(error))


HANDLERS: Any = {
    TactfulError: _known_error, Unreadable: _unreadable, HTTPException: _http_error, Missing: _not_here,
}  # fmt: skip
OPTIONS: Any = {"status_code": 200, "exception_handlers": HANDLERS}


def key_of(request: Req, scope: str) -> Key:
    """The key that came with the request. Raises NoKey, NotAllowed."""
    return of(request).key(request, scope, request.headers.get("x-api-key") or None)


def count_of(request: Req, name: str, usual: int, most: int) -> int:
    """A number from the query. Raises BadInput."""
    text = request.query_params.get(name) or str(usual)
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) > most:
        raise BadInput(field=name, why=f"it is no whole number from 0 to {most:,}", fix="Correct it, or leave it out")
    return int(text)


# ------------------------------------------------------------------------------------------------------------ feedback


async def _take(request: Req, key: Key, brought: Brought) -> Success:
    service = of(request)
    outcome = await service.engine.take(brought.arrivals, brought.unusable, service.assumed(key)).settled()
    return Success(outcome.stored, Account.of(outcome, brought.unmapped))


async def _feedback(request: Req, overwrite: bool) -> Success:
    service = of(request)
    key = key_of(request, "write")
    came = gorse.read(await body_of(request, service.limits.body_kb), list[msgspec.Raw])
    now, most = service.engine.shell.now(), service.limits.event_kb * 1024
    brought = gorse.feedback_brought(came, service.caller(request, key), service.gorse.feedback, now, most, overwrite)
    return await _take(request, key, brought)


@post("/api/feedback", **OPTIONS)
async def insert_feedback(request: Req) -> Success:
    """Gorse: insert feedback. One that cannot be used or kept costs itself only."""
    return await _feedback(request, False)


@put("/api/feedback", **OPTIONS)
async def overwrite_feedback(request: Req) -> Success:
    """Gorse: insert feedback again. It adds to what was there: what somebody did stays done."""
    return await _feedback(request, True)


# --------------------------------------------------------------------------------------------------------------- users


async def _users(request: Req, came: list[msgspec.Raw]) -> Success:
    service = of(request)
    key, now = key_of(request, "write"), service.engine.shell.now()
    brought = gorse.users_brought(
        came, service.caller(request, key), service.gorse.labels, now, service.limits.event_kb * 1024
    )
    return await _take(request, key, brought)


@post("/api/user", **OPTIONS)
async def insert_user(request: Req) -> Success:
    """Gorse: insert a user. Labels that the charter declares are kept as traits, of a person who allows it."""
    key_of(request, "write")
    return await _users(request, [gorse.read(await body_of(request, of(request).limits.body_kb), msgspec.Raw)])


@post("/api/users", **OPTIONS)
async def insert_users(request: Req) -> Success:
    """Gorse: insert users. One that cannot be used costs itself only."""
    key_of(request, "write")
    return await _users(request, gorse.read(await body_of(request, of(request).limits.body_kb), list[msgspec.Raw]))


@patch("/api/user/{user_id:str}", **OPTIONS)
async def modify_user(request: Req, user_id: str) -> Success:
    """Gorse: modify a user: labels that come replace those of the same name."""
    key_of(request, "write")
    change = gorse.read(await body_of(request, of(request).limits.event_kb), gorse.UserPatch)
    return await _users(request, [msgspec.Raw(msgspec.json.encode(gorse.User(user_id, change.Labels)))])


@delete("/api/user/{user_id:str}", **OPTIONS)
async def delete_user(request: Req, user_id: str) -> Success:
    """Gorse: delete a user and their feedback. Here: forget the person, keys destroyed, nothing left."""
    if not key_of(request, "admin").trusted:
        raise NotAllowed(why="This belongs to a person", fix="Use a secret key")
    for ack in of(request).engine.forget(user_id):
        await ack
    return Success(1)


# --------------------------------------------------------------------------------------------------------------- items


async def _put(service: Service, items: list[Item]) -> Success:
    await service.engine.put_items(items)
    return Success(len(items))


def _item(service: Service, name: str) -> Item:
    found = service.engine.shelf().catalogue.get(name)
    if found is None:
        raise BadInput(field="item-id", why=f"there is no item {name!r}", fix="Insert it first")
    return found


async def _insert(request: Req, came: list[gorse.GorseItem]) -> Success:
    service, items = of(request), []
    catalogue = service.engine.shelf().catalogue
    for number, one in enumerate(came):
        try:
            items.append(gorse.item_of(one, catalogue.get(one.ItemId)))
        except Unreadable as reason:
            raise Unreadable(f"items[{number}].{reason.field}", reason.why) from None
    return await _put(service, items)


@post("/api/item", **OPTIONS)
async def insert_item(request: Req) -> Success:
    """Gorse: insert an item, or replace it."""
    key_of(request, "items")
    return await _insert(request, [gorse.read(await body_of(request, of(request).limits.body_kb), gorse.GorseItem)])


@post("/api/items", **OPTIONS)
async def insert_items(request: Req) -> Success:
    """Gorse: insert items, or replace them; all or none."""
    key_of(request, "items")
    body = await body_of(request, of(request).limits.items_body_kb)
    return await _insert(request, gorse.read(body, list[gorse.GorseItem]))


@get("/api/item/{item_id:str}", **OPTIONS)
async def get_item(request: Req, item_id: str) -> Response[bytes]:
    """Gorse: get an item."""
    key_of(request, "items")
    found = of(request).engine.shelf().catalogue.get(item_id)
    if found is None:
        return _text(404, f"item-id: there is no item {item_id!r}.")
    return Response(msgspec.json.encode(gorse.as_gorse(found)), media_type="application/json")


@get("/api/items", **OPTIONS)
async def get_items(request: Req) -> dict[str, Any]:
    """Gorse: get items, page by page."""
    key_of(request, "items")
    if request.query_params.get("q"):
        raise Missing("q: items are not searched through this interface. Ask for the pages without it.")
    catalogue = of(request).engine.shelf().catalogue
    most, start = count_of(request, "n", RESULTS, 1000), count_of(request, "cursor", 0, 1 << 39)
    end = min(start + most, len(catalogue))
    items = [gorse.as_gorse(catalogue.item(row)) for row in range(start, end)]
    return {"Cursor": str(end) if start < end < len(catalogue) else "", "Items": items}


@patch("/api/item/{item_id:str}", **OPTIONS)
async def modify_item(request: Req, item_id: str) -> Success:
    """Gorse: modify an item."""
    key_of(request, "items")
    service = of(request)
    change = gorse.read(await body_of(request, service.limits.body_kb), gorse.ItemPatch)
    return await _put(service, [gorse.patched(_item(service, item_id), change)])


@delete("/api/item/{item_id:str}", **OPTIONS)
async def delete_item(request: Req, item_id: str) -> Success:
    """Gorse: delete an item. Here it is hidden for good, unless it is inserted as not hidden: receipts still name it."""
    key_of(request, "items")
    service = of(request)
    found = service.engine.shelf().catalogue.get(item_id)
    if found is None:
        return Success(0)
    return await _put(service, [gorse.patched(found, gorse.ItemPatch(IsHidden=True))])


@put("/api/item/{item_id:str}/category/{category:str}", **OPTIONS)
async def insert_category(request: Req, item_id: str, category: str) -> Success:
    """Gorse: put an item into a category."""
    key_of(request, "items")
    item = _item(of(request), item_id)
    names = list(dict.fromkeys([*item.values(gorse.CATEGORIES), category]))
    return await _put(of(request), [gorse.patched(item, gorse.ItemPatch(Categories=names))])


@delete("/api/item/{item_id:str}/category/{category:str}", **OPTIONS)
async def delete_category(request: Req, item_id: str, category: str) -> Success:
    """Gorse: take an item out of a category."""
    key_of(request, "items")
    item = _item(of(request), item_id)
    names = [name for name in item.values(gorse.CATEGORIES) if name != category]
    return await _put(of(request), [gorse.patched(item, gorse.ItemPatch(Categories=names))])


# -------------------------------------------------------------------------------------------------------------- health


@get(["/api/health/live", "/api/health/ready"], **OPTIONS)
async def gorse_health(request: Req) -> Health:
    """Gorse: whether this worker is alive and reaches its store."""
    of(request).engine.stores.items.version()
    return Health()


ROUTES: list[HTTPRouteHandler] = [
    insert_feedback, overwrite_feedback, insert_user, insert_users, modify_user, delete_user, insert_item, insert_items,
    get_item, get_items, modify_item, delete_item, insert_category, delete_category, gorse_health,
]  # fmt: skip
