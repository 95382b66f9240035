"""The Files service: a user's files on a system, seen from the system's rootDir (Tapis Files).

Paths of the user are relative to rootDir whatever slash they begin with. They are made canonical,
resolved on the host and compared by components: what lies outside rootDir, also behind a link, is
refused.
"""

from __future__ import annotations

import asyncio
import fnmatch
import mimetypes
import posixpath
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol
from urllib.parse import quote

from ..model.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from ..model.paths import normalise, within
from ..model.slow_patterns import why_slow
from ..model.system import System
from ..model.user import User
from ..transports.base import FileInfo, Transport
from .access import refuse_no_host
from .download import Download, open_download
from .ports import Hosts
from .refusals import told
from .rights import PathRights, Right, effective_user

__all__ = ["Access", "Download", "FileService", "Place", "file_to_wire", "open_download"]

#: What is to be done with a path (Tapis Files, "Permissions"); MODIFY implies READ.
Access = Literal["READ", "MODIFY"]

#: Source: Tapis Files, "List files": default limit, and how deep a recursive listing goes.
LIMIT, DEPTH = 1000, 20
#: Entries that a listing with a pattern looks at.
SCAN_LIMIT = 200_000
#: Bytes of one page of the header ``more``.
PAGE = 1024
#: Characters of a pattern.
PATTERN_LIMIT = 256


class Systems(Protocol):
    """Finds systems, and what a user may do with their paths."""

    def for_files(self, user: User, system_id: str) -> tuple[System, PathRights]:
        """Return both; ``NotFoundError`` when there is no such system."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A system as one user sees it: how it is reached and where its files begin."""

    transport: Transport
    #: rootDir with its links resolved.
    root: str
    system_id: str
    #: What the user was given, from rootDir; "/" is all of the system.
    ground: str = "/"
    #: The same with its links resolved, which those below it do not leave.
    real_ground: str = "/"

    async def real(self, path: str) -> str:
        """Return where the user's *path* is on the host, links resolved."""
        real = await self._inside_root(path)
        if not within(self.real_ground, real):
            raise NotAllowedError(
                f"path {path!r} leads outside {self.ground}, which is what you were given on system "
                f"{self.system_id}."
            )
        return real

    async def _inside_root(self, path: str) -> str:
        real = await self.transport.real_path(_below(self.root, path))
        if not within(self.root, real):
            raise InvalidInputError(
                f"path {path!r} leads outside the rootDir of system {self.system_id}.",
                field="path",
                value=path,
            )
        return real

    async def entry(self, path: str) -> str:
        """Return where the entry *path* itself is: a link is not resolved, the way to it is.

        rootDir itself is refused: entries are there to be replaced, moved and deleted.
        """
        path = normalise(path)
        if path == "/":
            raise InvalidInputError(
                f"path {path!r} is the rootDir of system {self.system_id} itself; name something in it.",
                field="path",
                value=path,
            )
        # What was given may be a single file: then its directory was not.
        resolved = self._inside_root if path == self.ground else self.real
        return _below(await resolved(posixpath.dirname(path)), posixpath.basename(path))


class FileService:
    """Lists, reads, writes, moves and deletes a user's files on systems.

    Errors: ``InvalidInputError`` for a path outside rootDir, ``NotFoundError``, ``NotAllowedError``,
    ``ConflictError``, ``UnavailableError`` (disk full), ``TransportError`` (host not reached).
    """

    def __init__(self, hosts: Hosts, systems: Systems) -> None:
        self._hosts = hosts
        self._systems = systems

    async def list(
        self,
        user: User,
        system_id: str,
        path: str,
        *,
        limit: int = LIMIT,
        offset: int = 0,
        recurse: bool = False,
        pattern: str | None = None,
    ) -> Sequence[FileInfo]:
        """List a directory or the one file at *path*, by name; paths are relative to rootDir.

        *pattern* is a wildcard (``*``, ``?``) for the name, or ``regex:`` and a regular expression
        that is searched in it. A recursive listing goes 20 levels deep.
        """
        if limit < 0 or offset < 0:
            raise InvalidInputError("limit and offset must be 0 or more.", field="limit", value=limit)
        matches = _matcher(pattern)
        place = await self.place(user, system_id, path, "READ")
        with told(path):
            real = await place.real(path)
            scan = offset + limit if pattern is None else SCAN_LIMIT + 1
            found = await place.transport.list(real, recurse=recurse, depth=DEPTH, limit=scan)
        if len(found) > SCAN_LIMIT and pattern is not None:
            raise InvalidInputError(
                f"{path} holds more than {SCAN_LIMIT} entries; list a part of it.", field="path", value=path
            )
        chosen = [info for info in found if matches(info.name)]
        return [_shown(info, real, path) for info in chosen[offset : offset + limit]]

    async def stat(self, user: User, system_id: str, path: str, *, follow_links: bool = False) -> FileInfo:
        """Return what is at *path*: the link itself, or with *follow_links* what it leads to."""
        place = await self.place(user, system_id, path, "READ")
        with told(path):
            is_root = normalise(path) == "/"
            where = await (place.real(path) if follow_links or is_root else place.entry(path))
            return _shown(await _found(place.transport, where, path), where, path)

    async def open(
        self,
        user: User,
        system_id: str,
        path: str,
        *,
        as_zip: bool = False,
        byte_range: str | None = None,
        more: int | None = None,
    ) -> Download:
        """Open a file, a range of it (``0,999`` or ``bytes=0-999``), its page number *more*
        (1, 2, … of 1,024 bytes each), or a directory as a zip file."""
        if more is not None and more < 1:
            raise InvalidInputError(f"more is {more}; pages are counted from 1.", field="more", value=more)
        if byte_range is None and more is not None:
            byte_range = f"{(more - 1) * PAGE},{more * PAGE - 1}"
        place = await self.place(user, system_id, path, "READ")
        with told(path):
            real = await place.real(path)
            download = await open_download(
                place.transport,
                real,
                as_zip=as_zip,
                root=place.real_ground,
                byte_range=byte_range,
                shown=path,
            )
        name = posixpath.basename(normalise(path)) or system_id
        return replace(download, name=f"{name}.zip" if as_zip else name)

    async def insert(self, user: User, system_id: str, path: str, chunks: AsyncIterator[bytes]) -> int:
        """Write a file, making its parents; return its size in bytes.

        An older file is replaced when all of the new one is there.
        """
        place = await self.place(user, system_id, path, "MODIFY")
        with told(path):
            return await place.transport.write(await place.entry(path), chunks)

    async def mkdir(self, user: User, system_id: str, path: str) -> None:
        """Make a directory and its parents; an existing one is fine."""
        place = await self.place(user, system_id, path, "MODIFY")
        with told(path):
            await place.transport.mkdir(await place.real(path))

    async def move(self, user: User, system_id: str, path: str, new_path: str) -> None:
        """Move to *new_path*, or into it when it is a directory."""
        place = await self.place(user, system_id, path, "MODIFY")
        goal = await self.place(user, system_id, new_path, "MODIFY")
        with told(new_path):
            source, target = await _both_ends(place, goal, path, new_path)
            await place.transport.move(source, target)

    async def copy(self, user: User, system_id: str, path: str, new_path: str) -> None:
        """Copy to *new_path*, or into it when it is a directory; links are copied as links."""
        place = await self.place(user, system_id, path, "READ")
        goal = await self.place(user, system_id, new_path, "MODIFY")
        with told(new_path):
            source, target = await _both_ends(place, goal, path, new_path)
            await place.transport.copy(source, target)

    async def delete(self, user: User, system_id: str, path: str) -> None:
        """Delete a file, a link itself, or a directory with all in it."""
        place = await self.place(user, system_id, path, "MODIFY")
        with told(path):
            await place.transport.delete(await place.entry(path))

    async def place(self, user: User, system_id: str, path: str, access: Access) -> Place:
        """Return the system as *user* sees it, who is to read or to modify *path* there.

        Raises ``NotFoundError`` or ``NotAllowedError`` when they may not.
        """
        system, ground = await self.permitted(user, system_id, path, access)
        transport = await self._hosts.transport(system_id, effective_user(system, user.name))
        root = await transport.real_path(normalise(system.root_dir or "/"))
        real = root if ground == "/" else await transport.real_path(_below(root, ground))
        return Place(transport=transport, root=root, system_id=system_id, ground=ground, real_ground=real)

    async def permitted(self, user: User, system_id: str, path: str, access: Access) -> tuple[System, str]:
        """Return the system, and the directory from rootDir by which *user* may do it; asks no host."""
        system, rights = await asyncio.to_thread(self._systems.for_files, user, system_id)
        ground = rights.ground(path, Right(access))
        refuse_no_host(system)
        if not system.enabled:
            raise ConflictError(f"System {system_id} is disabled; its owner can enable it.")
        return system, ground


def file_to_wire(info: FileInfo, system_id: str) -> dict[str, Any]:
    """Return *info* (path relative to rootDir) as Tapis Files writes it."""
    return {
        "mimeType": mimetypes.guess_type(info.name)[0] if info.type == "file" else None,
        "type": info.type,
        "owner": info.owner,
        "group": info.group,
        "nativePermissions": info.native_permissions,
        "url": f"tapis://{system_id}/{quote(info.path, errors='surrogateescape')}",
        "lastModified": info.last_modified,
        "name": info.name,
        "path": info.path,
        "size": info.size,
    }


def _below(root: str, path: str) -> str:
    """Return canonical *path* below *root*, which the host gave and which may hold any character."""
    return (root.rstrip("/") + normalise(path)).rstrip("/") or "/"


def _shown(info: FileInfo, real: str, asked: str) -> FileInfo:
    """Return *info*, found at or below *real*, with the path that leads to it from rootDir as *asked*."""
    below = info.path[len(real) :].strip("/")
    path = "/".join(part for part in (normalise(asked)[1:], below) if part)
    return replace(info, name=posixpath.basename(path), path=path)


async def _found(transport: Transport, where: str, path: str) -> FileInfo:
    info = await transport.stat(where)
    if info is None:
        raise NotFoundError(f"{path} does not exist.")
    return info


async def _both_ends(place: Place, goal: Place, path: str, new_path: str) -> tuple[str, str]:
    """Return source and target of a move or copy; an existing directory as target takes the source in.

    Source: Tapis Files, "Move/copy": as ``mv`` and ``cp`` do, parents of the target are made.
    """
    source = await place.entry(path)
    await _found(place.transport, source, path)
    target = await goal.real(new_path)
    info = await goal.transport.stat(target)
    if info is not None and info.type == "dir":
        target = _in_folder(target, posixpath.basename(source))
    else:
        target = await goal.entry(new_path)
    if within(source, target):
        raise InvalidInputError(
            f"newPath {new_path!r} is {path!r} itself or lies inside it.", field="newPath", value=new_path
        )
    return source, target


def _in_folder(folder: str, name: str) -> str:
    """Return the path of *name* in *folder*, both as the host has them."""
    return f"{folder.rstrip('/')}/{name}"


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    """Return the test of a name (Tapis Files, "List files", pattern)."""
    if pattern is None or not pattern.strip():
        return lambda name: True
    if len(pattern) > PATTERN_LIMIT:
        raise InvalidInputError(
            f"pattern has {len(pattern)} characters; at most {PATTERN_LIMIT} are taken.", field="pattern"
        )
    if pattern[:6].lower() != "regex:":
        # Only * and ? are special in Tapis's wildcards.
        return lambda name: fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))
    try:
        compiled = re.compile(pattern[6:])
    except re.error as fault:
        raise InvalidInputError(
            f"pattern {pattern!r} is no regular expression: {fault}.", field="pattern", value=pattern
        ) from fault
    if why := why_slow(pattern[6:]):
        raise InvalidInputError(
            f"pattern {pattern!r} could take for ever on some names, as {why}.",
            field="pattern",
            value=pattern,
        )
    return lambda name: compiled.search(name) is not None
