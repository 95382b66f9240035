"""Jobs, their definitions and their histories as rows.

Every function works inside the caller's transaction. Rows go in and out by the thousand, so hot
statements are compiled once (``statements``) and rows are turned into records by hand (``records``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, column, func, literal_column, select, table, update
from sqlalchemy import insert as insert_into

from ..model.errors import ConflictError, NotFoundError
from ..model.job import Job, JobDefinition, JobEvent
from ..model.resolve import definition_from_json
from ..model.status import ACTIVE, ALLOWED_MOVES, EventType, JobStatus
from . import outbox, processings, shares
from .records import JOB_COLUMNS, changed_columns, event_from_row, event_to_row, job_from_row, job_to_row
from .search import search, summary_columns
from .statements import Row, Statement, given
from .tables import UNFINISHED, job_definitions, job_events, jobs

__all__ = [
    "Applied",
    "Change",
    "QuotaCount",
    "active",
    "add_event",
    "apply",
    "definitions",
    "events_after",
    "get",
    "get_many",
    "history",
    "insert",
    "newest_event_id",
    "quota_counts",
    "request",
    "search",
    "shared_events_after",
    "summary_columns",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A job as it was and as it is to be, with what its history says about it."""

    before: Job
    after: Job
    events: tuple[JobEvent, ...] = ()


class Applied(list[JobEvent]):
    """The stored events with their ids, in order.

    ``stale`` holds the changes that were left alone because the stored job was not as ``before`` any more.
    """

    def __init__(self, events: Iterable[JobEvent] = (), stale: Sequence[Change] = ()) -> None:
        super().__init__(events)
        self.stale = list(stale)


class Inserted(list[Job]):
    """The stored jobs with their ids, in order. ``events`` holds the first event of each."""

    def __init__(self, jobs: Iterable[Job] = (), events: Iterable[JobEvent] = ()) -> None:
        super().__init__(jobs)
        self.events = list(events)


@dataclass(frozen=True, slots=True)
class QuotaCount:
    """How many jobs of one owner are active at one queue of one system (PENDING ones not counted)."""

    exec_system_id: str
    exec_system_logical_queue: str | None
    owner: str
    jobs: int


_job = select(*(jobs.c[name] for name in JOB_COLUMNS))
_event = select(
    job_events.c.id,
    jobs.c.uuid,
    *(column for column in job_events.c if column.name not in ("id", "job_id")),
).join_from(job_events, jobs)

_insert_job = Statement(insert_into(jobs).values({name: bindparam(name) for name in JOB_COLUMNS}))
_insert_definition = Statement(insert_into(job_definitions))
_insert_event = Statement(insert_into(job_events))
_sequence = table("sqlite_sequence", column("name"), column("seq"))
_last_id = Statement(select(_sequence.c.seq).where(_sequence.c.name == bindparam("counter")))
_stands = Statement(select(jobs.c.id, jobs.c.status, jobs.c.hold_wish).where(jobs.c.id.in_(given("ids"))))
_by_uuids = Statement(_job.where(jobs.c.uuid.in_(given("uuids"))))
# The plus keeps SQLite from walking all jobs in order instead of sorting the few of the index.
_unfinished = Statement(_job.where(UNFINISHED).order_by(literal_column("+jobs.id")))
_definitions = Statement(
    select(job_definitions.c.job_id, job_definitions.c.definition).where(
        job_definitions.c.job_id.in_(given("ids"))
    )
)
_redefine = Statement(
    update(job_definitions)
    .ordered_values((job_definitions.c.definition, bindparam("made")))
    .where(job_definitions.c.job_id == bindparam("job"))
)
_request = Statement(select(job_definitions.c.request).where(job_definitions.c.job_id == bindparam("job")))
_history = Statement(
    _event.where(job_events.c.job_id == bindparam("job"))
    .order_by(job_events.c.id)
    .limit(bindparam("limit"))
    .offset(bindparam("skip"))
)
_events_after = Statement(
    _event.where(job_events.c.owner == bindparam("user"), job_events.c.id > bindparam("after"))
    .order_by(job_events.c.id)
    .limit(bindparam("limit"))
    .offset(bindparam("skip"))
)
_events_of_jobs_after = Statement(
    _event.where(jobs.c.uuid.in_(given("uuids")), job_events.c.id > bindparam("after"))
    .order_by(job_events.c.id)
    .limit(bindparam("limit"))
    .offset(bindparam("skip"))
)
_newest_event = Statement(select(func.max(job_events.c.id)))
_counted = sorted(status.value for status in ACTIVE - {JobStatus.PENDING})
_quotas = Statement(
    select(jobs.c.exec_system_id, jobs.c.exec_system_logical_queue, jobs.c.owner, func.count())
    .where(UNFINISHED, jobs.c.status.in_(given("statuses")))
    .group_by(jobs.c.exec_system_id, jobs.c.exec_system_logical_queue, jobs.c.owner)
)


def insert(conn: Connection, new: Sequence[tuple[Job, str, str]]) -> Inserted:
    """Store new jobs with their request and definition (both JSON text), and their first event.

    Returns the jobs with their ids, which grow in the order given, and their events.
    """
    ids = _next_ids(conn, jobs.name, len(new))
    stored = [job.evolve(id=job_id) for job_id, (job, _, _) in zip(ids, new, strict=True)]
    _insert_job.many(conn, map(job_to_row, stored))
    _insert_definition.many(
        conn, ((i, request, made) for i, (_, request, made) in zip(ids, new, strict=True))
    )
    events = [_first_event(job) for job in stored]
    numbers = _add_events(conn, [(job.id, event) for job, event in zip(stored, events, strict=True)])
    return Inserted(stored, (replace(e, id=number) for e, number in zip(events, numbers, strict=True)))


def _first_event(job: Job) -> JobEvent:
    return JobEvent(
        job_uuid=job.uuid,
        owner=job.owner,
        event=EventType.JOB_NEW_STATUS,
        event_detail=job.status.value,
        created=job.created,
        description=job.last_message or "The job was accepted.",
        data={
            "jobName": job.name,
            "jobOwner": job.owner,
            "jobUuid": job.uuid,
            "newJobStatus": job.status.value,
        },
    )


def _next_ids(conn: Connection, counter: str, number: int) -> range:
    # The one writer has the store for itself, so the ids may be chosen here; executemany returns none.
    found = _last_id.run(conn, counter)
    first = (found[0][0] if found else 0) + 1
    return range(first, first + number)


def _add_events(conn: Connection, events: Sequence[tuple[int, JobEvent]]) -> range:
    """Store (job id, event) pairs; return the ids of the events."""
    ids = _next_ids(conn, job_events.name, len(events))
    _insert_event.many(
        conn, (event_to_row(event, i, job) for i, (job, event) in zip(ids, events, strict=True))
    )
    return ids


def apply(conn: Connection, changes: Sequence[Change]) -> Applied:
    """Store the changed columns of jobs and the events of the changes.

    A change whose job has another stored status than ``before.status`` is left alone with its events and
    returned in ``stale``; so is one of the owner's wish to hold the job, where that is another by now. A job
    may be changed several times; each change starts where the last ended.
    Raises ``ConflictError`` for a move that no job may make, and then nothing should be committed.
    """
    rows = _stands.run(conn, json.dumps([change.before.id for change in changes]))
    stored: dict[int, tuple[str, str | None]] = {row[0]: (row[1], row[2]) for row in rows}
    columns: dict[int, dict[str, Any]] = {}
    events: list[tuple[int, JobEvent]] = []
    stale = []
    for change in changes:
        before, after = change.before, change.after
        _refuse_illegal(before, after)
        status, wish = stored.get(before.id, (None, None))
        if status != before.status or (after.hold_wish is not before.hold_wish and wish != before.hold_wish):
            stale.append(change)
            continue
        stored[before.id] = after.status, wish if after.hold_wish is before.hold_wish else after.hold_wish
        columns.setdefault(before.id, {}).update(changed_columns(before, after))
        events += [(before.id, event) for event in change.events]
    _update(conn, columns)
    ids = _add_events(conn, events)
    applied = Applied((replace(event, id=i) for i, (_, event) in zip(ids, events, strict=True)), stale)
    outbox.fill(conn, applied)
    processings.job_ended(conn, applied)
    return applied


def _refuse_illegal(before: Job, after: Job) -> None:
    if after.status is not before.status and after.status not in ALLOWED_MOVES[before.status]:
        raise ConflictError(
            f"Job {before.uuid} cannot go from {before.status} to {after.status}.", code="JOBS_ILLEGAL_MOVE"
        )


def _update(conn: Connection, columns: Mapping[int, Mapping[str, Any]]) -> None:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for job_id, values in columns.items():
        if values:
            groups.setdefault(tuple(values), []).append((*values.values(), job_id))
    for names, rows in groups.items():
        _update_of(names).many(conn, rows)


@lru_cache(maxsize=256)
def _update_of(names: tuple[str, ...]) -> Statement:
    # ordered_values keeps the order of the parameters; "row" is no column, so it may name one.
    values: list[tuple[Any, Any]] = [(jobs.c[name], bindparam(f"new_{name}")) for name in names]
    return Statement(update(jobs).ordered_values(*values).where(jobs.c.id == bindparam("row")))


def get(conn: Connection, uuid: str) -> Job:
    """Return a job; raises ``NotFoundError``."""
    found = get_many(conn, [uuid])
    if not found:
        raise NotFoundError(f"There is no job {uuid}.", code="JOBS_JOB_NOT_FOUND")
    return found[uuid]


def get_many(conn: Connection, uuids: Iterable[str]) -> dict[str, Job]:
    """Return uuid -> job of those that exist, in the order asked."""
    wanted = list(uuids)
    found = {job.uuid: job for job in map(job_from_row, _by_uuids.run(conn, json.dumps(wanted)))}
    return {uuid: found[uuid] for uuid in wanted if uuid in found}


def active(conn: Connection) -> list[Job]:
    """Return all jobs with something still to happen (held ones too), oldest first."""
    return [job_from_row(row) for row in _unfinished.run(conn)]


def definitions(conn: Connection, ids: Iterable[int]) -> dict[int, JobDefinition]:
    """Return job id -> definition of those that exist."""
    return {row[0]: definition_from_json(row[1]) for row in _definitions.run(conn, json.dumps(list(ids)))}


def redefine(conn: Connection, changed: Iterable[tuple[int, str]]) -> None:
    """Store what has become of definitions: (job id, JSON text)."""
    _redefine.many(conn, ((text, job_id) for job_id, text in changed))


def request(conn: Connection, job_id: int) -> str:
    """Return the request as it came, JSON text; raises ``NotFoundError``."""
    found = _request.run(conn, job_id)
    if not found:
        raise NotFoundError(f"There is no job with the number {job_id}.", code="JOBS_JOB_NOT_FOUND")
    return str(found[0][0])


def history(conn: Connection, job_id: int, limit: int = -1, skip: int = 0) -> list[JobEvent]:
    """Return a job's events, oldest first; a *limit* of 0 or less means all."""
    return [event_from_row(row) for row in _history.run(conn, job_id, _all_if_none(limit), max(skip, 0))]


def events_after(conn: Connection, owner: str, after_id: int, limit: int = -1) -> list[JobEvent]:
    """Return an owner's events with an id above *after_id*, oldest first; *limit* as in ``history``."""
    return [event_from_row(row) for row in _events_after.run(conn, owner, after_id, _all_if_none(limit), 0)]


def shared_events_after(conn: Connection, user: str, after_id: int, limit: int = -1) -> list[JobEvent]:
    """Return the events of the jobs whose history is shared with a user, as ``events_after`` does."""
    rows = shares.with_user(conn, "job", user)
    uuids = [row.item_id for row in rows if row.privilege == "JOB_HISTORY"]
    if not uuids:
        return []
    found = _events_of_jobs_after.run(conn, json.dumps(uuids), after_id, _all_if_none(limit), 0)
    return [event_from_row(row) for row in found]


def add_event(conn: Connection, job: Job, event: JobEvent) -> JobEvent:
    """Store one event that changes nothing of its job; return it with its id."""
    stored = replace(event, id=_add_events(conn, [(job.id, event)])[0])
    outbox.fill(conn, [stored])
    return stored


def newest_event_id(conn: Connection) -> int:
    """Return the id of the newest event of all, 0 when there is none."""
    return _newest_event.run(conn)[0][0] or 0


def quota_counts(conn: Connection) -> list[QuotaCount]:
    """Return the jobs that count for quotas, by system, queue and owner.

    Counted are active jobs other than PENDING; BLOCKED and PAUSED ones are not (tapis-jobs, quotas).
    """
    return [QuotaCount(*row) for row in _quotas.run(conn, json.dumps(_counted))]


def _all_if_none(limit: int) -> int:
    # SQLite reads a negative limit as no limit.
    return limit if limit > 0 else -1
