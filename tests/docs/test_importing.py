"""Every `$ tactful ...` of docs/importing.md runs, in its order, on files of the shape that it speaks of."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tactful.cli.commands import tactful

PAGE = Path(__file__).resolve().parents[2] / "docs/importing.md"
FILES = {
    "acts.csv": "user,sku,when,stars\nada,a,1700000000,5\nbob,b,2026-01-01,4\n",
    "acts.ndjson": '{"user":{"id":"ada"},"sku":"a","ts":1700000000}\n',
    "people.csv": "person,interests\nada,film\n",
    "bought.csv": "person,inc,licence\nada,3,CC-1\ndan,4,\n",
    "histories.txt": "ada a b c\n",
    "sessions.txt": "a b\nc d\n",
    "long.csv": "session_id,item_id,timestamp\ns1,a,1700000000\n",
    "interactions.csv": "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nada,a,1700000000,Zap\n",
    "items.csv": "ITEM_ID,TITLE\na,Aa\n",
    "users.csv": "USER_ID,INTERESTS\nada,film\n",
    "ml-100k/x.inter": "user_id:token\titem_id:token\ttimestamp:float\nada\ta\t1700000000\n",
    "ml-1m/movies.dat": "1::A (1995)::Drama\n",
    "ml-1m/ratings.dat": "1::1::5::978300760\n",
}
SOLD = '\n[data.sold]\nwords = "w"\ncategory = "user.demographic.profile"\nkind = "obtained"\ntraits = ["income"]\npurposes = ["personalise"]\nretention_days = 9\n'


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra [parquet] is not installed")
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    with duckdb.connect() as db:
        db.execute("COPY (SELECT 'eve' person, 'a' item, 1700000000 \"at\") TO 'acts.parquet' (FORMAT parquet)")
    runner = CliRunner()
    for home in ("home", "there"):
        assert runner.invoke(tactful, ["--home", home, "init"]).exit_code == 0
        charter = tmp_path / home / "charter.toml"
        charter.write_text(charter.read_text() + SOLD)
    monkeypatch.setenv("TACTFUL_HOME", "home")
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    commands = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ tactful ")]
    assert len(commands) > 12
    for line in commands:
        words = shlex.split(line.replace("../shared/data/ml-1m", "ml-1m"))[1:]
        result = runner.invoke(tactful, words)
        assert result.exit_code == 0, (line, result.output, result.exception)
        if "import" in words:
            assert re.search(r"^[\d,]+ +(?!0 )[\d,]+ ", result.output, flags=re.M) or "bought.csv" in line, (
                line,
                result.output,
            )
    shutil.rmtree(tmp_path / "home")
