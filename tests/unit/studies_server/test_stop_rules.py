"""How many cases of a study are under way at a time, and after how many failures no more are begun."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from simulation.lives import USER, Life
from simulation.virtual_time import run_virtually
from simulation.world import Behaviour, World
from test_studies import counts, ended, new_study

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.engine.verdict import Block
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.study import Case
from jupyter_tapis_jobs.store import studies as rows

Cases = Callable[..., list[Case]]
Run = Callable[..., None]


async def waiting(engine: Engine, number: int) -> list[str]:
    """Wait until so many jobs wait for a place; return what they say."""
    async with asyncio.timeout(600.0):
        while len(held := engine._conveyor.blocked.waiting_for_a_place()) != number:
            await asyncio.sleep(0.1)
    return [job.last_message or "" for job in held]


def test_no_more_cases_are_under_way_than_the_study_allows(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine, max_running=3)
        await engine.studies.add(USER, "s", cases(10))
        said = await waiting(engine, 7)
        assert said[0].startswith("study s has at most 3 cases under way at a time (maxRunning)")
        assert await ended(engine, 10) == {"FINISHED": 10}
        assert world.peak == 3

    run(scene)


def test_a_higher_limit_counts_at_once(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        world.duration = 1000.0
        await new_study(engine, max_running=2)
        await engine.studies.add(USER, "s", cases(10))
        await waiting(engine, 8)
        await engine.studies.change(USER, "s", {"max_running": None})
        await waiting(engine, 0)

    run(scene)


def test_studies_and_jobs_beside_them_do_not_take_each_others_places(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        world.duration = 1000.0
        await new_study(engine, max_running=2)
        await engine.studies.create(USER, "t", {"max_running": 5})
        await engine.studies.add(USER, "s", cases(6))
        await engine.studies.add(USER, "t", cases(6))
        await engine.submit(USER, [{"name": "x", "appId": "model", "appVersion": "1.0"}] * 4)
        said = await waiting(engine, 4 + 1)
        assert sorted(text.split()[1] for text in said) == ["s"] * 4 + ["t"]

    run(scene)


def test_a_place_that_is_left_while_others_are_told_to_wait_is_not_lost(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine, max_running=1)
        pending = engine._stations.pending

        async def slow(lane: Any, cohort: Any) -> Any:
            """The case that runs ends after the others were judged, and before that is stored."""
            verdicts = await pending(lane, cohort)
            if any(isinstance(verdict, Block) for verdict in verdicts.values()):
                await ended(engine, 1)
            return verdicts

        await engine.studies.add(USER, "s", cases(1))
        engine._stations.table[JobStatus.PENDING] = slow
        await engine.studies.add(USER, "s", cases(4, first=1))
        assert await ended(engine, 5) == {"FINISHED": 5}

    run(scene)


def test_a_limit_holds_after_a_restart(tmp_path: Path, cases: Cases) -> None:
    async def story() -> None:
        world = World(Random(1), duration=60.0)
        first = Life(tmp_path, world, Random(2), number=1)
        first.define()
        engine = await first.engine()
        await new_study(engine, max_running=2)
        await engine.studies.add(USER, "s", cases(5))
        await waiting(engine, 3)
        await first.end()
        second = Life(tmp_path, world, Random(3), clock=first.clock, number=2)
        engine = await second.engine()
        assert (await engine.studies.add(USER, "s", cases(5))).in_flight == 5
        assert await ended(engine, 5) == {"FINISHED": 5}
        assert world.peak == 2
        await second.end()
        assert not first.faults + second.faults

    run_virtually(story())


def test_after_enough_failures_what_waits_goes_on_waiting_until_they_are_run_again(
    run: Run, cases: Cases
) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine, max_running=2, max_failures=2)
        added = await engine.studies.add(USER, "s", cases(8))
        world.behaviours.update({uuid: Behaviour(5.0, 1) for _, uuid in added.submitted if uuid})
        assert await ended(engine, 2) == {"FAILED": 2, "BLOCKED": 6}
        await asyncio.sleep(600.0)
        assert await counts(engine) == {"FAILED": 2, "BLOCKED": 6}
        world.behaviours.clear()
        # A job that comes now waits as well, and all say why.
        await engine.studies.add(USER, "s", cases(1, first=8))
        said = "study s is stopped: as many cases have failed as it allows (maxFailures 2)."
        assert all(text.startswith(said) for text in await waiting(engine, 7))
        await engine.studies.add(USER, "s", cases(9))
        assert await ended(engine, 9) == {"FINISHED": 9}

    run(scene)


def test_what_has_not_begun_is_ended_after_enough_failures_and_what_runs_goes_on(
    run: Run, cases: Cases
) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        # Two at a time; the first one fails, and all have been handed to their host by then.
        engine._lane(("cluster", "ada")).fork_cores = 2
        world.duration = 30.0
        await new_study(engine, max_failures=1)
        added = await engine.studies.add(USER, "s", cases(8))
        _, first = added.submitted[0]
        assert first is not None
        world.behaviours[first] = Behaviour(10.0, 1)
        found = await ended(engine, 8)
        assert found["FAILED"] == 1
        assert found["FINISHED"] >= 1
        assert found["CANCELLED"] >= 4
        assert set(found) == {"FAILED", "FINISHED", "CANCELLED"}
        said = [(await engine.views.job(USER, uuid))[0] for _, uuid in added.submitted if uuid]
        ended_by_rule = {job.last_message for job in said if job.status is JobStatus.CANCELLED}
        assert ended_by_rule == {
            "not begun: study s had as many failed cases as it allows (maxFailures). "
            "It is submitted anew when the study is run again."
        }
        assert not engine._conveyor.steps.reasons
        again = await engine.studies.add(USER, "s", cases(8))
        assert again.failed == len(again.submitted) == found["FAILED"] + found["CANCELLED"]
        assert await ended(engine, 8) == {"FINISHED": 8}

    run(scene)


def test_a_higher_number_of_failures_lets_the_others_go_on(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine, max_running=1, max_failures=1)
        added = await engine.studies.add(USER, "s", cases(3))
        assert added.submitted[0][1]
        world.behaviours[added.submitted[0][1]] = Behaviour(5.0, 1)
        await ended(engine, 1)
        await asyncio.sleep(60.0)
        assert (await counts(engine))[JobStatus.BLOCKED] == 2
        await engine.studies.change(USER, "s", {"max_failures": 2})
        assert await ended(engine, 3) == {"FAILED": 1, "FINISHED": 2}

    run(scene)


def test_enough_failures_count_after_a_restart_too(tmp_path: Path, cases: Cases) -> None:
    async def story() -> None:
        world = World(Random(1), duration=900.0)
        first = Life(tmp_path, world, Random(2), number=1)
        first.define()
        engine = await first.engine()
        engine._lane(("cluster", "ada")).fork_cores = 2
        await new_study(engine)
        added = await engine.studies.add(USER, "s", cases(6, maxMinutes=60))
        uuids = [uuid for _, uuid in added.submitted if uuid]
        world.behaviours[uuids[0]] = Behaviour(10.0, 1)
        assert "CANCELLED" not in await ended(engine, 1)
        study = await engine.studies.get(USER, "s")
        # As if the engine had died before it could end anything.
        engine.database.write(lambda c: rows.change(c, study.id, max_failures=1))
        await first.end()
        second = Life(tmp_path, world, Random(3), clock=first.clock, number=2)
        engine = await second.engine()
        found = await ended(engine, 6)
        assert found["FAILED"] == 1
        assert found["CANCELLED"] >= 2
        await second.end()
        assert not first.faults + second.faults

    run_virtually(story())


def test_a_lower_number_of_failures_counts_at_once(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        engine._lane(("cluster", "ada")).fork_cores = 2
        world.duration = 900.0
        await new_study(engine)
        added = await engine.studies.add(USER, "s", cases(6, maxMinutes=60))
        assert added.submitted[0][1]
        world.behaviours[added.submitted[0][1]] = Behaviour(10.0, 1)
        assert (await ended(engine, 1)).keys() & {"CANCELLED", "FAILED"} == {"FAILED"}
        await engine.studies.change(USER, "s", {"max_failures": 1})
        found = await ended(engine, 4)
        assert found["FAILED"] == 1
        assert found["CANCELLED"] >= 3

    run(scene)
