"""The jobs of the store, as far as somebody asks for them: rows, definitions, and where they are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ..model.fields import JobType
from ..model.job import Job, JobDefinition
from ..model.paths import join
from ..model.resolve import definition_json
from ..model.user import User
from ..store import jobs as job_rows
from .on_host import Place
from .ports import Ports
from .rights import Resource, job_shares, refuse_job
from .tracker import FORK

#: Definitions that are kept in memory.
DEFINITIONS = 10_000


class KnownJobs:
    """Finds jobs for who may see them, and remembers what is needed often. Lives on the engine's loop only.

    *active* gives the jobs that have not ended, by uuid.
    """

    def __init__(self, ports: Ports, *, epoch: int, active: Callable[[], Mapping[str, Job]]) -> None:
        self._ports = ports
        self._epoch = epoch
        self._active = active
        self._definitions: OrderedDict[int, JobDefinition] = OrderedDict()
        self._places: dict[str, Place] = {}

    # -- who may

    async def owned(self, user: User, uuid: str) -> Job:
        """Return a job of the user's own; ``NotFoundError`` or ``ForbiddenError`` otherwise."""
        return await self._seen(user, uuid, None, owner_only=True)

    async def seen(self, user: User, uuid: str, part: Resource | None = None) -> Job:
        """Return a job of the user's, or one of which *part* (None: any part) is shared with them."""
        return await self._seen(user, uuid, part, owner_only=False)

    async def _seen(self, user: User, uuid: str, part: Resource | None, *, owner_only: bool) -> Job:
        job = self._active().get(uuid)
        if job is None:
            job = await self._ports.read(lambda c: job_rows.get(c, uuid))
        if (job.owner, job.tenant) != (user.name, user.tenant):
            shared = await self._ports.read(lambda c: job_shares(c, user, job))
            refuse_job(uuid, job.name, shared, part, owner_only=owner_only)
        return job

    # -- definitions

    async def definition(self, job: Job) -> JobDefinition:
        """Return a job's definition."""
        return (await self.definitions([job]))[job.uuid]

    async def definitions(self, jobs: Sequence[Job]) -> dict[str, JobDefinition]:
        """Return uuid -> definition."""
        missing = [job.id for job in jobs if job.id not in self._definitions]
        if missing:
            self._definitions.update(await self._ports.read(lambda c: job_rows.definitions(c, missing)))
        found = {job.uuid: self._definitions[job.id] for job in jobs}
        while len(self._definitions) > max(DEFINITIONS, len(jobs)):
            self._definitions.popitem(last=False)
        return found

    def learn(self, definitions: Mapping[int, JobDefinition]) -> None:
        """Remember definitions that have just been stored, by the job's id."""
        self._definitions.update(definitions)

    async def redefine(self, changed: Sequence[tuple[Job, JobDefinition]]) -> None:
        """Store what jobs have become now that their host was asked."""

        def work(connection: Connection) -> None:
            stored = job_rows.definitions(connection, [job.id for job, _ in changed])
            for job, made in changed:
                # Its owner may have annotated it in between.
                kept[job.id] = replace(made, tags=stored[job.id].tags, notes=stored[job.id].notes)
            job_rows.redefine(connection, [(i, definition_json(made)) for i, made in kept.items()])

        kept: dict[int, JobDefinition] = {}
        await self._ports.write(work, epoch=self._epoch)
        self._definitions.update(kept)

    # -- places

    async def places(self, jobs: Sequence[Job]) -> Mapping[str, Place]:
        """Return uuid -> where it is on its host, remembered for as long as the job lives."""
        unknown = [job for job in jobs if job.uuid not in self._places]
        for uuid, definition in (await self.definitions(unknown) if unknown else {}).items():
            runtime = self._ports.runtimes[definition.app_runtime]
            self._places[uuid] = _place(definition, runtime.leftover(uuid))
        return {job.uuid: self._places[job.uuid] for job in jobs}

    def forget_places(self, jobs: Iterable[Job]) -> None:
        """Forget where jobs were that have ended."""
        for job in jobs:
            self._places.pop(job.uuid, None)


def _place(definition: JobDefinition, leftover: str) -> Place:
    is_fork = definition.job_type == JobType.FORK
    scheduler = FORK if is_fork else definition.batch_scheduler or ""
    return Place(join(definition.root_dir, definition.exec_system_exec_dir), scheduler, leftover)
