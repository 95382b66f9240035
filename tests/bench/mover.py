"""A server extension for the benchmarks: jobs that change their state as often as is asked for.

``POST /bench/jobs`` puts new jobs into the store, ``POST /bench/moves`` moves them to and fro. What
happens to them takes the way of all others: a transaction of the store, then the news to all who listen.
The engine does not know of these jobs, so nothing else moves them.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice
from typing import Any

from jupyter_server.base.handlers import APIHandler
from store_of_jobs import ended_job, plain_definition
from tornado import web

from jupyter_tapis_jobs.engine.real import WallClock
from jupyter_tapis_jobs.engine.steps import Steps
from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.times import iso
from jupyter_tapis_jobs.server.app import TapisJobsApp
from jupyter_tapis_jobs.server.service import Service
from jupyter_tapis_jobs.store import jobs as job_rows

#: Seconds between two transactions, as when many jobs move at once.
BEAT = 0.05
_NEXT = {
    JobStatus.PENDING: JobStatus.BLOCKED,
    JobStatus.BLOCKED: JobStatus.RUNNING,
    JobStatus.RUNNING: JobStatus.BLOCKED,
}


class Mover:
    """The jobs that are moved, as they are now."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._steps = Steps(WallClock())
        self.jobs: dict[str, Job] = {}

    async def add(self, count: int) -> list[str]:
        """Put *count* accepted jobs into the store, the newest of all."""
        rows = [(job, "{}", plain_definition(job)) for job in map(_accepted, range(count))]
        made = await self._service.door.write(partial(job_rows.insert, new=rows))
        self.jobs |= {job.uuid: job for job in made}
        await self._tell(made.events, made)
        return [job.uuid for job in made]

    async def move(self, uuids: Sequence[str], a_second: float, seconds: float) -> dict[str, Any]:
        """Move jobs in turns; return how many moves there were, how long they took, and the last of each."""
        turns, begun, made = cycle(uuids), time.monotonic(), 0
        created: dict[str, str] = {}
        while made < a_second * seconds:
            due = min(a_second * seconds, a_second * (time.monotonic() - begun + BEAT)) - made
            moved = list(dict.fromkeys(islice(turns, int(due))))
            created |= await self._moved(moved)
            made += len(moved)
            await asyncio.sleep(max(0.0, begun + made / a_second - BEAT / 2 - time.monotonic()))
        return {"made": made, "seconds": time.monotonic() - begun, "created": created,
                "status": {uuid: self.jobs[uuid].status for uuid in created}}  # fmt: skip

    async def _moved(self, uuids: Sequence[str]) -> dict[str, str]:
        jobs = [self.jobs[uuid] for uuid in uuids]
        changes = [self._steps.to(job, _NEXT[job.status], "as the benchmark asks") for job in jobs]
        events = await self._service.door.write(partial(job_rows.apply, changes=changes))
        if events.stale:
            raise RuntimeError(f"{len(events.stale)} jobs were moved by somebody else")
        self.jobs |= {change.after.uuid: change.after for change in changes}
        await self._tell(events, [change.after for change in changes])
        return {event.job_uuid: event.created for event in events}

    async def _tell(self, events: Sequence[Any], jobs: Sequence[Job]) -> None:
        self._service.feed.hear(events, jobs)


def _accepted(number: int) -> Job:
    now = iso(time.time())
    return ended_job(number, "").evolve(
        uuid=f"{uuid.uuid4()}-007", name=f"moved-{number:05d}", cohort_id=None, status=JobStatus.PENDING,
        condition=None, exit_code=None, created=now, last_updated=now, remote_submitted=None,
        remote_started=None, remote_ended=None, ended=None,
    )  # fmt: skip


class _Handler(APIHandler):
    def initialize(self, mover: Mover) -> None:
        self.mover = mover

    @web.authenticated
    async def post(self, what: str) -> None:
        """Do it; the answer comes when it is done."""
        work = self.mover.add if what == "jobs" else self.mover.move
        self.finish(json.dumps(await work(**json.loads(self.request.body))))


def _load_jupyter_server_extension(app: Any) -> None:
    (ours,) = app.extension_manager.extension_apps["jupyter_tapis_jobs"]
    assert isinstance(ours, TapisJobsApp)
    app.web_app.add_handlers(".*$", [(r"/bench/(jobs|moves)", _Handler, {"mover": Mover(ours.service)})])


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "mover"}]
