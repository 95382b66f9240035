"""Small files of this machine, many per visit to a thread: made, read and looked at."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence

from .base import Content, Entry, Found
from .local_listing import info
from .names import aside_name, parent

#: How a file is opened that is written anew, and one that is gone on with.
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
CONTINUE = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
#: Not blocking, because what a job left under a file's name may be a pipe.
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_ABSENT = (errno.ENOENT, errno.ENOTDIR)


def make_directories(path: str) -> None:
    """Make a directory and its parents; Python makes at most some hundred of them one in the other."""
    try:
        os.makedirs(path, exist_ok=True)
    except RecursionError:
        raise OSError(errno.ENAMETOOLONG, "nested too deeply", path) from None


def create(aside: str, how: int = CREATE) -> int:
    """Open a new file, and make its directory when it is not there; return its descriptor."""
    try:
        return os.open(aside, how, 0o600)
    except FileNotFoundError:
        make_directories(parent(aside))
        return os.open(aside, how, 0o600)


def write_all(fd: int, content: bytes, path: str) -> None:
    """Write everything; an error names *path*, not the file that is written aside."""
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError as error:
        error.filename = path
        raise


@contextlib.contextmanager
def closing(fd: int) -> Iterator[None]:
    """Close the descriptor at the end of the block."""
    try:
        yield
    finally:
        os.close(fd)


def put_slice(entries: Sequence[tuple[int, Entry]], token: str) -> dict[str, OSError]:
    """Make files and directories; return path -> why it failed."""
    failed = {}
    for number, entry in entries:
        try:
            if entry.content is None:
                _make_directory(entry)
            else:
                _make_file(entry.path, entry.content, entry.mode, f"{token}-{number}")
        except OSError as error:
            failed[entry.path] = error
    return failed


def _make_directory(entry: Entry) -> None:
    """Make a directory; one that exists keeps its mode, for it may be the user's own."""
    if not os.path.isdir(entry.path):
        make_directories(entry.path)
        os.chmod(entry.path, entry.mode | (entry.mode & 0o444) >> 2)


def _make_file(path: str, content: bytes, mode: int, token: str) -> None:
    aside = aside_name(path, token)
    fd = create(aside)
    try:
        with closing(fd):
            write_all(fd, content, path)
            os.fchmod(fd, mode)
        os.rename(aside, path)
    except OSError:
        os.unlink(aside)
        raise


def open_regular(path: str) -> int:
    """Open a file for reading; a directory, pipe or device is refused."""
    fd = os.open(path, _OPEN)
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd
    os.close(fd)
    number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
    raise OSError(number, os.strerror(number), path)


def get_slice(paths: Sequence[str], limit: int) -> dict[str, Content]:
    """Return the first *limit* bytes of each file that is there."""
    found = {}
    for path in paths:
        try:
            fd = open_regular(path)
        except OSError as error:
            if error.errno in (*_ABSENT, errno.EISDIR, errno.EINVAL, errno.ENXIO):
                continue
            raise
        with open(fd, "rb", buffering=0) as file:
            found[path] = Content(file.read(limit), os.fstat(fd).st_mtime)
    return found


def look_slice(paths: Sequence[str]) -> dict[str, Found]:
    """Return where each path leads, and what is there."""
    return {path: Found(real := os.path.realpath(path), info(real)) for path in paths}
