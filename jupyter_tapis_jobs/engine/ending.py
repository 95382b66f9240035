"""Ending jobs that are on their hosts: for their owner, for their time, or because they could never start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..model.job import Job
from ..model.status import JobStatus
from .conveyor import HANDED_OVER, Conveyor
from .lane import Lane, LaneKey, by_lane
from .on_host import OnHost
from .outcome import Outcome
from .ports import Ports

#: Seconds between the polite end of a job and the hard one (Slurm's KillWait).
GRACE = 30
#: The reason that is left in the directory of a job that could never start and was taken back.
IMPOSSIBLE = "impossible"
#: Where a job can be while its process may exist.
ENDABLE = HANDED_OVER | {JobStatus.SUBMITTING_JOB, JobStatus.BLOCKED, JobStatus.PAUSED}


class Ending:
    """Ends jobs for real: their records change only when their processes are gone."""

    def __init__(
        self,
        ports: Ports,
        conveyor: Conveyor,
        on_host: OnHost,
        outcome: Outcome,
        *,
        lane: Callable[[LaneKey], Lane],
        release: Callable[[Sequence[Job]], None],
    ) -> None:
        self._ports = ports
        self._conveyor = conveyor
        self._on_host = on_host
        self._outcome = outcome
        self._lane = lane
        #: Called with jobs that have left their host.
        self._release = release
        self._ending: set[str] = set()

    async def end(self, jobs: Sequence[Job], *, why: str) -> None:
        """End jobs, *why* is ``cancel`` or ``timeout``; one that is being ended is left alone."""
        for lane, members in by_lane(jobs, self._lane):
            asked = [job for job in members if job.uuid not in self._ending]
            self._ending.update(job.uuid for job in asked)
            try:
                await self._end_in(lane, asked, why)
            finally:
                self._ending.difference_update(job.uuid for job in asked)

    async def _end_in(self, lane: Lane, jobs: Sequence[Job], why: str) -> None:
        if not jobs:
            return
        gone = await self.kill(lane, jobs, why=why)
        found = await self._on_host.read_marks(lane, jobs)
        present = [self._conveyor.jobs[job.uuid] for job in jobs if job.uuid in self._conveyor.jobs]
        ended = [job for job in present if job.uuid in gone and not job.status.is_terminal]
        changes = [self._outcome.ended(job, found[job.uuid], why) for job in ended if job.status in ENDABLE]
        await self._conveyor.commit(changes)
        self._release(ended)

    async def take_back(self, lane: Lane, hopeless: Mapping[str, str]) -> None:
        """Take out of the queue what waits for something that never comes; uuid -> what to change.

        Stored first: once they are taken back, nobody can say any more why.
        """
        await self._conveyor.note(hopeless)
        jobs = [self._conveyor.jobs[uuid] for uuid in hopeless if uuid in self._conveyor.jobs]
        gone = await self.kill(lane, jobs, why=IMPOSSIBLE)
        present = [self._conveyor.jobs[job.uuid] for job in jobs if job.uuid in self._conveyor.jobs]
        ended = [job for job in present if job.uuid in gone and job.status is JobStatus.QUEUED]
        await self._conveyor.commit([self._outcome.impossible(job, hopeless[job.uuid]) for job in ended])

    async def kill(self, lane: Lane, jobs: Sequence[Job], *, why: str) -> set[str]:
        """Have jobs ended by their schedulers; return those that are gone by now; no record changes."""
        transport = await self._on_host.transport(lane)
        gone: set[str] = set()
        for name, members in await self._on_host.by_scheduler(jobs):
            scheduler, launches = self._ports.schedulers[name], await self._on_host.launches(members)
            script = scheduler.cancel_script(launches, why=why, grace=GRACE)
            answer = await transport.run(script, timeout=2.0 * GRACE + 60)
            gone |= scheduler.parse_cancel(launches, answer)
        return gone
