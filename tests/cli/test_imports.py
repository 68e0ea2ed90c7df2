"""`tactful import` and `tactful export`, each format as it is typed, and what it says when something is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tactful.cli.commands import tactful as command

GRANTED = ("--granted", "personalise,learn")
RULES = """
[data.sold]
words = "what others say of you"
category = "user.demographic.profile"
kind = "obtained"
traits = ["income"]
purposes = ["personalise"]
retention_days = 30
"""


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["--home", str(home), *words])


def as_json(home: Path, *words: str) -> Any:
    result = run(home, *words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def account(home: Path, *words: str) -> tuple[int, ...]:
    """sent, stored, duplicate, quarantined, refused"""
    made = as_json(home, "import", *words)
    found = tuple(made[name] for name in ("sent", "stored", "duplicate", "quarantined", "refused"))
    assert found[0] == sum(found[1:])
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    assert run(place, "init").exit_code == 0
    return place


def put(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_each_format_is_brought_in_by_its_command(home: Path, tmp_path: Path) -> None:
    csv = put(tmp_path, "a.csv", "who;x\n")
    assert run(home, "import", "csv", csv, *GRANTED).exit_code == 1
    lines = put(tmp_path, "a.ndjson", '{"who":{"id":"ada"},"what":"a","ts":1700000000}\n{\n')
    assert account(home, "ndjson", lines, "--person", "who.id", "--item", "what", "--at", "ts", *GRANTED) == (
        2,
        1,
        0,
        1,
        0,
    )
    long = put(tmp_path, "l.csv", "session_id,item_id,timestamp\ns1,a,1700000000\n")
    assert account(home, "sequences", long, *GRANTED) == (1, 1, 0, 0, 0)
    short = put(tmp_path, "s.txt", "ada a b\nbob\n")
    assert account(home, "sequences", short, "--since", "2024-01-01", *GRANTED) == (3, 2, 0, 1, 0)
    assert account(home, "sequences", short, "--since", "2024-01-01", "--lines", "session", *GRANTED) == (4, 4, 0, 0, 0)
    acts = put(
        tmp_path,
        "i.csv",
        "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,IMPRESSION\nada,a,1700000000,click,a|b\nada,a,1700000000,zap,\nada,a,1700000000,zip,\n",
    )
    things = put(tmp_path, "t.csv", "ITEM_ID,TITLE\na,Aa\n,B\n")
    users = put(tmp_path, "u.csv", "USER_ID,INTERESTS,AGE\nada,film,7\n")
    words = ("personalize", acts, "--items", things, "--users", users, "--means", "zap=liked", *GRANTED)
    assert account(home, *words) == (6, 4, 0, 2, 0)
    atomic = put(tmp_path, "x.inter", "user_id:token\titem_id:token\ttimestamp:float\nada\ta\t1700000000\n")
    assert account(home, "recbole", atomic, *GRANTED) == (1, 1, 0, 0, 0)
    assert account(home, "recbole", atomic, *GRANTED) == (1, 0, 1, 0, 0)


def test_a_cell_that_is_too_long_costs_its_row_only(home: Path, tmp_path: Path) -> None:
    csv = put(tmp_path, "a.csv", f"person,item,at\nada,a,1700000000\nbob,{'x' * 200_000},1700000000\ncy,c,1700000000\n")
    assert account(home, "csv", csv, *GRANTED) == (3, 2, 0, 1, 0)


def test_what_goes_out_comes_in_again(home: Path, tmp_path: Path) -> None:
    csv = put(tmp_path, "a.csv", "person,item,at\nada,a,1700000000\nbob,b,1700000001\n")
    assert account(home, "csv", csv, *GRANTED) == (2, 2, 0, 0, 0)
    assert as_json(home, "export", "tactful", str(tmp_path / "all"))["events"] == 2
    there = tmp_path / "there"
    run(there, "init")
    assert account(there, "tactful", str(tmp_path / "all")) == (6, 6, 0, 0, 0)
    assert as_json(there, "consent", "ada") == as_json(home, "consent", "ada")
    piped = run(there, "export", "tactful", "-")
    assert sorted(piped.stdout.splitlines()) == sorted((tmp_path / "all").read_text().splitlines())
    assert "2 events" in piped.stderr
    pytest.importorskip("duckdb", reason="the extra [parquet] is not installed")
    assert as_json(home, "export", "parquet", str(tmp_path / "p"), "--purpose", "learn", "--names")["people"] == 2
    empty = tmp_path / "empty"
    run(empty, "init")
    assert account(empty, "parquet", str(tmp_path / "p"), "--verb", "verb", "--id", "id", *GRANTED) == (2, 2, 0, 0, 0)


def test_obtained_data_needs_its_papers_and_a_person_can_refuse_a_seller(home: Path, tmp_path: Path) -> None:
    (home / "charter.toml").write_text((home / "charter.toml").read_text() + RULES)
    csv = put(tmp_path, "a.csv", "person,inc,lic\nada,3,L1\nbob,4,\ncy,5,L2\n")
    refused = as_json(home, "consent", "cy", "--dial", "remember", "--grant", "personalise", "--refuse-seller", "Acme")
    assert refused["refused_sellers"] == ["Acme"]
    words = ("csv", csv, "--at", "", "--trait", "inc=income", "--seller", "Acme", "--basis", "contract", *GRANTED)
    made = as_json(home, "import", *words, "--licence-in", "lic")
    assert [made[name] for name in ("sent", "stored", "quarantined", "refused")] == [3, 1, 1, 1]
    assert any("no licence stands with it" in why for why in made["reasons"])
    assert any("refuses data from 'Acme'" in why for why in made["reasons"])
    assert account(home, *words) == (3, 0, 0, 3, 0), "without any licence all of it is quarantined"
    assert "Data from these is refused: Acme" in run(home, "consent", "cy").stdout
    assert as_json(home, "consent", "cy", "--allow-seller", "Acme")["refused_sellers"] == []
    assert account(home, *words, "--licence", "L") == (3, 2, 1, 0, 0), "one of them is here already"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "sequences", "FILE", "--since", "soon", *GRANTED), "--since"),
        (("import", "csv", "FILE", "--seller", "Acme", *GRANTED), "--trait"),
        (("import", "personalize", "FILE", "--means", "zap", *GRANTED), "NAME=NAME"),
        (("import", "tactful", "FILE"), "tactful export tactful"),
        (("import", "recbole", "FILE", *GRANTED), "no .inter file"),
        (("import", "csv", "FILE", "--piece", "0", *GRANTED), "--piece"),
        (("export", "csv", "-"), "Name one of personalise, learn, measure"),
        (("export", "csv", "-", "--purpose", "sell"), "Name one of"),
        (("export", "tactful", "-", "--purpose", "learn"), "carries consent"),
        (("export", "parquet", "-", "--purpose", "learn"), "standard output"),
        (("export", "recbole", "FILE", "--purpose", "learn"), "Name a folder"),
        (("export", "recbole", "FILE/in/it", "--purpose", "learn"), "Name another folder"),
        (("export", "csv", ".", "--purpose", "learn"), ".: it is a folder, and this format is one file. Name a file in it."),
        (("export", "tactful", ".."), "Name a file in it"),
        (("export", "tactful", "FILE/in/it"), "Name another file"),
        (("import", "csv", "FILE.gz", *GRANTED), "FILE.gz: its name ends in .gz, and it is not whole, or no gzip"),
        (("import", "tactful", "FILE.gz"), "no gzip"),
        (("consent", "ada", "--refuse-seller", " x"), "sellers"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_what_would_mend_it(
    home: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    file = put(tmp_path, "a.txt", "person,item,at\nada,a,1700000000\n")
    put(tmp_path, "a.txt.gz", "not zipped")
    result = run(home, *[word.replace("FILE", file) for word in words])
    assert result.exit_code == 1, (result.output, result.exception)
    assert result.stderr.startswith("Error: ")
    assert said.replace("FILE", file) in result.stderr
    assert not list((home / "imports").glob("*.json")) if (home / "imports").exists() else True


@pytest.mark.parametrize("said", [("personalise,learn",), ("personalise", "learn"), ("learn", "", "personalise")])
def test_purposes_may_be_named_in_one_list_or_one_by_one(home: Path, tmp_path: Path, said: tuple[str, ...]) -> None:
    file = put(tmp_path, "a.csv", "person,item,at\nada,a,1700000000\n")
    granted = [word for one in said for word in ("--granted", one)]
    assert account(home, "csv", file, *granted) == (1, 1, 0, 0, 0)
    assert sorted(as_json(home, "consent", "ada")["granted"]) == ["learn", "personalise"]
