"""The host keys that were accepted, each for the address that showed it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert, select

from .tables import host_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKeyRow:
    """One key. ``how`` it became known: pinned (somebody said so), known_hosts, or accepted unseen."""

    system_id: str
    #: ``host:port``.
    address: str
    #: ``ssh-ed25519 AAAA…``.
    public: str
    how: str
    created: str


def of(conn: Connection, system_id: str, address: str) -> list[HostKeyRow]:
    """Return the keys that a system may show at an address, oldest first."""
    mine = (host_keys.c.system_id == system_id) & (host_keys.c.address == address)
    rows = conn.execute(select(host_keys).where(mine).order_by(host_keys.c.created))
    return [HostKeyRow(**row._mapping) for row in rows]


def replace(conn: Connection, row: HostKeyRow) -> None:
    """Make *row* the one key of its system: what was known before counts no more."""
    conn.execute(delete(host_keys).where(host_keys.c.system_id == row.system_id))
    conn.execute(insert(host_keys).values(asdict(row)))
