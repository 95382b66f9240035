"""SLURM: jobs in the queues of a cluster, one by one, as arrays, or packed into one allocation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..transports.base import Answer
from . import slurm_answer, slurm_cancel, slurm_hold, slurm_look, slurm_submit
from .base import Launch, Report, Submission
from .claims import gone
from .slurm_judge import Judge


class SlurmScheduler:
    """Slurm's own commands on a login host."""

    name = "SLURM"
    #: A slurmctld that has just come back may not show everything yet.
    doubt = 30.0
    rounds = (30.0, 120.0)

    def submit_script(self, submission: Submission) -> str:
        """Return the script that hands the cohort over."""
        return slurm_submit.submit_script(submission)

    def parse_submit(self, submission: Submission, answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> QUEUED, REFUSED or LATER; no report where sbatch gave no clear answer."""
        return slurm_submit.parse_submit(submission, answer)

    def look_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that asks about all jobs: marks, one squeue, sacct where it is needed."""
        return slurm_look.look_script(lane_dir, launches)

    def parse_look(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> report; nothing at all when Slurm did not answer."""
        look = slurm_answer.parse(answer)
        return dict(Judge(look).reports(launches)) if look.complete else {}

    def hold_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that holds what waits in the queue."""
        return slurm_hold.script("hold", lane_dir, launches)

    def parse_hold(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """Slurm keeps what it holds."""
        return frozenset()

    def release_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that lets held jobs go."""
        return slurm_hold.script("release", lane_dir, launches)

    def cancel_script(self, launches: Sequence[Launch], *, why: str, grace: int) -> str:
        """Return the script that ends jobs; Slurm itself counts the seconds to the hard end (KillWait)."""
        return slurm_cancel.cancel_script(launches, why=why)

    def parse_cancel(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """Return the uuids of the jobs that are really gone."""
        return gone(answer)
