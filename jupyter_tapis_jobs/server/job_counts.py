"""How many jobs have each status (ours), for those who look at very many."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ..model import search as job_search
from ..model.extensions import Extension
from ..store import jobs as job_rows
from ..store import search as job_pages
from . import queries
from .call import Call
from .jobs import asked_query
from .reply import Reply
from .route import Route
from .wire_views import StatusCounts


async def get_counts(call: Call) -> Reply:
    """Count the caller's jobs by status: all, or those that ``text`` and conditions select."""
    query = asked_query(call, job_search.from_query(call.conditions))

    def read(connection: Connection) -> dict[str, Any]:
        counts = job_pages.counts(connection, query, call.user.name)
        newest = job_rows.newest_event_id(connection)
        return {"counts": counts, "total": sum(counts.values()), "lastEvent": newest}

    found = await call.door.read(read)
    return Reply(found, f"JOBS_COUNTED Jobs counted: {found['total']:,}.")


ROUTES = (
    Route("GET", "/v3/tapisjobs/jobs/counts", "getJobCounts", get_counts, queries.JobCounts,
          result=StatusCounts, extension=Extension.VIEWS),
)  # fmt: skip
