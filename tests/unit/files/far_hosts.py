"""Systems made of folders of this machine: what the Files services are tried on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.real import Tasks, ThreadWorkers, real_ports
from jupyter_tapis_jobs.engine.rights import PathRights
from jupyter_tapis_jobs.model.errors import NotFoundError
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
        for root in self.roots.values():
            root.mkdir(parents=True)

    async def transport(self, system_id: str, effective_user: str) -> Any:
        self.asked[system_id, effective_user] += 1
        return self.transports[system_id]

    async def close(self) -> None:
        """Nothing is open."""

    def for_files(self, user: User, system_id: str) -> tuple[System, PathRights]:
        return self.get(user, system_id), PathRights.everywhere(system_id, user.name)

    def get(self, user: User, system_id: str) -> System:
        if system_id not in self.roots or user.name != ANNA.name:
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
        return parse_system(raw)[0]


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
