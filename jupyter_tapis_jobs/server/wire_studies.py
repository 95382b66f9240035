"""Studies on the wire: the bodies and results of the routes about them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ..model.study import Added, CaseError, Why
from .wire import Wire
from .wire_study_chains import ChainRow

LaunchMode = Literal["single", "array", "pack", "auto"]
#: A number of cases; null and 0 are no limit.
Limit = Annotated[int, Field(ge=0, le=2**31)] | None
CaseId = Annotated[str, Field(min_length=1, max_length=64)]


class NewStudy(Wire):
    """A study, or what is to be different of the one that has this name."""

    name: str
    template: dict[str, Any] | None = Field(
        None, description="The request with its placeholders, kept as it is."
    )
    launch_mode: LaunchMode = Field("auto", description="How like BATCH cases are handed to their scheduler.")
    max_failures: Limit = Field(None, description="After so many failed cases no more are begun.")
    max_running: Limit = Field(None, description="So many cases are under way at a time.")


class StudyChanges(Wire):
    """What is to be different of a study; what is left out stays."""

    name: str | None = Field(None, description="A new name.")
    archived: bool | None = None
    max_failures: Limit = None
    max_running: Limit = None


class StudyRow(Wire):
    """A study, and how many of its cases have each status."""

    name: str
    owner: str
    launch_mode: LaunchMode
    max_failures: int | None
    max_running: int | None
    archived: bool
    created: str
    updated: str
    cohort_id: str = Field(description="What the jobs of its cases have as cohortId.")
    cases: int
    counts: dict[str, int] = Field(description="Cases by the status of their last attempt.")


class StudyDetails(StudyRow):
    """A study with its template, and what goes on with it."""

    template: dict[str, Any]
    then: list[ChainRow] = Field(description="Chained requests, oldest first.")


class GivenCase(Wire):
    """One rendered case. What the study has of it already may be left out."""

    case_id: CaseId
    parameters: dict[str, Any] | None = None
    request: dict[str, Any] | None = None


class GivenCases(Wire):
    """Cases; those that are done or on their way are not submitted again."""

    cases: list[GivenCase]
    fresh: bool = Field(False, description="Submit those that are done, too.")
    dry_run: bool = Field(False, description="Only tell what would be done, and what is wrong.")
    launch_mode: LaunchMode = Field("auto", description="Of a dry run for a study that is not there yet.")


class Retried(Wire):
    """Cases that get another attempt, and what is different in their requests."""

    case_ids: list[CaseId]
    changes: dict[str, Any] = Field(default_factory=dict)


class CaseRefusal(Wire):
    """Why a case cannot be accepted; ``row`` counts from 0 in the order given."""

    case_id: str
    row: int
    message: str
    field: str | None


class CaseJob(Wire):
    """A case that was submitted; in a dry run it has no job."""

    case_id: str
    job_uuid: str | None


class AddedCases(Wire):
    """What became of the given cases. Those ``known`` are in flight, done or failed."""

    known: int
    in_flight: int
    done: int
    failed: int
    submitted: list[CaseJob]
    errors: list[CaseRefusal]
    launch_mode: str | None = Field(None, description="Of a dry run: how most jobs would be started.")
    launch_reason: str | None = Field(None, description="And why so.")


class AttemptRow(Wire):
    """One attempt of a case."""

    number: int
    job_uuid: str
    why: Why
    overrides: dict[str, Any] = Field(description="What was different from the case's request.")


class CaseRow(Wire):
    """A case as it was given, and its attempts."""

    case_id: str
    position: int
    parameters: dict[str, Any]
    request: dict[str, Any]
    attempts: list[AttemptRow]


class StudyTold(Wire):
    """One sentence; ``asked`` is the number of cases that are asked to end."""

    name: str
    message: str
    asked: int = 0


def added_to_wire(added: Added) -> dict[str, Any]:
    """Return what became of cases."""
    return {
        "known": added.known,
        "inFlight": added.in_flight,
        "done": added.done,
        "failed": added.failed,
        "submitted": [{"caseId": case_id, "jobUuid": uuid} for case_id, uuid in added.submitted],
        "errors": [_refusal(error) for error in added.errors],
        "launchMode": added.launch_mode,
        "launchReason": added.launch_reason,
    }


def _refusal(error: CaseError) -> dict[str, Any]:
    return {"caseId": error.case_id, "row": error.row, "message": error.message, "field": error.field}
