"""This machine as a host: files by the operating system's own calls, scripts by ``/bin/sh``.

Blocking calls run on a thread and in slices, so that neither the event loop nor the rest of the
process waits for a long listing. Plain ``os`` calls are used where a study makes thousands of files,
and because names on a host are bytes: what is not UTF-8 travels as surrogate escapes.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import sys
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from itertools import islice

from . import base, local_files, local_listing, local_shell, local_trees
from .base import Answer, Content, Entry, FileInfo, Found
from .names import aside_name, part_token
from .tar_pack import packed
from .tar_unpack import Unpacker

#: Bytes per step of a stream.
CHUNK = 1 << 20
#: Entries made or listed per visit to a thread: a few milliseconds.
SLICE = 250
#: Seconds between two looks into a watched folder: while events come, and at most when it is quiet.
BUSY, QUIET = 0.05, 0.25


class LocalTransport:
    """The machine and user of this process.

    ``sleep`` is how ``watch`` waits between two looks, so that a simulation can give its own.
    """

    def __init__(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep

    async def run(self, script: str, *, timeout: float = 60.0, live: bool = False) -> Answer:
        """Run *script*; see ``Transport.run``. Past *timeout* its process group is killed."""
        return await local_shell.run(script, timeout)

    async def put(self, entries: Iterable[Entry]) -> Mapping[str, OSError]:
        """Make files and directories; return the ones that failed."""
        failed: dict[str, OSError] = {}
        token = secrets.token_hex(8)
        numbered = enumerate(entries)
        while some := list(islice(numbered, SLICE)):
            failed |= await asyncio.to_thread(local_files.put_slice, some, token)
        return failed

    async def get(self, paths: Sequence[str], *, limit: int = 65536) -> Mapping[str, Content]:
        """Return the first *limit* bytes of each file that is there."""
        found: dict[str, Content] = {}
        remaining = iter(paths)
        while some := list(islice(remaining, SLICE)):
            found |= await asyncio.to_thread(local_files.get_slice, some, limit)
        return found

    async def read(
        self, path: str, *, offset: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Stream *length* bytes (None: all) of the file from *offset*."""
        fd = await asyncio.to_thread(local_files.open_regular, path)
        try:
            while length is None or length > 0:
                wanted = CHUNK if length is None else min(CHUNK, length)
                chunk = await asyncio.to_thread(os.pread, fd, wanted, offset)
                if not chunk:
                    return
                offset += len(chunk)
                length = None if length is None else length - len(chunk)
                yield chunk
        finally:
            os.close(fd)

    async def write(
        self, path: str, chunks: AsyncIterator[bytes], *, mode: int = 0o660, resume: str | None = None
    ) -> int:
        """Write the file aside, rename it into place and return its size in bytes."""
        aside = aside_name(path, secrets.token_hex(8) if resume is None else part_token(path, resume))
        how = local_files.CREATE if resume is None else local_files.CONTINUE
        fd = await asyncio.to_thread(local_files.create, aside, how)
        try:
            with local_files.closing(fd):
                async for block in _blocks(chunks):
                    await asyncio.to_thread(local_files.write_all, fd, block, path)
                os.fchmod(fd, mode)
                size = os.fstat(fd).st_size
            await asyncio.to_thread(os.rename, aside, path)
        except BaseException:
            if resume is None:
                with contextlib.suppress(OSError):
                    os.unlink(aside)
            raise
        return size

    async def written(self, path: str, resume: str) -> int:
        """Return how many bytes of *path* an earlier ``write`` left aside."""
        part = await asyncio.to_thread(local_listing.info, aside_name(path, part_token(path, resume)))
        return part.size if part is not None else 0

    async def look(self, paths: Sequence[str]) -> Mapping[str, Found]:
        """Return where each path leads and what is there."""
        found: dict[str, Found] = {}
        remaining = iter(paths)
        while some := list(islice(remaining, SLICE)):
            found |= await asyncio.to_thread(local_files.look_slice, some)
        return found

    async def copy_all(self, pairs: Sequence[tuple[str, str]]) -> Mapping[str, OSError]:
        """Copy many; return target -> why it failed."""
        failed: dict[str, OSError] = {}
        waiting = deque(pairs)
        while waiting:
            failed |= await asyncio.to_thread(local_trees.copy_small_ones, waiting)
            if waiting:
                source, target = waiting.popleft()
                try:
                    await self.copy(source, target)
                except OSError as error:
                    failed[target] = error
        return failed

    async def pack(self, root: str, names: Sequence[str] | None = None) -> AsyncGenerator[bytes, None]:
        """Stream a tar archive of what is below *root*."""
        pieces = packed(root, names)
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece

    async def unpack(
        self, root: str, chunks: AsyncIterator[bytes], *, within: Sequence[str] | None = None
    ) -> None:
        """Unpack a tar archive below *root*."""
        unpacker = await asyncio.to_thread(Unpacker, root)
        try:
            async for block in _blocks(chunks):
                await asyncio.to_thread(unpacker.feed, block)
            await asyncio.to_thread(unpacker.finish)
        finally:
            unpacker.close()

    async def list(
        self, path: str, *, recurse: bool = False, depth: int | None = None, limit: int | None = None
    ) -> Sequence[FileInfo]:
        """List a directory or the one file at *path*."""
        listing = islice(local_listing.listing(path, depth if recurse else 1), limit)
        found: list[FileInfo] = []
        while some := await asyncio.to_thread(lambda: [*islice(listing, SLICE)]):
            found += some
            if len(found) > base.MOST_ENTRIES:
                raise base.too_many(path)
        return found

    async def list_all(
        self, folders: Sequence[str], *, depth: int | None = None
    ) -> Mapping[str, Sequence[FileInfo]]:
        """List what is below each directory that is there."""
        found: dict[str, Sequence[FileInfo]] = {}
        remaining = iter(folders)
        most = base.MOST_ENTRIES + 1
        while some := list(islice(remaining, SLICE)):
            listed = await asyncio.to_thread(local_listing.listings, some, depth, most)
            found |= listed
            most -= sum(map(len, listed.values()))
            if most <= 0:
                raise base.too_many(some[-1])
        return found

    async def stat(self, path: str) -> FileInfo | None:
        """Return what is at *path* itself, or None."""
        return await asyncio.to_thread(local_listing.info, path)

    async def real_path(self, path: str) -> str:
        """Return *path* with every link resolved; missing tails are kept."""
        return await asyncio.to_thread(os.path.realpath, path)

    async def mkdir(self, path: str) -> None:
        """Make a directory and its parents."""
        await asyncio.to_thread(local_files.make_directories, path)

    async def copy(self, source: str, target: str) -> None:
        """Copy a file, a link itself, or a directory tree to exactly *target*."""
        await asyncio.to_thread(local_trees.check_source_and_make_parent, source, target)
        if sys.platform == "linux":
            await local_trees.run_cp(source, target)
        else:
            await asyncio.to_thread(local_trees.copy_tree, source, target)

    async def move(self, source: str, target: str) -> None:
        """Rename to exactly *target*; from one file system to another: copy, then delete."""
        await asyncio.to_thread(local_trees.check_source_and_make_parent, source, target)
        try:
            await asyncio.to_thread(os.rename, source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            await self.copy(source, target)
            await self.delete(source)

    async def delete(self, path: str) -> None:
        """Delete a file, a link itself, or a directory tree."""
        await asyncio.to_thread(local_trees.delete, path)

    async def watch(self, folder: str) -> AsyncGenerator[Sequence[str], None]:
        """Yield new names in *folder*; a batch is deleted when the next one is asked for."""
        stuck: set[str] = set()
        pause = BUSY
        while True:
            names = await asyncio.to_thread(local_listing.new_names, folder, stuck)
            if names:
                yield names
                stuck |= await asyncio.to_thread(local_listing.remove_names, folder, names)
            pause = BUSY if names else min(QUIET, pause * 1.25)
            await self._sleep(pause)

    async def environment(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the variables of this process that are set, but for the server's own sign-ins."""
        known = local_shell.login_environment(os.environ)
        return {name: known[name] for name in names if name in known}

    async def close(self) -> None:
        """Do nothing: there is no connection."""


# Scripts ---------------------------------------------------------------------------------------


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Gather small chunks into blocks that are worth a visit to a thread."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        if len(waiting) >= CHUNK:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
