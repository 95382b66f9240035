"""From the filters a person gives (status=, since=, app=, name=) to Tapis's search parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ..model.errors import InvalidInputError, did_you_mean
from ..model.status import Condition, JobStatus
from .sharing import list_type

#: Short names for the attributes asked for most.
_SHORT = {
    "app": "appId",
    "version": "appVersion",
    "system": "execSystemId",
    "queue": "execSystemLogicalQueue",
}
#: What Tapis can search a job by.
_ATTRIBUTES = frozenset(
    [
        "uuid",
        "name",
        "owner",
        "description",
        "status",
        "condition",
        "lastMessage",
        "appId",
        "appVersion",
        "jobType",
        "execSystemId",
        "execSystemLogicalQueue",
        "archiveSystemId",
        "nodeCount",
        "coresPerNode",
        "memoryMB",
        "maxMinutes",
        "created",
        "ended",
        "lastUpdated",
        "remoteJobId",
        "remoteStarted",
        "remoteEnded",
        "remoteOutcome",
        "createdby",
        "tags",
        "trackingId",
    ]
)
_TIMES = {"since": "created.gte", "until": "created.lt"}
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(min|[smhdw])")
NAMES = tuple(sorted({*_SHORT, *_TIMES, *_ATTRIBUTES}))


def search_parameters(filters: Mapping[str, Any], now: datetime | None = None) -> dict[str, str]:
    """Return ``{"status.eq": "FAILED", …}``; a filter that is None is left out.

    A list means any of, a text with ``*`` is a pattern; ``since`` and ``until`` take ``"7d"``,
    a date, or a datetime. Raises ``InvalidInputError`` for what Tapis cannot search by.
    """
    given = {name: value for name, value in filters.items() if value is not None}
    return dict(_term(name, value, now or datetime.now(UTC)) for name, value in given.items())


def list_parameters(
    filters: Mapping[str, Any], *, whose: str | None, notes: Mapping[str, Any] | None, group: str | None
) -> dict[str, str]:
    """Return what a list of jobs is asked with, for the filters of ``tapis.jobs``."""
    others = "all" if group or filters.get("owner") else "mine"
    found = {**search_parameters(filters), **list_type(whose or others), **note_parameters(notes or {})}
    return {**found, "group": group} if group else found


def note_parameters(notes: Mapping[str, Any], inside: str = "notes") -> dict[str, str]:
    """Return ``{"notes.mesh.eq": "fine", …}`` for a mapping of a job's notes to what they are to be.

    As with other filters a list means any of and a text with ``*`` is a pattern; a mapping asks for what is
    inside. Raises ``InvalidInputError`` for a key with points or quotes, and for a value that is none.
    """
    if not isinstance(notes, Mapping):
        raise InvalidInputError(
            f"notes must be a mapping such as {{'mesh': 'fine'}}, not {type(notes).__name__}.",
            field="notes",
            value=notes,
        )
    found: dict[str, str] = {}
    for key, value in notes.items():
        name = f"{inside}.{key}"
        if not isinstance(key, str) or not key or "." in key or '"' in key:
            raise InvalidInputError(
                f"notes has the key {key!r:.60}: jobs are filtered by keys without points and quotes.",
                field="notes",
                value=key,
            )
        found |= note_parameters(value, name) if isinstance(value, Mapping) else dict([_note(name, value)])
    return found


def _note(name: str, value: Any) -> tuple[str, str]:
    values = [_text(item) for item in _items(value) if item is not None]
    if not values or not all(values):
        raise InvalidInputError(f"{name}={value!r:.60} asks for no value.", field=name, value=value)
    if len(values) > 1:
        return f"{name}.in", ",".join(text.replace(",", "\\,") for text in values)
    return f"{name}.{'like' if '*' in values[0] else 'eq'}", values[0]


def _term(name: str, value: Any, now: datetime) -> tuple[str, str]:
    if name in _TIMES:
        return _TIMES[name], _moment(name, value, now)
    field = _SHORT.get(name, name)
    if field not in _ATTRIBUTES:
        raise InvalidInputError(
            f"Jobs cannot be filtered by '{name}'.{did_you_mean(name, NAMES)} "
            "The common ones: status, since, until, app, name, system, queue, condition, tags.",
            field=name,
            value=value,
        )
    values = [word for item in _items(value) for word in _known(field, _text(item))]
    if not values:
        raise InvalidInputError(f"{name}=[] asks for no job at all.", field=name, value=value)
    if len(values) > 1 or field == "tags":
        return f"{field}.{'contains' if field == 'tags' else 'in'}", ",".join(
            v.replace(",", "\\,") for v in values
        )
    return f"{field}.{'like' if '*' in values[0] else 'eq'}", values[0]


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _utc(value)
    return str(value)


def _known(field: str, text: str) -> list[str]:
    """Statuses and conditions are known words, in any case; ``timeout`` is every condition that ends so."""
    if field not in ("status", "condition"):
        return [text]
    if "*" in text:
        return [text.upper()]
    if field == "status":
        return [_word(field, text, [*JobStatus])]
    ends = [str(known) for known in Condition if known.endswith("_" + text.upper())]
    return ends or [_word(field, text, [*Condition])]


def _word(field: str, text: str, known: list[Any]) -> str:
    word = text.upper()
    if word not in known:
        listed = f" The statuses: {', '.join(known)}." if field == "status" else ""
        raise InvalidInputError(
            f"'{text}' is not a {field} of Tapis.{did_you_mean(word, known)}{listed}", field=field, value=text
        )
    return word


def _moment(name: str, value: Any, now: datetime) -> str:
    if isinstance(value, timedelta):
        return _utc(now - value)
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return _utc(datetime(value.year, value.month, value.day).astimezone())
    ago = _AGO.fullmatch(str(value).strip())
    if ago:
        return _utc(now - timedelta(**{_UNITS[ago[2]]: float(ago[1])}))
    try:
        return _utc(datetime.fromisoformat(str(value).strip()))
    except ValueError:
        raise InvalidInputError(
            f"{name}='{value}' is not a time. Expected '7d', '12h', '30m', or a date like '2026-11-21'.",
            field=name,
            value=value,
        ) from None


def _utc(moment: datetime) -> str:
    """A time without a zone is local time, as the person reads it on the wall."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
