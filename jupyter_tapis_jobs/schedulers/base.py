"""When and where a job runs: pairs of "make the command" and "parse its output", pure text.

The engine runs the scripts on the job's host by its transport; a scheduler never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from ..model.status import Condition
from ..transports.base import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One job, ready in its directory, as a scheduler sees it."""

    uuid: str
    exec_dir: str
    submission_id: str | None = None
    #: The scheduler's id of the job (array: ``4711_17``; pack: that of the allocation).
    remote_job_id: str | None = None
    cores: int = 1
    #: single, array or pack.
    mode: str = "single"
    #: When it was (about to be) handed over; ISO-8601 UTC.
    submitted: str | None = None
    max_minutes: int = 0
    #: Shell text, for the execution directory, that ends what runs outside the job's own processes.
    leftover: str = ""
    #: What the notes of its system say of the scheduler: ``notes.dask`` for DASK.
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A cohort that is handed over at once, under one id that was stored before."""

    id: str
    #: The lane's folder on the host; holds ``epoch``, ``events`` and ``submissions``.
    lane_dir: str
    #: The lease under which this engine acts; a host that has seen a newer one refuses.
    epoch: int
    launches: tuple[Launch, ...]
    #: How many of the jobs may run at a time (in a pack: on each node); 0 for all.
    parallel: int = 0
    #: single, array or pack: one scheduler job each, one array, or one allocation for all.
    mode: str = "single"
    #: sbatch options of an array or pack as argv words; single jobs have theirs in their launch script.
    directives: tuple[str, ...] = ()


class Sighting(Enum):
    """What a scheduler says of a job."""

    #: It waits for its start.
    QUEUED = "queued"
    #: It runs.
    RUNNING = "running"
    #: It waits, and will not start until its owner lets it go.
    HELD = "held"
    #: Its application has ended; the job directory has the truth.
    ENDED = "ended"
    #: It was started and is gone, and left no word about its end.
    VANISHED = "vanished"
    #: It was never started and nothing on the host will start it any more; it may be handed over anew.
    ABSENT = "absent"
    #: It was refused, or ended before its start, for a reason that would come again.
    REFUSED = "refused"
    #: It waits, for something that can never come; it is to be taken back and failed.
    IMPOSSIBLE = "impossible"
    #: The scheduler takes no more jobs for now; it stays with us and is tried again.
    LATER = "later"
    #: The scheduler could not be asked: nothing was handed over now, and nothing is known of what was before.
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the scheduler said of one job; ``reason`` is a sentence for the user.

    ``condition`` and ``reason`` of an ENDED or VANISHED job are the scheduler's verdict (time limit,
    memory, node failure); a QUEUED job's ``reason`` says what it waits for.
    """

    sighting: Sighting
    remote_job_id: str | None = None
    remote_job_id2: str | None = None
    condition: Condition | None = None
    reason: str = ""


class Scheduler(Protocol):
    """The commands of one kind of scheduler, for a cohort of jobs at a time."""

    name: str
    #: Seconds between the two ABSENT answers that allow a new start; 0 where one is enough.
    doubt: float
    #: Seconds between two rounds of questions: the shortest, and the longest when it is quiet.
    rounds: tuple[float, float]

    def submit_script(self, submission: Submission) -> str:
        """Return the script that hands the cohort over."""
        ...

    def parse_submit(self, submission: Submission, answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> report; what became of a job without one is not known: look before trying again."""
        ...

    def look_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the one script that asks about all jobs."""
        ...

    def parse_look(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> report."""
        ...

    def hold_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that keeps jobs which have not begun from starting; others are left alone."""
        ...

    def parse_hold(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """Return the uuids of the jobs that were taken back: nothing on the host will start them.

        Those that the scheduler keeps, held, are not among them; the next look says HELD of them.
        """
        ...

    def release_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that undoes ``hold_script``; doing it twice, or too often, harms nothing."""
        ...

    def cancel_script(self, launches: Sequence[Launch], *, why: str, grace: int) -> str:
        """Return the script that ends the jobs and waits a while until they are really gone.

        *why* (one word) is left in the job directory before anything is ended; *grace* is the
        number of seconds between the polite and the hard end, where this side counts them.
        """
        ...

    def parse_cancel(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """Return the uuids of the jobs that are really gone."""
        ...
