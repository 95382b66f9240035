"""What is done once with a job's outputs after its end: how it stands, and doing it in this kernel."""

from __future__ import annotations

import json
import queue
import secrets
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError, JobError, NotFoundError, TapisJobsError
from ..model.extensions import Extension
from ..model.processing import MOST_TOLD, Outcome, ProcessingStatus, Runs, result_text
from .connection import segment

if TYPE_CHECKING:
    import pandas as pd

    from .job import Job
    from .tapis import Tapis

#: Seconds between two looks while no news comes.
_LOOK = 5.0
#: Jobs that one question names, for each may have a quarter of a megabyte to tell; and what is told of them.
_MANY, _COLUMNS = 100, ["jobUuid", "status", "name", "attempts", "result", "problem"]
#: The source of this package: its frames are no part of what a function's author wants to read.
_OURS = str(Path(__file__).parent.parent)
#: The code of the answer that nothing is to be done.
NOTHING = "JOBS_NO_PROCESSING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Processed:
    """How the processing of a job's outputs stands: PENDING, RUNNING, FINISHED, FAILED or SKIPPED.

    ``result`` is what the function returned, ``problem`` what went wrong at the last attempt.
    """

    status: str
    name: str
    attempts: int
    result: Any = None
    problem: str | None = None
    _job: Job = field(repr=False, compare=False)

    @property
    def is_over(self) -> bool:
        """True when nothing happens any more by itself."""
        return ProcessingStatus(self.status).is_over

    def wait(self, timeout: float | None = None) -> Processed:
        """Wait for the job and for what is done with its outputs; return how it stands then.

        Raises ``JobError`` when that takes longer than *timeout* seconds; it goes on.
        """
        return _wait(self._job, timeout)


def processed_of(job: Job) -> Processed | None:
    """Return how the processing of a job stands; None where its request wants none."""
    job.tapis.need(Extension.PROCESSING, "process the outputs of jobs")
    try:
        return _read(job, job.tapis.connection.get(_path(job)))
    except NotFoundError as cause:
        if cause.code == NOTHING:
            return None
        raise


def processed_frame(tapis: Tapis, uuids: Sequence[str]) -> pd.DataFrame:
    """Return how it stands for many jobs, asked for in lists: a row for each whose request wants it."""
    import pandas as pd

    tapis.need(Extension.PROCESSING, "process the outputs of jobs")
    rows: list[Mapping[str, Any]] = []
    for start in range(0, len(uuids), _MANY):
        rows += tapis.connection.post(
            "/v3/tapisjobs/jobs/processings", {"uuids": list(uuids[start : start + _MANY])}
        )
    return pd.DataFrame([{name: row.get(name) for name in _COLUMNS} for row in rows], columns=_COLUMNS)


def process_again(job: Job, function: Callable[[Job], Any] | None) -> Processed:
    """Have it done anew: by the server, or here by *function*."""
    job.tapis.need(Extension.PROCESSING, "process the outputs of jobs")
    told = job.tapis.connection.post(_path(job))
    if function is None or told["runs"] != Runs.KERNEL:
        return _read(job, told)
    return process_here(job, function)


def process_here(job: Job, function: Callable[[Job], Any]) -> Processed:
    """Call *function* with a job that has ended, unless another kernel has it; then wait for that one.

    A warning tells when it raises; the traceback is the ``problem``.
    """
    claim = secrets.token_hex(16)
    while True:
        told = job.tapis.connection.call("PUT", _path(job), json={"claim": claim}).result
        if told["claim"] == claim and told["status"] == ProcessingStatus.RUNNING:
            return _read(job, _done(job, function, str(told["name"]), claim))
        if ProcessingStatus(told["status"]).is_over:
            return _read(job, told)
        _until_moved(job, lambda found: found.status != ProcessingStatus.RUNNING)


def outcome_of(name: str, work: Callable[[], Any]) -> Outcome:
    """Return what the function *name* returns when *work* calls it, or what it raised."""
    try:
        value = work()
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - whatever somebody's function raises
        return Outcome(problem=_told(name, fault))
    try:
        return Outcome(result=result_text(value))
    except InvalidInputError as fault:
        return Outcome(problem=f"{name}: {fault.message}")


def named_process(value: Any) -> Any:
    """Return *value*; raises ``InvalidInputError`` for a function: this kernel will not hold the jobs."""
    if not callable(value):
        return value
    raise InvalidInputError(
        "process must be the name of a function that a package offers to the server: this kernel does not "
        "hold the jobs of a study, a workflow or a template. tapis.submit(…, process=function) takes one.",
        field="process",
        value=getattr(value, "__name__", "function"),
    )


def _done(job: Job, function: Callable[[Job], Any], name: str, claim: str) -> Mapping[str, Any]:
    """Call the function that was claimed, and tell the server what came of it."""
    try:
        outcome = outcome_of(name, lambda: function(job))
    except BaseException as fault:
        _report(job, {"claim": claim, "problem": _told(name, fault)})
        raise
    if outcome.problem is not None:
        warnings.warn(f"{job.name}: {outcome.problem.splitlines()[0]}", stacklevel=2)
        return _report(job, {"claim": claim, "problem": outcome.problem})
    return _report(job, {"claim": claim, "result": json.loads(outcome.result or "null")})


def _report(job: Job, told: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = job.tapis.connection.call("PUT", _path(job), json=told).result
    return found


def _told(name: str, fault: BaseException) -> str:
    """Return what was raised, with the frames that are not ours; a sentence of ours needs none."""
    frames = fault.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OURS):
        frames = frames.tb_next
    words = fault.message if isinstance(fault, TapisJobsError) else str(fault)
    sentence = f"{name} raised {type(fault).__name__}" + (f": {words.removesuffix('.')}." if words else ".")
    if frames is None:
        return sentence[:MOST_TOLD]
    trace = "".join(traceback.format_exception(type(fault), fault, frames))
    return f"{sentence[:1000]}\n\n{trace[-MOST_TOLD // 2 :]}"


def _wait(job: Job, timeout: float | None) -> Processed:
    end = None if timeout is None else time.monotonic() + timeout
    job.wait(timeout, progress=False)
    return _until_moved(job, lambda found: found.is_over, end)


def _until_moved(job: Job, is_there: Callable[[Processed], bool], end: float | None = None) -> Processed:
    """Return how it stands as soon as *is_there*: asked for after each news of the job, and now and then."""
    news: queue.SimpleQueue[object] = queue.SimpleQueue()
    stop = job.live.listen(job.uuid, news.put)
    try:
        while True:
            found = processed_of(job)
            if found is None:
                raise JobError(f"Nothing is done with the outputs of {job.name}: submit it with process=….")
            if is_there(found):
                return found
            left = _LOOK if end is None else min(_LOOK, end - time.monotonic())
            if left <= 0:
                raise JobError(
                    f"The outputs of {job.name} are not processed yet ({found.name} is {found.status}). "
                    "It goes on; job.processed.wait() waits again.",
                    code="JOBS_WAIT_TIMEOUT",
                )
            with suppress(queue.Empty):
                news.get(timeout=left)
    finally:
        stop()


def _read(job: Job, told: Mapping[str, Any]) -> Processed:
    return Processed(
        status=str(told["status"]),
        name=str(told["name"]),
        attempts=int(told["attempts"]),
        result=told.get("result"),
        problem=told.get("problem"),
        _job=job,
    )


def _path(job: Job) -> str:
    return f"/v3/tapisjobs/jobs/{segment(job.uuid)}/processing"
