"""One output of each of many jobs, read with a few questions to each host and sent as one tar stream."""

from __future__ import annotations

import json
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..model.errors import NotFoundError, TapisJobsError
from ..model.job import Job, JobDefinition
from ..model.paths import join, normalise, within
from ..transports.base import Content, Found, Transport

#: Jobs that are looked at in one question; files that are read in one answer, and their bytes.
LOOKED, READ, READ_BYTES = 500, 250, 8 * 1024 * 1024
#: Files up to this size are read many at once; a larger one streams by itself.
SMALL = 256 * 1024

Place = Callable[[Job, JobDefinition], Awaitable[tuple[Transport, str]]]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Output:
    """A job's file and where it is; ``size`` in bytes as it was seen."""

    job: Job
    path: str
    size: int


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
            async for piece in _files(transport, outputs, path):
                yield piece
    yield bytes(2 * tarfile.BLOCKSIZE)


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
            outputs.append(_Output(job, there.real_path, info.size))
    return outputs, missing


def refused(uuid: str, message: str) -> bytes:
    """Return the member that tells why there is no file of a job."""
    told = {"code": NotFoundError.code, "message": message}
    return _member(f"errors/{uuid}", json.dumps(told).encode())


async def _files(transport: Transport, outputs: Sequence[_Output], shown: str) -> AsyncIterator[bytes]:
    for some in _batches([output for output in outputs if output.size <= SMALL]):
        # One byte more than it was: a file that has grown since is told from one that has not.
        contents = await transport.get([output.path for output in some], limit=SMALL + 1)
        yield b"".join(_small(output, contents.get(output.path), shown) for output in some)
    for output in outputs:
        if output.size > SMALL:
            async for chunk in _large(transport, output):
                yield chunk


def _small(output: _Output, content: Content | None, shown: str) -> bytes:
    if content is None or len(content.data) > SMALL:
        what = "is gone" if content is None else "is still being written"
        return refused(output.job.uuid, f"output {shown!r} of job {output.job.name} {what}. Try again.")
    return _member(f"files/{output.job.uuid}", content.data)


async def _large(transport: Transport, output: _Output) -> AsyncIterator[bytes]:
    yield _head(f"files/{output.job.uuid}", output.size)
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
