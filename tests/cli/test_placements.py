"""`tactful placement`, `page` and `batch`, as somebody who tunes a placement runs them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tactful.arrangers.top import Top
from tactful.cli.commands import tactful as command
from tactful.cli.install import install
from tactful.cli.opening import opened
from tactful.cli.training import train_all
from tactful.strategies.popular import Popular
from tests.shop import allow, shop_items

MORE = """
[pages.front]
rows = ["popular", "home"]
words = "The front page"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with books, models, and a reader who likes two of them."""
    path = tmp_path_factory.mktemp("home")
    install(path)
    settings = path / "tactful.toml"
    settings.write_text(settings.read_text() + MORE)
    with opened(path) as (_, engine):
        engine.stores.items.put(shop_items()).wait()
        engine.change_consent("ann", allow()).wait()
        train_all(engine, machine=True)
    return path


def run(home: Path, *words: str) -> Any:
    result = CliRunner().invoke(command, ["--home", str(home), *words])
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout) if "--json" in words else result.stdout


def test_the_list_names_every_placement_with_its_parts(home: Path) -> None:
    listed = {one["placement"]: one for one in run(home, "placement", "list", "--json")}
    assert set(listed) == {"home", "related", "discover", "popular", "search"}
    assert listed["popular"]["strategy"] == "popular"
    assert "sensitive" in listed["home"]["guards"]


def test_trying_shows_each_step_and_what_it_did_and_keeps_nothing(home: Path) -> None:
    tried = run(
        home, "placement", "try", "home", "--person", "ann", "--limit", "3", "--context", "device=phone", "--json"
    )
    steps = tried["steps"]
    assert [one["step"] for one in steps if one["step"]] == [
        "view", *["propose"] * sum(one["step"] == "propose" for one in steps),
        *["permit"] * sum(one["step"] == "permit" for one in steps), "arrange",
    ]  # fmt: skip
    together = next(int(one["items"].replace(",", "")) for one in steps if one["by"] == "together")
    gone = sum(-int(one["items"].replace(",", "")) for one in steps if one["step"] == "permit")
    left = next(int(one["items"].replace(",", "")) for one in steps if one["by"] == "left")
    assert together - gone == left  # nothing disappears without a name
    assert len(tried["shown"]) == 3
    assert all(one["why"] for one in tried["shown"])
    assert "propose" in run(home, "placement", "try", "home")


def test_trying_names_the_parts_that_fail_and_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*anything: object) -> None:
        raise RuntimeError("out of order")

    with monkeypatch.context() as patched:
        patched.setattr(Popular, "propose", broken)
        steps = run(home, "placement", "try", "popular", "--json")["steps"]
        assert [one["what"] for one in steps if one["by"] == "popular"] == ["it failed: RuntimeError: out of order"]
        assert [one["what"] for one in steps if one["step"] == "failed"] == [
            "strategy of popular: RuntimeError: out of order"
        ]
    with monkeypatch.context() as patched:
        patched.setattr(Top, "arrange", broken)
        tried = run(home, "placement", "try", "popular", "--json")
        faults = [one["what"] for one in tried["steps"] if one["step"] == "failed"]
        assert faults == ["arranger of popular: RuntimeError: out of order"]
        assert tried["shown"] == []


def test_a_page_prints_its_rows(home: Path) -> None:
    out = run(home, "page", "front", "--person", "ann", "--json")
    assert [row["placement"] for row in out["rows"]] == ["popular", "home"]
    items = [item["id"] for row in out["rows"] for item in row["items"]]
    assert len(items) == len(set(items)) == 24
    assert out["personal"] is False
    assert "1. " in run(home, "page", "front")


def test_batch_says_which_placements_it_would_need(home: Path) -> None:
    assert run(home, "batch", "--json") == []
    result = CliRunner().invoke(command, ["--home", str(home), "batch", "home"])
    assert result.exit_code == 1
    assert "batch" in result.stderr
