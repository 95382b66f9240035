"""What is in the folders of this machine: listings, entries, names that are new."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from ..model.times import iso
from .base import FileInfo

#: The last second a date can name; a job may have set any.
_LAST_TIME = 253402300799.0
_TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symbolic_link"}
_ABSENT = (errno.ENOENT, errno.ENOTDIR)


def listing(path: str, depth: int | None) -> Iterator[FileInfo]:
    """Yield the one file at *path*, or what is below it to *depth* levels (None: all)."""
    found = os.lstat(path)
    if stat.S_ISDIR(found.st_mode):
        yield from _below(path, depth)
    else:
        yield _file_info(path, found)


def listings(folders: Iterable[str], depth: int | None, most: int) -> dict[str, list[FileInfo]]:
    """Return what is below each of *folders* that is a directory; at most *most* entries of each."""
    found = {}
    for folder in folders:
        # What is no directory, or is gone by now, is left out.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if stat.S_ISDIR(os.lstat(folder).st_mode):
                found[folder] = [*islice(_below(folder, depth), most)]
    return found


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


def info(path: str) -> FileInfo | None:
    """Return what is at *path* itself, or None when nothing is."""
    try:
        return _file_info(path, os.lstat(path))
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise


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


def new_names(folder: str, stuck: set[str]) -> list[str]:
    """Return the complete files in *folder*; a name with a leading dot is still being written."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.name[0] != "." and e.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        return []
    return sorted(name for name in names if name not in stuck)


def remove_names(folder: str, names: Sequence[str]) -> set[str]:
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
