"""Pause and resume of jobs that have not begun: ours, for no call of Tapis leads to its status PAUSED."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ..model.errors import TapisJobsError
from ..model.extensions import Extension
from ..model.job import Job
from ..model.status import JobStatus
from .call import Call
from .reply import Reply
from .route import Route, Takes
from .wire_jobs import Asked, Told, Uuids

Results = list[Job | TapisJobsError]

_HELD = "The job is held; resume it to go on."
_HOLDING = "The job is asked to be held; it is PAUSED once nothing can start it."
_RELEASING = "The job is let go; it goes on where it stopped."


async def pause_job(call: Call) -> Reply:
    """Hold a job back that has not begun."""
    return _one(await _paused(call, [call.path["jobUuid"]]), "JOBS_JOB_PAUSE_ACCEPTED")


async def resume_job(call: Call) -> Reply:
    """Let a held job go on."""
    return _one(await _resumed(call, [call.path["jobUuid"]]), "JOBS_JOB_RESUME_ACCEPTED")


async def pause_bulk(call: Call) -> Reply:
    """Hold many jobs back; each row tells what became of it."""
    return await _many(call, _paused, "JOBS_JOB_PAUSE_ACCEPTED")


async def resume_bulk(call: Call) -> Reply:
    """Let many held jobs go on; each row tells what became of it."""
    return await _many(call, _resumed, "JOBS_JOB_RESUME_ACCEPTED")


async def _paused(call: Call, uuids: Sequence[str]) -> Results:
    return await call.door.ask(lambda engine: engine.holding.pause(call.user, uuids))


async def _resumed(call: Call, uuids: Sequence[str]) -> Results:
    return await call.door.ask(lambda engine: engine.holding.resume(call.user, uuids))


def _one(results: Results, code: str) -> Reply:
    (result,) = results
    if isinstance(result, TapisJobsError):
        raise result
    words = _said(result, code)
    return Reply({"message": words}, f"{code} {words}")


async def _many(call: Call, ask: Callable[[Call, Sequence[str]], Awaitable[Results]], code: str) -> Reply:
    uuids = list(dict.fromkeys(call.body.uuids))
    results = await ask(call, uuids)
    rows = [_row(uuid, result, code) for uuid, result in zip(uuids, results, strict=True)]
    accepted = sum(isinstance(result, Job) for result in results)
    return Reply(rows, f"{code} {accepted} of {len(rows)} jobs.")


def _row(uuid: str, result: Job | TapisJobsError, code: str) -> dict[str, Any]:
    if isinstance(result, TapisJobsError):
        return {"uuid": uuid, "status": "error", "message": f"{result.code} {result.message}"}
    return {"uuid": uuid, "status": "success", "message": _said(result, code)}


def _said(job: Job, code: str) -> str:
    if "RESUME" in code:
        return _RELEASING
    return _HELD if job.status is JobStatus.PAUSED else _HOLDING


_JOB = "/v3/jobs/{jobUuid}"
_OURS = Extension.HOLD
ROUTES = (
    Route("POST", "/v3/jobs/pause/bulk", "pauseJobs", pause_bulk, body=Uuids, takes=Takes.MODEL,
          result=list[Asked], extension=_OURS),
    Route("POST", "/v3/jobs/resume/bulk", "resumeJobs", resume_bulk, body=Uuids, takes=Takes.MODEL,
          result=list[Asked], extension=_OURS),
    Route("POST", f"{_JOB}/pause", "pauseJob", pause_job, result=Told, extension=_OURS),
    Route("POST", f"{_JOB}/resume", "resumeJob", resume_job, result=Told, extension=_OURS),
)  # fmt: skip
