"""The catalogue over HTTP: a list that is put whole or not at all, lines each on its own, one item changed."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, patch, post
from litestar.handlers import HTTPRouteHandler

from tactful.api import shapes
from tactful.api.routes import inflate, unreadable
from tactful.api.service import Service, of
from tactful.connectors.items import ndjson
from tactful.domain.catalogue import Catalogue
from tactful.domain.errors import BadInput, UnknownItem
from tactful.domain.item_rules import Rejected, item_of, merged
from tactful.flow.restock import CHANGED, NEW, SAME, Change, Restock, change_of

Req = Request[Any, Any, Any]
PROBLEMS_MOST = 100
"""How many rejected lines an answer names; all are counted."""
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")


class _Items(msgspec.Struct):
    items: list[Any]


@post("/v1/items", status_code=200)
async def put_items(request: Req, dry_run: bool = False) -> shapes.ItemsResponse:
    """Add or replace items, by id. {"items": [...]}: all or none, a wrong one is named. NDJSON (`Content-Type: application/x-ndjson`):
    each line on its own. With ?dry_run=true nothing is put, and the answer says what would be."""
    service = of(request)
    service.key(request, "items")
    service.engine.stores.admit()
    body = inflate(await request.body(), service.limits.items_body_kb * 1024)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() in _LINES:
        return await _put_lines(service, body.splitlines(), dry_run)
    try:
        came = msgspec.json.decode(body, type=_Items)
    except (msgspec.DecodeError, RecursionError) as mistake:
        raise BadInput(field="items", why=unreadable(mistake), fix='Send {"items": [item, ...]}') from None
    engine = service.engine
    restock = Restock(engine.shelf().catalogue, engine.shell.now())
    changes = [_looked_at(restock, one, number) for number, one in enumerate(came.items)]
    return _account(changes, await _written(service, restock.catalogue, changes, dry_run), dry_run)


def _looked_at(restock: Restock, came: object, number: int) -> Change:
    found = restock.look(f"items[{number}]", came)
    if isinstance(found, Rejected):
        field = found.where if found.field == "item" else f"{found.where}.{found.field}"
        raise BadInput(field=field, why=found.why, fix=found.fix)
    return found


async def _written(service: Service, catalogue: Catalogue, changes: Sequence[Change], dry_run: bool = False) -> int:
    """Put what is new or changed; the catalogue's version then."""
    fresh = [one.item for one in changes if one.what != SAME]
    return await service.engine.put_items(fresh) if fresh and not dry_run else catalogue.version


async def _put_lines(service: Service, lines: list[bytes], dry_run: bool) -> shapes.ItemsResponse:
    engine = service.engine
    restock = Restock(engine.shelf().catalogue, engine.shell.now())
    found = [came if isinstance(came, Rejected) else restock.look(where, came) for where, came in ndjson(lines)]
    rejected = [one for one in found if isinstance(one, Rejected)]
    changes = [one for one in found if isinstance(one, Change)]
    return _account(changes, await _written(service, restock.catalogue, changes, dry_run), dry_run, rejected)


def _account(
    changes: Sequence[Change], version: int, dry_run: bool, rejected: Sequence[Rejected] = ()
) -> shapes.ItemsResponse:
    counts = Counter(one.what for one in changes)
    return shapes.ItemsResponse(
        len(changes), version, counts[NEW], counts[CHANGED], counts[SAME], len(rejected), dry_run,
        list(rejected[:PROBLEMS_MOST]),
    )  # fmt: skip


@patch("/v1/items/{item:path}", status_code=200)
async def change_item(request: Req, item: str) -> shapes.ItemsResponse:
    """Change fields of one item, such as {"stock": 3}; what is left out stays, null takes a field away (RFC 7396)."""
    service = of(request)
    service.key(request, "items")
    name = item.removeprefix("/")
    catalogue = service.engine.shelf().catalogue
    known = catalogue.get(name)
    if known is None:
        raise UnknownItem(name=name)
    body = inflate(await request.body(), service.limits.items_body_kb * 1024)
    try:
        came = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as mistake:
        raise BadInput(field="body", why=unreadable(mistake), fix='Send an object, such as {"stock": 3}') from None
    if came.get("id", name) != name:
        raise BadInput(field="id", why="an item keeps its id", fix="Leave it out, or put a new item")
    changes = [change_of(catalogue, item_of(merged(known, came)), service.engine.shell.now())]
    return _account(changes, await _written(service, catalogue, changes), False)


ITEMS: list[HTTPRouteHandler] = [put_items, change_item]
