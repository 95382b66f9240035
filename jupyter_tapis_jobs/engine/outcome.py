"""What becomes of a job's record when its marks, or its scheduler, tell of its start or its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..model.fields import JobType
from ..model.job import Job
from ..model.marks import Marks
from ..model.status import Condition, HoldWish, JobStatus, RemoteOutcome
from ..model.times import iso
from ..schedulers.base import Report, Sighting
from ..store.jobs import Change
from .conveyor import Conveyor
from .ports import Ports
from .steps import HELD

#: Starts in a row that are lost before they begin, until a job is given up.
MOST_STARTS = 5
#: Exit code of what was killed: 128 + SIGKILL.
KILLED_EXIT_CODE = 137
#: That of one that went at the word TERM before its launch script had heard of it: 128 + SIGTERM.
TERMINATED_EXIT_CODE = 143
#: The reason that is left for one whose launch script was killed, before what it left behind is ended.
LOST = "lost"
VANISHED = "its process vanished without a word: killed from outside, or the machine restarted"
NO_DIRECTORY = "its directory on the host is gone: somebody or something deleted it while it ran"


class Outcome:
    """Makes the changes; who calls stores them."""

    def __init__(self, ports: Ports, conveyor: Conveyor) -> None:
        self._clock = ports.clock
        self._conveyor = conveyor

    def started(self, job: Job, found: Marks) -> Change:
        """Its launch script has won the claim."""
        started = iso(found.started or self._clock.now())
        is_fork = job.job_type == JobType.FORK
        number = found.container_id or found.pid if is_fork else job.remote_job_id or found.scheduler_id
        late = "it began before it could be held" if job.hold_wish is HoldWish.HOLD else ""
        return self._conveyor.steps.to(
            job,
            JobStatus.RUNNING,
            late,
            remote_started=started,
            remote_job_id=number,
            hold_wish=None,
            resume_status=None,
        )

    def held_or_let_go(self, job: Job, report: Report) -> Change | None:
        """Its scheduler holds it, or does so no more; None when that is known."""
        steps = self._conveyor.steps
        if report.sighting is Sighting.HELD and job.status is JobStatus.QUEUED:
            return steps.paused(job, report.reason or HELD)
        waits = report.sighting in (Sighting.QUEUED, Sighting.IMPOSSIBLE)
        return steps.resumed(job) if waits and job.status is JobStatus.PAUSED else None

    def concluded(self, job: Job, found: Marks, report: Report | None = None) -> Change:
        """The application has ended: on to archiving, or cancelled if that is why it ended."""
        code = found.exit_code if found.exit_code is not None else KILLED_EXIT_CODE
        fields: dict[str, Any] = {
            "exit_code": code,
            "remote_ended": iso(found.ended or self._clock.now()),
            "remote_result_info": str(code),
        }
        if found.container_id:
            fields["remote_job_id"] = found.container_id
        if job.cancel_requested:
            return self.cancelled(job, fields)
        if found.killed == "timeout":
            is_fork = job.job_type == JobType.FORK
            fields["condition"] = (
                Condition.JOB_EXECUTION_MONITORING_TIMEOUT if is_fork else Condition.SCHEDULER_TIMEOUT
            )
        elif report is not None and report.condition is not None and only_scheduler_knows(job, found):
            fields |= {"condition": report.condition, "remote_result_info": report.reason}
        fields["remote_outcome"] = _remote_outcome(well=code == 0 and found.killed in (None, LOST))
        return self._conveyor.steps.to(job, JobStatus.ARCHIVING, **fields)

    def cancelled(self, job: Job, fields: Mapping[str, Any]) -> Change:
        """It is over because its owner asked for that."""
        change = self._conveyor.steps.cancelled(job)
        return Change(before=job, after=change.after.evolve(**fields), events=change.events)

    def vanished(self, job: Job, found: Marks, report: Report) -> Change:
        """Its process is gone and left no word: never silently run again."""
        if found.killed not in (None, LOST) or job.cancel_requested:
            return self.concluded(job, found)
        return self._conveyor.steps.to(
            job,
            JobStatus.ARCHIVING,
            remote_ended=iso(self._clock.now()),
            remote_outcome=_remote_outcome(well=False),
            condition=report.condition or Condition.SCHEDULER_TERMINATED,
            remote_result_info=report.reason or VANISHED,
        )

    def without_directory(self, job: Job, found: Marks) -> Change:
        """It ran, and nothing on the host tells of it any more."""
        return self.vanished(job, found, Report(sighting=Sighting.VANISHED, reason=NO_DIRECTORY))

    def refused(self, job: Job, report: Report) -> Change:
        """Its scheduler ended it before it began, for a reason that would come again."""
        if job.cancel_requested:
            return self.cancelled(job, {})
        return self.impossible(job, report.reason, report.condition)

    def impossible(self, job: Job, reason: str, condition: Condition | None = None) -> Change:
        """It can never start."""
        return self._conveyor.steps.failed(job, reason, condition or Condition.JOB_LAUNCH_FAILURE)

    def submitted_again(self, job: Job) -> Change:
        """It was handed over, but nothing will ever start it: hold it and hand it over anew."""
        if job.status is JobStatus.PAUSED:
            return self._conveyor.steps.taken_back(job)
        if job.remote_submit_retries >= MOST_STARTS:
            times = MOST_STARTS + 1
            return self.impossible(
                job, f"its start on {job.exec_system_id} was lost {times} times before it began"
            )
        change = self._conveyor.blocked.change(
            job, "its start was lost before it began; it is submitted again", 0.0
        )
        after = change.after.evolve(
            resume_status=JobStatus.SUBMITTING_JOB,
            submission_id=None,
            remote_job_id=None,
            remote_job_id2=None,
            remote_submit_retries=job.remote_submit_retries + 1,
        )
        return Change(before=job, after=after, events=change.events)

    def ended(self, job: Job, found: Marks, why: str) -> Change:
        """The engine has ended it, because of *why*."""
        if job.cancel_requested:
            code = found.exit_code
            ended = iso(found.ended or self._clock.now()) if found.was_started else None
            return self.cancelled(job, {"exit_code": code, "remote_ended": ended})
        if not found.was_started:
            ran = job.status is JobStatus.RUNNING
            return self.without_directory(job, found) if ran else self.submitted_again(job)
        return self.concluded(job, found if found.exit_code is not None else _as_killed(found, why))


def only_scheduler_knows(job: Job, found: Marks) -> bool:
    """Was it the application's own end, or the scheduler's: for time, memory, a better job, a node?

    In a pack the memory is the allocation's, and what ends one case for it is not told.
    """
    if job.job_type == JobType.FORK or found.killed or job.cancel_requested:
        return False
    was_killed = found.exit_code == KILLED_EXIT_CODE and job.launch_mode != "pack"
    return found.was_terminated or found.exit_code == TERMINATED_EXIT_CODE or was_killed


def _remote_outcome(*, well: bool) -> RemoteOutcome:
    return RemoteOutcome.FINISHED if well else RemoteOutcome.FAILED


def _as_killed(found: Marks, why: str) -> Marks:
    """What is known of a job whose script had no time to write its end."""
    return replace(found, killed=why, exit_code=KILLED_EXIT_CODE)
