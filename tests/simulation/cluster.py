"""A made-up Slurm: partitions, nodes, a controller that can stop, freeze or forget, and late accounting.

What it does follows a real Slurm 22.05; ``tests/contract/test_model_of_slurm.py`` puts both to the same
questions.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from .world import KILL_WAIT, Process, World

#: States of a job that is over.
OVER = frozenset(
    {"COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED", "CANCELLED", "BOOT_FAIL"}
)
#: Seconds until a command gives up: the controller is not there; it is there and does not answer.
CONNECT_SECONDS, ANSWER_SECONDS = 9.0, 11.0
#: Seconds between two times that the controller saves what it knows.
SAVES = 5.0


class SlurmError(Exception):
    """What a command of Slurm complains about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition over all nodes."""

    name: str = "normal"
    max_minutes: int = 2880
    max_nodes: int = 1000


@dataclass(slots=True)
class Node:
    """A compute node."""

    name: str
    cores: int
    memory_mb: int
    free: int
    is_up: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What sbatch is asked for; ``tasks`` are an array's indices."""

    partition: str = "normal"
    nodes: int = 1
    cores: int = 1
    memory_mb: int = 100
    minutes: int = 10
    comment: str = ""
    workdir: str = "/"
    name: str = "job"
    tasks: tuple[int, ...] = ()
    is_held: bool = False
    #: The jobs it is for; Slurm does not know that.
    uuids: list[str] = field(default_factory=list)
    #: What the batch script does.
    script: Callable[[Allocation], Awaitable[int]] = field(repr=False)


@dataclass(slots=True, kw_only=True)
class SlurmJob:
    """One job, or one task of an array."""

    number: int
    task: int | None
    wish: Wish
    submitted: float
    #: Its own number: a task of an array gets one when it starts.
    raw: int
    state: str = "PENDING"
    reason: str = "None"
    is_held: bool = False
    started: float | None = None
    ended: float | None = None
    exit_code: str = "0:0"
    nodes: tuple[Node, ...] = ()
    restarts: int = 0
    #: (time, state) of every change, for a controller that falls back to what it had saved.
    past: list[tuple[float, str]] = field(default_factory=list)
    allocation: Allocation | None = None

    @property
    def label(self) -> str:
        """The id as Slurm prints it."""
        return str(self.number) if self.task is None else f"{self.number}_{self.task}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of squeue or sacct."""

    label: str
    state: str
    reason: str
    comment: str
    workdir: str
    submitted: float
    exit_code: str
    raw: int
    ended: float | None
    nodes: str


class Allocation:
    """What a running job has: its nodes, its processes, and how it is told to end."""

    def __init__(self, job: SlurmJob, fates: dict[str, str]) -> None:
        self.job = job
        #: What is remembered of jobs that were ended.
        self.fates = fates
        self.hosts = tuple(node.name for node in job.nodes)
        self.processes: list[Process] = []
        #: Set with the state in which Slurm ends it.
        self.sentence: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        #: No new process may begin.
        self.is_closing = False

    @property
    def word(self) -> str:
        """What the launch script adds to its claim."""
        return f" slurm:{self.job.raw}:{self.job.restarts}"

    def begun(self, process: Process) -> None:
        """Note a process of the job."""
        self.processes.append(process)
        if self.is_closing:
            self.fates.setdefault(process.uuid, self.sentence.result() if self.sentence.done() else "ended")
            process.kill()

    def end(self, state: str) -> None:
        """End it, for the reason *state*; the first one counts."""
        if not self.sentence.done():
            self.sentence.set_result(state)


class Cluster:
    """The controller, the accounting and the nodes."""

    def __init__(
        self,
        world: World,
        *,
        partitions: Sequence[Partition] = (Partition(), Partition(name="development", max_minutes=10)),
        nodes: int = 4,
        cores: int = 4,
        max_array: int = 1001,
        max_submit: int | None = None,
        min_job_age: float = 300.0,
    ) -> None:
        self.world = world
        self.partitions = {partition.name: partition for partition in partitions}
        self.nodes = [Node(f"node{n}", cores, 1000 * cores, cores) for n in range(1, nodes + 1)]
        self.max_array, self.max_submit, self.min_job_age = max_array, max_submit, min_job_age
        self.is_up = True
        #: Set while the controller does not answer; what comes in is taken up when it is set.
        self.thaw: asyncio.Event | None = None
        #: The accounting is away; it says FAILED of what ends.
        self.has_accounting = True
        self.is_lying = False
        self._numbers = count(1)
        self._next = 1
        self._jobs: dict[str, SlurmJob] = {}
        self._pending: deque[SlurmJob] = deque()
        self._active = 0
        self._queued_calls: deque[Wish] = deque()
        self._ledger: dict[str, list[tuple[float, Row]]] = {}
        self._is_scheduling = False
        #: Calls of squeue, sacct, sbatch and scancel.
        self.calls = world.calls

    # -- commands

    async def sbatch(self, wish: Wish) -> str:
        """Accept a job and return its number; raises ``SlurmError``, which need not mean "not accepted"."""
        self.calls["sbatch"] += 1
        await self._reach(wish)
        return self._accept(wish)

    def _accept(self, wish: Wish) -> str:
        partition = self.partitions.get(wish.partition)
        if partition is None:
            raise SlurmError("Batch job submission failed: Invalid partition name specified")
        if wish.memory_mb > max(node.memory_mb for node in self.nodes):
            raise SlurmError("Batch job submission failed: Memory specification can not be satisfied")
        if wish.cores > max(node.cores for node in self.nodes) or wish.nodes > len(self.nodes):
            raise SlurmError("Batch job submission failed: Requested node configuration is not available")
        if wish.tasks and max(wish.tasks) >= self.max_array:
            raise SlurmError("Batch job submission failed: Invalid job array specification")
        if self.max_submit is not None and self._active + max(1, len(wish.tasks)) > self.max_submit:
            raise SlurmError(
                "AssocMaxSubmitJobLimit\nBatch job submission failed: Job violates accounting/QOS policy "
                "(job submit limit, user's size and/or time limits)"
            )
        number, self._next = self._next, self._next + 1
        for task in wish.tasks or (None,):
            job = SlurmJob(number=number, task=task, wish=wish, submitted=self.world.now(), raw=number)
            self._jobs[job.label] = job
            self._active += 1
            job.is_held = wish.is_held
            reason = "JobHeldUser" if job.is_held else _impossible(wish, partition) or "Priority"
            self._set(job, "PENDING", reason)
            self._pending.append(job)
        self.world.tell("sbatch", f"{number} {wish.comment} {len(wish.tasks) or ''}")
        self._schedule_soon()
        return str(number)

    async def squeue(self) -> list[Row]:
        """Return the user's jobs, those too that ended lately."""
        self.calls["squeue"] += 1
        await self._reach()
        now = self.world.now()
        old = [k for k, j in self._jobs.items() if j.ended is not None and now - j.ended > self.min_job_age]
        for label in old:
            del self._jobs[label]
        return [_row(job) for job in self._jobs.values()]

    async def sacct(self) -> list[Row]:
        """Return what the accounting has heard so far."""
        self.calls["sacct"] += 1
        await asyncio.sleep(0.05)
        if not self.has_accounting:
            raise SlurmError("sacct: error: slurm_persist_conn_open_without_init: failed to open persistent")
        now = self.world.now()
        heard = ([row for due, row in rows if due <= now] for rows in self._ledger.values())
        return [rows[-1] for rows in heard if rows]

    async def scancel(self, labels: Sequence[str]) -> None:
        """End jobs; of unknown ones nothing is said."""
        self.calls["scancel"] += 1
        await self._reach()
        self.cancel(labels)

    def uuids(self, label: str) -> list[str]:
        """Return the jobs that a Slurm job runs, or is to run."""
        job = self._jobs[label]
        return job.wish.uuids if job.task is None else [job.wish.uuids[job.task]]

    def cancel(self, labels: Sequence[str]) -> None:
        """Do what scancel asks for."""
        for label in labels:
            job = self._jobs.get(label)
            if job is None or job.state in OVER:
                continue
            if job.allocation is not None:
                self.doom(job, "CANCELLED")
            else:
                self._over(job, "CANCELLED")

    def hold_all(self, is_held: bool) -> None:
        """Hold every job that waits, or let them go: an operator does."""
        others = [job for job in self._jobs.values() if job.reason != "JobHeldUser"]
        self._hold(others, is_held, "JobHeldAdmin")

    async def hold(self, labels: Sequence[str], is_held: bool) -> None:
        """Hold jobs of one's own that wait, or let them go; what an operator holds stays held."""
        self.calls["scontrol"] += 1
        await self._reach()
        own = [job for label in labels if (job := self._jobs.get(label)) and job.reason != "JobHeldAdmin"]
        self._hold(own, is_held, "JobHeldUser")

    def _hold(self, jobs: Iterable[SlurmJob], is_held: bool, reason: str) -> None:
        for job in jobs:
            if job.state == "PENDING":
                job.is_held = is_held
                waits = _impossible(job.wish, self.partitions[job.wish.partition]) or "Priority"
                job.reason = reason if is_held else waits
        self._schedule_soon()

    async def _reach(self, wish: Wish | None = None) -> None:
        """Wait for the controller; a job that is sent to a frozen one is taken up later all the same."""
        await asyncio.sleep(self.world.random.uniform(0.005, 0.05))
        if not self.is_up:
            await asyncio.sleep(CONNECT_SECONDS)
            raise SlurmError("Unable to contact slurm controller (connect failure)")
        if self.thaw is not None:
            if wish is not None:
                self._queued_calls.append(wish)
            await asyncio.sleep(ANSWER_SECONDS)
            raise SlurmError("Batch job submission failed: Socket timed out on send/recv operation")

    # -- trouble

    def stop(self) -> None:
        """End the controller in good order: it forgets nothing."""
        self.is_up = False

    def kill(self) -> None:
        """End it with -9: what came after its last save is forgotten, jobs and changes alike."""
        self.is_up, self.thaw = False, None
        self._queued_calls.clear()
        saved = self.world.now() - self.world.random.uniform(0.0, SAVES)
        for label, job in [*self._jobs.items()]:
            known = [state for when, state in job.past if when <= saved]
            if not known:
                self._next = min(self._next, job.number)
                self._forget(label, job)
            elif known[-1] != job.state:
                self._fall_back(job, known[-1])
        self.world.tell("slurmctld", f"forgot; next id {self._next}")

    def _forget(self, label: str, job: SlurmJob) -> None:
        """Nobody knows the job any more; if it runs, its node ends it as an orphan."""
        if job.state not in OVER:
            self._active -= 1
        del self._jobs[label]
        if job in self._pending:
            self._pending.remove(job)
        if job.allocation is not None:
            self._orphan(job)

    def _fall_back(self, job: SlurmJob, state: str) -> None:
        """It is shown as it was: a job that had ended or begun may wait again."""
        if state == "PENDING":
            if job.allocation is not None:
                self._orphan(job)
            if job.state in OVER:
                self._active += 1
            job.started, job.ended, job.nodes = None, None, ()
            self._set(job, "PENDING", "Priority")
            self._pending.append(job)
        elif state == "RUNNING" and job.state in OVER:
            # It finds at once that nothing of the job is left on the nodes.
            job.state = state
            self._active += 1
            self._over(job, "NODE_FAIL")

    def _orphan(self, job: SlurmJob) -> None:
        if job.allocation is not None:
            for process in job.allocation.processes:
                if not process.gone.is_set():
                    self.world.fates[process.uuid] = "orphan"
            job.allocation.end("ORPHAN")
            job.allocation = None

    def revive(self) -> None:
        """Bring the controller back."""
        self.is_up = True
        self._schedule_soon()

    def freeze(self) -> None:
        """It takes connections and answers none."""
        self.thaw = asyncio.Event()

    def unfreeze(self) -> None:
        """What came in meanwhile is taken up now, though nobody waits for the answer."""
        if self.thaw is None:
            return
        self.thaw.set()
        self.thaw = None
        while self._queued_calls:
            try:
                self._accept(self._queued_calls.popleft())
            except SlurmError as refused:
                self.world.tell("sbatch", f"late: {refused}")
        self._schedule_soon()

    def fail_node(self, name: str) -> None:
        """A node is gone, with all that ran on it."""
        node = next(node for node in self.nodes if node.name == name)
        node.is_up = False
        for job in [*self._jobs.values()]:
            if job.allocation is not None and node in job.nodes:
                self.doom(job, "NODE_FAIL")

    def mend_node(self, name: str) -> None:
        """It is back, empty."""
        next(node for node in self.nodes if node.name == name).is_up = True
        self._schedule_soon()

    def preempt(self) -> None:
        """Somebody more important takes the place of one job."""
        running = [job for job in self._jobs.values() if job.allocation is not None]
        if running:
            self.doom(self.world.random.choice(running), "PREEMPTED")

    def doom(self, job: SlurmJob, state: str) -> None:
        """End a running job for the reason *state*, and remember whom it took."""
        if job.allocation is not None and not job.allocation.sentence.done():
            job.allocation.is_closing = True
            for process in job.allocation.processes:
                if not process.gone.is_set():
                    self.world.fates[process.uuid] = state
            job.allocation.end(state)

    def labels(self, *states: str) -> list[str]:
        """Return the ids of the jobs in one of the states."""
        return [label for label, job in self._jobs.items() if job.state in states]

    # -- running jobs

    def _schedule_soon(self) -> None:
        if not self._is_scheduling:
            self._is_scheduling = True
            self.world.spawn(self._schedule())

    async def _schedule(self) -> None:
        await asyncio.sleep(self.world.random.uniform(0.05, 0.5))
        self._is_scheduling = False
        if not self.is_up or self.thaw is not None:
            return
        waiting: deque[SlurmJob] = deque()
        while self._pending:
            job = self._pending.popleft()
            if job.state != "PENDING":
                continue
            if job.is_held or _impossible(job.wish, self.partitions[job.wish.partition]):
                waiting.append(job)
                continue
            nodes = [n for n in self.nodes if n.is_up and n.free >= job.wish.cores][: job.wish.nodes]
            if len(nodes) < job.wish.nodes:
                job.reason = "Resources"
                waiting.append(job)
                break
            self._start(job, nodes)
        waiting.extend(self._pending)
        self._pending = waiting

    def _start(self, job: SlurmJob, nodes: Sequence[Node]) -> None:
        for node in nodes:
            node.free -= job.wish.cores
        job.nodes, job.started = tuple(nodes), self.world.now()
        if job.task is not None and job.task != job.wish.tasks[-1]:
            job.raw, self._next = self._next, self._next + 1
        job.allocation = Allocation(job, self.world.fates)
        self._set(job, "RUNNING", "None")
        self.world.spawn(self._run(job, job.allocation))

    async def _run(self, job: SlurmJob, allocation: Allocation) -> None:
        """Run the batch script until it ends or is ended."""
        script = asyncio.ensure_future(job.wish.script(allocation))
        await asyncio.wait(
            {script, allocation.sentence},
            timeout=job.wish.minutes * 60.0 + self.world.random.uniform(0, 20),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not script.done():
            self.doom(job, "TIMEOUT")
        ended_by = allocation.sentence.result() if allocation.sentence.done() else ""
        if not script.done():
            await self._end(allocation, script, ended_by)
        for node in job.nodes:
            node.free += job.wish.cores
        if ended_by == "ORPHAN" or job.allocation is not allocation:
            self._schedule_soon()
            return
        job.allocation = None
        code = script.result() if script.done() and not script.cancelled() else 137
        if not ended_by and any(process.starved for process in allocation.processes):
            ended_by = "OUT_OF_MEMORY"
        job.exit_code = f"{code}:0" if not ended_by else "0:15" if ended_by != "OUT_OF_MEMORY" else "0:125"
        self._over(job, ended_by or ("COMPLETED" if code == 0 else "FAILED"))

    async def _end(self, allocation: Allocation, script: asyncio.Future[int], why: str) -> None:
        """TERM, a while, KILL; a lost node or an orphan gets no word."""
        allocation.is_closing = True
        hard = why in ("NODE_FAIL", "ORPHAN")
        if not hard:
            for process in allocation.processes:
                process.terminate()
            await asyncio.wait({script}, timeout=KILL_WAIT)
        for process in allocation.processes:
            process.kill()
        await asyncio.gather(*(process.gone.wait() for process in allocation.processes))
        if not script.done():
            script.cancel()
            await asyncio.wait({script})

    def _over(self, job: SlurmJob, state: str) -> None:
        job.ended = self.world.now()
        self._active -= 1
        self._set(job, state, "None")
        self._schedule_soon()

    def _set(self, job: SlurmJob, state: str, reason: str) -> None:
        """Change a job's state; the accounting hears of it later."""
        job.state, job.reason = state, reason
        job.past.append((self.world.now(), state))
        self.world.tell("slurm", f"{job.label} {state}")
        lag = self.world.random.uniform(0.1, 3.0)
        row = _row(job)
        ledger = self._ledger.setdefault(f"{job.label} {job.submitted}", [])
        if self.is_lying and state in OVER:
            ledger.append((self.world.now() + lag, replace(row, state="FAILED", exit_code="0:0")))
            lag += 20.0
        ledger.append((self.world.now() + lag, row))


def _impossible(wish: Wish, partition: Partition) -> str:
    """Return why a job that is accepted can never start, or ''."""
    if wish.minutes > partition.max_minutes:
        return "PartitionTimeLimit"
    if wish.nodes > partition.max_nodes:
        return "PartitionNodeLimit"
    return ""


def _row(job: SlurmJob) -> Row:
    return Row(
        label=job.label,
        state=job.state,
        reason=job.reason,
        comment=job.wish.comment,
        workdir=job.wish.workdir,
        submitted=job.submitted,
        exit_code=job.exit_code,
        raw=job.raw,
        ended=job.ended,
        nodes=",".join(node.name for node in job.nodes),
    )
