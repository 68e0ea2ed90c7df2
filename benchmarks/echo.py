"""The ceiling: the same framework and server, 1 kB in, 2 kB out, and nothing in between. `python -m benchmarks.echo PORT`."""

import sys

import uvicorn
from litestar import Litestar, Request, Response, get, post

ANSWER = b'{"x":"' + b"y" * 1990 + b'"}'


@post("/echo", status_code=200)
async def echo(request: Request) -> Response[bytes]:
    """Read the body, answer with 2 kB."""
    await request.body()
    return Response(ANSWER, media_type="application/json")


@get("/healthz")
async def health() -> str:
    """Up."""
    return "ok"


if __name__ == "__main__":
    uvicorn.run(
        Litestar([echo, health], openapi_config=None, logging_config=None), port=int(sys.argv[1]),
        log_level="warning", access_log=False, loop="uvloop", http="httptools",
    )  # fmt: skip
