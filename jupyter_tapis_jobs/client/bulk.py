"""Submitting and cancelling many jobs: in one call where the server takes that, else side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ..model.errors import InvalidInputError, TapisJobsError, did_you_mean
from .connection import Connection, refusal, segment
from .progress import Silent, choose_progress

_T = TypeVar("_T")
#: Calls at the same time where there is no bulk call; jobs of one bulk call.
_AT_ONCE, _BULK = 8, 1000
_LAUNCH_MODES = ("single", "array", "pack", "auto")

#: What a request has become: the job's row, or why it was refused.
Outcome = dict[str, Any] | TapisJobsError


def submit_bulk(
    connection: Connection, requests: Sequence[dict[str, Any]], *, atomic: bool, launch_mode: str | None
) -> list[Outcome]:
    """Submit *requests* by bulk calls, with progress where there are several; *atomic* is one call."""
    size = len(requests) if atomic else _BULK
    progress = choose_progress() if len(requests) > size else Silent()
    results: list[Outcome] = []
    for start in range(0, len(requests), size):
        progress.show(f"○ accepted {start:,} of {len(requests):,}", change=True)
        rows = connection.call(
            "POST",
            "/v3/jobs/submit/bulk",
            params={"atomic": atomic or None, "launchMode": launch_mode},
            json=requests[start : start + size],
        ).result
        results += [refusal(row["error"]) if row.get("error") else row for row in rows]
    accepted = sum(isinstance(result, dict) for result in results)
    progress.show(f"○ accepted {accepted:,} of {len(requests):,}", change=True)
    progress.done()
    return results


def submit_one_by_one(connection: Connection, requests: Sequence[dict[str, Any]]) -> list[Outcome]:
    """Submit *requests* by a call each, as Tapis has it."""

    def submitted(request: dict[str, Any]) -> Outcome:
        try:
            row: dict[str, Any] = connection.post("/v3/jobs/submit", request)
        except TapisJobsError as refused:
            return refused
        return row

    return side_by_side(submitted, requests)


def steer_bulk(connection: Connection, verb: str, uuids: Sequence[str]) -> list[dict[str, Any]]:
    """Ask jobs to *verb* (cancel, pause, resume) by bulk calls; return ``uuid status message`` of each."""
    rows: list[dict[str, Any]] = []
    for start in range(0, len(uuids), _BULK):
        rows += connection.post(f"/v3/jobs/{verb}/bulk", {"uuids": list(uuids[start : start + _BULK])})
    return rows


def steer_one_by_one(connection: Connection, verb: str, uuids: Sequence[str]) -> list[dict[str, Any]]:
    """Ask jobs to *verb* by a call each, as Tapis has it; return ``uuid status message`` of each."""

    def steered(uuid: str) -> dict[str, Any]:
        try:
            told = connection.post(f"/v3/jobs/{segment(uuid)}/{verb}") or {}
        except TapisJobsError as cause:
            return {"uuid": uuid, "status": "error", "message": cause.message}
        return {"uuid": uuid, "status": "success", "message": str(told.get("message", ""))}

    return side_by_side(steered, uuids)


def checked_launch_mode(mode: Any) -> Any:
    """Return *mode*; raises ``InvalidInputError`` for one that there is not."""
    if mode is None or mode in _LAUNCH_MODES:
        return mode
    raise InvalidInputError(
        f"launchMode '{mode}' is not one of: {', '.join(_LAUNCH_MODES)}."
        f"{did_you_mean(str(mode), _LAUNCH_MODES)}",
        field="launchMode",
        value=mode,
    )


def side_by_side(work: Callable[[Any], _T], items: Sequence[Any]) -> list[_T]:
    """Do *work* for each item, eight at a time; return the results in order."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(_AT_ONCE, len(items)), thread_name_prefix="tapisjobs") as pool:
        return list(pool.map(work, items))
