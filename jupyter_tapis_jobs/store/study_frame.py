"""A study as a table: one row a case, or one an attempt; and its cases as they were given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, case, func, select

from ..model.status import TERMINAL
from .statements import Statement
from .studies import LAST, STATUS
from .study_tables import study_attempts, study_cases, study_requests
from .tables import jobs

#: The columns of the table, in order. ``parameters`` is JSON text; seconds count what is over.
FRAME_COLUMNS = (
    "caseId",
    "parameters",
    "jobUuid",
    "status",
    "condition",
    "exitCode",
    "created",
    "remoteStarted",
    "ended",
    "queueSeconds",
    "runSeconds",
    "attempt",
    "progress",
    "progressMessage",
    "progressTold",
)
_SECONDS_OF_A_DAY = 86400.0
_attempt, _case, _job = study_attempts.c, study_cases.c, jobs.c
_ALL = study_cases.join(
    study_attempts, (_attempt.study_id == _case.study_id) & (_attempt.position == _case.position)
).outerjoin(jobs, _job.id == _attempt.job_id)


def _seconds(begin: ColumnElement[Any], end: Column[str]) -> ColumnElement[float]:
    """Return the seconds between two times; none below zero, as two clocks may differ."""
    days = func.julianday(end) - func.julianday(begin)
    return func.round(func.max(days * _SECONDS_OF_A_DAY, 0.0), 3)


_row = (
    _case.case_id,
    _case.parameters,
    _attempt.job_uuid,
    STATUS,
    case((_job.status.in_(sorted(status.value for status in TERMINAL)), _job.condition)),
    _job.exit_code,
    _job.created,
    _job.remote_started,
    _job.ended,
    _seconds(func.coalesce(_job.remote_submitted, _job.created), _job.remote_started),
    _seconds(_job.remote_started, _job.remote_ended),
    _attempt.number,
    _job.progress,
    _job.progress_message,
    _job.progress_told,
)


def columns(
    conn: Connection, study_id: int, *, all_attempts: bool = False, chunk: int = 5000
) -> Iterator[tuple[list[Any], ...]]:
    """Yield the table as one list of values for each of ``FRAME_COLUMNS``, *chunk* rows at a time.

    The rows are in the order of the cases; *all_attempts* gives a row for each attempt, oldest first.
    """
    found = select(*_row).select_from(_ALL if all_attempts else LAST).where(_case.study_id == study_id)
    found = found.order_by(_case.position, _attempt.number)
    for rows in Statement(found).slices(conn, chunk):
        yield tuple(map(list, zip(*rows, strict=True)))


def cases(conn: Connection, study_id: int, skip: int, limit: int) -> list[Row[Any]]:
    """Return cases as (position, case_id, parameters, request), in order; a *limit* of -1 means all."""
    found = (
        select(_case.position, _case.case_id, _case.parameters, study_requests.c.request)
        .join(
            study_requests,
            (study_requests.c.study_id == _case.study_id) & (study_requests.c.position == _case.position),
        )
        .where(_case.study_id == study_id)
        .order_by(_case.position)
        .limit(limit)
        .offset(skip)
    )
    return list(conn.execute(found))


def attempts(conn: Connection, study_id: int, first: int, last: int) -> dict[int, list[Any]]:
    """Return position -> (position, number, job_uuid, why, overrides) of *first* to *last*, oldest first."""
    rows = conn.execute(
        select(_attempt.position, _attempt.number, _attempt.job_uuid, _attempt.why, _attempt.overrides)
        .where(_attempt.study_id == study_id, _attempt.position.between(first, last))
        .order_by(_attempt.position, _attempt.number)
    )
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.position, []).append(row)
    return found
