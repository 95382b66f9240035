"""The steps a job can make: each returns the change with its history entry; who calls stores it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from ..model.job import Job, JobEvent
from ..model.notifications import FINAL_MESSAGE
from ..model.status import CONVEYOR, FAILURE_CONDITION, Condition, EventType, JobStatus, RemoteOutcome
from ..model.times import iso
from ..store.jobs import Change
from .ports import Clock

#: What is said of a job that its owner holds back.
HELD = "held by its owner; resume it to go on"

_NEXT = dict(pairwise(CONVEYOR))


class Steps:
    """Makes changes of jobs, dated by a clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: uuid -> why a job is ended that not its owner's own word ends; forgotten with the engine.
        self.reasons: dict[str, str] = {}

    def to(self, job: Job, status: JobStatus, message: str = "", **fields: Any) -> Change:
        """Return the change of *job* to *status*."""
        now = iso(self._clock.now())
        after = job.evolve(status=status, last_updated=now, last_message=message or None, **fields)
        event = JobEvent(
            job_uuid=job.uuid,
            owner=job.owner,
            event=EventType.JOB_NEW_STATUS,
            event_detail=status,
            created=now,
            description=message,
        )
        return Change(before=job, after=after, events=(event,))

    def on(self, job: Job, message: str, **fields: Any) -> Change:
        """Return the change of a job whose station is done with it: to the next one, or to its end."""
        if job.status is JobStatus.ARCHIVING:
            return self._ended(job.evolve(**fields), job, message)
        return self.to(job, _NEXT[job.status], message, **fields)

    def blocked(self, job: Job, message: str) -> Change:
        """Return the change of a job that has to wait where it is."""
        count = job.blocked_count + 1
        return self.to(job, JobStatus.BLOCKED, message, resume_status=job.status, blocked_count=count)

    def paused(self, job: Job, message: str = HELD) -> Change:
        """Return the change of a job that its owner holds back; a blocked one will go on at its station."""
        back = job.resume_status if job.status is JobStatus.BLOCKED else job.status
        return self.to(job, JobStatus.PAUSED, message, resume_status=back)

    def taken_back(self, job: Job) -> Change:
        """Return the change of a job that is held by us now, and no more by its scheduler."""
        again = JobStatus.SUBMITTING_JOB
        forgotten = {"submission_id": None, "remote_job_id": None, "remote_job_id2": None}
        return self.to(job, JobStatus.PAUSED, HELD, resume_status=again, **forgotten)

    def resumed(self, job: Job) -> Change:
        """Return the change of a held job that goes on where it stopped."""
        back = job.resume_status or JobStatus.PENDING
        return self.to(job, back, "let go by its owner", hold_wish=None, resume_status=None)

    def cancelled(self, job: Job) -> Change:
        """Return the change of a job whose process is gone, or never was."""
        why, now = Condition.CANCELLED_BY_USER, iso(self._clock.now())
        words = self.reasons.pop(job.uuid, "cancelled by its owner")
        return self.to(job, JobStatus.CANCELLED, words, condition=why, ended=now)

    def failed(self, job: Job, message: str, condition: Condition | None = None) -> Change:
        """Return the change of a job that ends badly; its first cause wins, in an event of its own."""
        cause = job.condition or condition or FAILURE_CONDITION.get(job.status, Condition.JOB_INTERNAL_ERROR)
        change = self.to(job, JobStatus.FAILED, message, condition=cause, ended=iso(self._clock.now()))
        (end,) = change.events
        told = replace(end, event=EventType.JOB_ERROR_MESSAGE, event_detail=FINAL_MESSAGE)
        return replace(change, events=(told, end))

    def _ended(self, job: Job, before: Job, message: str) -> Change:
        if job.remote_outcome is RemoteOutcome.FINISHED:
            well, now = Condition.NORMAL_COMPLETION, iso(self._clock.now())
            change = self.to(job, JobStatus.FINISHED, message, condition=well, ended=now)
        else:
            change = self.failed(job, message, Condition.JOB_REMOTE_OUTCOME_ERROR)
        return replace(change, before=before)
