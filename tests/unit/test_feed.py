"""Reading the feed beside a writer, without ever becoming one; and keys that were made before there was a feed."""

import json
from pathlib import Path

import pytest

from tactful.api.access import SCOPES_OF_0_1, Access
from tactful.contracts import change, record
from tactful.domain.errors import NotAllowed, StoreBusy
from tactful.ports import Entry
from tactful.stores.sqlite import create, open_reading, open_sqlite
from tactful.stores.sqlite.reader import Reader


def test_stores_for_reading_see_what_is_committed_and_never_write(tmp_path: Path) -> None:
    create(tmp_path)
    reading = open_reading(tmp_path)
    try:
        writing = open_sqlite(tmp_path)  # the place of the writer is free
        try:
            writing.consents.append([("ann", change())]).wait()
            writing.events.append([record("ann", "1")]).wait()
            assert [entry.person for entry in reading.feed.after(0, 10).entries] == ["ann", "ann"]
            for asked in (reading.events.append([record("ann", "2")]), reading.events.forget("ann")):
                with pytest.raises(StoreBusy, match="reading only"):
                    asked.wait()
            assert reading.feed.head() == writing.feed.head() == 2
        finally:
            writing.close()
    finally:
        reading.close()


def test_of_a_log_without_names_the_feed_gives_the_pseudonym(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As version 0.1 wrote it."""
    create(tmp_path)
    stores = open_sqlite(tmp_path)
    try:
        stores.consents.append([("ann", change())]).wait()
        stores.events.append([record("ann", "1")]).wait()
        said = Reader.said
        monkeypatch.setattr(Reader, "said", lambda *asked: [(seq, _nameless(made)) for seq, made in said(*asked)])
        (_, event) = stores.feed.after(0, 10).entries
        (pseudonym, _) = next(stores.events.people())
        assert isinstance(event, Entry) and event.person == pseudonym and event.consent.version == 1
    finally:
        stores.close()


def _nameless(made: object) -> object:
    from msgspec import structs

    return structs.replace(made, person="")  # type: ignore[type-var]


def test_a_secret_key_of_an_older_installation_may_fetch_and_no_other_key(tmp_path: Path) -> None:
    path = tmp_path / "access.json"
    keys = Access.create(path)
    stored = json.loads(path.read_text())
    for key in stored["keys"]:
        if key["name"] == "secret":
            key["scopes"] = list(SCOPES_OF_0_1)
    path.write_text(json.dumps(stored))
    access = Access.read(path)
    assert access.key(f"Bearer {keys['secret']}", "feed").name == "secret"
    with pytest.raises(NotAllowed, match="'feed'"):
        access.key(f"Bearer {keys['public']}", "feed")
