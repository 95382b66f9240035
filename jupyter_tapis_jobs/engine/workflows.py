"""Workflows for their owners: run, looked at, retried, held, cancelled, forgotten."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from ..model.case_identity import digest
from ..model.errors import ConflictError, InvalidInputError, NotFoundError, TapisJobsError, did_you_mean
from ..model.job import Job
from ..model.status import HoldWish, JobStatus
from ..model.texts import shown
from ..model.times import iso
from ..model.user import User
from ..model.workflow import Plan, Wish, Workflow, WorkflowStatus, parse
from ..model.workflow_progress import Progress, ended
from ..store import workflows as rows
from .holding import Holding
from .one_at_a_time import OneAtATime
from .ports import Ports
from .steering import Steering
from .study_chains import Store
from .submission import Submission
from .workflow_inputs import checkable
from .workflow_runs import WorkflowRuns

#: Nodes of which an error tells each what is wrong.
_TOLD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A workflow in short: its nodes counted by their states."""

    workflow: Workflow
    status: WorkflowStatus
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A workflow with its nodes as they stand. ``states`` are in the order of ``nodes``."""

    workflow: Workflow
    status: WorkflowStatus
    nodes: Sequence[rows.NodeRow]
    states: Sequence[str]

    @property
    def summary(self) -> Summary:
        """It in short."""
        return Summary(workflow=self.workflow, status=self.status, counts=Counter(self.states))


class Workflows:
    """Keeps workflows for their owners. Lives on the engine's loop only.

    *active* gives the jobs that have not ended; *person* the user of a name. Another user's workflow is a
    ``NotFoundError``.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        submission: Submission,
        store: Store,
        steering: Steering,
        holding: Holding,
        active: Callable[[], Mapping[str, Job]],
        person: Callable[[str], User],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._submission = submission
        self._steering = steering
        self._holding = holding
        self._active = active
        self._person = person
        self._one_at_a_time = OneAtATime()
        #: Two calls that run a workflow come one after the other.
        self._running = asyncio.Lock()
        self._runs = WorkflowRuns(
            ports,
            epoch=epoch,
            submission=submission,
            store=store,
            active=active,
            lock=self._one_at_a_time.lock,
            person=person,
        )

    async def start(self) -> None:
        """Take up the workflows that are not over; what their owners wished and was not done is done."""
        for number in await self._ports.read(rows.active):
            self._runs.look_soon(number)
            self._ports.spawn(self._again(number), "wish about a workflow")

    def hear(self, jobs: Iterable[Job]) -> None:
        """Go on with the workflows whose jobs have ended."""
        self._runs.hear(jobs)

    # -- looking

    async def get(self, user: User, name: str) -> Workflow:
        """Return a workflow."""
        found = await self._ports.read(lambda c: rows.find(c, user.name, name))
        if found is None:
            others = [flow.name for flow in await self._ports.read(lambda c: rows.owned(c, user.name))]
            raise NotFoundError(f"there is no workflow {shown(name)}.{did_you_mean(name, others)}")
        return found

    async def told(self, user: User, name: str) -> Told:
        """Return a workflow with its nodes."""
        number = (await self.get(user, name)).id
        found = await self._ports.read(lambda c: _told(c, number))
        if found is None:
            raise NotFoundError(f"there is no workflow {shown(name)}.")
        return found

    async def summaries(self, user: User) -> list[Summary]:
        """Return the user's workflows in short, newest first; of those that are over no node is read."""
        return await self._ports.read(lambda c: _summaries(c, user.name))

    # -- running

    async def run(self, user: User, name: str, plans: Sequence[Plan], *, fresh: bool = False) -> Workflow:
        """Begin a workflow, or join the one of that name with the same nodes, unless *fresh*.

        One that is over is replaced by another definition; its jobs stay. Raises what is wrong with a
        request before anything is begun, ``ConflictError`` while another definition is under way.
        """
        plans = parse(name, plans)
        made = digest(json.dumps([asdict(plan) for plan in plans], sort_keys=True))
        async with self._running:
            found = await self._ports.read(lambda c: rows.find(c, user.name, name))
            if found is not None and found.digest == made and not fresh:
                return found
            if found is not None and not found.is_over:
                raise ConflictError(
                    f"workflow {name} is under way{'' if fresh else ' with other nodes'}. Wait for its end, "
                    "cancel it (flow.cancel()), or give this one another name."
                )
            await self._check(user, name, plans)
            new = Workflow(owner=user.name, name=name, digest=made, created=iso(self._ports.clock.now()))
            stored = await self._ports.write(lambda c: _replaced(c, found, new, plans), epoch=self._epoch)
        async with self._one_at_a_time.lock(stored.id):
            await self._runs.go_on(stored.id)
        return stored

    async def _check(self, user: User, name: str, plans: Sequence[Plan]) -> None:
        """Raise what is wrong with requests, as far as it can be told before outputs are there."""
        raws = [checkable(name, plan.node.name, plan.request) for plan in plans]
        results = await self._submission.resolve_all(user, raws, only_check=True)
        wrong = [
            (plan.node.name, result)
            for plan, result in zip(plans, results, strict=True)
            if isinstance(result, TapisJobsError)
        ]
        if not wrong:
            return
        node, first = wrong[0]
        if first.transient:
            raise first
        more = f" ({len(wrong) - 1:,} more nodes are wrong.)" if len(wrong) > 1 else ""
        raise InvalidInputError(
            f"Nothing was submitted. Node {node}: {first.message}{more}",
            field=getattr(first, "field", ""),
            value=getattr(first, "value", None),
            errors=[{"node": name, "message": fault.message} for name, fault in wrong[:_TOLD]],
        )

    async def retry(self, user: User, name: str) -> int:
        """Give nodes that ended badly new jobs, and let those behind them wait again; return how many."""
        async with self._held(user, name) as flow:
            standings = (await self._progress(flow)).standings
            again = [
                place
                for place, s in enumerate(standings)
                if s.problem or s.status in (JobStatus.FAILED, JobStatus.CANCELLED)
            ]
            if not again and flow.wish is not Wish.CANCEL:
                raise ConflictError(f"No node of workflow {name} has ended badly; there is nothing to retry.")
            if all(standing.is_done for standing in standings):
                raise ConflictError(f"All nodes of workflow {name} are FINISHED; there is nothing to retry.")

            def work(connection: Connection) -> None:
                rows.release(connection, flow.id, again)
                rows.change(connection, flow.id, wish=Wish.RUN, is_over=0)

            await self._ports.write(work, epoch=self._epoch)
            self._runs.forget(flow.id)
            await self._runs.go_on(flow.id)
        return len(again)

    async def cancel(self, user: User, name: str) -> int:
        """Ask the jobs under way to end, and submit no more; return how many were asked."""
        async with self._held(user, name) as flow:
            _refuse_over(flow)
            return await self._wish(flow, Wish.CANCEL)

    async def pause(self, user: User, name: str) -> int:
        """Hold back what has not begun, and submit no more; return how many jobs were held."""
        async with self._held(user, name) as flow:
            _refuse_over(flow)
            return await self._wish(flow, Wish.PAUSE)

    async def resume(self, user: User, name: str) -> int:
        """Let held jobs go on, and what waits be submitted; return how many jobs went on."""
        async with self._held(user, name) as flow:
            if flow.wish is not Wish.PAUSE:
                raise ConflictError(f"workflow {name} is not paused; there is nothing to resume.")
            # Stored when it is done: until then an engine that comes after a crash holds them still.
            asked = await self._steer(flow, Wish.RUN)
            await self._ports.write(lambda c: rows.change(c, flow.id, wish=Wish.RUN), epoch=self._epoch)
            self._runs.forget(flow.id)
            await self._runs.go_on(flow.id)
        return asked

    async def remove(self, user: User, name: str) -> None:
        """Forget a workflow; its jobs stay. ``ConflictError`` while it is under way."""
        async with self._held(user, name) as flow:
            if not flow.is_over:
                raise ConflictError(f"workflow {name} is under way. Cancel it first, or wait for its end.")
            await self._ports.write(lambda c: rows.remove(c, flow.id), epoch=self._epoch)

    # -- parts

    async def _wish(self, flow: Workflow, wish: Wish) -> int:
        """Store what is wished, then do it: an engine that comes after a crash does it again."""
        await self._ports.write(lambda c: rows.change(c, flow.id, wish=wish), epoch=self._epoch)
        self._runs.forget(flow.id)
        asked = await self._steer(flow, wish)
        await self._runs.go_on(flow.id)
        return asked

    async def _again(self, number: int) -> None:
        async with self._one_at_a_time.lock(number):
            flow = await self._ports.read(lambda c: rows.get(c, number))
            if flow is not None and not flow.is_over and flow.wish is not Wish.RUN:
                await self._steer(flow, flow.wish)

    async def _steer(self, flow: Workflow, wish: Wish) -> int:
        """Have the jobs of a workflow end, be held, or go on; return how many."""
        run = await self._runs.run_of(flow.id)
        uuids = [run.progress.standings[place].job_uuid or "" for place in sorted(run.progress.under_way)]
        owner = self._person(flow.owner)
        if wish is Wish.CANCEL:
            results = await self._steering.cancel(owner, uuids)
        elif wish is Wish.PAUSE:
            results = await self._holding.pause(owner, uuids)
        else:
            active = self._active()
            results = await self._holding.resume(owner, [u for u in uuids if _is_held(active.get(u))])
        return sum(isinstance(result, Job) for result in results)

    async def _progress(self, flow: Workflow) -> Progress:
        return rows.progress(await self._ports.read(lambda c: rows.nodes(c, flow.id)))

    def _held(self, user: User, name: str) -> AbstractAsyncContextManager[Workflow]:
        return self._one_at_a_time.held(lambda: self.get(user, name))


def _told(connection: Connection, number: int) -> Told | None:
    flow = rows.get(connection, number)
    return None if flow is None else _read(connection, flow)


def _read(connection: Connection, flow: Workflow) -> Told:
    nodes = rows.nodes(connection, flow.id)
    progress = rows.progress(nodes)
    return Told(
        workflow=flow, status=progress.status(flow.wish), nodes=nodes, states=progress.states(flow.wish)
    )


def _summaries(connection: Connection, owner: str) -> list[Summary]:
    ends = rows.ends(connection, owner)
    return [_summary(connection, flow, ends) for flow in rows.owned(connection, owner)]


def _summary(connection: Connection, flow: Workflow, ends: Mapping[int, Mapping[str, int]]) -> Summary:
    if flow.is_over:
        status, counts = ended(ends.get(flow.id, {}), flow.wish)
        return Summary(workflow=flow, status=status, counts=counts)
    return _read(connection, flow).summary


def _replaced(connection: Connection, old: Workflow | None, new: Workflow, plans: Sequence[Plan]) -> Workflow:
    if old is not None:
        rows.remove(connection, old.id)
    return rows.add(connection, new, plans)


def _refuse_over(flow: Workflow) -> None:
    if flow.is_over:
        raise ConflictError(f"workflow {flow.name} has ended already.")


def _is_held(job: Job | None) -> bool:
    return job is not None and (job.status is JobStatus.PAUSED or job.hold_wish is HoldWish.HOLD)
