"""What stands between a real client and the server in a test: it passes everything on, notes it, and can lose answers. Nothing here is a test."""

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec import Struct

from tests.http.served import Server


class Passed(Struct, frozen=True):
    """A request and the server's answer to it. lost: the client was told 503 instead."""

    method: str
    path: str
    headers: dict[str, str]
    status: int
    answer: bytes
    lost: bool

    @property
    def account(self) -> dict[str, Any]:
        """The server's account of a batch."""
        found: dict[str, Any] = json.loads(self.answer)
        return found


class Front:
    """A proxy on a port of its own. lose: for so many requests more, the server takes what came, and the client hears 503."""

    def __init__(self, server: Server) -> None:
        self.server, self.lose = server, 0
        self.passed: list[Passed] = []
        self.lock = threading.Lock()
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with contextlib.suppress(ConnectionError):
                    super().handle_one_request()

            def log_message(self, format: str, *args: object) -> None:
                pass

            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = front.pass_on(self.command, self.path, body, dict(self.headers.items()))
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("date", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_OPTIONS = pass_on

        self.listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.listening.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.listening.server_address[1]}"
        self._thread = threading.Thread(target=self.listening.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def pass_on(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask the server; what the client shall hear."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            status, back, text = answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()
        with self.lock:
            lost = method == "POST" and self.lose > 0
            self.lose -= lost
            self.passed.append(Passed(method, path, headers, status, text, lost))
        if lost:
            return 503, {"Retry-After": "1", "Access-Control-Allow-Origin": "*"}, b"{}"
        return status, back, text

    def posts(self) -> list[Passed]:
        """The events that came, in the order in which they were answered."""
        with self.lock:
            return [one for one in self.passed if one.method == "POST"]

    def total(self, name: str) -> int:
        """The sum of one number of the accounts."""
        return sum(int(one.account[name]) for one in self.posts())

    def close(self) -> None:
        """End it."""
        self.listening.shutdown()
        self.listening.server_close()
        self._thread.join(10)


@contextlib.contextmanager
def fronted(server: Server) -> Iterator[Front]:
    """A front before a server, until the block ends."""
    front = Front(server)
    try:
        yield front
    finally:
        front.close()
