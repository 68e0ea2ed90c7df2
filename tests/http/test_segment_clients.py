"""Real clients of the Segment protocol, as their makers ship them, pointed at us by the setting that they have for it.

The clients for Node come from npm, once for an environment; where npm cannot reach its registry those tests are skipped, and say so.
"""

import json
import logging
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tactful.cli.opening import opened
from tests.http.front import Front, fronted
from tests.http.served import Server, moment, until
from tests.node import modules, node

HERE = Path(__file__).parent / "node"
CHROMIUM = "/usr/bin/chromium"
DAY = 86_400_000
BEFORE = time.time_ns() // 1_000_000 - 3 * DAY
"""When the order was made that the clients tell of only now: ms since 1970."""

WHOLE = {("viewed", "walden"), ("bought", "we"), ("bought", "emma"), ("viewed", "kidnapped")}
"""What a person has done once a client has sent everything."""


@pytest.fixture
def front(mapped: Server) -> Iterator[Front]:
    with fronted(mapped) as made:
        yield made


# ------------------------------------------------------------------------------------------------- what the clients are told to do

Ask = dict[str, Any]


def segment_python(ask: Ask) -> None:
    from segment.analytics import Client

    failed: list[object] = []
    client = Client(ask["key"], host=ask["address"], gzip=ask["gzip"], on_error=lambda *what: failed.append(what))
    everything(client, ask)
    client.join()
    assert not failed


def rudder_python(ask: Ask) -> None:
    from rudderstack.analytics.client import Client

    failed: list[object] = []
    client = Client(ask["key"], host=ask["address"], gzip=ask["gzip"], on_error=lambda *what: failed.append(what))
    everything(client, ask)
    client.join()
    assert not failed


def everything(client: Any, ask: Ask) -> None:
    """The two clients for Python have the same methods."""
    who, before = ask["person"], datetime.fromtimestamp(ask["at"] / 1000, UTC)
    client.identify(who, {"interests": ["sea"], "shoe_size": 44}, anonymous_id=ask["device"])
    client.track(who, "Product Viewed", {"product_id": "walden"})
    order = {"products": [{"product_id": "we"}, {"product_id": "emma"}]}
    client.track(who, "Order Completed", order, timestamp=before)
    client.track(who, "Products Searched", {"query": "pond"})
    client.page(who, name="Book Page", properties={"product_id": "kidnapped"})
    client.screen(who, name="Settings")
    client.group(who, "readers", {"interests": ["golf"]})
    client.alias(ask["device"], who)
    client.flush()


def on_node(name: str) -> Callable[[Ask], None]:
    def run(ask: Ask) -> None:
        told = json.dumps({**ask, "client": name, "before": moment(ask["at"])})
        done = subprocess.run(
            [node()[0], str(HERE / "send.cjs"), str(modules(HERE)), told],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    return run


CLIENTS = {
    "segment-analytics-python": (segment_python, False),
    "segment-analytics-python, zipped": (segment_python, True),
    "rudder-sdk-python": (rudder_python, True),
    "@segment/analytics-node": (on_node("segment"), False),
    "@rudderstack/rudder-sdk-node": (on_node("rudder"), True),
    "@rudderstack/rudder-sdk-node, plain": (on_node("rudder"), False),
}
for chatty in ("segment", "rudderstack", "urllib3", "backoff"):
    logging.getLogger(chatty).setLevel(logging.CRITICAL)


def named(what: str, client: str) -> str:
    """An id that goes into an address as it is."""
    return re.sub(r"\W+", "-", f"{what} {client}")


def sends(name: str, front: Front, key: str, person: str, gzip: bool) -> Ask:
    return {
        "key": key,
        "address": front.address,
        "person": person,
        "device": named("device", name),
        "gzip": gzip,
        "at": BEFORE,
    }


def done_by(server: Server, person: str) -> dict[tuple[str, str], int]:
    """(verb, item) → when, ms since 1970, as it lies in the store."""
    with opened(server.home) as (_, engine):
        return {(act.verb, act.item): act.at for act in engine.profile(person).observed}


def told_by(server: Server, person: str) -> dict[str, Any]:
    """Declared traits, as they lie in the store."""
    with opened(server.home) as (_, engine):
        return {name: told.value for name, told in engine.profile(person).declared.items()}


# ---------------------------------------------------------------------------------------------------------- on servers


@pytest.mark.parametrize("name", CLIENTS)
def test_what_a_client_sends_is_all_there_once_and_when_it_happened(name: str, mapped: Server, front: Front) -> None:
    send, zipped = CLIENTS[name]
    person = named("reader", name)
    mapped.allow(person)
    send(sends(name, front, mapped.keys["secret"], person, zipped))
    done = done_by(mapped, person)
    assert set(done) == WHOLE
    for what in (("bought", "we"), ("bought", "emma")):
        assert abs(done[what] - BEFORE) < 60_000, "what happened three days ago happened three days ago"
    for what in (("viewed", "walden"), ("viewed", "kidnapped")):
        assert abs(done[what] - time.time_ns() // 1_000_000) < 60_000
    assert told_by(mapped, person) == {"interests": ["sea"]}, "a group's traits are nobody's"
    assert {one.status for one in front.posts()} == {200}
    assert front.total("sent") == 8
    assert front.total("quarantined") == front.total("duplicate") == 0
    zipped_now = {one.headers.get("Content-Encoding") == "gzip" for one in front.posts()}
    assert zipped_now == {zipped}, "the client does what this test is named for"


@pytest.mark.parametrize("name", CLIENTS)
def test_an_answer_that_got_lost_is_sent_again_and_nothing_is_there_twice(
    name: str, mapped: Server, front: Front
) -> None:
    """The server takes the batch, the client hears 503 with Retry-After and sends it again."""
    send, zipped = CLIENTS[name]
    person = named("unlucky", name)
    mapped.allow(person)
    front.lose = 1
    send(sends(f"unlucky {name}", front, mapped.keys["secret"], person, zipped))
    assert set(done_by(mapped, person)) == WHOLE
    first, *later = front.posts()
    assert first.lost
    assert later, "it was sent again"
    assert front.total("duplicate") >= first.account["stored"] > 0
    assert front.total("quarantined") == 0


@pytest.mark.parametrize("name", [name for name in CLIENTS if not name.endswith(("plain", "zipped"))])
def test_with_a_public_key_nothing_is_anybodys_but_the_devices(name: str, mapped: Server, front: Front) -> None:
    send, zipped = CLIENTS[name]
    person = named("claimed", name)
    mapped.allow(person)
    ask = sends(f"public {name}", front, mapped.keys["public"], person, zipped)
    mapped.allow(f"anon:{ask['device']}")
    send(ask)
    assert done_by(mapped, person) == {}
    assert told_by(mapped, person) == {}
    assert told_by(mapped, f"anon:{ask['device']}") == {"interests": ["sea"]}
    assert {one.status for one in front.posts()} == {200}
    assert front.total("quarantined") == 7, "all but what names a device"


# ---------------------------------------------------------------------------------------------------------- in browsers

SEGMENT = """async ({address, key, options, person}) => {
    const [client] = await window.AnalyticsNext.AnalyticsBrowser.load(
        {writeKey: key, cdnURL: address}, {integrations: {'Segment.io': options}, user: {persist: false}});
    await window.device(client.user().anonymousId());  // the shop's server writes down what it is allowed
    await client.page('Book Page', {product_id: 'kidnapped'});
    await client.identify(person, {interests: ['sea']});
    await client.track('Product Viewed', {product_id: 'walden'});
    await client.group('readers', {interests: ['golf']});
    await client.screen('Settings');
    await client.alias(person, 'nobody');
    return client.user().anonymousId();
}"""
RUDDER = """async ({address, key, options, person}) => {
    const client = new window.rudderanalytics.RudderAnalytics();
    client.load(key, address, {configUrl: address, ...options});
    await new Promise(done => client.ready(done));
    await window.device(client.getAnonymousId());
    client.page('Book Page', {product_id: 'kidnapped'});
    client.identify(person, {interests: ['sea']});
    client.track('Product Viewed', {product_id: 'walden'});
    client.group('readers', {interests: ['golf']});
    client.alias(person, 'nobody');
    return client.getAnonymousId();
}"""
BATCHED = {"queueOptions": {"batch": {"enabled": True, "maxItems": 10, "flushInterval": 500}}}
BEACONS = {"useBeacon": True, "beaconQueueOptions": {"maxItems": 10, "flushQueueInterval": 500}}
IN_BROWSERS: dict[str, tuple[str, str, dict[str, Any], set[str], int]] = {
    "@segment/analytics-next": (
        "@segment/analytics-next/dist/umd/index.js", SEGMENT, {},
        {"/v1/p", "/v1/i", "/v1/t", "/v1/g", "/v1/s", "/v1/a"}, 6,
    ),
    "@segment/analytics-next, in batches": (
        "@segment/analytics-next/dist/umd/index.js", SEGMENT,
        {"deliveryStrategy": {"strategy": "batching", "config": {"size": 10, "timeout": 300}}}, {"/v1/b"}, 6,
    ),
    "@rudderstack/analytics-js": (
        "@rudderstack/analytics-js/dist/npm/legacy/bundled/umd/index.js", RUDDER, {},
        {"/v1/page", "/v1/identify", "/v1/track", "/v1/group", "/v1/alias"}, 5,
    ),
    "@rudderstack/analytics-js, in batches": (
        "@rudderstack/analytics-js/dist/npm/legacy/bundled/umd/index.js", RUDDER, BATCHED, {"/v1/batch"}, 5,
    ),
    "@rudderstack/analytics-js, by beacon": (
        "@rudderstack/analytics-js/dist/npm/legacy/bundled/umd/index.js", RUDDER, BEACONS, {"/beacon/v1/batch"}, 5,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no {CHROMIUM}; on Debian: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """The address of an empty page of another origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b'<!doctype html><title>A shop</title><link rel="icon" href="data:,">')

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}/"
        listening.shutdown()
        thread.join(10)


@pytest.mark.parametrize("name", IN_BROWSERS)
def test_a_browser_client_on_another_origin_sends_all_it_has(
    name: str, mapped: Server, front: Front, browser: Any, elsewhere: str
) -> None:
    """It is told one address. What it sends is the device's: a public key can make it nobody else's."""
    script, code, options, doors, count = IN_BROWSERS[name]
    page = browser.new_context().new_page()
    grumbled: list[str] = []
    page.on("console", lambda said: grumbled.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: grumbled.append(str(error)))
    page.expose_function("device", lambda device: mapped.allow(f"anon:{device}").status)
    page.goto(elsewhere)
    page.add_script_tag(path=str(modules(HERE) / "node_modules" / script))
    ask = {"address": front.address, "key": mapped.keys["public"], "options": options, "person": "somebody"}
    device = f"anon:{page.evaluate(code, ask)}"
    until(lambda: bool(page.wait_for_timeout(50)) or front.total("sent") >= count, 20, "everything was sent")
    page.context.close()
    assert not grumbled
    posts = front.posts()
    assert {one.path.partition("?")[0] for one in posts} == doors
    assert {one.status for one in posts} == {200}
    assert all(one.status == 204 for one in front.passed if one.method == "OPTIONS")
    assert front.total("sent") == count
    assert front.total("quarantined") == 1, "the alias"
    assert set(done_by(mapped, device)) == {("viewed", "kidnapped"), ("viewed", "walden")}
    assert told_by(mapped, device) == {"interests": ["sea"]}
    assert done_by(mapped, "somebody") == {}


def test_a_browser_client_that_brings_the_persons_token_speaks_for_them(
    mapped: Server, front: Front, browser: Any, elsewhere: str
) -> None:
    """Segment's client takes headers of one's own: the token that the shop's server handed to its page."""
    person, name = "browsing-ada", "@segment/analytics-next"
    mapped.allow(person)
    script, code, _, _, count = IN_BROWSERS[name]
    headers = {"X-Person-Token": mapped.token(person)}
    options = {"deliveryStrategy": {"strategy": "standard", "config": {"headers": headers}}}
    page = browser.new_context().new_page()
    page.expose_function("device", lambda device: None)
    page.goto(elsewhere)
    page.add_script_tag(path=str(modules(HERE) / "node_modules" / script))
    page.evaluate(code, {"address": front.address, "key": mapped.keys["public"], "options": options, "person": person})
    until(lambda: bool(page.wait_for_timeout(50)) or front.total("sent") >= count, 20, "everything was sent")
    page.context.close()
    assert ("viewed", "walden") in done_by(mapped, person)
    assert told_by(mapped, person) == {"interests": ["sea"]}
