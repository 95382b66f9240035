"""SUBMITTING_JOB: jobs are handed to their scheduler, at most once per attempt (see PROTOCOL.md).

Jobs that an earlier try may have handed over are looked for first. The others go in submissions: FORK
jobs as many as there are free cores, batch jobs one by one, as arrays, or packed (``launch_modes``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.batch_languages import language_of
from ..model.directives import forces_single
from ..model.fields import JobType
from ..model.job import Job, JobDefinition
from ..model.status import Condition, JobStatus
from ..model.system import System
from ..model.times import iso
from ..schedulers.base import Report, Scheduler, Sighting, Submission
from ..schedulers.submissions import OVERTAKEN
from ..store.jobs import Change
from ..transports.base import Transport
from .conveyor import HANDED_OVER, Conveyor
from .lane import Lane, LaneKey
from .launch_modes import Facts, Plan, group_key, pack_options, plan, why_single
from .on_host import OnHost
from .ports import Ports
from .tracker import FORK
from .verdict import Block, Fail, Go, Stay, Verdict

#: Batch jobs that one script submits one by one.
ONE_BY_ONE = 200
#: Seconds until a host is asked again whether it has a job.
UNCLEAR_RETRY = 5.0
#: Seconds until a scheduler is asked again that took no more jobs.
LATER_RETRY = 60.0
#: Seconds until one is tried again that could not be asked.
AWAY_RETRY = 30.0

Verdicts = dict[str, Verdict]


@dataclass(frozen=True, slots=True)
class Handover:
    """Jobs that one submission hands over, and how."""

    jobs: Sequence[Job]
    mode: str = "single"
    reason: str | None = None
    parallel: int = 0
    directives: tuple[str, ...] = ()


class Starter:
    """The station SUBMITTING_JOB."""

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        on_host: OnHost,
        definitions: Callable[[Sequence[Job]], Awaitable[Mapping[str, JobDefinition]]],
        system: Callable[[str], Awaitable[System]],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._on_host = on_host
        self._definitions = definitions
        self._system = system
        #: (lane, queue) -> how many more jobs of one array the scheduler took the last time it refused.
        self._most: dict[tuple[Any, ...], int] = {}
        self._waking: set[LaneKey] = set()
        #: Set by the engine: what it stores by itself goes through it.
        self.conveyor: Conveyor

    async def start(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Hand jobs over, as many as have a place; look first where an earlier try had no clear answer."""
        transport = await self._on_host.transport(lane)
        verdicts: Verdicts = {}
        for name, jobs in await self._on_host.by_scheduler(cohort):
            scheduler = self._ports.schedulers[name]
            tried = [job for job in jobs if job.submission_id]
            found = await self._found_submitted(lane, scheduler, tried, transport)
            fresh = [job for job in jobs if job.uuid not in found]
            start = self._start_forks if name == FORK else self._start_batch
            verdicts |= found | await start(lane, scheduler, fresh, transport)
        return verdicts

    # -- looking for what an earlier try may have handed over

    async def _found_submitted(
        self, lane: Lane, scheduler: Scheduler, jobs: Sequence[Job], transport: Transport
    ) -> Verdicts:
        """Return a verdict for those that were handed over before; the others may be handed over anew."""
        if not jobs:
            return {}
        launches = await self._on_host.launches(jobs)
        answer = await transport.run(scheduler.look_script(lane.folder, launches))
        reports = scheduler.parse_look(launches, answer)
        verdicts = {job.uuid: self._found(lane, scheduler, job, reports.get(job.uuid)) for job in jobs}
        kept = {uuid: verdict for uuid, verdict in verdicts.items() if verdict is not None}
        lane.early.update(uuid for uuid, verdict in kept.items() if isinstance(verdict, Go))
        return kept

    def _found(self, lane: Lane, scheduler: Scheduler, job: Job, report: Report | None) -> Verdict | None:
        """Say what a look means for a job's start; None allows a new one."""
        if report is None:
            return Block("the host gave no clear answer about the job's start", UNCLEAR_RETRY)
        if report.sighting is Sighting.REFUSED:
            return Fail(report.reason, report.condition or Condition.JOB_LAUNCH_FAILURE)
        if report.sighting is Sighting.AWAY:
            return Block(report.reason, AWAY_RETRY)
        if report.sighting not in (Sighting.ABSENT, Sighting.LATER):
            return self._handed_over(job, report)
        if lane.is_surely_absent(job.uuid, self._ports.clock.ticks(), scheduler.doubt):
            return None
        return Block(
            f"{job.exec_system_id} does not show the job's start; it is looked for once more", scheduler.doubt
        )

    # -- FORK

    async def _start_forks(
        self, lane: Lane, scheduler: Scheduler, jobs: Sequence[Job], transport: Transport
    ) -> Verdicts:
        """Start as many as there are free cores; the others keep their place."""
        batch, parallel = _batch(jobs, lane.free_cores, lane.fork_batch)
        verdicts: Verdicts = {job.uuid: Stay() for job in jobs}
        if batch:
            verdicts |= await self._hand_over(lane, scheduler, Handover(batch, parallel=parallel), transport)
        return verdicts

    # -- batch schedulers

    async def _start_batch(
        self, lane: Lane, scheduler: Scheduler, jobs: Sequence[Job], transport: Transport
    ) -> Verdicts:
        """Start single jobs one by one and groups of like jobs together, as far as limits allow."""
        if not jobs:
            return {}
        definitions = await self._definitions(jobs)
        system = await self._system(lane.key[0])
        verdicts: Verdicts = {}
        alone: dict[str, list[Job]] = {}
        groups: dict[tuple[Any, ...], list[Job]] = {}
        for job in jobs:
            definition = definitions[job.uuid]
            if why := why_single(job, definition, forces_single(definition)):
                alone.setdefault(why, []).append(job)
            else:
                groups.setdefault(group_key(job, _shared_options(job, definition)), []).append(job)
        for why, singles in alone.items():
            for start in range(0, len(singles), ONE_BY_ONE):
                some = Handover(singles[start : start + ONE_BY_ONE], reason=why)
                verdicts |= await self._hand_over(lane, scheduler, some, transport)
        if any(isinstance(verdict, Stay) for verdict in verdicts.values()):
            self._wake_later(lane)
        for group in groups.values():
            definition = definitions[group[0].uuid]
            verdicts |= await self._start_group(lane, scheduler, group, definition, system, transport)
        return verdicts

    async def _start_group(
        self,
        lane: Lane,
        scheduler: Scheduler,
        group: Sequence[Job],
        definition: JobDefinition,
        system: System,
        transport: Transport,
    ) -> Verdicts:
        """Start like jobs together; what finds no place keeps its own and is tried again."""
        verdicts: Verdicts = {}
        queue = system.queues.get(group[0].exec_system_logical_queue or "")
        limit = queue.max_jobs_per_user if queue else None
        key = (lane.key, group[0].exec_system_logical_queue)
        waiting = list(group)
        while waiting:
            if limit and limit > 0 and self._active_submissions(group[0]) >= limit:
                self._note(waiting, f"queue {definition.exec_system_logical_queue} takes {limit} at a time")
                break
            chosen = plan(waiting, Facts.of(system), queue, most=self._most.get(key))
            some = waiting[: chosen.size]
            said = await self._hand_over(lane, scheduler, _handover(some, chosen, definition), transport)
            later = sum(isinstance(verdict, Stay) for verdict in said.values())
            if later and later == len(some):
                if chosen.mode == "array" and len(some) > 1:
                    self._most[key] = len(some) // 2
                    waiting = [self.conveyor.jobs.get(job.uuid, job) for job in waiting]
                    continue
                break
            verdicts |= said
            waiting = waiting[chosen.size :]
        if waiting:
            verdicts |= {job.uuid: Stay() for job in waiting}
            self._wake_later(lane)
        return verdicts

    def _active_submissions(self, job: Job) -> int:
        """Count what the scheduler has, or is just given, of a job's owner in its queue: an array is one."""
        alike = (
            other
            for other in self.conveyor.jobs.values()
            if (other.status in HANDED_OVER or _is_given(other))
            and other.lane == job.lane
            and other.owner == job.owner
            and other.exec_system_logical_queue == job.exec_system_logical_queue
        )
        return len({o.uuid if o.launch_mode == "single" else o.submission_id for o in alike})

    def _wake_later(self, lane: Lane) -> None:
        """Try again what found no place, also when no end of a job of ours tells that there is one."""
        if lane.key not in self._waking:
            self._waking.add(lane.key)
            self._ports.spawn(self._wake_after(lane), f"places for jobs of {lane.key[0]}")

    async def _wake_after(self, lane: Lane) -> None:
        await self._ports.clock.sleep(LATER_RETRY)
        self._waking.discard(lane.key)
        self.conveyor.wake(lane.key, JobStatus.SUBMITTING_JOB)

    # -- one submission

    async def _hand_over(
        self, lane: Lane, scheduler: Scheduler, handover: Handover, transport: Transport
    ) -> Verdicts:
        """Store the intent, then submit: in this order, so that no start is ever forgotten."""
        identifier = f"{self._ports.random.getrandbits(64):016x}"
        lane.planned[identifier] = handover.parallel
        intended: dict[str, Any] = {
            "submission_id": identifier,
            "launch_mode": handover.mode,
            "launch_reason": handover.reason,
            "remote_submitted": self._now(),
        }
        intents = [Change(before=job, after=job.evolve(**intended)) for job in handover.jobs]
        moved_on = await self.conveyor.commit(intents)
        jobs = [change.after for change in intents if change.after.uuid not in moved_on]
        if not jobs:
            return {}
        submission = Submission(
            id=identifier,
            lane_dir=lane.folder,
            epoch=self._epoch,
            launches=tuple(await self._on_host.launches(jobs)),
            parallel=handover.parallel,
            mode=handover.mode,
            directives=handover.directives,
        )
        answer = await transport.run(scheduler.submit_script(submission), timeout=300.0)
        if answer.exit_code == OVERTAKEN:
            return await self._refused_as_old(lane, jobs)
        reports = scheduler.parse_submit(submission, answer)
        await self._take_back(jobs, reports)
        return {job.uuid: self._handed_over(job, reports.get(job.uuid)) for job in jobs}

    async def _refused_as_old(self, lane: Lane, jobs: Sequence[Job]) -> Verdicts:
        """The host has heard of another engine. It is right, and this one stops; or it is wrong.

        What an engine wrote that was overtaken can come late, when its link or its machine wakes.
        """
        await self.conveyor.check_lease()
        lane.is_prepared = False
        await self._forget_intents(jobs, None)
        told_anew = f"{lane.key[0]} took this job engine for an old one; it is told anew"
        return {job.uuid: Block(told_anew, UNCLEAR_RETRY) for job in jobs}

    async def _take_back(self, jobs: Sequence[Job], reports: Mapping[str, Report]) -> None:
        """Forget the intents that the scheduler surely did not take."""
        untaken = (Sighting.LATER, Sighting.AWAY)
        later = [job for job in jobs if job.uuid in reports and reports[job.uuid].sighting in untaken]
        if later:
            await self._forget_intents(later, reports[later[0].uuid].reason or None)

    async def _forget_intents(self, jobs: Sequence[Job], message: str | None) -> None:
        forgotten = {"submission_id": None, "last_message": message}
        await self.conveyor.commit([Change(before=job, after=job.evolve(**forgotten)) for job in jobs])

    def _handed_over(self, job: Job, report: Report | None) -> Verdict:
        """Say what becomes of a job that its scheduler has been given."""
        if report is None:
            return Block("the host gave no clear answer about the job's start", UNCLEAR_RETRY)
        match report.sighting:
            case Sighting.REFUSED:
                return Fail(report.reason, report.condition or Condition.JOB_LAUNCH_FAILURE)
            case Sighting.LATER | Sighting.ABSENT:
                return Stay()
            case Sighting.AWAY:
                return Block(report.reason, AWAY_RETRY)
        fields = {
            "remote_job_id": report.remote_job_id or job.remote_job_id,
            "remote_job_id2": report.remote_job_id2 or job.remote_job_id2,
            "remote_submitted": job.remote_submitted or self._now(),
        }
        return Go(fields=fields)

    def _note(self, jobs: Sequence[Job], message: str) -> None:
        waits = f"{message}; it is handed over when there is a place."
        self._ports.spawn(self.conveyor.note({job.uuid: waits for job in jobs}), "note")

    def _now(self) -> str:
        return iso(self._ports.clock.now())


def forecast(jobs: Sequence[tuple[Job, JobDefinition]], system: System) -> tuple[str, str]:
    """Return how most of *jobs*, new ones of one study on *system*, would be started, and why."""
    groups: dict[tuple[Any, ...], list[tuple[Job, JobDefinition]]] = {}
    for job, definition in jobs:
        is_fork = job.job_type == JobType.FORK
        why = _FORKED if is_fork else why_single(job, definition, forces_single(definition))
        key = (why,) if why else (None, *group_key(job, _shared_options(job, definition)))
        groups.setdefault(key, []).append((job, definition))
    (why, *_), group = max(groups.items(), key=lambda item: len(item[1]))
    if why:
        return "single", why
    alike, definition = [job for job, _ in group], group[0][1]
    chosen = plan(alike, Facts.of(system), system.queues.get(alike[0].exec_system_logical_queue or ""))
    some = _handover(alike[: chosen.size], chosen, definition)
    return some.mode, some.reason or ""


_FORKED = "the host itself starts FORK jobs, as many at a time as there are cores for them"


def _shared_options(job: Job, definition: JobDefinition) -> tuple[str, ...]:
    """Return what jobs say to the scheduler, names left out: the same where they start together."""
    own = ("--job-name", "--output", "--error")
    directives = language_of(definition).directives(job, definition)
    return tuple(o for o in directives if o.partition("=")[0] not in own)


def _handover(jobs: Sequence[Job], chosen: Plan, definition: JobDefinition) -> Handover:
    """Return the handover of like *jobs* as planned; *definition* is that of the first."""
    if chosen.mode == "single":
        return Handover(jobs, reason=chosen.reason)
    language = language_of(definition)
    options = language.directives(jobs[0], definition)
    name = f"{jobs[0].app_id}-{jobs[0].cohort_id}"
    if chosen.mode == "array":
        return Handover(jobs, "array", chosen.reason, 0, language.of_array(options, name))
    hide = not any(option.startswith("--mem=") for option in options)
    words = pack_options(options, name, chosen, hide_memory=hide)
    where = f"{chosen.nodes} node{'s' * (chosen.nodes > 1)} x {chosen.places} at a time"
    return Handover(jobs, "pack", f"{chosen.reason}; {where}", chosen.places, words)


def _is_given(job: Job) -> bool:
    """Tell whether a job is on its way to the scheduler at this moment."""
    return job.status is JobStatus.SUBMITTING_JOB and job.submission_id is not None


def _batch(jobs: Sequence[Job], free: int | None, most: int) -> tuple[list[Job], int]:
    """Return the FORK jobs to hand over together and how many of them may run at a time (0: all).

    They need the same number of cores; a job that needs more than there are runs alone. A place has one
    job that runs and one that waits, and *most* says how many go beyond that where they are short.
    """
    if not jobs or (free is not None and free <= 0):
        return [], 0
    kind = jobs[0].cores_per_node
    alike = [job for job in jobs if job.cores_per_node == kind]
    if free is None:
        return alike, 0
    places = max(1, free // kind)
    batch = alike[: max(2 * places, most)]
    # Places that none of them needs are left to those who come next.
    return batch, min(len(batch), places)
