"""What is done with a job's outputs after its end (ours): how it stands, and kernels that do it."""

from __future__ import annotations

from ..model.extensions import Extension
from ..model.processing import Processing
from .call import Call
from .reply import Reply, Rows
from .route import Route, Takes
from .wire_jobs import Uuids
from .wire_processing import KernelReport, ProcessingDetails, processing_to_wire


async def get_processing(call: Call) -> Reply:
    """Tell how the processing of a job's outputs stands, and what it returned."""
    uuid = call.path["jobUuid"]
    return _told(await call.door.ask(lambda engine: engine.processing.get(call.user, uuid)))


async def get_processings(call: Call) -> Reply:
    """Tell how it stands for many jobs; those that are not one's own, or want nothing, are left out."""
    found = await call.door.ask(lambda engine: engine.processing.get_many(call.user, call.body.uuids))
    return Reply(Rows(found, processing_to_wire), f"JOBS_PROCESSINGS_FOUND {len(found)} jobs.")


async def process_again(call: Call) -> Reply:
    """Have the outputs of a job that has ended processed anew."""
    uuid = call.path["jobUuid"]
    return _told(await call.door.ask(lambda engine: engine.processing.again(call.user, uuid)))


async def report_processing(call: Call) -> Reply:
    """Claim a job for a kernel, or tell what came of its attempt; the ``claim`` of the answer has the job."""
    uuid, body = call.path["jobUuid"], call.body
    outcome = body.outcome()
    if outcome is None:
        return _told(await call.door.ask(lambda e: e.processing.claim(call.user, uuid, body.claim)))
    return _told(await call.door.ask(lambda e: e.processing.report(call.user, uuid, body.claim, outcome)))


def _told(item: Processing) -> Reply:
    return Reply(processing_to_wire(item), f"JOBS_PROCESSING_FOUND {item.wish.name} is {item.status}.")


_PATH = "/v3/tapisjobs/jobs/{jobUuid}/processing"
_OURS = Extension.PROCESSING
ROUTES = (
    Route("GET", _PATH, "getProcessing", get_processing, result=ProcessingDetails, extension=_OURS),
    Route("POST", "/v3/tapisjobs/jobs/processings", "getProcessings", get_processings, body=Uuids,
          takes=Takes.MODEL, result=list[ProcessingDetails], extension=_OURS),
    Route("POST", _PATH, "processAgain", process_again, result=ProcessingDetails, extension=_OURS),
    Route("PUT", _PATH, "reportProcessing", report_processing, body=KernelReport, takes=Takes.MODEL,
          result=ProcessingDetails, extension=_OURS),
)  # fmt: skip
