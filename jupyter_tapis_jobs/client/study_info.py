"""What the server says of a study, as its progress and preview show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model.status import JobStatus
from .study_state import StudyState

#: What the server says of a study; None before it is there.
Info = Mapping[str, Any] | None


def state_of(name: str, info: Info, unsent: int) -> StudyState:
    """Return how a study stands; before it is there it has *unsent* cases."""
    cases = counts(info)
    missing = number(info, "cases") - sum(cases.values()) if info else unsent
    return StudyState(name=name, counts=cases, waiting=missing, stopped=stopped(info), then=then_lines(info))


def counts(info: Info) -> dict[str, int]:
    """Return status -> number of cases; a status that nobody knows any more is left out."""
    told = (info or {}).get("counts") or {}
    return {status: int(count) for status, count in told.items() if status}


def number(info: Info, key: str) -> int:
    """Return a number, 0 where none is said."""
    return int((info or {}).get(key) or 0)


def stopped(info: Info) -> str:
    """Return why no more cases are begun, or ""."""
    most = number(info, "maxFailures")
    if not most or counts(info).get(JobStatus.FAILED, 0) < most:
        return ""
    return f"stopped after maxFailures={most:,}; study.retry(), study.set(maxFailures=…) or study.cancel()"


def then_lines(info: Info) -> tuple[str, ...]:
    """Return a line of each chained job that is still to come, and of the newest one."""
    rows: Sequence[Mapping[str, Any]] = (info or {}).get("then") or []
    wanted = [row for row in rows if not row.get("jobUuid") or row is rows[-1]]
    return tuple(f"{row.get('name')}: {row.get('message')}" for row in wanted)
