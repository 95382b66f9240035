"""Jobs and events as rows and back: enums as their words, flags as 0 and 1, the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from ..model.job import Job, JobEvent
from ..model.status import Condition, EventType, HoldWish, JobStatus, RemoteOutcome
from .statements import Row

#: The columns of ``jobs``, in the order of ``Job``'s fields.
JOB_COLUMNS = tuple(field.name for field in fields(Job))

_values_of = attrgetter(*JOB_COLUMNS)
_ENUMS: dict[str, Callable[[str], Any]] = {
    "status": {status.value: status for status in JobStatus}.__getitem__,
    "condition": Condition,
    "resume_status": JobStatus,
    "remote_outcome": RemoteOutcome,
    "hold_wish": HoldWish,
}
_STATUS = JOB_COLUMNS.index("status")
_VISIBLE = JOB_COLUMNS.index("visible")
_TAGS = JOB_COLUMNS.index("tags")
_RARE_ENUMS = tuple((JOB_COLUMNS.index(name), make) for name, make in _ENUMS.items() if name != "status")
_status_of = _ENUMS["status"]


def job_to_row(job: Job) -> list[Any]:
    """Return the values of *job* in the order of ``JOB_COLUMNS``."""
    values = list(_values_of(job))
    values[_STATUS] = job.status.value
    values[_VISIBLE] = int(job.visible)
    values[_TAGS] = json.dumps(job.tags) if job.tags else "[]"
    for place, _make in _RARE_ENUMS:
        if values[place] is not None:
            values[place] = values[place].value
    return values


def job_from_row(row: Row) -> Job:
    """Return the job of a row in the order of ``JOB_COLUMNS``."""
    values = list(row)
    values[_STATUS] = _status_of(row[_STATUS])
    values[_VISIBLE] = row[_VISIBLE] == 1
    values[_TAGS] = () if row[_TAGS] == "[]" else tuple(json.loads(row[_TAGS]))
    for place, make in _RARE_ENUMS:
        if row[place] is not None:
            values[place] = make(row[place])
    return Job(**dict(zip(JOB_COLUMNS, values, strict=True)))


def changed_columns(before: Job, after: Job) -> dict[str, Any]:
    """Return column -> new value of what differs."""
    if before is after:
        return {}
    pairs = zip(JOB_COLUMNS, _values_of(before), _values_of(after), strict=True)
    return {name: _column_value(new) for name, old, new in pairs if old is not new and old != new}


def _column_value(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return int(value)
    return json.dumps(value) if isinstance(value, tuple) else value


def event_to_row(event: JobEvent, event_id: int, job_id: int) -> Row:
    """Return the values of *event* in the order of the columns of ``job_events``."""
    return (
        event_id,
        job_id,
        event.owner,
        event.event.value,
        event.event_detail,
        event.created,
        event.description,
        _json(event.data),
        event.uuid,
    )


def event_from_row(row: Row) -> JobEvent:
    """Return the event of a row of ``job_events`` with its job's uuid in place of ``job_id``."""
    event_id, job_uuid, owner, kind, detail, created, description, data, uuid = row
    return JobEvent(
        id=event_id,
        job_uuid=job_uuid,
        owner=owner,
        event=EventType(kind),
        event_detail=detail,
        created=created,
        description=description,
        data={} if data == "{}" else json.loads(data),
        uuid=uuid,
    )


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")) if data else "{}"
