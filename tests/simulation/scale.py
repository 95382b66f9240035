"""Many jobs in a world without faults: what they cost the engine, in calls and in work.

The cluster grows with the number of jobs, so that all take the same time and are asked about equally often.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.errors import TapisJobsError
from jupyter_tapis_jobs.model.study import Case

from .cluster import Cluster
from .lives import USER, Life
from .virtual_time import run_virtually
from .world import World

#: Jobs of one bulk call.
AT_ONCE = 1000
#: Cases of one call that adds to a study.
CASES_AT_ONCE = 10_000
#: Jobs that each core of the cluster runs, one after the other, and how long each takes.
ROUNDS, SECONDS = 4, 20.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a number of jobs cost."""

    jobs: int
    #: Calls by verb: those to the host, and those to the store.
    calls: Counter[str]
    #: Seconds of CPU, those of the made-up world included.
    seconds: float
    #: Seconds of made-up time from the first request to the last end.
    took: float

    @property
    def remote(self) -> int:
        """Round trips to the host."""
        local = ("store read", "store write", "sbatch", "squeue", "sacct", "scancel")
        return sum(n for verb, n in self.calls.items() if verb not in local)

    @property
    def scheduler(self) -> int:
        """Commands of the scheduler."""
        return sum(self.calls[command] for command in ("sbatch", "squeue", "sacct", "scancel"))


Way = Callable[[Engine, int, str], Awaitable[None]]


async def bulk(engine: Engine, jobs: int, mode: str) -> None:
    """Submit jobs, a thousand in a call."""
    for start in range(0, jobs, AT_ONCE):
        numbers = range(start, min(jobs, start + AT_ONCE))
        results = await engine.submit(USER, [_request(n) for n in numbers], launch_mode=mode)
        assert not [result for result in results if isinstance(result, TapisJobsError)]


async def study(engine: Engine, jobs: int, mode: str) -> None:
    """Submit the cases of one study that has limits of its own, as many in a call as a body holds."""
    await engine.studies.create(
        USER, "large", {"launch_mode": mode, "max_running": jobs, "max_failures": jobs}
    )
    for start in range(0, jobs, CASES_AT_ONCE):
        numbers = range(start, min(jobs, start + CASES_AT_ONCE))
        cases = [Case(case_id=f"id{n}", parameters={"k": n}, request=_request(n)) for n in numbers]
        added = await engine.studies.add(USER, "large", cases)
        assert len(added.submitted) == len(cases)


def _request(number: int) -> dict[str, str]:
    return {"name": f"case-{number}", "appId": "batch", "appVersion": "1.0"}


def carry(folder: Path, jobs: int, mode: str = "array", *, way: Way = bulk) -> Cost:
    """Carry *jobs* jobs from the request to the end, started in the launch mode *mode*."""
    world = World(Random(1), duration=SECONDS)
    cores = max(4, jobs // ROUNDS)
    cluster = Cluster(world, nodes=max(1, cores // 64), cores=64, max_array=AT_ONCE + 1)
    took: list[float] = []

    async def story() -> None:
        life = Life(folder, world, Random(2), cluster=cluster)
        life.define()
        engine = await life.engine()
        await way(engine, jobs, mode)
        while engine.health()["activeJobs"]:
            await asyncio.sleep(5.0)
        took.append(asyncio.get_running_loop().time())
        await life.end()
        assert not life.faults, life.faults

    begun = time.process_time()
    run_virtually(story())
    assert len(world.starts) == jobs
    assert set(world.starts.values()) == {1}
    return Cost(jobs, world.calls, time.process_time() - begun, took[0])
