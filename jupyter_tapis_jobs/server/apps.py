"""The Apps API (Tapis Apps, "REST API")."""

from __future__ import annotations

from typing import Any

from ..engine.apps import SUMMARY, app_to_wire
from ..model.app import App
from ..model.user import User
from . import queries, wire
from .call import Call
from .catalogs import cut, listing, page
from .reply import Reply
from .route import Route, Takes


async def create_app(call: Call) -> Reply:
    """Register an app, or a new version of one."""
    app, warnings = await call.door.change(lambda t: t.apps.create(call.user, call.body))
    made = {"url": f"{call.base}/v3/apps/{app.id}/{app.version}", "warnings": warnings}
    return Reply(made, f"APPAPI_CREATED App created: {app.id} {app.version}.", status=201)


async def list_apps(call: Call) -> Reply:
    """List apps."""
    return await _found(call, call.query.search)


async def search_apps(call: Call) -> Reply:
    """List the apps that ``attribute.operator=value`` select."""
    return await _found(call, None)


async def search_apps_sql(call: Call) -> Reply:
    """List the apps that a WHERE clause selects."""
    return await _found(call, call.body.search)


async def _found(call: Call, search: Any) -> Reply:
    wanted = listing(call, search)
    found = await call.door.look_up(lambda t: t.apps.search(call.user, wanted))
    return page(call, found, app_to_wire, SUMMARY, "Apps")


async def get_app(call: Call) -> Reply:
    """Return one version of an app, or the latest."""
    name, version = call.path["appId"], call.path.get("appVersion")
    app = await call.door.look_up(lambda t: t.apps.get(call.user, name, version))
    return Reply(cut(call, app_to_wire(app), SUMMARY), f"TAPIS_FOUND App found: {app.id} {app.version}.")


async def patch_app(call: Call) -> Reply:
    """Change some attributes of a version."""
    name, version = call.path["appId"], call.path["appVersion"]
    app, warnings = await call.door.change(lambda t: t.apps.patch(call.user, name, version, call.body))
    return _updated(call, app, warnings)


async def put_app(call: Call) -> Reply:
    """Replace all attributes of a version."""
    name, version = call.path["appId"], call.path["appVersion"]
    app, warnings = await call.door.change(lambda t: t.apps.put(call.user, name, version, call.body))
    return _updated(call, app, warnings)


def _updated(call: Call, app: App, warnings: list[str]) -> Reply:
    made = {"url": f"{call.base}/v3/apps/{app.id}/{app.version}", "warnings": warnings}
    return Reply(made, f"APPAPI_UPDATED App updated: {app.id} {app.version}.")
