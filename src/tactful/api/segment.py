"""The doors of the Segment protocol: what clients of Segment's and RudderStack's call, with their habits."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from msgspec import structs

from tactful.api import shapes
from tactful.api.cors import ANY_ORIGIN, preflight
from tactful.api.routes import inflate
from tactful.api.service import of
from tactful.connectors import segment
from tactful.connectors.segment import Batch
from tactful.domain.errors import BadInput, TooLarge

Req = Request[Any, Any, Any]

BEACON = "/beacon/v1/batch"
BATCHES = ["/v1/batch", "/v1/import", "/v1/b", BEACON]
TYPES = ("track", "identify", "page", "screen", "group", "alias")
SINGLES = {f"/v1/{name}": kind for kind in TYPES for name in (kind, kind[0])}
"""Address → type of the one message that is sent there; Segment's browser client uses the first letters."""


def _described(kind: str, **properties: Schema) -> Schema:
    return Schema(type=OpenAPIType.OBJECT, description=kind, properties=dict(properties))


def _texts(*names: str) -> dict[str, Schema]:
    return {name: Schema(type=OpenAPIType.STRING) for name in names}


_OBJECT = Schema(type=OpenAPIType.OBJECT)
_MESSAGE = _described(
    "One message. `userId` or `anonymousId` says whose it is; what else is sent is not read.",
    type=Schema(type=OpenAPIType.STRING, enum=list(TYPES), default="track"),
    **_texts("messageId", "userId", "anonymousId", "previousId", "event", "name", "timestamp", "originalTimestamp", "sentAt"),
    properties=_OBJECT,
    traits=_OBJECT,
    context=_OBJECT,
)  # fmt: skip
_BATCH = Schema(
    type=OpenAPIType.OBJECT,
    required=["batch"],
    properties={
        "batch": Schema(type=OpenAPIType.ARRAY, items=_MESSAGE),
        **_texts("writeKey", "sentAt"),
        "context": Schema(type=OpenAPIType.OBJECT, description="Merged into each message that does not say otherwise."),
    },
)


def _body(schema: Schema) -> RequestBody:
    words = "JSON, plain or zipped, whatever the Content-Type says."
    return RequestBody(content={"application/json": OpenAPIMediaType(schema=schema)}, description=words, required=True)


@dataclass
class _BatchOperation(Operation):
    """An operation that describes its body, which the route reads by itself."""

    def __post_init__(self) -> None:
        self.request_body = _body(_BATCH)


@dataclass
class _MessageOperation(Operation):
    """See _BatchOperation."""

    def __post_init__(self) -> None:
        self.request_body = _body(_MESSAGE)


@post(BATCHES, status_code=200, opt=ANY_ORIGIN, operation_class=_BatchOperation)
async def batch(request: Req) -> shapes.BatchResponse:
    """Take a batch of events in the shape of the Segment specification. Answered once durable, and visible to the next decision."""
    service = of(request)
    limits = service.limits
    body = await _read(request, max(limits.body_kb, limits.rudder_body_kb))
    came = segment.read_batch(body)
    most = 1024 * (max(limits.body_kb, limits.rudder_body_kb) if came.rudder else limits.body_kb)
    if len(body) > most:
        raise _too_large("body", len(body), most, "Send it in smaller batches")
    return await _take(request, came)


@post(list(SINGLES), status_code=200, opt=ANY_ORIGIN, operation_class=_MessageOperation)
async def message(request: Req) -> shapes.BatchResponse:
    """Take one event in the shape of the Segment specification; the address says its type. Answered like a batch of one."""
    body = await _read(request, of(request).limits.body_kb)
    return await _take(request, segment.read_one(body, SINGLES[request.scope["path"].rstrip("/")]))


@get("/v1/projects/{key:str}/settings", opt=ANY_ORIGIN)
async def segment_settings(request: Req, key: str) -> dict[str, Any]:
    """What Segment's browser client asks for first (`cdnURL`): to send to this very address, and nothing anywhere else."""
    of(request).access.key("", "write", key)
    here = {"apiKey": key, "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]}}
    host = request.headers.get("host")
    if host:
        here |= {"apiHost": f"{host}/v1", "protocol": _scheme(request)}
    return {
        "integrations": {"Segment.io": here},
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "metrics": {"sampleRate": 0},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
    }


def _scheme(request: Req) -> str:
    """http or https, as the client called us: a proxy that ends TLS says so."""
    said = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return said if said in ("http", "https") else request.url.scheme


@get("/sourceConfig", opt=ANY_ORIGIN)
async def rudder_settings(request: Req) -> dict[str, Any]:
    """What RudderStack's clients ask for first (`configUrl`): that there is this source, and nothing to load or to report to."""
    key = request.query_params.get("writeKey", "")
    of(request).access.key(request.headers.get("authorization", ""), "write", key)
    silent = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    source: dict[str, Any] = {
        "id": "tactful", "name": "Tactful", "writeKey": key, "enabled": True, "workspaceId": "tactful",
        "config": {"statsCollection": silent}, "dataplanes": {}, "connections": [], "destinations": [],
    }  # fmt: skip
    return {"source": source}


async def _read(request: Req, most_kb: int) -> bytes:
    """The body, unzipped. Raises BadInput: too large a body is 400 in this protocol, so that no client sends it again as it is.

    Raises TooBusy before reading anything, if the disk does not keep up.
    """
    of(request).engine.stores.admit()
    try:
        return inflate(await request.body(), most_kb * 1024)
    except TooLarge as mistake:
        raise _too_large("body", mistake.facts["size"], most_kb * 1024, "Send it in smaller batches") from None
    except HTTPException as mistake:
        if mistake.status_code != 413:
            raise
        raise _too_large("body", None, most_kb * 1024, "Send it in smaller batches") from None


def _too_large(field: str, size: int | None, most: int, fix: str) -> BadInput:
    why = f"it is {'larger than any request' if size is None else f'{size:,} bytes'}, the most is {most:,} bytes"
    return BadInput(field=field, why=why, fix=fix)


async def _take(request: Req, came: Batch) -> shapes.BatchResponse:
    """Take what came, and give the account. Raises NoKey, NotAllowed, BadInput."""
    service = of(request)
    key = service.key(request, "write", came.write_key or _key_in_address(request))
    caller = structs.replace(service.caller(request, key), device=_device(request))
    most, now = service.limits.event_kb * 1024, service.engine.shell.now()
    try:
        read, unusable = segment.arrivals(came, caller, now, most, service.means)
    except TooLarge as mistake:
        facts = mistake.facts
        raise _too_large(facts["field"], facts["size"], facts["most"], facts["fix"]) from None
    outcome = await service.engine.take(read, unusable, service.assumed(key), of_devices=False).settled()
    return shapes.BatchResponse(**structs.asdict(outcome), success=True)


def _key_in_address(request: Req) -> str:
    """The key of a beacon, which can carry no header. Elsewhere an address, which ends up in logs, is no place for a key."""
    if request.scope["path"].rstrip("/") != BEACON or request.headers.get("authorization"):
        return ""
    return str(request.query_params.get("writeKey", ""))


def _device(request: Req) -> str:
    """The anonymous id that RudderStack's browser client puts into a header, in base64; "" if there is none."""
    try:
        return base64.b64decode(request.headers.get("anonymousid", ""), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


# The preflights come first: where a path has none yet, Litestar makes an OPTIONS of its own.
ROUTES: list[HTTPRouteHandler] = [
    preflight([*BATCHES, *SINGLES]), preflight(["/v1/projects/{key:str}/settings", "/sourceConfig"], "GET"),
    batch, message, segment_settings, rudder_settings,
]  # fmt: skip
