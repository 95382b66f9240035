"""The Jobs API (Tapis Jobs, "REST API"), and what is ours beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection

from ..engine.engine import Engine
from ..engine.files import file_to_wire
from ..engine.outputs import output_place
from ..model import search as job_search
from ..model.errors import InvalidInputError, TapisJobsError
from ..model.extensions import Extension
from ..model.job import Job
from ..model.names import wire_name
from ..model.request import SubmitRequest
from ..model.search import Condition, JobQuery
from ..model.texts import shown
from ..model.wire import (
    HistoryEntry,
    JobDetails,
    JobStanding,
    JobSummary,
    event_to_wire,
    job_to_wire,
    needs_definition,
    selected_to_wire,
    status_to_wire,
)
from ..store import jobs as job_rows
from ..store import search as job_pages
from . import events, queries
from .call import Call
from .download import attachment
from .envelope import text
from .faults import refusal
from .lists import LIMIT, metadata
from .reply import Columns, Reply, Rows, Stream
from .route import Answers, Route, Takes
from .wire_jobs import (
    Collected,
    FileRow,
    SearchBody,
    Submitted,
    UserEvent,
    Validated,
    Visibility,
)

# Models that are made by a function are no types to mypy.
_COLUMNS: Any = dict[str, list[Any]]
_SUMMARIES: Any = list[JobSummary] | _COLUMNS  # type: ignore[valid-type]
#: Source: Tapis, "Tracking ID"; tapipy sends it for ``_x_tapis_tracking_id``.
TRACKING_HEADER = "X-Tapis-Tracking-ID"
_TRACKING = re.compile(r"(?=.{3,126}$)[A-Za-z0-9_]+\.[A-Za-z0-9-]+")


# -- submitting


async def submit_job(call: Call) -> Reply:
    """Accept one request."""
    if _has_inline(call.body.get("fileInputs")):
        call.service.want(Extension.INLINE, "a data: address is")
    (result,) = await call.door.call(Engine.submit, call.user, [call.body], tracking_id=_tracking_id(call))
    if isinstance(result, TapisJobsError):
        raise result
    job, definition = result
    return Reply(job_to_wire(job, definition), f"JOBS_CREATED Job {job.uuid} created by {call.user.name}.")


def _has_inline(inputs: Any) -> bool:
    """True where *inputs*, not checked yet, hold a file inside the request."""
    items = inputs if isinstance(inputs, list) else []
    return any(isinstance(item, dict) and str(item.get("sourceUrl")).startswith("data:") for item in items)


async def submit_bulk(call: Call) -> Reply:
    """Accept many requests in one transaction; each becomes a job or its error."""
    results = await call.door.call(
        Engine.submit,
        call.user,
        call.body,
        atomic=call.query.atomic,
        launch_mode=call.query.launch_mode,
        tracking_id=_tracking_id(call),
    )
    good = sum(not isinstance(result, TapisJobsError) for result in results)
    return Reply(Rows(results, _submitted), f"JOBS_CREATED {good} of {len(results)} jobs created.")


def _submitted(result: Any) -> dict[str, Any]:
    if isinstance(result, TapisJobsError):
        return {"error": refusal(result)}
    job = result[0]
    return {"uuid": job.uuid, "name": job.name, "status": job.status}


async def validate_job(call: Call) -> Reply:
    """Tell what a request would become; nothing is stored."""
    preview = await call.door.call(Engine.validate, call.user, call.body)
    definition = preview.definition
    shown = {
        "job": job_to_wire(preview.job, definition),
        "script": preview.script,
        "environment": preview.environment,
        "sources": definition.sources,
        "origins": [asdict(origin) for origin in preview.origins],
        "warnings": list(definition.warnings),
    }
    return Reply(shown, "JOBS_VALID The request would be accepted.")


async def resubmit_job(call: Call) -> Reply:
    """Submit the original request again under a new uuid, with the changes of the body."""
    if call.body:
        call.service.want(Extension.CHANGES, "changes of a resubmitted request are")
    job, definition = await call.door.call(
        Engine.resubmit, call.user, call.path["jobUuid"], call.body or {}, tracking_id=_tracking_id(call)
    )
    return Reply(job_to_wire(job, definition), f"JOBS_CREATED Job {job.uuid} created by {call.user.name}.")


def _tracking_id(call: Call) -> str | None:
    """Return the caller's own id for what it does, which the jobs keep."""
    given = call.headers.get(TRACKING_HEADER)
    if given is not None and not _TRACKING.fullmatch(given):
        raise InvalidInputError(
            f"{TRACKING_HEADER} {shown(given)} is not <namespace>.<id>: letters, digits and _, one point, "
            "letters, digits and -, 126 characters at most.",
            field=TRACKING_HEADER,
            value=given,
        )
    return given


async def resubmit_request(call: Call) -> Reply:
    """Return the original request."""
    request = await call.door.ask(lambda engine: engine.views.request(call.user, call.path["jobUuid"]))
    return Reply(request, f"JOBS_RETRIEVED Request of job {call.path['jobUuid']} retrieved.")


# -- looking


async def get_job(call: Call) -> Reply:
    """Return one job."""
    job, definition = await call.door.ask(lambda engine: engine.views.job(call.user, call.path["jobUuid"]))
    return Reply(job_to_wire(job, definition), f"JOBS_RETRIEVED Job {job.uuid} retrieved.")


async def get_status(call: Call) -> Reply:
    """Return where a job stands."""
    job, _ = await call.door.ask(lambda engine: engine.views.job(call.user, call.path["jobUuid"]))
    return Reply(status_to_wire(job), f"JOBS_STATUS_RETRIEVED {job.uuid}: {job.status}.")


async def get_history(call: Call) -> Reply:
    """Return a job's events, oldest first."""
    limit = LIMIT if call.query.limit is None else call.query.limit
    rows = await call.door.ask(
        lambda engine: engine.views.history(call.user, call.path["jobUuid"], limit, call.query.skip)
    )
    return Reply(Rows(rows, event_to_wire), f"TAPIS_FOUND Job history found: {len(rows)}.")


async def list_jobs(call: Call) -> Reply:
    """List the caller's jobs, newest first."""
    return await _search(call, job_search.EVERYTHING)


async def search_jobs(call: Call) -> Reply:
    """List the jobs that ``attribute.operator=value`` select."""
    return await _search(call, job_search.from_query(call.conditions))


async def search_jobs_sql(call: Call) -> Reply:
    """List the jobs that a WHERE clause selects; of ours also conditions as those of a query."""
    where = job_search.from_sql("".join(call.body.search))
    if Extension.VIEWS in call.service.extensions:
        where = job_search.both(where, job_search.from_query(call.conditions))
    return await _search(call, where)


async def _search(call: Call, where: Condition) -> Reply:
    query = await asked_query(call, where)
    if call.query.format == "columns" and Extension.COLUMNS in call.service.extensions:
        return await _columns(call, query)
    page = await call.door.ask(lambda engine: engine.views.search(call.user, query))
    rows = Rows(page.rows, await _row_maker(call, query, page.rows))
    told = metadata(call.query, len(page.rows), page.total, query.limit)
    return Reply(rows, f"TAPIS_FOUND Jobs found: {len(page.rows)}.", told)


async def asked_query(call: Call, where: Condition) -> JobQuery:
    """Return which jobs a call asks for: those of *where* that its parameters leave."""
    given = call.query.as_given()
    if Extension.VIEWS not in call.service.extensions:
        return job_search.job_query(given, where)
    where = job_search.holding(where, call.query.text or "")
    if call.query.group is not None:
        where = job_search.both(where, await call.service.groups.condition(call.user.name, call.query.group))
    return job_search.job_query(given, where, include_hidden=call.query.include_hidden)


async def _row_maker(call: Call, query: JobQuery, jobs: Sequence[Job]) -> Callable[[Job], dict[str, Any]]:
    """Return what makes a row of a job: the chosen attributes, some of which only its definition has."""
    if not needs_definition(query.select):
        return lambda job: selected_to_wire(job, None, query.select)
    definitions = await call.door.read(lambda c: job_rows.definitions(c, [job.id for job in jobs]))
    return lambda job: selected_to_wire(job, definitions[job.id], query.select)


async def _columns(call: Call, query: JobQuery) -> Reply:
    """Return the same as columns, put into JSON beside the loop as there may be very many."""

    def read(connection: Connection) -> list[tuple[int, list[str]]]:
        pages = job_pages.summary_columns(connection, query, call.user.name)
        return [(len(columns[0]), [text(column)[1:-1] for column in columns]) for columns in pages]

    slices = await call.door.read(read)
    names = [wire_name(name) for name in job_pages.SUMMARY_COLUMNS]
    count = sum(number for number, _ in slices)
    found = Columns(names, [texts for _, texts in slices])
    return Reply(found, f"TAPIS_FOUND Jobs found: {count}.", metadata(call.query, count, -1, query.limit))


# -- outputs


async def list_outputs(call: Call) -> Reply:
    """List what a job has written: all levels, or one when limit or skip is given."""
    query = call.query
    rows = await call.door.ask(
        lambda engine: engine.views.output_list(
            call.user,
            call.path["jobUuid"],
            call.path["path"],
            limit=query.limit,
            skip=query.skip or 0,
            allow_if_running=query.allow_if_running,
        )
    )
    job, definition = await call.door.ask(lambda engine: engine.views.job(call.user, call.path["jobUuid"]))
    system, folder = output_place(job, definition)
    found = Rows(
        rows, lambda info: file_to_wire(replace(info, path=f"{folder}/{info.path}".lstrip("/")), system)
    )
    return Reply(found, f"TAPIS_FOUND Job outputs found: {len(rows)}.")


async def download_output(call: Call) -> Stream:
    """Send one output, or a directory as a zip file."""
    found = await call.door.ask(
        lambda engine: engine.views.output_open(
            call.user,
            call.path["jobUuid"],
            call.path["path"],
            as_zip=call.query.compress or call.query.format == "zip",
            only=call.query.only.split("/") if call.query.only else None,
            allow_if_running=call.query.allow_if_running,
        )
    )
    return attachment(found.name, await call.door.bridged(found.chunks), found.size)


async def follow_output(call: Call) -> Stream:
    """Send an output while it grows, until the job has ended."""
    uuid, path, offset = call.path["jobUuid"], call.path["path"], call.query.offset
    await call.door.ask(lambda engine: engine.views.output_check(call.user, uuid, path))
    chunks = await call.door.stream(
        lambda engine: engine.views.output_follow(call.user, uuid, path, offset=offset)
    )
    sent = attachment(path.rsplit("/", 1)[-1] or uuid, chunks, None)
    return Stream(chunks=chunks, headers={**sent.headers, "X-Accel-Buffering": "no"}, at_once=True)


async def collect_outputs(call: Call) -> Stream:
    """Send one output of many jobs as a tar stream: ``files/UUID``, or ``errors/UUID`` that says why not."""
    body = call.body
    chunks = await call.door.stream(
        lambda engine: engine.views.output_collect(call.user, body.uuids, body.path, is_glob=body.glob)
    )
    return attachment("outputs.tar", chunks, None)


# -- steering


async def hide_job(call: Call) -> Reply:
    """Leave a job out of lists."""
    return await _set_visible(call, visible=False)


async def unhide_job(call: Call) -> Reply:
    """Show a job in lists again."""
    return await _set_visible(call, visible=True)


async def _set_visible(call: Call, *, visible: bool) -> Reply:
    job = await call.door.ask(
        lambda engine: engine.steering.set_visible(call.user, call.path["jobUuid"], visible)
    )
    words = "shown in" if visible else "hidden from"
    told = f"JOBS_JOB_CHANGED_VISIBILITY {job.uuid} is {words} lists."
    return Reply({"uuid": job.uuid, "visible": visible, "message": told}, told)


async def send_event(call: Call) -> Reply:
    """Add an event to an active job's history."""
    event = await call.door.ask(
        lambda engine: engine.steering.send_event(
            call.user, call.path["jobUuid"], call.body.event_data, call.body.event_detail
        )
    )
    return Reply(event_to_wire(event), f"JOBS_EVENT_SENT Event sent to job {call.path['jobUuid']}.")


_JOB = "/v3/jobs/{jobUuid}"
_OUT = f"{_JOB}/output"
ROUTES = (
    Route("POST", "/v3/jobs/submit", "submitJob", submit_job, body=SubmitRequest, takes=Takes.RAW,
          result=JobDetails),
    Route("POST", "/v3/jobs/submit/bulk", "submitJobs", submit_bulk, queries.Bulk, list[dict[str, Any]],
          Takes.MODEL, list[Submitted], extension=Extension.BULK),
    Route("POST", "/v3/jobs/validate", "validateJob", validate_job, body=SubmitRequest, takes=Takes.RAW,
          result=Validated, extension=Extension.VALIDATE),
    Route("POST", "/v3/jobs/output/bulk", "collectJobOutputs", collect_outputs, body=Collected,
          takes=Takes.MODEL, answers=Answers.BYTES, extension=Extension.BULK),
    Route("GET", "/v3/jobs/list", "getJobList", list_jobs, queries.JobList, result=_SUMMARIES),
    Route("GET", "/v3/jobs/search", "getJobSearchList", search_jobs, queries.JobSearch,
          result=list[dict[str, Any]] | _COLUMNS),
    Route("POST", "/v3/jobs/search", "getJobSearchListByPostSqlStr", search_jobs_sql, queries.JobSearch,
          SearchBody, Takes.MODEL, list[dict[str, Any]] | _COLUMNS),
    Route("GET", "/v3/jobs/events", "getJobEvents", events.stream_events, queries.After,
          answers=Answers.EVENTS, extension=Extension.EVENTS),
    Route("GET", _JOB, "getJob", get_job, result=JobDetails),
    Route("GET", f"{_JOB}/status", "getJobStatus", get_status, result=JobStanding),
    Route("GET", f"{_JOB}/history", "getJobHistory", get_history, queries.Paged, result=list[HistoryEntry]),
    Route("GET", f"{_JOB}/resubmit_request", "getResubmitRequestJson", resubmit_request,
          result=SubmitRequest),
    Route("POST", f"{_JOB}/resubmit", "resubmitJob", resubmit_job, body=dict[str, Any] | None,
          takes=Takes.MODEL,
          result=JobDetails),
    Route("POST", f"{_JOB}/hide", "hideJob", hide_job, result=Visibility),
    Route("POST", f"{_JOB}/unhide", "unhideJob", unhide_job, result=Visibility),
    Route("POST", f"{_JOB}/sendEvent", "sendEvent", send_event, body=UserEvent, takes=Takes.MODEL,
          result=HistoryEntry),
    Route("GET", f"{_OUT}/list/{{path}}", "getJobOutputList", list_outputs, queries.OutputList,
          result=list[FileRow]),
    Route("GET", f"{_OUT}/download/{{path}}", "getJobOutputDownload", download_output, queries.OutputDownload,
          answers=Answers.BYTES),
    Route("GET", f"{_OUT}/follow/{{path}}", "followJobOutput", follow_output, queries.OutputFollow,
          answers=Answers.BYTES, extension=Extension.FOLLOW),
)  # fmt: skip
