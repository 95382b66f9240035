"""A job's outputs: listed, downloaded and followed while it runs, wherever they are."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace

from ..model import marks
from ..model.errors import InvalidInputError, NotAllowedError, NotFoundError, TransportError
from ..model.job import Job, JobDefinition, JobEvent
from ..model.paths import join, normalise, within
from ..model.status import JobStatus, RemoteOutcome
from ..transports.base import FileInfo, Transport
from .download import Download, open_download
from .lane import LaneKey
from .ports import Ports
from .refusals import told
from .sources import Sources
from .tails import News, Tails

#: Bytes that a viewer is behind from which on they come as a stream of their own.
BACKLOG = 1024 * 1024
#: Seconds until a host that cannot be reached is tried again: the first time, and at most.
RETRY, LONGEST_RETRY = 1.0, 15.0


@dataclass(slots=True)
class _Trail:
    """Where one viewer's file was seen last."""

    lane: LaneKey = ("", "")
    root: str = ""
    real_path: str = ""
    #: Set once the file is there: links on the way to it are known then.
    is_seen: bool = False
    size: int = 0


class Outputs:
    """Reads from where a job's outputs lie at the moment."""

    def __init__(self, ports: Ports, sources: Sources) -> None:
        self._ports = ports
        self._sources = sources
        self._tails = Tails(ports)

    async def place(self, job: Job, definition: JobDefinition) -> tuple[Transport, str]:
        """Return transport and directory, see ``output_place``."""
        lane, directory = await self._where(job, definition)
        return await self._ports.hosts.transport(*lane), directory

    async def _where(self, job: Job, definition: JobDefinition) -> tuple[LaneKey, str]:
        system, directory = output_place(job, definition)
        if system == definition.exec_system_id:
            return job.lane, join(definition.root_dir, directory)
        lane, root, ground = await self._sources.archive_host(job, definition)
        place = join(root, directory)
        if ground != root:
            transport = await self._ports.hosts.transport(*lane)
            found = await transport.look([ground, place])
            if not within(found[ground].real_path, found[place].real_path):
                raise NotAllowedError(
                    f"archiveSystemDir {directory} leads outside {ground}, what {job.owner} was given."
                )
        return lane, place

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
        self,
        job: Job,
        definition: JobDefinition,
        path: str,
        *,
        as_zip: bool,
        allow_if_running: bool,
        byte_range: str | None = None,
        only: Collection[str] | None = None,
    ) -> Download:
        """Open one output; a directory comes as a zip file, one file too with *as_zip*.

        With *byte_range* (see ``open_download``) it is a file, of which a part is sent; with *only*
        these of a directory's own entries.
        """
        _refuse_running(job, allow_if_running)
        transport, root = await self.place(job, definition)
        with told(path):
            start = await _inside(transport, root, path)
            info = await transport.stat(await transport.real_path(start))
        if info is None:
            raise NotFoundError(f"job {job.name} has no output {path!r}.")
        as_zip = byte_range is None and (as_zip or info.type == "dir")
        return await open_download(
            transport,
            start,
            as_zip=as_zip,
            root=root,
            byte_range=byte_range,
            shown=path,
            hidden=(marks.FOLDER,),
            only=only,
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
        trail, gap = _Trail(), RETRY
        while True:
            job, definition = await look()
            try:
                with told(path):
                    async for chunk in self._fresh(trail, job, definition, path, offset):
                        offset += len(chunk)
                        yield chunk
            except TransportError:
                if job.status.is_terminal:
                    raise
                await self._ports.clock.sleep(gap)
                gap = min(gap * 2, LONGEST_RETRY)
                continue
            gap = RETRY
            if job.status.is_terminal and offset >= trail.size:
                return

    async def _fresh(
        self, trail: _Trail, job: Job, definition: JobDefinition, path: str, offset: int
    ) -> AsyncIterator[bytes]:
        """Yield what the next round brings; who is far behind gets the rest as a stream of its own."""
        news = await self._news(trail, job, definition, path, offset)
        trail.size = news.size or 0
        if news.data:
            offset += len(news.data)
            yield news.data
        if trail.size - offset > BACKLOG:
            transport = await self._ports.hosts.transport(*trail.lane)
            async for chunk in transport.read(trail.real_path, offset=offset):
                yield chunk

    async def _news(self, trail: _Trail, job: Job, definition: JobDefinition, path: str, offset: int) -> News:
        """Return a file's news from where it lies now; its links are resolved when it is first there."""
        lane, root = await self._where(job, definition)
        transport = await self._ports.hosts.transport(*lane)
        soon = not trail.root or job.status.is_terminal
        if (trail.lane, trail.root) != (lane, root):
            trail.lane, trail.root, trail.is_seen = lane, root, False
            trail.real_path = await _real_path(transport, root, path)
        news = await self._tails.news(lane, transport, trail.real_path, offset, soon=soon)
        if news.is_link or (news.size is not None and not trail.is_seen):
            real_path = await _real_path(transport, root, path)
            is_same, trail.real_path, trail.is_seen = real_path == trail.real_path, real_path, True
            if not is_same:
                return await self._tails.news(lane, transport, real_path, offset, soon=True)
        return news

    def hear(self, events: Sequence[JobEvent], jobs: Sequence[Job]) -> None:
        """Whoever watches a job that has ended is to know it soon."""
        self._tails.hasten({job.lane for job in jobs if job.status.is_terminal})


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


async def _inside(transport: Transport, root: str, path: str) -> str:
    """Return the path of an output; refuse one that leads out of the job's directory."""
    await _real_path(transport, root, path)
    return join(root, normalise(path))


async def _real_path(transport: Transport, root: str, path: str) -> str:
    """Return where an output really lies; refuse one that leads out of the job's directory."""
    wanted = join(root, normalise(path))
    found = await transport.look([root, wanted])
    if not within(found[root].real_path, found[wanted].real_path):
        raise InvalidInputError(
            f"output path {path!r} leads outside the job's outputs.", field="outputPath", value=path
        )
    return found[wanted].real_path


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
