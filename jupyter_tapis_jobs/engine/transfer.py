"""Moves bytes from where they are to a host: files that resume where a broken link left them, and trees."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from ..model.errors import TransportError, UnavailableError
from ..transports.base import Transport
from .ports import Clock
from .progress import Part
from .sources import Source
from .tar_names import below, renamed

#: Seconds before a broken transfer is taken up again; it is given up when none of these brought a byte.
PAUSES = (0.0, 1.0, 4.0)
#: Transfers that run side by side; a host allows only so many channels.
AT_ONCE = 3


class Transfer:
    """Brings sources to a host. Raises what the hosts raise: ``TransportError``, ``OSError``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def bring(
        self, source: Source, host: Transport, target: str, part: Part, *, resume: str = ""
    ) -> None:
        """Bring a file or a directory from elsewhere to exactly *target*.

        *resume* tells apart transfers of the same source to the same target.
        """
        if source.is_directory:
            await self._tree(source, host, target, part)
        elif source.size is None:
            # On the Web: from its beginning, or not at all.
            await host.write(target, part.counted(source.open(0)), mode=source.mode)
        else:
            await self._file(source, source.size, host, target, part, f"{source.key} {resume}")

    async def _tree(self, source: Source, host: Transport, target: str, part: Part) -> None:
        assert source.transport is not None and source.path is not None  # noqa: S101, PT018 - only hosts have trees
        await host.unpack(target, part.counted(source.transport.pack(source.path)))

    async def _file(
        self, source: Source, size: int, host: Transport, target: str, part: Part, resume: str
    ) -> None:
        """Write a file; after each break of the link from where it broke."""
        begun, failures = 0, 0
        while True:
            try:
                found = await host.written(target, resume)
                part.at(found)
                failures, begun = 0 if found > begun else failures, found
                if begun and not await source.is_unchanged():
                    raise _changed(source)
                written = await host.write(
                    target, part.counted(source.open(begun)), mode=source.mode, resume=resume
                )
                break
            except TransportError:
                if failures == len(PAUSES):
                    raise
            await self._clock.sleep(PAUSES[failures])
            failures += 1
        if written != size:
            raise _changed(source)

    async def trees(
        self,
        origin: Transport,
        host: Transport,
        places: Mapping[str, str],
        part: Part,
        *,
        names: Sequence[str] | None = None,
    ) -> None:
        """Bring many files and trees of one host in one stream: path there -> path on *host*.

        *names* are the absolute paths that travel when that is not all of *places*.
        """
        root, aim = _common(places), _common(places.values())
        rename = below({posixpath.relpath(a, root): posixpath.relpath(b, aim) for a, b in places.items()})
        packed = origin.pack(root, [posixpath.relpath(name, root) for name in names or places])
        aims = [posixpath.relpath(place, aim) for place in places.values()]
        await host.unpack(aim, renamed(part.counted(packed), rename), within=aims)


async def side_by_side(calls: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Make calls, a few at a time; they tell of their own faults."""
    waiting = iter(calls)

    async def one_after_the_other() -> None:
        for call in waiting:
            await call()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(calls))):
                group.create_task(one_after_the_other())
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None


def _changed(source: Source) -> UnavailableError:
    """Two halves of different files make no file."""
    return UnavailableError(f"{source.url} changed while it was copied. It will be copied again.")


def are_apart(paths: Iterable[str]) -> bool:
    """Tell whether no path equals another one or lies below it."""
    ordered = sorted(f"{path}/" for path in paths)
    return not any(second.startswith(first) for first, second in pairwise(ordered))


def _common(paths: Collection[str]) -> str:
    """Return the nearest directory above all *paths*."""
    return posixpath.commonpath([posixpath.dirname(path) for path in paths])
