"""Post-processing: a function looks at the outputs of an ended job, and what it returns is kept with the job.

What is wanted is stored with the job, and made due in the transaction of its end. A function of a package
runs in a worker of this server, one of the kernel in the kernel that has claimed the job. What came of an
attempt is stored under the condition that no other attempt was begun: one success at most is recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ..model.errors import ConflictError, NotFoundError, StoreError
from ..model.job import Job, JobEvent
from ..model.processing import Outcome, Processing, ProcessingStatus, Runs
from ..model.status import EventType
from ..model.times import iso, parse_iso
from ..model.user import User
from ..store import jobs as job_rows
from ..store import lease as lease_row
from ..store import processings as rows
from ..store.lease import LeaseLostError
from .functions import Functions, Shift
from .ports import Ports

log = logging.getLogger(__name__)

#: A stored event and its job.
Told = tuple[JobEvent, Job]

#: Workers at a time; jobs that one worker processes before others have their turn; rows looked at at once.
AT_ONCE, SHIFT, BATCH = 2, 50, 100
#: Seconds until a function is called again that failed, by the number of attempts; then always the last.
RETRY_AFTER = (5.0, 60.0, 300.0)
#: Seconds until the store is asked again after it had trouble.
STORE_RETRY = 5.0
#: What the history calls it.
EVENT_DETAIL = "PROCESSING"

_SERVER_ENDED = "The server ended while the function ran, {} times."
_KERNEL_SILENT = "The kernel that ran it has not told what came of it within {:g} min."


class PostProcessing:
    """Has the outputs of ended jobs processed. Lives on the engine's loop only.

    *owned* finds a job of the user's own.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        owned: Callable[[User, str], Awaitable[Job]],
        announce: Callable[[Sequence[JobEvent], Sequence[Job]], None],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._owned = owned
        self._announce = announce
        #: Jobs that a worker has.
        self._taken: set[int] = set()
        self._workers = 0
        self._is_looking = False
        self._again = False
        self._planned: float | None = None
        self._is_over = False

    async def start(self) -> None:
        """Take up what a server that ended had begun, and what is due."""

        def work(connection: Connection) -> list[Told]:
            return [told for item in begun if (told := self._interrupted(connection, item))]

        begun = await self._ports.read(rows.interrupted)
        if begun:
            self._tell(await self._ports.write(work, epoch=self._epoch))
        self.wake()

    def hear(self, events: Sequence[JobEvent], jobs: Sequence[Job]) -> None:
        """Listen to the conveyor: what was to wait for an end may be due."""
        if any(job.status.is_terminal for job in jobs):
            self.wake()

    def wake(self) -> None:
        """Look soon for what is due."""
        self._again = True
        if not self._is_looking and not self._is_over:
            self._is_looking = True
            self._ports.spawn(self._look(), "look for jobs to process")

    # -- for owners

    async def get(self, user: User, uuid: str) -> Processing:
        """Return how the processing of a job stands; ``NotFoundError`` where its request wants none."""
        job = await self._owned(user, uuid)
        return await self._ports.read(lambda c: _found(c, job))

    async def get_many(self, user: User, uuids: Sequence[str]) -> list[Processing]:
        """Return how it stands for the user's own jobs whose requests want it, in the order asked."""
        found = await self._ports.read(lambda c: rows.of_jobs(c, uuids, user.name, user.tenant))
        return [found[uuid] for uuid in dict.fromkeys(uuids) if uuid in found]

    async def again(self, user: User, uuid: str) -> Processing:
        """Have the outputs processed anew; ``ConflictError`` before the job's end, and while it is done."""
        job = await self._owned(user, uuid)

        def work(connection: Connection) -> Processing:
            item = _found(connection, _ended(connection, job))
            now = self._now()
            due = now if item.wish.runs is Runs.SERVER else None
            if not rows.again(connection, job.id, now, due=due):
                raise ConflictError(f"The outputs of job {job.name} are being processed; wait for its end.")
            return _found(connection, job)

        item = await self._ports.write(work, epoch=self._epoch)
        self.wake()
        return item

    async def claim(self, user: User, uuid: str, claim: str) -> Processing:
        """Begin an attempt of the kernel that calls itself *claim*, unless another one has the job.

        The claim holds for the function's ``maxMinutes``. Who has it is told by what is returned.
        """
        job = await self._owned(user, uuid)

        def work(connection: Connection) -> Processing:
            item = _of_kernel(connection, _ended(connection, job))
            if item.status is ProcessingStatus.PENDING:
                end = iso(self._ports.clock.now() + 60 * item.wish.max_minutes)
                rows.begin(connection, item, self._now(), claim=claim, due=end)
            return _found(connection, job)

        item = await self._ports.write(work, epoch=self._epoch)
        self.wake()
        return item

    async def report(self, user: User, uuid: str, claim: str, outcome: Outcome) -> Processing:
        """Store what came of a kernel's attempt; ``ConflictError`` where another one has the job by now."""
        job = await self._owned(user, uuid)

        def work(connection: Connection) -> Told | None:
            item = _of_kernel(connection, job)
            return self._settled(connection, item, outcome) if item.claim == claim else None

        told = await self._ports.write(work, epoch=self._epoch)
        self._tell([told] if told else [])
        item = await self.get(user, uuid)
        # Its own outcome may come twice, where the answer to the first was lost.
        if told is None and not (item.claim == claim and item.status.is_over):
            raise ConflictError(f"Another kernel has job {job.name} by now; this result is not kept.")
        return item

    # -- what is due

    async def _look(self) -> None:
        """Give workers what is due, and claims back that have run out; then plan the next look."""
        try:
            while self._again and self._workers < AT_ONCE:
                self._again = False
                found = await self._ports.read(self._due)
                if await self._release(found):
                    self._again = True
                item = self._take(found)
                if item is not None:
                    self._workers += 1
                    self._again = True
                    self._ports.spawn(self._work(item), f"processing by {item.wish.name}")
            self._plan(await self._ports.read(self._next_due))
        except LeaseLostError:
            self._is_over = True
        except StoreError as trouble:
            log.warning("Processing of jobs waits for the store: %s", trouble.message)
            self._again = False
            self._plan(self._ports.clock.now() + STORE_RETRY)
        finally:
            self._is_looking = False
            if self._again and self._workers < AT_ONCE:
                self.wake()

    def _take(self, found: Sequence[Processing], like: Processing | None = None) -> Processing | None:
        """Take what a worker is to do next; with *like* for the same owner by the same function."""
        if self._ports.functions is None:
            return None
        for item in found:
            is_alike = like is None or (item.owner, item.wish.name) == (like.owner, like.wish.name)
            if item.wish.runs is Runs.SERVER and is_alike and item.job_id not in self._taken:
                self._taken.add(item.job_id)
                return item
        return None

    def _due(self, connection: Connection) -> list[Processing]:
        lease_row.check(connection, self._epoch)
        return rows.due(connection, self._now(), self._taken, BATCH)

    def _next_due(self, connection: Connection) -> float | None:
        found = rows.next_due(connection, self._now())
        return parse_iso(found) if found else None

    def _plan(self, when: float | None) -> None:
        """Look again at *when*, seconds since the epoch."""
        if when is None or (self._planned is not None and self._planned <= when):
            return
        self._planned = when
        self._ports.spawn(self._wake_at(when), "next look for jobs to process")

    async def _wake_at(self, when: float) -> None:
        await self._ports.clock.sleep(max(0.0, when - self._ports.clock.now()))
        if self._planned == when:
            self._planned = None
        self.wake()

    # -- workers of this server

    async def _work(self, first: Processing) -> None:
        """Process the first job, and others like it, in one worker."""
        functions, item = self._ports.functions, first
        try:
            if functions is not None:
                await self._shift(functions, item)
        except LeaseLostError:
            self._is_over = True
        except StoreError as trouble:
            log.warning("Processing by %s waits for the store: %s", first.wish.name, trouble.message)
            self._plan(self._ports.clock.now() + STORE_RETRY)
        finally:
            self._workers -= 1
            self._taken.discard(first.job_id)
            self.wake()

    async def _shift(self, functions: Functions, first: Processing) -> None:
        async with functions.shift() as shift:
            item: Processing | None = first
            for _ in range(SHIFT):
                if item is None:
                    return
                try:
                    await self._attempt(shift, item)
                finally:
                    self._taken.discard(item.job_id)
                item = self._take(await self._ports.read(self._due), like=first)
            if item is not None:
                self._taken.discard(item.job_id)

    async def _attempt(self, shift: Shift, item: Processing) -> None:
        begun = await self._ports.write(lambda c: rows.begin(c, item, self._now()), epoch=self._epoch)
        if not begun:
            return
        attempt = replace(item, attempts=item.attempts + 1)
        outcome = await _outcome(shift, attempt)
        while True:
            try:
                told = await self._ports.write(
                    lambda c: self._settled(c, attempt, outcome), epoch=self._epoch
                )
            except StoreError as trouble:
                log.warning("What %s returned waits for the store: %s", item.wish.name, trouble.message)
                await self._ports.clock.sleep(STORE_RETRY)
            else:
                self._tell([told] if told else [])
                return

    # -- what came of attempts

    def _settled(self, connection: Connection, item: Processing, outcome: Outcome) -> Told | None:
        """Store what came of an attempt; what a kernel's function raised, its user has seen: it is final."""
        if outcome.problem is None:
            return self._store(connection, item, ProcessingStatus.FINISHED, outcome)
        if item.wish.runs is Runs.KERNEL or not item.may_try_again:
            return self._store(connection, item, ProcessingStatus.FAILED, outcome)
        pause = RETRY_AFTER[min(item.attempts, len(RETRY_AFTER)) - 1]
        return self._store(connection, item, ProcessingStatus.PENDING, outcome, pause)

    def _interrupted(self, connection: Connection, item: Processing) -> Told | None:
        """Have an attempt made anew that ended with its server."""
        outcome = Outcome(problem=_SERVER_ENDED.format(item.attempts))
        status = ProcessingStatus.PENDING if item.may_try_again else ProcessingStatus.FAILED
        return self._store(connection, item, status, outcome)

    async def _release(self, found: Sequence[Processing]) -> bool:
        """Take jobs back from kernels whose claims have run out; return whether there were any."""

        def work(connection: Connection) -> list[Told]:
            return [told for item in silent if (told := self._silent(connection, item))]

        silent = [item for item in found if item.wish.runs is Runs.KERNEL]
        if silent:
            self._tell(await self._ports.write(work, epoch=self._epoch))
        return bool(silent)

    def _silent(self, connection: Connection, item: Processing) -> Told | None:
        outcome = Outcome(problem=_KERNEL_SILENT.format(item.wish.max_minutes))
        status = ProcessingStatus.PENDING if item.may_try_again else ProcessingStatus.FAILED
        return self._store(connection, item, status, outcome)

    def _store(
        self,
        connection: Connection,
        item: Processing,
        status: ProcessingStatus,
        outcome: Outcome,
        pause: float = 0.0,
    ) -> Told | None:
        """Store what an attempt has come to, with an entry in the job's history; None where it is late."""
        is_due = status is ProcessingStatus.PENDING and item.wish.runs is Runs.SERVER
        due = iso(self._ports.clock.now() + pause) if is_due else None
        if not rows.settle(connection, item, status, outcome, self._now(), due=due):
            return None
        job = job_rows.get(connection, item.job_uuid)
        words = outcome.problem or "its result is kept with the job."
        event = JobEvent(
            job_uuid=job.uuid,
            owner=job.owner,
            event=EventType.JOB_USER_EVENT,
            event_detail=EVENT_DETAIL,
            created=self._now(),
            description=f"{item.wish.name} {status}: {words.splitlines()[0]}",
        )
        return job_rows.add_event(connection, job, event), job

    def _tell(self, told: Sequence[Told]) -> None:
        if told:
            self._announce([event for event, _ in told], [job for _, job in told])

    def _now(self) -> str:
        return iso(self._ports.clock.now())


async def _outcome(shift: Shift, item: Processing) -> Outcome:
    try:
        return await shift.run(item)
    except Exception as fault:
        log.exception("processing of job %s failed by an unexpected fault", item.job_uuid)
        return Outcome(problem=f"The server could not run it: {type(fault).__name__}: {fault}")


def _found(connection: Connection, job: Job) -> Processing:
    item = rows.of_job(connection, job.id)
    if item is None:
        raise NotFoundError(
            f"Nothing is done with the outputs of job {job.name}: its request has no notes.tapisjobs.process "
            "(tapis.submit(…, process=…)).",
            code="JOBS_NO_PROCESSING",
        )
    return item


def _ended(connection: Connection, job: Job) -> Job:
    """Return *job* as it is stored; ``ConflictError`` where it has not ended."""
    stored = job_rows.get(connection, job.uuid)
    if not stored.status.is_terminal:
        raise ConflictError(f"Job {job.name} is {stored.status}; its outputs are processed after its end.")
    return stored


def _of_kernel(connection: Connection, job: Job) -> Processing:
    item = _found(connection, job)
    if item.wish.runs is not Runs.KERNEL:
        raise ConflictError(f"The outputs of job {job.name} are processed by the server, not by a kernel.")
    return item
