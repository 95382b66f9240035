"""BLOCKED jobs: they wait out trouble, or for a place under a quota; when each is tried again."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ..model.errors import StoreError
from ..model.job import Job
from ..model.status import JobStatus
from ..store.jobs import Change
from .ports import Ports
from .steps import Steps

log = logging.getLogger(__name__)

#: Seconds until a blocked job is tried again: grows with each failed try in a row.
RETRY_AFTER = (5.0, 15.0, 60.0, 120.0, 300.0)
#: Seconds until that is stored again which the store did not take.
STORE_RETRY = 5.0


class Carrier(Protocol):
    """Who knows the active jobs and stores their steps."""

    jobs: dict[str, Job]
    steps: Steps

    async def commit(self, *rounds: Sequence[Change]) -> frozenset[str]:
        """Store changes; return the jobs that had moved on."""
        ...


class Blocked:
    """Plans when blocked jobs are tried again, and lets them go on. Lives on the engine's loop only."""

    def __init__(self, carrier: Carrier, ports: Ports) -> None:
        self._carrier = carrier
        self._ports = ports
        self._tries: dict[str, int] = {}
        self._retries: dict[str, float] = {}
        self._planned: set[str] = set()

    def waiting_for_a_place(self) -> list[Job]:
        """Return the jobs that a quota holds back, oldest first."""
        held = (j for j in self._carrier.jobs.values() if j.status is JobStatus.BLOCKED)
        return [j for j in held if j.resume_status is JobStatus.PENDING and j.uuid not in self._planned]

    def retry_after(self, job: Job) -> float:
        """Return the seconds until the next try of a job that has failed once more."""
        tries = self._tries[job.uuid] = self._tries.get(job.uuid, 0) + 1
        return RETRY_AFTER[min(tries, len(RETRY_AFTER)) - 1]

    def change(self, job: Job, message: str, retry_after: float | None) -> Change:
        """Return the change of a job that has to wait, and plan its next try, which the message tells."""
        if retry_after is not None:
            self._retries[job.uuid] = retry_after
            message = f"{message.rstrip('.')}. Next try in {_span(retry_after)}; nothing is lost."
        return self._carrier.steps.blocked(job, message)

    def stored(self, jobs: Iterable[Job], origins: Mapping[str, JobStatus]) -> None:
        """Start the planned tries of those that are stored as blocked; *origins* are their last statuses."""
        retries: dict[float, list[str]] = {}
        for job in jobs:
            if job.status is JobStatus.BLOCKED and job.uuid in self._retries:
                retries.setdefault(self._retries.pop(job.uuid), []).append(job.uuid)
            if JobStatus.BLOCKED not in (job.status, origins[job.uuid]):
                self._tries.pop(job.uuid, None)
        # Those that were held back together go on together.
        for seconds, uuids in retries.items():
            self._ports.spawn(self._retry(uuids, seconds), f"retry of {len(uuids)} jobs")

    async def _retry(self, uuids: Sequence[str], seconds: float) -> None:
        self._planned.update(uuids)
        try:
            await self._ports.clock.sleep(seconds)
        finally:
            self._planned.difference_update(uuids)
        await self.let_go_on(uuids)

    async def let_go_on(self, uuids: Iterable[str]) -> None:
        """Let blocked jobs go on where they stopped; while the store takes nothing, wait and try again."""
        names = tuple(uuids)
        while True:
            try:
                return await self._go_on(names)
            except StoreError as trouble:
                log.warning("%s %d blocked jobs wait for it.", trouble.message, len(names))
                await self._ports.clock.sleep(STORE_RETRY)

    async def try_now(self, system_id: str) -> None:
        """Let jobs on a system that wait for their next try go on: somebody has seen that it answers."""
        held = (job for job in self._carrier.jobs.values() if job.status is JobStatus.BLOCKED)
        await self.let_go_on(
            [j.uuid for j in held if j.exec_system_id == system_id and j.uuid in self._planned]
        )

    async def _go_on(self, uuids: Sequence[str]) -> None:
        jobs = [self._carrier.jobs[uuid] for uuid in uuids if uuid in self._carrier.jobs]
        held = [job for job in jobs if job.status is JobStatus.BLOCKED and job.resume_status]
        steps = self._carrier.steps
        await self._carrier.commit(
            [steps.to(job, job.resume_status, "trying again") for job in held if job.resume_status]
        )


def _span(seconds: float) -> str:
    """Return ``5 s`` or ``2 min``."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
