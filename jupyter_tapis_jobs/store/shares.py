"""Shares as rows: what an owner lets a user, or everybody, have of an app, a system, a path or a job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, delete, or_, select
from sqlalchemy.dialects.sqlite import insert as upsert

from .tables import shares

#: The grantee of what is shared with all users; no user can have this name.
PUBLIC = "~public"

_columns = shares.c
_all = select(shares).order_by(_columns.path, _columns.grantee, _columns.privilege)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """One privilege of one grantee. ``kind`` is app, system, path or job; only a path has ``path``."""

    kind: str
    item_id: str
    path: str = ""
    grantee: str
    privilege: str
    grantor: str
    created: str


def share(conn: Connection, rows: Iterable[ShareRow]) -> int:
    """Store shares; return how many were not there before."""
    return sum(
        conn.execute(upsert(shares).values(asdict(row)).on_conflict_do_nothing()).rowcount for row in rows
    )


def unshare(
    conn: Connection, kind: str, item_id: str, grantees: Iterable[str] | None, *, path: str = ""
) -> int:
    """Take back what *grantees* (None: everybody) were given; return how many rows there were."""
    wanted = delete(shares).where(_one(kind, item_id), _columns.path == path)
    if grantees is not None:
        wanted = wanted.where(_columns.grantee.in_(list(grantees)))
    return conn.execute(wanted).rowcount


def of_item(conn: Connection, kind: str, item_id: str, path: str | None = None) -> list[ShareRow]:
    """Return with whom a thing is shared; of a system's paths all, or those of one *path*."""
    wanted = _all.where(_one(kind, item_id))
    if path is not None:
        wanted = wanted.where(_columns.path == path)
    return [ShareRow(**row._mapping) for row in conn.execute(wanted)]


def of_kind(conn: Connection, kind: str, privilege: str) -> list[ShareRow]:
    """Return all shares of a kind of thing that give one privilege."""
    wanted = _all.where(_columns.kind == kind, _columns.privilege == privilege)
    return [ShareRow(**row._mapping) for row in conn.execute(wanted)]


def with_user(conn: Connection, kind: str, user: str, item_id: str | None = None) -> list[ShareRow]:
    """Return what is shared with a user, or with all, on one thing or on all of a kind."""
    wanted = _all.where(_columns.kind == kind, or_(_columns.grantee == user, _columns.grantee == PUBLIC))
    if item_id is not None:
        wanted = wanted.where(_columns.item_id == item_id)
    return [ShareRow(**row._mapping) for row in conn.execute(wanted)]


def _one(kind: str, item_id: str) -> ColumnElement[bool]:
    return (_columns.kind == kind) & (_columns.item_id == item_id)
