"""When and where a job runs: pairs of "make the command" and "parse its output", pure text.

The engine runs the scripts on the job's host by its transport; a scheduler never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ..model.status import Condition
from ..transports.base import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One job, ready in its directory, as a scheduler sees it."""

    uuid: str
    submission_id: str
    exec_dir: str
    output_dir: str
    stdout_path: str
    stderr_path: str
    node_count: int
    cores_per_node: int
    memory_mb: int
    max_minutes: int
    partition: str | None = None
    options: tuple[str, ...] = ()
    remote_job_id: str | None = None


class Sighting(Enum):
    """What a scheduler says of a job."""

    #: It waits for its start.
    QUEUED = "queued"
    #: It runs.
    RUNNING = "running"
    #: It has ended; the job directory has the truth, else the report's condition.
    ENDED = "ended"
    #: The scheduler does not know it: look into the job directory.
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the scheduler said of one job; ``reason`` is a sentence for the user."""

    sighting: Sighting
    remote_job_id: str | None = None
    exit_code: int | None = None
    condition: Condition | None = None
    reason: str = ""


class Scheduler(Protocol):
    """The commands of one kind of scheduler, for a cohort of jobs at a time."""

    name: str

    def directives(self, launch: Launch) -> str:
        """Return the lines that stand at the head of ``tapisjob.sh`` (``#SBATCH …``), or ''."""
        ...

    def submit_script(self, launches: Sequence[Launch]) -> str:
        """Return the script that hands the cohort over."""
        ...

    def parse_submit(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> report; a job without a report was not accepted for an unknown reason."""
        ...

    def look_script(self, launches: Sequence[Launch]) -> str:
        """Return the one script that asks about all jobs."""
        ...

    def parse_look(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> report."""
        ...

    def cancel_script(self, launches: Sequence[Launch]) -> str:
        """Return the script that ends the jobs and waits until they are really gone."""
        ...

    def parse_cancel(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> report; ABSENT means gone."""
        ...
