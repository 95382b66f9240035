"""Columns and actions of other packages (ours): which there are, what they tell, and doing them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from ..model.errors import NotAllowedError, NotFoundError, TapisJobsError, did_you_mean
from ..model.extensions import Extension
from ..model.row_extras import ROW_FIELDS, JobAction, JobColumn, Row, plain
from ..model.search import Comparison, JobQuery
from ..model.wire import selected_to_wire
from .call import Call
from .plugins import plugins
from .reply import Reply
from .route import Route, Takes
from .wire_jobs import Asked
from .wire_views import ColumnValues, RowExtras, SomeJobs

log = logging.getLogger(__name__)


async def get_extras(call: Call) -> Reply:
    """List the columns and actions that other packages add to jobs."""
    found = await asyncio.to_thread(plugins)
    told = {
        "columns": [
            {"name": name, "title": item.title, "kind": item.kind} for name, item in found.columns.items()
        ],
        "actions": [
            {"name": name, "title": item.title, "confirm": item.confirm, "statuses": list(item.statuses)}
            for name, item in found.actions.items()
        ],
        "faults": list(found.faults),
    }
    return Reply(told, f"JOBS_EXTRAS_FOUND {len(found.columns)} columns, {len(found.actions)} actions.")


async def get_values(call: Call) -> Reply:
    """Tell what the added columns have for some jobs; jobs that are not the caller's are left out."""
    columns = (await asyncio.to_thread(plugins)).columns
    rows = await _rows(call)
    values = await asyncio.to_thread(
        lambda: {
            row["uuid"]: {name: _value(name, item, row) for name, item in columns.items()} for row in rows
        }
    )
    return Reply({"values": values}, f"JOBS_VALUES_FOUND Values of {len(values)} jobs.")


async def run_action(call: Call) -> Reply:
    """Do an added action with some jobs of the server's own user; each row tells what became of it."""
    if not call.user.is_server_user:
        raise NotAllowedError("Actions of other packages work as the server's own user, for that user only.")
    name, actions = call.path["actionName"], (await asyncio.to_thread(plugins)).actions
    if name not in actions:
        raise NotFoundError(f"There is no action '{name[:100]}' here.{did_you_mean(name, actions)}")
    rows = {row["uuid"]: row for row in await _rows(call)}
    told = await asyncio.to_thread(
        lambda: [_done(actions[name], uuid, rows.get(uuid)) for uuid in dict.fromkeys(call.body.uuids)]
    )
    good = sum(row["status"] == "success" for row in told)
    return Reply(told, f"JOBS_ACTION_DONE {name}: {good} of {len(told)} jobs.")


async def _rows(call: Call) -> Sequence[Row]:
    uuids = tuple(dict.fromkeys(call.body.uuids))
    if not uuids:
        return []
    query = JobQuery(
        where=Comparison("uuid", "in", uuids), limit=-1, list_type="ALL_JOBS", include_hidden=True
    )
    page = await call.door.ask(lambda engine: engine.views.search(call.user, query))
    return [selected_to_wire(job, None, ROW_FIELDS) for job in page.rows]


def _value(name: str, column: JobColumn, row: Row) -> Any:
    try:
        return plain(column.value(row))
    except Exception:
        log.warning("column %s of job %s", name, row["uuid"], exc_info=True)
        return None


def _done(action: JobAction, uuid: str, row: Row | None) -> dict[str, Any]:
    """Do *action* with one job, and tell."""
    if row is None:
        return _told(uuid, "error", f"there is no job {uuid}, or it is not yours.")
    if action.statuses and row["status"] not in action.statuses:
        return _told(uuid, "error", f"{action.title} is for jobs that are {', '.join(action.statuses)}.")
    try:
        words = plain(action.run(row))
    except TapisJobsError as fault:
        return _told(uuid, "error", fault.message)
    except Exception as fault:
        log.warning("action %s of job %s", action.title, uuid, exc_info=True)
        return _told(uuid, "error", f"{type(fault).__name__}: {fault}"[:1000])
    return _told(uuid, "success", "" if words is None else str(words))


def _told(uuid: str, status: str, message: str) -> dict[str, Any]:
    return {"uuid": uuid, "status": status, "message": message}


_JOBS = "/v3/tapisjobs/jobs"
_OURS = Extension.VIEWS
ROUTES = (
    Route("GET", f"{_JOBS}/extras", "getJobExtras", get_extras, result=RowExtras, extension=_OURS),
    Route("POST", f"{_JOBS}/extras/values", "getJobExtraValues", get_values, body=SomeJobs,
          takes=Takes.MODEL, result=ColumnValues, extension=_OURS),
    Route("POST", f"{_JOBS}/extras/actions/{{actionName}}", "runJobAction", run_action, body=SomeJobs,
          takes=Takes.MODEL, result=list[Asked], extension=_OURS),
)  # fmt: skip
