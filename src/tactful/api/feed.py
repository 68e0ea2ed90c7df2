"""The feed, for receivers that fetch."""

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import Parameter

from tactful.api.service import of
from tactful.domain.errors import UnknownReceiver

MEDIA = "application/x-ndjson"


@get("/v1/feed", media_type=MEDIA)
async def feed(
    request: Request[Any, Any, Any],
    receiver: str,
    after: Annotated[int, Parameter(ge=0, le=(1 << 63) - 1)] = 0,
    most: Annotated[int, Parameter(ge=1, le=1000)] = 200,
    heard: Annotated[int, Parameter(ge=0, le=(1 << 63) - 1)] = 0,
) -> Response[bytes]:
    """What a declared receiver may have, numbered above `after`, one message a line; the last line says where to read on."""
    service = of(request)
    service.key(request, "feed")
    if service.feed is None:
        raise UnknownReceiver(name=receiver, available="none yet")
    return Response(service.feed(receiver, after, most, heard), media_type=MEDIA)
