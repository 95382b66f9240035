"""Where a job runs that may run in several places: where it fits, and is expected to wait the shortest.

How long is known from the jobs that began there lately, and from the nodes that are idle there now. A place
of which nothing is known comes last; of two that are as good, the first one by name is taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ..model.errors import InvalidInputError, TapisJobsError
from ..model.fields import JobType
from ..model.job import Job, JobDefinition, JobEvent
from ..model.status import EventType, JobStatus
from ..model.times import parse_iso
from ..model.user import User

#: Starts of jobs that are remembered of each queue.
LATELY = 50
#: Returns what a host tells of its queues at this moment, as ``HostNow.load`` does.
Load = Callable[[User, str], Awaitable[Mapping[str, Any]]]

Place = tuple[Job, JobDefinition]
#: System and logical queue.
Queue = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Wait:
    """What a job is expected to wait; ``seconds`` is None where nothing is known, ``why`` half a sentence."""

    seconds: float | None
    why: str


_FREE = Wait(0.0, "which has no queue, and no job waits there")
_UNKNOWN = Wait(None, "nothing is known of its waiting times yet")


class SystemChoice:
    """Chooses among systems. Lives on the engine's loop only."""

    def __init__(self, load: Load, active: Callable[[], Mapping[str, Job]]) -> None:
        self._load = load
        self._active = active
        self._lately: dict[Queue, deque[float]] = {}

    def learn(self, events: Sequence[JobEvent], jobs: Sequence[Job]) -> None:
        """Take in how long jobs that have begun had waited at their queues."""
        begun = {e.job_uuid for e in events if _is_start(e)}
        for job in jobs:
            if job.uuid in begun and job.remote_submitted and job.remote_started:
                seconds = parse_iso(job.remote_started) - parse_iso(job.remote_submitted)
                self._lately.setdefault(_queue(job), deque(maxlen=LATELY)).append(max(0.0, seconds))

    def _is_waited(self, queue: Queue) -> bool:
        """Tell whether any job of this engine has not begun at a queue."""
        return any(
            job.status is not JobStatus.RUNNING and _queue(job) == queue for job in self._active().values()
        )

    async def best(
        self, user: User, fitting: Sequence[Place], refusals: Mapping[str, TapisJobsError]
    ) -> tuple[int, str]:
        """Return which of *fitting*, one job at several systems, to take, and a sentence that says why."""
        waits = await asyncio.gather(*(self._wait(user, *place) for place in fitting))
        best = min(range(len(waits)), key=lambda n: (waits[n].seconds is None, waits[n].seconds or 0.0))
        told = [f"{job.exec_system_id}: {wait.why}" for (job, _), wait in zip(fitting, waits, strict=True)]
        job, _ = fitting[best]
        chosen = f"{job.exec_system_id} was chosen, {waits[best].why}"
        unfit = [f"{name} does not fit: {fault.message}" for name, fault in refusals.items()]
        return best, f"{'; '.join((chosen, *told[:best], *told[best + 1 :], *unfit)).rstrip('.')}."

    async def _wait(self, user: User, job: Job, definition: JobDefinition) -> Wait:
        """Return what is expected of a job at its queue."""
        if definition.job_type == JobType.BATCH:
            at_once = await self._idle(user, definition)
        else:
            at_once = None if self._is_waited(_queue(job)) else _FREE
        return at_once or self._usual(_queue(job))

    async def _idle(self, user: User, definition: JobDefinition) -> Wait | None:
        """Return that a job's queue has idle nodes for it and nobody who waits; None where that is not so."""
        try:
            told = await self._load(user, definition.exec_system_id)
        except (TapisJobsError, OSError):
            return None
        for queue in told["queues"]:
            idle, nodes, name = queue["idleNodes"], queue["nodes"], queue["name"]
            is_free = queue["state"] == "up" and not queue["pending"] and idle >= definition.node_count
            if is_free and name == definition.hpc_queue_name:
                return Wait(0.0, f"{idle:,} of {nodes:,} nodes of {name} are idle")
        return None

    def _usual(self, queue: Queue) -> Wait:
        seconds = self._lately.get(queue)
        if not seconds:
            return _UNKNOWN
        usual = median(seconds)
        return Wait(usual, f"jobs waited {_span(usual)} there lately")


def none_fits(refusals: Mapping[str, TapisJobsError]) -> TapisJobsError:
    """Return the error for a request that no system of several takes."""
    faults = list(refusals.values())
    if len({fault.message for fault in faults}) == 1:
        return faults[0]
    told = " ".join(f"{name}: {fault.message}" for name, fault in refusals.items())
    return InvalidInputError(
        f"none of the systems takes the job. {told}", field="execSystemConstraints", value=", ".join(refusals)
    )


def _is_start(event: JobEvent) -> bool:
    return event.event is EventType.JOB_NEW_STATUS and event.event_detail == JobStatus.RUNNING


def _queue(job: Job) -> Queue:
    return job.exec_system_id, job.exec_system_logical_queue


def _span(seconds: float) -> str:
    """Return ``40 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
