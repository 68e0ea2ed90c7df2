"""A PostgreSQL table, read through a cursor on the server: the extra `[postgres]`. Columns are named on the command line, as for CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

from msgspec import structs

from tactful.connectors.mapping import Columns, Mapper, text_of
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.ports import Quarantined

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

_AT_ONCE = 20_000
_KEY = """
SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum)
"""
_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)


class Table:
    """A table, and the key by which its rows are told apart and put in order. Raises BadInput for what cannot be read.

    dsn: a libpq connection string; "" leaves everything to the environment (PGHOST, PGUSER, PGPASSWORD ...). name: `table` or
    `schema.table`. key: a column that is different in each row; "" takes the primary key.
    """

    def __init__(self, dsn: str, name: str, key: str = "") -> None:
        self._dsn, self.name = dsn, name
        with self._connected() as connection:
            info = connection.info
            self.where = f"{info.host}:{info.port}/{info.dbname}"
            self._have = self._ask(connection, _COLUMNS)
            keys = [key] if key else self._ask(connection, _KEY)
            if not keys or any(one not in self._have for one in keys):
                why = f"it has {', '.join(self._have)}" if keys else "it has no primary key"
                raise BadInput(field=f"table {name!r}", why=why, fix="Name a column unlike in each row with --key")
            self._keys = keys

    def rows(self, columns: Columns, now: int) -> Iterator[Arrival | Quarantined]:
        """Row by row, ordered by the key, as of one moment. A row's id is made of the table's name and its key."""
        wanted = tuple(dict.fromkeys(columns.wanted()))
        Mapper(columns, self._have, f"table {self.name}")
        mapper = Mapper(columns, wanted, self.name)
        many = len(self._keys)
        with self._connected() as connection, connection.cursor(name="tactful") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(self._select((*self._keys, *wanted), "ASC"))
            for number, row in enumerate(cursor, 1):
                texts: list[str] = []
                key = ",".join(map(str, row[:many]))
                try:
                    cells = row[many:]
                    texts = list(map(text_of, cells))
                    arrival = mapper.arrival(0, texts, cells)
                    yield arrival if columns.id else structs.replace(arrival, id=f"{self.name}:{key}")
                except (ValueError, OverflowError) as mistake:
                    yield mapper.unusable(
                        f"row {number}", now, texts or [str(cell) for cell in row[many:]], str(mistake)
                    )

    def count(self) -> int:
        """How many rows there are."""
        with self._connected() as connection:
            row = connection.execute(self._select(())).fetchone()
            return int(row[0]) if row else 0

    def fingerprint(self) -> str:
        """By what the table is known again: how many rows, and a hash of the last key, which may name somebody."""
        with self._connected() as connection:
            last = connection.execute(self._select(self._keys, "DESC")).fetchone()
        return f"{self.count()} rows, last {hashlib.blake2b(repr(last).encode(), digest_size=16).hexdigest()}"

    def _select(self, columns: Sequence[str], order: LiteralString = "") -> sql.Composed:
        """A SELECT of these columns, or of the count if there are none. order: ASC or DESC by the key."""
        from psycopg import sql

        what = sql.SQL(", ").join(map(sql.Identifier, columns)) if columns else sql.SQL("count(*)")
        statement = sql.SQL("SELECT {} FROM {}").format(what, sql.Identifier(*self.name.split(".")))
        if not order:
            return statement
        by = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(key), sql.SQL(order)) for key in self._keys)
        return statement + sql.SQL(" ORDER BY ") + by

    def _ask(self, connection: psycopg.Connection[Any], statement: str) -> list[str]:
        import psycopg
        from psycopg import sql

        table = sql.Identifier(*self.name.split(".")).as_string(connection)
        try:
            return [row[0] for row in connection.execute(statement.encode(), (table,)).fetchall()]
        except psycopg.Error as mistake:
            raise BadInput(
                field=f"table {self.name!r}", why=str(mistake).splitlines()[0], fix="Name it as SCHEMA.TABLE"
            ) from None

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection that can only read, and sees one state. Raises BadInput."""
        try:
            import psycopg
        except ImportError:
            raise BadInput(
                field="PostgreSQL",
                why="psycopg, which talks to it, is not installed",
                fix="Run: pip install 'tactful[postgres]'",
            ) from None
        try:
            connection = psycopg.connect(self._dsn)
        except psycopg.Error as mistake:
            raise BadInput(
                field="--dsn", why=str(mistake).strip().splitlines()[0], fix="Write postgresql://USER@HOST/DATABASE"
            ) from None
        with connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield connection
