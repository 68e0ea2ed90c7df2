"""The code in docs/moving.md runs as it stands, but for the address and the key."""

import re
from pathlib import Path

import pytest

from tests.http.served import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "moving.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_code_of_the_page_runs(moved: Server, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = BLOCKS[number].replace("http://127.0.0.1:8000", f"http://127.0.0.1:{moved.port}")
    exec(code.replace("sk_...", moved.keys["moved"]), {})
    assert len(capsys.readouterr().out.splitlines()) == 5
