"""A job's outputs: listed, downloaded and followed while it runs, wherever they are."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

from ..model import marks
from ..model.errors import InvalidInputError, NotFoundError
from ..model.job import Job, JobDefinition
from ..model.paths import join, normalise, within
from ..model.status import JobStatus, RemoteOutcome
from ..transports.base import FileInfo, Transport
from .download import Download, open_download
from .ports import Ports
from .refusals import told
from .sources import Sources

#: Seconds between two looks at a file that is followed: the first, and the longest when it is quiet.
FOLLOW_FIRST, FOLLOW_LAST = 0.1, 1.0
#: Bytes of a followed file that are sent at once.
CHUNK = 256 * 1024


class Outputs:
    """Reads from where a job's outputs lie at the moment."""

    def __init__(self, ports: Ports, sources: Sources) -> None:
        self._ports = ports
        self._sources = sources

    async def place(self, job: Job, definition: JobDefinition) -> tuple[Transport, str]:
        """Return transport and directory, see ``output_place``."""
        system, directory = output_place(job, definition)
        if system != definition.exec_system_id:
            return await self._sources.archive_place(job, definition)
        transport = await self._ports.hosts.transport(*job.lane)
        return transport, join(definition.root_dir, directory)

    async def list(
        self,
        job: Job,
        definition: JobDefinition,
        path: str,
        *,
        limit: int | None,
        skip: int,
        allow_if_running: bool,
    ) -> Sequence[FileInfo]:
        """List outputs below *path*, sorted; one level when *limit* or *skip* is given, else all levels."""
        _refuse_running(job, allow_if_running)
        transport, root = await self.place(job, definition)
        recurse = limit is None and skip == 0
        with told(path):
            start = await _inside(transport, root, path)
            if await transport.stat(start) is None:
                raise NotFoundError(f"job {job.name} has no output {path!r}.")
            listing = await transport.list(start, recurse=recurse)
        rows = [_relative(info, root) for info in listing if not _is_ours(info, root)]
        return rows[skip : skip + (100 if limit is None else limit if limit > 0 else len(rows))]

    async def open(
        self, job: Job, definition: JobDefinition, path: str, *, as_zip: bool, allow_if_running: bool
    ) -> Download:
        """Open one output; a directory comes as a zip file, one file too with *as_zip*."""
        _refuse_running(job, allow_if_running)
        transport, root = await self.place(job, definition)
        with told(path):
            start = await _inside(transport, root, path)
            info = await transport.stat(await transport.real_path(start))
        if info is None:
            raise NotFoundError(f"job {job.name} has no output {path!r}.")
        as_zip = as_zip or info.type == "dir"
        return await open_download(
            transport, start, as_zip=as_zip, root=root, shown=path, hidden=(marks.FOLDER,)
        )

    async def check(self, job: Job, definition: JobDefinition, path: str) -> None:
        """Raise what following *path* would raise: an answer that has begun cannot tell it any more."""
        transport, root = await self.place(job, definition)
        with told(path):
            await transport.stat(await _inside(transport, root, path))

    async def follow(
        self,
        look: Callable[[], Awaitable[tuple[Job, JobDefinition]]],
        path: str,
        offset: int,
    ) -> AsyncIterator[bytes]:
        """Yield a file's bytes as they are written, until the job has ended and all is sent.

        *look* tells how the job stands now: the file is followed from the output directory to the archive.
        """
        gap = FOLLOW_FIRST
        while True:
            job, definition = await look()
            transport, root = await self.place(job, definition)
            sent = offset
            with told(path):
                place = await _inside(transport, root, path)
                async for chunk in _news(transport, place, offset):
                    offset += len(chunk)
                    yield chunk
            if job.status.is_terminal and offset == sent:
                return
            gap = FOLLOW_FIRST if offset > sent else min(gap * 1.5, FOLLOW_LAST)
            await self._ports.clock.sleep(gap)


def output_place(job: Job, definition: JobDefinition) -> tuple[str, str]:
    """Return system and directory (from its rootDir) of a job's outputs at the moment.

    That is the archive once there is one, the output directory before.
    Source: Tapis Jobs, "Job output": FINISHED, or FAILED without FAILED_SKIP_ARCHIVE, means archive.
    """
    archived = job.status is JobStatus.FINISHED or (
        job.status is JobStatus.FAILED and job.remote_outcome not in (None, RemoteOutcome.FAILED_SKIP_ARCHIVE)
    )
    if archived and definition.archive_mode != "NEVER":
        return definition.archive_system_id, definition.archive_system_dir
    return definition.exec_system_id, definition.exec_system_output_dir


async def _news(transport: Transport, path: str, offset: int) -> AsyncIterator[bytes]:
    info = await transport.stat(path)
    if info is not None and info.type == "file" and info.size > offset:
        async for chunk in transport.read(path, offset=offset):
            yield chunk


async def _inside(transport: Transport, root: str, path: str) -> str:
    """Return the real path of an output; refuse one that leads out of the job's directory."""
    wanted = join(root, normalise(path))
    real_root, real = await transport.real_path(root), await transport.real_path(wanted)
    if not within(real_root, real):
        raise InvalidInputError(
            f"output path {path!r} leads outside the job's outputs.", field="outputPath", value=path
        )
    return wanted


def _refuse_running(job: Job, allow_if_running: bool) -> None:
    if not job.status.is_terminal and not allow_if_running:
        raise InvalidInputError(
            f"job {job.name} is {job.status}; its outputs are complete when it has ended. "
            "Pass allowIfRunning=true to read what is there now.",
            field="allowIfRunning",
            value=False,
        )


def _is_ours(info: FileInfo, root: str) -> bool:
    first = posixpath.relpath(info.path, root).split("/", 1)[0]
    return first == marks.FOLDER


def _relative(info: FileInfo, root: str) -> FileInfo:
    return replace(info, path=posixpath.relpath(info.path, root))
