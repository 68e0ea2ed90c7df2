"""The HTTP application: routes, errors, the background refresh of models."""

import asyncio
import contextlib
import logging
import re
import traceback
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.middleware import DefineMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from tactful import __version__
from tactful.api import gorse, gorse_choices, personalize, search, segment
from tactful.api.bodies import Bodies, Room
from tactful.api.cors import say_any_origin
from tactful.api.feed import feed
from tactful.api.identity import IDENTITY
from tactful.api.items import ITEMS
from tactful.api.questions import QUESTIONS
from tactful.api.routes import ROUTES, unreadable
from tactful.api.service import Service
from tactful.api.shapes import ProblemOut
from tactful.domain.errors import BadInput, TactfulError, place_and_reason

REFRESH_S = 1.0
PURGE_S = 60.0
SHAPE = "See /openapi/openapi.json for the shape"
OWN_ROUTES = (
    *ROUTES, *QUESTIONS, *IDENTITY, *ITEMS, *segment.ROUTES, *personalize.ROUTES, *gorse.ROUTES,
    *gorse_choices.ROUTES, *search.ROUTES, feed,
)  # fmt: skip
_MISSING = re.compile(r"Missing required (\w+ parameter) '(.+?)'")
"""What the framework says where an address lacks something, which would go on with the address."""
log = logging.getLogger("tactful")


class _Request(Request[Any, Any, Any]):
    """A request whose body, if it cannot be read, is the sender's mistake and not our fault."""

    async def json(self) -> Any:
        """The body. Raises BadInput."""
        try:
            return await super().json()
        except (SerializationException, RecursionError, UnicodeDecodeError) as mistake:
            raise BadInput(field="body", why=unreadable(mistake), fix=SHAPE) from None


def create_app(service: Service, more_routes: Sequence[Any] = (), **options: Any) -> Litestar:
    """The application of one worker. more_routes: pages served beside the API."""
    limits = service.limits
    return Litestar(
        route_handlers=[*OWN_ROUTES, *more_routes],
        lifespan=[_background],
        before_send=[say_any_origin],
        exception_handlers={
            TactfulError: _known_error,
            ValidationException: _bad_request,
            HTTPException: _http_error,
            Exception: _surprise,
        },
        openapi_config=OpenAPIConfig(
            title="Tactful",
            version=__version__,
            path="/openapi",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            use_handler_docstrings=True,
        ),
        state=_state(service),
        request_class=_Request,
        middleware=[DefineMiddleware(Bodies, room=Room(limits.bodies_mb << 20))],
        request_max_body_size=1024 * max(limits.body_kb, limits.rudder_body_kb, limits.items_body_kb),
        logging_config=None,
        **options,
    )


@contextlib.asynccontextmanager
async def _background(app: Litestar) -> AsyncIterator[None]:
    """What goes on beside the requests, for as long as the application runs."""
    service: Service = app.state["service"]
    tasks = [asyncio.create_task(_refresh(service)), asyncio.create_task(_purge(service))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        _write_missed(service)


def _state(service: Service) -> Any:
    from litestar.datastructures import State

    return State({"service": service})


async def _refresh(service: Service) -> None:
    """Take up newly trained models and edited lists while serving."""
    while True:
        await asyncio.sleep(REFRESH_S)
        engine = service.engine
        for what, take_up in (("edited lists", engine.refresh_lists), ("new models", engine.refresh_models)):
            try:
                if take_up():
                    log.info("took up %s", what)
            except TactfulError as error:
                log.warning("%s", error)
            except (OSError, ValueError) as error:  # a broken file is a ValueError; what serves now goes on serving
                log.warning("%s could not be read: %s", what, error)


async def _purge(service: Service) -> None:
    """Delete what is due."""
    while True:
        await asyncio.sleep(PURGE_S)
        try:
            await service.engine.stores.quarantine.purge(service.engine.shell.now())
        except TactfulError as error:
            log.warning("purge: %s", error)
        _write_missed(service)
        try:
            await asyncio.to_thread(service.engine.onward.sweep)
        except TactfulError as error:
            log.warning("%s", error)


def _write_missed(service: Service) -> None:
    """Write down what several people searched for in vain."""
    if service.missed is not None:
        try:
            service.missed.flush(service.engine.shell.now())
        except TactfulError as error:
            log.warning("what was searched for in vain: %s", error)


def problem(
    status: int, title: str, detail: str, field: str = "", headers: dict[str, str] | None = None
) -> Response[bytes]:
    """An error as the client gets it."""
    body = msgspec.json.encode(ProblemOut(status, title, detail, field))
    return Response(body, status_code=status, media_type="application/problem+json", headers=headers)


def _known_error(_: Request[Any, Any, Any], error: TactfulError) -> Response[bytes]:
    headers = {"Retry-After": str(error.facts.get("retry_after", 1))} if error.status in (429, 503, 507) else None
    if error.status == 401:
        headers = {"WWW-Authenticate": "Bearer"}
    return problem(error.status, error.code, str(error), error.field, headers)


def _bad_request(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """A body or parameter of the wrong shape: msgspec says where."""
    extra = error.extra if isinstance(error.extra, list) and error.extra else [{}]
    first = extra[0] if isinstance(extra[0], dict) else {}
    field, why = str(first.get("key", "")), str(first.get("message", error.detail))
    if (field, why) == ("data", "'data'"):
        field, why = "body", "it is empty"
    if field == "data":
        field = ""
    found, why = place_and_reason(why)
    field = ".".join(filter(None, (field, found))) or "body"
    if missing := _MISSING.match(error.detail):
        field, why = missing.group(2), f"the {missing.group(1)} {missing.group(2)!r} is missing"
    return problem(400, "bad_input", f"{field}: {why}. {SHAPE}.", field)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    headers = dict(error.headers or {})
    method, path = request.method, request.scope["path"]
    match error.status_code:
        case 413:
            return problem(
                413, "too_large", "body: it is larger than this endpoint takes. Send it in smaller pieces.", "body"
            )
        case 404:
            return problem(
                404,
                "not_found",
                f"path: there is nothing at {path}. /openapi/openapi.json lists what there is.",
                "path",
            )
        case 405:
            detail = f"method: {path} does not take {method}. It takes {headers.get('allow', 'others')}; see /openapi/openapi.json."
            return problem(405, "method_not_allowed", detail, "method", headers)
        case status:
            return problem(
                status,
                "bad_input" if status == 400 else "http_error",
                f"{error.detail.rstrip('.')}. {SHAPE}.",
                "",
                headers,
            )


def _surprise(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours. What the request held stays out of the log: it may be personal."""
    where = (
        request.scope.get("path_template") or "a page"
    )  # the path itself may name a person, as may the error's words
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s %s failed: %s\n%s", request.method, where, type(error).__name__, trace)
    return problem(
        HTTP_500_INTERNAL_SERVER_ERROR,
        "fault",
        "Tactful failed at this request; its log says more. Nothing was acknowledged.",
    )
