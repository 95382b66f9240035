"""This machine as a host: files by the operating system's own calls, scripts by ``/bin/sh``.

Blocking calls run on a thread and in slices, so that neither the event loop nor the rest of the
process waits for a long listing. Plain ``os`` calls are used where a study makes thousands of files,
and because names on a host are bytes: what is not UTF-8 travels as surrogate escapes.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import grp
import os
import pwd
import re
import secrets
import shutil
import signal
import stat
import sys
import tempfile
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from functools import lru_cache
from itertools import islice
from typing import IO

from ..model.errors import TransportError
from ..model.times import iso
from . import base
from .base import Answer, Content, Entry, FileInfo, Found
from .complaints import error_of
from .names import aside_name, parent, part_token
from .tar_pack import packed
from .tar_unpack import Unpacker

#: Bytes per step of a stream.
CHUNK = 1 << 20
#: Entries made or listed per visit to a thread: a few milliseconds.
SLICE = 250
#: Files up to here are copied without a process of their own.
SMALL_COPY = 1 << 18
#: Seconds between two looks into a watched folder: while events come, and at most when it is quiet.
BUSY, QUIET = 0.05, 0.25

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CONTINUE = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
#: Not blocking, because what a job left under a file's name may be a pipe.
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
#: The last second a date can name; a job may have set any.
_LAST_TIME = 253402300799.0
#: Variables of a Jupyter server, hub or client that sign in, or that tell a kernel of its server.
_SERVERS_OWN = re.compile(r"JPY_|JUPYTER_TOKEN$|JUPYTERHUB_|JUPYTER_TAPIS_JOBS_|TAPIS_(TOKEN|PASSWORD)$")
_ABSENT = (errno.ENOENT, errno.ENOTDIR)


class LocalTransport:
    """The machine and user of this process.

    ``sleep`` is how ``watch`` waits between two looks, so that a simulation can give its own.
    """

    def __init__(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep

    async def run(self, script: str, *, timeout: float = 60.0, live: bool = False) -> Answer:
        """Run *script*; see ``Transport.run``. Past *timeout* its process group is killed."""
        with _memory_file() as source, _memory_file() as out, _memory_file() as err:
            source.write(_one_command(script))
            source.seek(0)
            process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-s",
                stdin=source,
                stdout=out,
                stderr=err,
                cwd="/",
                env=login_environment(os.environ),
                start_new_session=True,
            )
            exit_code = await _end_of(process, timeout)
            return Answer(exit_code, _text(out), _text(err))

    async def put(self, entries: Iterable[Entry]) -> Mapping[str, OSError]:
        """Make files and directories; return the ones that failed."""
        failed: dict[str, OSError] = {}
        token = secrets.token_hex(8)
        numbered = enumerate(entries)
        while some := list(islice(numbered, SLICE)):
            failed |= await asyncio.to_thread(_put_slice, some, token)
        return failed

    async def get(self, paths: Sequence[str], *, limit: int = 65536) -> Mapping[str, Content]:
        """Return the first *limit* bytes of each file that is there."""
        found: dict[str, Content] = {}
        remaining = iter(paths)
        while some := list(islice(remaining, SLICE)):
            found |= await asyncio.to_thread(_get_slice, some, limit)
        return found

    async def read(
        self, path: str, *, offset: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Stream *length* bytes (None: all) of the file from *offset*."""
        fd = await asyncio.to_thread(_open_regular, path)
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
        fd = await asyncio.to_thread(_create, aside, _CREATE if resume is None else _CONTINUE)
        try:
            with _closing(fd):
                async for block in _blocks(chunks):
                    await asyncio.to_thread(_write_all, fd, block, path)
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
        part = await asyncio.to_thread(_stat, aside_name(path, part_token(path, resume)))
        return part.size if part is not None else 0

    async def look(self, paths: Sequence[str]) -> Mapping[str, Found]:
        """Return where each path leads and what is there."""
        found: dict[str, Found] = {}
        remaining = iter(paths)
        while some := list(islice(remaining, SLICE)):
            found |= await asyncio.to_thread(_look_slice, some)
        return found

    async def copy_all(self, pairs: Sequence[tuple[str, str]]) -> Mapping[str, OSError]:
        """Copy many; return target -> why it failed."""
        failed: dict[str, OSError] = {}
        waiting = deque(pairs)
        while waiting:
            failed |= await asyncio.to_thread(_copy_small_ones, waiting)
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
        listing = islice(_listing(path, depth if recurse else 1), limit)
        found: list[FileInfo] = []
        while some := await asyncio.to_thread(lambda: [*islice(listing, SLICE)]):
            found += some
            if len(found) > base.MOST_ENTRIES:
                raise base.too_many(path)
        return found

    async def stat(self, path: str) -> FileInfo | None:
        """Return what is at *path* itself, or None."""
        return await asyncio.to_thread(_stat, path)

    async def real_path(self, path: str) -> str:
        """Return *path* with every link resolved; missing tails are kept."""
        return await asyncio.to_thread(os.path.realpath, path)

    async def mkdir(self, path: str) -> None:
        """Make a directory and its parents."""
        await asyncio.to_thread(_make_directories, path)

    async def copy(self, source: str, target: str) -> None:
        """Copy a file, a link itself, or a directory tree to exactly *target*."""
        await asyncio.to_thread(_check_source_and_make_parent, source, target)
        if sys.platform == "linux":
            await _run_cp(source, target)
        else:
            await asyncio.to_thread(_copy_tree, source, target)

    async def move(self, source: str, target: str) -> None:
        """Rename to exactly *target*; from one file system to another: copy, then delete."""
        await asyncio.to_thread(_check_source_and_make_parent, source, target)
        try:
            await asyncio.to_thread(os.rename, source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            await self.copy(source, target)
            await self.delete(source)

    async def delete(self, path: str) -> None:
        """Delete a file, a link itself, or a directory tree."""
        await asyncio.to_thread(_delete, path)

    async def watch(self, folder: str) -> AsyncGenerator[Sequence[str], None]:
        """Yield new names in *folder*; a batch is deleted when the next one is asked for."""
        stuck: set[str] = set()
        pause = BUSY
        while True:
            names = await asyncio.to_thread(_new_names, folder, stuck)
            if names:
                yield names
                stuck |= await asyncio.to_thread(_remove_names, folder, names)
            pause = BUSY if names else min(QUIET, pause * 1.25)
            await self._sleep(pause)

    async def environment(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the variables of this process that are set, but for the server's own sign-ins."""
        known = login_environment(os.environ)
        return {name: known[name] for name in names if name in known}

    async def close(self) -> None:
        """Do nothing: there is no connection."""


# Scripts ---------------------------------------------------------------------------------------


def login_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* without what a server keeps for itself: a job gets no sign-in of the server's."""
    return {name: value for name, value in environ.items() if not _SERVERS_OWN.match(name)}


def _one_command(script: str) -> bytes:
    """Return *script* as one compound command, read to its end before anything of it runs.

    Otherwise a command that reads its standard input would swallow the rest of the script.
    """
    return b"{ :\n" + os.fsencode(script) + b"\n} </dev/null\n"


def _memory_file() -> IO[bytes]:
    """Return a nameless file: unlike a pipe it never fills, and nobody waits for its other end."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("tapisjob"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return os.fsdecode(file.read())


async def _end_of(process: asyncio.subprocess.Process, timeout: float) -> int:
    """Return the exit code; signal n is 128 + n. Nobody outlives an unfinished wait."""
    try:
        async with asyncio.timeout(timeout):
            code = await process.wait()
    except TimeoutError:
        raise TransportError(
            f"A script on this machine did not end within {timeout:g} s and was killed. "
            "The machine may be overloaded or a file system may hang; it will be tried again."
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return 128 - code if code < 0 else code


# Files -----------------------------------------------------------------------------------------


def _make_directories(path: str) -> None:
    """Make a directory and its parents; Python makes at most some hundred of them one in the other."""
    try:
        os.makedirs(path, exist_ok=True)
    except RecursionError:
        raise OSError(errno.ENAMETOOLONG, "nested too deeply", path) from None


def _create(aside: str, how: int = _CREATE) -> int:
    try:
        return os.open(aside, how, 0o600)
    except FileNotFoundError:
        _make_directories(parent(aside))
        return os.open(aside, how, 0o600)


def _write_all(fd: int, content: bytes, path: str) -> None:
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError as error:
        error.filename = path
        raise


@contextlib.contextmanager
def _closing(fd: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(fd)


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


def _put_slice(entries: Sequence[tuple[int, Entry]], token: str) -> dict[str, OSError]:
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
        _make_directories(entry.path)
        os.chmod(entry.path, entry.mode | (entry.mode & 0o444) >> 2)


def _make_file(path: str, content: bytes, mode: int, token: str) -> None:
    aside = aside_name(path, token)
    fd = _create(aside)
    try:
        with _closing(fd):
            _write_all(fd, content, path)
            os.fchmod(fd, mode)
        os.rename(aside, path)
    except OSError:
        os.unlink(aside)
        raise


def _open_regular(path: str) -> int:
    """Open a file for reading; a directory, pipe or device is refused."""
    fd = os.open(path, _OPEN)
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd
    os.close(fd)
    number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
    raise OSError(number, os.strerror(number), path)


def _get_slice(paths: Sequence[str], limit: int) -> dict[str, Content]:
    found = {}
    for path in paths:
        try:
            fd = _open_regular(path)
        except OSError as error:
            if error.errno in (*_ABSENT, errno.EISDIR, errno.EINVAL, errno.ENXIO):
                continue
            raise
        with open(fd, "rb", buffering=0) as file:
            found[path] = Content(file.read(limit), os.fstat(fd).st_mtime)
    return found


def _look_slice(paths: Sequence[str]) -> dict[str, Found]:
    return {path: Found(real := os.path.realpath(path), _stat(real)) for path in paths}


def _copy_small_ones(waiting: deque[tuple[str, str]]) -> dict[str, OSError]:
    """Copy what is small at the beginning of *waiting* and take it out; return target -> why it failed."""
    failed = {}
    while waiting:
        source, target = waiting[0]
        try:
            found = os.lstat(source)
            if stat.S_ISDIR(found.st_mode) or found.st_size > SMALL_COPY:
                break
            _make_directories(parent(target))
            _copy_tree(source, target)
        except OSError as error:
            failed[target] = error
        waiting.popleft()
    return failed


def _check_source_and_make_parent(source: str, target: str) -> None:
    os.lstat(source)
    _make_directories(parent(target))


async def _run_cp(source: str, target: str) -> None:
    """Copy with GNU cp, which clones blocks where the file system can and keeps holes and hard links.

    A link where a file goes is removed first: cp would write through it, to wherever it leads.
    """
    process = await asyncio.create_subprocess_exec(
        *("cp", "--reflink=auto", "--remove-destination", "-aT", "--", source, target),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C"},
    )
    try:
        _, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise error_of(os.fsdecode(complaint), target)


def _copy_tree(source: str, target: str) -> None:
    """Copy without GNU cp, in the same way."""
    if not _is_directory(source):
        if _is_directory(target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
        if os.path.lexists(target) and os.path.samestat(os.lstat(source), os.lstat(target)):
            raise OSError(errno.EINVAL, "Source and target are the same file", target)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(target)
        shutil.copy2(source, target, follow_symlinks=False)
        return
    if os.path.commonpath([source, target]) == source:
        raise OSError(errno.EINVAL, "cannot copy a directory into itself", source)
    if os.path.lexists(target) and not _is_directory(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        _copy_tree(f"{source}/{name}", f"{target}/{name}")
    shutil.copystat(source, target)


def _is_directory(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _delete(path: str) -> None:
    if os.path.normpath(path) in ("/", "//"):
        raise PermissionError(errno.EPERM, "The root directory cannot be deleted", path)
    if stat.S_ISDIR(os.lstat(path).st_mode):
        shutil.rmtree(path)
    else:
        os.unlink(path)


# Listings --------------------------------------------------------------------------------------


def _listing(path: str, depth: int | None) -> Iterator[FileInfo]:
    found = os.lstat(path)
    if stat.S_ISDIR(found.st_mode):
        yield from _below(path, depth)
    else:
        yield _file_info(path, found)


def _below(folder: str, depth: int | None) -> Iterator[FileInfo]:
    """Yield what is below *folder*, each directory right before what it holds."""
    stack = [_entries(folder)]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            continue
        # A running job deletes files while they are listed.
        with contextlib.suppress(FileNotFoundError):
            info = _file_info(entry.path, entry.stat(follow_symlinks=False))
            yield info
            if info.type == "dir" and (depth is None or len(stack) < depth):
                stack.append(_entries(entry.path))


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return iter(sorted(entries, key=lambda entry: entry.name))


def _stat(path: str) -> FileInfo | None:
    try:
        return _file_info(path, os.lstat(path))
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise


_TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symbolic_link"}


def _file_info(path: str, found: os.stat_result) -> FileInfo:
    return FileInfo(
        path=path,
        name=path.rstrip("/").rpartition("/")[2],
        type=_TYPES.get(stat.S_IFMT(found.st_mode), "other"),
        size=found.st_size,
        last_modified=iso(min(max(found.st_mtime, 0.0), _LAST_TIME)),
        owner=_user_name(found.st_uid),
        group=_group_name(found.st_gid),
        native_permissions=stat.filemode(found.st_mode)[1:],
    )


@lru_cache(maxsize=1024)
def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


@lru_cache(maxsize=1024)
def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


# Events ----------------------------------------------------------------------------------------


def _new_names(folder: str, stuck: set[str]) -> list[str]:
    """Return the complete files in *folder*; a name with a leading dot is still being written."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.name[0] != "." and e.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        return []
    return sorted(name for name in names if name not in stuck)


def _remove_names(folder: str, names: Sequence[str]) -> set[str]:
    """Delete the files; return those that cannot be, which must not be reported for ever."""
    stuck = set()
    for name in names:
        try:
            os.unlink(f"{folder}/{name}")
        except FileNotFoundError:
            continue
        except OSError:
            stuck.add(name)
    return stuck
