"""Permissions as rows: what a user was granted on an app, a system or a path of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from .tables import permissions

_columns = permissions.c
_all = select(permissions).order_by(_columns.path, _columns.user, _columns.permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRow:
    """One permission of one user. ``kind`` is app, system or path; ``path`` is "" for all but a path."""

    kind: str
    item_id: str
    path: str = ""
    user: str
    permission: str
    created: str


def grant(conn: Connection, rows: Iterable[PermissionRow]) -> int:
    """Store permissions; return how many were not there before."""
    return sum(
        conn.execute(upsert(permissions).values(asdict(row)).on_conflict_do_nothing()).rowcount
        for row in rows
    )


def revoke(
    conn: Connection,
    kind: str,
    item_id: str,
    user: str,
    *,
    path: str = "",
    only: Iterable[str] | None = None,
) -> int:
    """Take a user's permissions back, *only* these or all; return how many there were."""
    wanted = delete(permissions).where(
        _columns.kind == kind, _columns.item_id == item_id, _columns.path == path, _columns.user == user
    )
    if only is not None:
        wanted = wanted.where(_columns.permission.in_(list(only)))
    return conn.execute(wanted).rowcount


def of_user(conn: Connection, kind: str, user: str, item_id: str | None = None) -> list[PermissionRow]:
    """Return what a user was granted, on one thing or on all of a kind."""
    wanted = _all.where(_columns.kind == kind, _columns.user == user)
    if item_id is not None:
        wanted = wanted.where(_columns.item_id == item_id)
    return [PermissionRow(**row._mapping) for row in conn.execute(wanted)]
