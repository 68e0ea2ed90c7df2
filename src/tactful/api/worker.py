"""One serving process: `python -m tactful.api.worker HOME FD [PAGES]`, started by `tactful serve`."""

import gc
import logging
import socket
import sys
from contextlib import suppress
from pathlib import Path

import uvicorn
import uvloop
from litestar import Litestar, Router
from litestar.types import LifespanHook

from tactful.api.access import Access
from tactful.api.app import create_app
from tactful.api.service import Feeding, Service
from tactful.domain.errors import TactfulError
from tactful.ports import Stores
from tactful.stores.sqlite import Bounds, connect
from tactful.wire import engine_of, feed_of, missed_of, read_home, secret_of


async def serve(path: Path, descriptor: int, pages: str) -> None:
    """Connect to the writer, then serve on a socket that is already listening. pages: `shop`, `owner`, both or neither."""
    home = read_home(path)
    limits = home.settings.limits
    bounds = Bounds(limits.waiting_writes, limits.waiting_mb << 20, limits.answer_s)
    stores = await connect(home.data, bounds=bounds)
    engine = engine_of(home, stores, noted="owner" in pages)
    # What is loaded now stays: the collector need not look at it again and again, which would stall requests.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    feeding = Feeding(feed_of(home, stores), lambda name: secret_of(home, name))
    service = Service(
        engine, Access.read(path / "access.json"), home.settings, feeding, home.languages, missed_of(home)
    )
    app = _app(service, pages, stores)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, loop="uvloop", http="httptools",
        lifespan="on", proxy_headers=False, timeout_graceful_shutdown=10, server_header=False, date_header=True,
    )  # fmt: skip
    server = uvicorn.Server(config)
    app.state["leaving"] = lambda: server.should_exit
    await server.serve(sockets=[socket.socket(fileno=descriptor)])


def _app(service: Service, pages: str, stores: Stores) -> Litestar:
    """The application, with the pages that were asked for beside the API. What must be done at its end is done by the application,
    since uvicorn raises the signal that stopped it again, and nothing after that is run."""

    async def finish() -> None:
        with suppress(TactfulError):  # receipts that nobody waited for are kept too: the writer answers in order
            await stores.consents.append([])
        stores.close()

    more: list[Router] = []
    leaving: list[LifespanHook] = []
    if "shop" in pages:
        from tactful.web.shop import PAGES as SHOP

        more += SHOP
    if "owner" in pages:
        from tactful.web.owner import PAGES as OWNER
        from tactful.web.owner import leave_desk

        more += OWNER
        leaving.append(leave_desk)
    return create_app(service, more, on_shutdown=[*leaving, finish])


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
    except TactfulError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
