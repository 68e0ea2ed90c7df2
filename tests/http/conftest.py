"""One installation for most of these tests: two workers, our sample books, some of our sample readers, trained."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.served import Server, installed, served, stocked, tactful, until


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The bookshop. Tests share it, so each brings people of its own."""
    home = tmp_path_factory.mktemp("shop")
    with served(home, installed(home)) as server:
        stocked(server)
        tactful(home, "train")
        until(lambda: takes_up(server), 20, "both workers took up the models")
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of its own for a test that needs an installation of its own."""
    return tmp_path


def takes_up(server: Server) -> bool:
    """Whether every worker serves with the models that are current on disk."""
    import json

    current = json.loads((server.home / "models" / "current.json").read_text())
    from tests.http.served import speak

    with server.each_worker() as connections:
        return all(speak(one, "GET", "/healthz").json["models"] == current for one in connections)
