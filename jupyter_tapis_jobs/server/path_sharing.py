"""Permissions and shares of paths (Tapis Files, "Permissions", "Sharing")."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..engine.rights import Right
from . import queries, wire
from .call import Call
from .catalogs import counted
from .reply import Reply
from .route import Action, Route, Takes
from .sharing import Users
from .wire_definitions import Changes


class Whose(queries.Query):
    """``DELETE /v3/files/permissions``."""

    username: str = Field(description="Whose permission.")


class WhoseOrMine(queries.Query):
    """``GET /v3/files/permissions``."""

    username: str | None = Field(None, description="Whose permission; one's own when left out.")


class Recursion(queries.Query):
    """``POST /v3/files/unshare_all``."""

    recurse: queries.Truth = Field(False, description="Also what is shared of the paths below.")


class NewPathPermission(wire.Wire):
    """What is granted of a path, and to whom. MODIFY gives READ, too."""

    username: str
    permission: Literal["READ", "MODIFY"]


class PathPermission(wire.Wire):
    """What a user was granted of a path; null is nothing."""

    tenant_id: str
    username: str
    system_id: str
    path: str
    permission: Literal["READ", "MODIFY"] | None


class PathShareOf(wire.Wire):
    """A user, and the path that was shared with them: this one, or one above it."""

    username: str
    path: str


class PathShareInfo(wire.Wire):
    """With whom a path is shared."""

    is_public: bool
    is_public_path: str | None
    user_set: list[str]
    user_share_info_set: list[PathShareOf]


def _place(call: Call) -> tuple[str, str]:
    return call.path["systemId"], call.path.get("path", "")


async def get_permission(call: Call) -> Reply:
    """Tell what a user was granted of a path; anybody may ask for themself."""
    whose = call.query.username or call.user.name
    return await _permission(call, whose, "FILES_FOUND Permission found")


async def grant(call: Call) -> Reply:
    """Grant a permission on a path and all below it, in the place of an earlier one."""
    (system, path), given = _place(call), call.body
    right = Right(given.permission)
    await call.door.change(lambda t: t.path_sharing.grant(call.user, system, path, given.username, right))
    return await _permission(call, given.username, "FILES_PERM_UPDATED Permission granted")


async def _permission(call: Call, whose: str, words: str) -> Reply:
    system, path = _place(call)
    right = await call.door.look_up(lambda t: t.path_sharing.permission(call.user, system, path, whose))
    told = {
        "tenantId": call.user.tenant,
        "username": whose,
        "systemId": system,
        "path": path,
        "permission": right,
    }
    return Reply(told, f"{words}: {whose} has {right or 'none'} on {path or '/'} of {system}.")


async def delete_permission(call: Call) -> Reply:
    """Take a permission on a path back."""
    (system, path), whose = _place(call), call.query.username
    count = await call.door.change(lambda t: t.path_sharing.revoke(call.user, system, path, whose))
    had = "" if count else " It had none."
    done = f"{whose} has no permission on {path or '/'} of {system}.{had}"
    return Reply(done, f"FILES_PERM_UPDATED {done}")


async def get_shares(call: Call) -> Reply:
    """Tell with whom a path is shared: all of it to the owner, to others what is about them."""
    system, path = _place(call)
    info = await call.door.look_up(lambda t: t.path_sharing.info(call.user, system, path))
    told = {
        "isPublic": info.public_path is not None,
        "isPublicPath": info.public_path,
        "userSet": [user for user, _ in info.users],
        "userShareInfoSet": [{"username": user, "path": through} for user, through in info.users],
    }
    return Reply(told, f"FILES_SHARE_FOUND Shares of {path or '/'} on {system} found.")


async def share(call: Call) -> Reply:
    """Let users read a path and all below it."""
    (system, path), users = _place(call), call.body.users
    count = await call.door.change(lambda t: t.path_sharing.share(call.user, system, path, users))
    return counted(count, f"FILES_SHARE_UPDATED {path or '/'} on {system} is shared with {', '.join(users)}.")


async def share_public(call: Call) -> Reply:
    """Let everybody who is signed in read a path and all below it."""
    system, path = _place(call)
    count = await call.door.change(lambda t: t.path_sharing.share_public(call.user, system, path))
    return counted(count, f"FILES_SHARE_UPDATED {path or '/'} on {system} is shared with everybody.")


async def unshare(call: Call) -> Reply:
    """Take the share of a path back from users."""
    (system, path), users = _place(call), call.body.users
    count = await call.door.change(lambda t: t.path_sharing.unshare(call.user, system, path, users))
    return counted(count, f"FILES_SHARE_UPDATED {path or '/'} on {system}: {', '.join(users)} lost it.")


async def unshare_public(call: Call) -> Reply:
    """Take the share of a path with everybody back."""
    system, path = _place(call)
    count = await call.door.change(lambda t: t.path_sharing.unshare_public(call.user, system, path))
    return counted(count, f"FILES_SHARE_UPDATED {path or '/'} on {system} is no more shared with everybody.")


async def unshare_all(call: Call) -> Reply:
    """Take all shares of a path back."""
    (system, path), recurse = _place(call), call.query.recurse
    count = await call.door.change(
        lambda t: t.path_sharing.unshare_all(call.user, system, path, recurse=recurse)
    )
    return counted(count, f"FILES_SHARE_UPDATED {path or '/'} on {system} is shared with nobody.")


_PLACE = "{systemId}/{path}"
_PERMISSIONS = f"/v3/files/permissions/{_PLACE}"


def _changing(
    word: str,
    operation: str,
    action: Action,
    body: type[wire.Wire] | None = None,
    query: type[queries.Query] | None = None,
) -> Route:
    takes = Takes.MODEL if body else Takes.NOTHING
    path = f"/v3/files/{word}/{_PLACE}"
    return Route("POST", path, operation, action, query, body, takes, Changes)


ROUTES = (
    Route("GET", _PERMISSIONS, "getPermissions", get_permission, WhoseOrMine, result=PathPermission),
    Route("POST", _PERMISSIONS, "grantPermissions", grant, body=NewPathPermission, takes=Takes.MODEL,
          result=PathPermission),
    Route("DELETE", _PERMISSIONS, "deletePermissions", delete_permission, Whose, result=str),
    Route("GET", f"/v3/files/share/{_PLACE}", "getShareInfo", get_shares, result=PathShareInfo),
    _changing("share", "sharePath", share, Users),
    _changing("share_public", "sharePathPublic", share_public),
    _changing("unshare", "unSharePath", unshare, Users),
    _changing("unshare_public", "unSharePathPublic", unshare_public),
    _changing("unshare_all", "unSharePathAll", unshare_all, query=Recursion),
)  # fmt: skip
