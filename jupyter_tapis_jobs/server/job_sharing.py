"""Shares of jobs (Tapis Jobs, "Job sharing")."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ..engine.job_sharing import READ
from ..store.shares import ShareRow
from . import queries, wire
from .call import Call
from .lists import LIMIT
from .reply import Reply, Rows
from .route import Route, Takes
from .wire_jobs import Told


class NewShare(wire.Wire):
    """Who may read which parts of a job."""

    grantee: str
    job_resource: list[str] = Field(
        description="JOB_HISTORY, JOB_RESUBMIT_REQUEST, JOB_OUTPUT, JOB_INPUT.", min_length=1
    )
    job_permission: str = Field(READ, description="READ is the only one.")


class JobShare(wire.Wire):
    """One part of a job, and who may read it."""

    tenant: str
    createdby: str
    job_uuid: str
    grantee: str
    job_resource: str
    job_permission: str
    created: str


async def share_job(call: Call) -> Reply:
    """Let somebody read parts of a job."""
    uuid, asked = call.path["jobUuid"], call.body
    new = await call.door.ask(
        lambda e: e.sharing.add(call.user, uuid, asked.grantee, asked.job_resource, asked.job_permission)
    )
    told = f"{', '.join(asked.job_resource)} of the job shared with {asked.grantee}"
    told += "." if new else ", as they were before."
    return Reply({"message": told}, f"JOBS_JOB_SHARED {told}")


async def get_shares(call: Call) -> Reply:
    """Tell what of a job is shared with whom; others than its owner are told what is shared with them."""
    uuid, limit = call.path["jobUuid"], LIMIT if call.query.limit is None else call.query.limit
    rows = await call.door.ask(lambda e: e.sharing.of_job(call.user, uuid, limit, call.query.skip))
    return Reply(
        Rows(rows, lambda row: _told(row, call.user.tenant)), f"TAPIS_FOUND Job shares found: {len(rows)}."
    )


async def unshare_job(call: Call) -> Reply:
    """Take back all that somebody may read of a job."""
    uuid, whose = call.path["jobUuid"], call.path["user"]
    count = await call.door.ask(lambda e: e.sharing.remove(call.user, uuid, whose))
    told = f"{count} parts of the job are no more shared with {whose}."
    return Reply({"message": told}, f"JOBS_JOB_UNSHARED {told}")


def _told(row: ShareRow, tenant: str) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "createdby": row.grantor,
        "jobUuid": row.item_id,
        "grantee": row.grantee,
        "jobResource": row.privilege,
        "jobPermission": READ,
        "created": row.created,
    }


_SHARE = "/v3/jobs/{jobUuid}/share"
ROUTES = (
    Route("POST", _SHARE, "shareJob", share_job, body=NewShare, takes=Takes.MODEL, result=Told),
    Route("GET", _SHARE, "getJobShare", get_shares, queries.Paged, result=list[JobShare]),
    Route("DELETE", f"{_SHARE}/{{user}}", "deleteJobShare", unshare_job, result=Told),
)
