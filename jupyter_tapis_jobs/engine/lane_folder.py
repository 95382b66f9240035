"""A lane's own folder on its host: the newest engine's epoch, the submissions, and the events of its jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ..model.times import parse_iso
from ..transports.base import Entry, Transport
from .lane import Lane
from .ports import Ports

#: Below the home of a host's user; behind it comes the store's id, for two stores may use one account.
HOME_FOLDER = ".tapisjobs"


class LaneFolders:
    """Hands out the transport of a lane whose folder is there and knows this engine's epoch."""

    def __init__(self, ports: Ports, *, epoch: int, store_id: str) -> None:
        self._ports = ports
        self._epoch = epoch
        self._store_id = store_id

    async def transport(self, lane: Lane) -> Transport:
        """Return the lane's transport; once per lane and engine, make the folder and write the epoch.

        The time of that writing tells what the host's clock says.

        Raises ``TransportError`` when the host cannot be reached, ``OSError`` when it refuses.
        """
        transport = await self._ports.hosts.transport(*lane.key)
        if not lane.is_prepared:
            if not lane.folder:
                lane.folder = await self._place(transport)
            failed = await transport.put([Entry(path=lane.events, mode=0o700)])
            for fault in failed.values():
                raise fault
            # Written aside: a submit script that reads half an epoch would take itself for overtaken.
            epoch = f"{lane.folder}/epoch"
            await transport.write(epoch, _one(f"{self._epoch}\n".encode()))
            if (written := await transport.stat(epoch)) is not None:
                lane.host_clock = parse_iso(written.last_modified) - self._ports.clock.ticks()
            lane.is_prepared = True
        return transport

    def expected(self, lane: Lane) -> str:
        """Return the lane's folder as a dry run tells it: below a home that may not be known yet."""
        return lane.folder or f"~/{HOME_FOLDER}/{self._store_id}"

    async def _place(self, transport: Transport) -> str:
        home = (await transport.environment(["HOME"])).get("HOME", "")
        return f"{home.rstrip('/')}/{HOME_FOLDER}/{self._store_id}"


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data
