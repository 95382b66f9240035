"""Trees of this machine: copied and deleted."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import stat
from collections import deque

from .complaints import error_of
from .local_files import make_directories
from .names import parent

#: Files up to here are copied without a process of their own.
SMALL_COPY = 1 << 18


def copy_small_ones(waiting: deque[tuple[str, str]]) -> dict[str, OSError]:
    """Copy what is small at the beginning of *waiting* and take it out; return target -> why it failed."""
    failed = {}
    while waiting:
        source, target = waiting[0]
        try:
            found = os.lstat(source)
            if stat.S_ISDIR(found.st_mode) or found.st_size > SMALL_COPY:
                break
            make_directories(parent(target))
            copy_tree(source, target)
        except OSError as error:
            failed[target] = error
        waiting.popleft()
    return failed


def check_source_and_make_parent(source: str, target: str) -> None:
    """Make the directory that *target* is to be in; FileNotFoundError when there is no source."""
    os.lstat(source)
    make_directories(parent(target))


async def run_cp(source: str, target: str) -> None:
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


def copy_tree(source: str, target: str) -> None:
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
        copy_tree(f"{source}/{name}", f"{target}/{name}")
    shutil.copystat(source, target)


def _is_directory(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def delete(path: str) -> None:
    """Delete a file, a link itself, or a directory tree; the root directory never."""
    if os.path.normpath(path) in ("/", "//"):
        raise PermissionError(errno.EPERM, "The root directory cannot be deleted", path)
    if stat.S_ISDIR(os.lstat(path).st_mode):
        shutil.rmtree(path)
    else:
        os.unlink(path)
