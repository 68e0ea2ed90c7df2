"""docs/catalogue.md is true: its commands run on its own item and its own taxonomy, and do what the page says."""

import gzip
import json
import re
import shlex
import tomllib
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tactful.cli.commands import tactful
from tactful.domain.placement import Placement
from tactful.domain.variants import Choice

PAGE = (Path(__file__).resolve().parents[2] / "docs/catalogue.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.S)


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra [parquet] is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TACTFUL_HOME", "home")
    runner = CliRunner()
    assert runner.invoke(tactful, ["init"]).exit_code == 0
    taxonomy, recipe = blocks("toml")
    (tmp_path / "home/taxonomy.toml").write_text(
        taxonomy + "\n[topics.nature]\n[topics.'nature/sea']\n", encoding="utf-8"
    )
    item = json.loads(blocks("json")[0])
    (tmp_path / "books.csv").write_text("id,title,topics\nbed,Bed,health/cancer\n", encoding="utf-8")
    (tmp_path / "books.ndjson").write_text(json.dumps(item), encoding="utf-8")
    with duckdb.connect() as db:
        db.execute("COPY (SELECT 'sea' id, 'The Sea' title, ['nature/sea'] topics) TO 'books.parquet' (FORMAT parquet)")
    commands = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    assert len(commands) == 7
    said = {}
    for line in commands:
        result = runner.invoke(tactful, shlex.split(line)[1:])
        assert result.exit_code == 0, (line, result.output, result.exception)
        said[line] = result.stdout
    assert "Nothing was put" in said["tactful items put books.ndjson --dry-run"]
    assert "missing, and unavailable now" in said["tactful items put books.parquet --replace"]
    assert "1 changed" in said["tactful items diff books.csv"]
    assert "The Sea" in said["tactful items list --topic nature --limit 5"]
    assert "health" in runner.invoke(tactful, ["items", "show", "bed"]).stderr
    (tmp_path / "more.ndjson.gz").write_bytes(gzip.compress(json.dumps(item).encode()))
    assert runner.invoke(tactful, ["items", "put", "more.ndjson.gz"]).exit_code == 0
    shown = json.loads(runner.invoke(tactful, ["items", "show", "sea"]).stdout)
    assert [one["id"] for one in shown["variants"]] == ["storm", "night"]
    told = tomllib.loads(recipe)["placements"]["home"]["variant"]
    assert msgspec.convert(told, Choice) == Choice(("bright",))
    assert "variant" in Placement.__struct_fields__
