"""Keys: made, kept as hashes, vouching for consent or not, removed; and a running server takes changes up."""

import json
import stat
import threading
from pathlib import Path

import msgspec
import pytest

from tactful.api.access import SCOPES, Access, Stored
from tactful.api.service import Service
from tactful.domain.consent import Dial
from tactful.domain.errors import BadInput, NoKey, NotAllowed, NotInitialised
from tactful.settings import Settings
from tests.shop import NOW, Shop


class Seconds:
    """A clock in seconds that stands where it is put."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A fresh access.json."""
    Access.create(tmp_path / "access.json")
    return tmp_path / "access.json"


def watching(path: Path, clock: Seconds) -> Access:
    return Access(msgspec.json.decode(path.read_bytes(), type=Stored), path, clock)


def test_a_key_opens_what_its_scopes_say_and_is_kept_nowhere(path: Path) -> None:
    given = Access.add(path, "importer", ("write", "items"), True)
    assert given not in path.read_text()
    assert given.startswith("sk_")
    access = Access.read(path)
    assert access.key(f"Bearer {given}", "items").name == "importer"
    with pytest.raises(NotAllowed, match="'importer' lacks the scope 'admin'"):
        access.key(f"Bearer {given}", "admin")


def test_a_change_is_whole_and_for_the_owner_alone(path: Path) -> None:
    threads = [threading.Thread(target=Access.add, args=(path, f"k{n}", ("write",), True)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(key.name for key in Access.keys(path)) == sorted(["public", "secret", *(f"k{n}" for n in range(8))])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["access.json"]


def test_a_running_server_takes_changes_up_looking_at_most_once_a_second(path: Path) -> None:
    clock = Seconds()
    access = watching(path, clock)
    given = Access.add(path, "late", ("write",), True)
    with pytest.raises(NoKey):
        access.key(f"Bearer {given}", "write")
    clock.now = 1.5
    assert access.key(f"Bearer {given}", "write").name == "late"
    Access.remove(path, "late")
    assert access.key(f"Bearer {given}", "write").name == "late"
    clock.now = 3.0
    with pytest.raises(NoKey):
        access.key(f"Bearer {given}", "write")


def test_a_broken_file_leaves_the_keys_as_they_were(path: Path) -> None:
    clock = Seconds()
    given = Access.add(path, "good", ("write",), True)
    access = watching(path, clock)
    path.write_text("{ broken")
    clock.now = 2.0
    assert access.key(f"Bearer {given}", "write").name == "good"


def test_a_file_of_before_keys_could_vouch_is_still_read(path: Path) -> None:
    plain = json.loads(path.read_text())
    assert all(set(key) == {"name", "hash", "scopes", "trusted"} for key in plain["keys"])
    assert all(key.granted == () and key.source == "" for key in Access.keys(path))


def test_what_must_not_be_is_refused_with_the_fix(path: Path) -> None:
    for words, more in (
        ("public key speaks for nobody", {"trusted": False, "granted": ("learn",), "source": "terms"}),
        ("needs its proof", {"granted": ("learn",)}),
        ("'admin' is none that it may have", {"trusted": False, "scopes": ("admin",)}),
        ("'fly' is none", {"scopes": ("fly",)}),
        ("'' is none", {"scopes": ()}),
        ("empty, too long", {"name": ""}),
        ("there is a key 'secret' already", {"name": "secret"}),
    ):
        with pytest.raises(BadInput, match=words):
            Access.add(path, **{"name": "n", "scopes": ("write",), "trusted": True, **more})  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="There are: public, secret"):
        Access.remove(path, "nobody")
    with pytest.raises(NotInitialised):
        Access.remove(path.with_name("elsewhere.json"), "nobody")


def test_what_a_key_vouches_for_becomes_a_change_of_consent_for_the_charters_purposes(path: Path) -> None:
    Access.add(path, "moved", SCOPES, True, ("personalise", "gone"), "terms of 2025")
    service = Service(Shop().engine, Access.read(path), Settings())
    keys = {key.name: key for key in Access.keys(path)}
    assumed = service.assumed(keys["moved"])
    assert assumed is not None
    assert (assumed.at, assumed.source, assumed.charter, assumed.dial) == (NOW, "terms of 2025", "1", Dial.remember)
    assert assumed.purposes == {"personalise": True}
    assert service.assumed(keys["secret"]) is None
    untrusted = msgspec.structs.replace(keys["moved"], trusted=False)  # as if somebody had edited the file by hand
    assert service.assumed(untrusted) is None
