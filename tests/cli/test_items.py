"""`tactful items`: files put, compared, listed and checked, and what it says when something is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tactful.cli.commands import tactful as command
from tactful.domain.item import Item, Price, Text

HEADER = "id,title,price,currency,stock,topics,available,available_until,texts.de.title,prices.us,author,variants\n"
ROW = 'sea,The Sea,4.5,CHF,3,nature|health/cancer,yes,2199-01-31,Das Meer,6,Ann|Bob,"[{""id"":""v"",""asset"":""v.svg""}]"\n'


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["--home", str(home), *words])


def counts(result: Result) -> tuple[int, ...]:
    """read, new, changed, same, rejected, missing, retired"""
    made = json.loads(result.stdout)
    assert made["read"] == made["new"] + made["changed"] + made["same"] + made["rejected"]
    return tuple(made[name] for name in ("read", "new", "changed", "same", "rejected", "missing", "retired"))


def shown(home: Path, item: str) -> Any:
    result = run(home, "items", "show", item)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    assert run(place, "init").exit_code == 0
    return place


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_a_csv_reaches_every_field_and_put_again_changes_nothing(home: Path, tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", HEADER + ROW)
    assert counts(run(home, "items", "put", file, "--json")) == (1, 1, 0, 0, 0, 0, 0)
    assert counts(run(home, "items", "put", file, "--json")) == (1, 0, 0, 1, 0, 0, 0)
    import msgspec

    found = shown(home, "sea")
    assert found.pop("since") > 1_700_000_000_000
    wanted = Item(
        id="sea", title="The Sea", price=Price(4.5, "CHF"), stock=3, topics=("nature", "health/cancer"),
        available_until=7229174400000, texts={"de": Text("Das Meer")}, prices={"us": Price(6)},
        attributes={"author": ["Ann", "Bob"]},
    )  # fmt: skip
    assert found.pop("variants") == [{"id": "v", "asset": "v.svg"}]
    assert msgspec.convert(found, Item) == wanted


def test_each_format_says_the_same(home: Path, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra [parquet] is not installed")
    file = write(tmp_path, "a.ndjson", '{"id":"a","title":"A","stock":3,"topics":["x"],"attributes":{"year":1987},"available_from":"2026-01-31"}\n')  # fmt: skip
    assert counts(run(home, "items", "put", file, "--json"))[1] == 1
    with duckdb.connect() as db:
        db.execute(
            f"COPY (SELECT 'a' id, 'A' title, 3 stock, ['x'] topics, 1987 \"year\", DATE '2026-01-31' available_from, 1.50::DECIMAL(9,2) price) TO '{tmp_path / 'a.parquet'}' (FORMAT parquet)"
        )
    diff = json.loads(run(home, "items", "diff", str(tmp_path / "a.parquet"), "--json").stdout)
    assert diff["changes"] == [["changed", "a", ["price"]]]


def test_rejected_rows_are_named_and_the_rest_is_in(home: Path, tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "a.csv",
        "id,title,stock,price,available,texts\na,A,1,2,,\nb,B,x,2,,\nc,C,1,much,,\nd,D,1,2,perhaps,\ne,E,1\n,F,1,2,,\ng,,1,2,,\na,A,1,2,,\nh,H,1,2,,{\n",
    )
    rejects = tmp_path / "rejects.ndjson"
    result = run(home, "items", "put", file, "--rejects", str(rejects))
    assert result.exit_code == 1
    assert "line 3, stock: it is no whole number. Write it like 4." in result.stderr
    found = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(one["where"], one["field"]) for one in found] == [
        ("line 3", "stock"), ("line 4", "price"), ("line 5", "available"), ("line 6", "item"), ("line 7", "id"),
        ("line 8", "title"), ("line 9", "id"), ("line 10", "texts"),
    ]  # fmt: skip
    assert all(one["why"] and one["fix"] for one in found)
    assert shown(home, "a")["stock"] == 1
    assert run(home, "items", "show", "b").exit_code == 1


def test_columns_are_named_on_the_command_line(home: Path, tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", "sku,name,secret,year\na,A,x,1987\n")
    assert "Say which is which with --column" in run(home, "items", "put", file).stderr
    words = (
        "--column",
        "sku=id",
        "--column",
        "name=title",
        "--column",
        "secret=",
        "--column",
        "year=attributes.made.in",
    )
    assert run(home, "items", "put", file, *words).exit_code == 0
    found = shown(home, "a")
    assert (found["title"], found["attributes"]) == ("A", {"made.in": "1987"})
    assert "column 'nope'" in run(home, "items", "put", file, "--column", "nope=id").stderr
    for nothing in ("", "\n"):
        said = run(home, "items", "put", write(tmp_path, "b.csv", nothing)).stderr
        assert "b.csv: it has no header" in said
        assert "--column" not in said
    assert "its name tells no format" in run(home, "items", "put", write(tmp_path, "a.txt", "x")).stderr


def test_a_dry_run_and_a_diff_say_what_a_put_does_and_do_nothing(home: Path, tmp_path: Path) -> None:
    first = write(tmp_path, "1.csv", "id,title,stock\na,A,1\nb,B,1\nc,C,1\n")
    second = write(tmp_path, "2.csv", "id,title,stock\na,A,1\nb,Bee,2\nd,D,1\n")
    run(home, "items", "put", first)
    for words in (("diff", second), ("put", second, "--replace", "--dry-run")):
        assert counts(run(home, "items", *words, "--json")) == (3, 1, 1, 1, 0, 1, 0)
    diff = json.loads(run(home, "items", "diff", second, "--json").stdout)
    assert diff["changes"] == [["changed", "b", ["title", "stock"]], ["new", "d", []], ["missing", "c", []]]
    assert diff["fields"] == {"title": 1, "stock": 1}
    text = run(home, "items", "diff", second).stdout
    assert "1 new, 1 changed, 1 the same, 1 missing" in text
    assert shown(home, "b")["title"] == "B"
    assert counts(run(home, "items", "put", second, "--replace", "--json")) == (3, 1, 1, 1, 0, 1, 1)
    assert shown(home, "c")["available"] is False
    assert counts(run(home, "items", "diff", second, "--json")) == (3, 0, 0, 3, 0, 0, 0)


def test_nothing_is_retired_on_the_word_of_a_broken_or_empty_file(home: Path, tmp_path: Path) -> None:
    run(home, "items", "put", write(tmp_path, "1.csv", "id,title\na,A\nb,B\n"))
    broken = run(home, "items", "put", write(tmp_path, "2.csv", "id,title\na,A\nb\n"), "--replace")
    empty = run(home, "items", "put", write(tmp_path, "3.csv", "id,title\n"), "--replace")
    assert "nobody knows what is missing (line 3" in broken.stderr
    assert "the files hold no item" in empty.stderr
    assert broken.exit_code == empty.exit_code == 1
    assert shown(home, "b").get("available", True) is True


def test_what_a_file_leaves_out_stays_where_it_is_merged(home: Path, tmp_path: Path) -> None:
    run(home, "items", "put", write(tmp_path, "1.csv", "id,title,stock,author\na,A,1,Ann\n"))
    assert run(home, "items", "put", write(tmp_path, "2.csv", "id,stock,mood\na,7,calm\n"), "--merge").exit_code == 0
    found = shown(home, "a")
    assert (found["title"], found["stock"], found["attributes"]) == ("A", 7, {"author": "Ann", "mood": "calm"})


def test_list_and_check_find_what_a_keeper_looks_for(home: Path, tmp_path: Path) -> None:
    (home / "taxonomy.toml").write_text('[topics.nature]\n[topics.faith]\nsensitivity = ["faith"]\n', encoding="utf-8")
    file = write(
        tmp_path, "a.csv",
        "id,title,topics,stock,available_until,sensitivity\na,A,nature/sea,1,,\nb,B,faith,0,,\nc,C,unheard,1,2001-01-01,\nd,D,,1,,gossip\n",
    )  # fmt: skip
    assert run(home, "items", "put", file).exit_code == 0
    assert [one["id"] for one in json.loads(run(home, "items", "list", "--topic", "nature", "--json").stdout)] == ["a"]
    assert [one["id"] for one in json.loads(run(home, "items", "list", "--hidden", "--json").stdout)] == ["b", "c"]
    assert "3 more" in run(home, "items", "list", "--limit", "1").stdout
    result = run(home, "items", "check", "--json")
    found = {one["what"]: (one["count"], one["mend"], one["examples"]) for one in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert found["unknown topics"] == (2, True, ["nature/sea", "unheard"])
    assert found["sensitive beyond the charter"] == (1, True, ["d"])
    assert found["sold out"][0] == found["window is over"][0] == 1
    assert found["can be shown now"][0] == 2
    assert "Sensitive: faith" in run(home, "items", "show", "b").stderr
    assert "sold out" in run(home, "items", "show", "b").stderr
    doctor = run(home, "doctor")
    assert "unknown topics: 2" in doctor.stdout
    assert "tactful items check" in doctor.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[topics.a]\nwords = "x"\nparent = "gone"\n', ("line 3", "topics.a.parent", "there is no topic 'gone'")),
        ('[topics.a]\nparent = "b"\n\n[topics."b"]\nparent = "a"\n', ("line 2", "its own ancestor: a > b > a")),
        ('[topics.a]\n\n[topics."a/b"]\naudience = "cats"\n', ("line 4", "topics.a/b.audience", "children, everyone")),
        ('[topics.a]\nparents = "b"\n', ("line 2", "parents", "Perhaps 'parent' is meant")),
    ],
)
def test_a_mistake_in_the_taxonomy_is_named_with_file_and_line(home: Path, text: str, words: tuple[str, ...]) -> None:
    (home / "taxonomy.toml").write_text(text, encoding="utf-8")
    result = run(home, "items", "list")
    assert result.exit_code == 1
    for word in ("taxonomy.toml", *words):
        assert word in result.stderr


def test_a_taxonomy_stands_once_and_goes_along_with_a_backup(home: Path, tmp_path: Path) -> None:
    (home / "taxonomy.toml").write_text("[topics.a]\n", encoding="utf-8")
    assert run(home, "backup", str(tmp_path / "copy")).exit_code == 0
    assert (tmp_path / "copy/taxonomy.toml").read_text(encoding="utf-8") == "[topics.a]\n"
    charter = home / "charter.toml"
    charter.write_text(charter.read_text(encoding="utf-8") + "\n[topics.a]\n", encoding="utf-8")
    assert "it stands in the charter too" in run(home, "items", "list").stderr
    charter.write_text(charter.read_text(encoding="utf-8") + 'parent = "b"\n', encoding="utf-8")
    assert "charter.toml" in run(home, "items", "list").stderr
    settings = home / "tactful.toml"
    settings.write_text('taxonomy = "topics.toml"\n' + settings.read_text(encoding="utf-8"), encoding="utf-8")
    charter.write_text(charter.read_text(encoding="utf-8").replace('parent = "b"\n', ""), encoding="utf-8")
    missing = run(home, "items", "list").stderr
    assert "tactful.toml, line 1, taxonomy" in missing
