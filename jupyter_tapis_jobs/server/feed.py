"""News of jobs, from the engine to everyone who listens at this server."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model.job import Job, JobEvent
from ..model.user import User
from .door import Door

if TYPE_CHECKING:
    from ..engine.engine import Engine

#: Stored events that are read at once when a listener is behind.
PAGE = 500


@dataclass(frozen=True, slots=True)
class News:
    """A stored event and its job as it stood then; without one, the job has only said something new."""

    event: JobEvent | None
    job: Job
    #: Who hears of it beside the job's owner.
    others: frozenset[str] = frozenset()


class Subscription:
    """What one listener has not read yet: a bounded queue. What does not fit is read from the store."""

    def __init__(self, owner: str, capacity: int) -> None:
        self.owner = owner
        self._capacity = capacity
        self._queue: deque[News] = deque()
        self._wake = asyncio.Event()
        self._missed_after: int | None = None
        self.closed = False

    def put(self, news: News) -> None:
        """Queue *news*; past the capacity the queue is dropped and its place in the store kept."""
        if self._missed_after is None:
            self._queue.append(news)
            if len(self._queue) > self._capacity:
                self._missed_after = next((n.event.id - 1 for n in self._queue if n.event), None)
                self._queue.clear()
        self._wake.set()

    def close(self) -> None:
        """End the listening."""
        self.closed = True
        self._wake.set()

    async def take(self, seconds: float) -> list[News]:
        """Return all that is queued, waiting at most *seconds* for something."""
        try:
            # wait_for of Python 3.11 forgets that it was cancelled when news come in the same moment.
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return []
        self._wake.clear()
        taken = list(self._queue)
        self._queue.clear()
        return taken

    def missed(self) -> int | None:
        """Return the event after which something was dropped, once; None when nothing was."""
        after, self._missed_after = self._missed_after, None
        return after


class Feed:
    """Spreads the engine's events. ``hear`` runs on the engine's loop, all else on Jupyter's."""

    def __init__(self, door: Door, capacity: int) -> None:
        self._door = door
        self._capacity = capacity
        self._subscriptions: set[Subscription] = set()
        #: What listeners heard last, of each job that has not ended: its message, and its progress.
        self._said: dict[str, tuple[str | None, ...]] = {}
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._subscriptions)

    async def _attach(self) -> None:
        """Listen to the engine that runs now; after a lost lease it is another one."""
        self._loop = asyncio.get_running_loop()
        thread = await self._door.thread()
        await thread.run(self._listen_to)

    async def _listen_to(self, engine: Engine) -> None:
        if engine is not self._engine:
            engine.subscribe(self.hear)
            self._engine = engine

    def hear(self, events: Sequence[JobEvent], jobs: Sequence[Job]) -> None:
        """Take stored events, and jobs with a new message or progress, from the engine."""
        if self._loop is None or self._loop.is_closed():
            return
        by_uuid = {job.uuid: job for job in jobs}
        shared = self._engine.sharing.hearers if self._engine else {}
        pairs: list[tuple[JobEvent | None, Job]] = [
            (event, by_uuid[event.job_uuid]) for event in events if event.job_uuid in by_uuid
        ]
        told = {event.job_uuid for event in events}
        pairs += [(None, job) for job in jobs if job.uuid not in told and self._is_said_newly(job)]
        news = [News(event, job, shared.get(job.uuid, frozenset())) for event, job in pairs]
        for job in jobs:
            self._remember(job)
        self._loop.call_soon_threadsafe(self._spread, news)

    def _is_said_newly(self, job: Job) -> bool:
        said = _said_of(job)
        return any(said) and self._said.get(job.uuid) != said

    def _remember(self, job: Job) -> None:
        if job.status.is_terminal:
            self._said.pop(job.uuid, None)
        else:
            self._said[job.uuid] = _said_of(job)

    def _spread(self, news: Sequence[News]) -> None:
        for subscription in tuple(self._subscriptions):
            for item in news:
                if item.job.owner == subscription.owner or subscription.owner in item.others:
                    subscription.put(item)

    async def listen(
        self, user: User, *, after: int | None, keepalive: float
    ) -> AsyncGenerator[list[News], None]:
        """Yield news of *user*'s jobs: first the stored ones after the event *after*, then as they come.

        An empty list means that nothing happened for *keepalive* seconds. Ends when the server stops or
        this server's engine stops carrying the jobs.
        """
        await self._attach()
        subscription = Subscription(user.name, self._capacity)
        self._subscriptions.add(subscription)
        try:
            yield []
            last = after or 0
            if after is not None:
                async for page in self._stored(user, after):
                    last = _last_id(page)
                    yield page
            while not subscription.closed:
                taken = await subscription.take(keepalive)
                fresh = [item for item in taken if item.event is None or item.event.id > last]
                missed = subscription.missed()
                if missed is not None:
                    async for page in self._stored(user, max(missed, last)):
                        last = _last_id(page)
                        yield page
                elif fresh or not subscription.closed:
                    last = max(last, _last_id(fresh))
                    yield fresh
                if not fresh and not self._door.is_running:
                    return
        finally:
            self._subscriptions.discard(subscription)

    async def _stored(self, user: User, after: int) -> AsyncIterator[list[News]]:
        from ..store import jobs as job_rows

        def read(connection: Any) -> list[News]:
            events = job_rows.events_after(connection, user.name, after, PAGE)
            events += job_rows.shared_events_after(connection, user.name, after, PAGE)
            events = sorted(events, key=lambda event: event.id)[:PAGE]
            jobs = job_rows.get_many(connection, {event.job_uuid for event in events})
            return [News(event, jobs[event.job_uuid]) for event in events if event.job_uuid in jobs]

        while page := await self._door.read(read):
            yield page
            after = _last_id(page)

    def close(self) -> None:
        """End all listening."""
        for subscription in tuple(self._subscriptions):
            subscription.close()


def _said_of(job: Job) -> tuple[str | None, ...]:
    return job.last_message, job.progress_told


def _last_id(news: Sequence[News]) -> int:
    return max((item.event.id for item in news if item.event), default=0)
