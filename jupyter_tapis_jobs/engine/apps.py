"""The catalog of apps: what a Tapis client does with them (Tapis Apps)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from ..model.app import App, parse_app
from ..model.errors import ConflictError, InvalidInputError
from ..model.names import wire_name
from ..model.user import User
from ..store import apps as rows
from ..store import catalog_history
from ..store.apps import AppRow
from ..store.catalog_history import Entry
from ..store.page import Page
from .catalog import Catalog, Listing, names_in, paged
from .rights import Right, Standing, shared_with, standings

#: The attributes of a row in a list (Tapis Apps, "summaryAttributes").
SUMMARY = ("id", "version", "owner")
#: What the catalog keeps beside the definition; a definition cannot set it.
_KEPT = {
    "tenant",
    "owner",
    "enabled",
    "version_enabled",
    "locked",
    "deleted",
    "uuid",
    "created",
    "updated",
    "is_public",
    "shared_with_users",
    "shared_app_ctx",
}
#: What a patch may not name, unless with the value that is there: other calls change it.
_NOT_PATCHED = ("id", "version", "owner", "enabled", "version_enabled", "locked", "deleted")
#: Objects whose attributes a patch replaces one by one; anything else is replaced as a whole.
_MERGED = frozenset({"jobAttributes", "parameterSet"})


class AppCatalog(Catalog):
    """Apps by id and version. Methods that change something belong on the store's writer thread."""

    kind = "app"

    # -- reading

    def get(self, user: User, app_id: str, version: str | None = None, *, right: Right = Right.READ) -> App:
        """Return a version of an app, the one created last without *version*.

        Raises ``NotFoundError`` when it is not there, deleted, or not *user*'s to see, ``NotAllowedError``
        when they have not got the *right*.
        """

        def work(conn: Connection) -> App:
            row = self._seen(conn, user, app_id, version)
            standing = self.standing(conn, user, app_id, row.owner)
            self.refuse(standing, app_id, right)
            return _app(row, *self._sharing(conn, row, standing))

        return self._database.read(work)

    def find(self, app_id: str, version: str | None = None) -> App:
        """Return an app whosever it is, deleted or not: for jobs that were accepted with it."""
        row = self._database.read(lambda conn: rows.get(conn, app_id, version))
        if row is None:
            raise self.missing(_name(app_id, version))
        return _app(row)

    def is_enabled(self, user: User, app_id: str, version: str | None = None) -> bool:
        """Tell whether an app is enabled; with *version* whether that one is too."""
        row = self._database.read(lambda conn: self._seen(conn, user, app_id, version))
        return bool(row.enabled and (version is None or row.version_enabled))

    def search(self, user: User, listing: Listing) -> Page[App]:
        """Return a page of apps, the last version of each; all versions when the search names one."""
        read = rows.every if "version" in names_in(listing.where) else rows.latest

        def work(conn: Connection) -> list[App]:
            standing = standings(conn, user, self.kind)
            found = [(row, standing(row.app_id, row.owner)) for row in read(conn)]
            listed = [pair for pair in found if self.is_listed(pair[1], listing, bool(pair[0].deleted))]
            return [_app(row, *self._sharing(conn, row, how)) for row, how in listed]

        return paged(self._database.read(work), App.to_wire, listing)

    def history(self, user: User, app_id: str) -> list[Entry]:
        """Return who changed what of an app, oldest first."""

        def work(conn: Connection) -> list[Entry]:
            self._seen(conn, user, app_id, None, deleted_too=True)
            return catalog_history.of(conn, self.kind, app_id)

        return self._database.read(work)

    # -- writing

    def create(self, user: User, raw: Mapping[str, Any]) -> App:
        """Store a new app or a new version of one; its owner is *user*.

        Raises ``ConflictError`` when that version, or somebody else's app of that id, already exists.
        """
        app, _ = parse_app(raw)

        def work(conn: Connection) -> App:
            latest = rows.get(conn, app.id)
            if latest is not None:
                self._refuse_taken(conn, user, app, latest)
            row = self._new_row(user, app, latest)
            rows.add(conn, row)
            self.record(conn, user, app.id, "create", {"version": app.version}, app.version)
            return _app(row)

        return self._database.write(work)

    def review(self, raw: Mapping[str, Any], user: User | None = None) -> list[str]:
        """Return what the owner of a definition should know about it, one sentence each."""
        app, warnings = parse_app(raw)
        if user is not None and app.owner not in (None, user.name, "${apiUserId}"):
            warnings = [*warnings, f"owner '{app.owner}' is not taken over; the app is {user.name}'s."]
        return warnings

    def put(self, user: User, app_id: str, version: str, raw: Mapping[str, Any]) -> App:
        """Replace the definition of a version; what other calls change stays as it is."""
        app, _ = parse_app({**raw, "id": app_id, "version": version})
        return self._redefine(user, app_id, version, "modify", lambda stored: app)

    def patch(self, user: User, app_id: str, version: str, raw: Mapping[str, Any]) -> App:
        """Replace the attributes that *raw* names.

        The attributes of ``jobAttributes`` and of its ``parameterSet`` are replaced one by one.
        """

        def patched(stored: App) -> App:
            wire = stored.to_wire()
            self._refuse_unpatchable(raw, wire)
            return parse_app(_merged(wire, raw))[0]

        return self._redefine(user, app_id, version, "modify", patched)

    def set_enabled(self, user: User, app_id: str, enabled: bool, version: str | None = None) -> int:
        """Enable or disable an app, or one version of it; return how many were changed (0 or 1)."""
        operation = "enable" if enabled else "disable"
        column = "enabled" if version is None else "version_enabled"
        return self._switch(user, app_id, version, operation, column, enabled)

    def set_locked(self, user: User, app_id: str, version: str, locked: bool) -> int:
        """Lock a version against changes of its definition, or unlock it; return 0 or 1."""
        return self._switch(user, app_id, version, "lock" if locked else "unlock", "locked", locked)

    def delete(self, user: User, app_id: str) -> int:
        """Take an app with all its versions out of sight; return 0 or 1."""
        self.refuse_builtin(app_id, "deleted")
        return self._switch(user, app_id, None, "delete", "deleted", True)

    def undelete(self, user: User, app_id: str) -> int:
        """Bring a deleted app back; return 0 or 1."""
        return self._switch(user, app_id, None, "undelete", "deleted", False)

    def change_owner(self, user: User, app_id: str, owner: str) -> int:
        """Give an app to another user; return 0 or 1."""
        self.refuse_builtin(app_id, "given away")

        def work(conn: Connection) -> int:
            row = self._owned(conn, user, app_id, None)
            if row.owner == owner:
                return 0
            rows.change(conn, app_id, self._time(), owner=owner)
            self.record(conn, user, app_id, "changeOwner", {"from": row.owner, "to": owner})
            return 1

        return self._database.write(work)

    # -- the parts of it

    def _seen(
        self, conn: Connection, user: User, app_id: str, version: str | None, *, deleted_too: bool = False
    ) -> AppRow:
        row = rows.get(conn, app_id, version)
        if row is None:
            raise self.missing(_name(app_id, version))
        standing = self.standing(conn, user, app_id, row.owner)
        self.refuse_unknown(standing, _name(app_id, version), bool(row.deleted), deleted_too)
        return row

    def _changeable(self, conn: Connection, user: User, app_id: str, version: str | None) -> AppRow:
        row = self._seen(conn, user, app_id, version)
        self.refuse(self.standing(conn, user, app_id, row.owner), app_id, Right.MODIFY)
        return row

    def _owned(
        self, conn: Connection, user: User, app_id: str, version: str | None, *, deleted_too: bool = False
    ) -> AppRow:
        row = self._seen(conn, user, app_id, version, deleted_too=deleted_too)
        self.refuse_other(self.standing(conn, user, app_id, row.owner), app_id)
        return row

    def _sharing(
        self, conn: Connection, row: AppRow, standing: Standing
    ) -> tuple[bool, tuple[str, ...], str | None]:
        """Return what an app tells *standing*'s user of sharing: all of it only to its owner."""
        public, users = shared_with(conn, self.kind, row.app_id) if standing.is_owner else (False, ())
        is_public = public or standing.is_public or standing.is_builtin
        return is_public, users, row.owner if standing.is_by_share else None

    def _refuse_taken(self, conn: Connection, user: User, app: App, latest: AppRow) -> None:
        standing = self.standing(conn, user, app.id, latest.owner)
        if not standing.may_know:
            raise self._taken(f"An app {app.id} already exists and is not yours; choose another id.")
        if latest.deleted:
            raise self._taken(f"App {app.id} already exists but is deleted; undelete it first.")
        if rows.get(conn, app.id, app.version) is not None:
            raise self._taken(
                f"App {app.id} {app.version} already exists. "
                "Change it with put or patch, or choose another version."
            )
        self.refuse(standing, app.id, Right.MODIFY)

    def _taken(self, message: str) -> ConflictError:
        return ConflictError(message, code=self.code("APP_EXISTS"))

    def _new_row(self, user: User, app: App, latest: AppRow | None) -> AppRow:
        now = self._time()
        return AppRow(
            app_id=app.id,
            version=app.version,
            owner=latest.owner if latest else user.name,
            enabled=latest.enabled if latest else int(app.enabled),
            deleted=0,
            definition=_definition(app),
            version_enabled=int(app.version_enabled),
            locked=int(app.locked),
            uuid=str(uuid4()),
            created=now,
            updated=now,
        )

    def _redefine(
        self, user: User, app_id: str, version: str, operation: str, make: Callable[[App], App]
    ) -> App:
        def work(conn: Connection) -> App:
            row = self._changeable(conn, user, app_id, version)
            if row.locked:
                raise ConflictError(
                    f"App {app_id} {version} is locked; unlock it before you change it.",
                    code=self.code("VER_LOCKED"),
                )
            before = _app(row)
            changed = replace(row, definition=_definition(make(before)), updated=self._time())
            rows.change_version(conn, app_id, version, changed.updated, definition=changed.definition)
            names = _differing(before.to_wire(), _app(changed).to_wire())
            self.record(conn, user, app_id, operation, {"changed": names}, version)
            return _app(changed)

        return self._database.write(work)

    def _refuse_unpatchable(self, raw: Mapping[str, Any], wire: Mapping[str, Any]) -> None:
        for name in map(wire_name, _NOT_PATCHED):
            if name in raw and raw[name] != wire[name]:
                raise InvalidInputError(
                    f"{name} cannot be patched; it is {wire[name]!r}.", field=name, value=raw[name]
                )

    def _switch(
        self, user: User, app_id: str, version: str | None, operation: str, column: str, on: bool
    ) -> int:
        """Set one flag of an app or of a version."""

        def work(conn: Connection) -> int:
            row = self._owned(conn, user, app_id, version, deleted_too=column == "deleted")
            if bool(getattr(row, column)) == on:
                return 0
            if version is None:
                rows.change(conn, app_id, self._time(), **{column: int(on)})
            else:
                own_column = column.removeprefix("version_")
                rows.change_version(conn, app_id, version, self._time(), **{own_column: int(on)})
            self.record(conn, user, app_id, operation, {}, version)
            return 1

        return self._database.write(work)


def _name(app_id: str, version: str | None) -> str:
    return app_id if version is None else f"{app_id} {version}"


def _definition(app: App) -> str:
    """Return what the definition itself says, JSON text; unknown keys are kept."""
    kept = set(map(wire_name, _KEPT))
    return json.dumps({k: v for k, v in app.to_wire().items() if k not in kept}, ensure_ascii=False)


@lru_cache(maxsize=256)
def _app(
    row: AppRow, is_public: bool = False, users: tuple[str, ...] = (), shared_by: str | None = None
) -> App:
    """Return the app of a row; the same object for the same row, so that what follows from it can be kept."""
    return App.model_validate(
        json.loads(row.definition)
        | {
            "owner": row.owner,
            "enabled": bool(row.enabled),
            "versionEnabled": bool(row.version_enabled),
            "locked": bool(row.locked),
            "deleted": bool(row.deleted),
            "uuid": row.uuid,
            "created": row.created,
            "updated": row.updated,
            "isPublic": is_public,
            "sharedWithUsers": list(users),
            "sharedAppCtx": shared_by,
        }
    )


def _merged(wire: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(wire)
    for name, value in changes.items():
        inside = name in _MERGED and isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merged(merged[name], value) if inside else value
    return merged


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [name for name in after if name != "updated" and after[name] != before.get(name)]
