"""Statements compiled once and run on SQLite's own cursor, for thousands of rows at a time.

SQLAlchemy's work per row costs more than SQLite's; only its words are used here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, Select, bindparam, func, select
from sqlalchemy.dialects import sqlite

Row = tuple[Any, ...]


class Statement:
    """One statement as SQLite's text with the names of its parameters, in order."""

    def __init__(self, statement: ClauseElement) -> None:
        # A list of values becomes as many parameters as it has values, now and not at the first run.
        compiled = statement.compile(
            dialect=sqlite.dialect(paramstyle="qmark"), compile_kwargs={"render_postcompile": True}
        )
        self.sql = str(compiled)
        self.names: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())
        self._given = dict(compiled.params)

    def many(self, conn: Connection, rows: Iterable[Sequence[Any]]) -> int:
        """Run once for each of *rows* (values in the order of ``names``); return the rows changed."""
        return cursor(conn).executemany(self.sql, rows).rowcount

    def run(self, conn: Connection, *values: Any) -> list[Row]:
        """Run with *values* in the order of ``names`` and return all rows."""
        return cursor(conn).execute(self.sql, values).fetchall()

    def slices(self, conn: Connection, size: int) -> Iterator[list[Row]]:
        """Run with the values the statement was built with; yield rows, *size* at a time."""
        found = cursor(conn).execute(self.sql, [self._given[name] for name in self.names])
        while rows := found.fetchmany(size):
            yield rows


def cursor(conn: Connection) -> sqlite3.Cursor:
    """Return a plain cursor inside the transaction of *conn*."""
    driver: sqlite3.Connection = conn.connection.driver_connection  # type: ignore[assignment]
    return driver.cursor()


def given(name: str) -> Select[tuple[Any]]:
    """Return the values of a JSON array as a subquery: one parameter, however many values."""
    return select(func.json_each(bindparam(name)).table_valued("value").c.value)
