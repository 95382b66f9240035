"""Pause and resume: jobs that have not begun are held back at their owner's word, and let go again.

What was not handed over yet rests in the store. What is in a queue is held by its scheduler, which is
then looked at: a job is PAUSED when the scheduler says so, and a hold from elsewhere (``scontrol hold``)
shows the same. A runner that knows no hold (FORK) gives such a job back. The wish is stored first, so
it outlives the engine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from ..model.errors import ConflictError, TapisJobsError
from ..model.job import Job
from ..model.status import HoldWish, JobStatus
from ..model.user import User
from ..store.lease import LeaseLostError
from .conveyor import Conveyor, is_on_host
from .known_jobs import KnownJobs
from .lane import Lane, LaneKey, by_lane
from .on_host import OnHost
from .ports import Ports
from .tracker import Tracker

log = logging.getLogger(__name__)

#: Seconds until a wish is tried again that could not be fulfilled yet.
AGAIN = 10.0

_BEGUN = "it began already and cannot be held; cancel it, or let it run"
_REFUSALS = {
    JobStatus.RUNNING: _BEGUN,
    JobStatus.ARCHIVING: "its application has ended and its outputs are archived; there is nothing to hold",
}


class Holding:
    """Holds jobs back and lets them go. Lives on the engine's loop only."""

    def __init__(
        self,
        ports: Ports,
        known: KnownJobs,
        conveyor: Conveyor,
        tracker: Tracker,
        on_host: OnHost,
        *,
        lane: Callable[[LaneKey], Lane],
    ) -> None:
        self._ports = ports
        self._known = known
        self._conveyor = conveyor
        self._tracker = tracker
        self._on_host = on_host
        self._lane = lane

    async def pause(self, user: User, uuids: Sequence[str]) -> list[Job | TapisJobsError]:
        """Ask jobs to be held back; one that is, or that will be, is no error."""
        found = [await self._found(user, uuid) for uuid in uuids]
        jobs = [job for job in found if isinstance(job, Job)]
        together = {job.uuid for job in jobs}
        results = [_or_refused(self._pausable, job, together) for job in found]
        names = [job.uuid for job in results if isinstance(job, Job) and not _is_held(job)]
        await self._wish(names, HoldWish.HOLD)
        await self._conveyor.let_leave(names)
        self.fulfil_soon(names)
        return self._as_they_are(results)

    async def resume(self, user: User, uuids: Sequence[str]) -> list[Job | TapisJobsError]:
        """Let held jobs go on where they stopped."""
        results = [_or_refused(_resumable, await self._found(user, uuid)) for uuid in uuids]
        names = [job.uuid for job in results if isinstance(job, Job)]
        await self._wish(names, HoldWish.RELEASE)
        await self._go_on(names)
        self.fulfil_soon(names)
        return self._as_they_are(results)

    async def _found(self, user: User, uuid: str) -> Job | TapisJobsError:
        try:
            return await self._known.owned(user, uuid)
        except TapisJobsError as fault:
            return fault

    def _as_they_are(self, results: Sequence[Job | TapisJobsError]) -> list[Job | TapisJobsError]:
        return [self._conveyor.jobs.get(r.uuid, r) if isinstance(r, Job) else r for r in results]

    def _pausable(self, job: Job, together: set[str]) -> Job:
        if job.status.is_terminal:
            raise ConflictError(f"job {job.name} is {job.status} already; there is nothing to pause.")
        stands = job.resume_status if job.status is JobStatus.BLOCKED else job.status
        if stands in _REFUSALS:
            raise ConflictError(f"job {job.name} is {job.status}: {_REFUSALS[stands]}.")
        others = self._others_of_pack(job) - together
        if others:
            raise ConflictError(
                f"job {job.name} shares one allocation with {len(others)} other waiting jobs, which can "
                "only be held together: pause all of them, or cancel this one."
            )
        return job

    def _others_of_pack(self, job: Job) -> set[str]:
        """Return who waits with a job for one allocation that is in its scheduler's queue."""
        if job.launch_mode != "pack" or job.status is not JobStatus.QUEUED:
            return set()
        mates = (j for j in self._conveyor.jobs.values() if j.submission_id == job.submission_id)
        return {mate.uuid for mate in mates if mate.status is JobStatus.QUEUED} - {job.uuid}

    # -- wishes

    async def _wish(self, uuids: Iterable[str], wish: HoldWish) -> None:
        """Store what is wished."""
        await self._conveyor.amend(
            uuids, lambda job: job if job.hold_wish is wish else job.evolve(hold_wish=wish)
        )

    def fulfil_soon(self, uuids: Iterable[str]) -> None:
        """Act in the background on what is wished of jobs."""
        names = tuple(uuid for uuid in uuids if self._wish_of(uuid))
        if names:
            self._ports.spawn(self._fulfil(names), f"holding of {len(names)} jobs")

    async def _fulfil(self, uuids: Sequence[str]) -> None:
        try:
            await self._conveyor.let_leave(uuids)
            await self._go_on(uuids)
            for lane, jobs in by_lane(self._wished(uuids), self._lane):
                await self._ask_host(lane, [job for job in jobs if is_on_host(job) or _may_be_revoked(job)])
        except LeaseLostError:
            return
        except (TapisJobsError, OSError) as trouble:
            log.warning("%d jobs cannot be held or let go now (%s); tried again.", len(uuids), trouble)
        if any(self._wish_of(uuid) for uuid in uuids):
            await self._ports.clock.sleep(AGAIN)
            self.fulfil_soon(uuids)

    def _wish_of(self, uuid: str) -> HoldWish | None:
        """Return what is still to be done for a job; one that runs or has ended needs nothing any more."""
        job = self._conveyor.jobs.get(uuid)
        if job is None or job.cancel_requested or job.status in _REFUSALS:
            return None
        is_held = job.status is JobStatus.PAUSED
        return job.hold_wish if is_held == (job.hold_wish is HoldWish.RELEASE) else None

    def _wished(self, uuids: Iterable[str]) -> list[Job]:
        return [self._conveyor.jobs[uuid] for uuid in uuids if self._wish_of(uuid)]

    async def _go_on(self, uuids: Iterable[str]) -> None:
        """Let those go on that no host has to be asked about."""
        held = [job for job in self._wished(uuids) if job.hold_wish is HoldWish.RELEASE]
        here = [job for job in held if not is_on_host(job) and not _may_be_revoked(job)]
        await self._conveyor.commit([self._conveyor.steps.resumed(job) for job in here])

    async def _ask_host(self, lane: Lane, jobs: Sequence[Job]) -> None:
        """Have schedulers hold and release jobs of a lane; then look what they say of them."""
        if not jobs:
            return
        transport = await self._on_host.transport(lane)
        for name, members in await self._on_host.by_scheduler(jobs):
            scheduler = self._ports.schedulers[name]
            wished = {w: [job for job in members if job.hold_wish is w] for w in HoldWish}
            if held := [job for job in wished[HoldWish.HOLD] if is_on_host(job)]:
                launches = await self._on_host.launches(held)
                answer = await transport.run(scheduler.hold_script(lane.folder, launches))
                await self._taken_back(scheduler.parse_hold(launches, answer))
            if released := wished[HoldWish.RELEASE]:
                launches = await self._on_host.launches(released)
                await transport.run(scheduler.release_script(lane.folder, launches))
                back = [job for job in self._wished(j.uuid for j in released) if not is_on_host(job)]
                await self._conveyor.commit([self._conveyor.steps.resumed(job) for job in back])
        if any(map(is_on_host, jobs)):
            await self._tracker.sweep(lane, at_once=True)

    async def _taken_back(self, uuids: frozenset[str]) -> None:
        """Store that these rest with us again: they start anew from SUBMITTING_JOB."""
        jobs = [self._conveyor.jobs[uuid] for uuid in uuids if uuid in self._conveyor.jobs]
        queued = [job for job in jobs if job.status is JobStatus.QUEUED]
        stale = await self._conveyor.commit([self._conveyor.steps.taken_back(job) for job in queued])
        self._tracker.release([job for job in queued if job.uuid not in stale])
        # Who wanted one ended meanwhile needs no host for it any more.
        await self._conveyor.let_leave(uuids)


def _is_held(job: Job) -> bool:
    return job.status is JobStatus.PAUSED and job.hold_wish is not HoldWish.RELEASE


def _resumable(job: Job) -> Job:
    if job.status is not JobStatus.PAUSED and job.hold_wish is not HoldWish.HOLD:
        raise ConflictError(f"job {job.name} is {job.status}, not PAUSED; there is nothing to resume.")
    return job


def _or_refused(check: Callable[..., Job], job: Job | TapisJobsError, *more: object) -> Job | TapisJobsError:
    try:
        return job if isinstance(job, TapisJobsError) else check(job, *more)
    except ConflictError as refusal:
        return refusal


def _may_be_revoked(job: Job) -> bool:
    """Was it perhaps taken back from its host, where its claim must be free for the next start?"""
    return job.status is JobStatus.PAUSED and job.resume_status is JobStatus.SUBMITTING_JOB
