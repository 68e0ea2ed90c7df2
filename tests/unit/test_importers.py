"""Each importer against a file in its true format: what it makes of good rows, and what it says of bad ones."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.connectors import csv, files, ndjson, parquet, personalize_csv, recbole, sequences
from tactful.connectors.mapping import RAW_MOST, Columns
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival, Interaction, Provenance
from tactful.domain.item import Item, Price
from tactful.flow.clean import clean
from tactful.ports import Quarantined
from tests.shop import NOW, act

DATA = Path(__file__).parents[2].parent / "shared" / "data"
AT = NOW // 1000


def parted(rows: Iterable[Any]) -> tuple[list[Arrival], list[Quarantined]]:
    """Those that came through, and those that did not."""
    got = list(rows)
    return [one for one in got if isinstance(one, Arrival)], [one for one in got if isinstance(one, Quarantined)]


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    raw = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def real(*names: str) -> Path:
    path = DATA.joinpath(*names)
    if not path.exists():
        pytest.skip(f"no {path}: the data sets are not part of this repository")
    return path


# ------------------------------------------------------------------------------------------------------------------ files


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line and not line.endswith(b"\r")), max_size=8))
def test_lines_come_without_their_ends_and_are_counted(content: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name, end in (("a.txt", b"\n"), ("b.txt.gz", b"\r\n")):
            path = written(Path(folder), name, end.join([*content, b""]))
            assert list(files.lines(path)) == content
            assert files.count_lines(path) == len(content)


def test_a_line_without_end_costs_itself_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LINE_MOST", 10)
    monkeypatch.setattr(ndjson, "LINE_MOST", 10)
    path = written(tmp_path, "a.txt", b"short\n" + b"x" * 1000 + b"\nnext\n" + b"y" * 10 + b"\n")
    assert list(files.lines(path)) == [b"short", b"x" * 11, b"next", b"y" * 10]


@pytest.mark.parametrize(
    "raw",
    [
        b"person,item\nada,a\n",
        gzip.compress(b"ada,a\n" * 10_000, mtime=0)[:-30],
        gzip.compress(b"a", mtime=0)[:-9] + b"\0" * 9,
    ],
)
def test_what_is_no_gzip_or_cut_off_is_told_so(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(raw)
    with pytest.raises(
        BadInput, match=r"a\.csv\.gz: its name ends in \.gz, and it is not whole, or no gzip .* Zip it again"
    ):
        files.count_lines(path)


def test_a_file_is_known_again_by_its_size_its_beginning_and_its_end(tmp_path: Path) -> None:
    path = written(tmp_path, "a", b"a" * 3_000_000)
    before = files.fingerprint(path)
    assert files.fingerprint(path) == before
    for changed in (b"b" + b"a" * 2_999_999, b"a" * 2_999_999 + b"b", b"a" * 3_000_001):
        assert files.fingerprint(written(tmp_path, "a", changed)) != before


# ----------------------------------------------------------------------------------------------------------------- NDJSON

NESTED = Columns("user.id", "what", "ts", value="stars", fields=(("page", "path"),))


def test_objects_become_arrivals_whatever_their_types(tmp_path: Path) -> None:
    lines = [
        {"user": {"id": "ada"}, "what": "a", "ts": AT, "stars": 4.5, "page": "/a"},
        {"user": {"id": 7}, "what": 12.0, "ts": "2025-10-09T08:53:20Z"},
    ]
    path = written(tmp_path, "a.ndjson", "\n\n".join(map(json.dumps, lines)))
    got, bad = parted(ndjson.rows(path, NESTED, NOW))
    assert bad == []
    assert [(one.person, one.items, one.at, one.value, one.fields) for one in got] == [
        ("ada", ("a",), NOW, 4.5, {"path": "/a"}), ("7", ("12",), NOW, None, {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b"\xff", b'{"user": {"id": "ada"}, "what": {"id": 1}, "ts": 1}', b'{"user": {"id": "ada"}, "what": "a", "ts": "x"}',
             b'{"user": {"id": "ada"}, "what": "a", "ts": 1, "stars": "four"}', b"[" * 100_000],
)  # fmt: skip
def test_a_line_that_is_no_object_or_holds_nonsense_costs_itself_only(line: bytes, tmp_path: Path) -> None:
    good = json.dumps({"user": {"id": "ada"}, "what": "a", "ts": AT}).encode()
    got, bad = parted(ndjson.rows(written(tmp_path, "a.ndjson", good + b"\n" + line + b"\n" + good), NESTED, NOW))
    assert len(got) == 2
    assert [(one.id, one.field, one.at) for one in bad] == [("line 2", "line 2", NOW)]
    assert bad[0].raw == line[: len(bad[0].raw)]
    assert b"four" not in bad[0].why.encode(), "reasons are counted and noted, so they hold no values"


# ------------------------------------------------------------------------------------------------ obtained data and traits

BOUGHT = Columns("who", "", "", traits=(("inc", "income"),), seller_in="seller", licence_in="licence", basis="contract")


def test_data_from_others_carries_its_seller_licence_and_basis(tmp_path: Path) -> None:
    text = "who,inc,seller,licence\nada,3,Acme,CC-1\nbob,4,,CC-1\ncy,5,Acme,\ndi,,Acme,CC-1\n"
    got, bad = parted(csv.rows(written(tmp_path, "a.csv", text), BOUGHT, NOW))
    assert [(one.person, one.traits, one.obtained, one.verb) for one in got] == [
        ("ada", {"income": "3"}, Provenance("Acme", "CC-1", "contract"), "")
    ]
    assert [(one.person, one.why.partition(" stands")[0]) for one in bad[:2]] == [
        ("bob", "no seller"),
        ("cy", "no licence"),
    ]
    assert "--licence" in bad[1].why
    assert "says nothing" in bad[2].why


def test_an_unknown_basis_is_no_basis_and_acts_cannot_be_bought(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "person,x\nada,1\n")
    columns = Columns("person", "", "", traits=(("x", "x"),), seller="Acme", licence="L", basis="because")
    _, bad = parted(csv.rows(path, columns, NOW))
    assert "use one of consent, contract" in bad[0].why
    with pytest.raises(BadInput, match="--trait"):
        Columns(seller="Acme").wanted()


def test_rows_without_a_time_are_told_apart_by_their_file(tmp_path: Path) -> None:
    text = f"person,item,at\nada,a,\nada,a,{AT}\n"
    ids = [
        [one.id for one in parted(csv.rows(written(tmp_path, name, text), Columns(), NOW))[0]] for name in ("x", "y")
    ]
    assert ids[0][0] != ids[1][0]
    assert ids[0][1] == ids[1][1]


def test_a_row_may_bring_its_own_id(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "person,item,at,key\nada,a,,k1\nada,b,,k2\n")
    got, _ = parted(csv.rows(path, Columns(id="key"), NOW))
    assert [one.id for one in got] == ["k1", "k2"]


# ---------------------------------------------------------------------------------------------------------------- Parquet


def parquet_file(path: Path, select: str) -> Path:
    duckdb = pytest.importorskip("duckdb", reason="the extra [parquet] is not installed")
    with duckdb.connect() as db:
        db.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def test_typed_columns_of_parquet_are_read(tmp_path: Path) -> None:
    path = parquet_file(
        tmp_path / "a.parquet",
        "SELECT * FROM (VALUES (7, 'a', TIMESTAMP '2025-10-09 08:53:20', 4.5::DOUBLE), (NULL, 'b', NULL, 'nan'::DOUBLE)) t(who, what, ts, stars)",
    )
    got, bad = parted(parquet.rows(path, Columns("who", "what", "ts", value="stars"), NOW))
    assert bad == []
    assert [(one.person, one.items, one.at, one.value) for one in got[:1]] == [("7", ("a",), NOW, 4.5)]
    assert getattr(clean(got[1], NOW), "field", None) == "userId"
    assert parquet.count(path) == 2


def test_bad_cells_bad_files_and_missing_columns_of_parquet_are_said_so(tmp_path: Path) -> None:
    path = parquet_file(
        tmp_path / "a.parquet", "SELECT 'ada' who, 'x' ts, 'a' what UNION ALL SELECT 'bob', '1760000000', 'b'"
    )
    got, bad = parted(parquet.rows(path, Columns("who", "what", "ts"), NOW))
    assert [one.person for one in got] == ["bob"]
    assert [(one.field, one.person) for one in bad] == [("row 1", "ada")]
    with pytest.raises(BadInput, match=r"column 'person': .* has who, ts, what"):
        list(parquet.rows(path, Columns(), NOW))
    with pytest.raises(BadInput, match="Name a Parquet file"):
        parquet.count(written(tmp_path, "b.parquet", "no parquet"))


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(BadInput, match=r"pip install 'tactful\[parquet\]'"):
        parquet.count(tmp_path / "a.parquet")


# ---------------------------------------------------------------------------------------------------------------- RecBole


def atomic(folder: Path) -> Path:
    written(folder, "set.inter", f"user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\t1\t5\t{AT}\n8\t2\t\t{AT}.5\n9\t1\n7\t2\tgood\t{AT}\n")  # fmt: skip
    written(folder, "set.item", "item_id:token\tmovie_title:token_seq\tyear:float\tclass:token_seq\n1\tToy Story\t1995\tAnimation Comedy\n2\t\t\t\n\tx\t\t\n")  # fmt: skip
    written(folder, "set.user", "user_id:token\tage:float\tinterests:token_seq\tgender:token\n7\t24\tfilm music\tM\n8\t\t\tF\n")  # fmt: skip
    return folder


def test_atomic_files_are_read_by_their_headers(tmp_path: Path) -> None:
    parts = recbole.parts(atomic(tmp_path))
    assert {kind: path.name for kind, path in parts.items()} == {
        "inter": "set.inter",
        "item": "set.item",
        "user": "set.user",
    }
    assert recbole.parts(parts["inter"]) == parts
    got, bad = parted(recbole.rows(parts["inter"], recbole.columns_of(parts["inter"]), NOW))
    assert [(one.person, one.items, one.value, one.at, one.verb) for one in got] == [
        ("7", ("1",), 5.0, NOW, "rated"), ("8", ("2",), None, NOW + 500, "rated"),
    ]  # fmt: skip
    assert [one.field for one in bad] == ["line 4", "line 5"]
    things = list(recbole.items(parts["item"]))
    assert things[:2] == [
        Item(id="1", title="Toy Story", attributes={"year": 1995.0, "class": ["Animation", "Comedy"]}),
        Item(id="2", title="2"),
    ]
    assert isinstance(things[2], Quarantined)


def test_of_people_only_what_the_charter_declares_is_read(tmp_path: Path) -> None:
    users = recbole.parts(atomic(tmp_path))["user"]
    got, bad = parted(recbole.people(users, ("interests", "age"), NOW))
    assert [(one.person, one.traits, one.verb) for one in got] == [
        ("7", {"age": 24.0, "interests": ["film", "music"]}, "")
    ]
    assert [one.person for one in bad] == ["8"]
    assert list(recbole.people(users, ("shoe_size",), NOW)) == []


def test_a_header_without_types_and_a_folder_without_acts_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no \.inter file"):
        recbole.parts(tmp_path)
    path = written(tmp_path, "x.inter", "user_id\titem_id\n")
    with pytest.raises(BadInput, match="NAME:TYPE"):
        recbole.columns_of(path)
    written(tmp_path, "y.inter", "user_id:token\n")
    with pytest.raises(BadInput, match="several"):
        recbole.parts(tmp_path)


def test_the_real_atomic_files_can_be_read() -> None:
    parts = recbole.parts(real("ml-100k"))
    got, bad = parted(recbole.rows(parts["inter"], recbole.columns_of(parts["inter"]), NOW))
    assert (len(got), bad) == (100_000, [])
    assert len({(one.person, one.id) for one in got}) == len(got)
    things = list(recbole.items(parts["item"]))
    assert len(things) == 1_682
    assert all(isinstance(thing, Item) for thing in things)
    told, _ = parted(recbole.people(parts["user"], ("occupation",), NOW))
    assert len(told) == 943


# -------------------------------------------------------------------------------------------------------------- sequences


def test_a_line_is_a_person_and_what_they_did_in_order(tmp_path: Path) -> None:
    path = written(tmp_path, "s.txt.gz", "ada a b a\n\nbob c\ncy\n\xff\n".encode("latin-1"))
    got, bad = parted(sequences.rows(path, NOW, NOW))
    assert [(one.person, one.items[0], one.at) for one in got] == [
        ("ada", "a", NOW), ("ada", "b", NOW + 1000), ("ada", "a", NOW + 2000), ("bob", "c", NOW),
    ]  # fmt: skip
    assert len({(one.person, one.id) for one in got}) == 4
    assert [one.field for one in bad] == ["line 4", "line 5"]
    assert [one.id for one in parted(sequences.rows(path, NOW, NOW))[0]] == [one.id for one in got]


def test_a_session_is_somebody_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "s.txt", "1, 2\n1, 2\n")
    got, bad = parted(sequences.rows(path, NOW, NOW, named=False, separator=","))
    assert bad == []
    assert [(one.person, one.items[0]) for one in got] == [("anon:s-1", "1"), ("anon:s-1", "2"), ("anon:s-2", "1"), ("anon:s-2", "2")]  # fmt: skip
    assert sequences.count(path, named=False, separator=",") == 4


def test_the_long_form_is_told_by_its_header(tmp_path: Path) -> None:
    path = written(tmp_path, "l.csv", f"session_id,item_id,timestamp\n1,a,{AT}\n")
    assert sequences.is_long(path)
    assert not sequences.is_long(written(tmp_path, "s.txt", "1 2\n"))
    got, _ = parted(csv.rows(path, sequences.long(), NOW))
    assert [(one.person, one.items, one.at) for one in got] == [("1", ("a",), NOW)]


@pytest.mark.parametrize(
    ("names", "named", "people", "acts"),
    [(("amazon-beauty", "sequences_5core.txt.gz"), True, 22_363, 198_502),
     (("retailrocket-sessions", "retailrocket_train_sessions.txt.gz"), False, 126_168, 685_984)],
)  # fmt: skip
def test_the_real_sequences_have_as_many_as_their_source_says(
    names: tuple[str, str], named: bool, people: int, acts: int
) -> None:
    path = real(*names)
    assert sequences.count(path, named) == acts
    met: set[str] = set()
    count = 0
    for row in sequences.rows(path, NOW, NOW, named):
        assert isinstance(row, Arrival)
        met.add(row.person)
        count += 1
    assert (len(met), count) == (people, acts)


# ------------------------------------------------------------------------------------------------------ Amazon Personalize


def test_personalize_rows_say_what_was_done_and_what_was_shown(tmp_path: Path) -> None:
    text = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,IMPRESSION\n" + "".join(
        [f"ada,a,{AT},Add-To-Cart,1.5,a|b|a\n", f"bob,b,{AT},Sniff,,\n", f"cy,c,{AT},own,,\n", f"di,d,{AT},,,\n"]
    )
    got, bad = parted(personalize_csv.rows(written(tmp_path, "i.csv", text), NOW, {"OWN": "liked"}))
    assert [(one.person, one.verb, one.items, one.value) for one in got] == [
        ("ada", "added", ("a",), 1.5), ("ada", "shown", ("a", "b"), None), ("bob", "Sniff", ("b",), None), ("cy", "liked", ("c",), None),
    ]  # fmt: skip
    assert len({one.id for one in got}) == 4
    assert getattr(clean(got[2], NOW), "field", None) == "verb", (
        "an unknown type is quarantined, with the verbs there are"
    )
    assert [one.field for one in bad] == ["line 5"]


@pytest.mark.parametrize(
    ("name", "verb"),
    [("Watch", "finished"), ("DetailPageViewed", "viewed"), ("order placed", "bought"), ("Search", "searched"), ("add_to_wishlist", "added"), ("read", "viewed")],
)  # fmt: skip
def test_personalize_rows_take_the_usual_names_and_those_of_its_files(name: str, verb: str, tmp_path: Path) -> None:
    path = written(tmp_path, "i.csv", f"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nada,a,{AT},{name}\n")
    assert [one.verb for one in parted(personalize_csv.rows(path, NOW, {}))[0]] == [verb]


def test_a_cell_that_is_too_long_costs_its_row_only(tmp_path: Path) -> None:
    long = "x" * 200_000
    text = f"person,item,at\nada,a,{AT}\nbob,{long},{AT}\ncy,c,{AT}\n"
    got, bad = parted(csv.rows(written(tmp_path, "a.csv", text), Columns(), NOW))
    assert [one.person for one in got] == ["ada", "cy"]
    assert [(one.field, one.why) for one in bad] == [("line 3", "a cell has more than 131,072 characters; shorten it")]
    assert (bad[0].person, bad[0].raw) == ("bob", b"bob," + b"x" * (RAW_MOST - 4))
    things = list(personalize_csv.items(written(tmp_path, "i.csv", f"ITEM_ID,TITLE\na,A\nb,{long}\nc,C\n")))
    assert [one.id for one in things if isinstance(one, Item)] == ["a", "c"]
    assert [one.field for one in things if isinstance(one, Quarantined)] == ["line 3"]
    with pytest.raises(BadInput, match=r"line 2: .* a quote that is never closed"):
        list(csv.rows(written(tmp_path, "b.csv", f'person,item,at\nada,"a\n{long}\n'), Columns(), NOW))


def test_personalize_items_and_people(tmp_path: Path) -> None:
    path = written(tmp_path, "items.csv", "ITEM_ID,TITLE,PRICE,GENRE,DESCRIPTION,CREATION_TIMESTAMP\na,Aa,9.5,x|y,long,1\nb,,,,,\nc,C,cheap,,,\n,D,,,,\n")  # fmt: skip
    things = list(personalize_csv.items(path))
    assert things[:2] == [Item(id="a", title="Aa", text="long", price=Price(9.5), attributes={"genre": ["x", "y"]}), Item(id="b", title="b")]  # fmt: skip
    assert [one.field for one in things[2:] if isinstance(one, Quarantined)] == ["line 4", "line 5"]
    users = written(tmp_path, "users.csv", "USER_ID,INTERESTS,AGE\nada,music,7\n")
    got, _ = parted(personalize_csv.people(users, ("interests",), NOW))
    assert [(one.person, one.traits) for one in got] == [("ada", {"interests": "music"})]


# ------------------------------------------------------------------------------------------------------------ round trips

names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(lambda name: name == name.strip())  # fmt: skip
deeds = st.lists(
    st.tuples(names, st.builds(
        act, names, st.integers(EARLIEST := 800_000_000_000, NOW), st.sampled_from(["viewed", "rated", "bought"]),
        id=names, value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    )), max_size=6,
)  # fmt: skip
BACK = Columns(verb="verb", value="value", id="id")


def essence(rows: Iterator[Any] | Iterable[tuple[str, Interaction]]) -> list[tuple[Any, ...]]:
    made = []
    for row in rows:
        if isinstance(row, Arrival):
            made.append((row.person, row.id, row.items[0], row.at, row.verb, row.value))
        else:
            assert not isinstance(row, Quarantined), row.why
            person, one = row
            made.append((person, one.id, one.item, one.at, one.verb, one.value))
    return made


@given(deeds)
def test_what_is_written_as_text_is_read_back(acts: list[tuple[str, Interaction]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for form in (csv, ndjson):
            path = Path(folder) / "acts"
            with path.open("w", encoding="utf-8", newline="") as file:
                form.write(file, acts)
            assert essence(form.rows(path, BACK, NOW)) == essence(acts)


@pytest.mark.parametrize("odd", ["a,b", 'say "x"', "line\nbreak", "🦄", "NULL", "007"])
def test_what_is_written_as_parquet_is_read_back(odd: str, tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra [parquet] is not installed")
    acts = [(odd, act(odd, value=None)), ("ada", act("b", value=0.1)), (f"x{odd}", act("c", verb="bought"))]
    path = tmp_path / "it's.parquet"
    parquet.write(path, acts)
    assert essence(parquet.rows(path, BACK, NOW)) == essence(acts)
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside it"


def test_what_recbole_and_personalize_can_hold_is_read_back(tmp_path: Path) -> None:
    acts = [("ada", act("a", verb="rated", value=4.5, at=NOW)), ("bob", act("b c", verb="bought", at=NOW))]
    broken = [("tab\tbed", act("a")), ("ada", act("a\nb"))]
    with (tmp_path / "x.inter").open("w") as file:
        assert len(list(recbole.write(file, acts + broken))) == 2
    columns = recbole.columns_of(tmp_path / "x.inter")
    got, bad = parted(recbole.rows(tmp_path / "x.inter", columns, NOW))
    assert [(one.person, one.items[0], one.value, one.at) for one in got] == [("ada", "a", 4.5, NOW), ("bob", "b c", None, NOW)]  # fmt: skip
    with (tmp_path / "x.csv").open("w", newline="") as file:
        personalize_csv.write(file, acts)
    got, bad = parted(personalize_csv.rows(tmp_path / "x.csv", NOW, {}))
    assert bad == []
    assert [(one.person, one.items[0], one.value, one.verb) for one in got] == [("ada", "a", 4.5, "rated"), ("bob", "b c", None, "bought")]  # fmt: skip
