"""The catalog of systems: what a Tapis client does with them (Tapis Systems)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from ..model.errors import ConflictError, InvalidInputError
from ..model.names import wire_name
from ..model.system import System, parse_system
from ..model.user import User
from ..store import catalog_history, credentials, host_variables, jobs, profiles
from ..store import systems as rows
from ..store.catalog_history import Entry
from ..store.page import Page
from ..store.systems import SystemRow
from . import parents
from .catalog import Catalog, Listing, paged
from .rights import LOCAL as LOCAL
from .rights import (
    PathRights,
    Right,
    Standing,
    effective_user,
    path_rights,
    shared_with,
    standings,
)
from .stored_systems import definition_of, system_of

#: The attributes of a row in a list (Tapis Systems, "summaryAttributes").
SUMMARY = ("id", "systemType", "owner", "host", "effectiveUserId", "defaultAuthnMethod", "canExec")
#: The attribute that is taken and never given.
CREDENTIAL = "authnCredential"
#: What is settled when a system is created.
_IMMUTABLE = ("id", "system_type", "root_dir", "bucket_name", "can_exec", "parent_id")
#: With these it may be another host.
_OF_HOST = ("host", "port", "effective_user_id")
#: What a patch may not name, unless with the value that is there: other calls change it.
_NOT_PATCHED = (*_IMMUTABLE, "owner", "enabled", "deleted")

#: What is stored together with a system.
Also = Callable[[Connection], None]


def _nothing(_: Connection) -> None:
    """Store nothing more."""


def _standing_alone(raw: Mapping[str, Any]) -> System:
    """Return a definition as that of a system without a parent: it takes a right to be a child."""
    return parse_system(without_secret(raw))[0].model_copy(update={"parent_id": None})


def needs_host(raw: Mapping[str, Any]) -> bool:
    """True when a definition can be stored only after its host was asked."""
    return bool(raw.get(CREDENTIAL)) or "HOST_EVAL(" in str(raw.get("rootDir") or "")


def without_secret(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a definition without the credential in it, so that no sentence can hold that."""
    return {name: value for name, value in raw.items() if name != CREDENTIAL} if CREDENTIAL in raw else raw


class SystemCatalog(Catalog):
    """Systems by id. Methods that change something belong on the store's writer thread."""

    kind = "system"

    # -- reading

    def get(self, user: User, system_id: str, *, right: Right = Right.READ) -> System:
        """Return a system.

        Raises ``NotFoundError`` when it is not there, deleted, or not *user*'s to see, ``NotAllowedError``
        when they have not got the *right*.
        """

        def work(conn: Connection) -> System:
            row = self._seen(conn, user, system_id)
            standing = self.standing(conn, user, system_id, row.owner)
            self.refuse(standing, system_id, right)
            return system_of(row, *self._sharing(conn, row, standing))

        return self._database.read(work)

    def get_deleted_too(self, user: User, system_id: str) -> System:
        """Return a system that *user* sees, or saw until it was deleted."""
        return self._database.read(
            lambda conn: system_of(self._seen(conn, user, system_id, deleted_too=True))
        )

    def get_with_credential(
        self, user: User, system_id: str, *, right: Right = Right.READ
    ) -> tuple[System, bool]:
        """Return a system, and whether the user who works there has a credential."""

        def work(conn: Connection) -> tuple[System, bool]:
            has_one = credentials.get(conn, system_id, effective_user(system, user.name)) is not None
            return system, has_one or system_id == LOCAL

        system = self.get(user, system_id, right=right)
        return self._database.read(work)

    def for_files(self, user: User, system_id: str, *, in_job: bool = False) -> tuple[System, PathRights]:
        """Return a system, whether *user* sees it or not, and what they may do with its paths.

        Raises ``NotFoundError`` when it is not there or deleted.
        """

        return self._database.read(lambda conn: self.seen_for_files(conn, user, system_id, in_job=in_job))

    def seen_for_files(
        self, conn: Connection, user: User, system_id: str, *, in_job: bool = False
    ) -> tuple[System, PathRights]:
        """Return what ``for_files`` returns, within a transaction."""
        row = rows.get(conn, system_id)
        if row is None or row.deleted:
            raise self.missing(system_id)
        return system_of(row), path_rights(conn, user, system_of(row), in_job=in_job)

    def find(self, system_id: str) -> System:
        """Return a system whosever it is, deleted or not: for jobs that were accepted with it."""
        row = self._database.read(lambda conn: rows.get(conn, system_id))
        if row is None:
            raise self.missing(system_id)
        return system_of(row)

    def is_enabled(self, user: User, system_id: str) -> bool:
        """Tell whether a system is enabled."""
        return self.get(user, system_id).enabled

    def owned(self, user: User) -> list[System]:
        """Return the systems that are the user's own, by id."""
        found = self._database.read(rows.every)
        return [system_of(row) for row in found if row.owner == user.name and not row.deleted]

    def search(self, user: User, listing: Listing) -> Page[System]:
        """Return a page of systems."""

        def work(conn: Connection) -> list[System]:
            standing = standings(conn, user, self.kind)
            found = [(row, standing(row.id, row.owner)) for row in rows.every(conn)]
            listed = [pair for pair in found if self.is_listed(pair[1], listing, bool(pair[0].deleted))]
            return [system_of(row, *self._sharing(conn, row, how)) for row, how in listed]

        return paged(self._database.read(work), System.to_wire, listing)

    def history(self, user: User, system_id: str) -> list[Entry]:
        """Return who changed what of a system, oldest first."""

        def work(conn: Connection) -> list[Entry]:
            self._seen(conn, user, system_id, deleted_too=True)
            return catalog_history.of(conn, self.kind, system_id)

        return self._database.read(work)

    # -- writing

    def create(self, user: User, raw: Mapping[str, Any], also: Also = _nothing) -> System:
        """Store a new system; its owner is *user*. A credential in it is not kept.

        *also* is done in the same transaction. Raises ``ConflictError`` when a system of that id
        already exists.
        """
        system = _standing_alone(raw)

        def work(conn: Connection) -> System:
            self._refuse_taken(conn, user, system.id)
            row = self._new_row(user, system)
            rows.add(conn, row)
            self.record(conn, user, system.id, "create", {"host": system.host})
            also(conn)
            return system_of(row)

        return self._database.write(work)

    def replace(self, user: User, raw: Mapping[str, Any], also: Also = _nothing) -> System:
        """Store a system in the place of the user's own one of that id, deleted or not, or as a new one.

        What is settled at creation is settled anew. *also* is done in the same transaction.
        """
        system = _standing_alone(raw)
        self.refuse_taken(user, system.id, may_replace=True)

        def work(conn: Connection) -> System:
            if rows.get(conn, system.id) is None:
                rows.add(conn, self._new_row(user, system))
            else:
                row = self._owned(conn, user, system.id, deleted_too=True)
                parents.refuse_put(system_of(row))
                self._restate(conn, row, system, enabled=1, deleted=0)
            self.record(conn, user, system.id, "replace", {"host": system.host})
            also(conn)
            return system_of(self._seen(conn, user, system.id))

        return self._database.write(work)

    def refuse_taken(self, user: User, system_id: str, *, may_replace: bool = False) -> None:
        """Raise ``ConflictError`` when there is a system of that id, deleted or not.

        *may_replace*: only when it is somebody else's.
        """

        def work(conn: Connection) -> None:
            row = rows.get(conn, system_id)
            if row is None or not may_replace or row.owner != user.name:
                self._refuse_taken(conn, user, system_id)

        self.refuse_builtin(system_id, "replaced")
        self._database.read(work)

    def review(self, raw: Mapping[str, Any], user: User | None = None) -> list[str]:
        """Return what the owner of a definition should know about it, one sentence each."""
        system, warnings = parse_system(without_secret(raw))
        if user is not None and system.owner not in (None, user.name, "${apiUserId}"):
            warnings = [*warnings, f"owner '{system.owner}' is not taken over; the system is {user.name}'s."]
        profile = system.batch_scheduler_profile
        if profile and self._database.read(lambda conn: profiles.get(conn, profile)) is None:
            warnings = [*warnings, f"there is no scheduler profile '{profile}' yet; jobs here will need it."]
        return warnings

    def put(self, user: User, system_id: str, raw: Mapping[str, Any]) -> System:
        """Replace a definition; what other calls change stays as it is.

        What is settled at creation may be left out; given, it must be the same. So may effectiveUserId, which
        Tapis's own PUT does not know: it stays too.
        """

        def replaced(stored: System) -> System:
            wire = stored.to_wire()
            parents.refuse_put(stored)
            self._refuse_other(raw, wire, _IMMUTABLE)
            settled = {name: wire[name] for name in map(wire_name, _IMMUTABLE)}
            person = {"effectiveUserId": stored.effective_user_id}
            return parse_system({**person, **without_secret(raw), **settled})[0]

        return self._redefine(user, system_id, replaced)

    def patch(self, user: User, system_id: str, raw: Mapping[str, Any]) -> System:
        """Replace the attributes that *raw* names."""

        def patched(stored: System) -> System:
            wire = stored.to_wire()
            self._refuse_other(raw, wire, _NOT_PATCHED)
            parents.refuse_inherited(stored, raw)
            return parse_system({**wire, **without_secret(raw)})[0]

        return self._redefine(user, system_id, patched)

    def set_enabled(self, user: User, system_id: str, enabled: bool) -> int:
        """Enable or disable a system; return how many were changed (0 or 1)."""
        return self._switch(user, system_id, "enable" if enabled else "disable", "enabled", enabled)

    def delete(self, user: User, system_id: str) -> int:
        """Take a system out of sight; return 0 or 1."""
        self.refuse_builtin(system_id, "deleted")

        def alone(conn: Connection) -> None:
            parents.refuse_parent(conn, system_id, "cannot be deleted", deleted_too=False)

        return self._switch(user, system_id, "delete", "deleted", True, alone)

    def undelete(self, user: User, system_id: str) -> int:
        """Bring a deleted system back; return 0 or 1."""
        return self._switch(user, system_id, "undelete", "deleted", False)

    def change_owner(self, user: User, system_id: str, owner: str) -> int:
        """Give a system to another user; return 0 or 1."""
        self.refuse_builtin(system_id, "given away")

        def work(conn: Connection) -> int:
            row = self._owned(conn, user, system_id)
            if row.owner == owner:
                return 0
            if any(system_id in (job.exec_system_id, job.archive_system_id) for job in jobs.active(conn)):
                # They would go on with what the new owner gives as a credential.
                raise ConflictError(
                    f"System {system_id} has jobs that have not ended. Cancel them, or wait for their end.",
                    code=self.code("SYS_IN_USE"),
                )
            rows.change(conn, system_id, self._time(), owner=owner)
            # What the old owner gave is not the new one's to use.
            credentials.remove(conn, system_id)
            self.record(conn, user, system_id, "changeOwner", {"from": row.owner, "to": owner})
            return 1

        return self._database.write(work)

    # -- the parts of it

    def _seen(self, conn: Connection, user: User, system_id: str, *, deleted_too: bool = False) -> SystemRow:
        row = rows.get(conn, system_id)
        if row is None:
            raise self.missing(system_id)
        standing = self.standing(conn, user, system_id, row.owner)
        self.refuse_unknown(standing, system_id, bool(row.deleted), deleted_too)
        return row

    def _changeable(self, conn: Connection, user: User, system_id: str) -> SystemRow:
        row = self._seen(conn, user, system_id)
        self.refuse(self.standing(conn, user, system_id, row.owner), system_id, Right.MODIFY)
        return row

    def _owned(self, conn: Connection, user: User, system_id: str, *, deleted_too: bool = False) -> SystemRow:
        row = self._seen(conn, user, system_id, deleted_too=deleted_too)
        self.refuse_other(self.standing(conn, user, system_id, row.owner), system_id)
        return row

    def _sharing(self, conn: Connection, row: SystemRow, standing: Standing) -> tuple[bool, tuple[str, ...]]:
        """Return what a system tells *standing*'s user of sharing: all of it only to its owner."""
        public, users = shared_with(conn, self.kind, row.id) if standing.is_owner else (False, ())
        return public or standing.is_public or standing.is_builtin, users

    def _refuse_taken(self, conn: Connection, user: User, system_id: str) -> None:
        row = rows.get(conn, system_id)
        if row is None:
            return
        if not self.standing(conn, user, system_id, row.owner).is_owner:
            way_out = "and is not yours; choose another id"
        else:
            way_out = "but is deleted; undelete it first" if row.deleted else "; change it with put or patch"
        message = f"System {system_id} already exists {way_out}.".replace(" ;", ";")
        raise ConflictError(message, code=self.code("SYS_EXISTS"))

    def _new_row(self, user: User, system: System) -> SystemRow:
        now = self._time()
        return SystemRow(
            id=system.id,
            owner=user.name,
            definition=definition_of(system),
            enabled=int(system.enabled),
            deleted=0,
            uuid=str(uuid4()),
            created=now,
            updated=now,
        )

    def _redefine(self, user: User, system_id: str, make: Callable[[System], System]) -> System:
        def work(conn: Connection) -> System:
            row = self._changeable(conn, user, system_id)
            before = system_of(row)
            changed = self._restate(conn, row, make(before))
            old, new = before.to_wire(), changed.to_wire()
            names = [name for name in new if name != "updated" and new[name] != old.get(name)]
            self.record(conn, user, system_id, "modify", {"changed": names})
            return changed

        return self._database.write(work)

    def _restate(self, conn: Connection, row: SystemRow, system: System, **flags: int) -> System:
        """Store another definition of a system, and what follows from it."""
        before = system_of(row)
        if before.allow_children and not system.allow_children:
            parents.refuse_parent(conn, row.id, "allowChildren cannot be turned off")
        changed = replace(row, definition=definition_of(system), updated=self._time())
        rows.change(conn, row.id, changed.updated, definition=changed.definition, **flags)
        of_host = [row.id]
        if before.allow_children:
            of_host += parents.follow(conn, changed, changed.updated)
        if any(getattr(before, name) != getattr(system, name) for name in _OF_HOST):
            for name in of_host:
                host_variables.forget(conn, name)
        return system_of(changed)

    def _refuse_other(self, raw: Mapping[str, Any], wire: Mapping[str, Any], names: tuple[str, ...]) -> None:
        for name in map(wire_name, names):
            if name in raw and raw[name] != wire[name]:
                raise InvalidInputError(
                    f"{name} of system {wire['id']} cannot be changed so; it is {wire[name]!r}.",
                    field=name,
                    value=raw[name],
                )

    def _switch(
        self, user: User, system_id: str, operation: str, column: str, on: bool, check: Also = _nothing
    ) -> int:
        """Set one flag of a system, unless *check* raises."""

        def work(conn: Connection) -> int:
            row = self._owned(conn, user, system_id, deleted_too=column == "deleted")
            if bool(getattr(row, column)) == on:
                return 0
            check(conn)
            rows.change(conn, system_id, self._time(), **{column: int(on)})
            self.record(conn, user, system_id, operation, {})
            return 1

        return self._database.write(work)
