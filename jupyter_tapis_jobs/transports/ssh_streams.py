"""What goes through a script's input and output: frames of a file, lists of names, news of a watcher."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence

from ..model.errors import TransportError
from . import ssh_answers as answers
from .ssh_command import Command

#: Bytes of a frame of a file that is written.
FRAME = 4 << 20
#: Seconds without a word after which a watcher is given up: its file system hangs.
WATCH_SILENCE = 120.0
#: Bytes of the names that a watcher tells at once, at most: a thousand of them.
MOST_NAMES = 1 << 20


async def batches(command: Command, name: str) -> AsyncIterator[list[str]]:
    """Yield batches of names; each has a slash behind every name and one more behind the last."""
    waiting = b""
    while piece := await _heard(command):
        waiting += piece
        if len(waiting) > MOST_NAMES:
            raise answers.strange(name)
        while waiting:
            end = 0 if waiting[:1] == b"/" else waiting.find(b"//") + 1
            if not end and waiting[:1] != b"/":
                break
            batch, waiting = waiting[:end], waiting[end + 1 :]
            if batch:
                yield os.fsdecode(batch.removesuffix(b"/")).split("/")
                await command.send(b"\n")


async def _heard(command: Command) -> bytes:
    """Return what a watcher says next; it says something every few seconds."""
    try:
        async with asyncio.timeout(WATCH_SILENCE) as limit:
            return await command.output()
    except TimeoutError:
        if not limit.expired():
            raise
        raise TransportError("The host does not tell of its jobs any more; it will be asked again.") from None


async def frames(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield *chunks* in frames (size, newline, bytes), and a frame 0 behind them."""
    waiting: list[bytes] = []
    size = 0
    try:
        async for chunk in chunks:
            waiting.append(chunk)
            size += len(chunk)
            if size >= FRAME:
                yield b"%d\n" % size
                for one in waiting:
                    yield one
                waiting, size = [], 0
    except Exception:
        # What came is not lost: a later write may go on behind it.
        if waiting:
            yield _frame(waiting)
        raise
    yield _frame(waiting) + b"0\n"


def _frame(chunks: Sequence[bytes]) -> bytes:
    content = b"".join(chunks)
    return b"%d\n" % len(content) + content if content else b""


async def joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield *first*, then the rest of a stream."""
    if first:
        yield first
    async for chunk in rest:
        yield chunk


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield *data* as a stream of one piece."""
    yield data


def listed(names: Sequence[str]) -> bytes:
    """Return *names* as a script reads them: a NUL behind each."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)
