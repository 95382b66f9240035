"""Apps as rows: what their versions share, and each version's definition as JSON text."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from .tables import app_versions, apps


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRow:
    """One version of an app together with what all versions share. ``seq`` grows by creation."""

    app_id: str
    version: str
    owner: str
    enabled: int
    deleted: int
    definition: str
    version_enabled: int
    locked: int
    uuid: str
    created: str
    updated: str
    seq: int = 0


_version = select(
    app_versions.c.app_id,
    app_versions.c.version,
    apps.c.owner,
    apps.c.enabled,
    apps.c.deleted,
    app_versions.c.definition,
    app_versions.c.enabled.label("version_enabled"),
    app_versions.c.locked,
    app_versions.c.uuid,
    app_versions.c.created,
    app_versions.c.updated,
    app_versions.c.seq,
).join_from(app_versions, apps)


def get(conn: Connection, app_id: str, version: str | None = None) -> AppRow | None:
    """Return a version of an app, deleted or not; without *version* the one created last."""
    wanted = _version.where(app_versions.c.app_id == app_id).order_by(app_versions.c.seq.desc()).limit(1)
    if version is not None:
        wanted = wanted.where(app_versions.c.version == version)
    row = conn.execute(wanted).one_or_none()
    return AppRow(**row._mapping) if row else None


def latest(conn: Connection) -> list[AppRow]:
    """Return the version created last of each app, deleted ones too, by id."""
    newest = select(func.max(app_versions.c.seq)).group_by(app_versions.c.app_id)
    wanted = _version.where(app_versions.c.seq.in_(newest)).order_by(app_versions.c.app_id)
    return [AppRow(**row._mapping) for row in conn.execute(wanted)]


def every(conn: Connection) -> list[AppRow]:
    """Return every version of every app, deleted ones too, by id and creation."""
    wanted = _version.order_by(app_versions.c.app_id, app_versions.c.seq)
    return [AppRow(**row._mapping) for row in conn.execute(wanted)]


def add(conn: Connection, row: AppRow) -> None:
    """Store a new version; the app itself too when this is its first."""
    known = conn.execute(select(apps.c.id).where(apps.c.id == row.app_id)).one_or_none()
    if known is None:
        conn.execute(
            insert(apps).values(
                id=row.app_id,
                owner=row.owner,
                enabled=row.enabled,
                deleted=row.deleted,
                created=row.created,
                updated=row.updated,
            )
        )
    conn.execute(
        insert(app_versions).values(
            app_id=row.app_id,
            version=row.version,
            definition=row.definition,
            enabled=row.version_enabled,
            locked=row.locked,
            uuid=row.uuid,
            created=row.created,
            updated=row.updated,
        )
    )


def change(conn: Connection, app_id: str, now: str, **values: str | int) -> None:
    """Change columns that all versions share: owner, enabled, deleted."""
    conn.execute(update(apps).where(apps.c.id == app_id).values(updated=now, **values))


def change_version(conn: Connection, app_id: str, version: str, now: str, **values: str | int) -> None:
    """Change columns of one version: definition, enabled, locked."""
    wanted = (app_versions.c.app_id == app_id, app_versions.c.version == version)
    conn.execute(update(app_versions).where(*wanted).values(updated=now, **values))
