"""Old jobs: which they are, what hangs on them, and how they leave the store for good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from sqlalchemy import Connection, delete, func, select

from ..model.job import Job
from ..model.status import JobStatus
from . import studies, workflows
from .records import JOB_COLUMNS, job_from_row
from .tables import job_definitions, job_events, jobs, shares

_ENDED = tuple(status.value for status in JobStatus if status.is_terminal)
_ended = func.coalesce(jobs.c.ended, jobs.c.last_updated)
#: Jobs that leave in one statement: SQLite takes only so many values.
_SLICE = 500


def ended_before(conn: Connection, moment: str, owner: str | None) -> list[Job]:
    """Return the jobs that ended before *moment* (ISO-8601 UTC), oldest first; of all owners for None."""
    found = select(*(jobs.c[name] for name in JOB_COLUMNS)).where(jobs.c.status.in_(_ENDED), _ended < moment)
    if owner is not None:
        found = found.where(jobs.c.owner == owner)
    return [job_from_row(tuple(row)) for row in conn.execute(found.order_by(jobs.c.id))]


def count_events(conn: Connection, ids: Sequence[int]) -> int:
    """Return how many events the histories of these jobs hold."""
    slices = (ids[start : start + _SLICE] for start in range(0, len(ids), _SLICE))
    counting = (select(func.count()).where(job_events.c.job_id.in_(part)) for part in slices)
    return sum(conn.execute(count).scalar_one() for count in counting)


def remove(conn: Connection, gone: Sequence[Job]) -> int:
    """Delete jobs and what hangs on them: definition, history, subscriptions, shares; return how many.

    A study keeps how its cases ended, a workflow its nodes.
    """
    removed = 0
    for start in range(0, len(gone), _SLICE):
        part = gone[start : start + _SLICE]
        conn.execute(delete(shares).where(shares.c.kind == "job", shares.c.item_id.in_(j.uuid for j in part)))
        studies.keep_outcomes(conn, [job.id for job in part])
        workflows.keep_outcomes(conn, [job.uuid for job in part])
        removed += conn.execute(
            delete(jobs).where(jobs.c.id.in_(job.id for job in part), jobs.c.status.in_(_ENDED))
        ).rowcount
    return removed


def requests_naming(conn: Connection, text: str, *, without: Set[int] = frozenset()) -> Iterator[str]:
    """Yield the requests, as JSON texts, that hold *text*; of all jobs but those whose ids are *without*.

    Those of studies and workflows are among them: a case may be run again when its jobs are long gone.
    """
    columns = job_definitions.c
    found = select(columns.job_id, columns.request).where(func.instr(columns.request, text) > 0)
    yield from (row.request for row in conn.execute(found) if row.job_id not in without)
    yield from studies.requests_holding(conn, text)
    yield from workflows.requests_holding(conn, text)
