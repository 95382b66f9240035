"""Systems as rows, each definition as JSON text."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select, update

from .tables import systems


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRow:
    """One system."""

    id: str
    owner: str
    definition: str
    enabled: int
    deleted: int
    uuid: str
    created: str
    updated: str


_system = select(systems)


def get(conn: Connection, system_id: str) -> SystemRow | None:
    """Return a system, deleted or not."""
    row = conn.execute(_system.where(systems.c.id == system_id)).one_or_none()
    return SystemRow(**row._mapping) if row else None


def every(conn: Connection) -> list[SystemRow]:
    """Return all systems, deleted ones too, by id."""
    return [SystemRow(**row._mapping) for row in conn.execute(_system.order_by(systems.c.id))]


def add(conn: Connection, row: SystemRow) -> None:
    """Store a new system."""
    conn.execute(insert(systems).values(asdict(row)))


def change(conn: Connection, system_id: str, now: str, **values: str | int) -> None:
    """Change columns: definition, owner, enabled, deleted."""
    conn.execute(update(systems).where(systems.c.id == system_id).values(updated=now, **values))
