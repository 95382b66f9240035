"""Forms of apps (ours): drawn from the definition; filled, they are requests, and the other way round."""

from __future__ import annotations

from ..engine.catalog import Listing
from ..engine.thread import EngineThread
from ..model.app import App
from ..model.app_form import form_of, offered_systems
from ..model.extensions import Extension
from ..model.form_request import request_of, values_of
from ..model.system import System
from . import queries
from .call import Call
from .reply import Reply
from .route import Route, Takes
from .wire_views import AppForm, FilledForm, FormRequest, RequestOf

#: Where jobs run that nobody said anything about.
_HERE = "local"


async def get_form(call: Call) -> Reply:
    """Return the form of a job of an app: its schema, hints for drawing it, and its values at first."""

    def read(thread: EngineThread) -> dict[str, object]:
        app = _app(thread, call)
        listing = Listing(list_type="ALL", limit=0, order_by=[("id", "asc")])
        systems = thread.systems.search(call.user, listing).rows
        return form_of(app, systems, _system(thread, call, app, systems))

    form = await call.door.look_up(read)
    return Reply(form, f"JOBS_FORM_MADE Form of app {form['appId']} {form['appVersion']}.")


async def fill_form(call: Call) -> Reply:
    """Return the request that a filled form asks for; nothing is submitted."""
    app = await call.door.look_up(lambda thread: _app(thread, call))
    request = request_of(app, call.body.values, call.body.rest)
    return Reply({"request": request}, f"JOBS_FORM_READ Request of app {app.id} {app.version}.")


async def open_form(call: Call) -> Reply:
    """Return the values of a form for a request, and what of it a form has no fields for."""
    app = await call.door.look_up(lambda thread: _app(thread, call))
    values, rest = values_of(app, call.body.request)
    return Reply({"values": values, "rest": rest}, f"JOBS_FORM_FILLED Form of app {app.id} {app.version}.")


def _app(thread: EngineThread, call: Call) -> App:
    return thread.apps.get(call.user, call.path["appId"], call.path["appVersion"])


def _system(thread: EngineThread, call: Call, app: App, systems: list[System]) -> System | None:
    """Return the system asked for, else the app's own where it is offered, else this machine or the first."""
    asked = call.query.exec_system_id
    if asked:
        return thread.systems.get(call.user, asked)
    notes = app.notes if isinstance(app.notes, dict) else {}
    offered = {system.id: system for system in offered_systems(notes, systems)}
    wanted = (app.job_attributes.exec_system_id, _HERE, *offered)
    return next((offered[name] for name in wanted if name in offered), None)


_FORM = "/v3/tapisjobs/apps/{appId}/{appVersion}/form"
_OURS = Extension.VIEWS
ROUTES = (
    Route("GET", _FORM, "getAppForm", get_form, queries.Form, result=AppForm, extension=_OURS),
    Route("POST", _FORM, "fillAppForm", fill_form, body=FilledForm, takes=Takes.MODEL,
          result=FormRequest, extension=_OURS),
    Route("POST", f"{_FORM}/values", "openAppForm", open_form, body=RequestOf, takes=Takes.MODEL,
          result=FilledForm, extension=_OURS),
)  # fmt: skip
