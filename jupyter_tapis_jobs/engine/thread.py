"""The engine beside a server: in a thread of its own, under the lease that makes it the only one."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from ..model.errors import StoreError, UnavailableError
from ..model.times import iso
from ..model.user import User
from ..store import lease as lease_row
from ..store import settings
from ..store.database import Database
from ..store.lease import Lease
from .apps import AppCatalog
from .builtin import ensure_builtin
from .child_systems import ChildSystems
from .engine import Engine
from .fetch import fetch
from .path_sharing import PathSharing
from .ports import Ports
from .profiles import ProfileCatalog
from .real import Tasks, ThreadWorkers, real_ports
from .sharing import Sharing
from .systems import SystemCatalog
from .templates import TemplateCatalog

log = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

#: The setting that names the store.
STORE_ID = "store.id"
#: Seconds between two tries to get a lease that another server holds.
ACQUIRE_AGAIN = 3.0
#: Seconds that a call waits for an engine that is starting.
READY = 30.0


class EngineState(StrEnum):
    """How the engine of this server stands."""

    #: The store is being opened.
    STARTING = "starting"
    #: It carries jobs.
    RUNNING = "running"
    #: Another server's engine carries the jobs; ``holder`` tells which.
    WAITING = "waiting"
    #: It has been ended.
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process whose engine has the lease; ``born`` and ``boot`` tell it from a later namesake."""

    pid: int
    url: str
    started: str
    born: str
    boot: str

    @classmethod
    def of_this_process(cls, url: str, now: float) -> Holder:
        """Describe the calling process."""
        return cls(os.getpid(), url, iso(now), _born(os.getpid()), _boot())

    @classmethod
    def of(cls, lease: Lease) -> Holder:
        """Read a lease's holder."""
        return cls(**json.loads(lease.holder))

    def to_json(self) -> str:
        """Return the text that is stored with the lease."""
        return json.dumps(asdict(self))

    @property
    def is_dead(self) -> bool:
        """True when the process ran on this machine's present boot and is surely gone."""
        return bool(self.boot) and self.boot == _boot() and self.born != _born(self.pid)


def _born(pid: int) -> str:
    """Return a process's start time in clock ticks since boot (proc(5), stat, field 22), or ''."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class EngineThread:
    """Runs an ``Engine`` in a thread; every call from outside goes through here.

    *folder* holds the store and the local jobs; *user* is the server's own user; *url* is where this
    server answers, for others to forward to; *fork_cores* is how many cores local jobs share (None:
    all that this process may use); *retention_days* after which ended jobs are removed (0: never);
    *callback_url* is the address of the API as hosts reach it ('': they do not).
    Raises ``StoreError`` from ``start`` when the store cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        user: User,
        url: str = "",
        fork_cores: int | None = None,
        allow_private_inputs: bool = False,
        retention_days: int = 0,
        callback_url: str = "",
        ports: Callable[[Database, Tasks, ThreadWorkers], Ports] = real_ports,
    ) -> None:
        self.folder = folder
        self._user = user
        self._url = url
        self._cores = fork_cores or len(os.sched_getaffinity(0))
        self._allow_private_inputs = allow_private_inputs
        self._retention_days = retention_days
        self._callback_url = callback_url
        self._make_ports = ports
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None
        self._engine: Engine | None = None
        self._decided = threading.Event()
        self.state = EngineState.STARTING
        #: The other server's process while ``state`` is WAITING.
        self.holder: Holder | None = None
        self.database: Database
        self.apps: AppCatalog
        self.systems: SystemCatalog
        self.children: ChildSystems
        self.profiles: ProfileCatalog
        self.templates: TemplateCatalog
        self.sharing: Sharing
        self.path_sharing: PathSharing

    # -- life

    def start(self) -> None:
        """Open the store and start the thread; the engine runs once it has the lease."""
        self.database = Database.open(self.folder)
        self._tasks, self._workers = Tasks(), ThreadWorkers()
        self._ports = self._make_ports(self.database, self._tasks, self._workers)
        self.apps = AppCatalog(self.database, self._ports.clock.now)
        self.systems = SystemCatalog(self.database, self._ports.clock.now)
        self.children = ChildSystems(self.database, self.systems, self._ports.clock.now)
        self.profiles = ProfileCatalog(self.database, self._ports.clock.now)
        self.templates = TemplateCatalog(self.database, self._ports.clock.now)
        self.sharing = Sharing(self.database, (self.apps, self.systems), self._ports.clock.now)
        self.path_sharing = PathSharing(self.database, self.systems, self._ports.clock.now)
        ensure_builtin(self.apps, self.systems, self._user, self.folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="tapisjobs-engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the engine cleanly: jobs go on by themselves, the lease is free at once."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        finally:
            self._loop.run_until_complete(_end_all_others())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._workers.close()
            self.database.close()
            self._loop.close()

    async def _live(self) -> None:
        """Have the lease or wait for it, until the end."""
        self._stopping = asyncio.Event()
        self._lost = asyncio.Event()
        stopping = asyncio.ensure_future(self._stopping.wait())
        while not self._stopping.is_set():
            lease = await self._acquire()
            if lease is None:
                self._decided.set()
                await asyncio.wait([stopping], timeout=ACQUIRE_AGAIN)
                continue
            await self._carry(lease, stopping)
        self.state = EngineState.STOPPED

    async def _carry(self, lease: Lease, stopping: asyncio.Future[Any]) -> None:
        """Run the engine under *lease* until it is lost or the end comes."""
        self._lost.clear()
        engine = Engine(
            self._ports,
            folder=self.folder,
            apps=self.apps,
            systems=self.systems,
            fetch=lambda url: fetch(url, allow_private=self._allow_private_inputs),
            epoch=lease.epoch,
            fork_cores=self._cores,
            store_id=await self._store_id(),
            server_user=self._user,
            retention_days=self._retention_days,
            callback_url=self._callback_url,
            on_lease_lost=self._lost.set,
        )
        await engine.start()
        self._engine, self.holder, self.state = engine, None, EngineState.RUNNING
        self._decided.set()
        lost = asyncio.ensure_future(self._lost.wait())
        await asyncio.wait([stopping, lost], return_when=asyncio.FIRST_COMPLETED)
        if lost.done():
            log.error(
                "Another server's engine has taken the job store over; this one works through it from now on."
            )
        lost.cancel()
        self._engine, self.state = None, EngineState.WAITING
        await self._tasks.cancel_all()
        await self._ports.hosts.close()
        await self._release(lease)

    async def _store_id(self) -> str:
        """Return the store's id, by which hosts tell its folders from another store's."""

        def work(connection: Connection) -> str:
            known = settings.get(connection, STORE_ID)
            if known is None:
                known = secrets.token_hex(8)
                settings.put(connection, STORE_ID, known)
            return known

        return await self._workers.write(lambda: self.database.write(work))

    async def _release(self, lease: Lease) -> None:
        try:
            await self._workers.write(
                lambda: self.database.write(lambda c: lease_row.release(c, lease.epoch))
            )
        except StoreError as trouble:
            log.warning("The lease could not be given back (%s); it runs out by itself.", trouble.message)

    async def _acquire(self) -> Lease | None:
        """Take the lease if it is free, has run out, or its holder is surely dead."""
        now = self._ports.clock.now()
        mine = Holder.of_this_process(self._url, now)

        def work(connection: Connection) -> Lease | None:
            held = lease_row.current(connection)
            if held is not None and Holder.of(held).is_dead:
                lease_row.release(connection, held.epoch)
            return lease_row.acquire(connection, mine.to_json(), now)

        try:
            lease = await self._workers.write(lambda: self.database.write(work))
            if lease is None:
                held = await self._workers.read(lambda: self.database.read(lease_row.current))
                self.holder = Holder.of(held) if held else None
                self.state = EngineState.WAITING
        except StoreError as trouble:
            log.error("The job engine cannot start: %s", trouble.message)  # noqa: TRY400
            return None
        return lease

    # -- calls from other threads and loops

    async def call(
        self,
        method: Callable[Concatenate[Engine, P], Coroutine[Any, Any, T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Await ``Engine.method`` on the engine's loop: ``await thread.call(Engine.submit, user, raws)``.

        Raises ``UnavailableError`` while this server's engine does not run.
        """
        engine = await self._ready()
        work = method(engine, *args, **kwargs)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def run(self, work: Callable[[Engine], Coroutine[Any, Any, T]]) -> T:
        """Await ``work(engine)`` on the engine's loop: ``lambda engine: engine.files.list(…)``."""
        return await self.call(work)

    async def stream(
        self, make: Callable[[Engine], AsyncIterator[bytes] | Awaitable[AsyncIterator[bytes]]]
    ) -> AsyncIterator[bytes]:
        """Iterate on the caller's loop over ``make(engine)``, which lives on the engine's."""
        engine = await self._ready()
        chunks = make(engine)
        if not isinstance(chunks, AsyncIterator):
            chunks = await self._there(_awaited(chunks))
        async for chunk in self.bridged(chunks):
            yield chunk

    async def bridged(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Iterate on the caller's loop over an iterator that lives on the engine's."""
        try:
            while (chunk := await self._there(_next(chunks))) is not None:
                yield chunk
        finally:
            # An ended engine has closed what it had open.
            if isinstance(chunks, AsyncGenerator) and not self._loop.is_closed():
                await self._there(_closed(chunks))

    async def settled(self) -> EngineState:
        """Return the state once it is known whether this server's engine carries the jobs."""
        if not self._decided.is_set():
            await asyncio.get_running_loop().run_in_executor(None, self._decided.wait, READY)
        return self.state

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run *work* on a reader thread of the store; works in every state."""
        return await asyncio.wrap_future(self._workers.readers.submit(self.database.read, work))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Write what is not the engine's (tokens) on the store's writer thread; works in every state."""
        return await asyncio.wrap_future(self._workers.writer.submit(self.database.write, work))

    async def change(self, work: Callable[[], T]) -> T:
        """Run a catalog's writing method on the store's one writer thread."""
        await self._ready()
        return await asyncio.wrap_future(self._workers.writer.submit(work))

    async def look_up(self, work: Callable[[], T]) -> T:
        """Run a catalog's reading method on a reader thread."""
        return await asyncio.wrap_future(self._workers.readers.submit(work))

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            work.close()
            raise UnavailableError("The server is stopping; nothing is lost. Try again when it runs.")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _ready(self) -> Engine:
        if not self._decided.is_set():
            await asyncio.get_running_loop().run_in_executor(None, self._decided.wait, READY)
        if self._engine is None:
            where = f" (pid {self.holder.pid}, since {self.holder.started})" if self.holder else ""
            raise UnavailableError(f"The job engine is busy in another server{where}. Try again in a moment.")
        return self._engine


async def _end_all_others() -> None:
    """Cancel what callers and the engine still have under way, and wait for its end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _awaited(value: Awaitable[T]) -> T:
    return await value


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


async def _closed(chunks: AsyncGenerator[bytes, None]) -> None:
    await chunks.aclose()
