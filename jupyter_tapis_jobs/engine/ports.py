"""What the engine is given from outside, so that it can be simulated: time, chance, tasks, hosts, store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from ..model.fields import DeliveryMethod
from ..runtimes.base import Runtime
from ..schedulers.base import Scheduler
from ..store import lease as lease_row
from ..store.database import Database
from ..transports.base import Transport
from .functions import Functions
from .senders import Sender

T = TypeVar("T")


class Clock(Protocol):
    """Time as the engine knows it."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        ...

    def ticks(self) -> float:
        """Return seconds from some moment: for durations, since nobody can set this clock."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


Spawn = Callable[[Coroutine[Any, Any, Any], str], "asyncio.Task[Any]"]


class Workers(Protocol):
    """Runs blocking work away from the event loop; in a simulation, in place."""

    def write(self, work: Callable[[], T]) -> Awaitable[T]:
        """Run *work* on the one writer thread."""
        ...

    def read(self, work: Callable[[], T]) -> Awaitable[T]:
        """Run *work* on a reader thread."""
        ...


class Hosts(Protocol):
    """Finds the transport of a lane."""

    async def transport(self, system_id: str, effective_user: str) -> Transport:
        """Return the (pooled) connection; raises ``TransportError`` when the host cannot be reached."""
        ...

    async def close(self) -> None:
        """End all connections; those that are needed again are made again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside the engine."""

    clock: Clock
    random: Random
    spawn: Spawn
    workers: Workers
    database: Database
    hosts: Hosts
    schedulers: dict[str, Scheduler]
    runtimes: dict[str, Runtime]
    #: What carries notifications; where there is none for a method, they wait.
    senders: Mapping[DeliveryMethod, Sender] = field(default_factory=dict)
    #: What runs functions of packages; where there is nothing, none is offered.
    functions: Functions | None = None

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run *work* on a reader thread of the store."""
        return await self.workers.read(lambda: self.database.read(work))

    async def write(self, work: Callable[[Connection], T], *, epoch: int | None = None) -> T:
        """Run *work* in one transaction, on the store's writer thread.

        With *epoch*, as the engine of that lease: raises ``LeaseLostError`` when another has taken over.
        """

        def fenced(connection: Connection) -> T:
            if epoch is not None:
                lease_row.check(connection, epoch)
            return work(connection)

        return await self.workers.write(lambda: self.database.write(fenced))
