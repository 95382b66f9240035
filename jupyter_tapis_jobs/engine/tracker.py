"""The tracker: follows jobs that are on their hosts, from the start to the end, and ends them when asked.

Three things tell it to look: an event file that a launch script left, a sweep that asks the host
about all of a lane's jobs at once, and a time limit. What it then believes are the marks in the
job's directory; a process that is gone without one has vanished.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ..model import marks
from ..model.errors import StoreError, TapisJobsError, TransportError
from ..model.fields import JobType
from ..model.files import CONTAINER_ID
from ..model.job import Job
from ..model.marks import Marks
from ..model.status import Condition, JobStatus, RemoteOutcome
from ..model.times import iso, parse_iso
from ..schedulers.base import Launch, Report, Sighting
from ..store.jobs import Change
from ..transports.base import Transport
from .conveyor import HANDED_OVER, Conveyor
from .lane import Lane, LaneKey
from .lane_folder import LaneFolders
from .ports import Ports

log = logging.getLogger(__name__)

FORK = "FORK"
#: Seconds from the first job of a lane to the first question about it.
FIRST_LOOK = 5.0
#: Seconds after which a lane is minded again whatever was planned: jobs of another scheduler may have come.
LONGEST_NAP = 10.0
#: Seconds between the polite end of a job and the hard one (Slurm's KillWait).
GRACE = 30
#: Minutes that a batch job gets beyond its limit, which its scheduler keeps (Tapis Jobs, "Polling").
BATCH_MARGIN = 10
#: Seconds for which a running job may be out of sight before it is given up.
OUT_OF_SIGHT = 30.0
#: Starts in a row that are lost before they begin, until a job is given up.
MOST_STARTS = 5
#: Seconds that a scheduler gets to write down why a job ended, and questions it gets about that.
DOUBT_PAUSE, DOUBT_ROUNDS = 2.0, 2
#: Exit code of what was killed: 128 + SIGKILL.
KILLED_EXIT_CODE = 137
#: That of one that went at the word TERM before its launch script had heard of it: 128 + SIGTERM.
TERMINATED_EXIT_CODE = 143
#: The reason that is left in the directory of a job that could never start and was taken back.
IMPOSSIBLE = "impossible"
#: And in that of one whose launch script was killed, before what it left behind is ended.
LOST = "lost"
#: Rounds of questions without any answer until that is told.
SILENT_ROUNDS = 2
#: What is said of jobs that are on a host which cannot be seen.
UNSEEN = "What runs there goes on, nothing is lost, and it is looked at again within two minutes."
VANISHED = "its process vanished without a word: killed from outside, or the machine restarted"
NO_DIRECTORY = "its directory on the host is gone: somebody or something deleted it while it ran"
#: Where a job can be while its process may exist.
ENDABLE = HANDED_OVER | {JobStatus.SUBMITTING_JOB, JobStatus.BLOCKED}
#: What a watcher hears while a host is in trouble; sweeps go on.
_TROUBLE = (TransportError, OSError, StoreError)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job is on its host: its execution directory, and the scheduler that has it."""

    exec_dir: str
    scheduler: str
    #: What ends the container that it may have beside its own processes (``Runtime.leftover``).
    leftover: str = ""


class Tracker:
    """Watches the lanes' hosts. Lives on the engine's loop only."""

    def __init__(
        self,
        ports: Ports,
        conveyor: Conveyor,
        *,
        lane: Callable[[LaneKey], Lane],
        folders: LaneFolders,
        places: Callable[[Sequence[Job]], Awaitable[Mapping[str, Place]]],
    ) -> None:
        self._ports = ports
        self._conveyor = conveyor
        self._lane = lane
        self._folders = folders
        self._places = places
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
        silent = [name for name, turn in lane.turns.items() if turn.silent >= SILENT_ROUNDS]
        await self._tell(lane, f"⚠ {silent[0]} of {lane.key[0]} gives no answer. {UNSEEN}" if silent else "")

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
            await self._look_at(lane, uuids)
        except _TROUBLE as trouble:
            log.warning("jobs of %s cannot be looked at: %s. The next sweep follows.", lane.key[0], trouble)

    async def look_again(self) -> None:
        """Sweep every lane at once: what happened while no engine was there?"""
        for lane, _ in self._by_lane(self._conveyor.jobs.values()):
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
        asked = False
        groups = await self.by_scheduler(self._tracked(lane))
        lane.take_turns(name for name, _ in groups)
        for name, jobs in groups:
            scheduler, turn = self._ports.schedulers[name], lane.turns[name]
            now = self._ports.clock.ticks()
            if not at_once and turn.due > now:
                continue
            # Noted before it is asked: a scheduler in trouble is not asked more often than a healthy one.
            turn.begin(now, scheduler.rounds)
            asked = True
            launches = await self.launches(jobs)
            transport = await self._transport(lane)
            answer = await transport.run(scheduler.look_script(lane.folder, launches), timeout=180.0)
            reports = scheduler.parse_look(launches, answer)
            turn.silent = 0 if reports else turn.silent + 1
            news = [job for job in jobs if _is_news(job, reports.get(job.uuid))]
            doubtful = [job for job in jobs if job.uuid in lane.doubtful and job.uuid in reports]
            if news or doubtful:
                turn.hasten(now, scheduler.rounds)
            elif any(job.status is JobStatus.RUNNING for job in jobs):
                turn.hasten(now, (min(turn.gap, OUT_OF_SIGHT),) * 2)
            for job in jobs:
                if (said := reports.get(job.uuid)) and said.sighting is not Sighting.ABSENT:
                    lane.absent.pop(job.uuid, None)
            for job in doubtful:
                lane.doubtful[job.uuid] += 1
            names = list({job.uuid: None for job in (*news, *doubtful)})
            await self._look_at(lane, names, reports, doubt=scheduler.doubt)
            await self._take_back_impossible(lane, jobs, reports)
            await self._conveyor.note(
                {u: r.reason for u, r in reports.items() if r.sighting is Sighting.QUEUED and r.reason}
            )
        return asked

    async def _take_back_impossible(
        self, lane: Lane, jobs: Sequence[Job], reports: Mapping[str, Report]
    ) -> None:
        """What waits for something that never comes is taken out of the queue, and fails."""
        hopeless = [
            job for job in jobs if job.uuid in reports and reports[job.uuid].sighting is Sighting.IMPOSSIBLE
        ]
        if not hopeless:
            return
        # Stored first: once they are taken back, nobody can say any more why.
        await self._conveyor.note({job.uuid: reports[job.uuid].reason for job in hopeless})
        gone = await self._kill(lane, hopeless, why=IMPOSSIBLE)
        present = [self._conveyor.jobs[job.uuid] for job in hopeless if job.uuid in self._conveyor.jobs]
        ended = [job for job in present if job.uuid in gone and job.status is JobStatus.QUEUED]
        await self._conveyor.commit(
            [
                self._conveyor.failed(job, reports[job.uuid].reason, Condition.JOB_LAUNCH_FAILURE)
                for job in ended
            ]
        )

    async def _look_at(
        self,
        lane: Lane,
        names: Sequence[str],
        reports: Mapping[str, Report] | None = None,
        *,
        doubt: float = 0.0,
    ) -> None:
        """Read the marks of some jobs and store what they tell, all in one transaction."""
        jobs = [self._conveyor.jobs[u] for u in names if u in self._conveyor.jobs]
        jobs = [job for job in jobs if job.status in HANDED_OVER]
        if not jobs:
            return
        found = await self.read_marks(lane, jobs)
        await self._end_orphans(lane, [job for job in jobs if _is_orphan(job, found[job.uuid], reports)])
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
            report = (reports or {}).get(job.uuid)
            ends += self._what_next(lane, begun.get(job.uuid, job), found[job.uuid], report, doubt)
        await self._conveyor.commit(starts, ends)
        for job in begun.values():
            if job.uuid in self._conveyor.jobs and job.uuid in lane.tracked:
                lane.started(job, _deadline(job))
        # As they were: a job that is handed over anew has forgotten whose places it held.
        self.release([change.before for change in ends if not change.after.status.is_terminal])

    async def _end_orphans(self, lane: Lane, orphans: Sequence[Job]) -> None:
        """End what a launch script has left behind that was killed itself: its application, its container."""
        if orphans:
            await self._kill(lane, orphans, why=LOST)

    def _start(self, job: Job, found: Marks) -> Change:
        started = iso(found.started or self._ports.clock.now())
        is_fork = job.job_type == JobType.FORK
        number = found.container_id or found.pid if is_fork else job.remote_job_id or found.scheduler_id
        return self._conveyor.step(job, JobStatus.RUNNING, remote_started=started, remote_job_id=number)

    def _what_next(
        self, lane: Lane, job: Job, found: Marks, report: Report | None, doubt: float
    ) -> list[Change]:
        """Return the change that the marks, and what the scheduler said, call for, if any."""
        if found.exit_code is not None:
            is_told = report is not None and report.condition is not None
            if _only_scheduler_knows(job, found) and not is_told and self._may_ask(lane, job):
                return []
            return [self._conclude(job, found, report)]
        if report is None:
            return []
        if report.sighting is Sighting.VANISHED and found.was_started:
            return [self._vanish(job, found, report)]
        if report.sighting is Sighting.REFUSED and not found.was_started:
            return [self._refused(job, report)]
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

    def _conclude(self, job: Job, found: Marks, report: Report | None = None) -> Change:
        """The application has ended: on to archiving, or cancelled if that is why it ended."""
        code = found.exit_code if found.exit_code is not None else KILLED_EXIT_CODE
        fields: dict[str, Any] = {
            "exit_code": code,
            "remote_ended": iso(found.ended or self._ports.clock.now()),
            "remote_result_info": str(code),
        }
        if found.container_id:
            fields["remote_job_id"] = found.container_id
        if job.cancel_requested:
            return self._cancelled(job, fields)
        if found.killed == "timeout":
            is_fork = job.job_type == JobType.FORK
            fields["condition"] = (
                Condition.JOB_EXECUTION_MONITORING_TIMEOUT if is_fork else Condition.SCHEDULER_TIMEOUT
            )
        elif report is not None and report.condition is not None and _only_scheduler_knows(job, found):
            fields |= {"condition": report.condition, "remote_result_info": report.reason}
        well = code == 0 and found.killed in (None, LOST)
        fields["remote_outcome"] = _outcome(job, well)
        return self._conveyor.step(job, JobStatus.ARCHIVING, **fields)

    def _cancelled(self, job: Job, fields: Mapping[str, Any]) -> Change:
        change = self._conveyor.cancelled(job)
        return Change(before=job, after=change.after.evolve(**fields), events=change.events)

    def _vanish(self, job: Job, found: Marks, report: Report) -> Change:
        """Its process is gone and left no word: never silently run again."""
        if found.killed not in (None, LOST) or job.cancel_requested:
            return self._conclude(job, found)
        return self._conveyor.step(
            job,
            JobStatus.ARCHIVING,
            remote_ended=iso(self._ports.clock.now()),
            remote_outcome=_outcome(job, False),
            condition=report.condition or Condition.SCHEDULER_TERMINATED,
            remote_result_info=report.reason or VANISHED,
        )

    def _refused(self, job: Job, report: Report) -> Change:
        """Its scheduler ended it before it began, for a reason that would come again."""
        if job.cancel_requested:
            return self._cancelled(job, {})
        return self._conveyor.failed(job, report.reason, report.condition or Condition.JOB_LAUNCH_FAILURE)

    def _absent(self, lane: Lane, job: Job, found: Marks, doubt: float) -> list[Change]:
        """Nothing on the host knows it: hand it over anew, or give it up when it had been seen running."""
        ran = job.status is JobStatus.RUNNING
        doubt = max(doubt, OUT_OF_SIGHT) if ran else doubt
        if not lane.is_surely_absent(job.uuid, self._ports.clock.ticks(), doubt):
            return []
        if ran:
            gone = Report(sighting=Sighting.VANISHED, reason=NO_DIRECTORY)
            return [self._vanish(job, Marks(), gone)]
        if job.cancel_requested:
            return [self._cancelled(job, {})]
        if found.killed == IMPOSSIBLE:
            return [self._conveyor.failed(job, job.last_message or "", Condition.JOB_LAUNCH_FAILURE)]
        return [self._submit_again(job)]

    def _submit_again(self, job: Job) -> Change:
        """It was handed over, but nothing will ever start it: hold it and hand it over anew."""
        if job.remote_submit_retries >= MOST_STARTS:
            return self._conveyor.failed(
                job,
                f"its start on {job.exec_system_id} was lost {MOST_STARTS + 1} times before it began",
                Condition.JOB_LAUNCH_FAILURE,
            )
        change = self._conveyor.blocked(job, "its start was lost before it began; it is submitted again", 0.0)
        after = change.after.evolve(
            resume_status=JobStatus.SUBMITTING_JOB,
            submission_id=None,
            remote_job_id=None,
            remote_job_id2=None,
            remote_submit_retries=job.remote_submit_retries + 1,
        )
        return Change(before=job, after=after, events=change.events)

    async def read_marks(self, lane: Lane, jobs: Sequence[Job]) -> dict[str, Marks]:
        """Read what the directories of *jobs* tell, in one round trip."""
        transport = await self._transport(lane)
        places = await self._places(jobs)
        paths = {
            f"{places[job.uuid].exec_dir}/{name}": (job.uuid, name)
            for job in jobs
            for name in _telling(job, places[job.uuid])
        }
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
        gone = await self._kill(lane, jobs, why=why)
        found = await self.read_marks(lane, jobs)
        present = [self._conveyor.jobs[job.uuid] for job in jobs if job.uuid in self._conveyor.jobs]
        ended = [job for job in present if job.uuid in gone and not job.status.is_terminal]
        changes = [self._ended(job, found[job.uuid], why) for job in ended if job.status in ENDABLE]
        await self._conveyor.commit(changes)
        self.release(ended)

    async def _kill(self, lane: Lane, jobs: Sequence[Job], *, why: str) -> set[str]:
        """Have jobs ended by their schedulers; return those that are really gone by now."""
        transport = await self._transport(lane)
        gone: set[str] = set()
        for name, members in await self.by_scheduler(jobs):
            scheduler, launches = self._ports.schedulers[name], await self.launches(members)
            script = scheduler.cancel_script(launches, why=why, grace=GRACE)
            answer = await transport.run(script, timeout=2.0 * GRACE + 60)
            gone |= scheduler.parse_cancel(launches, answer)
        return gone

    def _ended(self, job: Job, found: Marks, why: str) -> Change:
        if job.cancel_requested:
            code = found.exit_code
            ended = iso(found.ended or self._ports.clock.now()) if found.was_started else None
            return self._cancelled(job, {"exit_code": code, "remote_ended": ended})
        if not found.was_started and job.status is JobStatus.RUNNING:
            return self._vanish(job, found, Report(sighting=Sighting.VANISHED, reason=NO_DIRECTORY))
        if not found.was_started:
            return self._submit_again(job)
        return self._conclude(job, found if found.exit_code is not None else _as_killed(found, why))

    # -- small things

    def _tracked(self, lane: Lane) -> list[Job]:
        jobs = (self._conveyor.jobs.get(uuid) for uuid in lane.tracked)
        return [job for job in jobs if job is not None and job.status in HANDED_OVER]

    async def launches(self, jobs: Sequence[Job]) -> list[Launch]:
        """Return jobs as their scheduler sees them."""
        places = await self._places(jobs)
        return [
            Launch(
                uuid=job.uuid,
                exec_dir=places[job.uuid].exec_dir,
                submission_id=job.submission_id,
                remote_job_id=job.remote_job_id,
                cores=job.cores_per_node,
                mode=job.launch_mode,
                submitted=job.remote_submitted,
                max_minutes=job.max_minutes,
                leftover=places[job.uuid].leftover,
            )
            for job in jobs
        ]

    async def by_scheduler(self, jobs: Sequence[Job]) -> list[tuple[str, list[Job]]]:
        """Return jobs by the name of the scheduler that has them, or is to have them."""
        places = await self._places(jobs)
        groups: dict[str, list[Job]] = {}
        for job in jobs:
            groups.setdefault(places[job.uuid].scheduler, []).append(job)
        return list(groups.items())

    async def _transport(self, lane: Lane) -> Transport:
        return await self._folders.transport(lane)


def _sentence(trouble: Exception) -> str:
    text = trouble.message if isinstance(trouble, TapisJobsError) else str(trouble)
    return text if text.endswith(".") else f"{text}."


def _deadline(job: Job) -> float:
    """When a running job is over its time, by the clock of its host, in seconds since the epoch."""
    started = parse_iso(job.remote_started or job.last_updated)
    margin = 0 if job.job_type == JobType.FORK else BATCH_MARGIN
    return started + (job.max_minutes + margin) * 60


def _telling(job: Job, place: Place) -> Iterable[str]:
    """Return the files that tell of a job; one with a container has its number too."""
    return (*marks.TELLING, f"{job.uuid}{CONTAINER_ID}") if place.leftover else marks.TELLING


def _is_orphan(job: Job, found: Marks, reports: Mapping[str, Report] | None) -> bool:
    """Has a FORK job's launch script gone without a word? A batch scheduler ends what it left by itself."""
    report = (reports or {}).get(job.uuid)
    vanished = report is not None and report.sighting is Sighting.VANISHED
    return vanished and job.job_type == JobType.FORK and found.was_started and found.exit_code is None


def _is_news(job: Job, report: Report | None) -> bool:
    """Does the scheduler say something else than what is stored?"""
    known = {Sighting.QUEUED: JobStatus.QUEUED, Sighting.RUNNING: JobStatus.RUNNING}
    return report is not None and known.get(report.sighting) is not job.status


def _only_scheduler_knows(job: Job, found: Marks) -> bool:
    """Was it the application's own end, or the scheduler's: for time, memory, a better job, a node?

    In a pack the memory is the allocation's, and what ends one case for it is not told.
    """
    if job.job_type == JobType.FORK or found.killed or job.cancel_requested:
        return False
    was_killed = found.exit_code == KILLED_EXIT_CODE and job.launch_mode != "pack"
    return found.was_terminated or found.exit_code == TERMINATED_EXIT_CODE or was_killed


def _outcome(job: Job, well: bool) -> RemoteOutcome:
    return RemoteOutcome.FINISHED if well else RemoteOutcome.FAILED


def _as_killed(found: Marks, why: str) -> Marks:
    """What is known of a job whose script had no time to write its end."""
    return replace(found, killed=why, exit_code=KILLED_EXIT_CODE)
