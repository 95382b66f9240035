"""A small study behind a large one of the same owner has its share of what there is: places, and Slurm's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulation.lives import QUEUES, USER
from simulation.world import Behaviour, World
from test_studies import ended

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.study import Case

Cases = Callable[..., list[Case]]
Run = Callable[..., None]
#: Slurm takes one array of this owner at a time.
ONE_AT_A_TIME = [{**QUEUES[0], "maxJobsPerUser": 1}]


async def ends_of_large(engine: Engine, cases: Cases, **fields: Any) -> int:
    """Run 3 cases behind 60; return how many of the 60 have ended when the 3 have."""
    await engine.studies.create(USER, "large", {"launch_mode": "array"})
    await engine.studies.create(USER, "s", {"launch_mode": "array"})
    await engine.studies.add(USER, "large", cases(60, **fields))
    await engine.studies.add(USER, "s", cases(3, first=100, **fields))
    assert await ended(engine, 3) == {"FINISHED": 3}
    ((_, counts),) = await engine.studies.told(USER, "large")
    return counts.get("FINISHED", 0)


@pytest.mark.parametrize("app", ["model", "batch"])
def test_places_of_a_quota_are_shared(run: Run, cases: Cases, app: str) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        assert await ends_of_large(engine, cases, appId=app) <= 12

    run(scene, jobMaxJobs=4)


def test_submissions_that_slurm_takes_one_at_a_time_are_shared(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        assert await ends_of_large(engine, cases, appId="batch") <= 12

    run(scene, batchLogicalQueues=ONE_AT_A_TIME, notes={"tapisjobs": {"maxArraySize": 5, "coresPerNode": 8}})


def test_cores_of_the_host_itself_are_shared(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        engine._lane(("cluster", "ada")).fork_cores = 2
        assert await ends_of_large(engine, cases, appId="model") <= 12

    run(scene)


def test_places_that_come_one_by_one_are_given_to_slurm_in_handfuls(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await engine.studies.create(USER, "s", {"launch_mode": "array", "max_running": 8})
        added = await engine.studies.add(USER, "s", cases(40, appId="batch"))
        lengths = {uuid: Behaviour(20.0 + number) for number, (_, uuid) in enumerate(added.submitted) if uuid}
        world.behaviours.update(lengths)
        assert await ended(engine, 40) == {"FINISHED": 40}
        assert world.peak == 8
        assert world.calls["sbatch"] <= 25

    run(scene)
