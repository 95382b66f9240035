"""What hosts said about the environment variables of their users, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from .tables import host_variables


def get(
    conn: Connection, system_id: str, user: str, names: Iterable[str]
) -> dict[str, tuple[str | None, str]]:
    """Return name -> (value, when it was asked for, ISO-8601 UTC); a value of None was not set there."""
    known = host_variables.c
    rows = conn.execute(
        select(known.name, known.value, known.asked).where(
            known.system_id == system_id, known.user == user, known.name.in_(list(names))
        )
    )
    return {name: (value, asked) for name, value, asked in rows}


def put(conn: Connection, system_id: str, user: str, values: Mapping[str, str | None], asked: str) -> None:
    """Remember what a host said."""
    if not values:
        return
    new = upsert(host_variables).values(
        [
            {"system_id": system_id, "user": user, "name": name, "value": value, "asked": asked}
            for name, value in values.items()
        ]
    )
    keys = [host_variables.c.system_id, host_variables.c.user, host_variables.c.name]
    changes = {"value": new.excluded.value, "asked": new.excluded.asked}
    conn.execute(new.on_conflict_do_update(index_elements=keys, set_=changes))


def forget(conn: Connection, system_id: str) -> None:
    """Forget what was said of a system: it may be another host now."""
    conn.execute(delete(host_variables).where(host_variables.c.system_id == system_id))
