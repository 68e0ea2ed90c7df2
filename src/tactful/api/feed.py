"""The feed, for receivers that fetch."""

import hmac
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import Parameter

from tactful.api.service import of
from tactful.deliver.secrets import PREFIX
from tactful.domain.errors import NoKey, UnknownReceiver

MEDIA = "application/x-ndjson"


@get("/v1/feed", media_type=MEDIA)
async def feed(
    request: Request[Any, Any, Any],
    receiver: str,
    after: Annotated[int, Parameter(ge=0, le=(1 << 63) - 1)] = 0,
    most: Annotated[int, Parameter(ge=1, le=1000)] = 200,
    heard: Annotated[int, Parameter(ge=0, le=(1 << 63) - 1)] = 0,
) -> Response[bytes]:
    """What a declared receiver may have, numbered above `after`, one message a line; the last line says where to read on.

    With a secret key, or with the receiver's own secret, which opens its own feed and nothing else.
    """
    service = of(request)
    sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    own = sent.startswith(PREFIX)
    if not own:
        service.key(request, "feed")
    if service.feeding is None:
        raise UnknownReceiver(name=receiver, available="none yet")
    if own and not _is_secret_of(receiver, sent, service.feeding.secret):
        raise NoKey
    return Response(service.feeding.feed(receiver, after, most, heard), media_type=MEDIA)


def _is_secret_of(receiver: str, sent: str, secret: Any) -> bool:
    """Whether this is the receiver's secret; whether there is such a receiver is nobody else's business."""
    try:
        return hmac.compare_digest(sent.encode(), str(secret(receiver)).encode())
    except UnknownReceiver:
        return False
