"""Every `$ tactful ...` of docs/explaining.md runs, and its TOML is taken."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from tactful.cli.commands import tactful
from tactful.cli.install import install
from tactful.cli.opening import opened
from tactful.cli.training import train_all
from tactful.domain.event import Arrival
from tactful.wire import read_home
from tests.shop import PLAIN, allow, shop_items

PAGE = (Path(__file__).resolve().parents[2] / "docs/explaining.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a reader in it, and a book that the page speaks of."""
    path = tmp_path_factory.mktemp("explaining") / "shop"
    install(path)
    with opened(path) as (_, engine):
        engine.stores.items.put([*shop_items(), structs.replace(shop_items()[0], id="b7", available=False)]).wait()
        engine.change_consent("ada", allow()).wait()
        engine.take(
            [Arrival(id=name, person="ada", name="viewed", verb="viewed", items=(name,)) for name in PLAIN[:3]]
        ).wait()
        train_all(engine, machine=True)
    return path


def test_the_commands_of_the_page_run(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    blocks = re.findall(r"```console\n(.*?)```", PAGE, flags=re.S)
    commands = [line[2:] for block in blocks for line in block.splitlines()]
    said = {}
    for line in commands:
        result = CliRunner().invoke(tactful, shlex.split(line)[1:])
        assert result.exit_code == 0, (line, result.output, result.exception)
        said[line] = result.output
    deep, german, why_not, warum = (said[line] for line in commands)
    assert "Picked for you" in deep
    assert re.search(r"^   (Mostly|Also): .* \(\d+%\)$", deep, flags=re.M)
    assert "We read what you look at" in deep
    assert "Für dich gewählt" in german
    assert why_not == "It was left out: you cannot have it right now.\n"
    assert warum == "Es ist nicht dabei: man kann es gerade nicht haben.\n"


def test_a_receipt_opens_on_the_screen_at_each_depth(shop: Path) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(tactful, ["--home", str(shop), *words])
        assert result.exit_code == 0, (words, result.output, result.exception)
        return result.output

    found = re.search(r"receipt (\S+)", run("decide", "home", "--person", "ada"))
    assert found is not None
    short, middle, whole = (
        run("explain", found.group(1), "--depth", depth) for depth in ("sentence", "details", "full")
    )
    assert "permitted" in whole
    assert "Without " in whole
    assert "Mostly: " in middle
    assert "permitted" not in middle
    assert "Mostly: " not in short
    assert "Für dich gewählt" in run("explain", found.group(1), "--language", "de")


def test_the_toml_of_the_page_is_taken(shop: Path) -> None:
    words, setting = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.S)
    (shop / "words").mkdir()
    (shop / "words" / "de.toml").write_text(words, encoding="utf-8")
    settings = shop / "tactful.toml"
    settings.write_text(settings.read_text() + setting)
    home = read_home(shop)
    assert home.languages.speak("de").say("why.popular") == tomllib.loads(words)["why"]["popular"]
    assert home.languages.speak("de").data["browsing"] == "was du dir ansiehst"
    assert home.settings.explain.mute == ("subjects", "author")
