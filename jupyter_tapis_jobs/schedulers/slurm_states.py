"""What Slurm's states and reasons mean for a job, as tables (squeue(1), the lists of codes)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ..model.status import Condition
from .base import Sighting


class Phase(Enum):
    """Where a Slurm job stands, as far as we care."""

    WAITING = "waiting"
    RUNNING = "running"
    #: Its processes are being ended.
    LEAVING = "leaving"
    OVER = "over"


_WAITING = "PENDING CONFIGURING REQUEUED REQUEUE_FED REQUEUE_HOLD SPECIAL_EXIT RESV_DEL_HOLD POWER_UP_NODE"
_RUNNING = "RUNNING SUSPENDED STOPPED SIGNALING RESIZING STAGE_OUT EXPEDITING UPDATE_DB"

PHASES = {
    **dict.fromkeys(_WAITING.split(), Phase.WAITING),
    **dict.fromkeys(_RUNNING.split(), Phase.RUNNING),
    "COMPLETING": Phase.LEAVING,
}


@dataclass(frozen=True, slots=True)
class End:
    """What an end means: for one that ran, and for one that had not begun."""

    #: Why it ended before its own end; None where the application's own word counts.
    condition: Condition | None
    #: For a job that had begun; ``{minutes}``, ``{nodes}`` and ``{reason}`` are filled in.
    sentence: str
    #: What a job is that had not begun: REFUSED, or ABSENT where another start may go better.
    unbegun: Sighting = Sighting.REFUSED


_TERMINATED = Condition.SCHEDULER_TERMINATED
_AGAIN = Sighting.ABSENT

ENDS = {
    "COMPLETED": End(None, "Slurm says that it is done, but its launch script left no exit code"),
    "FAILED": End(
        None, "its processes were killed on the node{reason}: submit it again, perhaps with more memoryMB"
    ),
    "CANCELLED": End(Condition.SCHEDULER_CANCELLED, "it was cancelled at Slurm itself, not by this server"),
    "TIMEOUT": End(
        Condition.SCHEDULER_TIMEOUT,
        "stopped at its time limit{minutes}: give it more maxMinutes",
        _AGAIN,
    ),
    "OUT_OF_MEMORY": End(
        Condition.SCHEDULER_OUT_OF_MEMORY, "out of memory: Slurm ended it; give it more memoryMB", _AGAIN
    ),
    "NODE_FAIL": End(_TERMINATED, "its node failed{nodes}: submit it again", _AGAIN),
    "BOOT_FAIL": End(_TERMINATED, "its node did not start{nodes}: submit it again", _AGAIN),
    "PREEMPTED": End(_TERMINATED, "Slurm ended it for a job of higher priority: submit it again", _AGAIN),
    "DEADLINE": End(
        Condition.SCHEDULER_DEADLINE, "it could not end before its --deadline: change the deadline"
    ),
    "REVOKED": End(_TERMINATED, "another cluster of the federation took it: submit it again"),
    "LAUNCH_FAILED": End(_TERMINATED, "Slurm could not launch it{nodes}{reason}: submit it again"),
    "RECONFIG_FAIL": End(_TERMINATED, "its node could not be set up{nodes}: submit it again"),
}
#: A state of a Slurm to come.
UNKNOWN = End(_TERMINATED, "Slurm ended it{reason}")

#: Why a job is leaving -> the state it will have.
LEAVING = {
    "TimeLimit": "TIMEOUT",
    "OutOfMemory": "OUT_OF_MEMORY",
    "NodeDown": "NODE_FAIL",
    "DeadLine": "DEADLINE",
    "JobLaunchFailure": "LAUNCH_FAILED",
}

_QUEUED, _NEVER = Sighting.QUEUED, Sighting.IMPOSSIBLE

#: The first that fits the whole reason of a waiting job -> what it is, and the sentence.
_REASONS = (
    (r"Priority", _QUEUED, "jobs of higher priority are before it"),
    (r"Resources|Cleaning|Prolog|SchedDefer|WaitingForScheduling", _QUEUED, "it waits for free nodes"),
    (r"JobArrayTaskLimit", _QUEUED, "other jobs of its array run first"),
    (r"Dependency", _QUEUED, "it waits for the job of its --dependency"),
    (r"BeginTime", _QUEUED, "its earliest start has not come yet"),
    (r"Licenses", _QUEUED, "it waits for a licence"),
    (r"Reservation", _QUEUED, "it waits for its reservation to begin"),
    (r"ReqNodeNotAvail.*", _QUEUED, "nodes it could use are down or reserved"),
    (r"PartitionDown|PartitionInactive", _QUEUED, "its queue is closed for now"),
    (r"Nodes_required_for_job_are_DOWN.*", _QUEUED, "nodes it could use are down, drained or reserved"),
    (r"JobHeldUser", Sighting.HELD, "held by its owner; resume it to go on"),
    (r"JobHeldAdmin", _QUEUED, "an operator of the cluster holds it"),
    (r"JobHoldMaxRequeue|launch_failed_requeued_held|job_requeued_in_held_state", _QUEUED,
     "Slurm could not launch it and holds it: release it with `scontrol release {id}`, or cancel it"),
    (r"PartitionTimeLimit", _NEVER, "maxMinutes {minutes} is over the limit of its queue: lower it"),
    (r"PartitionNodeLimit", _NEVER, "nodeCount is not within the limits of its queue: change it"),
    (r"PartitionConfig", _NEVER, "its queue has not that much: lower nodeCount, coresPerNode or maxMinutes"),
    (r"BadConstraints|Constraints", _NEVER, "no node fits its --constraint: change it"),
    (r"DependencyNeverSatisfied", _NEVER, "the job of its --dependency ended in another way than asked for"),
    (r"InvalidAccount|AccountNotAllowed", _NEVER, "its account may not be used here: change --account"),
    (r"InvalidQOS|QOSNotAllowed", _NEVER, "its QOS may not be used here: change --qos"),
    (r"ReservationDeleted|ReservationInvalid", _NEVER, "its reservation is gone: change --reservation"),
    (r"MaxMemPerLimit", _NEVER, "memoryMB is over the limit of its queue: lower it"),
    (r"(Assoc|QOS)MaxWall.*PerJob.*", _NEVER, "maxMinutes {minutes} is over its account's limit: lower it"),
    (r"(Assoc|QOS)MaxNode.*PerJob.*", _NEVER, "nodeCount is over a limit of its account: lower it"),
    (r"(Assoc|QOS)MaxC(pu|PU).*PerJob.*", _NEVER, "its account allows fewer cores: lower coresPerNode"),
    (r"(Assoc|QOS)MaxMem.*Per(Job|Node).*", _NEVER, "memoryMB is over a limit of its account: lower it"),
    (r"(Assoc|QOS)Max.*Per(Job|Node).*|QOSMin.*", _NEVER, "its account allows less: ask for less"),
    (r"(Assoc|QOS)Grp.*Min.*", _QUEUED, "its account or QOS has used up its hours for now"),
    (r"(Assoc|QOS|Max).*", _QUEUED, "other jobs of its user, account or QOS have to end first"),
)  # fmt: skip


def waiting(reason: str, *, number: str, minutes: int) -> tuple[Sighting, str]:
    """Return what a waiting job is, and a sentence that says what it waits for or what to change."""
    if not reason:
        return _QUEUED, ""
    for pattern, sighting, sentence in _REASONS:
        if re.fullmatch(pattern, reason):
            return sighting, f"{sentence.format(id=number, minutes=minutes)} ({reason})"
    return _QUEUED, f"it waits ({reason.replace('_', ' ')})"
