"""The cores of a host without a scheduler: a job that has a core to run on does not wait for another job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from simulation.lives import USER
from simulation.world import Behaviour, World
from test_studies import counts, ended

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.study import Case

Cases = Callable[..., list[Case]]
Run = Callable[..., None]
LONG, SHORT = Behaviour(1000.0), Behaviour(5.0)


async def submitted(engine: Engine, world: World, cases: list[Case], *behaviours: Behaviour) -> None:
    """Add cases that behave so; the first is the first to run."""
    added = await engine.studies.add(USER, "s", cases)
    world.behaviours.update(
        {uuid: how for (_, uuid), how in zip(added.submitted, behaviours, strict=True) if uuid}
    )


@pytest.mark.parametrize("before", [(LONG,), (SHORT, SHORT, LONG)], ids=["one job", "the last of a batch"])
def test_a_job_takes_the_core_that_a_long_one_leaves_free(
    run: Run, cases: Cases, before: tuple[Behaviour, ...]
) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        engine._lane(("cluster", "ada")).fork_cores = 2
        await engine.studies.create(USER, "s", {})
        await submitted(engine, world, cases(len(before)), *before)
        await submitted(engine, world, cases(1, first=len(before)), SHORT)
        assert await ended(engine, len(before)) == {"RUNNING": 1, "FINISHED": len(before)}

    run(scene)


def test_a_job_behind_a_study_of_long_cases_waits_for_a_few_of_them_only(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        engine._lane(("cluster", "ada")).fork_cores = 2
        await engine.studies.create(USER, "s", {})
        await engine.studies.create(USER, "behind", {})
        await submitted(engine, world, cases(100), *[Behaviour(60.0)] * 100)
        await engine.studies.add(USER, "behind", cases(1, first=100))
        while not (await engine.studies.told(USER, "behind"))[0][1].get("FINISHED"):
            await asyncio.sleep(1.0)
        assert (await counts(engine))["FINISHED"] <= 10

    run(scene)


def test_short_cases_are_handed_over_in_large_batches(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        lane = engine._lane(("cluster", "ada"))
        lane.fork_cores = 8
        await engine.studies.create(USER, "s", {})
        await submitted(engine, world, cases(600), *[Behaviour(0.05)] * 600)
        assert await ended(engine, 600) == {"FINISHED": 600}
        assert lane.fork_batch > 100

    run(scene)
