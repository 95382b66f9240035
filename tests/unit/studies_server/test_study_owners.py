"""A study's name is its owner's, and calls that wait for each other lose nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from simulation.lives import USER
from simulation.world import World

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store import studies as rows

OTHER = User(name="bob", tenant="tapisjobs", is_server_user=False)
Run = Callable[..., None]


def test_two_people_may_use_one_name(run: Run) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        mine = await engine.studies.create(USER, "s", {"max_running": 1})
        other = await engine.studies.create(OTHER, "s", {"max_running": 2})
        assert mine.id != other.id
        await engine.studies.remove(OTHER, "s")
        assert await engine.studies.told(OTHER) == []
        assert (await engine.studies.get(USER, "s")).max_running == 1

    run(scene)


def test_a_call_that_waited_waits_for_the_study_that_has_the_name_now(run: Run) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        studies = engine.studies
        await studies.create(USER, "s", {})
        async with studies._held(USER, "s") as old:
            change = asyncio.create_task(studies.change(USER, "s", {"max_running": 7}))
            await asyncio.sleep(0.1)
            engine.database.write(lambda connection: rows.remove(connection, old.id))
            new = await studies.create(USER, "s", {})
            lock = studies._one_at_a_time.lock(new.id)
            await lock.acquire()
        await asyncio.sleep(0.1)
        assert not change.done(), "somebody else changes the new study"
        lock.release()
        assert (await change).id == new.id != old.id

    run(scene)


def test_settings_given_in_two_ways_at_once_are_not_lost(run: Run) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await engine.studies.create(USER, "s", {"max_running": 1})
        async with engine.studies._held(USER, "s"):
            change = asyncio.create_task(engine.studies.change(USER, "s", {"max_running": 1}))
            await asyncio.sleep(0.1)
            await engine.studies.create(USER, "s", {"max_running": 5})
        assert (await change).max_running == 1
        assert (await engine.studies.get(USER, "s")).max_running == 1

    run(scene)
