"""The header of an HDF5 file, and so of NetCDF-4, where ``h5py`` is there; a process of its own reads it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import struct
import sys
from collections.abc import Awaitable, Callable

from . import hdf5_reader

MAGIC = b"\x89HDF\r\n\x1a\n"
#: Seconds that it may take, and pages of the file that are fetched.
PATIENCE, PAGES = 20.0, 200
DAMAGED = "An HDF5 file whose header cannot be read: it is damaged, still being written, or very large."

Read = Callable[[int, int], Awaitable[bytes]]


def is_readable(head: bytes) -> bool:
    """Return True for an HDF5 file, where the library that reads it is here."""
    return head.startswith(MAGIC) and importlib.util.find_spec("h5py") is not None


async def header(read: Read, size: int) -> str | None:
    """Return the header of a file of *size* bytes; None where it cannot be read.

    *read* brings bytes from an offset on, fewer at the file's end.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        hdf5_reader.__file__,
        str(size),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=2 * hdf5_reader.SHOWN,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            return await _answered(process, read)
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _answered(process: asyncio.subprocess.Process, read: Read) -> str | None:
    """Bring what is asked for until the text is there."""
    assert process.stdout is not None  # noqa: S101 - both are pipes
    assert process.stdin is not None  # noqa: S101
    for _ in range(PAGES):
        verb = await process.stdout.readexactly(1)
        first, count = struct.unpack(">QQ", await process.stdout.readexactly(16))
        if verb == b"T":
            return (await process.stdout.readexactly(min(first, 4 * hdf5_reader.SHOWN))).decode(
                "utf-8", "replace"
            )
        if verb != b"R":
            return None
        count = min(count, hdf5_reader.PAGE)
        data = await read(first, count)
        process.stdin.write(data[:count].ljust(count, b"\0"))
        await process.stdin.drain()
    return None
