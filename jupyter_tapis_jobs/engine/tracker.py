"""The tracker: follows jobs that are on their hosts, from the start to the end, and ends them when asked.

Three things tell it to look: an event file that a launch script left, a sweep that asks the host
about all of a lane's jobs at once, and a time limit. What it then believes are the marks in the
job's directory; a process that is gone without one has vanished.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..model import marks
from ..model.errors import StoreError, TransportError
from ..model.job import Job
from ..model.marks import Marks
from ..model.status import Condition, JobStatus, RemoteOutcome
from ..model.times import iso, parse_iso
from ..schedulers.base import Launch, Scheduler, Sighting
from ..store.jobs import Change
from ..transports.base import Transport
from .conveyor import HANDED_OVER, Conveyor
from .lane import Lane, LaneKey
from .lane_folder import LaneFolders
from .ports import Ports

log = logging.getLogger(__name__)

#: Seconds between two sweeps of a lane: from the first to the last, growing while nothing changes.
SWEEP_FIRST, SWEEP_LAST = 5.0, 30.0
#: Seconds between the polite end of a job and the hard one (Slurm's KillWait).
GRACE = 30
VANISHED = "its process vanished without a word: killed from outside, or the machine restarted"
#: Where a job can be while its process may exist.
ENDABLE = HANDED_OVER | {JobStatus.SUBMITTING_JOB, JobStatus.BLOCKED}
#: Exit code of a job that left none because it was ended the hard way: 128 + SIGKILL.
KILLED_EXIT_CODE = 137


class Tracker:
    """Watches the lanes' hosts. Lives on the engine's loop only."""

    def __init__(
        self,
        ports: Ports,
        conveyor: Conveyor,
        *,
        lane: Callable[[LaneKey], Lane],
        folders: LaneFolders,
        exec_dirs: Callable[[Sequence[Job]], Awaitable[Mapping[str, str]]],
    ) -> None:
        self._ports = ports
        self._conveyor = conveyor
        self._lane = lane
        self._folders = folders
        self._exec_dirs = exec_dirs
        self._ending: set[str] = set()
        #: Called with jobs whose owner had asked to end them before they were handed over.
        self.on_late_cancel: Callable[[Sequence[str]], None] = lambda uuids: None

    # -- following

    def follow(self, jobs: Sequence[Job]) -> None:
        """Follow jobs that were handed over just now, or before a restart."""
        for lane, members in self._by_lane(jobs):
            fresh = [job for job in members if job.uuid not in lane.tracked]
            lane.track(fresh)
            for job in members:
                if job.status is JobStatus.RUNNING:
                    lane.started(job, _deadline(job))
            self._attend(lane)
            self._catch_up(lane, members)

    def _catch_up(self, lane: Lane, jobs: Sequence[Job]) -> None:
        """Act on what came in while it was being stored that these jobs were handed over."""
        early = [job.uuid for job in jobs if job.uuid in lane.early]
        lane.early.difference_update(early)
        if early:
            self._ports.spawn(self._look_quietly(lane, early), f"early events of {lane.key[0]}")
        if asked_to_end := [job.uuid for job in jobs if job.cancel_requested]:
            self.on_late_cancel(asked_to_end)

    def release(self, jobs: Sequence[Job]) -> None:
        """Forget jobs that have left their host; others may take their places."""
        for lane, members in self._by_lane(jobs):
            for job in members:
                lane.release(job)
            self._conveyor.wake(lane.key, JobStatus.SUBMITTING_JOB)

    def _by_lane(self, jobs: Iterable[Job]) -> list[tuple[Lane, list[Job]]]:
        lanes: dict[LaneKey, list[Job]] = {}
        for job in jobs:
            lanes.setdefault(job.lane, []).append(job)
        return [(self._lane(key), members) for key, members in lanes.items()]

    def _attend(self, lane: Lane) -> None:
        if lane.tracked and not lane.is_watched:
            lane.is_watched = True
            self._ports.spawn(self._watch(lane), f"watch {lane.key[0]}")
        if lane.tracked and not lane.is_minded:
            lane.is_minded = True
            self._ports.spawn(self._mind(lane), f"mind {lane.key[0]}")

    async def _watch(self, lane: Lane) -> None:
        """Look at the jobs whose events come in, as long as the lane has any."""
        try:
            transport = await self._transport(lane)
            async for names in transport.watch(lane.events):
                hinted = {name.partition(".")[0] for name in names} & self._conveyor.jobs.keys()
                followed = hinted & lane.tracked.keys()
                lane.early |= hinted - followed
                await self._look_at(lane, sorted(followed))
                if not lane.tracked:
                    return
        except (TransportError, OSError, StoreError) as trouble:
            log.warning("events of %s cannot be watched: %s. Sweeps go on.", lane.key[0], trouble)
        finally:
            lane.is_watched = False

    async def _mind(self, lane: Lane) -> None:
        """Sweep the lane with growing gaps and keep its time limits."""
        gap = SWEEP_FIRST
        try:
            while lane.tracked:
                now = self._ports.clock.now()
                await self._ports.clock.sleep(max(0.0, min(gap, lane.next_deadline - now)))
                gap = min(gap * 1.5, SWEEP_LAST)
                await self._sweep_quietly(lane)
                self._attend(lane)
        finally:
            lane.is_minded = False

    async def _sweep_quietly(self, lane: Lane) -> None:
        """One round of limits and looks; trouble of the host or the store waits for the next round."""
        try:
            await self._keep_limits(lane)
            await self.sweep(lane)
        except (TransportError, OSError, StoreError) as trouble:
            log.warning("jobs of %s cannot be looked at: %s. Next try follows.", lane.key[0], trouble)

    async def _look_quietly(self, lane: Lane, uuids: Sequence[str]) -> None:
        try:
            await self._look_at(lane, uuids)
        except (TransportError, OSError, StoreError) as trouble:
            log.warning("jobs of %s cannot be looked at: %s. The next sweep follows.", lane.key[0], trouble)

    async def look_again(self) -> None:
        """Sweep every lane at once: what happened while no engine was there?"""
        for lane, _ in self._by_lane(self._conveyor.jobs.values()):
            if lane.tracked:
                await self._sweep_quietly(lane)

    async def _keep_limits(self, lane: Lane) -> None:
        late = [
            self._conveyor.jobs[u] for u in lane.overdue(self._ports.clock.now()) if u in self._conveyor.jobs
        ]
        if late:
            await self.end(late, why="timeout")

    # -- looking

    async def sweep(self, lane: Lane) -> None:
        """Ask the host once about all jobs of the lane, and act on what has ended, begun or vanished."""
        jobs = self._tracked(lane)
        if not jobs:
            return
        scheduler, launches = self._scheduler(jobs[0]), await self.launches(jobs)
        transport = await self._transport(lane)
        answer = await transport.run(scheduler.look_script(lane.folder, launches))
        reports = scheduler.parse_look(launches, answer)
        seen = {u: report.sighting for u, report in reports.items()}
        known = {Sighting.QUEUED: JobStatus.QUEUED, Sighting.RUNNING: JobStatus.RUNNING}
        news = [job for job in jobs if job.uuid in seen and known.get(seen[job.uuid]) is not job.status]
        await self._look_at(lane, [job.uuid for job in news], seen)

    async def _look_at(
        self, lane: Lane, names: Sequence[str], seen: Mapping[str, Sighting] | None = None
    ) -> None:
        """Read the marks of some jobs and store what they tell, all in one transaction."""
        jobs = [self._conveyor.jobs[u] for u in names if u in self._conveyor.jobs]
        jobs = [job for job in jobs if job.status in HANDED_OVER]
        if not jobs:
            return
        found = await self.read_marks(lane, jobs)
        jobs = [self._conveyor.jobs[job.uuid] for job in jobs if job.uuid in self._conveyor.jobs]
        jobs = [job for job in jobs if job.status in HANDED_OVER]
        starts = [
            self._start(job, found[job.uuid])
            for job in jobs
            if job.status is JobStatus.QUEUED and found[job.uuid].was_started
        ]
        begun = {change.after.uuid: change.after for change in starts}
        ends = []
        for job in jobs:
            sighting = (seen or {}).get(job.uuid)
            ends += self._what_next(lane, begun.get(job.uuid, job), found[job.uuid], sighting)
        await self._conveyor.commit(starts, ends)
        for job in begun.values():
            if job.uuid in self._conveyor.jobs and job.uuid in lane.tracked:
                lane.started(job, _deadline(job))
        gone = [change.after for change in ends]
        self.release([job for job in gone if not job.status.is_terminal])

    def _start(self, job: Job, found: Marks) -> Change:
        started = iso(found.started or self._ports.clock.now())
        return self._conveyor.step(job, JobStatus.RUNNING, remote_started=started, remote_job_id=found.pid)

    def _what_next(self, lane: Lane, job: Job, found: Marks, sighting: Sighting | None) -> list[Change]:
        """Return the change that the marks call for, if any."""
        if found.exit_code is not None:
            return [self._conclude(job, found)]
        if sighting is Sighting.VANISHED and found.was_started:
            return [self._vanish(job, found)]
        if sighting is Sighting.ABSENT and job.status is JobStatus.QUEUED:
            return [self._submit_again(job)]
        return []

    def _conclude(self, job: Job, found: Marks) -> Change:
        """The application has ended: on to archiving, or cancelled if that is why it ended."""
        code = found.exit_code if found.exit_code is not None else KILLED_EXIT_CODE
        fields: dict[str, Any] = {
            "exit_code": code,
            "remote_ended": iso(found.ended or self._ports.clock.now()),
            "remote_result_info": str(code),
        }
        if job.cancel_requested:
            return self._cancelled(job, fields)
        if found.killed == "timeout":
            fields["condition"] = Condition.JOB_EXECUTION_MONITORING_TIMEOUT
        well = code == 0 and found.killed is None
        fields["remote_outcome"] = _outcome(job, well)
        return self._conveyor.step(job, JobStatus.ARCHIVING, **fields)

    def _cancelled(self, job: Job, fields: Mapping[str, Any]) -> Change:
        change = self._conveyor.cancelled(job)
        return Change(before=job, after=change.after.evolve(**fields), events=change.events)

    def _vanish(self, job: Job, found: Marks) -> Change:
        """Its process is gone and left no word: never silently run again."""
        if found.killed:
            return self._conclude(job, found)
        return self._conveyor.step(
            job,
            JobStatus.ARCHIVING,
            remote_ended=iso(self._ports.clock.now()),
            remote_outcome=_outcome(job, False),
            condition=Condition.SCHEDULER_TERMINATED,
            remote_result_info=VANISHED,
        )

    def _submit_again(self, job: Job) -> Change:
        """It was handed over, but nothing will ever start it: hold it and hand it over anew."""
        change = self._conveyor.blocked(job, "its start was lost before it began; it is submitted again", 0.0)
        after = change.after.evolve(
            resume_status=JobStatus.SUBMITTING_JOB,
            submission_id=None,
            remote_submit_retries=job.remote_submit_retries + 1,
        )
        return Change(before=job, after=after, events=change.events)

    async def read_marks(self, lane: Lane, jobs: Sequence[Job]) -> dict[str, Marks]:
        """Read what the directories of *jobs* tell, in one round trip."""
        transport = await self._transport(lane)
        folders = await self._exec_dirs(jobs)
        paths = {f"{folders[job.uuid]}/{name}": (job.uuid, name) for job in jobs for name in marks.TELLING}
        contents: dict[str, dict[str, tuple[str, float]]] = {job.uuid: {} for job in jobs}
        for path, content in (await transport.get(list(paths))).items():
            uuid, name = paths[path]
            contents[uuid][name] = (content.data.decode("utf-8", "replace"), content.modified)
        return {uuid: marks.read_marks(found) for uuid, found in contents.items()}

    # -- ending

    async def end(self, jobs: Sequence[Job], *, why: str) -> None:
        """End jobs for real: they change only when their processes are gone."""
        for lane, members in self._by_lane(jobs):
            asked = [job for job in members if job.uuid not in self._ending]
            self._ending.update(job.uuid for job in asked)
            try:
                await self._end_in(lane, asked, why)
            finally:
                self._ending.difference_update(job.uuid for job in asked)

    async def _end_in(self, lane: Lane, jobs: Sequence[Job], why: str) -> None:
        if not jobs:
            return
        scheduler, launches = self._scheduler(jobs[0]), await self.launches(jobs)
        transport = await self._transport(lane)
        script = scheduler.cancel_script(launches, why=why, grace=GRACE)
        answer = await transport.run(script, timeout=2.0 * GRACE + 60)
        gone = scheduler.parse_cancel(launches, answer)
        found = await self.read_marks(lane, jobs)
        present = [self._conveyor.jobs[job.uuid] for job in jobs if job.uuid in self._conveyor.jobs]
        ended = [job for job in present if job.uuid in gone and not job.status.is_terminal]
        changes = [self._ended(job, found[job.uuid], why) for job in ended if job.status in ENDABLE]
        await self._conveyor.commit(changes)
        self.release(ended)

    def _ended(self, job: Job, found: Marks, why: str) -> Change:
        if job.cancel_requested:
            code = found.exit_code
            ended = iso(found.ended or self._ports.clock.now()) if found.was_started else None
            return self._cancelled(job, {"exit_code": code, "remote_ended": ended})
        if not found.was_started:
            return self._submit_again(job)
        return self._conclude(job, found if found.exit_code is not None else _as_killed(found, why))

    # -- small things

    def _tracked(self, lane: Lane) -> list[Job]:
        jobs = (self._conveyor.jobs.get(uuid) for uuid in lane.tracked)
        return [job for job in jobs if job is not None and job.status in HANDED_OVER]

    async def launches(self, jobs: Sequence[Job]) -> list[Launch]:
        """Return jobs as their scheduler sees them."""
        folders = await self._exec_dirs(jobs)
        return [
            Launch(
                uuid=job.uuid,
                exec_dir=folders[job.uuid],
                submission_id=job.submission_id,
                remote_job_id=job.remote_job_id,
                cores=job.cores_per_node,
            )
            for job in jobs
        ]

    def _scheduler(self, job: Job) -> Scheduler:
        return self._ports.schedulers[job.job_type]

    async def _transport(self, lane: Lane) -> Transport:
        return await self._folders.transport(lane)


def _deadline(job: Job) -> float:
    """When a running job is over its time, in seconds since the epoch."""
    started = parse_iso(job.remote_started or job.last_updated)
    return started + job.max_minutes * 60


def _outcome(job: Job, well: bool) -> RemoteOutcome:
    return RemoteOutcome.FINISHED if well else RemoteOutcome.FAILED


def _as_killed(found: Marks, why: str) -> Marks:
    """What is known of a job whose script had no time to write its end."""
    return replace(found, killed=why, exit_code=KILLED_EXIT_CODE)
