"""What owners of systems give others of the paths there: permissions, and shares (Tapis Files).

What is given of a directory counts for all below it. Rights on the host never change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ..model.errors import InvalidInputError
from ..model.paths import normalise, within
from ..model.times import iso
from ..model.user import User
from ..store import permissions, shares
from ..store.database import Database
from ..store.permissions import PermissionRow
from ..store.shares import PUBLIC, ShareRow
from .rights import Right
from .sharing import named_users
from .systems import SystemCatalog

_KIND = "path"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathShares:
    """With whom a path is shared, and by a share of which path: its own, or one above it."""

    public_path: str | None
    #: User -> path.
    users: tuple[tuple[str, str], ...]


class PathSharing:
    """Permissions and shares of paths, which the system's owner gives and takes.

    Methods that change them belong on the writer thread. Paths are from the system's rootDir.
    """

    def __init__(self, database: Database, systems: SystemCatalog, now: Callable[[], float]) -> None:
        self._database = database
        self._systems = systems
        self._now = now

    # -- permissions

    def permission(self, user: User, system_id: str, path: str, whose: str) -> Right | None:
        """Return what *whose* was granted on a path or above it; MODIFY for the system's owner.

        Who does not own the system may ask about themself only.
        """
        path = normalise(path)

        def work(conn: Connection) -> Right | None:
            owner = self._owner_told(conn, user, system_id, whose)
            if whose == owner:
                return Right.MODIFY
            granted = {right for right, ground in _granted(conn, system_id, whose) if within(ground, path)}
            return next((right for right in (Right.MODIFY, Right.READ) if right in granted), None)

        return self._database.read(work)

    def grant(self, user: User, system_id: str, path: str, whose: str, right: Right) -> int:
        """Grant READ or MODIFY on a path, in the place of what was granted on it before."""
        (whose,) = named_users([whose], "username")
        path = normalise(path)

        def work(conn: Connection) -> int:
            self._own(conn, user, system_id)
            permissions.revoke(conn, _KIND, system_id, whose, path=path)
            made = PermissionRow(
                kind=_KIND,
                item_id=system_id,
                path=path,
                user=whose,
                permission=right,
                created=iso(self._now()),
            )
            return permissions.grant(conn, [made])

        return self._database.write(work)

    def revoke(self, user: User, system_id: str, path: str, whose: str) -> int:
        """Take back what was granted on a path; return 0 when nothing was.

        Raises ``InvalidInputError`` where it comes from a directory above, which nothing here takes back.
        """
        path = normalise(path)

        def work(conn: Connection) -> int:
            self._own(conn, user, system_id)
            count = permissions.revoke(conn, _KIND, system_id, whose, path=path)
            above = [ground for _, ground in _granted(conn, system_id, whose) if within(ground, path)]
            if above and not count:
                raise InvalidInputError(
                    f"{whose} has the permission on {path} through {above[0]}; take that one back.",
                    field="path",
                    value=path,
                )
            return count

        return self._database.write(work)

    # -- shares

    def info(self, user: User, system_id: str, path: str) -> PathShares:
        """Return with whom a path is shared; who does not own the system is told of themself only."""
        path = normalise(path)

        def work(conn: Connection) -> PathShares:
            is_owner = self._is_owner(conn, user, system_id, path)
            found = {
                row.grantee: row.path
                for row in shares.of_item(conn, _KIND, system_id)
                if within(row.path, path) and (is_owner or row.grantee in (user.name, PUBLIC))
            }
            public = found.pop(PUBLIC, None)
            return PathShares(public_path=public, users=tuple(sorted(found.items())))

        return self._database.read(work)

    def share(self, user: User, system_id: str, path: str, users: Sequence[str]) -> int:
        """Let users read a path and all below it; return how many could not before."""
        return self._share(user, system_id, path, named_users(users))

    def share_public(self, user: User, system_id: str, path: str) -> int:
        """Let everybody who is signed in read a path; return 0 when they could already."""
        return self._share(user, system_id, path, [PUBLIC])

    def unshare(self, user: User, system_id: str, path: str, users: Sequence[str]) -> int:
        """Take the share of a path back from users; return how many had it."""
        return self._unshare(user, system_id, path, named_users(users))

    def unshare_public(self, user: User, system_id: str, path: str) -> int:
        """Take the share of a path with everybody back."""
        return self._unshare(user, system_id, path, [PUBLIC])

    def unshare_all(self, user: User, system_id: str, path: str, *, recurse: bool = False) -> int:
        """Take all shares of a path back, with *recurse* those of all paths below it, too."""
        path = normalise(path)

        def work(conn: Connection) -> int:
            self._own(conn, user, system_id)
            rows = shares.of_item(conn, _KIND, system_id)
            paths = {row.path for row in rows if row.path == path or (recurse and within(path, row.path))}
            return sum(shares.unshare(conn, _KIND, system_id, None, path=one) for one in sorted(paths))

        return self._database.write(work)

    # -- the parts of it

    def _share(self, user: User, system_id: str, path: str, grantees: Iterable[str]) -> int:
        path = normalise(path)

        def work(conn: Connection) -> int:
            self._own(conn, user, system_id)
            made = [
                ShareRow(
                    kind=_KIND,
                    item_id=system_id,
                    path=path,
                    grantee=grantee,
                    privilege=Right.READ,
                    grantor=user.name,
                    created=iso(self._now()),
                )
                for grantee in grantees
            ]
            return shares.share(conn, made)

        return self._database.write(work)

    def _unshare(self, user: User, system_id: str, path: str, grantees: Sequence[str]) -> int:
        path = normalise(path)

        def work(conn: Connection) -> int:
            self._own(conn, user, system_id)
            count = shares.unshare(conn, _KIND, system_id, grantees, path=path)
            for row in shares.of_item(conn, _KIND, system_id):
                if not count and row.grantee in grantees and within(row.path, path):
                    who = "everybody" if row.grantee == PUBLIC else row.grantee
                    raise InvalidInputError(
                        f"{path} is shared with {who} through {row.path}; take that share back.",
                        field="path",
                        value=path,
                    )
            return count

        return self._database.write(work)

    def _own(self, conn: Connection, user: User, system_id: str) -> None:
        """Raise unless the user owns the system."""
        self._owner_told(conn, user, system_id)

    def _owner_told(self, conn: Connection, user: User, system_id: str, whose: str | None = None) -> str:
        """Return a system's owner, for whom that is; for others only where it is about themself."""
        system, rights = self._systems.seen_for_files(conn, user, system_id)
        standing = self._systems.standing(conn, user, system_id, system.owner or "")
        if not (standing.is_owner or rights.is_any):
            raise self._systems.missing(system_id)
        if whose != user.name:
            self._systems.refuse_other(standing, system_id)
        return system.owner or ""

    def _is_owner(self, conn: Connection, user: User, system_id: str, path: str) -> bool:
        """Return whether the user owns the system; raise unless they may read the path at least."""
        system, rights = self._systems.seen_for_files(conn, user, system_id)
        rights.ground(path, Right.READ)
        return self._systems.standing(conn, user, system_id, system.owner or "").is_owner


def _granted(conn: Connection, system_id: str, whose: str) -> list[tuple[Right, str]]:
    """Return what a user was granted on a system's paths."""
    rows = permissions.of_user(conn, _KIND, whose, system_id)
    return [(Right(row.permission), row.path) for row in rows]
