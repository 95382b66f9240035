"""Ending, holding and letting go of a study's cases: those that it makes sense for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model.status import CONVEYOR, TERMINAL, JobStatus
from . import bulk
from .study_frame import chosen

if TYPE_CHECKING:
    from .study import Study

_NOT_BEGUN = {*CONVEYOR[: CONVEYOR.index(JobStatus.RUNNING)], JobStatus.BLOCKED}
#: What is done to a case -> the statuses in which that is possible.
_WHERE = {
    "cancel": {*JobStatus} - TERMINAL,
    "pause": _NOT_BEGUN,
    "resume": {JobStatus.PAUSED},
}


def steer_cases(study: Study, verb: str, which: Any) -> Study:
    """Ask jobs of cases to *verb* (cancel, pause, resume); *which* is all, or as for ``retry``."""
    cases = study.frame()
    rows = cases if isinstance(which, str) and which == "all" else chosen(cases, which)
    rows = rows[rows["status"].isin([str(status) for status in _WHERE[verb]])]
    bulk.steer_bulk(study.tapis.connection, verb, rows["jobUuid"].dropna().tolist())
    return study
