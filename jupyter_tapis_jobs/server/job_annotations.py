"""Annotations of the Jobs API: tags and notes of a job that is submitted, whether it has ended or not."""

from __future__ import annotations

from ..model.annotations import Annotate, Annotation, added, replaced
from ..model.wire import JobDetails, job_to_wire
from .call import Call
from .reply import Reply
from .route import Route, Takes


async def put_annotation(call: Call) -> Reply:
    """Replace a job's tags, its notes, or both."""
    return await _annotated(call, replaced)


async def patch_annotation(call: Call) -> Reply:
    """Add tags to a job, and set keys of its notes."""
    return await _annotated(call, added)


async def _annotated(call: Call, how: Annotate) -> Reply:
    uuid = call.path["jobUuid"]
    job, definition = await call.door.ask(
        lambda engine: engine.steering.annotate(call.user, uuid, call.body, how)
    )
    return Reply(job_to_wire(job, definition), f"JOBS_JOB_ANNOTATED Tags and notes of job {uuid} are set.")


_PATH = "/v3/jobs/{jobUuid}/annotation"
ROUTES = (
    Route("PUT", _PATH, "putJobAnnotations", put_annotation, body=Annotation, takes=Takes.MODEL,
          result=JobDetails),
    Route("PATCH", _PATH, "patchJobAnnotations", patch_annotation, body=Annotation, takes=Takes.MODEL,
          result=JobDetails),
)  # fmt: skip
