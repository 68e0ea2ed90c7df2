"""Keeps everything in SQLite, sealed with a key per person, in one folder. One process writes; any number read.

`create` makes the folder. `open_sqlite` opens it for a command or a test, `connect` for a server beside a `serve_writer` process.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from tactful.domain.errors import StoreBusy
from tactful.ports import Stores
from tactful.stores.sqlite.connection import Connection
from tactful.stores.sqlite.files import create, take_lock
from tactful.stores.sqlite.links import Blocking, Here, Nowhere
from tactful.stores.sqlite.logs import Link, stores
from tactful.stores.sqlite.master import read_master
from tactful.stores.sqlite.pressure import Bounds
from tactful.stores.sqlite.reader import Reader
from tactful.stores.sqlite.server import serve_writer
from tactful.stores.sqlite.writer import Writer, milliseconds

__all__ = ["Bounds", "connect", "create", "open_reading", "open_sqlite", "serve_writer"]


def open_sqlite(folder: Path | str, clock: Callable[[], int] = milliseconds, patience: float = 1.0) -> Stores:
    """Stores that block. This process writes if no other does; otherwise it hands its writes to the one that does.

    clock: milliseconds since 1970, for tombstones. patience: seconds to wait for a writer process that does not answer yet.
    Raises NotInitialised, StoreBusy, StoreBroken, BadInput. Close it, so that another process can write.
    """
    folder = Path(folder)
    lock = take_lock(folder)
    if lock is None:
        return _opened(folder, _reach(folder, patience))
    try:
        writer = Writer(folder, lock, clock)
    except BaseException:
        os.close(lock)
        raise
    return _opened(folder, Here(writer))


def open_reading(folder: Path | str) -> Stores:
    """Stores that only read, whether or not there is a writer; what is asked to be written fails with StoreBusy.

    Raises NotInitialised, StoreBusy, StoreBroken, BadInput.
    """
    return _opened(Path(folder), Nowhere())


async def connect(folder: Path | str, patience: float = 5.0, bounds: Bounds | None = None) -> Stores:
    """Stores for a server: writes go to the `serve_writer` process over one connection and are awaited; reads are direct.

    patience: seconds to wait for the writer to come up. bounds: how much may be under way. For the event loop that it is called on. Raises NotInitialised, StoreBusy,
    StoreBroken, BadInput.
    """
    folder = Path(folder)
    connection = Connection(folder, bounds)
    try:
        await connection.reach(patience)
    except BaseException:
        connection.close()
        raise
    return _opened(folder, connection)


def _reach(folder: Path, patience: float) -> Blocking:
    link = Blocking(folder)
    until = time.monotonic() + patience
    while True:
        try:
            link.reach()
            return link
        except StoreBusy:
            if time.monotonic() >= until:
                raise
        time.sleep(0.02)


def _opened(folder: Path, link: Link) -> Stores:
    try:
        master = read_master(folder)
        return stores(link, Reader(folder, master), master)
    except BaseException:
        link.close()
        raise
