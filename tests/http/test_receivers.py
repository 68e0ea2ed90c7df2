"""Receivers for real: a served installation, its couriers' process, and somebody who listens at the other end."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tactful.deliver.ledger import Ledger
from tests.http.served import Server, installed, message, served, tactful, until
from tests.http.test_ingest import is_problem

EVERYTHING = {"personalise": True, "learn": True, "measure": True}


class Ear:
    """A receiver. `answer`: what it says to a post, as (status, headers) given the parsed body; None is silence until released."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[dict[str, Any]], tuple[int, dict[str, str]] | None] = lambda body: (200, {})
        self.released = threading.Event()
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ear.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
                reply = ear.answer(json.loads(body))
                if reply is None:
                    ear.released.wait(60)
                    reply = (500, {})
                with contextlib.suppress(OSError):
                    self.send_response(reply[0])
                    for name, value in reply[1].items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                """It says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/in"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All messages of all posts, in order, each as often as it came."""
        return [message for _, body in list(self.posts) for message in json.loads(body)["messages"]]

    def items(self) -> list[str]:
        return [message["item"] for message in self.messages if message["type"] == "event"]


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


def declare(home: Path, url: str, name: str = "counter", **more: Any) -> None:
    """Add a receiver to an installation's settings."""
    settings = {
        "purpose": "measure", "words": "Our counter", "what": ["events", "decisions", "consent"], "url": url, "pause_ms": 20,
        "timeout_s": 5.0, **more,
    }  # fmt: skip
    lines = [f"\n[receivers.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    with (home / "tactful.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def listed(home: Path, name: str = "counter") -> dict[str, Any]:
    rows: list[dict[str, Any]] = json.loads(tactful(home, "receivers", "list", "--json").stdout)
    return next(row for row in rows if row["name"] == name)


def waiting(home: Path) -> tuple[int, int, int]:
    """Attempts in vain at what is under way, dead letters, and forgettings to be told: as `listed`, and cheaper."""
    with contextlib.closing(Ledger(home / "data" / "deliveries.db")) as ledger:
        return ledger.place("counter").attempts, len(ledger.dead("counter")), len(ledger.notices("counter"))


def couriers(server: Server) -> int:
    (pid,) = server.children("tactful.cli.delivering")
    return pid


def test_what_happens_is_delivered_signed_in_order_and_a_withdrawal_ends_it(home: Path, ear: Ear) -> None:
    keys = installed(home)
    declare(home, ear.url)
    secret = tactful(home, "receivers", "secret", "counter").stdout.strip()
    with served(home, keys, workers=1) as server:
        server.post("/v1/items", {"items": [{"id": f"item-{n}", "title": "T"} for n in range(30)]})
        server.allow("ann", **EVERYTHING)
        server.allow("bob", personalise=True)
        for n in range(30):
            server.send(message("ann", f"a{n}", f"item-{n}"), message("bob", f"b{n}", f"secret-{n}"))
        until(lambda: len(ear.items()) >= 30, 20, "all of Ann's events are delivered")
        assert ear.items() == [f"item-{n}" for n in range(30)]
        assert {one["person"] for one in ear.messages} == {"ann"}
        for headers, body in ear.posts:
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            mark = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
            assert headers["webhook-signature"] == "v1," + base64.b64encode(mark).decode()
            assert headers["content-type"] == "application/json"
        server.allow("ann", measure=False)
        server.send(message("ann", "late", "too-late"))
        until(lambda: ear.messages[-1].get("withdrawn") is True, 20, "the withdrawal is delivered")
        server.allow("cid", **EVERYTHING)
        server.send(message("cid", "c", "last"))
        until(lambda: "last" in ear.items(), 20, "the next person's event is delivered")
        assert "too-late" not in ear.items() and not any("secret" in item for item in ear.items())
        row = listed(home)
        assert row["dead"] == 0 and row["withheld"] == {"it was not collected for 'measure'": 31}
        assert b"ann" not in (home / "data" / "deliveries.db").read_bytes()
    assert "ann" not in server.log.read_text()


def test_a_decision_is_delivered_too(home: Path, ear: Ear) -> None:
    keys = installed(home)
    declare(home, ear.url, what=["decisions"])
    with served(home, keys, workers=1) as server:
        server.post("/v1/items", {"items": [{"id": f"item-{n}", "title": "T"} for n in range(5)]})
        server.allow("ann", **EVERYTHING)
        server.allow("bob", personalise=True)
        for n in range(8):
            server.send(message("ann", f"a{n}", f"item-{n % 5}", "bought"))
        tactful(home, "train")
        until(lambda: "popular" in server.get("/healthz").json["models"], 20, "the model is taken up")
        server.decide("bob", "popular")
        server.decide(None, "popular")
        receipt = server.decide("ann", "popular")["receipt"]
        until(lambda: bool(ear.messages), 20, "the decision is delivered")
        assert [(one["type"], one["person"], one["id"]) for one in ear.messages] == [("decision", "ann", receipt)]


def test_failures_are_tried_again_put_aside_and_replayed(home: Path, ear: Ear) -> None:
    keys = installed(home)
    declare(home, ear.url, what=["events"], attempts=3, timeout_s=0.3, batch=1)

    def moody(body: dict[str, Any]) -> tuple[int, dict[str, str]] | None:
        item = body["messages"][0]["item"]
        tries = ear.items().count(item)
        if item == "fails-once":
            return (500 if tries == 1 else 204, {})
        if item == "hangs-once" and tries == 1:
            return None
        if item == "moved":
            return (302, {"Location": ear.url}) if tries == 1 else (200, {})
        return (503 if item == "poison" and tries <= 3 else 200, {})

    ear.answer = moody
    with served(home, keys, workers=1) as server:
        server.allow("ann", **EVERYTHING)
        for item in ("fails-once", "hangs-once", "moved", "poison", "fine"):
            server.send(message("ann", item, item))
        until(lambda: "fine" in ear.items(), 20, "the last one is delivered")
        assert ear.items() == [
            "fails-once", "fails-once", "hangs-once", "hangs-once", "moved", "moved", "poison", "poison", "poison", "fine",
        ]  # fmt: skip
        assert len({headers["webhook-id"] for headers, _ in ear.posts}) == 5
        dead = json.loads(tactful(home, "receivers", "dead", "counter", "--json").stdout)
        assert [(one["attempts"], one["why"]) for one in dead] == [(3, "it answered 503")]
        tactful(home, "receivers", "replay", "counter", "--number", str(dead[0]["number"]))
        until(lambda: waiting(home)[1] == 0, 20, "the dead letter is delivered")
        assert ear.items()[-1] == "poison"
        tactful(home, "receivers", "replay", "counter", "--since", "0")
        until(lambda: ear.items().count("fine") == 2, 20, "all of it is delivered again")
        assert ear.items()[-5:] == ["fails-once", "hangs-once", "moved", "poison", "fine"]


def test_a_retry_after_is_honoured(home: Path, ear: Ear) -> None:
    keys = installed(home)
    declare(home, ear.url, what=["events"])
    ear.answer = lambda body: (429, {"Retry-After": "3000"})
    with served(home, keys, workers=1) as server:
        server.allow("ann", **EVERYTHING)
        server.send(message("ann", "1", "emma"))
        until(lambda: waiting(home)[0] == 1, 20, "it was tried once")
        ear.answer = lambda body: (200, {})
        server.send(message("ann", "2", "walden"))
        server.stop()
    assert ear.items() == ["emma"], "pauses of 20 ms would have brought it back long ago"
    with served(home, keys, workers=1) as server:
        tactful(home, "receivers", "replay", "counter")
        until(lambda: ear.items() == ["emma", "emma", "walden"], 20, "a replay does not wait")


def test_what_is_withdrawn_or_erased_while_the_receiver_is_down_is_never_sent(home: Path, ear: Ear) -> None:
    keys = installed(home)
    declare(home, ear.url, attempts=100)
    ear.answer = lambda body: (500, {})
    with served(home, keys, workers=1) as server:
        server.allow("first", **EVERYTHING)
        until(lambda: len(ear.posts) > 0, 20, "it was tried")
        for person in ("ann", "bob", "cid"):
            server.allow(person, **EVERYTHING)
            server.send(message(person, "1", f"of-{person}"))
        server.allow("ann", measure=False)
        assert server.call("DELETE", "/v1/people/bob").status == 204
        ear.posts.clear()
        ear.answer = lambda body: (200, {})
        until(lambda: "of-cid" in ear.items(), 20, "what is left is delivered")
        until(lambda: waiting(home)[2] == 0, 20, "the forgetting is delivered")
    assert ear.items() == ["of-cid"]
    assert [one["type"] for one in ear.messages if one["person"] == "bob"] == ["person.forgotten"]
    assert [one["allowed"] for one in ear.messages if one["person"] == "ann"] == [False]
    for file in (home / "data").iterdir():
        if file.is_file():
            assert b"of-bob" not in file.read_bytes()


def test_forgetting_from_the_command_line_is_told_too(home: Path, ear: Ear) -> None:
    keys = installed(home)
    declare(home, ear.url)
    with served(home, keys, workers=1) as server:
        server.allow("ann", **EVERYTHING)
        until(lambda: len(ear.messages) == 1, 20, "the grant is delivered")
    tactful(home, "forget", "ann", "--yes")
    with served(home, keys, workers=1):
        until(lambda: len(ear.messages) == 2, 20, "the forgetting is delivered")
    assert ear.messages[1]["type"] == "person.forgotten"


def test_killing_the_couriers_loses_nothing(home: Path, ear: Ear, scale: Callable[[int, int], int]) -> None:
    keys = installed(home)
    declare(home, ear.url, batch=3)
    with served(home, keys, workers=1) as server:
        server.allow("ann", **EVERYTHING)
        sent = 0
        for _ in range(scale(3, 100)):
            victim = couriers(server)
            for _ in range(10):
                server.send(message("ann", f"e{sent}", f"item-{sent:05}"))
                sent += 1
            os.kill(victim, signal.SIGKILL)
            until(
                lambda victim=victim: server.children("tactful.cli.delivering") not in ([], [victim]),
                20,
                "the couriers are there again",
            )
        until(lambda: len(set(ear.items())) == sent, 30, "everything is delivered")
        items = ear.items()
        first = [item for place, item in enumerate(items) if item not in items[:place]]
        assert first == sorted(first) == [f"item-{n:05}" for n in range(sent)]


def test_a_receiver_fetches_what_it_may_have_with_a_secret_key_alone(home: Path) -> None:
    keys = installed(home)
    declare(home, "", name="puller", what=["events"])
    declare(home, "", name="other", what=["events"])
    with served(home, keys, workers=2) as server:
        assert server.children("tactful.cli.delivering") == [], "nobody to post to, so no process for it"
        server.allow("ann", **EVERYTHING)
        server.allow("bob", personalise=True)
        server.send(*[message("ann", f"a{n}", f"item-{n}") for n in range(5)], message("bob", "b", "secret"))
        reply = server.get("/v1/feed?receiver=puller")
        assert reply.status == 200 and reply.headers["content-type"].startswith("application/x-ndjson")
        *lines, end = [json.loads(line) for line in reply.body.splitlines()]
        assert [line["item"] for line in lines] == [f"item-{n}" for n in range(5)]
        assert end["type"] == "end" and end["withheld"] == {"it was not collected for 'measure'": 1}
        more = server.get(f"/v1/feed?receiver=puller&after={end['next']}").body.splitlines()
        assert len(more) == 1 and json.loads(more[0])["next"] == end["next"]
        printed = tactful(home, "feed", "puller").stdout.encode()
        assert printed == reply.body
        server.call("DELETE", "/v1/people/ann")
        first = json.loads(server.get("/v1/feed?receiver=puller").body.splitlines()[0])
        assert (first["type"], first["person"]) == ("person.forgotten", "ann")
        heard = server.get(f"/v1/feed?receiver=puller&heard={first['notice']}")
        assert [json.loads(line)["type"] for line in heard.body.splitlines()] == ["end"]
        is_problem(server.get("/v1/feed?receiver=nobody"), 404, "receiver", "nobody")
        secret, other = (tactful(home, "receivers", "secret", name).stdout.strip() for name in ("puller", "other"))
        for key, status in ((secret, 200), (other, 401), ("whsec_", 401)):
            assert server.get("/v1/feed?receiver=puller", {"Authorization": f"Bearer {key}"}).status == status
        assert server.get("/v1/feed?receiver=nobody", {"Authorization": f"Bearer {secret}"}).status == 401
        assert server.get("/v1/consent/ann", {"Authorization": f"Bearer {secret}"}).status == 401
        assert server.get("/v1/feed").status == 400
        assert server.get("/v1/feed?receiver=puller&after=-1").status == 400
        assert server.get("/v1/feed?receiver=puller", server.as_browser()).status == 403
        assert server.get("/v1/feed?receiver=puller", {}).status == 401


def test_a_receiver_without_a_declared_purpose_stops_the_start(home: Path) -> None:
    installed(home)
    declare(home, "https://example.org/", purpose="selling")
    refused = tactful(home, "receivers", "list", check=False)
    assert refused.returncode == 1
    assert "receivers.counter.purpose" in refused.stderr and "selling" in refused.stderr
