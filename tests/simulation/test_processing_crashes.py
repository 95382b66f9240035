"""Post-processing while engines die: no ended job is forgotten, and one success of each is recorded."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.processing import Processing, ProcessingStatus
from jupyter_tapis_jobs.model.status import EventType
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store import processings as rows
from jupyter_tapis_jobs.store.database import Database

from .lives import USER, Life, unless_dead
from .made_up_functions import BROKEN, PEAKS, MadeUpFunctions
from .test_rules import submit
from .virtual_time import run_virtually
from .world import World


def life_of(folder: Path, world: World, functions: MadeUpFunctions, number: int) -> Life:
    life = Life(folder, world, Random(number + 2), number=number)
    life.ports = replace(life.ports, functions=functions)
    return life


def stored(database: Database, job_id: int) -> Processing:
    found = database.read(lambda c: rows.of_job(c, job_id))
    assert found is not None
    return found


async def over(engine: Engine, uuid: str) -> Processing:
    async with asyncio.timeout(24 * 3600.0):
        while not (found := await engine.processing.get(USER, uuid)).status.is_over:
            await asyncio.sleep(5.0)
    return found


#: Places where an engine waits, from the transaction of a job's end until the result is stored.
PLACES = 14


@pytest.mark.parametrize("place", range(PLACES))
def test_wherever_the_engine_dies_after_a_job_has_ended_one_success_is_recorded(
    tmp_path: Path, place: int
) -> None:
    functions = MadeUpFunctions()

    async def story() -> tuple[Processing, Processing]:
        world = World(Random(1), duration=10.0)
        first = life_of(tmp_path, world, functions, 0)
        first.define()
        (uuid,) = await submit(await first.engine(), notes={"tapisjobs": {"process": PEAKS}})

        def die_soon() -> None:
            """Stored, and not heard of by anybody: that the processing is due."""
            if first.die_at is None and stored(first.database, 1).due is not None:
                first.die_at = first.points + 1 + place

        first.on_write = die_soon
        await asyncio.wait_for(first.died.wait(), 3600.0)
        left = stored(first.database, 1)
        await first.end()
        second = life_of(tmp_path, world, functions, 1)
        found = await over(await second.engine(), uuid)
        successes = [
            event
            for event in second.database.read(lambda c: job_rows.history(c, 1))
            if event.event is EventType.JOB_USER_EVENT
        ]
        await second.end()
        assert [*first.faults, *second.faults] == []
        assert len([event for event in successes if "FINISHED" in event.description]) == 1
        return left, found

    left, found = run_virtually(story())
    # From before the first attempt to after its end: the engine died in each of these.
    assert place != 0 or left.attempts == 0
    assert place != PLACES - 1 or left.status.is_over
    assert found.status is ProcessingStatus.FINISHED
    assert json.loads(found.result or "") == {"attempt": found.attempts}
    assert found.attempts == left.attempts + (0 if left.status.is_over else 1)


def test_an_engine_that_dies_in_the_middle_again_and_again_gives_up_after_the_last_attempt(
    tmp_path: Path,
) -> None:
    functions = MadeUpFunctions(seconds=100.0)

    async def story() -> Processing:
        world = World(Random(1), duration=10.0)
        for number in range(4):
            life = life_of(tmp_path, world, functions, number)
            if number == 0:
                life.define()
            engine = await life.engine()
            if number == 0:
                await submit(engine, notes={"tapisjobs": {"process": {"name": PEAKS, "retries": 2}}})
            async with asyncio.timeout(3600.0):
                while stored(life.database, 1).attempts <= number < 3:
                    await asyncio.sleep(1.0)
            found = stored(life.database, 1)
            await life.end()
            assert life.faults == []
        return found

    found = run_virtually(story())
    assert (found.status, found.attempts) == (ProcessingStatus.FAILED, 3)
    assert found.problem == "The server ended while the function ran, 3 times."
    assert functions.ends.total() == 0


@pytest.mark.seeds(3, full=100)
def test_many_jobs_are_each_processed_once_though_engines_die_anywhere(tmp_path: Path, seed: int) -> None:
    functions = MadeUpFunctions(seconds=7.0)

    async def story() -> list[Processing]:
        random, world = Random(seed), World(Random(seed + 1), duration=10.0)
        uuids: list[str] = []
        for death in range(6):
            last = death == 5
            life = life_of(tmp_path, world, functions, death)
            if death == 0:
                life.define()
            engine = await life.engine()
            if death == 0:
                uuids += await submit(
                    engine, 8, notes={"tapisjobs": {"process": {"name": PEAKS, "retries": 9}}}
                )
                uuids += await submit(
                    engine, notes={"tapisjobs": {"process": {"name": BROKEN, "retries": 1}}}
                )
            if last:
                found = [await over(engine, uuid) for uuid in uuids]
            else:
                life.die_at = life.points + random.randint(2, 120)
                await unless_dead(life, asyncio.sleep(200))
            await life.end()
            assert not life.faults, life.faults
        return found

    *good, bad = run_virtually(story())
    assert {item.status for item in good} == {ProcessingStatus.FINISHED}
    assert all(json.loads(item.result or "") == {"attempt": item.attempts} for item in good)
    assert (bad.status, bad.attempts) == (ProcessingStatus.FAILED, 2)
