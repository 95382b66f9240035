"""Small facts of the store as a whole, by name."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from .tables import settings


def get(conn: Connection, name: str) -> str | None:
    """Return the value under *name*, or None."""
    value: str | None = conn.execute(select(settings.c.value).where(settings.c.name == name)).scalar()
    return value


def put(conn: Connection, name: str, value: str) -> None:
    """Store *value* under *name*."""
    new = upsert(settings).values(name=name, value=value)
    conn.execute(new.on_conflict_do_update(index_elements=[settings.c.name], set_={"value": value}))
