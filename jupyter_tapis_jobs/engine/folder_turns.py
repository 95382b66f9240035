"""Jobs that are to work in one directory work there one after the other.

A system or app may name an execution directory without ``${JobUUID}``. The marks of one job would then
be taken for another's: so the next one waits until the one before has ended, and its marks are removed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..model import files, marks
from ..model.errors import TransportError
from ..model.job import Job, JobDefinition
from ..model.paths import join
from ..model.status import JobStatus
from ..store import jobs as job_rows
from ..transports.base import Content, Transport
from .image_staging import exec_dir
from .inputs import Definitions
from .lane import Lane
from .oversight import Oversight
from .ports import Ports
from .verdict import Fail, Stay, Verdict

#: Where a job is that has no directory yet.
_BEFORE = frozenset({JobStatus.PENDING, JobStatus.PROCESSING_INPUTS})


class FolderTurns:
    """Says whose turn it is, of jobs whose directory has no name of its own. Lives on the engine's loop only.

    *active* gives the jobs that have not ended, by uuid.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        active: Callable[[], Mapping[str, Job]],
        definitions: Definitions,
        oversight: Oversight,
    ) -> None:
        self._ports = ports
        self._active = active
        self._definitions = definitions
        self._oversight = oversight

    async def take(
        self, lane: Lane, jobs: Sequence[Job], definitions: Mapping[str, JobDefinition], host: Transport
    ) -> Mapping[str, Verdict]:
        """Return a verdict for each job that cannot have its directory now; the others have it."""
        sharing = [job for job in jobs if _is_shared(job, definitions[job.uuid])]
        if not sharing:
            return {}
        holders = await self._holders(lane)
        verdicts: dict[str, Verdict] = {}
        taking: list[Job] = []
        for job in sorted(sharing, key=lambda job: job.id):
            holder = holders.setdefault(exec_dir(definitions[job.uuid]), job)
            if holder.uuid == job.uuid:
                taking.append(job)
                continue
            verdicts[job.uuid] = Stay(rests=True)
            self._oversight.note([job.uuid], _waits_for(holder, exec_dir(definitions[job.uuid])))
        return {**verdicts, **await self._cleared(taking, definitions, host)}

    async def _holders(self, lane: Lane) -> dict[str, Job]:
        """Return directory -> the job of the lane that works there."""
        here = [job for job in self._active().values() if job.lane == lane.key and _has_begun(job)]
        definitions = await self._definitions(here)
        shared = [job for job in here if _is_shared(job, definitions[job.uuid])]
        return {exec_dir(definitions[job.uuid]): job for job in shared}

    async def _cleared(
        self, jobs: Iterable[Job], definitions: Mapping[str, JobDefinition], host: Transport
    ) -> dict[str, Verdict]:
        """Remove what a job that has ended left of its marks; one that nobody knows keeps its directory."""
        folders = {job.uuid: exec_dir(definitions[job.uuid]) for job in jobs}
        names = [f"{folder}/{mark}" for folder in folders.values() for mark in (marks.CLAIM, marks.EXIT)]
        found = await host.get(names)
        others = {
            uuid: claimed for uuid, folder in folders.items() if (claimed := _claimed(found, folder)) != uuid
        }
        asked = [name for name in others.values() if name is not None]
        known = await self._ports.read(lambda c: job_rows.get_many(c, asked))
        verdicts: dict[str, Verdict] = {}
        left: list[str] = []
        for uuid, claimed in others.items():
            folder = folders[uuid]
            other = known.get(claimed or "")
            is_over = other.status.is_terminal if other else f"{folder}/{marks.EXIT}" in found
            if claimed in (None, marks.REVOKED) or is_over:
                output_dir = join(definitions[uuid].root_dir, definitions[uuid].exec_system_output_dir)
                left += [f"{folder}/{marks.FOLDER}", f"{output_dir}/{files.EXIT_CODE}"]
            else:
                verdicts[uuid] = Fail(
                    f"its directory {folder} is in use by job {claimed}, of another server or host user. "
                    "Name a directory with ${JobUUID} in it (execSystemExecDir)."
                )
        if left:
            answer = await host.run(f"rm -rf -- {shlex.join(left)}")
            if answer.exit_code != 0:
                raise TransportError(f"what an earlier job left cannot be removed: {answer.stderr.strip()}")
        return verdicts


def _is_shared(job: Job, definition: JobDefinition) -> bool:
    return job.uuid not in definition.exec_system_exec_dir


def _has_begun(job: Job) -> bool:
    return (job.resume_status if job.status is JobStatus.BLOCKED else job.status) not in _BEFORE


def _claimed(found: Mapping[str, Content], folder: str) -> str | None:
    """Return the first word of the claim in a directory: whose it is."""
    content = found.get(f"{folder}/{marks.CLAIM}")
    words = content.data.decode("utf-8", "replace").split() if content else []
    return words[0] if words else None


def _waits_for(holder: Job, folder: str) -> str:
    return f"waits for job {holder.name} ({holder.uuid}), which works in the same directory {folder}"
