"""Gives the members of a tar stream other names while it passes, so that many trees travel in one."""

from __future__ import annotations

import asyncio
import errno
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import cast

from ..transports import tar_headers

_BLOCK = tarfile.BLOCKSIZE
#: Members without content, whatever size they state.
_EMPTY = (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)
#: Bytes that are looked at before others get their turn.
_SLICE = 1 << 16

#: Returns a member's new name; None leaves it out.
Rename = Callable[[str], str | None]


def below(places: Mapping[str, str]) -> Rename:
    """Return the renaming that moves whole trees: directory -> where it goes; all else is left out.

    Names are relative to the archive's root, and no directory lies in another one.
    """
    known: dict[str, str | None] = {"": None, **places}

    def place_of(name: str) -> str | None:
        if name not in known:
            parent, _, last = name.rpartition("/")
            above = place_of(parent)
            if above is None:
                return None
            known[name] = f"{above}/{last}"
        return known[name]

    def rename(name: str) -> str | None:
        name = name.removeprefix("./").rstrip("/")
        if name in places:
            return places[name]
        # Only directories are remembered: there are fewer of them than of files.
        parent, _, last = name.rpartition("/")
        above = place_of(parent)
        return None if above is None else f"{above}/{last}"

    return rename


async def renamed(chunks: AsyncIterator[bytes], rename: Rename) -> AsyncGenerator[bytes, None]:
    """Pass a tar stream on with other names; raises ``OSError`` (EINVAL) for what is no tar archive."""
    renamer = Renamer(rename)
    async with aclosing(cast(AsyncGenerator[bytes, None], chunks)):
        async for chunk in chunks:
            for start in range(0, len(chunk), _SLICE):
                if passed := renamer.feed(chunk[start : start + _SLICE]):
                    yield passed
                await asyncio.sleep(0)
    yield renamer.finish()


class Renamer:
    """Takes an archive's bytes with ``feed`` (any sizes) and returns what becomes of them."""

    def __init__(self, rename: Rename) -> None:
        self._rename = rename
        self._waiting = bytearray()
        #: Bytes of content and padding that are still to come, and whether they are passed on.
        self._left = 0
        self._passes = False
        self._about: tuple[bytes, int, bytearray] | None = None
        self._next: dict[str, str] = {}
        self._ended = False

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the archive; return the next ones of the renamed archive."""
        if self._ended:
            return b""
        self._waiting += piece
        out = bytearray()
        position = 0
        while not self._ended:
            if self._left:
                part = self._waiting[position : position + self._left]
                if not part:
                    break
                position += len(part)
                self._content(part, out)
            elif len(self._waiting) - position >= _BLOCK:
                self._header(bytes(self._waiting[position : position + _BLOCK]), out)
                position += _BLOCK
            else:
                break
        del self._waiting[:position]
        return bytes(out)

    def finish(self) -> bytes:
        """Return the archive's end; one that broke off is refused."""
        if not self._ended and (self._left or self._waiting or self._next):
            raise OSError(errno.EINVAL, "The archive breaks off")
        return bytes(2 * _BLOCK)

    def _content(self, part: bytearray, out: bytearray) -> None:
        self._left -= len(part)
        if self._about is not None:
            self._about[2].extend(part)
            if not self._left:
                kind, size, content = self._about
                self._about = None
                self._next |= tar_headers.told(kind, bytes(content[:size]))
        elif self._passes:
            out += part

    def _header(self, block: bytes, out: bytearray) -> None:
        if not any(block):
            self._ended = True
            return
        info = tar_headers.header(block)
        if info.type in tar_headers.ABOUT_NEXT:
            self._about = (info.type, info.size, bytearray())
            self._left = _padded(info.size)
            return
        told, self._next = self._next, {}
        tar_headers.apply(info, told)
        self._left = 0 if info.type in _EMPTY else _padded(info.size)
        name = None if info.type == tarfile.XGLTYPE else self._rename(info.name)
        # The other name of a hard link is in the archive too; one that leads elsewhere is left out.
        other = self._rename(info.linkname) if info.type == tarfile.LNKTYPE else info.linkname
        self._passes = name is not None and other is not None
        if name is None or other is None:
            return
        info.name, info.linkname = name, other
        out += info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _padded(size: int) -> int:
    return size + -size % _BLOCK
