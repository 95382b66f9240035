"""What HTCondor's hold codes, removals and waiting jobs mean, as tables.

Sources: the manual's "Job ClassAd Attributes" (HoldReasonCode, JobStatus, LastRejMatchReason), HTCondor 23.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..model.status import Condition
from .base import Sighting
from .condor_answer import Entry

IDLE, RUNNING, REMOVED, COMPLETED, HELD, TRANSFERRING, SUSPENDED = range(1, 8)
#: It has a machine.
AT_WORK = frozenset({RUNNING, TRANSFERRING, SUSPENDED})


@dataclass(frozen=True, slots=True)
class End:
    """What an end means, for a job that had begun and for one that had not."""

    #: Why it ended before its own end; None where the application's own word counts.
    condition: Condition | None
    sentence: str
    #: What a job is that had not begun: REFUSED, or ABSENT where another start may go better.
    unbegun: Sighting = Sighting.REFUSED


@dataclass(frozen=True, slots=True)
class Hold:
    """What a hold means for a job that has not begun: it waits for somebody, or it would be held again."""

    sighting: Sighting
    #: What to do now.
    advice: str
    condition: Condition = Condition.SCHEDULER_STOPPED


_WAITS, _NEVER = Sighting.QUEUED, Sighting.IMPOSSIBLE
_RELEASE = "release it with `condor_release {number}`, or cancel it"
_AGAIN = "submit it again"
_TIME, _MEMORY = Condition.SCHEDULER_TIMEOUT, Condition.SCHEDULER_OUT_OF_MEMORY

#: HoldReasonCode -> what it means.
HOLDS = {
    1: Hold(Sighting.HELD, "resume it to go on"),
    3: Hold(_NEVER, "a rule of the job holds it: see schedulerOptions"),
    6: Hold(
        _NEVER, "its launch script could not be started there: its directory must be on the machines too"
    ),
    7: Hold(_NEVER, "a file of its standard streams could not be opened there"),
    8: Hold(_NEVER, "a file of its standard streams could not be opened there"),
    9: Hold(_NEVER, "a file of its standard streams could not be opened there"),
    12: Hold(_NEVER, "its files did not come back: is its directory there, with room?"),
    13: Hold(_NEVER, "its files could not be brought to the machine: is its directory there?"),
    14: Hold(_NEVER, "its directory is not on the machines of the pool: say should_transfer_files=YES"),
    15: Hold(Sighting.HELD, "resume it to go on"),
    16: Hold(_WAITS, "its files are still being brought there"),
    21: Hold(_NEVER, "it has not said what it wants of a graphics card: see schedulerOptions"),
    22: Hold(_WAITS, "its submission has not come to an end"),
    26: Hold(_WAITS, "a rule of the pool holds it: ask its operators, or cancel it"),
    34: Hold(_NEVER, "give it more memoryMB", _MEMORY),
    46: Hold(_NEVER, "give it more maxMinutes", _TIME),
    47: Hold(_NEVER, "give it more maxMinutes", _TIME),
}
#: A code of an HTCondor to come, or one that says too little.
OTHER_HOLD = Hold(_WAITS, _RELEASE)

_TERMINATED = Condition.SCHEDULER_TERMINATED
COMPLETED_END = End(None, "HTCondor says that it is done, but its launch script left no exit code")
SIGNALLED = End(
    _TERMINATED, "its processes were killed on the machine{machine}, signal {signal}: submit it again"
)
EVICTED = End(
    _TERMINATED,
    "its machine was taken back{machine}{vacated}, and it is not run a second time: submit it again",
    Sighting.ABSENT,
)
TIMED_OUT = End(_TIME, "stopped at its time limit{minutes}: give it more maxMinutes", Sighting.ABSENT)
REMOVED_THERE = End(
    Condition.SCHEDULER_CANCELLED, "it was removed at HTCondor itself ({why}), not by this server"
)
BY_POLICY = End(_TERMINATED, "a rule of the pool removed it ({why}): ask its operators")
LOST = End(
    _TERMINATED, "HTCondor does not know it any more, and it left no word about its end: submit it again"
)

#: How a RemoveReason begins -> what it means.
_REMOVALS = (
    (r"via condor_rm|removed by|.*\bcondor_rm\b", REMOVED_THERE),
    (r"The system (periodic|macro)|.*SYSTEM_PERIODIC_REMOVE", BY_POLICY),
)
#: What a job of our own rule was when the rule removed it -> what it means.
_BY_OUR_RULE = {RUNNING: TIMED_OUT, TRANSFERRING: TIMED_OUT, SUSPENDED: TIMED_OUT, IDLE: EVICTED}

#: How HTCondor tells of no machine -> the sentence.
_REJECTED = (
    (r"no match found", "no machine is free for it"),
    (r"insufficient (user )?priority|preempt", "jobs of users with better priority are before it"),
    (r"concurrency limit", "a concurrency limit is reached"),
    (r"(submitter|group|quota|accounting).*", "the quota of its accounting group or user is used up"),
)


def end_of(entry: Entry) -> End:
    """Return why a job is over, or will not go on."""
    if entry.status == HELD:
        hold = HOLDS.get(entry.hold_code, OTHER_HOLD)
        return End(hold.condition, held(entry, begun=True))
    if entry.status == COMPLETED:
        return SIGNALLED if entry.signal else COMPLETED_END
    if entry.status == IDLE:
        return EVICTED
    if "PeriodicRemove" in entry.remove_reason and entry.last_status in _BY_OUR_RULE:
        return _BY_OUR_RULE[entry.last_status]
    if entry.hold_reason and entry.last_status == HELD and "PeriodicRemove" in entry.remove_reason:
        hold = HOLDS.get(entry.hold_code, OTHER_HOLD)
        return End(hold.condition, held(entry, begun=True))
    return next((end for start, end in _REMOVALS if re.match(start, entry.remove_reason)), BY_POLICY)


def held(entry: Entry, *, begun: bool) -> str:
    """Say that a job is held, why, and what to do."""
    hold = HOLDS.get(entry.hold_code, OTHER_HOLD)
    why = entry.hold_reason or f"code {entry.hold_code}"
    if begun:
        advice = f"{hold.advice}, and {_AGAIN}" if hold.sighting is _NEVER else _AGAIN
        return f"HTCondor held it after its start, which ended its processes ({why}): {advice}"
    return f"HTCondor holds it ({why}): {hold.advice.format(number=entry.number)}"


def waiting(entry: Entry, machines: list[tuple[int, int]]) -> tuple[Sighting, str]:
    """Return what an idle job is, and what it waits for or what to change.

    *machines*: cores and memory (MB) of those in the pool, empty when that was not asked.
    """
    if machines and (too_large := _too_large(entry, machines)):
        return Sighting.IMPOSSIBLE, too_large
    for pattern, sentence in _REJECTED:
        if re.match(pattern, entry.rejected, re.IGNORECASE):
            return Sighting.QUEUED, f"{sentence} ({entry.rejected})"
    return Sighting.QUEUED, f"it waits ({entry.rejected})" if entry.rejected else ""


def _too_large(entry: Entry, machines: list[tuple[int, int]]) -> str:
    """Say what no machine of the pool has, whatever else runs there."""
    if any(entry.cores <= cores and entry.memory_mb <= memory for cores, memory in machines):
        return ""
    cores, memory = max(c for c, _ in machines), max(m for _, m in machines)
    if entry.cores > cores:
        return f"no machine of the pool has {entry.cores} cores, the largest has {cores}: lower coresPerNode"
    if entry.memory_mb > memory:
        return f"no machine of the pool has {entry.memory_mb} MB, the largest has {memory} MB: lower memoryMB"
    return (
        f"no machine of the pool has both {entry.cores} cores and {entry.memory_mb} MB: "
        "lower coresPerNode or memoryMB"
    )
