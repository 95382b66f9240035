"""The engine's ports on a real machine: the clock on the wall, threads, this machine and SSH hosts."""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from random import SystemRandom
from typing import Any, TypeVar

from ..model.fields import DeliveryMethod
from ..runtimes.docker import DockerRuntime
from ..runtimes.singularity import SingularityRuntime
from ..runtimes.zip import ZipRuntime
from ..schedulers.condor import CondorScheduler
from ..schedulers.dask import DaskScheduler
from ..schedulers.fork import ForkScheduler
from ..schedulers.slurm import SlurmScheduler
from ..secrets.credentials import Safe
from ..store.database import Database
from .functions import Functions
from .hosts import RealHosts
from .ports import Ports
from .senders import Sender

T = TypeVar("T")

READERS = 4


#: Not every system has a clock that counts a suspended machine's time.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class WallClock:
    """Real time."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        return time.time()

    def ticks(self) -> float:
        """Return seconds since the machine started, those that it slept included."""
        return time.clock_gettime(_STEADY)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class ThreadWorkers:
    """One thread that writes, a few that read."""

    def __init__(self) -> None:
        self.writer = ThreadPoolExecutor(1, thread_name_prefix="tapisjobs-writer")
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="tapisjobs-reader")

    def write(self, work: Callable[[], T]) -> Awaitable[T]:
        """Run *work* on the one writer thread."""
        return asyncio.get_running_loop().run_in_executor(self.writer, work)

    def read(self, work: Callable[[], T]) -> Awaitable[T]:
        """Run *work* on a reader thread."""
        return asyncio.get_running_loop().run_in_executor(self.readers, work)

    def close(self) -> None:
        """Finish what was begun and end the threads."""
        self.writer.shutdown()
        self.readers.shutdown()


class Tasks:
    """Owns the engine's tasks, so that none is lost and all end with it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a named task."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"task {task.get_name()!r} of the job engine failed", "exception": fault}
            )

    async def cancel_all(self) -> None:
        """Cancel every task and wait for its end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def real_ports(
    database: Database,
    tasks: Tasks,
    workers: ThreadWorkers,
    *,
    server_user: str | None = None,
    accept_new: bool = False,
    senders: Mapping[DeliveryMethod, Sender] | None = None,
    functions: Functions | None = None,
) -> Ports:
    """Return the ports of a real engine over *database*.

    *server_user*: whose ``~/.ssh`` this machine's is; None takes the user of the process. *accept_new*:
    take the key of a host never seen before without asking. *senders*: what carries notifications;
    *functions*: what runs functions of packages.
    """
    clock = WallClock()
    hosts = RealHosts(
        database,
        workers,
        clock,
        safe=Safe(database.path.parent / "keys"),
        server_user=server_user or getpass.getuser(),
        accept_new=accept_new,
    )
    return Ports(
        clock=clock,
        random=SystemRandom(),
        spawn=tasks.spawn,
        workers=workers,
        database=database,
        hosts=hosts,
        schedulers={
            s.name: s for s in (ForkScheduler(), SlurmScheduler(), CondorScheduler(), DaskScheduler())
        },
        runtimes={
            ZipRuntime.name: ZipRuntime(),
            DockerRuntime.name: DockerRuntime(),
            SingularityRuntime.name: SingularityRuntime(),
        },
        senders=senders or {},
        functions=functions,
    )
