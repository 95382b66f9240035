"""Outputs of many jobs, read with a few questions to each host and sent as one tar stream."""

from __future__ import annotations

import errno
import json
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..model import marks
from ..model.errors import InvalidInputError, NotFoundError, TapisJobsError
from ..model.globs import levels, names_matching
from ..model.job import Job, JobDefinition
from ..model.paths import join, normalise, relative, within
from ..transports.base import MOST_ENTRIES, Content, FileInfo, Found, Transport

#: Jobs that are looked at in one question; files that are read in one answer, and their bytes.
LOOKED, READ, READ_BYTES = 500, 250, 8 * 1024 * 1024
#: Files up to this size are read many at once; a larger one streams by itself.
SMALL = 256 * 1024

Place = Callable[[Job, JobDefinition], Awaitable[tuple[Transport, str]]]
_T = TypeVar("_T")
_END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class _Output:
    """A job's file and where it is; ``size`` in bytes as it was seen."""

    job: Job
    path: str
    size: int
    #: As it was asked for, or as it was found.
    shown: str
    #: What the file is called in the stream.
    member: str


async def collected(
    jobs: Sequence[tuple[Job, JobDefinition]], path: str, place: Place
) -> AsyncGenerator[bytes, None]:
    """Yield a tar stream with the output *path* of each job as ``files/UUID``.

    What cannot be had is in it as ``errors/UUID``, JSON with ``code`` and ``message``. *place* tells
    where a job's outputs lie. Raises ``TransportError`` when a host cannot be reached.
    """
    wanted = normalise(path)
    for transport, placed in (await _by_host(jobs, place)).items():
        for some in _parts(placed, LOOKED):
            outputs, missing = _judged(some, wanted, path, await transport.look(_asked(some, wanted)))
            for job, message in missing:
                yield refused(job.uuid, message)
            async for piece in _files(transport, outputs):
                yield piece
    yield _END


async def matching(
    jobs: Sequence[tuple[Job, JobDefinition]], pattern: str, place: Place
) -> AsyncGenerator[bytes, None]:
    """Yield a tar stream with the outputs of each job that the glob *pattern* means, as ``files/UUID/NAME``.

    A job without any is in it as ``errors/UUID``, a file that cannot be had as ``errors/UUID/NAME``.
    Raises as ``collected``, and ``InvalidInputError`` for what is no pattern, or means too much.
    """
    wanted = relative(pattern)
    names_matching((), wanted)
    for transport, placed in (await _by_host(jobs, place)).items():
        for some in _parts(placed, LOOKED):
            found = await _listed(transport, some, wanted)
            outputs, outside = await _followed(transport, found)
            having = {output.job.uuid for output in outputs} | {job.uuid for job, _ in outside}
            for job, _ in some:
                if job.uuid not in having:
                    yield refused(job.uuid, f"job {job.name} has no output {pattern!r}.")
            for job, name in outside:
                message = f"output path {name!r} leads outside the outputs of job {job.name}."
                yield refused(f"{job.uuid}/{name}", message)
            async for piece in _files(transport, outputs):
                yield piece
    yield _END


async def _listed(
    transport: Transport, jobs: Sequence[tuple[Job, str]], wanted: str
) -> list[tuple[Job, str, str, FileInfo]]:
    """Return job, its real directory, name and entry of each file and link that the glob *wanted* means."""
    leads = await transport.look([root for _, root in jobs])
    roots = [(job, leads[root].real_path) for job, root in jobs if root in leads]
    folders = list(dict.fromkeys(root for _, root in roots))
    try:
        below = await transport.list_all(folders, depth=levels(wanted))
    except OSError as fault:
        if fault.errno != errno.E2BIG:
            raise
        raise InvalidInputError(
            f"{wanted!r} makes the server look through more than {MOST_ENTRIES:,} outputs. Name the folder "
            "that they are in, without **.",
            field="path",
            value=wanted,
        ) from fault
    found = []
    for job, root in roots:
        named = {info.path[len(root) :].lstrip("/"): info for info in below.get(root, ())}
        found += [
            (job, root, name, named[name])
            for name in names_matching(named, wanted)
            if named[name].type in _READ and name.split("/", 1)[0] != marks.FOLDER
        ]
    return found


_READ = ("file", "symbolic_link")


async def _followed(
    transport: Transport, found: Sequence[tuple[Job, str, str, FileInfo]]
) -> tuple[list[_Output], list[tuple[Job, str]]]:
    """Part what may be read from links that lead outside; links to no file are left out, as folders are."""
    links = [info.path for *_, info in found if info.type != "file"]
    leads = await transport.look(links) if links else {}
    outputs: list[_Output] = []
    outside: list[tuple[Job, str]] = []
    for job, root, name, info in found:
        is_link = info.type != "file"
        there = leads[info.path] if is_link else Found(info.path, info)
        if is_link and not within(root, there.real_path):
            outside.append((job, name))
        elif there.info is not None and there.info.type == "file":
            member = f"{job.uuid}/{name}"
            outputs.append(_Output(job, there.real_path, there.info.size, name, member))
    return outputs, outside


async def _by_host(
    jobs: Sequence[tuple[Job, JobDefinition]], place: Place
) -> Mapping[Transport, list[tuple[Job, str]]]:
    """Return transport -> its jobs, each with its output directory."""
    found: dict[Transport, list[tuple[Job, str]]] = {}
    for job, definition in jobs:
        transport, root = await place(job, definition)
        found.setdefault(transport, []).append((job, root))
    return found


def _asked(jobs: Sequence[tuple[Job, str]], wanted: str) -> list[str]:
    return [where for _, root in jobs for where in (root, join(root, wanted))]


def _judged(
    jobs: Sequence[tuple[Job, str]], wanted: str, shown: str, found: Mapping[str, Found]
) -> tuple[list[_Output], list[tuple[Job, str]]]:
    """Part the files that may be read from what is missing, no file, or outside its job's directory."""
    outputs: list[_Output] = []
    missing: list[tuple[Job, str]] = []
    for job, root in jobs:
        place, there = found.get(root), found.get(join(root, wanted))
        info = there.info if there else None
        if place is None or there is None or info is None:
            missing.append((job, f"job {job.name} has no output {shown!r}."))
        elif not within(place.real_path, there.real_path):
            missing.append((job, f"output path {shown!r} leads outside the outputs of job {job.name}."))
        elif info.type != "file":
            missing.append((job, f"{shown!r} is no file among the outputs of job {job.name}."))
        else:
            outputs.append(_Output(job, there.real_path, info.size, shown, job.uuid))
    return outputs, missing


def refused(member: str, message: str) -> bytes:
    """Return the member that tells why there is no file of a job."""
    told = {"code": NotFoundError.code, "message": message}
    return _member(f"errors/{member}", json.dumps(told).encode())


async def _files(transport: Transport, outputs: Sequence[_Output]) -> AsyncIterator[bytes]:
    for some in _batches([output for output in outputs if output.size <= SMALL]):
        # One byte more than it was: a file that has grown since is told from one that has not.
        contents = await transport.get([output.path for output in some], limit=SMALL + 1)
        yield b"".join(_small(output, contents.get(output.path)) for output in some)
    for output in outputs:
        if output.size > SMALL:
            async for chunk in _large(transport, output):
                yield chunk


def _small(output: _Output, content: Content | None) -> bytes:
    if content is None or len(content.data) > SMALL:
        what = "is gone" if content is None else "is still being written"
        message = f"output {output.shown!r} of job {output.job.name} {what}. Try again."
        return refused(output.member, message)
    return _member(f"files/{output.member}", content.data)


async def _large(transport: Transport, output: _Output) -> AsyncIterator[bytes]:
    yield _head(f"files/{output.member}", output.size)
    left = output.size
    async for chunk in transport.read(output.path, length=output.size):
        left -= len(chunk)
        yield chunk
    if left:
        raise TapisJobsError(f"an output of job {output.job.name} became shorter while it was read.")
    yield _padding(output.size)


def _member(name: str, data: bytes) -> bytes:
    return _head(name, len(data)) + data + _padding(len(data))


def _head(name: str, size: int) -> bytes:
    head = tarfile.TarInfo(name)
    head.size = size
    return head.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _batches(outputs: Sequence[_Output]) -> Iterator[list[_Output]]:
    batch: list[_Output] = []
    held = 0
    for output in outputs:
        if batch and (len(batch) == READ or held + output.size > READ_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(output)
        held += output.size
    if batch:
        yield batch


def _parts(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
