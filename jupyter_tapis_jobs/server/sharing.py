"""Permissions and shares of apps and systems (Tapis Apps and Systems, "Permissions", "Sharing")."""

from __future__ import annotations

from pydantic import Field

from ..engine.rights import Kind
from ..engine.sharing import ShareInfo
from ..store.shares import ShareRow
from . import wire
from .call import Call
from .catalogs import counted
from .reply import Reply
from .route import Action, Route, Takes
from .wire_definitions import Changes


class Users(wire.Wire):
    """Who it is shared with, or no more."""

    users: list[str] = Field(min_length=1)


class Permissions(wire.Wire):
    """What is granted or taken back: READ, MODIFY (READ too), EXECUTE; ``*`` is all."""

    permissions: list[str] = Field(min_length=1)


class PermissionNames(wire.Wire):
    """What a user was granted."""

    names: list[str]


class ShareRecord(wire.Wire):
    """One privilege of one user."""

    tenant: str
    grantor: str
    grantee: str
    resource_type: str
    resource_id1: str
    resource_id2: str | None = None
    privilege: str
    created: str
    created_by: str
    created_by_tenant: str


class Shares(wire.Wire):
    """With whom a thing is shared; ``users`` and ``userList`` are the same: Tapis writes either."""

    public: bool
    users: list[str]
    user_list: list[str]
    share_records: list[ShareRecord]


def routes(kind: Kind, code: str) -> tuple[Route, ...]:
    """Return the routes of apps or of systems; *code* begins their messages."""
    title, key = kind.capitalize(), f"{kind}Id"
    root = f"/v3/{kind}s"

    async def get_permissions(call: Call) -> Reply:
        """Tell what a user was granted; anybody may ask for themself."""
        name, whose = call.path[key], call.path["userName"]
        rights = await call.door.look_up(lambda t: t.sharing.permissions(call.user, kind, name, whose))
        return Reply(
            {"names": list(rights)}, f"{code}_FOUND {whose} has {len(rights)} permissions on {kind} {name}."
        )

    async def grant(call: Call) -> Reply:
        """Grant permissions to a user."""
        name, whose, given = call.path[key], call.path["userName"], call.body.permissions
        count = await call.door.change(lambda t: t.sharing.grant(call.user, kind, name, whose, given))
        return counted(count, f"{code}_PERM_UPDATED {whose} has {', '.join(given)} on {kind} {name}.")

    async def revoke(call: Call) -> Reply:
        """Take permissions of a user back."""
        name, whose = call.path[key], call.path["userName"]
        taken = [call.path["permission"]] if "permission" in call.path else call.body.permissions
        count = await call.door.change(lambda t: t.sharing.revoke(call.user, kind, name, whose, taken))
        return counted(count, f"{code}_PERM_UPDATED {whose} lost {', '.join(taken)} on {kind} {name}.")

    async def get_shares(call: Call) -> Reply:
        """Tell with whom it is shared: all of it to the owner, to others what is about them."""
        name = call.path[key]
        info = await call.door.look_up(lambda t: t.sharing.info(call.user, kind, name))
        return Reply(
            _told(info, kind, call.user.tenant), f"{code}_SHARE_FOUND Shares of {kind} {name} found."
        )

    async def share(call: Call) -> Reply:
        """Let users read it and run jobs with it."""
        name, users = call.path[key], call.body.users
        count = await call.door.change(lambda t: t.sharing.share(call.user, kind, name, users))
        return counted(count, f"{code}_SHARE_UPDATED {title} {name} is shared with {', '.join(users)}.")

    async def share_public(call: Call) -> Reply:
        """Let everybody read it and run jobs with it."""
        name = call.path[key]
        count = await call.door.change(lambda t: t.sharing.share_public(call.user, kind, name))
        return counted(count, f"{code}_SHARE_UPDATED {title} {name} is shared with everybody.")

    async def unshare(call: Call) -> Reply:
        """Take a share back from users."""
        name, users = call.path[key], call.body.users
        count = await call.door.change(lambda t: t.sharing.unshare(call.user, kind, name, users))
        return counted(
            count, f"{code}_SHARE_UPDATED {title} {name} is no more shared with {', '.join(users)}."
        )

    async def unshare_public(call: Call) -> Reply:
        """Take the share with everybody back."""
        name = call.path[key]
        count = await call.door.change(lambda t: t.sharing.unshare_public(call.user, kind, name))
        return counted(count, f"{code}_SHARE_UPDATED {title} {name} is no more shared with everybody.")

    def changing(path: str, operation: str, action: Action, body: type[wire.Wire] | None = None) -> Route:
        takes = Takes.MODEL if body else Takes.NOTHING
        return Route("POST", f"{root}/{path}", operation, action, body=body, takes=takes, result=Changes)

    thing = f"{{{key}}}"
    one = f"perms/{thing}/user/{{userName}}"
    return (
        Route("GET", f"{root}/{one}", "getUserPerms", get_permissions, result=PermissionNames),
        changing(one, "grantUserPerms", grant, Permissions),
        changing(f"{one}/revoke", "revokeUserPerms", revoke, Permissions),
        Route("DELETE", f"{root}/{one}/{{permission}}", "revokeUserPerm", revoke, result=Changes),
        Route("GET", f"{root}/share/{thing}", "getShareInfo", get_shares, result=Shares),
        changing(f"share/{thing}", f"share{title}", share, Users),
        changing(f"share_public/{thing}", f"share{title}Public", share_public),
        changing(f"unshare/{thing}", f"unShare{title}", unshare, Users),
        changing(f"unshare_public/{thing}", f"unShare{title}Public", unshare_public),
    )


def _told(info: ShareInfo, kind: Kind, tenant: str) -> dict[str, object]:
    return {
        "public": info.is_public,
        "users": list(info.users),
        "userList": list(info.users),
        "shareRecords": [_record(row, kind, tenant) for row in info.rows],
    }


def _record(row: ShareRow, kind: Kind, tenant: str) -> dict[str, str | None]:
    return {
        "tenant": tenant,
        "grantor": row.grantor,
        "grantee": row.grantee,
        "resourceType": kind,
        "resourceId1": row.item_id,
        "resourceId2": None,
        "privilege": row.privilege,
        "created": row.created,
        "createdBy": row.grantor,
        "createdByTenant": tenant,
    }


ROUTES = (*routes("app", "APPAPI"), *routes("system", "SYSAPI"))
