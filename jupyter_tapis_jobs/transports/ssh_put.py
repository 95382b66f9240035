"""Many small files as one tar archive for a host, and which of them its tar could not make."""

from __future__ import annotations

import asyncio
import errno
import os
import tarfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from .base import Entry
from .complaints import errno_of, error_of, unescaped
from .tar_pack import END, member, padding

#: Entries packed per visit to a thread: a few milliseconds.
SLICE = 250
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


async def archive(entries: Sequence[Entry]) -> AsyncIterator[bytes]:
    """Yield the archive of *entries*, with their names relative to the root directory."""
    remaining, stamp = iter(entries), time.time()
    while some := list(islice(remaining, SLICE)):
        yield await asyncio.to_thread(_piece, some, stamp)
    yield END


def _piece(entries: Sequence[Entry], stamp: float) -> bytes:
    return b"".join(_members(entries, stamp))


def _members(entries: Iterable[Entry], stamp: float) -> Iterator[bytes]:
    for entry in entries:
        name = entry.path.strip("/")
        if entry.content is None:
            mode = entry.mode | (entry.mode & 0o444) >> 2
            yield member(f"{name}/", tarfile.DIRTYPE, mode=mode, modified=stamp)
        else:
            size = len(entry.content)
            yield member(name, tarfile.REGTYPE, size=size, mode=entry.mode, modified=stamp)
            yield entry.content
            yield padding(size)


def failures(entries: Sequence[Entry], complaints: str) -> dict[str, OSError]:
    """Return the entries that tar complains of; all of them when none can be told from its words."""
    numbers = _numbers(complaints)
    failed = {
        entry.path: OSError(number, os.strerror(number), entry.path)
        for entry in entries
        if (number := _number(entry.path.strip("/"), numbers)) is not None
    }
    return failed or {entry.path: error_of(complaints, entry.path) for entry in entries}


def half_made(failed: Mapping[str, OSError]) -> list[str]:
    """Return the files of which tar may have left a half."""
    return [path for path, error in failed.items() if error.errno in _NO_ROOM]


def _number(name: str, numbers: Mapping[str, int]) -> int | None:
    """Return the number of the error at *name*; that nothing is there is explained by a directory above."""
    number = numbers.get(name)
    if number != errno.ENOENT:
        return number
    above = name.split("/")[:-1]
    told = (numbers.get("/".join(above[:length])) for length in range(1, len(above) + 1))
    return next((cause for cause in told if cause is not None), number)


def _numbers(complaints: str) -> dict[str, int]:
    """Return name -> error number of tar's lines (``tar: name: Cannot open: No such file or directory``)."""
    numbers: dict[str, int] = {}
    for line in complaints.splitlines():
        number = errno_of(line)
        text = line.removeprefix("tar: ")
        if number is None or text == line:
            continue
        position = -1
        while (position := text.find(": ", position + 1)) > 0:
            numbers.setdefault(unescaped(text[:position]).strip("/"), number)
    return numbers
