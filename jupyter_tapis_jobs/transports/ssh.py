"""A host over SSH: every verb is one script on it, most are one round trip whatever the number of files.

Two connections, made when they are needed: bulk work never stands in the way of what somebody watches.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from typing import Literal

from ..model.errors import CodeNeededError, TransportError
from . import base
from . import ssh_answers as answers
from . import ssh_scripts as scripts
from .base import Answer, Content, Entry, FileInfo, Found
from .names import aside_name, part_token
from .ssh_command import Command, Ended, started
from .ssh_gate import Connect, Gate
from .ssh_link import Link
from .ssh_places import PLACES, Places, Work
from .ssh_put import archive, failures, half_made
from .ssh_streams import batches, frames, joined, listed, once

#: Bytes of a stream handed over at a time.
CHUNK = 1 << 20
#: Seconds after which a quick verb, or the next piece of a stream, does not come any more.
SOON = 300.0
#: Seconds between two looks into a watched folder, and of quiet after which the loop is started anew.
WATCH_STEP, WATCH_IDLE = 0.2, 1800.0
#: Places for looks on a connection that bulk work uses too.
_FEW = 2

State = Literal["connected", "idle", "trouble", "code needed"]


class SshTransport:
    """One host as one user; *name* is what sentences call it.

    *connect* makes a connection (``ssh_sign_in.connect``). With *shared* one connection has to do: the
    host asks for a one-time code each time. ``now`` and ``sleep`` are the clock's.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        name: str,
        shared: bool = False,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        watch_step: float = WATCH_STEP,
    ) -> None:
        self._name = name
        self._gate = Gate(connect, now)
        self._work = Link(self._gate, name, sleep)
        self._live = self._work if shared else Link(self._gate, name, sleep)
        self._work_places = Places()
        self._live_places = Places(_FEW if shared else PLACES)
        self._watch_step = watch_step

    # The connection ----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What a list of hosts says of this one."""
        if self._work.is_connected or self._live.is_connected:
            return "connected"
        if self._gate.trouble is None:
            return "idle"
        return "code needed" if isinstance(self._gate.trouble, CodeNeededError) else "trouble"

    @property
    def trouble(self) -> TransportError | None:
        """Why the last attempt to connect failed; None when it did not."""
        return self._gate.trouble

    @property
    def next_try(self) -> float:
        """When the next attempt may be made: seconds since the epoch, infinite for "when asked to"."""
        return self._gate.next_try

    def retry_now(self) -> None:
        """Let the next verb try to connect, however short ago the last attempt failed."""
        self._gate.retry_now()

    def note_trouble(self, trouble: TransportError) -> None:
        """Somebody else has tried to connect to this host as this user, and failed."""
        self._gate.note(trouble)

    async def close(self) -> None:
        """End the connections."""
        for link in {self._work, self._live}:
            await link.close()

    @asynccontextmanager
    async def _command(
        self, script: str, work: Work = Work.COMMAND, *, live: bool = False
    ) -> AsyncGenerator[Command, None]:
        link, places = (self._live, self._live_places) if live else (self._work, self._work_places)
        # A stream to the host that breaks off is cleared away by its own script, at the end of its input.
        kill = work is not Work.IN
        async with places.taken(work), started(link, script, self._name, kill=kill) as command:
            yield command

    async def _said(
        self, script: str, chunks: AsyncIterator[bytes] | None = None, *, limit: float | None = None
    ) -> Ended:
        async with self._command(script) as command, self._no_longer_than(limit):
            return await command.talk(chunks)

    @asynccontextmanager
    async def _no_longer_than(self, seconds: float | None) -> AsyncGenerator[None, None]:
        """Give up what takes longer; leaving the command kills it."""
        try:
            async with asyncio.timeout(seconds) as limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise TransportError(
                f"A script on {self._name} did not end within {seconds:g} s and was killed. "
                "The host may be overloaded or a file system may hang; it will be tried again."
            ) from None

    async def _fed(self, script: str, chunks: AsyncIterator[bytes]) -> Ended:
        """Run a script that takes a stream, once the stream has begun."""
        first = await anext(chunks, b"")
        async with self._command(script, Work.IN) as command:
            return await command.talk(joined(first, chunks))

    async def _done(self, script: str, path: str, *, limit: float | None) -> bytes:
        """Run a script about *path* and return what it printed, or raise what it complained of."""
        ended = await self._said(script, limit=limit)
        answers.raise_for(ended, path, self._name)
        return ended.stdout

    # Scripts -----------------------------------------------------------------------------------

    async def run(self, script: str, *, timeout: float = 60.0, live: bool = False) -> Answer:
        """Run *script*; past *timeout* (counted from its start) its process group is killed."""
        async with (
            self._command(scripts.without_input(script), live=live) as command,
            self._no_longer_than(timeout),
        ):
            ended = await command.talk()
        return Answer(ended.exit_code, os.fsdecode(ended.stdout), ended.stderr)

    async def environment(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the login shell's variables that are set."""
        mark = secrets.token_hex(12)
        data = await self._done(scripts.environment(mark), self._name, limit=SOON)
        return answers.environment(data, mark, names)

    # Small files -------------------------------------------------------------------------------

    async def put(self, entries: Iterable[Entry]) -> Mapping[str, OSError]:
        """Make files and directories; return the ones that failed."""
        wanted = list(entries)
        if not wanted:
            return {}
        ended = await self._said(scripts.put(), archive(wanted))
        answers.check_tools(ended, self._name)
        if not (complaints := answers.complaints_of(ended)):
            return {}
        failed = await asyncio.to_thread(failures, wanted, complaints)
        if halves := half_made(failed):
            await self._said(scripts.remove_all(halves))
        return failed

    async def get(self, paths: Sequence[str], *, limit: int = 65536) -> Mapping[str, Content]:
        """Return the first *limit* bytes of each file that is there."""
        if not paths:
            return {}
        names = listed(paths)
        ended = await self._said(scripts.get(len(names), limit), once(names + names), limit=SOON)
        answers.check_tools(ended, self._name)
        if line := answers.serious(ended.stderr):
            answers.raise_for(Ended(1, b"", line), paths[0], self._name)
        with answers.understood(self._name):
            return await asyncio.to_thread(answers.contents, ended.stdout, limit)

    # Streams -----------------------------------------------------------------------------------

    async def read(
        self, path: str, *, offset: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Stream *length* bytes (None: all) of the file from *offset*."""
        async with self._command(scripts.read(path, offset, length), Work.OUT) as command:
            left = float("inf") if length is None else length
            while chunk := await self._next_of(command):
                # No more than was asked for, whatever comes: the next bytes are somebody else's.
                yield chunk if left >= len(chunk) else chunk[: int(left)]
                if (left := left - len(chunk)) < 0:
                    return
            answers.raise_for(await command.end(), path, self._name)

    async def _next_of(self, command: Command) -> bytes:
        """Return what comes next of a stream; a file system that hangs gives nothing for ever."""
        async with self._no_longer_than(SOON):
            return await command.output(CHUNK)

    async def write(
        self, path: str, chunks: AsyncIterator[bytes], *, mode: int = 0o660, resume: str | None = None
    ) -> int:
        """Write the file aside, rename it into place and return its size in bytes."""
        token = secrets.token_hex(8) if resume is None else part_token(path, resume)
        script = scripts.write(path, aside_name(path, token), mode, keep=resume is not None)
        ended = await self._fed(script, frames(chunks))
        answers.raise_for(ended, path, self._name)
        with answers.understood(self._name):
            return int(ended.stdout)

    async def written(self, path: str, resume: str) -> int:
        """Return how many bytes of *path* an earlier ``write`` left aside."""
        part = await self.stat(aside_name(path, part_token(path, resume)))
        return part.size if part is not None else 0

    async def pack(self, root: str, names: Sequence[str] | None = None) -> AsyncGenerator[bytes, None]:
        """Stream a tar archive of what is below *root*."""
        async with self._command(scripts.pack(root, named=names is not None), Work.OUT) as command:
            feeding = asyncio.create_task(command.send(listed([f"./{name}" for name in names or ()])))
            feeding.add_done_callback(lambda _: command.end_input())
            try:
                while chunk := await self._next_of(command):
                    yield chunk
                ended = await command.end()
            finally:
                feeding.cancel()
            answers.check_tools(ended, self._name)
            if ended.exit_code == scripts.NO_ROOT:
                answers.raise_for(ended, root, self._name)
            if line := answers.serious(ended.stderr):
                answers.raise_for(Ended(1, b"", line), root, self._name)

    async def unpack(
        self, root: str, chunks: AsyncIterator[bytes], *, within: Sequence[str] | None = None
    ) -> None:
        """Unpack a tar archive below *root*."""
        aside = f"{root.rstrip('/')}/.tapisjob-{secrets.token_hex(8)}"
        ended = await self._fed(scripts.unpack(root, aside, within), aiter(chunks))
        answers.check_tools(ended, self._name)
        complaints = answers.complaints_of(ended)
        if complaints or "Removing leading" in ended.stderr:
            raise answers.unpack_error(complaints or ended.stderr, root)

    # What is there -----------------------------------------------------------------------------

    async def list(
        self, path: str, *, recurse: bool = False, depth: int | None = None, limit: int | None = None
    ) -> Sequence[FileInfo]:
        """List a directory or the one file at *path*."""
        plain = _plain(path)
        ended = await self._said(scripts.listing(plain, depth if recurse else 1))
        if ended.stdout.count(b"\0") > base.MOST_ENTRIES + 1:
            raise base.too_many(path)
        with answers.understood(self._name):
            own, below = await asyncio.to_thread(answers.file_infos, ended.stdout, plain)
        if own is None:
            answers.raise_for(ended, path, self._name)
        elif line := answers.serious(ended.stderr):
            answers.raise_for(Ended(1, b"", line), path, self._name)
        return ([own] if own is not None and own.type != "dir" else below)[:limit]

    async def list_all(
        self, folders: Sequence[str], *, depth: int | None = None
    ) -> Mapping[str, Sequence[FileInfo]]:
        """List what is below each directory that is there."""
        if not folders:
            return {}
        ended = await self._said(scripts.listings(depth), once(listed(folders)))
        answers.check_tools(ended, self._name)
        if ended.stdout.count(b"\0") > 2 * (base.MOST_ENTRIES + len(folders)):
            raise base.too_many(folders[0])
        if line := answers.serious(ended.stderr):
            answers.raise_for(Ended(1, b"", line), folders[0], self._name)
        with answers.understood(self._name):
            return await asyncio.to_thread(answers.folders, ended.stdout)

    async def stat(self, path: str) -> FileInfo | None:
        """Return what is at *path* itself, or None."""
        plain = _plain(path)
        ended = await self._said(scripts.listing(plain, 0), limit=SOON)
        with answers.understood(self._name):
            own, _ = answers.file_infos(ended.stdout, plain)
        if own is None and answers.serious(ended.stderr):
            answers.raise_for(ended, path, self._name)
        return own

    async def real_path(self, path: str) -> str:
        """Return *path* with every link resolved; missing tails are kept."""
        return os.fsdecode(await self._done(scripts.real_path(path), path, limit=SOON)).removesuffix("\n")

    async def look(self, paths: Sequence[str]) -> Mapping[str, Found]:
        """Return where each path leads and what is there."""
        if not paths:
            return {}
        names = listed(paths)
        ended = await self._said(scripts.look(len(names)), once(names + names), limit=SOON)
        answers.check_tools(ended, self._name)
        leads, is_whole, records = ended.stdout.partition(b"\0\0")
        real = os.fsdecode(leads).split("\0")
        if len(real) != len(paths) or not is_whole:
            return await self._look_at_halves(paths, ended)
        if line := answers.serious(ended.stderr):
            answers.raise_for(Ended(1, b"", line), paths[0], self._name)
        with answers.understood(self._name):
            infos = answers.infos_by_path(records)
        return {path: Found(where, infos.get(where)) for path, where in zip(paths, real, strict=True)}

    async def _look_at_halves(self, paths: Sequence[str], ended: Ended) -> Mapping[str, Found]:
        """Look again, for a path among them leads round in circles; such a one is what it is."""
        if len(paths) > 1:
            half = len(paths) // 2
            return {**await self.look(paths[:half]), **await self.look(paths[half:])}
        if (number := answers.errno_of(ended.stderr.partition("\n")[0])) != errno.ELOOP:
            raise OSError(number or errno.EIO, ended.stderr.strip(), paths[0])
        return {paths[0]: Found(paths[0], await self.stat(paths[0]))}

    # Changes -----------------------------------------------------------------------------------

    async def mkdir(self, path: str) -> None:
        """Make a directory and its parents."""
        await self._done(scripts.make_directory(path), path, limit=SOON)

    async def copy(self, source: str, target: str) -> None:
        """Copy a file, a link itself, or a directory tree to exactly *target*."""
        for error in (await self.copy_all([(source, target)])).values():
            raise error

    async def copy_all(self, pairs: Sequence[tuple[str, str]]) -> Mapping[str, OSError]:
        """Copy many; return target -> why it failed."""
        if not pairs:
            return {}
        targets = {_plain(target): target for _, target in pairs}
        plain = [(_plain(source), _plain(target)) for source, target in pairs]
        ended = await self._said(scripts.copy_all(plain))
        answers.raise_for(ended, pairs[0][1], self._name)
        told = os.fsdecode(ended.stdout).split("\0")
        failed = {}
        for target, complaint in zip(told[::2], told[1::2], strict=False):
            one = Ended(1, b"", complaint)
            answers.check_tools(one, self._name)
            if why := answers.complaints_of(one):
                with answers.understood(self._name):
                    failed[targets[target]] = answers.error_of(why, targets[target])
        return failed

    async def move(self, source: str, target: str) -> None:
        """Rename to exactly *target*; from one file system to another: copy, then delete."""
        script = scripts.move(_plain(source), _plain(target))
        await self._done(script, source, limit=None)

    async def delete(self, path: str) -> None:
        """Delete a file, a link itself, or a directory tree."""
        if _is_root(path):
            raise PermissionError(errno.EPERM, "The root directory cannot be deleted", path)
        await self._done(scripts.delete(path.rstrip("/")), path, limit=None)

    # Events ------------------------------------------------------------------------------------

    async def watch(self, folder: str) -> AsyncGenerator[Sequence[str], None]:
        """Yield new names in *folder*; a batch is deleted when the next one is asked for."""
        script = scripts.watch(folder, self._watch_step, int(WATCH_IDLE / self._watch_step))
        while True:
            # It stays for hours: it takes none of the places that looks need.
            async with started(self._live, script, self._name) as command:
                async for batch in batches(command, self._name):
                    yield batch
                answers.raise_for(await command.end(), folder, self._name)


def _plain(path: str) -> str:
    """Return *path* without the slashes that would make a command follow a link at its end."""
    return path.rstrip("/") or "/"


def _is_root(path: str) -> bool:
    return os.path.normpath(path) in ("/", "//")
