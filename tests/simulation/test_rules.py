"""The engine's rules on made-up time: limits, quotas, trouble that passes, and two engines at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.errors import NotFoundError, StoreError, TapisJobsError
from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.status import Condition, EventType, JobStatus
from jupyter_tapis_jobs.model.user import User

from .lives import USER, Life
from .virtual_time import run_virtually
from .world import World

HOUR = 3600.0


def play(folder: Path, scene: Callable[[Life, Engine, World], Awaitable[None]], **system: object) -> None:
    """Run *scene* with one engine over a fresh store and world."""

    async def story() -> None:
        world = World(Random(1), duration=10.0)
        life = Life(folder, world, Random(2))
        life.define(**system)
        await scene(life, await life.engine(), world)
        await life.end()
        assert not life.faults, life.faults

    run_virtually(story())


async def submit(engine: Engine, number: int = 1, **fields: object) -> list[str]:
    raw = {"name": "case", "appId": "model", "appVersion": "1.0", **fields}
    results = await engine.submit(USER, [raw] * number)
    assert not [r for r in results if isinstance(r, TapisJobsError)], results
    return [result[0].uuid for result in results if not isinstance(result, TapisJobsError)]


async def job(engine: Engine, uuid: str) -> Job:
    return (await engine.views.job(USER, uuid))[0]


async def until(engine: Engine, uuids: list[str], *statuses: JobStatus, within: float = HOUR) -> list[Job]:
    async def look() -> list[Job]:
        while True:
            jobs = [await job(engine, uuid) for uuid in uuids]
            if all(j.status in statuses for j in jobs):
                return jobs
            await asyncio.sleep(0.5)

    return await asyncio.wait_for(look(), within)


def test_a_job_over_its_time_is_ended_and_its_outputs_are_kept(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = 10 * HOUR
        uuids = await submit(engine, maxMinutes=2)
        started = world.now()
        (late,) = await until(engine, uuids, JobStatus.FAILED)
        assert 120 <= world.now() - started <= 120 + 35
        assert late.condition is Condition.JOB_EXECUTION_MONITORING_TIMEOUT
        assert late.last_message is not None
        assert late.last_message.startswith("stopped at the time limit of 2 min")
        assert not world.running
        history = await engine.views.history(USER, uuids[0])
        assert JobStatus.ARCHIVING in [event.event_detail for event in history]

    play(tmp_path, scene)


def test_a_clock_that_is_set_while_a_job_runs_changes_nothing_about_its_time(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = 150.0
        uuids = await submit(engine, 3, maxMinutes=3)
        await until(engine, uuids, JobStatus.RUNNING)
        life.clock.skew = HOUR
        await asyncio.sleep(60.0)
        life.clock.skew = -HOUR
        began = world.now()
        await until(engine, uuids, JobStatus.FINISHED)
        assert world.now() - began < 120.0

    play(tmp_path, scene)


def test_a_clock_that_was_set_while_no_engine_ran_ends_no_job(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(Random(1), duration=150.0)
        first = Life(tmp_path, world, Random(2), number=1)
        first.define()
        engine = await first.engine()
        uuids = await submit(engine, 3, maxMinutes=3)
        await until(engine, uuids, JobStatus.RUNNING)
        await first.end()
        second = Life(tmp_path, world, Random(3), clock=first.clock, number=2)
        first.clock.skew = HOUR
        await until(await second.engine(), uuids, JobStatus.FINISHED)
        await second.end()

    run_virtually(story())


def test_a_running_job_whose_directory_is_deleted_is_not_started_again(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = 90.0
        (uuid,) = await submit(engine, maxMinutes=1)
        await until(engine, [uuid], JobStatus.RUNNING)
        await asyncio.sleep(30.0)
        world.disk.delete(f"/work/jobs/{uuid}")
        (lost,) = await until(engine, [uuid], JobStatus.FAILED)
        assert "its directory on the host is gone" in (lost.remote_result_info or "")
        assert world.starts[uuid] == 1

    play(tmp_path, scene)


def test_an_old_epoch_that_comes_late_to_the_host_stops_nobody(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await until(engine, await submit(engine), JobStatus.FINISHED)
        world.write("/home/ada/.tapisjobs/simulated/epoch", b"0\n")
        uuids = await submit(engine, 3)
        (held, *_) = await until(engine, uuids, JobStatus.BLOCKED)
        assert "took this job engine for an old one" in (held.last_message or "")
        await until(engine, uuids, JobStatus.FINISHED)
        assert not life.lost_lease.is_set()

    play(tmp_path, scene)


def test_no_more_jobs_are_active_than_the_system_takes(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        uuids = await submit(engine, 12)
        jobs = await until(engine, uuids, JobStatus.FINISHED)
        assert world.peak == 3
        waited = [j for j in jobs if j.blocked_count]
        assert len(waited) == 9
        history = await engine.views.history(USER, waited[0].uuid)
        said = [event.description for event in history if event.event_detail == JobStatus.BLOCKED]
        assert said == ["cluster takes 3 jobs at a time; this one goes on when another has ended."]

    play(tmp_path, scene, jobMaxJobs=3)


def test_jobs_go_on_at_once_when_somebody_sees_that_their_host_answers(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.is_down = True
        uuids = await submit(engine, 3)
        await asyncio.sleep(HOUR)
        (held, *_) = await until(engine, uuids, JobStatus.BLOCKED)
        assert "Next try in 5 min" in (held.last_message or "")
        world.is_down = False
        await engine.desks.on_ready("elsewhere")
        assert [(await job(engine, uuid)).status for uuid in uuids] == [JobStatus.BLOCKED] * 3
        await engine.desks.on_ready("cluster")
        moved = [(await job(engine, uuid)).status for uuid in uuids]
        assert JobStatus.BLOCKED not in moved
        await until(engine, uuids, JobStatus.FINISHED)

    play(tmp_path, scene)


def test_a_host_that_is_down_for_a_day_blocks_jobs_and_loses_none(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.is_down = True
        uuids = await submit(engine, 5)
        blocked = await until(engine, uuids, JobStatus.BLOCKED)
        told = "the link to the host was lost. Next try in 5 s; nothing is lost."
        assert blocked[0].last_message == told
        await asyncio.sleep(24 * HOUR)
        world.is_down = False
        await until(engine, uuids, JobStatus.FINISHED)
        assert set(world.starts.values()) == {1}

    play(tmp_path, scene)


def test_a_running_job_whose_host_is_away_tells_so_until_it_is_back(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = HOUR
        (uuid,) = await submit(engine, maxMinutes=600)
        await until(engine, [uuid], JobStatus.RUNNING)
        world.is_down = True
        await asyncio.sleep(300)
        away = await job(engine, uuid)
        assert away.status is JobStatus.RUNNING
        assert away.last_message is not None
        assert "the link to the host was lost. What runs there goes on" in away.last_message
        world.is_down = False
        await asyncio.sleep(300)
        assert (await job(engine, uuid)).last_message is None
        await until(engine, [uuid], JobStatus.FINISHED, within=2 * HOUR)
        assert world.starts[uuid] == 1

    play(tmp_path, scene)


def test_a_disk_that_is_full_from_the_beginning_blocks_jobs_too(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.is_full = True
        uuids = await submit(engine, 2)
        blocked = await until(engine, uuids, JobStatus.BLOCKED)
        assert "no space is left" in (blocked[0].last_message or "")
        world.is_full = False
        await until(engine, uuids, JobStatus.FINISHED)

    play(tmp_path, scene)


@pytest.mark.parametrize("app", ["model", "batch"])
def test_a_job_that_begins_or_ends_on_a_full_disk_waits_for_room_and_is_not_lost(
    tmp_path: Path, app: str
) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = 30.0
        uuids = await submit(engine, 2, appId=app)
        await until(engine, uuids, JobStatus.QUEUED)
        world.is_full = True
        await asyncio.sleep(20.0)
        assert not world.starts
        world.is_full = False
        await until(engine, uuids, JobStatus.RUNNING)
        world.is_full = True
        await asyncio.sleep(60.0)
        world.is_full = False
        await until(engine, uuids, JobStatus.FINISHED)
        assert set(world.starts.values()) == {1}

    play(tmp_path, scene)


def test_an_impossible_job_fails_with_its_reason_though_the_store_was_full_when_it_was_taken_back(
    tmp_path: Path,
) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        uuids = await submit(engine, 3, appId="batch", maxMinutes=60, execSystemLogicalQueue="promising")
        await until(engine, uuids, JobStatus.QUEUED)
        while not world.calls["run scancel"]:
            await asyncio.sleep(0.001)
        life.workers.is_full = True
        await asyncio.sleep(200.0)
        life.workers.is_full = False
        (failed, *_) = await until(engine, uuids, JobStatus.FAILED)
        assert "maxMinutes 60 is over the limit of its queue" in (failed.last_message or "")
        assert world.calls["sbatch"] == 3

    play(tmp_path, scene)


def test_a_full_disk_blocks_jobs_until_there_is_room(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        first = await submit(engine)
        await until(engine, first, JobStatus.FINISHED)
        world.is_full = True
        uuids = await submit(engine, 2)
        blocked = await until(engine, uuids, JobStatus.BLOCKED)
        assert "no space is left" in (blocked[0].last_message or "")
        world.is_full = False
        await until(engine, uuids, JobStatus.FINISHED)

    play(tmp_path, scene)


def test_a_job_without_its_input_fails_alone(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        good = await submit(engine, 3)
        bad = await submit(engine, fileInputs=[{"sourceUrl": "tapis://cluster/nowhere.txt"}])
        (failed,) = await until(engine, bad, JobStatus.FAILED)
        assert failed.condition is Condition.JOB_UNABLE_TO_STAGE_INPUTS
        assert "tapis://cluster/nowhere.txt (nowhere.txt) does not exist" in (failed.last_message or "")
        await until(engine, good, JobStatus.FINISHED)

    play(tmp_path, scene)


def test_a_cancelled_job_is_cancelled_only_when_its_process_is_gone(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = HOUR
        uuids = await submit(engine, 3)
        await until(engine, uuids, JobStatus.RUNNING)
        seen: list[tuple[JobStatus, bool]] = []
        engine.subscribe(lambda _, jobs: seen.extend((j.status, j.uuid in world.running) for j in jobs))
        await engine.steering.cancel(USER, uuids)
        ended = await until(engine, uuids, JobStatus.CANCELLED, within=60)
        assert {j.condition for j in ended} == {Condition.CANCELLED_BY_USER}
        assert (JobStatus.CANCELLED, True) not in seen
        again = await engine.steering.cancel(USER, uuids)
        assert all(isinstance(result, TapisJobsError) for result in again)

    play(tmp_path, scene)


def test_a_job_that_waits_for_a_disabled_app_goes_on_when_it_is_enabled(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = 60.0
        uuids = await submit(engine, 2)
        engine.apps.set_enabled(USER, "model", False)
        blocked = await until(engine, uuids[1:], JobStatus.BLOCKED)
        assert "app model 1.0 is disabled" in (blocked[0].last_message or "")
        engine.apps.set_enabled(USER, "model", True)
        await until(engine, uuids, JobStatus.FINISHED)

    play(tmp_path, scene, jobMaxJobs=1)


def test_jobs_whose_runner_was_killed_before_they_began_are_handed_over_again(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        uuids = await submit(engine, 20)
        while not 0 < sum(world.starts.values()) < 20:
            await asyncio.sleep(0.01)
        world.kill_runners()
        jobs = await until(engine, uuids, JobStatus.FINISHED)
        assert sorted(world.starts.values()) == [1] * 20
        assert {j.remote_submit_retries for j in jobs} == {0, 1}

    play(tmp_path, scene)


def test_a_store_that_takes_nothing_for_an_hour_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        uuids = await submit(engine, 5)
        await asyncio.sleep(0.05)
        life.workers.is_full = True
        with pytest.raises(StoreError, match="full"):
            await submit(engine)
        await asyncio.sleep(HOUR)
        life.workers.is_full = False
        await until(engine, uuids, JobStatus.FINISHED)
        assert sorted(world.starts.values()) == [1] * 5

    play(tmp_path, scene)


def test_blocked_jobs_go_on_also_when_the_store_was_full_at_their_next_try(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.is_down = True
        uuids = await submit(engine, 5)
        await until(engine, uuids, JobStatus.BLOCKED)
        life.workers.is_full = True
        await asyncio.sleep(HOUR)
        world.is_down = life.workers.is_full = False
        await until(engine, uuids, JobStatus.FINISHED)

    play(tmp_path, scene)


def test_a_cancel_while_the_host_is_down_is_carried_out_when_it_is_back(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.duration = 10 * HOUR
        uuids = await submit(engine, 3, maxMinutes=1000)
        await until(engine, uuids, JobStatus.RUNNING)
        world.is_down = True
        await engine.steering.cancel(USER, uuids)
        await asyncio.sleep(HOUR)
        assert {(await job(engine, uuid)).status for uuid in uuids} == {JobStatus.RUNNING}
        world.is_down = False
        await until(engine, uuids, JobStatus.CANCELLED)
        assert not world.running

    play(tmp_path, scene)


def test_another_users_job_is_not_there(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine)
        stranger = User(name="eve", tenant=USER.tenant, is_server_user=False)
        with pytest.raises(NotFoundError):
            await engine.views.job(stranger, uuid)
        (result,) = await engine.steering.cancel(stranger, [uuid])
        assert isinstance(result, NotFoundError)
        await until(engine, [uuid], JobStatus.FINISHED)

    play(tmp_path, scene)


def test_a_broken_listener_harms_nobody(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("broken")

        engine.subscribe(broken)
        uuids = await submit(engine, 2)
        await until(engine, uuids, JobStatus.FINISHED)

    play(tmp_path, scene)


def test_every_status_is_stored_with_its_event_before_anybody_hears_of_it(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        heard: list[int] = []
        engine.subscribe(lambda events, _: heard.extend(event.id for event in events))
        (uuid,) = await submit(engine)
        await until(engine, [uuid], JobStatus.FINISHED)
        history = await engine.views.history(USER, uuid)
        assert heard == [event.id for event in history]
        assert [e.event for e in history] == [EventType.JOB_NEW_STATUS] * len(history)

    play(tmp_path, scene)


def test_an_engine_that_slept_past_its_lease_does_nothing_when_it_wakes(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(Random(1), duration=20.0)
        sleeper = Life(tmp_path, world, Random(2), number=1)
        sleeper.define()
        engine = await sleeper.engine()
        uuids = await submit(engine, 20)
        alarm = sleeper.sleep()
        other = Life(tmp_path, world, Random(3), number=2)
        successor = await other.engine()
        await asyncio.sleep(2)
        alarm.set()
        await asyncio.wait_for(sleeper.lost_lease.wait(), HOUR)
        await sleeper.end()
        await until(successor, uuids, JobStatus.FINISHED)
        assert sorted(world.starts.values()) == [1] * 20
        await other.end()
        assert not other.faults, other.faults

    run_virtually(story())
