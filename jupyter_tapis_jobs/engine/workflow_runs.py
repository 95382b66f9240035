"""Workflows on their way: a node's job is submitted once all before it is FINISHED, and once only.

What waits is stored, and so is which job a node has: in the transaction that inserts that job. An engine
that dies before it has submitted nothing; one that dies after it leaves the job in the node's row.

Neither ``sbatch --dependency`` nor DAGMan is asked to keep the order: a node's inputs are staged once the
outputs before it are archived, by the engine alone, and a node that is tried again has another job there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from ..model.errors import NotFoundError, StoreError, TapisJobsError
from ..model.job import Job
from ..model.user import User
from ..model.workflow import Standing, Wish, Workflow
from ..model.workflow_progress import Progress
from ..store import workflows as rows
from ..store.lease import LeaseLostError
from .ports import Ports
from .study_chains import Store
from .submission import Accepted, Submission, as_asked
from .workflow_inputs import NodeRequests, read_asked

log = logging.getLogger(__name__)

#: Seconds until nodes are tried again that trouble of store or host kept from being submitted.
RETRY = 30.0


@dataclass(slots=True)
class Run:
    """A workflow that is not over, as it is kept in memory."""

    workflow: Workflow
    progress: Progress


class WorkflowRuns:
    """Carries workflows on. Lives on the engine's loop only.

    *lock* is held by whoever changes the workflow of a number; *person* finds the user of a name.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        submission: Submission,
        store: Store,
        active: Callable[[], Mapping[str, Job]],
        lock: Callable[[int], asyncio.Lock],
        person: Callable[[str], User],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._submission = submission
        self._store = store
        self._active = active
        self._lock = lock
        self._person = person
        self._runs: dict[int, Run] = {}
        #: Job -> the workflow and the node that it is of.
        self._nodes: dict[str, tuple[int, int]] = {}
        #: Workflow -> its jobs that have ended and were not looked at yet.
        self._ended: dict[int, list[tuple[int, Job]]] = {}

    def hear(self, jobs: Iterable[Job]) -> None:
        """Look, soon, at the workflows whose jobs have ended: once for all that end meanwhile."""
        if not self._nodes:
            return
        for job in jobs:
            if job.status.is_terminal and (found := self._nodes.pop(job.uuid, None)):
                number, position = found
                if number not in self._ended:
                    self._ended[number] = []
                    self.look_soon(number)
                self._ended[number].append((position, job))

    def look_soon(self, number: int) -> None:
        """Go on with a workflow in the background."""
        self._ports.spawn(self._look(number), "workflow")

    async def _look(self, number: int) -> None:
        with suppress(LeaseLostError):
            async with self._lock(number):
                await self.go_on(number)

    async def _look_later(self, number: int) -> None:
        await self._ports.clock.sleep(RETRY)
        await self._look(number)

    # -- for who holds the workflow

    async def go_on(self, number: int) -> None:
        """Submit the nodes that want jobs; after trouble that passes, later."""
        try:
            run = await self.run_of(number)
            self._settle_ended(number, run)
            if run.workflow.wish is Wish.RUN and run.progress.ready:
                await self._submit(run)
            if run.progress.is_over(run.workflow.wish):
                await self._ports.write(lambda c: rows.change(c, number, is_over=1), epoch=self._epoch)
                self.forget(number)
        except LeaseLostError:
            raise
        except NotFoundError:
            self.forget(number)
        except TapisJobsError as trouble:
            log.warning("%s A workflow waits for it.", trouble.message)
            self._ports.spawn(self._look_later(number), "workflow, after trouble")

    async def run_of(self, number: int) -> Run:
        """Return a workflow as it stands; ``NotFoundError`` when it is gone."""
        while (run := self._runs.get(number)) is None:
            workflow, nodes = await self._ports.read(lambda c: (rows.get(c, number), rows.nodes(c, number)))
            if workflow is None:
                raise NotFoundError(f"there is no workflow {number}.")
            progress = rows.progress(nodes)
            under_way = {progress.standings[place].job_uuid or "": place for place in progress.under_way}
            # What has ended since it was read is read again: of its end nobody would tell.
            if under_way.keys() <= self._active().keys():
                self._ended.pop(number, None)
                self._nodes |= {uuid: (number, place) for uuid, place in under_way.items()}
                self._runs[number] = Run(workflow, progress)
        return run

    def forget(self, number: int) -> None:
        """Keep no more in memory of a workflow that is over, or is read anew."""
        run = self._runs.pop(number, None)
        self._ended.pop(number, None)
        if run is not None:
            for place in run.progress.under_way:
                self._nodes.pop(run.progress.standings[place].job_uuid or "", None)

    # -- parts

    def _settle_ended(self, number: int, run: Run) -> None:
        for position, job in self._ended.pop(number, ()):
            standing = run.progress.standings[position]
            if standing.job_uuid == job.uuid:
                run.progress.settle(position, replace(standing, status=job.status))

    async def _submit(self, run: Run) -> None:
        """Submit all nodes that want jobs, together; keep why one cannot be; raise trouble that passes."""
        number, progress = run.workflow.id, run.progress
        ready = sorted(progress.ready)
        owner = self._person(run.workflow.owner)
        results = await self._resolved(run, owner, ready)
        good = {place: made for place, made in results.items() if isinstance(made, Accepted)}
        faults = {place: made for place, made in results.items() if isinstance(made, TapisJobsError)}
        await self._store_jobs(run, owner, good)
        problems = {place: fault.message for place, fault in faults.items() if not _passes(fault)}
        if problems:
            await self._ports.write(lambda c: rows.refuse(c, number, problems), epoch=self._epoch)
            for place, problem in problems.items():
                before = progress.standings[place]
                progress.settle(place, replace(before, problem=problem, job_uuid=None, status=None))
        for fault in faults.values():
            if _passes(fault):
                raise fault

    async def _resolved(
        self, run: Run, owner: User, ready: Sequence[int]
    ) -> dict[int, Accepted | TapisJobsError]:
        """Return what each node's request becomes, or what is wrong with it."""
        number, flow = run.workflow.id, run.workflow.name
        asked = await self._ports.read(lambda c: read_asked(c, number, run.progress, ready))
        requests = NodeRequests(self._ports, owner, flow, run.progress, asked)
        raws, found = {}, dict[int, Accepted | TapisJobsError]()
        for place in ready:
            try:
                raws[place] = await requests.of(place)
            except TapisJobsError as fault:
                found[place] = fault
        made = await self._submission.resolve_all(owner, list(raws.values()))
        return found | dict(zip(raws, made, strict=True))

    async def _store_jobs(self, run: Run, owner: User, good: Mapping[int, Accepted]) -> None:
        """Store jobs, and in the same transaction which nodes they are of."""
        number, progress = run.workflow.id, run.progress
        before = {place: progress.standings[place] for place in good}
        # Like ones that are ready together may be started together.
        cohort = f"{self._ports.random.getrandbits(32):08x}" if len(good) > 1 else None
        mode = "single" if cohort is None else "auto"

        def also(connection: Connection, jobs: Sequence[Job]) -> None:
            made = {p: (before[p].attempt, job.uuid) for p, job in zip(good, jobs, strict=True)}
            rows.submit(connection, number, made)

        stored = await self._store(owner, [as_asked(one, mode, cohort, None) for one in good.values()], also)
        for (place, was), (job, _) in zip(before.items(), stored, strict=True):
            self._nodes[job.uuid] = (number, place)
            progress.settle(place, _submitted(was, job))


def _submitted(before: Standing, job: Job) -> Standing:
    return replace(before, attempt=before.attempt + 1, job_uuid=job.uuid, status=job.status)


def _passes(fault: TapisJobsError) -> bool:
    return fault.transient or isinstance(fault, StoreError)
