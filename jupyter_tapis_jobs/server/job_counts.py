"""How many jobs have each status, and which values an attribute has (ours), for views of very many."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ..model import search as job_search
from ..model.extensions import Extension
from ..model.names import inner_name
from ..store import jobs as job_rows
from ..store import search as job_pages
from . import queries
from .call import Call
from .jobs import asked_query
from .reply import Reply
from .route import Route
from .wire_views import StatusCounts, ValueCounts

#: So many values of one attribute are told; more are no choice that a person looks through.
VALUES = 200


async def get_counts(call: Call) -> Reply:
    """Count the caller's jobs by status: all, or those that ``text`` and conditions select."""
    query = await asked_query(call, job_search.from_query(call.conditions))

    def read(connection: Connection) -> dict[str, Any]:
        counts = job_pages.counts(connection, query, call.user.name)
        newest = job_rows.newest_event_id(connection)
        return {"counts": counts, "total": sum(counts.values()), "lastEvent": newest}

    found = await call.door.read(read)
    return Reply(found, f"JOBS_COUNTED Jobs counted: {found['total']:,}.")


async def get_values(call: Call) -> Reply:
    """Return the values that one attribute of the caller's jobs has, for the choices of a filter."""
    query = job_search.JobQuery(list_type=call.query.list_type, include_hidden=call.query.include_hidden)
    attribute = inner_name(call.query.attribute)
    found = await call.door.read(
        lambda connection: job_pages.values(connection, query, call.user.name, attribute, VALUES + 1)
    )
    told = dict(found[:VALUES])
    return Reply({"values": told, "isAll": len(found) <= VALUES}, f"JOBS_VALUES Values found: {len(told)}.")


ROUTES = (
    Route("GET", "/v3/tapisjobs/jobs/counts", "getJobCounts", get_counts, queries.JobCounts,
          result=StatusCounts, extension=Extension.VIEWS),
    Route("GET", "/v3/tapisjobs/jobs/values", "getJobValues", get_values, queries.JobValues,
          result=ValueCounts, extension=Extension.VIEWS),
)  # fmt: skip
