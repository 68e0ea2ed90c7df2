"""Opening an installation for one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tactful.engine import Engine
    from tactful.wire import Home


@contextmanager
def opened(path: Path) -> "Iterator[tuple[Home, Engine]]":
    """The installation's engine, for one command. Works beside a running server: writes go through its writer."""
    from tactful.stores.sqlite import open_sqlite
    from tactful.wire import engine_of, read_home

    home = read_home(path)
    stores = open_sqlite(home.data)
    try:
        yield home, engine_of(home, stores)
    finally:
        stores.close()
