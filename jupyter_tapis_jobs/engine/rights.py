"""Who may do what: the one place that owners, permissions and shares are compared in.

Source: Tapis Systems, Apps, Files and Jobs, "Permissions" and "Sharing". An owner may do all. READ, MODIFY
(implies READ) and EXECUTE are granted user by user; a share gives READ and EXECUTE. What somebody may not
know of is a ``NotFoundError``; what they know of and may not do is a ``NotAllowedError`` with a sentence.
Rights on the host never change: they are those of the host user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from sqlalchemy import Connection

from ..model.builtin import BUILTIN
from ..model.errors import NotAllowedError, NotFoundError
from ..model.job import Job
from ..model.paths import normalise, within
from ..model.system import System
from ..model.user import User
from ..store import jobs as job_rows
from ..store import permissions, shares
from ..store.permissions import PermissionRow
from ..store.shares import PUBLIC, ShareRow

Kind = Literal["app", "system"]

#: The system that is this machine.
LOCAL = "local"


class Right(StrEnum):
    """What may be done with an app, a system or a path (which nobody executes)."""

    READ = "READ"
    MODIFY = "MODIFY"
    EXECUTE = "EXECUTE"


class Resource(StrEnum):
    """The parts of a job that can be shared (Tapis Jobs, "jobResource")."""

    JOB_HISTORY = "JOB_HISTORY"
    JOB_RESUBMIT_REQUEST = "JOB_RESUBMIT_REQUEST"
    JOB_OUTPUT = "JOB_OUTPUT"
    JOB_INPUT = "JOB_INPUT"


#: What an app or a system that is shared gives.
OF_SHARE = frozenset({Right.READ, Right.EXECUTE})
#: effectiveUserId of systems where everybody works as themself, with a credential of their own.
OWN_USER = "${apiUserId}"
_OWNER = "${owner}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one user stands to one app or system."""

    is_owner: bool = False
    #: What permissions give; MODIFY has brought READ along.
    granted: frozenset[Right] = frozenset()
    #: It is shared with this very user.
    is_shared: bool = False
    #: It is shared with all.
    is_public: bool = False
    #: It is there from the start.
    is_builtin: bool = False

    def may(self, right: Right) -> bool:
        """Tell whether the user has a right."""
        if self.is_owner or right in self.granted:
            return True
        return right in OF_SHARE and (self.is_shared or self.is_public or self.is_builtin)

    @property
    def may_know(self) -> bool:
        """True when the user may know that the thing is there."""
        return self.may(Right.READ) or bool(self.granted)

    @property
    def is_by_share(self) -> bool:
        """True when there is a share that gives the user what they have (shared application context)."""
        return (self.is_shared or self.is_public) and not self.is_owner


#: Returns how a user stands to a thing of some kind: (its id, its owner).
Standings = Callable[[str, str], Standing]


def standings(conn: Connection, user: User, kind: Kind, name: str | None = None) -> Standings:
    """Return what tells how *user* stands to things of a kind; asks the store for one, or once for all."""
    granted: dict[str, set[Right]] = {}
    for row in permissions.of_user(conn, kind, user.name, name):
        granted.setdefault(row.item_id, set()).update(_implied(row))
    shared = shares.with_user(conn, kind, user.name, name)
    direct = {row.item_id for row in shared if row.grantee == user.name}
    public = {row.item_id for row in shared if row.grantee == PUBLIC}

    def standing(item: str, owner: str) -> Standing:
        is_builtin = item in BUILTIN[kind]
        return Standing(
            is_owner=user.is_server_user if is_builtin else owner == user.name,
            granted=frozenset(granted.get(item, ())),
            is_shared=item in direct,
            is_public=item in public,
            is_builtin=is_builtin,
        )

    return standing


def standing_of(conn: Connection, user: User, kind: Kind, name: str, owner: str) -> Standing:
    """Return how *user* stands to one app or system."""
    return standings(conn, user, kind, name)(name, owner)


def shared_with(conn: Connection, kind: Kind, name: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether a thing is shared with all, and the users that it is shared with by name."""
    grantees = {row.grantee for row in shares.of_item(conn, kind, name)}
    return PUBLIC in grantees, tuple(sorted(grantees - {PUBLIC}))


def _implied(row: PermissionRow) -> Iterable[Right]:
    right = Right(row.permission)
    return (right, Right.READ) if right is Right.MODIFY else (right,)


# -- whose host user works


def effective_user(system: System, user: str) -> str:
    """Return the host user that works on *system* for *user* (Tapis Systems, "effectiveUserId")."""
    fixed = system.effective_user_id or OWN_USER
    if fixed == OWN_USER:
        return user
    return (system.owner or user) if fixed == _OWNER else fixed


def is_dynamic(system: System) -> bool:
    """True when each user works on the system as themself, with a credential of their own."""
    return (system.effective_user_id or OWN_USER) == OWN_USER


def refuse_borrowed(system: System, user: User, server_user: str | None) -> None:
    """Raise unless *user*'s jobs may run on *system*: the server's own user lends nobody their account.

    This machine and the credentials of the server's user run only that user's jobs; else a token would
    be a shell as the server's user.
    """
    if user.is_server_user:
        return
    if system.id == LOCAL:
        raise NotAllowedError(
            "system local runs jobs of the server's own user only; "
            "use a system that is reached over SSH with a credential of your own."
        )
    if not is_dynamic(system) and system.owner == server_user:
        raise NotAllowedError(
            f"system {system.id} works with the credential of {server_user}, who owns this server, and that "
            "runs only their own jobs. Use a system where you have a credential of your own."
        )


# -- paths


@dataclass(frozen=True, slots=True)
class PathRights:
    """What one user may do with the paths of one system.

    ``grounds`` holds, by right, the directories (from rootDir) that were given; "/" is all of the system.
    """

    system_id: str
    user: str
    may_see: bool
    grounds: Mapping[Right, Sequence[str]] = field(default_factory=dict)

    @property
    def is_any(self) -> bool:
        """True when the user may know of the system at all."""
        return self.may_see or any(self.grounds.values())

    @classmethod
    def everywhere(cls, system_id: str, user: str) -> PathRights:
        """Return the rights of somebody who may do all."""
        return cls(system_id, user, True, {Right.READ: ("/",), Right.MODIFY: ("/",)})

    def ground(self, path: str, right: Right) -> str:
        """Return the highest directory or file that gives *right* on *path*: links may not lead out of it.

        Raises ``NotFoundError`` or ``NotAllowedError`` where nothing does.
        """
        path = normalise(path)
        covering = [ground for ground in self.grounds.get(right, ()) if within(ground, path)]
        if covering:
            return min(covering, key=len)
        if not self.is_any:
            raise NotFoundError(
                f"There is no system {self.system_id}, or it is not yours to see.", code="SYSAPI_NOT_FOUND"
            )
        if self.system_id == LOCAL and not any(self.grounds.values()):
            raise NotAllowedError(
                "System local is the machine of the Jupyter server; only its own user may use files there. "
                "Use an SSH system with a credential of your own."
            )
        verb = "read" if right is Right.READ else "change"
        raise NotAllowedError(
            f"{self.user} may not {verb} {path} on system {self.system_id}. "
            f"The system's owner can grant {right} on it."
        )


def path_rights(conn: Connection, user: User, system: System, *, in_job: bool = False) -> PathRights:
    """Return what *user* may do with the paths of *system*.

    The owner may do all. Where everybody works as themself, a share of the system opens all its paths: the
    host decides. Else it needs permissions or shares of paths; a shared path may be read, and *in_job*
    written too. What is shared of a job opens its directories for reading.
    """
    standing = standing_of(conn, user, "system", system.id, system.owner or "")
    if standing.is_owner or (standing.is_by_share and is_dynamic(system) and system.id != LOCAL):
        return PathRights.everywhere(system.id, user.name)
    grounds: dict[Right, list[str]] = {Right.READ: [], Right.MODIFY: []}
    for row in permissions.of_user(conn, "path", user.name, system.id):
        for right in _implied(row):
            grounds[right].append(row.path)
    for share in shares.with_user(conn, "path", user.name, system.id):
        grounds[Right.READ].append(share.path)
        if in_job:
            grounds[Right.MODIFY].append(share.path)
    grounds[Right.READ] += _job_folders(conn, user, system.id)
    return PathRights(system.id, user.name, standing.may(Right.READ), grounds)


def _job_folders(conn: Connection, user: User, system_id: str) -> list[str]:
    """Return the directories on a system that hold what others share of their jobs with *user*."""
    found: dict[str, set[str]] = {}
    for row in shares.with_user(conn, "job", user.name):
        found.setdefault(row.item_id, set()).add(row.privilege)
    if not found:
        return []
    jobs = [
        job
        for job in job_rows.get_many(conn, found).values()
        if system_id in (job.exec_system_id, job.archive_system_id)
    ]
    definitions = job_rows.definitions(conn, [job.id for job in jobs])
    folders = []
    for job in jobs:
        definition = definitions[job.id]
        if Resource.JOB_OUTPUT in found[job.uuid] and definition.archive_system_id == system_id:
            folders.append(definition.archive_system_dir)
        if Resource.JOB_OUTPUT in found[job.uuid] and definition.exec_system_id == system_id:
            folders.append(definition.exec_system_output_dir)
        if Resource.JOB_INPUT in found[job.uuid] and definition.exec_system_id == system_id:
            folders.append(definition.exec_system_input_dir)
    return folders


# -- jobs


def job_shares(conn: Connection, user: User, job: Job) -> frozenset[Resource] | None:
    """Return the resources of a job that *user* may read; None for its owner, who may do all."""
    if (job.owner, job.tenant) == (user.name, user.tenant):
        return None
    rows: list[ShareRow] = shares.with_user(conn, "job", user.name, job.uuid)
    return frozenset(Resource(row.privilege) for row in rows)


def refuse_job(
    uuid: str, name: str, shared: frozenset[Resource] | None, wanted: Resource | None, *, owner_only: bool
) -> None:
    """Raise unless what is *shared* of a job (see ``job_shares``) allows what is *wanted*.

    Without *wanted* any share does; *owner_only* says that none does.
    """
    if shared is None:
        return
    if not shared:
        raise NotFoundError(f"there is no job {uuid}, or it is not yours.")
    if owner_only:
        raise NotAllowedError(f"job {name} is shared with you to be read; only its owner may do this.")
    if wanted is not None and wanted not in shared:
        raise NotAllowedError(
            f"{wanted} of job {name} is not shared with you, only {', '.join(sorted(shared))}. "
            "Ask its owner to share it."
        )
