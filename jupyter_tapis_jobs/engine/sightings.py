"""What a scheduler's reports say beyond what is stored: which jobs are worth a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model.fields import JobType
from ..model.job import Job
from ..model.marks import Marks
from ..model.status import JobStatus
from ..schedulers.base import Report, Sighting
from .lane import Lane

_STORED = {
    Sighting.QUEUED: JobStatus.QUEUED,
    Sighting.HELD: JobStatus.PAUSED,
    Sighting.RUNNING: JobStatus.RUNNING,
}


def news(jobs: Sequence[Job], reports: Mapping[str, Report]) -> list[str]:
    """Return the jobs of which the scheduler says something else than what is stored."""
    said = ((job, reports[job.uuid].sighting) for job in jobs if job.uuid in reports)
    return [job.uuid for job, sighting in said if _STORED.get(sighting) is not job.status]


def doubtful(lane: Lane, jobs: Sequence[Job], reports: Mapping[str, Report]) -> list[str]:
    """Return the jobs that have ended and of which only the scheduler knows why."""
    return [job.uuid for job in jobs if job.uuid in lane.doubtful and job.uuid in reports]


def is_orphan(job: Job, found: Marks, reports: Mapping[str, Report] | None) -> bool:
    """Is a FORK job's launch script gone without a word? A batch scheduler ends what it left by itself."""
    report = (reports or {}).get(job.uuid)
    vanished = report is not None and report.sighting is Sighting.VANISHED
    return vanished and job.job_type == JobType.FORK and found.was_started and found.exit_code is None
