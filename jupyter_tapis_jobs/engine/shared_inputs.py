"""Inputs that many jobs need: brought once into the lane's folder, from where each job gets a copy."""

from __future__ import annotations

import asyncio
import hashlib
import shlex
from collections.abc import Collection
from dataclasses import replace
from weakref import WeakValueDictionary

from ..transports.base import Transport
from .inputs import Errand
from .lane import Lane, LaneKey
from .progress import Part
from .sources import Source
from .transfer import Transfer

#: Days for which a shared input is kept on a host.
KEPT_DAYS = 14
#: Sources that are remembered with the first job that needed them.
REMEMBERED = 10_000

_SWEEP = """\
[ ! -d {folder} ] || find {folder} -mindepth 1 -maxdepth 1 -mtime +{days} -exec rm -rf -- {{}} +
"""


class SharedInputs:
    """The folders ``inputs`` of the lanes: ``inputs/<key>/content`` is a file or a tree, always whole."""

    def __init__(self, transfer: Transfer) -> None:
        self._transfer = transfer
        self._swept: set[LaneKey] = set()
        self._needed: dict[tuple[LaneKey, str], str] = {}
        self._locks: WeakValueDictionary[tuple[LaneKey, str], asyncio.Lock] = WeakValueDictionary()

    def is_familiar(self, lane: Lane, errand: Errand) -> bool:
        """Tell whether another job of the lane needed this before, and remember that one does now."""
        if errand.source.transport is None or errand.source.is_directory:
            return False
        uuid = errand.wanted.job.uuid
        first = self._needed.setdefault((lane.key, errand.source.key), uuid)
        if len(self._needed) > REMEMBERED:
            del self._needed[next(iter(self._needed))]
        return first != uuid

    def place(self, lane: Lane, source: Source) -> str:
        """Return where a source lies once it is shared."""
        return f"{_folder(lane)}/{source.key}/content"

    async def missing(self, lane: Lane, host: Transport, sources: Collection[Source]) -> set[str]:
        """Return the keys of what has to be brought, by one look; what is old goes first."""
        if lane.key not in self._swept:
            folder = shlex.quote(_folder(lane))
            await host.run(_SWEEP.format(folder=folder, days=KEPT_DAYS), timeout=600)
            self._swept.add(lane.key)
        places = {source.key: self.place(lane, source) for source in sources}
        seen = await host.look(list(places.values()))
        return {key for key, place in places.items() if seen[place].info is None}

    async def bring(self, lane: Lane, host: Transport, source: Source, part: Part) -> None:
        """Bring a source to its place, unless others have done it while this waited for them."""
        lock = self._locks.setdefault((lane.key, source.key), asyncio.Lock())
        waits = lock.locked()
        async with lock:
            if not waits or await host.stat(self.place(lane, source)) is None:
                await self._bring(lane, host, source, part)

    async def _bring(self, lane: Lane, host: Transport, source: Source, part: Part) -> None:
        """A tree is moved to its place once it is whole; so is a file, by its write."""
        place = self.place(lane, source)
        if not source.is_directory:
            await self._transfer.bring(source, host, place, part)
            return
        aside = f"{_folder(lane)}/part-{source.key}"
        await self._transfer.bring(source, host, f"{aside}/content", part)
        await host.move(aside, f"{_folder(lane)}/{source.key}")


async def with_known_content(source: Source) -> Source:
    """Return a tree with a key that names all that is in it, and with its size."""
    if source.transport is None or source.path is None:
        return source
    listing = await source.transport.list(source.path, recurse=True)
    digest = hashlib.sha256(source.key.encode())
    for info in listing:
        line = f"{info.path}\n{info.type} {info.size} {info.last_modified} {info.native_permissions}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    size = sum(info.size for info in listing if info.type == "file")
    return replace(source, key=digest.hexdigest()[:24], size=size)


def _folder(lane: Lane) -> str:
    return f"{lane.folder}/inputs"
