"""One engine after another over the same store and the same world: each dies at a chosen write."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection

from jupyter_tapis_jobs.engine.apps import AppCatalog
from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.systems import SystemCatalog
from jupyter_tapis_jobs.model.errors import StoreError
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.runtimes.zip import ZipRuntime
from jupyter_tapis_jobs.store import lease as lease_row
from jupyter_tapis_jobs.store.database import Database

from .world import EPOCH, Link, MadeUpScheduler, World

T = TypeVar("T")

USER = User(name="ada", tenant="tapisjobs", is_server_user=True)
SYSTEM = {
    "id": "cluster",
    "systemType": "LINUX",
    "host": "cluster.example.org",
    "defaultAuthnMethod": "PKI_KEYS",
    "rootDir": "/",
    "canExec": True,
    "jobWorkingDir": "/work",
    "jobRuntimes": [{"runtimeType": "ZIP"}],
}
APP = {
    "id": "model",
    "version": "1.0",
    "runtime": "ZIP",
    "jobType": "FORK",
    "containerImage": "tapis://cluster/images/model.zip",
    "jobAttributes": {"execSystemId": "cluster", "maxMinutes": 1},
}


class Clock:
    def now(self) -> float:
        return EPOCH + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Workers:
    """Runs the store's work in place; dies for good before or after a chosen write."""

    random: Random
    die_at: int | None
    died: asyncio.Event = field(default_factory=asyncio.Event)
    writes: int = 0
    #: The store's disk takes nothing.
    is_full: bool = False
    #: While set, the machine sleeps.
    asleep: asyncio.Event | None = None

    async def write(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(self.random.uniform(0, 0.002))
        if self.asleep is not None:
            await self.asleep.wait()
        self.writes += 1
        if self.died.is_set() or (self.writes == self.die_at and self.random.random() < 0.5):
            await self._die()
        if self.is_full:
            raise StoreError("The disk of the job store is full.")
        result = work()
        if self.writes == self.die_at:
            await self._die()
        return result

    async def _die(self) -> None:
        self.died.set()
        await asyncio.get_running_loop().create_future()

    async def read(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        return work()


@dataclass
class Hosts:
    link: Link

    async def transport(self, system_id: str, effective_user: str) -> Link:
        return self.link


class Life:
    """One engine from its start to its death or the end of the story."""

    def __init__(self, folder: Path, world: World, random: Random, die_at: int | None = None) -> None:
        self.database = Database.open(folder)
        self.link = Link(world)
        self.workers = Workers(random, die_at)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.faults: list[BaseException] = []
        self.lost_lease = asyncio.Event()
        self.world, self.random, self.folder = world, random, folder
        clock = Clock()
        self.ports = Ports(
            clock=clock,
            random=random,
            spawn=self._spawn,
            workers=self.workers,
            database=self.database,
            hosts=Hosts(self.link),
            schedulers={"FORK": MadeUpScheduler()},
            runtimes={"ZIP": ZipRuntime()},
        )
        self.apps = AppCatalog(self.database, clock.now)
        self.systems = SystemCatalog(self.database, clock.now)

    def _spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None and not isinstance(fault, lease_row.LeaseLostError):
            self.faults.append(fault)

    def sleep(self) -> asyncio.Event:
        """Put the machine to sleep; the event wakes it."""
        self.link.asleep = self.workers.asleep = asyncio.Event()
        return self.link.asleep

    def define(self, **system: object) -> None:
        """Make the made-up system and app; the image lies in the world."""
        self.systems.create(USER, {**SYSTEM, **system})
        self.apps.create(USER, APP)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as image:
            image.writestr("tapisjob_app.sh", "echo hello\n")
        self.world.mkdir("/images")
        self.world.write("/images/model.zip", archive.getvalue())

    async def engine(self) -> Engine:
        """Take the lease, waiting for the last holder's to run out, and start."""
        while True:
            lease = self.database.write(self._acquire)
            if lease is not None:
                break
            await asyncio.sleep(1.0)
        engine = Engine(
            self.ports,
            folder=self.folder,
            apps=self.apps,
            systems=self.systems,
            fetch=_no_web,
            epoch=lease.epoch,
            fork_cores=None,
            store_id="simulated",
            on_lease_lost=self.lost_lease.set,
        )
        await engine.start()
        return engine

    def _acquire(self, connection: Connection) -> lease_row.Lease | None:
        return lease_row.acquire(connection, f"holder-{id(self)}", self.ports.clock.now())

    async def end(self) -> None:
        """The process is gone: nothing it had begun goes on."""
        self.link.dead = True
        self.workers.died.set()
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.database.close()


def _no_web(url: str) -> Any:
    raise AssertionError(f"the story has no Web: {url}")


async def unless_dead(life: Life, work: Awaitable[T]) -> T | None:
    """Await *work* unless the life ends first."""
    doing = asyncio.ensure_future(work)
    dying = asyncio.ensure_future(life.workers.died.wait())
    await asyncio.wait([doing, dying], return_when=asyncio.FIRST_COMPLETED)
    dying.cancel()
    if doing.done():
        return doing.result()
    doing.cancel()
    return None
