"""The tracker: follows jobs that are on their hosts, from the start to the end.

Three things tell it to look: an event file that a launch script left, a sweep that asks the host
about all of a lane's jobs at once, and a time limit. What it then believes are the marks in the
job's directory; a process that is gone without one has vanished.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ..model.errors import StoreError, TapisJobsError, TransportError
from ..model.fields import JobType
from ..model.job import Job
from ..model.marks import Marks
from ..model.status import JobStatus
from ..model.times import parse_iso
from ..schedulers.base import Report, Sighting
from ..store.jobs import Change
from .conveyor import Conveyor, is_on_host
from .ending import IMPOSSIBLE, Ending
from .lane import Lane, LaneKey, by_lane
from .on_host import OnHost
from .outcome import LOST, Outcome, only_scheduler_knows
from .ports import Ports
from .sightings import doubtful, is_orphan, news
from .told_progress import ToldProgress

log = logging.getLogger(__name__)

FORK = "FORK"
#: Seconds from the first job of a lane to the first question about it.
FIRST_LOOK = 5.0
#: Seconds after which a lane is minded again whatever was planned: jobs of another scheduler may have come.
LONGEST_NAP = 10.0
#: Minutes that a batch job gets beyond its limit, which its scheduler keeps (Tapis Jobs, "Polling").
BATCH_MARGIN = 10
#: Seconds for which a running job may be out of sight before it is given up.
OUT_OF_SIGHT = 30.0
#: Seconds that a scheduler gets to write down why a job ended, and questions it gets about that.
DOUBT_PAUSE, DOUBT_ROUNDS = 2.0, 2
#: Rounds of questions without any answer until that is told.
SILENT_ROUNDS = 2
#: What is said of jobs that are on a host which cannot be seen.
UNSEEN = "What runs there goes on, nothing is lost, and it is looked at again within two minutes."
#: What a watcher hears while a host is in trouble; sweeps go on.
_TROUBLE = (TransportError, OSError, StoreError)


class Tracker:
    """Watches the lanes' hosts. Lives on the engine's loop only."""

    def __init__(
        self,
        ports: Ports,
        conveyor: Conveyor,
        on_host: OnHost,
        *,
        lane: Callable[[LaneKey], Lane],
        progress: ToldProgress,
    ) -> None:
        self._ports = ports
        self._conveyor = conveyor
        self._on_host = on_host
        self._lane = lane
        self._progress = progress
        self._outcome = Outcome(ports, conveyor)
        self._ending = Ending(ports, conveyor, on_host, self._outcome, lane=lane, release=self.release)
        #: Called with jobs whose owner had asked to end them before they were handed over.
        self.on_late_cancel: Callable[[Sequence[str]], None] = lambda uuids: None

    async def end(self, jobs: Sequence[Job], *, why: str) -> None:
        """End jobs for real: they change only when their processes are gone."""
        await self._ending.end(jobs, why=why)

    # -- following

    def follow(self, jobs: Sequence[Job]) -> None:
        """Follow jobs that were handed over just now, or before a restart."""
        for lane, members in by_lane(jobs, self._lane):
            fresh = [job for job in members if job.uuid not in lane.tracked]
            lane.track(fresh, self._ports.clock.ticks())
            for job in members:
                if job.status is JobStatus.RUNNING:
                    lane.started(job, _deadline(job), self._ports.clock.ticks())
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
        for lane, members in by_lane(jobs, self._lane):
            for job in members:
                lane.release(job)
            self._conveyor.wake(lane.key, JobStatus.SUBMITTING_JOB)

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
            transport = await self._on_host.transport(lane)
            async for names in transport.watch(lane.events):
                hinted = {name.partition(".")[0] for name in names} & self._conveyor.jobs.keys()
                followed = hinted & lane.tracked.keys()
                lane.early |= hinted - followed
                await self.look(lane, sorted(followed))
                if not lane.tracked:
                    return
        except _TROUBLE as trouble:
            log.warning("events of %s cannot be watched: %s. Sweeps go on.", lane.key[0], trouble)
        finally:
            lane.is_watched = False

    async def _mind(self, lane: Lane) -> None:
        """Ask the lane's schedulers in rounds, and keep its time limits."""
        try:
            await self._ports.clock.sleep(min(FIRST_LOOK, self._until_limit(lane)))
            while lane.tracked:
                await self._sweep_quietly(lane)
                self._attend(lane)
                wait = min(self._until_round(lane), self._until_limit(lane), LONGEST_NAP)
                await self._ports.clock.sleep(max(0.05, wait))
        finally:
            lane.is_minded = False

    def _until_limit(self, lane: Lane) -> float:
        return lane.until_limit(self._ports.clock.ticks())

    def _until_round(self, lane: Lane) -> float:
        """Return the seconds until one of the lane's schedulers is to be asked."""
        now = self._ports.clock.ticks()
        return min((turn.due - now for turn in lane.turns.values()), default=FIRST_LOOK)

    async def _sweep_quietly(self, lane: Lane, *, at_once: bool = False) -> None:
        """One round of limits and looks; trouble of the host or the store waits for the next round."""
        try:
            await self._keep_limits(lane)
            if await self.sweep(lane, at_once=at_once):
                await self._tell_of_silence(lane)
        except _TROUBLE as trouble:
            log.warning("jobs of %s cannot be looked at: %s. Next try follows.", lane.key[0], trouble)
            if not isinstance(trouble, StoreError):
                await self._tell(lane, f"⚠ {lane.key[0]} cannot be looked at: {_sentence(trouble)} {UNSEEN}")

    async def _tell_of_silence(self, lane: Lane) -> None:
        """A scheduler that answers nothing round after round is told; one that answers takes that back."""
        silent = [
            f"⚠ {name} of {lane.key[0]} gives no answer{f': {turn.away}' if turn.away else ''}. {UNSEEN}"
            for name, turn in lane.turns.items()
            if turn.away or turn.silent >= SILENT_ROUNDS
        ]
        await self._tell(lane, silent[0] if silent else "")

    async def _tell(self, lane: Lane, trouble: str) -> None:
        """Say on all jobs of a lane that they are out of sight, or take back what was said."""
        before, lane.trouble = lane.trouble, trouble
        if trouble == before:
            return
        jobs = self._tracked(lane)
        told = [job for job in jobs if trouble or job.last_message == before]
        with suppress(StoreError):
            await self._conveyor.note({job.uuid: trouble or None for job in told})

    async def _look_quietly(self, lane: Lane, uuids: Sequence[str]) -> None:
        try:
            await self.look(lane, uuids)
        except _TROUBLE as trouble:
            log.warning("jobs of %s cannot be looked at: %s. The next sweep follows.", lane.key[0], trouble)

    async def look_again(self) -> None:
        """Sweep every lane at once: what happened while no engine was there?"""
        for lane, _ in by_lane(self._conveyor.jobs.values(), self._lane):
            if lane.tracked:
                await self._sweep_quietly(lane, at_once=True)

    async def _keep_limits(self, lane: Lane) -> None:
        late = [
            self._conveyor.jobs[u]
            for u in lane.overdue(self._ports.clock.ticks())
            if u in self._conveyor.jobs
        ]
        if late:
            await self.end(late, why="timeout")

    # -- looking

    async def sweep(self, lane: Lane, *, at_once: bool = False) -> bool:
        """Ask each scheduler whose turn it is once about all its jobs, and act on what it says.

        Returns whether any was asked.
        """
        groups = await self._on_host.by_scheduler(self._tracked(lane))
        lane.take_turns(name for name, _ in groups)
        now = self._ports.clock.ticks()
        due = [(name, jobs) for name, jobs in groups if at_once or lane.turns[name].due <= now]
        for name, jobs in due:
            await self._act_on(lane, name, jobs, await self._ask(lane, name, jobs))
        if due and await self._progress.look(lane, self._running(lane)):
            for name, _ in due:
                lane.turns[name].hasten(now)
        return bool(due)

    async def _ask(self, lane: Lane, name: str, jobs: Sequence[Job]) -> Mapping[str, Report]:
        """Ask one scheduler about its jobs, and set when it is asked again."""
        scheduler, turn, now = self._ports.schedulers[name], lane.turns[name], self._ports.clock.ticks()
        # Noted before it is asked: a scheduler in trouble is not asked more often than a healthy one.
        turn.begin(now, await self._on_host.rounds(lane, scheduler.rounds))
        launches = await self._on_host.launches(jobs)
        transport = await self._on_host.transport(lane)
        answer = await transport.run(scheduler.look_script(lane.folder, launches), timeout=180.0)
        reports = scheduler.parse_look(launches, answer)
        turn.away = next((r.reason for r in reports.values() if r.sighting is Sighting.AWAY), "")
        reports = {uuid: r for uuid, r in reports.items() if r.sighting is not Sighting.AWAY}
        turn.silent = 0 if reports else turn.silent + 1
        if news(jobs, reports) or doubtful(lane, jobs, reports):
            turn.hasten(now)
        elif any(job.status is JobStatus.RUNNING for job in jobs):
            turn.hasten(now, min(turn.gap, OUT_OF_SIGHT))
        return reports

    async def _act_on(
        self, lane: Lane, name: str, jobs: Sequence[Job], reports: Mapping[str, Report]
    ) -> None:
        """Look at jobs of which a scheduler says something new, and tell what the waiting ones wait for."""
        for uuid, report in reports.items():
            if report.sighting is not Sighting.ABSENT:
                lane.absent.pop(uuid, None)
        open_ends = doubtful(lane, jobs, reports)
        for uuid in open_ends:
            lane.doubtful[uuid] += 1
        names = list(dict.fromkeys([*news(jobs, reports), *open_ends]))
        await self.look(lane, names, reports, doubt=self._ports.schedulers[name].doubt)
        hopeless = {u: r.reason for u, r in reports.items() if r.sighting is Sighting.IMPOSSIBLE}
        if hopeless:
            await self._ending.take_back(lane, hopeless)
        await self._conveyor.note(
            {u: r.reason for u, r in reports.items() if r.sighting is Sighting.QUEUED and r.reason}
        )

    async def look(
        self,
        lane: Lane,
        names: Sequence[str],
        reports: Mapping[str, Report] | None = None,
        *,
        doubt: float = 0.0,
    ) -> None:
        """Read the marks of some jobs and store what they tell, all in one transaction.

        Raises the host's trouble, and the store's.
        """
        jobs = [self._conveyor.jobs[u] for u in names if u in self._conveyor.jobs]
        jobs = [job for job in jobs if is_on_host(job)]
        if not jobs:
            return
        found = await self._on_host.read_marks(lane, jobs)
        orphans = [job for job in jobs if is_orphan(job, found[job.uuid], reports)]
        if orphans:
            # What goes on running is looked at again: it is not over.
            left = {job.uuid for job in orphans} - await self._ending.kill(lane, orphans, why=LOST)
            jobs = [job for job in jobs if job.uuid not in left]
        jobs = [self._conveyor.jobs[job.uuid] for job in jobs if job.uuid in self._conveyor.jobs]
        jobs = [job for job in jobs if is_on_host(job)]
        starts = [
            self._outcome.started(job, found[job.uuid])
            for job in jobs
            if job.status in _NOT_BEGUN and found[job.uuid].was_started
        ]
        begun = {change.after.uuid: change.after for change in starts}
        ends = []
        for job in jobs:
            report = (reports or {}).get(job.uuid)
            ends += self._what_next(lane, begun.get(job.uuid, job), found[job.uuid], report, doubt)
        ends = await self._progress.with_last(lane, ends)
        stale = await self._conveyor.commit(starts, ends)
        if stale:
            # Two looks at the same time: what this one saw beyond the other is seen again.
            self._ports.spawn(self._look_quietly(lane, sorted(stale)), f"another look at {lane.key[0]}")
        for job in begun.values():
            if job.uuid in self._conveyor.jobs and job.uuid in lane.tracked:
                lane.started(job, _deadline(job), self._ports.clock.ticks())
        if begun and lane.free_cores:
            # The last of a batch has begun: the places that the batch kept for it are others' now.
            self._conveyor.wake(lane.key, JobStatus.SUBMITTING_JOB)
        # As they were: a job that is handed over anew has forgotten whose places it held.
        stored = [change for change in ends if change.after.uuid not in stale]
        gone = [c for c in stored if not c.after.status.is_terminal and not is_on_host(c.after)]
        self.release([change.before for change in gone])

    def _what_next(
        self, lane: Lane, job: Job, found: Marks, report: Report | None, doubt: float
    ) -> list[Change]:
        """Return the change that the marks, and what the scheduler said, call for, if any."""
        if found.exit_code is not None:
            is_told = report is not None and report.condition is not None
            if only_scheduler_knows(job, found) and not is_told and self._may_ask(lane, job):
                return []
            return [self._outcome.concluded(job, found, report)]
        if report is None:
            return []
        if report.sighting is Sighting.VANISHED and found.was_started:
            return [self._outcome.vanished(job, found, report)]
        if report.sighting is Sighting.REFUSED and not found.was_started:
            return [self._outcome.refused(job, report)]
        if held := self._outcome.held_or_let_go(job, report):
            return [held]
        if report.sighting is Sighting.ABSENT and not found.was_started:
            return self._absent(lane, job, found, doubt)
        return []

    def _may_ask(self, lane: Lane, job: Job) -> bool:
        """Have the scheduler asked why a job ended, as soon as it may be; False when it does not tell."""
        asked = lane.doubtful.setdefault(job.uuid, 0)
        if asked == 0:
            self._ports.spawn(self._ask_when_allowed(lane), f"why jobs of {lane.key[0]} ended")
        return asked < DOUBT_ROUNDS

    async def _ask_when_allowed(self, lane: Lane) -> None:
        now = self._ports.clock.ticks()
        earliest = max((turn.earliest for turn in lane.turns.values()), default=now)
        # A moment more, for the scheduler writes its own records after the job's last word.
        await self._ports.clock.sleep(max(DOUBT_PAUSE, earliest - now))
        if lane.doubtful:
            await self._sweep_quietly(lane, at_once=True)

    def _absent(self, lane: Lane, job: Job, found: Marks, doubt: float) -> list[Change]:
        """Nothing on the host knows it: hand it over anew, or give it up when it had been seen running."""
        ran = job.status is JobStatus.RUNNING
        doubt = max(doubt, OUT_OF_SIGHT) if ran else doubt
        if not lane.is_surely_absent(job.uuid, self._ports.clock.ticks(), doubt):
            return []
        if ran:
            return [self._outcome.without_directory(job, Marks())]
        if job.cancel_requested:
            return [self._outcome.cancelled(job, {})]
        if found.killed == IMPOSSIBLE:
            return [self._outcome.impossible(job, job.last_message or "")]
        return [self._outcome.submitted_again(job)]

    # -- small things

    def _tracked(self, lane: Lane) -> list[Job]:
        jobs = (self._conveyor.jobs.get(uuid) for uuid in lane.tracked)
        return [job for job in jobs if job is not None and is_on_host(job)]

    def _running(self, lane: Lane) -> list[Job]:
        return [job for job in self._tracked(lane) if job.status is JobStatus.RUNNING]


def _sentence(trouble: Exception) -> str:
    text = trouble.message if isinstance(trouble, TapisJobsError) else str(trouble)
    return text if text.endswith(".") else f"{text}."


def _deadline(job: Job) -> float:
    """When a running job is over its time, by the clock of its host, in seconds since the epoch."""
    started = parse_iso(job.remote_started or job.last_updated)
    margin = 0 if job.job_type == JobType.FORK else BATCH_MARGIN
    return started + (job.max_minutes + margin) * 60


#: Where a job is that its scheduler has and that has not begun.
_NOT_BEGUN = (JobStatus.QUEUED, JobStatus.PAUSED)
