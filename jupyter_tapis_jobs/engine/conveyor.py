"""The conveyor: carries jobs from station to station in cohorts, one transaction per cohort and step.

A station takes the jobs that wait at it for the same lane together. What it says of each job is
stored, with the history entry, before anybody hears of it and before the job moves on; so going on
after a crash is the same as going on: every job simply waits at the station that is stored for it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from ..model.errors import StoreError, TapisJobsError, TransportError
from ..model.job import Job, JobEvent
from ..model.status import CONVEYOR, HoldWish, JobStatus
from ..store import jobs as job_rows
from ..store.jobs import Change
from ..store.lease import LeaseLostError
from .blocked import Blocked
from .faults import is_full, verdict_of
from .lane import Lane, LaneKey
from .ports import Ports
from .steps import Steps
from .turns import Group, group_of
from .verdict import Block, Fail, Go, Stay, Verdict
from .waiting import Waiting

log = logging.getLogger(__name__)

T = TypeVar("T")

Station = Callable[[Lane, Sequence[Job]], Awaitable[Mapping[str, Verdict]]]
Listener = Callable[[Sequence[JobEvent], Sequence[Job]], None]
StationKey = tuple[LaneKey, JobStatus]

#: Statuses in which the scheduler has the job and the engine only watches.
HANDED_OVER = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})
#: Statuses before that.
BEFORE_HOST = frozenset(CONVEYOR[: CONVEYOR.index(JobStatus.QUEUED)])
#: Seconds until jobs are tried again whose step could not be stored.
STORE_RETRY = 5.0


class Conveyor:
    """Where every active job is, and what happens to it next. Lives on the engine's loop only."""

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        stations: Mapping[JobStatus, Station],
        lane: Callable[[LaneKey], Lane],
        on_lease_lost: Callable[[], None],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._stations = stations
        self._lane = lane
        self._on_lease_lost = on_lease_lost
        self._waiting: dict[StationKey, Waiting] = {}
        self._working: set[StationKey] = set()
        self._again: set[StationKey] = set()
        self._busy: set[str] = set()
        self._listeners: list[Listener] = []
        self.steps = Steps(ports.clock)
        #: Those that wait out trouble, or for a place under a quota.
        self.blocked = Blocked(self, ports)
        #: Every job that is not terminal.
        self.jobs: dict[str, Job] = {}
        #: Called with jobs that their scheduler has now (or had, before a restart).
        self.follow: Callable[[Sequence[Job]], None] = lambda jobs: None
        #: Called with jobs that have moved and whose owners wish them held, or let go.
        self.on_wish: Callable[[Sequence[str]], None] = lambda uuids: None
        #: Called with jobs that have ended.
        self.on_end: Callable[[Sequence[Job]], None] = lambda jobs: None

    # -- who listens

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell *listener* of every stored event; return the call that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def announce(self, events: Sequence[JobEvent], jobs: Sequence[Job]) -> None:
        """Tell listeners of events that are stored; a broken listener harms nobody."""
        for listener in tuple(self._listeners):
            try:
                listener(events, jobs)
            except Exception:
                log.exception("a listener to job events failed; jobs go on")

    async def annotate(
        self, change: Change, also: Callable[[Connection], None] = lambda connection: None
    ) -> list[JobEvent]:
        """Store a change that moves nothing, of a job that may have ended long ago; return its events.

        Returns none when the job has moved on in between: try again with the job as it is now. *also* is
        what is stored together with it.
        """

        def work(connection: Connection) -> tuple[list[JobEvent], frozenset[str]]:
            events, stale = _applied(connection, [[change]])
            if not stale:
                also(connection)
            return events, stale

        events, stale = await self._ports.write(work, epoch=self._epoch)
        if stale:
            return []
        if (present := self.jobs.get(change.after.uuid)) is not None:
            self.jobs[present.uuid] = present.evolve(**change.after.changes_from(change.before))
        self.announce(events, [change.after])
        return events

    async def note(self, messages: Mapping[str, str | None]) -> None:
        """Store what active jobs are at, uuid -> sentence or None: no step, so nothing in their history."""
        present = [(self.jobs[uuid], text) for uuid, text in messages.items() if uuid in self.jobs]
        await self.commit(
            [
                Change(before=job, after=job.evolve(last_message=text))
                for job, text in present
                if job.last_message != text
            ]
        )

    async def amend(self, uuids: Iterable[str], change: Callable[[Job], Job]) -> None:
        """Store a change that moves no job; one that moved on in the meantime is changed as it is now."""
        left = list(dict.fromkeys(uuids))
        while left:
            jobs = [self.jobs[uuid] for uuid in left if uuid in self.jobs]
            amended = [(job, change(job)) for job in jobs]
            moved_on = await self.commit([Change(before=j, after=a) for j, a in amended if a is not j])
            left = [uuid for uuid in left if uuid in moved_on]

    # -- moving jobs

    def enter(self, jobs: Iterable[Job]) -> None:
        """Put jobs, as they are stored, at their stations and set those to work."""
        # No set: the order of what happens is repeatable.
        keys: dict[StationKey, None] = {}
        handed_over, wished = [], []
        for job in jobs:
            self.jobs[job.uuid] = job
            if job.hold_wish:
                wished.append(job.uuid)
            if is_on_host(job):
                handed_over.append(job)
            elif job.status in self._stations:
                key = (job.lane, job.status)
                self._waiting.setdefault(key, Waiting(job.status)).append(job.uuid)
                keys[key] = None
        for key in keys:
            self._wake(key)
        if handed_over:
            self.follow(handed_over)
        if wished:
            self.on_wish(wished)

    def wake(self, lane: LaneKey, status: JobStatus) -> None:
        """Set a station to work if jobs wait at it, those that rest included."""
        if (waiting := self._waiting.get((lane, status))) is not None:
            waiting.rouse()
        self._wake((lane, status))

    def _wake(self, key: StationKey) -> None:
        if key in self._working:
            self._again.add(key)
        elif self._waiting.get(key):
            self._working.add(key)
            self._ports.spawn(self._work(key), f"{key[1]} of {key[0][0]}")

    async def _work(self, key: StationKey) -> None:
        """Serve cohorts until none waits, or those that wait have to wait for something else."""
        waiting, most = self._waiting[key], self._lane(key[0]).cohort
        # Those of one study that have to wait leave the station to the others.
        held: set[Group] = set()
        try:
            while cohort := waiting.take(self.jobs, most, held):
                self._again.discard(key)
                stayed = await self._serve_or_put_back(key, cohort)
                waiting.put_back(cohort, stayed)
                if key in self._again:
                    held.clear()
                elif not waiting.rests(stayed):
                    held.update(group_of(self.jobs[uuid]) for uuid in stayed if uuid in self.jobs)
        finally:
            self._working.discard(key)
            self._again.discard(key)
            if not waiting:
                self._waiting.pop(key, None)

    async def _serve_or_put_back(self, key: StationKey, cohort: Sequence[Job]) -> list[str]:
        """Serve a cohort; when the store takes nothing, all of it stays and is tried again later."""
        uuids = [job.uuid for job in cohort]
        self._busy.update(uuids)
        try:
            return [job.uuid for job in await self._serve(self._lane(key[0]), key[1], cohort)]
        except StoreError as trouble:
            log.error("%s Jobs wait at %s and are tried again in %d s.", trouble.message, key[1], STORE_RETRY)  # noqa: TRY400
            self._ports.spawn(self._wake_later(key), f"store trouble at {key[1]}")
            return [u for u in uuids if u in self.jobs and self.jobs[u].status is key[1]]
        finally:
            self._busy.difference_update(uuids)

    async def _wake_later(self, key: StationKey) -> None:
        await self._ports.clock.sleep(STORE_RETRY)
        self._wake(key)

    async def _serve(self, lane: Lane, status: JobStatus, cohort: Sequence[Job]) -> list[Job]:
        """Have a station work on a cohort and store what it says; return the jobs that stay."""
        await self._leave([job.uuid for job in cohort])
        cohort = [job for job in map(self.jobs.get, (j.uuid for j in cohort)) if job and job.status is status]
        if not cohort:
            return []
        verdicts = await self._ask(lane, status, cohort)
        self._rest((lane.key, status), verdicts)
        # What the station did not store itself is still as it was; what it stored is newer here.
        current = [self.jobs[job.uuid] for job in cohort if job.uuid in self.jobs]
        stayed = [job for job in current if isinstance(verdicts.get(job.uuid), Stay)]
        moved = [job for job in current if not isinstance(verdicts.get(job.uuid), Stay)]
        await self.commit(
            [self._follow(job, verdicts.get(job.uuid, Go())) for job in moved if job.status is status]
        )
        return stayed

    def _rest(self, key: StationKey, verdicts: Mapping[str, Verdict]) -> None:
        """Let those rest that say so, unless their station was woken since it was asked."""
        resting = {uuid for uuid, verdict in verdicts.items() if isinstance(verdict, Stay) and verdict.rests}
        if resting and key not in self._again:
            self._waiting[key].rest(resting)

    async def _ask(self, lane: Lane, status: JobStatus, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Ask a station; trouble of the host blocks, a fault is found by halving and fails one job only."""
        try:
            return await self._stations[status](lane, cohort)
        except (LeaseLostError, StoreError):
            raise
        except TransportError as trouble:
            lane.is_prepared = False
            return {job.uuid: Block(trouble.message, self.blocked.retry_after(job)) for job in cohort}
        except Exception as fault:  # noqa: BLE001 - one faulty job must not stop the others
            if isinstance(fault, OSError) and is_full(fault):
                return {job.uuid: verdict_of(fault, "the host refused") for job in cohort}
            if len(cohort) == 1:
                return {cohort[0].uuid: self._fault(fault, cohort[0])}
        half = len(cohort) // 2
        first = await self._ask(lane, status, cohort[:half])
        return {**first, **await self._ask(lane, status, cohort[half:])}

    def _fault(self, fault: Exception, job: Job) -> Verdict:
        if isinstance(fault, TapisJobsError) and fault.transient:
            return Block(fault.message, self.blocked.retry_after(job))
        if isinstance(fault, TapisJobsError):
            return Fail(fault.message)
        log.error("job %s failed at %s by an unexpected fault", job.uuid, job.status, exc_info=fault)
        return Fail(f"the job engine failed at {job.status}: {type(fault).__name__}: {fault}")

    # -- what a station says

    def _follow(self, job: Job, verdict: Verdict) -> Change:
        if _may_just_end(job):
            return self.steps.cancelled(job)
        match verdict:
            case Go(message, fields):
                return self.steps.on(job, message, **fields)
            case Fail(message, condition):
                return self.steps.failed(job, message, condition)
            case Block() if _may_just_rest(job):
                return self.steps.paused(job)
            case Block(message, retry_after):
                return self.blocked.change(job, message, retry_after)
            case _:
                raise AssertionError(verdict)

    async def let_leave(self, uuids: Iterable[str]) -> None:
        """Cancel or hold, as their owners asked, those that no host knows of and no station works on now."""
        await self._leave([uuid for uuid in uuids if uuid not in self._busy])

    async def _leave(self, uuids: Sequence[str]) -> None:
        jobs = [self.jobs[uuid] for uuid in uuids if uuid in self.jobs]
        ended = [self.steps.cancelled(job) for job in jobs if _may_just_end(job)]
        await self.commit(ended, [self.steps.paused(job) for job in jobs if _may_just_rest(job)])

    # -- storing

    async def commit(self, *rounds: Sequence[Change]) -> frozenset[str]:
        """Store changes in one transaction, round after round; then tell listeners and move the jobs on.

        A job may change once per round. Returns the jobs that were left as they are, because they had
        moved on in between. Raises ``LeaseLostError`` when another engine has taken over.
        """
        rounds = tuple(r for r in rounds if r)
        if not rounds:
            return frozenset()
        events, stale = await self._write(lambda connection: _applied(connection, rounds))
        made = [change for r in rounds for change in r if change.after.uuid not in stale]
        origins = {change.after.uuid: change.before.status for change in reversed(made)}
        latest: dict[str, Job] = {}
        for change in made:
            # Another commit may have changed other fields in between: only what changed here counts.
            uuid = change.after.uuid
            present = latest.get(uuid) or self.jobs.get(uuid, change.before)
            latest[uuid] = present.evolve(**change.after.changes_from(change.before))
        self._settle(latest.values(), origins)
        self.announce(events, list(latest.values()))
        return stale

    async def check_lease(self) -> None:
        """Raise ``LeaseLostError`` when another engine has taken over; that is then said, too."""
        await self._write(lambda connection: None)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._ports.write(work, epoch=self._epoch)
        except LeaseLostError:
            self._on_lease_lost()
            raise

    def _settle(self, jobs: Collection[Job], origins: Mapping[str, JobStatus]) -> None:
        entering, ended = [], []
        for job in jobs:
            before = origins[job.uuid]
            if job.status.is_terminal:
                ended.append(job)
            elif job.status is before:
                self.jobs[job.uuid] = job
            else:
                entering.append(job)
        self.blocked.stored(jobs, origins)
        for job in ended:
            self.jobs.pop(job.uuid, None)
        self.enter(entering)
        if ended:
            self.on_end(ended)


def _applied(
    connection: Connection, rounds: Sequence[Sequence[Change]]
) -> tuple[list[JobEvent], frozenset[str]]:
    """Store changes round after round; return the events, and the jobs that had moved on.

    Of those nothing is stored: a later round may fit again, and nobody here would know of it.
    """
    events: list[JobEvent] = []
    stale: set[str] = set()
    for changes in rounds:
        applied = job_rows.apply(connection, [c for c in changes if c.after.uuid not in stale])
        stale.update(change.after.uuid for change in applied.stale)
        events += applied
    return events, frozenset(stale)


def is_on_host(job: Job) -> bool:
    """Tell whether the job's scheduler has it; one that it holds for the owner is PAUSED."""
    return job.status in HANDED_OVER or (job.status is JobStatus.PAUSED and job.submission_id is not None)


def _may_just_rest(job: Job) -> bool:
    """A job whose owner wants it held and that was not handed over yet needs nobody else for that."""
    is_here = job.status in BEFORE_HOST or job.status is JobStatus.BLOCKED
    is_wanted = job.hold_wish is HoldWish.HOLD and job.cancel_requested is None
    return (
        is_wanted and is_here and job.submission_id is None and job.resume_status is not JobStatus.ARCHIVING
    )


def _may_just_end(job: Job) -> bool:
    """A job whose owner wants it ended and that runs on no host (not yet, or no more) needs no killing."""
    on_no_host = job.submission_id is None or job.status is JobStatus.ARCHIVING
    return job.cancel_requested is not None and on_no_host
