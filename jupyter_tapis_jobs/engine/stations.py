"""The stations of the conveyor: what is done for a cohort of jobs in each status before it goes on.

Every station first looks at what is stored and what lies on the host, and does again only what may
safely be done twice: so a station does not need to know whether it is the first to try.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from ..model.job import Job
from ..model.status import JobStatus
from .archive import Archiver
from .conveyor import Conveyor, Station
from .lane import Lane, LaneKey
from .quota import Limits, first_reached, tallied
from .staging import Staging
from .starter import Starter
from .turns import Turns
from .verdict import Block, Verdict

#: Seconds until a job is tried again whose system or app is disabled.
DISABLED_RETRY = 60.0


class Stations:
    """The conveyor's table of stations, and the one that lets jobs in."""

    def __init__(
        self,
        *,
        staging: Staging,
        starter: Starter,
        archiver: Archiver,
        limits: Callable[[Sequence[Job]], Awaitable[Mapping[str, Limits]]],
    ) -> None:
        self._limits = limits
        #: Of the lanes where jobs wait for a place.
        self._turns: dict[LaneKey, Turns] = {}
        #: Set by the engine: who is active counts for the quotas.
        self.conveyor: Conveyor
        #: status -> the station that works on jobs in it.
        self.table: dict[JobStatus, Station] = {
            JobStatus.PENDING: self.pending,
            JobStatus.PROCESSING_INPUTS: staging.processing_inputs,
            JobStatus.STAGING_INPUTS: staging.staging_inputs,
            JobStatus.STAGING_JOB: staging.staging_job,
            JobStatus.SUBMITTING_JOB: starter.start,
            JobStatus.ARCHIVING: archiver.archive,
        }

    async def pending(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Let as many jobs pass as the quotas of system, queue, app and study allow."""
        limits = await self._limits(cohort)
        tally = tallied(job for job in self.conveyor.jobs.values() if _counts(job))
        verdicts: dict[str, Verdict] = {}
        turns = self._turns.pop(lane.key, Turns())
        # Jobs that are alike are held alike: of thousands that wait, only the first of a kind is counted.
        full: dict[tuple[object, ...], Block] = {}
        # Who has least under way goes first: a large study leaves places to a small one behind it.
        for job in turns.of(cohort, lambda group: tally["study", group[1] or ""]):
            mine = limits[job.uuid]
            alike = (id(mine), job.owner, job.launch_mode)
            if (held := full.get(alike)) is not None:
                verdicts[job.uuid] = held
            elif reached := mine.disabled or mine.stopped or first_reached(mine, job, tally):
                retry = DISABLED_RETRY if mine.disabled else None
                verdicts[job.uuid] = full[alike] = Block(reached, retry)
            else:
                tally.update(Limits.keys(job))
        if full:
            turns.went(job for job in cohort if job.uuid not in verdicts)
            self._turns[lane.key] = turns
        return verdicts


def _counts(job: Job) -> bool:
    """Quotas count jobs that are active and past PENDING (Tapis Jobs, "Job Quotas")."""
    held = job.status in (JobStatus.BLOCKED, JobStatus.PAUSED)
    return (job.resume_status if held else job.status) is not JobStatus.PENDING
