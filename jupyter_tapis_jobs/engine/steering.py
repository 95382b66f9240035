"""What an owner does to jobs that are there: end, hide, annotate, tell of events."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ..model.annotations import Annotate, Annotation
from ..model.errors import ConflictError, InvalidInputError, TapisJobsError
from ..model.job import Job, JobDefinition, JobEvent
from ..model.resolve import definition_json
from ..model.status import EventType, JobStatus
from ..model.times import iso
from ..model.user import User
from ..store import jobs as job_rows
from ..store import lease as lease_row
from ..store.jobs import Change
from .conveyor import HANDED_OVER, Conveyor
from .known_jobs import KnownJobs
from .ports import Ports
from .tracker import Tracker

log = logging.getLogger(__name__)

#: Seconds until a host in trouble is asked again to end jobs, and a scheduler that takes its time.
TROUBLE_AGAIN, CANCEL_AGAIN = 10.0, 20.0
#: Characters of a user event (Tapis Jobs, "sendEvent").
EVENT_DATA, EVENT_DETAIL = 16384, 64


class Steering:
    """Changes jobs at their owners' word. Lives on the engine's loop only."""

    def __init__(self, ports: Ports, known: KnownJobs, conveyor: Conveyor, tracker: Tracker) -> None:
        self._ports = ports
        self._known = known
        self._conveyor = conveyor
        self._tracker = tracker

    # -- ending

    async def cancel(self, user: User, uuids: Sequence[str]) -> list[Job | TapisJobsError]:
        """Ask jobs to end. They are CANCELLED once their processes are really gone."""
        results: list[Job | TapisJobsError] = []
        for uuid in uuids:
            try:
                results.append(_cancellable(await self._known.owned(user, uuid)))
            except TapisJobsError as fault:
                results.append(fault)
        names = [r.uuid for r in results if isinstance(r, Job)]
        now = iso(self._ports.clock.now())
        await self._conveyor.amend(
            names, lambda job: job if job.cancel_requested else job.evolve(cancel_requested=now)
        )
        await self._conveyor.let_leave(names)
        self.end_soon(names, "cancel")
        return results

    def end_soon(self, uuids: Sequence[str], name: str) -> None:
        """End jobs in the background; *name* is the task's."""
        self._ports.spawn(self.end(uuids), name)

    async def end(self, uuids: Sequence[str]) -> None:
        """End the processes of jobs that were handed to a host; try again while the host is in trouble."""
        try:
            await self._conveyor.let_leave(uuids)
            jobs = [self._conveyor.jobs[uuid] for uuid in uuids if uuid in self._conveyor.jobs]
            there = [
                job for job in jobs if job.submission_id and (job.status in HANDED_OVER or _is_held(job))
            ]
            if there:
                await self._tracker.end(there, why="cancel")
            # What a scheduler takes its time to end is told by its marks; it is asked again all the same.
            left = [job.uuid for job in there if job.uuid in self._conveyor.jobs]
            if left:
                await self._ports.clock.sleep(CANCEL_AGAIN)
                self.end_soon([uuid for uuid in left if uuid in self._conveyor.jobs], "cancel again")
        except (TapisJobsError, OSError) as trouble:
            if isinstance(trouble, lease_row.LeaseLostError):
                return
            log.warning("%d jobs cannot be ended now (%s); tried again.", len(uuids), trouble)
            await self._ports.clock.sleep(TROUBLE_AGAIN)
            self.end_soon(uuids, "cancel again")

    # -- what is told of them

    async def set_visible(self, user: User, uuid: str, visible: bool) -> Job:
        """Hide a job from lists, or show it again."""
        job = await self._known.owned(user, uuid)
        if job.visible is visible:
            return job
        changed = job.evolve(visible=visible, last_updated=iso(self._ports.clock.now()))
        await self._conveyor.annotate(Change(before=job, after=changed))
        return await self.set_visible(user, uuid, visible)

    async def annotate(
        self, user: User, uuid: str, asked: Annotation, how: Annotate
    ) -> tuple[Job, JobDefinition]:
        """Change a job's tags and notes, whether it has ended or not (Tapis Jobs, "annotation")."""
        while True:
            job = await self._known.owned(user, uuid)
            tags, notes = how(asked, job.tags, (await self._known.definition(job)).notes)
            after = job.evolve(tags=tags, last_updated=iso(self._ports.clock.now()))
            made: dict[int, JobDefinition] = {}

            def write(connection: Connection, job_id: int = job.id) -> None:
                # As it is stored: its directories may have been settled in between.
                stored = job_rows.definitions(connection, [job_id])[job_id]
                made[job_id] = replace(stored, tags=tags, notes=notes)  # noqa: B023
                job_rows.redefine(connection, [(job_id, definition_json(made[job_id]))])  # noqa: B023

            await self._conveyor.annotate(Change(before=job, after=after), write)
            if made:
                self._known.learn(made)
                return after, made[job.id]

    async def send_event(self, user: User, uuid: str, data: str, detail: str = "DEFAULT") -> JobEvent:
        """Add a user's event to an active job's history (Tapis Jobs, "sendEvent")."""
        job = await self._known.owned(user, uuid)
        if job.status.is_terminal:
            raise InvalidInputError(
                f"job {job.name} is {job.status}; events go to active jobs only.", field="jobUuid"
            )
        if not 1 <= len(data) <= EVENT_DATA:
            raise InvalidInputError(
                f"eventData has {len(data):,} characters; 1 to {EVENT_DATA:,} are taken.", field="eventData"
            )
        if len(detail) > EVENT_DETAIL:
            raise InvalidInputError(
                f"eventDetail has {len(detail)} characters; at most {EVENT_DETAIL} are taken.",
                field="eventDetail",
            )
        event = JobEvent(
            job_uuid=uuid,
            owner=job.owner,
            event=EventType.JOB_USER_EVENT,
            event_detail=detail,
            created=iso(self._ports.clock.now()),
            description=data,
        )
        stored = await self._conveyor.annotate(Change(before=job, after=job, events=(event,)))
        return stored[0] if stored else await self.send_event(user, uuid, data, detail)


def _cancellable(job: Job) -> Job:
    if job.status.is_terminal:
        raise ConflictError(f"job {job.name} is {job.status} already; there is nothing to cancel.")
    return job


def _is_held(job: Job) -> bool:
    return job.status in (JobStatus.BLOCKED, JobStatus.PAUSED)
