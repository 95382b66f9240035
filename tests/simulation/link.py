"""A transport to the made-up machine for one life of an engine, over a link on which everything can go wrong.

A call that was given up may have been carried out, may still be, or may be carried out twice: what has
reached the host goes on there by itself, whatever becomes of the link or the engine.
"""

from __future__ import annotations

import asyncio
import errno
import io
import json
import posixpath
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from jupyter_tapis_jobs.model.errors import TransportError
from jupyter_tapis_jobs.model.times import iso
from jupyter_tapis_jobs.transports.base import Answer, Content, Entry, FileInfo, Found

from . import shell
from .world import World

T = TypeVar("T")

LOST = "the link to the host was lost"
#: Seconds after which a link that says nothing counts as lost (keepalive 15 s x 3).
PATIENCE = 45.0
#: Seconds by which a call can come late.
LATEST = 90.0
#: Entries of a ``put`` between two places where the link can break.
SLICE = 200

#: What the host does with an order: (op) -> (exit code, text).
Orders = Mapping[str, Callable[[Mapping[str, Any]], Awaitable[tuple[int, str]]]]


class Link:
    """All the verbs; ``point`` is awaited wherever the engine waits and never returns to a dead one."""

    def __init__(self, world: World, orders: Orders, point: Callable[[], Awaitable[None]]) -> None:
        self.world = world
        self._orders = orders
        self._point = point

    # -- the way there and back

    async def _call(self, verb: str, effect: Callable[[], Awaitable[T]], timeout: float = 60.0) -> T:
        """Have *effect* done on the host; the link may break before, during or after it."""
        world, random = self.world, self.world.random
        world.calls[verb] += 1
        await self._half()
        if random.random() < world.late:
            world.spawn(self._later(effect, random.uniform(1.0, LATEST)))
            await asyncio.sleep(random.uniform(1.0, PATIENCE))
            raise TransportError(LOST)
        if random.random() < world.doubled:
            world.spawn(self._later(effect, random.uniform(0.0, 5.0)))
        work = world.spawn(self._later(effect, random.uniform(0.0, world.slowness)))
        try:
            result = await asyncio.wait_for(asyncio.shield(work), timeout)
        except TimeoutError:
            raise TransportError(f"the host did not answer within {timeout:.0f} s") from None
        await self._half()
        return result

    async def _half(self) -> None:
        """Half of a call's way."""
        world = self.world
        await asyncio.sleep(world.random.uniform(0.001, 0.05))
        await self._point()
        if world.frozen is not None:
            try:
                await asyncio.wait_for(world.frozen.wait(), PATIENCE)
            except TimeoutError:
                raise TransportError("the link to the host does not answer") from None
        if world.is_down or world.random.random() < world.trouble:
            raise TransportError(LOST)

    async def _later(self, effect: Callable[[], Awaitable[T]], seconds: float) -> T:
        if seconds > 0.0:
            await asyncio.sleep(seconds)
        return await effect()

    async def _do(self, verb: str, work: Callable[[], T]) -> T:
        async def effect() -> T:
            return work()

        return await self._call(verb, effect)

    # -- verbs

    async def run(self, script: str, *, timeout: float = 60.0, live: bool = False) -> Answer:
        if not script.startswith("{"):
            # A shell's script: of what it reads, the last lines of outputs, this host holds nothing.
            return await self._do("run shell", lambda: Answer(0, "", ""))
        if not script.startswith("{"):
            return await self._do("run script", lambda: shell.run(script, self.world.disk))
        order = json.loads(script)

        async def effect() -> Answer:
            code, text = await self._orders[order["op"]](order)
            return Answer(code, text, "")

        return await self._call(f"run {order['op']}", effect, timeout)

    async def put(self, entries: Iterable[Entry]) -> Mapping[str, OSError]:
        wanted = list(entries)

        async def effect() -> Mapping[str, OSError]:
            failed: dict[str, OSError] = {}
            for number, entry in enumerate(wanted):
                if number % SLICE == SLICE - 1:
                    await asyncio.sleep(0.01)
                try:
                    self._make(entry)
                except OSError as fault:
                    failed[entry.path] = fault
            return failed

        return await self._call("put", effect)

    def _make(self, entry: Entry) -> None:
        disk = self.world.disk
        if disk.is_full and disk.kind(entry.path) is None:
            raise OSError(errno.ENOSPC, "No space left on device", entry.path)
        if entry.content is None:
            disk.mkdir(entry.path)
        else:
            disk.mkdir(posixpath.dirname(entry.path))
            disk.write(entry.path, entry.content)

    async def get(self, paths: Sequence[str], *, limit: int = 65536) -> Mapping[str, Content]:
        disk = self.world.disk
        return await self._do(
            "get",
            lambda: {
                path: Content(disk.read(path)[:limit], disk.modified(path))
                for path in paths
                if disk.kind(path) == "file"
            },
        )

    async def read(
        self, path: str, *, offset: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        yield (await self._do("read", lambda: self.world.disk.read(path)))[offset:][:length]

    async def write(
        self, path: str, chunks: AsyncIterator[bytes], *, mode: int = 0o660, resume: str | None = None
    ) -> int:
        data = b"".join([chunk async for chunk in chunks])

        def effect() -> int:
            if self.world.disk.is_full:
                raise OSError(errno.ENOSPC, "No space left on device", path)
            self.world.write(path, data)
            return len(data)

        return await self._do("write", effect)

    async def written(self, path: str, resume: str) -> int:
        return await self._do("written", lambda: 0)

    async def look(self, paths: Sequence[str]) -> Mapping[str, Found]:
        return await self._do("look", lambda: {path: Found(path, self._info(path)) for path in paths})

    async def copy_all(self, pairs: Sequence[tuple[str, str]]) -> Mapping[str, OSError]:
        def effect() -> Mapping[str, OSError]:
            failed: dict[str, OSError] = {}
            for source, target in pairs:
                try:
                    self.world.disk.copy(source, target)
                except OSError as fault:
                    failed[target] = fault
            return failed

        return await self._do("copy_all", effect)

    async def pack(self, root: str, names: Sequence[str] | None = None) -> AsyncGenerator[bytes, None]:
        yield await self._do("pack", lambda: self._archive(root, names))

    def _archive(self, root: str, names: Sequence[str] | None) -> bytes:
        disk, packed = self.world.disk, io.BytesIO()
        if disk.kind(root) is None:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", root)
        tops = [root] if names is None else [f"{root}/{name}" for name in names]
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path in (p for top in tops for p in (top, *disk.walk(top)) if p != root):
                member = tarfile.TarInfo(path[len(root) + 1 :])
                if disk.kind(path) == "dir":
                    member.type = tarfile.DIRTYPE
                    archive.addfile(member)
                elif disk.kind(path) == "file":
                    member.size = len(disk.read(path))
                    archive.addfile(member, io.BytesIO(disk.read(path)))
        return packed.getvalue()

    async def unpack(
        self, root: str, chunks: AsyncIterator[bytes], *, within: Sequence[str] | None = None
    ) -> None:
        data = b"".join([chunk async for chunk in chunks])

        def effect() -> None:
            self.world.disk.mkdir(root)
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for member in archive:
                    if member.isdir():
                        self.world.disk.mkdir(f"{root}/{member.name}".rstrip("/"))
                    elif (content := archive.extractfile(member)) is not None:
                        self.world.write(f"{root}/{member.name}", content.read())

        await self._do("unpack", effect)

    async def list(
        self, path: str, *, recurse: bool = False, depth: int | None = None, limit: int | None = None
    ) -> Sequence[FileInfo]:
        def effect() -> list[FileInfo]:
            if self.world.disk.kind(path) is None:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
            below = self.world.disk.walk(path)
            found = [p for p in below if recurse or posixpath.dirname(p) == path]
            return [info for p in found[:limit] if (info := self._info(p)) is not None]

        return await self._do("list", effect)

    async def list_all(
        self, folders: Sequence[str], *, depth: int | None = None
    ) -> Mapping[str, Sequence[FileInfo]]:
        def below(folder: str) -> list[FileInfo]:
            paths = self.world.disk.walk(folder)
            near = [p for p in paths if depth is None or p[len(folder) :].count("/") <= depth]
            return [info for p in near if (info := self._info(p)) is not None]

        def effect() -> dict[str, list[FileInfo]]:
            return {folder: below(folder) for folder in folders if self.world.disk.kind(folder) == "dir"}

        return await self._do("list_all", effect)

    async def stat(self, path: str) -> FileInfo | None:
        return await self._do("stat", lambda: self._info(path))

    def _info(self, path: str) -> FileInfo | None:
        disk = self.world.disk
        if (kind := disk.kind(path)) is None:
            return None
        size = len(disk.read(path)) if kind == "file" else 0
        return FileInfo(
            path=path,
            name=posixpath.basename(path),
            type=kind,
            size=size,
            last_modified=iso(disk.modified(path)),
        )

    async def real_path(self, path: str) -> str:
        return path

    async def mkdir(self, path: str) -> None:
        await self._do("mkdir", lambda: self.world.mkdir(path))

    async def copy(self, source: str, target: str) -> None:
        await self._do("copy", lambda: self.world.disk.copy(source, target))

    async def move(self, source: str, target: str) -> None:
        def effect() -> None:
            self.world.disk.copy(source, target)
            self.world.disk.delete(source)

        await self._do("move", effect)

    async def delete(self, path: str) -> None:
        await self._do("delete", lambda: self.world.disk.delete(path))

    async def environment(self, names: Sequence[str]) -> Mapping[str, str]:
        return await self._do("environment", lambda: {"HOME": "/home/ada"})

    async def close(self) -> None:
        """Nothing is kept open."""

    async def watch(self, folder: str) -> AsyncGenerator[Sequence[str], None]:
        disk, news = self.world.disk, asyncio.Event()
        await self._do("watch", lambda: self.world.mkdir(folder))
        listeners = disk.on_new.setdefault(folder, {})
        listeners[news.set] = None
        try:
            while True:
                news.clear()
                names = [name for name in disk.names(folder) if not name.startswith(".")]
                if not names:
                    await news.wait()
                    await asyncio.sleep(0.1)
                    continue
                await self._half()
                yield names
                for name in names:
                    if disk.kind(f"{folder}/{name}") is not None:
                        disk.delete(f"{folder}/{name}")
        finally:
            listeners.pop(news.set, None)
