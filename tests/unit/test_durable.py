"""Files that are there whole or not at all."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tactful.stores.durable import DRAFT, write_new, write_once


def test_of_many_who_want_to_be_the_first_one_is_and_all_find_the_same(tmp_path: Path) -> None:
    def first(number: int) -> bytes:
        write_once(tmp_path / str(number // 8), b"%d" % number * 50_000)
        return (tmp_path / str(number // 8)).read_bytes()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(first, range(400)))
    for place in range(50):
        whole = {b"%d" % number * 50_000 for number in range(8 * place, 8 * place + 8)}
        assert len({*found[8 * place : 8 * place + 8]}) == 1 and found[8 * place] in whole


def test_a_new_file_takes_nobodys_place_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "key"
    (tmp_path / f"key{DRAFT}").write_bytes(b"left by somebody who was interrupted")
    write_new(path, b"mine")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_new(path, b"yours")
    write_once(path, b"yours")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("key", b"mine")]
