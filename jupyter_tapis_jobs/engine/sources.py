"""Where inputs and images come from: URLs, found on their hosts in bulk, or on the Web."""

from __future__ import annotations

import hashlib
import posixpath
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..model.errors import InvalidInputError, NotAllowedError, NotFoundError, TapisJobsError
from ..model.job import ARCHIVE, Job, JobDefinition
from ..model.paths import join, normalise, within
from ..model.system import System
from ..model.urls import TAPIS, system_and_path
from ..transports.base import FileInfo, Found, Transport
from .lane import LaneKey
from .ports import Ports
from .rights import PathRights, Right
from .rights import effective_user as effective_user

#: Opens an http(s) URL: (url) -> chunks. Given from outside, so that no test reaches the Web.
Fetch = Callable[[str], AsyncIterator[bytes]]

#: A URL, the owner of the job that names it (another owner may be another user of its host), and whose
#: rights count besides: the owner's of an app that is shared, or "".
Wish = tuple[str, str, str]

#: Tells what a user's job may do with a system's paths.
Paths = Callable[[str, System], Awaitable[PathRights]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something that can be read; ``path`` and ``transport`` are None for what is on no host."""

    url: str
    name: str
    #: Names these very bytes: what has the same key need not be brought twice.
    key: str
    #: In bytes; None when only reading tells.
    size: int | None
    #: Opens it from a byte on; what is on the Web only from its beginning.
    open: Callable[[int], AsyncIterator[bytes]]
    transport: Transport | None = None
    path: str | None = None
    is_directory: bool = False
    #: Of a copy that is written anew; what its owner may execute stays so.
    mode: int = 0o660
    #: The bytes themselves, where they are known already.
    content: bytes | None = None
    #: What a host showed of it.
    seen: FileInfo | None = None

    async def read(self) -> bytes:
        """Read all of a small source."""
        if self.content is not None:
            return self.content
        return b"".join([chunk async for chunk in self.open(0)])

    async def is_unchanged(self) -> bool:
        """Tell whether its host still shows the file that it showed before."""
        if self.transport is None or self.path is None or self.seen is None:
            return False
        now = await self.transport.stat(self.path)
        then = (self.seen.size, self.seen.last_modified)
        return now is not None and (now.size, now.last_modified) == then


def known_source(url: str, name: str, content: bytes) -> Source:
    """Return a source whose bytes are here already."""
    return Source(
        url=url,
        name=name,
        key=_key("content", hashlib.sha256(content).hexdigest()),
        size=len(content),
        open=lambda offset: _one(content[offset:]),
        content=content,
    )


def host_source(url: str, where: LaneKey, transport: Transport, info: FileInfo, name: str = "") -> Source:
    """Return what is at a real path of a host."""
    return Source(
        url=url,
        name=name or info.name,
        key=_key(*where, info.path, info.last_modified, str(info.size)),
        size=None if info.type == "dir" else info.size,
        # No more than was seen: what still grows would never be whole.
        open=lambda offset: transport.read(info.path, offset=offset, length=info.size - offset),
        transport=transport,
        path=info.path,
        is_directory=info.type == "dir",
        mode=0o770 if "x" in info.native_permissions[:3] else 0o660,
        seen=info,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a URL leads on a host, before its links are resolved."""

    where: LaneKey
    root: str
    path: str
    #: What the owner may read: links may not lead out of it.
    ground: str


class Sources:
    """Finds what ``tapis://``, ``http(s)://`` and host paths name."""

    def __init__(
        self, ports: Ports, *, system: Callable[[str], Awaitable[System]], paths: Paths, fetch: Fetch
    ) -> None:
        self._ports = ports
        self._system = system
        self._paths = paths
        self._fetch = fetch

    async def find(self, url: str, job: Job, host: Transport, context: str = "") -> Source | None:
        """Return the source that *url* names for *job*, whose own host is *host*; None if it is not there."""
        wish = (url, job.owner, context)
        found = (await self.find_all([wish], job.lane, host))[wish]
        if isinstance(found, Exception):
            raise found
        return found

    async def find_all(
        self, wishes: Collection[Wish], lane: LaneKey, host: Transport
    ) -> Mapping[Wish, Source | TapisJobsError | OSError | None]:
        """Find what the jobs of a lane wish for, by one look at each host.

        None is for what is not there. Trouble of another host is told per wish; trouble of the lane's own
        *host* is raised.
        """
        found: dict[Wish, Source | TapisJobsError | OSError | None] = {}
        places: dict[LaneKey, dict[Wish, _Place]] = {}
        known: dict[tuple[str, str], PathRights] = {}
        for wish in wishes:
            try:
                if (place := await self._place(wish, lane, known)) is None:
                    found[wish] = self._web_source(wish[0])
                else:
                    places.setdefault(place.where, {})[wish] = place
            except TapisJobsError as fault:
                found[wish] = fault
        for where, there in places.items():
            try:
                transport = host if where == lane else await self._ports.hosts.transport(*where)
                found |= await _look(there, transport)
            except TapisJobsError as trouble:
                if where == lane:
                    raise
                found |= dict.fromkeys(there, trouble)
        return found

    async def _place(
        self, wish: Wish, lane: LaneKey, known: dict[tuple[str, str], PathRights]
    ) -> _Place | None:
        """Return where a wish leads; None for the Web."""
        url, owner, context = wish
        if url.startswith(("http://", "https://")):
            return None
        if url.startswith("/"):
            return _Place(lane, "/", normalise(url), "/")
        if not url.startswith(TAPIS):
            raise InvalidInputError(
                f"{url} is not a tapis:// or http(s):// URL or an absolute path.", value=url
            )
        system_id, tail = system_and_path(url)
        system = await self._system(system_id)
        root = system.root_dir or "/"
        path = urllib.parse.unquote(tail, errors="surrogateescape")
        if system_id == lane[0]:
            # The job itself can read there what its host user can.
            return _Place(lane, root, join(root, path), root)
        ground = await self._ground((owner, context), system, path, Right.READ, known)
        return _Place((system_id, effective_user(system, owner)), root, join(root, path), join(root, ground))

    async def _ground(
        self,
        people: Sequence[str],
        system: System,
        path: str,
        right: Right,
        known: dict[tuple[str, str], PathRights],
    ) -> str:
        """Return what gives one of *people* the right on a path; the first one's refusal is what is told."""
        refusal: TapisJobsError | None = None
        for person in filter(None, people):
            key = (person, system.id)
            if key not in known:
                known[key] = await self._paths(person, system)
            try:
                return known[key].ground(path, right)
            except (NotAllowedError, NotFoundError) as fault:
                refusal = refusal or fault
        raise refusal or NotAllowedError(f"Nobody may use {path} on system {system.id}.")

    def _web_source(self, url: str) -> Source:
        name = posixpath.basename(urllib.parse.unquote(urllib.parse.urlsplit(url).path)) or "image"
        # What the Web holds can change behind the same URL: a key is good for one cohort.
        key = _key("web", url, f"{self._ports.random.getrandbits(64):x}")
        return Source(url=url, name=name, key=key, size=None, open=lambda offset: self._fetch(url))

    async def archive_host(self, job: Job, definition: JobDefinition) -> tuple[LaneKey, str, str]:
        """Return who keeps a job's archive elsewhere, (system, user), the system's rootDir, and what the
        owner was given there (absolute): links may not lead out of it.

        Raises ``NotFoundError`` or ``NotAllowedError`` when the owner may not write there.
        """
        system = await self._system(definition.archive_system_id)
        root = system.root_dir or "/"
        people = (job.owner, definition.contexts.get(ARCHIVE, ""))
        ground = await self._ground(people, system, definition.archive_system_dir, Right.MODIFY, {})
        return (system.id, effective_user(system, job.owner)), root, join(root, ground)

    async def node(self, job: Job, system_id: str) -> LaneKey:
        """Return (system, user) of a job's data transfer node."""
        return system_id, effective_user(await self._system(system_id), job.owner)


async def _look(
    places: Mapping[Wish, _Place], transport: Transport
) -> dict[Wish, Source | TapisJobsError | OSError | None]:
    """Look at many places of one host together; one by one when the host refuses to say it of all."""
    try:
        seen = await transport.look(
            _unique(p for place in places.values() for p in (place.root, place.ground, place.path))
        )
    except OSError as fault:
        if len(places) == 1:
            return dict.fromkeys(places, fault)
        alone = [await _look({wish: place}, transport) for wish, place in places.items()]
        return {wish: found for one in alone for wish, found in one.items()}
    return {wish: _seen(wish[0], place, seen, transport) for wish, place in places.items()}


def _seen(
    url: str, place: _Place, seen: Mapping[str, Found], transport: Transport
) -> Source | InvalidInputError | None:
    """Return what was seen; a path must stay below rootDir once its links are resolved."""
    if not within(seen[place.root].real_path, seen[place.path].real_path):
        return InvalidInputError(
            f"{url} leads outside the rootDir {place.root} of system {place.where[0]}.", value=url
        )
    if not within(seen[place.ground].real_path, seen[place.path].real_path):
        return InvalidInputError(
            f"{url} leads outside {place.ground}, which is what the job's owner was given on system "
            f"{place.where[0]}.",
            value=url,
        )
    info = seen[place.path].info
    if info is not None and info.type not in ("file", "dir"):
        return InvalidInputError(f"{url} is neither a file nor a directory.", value=url)
    name = posixpath.basename(place.path)
    return None if info is None else host_source(url, place.where, transport, info, name)


def _unique(paths: Iterable[str]) -> Sequence[str]:
    return list(dict.fromkeys(paths))


def _key(*words: str) -> str:
    text = "\n".join(words).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:24]


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content
