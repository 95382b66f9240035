"""Letting others see and use what is one's own: apps, systems, paths and jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..model.errors import InvalidInputError, NotFoundError, did_you_mean
from ..model.urls import TAPIS, system_and_path
from . import frames
from .connection import path_text, segment

if TYPE_CHECKING:
    import pandas as pd

    from .job import Job
    from .tapis import Tapis

#: What of a job can be shared, in words -> as Tapis calls it ("jobResource").
PARTS: Mapping[str, str] = {
    "history": "JOB_HISTORY",
    "output": "JOB_OUTPUT",
    "input": "JOB_INPUT",
    "request": "JOB_RESUBMIT_REQUEST",
}
EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Thing:
    """An app, a system, or a path of one; ``address`` is the end of its routes."""

    kind: Literal["apps", "systems", "files"]
    title: str
    address: str

    def path(self, verb: str) -> str:
        """Return the address of one of its routes: share, share_public, unshare, unshare_public."""
        return f"/v3/{self.kind}/{verb}/{self.address}"


def thing(tapis: Tapis, what: Any) -> Thing:
    """Return what a person means: ``"tapis://system/path"``, an app's or a system's id or definition.

    ``"app:id"`` and ``"system:id"`` say which it is. Raises ``NotFoundError`` with the nearest name, and
    ``InvalidInputError`` where an app and a system have the same id.
    """
    if isinstance(what, Mapping) and isinstance(what.get("id"), str):
        return _named("app" if "containerImage" in what else "system", what["id"])
    if not isinstance(what, str):
        raise InvalidInputError(
            f"{type(what).__name__} cannot be shared: give the id of an app or a system, its definition, "
            "a path as tapis://system/path, or a job.",
            field="what",
        )
    if what.startswith(TAPIS):
        return _path(what)
    kind, _, name = what.partition(":")
    if name and kind in ("app", "system"):
        return _named(kind, name)
    name, (apps, systems) = what.partition("@")[0], (list(tapis.app_names()), tapis.system_names())
    if name in apps and name in systems:
        raise InvalidInputError(
            f"'{name}' is an app and a system. Write app:{name} or system:{name}.", field="what", value=what
        )
    if name not in apps and name not in systems:
        raise NotFoundError(
            f"'{what}' is no app and no system of yours.{did_you_mean(name, [*apps, *systems])} "
            "A path is written tapis://system/path."
        )
    return _named("app" if name in apps else "system", name)


def _named(kind: str, name: str) -> Thing:
    return Thing("apps" if kind == "app" else "systems", f"{kind} {name}", segment(name))


def _path(url: str) -> Thing:
    system, path = system_and_path(url)
    if not system:
        raise InvalidInputError(
            f"'{url}' names no system. Write tapis://system/path.", field="what", value=url
        )
    return Thing("files", url, f"{segment(system)}/{path_text(path)}")


# --- apps, systems and paths -------------------------------------------------------------------
def share(tapis: Tapis, what: Thing, users: Sequence[str], *, everybody: bool) -> None:
    """Share a thing with users, or with everybody."""
    if not users and not everybody:
        raise InvalidInputError(
            f"With whom is {what.title} to be shared? Name users, or say everybody=True.", field="users"
        )
    if users:
        tapis.connection.post(what.path("share"), {"users": list(users)})
    if everybody:
        tapis.connection.post(what.path("share_public"))


def unshare(tapis: Tapis, what: Thing, users: Sequence[str], *, everybody: bool) -> None:
    """Take a share back from users, from everybody, or where neither is said, all shares."""
    if not users and not everybody:
        rows = share_rows(tapis, what)
        users = [row["user"] for row in rows if row["user"] != EVERYBODY]
        everybody = len(users) < len(rows)
    if users:
        tapis.connection.post(what.path("unshare"), {"users": list(users)})
    if everybody:
        tapis.connection.post(what.path("unshare_public"))


def share_rows(tapis: Tapis, what: Thing) -> list[dict[str, str]]:
    """Return with whom a thing is shared."""
    found = tapis.connection.get(what.path("share")) or {}
    if what.kind == "files":
        is_public, users, gives = found.get("isPublic"), found.get("userSet"), "READ"
    else:
        users, gives = found.get("users") or found.get("userList"), "READ, EXECUTE"
        is_public = found.get("public")
    names = [*([EVERYBODY] if is_public else []), *sorted(users or ())]
    return [{"user": name, "gives": gives} for name in names]


def grant(tapis: Tapis, what: Thing, user: str, permissions: Sequence[str]) -> list[str]:
    """Grant permissions on a thing; return what the user has now."""
    if not permissions:
        known = "READ or MODIFY" if what.kind == "files" else "READ, MODIFY or EXECUTE"
        raise InvalidInputError(f"What may {user} do with {what.title}? Name {known}.", field="permissions")
    if what.kind != "files":
        path = f"/v3/{what.kind}/perms/{what.address}/user/{segment(user)}"
        tapis.connection.post(path, {"permissions": list(permissions)})
        return list((tapis.connection.get(path) or {}).get("names") or ())
    # MODIFY holds READ, and a path has one permission for each user.
    best = "MODIFY" if "MODIFY" in permissions else permissions[0]
    body = {"username": user, "permission": best}
    told = tapis.connection.post(f"/v3/files/permissions/{what.address}", body) or {}
    return _of_path(told.get("permission"))


def revoke(tapis: Tapis, what: Thing, user: str, permissions: Sequence[str]) -> list[str]:
    """Take permissions back, all where none is named; return what the user has still."""
    if what.kind != "files":
        path = f"/v3/{what.kind}/perms/{what.address}/user/{segment(user)}"
        taken = list(permissions) or ["READ", "MODIFY", "EXECUTE"]
        tapis.connection.post(f"{path}/revoke", {"permissions": taken})
        return list((tapis.connection.get(path) or {}).get("names") or ())
    path = f"/v3/files/permissions/{what.address}"
    tapis.connection.call("DELETE", path, params={"username": user})
    if list(permissions) == ["MODIFY"]:
        return grant(tapis, what, user, ["READ"])
    return _of_path((tapis.connection.get(path, username=user) or {}).get("permission"))


def _of_path(permission: str | None) -> list[str]:
    return {"MODIFY": ["READ", "MODIFY"], "READ": ["READ"]}.get(permission or "", [])


# --- jobs --------------------------------------------------------------------------------------
def share_job(tapis: Tapis, job: Job, users: Sequence[str], parts: Iterable[str]) -> None:
    """Let users read parts of a job."""
    if not users:
        raise InvalidInputError(f"With whom is {job.name} to be shared? Name users.", field="users")
    wanted = _resources(parts)
    for user in users:
        body = {"grantee": user, "jobResource": wanted, "jobPermission": "READ"}
        tapis.connection.post(f"/v3/jobs/{segment(job.uuid)}/share", body)


def unshare_job(tapis: Tapis, job: Job, users: Sequence[str]) -> None:
    """Take a job back from users, from all where none is named."""
    for user in users or [row["user"] for row in job_share_rows(tapis, job)]:
        tapis.connection.call("DELETE", f"/v3/jobs/{segment(job.uuid)}/share/{segment(user)}")


def list_type(whose: str) -> dict[str, str]:
    """Return the parameter of a list of jobs that says whose they are; their own needs none."""
    types = {"mine": "MY_JOBS", "shared": "SHARED_JOBS", "all": "ALL_JOBS"}
    if whose not in types:
        raise InvalidInputError(
            f"whose='{whose}' is not one of: {', '.join(types)}.{did_you_mean(whose, types)}",
            field="whose",
            value=whose,
        )
    return {} if whose == "mine" else {"listType": types[whose]}


def job_share_rows(tapis: Tapis, job: Job) -> list[dict[str, str]]:
    """Return with whom a job is shared, and which parts of it."""
    words = {resource: word for word, resource in PARTS.items()}
    found: dict[str, list[str]] = {}
    for row in tapis.connection.get(f"/v3/jobs/{segment(job.uuid)}/share", limit=-1) or []:
        found.setdefault(str(row["grantee"]), []).append(words.get(row["jobResource"], row["jobResource"]))
    return [{"user": user, "gives": ", ".join(sorted(given))} for user, given in sorted(found.items())]


def _resources(parts: Iterable[str]) -> list[str]:
    chosen = [parts] if isinstance(parts, str) else list(parts)
    known = {**PARTS, **{resource: resource for resource in PARTS.values()}}
    for part in chosen:
        if part not in known:
            raise InvalidInputError(
                f"parts: '{part}' is not one of: {', '.join(PARTS)}.{did_you_mean(part, PARTS)}",
                field="parts",
                value=part,
            )
    if not chosen:
        raise InvalidInputError(f"parts is empty; choose of: {', '.join(PARTS)}.", field="parts")
    return [known[part] for part in chosen]


# --- for people --------------------------------------------------------------------------------
def as_frame(rows: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Return shares as ``user gives``."""
    return frames.from_rows(rows, frames.SHARES)


def job_meant(tapis: Tapis, what: Any) -> Job | None:
    """Return the job that *what* is, or names by its uuid; None for anything else."""
    from .job import Job

    if isinstance(what, Job):
        return what
    if isinstance(what, str) and what.endswith("-007") and len(what) == _UUID:
        return tapis.job(what)
    return None


_UUID = len("00000000-0000-4000-8000-000000000000-007")
