"""The engine and the outputs of ended jobs on made-up time: once, tried again, claimed by kernels."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from simulation.lives import USER, Life
from simulation.made_up_functions import BROKEN, PEAKS, MadeUpFunctions
from simulation.test_rules import submit
from simulation.test_rules import until as until_jobs
from simulation.virtual_time import run_virtually
from simulation.world import World

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.engine.post_processing import AT_ONCE
from jupyter_tapis_jobs.engine.process_wishes import ProcessWishes
from jupyter_tapis_jobs.model.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    TapisJobsError,
)
from jupyter_tapis_jobs.model.processing import Outcome, Processing, ProcessingStatus
from jupyter_tapis_jobs.model.status import TERMINAL, JobStatus
from jupyter_tapis_jobs.model.times import parse_iso
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store import purge as old_jobs

OTHER = User(name="eve", tenant="tapisjobs", is_server_user=False)
Scene = Callable[[Life, Engine, World], Awaitable[None]]
Run = Callable[..., None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(scene, functions)``: one engine over a fresh store and world, with functions of packages."""

    def played(scene: Scene, functions: MadeUpFunctions | None = None) -> None:
        async def story() -> None:
            world = World(Random(1), duration=10.0)
            life = Life(tmp_path, world, Random(2))
            life.ports = replace(life.ports, functions=functions)
            life.define()
            await scene(life, await life.engine(), world)
            await life.end()
            assert not life.faults, life.faults

        run_virtually(story())

    return played


def notes(value: Any = PEAKS, **more: Any) -> dict[str, Any]:
    return {"tapisjobs": {"process": {"name": value, **more} if more else value}}


async def over(engine: Engine, uuid: str) -> Processing:
    """Wait until nothing more is done with the outputs of a job."""
    async with asyncio.timeout(7200.0):
        while not (found := await engine.processing.get(USER, uuid)).status.is_over:
            await asyncio.sleep(0.5)
    return found


async def told(engine: Engine, uuid: str) -> list[str]:
    history = await engine.views.history(USER, uuid)
    return [event.description for event in history if event.event_detail == "PROCESSING"]


def test_a_function_sees_a_finished_job_once_and_what_it_returns_is_kept(run: Run) -> None:
    functions = MadeUpFunctions()

    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes())
        waiting = await engine.processing.get(USER, uuid)
        assert (waiting.status, waiting.attempts, waiting.due) == (ProcessingStatus.PENDING, 0, None)
        found = await over(engine, uuid)
        assert (found.status, found.attempts) == (ProcessingStatus.FINISHED, 1)
        assert json.loads(found.result or "") == {"attempt": 1}
        assert await told(engine, uuid) == ["peaks FINISHED: its result is kept with the job."]
        await asyncio.sleep(3600.0)
        assert functions.ends == {uuid: 1}

    run(scene, functions)


def test_a_function_that_raises_is_called_again_after_a_pause_until_it_returns(run: Run) -> None:
    functions = MadeUpFunctions(failures=2)

    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes())
        found = await over(engine, uuid)
        assert (found.status, found.attempts, found.problem) == (ProcessingStatus.FINISHED, 3, None)
        first, second, third = functions.calls[uuid]
        assert second - first >= 3.0 + 5.0
        assert third - second >= 3.0 + 60.0

    run(scene, functions)


@pytest.mark.parametrize("retries", [0, 1])
def test_after_the_last_attempt_it_failed_and_tells_why(run: Run, retries: int) -> None:
    functions = MadeUpFunctions()

    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes(BROKEN, retries=retries))
        found = await over(engine, uuid)
        assert (found.status, found.attempts, found.result) == (ProcessingStatus.FAILED, 1 + retries, None)
        assert "Traceback" in (found.problem or "")
        assert (await told(engine, uuid))[-1] == "broken FAILED: broken raised ValueError: no rows."
        await asyncio.sleep(3600.0)
        assert functions.ends[uuid] == 1 + retries

    run(scene, functions)


def test_a_job_that_ended_otherwise_is_skipped_unless_its_end_is_wanted(run: Run) -> None:
    functions = MadeUpFunctions()

    async def scene(life: Life, engine: Engine, world: World) -> None:
        (plain, wide) = [
            (await submit(engine, notes=notes(PEAKS, on=on)))[0]
            for on in (["FINISHED"], ["CANCELLED", "FAILED"])
        ]
        await engine.steering.cancel(USER, [plain, wide])
        await until_jobs(engine, [plain, wide], JobStatus.CANCELLED)
        skipped, done = await over(engine, plain), await over(engine, wide)
        assert (skipped.status, skipped.attempts) == (ProcessingStatus.SKIPPED, 0)
        assert "CANCELLED" in (skipped.problem or "")
        assert done.status is ProcessingStatus.FINISHED
        assert functions.ends == {wide: 1}
        # Asked for by its owner, it is done all the same.
        await engine.processing.again(USER, plain)
        assert (await over(engine, plain)).status is ProcessingStatus.FINISHED

    run(scene, functions)


def test_many_jobs_are_processed_by_few_workers_two_at_a_time(run: Run) -> None:
    functions = MadeUpFunctions(seconds=20.0)

    async def scene(life: Life, engine: Engine, world: World) -> None:
        uuids = await submit(engine, 120, notes=notes())
        found = [await over(engine, uuid) for uuid in uuids]
        assert {item.status for item in found} == {ProcessingStatus.FINISHED}
        assert functions.ends == dict.fromkeys(uuids, 1)
        assert functions.most == AT_ONCE
        assert functions.started < len(uuids) / 4

    run(scene, functions)


def test_a_name_that_nobody_offers_is_refused_before_anything_is_stored(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        raw = {"name": "case", "appId": "model", "appVersion": "1.0"}
        wrong, right, late = await engine.submit(
            USER, [{**raw, "notes": notes("peeks")}, raw, {**raw, "notes": notes(PEAKS, retries=-1)}]
        )
        assert isinstance(wrong, InvalidInputError)
        assert "Did you mean 'peaks'?" in wrong.message
        assert not isinstance(right, TapisJobsError)
        assert isinstance(late, InvalidInputError)
        assert late.field == "notes.tapisjobs.process.retries"

    run(scene, MadeUpFunctions())


def test_a_server_without_functions_says_so(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (refused,) = await engine.submit(
            USER, [{"name": "case", "appId": "model", "appVersion": "1.0", "notes": notes()}]
        )
        assert isinstance(refused, InvalidInputError)
        assert "no installed package offers one" in refused.message

    run(scene)


def test_jobs_of_others_are_processed_only_where_the_server_says_so(run: Run) -> None:
    functions = MadeUpFunctions()

    async def scene(life: Life, engine: Engine, world: World) -> None:
        wishes = ProcessWishes(life.ports, OTHER)
        with pytest.raises(NotAllowedError, match="process_for_others"):
            await wishes.check(notes())
        await wishes.check(notes("mine", runs="kernel"))
        functions.for_others = True
        await wishes.check(notes())

    run(scene, functions)


def test_an_owner_has_it_done_again_and_others_see_nothing_of_it(run: Run) -> None:
    functions = MadeUpFunctions()

    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes())
        with pytest.raises(ConflictError, match="after its end"):
            await engine.processing.again(USER, uuid)
        await over(engine, uuid)
        again = await engine.processing.again(USER, uuid)
        assert (again.status, again.result, again.attempts) == (ProcessingStatus.PENDING, None, 0)
        assert (await over(engine, uuid)).status is ProcessingStatus.FINISHED
        assert functions.ends == {uuid: 2}
        for ask in (
            engine.processing.get(OTHER, uuid),
            engine.processing.again(OTHER, uuid),
            engine.processing.claim(OTHER, uuid, "kernel-1"),
            engine.processing.report(OTHER, uuid, "kernel-1", Outcome(result="1")),
        ):
            with pytest.raises(NotFoundError):
                await ask

    run(scene, functions)


def test_many_jobs_are_told_at_once_and_only_to_their_owner(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        first, second = await submit(engine, 2, notes=notes())
        (plain,) = await submit(engine)
        for uuid in (first, second):
            await over(engine, uuid)
        found = await engine.processing.get_many(USER, [second, plain, first, second, "no-such-job"])
        assert [item.job_uuid for item in found] == [second, first]
        assert {item.status for item in found} == {ProcessingStatus.FINISHED}
        assert await engine.processing.get_many(OTHER, [first, second]) == []

    run(scene, MadeUpFunctions())


def test_a_job_whose_request_wants_nothing_says_so(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine)
        with pytest.raises(NotFoundError, match=r"process=…") as found:
            await engine.processing.get(USER, uuid)
        assert found.value.code == "JOBS_NO_PROCESSING"

    run(scene, MadeUpFunctions())


def test_of_two_kernels_one_claims_the_job_and_only_its_outcome_counts(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes("mine", runs="kernel"))
        with pytest.raises(ConflictError, match="after its end"):
            await engine.processing.claim(USER, uuid, "kernel-1")
        await until_jobs(engine, [uuid], *TERMINAL)
        first = await engine.processing.claim(USER, uuid, "kernel-1")
        second = await engine.processing.claim(USER, uuid, "kernel-2")
        assert (first.claim, second.claim, second.attempts) == ("kernel-1", "kernel-1", 1)
        with pytest.raises(ConflictError, match="Another kernel"):
            await engine.processing.report(USER, uuid, "kernel-2", Outcome(result="2"))
        with pytest.raises(ConflictError, match="being processed"):
            await engine.processing.again(USER, uuid)
        done = await engine.processing.report(USER, uuid, "kernel-1", Outcome(result="1"))
        assert (done.status, done.result) == (ProcessingStatus.FINISHED, "1")
        # The same again, because the first answer was lost, changes nothing.
        again = await engine.processing.report(USER, uuid, "kernel-1", Outcome(result="3"))
        assert again == done

    run(scene, MadeUpFunctions())


def test_what_a_kernels_function_raised_is_final_until_its_owner_wants_it_again(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes("mine", runs="kernel"))
        await until_jobs(engine, [uuid], *TERMINAL)
        await engine.processing.claim(USER, uuid, "kernel-1")
        failed = await engine.processing.report(USER, uuid, "kernel-1", Outcome(problem="mine raised X."))
        assert (failed.status, failed.problem) == (ProcessingStatus.FAILED, "mine raised X.")
        assert (await engine.processing.claim(USER, uuid, "kernel-2")).status is ProcessingStatus.FAILED
        await engine.processing.again(USER, uuid)
        assert (await engine.processing.claim(USER, uuid, "kernel-2")).claim == "kernel-2"

    run(scene, MadeUpFunctions())


def test_a_kernel_that_died_holds_its_claim_for_the_time_limit_only(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes("mine", runs="kernel", maxMinutes=2, retries=1))
        await until_jobs(engine, [uuid], *TERMINAL)
        claimed = await engine.processing.claim(USER, uuid, "kernel-1")
        now = life.ports.clock.now()
        assert parse_iso(claimed.due or "") - now == pytest.approx(120.0, abs=1.0)
        await asyncio.sleep(121.0)
        free = await engine.processing.get(USER, uuid)
        assert free.status is ProcessingStatus.PENDING
        assert "has not told what came of it within 2 min" in (free.problem or "")
        assert (await engine.processing.claim(USER, uuid, "kernel-2")).claim == "kernel-2"
        with pytest.raises(ConflictError):
            await engine.processing.report(USER, uuid, "kernel-1", Outcome(result="1"))
        await asyncio.sleep(121.0)
        assert (await engine.processing.get(USER, uuid)).status is ProcessingStatus.FAILED

    run(scene, MadeUpFunctions())


def test_the_late_outcome_of_a_kernel_counts_while_no_other_has_claimed(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes("mine", runs="kernel", maxMinutes=2))
        await until_jobs(engine, [uuid], *TERMINAL)
        await engine.processing.claim(USER, uuid, "kernel-1")
        await asyncio.sleep(200.0)
        done = await engine.processing.report(USER, uuid, "kernel-1", Outcome(result="1"))
        assert (done.status, done.result) == (ProcessingStatus.FINISHED, "1")

    run(scene, MadeUpFunctions())


def test_no_kernel_claims_what_the_server_does(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes())
        await until_jobs(engine, [uuid], *TERMINAL)
        with pytest.raises(ConflictError, match="by the server"):
            await engine.processing.claim(USER, uuid, "kernel-1")

    run(scene, MadeUpFunctions())


def test_a_result_leaves_the_store_with_its_job(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, notes=notes())
        await over(engine, uuid)
        (job,) = life.database.read(lambda c: old_jobs.ended_before(c, "2999", None))
        life.database.write(lambda c: old_jobs.remove(c, [job]))
        with pytest.raises(NotFoundError):
            await engine.processing.get(USER, uuid)

    run(scene, MadeUpFunctions())
