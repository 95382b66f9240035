"""What owners give others of their apps and systems: permissions, and shares (Tapis Apps and Systems)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ..model.errors import InvalidInputError, NotAllowedError, did_you_mean
from ..model.texts import is_blank, refuse_control, shown
from ..model.times import iso
from ..model.user import User
from ..store import apps as app_rows
from ..store import permissions, shares
from ..store import systems as system_rows
from ..store.apps import AppRow
from ..store.database import Database
from ..store.permissions import PermissionRow
from ..store.shares import PUBLIC, ShareRow
from ..store.systems import SystemRow
from .catalog import Catalog
from .rights import OF_SHARE, Kind, Right, Standing

#: Characters of a user's name, and users of one call.
NAME, MOST = 60, 1000
#: All permissions at once (Tapis Systems, "Permissions").
EVERY = "*"

_ROWS: Mapping[Kind, Callable[[Connection, str], AppRow | SystemRow | None]] = {
    "app": lambda conn, name: app_rows.get(conn, name),
    "system": system_rows.get,
}

_BUILTIN: Mapping[Kind, str] = {
    "app": "The app {} is part of this server: everybody can see and run it already.",
    "system": "System {} runs jobs of the server's own user only. Share paths on it, or another system.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareInfo:
    """With whom a thing is shared; who does not own it is told of themself only."""

    is_public: bool
    users: tuple[str, ...]
    rows: tuple[ShareRow, ...]


class Sharing:
    """Permissions and shares of apps and systems. Methods that change them belong on the writer thread.

    Only the owner gives and takes. What the caller may not know of is a ``NotFoundError``.
    """

    def __init__(self, database: Database, catalogs: Iterable[Catalog], now: Callable[[], float]) -> None:
        self._database = database
        self._catalogs = {catalog.kind: catalog for catalog in catalogs}
        self._now = now

    # -- permissions

    def permissions(self, user: User, kind: Kind, name: str, whose: str) -> tuple[Right, ...]:
        """Return what *whose* was granted, all for the owner; others may ask about themselves only."""

        def work(conn: Connection) -> tuple[Right, ...]:
            owner, standing = self._seen(conn, user, kind, name)
            if whose == owner:
                return tuple(Right)
            if not standing.is_owner and whose != user.name:
                self._catalogs[kind].refuse_other(standing, name)
            granted = {Right(row.permission) for row in permissions.of_user(conn, kind, whose, name)}
            if Right.MODIFY in granted:
                granted.add(Right.READ)
            return tuple(right for right in Right if right in granted)

        return self._database.read(work)

    def grant(self, user: User, kind: Kind, name: str, whose: str, given: Sequence[str]) -> int:
        """Grant permissions to a user; return how many they did not have."""
        rights = _rights(given)
        (whose,) = named_users([whose], "userName")

        def work(conn: Connection) -> int:
            owner = self._own(conn, user, kind, name)
            if whose == owner:
                raise InvalidInputError(
                    f"{whose} owns the {kind} {name} and may do everything with it already.",
                    field="userName",
                    value=whose,
                )
            made = [
                PermissionRow(kind=kind, item_id=name, user=whose, permission=right, created=iso(self._now()))
                for right in rights
            ]
            self._record(conn, user, kind, name, "grantPerms", {"user": whose, "permissions": list(rights)})
            return permissions.grant(conn, made)

        return self._database.write(work)

    def revoke(self, user: User, kind: Kind, name: str, whose: str, taken: Sequence[str]) -> int:
        """Take permissions back; without READ there is no MODIFY. Returns how many they had."""
        rights = set(_rights(taken))
        if Right.READ in rights:
            rights.add(Right.MODIFY)

        def work(conn: Connection) -> int:
            self._own(conn, user, kind, name)
            self._record(
                conn, user, kind, name, "revokePerms", {"user": whose, "permissions": sorted(rights)}
            )
            return permissions.revoke(conn, kind, name, whose, only=rights)

        return self._database.write(work)

    # -- shares

    def info(self, user: User, kind: Kind, name: str) -> ShareInfo:
        """Return with whom a thing is shared, for who may know of it."""

        def work(conn: Connection) -> ShareInfo:
            _, standing = self._seen(conn, user, kind, name)
            rows = shares.of_item(conn, kind, name)
            is_public = standing.is_builtin or any(row.grantee == PUBLIC for row in rows)
            mine = [row for row in rows if standing.is_owner or row.grantee in (user.name, PUBLIC)]
            users = dict.fromkeys(row.grantee for row in mine if row.grantee != PUBLIC)
            return ShareInfo(is_public=is_public, users=tuple(users), rows=tuple(mine))

        return self._database.read(work)

    def share(self, user: User, kind: Kind, name: str, users: Sequence[str]) -> int:
        """Let users read and execute a thing; return how many could not before."""
        grantees = named_users(users)

        def work(conn: Connection) -> int:
            owner = self._own(conn, user, kind, name)
            if owner in grantees:
                raise InvalidInputError(
                    f"{owner} owns the {kind} {name}; share it with others.", field="users", value=owner
                )
            return self._share(conn, user, kind, name, grantees)

        return self._database.write(work)

    def share_public(self, user: User, kind: Kind, name: str) -> int:
        """Let everybody read and execute a thing; return 0 when they could already."""

        def work(conn: Connection) -> int:
            self._own(conn, user, kind, name)
            return self._share(conn, user, kind, name, [PUBLIC])

        return self._database.write(work)

    def unshare(self, user: User, kind: Kind, name: str, users: Sequence[str]) -> int:
        """Take a share back from users; return how many had it."""
        return self._unshare(user, kind, name, named_users(users))

    def unshare_public(self, user: User, kind: Kind, name: str) -> int:
        """Take the share with everybody back; what single users were given stays theirs."""
        return self._unshare(user, kind, name, [PUBLIC])

    # -- the parts of it

    def _share(self, conn: Connection, user: User, kind: Kind, name: str, grantees: Collection[str]) -> int:
        had = {row.grantee for row in shares.of_item(conn, kind, name)}
        made = [
            ShareRow(
                kind=kind,
                item_id=name,
                grantee=grantee,
                privilege=right,
                grantor=user.name,
                created=iso(self._now()),
            )
            for grantee in grantees
            for right in sorted(OF_SHARE)
        ]
        shares.share(conn, made)
        self._record(conn, user, kind, name, "modify", {"shared with": _shown(grantees)})
        return len(set(grantees) - had)

    def _unshare(self, user: User, kind: Kind, name: str, grantees: Collection[str]) -> int:
        def work(conn: Connection) -> int:
            self._own(conn, user, kind, name)
            had = {row.grantee for row in shares.of_item(conn, kind, name)}
            shares.unshare(conn, kind, name, grantees)
            self._record(conn, user, kind, name, "modify", {"no more shared with": _shown(grantees)})
            return len(set(grantees) & had)

        return self._database.write(work)

    def _seen(self, conn: Connection, user: User, kind: Kind, name: str) -> tuple[str, Standing]:
        """Return the owner of a thing, and how the user, who may know of it, stands to it."""
        row, catalog = _ROWS[kind](conn, name), self._catalogs[kind]
        if row is None:
            raise catalog.missing(name)
        standing = catalog.standing(conn, user, name, row.owner)
        catalog.refuse_unknown(standing, name, bool(row.deleted))
        return row.owner, standing

    def _own(self, conn: Connection, user: User, kind: Kind, name: str) -> str:
        """Return the owner of a thing, who is the caller."""
        owner, standing = self._seen(conn, user, kind, name)
        self._catalogs[kind].refuse_other(standing, name)
        if standing.is_builtin:
            raise NotAllowedError(_BUILTIN[kind].format(name), code=self._catalogs[kind].code("UNAUTH"))
        return owner

    def _record(
        self, conn: Connection, user: User, kind: Kind, name: str, operation: str, detail: object
    ) -> None:
        self._catalogs[kind].record(conn, user, name, operation, detail)


def named_users(users: Sequence[str], field: str = "users") -> list[str]:
    """Return the names of users, each once; ``InvalidInputError`` for what can be no name."""
    if not users or len(users) > MOST:
        raise InvalidInputError(
            f'{field} names {len(users)} users; give 1 to {MOST:,}, as a list: ["ada"].', field=field
        )
    for name in users:
        if is_blank(name) or name.startswith("~") or len(name) > NAME or name != name.strip():
            raise InvalidInputError(
                f"{field} {shown(name)} is no user name: 1 to {NAME} characters without space around them.",
                field=field,
                value=name,
            )
        refuse_control(name, field)
    return list(dict.fromkeys(users))


def _rights(names: Sequence[str]) -> list[Right]:
    if EVERY in names:
        return list(Right)
    for name in names:
        if name.upper() not in Right.__members__:
            raise InvalidInputError(
                f"permissions {shown(name)} is not one of: {', '.join(Right)}."
                f"{did_you_mean(name.upper(), Right)}",
                field="permissions",
                value=name,
            )
    return list(dict.fromkeys(Right(name.upper()) for name in names))


def _shown(grantees: Iterable[str]) -> list[str]:
    return ["everybody" if name == PUBLIC else name for name in grantees]
