"""The Systems API (Tapis Systems, "REST API")."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..engine.catalog import Listing, history_to_wire
from ..engine.desks import Desks
from ..engine.systems import CREDENTIAL, SUMMARY, needs_host
from ..model import search as searches
from ..model.new_host import NewCredential
from ..model.search import SYSTEM_ATTRIBUTES
from ..model.system import System
from . import queries, wire_definitions
from .call import Call, checked
from .catalogs import clause, counted, cut, listed, listing, page, queried
from .reply import Reply
from .route import Route, Takes
from .wire_definitions import Changes, Created, Enabled, HistoryRow, Variable
from .wire_jobs import MatchBody, SearchBody


async def create_system(call: Call) -> Reply:
    """Register a system; a credential in it is tried and stored apart."""
    skips, secret = call.query.skip_credential_check, call.body.get(CREDENTIAL)
    if needs_host(call.body):
        given = checked(NewCredential, secret, CREDENTIAL, secret=True) if secret else None
        system = await call.door.desks(
            lambda d: d.credentials.create_system(call.user, call.body, given, skip_check=skips)
        )
    else:
        system = await call.door.change(lambda t: t.systems.create(call.user, call.body))
    return await _stored(call, system, "SYSAPI_CREATED System created", call.body)


async def list_systems(call: Call) -> Reply:
    """List systems."""
    return await _found(call, listed(call, SYSTEM_ATTRIBUTES))


async def search_systems(call: Call) -> Reply:
    """List the systems that ``attribute.operator=value`` select."""
    return await _found(call, queried(call, SYSTEM_ATTRIBUTES))


async def search_systems_sql(call: Call) -> Reply:
    """List the systems that a WHERE clause selects."""
    return await _found(call, clause(call, SYSTEM_ATTRIBUTES))


async def _found(call: Call, wanted: Listing) -> Reply:
    found = await call.door.look_up(lambda t: t.systems.search(call.user, wanted))
    return page(call, found, System.to_wire, SUMMARY, "Systems")


async def match_constraints(call: Call) -> Reply:
    """List the systems that jobs of the caller could have, by a WHERE clause about their attributes."""
    where = searches.from_sql(" ".join(call.body.match), SYSTEM_ATTRIBUTES)
    return await _found(call, listing(call, where, SYSTEM_ATTRIBUTES))


async def get_system(call: Call) -> Reply:
    """Return one system."""
    system, has_credential = await call.door.look_up(
        lambda t: t.systems.get_with_credential(call.user, call.path["systemId"])
    )
    told = system.to_wire() | {"hasCredentials": has_credential}
    return Reply(cut(call, told, SUMMARY), f"TAPIS_FOUND System found: {system.id}.")


async def patch_system(call: Call) -> Reply:
    """Change some attributes of a system."""
    system = await call.door.change(lambda t: t.systems.patch(call.user, call.path["systemId"], call.body))
    await _forget(call, system)
    return await _stored(call, system, "SYSAPI_UPDATED System updated")


async def put_system(call: Call) -> Reply:
    """Replace all attributes of a system that may change."""
    system = await call.door.change(lambda t: t.systems.put(call.user, call.path["systemId"], call.body))
    await _forget(call, system)
    return await _stored(call, system, "SYSAPI_UPDATED System updated", call.body)


async def _forget(call: Call, system: System) -> None:
    """Close what was opened to a system and its children: it may be another host now."""
    found = await call.door.look_up(lambda t: t.children.ids(system.id)) if system.allow_children else []
    for name in (system.id, *found):
        await call.door.desks(partial(_close, name))


async def _close(name: str, desks: Desks) -> None:
    await desks.pool.forget(name)


async def _stored(call: Call, system: System, words: str, said: Mapping[str, Any] | None = None) -> Reply:
    """Tell where it is, and what its owner should know of what they *said*."""
    warnings = await call.door.look_up(
        lambda t: t.systems.review({**system.to_wire(), **(said or {})}, call.user)
    )
    stored = {"url": f"{call.base}/v3/systems/{system.id}", "warnings": warnings}
    return Reply(stored, f"{words}: {system.id}.")


async def is_enabled(call: Call) -> Reply:
    """Tell whether jobs for a system are taken."""
    enabled = await call.door.look_up(lambda t: t.systems.is_enabled(call.user, call.path["systemId"]))
    return Reply(
        wire_definitions.enabled(enabled), f"TAPIS_FOUND System is {'' if enabled else 'not '}enabled."
    )


async def enable_system(call: Call) -> Reply:
    """Take jobs for a system."""
    return await _set_enabled(call, enabled=True)


async def disable_system(call: Call) -> Reply:
    """Take no more jobs for a system."""
    return await _set_enabled(call, enabled=False)


async def _set_enabled(call: Call, *, enabled: bool) -> Reply:
    name = call.path["systemId"]
    changes = await call.door.change(lambda t: t.systems.set_enabled(call.user, name, enabled))
    return counted(changes, f"SYSAPI_UPDATED System {'enabled' if enabled else 'disabled'}: {name}.")


async def delete_system(call: Call) -> Reply:
    """Take a system out of sight; it can be undeleted."""
    changes = await call.door.change(lambda t: t.systems.delete(call.user, call.path["systemId"]))
    return counted(changes, f"SYSAPI_UPDATED System deleted: {call.path['systemId']}.")


async def undelete_system(call: Call) -> Reply:
    """Bring a deleted system back."""
    changes = await call.door.change(lambda t: t.systems.undelete(call.user, call.path["systemId"]))
    return counted(changes, f"SYSAPI_UPDATED System undeleted: {call.path['systemId']}.")


async def change_owner(call: Call) -> Reply:
    """Give a system to another user."""
    name, owner = call.path["systemId"], call.path["userName"]
    changes = await call.door.change(lambda t: t.systems.change_owner(call.user, name, owner))
    await call.door.desks(lambda d: d.pool.forget(name))
    return counted(changes, f"SYSAPI_UPDATED System {name} belongs to {owner}.")


async def get_history(call: Call) -> Reply:
    """Tell who changed what of a system."""
    entries = await call.door.look_up(lambda t: t.systems.history(call.user, call.path["systemId"]))
    rows = [history_to_wire(entry, call.user.tenant) for entry in entries]
    return Reply(rows, f"TAPIS_FOUND System history found: {len(rows)}.")


async def host_eval(call: Call) -> Reply:
    """Tell an environment variable of the effective user's login shell on the host."""
    name, variable = call.path["systemId"], call.path["envVarName"]
    value = await call.door.desks(lambda d: d.credentials.host_eval(call.user, name, variable))
    return Reply({"name": value}, f"SYSAPI_HOST_EVAL {variable} of {name} resolved.")


_SYSTEMS = "/v3/systems"
_SYSTEM = f"{_SYSTEMS}/{{systemId}}"
ROUTES = (
    Route("GET", _SYSTEMS, "getSystems", list_systems, queries.CatalogList, result=list[dict[str, Any]]),
    Route("POST", _SYSTEMS, "createSystem", create_system, queries.NewSystem, System, Takes.RAW,
          Created, status=201),
    Route("GET", f"{_SYSTEMS}/search", "searchSystemsQueryParameters", search_systems, queries.CatalogList,
          result=list[dict[str, Any]]),
    Route("POST", f"{_SYSTEMS}/search", "searchSystemsRequestBody", search_systems_sql, queries.CatalogList,
          SearchBody, Takes.MODEL, list[dict[str, Any]]),
    Route("POST", f"{_SYSTEMS}/match/constraints", "matchConstraints", match_constraints, queries.SystemMatch,
          MatchBody, Takes.MODEL, list[dict[str, Any]]),
    Route("GET", _SYSTEM, "getSystem", get_system, queries.CatalogItem, result=System | dict[str, Any]),
    Route("PATCH", _SYSTEM, "patchSystem", patch_system, body=dict[str, Any], takes=Takes.RAW,
          result=Created),
    Route("PUT", _SYSTEM, "putSystem", put_system, body=dict[str, Any], takes=Takes.RAW, result=Created),
    Route("GET", f"{_SYSTEM}/isEnabled", "isEnabled", is_enabled, result=Enabled),
    Route("POST", f"{_SYSTEM}/enable", "enableSystem", enable_system, result=Changes),
    Route("POST", f"{_SYSTEM}/disable", "disableSystem", disable_system, result=Changes),
    Route("POST", f"{_SYSTEM}/delete", "deleteSystem", delete_system, result=Changes),
    Route("POST", f"{_SYSTEM}/undelete", "undeleteSystem", undelete_system, result=Changes),
    Route("POST", f"{_SYSTEM}/changeOwner/{{userName}}", "changeSystemOwner", change_owner,
          result=Changes),
    Route("GET", f"{_SYSTEM}/history", "getHistory", get_history, result=list[HistoryRow]),
    Route("GET", f"{_SYSTEM}/hostEval/{{envVarName}}", "hostEval", host_eval, result=Variable),
)  # fmt: skip
