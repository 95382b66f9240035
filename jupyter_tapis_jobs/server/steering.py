"""Cancel, pause and resume: what owners ask of jobs, one by one or many in a call.

Pause and resume are ours, for no call of Tapis leads to its status PAUSED.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model.errors import TapisJobsError
from ..model.extensions import Extension
from ..model.job import Job
from ..model.status import JobStatus
from ..model.user import User
from .call import Call
from .reply import Reply
from .route import Route, Takes
from .wire_jobs import Asked, Told, Uuids

if TYPE_CHECKING:
    from ..engine.engine import Engine

Results = list[Job | TapisJobsError]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of jobs, by which words it is answered."""

    #: The code of an answer.
    code: str
    ask: Callable[[Engine, User, Sequence[str]], Coroutine[Any, Any, Results]]
    #: The sentence for a job that the wish was taken for.
    says: Callable[[Job], str]

    async def of(self, call: Call, uuids: Sequence[str]) -> Results:
        """Ask it of the caller's jobs."""
        return await call.door.ask(lambda engine: self.ask(engine, call.user, uuids))

    async def of_one(self, call: Call) -> Reply:
        """Ask it of the job in the path."""
        (result,) = await self.of(call, [call.path["jobUuid"]])
        if isinstance(result, TapisJobsError):
            raise result
        words = self.says(result)
        return Reply({"message": words}, f"{self.code} {words}")

    async def of_many(self, call: Call) -> Reply:
        """Ask it of the jobs in the body; each row tells what became of it."""
        uuids = list(dict.fromkeys(call.body.uuids))
        results = await self.of(call, uuids)
        rows = [self._row(uuid, result) for uuid, result in zip(uuids, results, strict=True)]
        taken = sum(isinstance(result, Job) for result in results)
        return Reply(rows, f"{self.code} {taken} of {len(rows)} jobs.")

    def _row(self, uuid: str, result: Job | TapisJobsError) -> dict[str, Any]:
        if isinstance(result, TapisJobsError):
            return {"uuid": uuid, "status": "error", "message": f"{result.code} {result.message}"}
        return {"uuid": uuid, "status": "success", "message": self.says(result)}


def _held(job: Job) -> str:
    if job.status is JobStatus.PAUSED:
        return "The job is held; resume it to go on."
    return "The job is asked to be held; it is PAUSED once nothing can start it."


_CANCEL = Wish(
    "JOBS_JOB_CANCEL_ACCEPTED",
    lambda engine, user, uuids: engine.steering.cancel(user, uuids),
    lambda job: "The job is asked to end; it is CANCELLED once its processes are gone.",
)
_PAUSE = Wish("JOBS_JOB_PAUSE_ACCEPTED", lambda engine, user, uuids: engine.holding.pause(user, uuids), _held)
_RESUME = Wish(
    "JOBS_JOB_RESUME_ACCEPTED",
    lambda engine, user, uuids: engine.holding.resume(user, uuids),
    lambda job: "The job is let go; it goes on where it stopped.",
)


async def cancel_job(call: Call) -> Reply:
    """Ask a job to end."""
    return await _CANCEL.of_one(call)


async def pause_job(call: Call) -> Reply:
    """Hold a job back that has not begun."""
    return await _PAUSE.of_one(call)


async def resume_job(call: Call) -> Reply:
    """Let a held job go on."""
    return await _RESUME.of_one(call)


async def cancel_bulk(call: Call) -> Reply:
    """Ask many jobs to end; each row tells what became of it."""
    return await _CANCEL.of_many(call)


async def pause_bulk(call: Call) -> Reply:
    """Hold many jobs back; each row tells what became of it."""
    return await _PAUSE.of_many(call)


async def resume_bulk(call: Call) -> Reply:
    """Let many held jobs go on; each row tells what became of it."""
    return await _RESUME.of_many(call)


_JOB = "/v3/jobs/{jobUuid}"
_MANY: dict[str, Any] = {"body": Uuids, "takes": Takes.MODEL, "result": list[Asked]}
ROUTES = (
    Route("POST", "/v3/jobs/cancel/bulk", "cancelJobs", cancel_bulk, **_MANY, extension=Extension.BULK),
    Route("POST", "/v3/jobs/pause/bulk", "pauseJobs", pause_bulk, **_MANY, extension=Extension.HOLD),
    Route("POST", "/v3/jobs/resume/bulk", "resumeJobs", resume_bulk, **_MANY, extension=Extension.HOLD),
    Route("POST", f"{_JOB}/cancel", "cancelJob", cancel_job, result=Told),
    Route("POST", f"{_JOB}/pause", "pauseJob", pause_job, result=Told, extension=Extension.HOLD),
    Route("POST", f"{_JOB}/resume", "resumeJob", resume_job, result=Told, extension=Extension.HOLD),
)
