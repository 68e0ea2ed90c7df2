"""The couriers' process: `python -m tactful.cli.delivering HOME`, started by `tactful serve` where something is to be passed on."""

import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING

from tactful.domain.errors import StoreBusy, TactfulError

if TYPE_CHECKING:
    from tactful.stores.lake import Lake
    from tactful.wire import Home

log = logging.getLogger("tactful.deliver")
LAKE_S = float(os.environ.get("TACTFUL_LAKE_SECONDS", "600"))
"""How often the lake is looked at, in seconds."""
TROUBLE_S = 1.0
"""How long to wait when the store or the ledger cannot be read just now, in seconds."""


def errands(home: Path) -> list[list[str]]:
    """The command of the couriers' process, if there is anything to pass on. New receivers start at what is kept from now on."""
    from tactful.wire import read_home

    found = read_home(home)
    with suppress(
        StoreBusy
    ):  # a store of an older version: its writer brings it up to date, and the couriers register then
        register(found)
    wanted = _posted(found) or found.settings.lake.purposes
    return [[sys.executable, "-m", "tactful.cli.delivering", str(home)]] if wanted else []


def _posted(home: "Home") -> list[str]:
    return [name for name, receiver in home.settings.receivers.items() if receiver.url]


def register(home: "Home") -> None:
    """Note receivers that are new, with where the feed stands."""
    from tactful.deliver.ledger import Ledger
    from tactful.deliver.secrets import Secrets
    from tactful.stores.sqlite import open_reading

    if not home.settings.receivers:
        return
    secrets = Secrets.of(home.path / "receivers.json")
    for name in home.settings.receivers:
        secrets.secret(name)  # a bad one is better known now
    stores = open_reading(home.data)
    try:
        head = stores.feed.head()
    finally:
        stores.close()
    ledger = Ledger(home.deliveries)
    try:
        ledger.register(home.settings.receivers, head)
    finally:
        ledger.close()


def run(home: "Home", name: str, stop: threading.Event) -> None:
    """One receiver's courier, until told to stop. What it opens is its own, so that a slow receiver holds nobody up."""
    from tactful.deliver.ledger import Ledger
    from tactful.stores.sqlite import open_reading
    from tactful.wire import courier_of

    while not stop.is_set():
        try:
            with ExitStack() as opened:
                stores = open_reading(home.data)
                opened.callback(stores.close)
                ledger = Ledger(home.deliveries)
                opened.callback(ledger.close)
                courier = courier_of(home, name, stores, ledger)
                while not stop.is_set():
                    stop.wait(courier.step() / 1000)
        except TactfulError as error:
            log.warning("%s: %s", name, error)
            stop.wait(TROUBLE_S)


def tend_lake(home: "Home", lake: "Lake", stop: threading.Event) -> None:
    """Keep the lake up to date: new days, and what was withdrawn, forgotten or is over, long before the deadline."""
    from tactful.stores.sqlite import open_reading
    from tactful.wire import real_shell

    now = real_shell().now
    while not stop.is_set():
        try:
            stores = open_reading(home.data)
            try:
                if lake.stale(stores, home.charter, now()):
                    lake.bring_up_to_date(stores, home.charter, home.settings.lake.purposes, now())
            finally:
                stores.close()
        except (TactfulError, OSError) as error:
            log.warning("lake: %s", error)
        stop.wait(LAKE_S)


def main() -> None:
    """The process. Ends when told to, or when a courier failed: then the supervisor starts it again."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    from tactful.wire import read_home

    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        home = read_home(Path(sys.argv[1]))
        with (home.data / "deliveries.lock").open("w") as lock:
            _until(lambda: _locked(lock), stop)  # one at a time: whoever was here before may still be ending
            _until(lambda: _registered(home), stop)
            deliver(home, stop)
    except TactfulError as error:
        sys.exit(f"Error: {error}")


def deliver(home: "Home", stop: threading.Event) -> None:
    """All couriers, until told to stop."""
    from tactful.wire import lake_of

    # Daemons: one that waits for a slow receiver must not hold up the end. What it was sending is sent again.
    couriers = [threading.Thread(target=run, args=(home, name, stop), name=name, daemon=True) for name in _posted(home)]
    if home.settings.lake.purposes:
        tended = (home, lake_of(home), stop)
        couriers.append(threading.Thread(target=tend_lake, args=tended, name="lake", daemon=True))
    for courier in couriers:
        courier.start()
    while not stop.wait(0.2):
        if not all(courier.is_alive() for courier in couriers):
            sys.exit(1)
    for courier in couriers:
        courier.join(1.0)


def _until(done: Callable[[], bool], stop: threading.Event) -> None:
    while not stop.is_set() and not done():
        stop.wait(0.1)


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _registered(home: "Home") -> bool:
    try:
        register(home)
    except StoreBusy:
        return False
    return True


if __name__ == "__main__":
    main()
