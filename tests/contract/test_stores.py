"""Every store passes the same suite: memory, SQLite in this process, SQLite through a writer process."""

import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from msgspec import structs

from tactful.contracts import StoresContract
from tactful.ports import Stores
from tactful.stores.memory import open_memory
from tactful.stores.sqlite import create, open_sqlite


class TestMemory(StoresContract):
    durable = False

    def open(self) -> Stores:
        return open_memory()


class InFolder(StoresContract):
    __test__ = False

    def setup_method(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tactful-"))
        create(self.folder)
        super().setup_method()

    def teardown_method(self) -> None:
        super().teardown_method()
        shutil.rmtree(self.folder)


class TestSqlite(InFolder):
    __test__ = True

    def open(self) -> Stores:
        return open_sqlite(self.folder)


class TestSqliteThroughAWriter(InFolder):
    """The suite's restarts restart the writer too."""

    __test__ = True
    writer: "subprocess.Popen[bytes]"

    def open(self) -> Stores:
        self.writer = subprocess.Popen([sys.executable, "-m", "tactful.stores.sqlite", str(self.folder)])
        while not (self.folder / "writer.sock").exists():  # or else this process would become the writer
            assert self.writer.poll() is None
        stores = open_sqlite(self.folder)
        return structs.replace(stores, close=lambda: self.stop(stores), glance=nullcontext)

    def stop(self, stores: Stores) -> None:
        stores.close()
        self.writer.send_signal(signal.SIGTERM)
        assert self.writer.wait(10) == 0
        assert not (self.folder / "writer.sock").exists()
