"""Old jobs are removed for good (ours): what would go, and its going."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ..engine.purge import Purged
from ..model.errors import InvalidInputError, NotAllowedError
from ..model.extensions import Extension
from ..model.times import iso, parse_iso
from . import wire
from .call import Call
from .reply import Reply
from .route import Route, Takes

_DAY = 24 * 3600.0


class PurgeRequest(wire.Wire):
    """Which jobs go. Nothing is removed unless ``dryRun`` is false."""

    older_than_days: float | None = Field(None, ge=0, description="Jobs that ended longer ago.")
    before: str | None = Field(None, description="Jobs that ended before this time, as a dry run told it.")
    dry_run: bool = True
    all_users: bool = Field(False, description="Of everybody; the server's own user only.")
    forget_unreachable: bool = Field(
        False, description="Forget jobs also where their host cannot be reached; their folders stay there."
    )


class PurgedHost(wire.Wire):
    """What goes at one host; ``size`` in bytes, null where the host could not tell."""

    system_id: str
    effective_user: str
    jobs: int
    folders: int
    size: int | None
    trouble: str


class PurgedUploads(wire.Wire):
    """Files sent along with jobs that no job needs any more; ``size`` in bytes."""

    files: int
    size: int


class PurgeAnswer(wire.Wire):
    """What was, or would be, removed. ``kept`` are jobs whose host could not be cleaned."""

    before: str
    dry_run: bool
    jobs: list[dict[str, Any]]
    events: int
    hosts: list[PurgedHost]
    uploads: PurgedUploads
    kept: list[str]


async def purge_jobs(call: Call) -> Reply:
    """Remove jobs that ended long ago with their folders and history; or tell what would go."""
    asked = call.body
    if asked.all_users and not call.user.is_server_user:
        raise NotAllowedError("Only the server's own user removes the jobs of others.")
    owner = None if asked.all_users else call.user.name
    before = _moment(asked, call.now)
    done = await call.door.ask(
        lambda engine: engine.purge.run(
            before,
            owner=owner,
            dry_run=asked.dry_run,
            forget_unreachable=asked.forget_unreachable,
            uploads=call.user.is_server_user,
        )
    )
    words = "would be removed" if asked.dry_run else "removed"
    return Reply(_to_wire(done), f"JOBS_PURGED {len(done.jobs)} jobs {words}.")


def _moment(asked: PurgeRequest, now: float) -> str:
    if asked.before is not None:
        try:
            return iso(parse_iso(asked.before))
        except ValueError:
            raise InvalidInputError(
                f"before '{asked.before[:60]}' is no time; write it as 2026-11-21T04:48:47Z.", field="before"
            ) from None
    if asked.older_than_days is None:
        raise InvalidInputError(
            "olderThanDays is missing: say after how many days ended jobs go, for example 90.",
            field="olderThanDays",
        )
    return iso(now - asked.older_than_days * _DAY)


def _to_wire(done: Purged) -> dict[str, Any]:
    return {
        "before": done.before,
        "dryRun": done.is_dry_run,
        "jobs": [
            {
                "uuid": job.uuid,
                "name": job.name,
                "owner": job.owner,
                "status": job.status.value,
                "ended": job.ended,
                "execSystemId": job.exec_system_id,
            }
            for job in done.jobs
        ],
        "events": done.events,
        "hosts": [
            {
                "systemId": host.system_id,
                "effectiveUser": host.effective_user,
                "jobs": host.jobs,
                "folders": host.folders,
                "size": host.size,
                "trouble": host.trouble,
            }
            for host in done.hosts
        ],
        "uploads": {"files": done.uploads.files, "size": done.uploads.size},
        "kept": list(done.kept),
    }


ROUTES = (
    Route("POST", "/v3/tapisjobs/purge", "purgeJobs", purge_jobs, body=PurgeRequest, takes=Takes.MODEL,
          result=PurgeAnswer, extension=Extension.SERVER),
)  # fmt: skip
