"""A download: one file, a range of it, or a directory as a zip file that is never whole in memory."""

from __future__ import annotations

import asyncio
import posixpath
import re
import stat
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import IO, cast

from ..model.errors import InvalidInputError, NotFoundError
from ..model.paths import within
from ..transports.base import FileInfo, Transport
from .refusals import told

#: Everything is sent as this, so that no browser or client reads meaning into a job's bytes.
MEDIA_TYPE = "application/octet-stream"
#: Files up to so many bytes are read and packed so many at once.
SMALL, GROUP = 64 * 1024, 64
#: Little work for most of the gain: a download waits for the network.
COMPRESSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Bytes on their way to the user.

    ``size`` in bytes, None when only reading tells (zip). A range of a file starts at byte
    ``offset`` of ``total``. Close ``chunks`` when leaving them early.
    """

    name: str
    size: int | None
    chunks: AsyncGenerator[bytes, None]
    media_type: str = MEDIA_TYPE
    offset: int = 0
    total: int | None = None


async def open_download(
    transport: Transport,
    path: str,
    *,
    as_zip: bool = False,
    root: str = "/",
    byte_range: str | None = None,
    shown: str | None = None,
    hidden: Collection[str] = (),
    only: Collection[str] | None = None,
) -> Download:
    """Open the file at absolute *path*, or the directory as a zip file.

    Links are followed as long as they stay below *root*. *byte_range* is Tapis's ``first,last`` or
    HTTP's ``bytes=first-last``; *shown* is the path as the user knows it, for errors; *hidden* names
    what of a directory's own entries is left out of its zip file, *only* what alone goes into it.
    """
    shown = shown or path
    with told(shown):
        real_root, real = await transport.real_path(root), await transport.real_path(path)
        if not within(real_root, real):
            raise InvalidInputError(f"path {shown!r} leads outside {root}.", field="path", value=shown)
        info = await transport.stat(real)
        if info is None:
            raise NotFoundError(f"{shown} does not exist.")
        name = posixpath.basename(path.rstrip("/")) or "root"
        if as_zip:
            packed = _zip(transport, info, name, real_root, lambda own: _is_wanted(own, hidden, only))
            return Download(name=f"{name}.zip", size=None, chunks=_telling(packed, shown))
        _refuse_no_file(info, shown)
        offset, length = _range(byte_range, info.size)
        chunks = await _begun(transport.read(real, offset=offset, length=length))
        return Download(name=name, size=length, chunks=chunks, offset=offset, total=info.size)


def _refuse_no_file(info: FileInfo, shown: str) -> None:
    if info.type == "dir":
        raise InvalidInputError(
            f"{shown} is a directory; ask for it with zip=true, or for a file in it.",
            field="path",
            value=shown,
        )
    if info.type != "file":
        raise InvalidInputError(f"{shown} is neither a file nor a directory.", field="path", value=shown)


async def _begun(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Read the first chunk now: what the host refuses must be told before an answer has begun."""
    first = await anext(chunks, b"")

    async def all_of_it() -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks):
            if first:
                yield first
            async for chunk in chunks:
                yield chunk

    return all_of_it()


async def _telling(chunks: AsyncGenerator[bytes, None], shown: str) -> AsyncGenerator[bytes, None]:
    """Tell what the host refuses on the way, such as a directory in it that is closed."""
    with told(shown):
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk


# Ranges ----------------------------------------------------------------------------------------

_RANGE = re.compile(r"(?:bytes=)?\s*(\d*)\s*[-,]\s*(\d*)\s*")


def _range(text: str | None, size: int) -> tuple[int, int]:
    """Return (offset, length) of a range; both of its ends belong to it, as in Tapis and HTTP."""
    if text is None:
        return 0, size
    match = _RANGE.fullmatch(text)
    first, last = match.groups() if match else ("", "")
    if not (first or last) or (first and last and int(first) > int(last)):
        raise InvalidInputError(
            f"range {text!r} is not understood; write first,last (0,999) or bytes=first-last.",
            field="range",
            value=text,
        )
    if not first:
        return max(0, size - int(last)), min(size, int(last))
    start = min(int(first), size)
    return start, (min(int(last) + 1, size) if last else size) - start


# Zip files -------------------------------------------------------------------------------------


class _Sink:
    """Takes what the zip library writes until it is sent."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do: it is sent when it is taken."""

    def take(self) -> bytes:
        data = bytes(self._waiting)
        self._waiting.clear()
        return data


async def _zip(
    transport: Transport, top: FileInfo, name: str, root: str, is_wanted: Callable[[str], bool]
) -> AsyncGenerator[bytes, None]:
    """Yield a zip file of a directory's content, or of the one file *top*."""
    sink = _Sink()
    small: list[tuple[str, FileInfo]] = []
    with zipfile.ZipFile(
        cast(IO[bytes], sink), "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION
    ) as archive:
        async for member, info in _members(transport, top, name, root, is_wanted):
            if info.type == "dir":
                archive.writestr(_head(member + "/", info), b"")
            elif info.size > SMALL:
                async with aclosing(_pack_big(archive, sink, transport, member, info)) as pieces:
                    async for data in pieces:
                        yield data
            else:
                small.append((member, info))
            if len(small) == GROUP:
                await _pack_small(archive, transport, small)
                yield sink.take()
                small.clear()
        await _pack_small(archive, transport, small)
    yield sink.take()


async def _members(
    transport: Transport, top: FileInfo, name: str, root: str, is_wanted: Callable[[str], bool]
) -> AsyncIterator[tuple[str, FileInfo]]:
    """Yield (name in the archive, what is packed): directories, files, and the files that links lead to."""
    for info in await transport.list(top.path, recurse=True):
        member = posixpath.relpath(info.path, top.path) if top.type == "dir" else name
        if not is_wanted(member.split("/", 1)[0]):
            continue
        found = await _linked_file(transport, info, root) if info.type == "symbolic_link" else info
        if found and found.type in ("file", "dir"):
            yield member, found


def _is_wanted(own: str, hidden: Collection[str], only: Collection[str] | None) -> bool:
    return own not in hidden and (only is None or own in only)


async def _linked_file(transport: Transport, link: FileInfo, root: str) -> FileInfo | None:
    """Return the file a link leads to, if it is below *root*. A directory could hold the link itself."""
    real = await transport.real_path(link.path)
    found = await transport.stat(real) if within(root, real) else None
    return found if found and found.type == "file" else None


async def _pack_small(
    archive: zipfile.ZipFile, transport: Transport, members: list[tuple[str, FileInfo]]
) -> None:
    """Add small files, read together. One that grew is packed up to the size it was listed with."""
    found = await transport.get([info.path for _, info in members], limit=SMALL)
    whole = [
        (_head(name, info), found[info.path].data[: info.size])
        for name, info in members
        if info.path in found
    ]
    await asyncio.to_thread(_write_all, archive, whole)


def _write_all(archive: zipfile.ZipFile, members: Iterable[tuple[zipfile.ZipInfo, bytes]]) -> None:
    for head, data in members:
        archive.writestr(head, data)


async def _pack_big(
    archive: zipfile.ZipFile, sink: _Sink, transport: Transport, name: str, info: FileInfo
) -> AsyncGenerator[bytes, None]:
    try:
        chunks = await _begun(transport.read(info.path, length=info.size))
    except FileNotFoundError:
        # A running job deletes files while they are packed.
        return
    with archive.open(_head(name, info), "w", force_zip64=True) as member:
        async with aclosing(chunks):
            async for chunk in chunks:
                await asyncio.to_thread(member.write, chunk)
                yield sink.take()


def _head(name: str, info: FileInfo) -> zipfile.ZipInfo:
    """Return a member's header. A byte that is no UTF-8 becomes ``%FF``, for zip names are text."""
    text = re.sub("[\udc80-\udcff]", lambda match: f"%{ord(match[0]) - 0xDC00:02X}", name)
    head = zipfile.ZipInfo(text, _zip_time(info.last_modified))
    head.compress_type = zipfile.ZIP_STORED if info.type == "dir" else zipfile.ZIP_DEFLATED
    kind = stat.S_IFDIR if info.type == "dir" else stat.S_IFREG
    head.external_attr = (kind | _mode(info.native_permissions)) << 16
    return head


def _zip_time(text: str) -> tuple[int, int, int, int, int, int]:
    """Return a zip file's kind of time, which begins in 1980 and ends with 2107."""
    year, month, day, hour, minute, second = map(int, re.findall(r"\d+", text)[:6])
    return (year, month, day, hour, minute, second) if 1980 <= year <= 2107 else (1980, 1, 1, 0, 0, 0)


def _mode(permissions: str) -> int:
    """Return ``rwxr-x---`` as a number."""
    return sum(1 << (8 - place) for place, letter in enumerate(permissions[:9]) if letter not in "-ST")
