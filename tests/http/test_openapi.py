"""The description of the API is whole, and nothing we serve pulls anything from elsewhere."""

import json
import re
from typing import Any

from tactful.api import routes, segment
from tests.http.served import Server


def described(shop: Server) -> dict[str, Any]:
    """The description, parsed."""
    reply = shop.get("/openapi/openapi.json", {})
    assert reply.status == 200
    found: dict[str, Any] = json.loads(reply.body)
    return found


def test_the_description_is_of_openapi_3_and_names_us(shop: Server) -> None:
    found = described(shop)
    assert found["openapi"].startswith("3.")
    assert found["info"]["title"] == "Tactful"
    assert found["info"]["version"]


def test_every_route_stands_in_it_with_its_method_and_in_words(shop: Server) -> None:
    paths = described(shop)["paths"]
    for route in (*routes.ROUTES, *segment.ROUTES):
        for path in route.paths:
            plain = re.sub(r"\{(\w+):\w+\}", r"{\1}", path)
            assert plain in paths, plain
            for method in route.http_methods:
                if method != "OPTIONS":
                    operation = paths[plain][method.lower()]
                    assert operation.get("description"), (method, plain)
                    assert operation["responses"]


def test_what_the_event_doors_take_stands_in_it_though_they_read_it_by_themselves(shop: Server) -> None:
    paths = described(shop)["paths"]
    for path in ("/v1/batch", "/v1/import", "/v1/track", "/v1/t"):
        body = paths[path]["post"]["requestBody"]
        schema = body["content"]["application/json"]["schema"]
        message = schema["properties"]["batch"]["items"] if "batch" in schema["properties"] else schema
        assert body["required"]
        assert {"userId", "anonymousId", "event", "properties", "timestamp"} <= message["properties"].keys()


def test_every_reference_in_it_leads_somewhere(shop: Server) -> None:
    found = described(shop)
    references = re.findall(r'"\$ref":\s*"#/([^"]+)"', json.dumps(found))
    assert references
    for reference in references:
        place: Any = found
        for step in reference.split("/"):
            place = place[step]


def test_no_page_pulls_anything_from_elsewhere(shop: Server) -> None:
    """Neither the description nor a page about it: no renderer from a foreign server, not even with a browser asking."""
    browser = {"Accept": "text/html"}
    for path in (
        "/",
        "/openapi",
        "/openapi/",
        "/openapi/swagger",
        "/openapi/redoc",
        "/openapi/openapi.json",
        "/healthz",
        "/nothing",
    ):
        reply = shop.get(path, browser)
        assert reply.status in (200, 404), path
        assert not re.search(rb"https?://(?!127\.0\.0\.1)", reply.body), (path, reply.body[:300])
