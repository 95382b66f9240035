"""Scheduler profiles as rows, each definition as JSON text."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert, select

from .tables import scheduler_profiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRow:
    """One profile."""

    name: str
    owner: str
    definition: str
    uuid: str
    created: str
    updated: str


def get(conn: Connection, name: str) -> ProfileRow | None:
    """Return a profile, or None."""
    row = conn.execute(select(scheduler_profiles).where(scheduler_profiles.c.name == name)).one_or_none()
    return ProfileRow(**row._mapping) if row else None


def every(conn: Connection) -> list[ProfileRow]:
    """Return all profiles, by name."""
    rows = conn.execute(select(scheduler_profiles).order_by(scheduler_profiles.c.name))
    return [ProfileRow(**row._mapping) for row in rows]


def add(conn: Connection, row: ProfileRow) -> None:
    """Store a new profile."""
    conn.execute(insert(scheduler_profiles).values(asdict(row)))


def remove(conn: Connection, name: str) -> int:
    """Delete a profile; return 0 or 1."""
    return conn.execute(delete(scheduler_profiles).where(scheduler_profiles.c.name == name)).rowcount
