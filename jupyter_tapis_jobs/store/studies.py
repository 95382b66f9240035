"""Studies, their cases and the attempts of these as rows.

Every function works inside the caller's transaction. What is done with some cases costs what these are,
however many others the study has.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, literal_column, select, update
from sqlalchemy import insert as insert_into
from sqlalchemy.exc import IntegrityError

from ..model.errors import ConflictError
from ..model.job import Job
from ..model.status import JobStatus
from ..model.study import Standing, Study, Why
from .statements import Statement, given
from .study_tables import studies, study_attempts, study_cases, study_chains, study_requests
from .tables import jobs

#: New attempts of one case: its position, the attempt's number, its job, why, and the changes (JSON).
Attempt = tuple[int, int, Job, Why, str]

_attempt, _case = study_attempts.c, study_cases.c
#: The status of an attempt's job; of a job that was removed, as it was then.
STATUS = func.coalesce(jobs.c.status, _attempt.outcome)
#: The last attempts of cases, with their jobs as far as these are there.
LAST = study_cases.join(
    study_attempts,
    (_attempt.study_id == _case.study_id)
    & (_attempt.position == _case.position)
    & (_attempt.number == _case.attempts),
).outerjoin(jobs, jobs.c.id == _attempt.job_id)

_standings = Statement(
    select(_case.case_id, _case.position, _case.attempts, _attempt.overrides, STATUS)
    .select_from(LAST)
    .where(
        _case.study_id == bindparam("study"),
        _case.case_id.in_(given("ids")),
    )
)
_requests = Statement(
    select(study_requests.c.position, study_requests.c.request).where(
        study_requests.c.study_id == bindparam("study"),
        study_requests.c.position.in_(given("positions")),
    )
)
_last_position = Statement(select(func.max(_case.position)).where(_case.study_id == bindparam("study")))
_insert_case = Statement(insert_into(study_cases))
_insert_request = Statement(insert_into(study_requests))
_change_request = Statement(
    update(study_requests)
    .ordered_values((study_requests.c.request, bindparam("made")))
    .where(study_requests.c.study_id == bindparam("study"), study_requests.c.position == bindparam("place"))
)
_insert_attempt = Statement(insert_into(study_attempts))
_count_attempt = Statement(
    update(study_cases)
    .ordered_values((_case.attempts, bindparam("number")))
    .where(_case.study_id == bindparam("study"), _case.position == bindparam("place"))
)
# The plus keeps SQLite from walking all cases: failed jobs are few, and found by their index.
_failed = Statement(
    select(func.count())
    .select_from(jobs.join(study_attempts, _attempt.job_id == jobs.c.id).join(
        study_cases,
        (_case.study_id == _attempt.study_id)
        & (_case.position == _attempt.position)
        & (_case.attempts == _attempt.number),
    ))
    .where(
        jobs.c.owner == bindparam("owner"),
        jobs.c.status == bindparam("status"),
        literal_column("+study_attempts.study_id") == bindparam("study"),
    )
)  # fmt: skip


# -- studies


def add(conn: Connection, study: Study) -> Study:
    """Store a new study; return it with its id. ``ConflictError`` when the owner has one of that name."""
    values = {name: value for name, value in asdict(study).items() if name != "id"}
    try:
        number = conn.execute(insert_into(studies).values(values).returning(studies.c.id)).scalar_one()
    except IntegrityError:
        raise _taken(study.name) from None
    return Study(**{**values, "id": number})


def find(conn: Connection, owner: str, name: str) -> Study | None:
    """Return an owner's study, or None."""
    row = conn.execute(
        select(studies).where(studies.c.owner == owner, studies.c.name == name)
    ).one_or_none()  # fmt: skip
    return _study(row) if row else None


def owned(conn: Connection, owner: str) -> list[Study]:
    """Return an owner's studies, newest first."""
    found = select(studies).where(studies.c.owner == owner).order_by(studies.c.id.desc())
    return [_study(row) for row in conn.execute(found)]


def by_ids(conn: Connection, ids: Collection[int]) -> dict[int, Study]:
    """Return id -> study of those that exist."""
    found = conn.execute(select(studies).where(studies.c.id.in_(ids)))
    return {row.id: _study(row) for row in found}


def change(conn: Connection, study_id: int, **columns: Any) -> None:
    """Change columns of a study; ``ConflictError`` for a name that another one of its owner has."""
    try:
        conn.execute(update(studies).where(studies.c.id == study_id).values(columns))
    except IntegrityError:
        raise _taken(columns["name"]) from None


def remove(conn: Connection, study_id: int) -> None:
    """Delete a study with its cases and attempts; the jobs stay."""
    conn.execute(delete(studies).where(studies.c.id == study_id))


def _study(row: Row[Any]) -> Study:
    return Study(**{**row._mapping, "archived": bool(row.archived)})


def _taken(name: str) -> ConflictError:
    return ConflictError(f"you have a study '{name}' already. Choose another name, or rename that one.")


# -- cases


def standings(conn: Connection, study_id: int, case_ids: Iterable[str]) -> dict[str, Standing]:
    """Return case id -> where it stands, of those that the study has."""
    rows = _standings.run(conn, study_id, json.dumps(list(case_ids)))
    return {
        case_id: Standing(
            case_id=case_id,
            position=position,
            attempt=attempt,
            overrides=overrides,
            status=JobStatus(status) if status else None,
        )
        for case_id, position, attempt, overrides, status in rows
    }


def requests(conn: Connection, study_id: int, positions: Iterable[int]) -> dict[int, str]:
    """Return position -> the request of the case there, JSON text."""
    return dict(_requests.run(conn, study_id, json.dumps(list(positions))))


def requests_holding(conn: Connection, text: str) -> Iterator[str]:
    """Yield what studies keep that holds *text*, as JSON: requests of cases, templates, chained requests."""
    for column in (study_requests.c.request, studies.c.template, study_chains.c.request):
        yield from conn.execute(select(column).where(func.instr(column, text) > 0)).scalars()


def add_cases(conn: Connection, study_id: int, new: Sequence[tuple[str, str, str]]) -> range:
    """Store new cases behind those that are there, each without an attempt; return their positions.

    A case is its id, its parameters and its request (both JSON text).
    """
    first = (_last_position.run(conn, study_id)[0][0] or 0) + 1
    places = range(first, first + len(new))
    numbered = list(zip(places, new, strict=True))
    _insert_case.many(conn, ((study_id, place, name, 0, given) for place, (name, given, _) in numbered))
    _insert_request.many(conn, ((study_id, place, request) for place, (_, _, request) in numbered))
    return places


def change_requests(conn: Connection, study_id: int, changed: Iterable[tuple[int, str]]) -> None:
    """Store other requests of cases: (position, JSON text)."""
    _change_request.many(conn, ((text, study_id, place) for place, text in changed))


def add_attempts(conn: Connection, study_id: int, made: Sequence[Attempt]) -> None:
    """Store new attempts, each the last one of its case now."""
    _insert_attempt.many(
        conn,
        (
            (study_id, place, number, job.id, job.uuid, why.value, overrides, None)
            for place, number, job, why, overrides in made
        ),
    )
    _count_attempt.many(conn, ((number, study_id, place) for place, number, *_ in made))


def failed(conn: Connection, study: Study) -> int:
    """Return how many cases there are whose last attempt failed."""
    count: int = _failed.run(conn, study.owner, JobStatus.FAILED.value, study.id)[0][0]
    return count


def counts(conn: Connection, ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Return study -> status -> how many cases have it; '' where nobody knows any more."""
    rows = conn.execute(
        select(_case.study_id, STATUS, func.count())
        .select_from(LAST)
        .where(_case.study_id.in_(ids))
        .group_by(_case.study_id, STATUS)
    )
    found: dict[int, dict[str, int]] = {number: {} for number in ids}
    for number, status, count in rows:
        found[number][status or ""] = count
    return found


def keep_outcomes(conn: Connection, job_ids: Collection[int]) -> None:
    """Keep with their attempts how jobs have ended that are about to be removed."""
    status = select(jobs.c.status).where(jobs.c.id == _attempt.job_id).scalar_subquery()
    conn.execute(update(study_attempts).where(_attempt.job_id.in_(job_ids)).values(outcome=status))
