"""Credentials as rows: one for each user of a system; what is secret in them is encrypted before."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from .tables import credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRow:
    """How ``user`` (the effective user of a lane) signs in to a system; times are ISO-8601 UTC."""

    system_id: str
    user: str
    #: The name on the host where it is not ``user``.
    login_user: str | None
    #: PASSWORD, PKI_KEYS or AGENT.
    method: str
    secret: str = field(repr=False)
    #: The host asks for a one-time code, so one connection has to serve for all.
    needs_code: int
    created: str
    updated: str


_all = select(credentials)


def get(conn: Connection, system_id: str, user: str) -> CredentialRow | None:
    """Return a user's credential for a system, or None."""
    row = conn.execute(_all.where(_one(system_id, user))).one_or_none()
    return CredentialRow(**row._mapping) if row else None


def put(conn: Connection, row: CredentialRow) -> None:
    """Store a credential; one that is there is replaced, but for when it was first made."""
    values = asdict(row)
    changes = {name: value for name, value in values.items() if name not in ("system_id", "user", "created")}
    keys = [credentials.c.system_id, credentials.c.user]
    conn.execute(upsert(credentials).values(values).on_conflict_do_update(index_elements=keys, set_=changes))


def note_code(conn: Connection, system_id: str, user: str) -> None:
    """Remember that the host asks this user for one-time codes."""
    conn.execute(update(credentials).where(_one(system_id, user)).values(needs_code=1))


def remove(conn: Connection, system_id: str, user: str | None = None) -> int:
    """Delete a user's credential for a system, or everybody's; return how many."""
    which = credentials.c.system_id == system_id if user is None else _one(system_id, user)
    return conn.execute(delete(credentials).where(which)).rowcount


def _one(system_id: str, user: str) -> ColumnElement[bool]:
    return (credentials.c.system_id == system_id) & (credentials.c.user == user)
