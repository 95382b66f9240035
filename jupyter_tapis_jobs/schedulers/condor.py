"""CONDOR: jobs in an HTCondor pool, one by one or as clusters, by the pool's own commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..transports.base import Answer
from . import condor_answer, condor_cancel, condor_hold, condor_look, condor_submit
from .base import Launch, Report, Submission
from .claims import gone
from .condor_judge import Judge


class CondorScheduler:
    """HTCondor's own commands on a host that submits to a pool."""

    name = "CONDOR"
    #: A submission that the schedd has not ended yet does not show.
    doubt = 30.0
    rounds = (30.0, 120.0)

    def submit_script(self, submission: Submission) -> str:
        """Return the script that hands the cohort over."""
        return condor_submit.submit_script(submission)

    def parse_submit(self, submission: Submission, answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> QUEUED, REFUSED or LATER; no report where condor_submit gave no clear answer."""
        return condor_submit.parse_submit(submission, answer)

    def look_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that asks about all jobs: marks, one condor_q, condor_history if needed."""
        return condor_look.look_script(lane_dir, launches)

    def parse_look(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        """Return uuid -> report; nothing at all when the schedd did not answer."""
        look = condor_answer.parse(answer)
        return dict(Judge(look).reports(launches)) if look.complete else {}

    def hold_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that holds what waits for a machine."""
        return condor_hold.hold_script(lane_dir, launches)

    def parse_hold(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """HTCondor keeps what it holds."""
        return frozenset()

    def release_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that lets held jobs go."""
        return condor_hold.release_script(lane_dir, launches)

    def cancel_script(self, launches: Sequence[Launch], *, why: str, grace: int) -> str:
        """Return the script that ends jobs; HTCondor itself counts the seconds to the hard end."""
        return condor_cancel.cancel_script(launches, why=why)

    def parse_cancel(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """Return the uuids of the jobs that are really gone."""
        return gone(answer)
