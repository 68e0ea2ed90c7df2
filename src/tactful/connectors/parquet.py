"""Parquet, read and written by DuckDB: the extra `[parquet]`. Columns are named on the command line, as for CSV."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tactful.connectors import csv
from tactful.connectors.mapping import Columns, Mapper, text_of
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival, Interaction
from tactful.ports import Quarantined

if TYPE_CHECKING:
    import duckdb

_AT_ONCE = 20_000
_TYPES = {"id": "VARCHAR", "person": "VARCHAR", "item": "VARCHAR", "at": "BIGINT", "verb": "VARCHAR", "value": "DOUBLE"}


def rows(path: Path, columns: Columns, now: int) -> Iterator[Arrival | Quarantined]:
    """Row by row, in the file's order: an arrival, or the row itself with what is wrong with it. Raises BadInput."""
    with _duckdb() as db:
        have = _columns(db, path)
        wanted = tuple(dict.fromkeys(columns.wanted()))
        Mapper(columns, have, path)  # says which column is missing, and which there are
        mapper = Mapper(columns, wanted, path)
        for number, cells in enumerate(_cells(db, path, wanted), 1):
            texts: list[str] = []
            try:
                texts = list(map(text_of, cells))
                yield mapper.arrival(number, texts, cells)
            except (ValueError, OverflowError) as mistake:
                shown = texts or [str(cell) for cell in cells]
                yield mapper.unusable(f"row {number}", now, shown, str(mistake))


def table(path: Path) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The names of all columns, and the rows with all their cells, in the file's order. Raises BadInput."""
    with _duckdb() as db:
        have = _columns(db, path)

    def cells() -> Iterator[tuple[Any, ...]]:
        with _duckdb() as db:
            yield from _cells(db, path, tuple(have))

    return have, cells()


def count(path: Path) -> int:
    """How many rows there are. Raises BadInput."""
    with _duckdb() as db:
        return int(_run(db, path, "SELECT count(*) FROM read_parquet(?)").fetchone()[0])  # type: ignore[index]


def write(path: Path, acts: Iterable[tuple[str, Interaction]]) -> None:
    """Write acts, in bounded memory: as CSV beside the file, which DuckDB then packs."""
    with _duckdb() as db, tempfile.TemporaryDirectory(prefix=".tactful-", dir=path.parent) as folder:
        plain = Path(folder) / "acts.csv"
        with plain.open("w", encoding="utf-8", newline="") as file:
            csv.write(file, acts)
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in _TYPES.items())
        read = f"read_csv({_quoted(plain)}, header = true, auto_detect = false, quote = '\"', escape = '\"', delim = ',', columns = {{{types}}})"
        db.execute(f"COPY (SELECT * FROM {read}) TO {_quoted(path)} (FORMAT parquet, COMPRESSION zstd)")


def _columns(db: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    return [row[0] for row in _run(db, path, "DESCRIBE SELECT * FROM read_parquet(?)").fetchall()]


def _cells(db: duckdb.DuckDBPyConnection, path: Path, wanted: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in wanted)
    found = _run(db, path, f"SELECT {names} FROM read_parquet(?)")
    while piece := found.fetchmany(_AT_ONCE):
        yield from piece


def _run(db: duckdb.DuckDBPyConnection, path: Path, statement: str) -> duckdb.DuckDBPyConnection:
    import duckdb

    try:
        return db.execute(statement, [str(path)])
    except duckdb.Error as mistake:
        why = str(mistake).splitlines()[0].rstrip(".")
        raise BadInput(field=str(path), why=why, fix="Name a Parquet file") from None


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _duckdb() -> duckdb.DuckDBPyConnection:
    """DuckDB in memory, that fetches nothing from anywhere and writes nothing aside. Raises BadInput if it is not installed."""
    try:
        import duckdb
    except ImportError:
        raise BadInput(
            field="Parquet",
            why="DuckDB, which reads and writes it, is not installed",
            fix="Run: pip install 'tactful[parquet]'",
        ) from None
    db = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false", "temp_directory": ""})
    db.execute("SET memory_limit = '512MB'; SET threads = 1; SET TimeZone = 'UTC'")
    return db
