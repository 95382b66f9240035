"""The Apps API (Tapis Apps, "REST API")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.apps import SUMMARY
from ..engine.catalog import Listing, history_to_wire
from ..model.app import App
from ..model.search import APP_ATTRIBUTES
from . import queries, wire_definitions
from .call import Call
from .catalogs import clause, counted, cut, listed, page, queried
from .reply import Reply
from .route import Route, Takes
from .wire_definitions import Changes, Created, Enabled, HistoryRow
from .wire_jobs import SearchBody


async def create_app(call: Call) -> Reply:
    """Register an app, or a new version of one."""
    app = await call.door.change(lambda t: t.apps.create(call.user, call.body))
    return await _stored(call, app, "APPAPI_CREATED App created", call.body)


async def list_apps(call: Call) -> Reply:
    """List apps."""
    return await _found(call, listed(call, APP_ATTRIBUTES))


async def search_apps(call: Call) -> Reply:
    """List the apps that ``attribute.operator=value`` select."""
    return await _found(call, queried(call, APP_ATTRIBUTES))


async def search_apps_sql(call: Call) -> Reply:
    """List the apps that a WHERE clause selects."""
    return await _found(call, clause(call, APP_ATTRIBUTES))


async def _found(call: Call, wanted: Listing) -> Reply:
    found = await call.door.look_up(lambda t: t.apps.search(call.user, wanted))
    return page(call, found, App.to_wire, SUMMARY, "Apps")


async def get_app(call: Call) -> Reply:
    """Return one version of an app, or the latest."""
    name, version = call.path["appId"], call.path.get("appVersion")
    app = await call.door.look_up(lambda t: t.apps.get(call.user, name, version))
    return Reply(cut(call, app.to_wire(), SUMMARY), f"TAPIS_FOUND App found: {app.id} {app.version}.")


async def patch_app(call: Call) -> Reply:
    """Change some attributes of a version."""
    name, version = call.path["appId"], call.path["appVersion"]
    app = await call.door.change(lambda t: t.apps.patch(call.user, name, version, call.body))
    return await _stored(call, app, "APPAPI_UPDATED App updated")


async def put_app(call: Call) -> Reply:
    """Replace all attributes of a version."""
    name, version = call.path["appId"], call.path["appVersion"]
    app = await call.door.change(lambda t: t.apps.put(call.user, name, version, call.body))
    return await _stored(call, app, "APPAPI_UPDATED App updated", call.body)


async def _stored(call: Call, app: App, words: str, said: Mapping[str, Any] | None = None) -> Reply:
    """Tell where it is, and what its owner should know of what they *said*."""
    warnings = await call.door.look_up(lambda t: t.apps.review({**app.to_wire(), **(said or {})}, call.user))
    stored = {"url": f"{call.base}/v3/apps/{app.id}/{app.version}", "warnings": warnings}
    return Reply(stored, f"{words}: {app.id} {app.version}.")


async def is_enabled(call: Call) -> Reply:
    """Tell whether jobs of an app are taken."""
    enabled = await call.door.look_up(lambda t: t.apps.is_enabled(call.user, call.path["appId"]))
    return Reply(wire_definitions.enabled(enabled), f"TAPIS_FOUND App is {'' if enabled else 'not '}enabled.")


async def enable_app(call: Call) -> Reply:
    """Take jobs of an app, or of one version of it."""
    return await _set_enabled(call, enabled=True)


async def disable_app(call: Call) -> Reply:
    """Take no more jobs of an app, or of one version of it."""
    return await _set_enabled(call, enabled=False)


async def _set_enabled(call: Call, *, enabled: bool) -> Reply:
    name, version = call.path["appId"], call.path.get("appVersion")
    changes = await call.door.change(lambda t: t.apps.set_enabled(call.user, name, enabled, version))
    return counted(changes, f"APPAPI_UPDATED App {'enabled' if enabled else 'disabled'}: {name}.")


async def lock_app(call: Call) -> Reply:
    """Keep a version from being changed."""
    return await _set_locked(call, locked=True)


async def unlock_app(call: Call) -> Reply:
    """Let a version be changed again."""
    return await _set_locked(call, locked=False)


async def _set_locked(call: Call, *, locked: bool) -> Reply:
    name, version = call.path["appId"], call.path["appVersion"]
    changes = await call.door.change(lambda t: t.apps.set_locked(call.user, name, version, locked))
    return counted(changes, f"APPAPI_UPDATED App {'locked' if locked else 'unlocked'}: {name} {version}.")


async def delete_app(call: Call) -> Reply:
    """Take an app with all its versions out of sight; it can be undeleted."""
    changes = await call.door.change(lambda t: t.apps.delete(call.user, call.path["appId"]))
    return counted(changes, f"APPAPI_UPDATED App deleted: {call.path['appId']}.")


async def undelete_app(call: Call) -> Reply:
    """Bring a deleted app back."""
    changes = await call.door.change(lambda t: t.apps.undelete(call.user, call.path["appId"]))
    return counted(changes, f"APPAPI_UPDATED App undeleted: {call.path['appId']}.")


async def change_owner(call: Call) -> Reply:
    """Give an app to another user."""
    name, owner = call.path["appId"], call.path["userName"]
    changes = await call.door.change(lambda t: t.apps.change_owner(call.user, name, owner))
    return counted(changes, f"APPAPI_UPDATED App {name} belongs to {owner}.")


async def get_history(call: Call) -> Reply:
    """Tell who changed what of an app."""
    entries = await call.door.look_up(lambda t: t.apps.history(call.user, call.path["appId"]))
    rows = [history_to_wire(entry, call.user.tenant) for entry in entries]
    return Reply(rows, f"TAPIS_FOUND App history found: {len(rows)}.")


_APPS = "/v3/apps"
_APP = f"{_APPS}/{{appId}}"
_VERSION = f"{_APP}/{{appVersion}}"
ROUTES = (
    Route("GET", _APPS, "getApps", list_apps, queries.CatalogList, result=list[dict[str, Any]]),
    Route("POST", _APPS, "createAppVersion", create_app, body=App, takes=Takes.RAW, result=Created,
          status=201),
    Route("GET", f"{_APPS}/search", "searchAppsQueryParameters", search_apps, queries.CatalogList,
          result=list[dict[str, Any]]),
    Route("POST", f"{_APPS}/search", "searchAppsRequestBody", search_apps_sql, queries.CatalogList,
          SearchBody,
          Takes.MODEL, list[dict[str, Any]]),
    Route("GET", _APP, "getAppLatestVersion", get_app, queries.CatalogItem, result=App | dict[str, Any]),
    Route("GET", _VERSION, "getApp", get_app, queries.CatalogItem, result=App | dict[str, Any]),
    Route("PATCH", _VERSION, "patchApp", patch_app, body=dict[str, Any], takes=Takes.RAW,
          result=Created),
    Route("PUT", _VERSION, "putApp", put_app, body=dict[str, Any], takes=Takes.RAW, result=Created),
    Route("GET", f"{_APP}/isEnabled", "isEnabled", is_enabled, result=Enabled),
    Route("POST", f"{_APP}/enable", "enableApp", enable_app, result=Changes),
    Route("POST", f"{_APP}/disable", "disableApp", disable_app, result=Changes),
    Route("POST", f"{_VERSION}/enable", "enableAppVersion", enable_app, result=Changes),
    Route("POST", f"{_VERSION}/disable", "disableAppVersion", disable_app, result=Changes),
    Route("POST", f"{_VERSION}/lock", "lockApp", lock_app, result=Changes),
    Route("POST", f"{_VERSION}/unlock", "unlockApp", unlock_app, result=Changes),
    Route("POST", f"{_APP}/delete", "deleteApp", delete_app, result=Changes),
    Route("POST", f"{_APP}/undelete", "undeleteApp", undelete_app, result=Changes),
    Route("POST", f"{_APP}/changeOwner/{{userName}}", "changeAppOwner", change_owner, result=Changes),
    Route("GET", f"{_APP}/history", "getHistory", get_history, result=list[HistoryRow]),
)  # fmt: skip
