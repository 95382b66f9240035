"""A job's statuses, the moves allowed between them, and why a job ended.

Source: Tapis Jobs, "Job Lifecycle" and "Job Status" (statuses, conditions, remote outcomes).
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class JobStatus(StrEnum):
    """Where a job stands. The value is Tapis's own word."""

    #: Accepted and stored; waiting for a place under the quotas.
    PENDING = "PENDING"
    #: Directories are made and what only the host knows is resolved.
    PROCESSING_INPUTS = "PROCESSING_INPUTS"
    #: Input files are copied to the execution system.
    STAGING_INPUTS = "STAGING_INPUTS"
    #: The app's image and the launch files are put in place.
    STAGING_JOB = "STAGING_JOB"
    #: The job is handed to its scheduler.
    SUBMITTING_JOB = "SUBMITTING_JOB"
    #: The scheduler has it; it has not begun.
    QUEUED = "QUEUED"
    #: The application runs.
    RUNNING = "RUNNING"
    #: The application has ended; its outputs are put where they are kept.
    ARCHIVING = "ARCHIVING"
    #: Held back by trouble that passes by itself; resumes where it stopped.
    BLOCKED = "BLOCKED"
    #: Held back by its owner.
    PAUSED = "PAUSED"
    #: Ended well.
    FINISHED = "FINISHED"
    #: Ended by its owner before it was done.
    CANCELLED = "CANCELLED"
    #: Ended badly; condition and lastMessage say why.
    FAILED = "FAILED"

    @property
    def is_terminal(self) -> bool:
        """True when nothing will happen to the job any more."""
        return self in TERMINAL


#: The order of the stations a job passes.
CONVEYOR = (
    JobStatus.PENDING,
    JobStatus.PROCESSING_INPUTS,
    JobStatus.STAGING_INPUTS,
    JobStatus.STAGING_JOB,
    JobStatus.SUBMITTING_JOB,
    JobStatus.QUEUED,
    JobStatus.RUNNING,
    JobStatus.ARCHIVING,
)
ACTIVE = frozenset(CONVEYOR)
TERMINAL = frozenset({JobStatus.FINISHED, JobStatus.CANCELLED, JobStatus.FAILED})
_HELD = frozenset({JobStatus.BLOCKED, JobStatus.PAUSED})


def _moves() -> dict[JobStatus, frozenset[JobStatus]]:
    """Tapis's table: an active status to itself, the next, a hold, or a bad end."""
    bad_ends = frozenset({JobStatus.FAILED, JobStatus.CANCELLED})
    following = dict(zip(CONVEYOR, (*CONVEYOR[1:], JobStatus.FINISHED), strict=True))
    moves = {here: frozenset({here, after}) | _HELD | bad_ends for here, after in following.items()}
    # A scheduler may start a job before anyone could see it queued.
    moves[JobStatus.SUBMITTING_JOB] |= {JobStatus.RUNNING}
    moves[JobStatus.BLOCKED] = ACTIVE | TERMINAL | {JobStatus.PAUSED}
    moves[JobStatus.PAUSED] = ACTIVE | TERMINAL
    return moves | dict.fromkeys(TERMINAL, frozenset())


#: status -> the statuses it may change to. A terminal status has none.
ALLOWED_MOVES = MappingProxyType(_moves())


class HoldWish(StrEnum):
    """The last word of a job's owner about holding it back; it is kept until it is done."""

    HOLD = "hold"
    RELEASE = "release"


class Condition(StrEnum):
    """Why a job ended, Tapis's condition codes. Clients see it once the job is terminal."""

    NORMAL_COMPLETION = "NORMAL_COMPLETION"
    CANCELLED_BY_USER = "CANCELLED_BY_USER"
    JOB_ARCHIVING_FAILED = "JOB_ARCHIVING_FAILED"
    JOB_DATABASE_ERROR = "JOB_DATABASE_ERROR"
    JOB_EXECUTION_MONITORING_ERROR = "JOB_EXECUTION_MONITORING_ERROR"
    JOB_EXECUTION_MONITORING_ERROR_TIMEOUT = "JOB_EXECUTION_MONITORING_ERROR_TIMEOUT"
    JOB_EXECUTION_MONITORING_TIMEOUT = "JOB_EXECUTION_MONITORING_TIMEOUT"
    JOB_FILES_SERVICE_ERROR = "JOB_FILES_SERVICE_ERROR"
    JOB_INTERNAL_ERROR = "JOB_INTERNAL_ERROR"
    JOB_INVALID_DEFINITION = "JOB_INVALID_DEFINITION"
    JOB_LAUNCH_FAILURE = "JOB_LAUNCH_FAILURE"
    JOB_QUEUE_MONITORING_ERROR = "JOB_QUEUE_MONITORING_ERROR"
    JOB_RECOVERY_FAILURE = "JOB_RECOVERY_FAILURE"
    JOB_RECOVERY_TIMEOUT = "JOB_RECOVERY_TIMEOUT"
    JOB_REMOTE_ACCESS_ERROR = "JOB_REMOTE_ACCESS_ERROR"
    JOB_REMOTE_OUTCOME_ERROR = "JOB_REMOTE_OUTCOME_ERROR"
    JOB_TRANSFER_FAILED_OR_CANCELLED = "JOB_TRANSFER_FAILED_OR_CANCELLED"
    JOB_TRANSFER_MONITORING_TIMEOUT = "JOB_TRANSFER_MONITORING_TIMEOUT"
    JOB_UNABLE_TO_STAGE_INPUTS = "JOB_UNABLE_TO_STAGE_INPUTS"
    JOB_UNABLE_TO_STAGE_JOB = "JOB_UNABLE_TO_STAGE_JOB"
    SCHEDULER_CANCELLED = "SCHEDULER_CANCELLED"
    SCHEDULER_DEADLINE = "SCHEDULER_DEADLINE"
    SCHEDULER_OUT_OF_MEMORY = "SCHEDULER_OUT_OF_MEMORY"
    SCHEDULER_STOPPED = "SCHEDULER_STOPPED"
    SCHEDULER_TERMINATED = "SCHEDULER_TERMINATED"
    SCHEDULER_TIMEOUT = "SCHEDULER_TIMEOUT"


#: The condition of a job that failed at this station, where the station knows no better one.
FAILURE_CONDITION = MappingProxyType(
    {
        JobStatus.PENDING: Condition.JOB_INTERNAL_ERROR,
        JobStatus.PROCESSING_INPUTS: Condition.JOB_REMOTE_ACCESS_ERROR,
        JobStatus.STAGING_INPUTS: Condition.JOB_UNABLE_TO_STAGE_INPUTS,
        JobStatus.STAGING_JOB: Condition.JOB_UNABLE_TO_STAGE_JOB,
        JobStatus.SUBMITTING_JOB: Condition.JOB_LAUNCH_FAILURE,
        JobStatus.QUEUED: Condition.JOB_QUEUE_MONITORING_ERROR,
        JobStatus.RUNNING: Condition.JOB_EXECUTION_MONITORING_ERROR,
        JobStatus.ARCHIVING: Condition.JOB_ARCHIVING_FAILED,
    }
)


class RemoteOutcome(StrEnum):
    """How the application ended on its host."""

    FINISHED = "FINISHED"
    #: The application failed; its outputs are archived all the same.
    FAILED = "FAILED"
    #: The application failed and the job asked not to archive then.
    FAILED_SKIP_ARCHIVE = "FAILED_SKIP_ARCHIVE"


class EventType(StrEnum):
    """The kinds of entries in a job's history (Tapis Jobs, "Job Events")."""

    JOB_NEW_STATUS = "JOB_NEW_STATUS"
    JOB_INPUT_TRANSACTION_ID = "JOB_INPUT_TRANSACTION_ID"
    JOB_ARCHIVE_TRANSACTION_ID = "JOB_ARCHIVE_TRANSACTION_ID"
    JOB_SUBSCRIPTION = "JOB_SUBSCRIPTION"
    JOB_SHARE_EVENT = "JOB_SHARE_EVENT"
    JOB_ERROR_MESSAGE = "JOB_ERROR_MESSAGE"
    JOB_USER_EVENT = "JOB_USER_EVENT"
