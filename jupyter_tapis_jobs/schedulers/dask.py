"""DASK: jobs as tasks of a Dask cluster that runs already; one task each, of a cohort in one call.

Dask has no job ids, exit codes, limits or books. The id of a job is the key of its task, the time limit
is kept by the worker that runs it, and its end is told by the marks in its directory; the scheduler only
tells what waits, what is at a worker, and what is gone. Workers share the file system of the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..transports.base import Answer
from . import dask_answer, dask_script, taken_back
from .base import Launch, Report, Submission
from .claims import gone


class DaskScheduler:
    """A Dask scheduler, asked by a Python of the host."""

    name = "DASK"
    #: A cohort whose answer was lost may still be on its way.
    doubt = 30.0
    rounds = (30.0, 120.0)

    def submit_script(self, submission: Submission) -> str:
        """Return the script that hands the cohort over, in every launch mode as one cohort of tasks."""
        return dask_script.submit_script(submission)

    def parse_submit(self, submission: Submission, answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> QUEUED or AWAY; no report where the fate of a job is not clear."""
        return dask_answer.parse_submit(submission, answer)

    def look_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that asks about all jobs: marks, and one call of the scheduler."""
        return dask_script.look_script(launches)

    def parse_look(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> report; AWAY for all when the scheduler did not answer."""
        return dask_answer.parse_look(launches, answer)

    def hold_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that takes jobs back from the cluster."""
        return taken_back.hold_script(launches)

    def parse_hold(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """Return the uuids of those that had not begun."""
        return gone(answer)

    def release_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that makes the next start of jobs possible."""
        return taken_back.release_script(launches)

    def cancel_script(self, launches: Sequence[Launch], *, why: str, grace: int) -> str:
        """Return the script that ends jobs; the workers count the seconds to the hard end."""
        return dask_script.cancel_script(launches, why=why, grace=grace)

    def parse_cancel(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """Return the uuids of the jobs that are really gone."""
        return dask_answer.parse_cancel(answer)
