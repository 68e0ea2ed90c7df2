"""One installation for most of these tests: two workers, our sample books, some of our sample readers, trained."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.served import Server, installed, served, stocked, tactful, until

OWN_NAMES = """
[segment]
items = ["film_id"]

[segment.events]
"Film Finished" = "finished"
"Product Shared" = ""

[segment.pages]
"Book Page" = "viewed"

[segment.consent]
Advertising = "personalise"
Functional = ["personalise", "learn"]
"""


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The bookshop. Tests share it, so each brings people of its own."""
    home = tmp_path_factory.mktemp("shop")
    with served(home, installed(home)) as server:
        stocked(server)
        tactful(home, "train")
        until(lambda: takes_up(server), 20, "both workers took up the models")
        yield server


MOVED = """
[personalize.events]
Download = "finished"
[personalize.campaigns]
"old-front-page" = "home"
[personalize.filters]
"not-yet-read" = "already_have"
[gorse]
labels = "interests"
[gorse.feedback]
fork = "added"
"""


@pytest.fixture(scope="session")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A bookshop whose people came from elsewhere; the key `moved` is the operator's word for what they agreed to there."""
    home = tmp_path_factory.mktemp("moved")
    keys = installed(home)
    with (home / "tactful.toml").open("a", encoding="utf-8") as settings:
        settings.write(MOVED)
    vouched = ("--granted", "personalise,learn", "--source", "terms of 2025, section 4", "--json")
    added = tactful(home, "key", "add", "moved", "--scopes", "write,decide,items,admin", *vouched)
    keys["moved"] = json.loads(added.stdout)["key"]
    with served(home, keys) as server:
        stocked(server, 12)
        tactful(home, "train")
        until(lambda: takes_up(server), 20, "both workers took up the models")
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of its own for a test that needs an installation of its own."""
    return tmp_path


def takes_up(server: Server) -> bool:
    """Whether every worker serves with the models that are current on disk."""
    current = json.loads((server.home / "models" / "current.json").read_text())
    from tests.http.served import speak

    with server.each_worker() as connections:
        return all(speak(one, "GET", "/healthz").json["models"] == current for one in connections)


@pytest.fixture(scope="session")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An installation that says what its clients' own names mean, and keeps searches. Tests share it, so each brings people of its own."""
    home = tmp_path_factory.mktemp("mapped")
    keys = installed(home)
    settings, charter = home / "tactful.toml", home / "charter.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + OWN_NAMES, encoding="utf-8")
    kept = '"shown", "viewed", "clicked"'
    text = charter.read_text(encoding="utf-8")
    assert kept in text
    charter.write_text(text.replace(kept, f'{kept}, "searched"'), encoding="utf-8")
    with served(home, keys, workers=1) as server:
        stocked(server, 1)
        yield server
