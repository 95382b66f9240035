"""Who changed what of an app or a system, and when."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select

from .tables import catalog_history


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change. ``kind`` is app or system, ``description`` JSON text, ``created`` ISO time."""

    kind: str
    item_id: str
    version: str | None
    user: str
    operation: str
    description: str
    created: str


_columns = catalog_history.c
_all = select(*(column for column in _columns if column.name != "id")).order_by(_columns.id)


def add(conn: Connection, entry: Entry) -> None:
    """Store one change."""
    conn.execute(insert(catalog_history).values(asdict(entry)))


def of(conn: Connection, kind: str, item_id: str) -> list[Entry]:
    """Return the changes of an app or a system, oldest first."""
    found = conn.execute(_all.where(_columns.kind == kind, _columns.item_id == item_id))
    return [Entry(**row._mapping) for row in found]
