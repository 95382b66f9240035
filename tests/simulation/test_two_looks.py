"""Two looks at one job at the same time: what the engine knows stays what is stored, and nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.store import jobs as job_rows

from .lives import Life
from .test_rules import play, submit, until
from .world import World


def test_of_a_job_that_has_moved_on_no_later_round_is_stored_either(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = 1000.0
        (uuid,) = await submit(engine, appId="batch", maxMinutes=60)
        (job,) = await until(engine, [uuid], JobStatus.QUEUED, JobStatus.RUNNING)
        conveyor = engine._conveyor
        begun = conveyor.steps.to(job, JobStatus.BLOCKED)
        over = conveyor.steps.to(begun.after, JobStatus.QUEUED)
        assert await conveyor.commit([begun]) == frozenset()
        # Somebody else has made up their mind before that was stored.
        assert await conveyor.commit([begun], [over]) == {uuid}
        stored = engine.database.read(lambda connection: job_rows.get(connection, uuid))
        assert stored.status is conveyor.jobs[uuid].status is JobStatus.BLOCKED

    play(tmp_path, scene)


def test_what_the_later_of_two_looks_saw_beyond_the_other_is_seen_again(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        # No event tells of the job, and its scheduler is not asked so soon.
        world.duration, world.unseen = 3.0, 1.0
        (uuid,) = await submit(engine, appId="batch")
        (job,) = await until(engine, [uuid], JobStatus.QUEUED)
        tracker, both = engine._tracker, asyncio.Barrier(2)
        read = tracker._on_host.read_marks

        async def read_in_turns(*asked: Any) -> Any:
            """Both have read before either goes on: one when the job had begun, one when it was over."""
            name = asyncio.current_task().get_name()  # type: ignore[union-attr]
            seen = {"begun": world.starts, "over": world.codes}.get(name)
            while seen is not None and uuid not in seen:
                await asyncio.sleep(0.1)
            found = await read(*asked)
            if seen is not None:
                await both.wait()
                assert engine._conveyor.jobs[uuid].status is JobStatus.QUEUED
            return found

        tracker._on_host.read_marks = read_in_turns  # type: ignore[method-assign]
        looks = [
            asyncio.create_task(tracker.look(engine._lane(job.lane), [uuid]), name=name)
            for name in ("begun", "over")
        ]
        await asyncio.gather(*looks)
        await until(engine, [uuid], JobStatus.FINISHED, within=5.0)
        assert not engine._conveyor.jobs

    play(tmp_path, scene)
