"""A chained request of a study: one job that goes on with the outputs of its cases once they have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .batch_script import LONGEST_NAME
from .errors import InvalidInputError
from .status import JobStatus
from .texts import refuse_control

#: Where the job finds the table of the cases, and the outputs of the case in each of its rows.
TABLE, FOLDER = "cases.csv", "cases"
_THEN = "-then"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What is kept of a chained request. ``request`` is JSON text as given; times are ISO-8601 UTC text."""

    study_id: int
    created: str
    request: str
    #: Paths below a case's outputs.
    outputs: tuple[str, ...]
    #: Why it is not tried before the study is run again; "" while it waits for the cases.
    refusal: str = ""
    #: Names the cases, as they stood when the job was submitted.
    cases: str | None = None
    job_uuid: str | None = None
    #: Of its job; None before there is one, and when it was removed.
    job_status: JobStatus | None = None
    #: Given by the store.
    id: int = 0

    @property
    def is_submitted(self) -> bool:
        """True once it is a job."""
        return self.job_uuid is not None

    @property
    def is_waiting(self) -> bool:
        """True while it is submitted as soon as no case is in flight."""
        return self.job_uuid is None and not self.refusal

    @property
    def is_done_with(self) -> bool:
        """True when its job ended badly, or was removed."""
        return self.is_submitted and self.job_status in (None, JobStatus.FAILED, JobStatus.CANCELLED)

    def told(self, cases: Mapping[str, int]) -> str:
        """Return how it stands, as a sentence; *cases* are those of its study by status."""
        if self.job_uuid is not None:
            return f"job {self.job_uuid} is {self.job_status or 'removed'}"
        if self.refusal:
            return f"not submitted: {self.refusal}"
        left = sum(count for status, count in cases.items() if status and not JobStatus(status).is_terminal)
        if left:
            return f"is submitted when {left:,} {'case has' if left == 1 else 'cases have'} ended"
        return "is being submitted" if cases else "is submitted when cases have been run"


def job_name(study: str) -> str:
    """Return the name of a job that goes on with a study of that name, and has none of its own."""
    return f"{study[: LONGEST_NAME - len(_THEN)]}{_THEN}"


def checked_outputs(outputs: Sequence[str]) -> tuple[str, ...]:
    """Return the paths of outputs as they are kept; ``InvalidInputError`` for one that cannot be."""
    paths = tuple(dict.fromkeys(path.strip("/") for path in outputs))
    for path in paths:
        refuse_control(path, "outputs")
    wrong = next((path for path in paths if {"", ".", ".."} & set(path.split("/"))), None)
    if wrong is not None or not paths:
        raise InvalidInputError(
            "outputs must name files or folders that each case leaves: outputs=['peak.csv'].",
            field="outputs",
            value=wrong,
        )
    return paths
