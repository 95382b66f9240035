"""A whole story from one number: jobs of all kinds, people who change their minds, and faults of all kinds.

The number decides everything. ``python -m simulation SEED`` in ``tests`` plays a story and prints it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.errors import TapisJobsError
from jupyter_tapis_jobs.model.search import JobQuery
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.store.search import search

from .cluster import Cluster
from .faults import FAULTS, calm
from .lives import USER, Clock, Life, unless_dead
from .virtual_time import run_virtually
from .witness import Witness
from .world import World

T = TypeVar("T")

#: Seconds of made-up time within which everything must be over once faults have ceased.
PATIENCE = 6 * 3600.0
#: Seconds in which faults begin.
STORMY = 400.0
#: What is asked for: name -> (share, app, fields of the request). Names of bad ones say so.
KINDS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "fork": (6, "model", {"maxMinutes": 3}),
    "tight": (2, "model", {"maxMinutes": 1}),
    "batch": (8, "batch", {"maxMinutes": 3}),
    "wide": (2, "batch", {"maxMinutes": 2, "coresPerNode": 2}),
    "short": (2, "batch", {"maxMinutes": 1}),
    "fed": (3, "batch", {"maxMinutes": 3, "fileInputs": [{"sourceUrl": "tapis://cluster/data/input.txt"}]}),
    "impossible": (1, "batch", {"maxMinutes": 60, "execSystemLogicalQueue": "promising"}),
    "refused": (1, "batch", {"execSystemLogicalQueue": "missing"}),
}
MODES = ("single", "array", "pack", "auto")


class Story:
    """One play: its engines come and go; the world, the store and the people stay."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        #: Everybody draws from an own stream, so that a change in one shifts no other.
        self.chance = Random(f"story {seed}")
        self.world = World(Random(f"world {seed}"))
        self.cluster = Cluster(
            self.world,
            nodes=self.chance.choice((1, 2, 4)),
            max_array=self.chance.choice((1001, 4, 2)),
            max_submit=self.chance.choice((None, None, 3, 6)),
            min_job_age=self.chance.choice((300.0, 20.0)),
        )
        self.clock = Clock()
        self.witness = Witness(self.world)
        self.lives: list[Life] = []
        #: Engines that sleep, or have woken to find another in their place.
        self.sleepers: list[Life] = []
        self.engine: Engine | None = None
        self.arrival = asyncio.Event()
        self.is_over = False

    @property
    def life(self) -> Life:
        """The present engine's."""
        return self.lives[-1]

    # -- engines

    def new_life(self) -> Life:
        """Begin another life of an engine."""
        number = len(self.lives) + 1
        random = Random(f"life {number} of {self.seed}")
        life = Life(self.folder, self.world, random, cluster=self.cluster, clock=self.clock, number=number)
        life.on_write = lambda: self.witness.after_write(life.database)
        self.lives.append(life)
        return life

    async def keep(self) -> None:
        """As soon as an engine is gone, start the next one."""
        while not self.is_over:
            life = self.new_life()
            if life.number == 1:
                life.define()
            self.witness.tell("engine", f"{life.number} wants to start")
            self.engine = await unless_dead(life, life.engine())
            if self.engine is not None:
                self.witness.tell("engine", f"{life.number} starts")
                self.witness.working_since = self.world.now()
                self.arrival.set()
                await _first(life.died.wait(), life.lost_lease.wait())
            self.engine = None
            self.arrival.clear()
            self.witness.tell("engine", f"{life.number} is gone")
            if life not in self.sleepers:
                await self.close(life)
            await asyncio.sleep(self.chance.uniform(0.0, 40.0))

    async def close(self, life: Life) -> None:
        """End a life; nothing unforeseen may have happened in it."""
        await life.end()
        if life.faults and self.witness.violation is None:
            raise life.faults[0]

    # -- people

    async def asked(self, ask: Callable[[Engine], Awaitable[T]]) -> T | None:
        """Ask the present engine; None when it died or had trouble, and nobody knows what was done."""
        await self.arrival.wait()
        if self.engine is None:
            return None
        try:
            return await unless_dead(self.life, ask(self.engine))
        except TapisJobsError as trouble:
            self.witness.tell("trouble", trouble.message)
            return None

    async def submit(self, call: int) -> None:
        """Make one bulk call; when no answer comes, look what became of it and ask again."""
        await asyncio.sleep(self.chance.uniform(0.0, STORMY / 2))
        kind = self.chance.choices([*KINDS], [share for share, _, _ in KINDS.values()])[0]
        _, app, fields = KINDS[kind]
        count, mode = self.chance.randint(1, 8), self.chance.choice(MODES)
        name = f"{kind}-{call}"
        raws = [{"name": f"{name}-{n}", "appId": app, "appVersion": "1.0", **fields} for n in range(count)]
        while True:
            known = [seen.name for seen in self.witness.jobs.values()]
            if f"{name}-0" in known:
                return
            results = await self.asked(lambda engine: engine.submit(USER, raws, launch_mode=mode))
            for result in results or ():
                if isinstance(result, TapisJobsError):
                    raise result
            await asyncio.sleep(1.0)

    async def cancel(self) -> None:
        """Change one's mind about some jobs."""
        await asyncio.sleep(self.chance.uniform(10.0, STORMY))
        stored = await self.asked(lambda engine: engine.views.search(USER, JobQuery(limit=-1)))
        uuids = [job.uuid for job in stored.rows] if stored else []
        chosen = self.chance.sample(uuids, min(len(uuids), self.chance.randint(1, 4)))
        if chosen:
            self.witness.tell("cancel", " ".join(uuid[:8] for uuid in chosen))
            await self.asked(lambda engine: engine.steering.cancel(USER, chosen))

    async def hold(self) -> None:
        """Hold some jobs back, and let some of those go again."""
        chance = Random(f"hold of {self.seed}")
        for _ in range(chance.randint(1, 3)):
            await asyncio.sleep(chance.uniform(5.0, STORMY / 2))
            stored = await self.asked(lambda engine: engine.views.search(USER, JobQuery(limit=-1)))
            uuids = [job.uuid for job in stored.rows] if stored else []
            chosen = chance.sample(uuids, min(len(uuids), chance.randint(1, 6)))
            self.witness.tell("hold", " ".join(uuid[:8] for uuid in chosen))
            self.witness.held.update(chosen)
            await self.asked(lambda engine, chosen=chosen: engine.holding.pause(USER, chosen))
            await asyncio.sleep(chance.choice([0.0, 0.1, 1.0, 30.0]))
            let_go = [uuid for uuid in chosen if chance.random() < 0.5]
            self.witness.held.difference_update(let_go)
            await self.asked(lambda engine, let_go=let_go: engine.holding.resume(USER, let_go))

    async def let_go(self) -> None:
        """Let all go that are held, and ask until each of them goes."""
        self.witness.held.clear()
        while True:
            stored = await self.asked(lambda engine: engine.views.search(USER, JobQuery(limit=-1)))
            active = [job for job in stored.rows if not job.status.is_terminal] if stored else []
            held = [job.uuid for job in active if job.status is JobStatus.PAUSED or job.hold_wish]
            if stored and not held:
                return
            await self.asked(lambda engine, held=held: engine.holding.resume(USER, held))
            await asyncio.sleep(15.0)

    # -- the play

    async def play(self) -> None:
        """Play to the end; raises ``Violation`` where something happened that never may."""
        keeper = asyncio.ensure_future(self.keep())
        people = [self.submit(call) for call in range(self.chance.randint(1, 4))]
        people += [self.hold() for _ in range(Random(f"holds of {self.seed}").randint(0, 1))]
        people += [self.cancel() for _ in range(self.chance.randint(0, 2))]
        names = self.chance.choices([*FAULTS], k=self.chance.randint(1, 7))
        faults = [FAULTS[name](self, Random(f"fault {n} of {self.seed}")) for n, name in enumerate(names)]
        self.witness.tell("story", f"{self.seed}: {', '.join(names)}")
        everything = asyncio.gather(*people, *faults)
        try:
            await self._until(everything.done)
            assert everything.done(), "faults and people are not through"
            await everything
            await calm(self)
            await asyncio.wait_for(self.let_go(), PATIENCE)
            await self._until(lambda: not self.witness.unfinished)
            self._check_end()
        finally:
            self.is_over = True
            for task in (everything, keeper):
                task.cancel()
                with suppress(asyncio.CancelledError, TapisJobsError):
                    await task
            for life in (*self.lives, *self.sleepers):
                await life.end()

    async def _until(self, condition: Callable[[], bool]) -> None:
        end = self.world.now() + PATIENCE
        while not condition() and self.world.now() < end:
            await asyncio.sleep(2.0)
            self.witness.tick()
            for fault in (self.witness.violation, *self.world.faults):
                if fault is not None:
                    raise fault

    def _check_end(self) -> None:
        names = [self.witness.jobs[uuid].name for uuid in self.witness.unfinished]
        if names:
            states = {str(self.witness.jobs[uuid].status) for uuid in self.witness.unfinished}
            raise AssertionError(f"never ended: {', '.join(names)}, still {', '.join(sorted(states))}")
        database = Database.open(self.folder)
        stored = database.read(lambda c: search(c, JobQuery(limit=-1), USER.name))
        database.close()
        assert {job.uuid for job in stored.rows} == self.witness.jobs.keys()
        self.witness.all_over(wanted)
        if self.witness.violation is not None:
            raise self.witness.violation


def wanted(name: str) -> str:
    """Return how a job of this name is meant to end, '' if that depends."""
    return "FAILED" if name.startswith(("impossible", "refused")) else ""


async def _first(*waits: Any) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def play(folder: Path, seed: int) -> list[str]:
    """Play the story of *seed* in *folder*; return its trace. A failure says how to see it again."""
    told: list[Story] = []

    async def whole() -> None:
        story = Story(folder, seed)
        told.append(story)
        await story.play()

    try:
        run_virtually(whole())
    except BaseException as fault:
        fault.add_note(f"The story is replayed by: cd tests && python -m simulation {seed}")
        if told:
            fault.add_note("\n".join(told[0].witness.trace[-15:]))
        raise
    return told[0].witness.trace


def digest(trace: list[str]) -> str:
    """Return what two plays of the same story have in common."""
    return hashlib.sha256("\n".join(trace).encode()).hexdigest()[:16]
