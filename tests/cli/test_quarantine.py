"""`tactful quarantine` and `tactful doctor data`, as an operator runs them on an installation on disk."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from tactful.cli.commands import tactful as command
from tactful.cli.install import install
from tactful.cli.opening import opened
from tactful.domain.event import Arrival
from tactful.domain.item import Item
from tactful.engine import Engine
from tactful.ports import QUARANTINE_MS, Quarantined
from tests.shop import allow

TYPES = '\n[data.told.types]\navoid = { type = "text", one_of = ["war"] }\ninterests = { type = "list" }\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An installation with one person in it, of whom one trait could not be used, beside a message that nobody could read."""
    install(tmp_path)
    charter = tmp_path / "charter.toml"
    charter.write_text(charter.read_text() + TYPES)

    def begin(engine: Engine) -> None:
        engine.stores.items.put([Item(id="a", title="A")]).wait()
        engine.change_consent("ada@example.org", allow()).wait()
        now = engine.shell.now()
        unread = Quarantined(
            "batch[0]",
            now,
            "",
            b'{"type": 7, "email": "eve@example.org"}',
            "type",
            "expected `str`, got `int`",
            "segment",
        )
        told = Arrival(
            id="m", person="ada@example.org", name="identify", traits={"avoid": "my neighbour", "interests": ["sea"]}
        )
        engine.take([told], [unread]).wait()

    inside(tmp_path, begin)
    return tmp_path


def inside(home: Path, act: Callable[[Engine], Any]) -> Any:
    with opened(home) as (_, engine):
        return act(engine)


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["--home", str(home), *words])


def as_json(home: Path, *words: str) -> Any:
    result = run(home, *words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def mend(home: Path) -> None:
    """What the operator does: the charter allows what people really say."""
    charter = home / "charter.toml"
    charter.write_text(charter.read_text().replace(', one_of = ["war"]', ""))


def test_the_list_says_what_is_wrong_and_nothing_of_what_people_said(home: Path) -> None:
    text = run(home, "quarantine", "list").output
    assert "traits.avoid" in text and "the charter does not know it; send one of war" in text
    assert "expected `str`, got `int`" in text
    for personal in ("ada", "eve", "neighbour", "example.org"):
        assert personal not in text and personal not in json.dumps(as_json(home, "quarantine", "list"))
    listed = as_json(home, "quarantine", "list")
    assert (listed["pieces"], {(one["format"], one["field"], one["count"]) for one in listed["groups"]}) == (
        2, {("arrival", "traits.avoid", 1), ("segment", "type", 1)},
    )  # fmt: skip
    assert as_json(home, "quarantine", "list", "--reason", "expected")["pieces"] == 1
    assert as_json(home, "quarantine", "list", "--field", "avoid")["groups"][0]["field"] == "traits.avoid"


def test_show_prints_the_pieces_for_who_asks(home: Path) -> None:
    assert "my neighbour" in run(home, "quarantine", "list", "--show").output
    shown = as_json(home, "quarantine", "list", "--show")["shown"]
    assert {one["person"] for one in shown} == {"ada@example.org", ""}
    assert "eve@example.org" in "".join(one["raw"] for one in shown)


def test_after_a_fix_replay_keeps_what_was_meant_and_empties_the_rest_from_the_disk(home: Path) -> None:
    before = as_json(home, "quarantine", "replay", "--all")
    assert (before["tried"], before["stored"], before["stayed"]) == (2, 0, 2)
    came = inside(home, lambda engine: {piece.format: piece.at for piece in engine.stores.quarantine.pieces()})
    mend(home)
    after = as_json(home, "quarantine", "replay", "--field", "avoid")
    assert after == {"tried": 1, "stored": 1, "duplicate": 0, "refused": 0, "stayed": 0, "reasons": {}}
    kept = inside(home, lambda engine: engine.profile("ada@example.org").declared["avoid"])
    assert (kept.value, kept.id, kept.kept) == ("my neighbour", "m#avoid", came["arrival"])
    left = inside(home, lambda engine: engine.stores.quarantine.pieces())
    assert [(piece.format, piece.at) for piece in left] == [("segment", came["segment"])]
    text = run(home, "quarantine", "replay", "--all").output
    assert "stayed" in text and "1 × type: expected `str`, got `int`" in text


def test_a_key_that_sealed_only_what_has_gone_goes_too(home: Path) -> None:
    """What left quarantine cannot be read back from an old copy of the data."""

    def keys() -> int:
        with sqlite3.connect(home / "data" / "keys.db") as db:
            found = db.execute("SELECT count(*) FROM key").fetchone()[0]
        db.close()
        return int(found)

    before = keys()
    mend(home)
    as_json(home, "quarantine", "replay", "--field", "avoid")
    assert keys() == before - 1


def test_forgetting_reaches_the_pieces(home: Path) -> None:
    assert run(home, "forget", "ada@example.org", "--yes").exit_code == 0
    assert as_json(home, "quarantine", "list")["pieces"] == 1
    mend(home)
    assert as_json(home, "quarantine", "replay", "--field", "avoid")["tried"] == 0
    assert inside(home, lambda engine: engine.stores.events.head("ada@example.org")) == 0


def test_what_is_due_is_neither_listed_nor_tried(home: Path) -> None:
    def grow_old(engine: Engine) -> None:
        pieces = engine.stores.quarantine.pieces()
        engine.stores.quarantine.drop(pieces).wait()
        engine.stores.quarantine.put([structs.replace(piece, at=piece.at - QUARANTINE_MS) for piece in pieces]).wait()

    inside(home, grow_old)
    mend(home)
    assert "Nothing is in quarantine." in run(home, "quarantine", "list").output
    assert as_json(home, "quarantine", "replay", "--all")["tried"] == 0


@pytest.mark.parametrize("words", [(), ("--all", "--field", "avoid")])
def test_replay_wants_to_know_which(home: Path, words: tuple[str, ...]) -> None:
    result = run(home, "quarantine", "replay", *words)
    assert result.exit_code == 1 and "--all, or --field" in result.stderr


def test_doctor_data_tells_what_the_data_is_like(home: Path) -> None:
    told = as_json(home, "doctor", "data")
    assert (told["quality"]["people"], told["quality"]["items"]) == (1, 1)
    assert [(one["source"], one["events"]) for one in told["quality"]["sources"]] == [("told", 1)]
    shares = {one["trait"]: one["share"] for one in told["quality"]["traits"]}
    assert shares == {"interests": 1.0, "avoid": 0.0, "muted": 0.0, "languages": 0.0}
    assert {one["field"] for one in told["impossible"]} == {"traits.avoid", "type"}
    text = run(home, "doctor", "data").output
    assert "100.0%" in text and "interests" in text and "in quarantine · traits.avoid" in text
    assert "ada" not in text and "neighbour" not in text


def test_doctor_alone_is_as_it_was(home: Path) -> None:
    checks = as_json(home, "doctor")
    assert [one["check"] for one in checks] == ["settings", "keys", "stores", "catalogue", "lists", "writing", "disk"]
    assert "2 in quarantine" in run(home, "doctor").output


def test_what_a_name_means_once_it_is_said_counts_for_what_waits(home: Path) -> None:
    raw = b'{"type": "track", "event": "viewed", "messageId": "w", "userId": "ada@example.org", "properties": {"film_id": "a"}}'

    def waits(engine: Engine) -> None:
        piece = Quarantined(
            "w", engine.shell.now(), "ada@example.org", raw, "properties.product_id", "it names no item"
        )
        engine.take([], [structs.replace(piece, format="segment", trusted=True)]).wait()

    inside(home, waits)
    assert as_json(home, "quarantine", "replay", "--field", "properties.product_id")["stayed"] == 1
    settings = home / "tactful.toml"
    settings.write_text(settings.read_text() + '\n[segment]\nitems = ["film_id"]\n')
    assert as_json(home, "quarantine", "replay", "--field", "properties.product_id")["stored"] == 1
