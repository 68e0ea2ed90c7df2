"""How long the demo bookshop takes for its pages, and how large they are: one request at a time, the server's time and loopback together."""

import argparse
import http.client
import random
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from benchmarks.world import free_port, serving, show
from tactful.sample.books import books

OURS = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
LOOKS = 12
"""Books that a visitor looks at before the pages are measured."""


class Browser:
    """One visitor: a connection that is kept, and the cookie of a reader once there is one."""

    def __init__(self, port: int) -> None:
        self.connection, self.cookie = http.client.HTTPConnection("127.0.0.1", port), ""

    def get(self, place: str) -> tuple[float, int]:
        """Milliseconds until the whole page is there, and its bytes."""
        began = time.perf_counter()
        self.connection.request("GET", place, headers={"Cookie": self.cookie})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{place}: {answer.status}")
        return (time.perf_counter() - began) * 1000, len(body)

    def turn(self, dial: str) -> None:
        """Turn the dial, which makes somebody known of a stranger."""
        self.connection.request("POST", "/dial", urlencode({"dial": dial, "back": "/"}), OURS | {"Cookie": self.cookie})
        answer = self.connection.getresponse()
        answer.read()
        given = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
        self.cookie = next(one.split(";")[0] for one in given if one.startswith("reader="))


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--readers", type=int, default=3_000)
    options.add_argument("--visitors", type=int, default=20)
    options.add_argument("--rounds", type=int, default=10)
    chosen = options.parse_args()
    figures: dict[str, object] = {"readers": chosen.readers, "visitors": chosen.visitors}
    with tempfile.TemporaryDirectory(prefix="tactful-bench-") as folder:
        port = free_port()
        where = ["--folder", str(Path(folder) / "demo"), "--port", str(port)]
        command = ["-m", "tactful", "demo", "--readers", str(chosen.readers), *where]
        with serving(command, port):
            for words, visitors in (
                ("a stranger", _strangers(port, 1)),
                ("a visitor", _visitors(port, chosen.visitors)),
            ):
                for name, places in _places().items():
                    taken = [
                        one.get(place) for _ in range(chosen.rounds) for one in visitors for place in places
                        if words == "a visitor" or name != "the dial tried out"
                    ]  # fmt: skip
                    if taken:
                        times, sizes = zip(*taken, strict=True)
                        figures[f"{words}, {name}: p50 ms"] = float(np.quantile(times, 0.5))
                        figures[f"{words}, {name}: p95 ms"] = float(np.quantile(times, 0.95))
                        figures[f"{words}, {name}: kB, most"] = max(sizes) / 1000
    show("shop", figures, chosen.json)


def _places() -> dict[str, list[str]]:
    some = random.Random(3).sample([book.id for book in books() if not book.sensitivity], 5)
    return {
        "front page": ["/"],
        "book": [f"/book/{name}" for name in some],
        "search": ["/search?q=sea"],
        "something different": ["/?different=yes"],
        "the dial tried out": ["/preview"],
    }


def _strangers(port: int, count: int) -> list[Browser]:
    return [Browser(port) for _ in range(count)]


def _visitors(port: int, count: int) -> list[Browser]:
    """Visitors with the dial at "remember", who have looked at some books of their own."""
    dice, found = random.Random(4), _strangers(port, count)
    for one in found:
        one.turn("remember")
        for book in dice.sample(books(), LOOKS):
            one.get(f"/book/{book.id}")
    return found


if __name__ == "__main__":
    main()
