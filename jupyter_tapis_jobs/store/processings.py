"""Post-processing of jobs as rows: what is wanted, what is due, who has it, and what came of it.

Every function works inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from ..model.job import JobEvent
from ..model.processing import Outcome, Processing, ProcessingStatus, ProcessWish, Runs
from ..model.status import TERMINAL, EventType, JobStatus
from .statements import Row, Statement

_ENDS = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
_FOUND = (
    "SELECT p.job_id, j.uuid, j.owner, p.name, p.runs, p.max_minutes, p.retries, p.ends, p.status,"
    " p.attempts, p.due, p.claim, p.result, p.problem, p.created, p.updated"
    " FROM processings p JOIN jobs j ON j.id = p.job_id"
)
_add = Statement(
    text(
        "INSERT INTO processings (job_id, name, runs, max_minutes, retries, ends, status, attempts, created,"
        " updated) VALUES (:job, :name, :runs, :minutes, :retries, :ends, 'PENDING', 0, :created, :updated)"
    )
)
# From the few new events to their jobs, by their key.
_job_ended = Statement(
    text(
        "UPDATE processings SET updated = e.created,"  # noqa: S608 - words of our own
        " status = CASE WHEN e.event_detail IN (SELECT value FROM json_each(ends)) THEN 'PENDING'"
        " ELSE 'SKIPPED' END,"
        " due = CASE WHEN runs = 'server' AND e.event_detail IN (SELECT value FROM json_each(ends))"
        " THEN e.created END,"
        " problem = CASE WHEN e.event_detail NOT IN (SELECT value FROM json_each(ends))"
        " THEN 'The job is ' || e.event_detail || '; it is processed where it is one of ' || ends || '.' END"
        " FROM job_events e WHERE e.id BETWEEN :first AND :last AND e.event = 'JOB_NEW_STATUS'"
        f" AND e.event_detail IN ({_ENDS}) AND processings.job_id = e.job_id"
    )
)
_of_job = Statement(text(f"{_FOUND} WHERE p.job_id = :job"))
_of_jobs = Statement(
    text(
        f"{_FOUND} WHERE j.uuid IN (SELECT u.value FROM json_each(:uuids) u)"  # noqa: S608
        " AND j.owner = :owner AND j.tenant = :tenant"
    )
)
_due = Statement(
    text(
        f"{_FOUND} WHERE p.due <= :now"  # noqa: S608
        " AND p.job_id NOT IN (SELECT b.value FROM json_each(:taken) b)"
        " ORDER BY p.due, p.job_id LIMIT :most"
    )
)
_next = Statement(text("SELECT min(due) FROM processings WHERE due > :now"))
_interrupted = Statement(text(f"{_FOUND} WHERE p.status = 'RUNNING' AND p.runs = 'server'"))
_begin = Statement(
    text(
        "UPDATE processings SET status = 'RUNNING', attempts = attempts + 1, due = :due, claim = :claim,"
        " updated = :now WHERE job_id = :job AND status = 'PENDING' AND attempts = :attempts"
    )
)
_settle = Statement(
    text(
        "UPDATE processings SET status = :status, due = :due, result = :result, problem = :problem,"
        " updated = :now WHERE job_id = :job AND attempts = :attempts AND status IN ('RUNNING', 'PENDING')"
    )
)
_again = Statement(
    text(
        "UPDATE processings SET status = 'PENDING', attempts = 0, due = :due, claim = NULL, result = NULL,"
        " problem = NULL, updated = :now WHERE job_id = :job AND status != 'RUNNING'"
    )
)


def add(conn: Connection, wishes: Iterable[tuple[int, ProcessWish, str]]) -> None:
    """Store what is wanted of new jobs: (job id, wish, when)."""
    _add.many(
        conn,
        (
            (job, wish.name, wish.runs, wish.max_minutes, wish.retries, json.dumps(wish.on), now, now)
            for job, wish, now in wishes
        ),
    )


def job_ended(conn: Connection, events: Sequence[JobEvent]) -> None:
    """Make due what is wanted of the jobs that stored *events*, whose ids follow each other, have ended."""
    if any(event.event is EventType.JOB_NEW_STATUS and event.event_detail in TERMINAL for event in events):
        _job_ended.run(conn, events[0].id, events[-1].id)


def of_job(conn: Connection, job_id: int) -> Processing | None:
    """Return how the processing of a job stands; None where nothing is wanted."""
    found = _of_job.run(conn, job_id)
    return _from_row(found[0]) if found else None


def of_jobs(conn: Connection, uuids: Iterable[str], owner: str, tenant: str) -> dict[str, Processing]:
    """Return uuid -> how the processing stands, of those jobs of an owner that want any."""
    rows = _of_jobs.run(conn, json.dumps(list(uuids)), owner, tenant)
    return {item.job_uuid: item for item in map(_from_row, rows)}


def due(conn: Connection, now: str, taken: Collection[int], most: int) -> list[Processing]:
    """Return what has to be looked at by *now* (ISO), first what waits longest; none of the jobs *taken*."""
    return [_from_row(row) for row in _due.run(conn, now, json.dumps(list(taken)), most)]


def next_due(conn: Connection, now: str) -> str | None:
    """Return when something is due after *now*, None when nothing is."""
    found: str | None = _next.run(conn, now)[0][0]
    return found


def interrupted(conn: Connection) -> list[Processing]:
    """Return what runs in workers of a server, all of which have ended with their server."""
    return [_from_row(row) for row in _interrupted.run(conn)]


def begin(
    conn: Connection, item: Processing, now: str, *, claim: str | None = None, due: str | None = None
) -> bool:
    """Begin the next attempt; False where somebody else has begun it."""
    return _begin.many(conn, [(due, claim, now, item.job_id, item.attempts)]) == 1


def settle(
    conn: Connection,
    item: Processing,
    status: ProcessingStatus,
    outcome: Outcome,
    now: str,
    *,
    due: str | None = None,
) -> bool:
    """Store what the attempt has come to, once; False where another attempt was begun or one is over."""
    values = (status, due, outcome.result, outcome.problem, now, item.job_id, item.attempts)
    return _settle.many(conn, [values]) == 1


def again(conn: Connection, job_id: int, now: str, *, due: str | None) -> bool:
    """Let all attempts begin anew; False while one is under way."""
    return _again.many(conn, [(due, now, job_id)]) == 1


def _from_row(row: Row) -> Processing:
    (job_id, uuid, owner, name, runs, minutes, retries, ends, status, *rest) = row
    values: dict[str, Any] = dict(
        zip(("attempts", "due", "claim", "result", "problem", "created", "updated"), rest, strict=True)
    )
    wish = ProcessWish(
        name=name,
        runs=Runs(runs),
        max_minutes=minutes,
        retries=retries,
        on=tuple(JobStatus(word) for word in json.loads(ends)),
    )
    return Processing(
        job_id=job_id, job_uuid=uuid, owner=owner, wish=wish, status=ProcessingStatus(status), **values
    )
