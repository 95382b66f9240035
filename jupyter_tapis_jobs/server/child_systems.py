"""Child systems (Tapis Systems, "Child Systems")."""

from __future__ import annotations

from pydantic import Field

from ..engine.rights import OWN_USER
from . import queries, wire
from .call import Call
from .catalogs import counted
from .reply import Reply
from .route import Route, Takes
from .wire_definitions import Changes, Created


class NewChild(wire.Wire):
    """What a child has of its own; all the rest is its parent's."""

    id: str | None = Field(None, max_length=80, description="Default: PARENT-USER.")
    effective_user_id: str = Field(
        OWN_USER, min_length=1, max_length=60, description="The host user: ${apiUserId}, or a fixed name."
    )
    root_dir: str = Field(min_length=1, max_length=4096, description="All paths are relative to it.")
    enabled: bool = True


class Children(wire.Wire):
    """Which children."""

    child_system_ids: list[str] = Field(default_factory=list, max_length=1000)


async def create_child_system(call: Call) -> Reply:
    """Make a system like another one, for another host user or root directory; it changes with that one."""
    given: NewChild = call.body
    system = await call.door.change(
        lambda t: t.children.create(
            call.user,
            call.path["parentId"],
            child_id=given.id,
            effective_user_id=given.effective_user_id,
            root_dir=given.root_dir,
            enabled=given.enabled,
        )
    )
    made = {"url": f"{call.base}/v3/systems/{system.id}", "warnings": []}
    return Reply(made, f"SYSAPI_CREATED System created: {system.id}, a child of {system.parent_id}.")


async def unlink_from_parent(call: Call) -> Reply:
    """Make a child stand alone, as it is now."""
    name = call.path["childSystemId"]
    changes = await call.door.change(lambda t: t.children.unlink_from_parent(call.user, name))
    return counted(changes, f"SYSAPI_UPDATED System stands alone: {name}.")


async def unlink_children(call: Call) -> Reply:
    """Make some or all children of a system stand alone, as they are now."""
    name, given = call.path["parentSystemId"], call.body
    ids = given.child_system_ids if given else []
    changes = await call.door.change(
        lambda t: t.children.unlink_children(call.user, name, ids, every=call.query.all)
    )
    return counted(changes, f"SYSAPI_UPDATED Children of {name} that stand alone now: {changes}.")


_SYSTEMS = "/v3/systems"
ROUTES = (
    Route("POST", f"{_SYSTEMS}/{{parentId}}/createChildSystem", "createChildSystem", create_child_system,
          body=NewChild, takes=Takes.MODEL, result=Created, status=201),
    Route("POST", f"{_SYSTEMS}/{{childSystemId}}/unlinkFromParent", "unlinkFromParent", unlink_from_parent,
          result=Changes),
    Route("POST", f"{_SYSTEMS}/{{parentSystemId}}/unlinkChildren", "unlinkChildren", unlink_children,
          queries.Unlinked, Children | None, Takes.MODEL, Changes),
)  # fmt: skip
