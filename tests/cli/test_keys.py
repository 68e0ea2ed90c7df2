"""`tactful key`: made, listed, removed; and a running server knows within a second."""

import json
from pathlib import Path

from tests.http.served import installed, message, served, tactful, until


def test_a_key_is_made_listed_and_removed_while_serving(tmp_path: Path) -> None:
    keys = installed(tmp_path)
    with served(tmp_path, keys, workers=1) as server:
        made = tactful(tmp_path, "key", "add", "crm", "--scopes", "write,items", "--json").stdout
        given = json.loads(made)["key"]
        headers = {"Authorization": f"Bearer {given}"}
        batch = {"batch": [message("p", "m", "thing")]}
        until(lambda: server.post("/v1/batch", batch, headers).status == 200, 5, "the new key is known")
        assert server.post("/v1/decide", {"placements": ["home"]}, headers).status == 403
        assert given not in tactful(tmp_path, "key", "list").stdout
        assert server.post("/v1/tokens", {"person": "p"}, server.as_server()).status == 200
        assert "Removed crm" in tactful(tmp_path, "key", "remove", "crm").stdout
        until(lambda: server.post("/v1/batch", batch, headers).status == 401, 5, "the removed key opens nothing")


def test_a_key_that_vouches_says_for_what_and_by_what(tmp_path: Path) -> None:
    installed(tmp_path)
    source = "terms of 2025, section 4"
    tactful(tmp_path, "key", "add", "moved", "--granted", "personalise", "--granted", "learn", "--source", source)
    (moved,) = [key for key in json.loads(tactful(tmp_path, "key", "list", "--json").stdout) if key["name"] == "moved"]
    assert moved == {"name": "moved", "scopes": ["write", "decide"], "trusted": True, "granted": ["personalise", "learn"], "source": source}  # fmt: skip
    assert f"personalise, learn ({source})" in tactful(tmp_path, "key", "list").stdout


def test_a_key_that_must_not_be_is_refused_with_the_fix(tmp_path: Path) -> None:
    installed(tmp_path)
    for words, options in (
        ("the charter has no such purpose", ("--granted", "fun", "--source", "x")),
        ("needs its proof", ("--granted", "learn")),
        ("cannot vouch", ("--public", "--granted", "learn", "--source", "x")),
        ("Use some of write, decide", ("--public", "--scopes", "admin")),
    ):
        done = tactful(tmp_path, "key", "add", "wrong", *options, check=False)
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr
