"""Many jobs at once: their rows by search, by page, or by uuid, in as few calls as the server takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..model.errors import InvalidInputError
from . import frames
from .connection import Connection
from .job import Job

if TYPE_CHECKING:
    import pandas as pd

#: Rows of a page; jobs that one question names in its address, and in its body.
_PAGE, _IN_ADDRESS, _IN_BODY = 1000, 50, 1000


def jobs_frame(
    connection: Connection,
    parameters: Mapping[str, str],
    limit: int | None,
    *,
    by_columns: bool,
    more: frames.Columns = {},  # noqa: B006 - nobody changes it
) -> pd.DataFrame:
    """Return the jobs that *parameters* select, newest first; *by_columns* where the server sends columns.

    *more* are columns beside those of a list; they come row by row.
    """
    if more:
        select = ",".join(["summaryAttributes", *more])
        rows = _paged(connection, {**parameters, "select": select}, limit)
        return frames.from_rows(rows, {**frames.JOBS, **more})
    if not by_columns:
        return frames.from_rows(_paged(connection, parameters, limit), frames.JOBS)
    found = connection.get(
        "/v3/jobs/search" if parameters else "/v3/jobs/list",
        **parameters,
        format="columns",
        limit=-1 if limit is None else limit,
        orderBy="created(desc)",
    )
    if isinstance(found, Mapping):
        return frames.from_columns(found, frames.JOBS)
    return frames.from_rows(found, frames.JOBS)


def _paged(
    connection: Connection, parameters: Mapping[str, str], limit: int | None
) -> list[Mapping[str, Any]]:
    """Read page by page, oldest first, so that a job accepted meanwhile shifts nothing."""
    rows: dict[str, Mapping[str, Any]] = {}
    order = "created(asc)" if limit is None else "created(desc)"
    skip = 0
    while limit is None or len(rows) < limit:
        size = _PAGE if limit is None else min(_PAGE, limit - len(rows))
        page = connection.get("/v3/jobs/search", **parameters, limit=size, skip=skip, orderBy=order) or []
        rows.update({str(row["uuid"]): row for row in page})
        skip += len(page)
        if len(page) < size:
            break
    return sorted(rows.values(), key=lambda row: str(row.get("created")), reverse=True)


def job_rows(
    connection: Connection, uuids: Sequence[str], select: str, *, by_body: bool
) -> Iterator[Mapping[str, Any]]:
    """Yield a row of each job that is there; *by_body* where the server takes long lists in a body."""
    for start in range(0, len(uuids), size := _IN_BODY if by_body else _IN_ADDRESS):
        some = uuids[start : start + size]
        params = {"select": select, "limit": len(some), "listType": "ALL_JOBS"}
        if by_body:
            names = ",".join("'" + uuid.replace("'", "''") + "'" for uuid in some)
            yield from connection.post("/v3/jobs/search", {"search": [f"uuid IN ({names})"]}, **params)
        else:
            yield from connection.get("/v3/jobs/search", **{"uuid.in": ",".join(some)}, **params)


def uuids_of(jobs: Any) -> list[str]:
    """Return the uuids of jobs, uuids, one of them, or a frame with a column ``uuid`` or ``jobUuid``.

    Raises ``InvalidInputError`` for a frame with neither column, and for anything else.
    """
    if isinstance(jobs, Job | str):
        jobs = [jobs]
    columns = getattr(jobs, "columns", None)
    if columns is not None:
        column = next((name for name in ("uuid", "jobUuid") if name in columns), None)
        if column is None:
            raise InvalidInputError("This frame has no column 'uuid' or 'jobUuid'.", field="jobs")
        jobs = jobs[column].tolist()
    if not isinstance(jobs, Iterable):
        raise InvalidInputError(
            f"{type(jobs).__name__} is no list of jobs. Give jobs, their uuids, or a frame of them: "
            "tapis.jobs(), study.frame().",
            field="jobs",
        )
    return [job.uuid if isinstance(job, Job) else str(job) for job in jobs]
