"""Systems made of folders of this machine: what the Files services are tried on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.real import Tasks, ThreadWorkers, real_ports
from jupyter_tapis_jobs.engine.rights import PathRights, Right
from jupyter_tapis_jobs.model.errors import NotFoundError, TransportError
from jupyter_tapis_jobs.model.system import System, parse_system
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.transports.local import LocalTransport

ANNA = User(name="anna", tenant="tapis", is_server_user=True)
BERT = User(name="bert", tenant="tapis", is_server_user=False)


class FarHosts:
    """Some systems, each with a folder as its rootDir and a transport of its own; all are anna's."""

    def __init__(self, folder: Path, *names: str, make: Any = LocalTransport) -> None:
        self.roots = {name: folder / name for name in names}
        self.transports = {name: make() for name in names}
        self.asked: Counter[tuple[str, str]] = Counter()
        #: System -> what bert was given there.
        self.given: dict[str, dict[Right, list[str]]] = {}
        for root in self.roots.values():
            root.mkdir(parents=True)

    async def transport(self, system_id: str, effective_user: str) -> Any:
        self.asked[system_id, effective_user] += 1
        return self.transports[system_id]

    async def close(self) -> None:
        """Nothing is open."""

    def for_files(self, user: User, system_id: str) -> tuple[System, PathRights]:
        """All is anna's; bert was given some paths to read and some to modify."""
        if system_id not in self.roots:
            raise NotFoundError(f"There is no system {system_id}, or it is not yours to see.")
        raw = {
            "id": system_id,
            "systemType": "LINUX",
            "host": "localhost",
            "defaultAuthnMethod": "PKI_KEYS",
            "canExec": False,
            "rootDir": str(self.roots[system_id]),
            "effectiveUserId": "${apiUserId}",
        }
        if user.name == ANNA.name:
            return parse_system(raw)[0], PathRights.everywhere(system_id, user.name)
        return parse_system(raw)[0], PathRights(system_id, user.name, False, self.given.get(system_id, {}))


class Shaky(LocalTransport):
    """A link that breaks when a test says so, and a host that can be out of sight."""

    def __init__(self) -> None:
        super().__init__()
        #: Bytes that streams carry until the link breaks, then the next time, and so on.
        self.breaks: list[int] = []
        self.is_away = False
        #: What every write says.
        self.fault: OSError | None = None
        self.carried = 0
        #: Bytes after which nothing flows until ``may_flow`` is set; then ``is_held`` is.
        self.hold_at: int | None = None
        self.is_held = asyncio.Event()
        self.may_flow = asyncio.Event()

    async def real_path(self, path: str) -> str:
        if self.is_away:
            raise TransportError("the far host cannot be reached.")
        return await super().real_path(path)

    async def _carry(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            for start in range(0, len(chunk), 65536):
                if self.breaks and self.breaks[0] <= 0:
                    del self.breaks[0]
                    raise TransportError("the link was lost.")
                if self.breaks:
                    self.breaks[0] -= 65536
                yield chunk[start : start + 65536]
                self.carried += len(chunk[start : start + 65536])
                if self.hold_at is not None and self.carried >= self.hold_at:
                    self.is_held.set()
                    await self.may_flow.wait()

    async def write(self, path, chunks, *, mode=0o660, resume=None):
        if self.fault is not None:
            raise self.fault
        return await super().write(path, self._carry(chunks), mode=mode, resume=resume)

    async def unpack(self, root, chunks, *, within=None):
        await super().unpack(root, self._carry(chunks), within=within)


class Clock:
    """Time that sleeping and tests move."""

    def __init__(self) -> None:
        self.seconds = 1_795_251_600.0

    def now(self) -> float:
        return self.seconds

    def ticks(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


@contextmanager
def ports_of(folder: Path, hosts: Any, clock: Clock | None = None) -> Iterator[Ports]:
    """Give an engine's surroundings: a store in *folder*, real threads, and these hosts."""
    database, workers = Database.open(folder), ThreadWorkers()
    made = real_ports(database, Tasks(), workers)
    yield replace(made, hosts=hosts, clock=clock or made.clock)
    workers.close()
    database.close()
