"""Where inputs and images come from: a URL, found on its host or on the Web, brought to another host."""

from __future__ import annotations

import hashlib
import posixpath
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from ..model.errors import InvalidInputError
from ..model.job import Job, JobDefinition
from ..model.paths import join, normalise, within
from ..model.system import System
from ..model.times import parse_iso
from ..transports.base import FileInfo, Transport
from .ports import Ports

#: Opens an http(s) URL: (url) -> chunks. Given from outside, so that no test reaches the Web.
Fetch = Callable[[str], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something that can be read; ``path`` and ``transport`` are None for the Web."""

    url: str
    name: str
    #: None when only reading tells.
    size: int | None
    modified: float
    open: Callable[[], AsyncIterator[bytes]]
    transport: Transport | None = None
    path: str | None = None
    is_directory: bool = False

    async def content(self) -> bytes:
        """Read all of a small source."""
        return b"".join([chunk async for chunk in self.open()])


class Sources:
    """Finds and brings what ``tapis://``, ``http(s)://`` and host paths name."""

    def __init__(self, ports: Ports, *, system: Callable[[str], Awaitable[System]], fetch: Fetch) -> None:
        self._ports = ports
        self._system = system
        self._fetch = fetch

    async def find(self, url: str, job: Job, host: Transport) -> Source | None:
        """Return the source that *url* names for *job*, whose own host is *host*; None if it is not there."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme in ("http", "https"):
            name = posixpath.basename(urllib.parse.unquote(parts.path)) or "image"
            return Source(url=url, name=name, size=None, modified=0.0, open=lambda: self._fetch(url))
        if parts.scheme == "tapis":
            transport, path = await self._located(url, job, host)
        elif url.startswith("/"):
            transport, path = host, normalise(url)
        else:
            raise InvalidInputError(
                f"{url} is not a tapis:// or http(s):// URL or an absolute path.", value=url
            )
        info = await transport.stat(await transport.real_path(path))
        return None if info is None else _on_host(url, posixpath.basename(path), info, transport)

    async def _located(self, url: str, job: Job, host: Transport) -> tuple[Transport, str]:
        """Return the transport and the path of a ``tapis://`` URL; the path must stay below rootDir."""
        system_id, _, tail = url.removeprefix("tapis://").partition("/")
        tail = urllib.parse.unquote(tail, errors="surrogateescape")
        system = await self._system(system_id)
        root = system.root_dir or "/"
        path = join(root, tail)
        same = system_id == job.exec_system_id
        user = job.effective_user_id if same else effective_user(system, job.owner)
        transport = host if same else await self._ports.hosts.transport(system_id, user)
        if not within(await transport.real_path(root), await transport.real_path(path)):
            raise InvalidInputError(
                f"{url} leads outside the rootDir {root} of system {system_id}.", value=url
            )
        return transport, path

    async def bring(self, url: str, job: Job, host: Transport, target: str) -> bool:
        """Bring what *url* names to *target* on *host*; return False when it does not exist."""
        source = await self.find(url, job, host)
        if source is None:
            return False
        if source.transport is host and source.path is not None:
            await host.mkdir(posixpath.dirname(target))
            await host.copy(source.path, target)
        elif source.is_directory:
            await self._bring_tree(source, host, target)
        else:
            await host.write(target, source.open())
        return True

    async def _bring_tree(self, source: Source, host: Transport, target: str) -> None:
        if source.transport is None or source.path is None:
            raise InvalidInputError(f"{source.url} is a directory on the Web; only single files are copied.")
        await host.mkdir(target)
        for info in await source.transport.list(source.path, recurse=True):
            place = f"{target}/{posixpath.relpath(info.path, source.path)}"
            if info.type == "dir":
                await host.mkdir(place)
            elif info.type == "file":
                await host.write(place, source.transport.read(info.path))

    async def archive_place(self, job: Job, definition: JobDefinition) -> tuple[Transport, str]:
        """Return the transport and directory of an archive that lies on another system."""
        system = await self._system(definition.archive_system_id)
        transport = await self._ports.hosts.transport(system.id, effective_user(system, job.owner))
        return transport, join(system.root_dir or "/", definition.archive_system_dir)

    async def on_host(self, source: Source, host: Transport, folder: str) -> str:
        """Return a path on *host* of a source's bytes, brought into *folder* when they lie elsewhere."""
        if source.transport is host and source.path is not None:
            return source.path
        key = hashlib.sha256(f"{source.url}\n{source.modified}\n{source.size}".encode()).hexdigest()[:16]
        path = f"{folder}/{key}/{source.name}"
        # What the Web holds can change behind the same URL: it is fetched for each cohort.
        if source.transport is None or await host.stat(path) is None:
            await host.write(path, source.open())
        return path


def effective_user(system: System, owner: str) -> str:
    """Return the host user that works on *system* for *owner* (Tapis Systems, "effectiveUserId")."""
    fixed = system.effective_user_id or "${apiUserId}"
    return owner if fixed in ("${apiUserId}", "${owner}") else fixed


def _on_host(url: str, name: str, info: FileInfo, transport: Transport) -> Source:
    return Source(
        url=url,
        name=name,
        size=info.size,
        modified=parse_iso(info.last_modified),
        open=lambda: transport.read(info.path),
        transport=transport,
        path=info.path,
        is_directory=info.type == "dir",
    )
