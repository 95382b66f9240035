"""A study: many cases of one template, each with its parameters, its rendered request and its attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .errors import InvalidInputError
from .status import JobStatus

_COHORT = "study-"
#: What a study's table says of a case behind its parameters, in this order.
TABLE_COLUMNS = (
    "caseId",
    "jobUuid",
    "status",
    "exitCode",
    "queueSeconds",
    "runSeconds",
    "attempt",
    "condition",
    "created",
    "remoteStarted",
    "ended",
)


class Why(StrEnum):
    """Why an attempt of a case was made."""

    #: The case was new, or had ended badly.
    RUN = "run"
    #: Its owner asked for another attempt.
    RETRY = "retry"
    #: It was done, and its owner wanted all anew.
    FRESH = "fresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is kept of a study beside its cases. Times are ISO-8601 UTC text; ``template`` is JSON text.

    A limit of None is no limit.
    """

    owner: str
    name: str
    template: str
    launch_mode: str
    created: str
    updated: str
    max_failures: int | None = None
    max_running: int | None = None
    archived: bool = False
    #: Given by the store.
    id: int = 0

    @property
    def cohort(self) -> str:
        """What its jobs have as ``cohort_id``."""
        return cohort_of(self.id)


def cohort_of(study_id: int) -> str:
    """Return what the jobs of a study have as ``cohort_id``."""
    return f"{_COHORT}{study_id}"


def studies_of(cohorts: Iterable[str | None]) -> dict[str, int]:
    """Return cohort -> the study it is, for those that are studies."""
    words = dict.fromkeys(word for word in cohorts if word is not None and word.startswith(_COHORT))
    return {word: int(word.removeprefix(_COHORT)) for word in words}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as it comes. What is None the study has already."""

    case_id: str
    parameters: Mapping[str, Any] | None = None
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a stored case stands: its last attempt and what became of it."""

    case_id: str
    position: int
    #: The number of its last attempt, from 1.
    attempt: int
    #: Changes over its request that its last attempt had, JSON text.
    overrides: str
    #: The status of its last attempt's job; None when nobody knows any more.
    status: JobStatus | None

    @property
    def is_done(self) -> bool:
        """True when its last attempt ended well."""
        return self.status is JobStatus.FINISHED

    @property
    def is_in_flight(self) -> bool:
        """True while its last attempt has not ended."""
        return self.status is not None and not self.status.is_terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseError:
    """What is wrong with one case; ``row`` counts from 0 in the order given."""

    case_id: str
    row: int
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of cases that were given: ``known`` were there before; the next three are parts of them."""

    known: int = 0
    in_flight: int = 0
    done: int = 0
    #: Known, and their last attempt ended badly.
    failed: int = 0
    #: (case id, uuid of its new job; None in a dry run) in the order given.
    submitted: tuple[tuple[str, str | None], ...] = ()
    errors: tuple[CaseError, ...] = ()
    #: Of a dry run: how most of the jobs would be started, and why.
    launch_mode: str | None = None
    launch_reason: str | None = None


class CasesError(InvalidInputError):
    """Some cases cannot be accepted, so that none was; ``added`` tells which and why."""

    code = "JOBS_INVALID_CASES"

    def __init__(self, added: Added) -> None:
        first = added.errors[0]
        more = f" ({len(added.errors) - 1:,} more cases are wrong.)" if len(added.errors) > 1 else ""
        super().__init__(f"Nothing was submitted. Row {first.row}: {first.message}{more}")
        self.added = added
