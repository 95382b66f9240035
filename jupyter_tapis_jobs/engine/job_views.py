"""What users may see of jobs: the job itself, its request, history, events and outputs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from sqlalchemy import Connection

from ..model.errors import NotFoundError
from ..model.job import Job, JobDefinition, JobEvent
from ..model.search import JobQuery
from ..model.user import User
from ..store import jobs as job_rows
from ..store.page import Page
from ..store.search import search
from ..transports.base import FileInfo
from .collect import collected, matching, refused
from .download import Download
from .known_jobs import KnownJobs
from .outputs import Outputs
from .ports import Ports
from .rights import Resource, job_shares


class JobViews:
    """Shows jobs to their owners, and of shared ones what is shared. Lives on the engine's loop only."""

    def __init__(self, ports: Ports, known: KnownJobs, outputs: Outputs) -> None:
        self._ports = ports
        self._known = known
        self._outputs = outputs

    async def job(self, user: User, uuid: str, part: Resource | None = None) -> tuple[Job, JobDefinition]:
        """Return a job and its definition: the user's own, or one of which *part* (any) is shared."""
        job = await self._known.seen(user, uuid, part)
        return job, await self._known.definition(job)

    async def request(self, user: User, uuid: str) -> dict[str, Any]:
        """Return the request as it was submitted."""
        job = await self._known.seen(user, uuid, Resource.JOB_RESUBMIT_REQUEST)
        raw: dict[str, Any] = json.loads(await self._ports.read(lambda c: job_rows.request(c, job.id)))
        return raw

    async def history(self, user: User, uuid: str, limit: int = -1, skip: int = 0) -> list[JobEvent]:
        """Return a job's history, oldest first."""
        job = await self._known.seen(user, uuid, Resource.JOB_HISTORY)
        return await self._ports.read(lambda c: job_rows.history(c, job.id, limit, skip))

    async def search(self, user: User, query: JobQuery) -> Page[Job]:
        """Return the user's jobs that *query* selects."""
        return await self._ports.read(lambda c: search(c, query, user.name))

    async def events(self, user: User, after_id: int, limit: int) -> list[JobEvent]:
        """Return the user's stored events after *after_id*, oldest first."""
        return await self._ports.read(lambda c: job_rows.events_after(c, user.name, after_id, limit))

    # -- outputs

    async def output_list(
        self,
        user: User,
        uuid: str,
        path: str,
        *,
        limit: int | None = None,
        skip: int = 0,
        allow_if_running: bool = False,
    ) -> Sequence[FileInfo]:
        """List outputs (Tapis Jobs, "output/list"): all levels, or one when *limit* or *skip* is given."""
        job, definition = await self.job(user, uuid, Resource.JOB_OUTPUT)
        return await self._outputs.list(
            job, definition, path, limit=limit, skip=skip, allow_if_running=allow_if_running
        )

    async def output_open(
        self,
        user: User,
        uuid: str,
        path: str,
        *,
        as_zip: bool = False,
        only: Collection[str] | None = None,
        allow_if_running: bool = False,
    ) -> Download:
        """Open an output for download; a directory comes as a zip file, with *only* of these entries."""
        job, definition = await self.job(user, uuid, Resource.JOB_OUTPUT)
        return await self._outputs.open(
            job, definition, path, as_zip=as_zip, only=only, allow_if_running=allow_if_running
        )

    async def output_head(
        self, user: User, uuid: str, path: str, size: int, *, offset: int = 0
    ) -> tuple[bytes, int]:
        """Return *size* bytes of an output from *offset* on, as they are now, and how many it has."""
        job, definition = await self.job(user, uuid, Resource.JOB_OUTPUT)
        part = f"{offset},{offset + size - 1}"
        found = await self._outputs.open(
            job, definition, path, as_zip=False, allow_if_running=True, byte_range=part
        )
        async with aclosing(found.chunks):
            head = b"".join([chunk async for chunk in found.chunks])
        return head, found.total or len(head)

    async def output_collect(
        self, user: User, uuids: Sequence[str], path: str, *, is_glob: bool = False
    ) -> AsyncIterator[bytes]:
        """Yield a tar stream with the output *path* of each job, see ``collect.collected``.

        With *is_glob* all outputs that *path* means, see ``collect.matching``.
        """
        found = await self._ports.read(lambda c: job_rows.get_many(c, uuids))
        mine = await self._ports.read(lambda c: [j for j in found.values() if _gives_output(c, user, j)])
        if uuids and not mine:
            raise NotFoundError(f"there is no job {uuids[0]}, or it is not yours.")
        definitions = await self._known.definitions(mine)
        own = {job.uuid for job in mine}
        for uuid in dict.fromkeys(u for u in uuids if u not in own):
            yield refused(uuid, f"there is no job {uuid}, or it is not yours.")
        jobs = [(job, definitions[job.uuid]) for job in mine]
        async for piece in (matching if is_glob else collected)(jobs, path, self._outputs.place):
            yield piece

    async def output_check(self, user: User, uuid: str, path: str) -> None:
        """Raise unless *path* may be followed; the output itself may come later."""
        await self._outputs.check(*await self.job(user, uuid, Resource.JOB_OUTPUT), path)

    async def output_follow(
        self, user: User, uuid: str, path: str, *, offset: int = 0
    ) -> AsyncIterator[bytes]:
        """Yield an output's bytes from *offset* as they are written, until the job has ended."""
        look = partial(self.job, user, uuid, Resource.JOB_OUTPUT)
        async for chunk in self._outputs.follow(look, path, offset):
            yield chunk


def _gives_output(connection: Connection, user: User, job: Job) -> bool:
    shared = job_shares(connection, user, job)
    return shared is None or Resource.JOB_OUTPUT in shared
