"""A notifier over a real store, on made-up time, with receivers that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

from jupyter_tapis_jobs.engine.notifier import Notifier
from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.senders import Session
from jupyter_tapis_jobs.engine.subscriptions import Subscriptions
from jupyter_tapis_jobs.model.errors import InvalidInputError, StoreError
from jupyter_tapis_jobs.model.fields import DeliveryMethod
from jupyter_tapis_jobs.model.job import Job, JobEvent
from jupyter_tapis_jobs.model.notifications import Notice
from jupyter_tapis_jobs.model.status import EventType, JobStatus
from jupyter_tapis_jobs.model.times import iso
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store import deliveries as delivery_rows
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store import lease as lease_row
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.store.deliveries import Told
from jupyter_tapis_jobs.store.jobs import Change

T = TypeVar("T")

EPOCH = 1_700_000_000.0
ADA = User(name="ada", tenant="here", is_server_user=True)


class Clock:
    """The loop's own time."""

    def now(self) -> float:
        return EPOCH + asyncio.get_running_loop().time()

    def ticks(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Receivers:
    """Web servers and mailboxes: what they got, and how they answer."""

    def __init__(self) -> None:
        #: (address, event detail) in the order of arrival, and the bodies.
        self.got: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        #: What raises for an address or a receiver, as long as it is there.
        self.answers: dict[str, Callable[[], Exception]] = {}
        #: Addresses where nothing may ever be delivered.
        self.closed: set[str] = set()
        self.seconds: dict[str, float] = {}
        self.sessions = 0
        self.at_once = self.most_at_once = 0

    def check(self, address: str) -> None:
        if address in self.closed:
            raise InvalidInputError(f"{address} is closed.")

    @asynccontextmanager
    async def session(self, receiver: str) -> AsyncIterator[Session]:
        self.sessions += 1
        await asyncio.sleep(self.seconds.get(receiver, 0.01))
        if receiver in self.answers:
            raise self.answers[receiver]()
        yield self

    async def send(self, notice: Notice) -> None:
        address = notice.delivery.address
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.seconds.get(address, 0.01))
        finally:
            self.at_once -= 1
        if address in self.answers:
            raise self.answers[address]()
        self.got.append((address, notice.event.event_detail))
        self.bodies.append(notice.to_wire())

    def of(self, address: str) -> list[str]:
        """Return the details that arrived at one address."""
        return [detail for there, detail in self.got if there == address]


class Office:
    """One engine's notifier and subscriptions over a store; a new one on the same folder goes on."""

    def __init__(self, folder: Path, receivers: Receivers) -> None:
        self.receivers = receivers
        self.database = Database.open(folder)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.faults: list[BaseException] = []
        self.reads = self.writes = 0
        #: The store takes nothing.
        self.is_full = False
        self.lost = False
        lease = self.database.write(lambda c: lease_row.acquire(c, "{}", Clock().now(), ttl=10**9))
        self.epoch = lease.epoch if lease else self._epoch()
        self.ports = Ports(
            clock=Clock(),
            random=Random(1),
            spawn=self._spawn,
            workers=self,
            database=self.database,
            hosts=cast(Any, None),
            schedulers={},
            runtimes={},
            senders={DeliveryMethod.EMAIL: receivers, DeliveryMethod.WEBHOOK: receivers},
        )
        self.notifier = Notifier(self.ports, epoch=self.epoch, on_lease_lost=self._lose)
        self.subscriptions = Subscriptions(
            self.ports, epoch=self.epoch, job_of=self._job_of, announce=self.notifier.hear
        )

    def _epoch(self) -> int:
        held = self.database.read(lease_row.current)
        assert held is not None
        return held.epoch

    def _lose(self) -> None:
        self.lost = True

    async def write(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0.001)
        if self.is_full:
            raise StoreError("The disk of the job store is full.")
        self.writes += 1
        return work()

    async def read(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        self.reads += 1
        return work()

    def _spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.faults.append(fault)

    async def _job_of(self, user: User, uuid: str) -> Job:
        return self.database.read(lambda c: job_rows.get(c, uuid))

    # -- what tests do

    def jobs(self, *jobs: Job) -> list[Job]:
        """Store jobs."""
        return self.database.write(lambda c: job_rows.insert(c, [(job, "{}", "{}") for job in jobs]))

    async def subscribe(self, job: Job, *addresses: str, on: str = "JOB_NEW_STATUS", **more: Any) -> str:
        """Subscribe addresses to a job; return the subscription's uuid."""
        raw = {"eventCategoryFilter": on, "deliveryTargets": [target(a) for a in addresses], **more}
        return (await self.subscriptions.add(ADA, job.uuid, raw)).uuid

    def step(self, *jobs: Job, to: JobStatus, **fields: Any) -> list[Job]:
        """Move jobs in one transaction, as the conveyor does, and let the notifier hear of it."""
        now = iso(Clock().now())
        changes = [
            Change(
                before=job,
                after=job.evolve(status=to, last_updated=now, **fields),
                events=(
                    JobEvent(
                        job_uuid=job.uuid,
                        owner=job.owner,
                        event=EventType.JOB_NEW_STATUS,
                        event_detail=to,
                        created=now,
                        description=f"{job.name} is {to}",
                    ),
                ),
            )
            for job in jobs
        ]
        events = self.database.write(lambda c: job_rows.apply(c, changes))
        assert not events.stale
        self.notifier.hear(events, [change.after for change in changes])
        return [change.after for change in changes]

    def told(self, job: Job) -> list[Told]:
        """Return what became of a job's notifications."""
        return self.database.read(lambda c: delivery_rows.of_job(c, job.id))

    def states(self, job: Job) -> list[str]:
        """Return the states of a job's notifications, oldest first."""
        return [row.delivery.state.value for row in self.told(job)]

    async def quiet(self, seconds: float = 60.0) -> None:
        """Let so much time pass."""
        await asyncio.sleep(seconds)
        assert not self.faults, self.faults

    async def die(self) -> None:
        """End at once, as a killed process does: nothing more is written."""
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.database.close()

    def count(self, work: Callable[[Connection], T]) -> T:
        """Ask the store."""
        return self.database.read(work)


def target(address: str) -> dict[str, str]:
    """Return the delivery target of an address."""
    method = DeliveryMethod.WEBHOOK if "://" in address else DeliveryMethod.EMAIL
    return {"deliveryMethod": method.value, "deliveryAddress": address}
