"""One engine after another over the same store and the same world; each may die wherever it waits."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Awaitable, Callable
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

from .cluster import Cluster
from .link import Link
from .made_up import Host, MadeUpFork, MadeUpSlurm
from .world import EPOCH, World

T = TypeVar("T")

#: What lies at ``tapis://cluster/data/input.txt``.
INPUT = b"all of it\n"
USER = User(name="ada", tenant="tapisjobs", is_server_user=True)
QUEUES = [
    {"name": "normal", "hpcQueueName": "normal", "maxMinutes": 2880},
    # One promises more minutes than its partition gives, another names a partition that is not there.
    {"name": "promising", "hpcQueueName": "development", "maxMinutes": 2880},
    {"name": "missing", "hpcQueueName": "missing", "maxMinutes": 2880},
]
SYSTEM = {
    "id": "cluster",
    "systemType": "LINUX",
    "host": "cluster.example.org",
    "defaultAuthnMethod": "PKI_KEYS",
    "rootDir": "/",
    "canExec": True,
    "canRunBatch": True,
    "batchScheduler": "SLURM",
    "batchDefaultLogicalQueue": "normal",
    "jobWorkingDir": "/work",
    "jobRuntimes": [{"runtimeType": "ZIP"}],
}
APPS = {
    app: {
        "id": app,
        "version": "1.0",
        "runtime": "ZIP",
        "jobType": kind,
        "containerImage": "tapis://cluster/images/model.zip",
        "jobAttributes": {"execSystemId": "cluster", "maxMinutes": 1},
    }
    for app, kind in (("model", "FORK"), ("batch", "BATCH"))
}


class Clock:
    """The clock of the engine's machine, which somebody may set; waiting does not heed that."""

    def __init__(self) -> None:
        self.skew = 0.0

    def now(self) -> float:
        return EPOCH + asyncio.get_running_loop().time() + self.skew

    def ticks(self) -> float:
        return 1000.0 + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Clock(Clock):
    """The clock as one engine has it."""

    def __init__(self, clock: Clock, point: Callable[[], Awaitable[None]]) -> None:
        self._clock, self._point = clock, point

    def now(self) -> float:
        return self._clock.now()

    def ticks(self) -> float:
        return self._clock.ticks()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._point()


class Workers:
    """Runs the store's work in place."""

    def __init__(self, life: Life) -> None:
        self._life = life
        #: The store's disk takes nothing.
        self.is_full = False

    async def write(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(self._life.random.uniform(0, 0.002))
        await self._life.point()
        if self.is_full:
            raise StoreError("The disk of the job store is full.")
        result = work()
        self._life.world.calls["store write"] += 1
        self._life.on_write()
        await self._life.point()
        return result

    async def read(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        await self._life.point()
        self._life.world.calls["store read"] += 1
        return work()


class Hosts:
    """There is one host."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def transport(self, system_id: str, effective_user: str) -> Link:
        return self._link


class Life:
    """One engine from its start to its death or the end of the story."""

    def __init__(
        self,
        folder: Path,
        world: World,
        random: Random,
        die_at: int | None = None,
        *,
        cluster: Cluster | None = None,
        clock: Clock | None = None,
        number: int = 0,
    ) -> None:
        self.world, self.random, self.folder, self.number = world, random, folder, number
        #: How often it has waited, and at which time it dies.
        self.points, self.die_at = 0, die_at
        self.died = asyncio.Event()
        #: While set, its machine sleeps: nothing of it moves.
        self.asleep: asyncio.Event | None = None
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.faults: list[BaseException] = []
        self.lost_lease = asyncio.Event()
        #: Called after each transaction.
        self.on_write: Callable[[], None] = lambda: None
        self.database = Database.open(folder)
        self.cluster = cluster or Cluster(world)
        self.link = Link(world, Host(world, self.cluster).orders, self.point)
        self.workers = Workers(self)
        self.clock = clock or Clock()
        self.ports = Ports(
            clock=_Clock(self.clock, self.point),
            random=random,
            spawn=self._spawn,
            workers=self.workers,
            database=self.database,
            hosts=Hosts(self.link),
            schedulers={"FORK": MadeUpFork(), "SLURM": MadeUpSlurm()},
            runtimes={"ZIP": ZipRuntime()},
        )
        self.apps = AppCatalog(self.database, self.ports.clock.now)
        self.systems = SystemCatalog(self.database, self.ports.clock.now)

    async def point(self) -> None:
        """A place where the engine waits: here it may sleep, and here it may die."""
        if self.asleep is not None:
            await self.asleep.wait()
        self.points += 1
        if self.points == self.die_at:
            self.died.set()
        if self.died.is_set():
            await asyncio.get_running_loop().create_future()

    def _spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks[task] = None
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)
        fault = None if task.cancelled() else task.exception()
        if fault is not None and not isinstance(fault, lease_row.LeaseLostError):
            self.faults.append(fault)

    def sleep(self) -> asyncio.Event:
        """Put the machine to sleep; the event wakes it."""
        self.asleep = asyncio.Event()
        return self.asleep

    def define(self, **system: object) -> None:
        """Make the made-up system and apps; their image lies in the world."""
        nodes, cores = len(self.cluster.nodes), self.cluster.nodes[0].cores
        facts = {"maxArraySize": self.cluster.max_array, "coresPerNode": cores}
        queues = [{**queue, "maxNodeCount": nodes, "maxCoresPerNode": cores} for queue in QUEUES]
        known = {"notes": {"tapisjobs": facts}, "batchLogicalQueues": queues}
        self.systems.create(USER, {**SYSTEM, **known, **system})
        for app in APPS.values():
            self.apps.create(USER, app)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as image:
            image.writestr(zipfile.ZipInfo("tapisjob_app.sh"), "echo hello\n")
        self.world.write("/images/model.zip", archive.getvalue())
        self.world.write("/data/input.txt", INPUT)

    async def engine(self) -> Engine:
        """Take the lease, waiting for the last holder's to run out, and start."""
        while True:
            lease = self.database.write(self._acquire)
            if lease is not None:
                break
            await asyncio.sleep(5.0)
        engine = Engine(
            self.ports,
            folder=self.folder,
            apps=self.apps,
            systems=self.systems,
            fetch=_no_web,
            epoch=lease.epoch,
            fork_cores=None,
            store_id="simulated",
            server_user=USER,
            on_lease_lost=self.lost_lease.set,
        )
        # It may die already here.
        await unless_dead(self, engine.start())
        return engine

    def _acquire(self, connection: Connection) -> lease_row.Lease | None:
        return lease_row.acquire(connection, f"life {self.number}", self.ports.clock.now())

    async def end(self) -> None:
        """The process is gone: nothing that it had begun goes on, except on the host."""
        self.died.set()
        tasks = [*self.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.database.close()


def _no_web(url: str) -> Any:
    raise AssertionError(f"the story has no Web: {url}")


async def unless_dead(life: Life, work: Awaitable[T]) -> T | None:
    """Await *work* unless the life ends first."""
    doing = asyncio.ensure_future(work)
    dying = asyncio.ensure_future(life.died.wait())
    await asyncio.wait([doing, dying], return_when=asyncio.FIRST_COMPLETED)
    dying.cancel()
    if doing.done():
        return doing.result()
    doing.cancel()
    return None
