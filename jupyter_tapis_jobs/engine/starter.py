"""SUBMITTING_JOB: jobs are handed to their scheduler, at most once per attempt (see PROTOCOL.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model.job import Job
from ..model.status import Condition
from ..model.times import iso
from ..schedulers.base import Report, Sighting, Submission
from ..schedulers.fork import OVERTAKEN
from ..store.jobs import Change
from ..store.lease import LeaseLostError
from ..transports.base import Transport
from .conveyor import Conveyor
from .lane import Lane
from .lane_folder import LaneFolders
from .ports import Ports
from .tracker import Tracker
from .verdict import Block, Fail, Go, Stay, Verdict

#: Jobs that one submission hands over at most where a host's cores are shared out.
BATCH = 250
#: Seconds until a host is asked again whether it has a job.
UNCLEAR_RETRY = 5.0


class Starter:
    """The station SUBMITTING_JOB."""

    def __init__(self, ports: Ports, *, epoch: int, folders: LaneFolders) -> None:
        self._ports = ports
        self._epoch = epoch
        self._folders = folders
        #: Set by the engine: it commits through one, looks through the other.
        self.conveyor: Conveyor
        self.tracker: Tracker

    async def start(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Hand jobs over, as many as have a place; look first where an earlier try had no clear answer."""
        transport = await self._folders.transport(lane)
        verdicts = await self._found_submitted(lane, [job for job in cohort if job.submission_id], transport)
        fresh = [job for job in cohort if job.uuid not in verdicts]
        batch, parallel = _batch(fresh, lane.free_cores)
        chosen = {job.uuid for job in batch}
        verdicts.update({job.uuid: Stay() for job in fresh if job.uuid not in chosen})
        if batch:
            verdicts.update(await self._hand_over(lane, batch, parallel, transport))
        return verdicts

    async def _found_submitted(
        self, lane: Lane, jobs: Sequence[Job], transport: Transport
    ) -> dict[str, Verdict]:
        """Return a verdict for those that were handed over before; the others may be handed over anew."""
        if not jobs:
            return {}
        scheduler = self._ports.schedulers[jobs[0].job_type]
        launches = await self.tracker.launches(jobs)
        answer = await transport.run(scheduler.look_script(lane.folder, launches))
        reports = scheduler.parse_look(launches, answer)
        submitted = [uuid for uuid, report in reports.items() if report.sighting is not Sighting.ABSENT]
        lane.early.update(submitted)
        unclear: dict[str, Verdict] = {
            job.uuid: Block("the host gave no clear answer about the job's start", UNCLEAR_RETRY)
            for job in jobs
            if job.uuid not in reports
        }
        return unclear | {uuid: Go(fields={"remote_submitted": self._now()}) for uuid in submitted}

    async def _hand_over(
        self, lane: Lane, batch: Sequence[Job], parallel: int, transport: Transport
    ) -> Mapping[str, Verdict]:
        """Store the intent, then submit: in this order, so that no start is ever forgotten."""
        scheduler = self._ports.schedulers[batch[0].job_type]
        identifier = f"{self._ports.random.getrandbits(64):016x}"
        lane.planned[identifier] = parallel
        intents = [Change(before=job, after=job.evolve(submission_id=identifier)) for job in batch]
        moved_on = await self.conveyor.commit(intents)
        batch = [job for job in batch if job.uuid not in moved_on]
        submission = Submission(
            id=identifier,
            lane_dir=lane.folder,
            epoch=self._epoch,
            launches=tuple(await self.tracker.launches(batch)),
            parallel=parallel,
        )
        answer = await transport.run(scheduler.submit_script(submission))
        if answer.exit_code == OVERTAKEN:
            raise LeaseLostError("Another job engine has taken over this host; this one stops.")
        reports = scheduler.parse_submit(submission, answer)
        return {job.uuid: self._handed_over(job, reports.get(job.uuid)) for job in batch}

    def _handed_over(self, job: Job, report: Report | None) -> Verdict:
        """Say what becomes of a job that its scheduler has been given."""
        if report is None:
            return Block("the host gave no clear answer about the job's start", UNCLEAR_RETRY)
        match report.sighting:
            case Sighting.REFUSED | Sighting.IMPOSSIBLE:
                return Fail(report.reason, report.condition or Condition.JOB_LAUNCH_FAILURE)
            case Sighting.LATER | Sighting.ABSENT:
                return Stay()
        fields = {"remote_submitted": self._now(), "remote_job_id": report.remote_job_id}
        return Go(fields={**fields, "remote_job_id2": report.remote_job_id2})

    def _now(self) -> str:
        return iso(self._ports.clock.now())


def _batch(jobs: Sequence[Job], free: int | None) -> tuple[list[Job], int]:
    """Return the jobs to hand over together and how many of them may run at a time (0: all).

    They need the same number of cores; a job that needs more than there are runs alone.
    """
    if not jobs or (free is not None and free <= 0):
        return [], 0
    kind = (jobs[0].job_type, jobs[0].cores_per_node)
    alike = [job for job in jobs if (job.job_type, job.cores_per_node) == kind]
    if free is None:
        return alike, 0
    return alike[:BATCH], max(1, free // kind[1])
