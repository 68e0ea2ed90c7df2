"""Whatever comes in, nothing breaks: no answer of 500 and above, and every error in the shape that its protocol knows.

Three ways of asking: cases that schemathesis makes from the description of the interface, right and wrong ones, with bodies for the
endpoints that decode their own; good requests with each part of them in turn replaced by each oddity; and good requests spoiled in
several places, cut, zipped. A few hundred by default, 1,400 and more of each with --prove.
"""

import contextlib
import copy
import gzip
import json
import re
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tactful.connectors import gorse, personalize, segment
from tactful.domain.item import Item
from tests.crash.proofs import note
from tests.http.conftest import takes_up
from tests.http.served import Reply, Server, installed, message, served, speak, stocked, tactful, until

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of what it is made of, not of ours
    import schemathesis
    from schemathesis import GenerationMode

# What is answered 501 on purpose, in the middle of an endpoint that is there.
NOT_HERE = ("/api/items", "/api/latest", "/api/popular", "/api/recommend/")
SILENT = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]
ARN = "arn:aws:personalize:eu-west-1:1:"


class Batch(msgspec.Struct):
    """What POST /v1/batch reads, all of it."""

    batch: list[segment.Message]
    writeKey: str | None = None


class Items(msgspec.Struct):
    """What POST /v1/items reads."""

    items: list[Item]


class Events(personalize.PutEvents):
    """What PutEvents reads."""

    eventList: list[personalize.OneEvent]


class Users(personalize.PutUsers):
    """What PutUsers reads."""

    users: list[personalize.OneUser]


BODIES: dict[tuple[str, str], Any] = {
    ("/v1/batch", "post"): Batch,
    ("/v1/items", "post"): Items,
    ("/v1/items/{item}", "patch"): Item,
    ("/events", "post"): Events,
    ("/items", "post"): personalize.PutItems,
    ("/users", "post"): Users,
    ("/recommendations", "post"): personalize.GetRecommendations,
    ("/personalize-ranking", "post"): personalize.GetPersonalizedRanking,
    ("/api/feedback", "post"): list[gorse.Feedback],
    ("/api/feedback", "put"): list[gorse.Feedback],
    ("/api/user", "post"): gorse.User,
    ("/api/users", "post"): list[gorse.User],
    ("/api/user/{user_id}", "patch"): gorse.UserPatch,
    ("/api/item", "post"): gorse.GorseItem,
    ("/api/items", "post"): list[gorse.GorseItem],
    ("/api/item/{item_id}", "patch"): gorse.ItemPatch,
    ("/api/session/recommend", "post"): list[gorse.SessionFeedback],
    ("/api/session/recommend/{category}", "post"): list[gorse.SessionFeedback],
}
"""The bodies that endpoints decode by themselves, so that the description does not know them."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An installation of its own: what is thrown at it stays in it."""
    home = tmp_path_factory.mktemp("target")
    keys = installed(home)
    with served(home, keys, workers=1) as server:
        stocked(server, 4)
        tactful(home, "train")
        until(lambda: takes_up(server), 20, "the worker took up the models")
        yield server


class Proof:
    """How many requests were tried, to be noted once all of them did no harm."""

    def __init__(self, whole: bool) -> None:
        self.began, self.tried, self._whole = time.monotonic(), 0, whole

    def passed(self, name: str) -> None:
        if self._whole:
            note(name, self.tried, 0, time.monotonic() - self.began)


@pytest.fixture
def proof(target: Server, request: pytest.FixtureRequest) -> Proof:
    return Proof(request.config.getoption("--prove"))


def described(server: Server) -> dict[str, Any]:
    """The description of the interface, with the bodies that it does not know."""
    found: dict[str, Any] = server.get("/openapi/openapi.json", {}).json
    shapes, parts = msgspec.json.schema_components(
        list(BODIES.values()), ref_template="#/components/schemas/their{name}"
    )
    found["components"]["schemas"].update({f"their{name}": part for name, part in parts.items()})
    for (path, method), shape in zip(BODIES, shapes, strict=True):
        found["paths"][path][method]["requestBody"] = {"content": {"application/json": {"schema": shape}}}
    return found


def keys(server: Server) -> dict[str, str]:
    """The secret key, in the headers of each protocol."""
    return {**server.as_server(), "X-API-Key": server.keys["secret"]}


def check(method: str, path: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """What must be true of every answer."""
    said = (method, path, status, body[:500])
    plain = path.partition("?")[0]
    if status == 501:
        assert plain.startswith(NOT_HERE), said
    else:
        assert status < 500, said
    if status < 400:
        return
    kind = headers.get("content-type", "")
    if kind.startswith("application/problem+json"):
        problem = json.loads(body)
        assert problem["status"] == status, said
        assert problem["title"], said
        assert problem["detail"], said
    elif "x-amzn-errortype" in headers:
        assert re.fullmatch(r"[A-Z]\w+Exception", headers["x-amzn-errortype"]), said
        assert json.loads(body)["message"], said
    elif plain.startswith("/api/"):
        assert kind.startswith("text/plain"), said
        assert body, said
    else:
        assert status in (400, 431), said  # not even HTTP: the server's own answer
        assert kind.startswith("text/plain"), said


def no_fault(server: Server) -> None:
    """Nothing that the log calls a failure."""
    assert "failed:" not in server.log.read_text()


def runs(count: int) -> settings:
    """So many cases, the same ones every time."""
    return settings(max_examples=count, derandomize=True, database=None, deadline=None, suppress_health_check=SILENT, phases=[Phase.generate])  # fmt: skip


@pytest.mark.prove
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jsonschema")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_no_case_made_from_the_description_breaks_anything(
    target: Server, proof: Proof, scale: Callable[[int, int], int], mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(described(target))
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 30
    each, address = max(1, scale(100, 1000) // len(operations)), f"http://127.0.0.1:{target.port}"
    for operation in operations[
        :: scale(3, 1)
    ]:  # the sample looks at every third: it takes long to think of the first case

        @runs(each)
        @given(case=operation.as_strategy(generation_mode=mode))
        def knock(case: Any) -> None:
            reply = case.call(base_url=address, headers=keys(target), timeout=30)
            got = {name.lower(): ", ".join(value) for name, value in reply.headers.items()}
            check(case.method, case.path, reply.status_code, got, reply.content)
            proof.tried += 1

        try:
            knock()
        except Exception as error:
            if type(error).__name__ != "Unsatisfiable":  # there is no wrong way to ask for what takes nothing
                raise
    no_fault(target)
    proof.passed(f"fuzz: {mode.name.lower()} requests made from the description that broke nothing")


# ------------------------------------------------------------------------------------------------ good requests, spoiled

FEEDBACK = {"FeedbackType": "read", "UserId": "u", "ItemId": "walden", "Timestamp": "2026-01-01", "Value": 1}
GORSE_ITEM = {"ItemId": "i", "IsHidden": False, "Categories": ["c"], "Timestamp": "2026-01-01", "Labels": {"a": ["b"]}, "Comment": "t"}  # fmt: skip
EVENT = {"eventType": "View", "sentAt": 1.7e9, "itemId": "walden", "properties": '{"a": 1}', "eventValue": 2.5, "eventId": "e", "impression": ["we"], "recommendationId": "r"}  # fmt: skip
GOOD: list[tuple[str, str, Any]] = [
    ("POST", "/v1/batch", {"batch": [message("u", "m", "walden")], "sentAt": "2026-01-01T00:00:00Z"}),
    ("POST", "/v1/items", {"items": [{"id": "i", "title": "t", "attributes": {"a": ["b"]}, "price": {"amount": 1}}]}),
    ("POST", "/v1/decide", {"placements": ["home", {"placement": "related", "item": "walden", "limit": 3}], "person": "u"}),
    ("POST", "/v1/search", {"query": "emmma", "person": "u", "limit": 3, "offset": 1, "context": {"a": 1}, "exclude": ["walden"]}),
    ("GET", "/v1/suggest?q=em", None),
    ("POST", "/v1/rank", {"placement": "home", "items": ["walden", "emma"], "scores": [1, 0.5]}),
    ("POST", "/v1/rank", {"placement": "home", "items": ["walden", "emma"], "person": "u", "context": {"a": 1}}),
    ("PUT", "/v1/consent/u", {"dial": "remember", "purposes": {"learn": True}}),
    ("POST", "/events", {"trackingId": "t", "sessionId": "s", "userId": "u", "eventList": [EVENT]}),
    ("POST", "/items", {"datasetArn": f"{ARN}dataset/x/ITEMS", "items": [{"itemId": "i", "properties": '{"price": 1}'}]}),
    ("POST", "/users", {"datasetArn": f"{ARN}dataset/x/USERS", "users": [{"userId": "u", "properties": '{"a": "b|c"}'}]}),
    ("POST", "/recommendations", {"campaignArn": f"{ARN}campaign/home", "userId": "u", "numResults": 5, "context": {"a": "b"}, "metadataColumns": {"ITEMS": ["MOOD"]}}),
    ("POST", "/personalize-ranking", {"campaignArn": f"{ARN}campaign/home", "userId": "u", "inputList": ["walden", "we"]}),
    ("POST", "/api/feedback", [FEEDBACK]),
    ("PUT", "/api/feedback", [FEEDBACK]),
    ("POST", "/api/item", GORSE_ITEM),
    ("POST", "/api/items", [GORSE_ITEM]),
    ("PATCH", "/api/item/walden", {"Labels": ["a"], "Timestamp": "2026-01-01", "Comment": "t"}),
    ("POST", "/api/user", {"UserId": "u", "Labels": ["a"]}),
    ("POST", "/api/users", [{"UserId": "u", "Labels": {"interests": ["a"]}}]),
    ("PATCH", "/api/user/u", {"Labels": {"interests": "a"}}),
    ("POST", "/api/session/recommend", [{"FeedbackType": "read", "ItemId": "walden", "Timestamp": "2026-01-01"}]),
    ("GET", "/api/recommend/u", None),
    ("GET", "/api/popular", None),
    ("GET", "/api/item/walden/neighbors", None),
    ("GET", "/api/items", None),
]  # fmt: skip
ODDITIES: list[Any] = [
    None, True, -1, 0, 1 << 64, -(1 << 70), 1e308, 0.1, "", " ", "\x00", "anon:", "member:a:b", "a" * 300, "\U0001f600", "{", '{"itemId": 7}',
     "9999-12-31T23:59:59-23:00", "0001-01-02", [], {}, [[[[]]]], [None], {"": ""}, [1, "a"], [1, 2], "1e999", "Infinity", "..", "[" * 500,
]  # fmt: skip
ODD = st.sampled_from(ODDITIES).map(copy.deepcopy)
NUMBERS = ("n", "offset", "cursor", "category", "user-id", "write-back-type", "write-back-delay")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something could be spoiled in a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inside for place in places(part, (*path, key)))]


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """A good request with up to three places of its body spoiled, its bytes cut or zipped, its query odd."""
    method, path, body = draw(st.sampled_from(GOOD))
    body = copy.deepcopy(body)
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        *way, last = draw(st.sampled_from(places({"": body})[1:]))
        holder: Any = {"": body}
        root = holder
        for step in way:
            holder = holder[step]
        how = draw(st.sampled_from(["odd", "odd", "odd", "gone", "renamed"]))
        if how == "odd" or not isinstance(holder, dict) or last == "":
            holder[last] = draw(ODD)
        elif how == "gone":
            del holder[last]
        else:
            holder[draw(st.text(max_size=5))] = holder.pop(last)
        body = root[""]
    sent = b"" if body is None else json.dumps(body).encode()
    how = draw(st.sampled_from([*["whole"] * 12, "cut", "zipped", "zipped and cut", "other bytes"]))
    if "zipped" in how:
        sent = gzip.compress(sent, 1)
    if "cut" in how:
        sent = sent[: draw(st.integers(0, len(sent)))]
    if how == "other bytes":
        sent = draw(st.binary(max_size=60))
    if path.startswith("/api/") and draw(st.booleans()):
        names = draw(st.lists(st.sampled_from(NUMBERS), max_size=3))
        values = [quote(str(draw(st.one_of(ODD, st.integers(-5, 300))))) for _ in names]
        path += "?" + "&".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
    return method, path, sent


@pytest.mark.prove
def test_no_spoiled_request_breaks_anything(target: Server, proof: Proof, scale: Callable[[int, int], int]) -> None:
    statuses: set[int] = set()

    @runs(scale(200, 2000))
    @given(spoiled())
    def knock(request: tuple[str, str, bytes]) -> None:
        method, path, sent = request
        reply: Reply = target.call(method, path, sent, keys(target))
        check(method, path, reply.status, reply.headers, reply.body)
        statuses.add(reply.status)
        proof.tried += 1

    knock()
    assert {200, 400} <= statuses
    no_fault(target)
    proof.passed("fuzz: requests spoiled in several places that broke nothing")


def each_part_spoiled() -> Iterator[tuple[str, str, Any]]:
    """Every good request with every part of it, one at a time, replaced by every oddity, or gone."""
    for method, path, body in GOOD:
        for *way, last in places({"": body})[1:] if body is not None else ():
            for odd in (*ODDITIES, ...):
                root: Any = copy.deepcopy({"": body})
                holder = root
                for step in way:
                    holder = holder[step]
                if odd is not ...:
                    holder[last] = copy.deepcopy(odd)
                elif last != "":
                    del holder[last]
                yield method, path, root[""]


@pytest.mark.prove
def test_no_single_oddity_breaks_anything(target: Server, proof: Proof, scale: Callable[[int, int], int]) -> None:
    with contextlib.closing(target.connect()) as connection:
        for method, path, body in list(each_part_spoiled())[:: scale(29, 1)]:
            reply = speak(connection, method, path, json.dumps(body).encode(), keys(target))
            check(method, path, reply.status, reply.headers, reply.body)
            proof.tried += 1
    no_fault(target)
    proof.passed("fuzz: requests with each part in turn replaced by each oddity that broke nothing")


def test_the_good_requests_are_good(target: Server) -> None:
    for method, path, body in GOOD:
        sent = b"" if body is None else json.dumps(body).encode()
        reply = target.call(method, path, sent, keys(target))
        assert reply.status == 200, (method, path, reply.body)
