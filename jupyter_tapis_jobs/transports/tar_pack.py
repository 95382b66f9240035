"""A tar archive made piece by piece from what lies on this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tarfile
from collections.abc import Iterator, Sequence

#: Bytes that are worth a visit to a thread.
PIECE = 1 << 20

_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_TYPES = {stat.S_IFREG: tarfile.REGTYPE, stat.S_IFDIR: tarfile.DIRTYPE, stat.S_IFLNK: tarfile.SYMTYPE}
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
#: What ends an archive.
END = bytes(2 * tarfile.BLOCKSIZE)


def packed(root: str, names: Sequence[str] | None) -> Iterator[bytes]:
    """Yield the archive of *names* below *root* (None: all of it) in pieces of about a megabyte.

    Pipes, sockets and devices are left out, and so is what disappears meanwhile.
    """
    if not stat.S_ISDIR(os.stat(root).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), root)
    waiting = bytearray()
    for part in _parts(root, sorted(os.listdir(root)) if names is None else names):
        waiting += part
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting + END)


def member(name: str, kind: bytes, *, size: int = 0, mode: int, modified: float, target: str = "") -> bytes:
    """Return the header of one member."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode, info.mtime, info.linkname = kind, size, mode, int(modified), target
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    """Return what fills the last block of a content of *size* bytes."""
    return bytes(-size % tarfile.BLOCKSIZE)


def _parts(root: str, names: Sequence[str]) -> Iterator[bytes]:
    """Yield headers and contents; each directory comes right before what it holds."""
    waiting = list(reversed(names))
    while waiting:
        name = waiting.pop()
        try:
            found = os.lstat(f"{root}/{name}")
        except OSError as error:
            if error.errno in _ABSENT:
                continue
            raise
        kind = _TYPES.get(stat.S_IFMT(found.st_mode))
        if kind == tarfile.REGTYPE:
            yield from _file(root, name)
        elif kind is not None:
            with contextlib.suppress(FileNotFoundError):
                yield _without_content(root, name, kind, found)
                if kind == tarfile.DIRTYPE:
                    waiting += sorted((f"{name}/{n}" for n in os.listdir(f"{root}/{name}")), reverse=True)


def _without_content(root: str, name: str, kind: bytes, found: os.stat_result) -> bytes:
    target = os.readlink(f"{root}/{name}") if kind == tarfile.SYMTYPE else ""
    return member(name, kind, mode=found.st_mode & 0o777, modified=found.st_mtime, target=target)


def _file(root: str, name: str) -> Iterator[bytes]:
    """Yield a file as long as it was when it was opened: what is cut off meanwhile comes as zeros."""
    try:
        fd = os.open(f"{root}/{name}", _OPEN)
    except FileNotFoundError:
        return
    with open(fd, "rb", buffering=0) as file:
        found = os.fstat(fd)
        left = found.st_size
        yield member(name, tarfile.REGTYPE, size=left, mode=found.st_mode & 0o777, modified=found.st_mtime)
        while left:
            content = file.read(min(left, PIECE)) or bytes(min(left, PIECE))
            left -= len(content)
            yield content
    yield padding(found.st_size)
