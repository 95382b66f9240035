"""The engine and workflows on made-up time: order, outputs, failures, retries, pause, cancel, owners."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from simulation.lives import USER, Life
from simulation.test_rules import play
from simulation.world import Behaviour, World

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotFoundError, StoreError
from jupyter_tapis_jobs.model.search import EVERYTHING, JobQuery
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.urls import data_bytes
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.model.workflow import Node, Plan
from jupyter_tapis_jobs.store import purge as old_jobs
from jupyter_tapis_jobs.store import workflows as rows

OTHER = User(name="eve", tenant="tapisjobs", is_server_user=False)
Scene = Callable[[Life, Engine, World], Awaitable[None]]
Run = Callable[[Scene], None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return lambda scene: play(tmp_path, scene)


def plan(name: str, *after: str, takes: str = "", retries: int = 0, **fields: Any) -> Plan:
    request: dict[str, Any] = {"appId": "model", "appVersion": "1.0", **fields}
    if takes:
        request["fileInputs"] = [{"sourceUrl": takes}]
    return Plan(node=Node(name=name, after=after, retries=retries), request=request, parameters={"k": name})


async def states(engine: Engine) -> dict[str, str]:
    told = await engine.workflows.told(USER, "flow")
    return dict(zip((row.node.name for row in told.nodes), told.states, strict=True))


async def standing(engine: Engine, name: str) -> Any:
    told = await engine.workflows.told(USER, "flow")
    return next(row.standing for row in told.nodes if row.node.name == name)


async def until(engine: Engine, *wanted: str) -> str:
    """Wait until the workflow has one of these statuses; return it."""
    async with asyncio.timeout(7200.0):
        while (told := await engine.workflows.told(USER, "flow")).status not in wanted:
            await asyncio.sleep(0.5)
    return told.status


async def in_short(engine: Engine) -> tuple[str, dict[str, int]]:
    """Return the workflow as the list of workflows has it, once it is over."""
    async with asyncio.timeout(7200.0):
        while not (found := (await engine.workflows.summaries(USER))[0]).workflow.is_over:
            await asyncio.sleep(0.5)
    return found.status, dict(found.counts)


async def has_job(engine: Engine, name: str, *statuses: JobStatus) -> str:
    """Wait until a node has a job (in one of these statuses); return its uuid."""
    async with asyncio.timeout(7200.0):
        while True:
            now = await standing(engine, name)
            if now.job_uuid and (not statuses or now.status in statuses):
                return str(now.job_uuid)
            await asyncio.sleep(0.2)


async def number_of_jobs(engine: Engine) -> int:
    page = await engine.views.search(USER, JobQuery(where=EVERYTHING, limit=-1, compute_total=True))
    return page.total


def leaves(world: World, uuid: str, path: str = "out.txt") -> None:
    world.write(f"/work/jobs/{uuid}/output/{path}", b"7\n")


async def inputs_of(engine: Engine, name: str) -> dict[str, str]:
    _, definition = await engine.views.job(USER, await has_job(engine, name))
    return {item.target_path: item.source_url for item in definition.file_inputs}


def test_a_job_is_submitted_when_those_before_it_are_finished_and_gets_their_outputs(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(
            USER, "flow", [plan("a"), plan("b", takes="output://a/out.txt"), plan("c", "b", "a")]
        )
        assert await states(engine) == {"a": "PENDING", "b": "WAITING", "c": "WAITING"}
        first = await has_job(engine, "a")
        leaves(world, first)
        inputs = await inputs_of(engine, "b")
        assert list(inputs) == ["out.txt"]
        assert inputs["out.txt"].startswith("tapis://cluster/")
        assert first in inputs["out.txt"]
        assert await until(engine, "FINISHED", "FAILED") == "FINISHED"
        assert await number_of_jobs(engine) == 3
        job, _ = await engine.views.job(USER, first)
        assert (job.name, job.cohort_id) == ("flow.a", None)

    run(scene)


def test_a_fan_in_gets_the_output_of_each_row_and_a_table(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        fan = [plan(f"solve[{row}]") for row in range(12)]
        await engine.workflows.run(USER, "flow", [*fan, plan("all", takes="output://solve/out.txt")])
        uuids = [await has_job(engine, f"solve[{row}]") for row in range(12)]
        for uuid in uuids:
            leaves(world, uuid)
        inputs = await inputs_of(engine, "all")
        assert set(inputs) == {"solve.csv", *(f"solve/{row}/out.txt" for row in range(12))}
        assert uuids[10] in inputs["solve/10/out.txt"]
        table = list(csv.DictReader(io.StringIO(data_bytes(inputs["solve.csv"]).decode())))
        assert [row["k"] for row in table] == [f"solve[{row}]" for row in range(12)]
        assert [row["jobUuid"] for row in table] == uuids
        assert {row["status"] for row in table} == {"FINISHED"}

    run(scene)


def test_nodes_that_are_ready_together_are_one_cohort(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        fan = [plan(f"solve[{row}]", "mesh", appId="batch") for row in range(20)]
        before = world.calls["store write"]
        await engine.workflows.run(USER, "flow", [plan("mesh"), *fan])
        assert world.calls["store write"] - before < 10
        jobs = [(await engine.views.job(USER, await has_job(engine, n.node.name)))[0] for n in fan]
        assert len({job.cohort_id for job in jobs}) == 1
        assert jobs[0].cohort_id
        assert await until(engine, "FINISHED", "FAILED") == "FINISHED"
        ended = [(await engine.views.job(USER, job.uuid))[0] for job in jobs]
        assert {job.launch_mode for job in ended} <= {"array", "pack"}

    run(scene)


def test_what_is_behind_a_failed_node_is_not_run_until_it_is_retried(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a"), plan("b", "a"), plan("c", "b"), plan("d")])
        world.behaviours[await has_job(engine, "a")] = Behaviour(5.0, 3)
        assert await until(engine, "FINISHED", "FAILED") == "FAILED"
        assert await states(engine) == {"a": "FAILED", "b": "NOT_RUN", "c": "NOT_RUN", "d": "FINISHED"}
        assert await in_short(engine) == ("FAILED", {"FAILED": 1, "NOT_RUN": 2, "FINISHED": 1})
        assert await engine.workflows.retry(USER, "flow") == 1
        assert await until(engine, "FINISHED", "FAILED") == "FINISHED"
        assert (await standing(engine, "a")).attempt == 2
        assert await number_of_jobs(engine) == 5
        with pytest.raises(ConflictError, match="nothing to retry"):
            await engine.workflows.retry(USER, "flow")

    run(scene)


def test_a_node_with_retries_gets_so_many_new_jobs_and_no_more(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a", retries=2), plan("b", "a")])
        seen: list[str] = []
        while len(seen) < 3:
            uuid = await has_job(engine, "a")
            if uuid not in seen:
                seen.append(uuid)
                world.behaviours[uuid] = Behaviour(5.0, 1)
            await asyncio.sleep(0.2)
        assert await until(engine, "FINISHED", "FAILED") == "FAILED"
        assert (await standing(engine, "a")).attempt == 3
        assert await number_of_jobs(engine) == 3

    run(scene)


def test_a_node_that_its_owner_cancels_is_not_tried_again(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a", retries=2), plan("b", "a")])
        await engine.steering.cancel(USER, [await has_job(engine, "a")])
        assert await until(engine, "FINISHED", "FAILED") == "FAILED"
        assert await states(engine) == {"a": "CANCELLED", "b": "NOT_RUN"}
        assert await number_of_jobs(engine) == 1

    run(scene)


def test_a_cancelled_workflow_ends_its_jobs_and_submits_no_more_until_it_is_retried(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a"), plan("b", "a")])
        await has_job(engine, "a", JobStatus.RUNNING)
        assert await engine.workflows.cancel(USER, "flow") == 1
        assert await until(engine, "CANCELLED", "FINISHED") == "CANCELLED"
        assert await states(engine) == {"a": "CANCELLED", "b": "NOT_RUN"}
        assert await in_short(engine) == ("CANCELLED", {"CANCELLED": 1, "NOT_RUN": 1})
        with pytest.raises(ConflictError, match="has ended already"):
            await engine.workflows.cancel(USER, "flow")
        assert await engine.workflows.retry(USER, "flow") == 1
        assert await until(engine, "FINISHED", "FAILED") == "FINISHED"

    run(scene)


def test_a_paused_workflow_lets_run_what_runs_and_submits_nothing_until_it_is_resumed(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a"), plan("b", "a")])
        first = await has_job(engine, "a", JobStatus.RUNNING)
        await engine.workflows.pause(USER, "flow")
        async with asyncio.timeout(600.0):
            while (await engine.views.job(USER, first))[0].status is not JobStatus.FINISHED:
                await asyncio.sleep(0.5)
        await asyncio.sleep(60.0)
        assert await states(engine) == {"a": "FINISHED", "b": "WAITING"}
        assert await until(engine, "PAUSED", "FINISHED") == "PAUSED"
        await engine.workflows.resume(USER, "flow")
        assert await until(engine, "FINISHED", "FAILED") == "FINISHED"
        with pytest.raises(ConflictError, match="is not paused"):
            await engine.workflows.resume(USER, "flow")

    run(scene)


def test_jobs_that_have_not_begun_are_held_with_their_workflow(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a", appId="batch")])
        assert await engine.workflows.pause(USER, "flow") == 1
        await has_job(engine, "a", JobStatus.PAUSED)
        assert await engine.workflows.resume(USER, "flow") == 1
        assert await until(engine, "FINISHED", "FAILED") == "FINISHED"

    run(scene)


def test_the_same_nodes_again_join_what_is_there_and_others_wait_for_its_end(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        one, two = [plan("a")], [plan("a"), plan("b", "a")]
        first = await engine.workflows.run(USER, "flow", one)
        assert (await engine.workflows.run(USER, "flow", one)).id == first.id
        with pytest.raises(ConflictError, match=r"under way with other nodes.*flow\.cancel\(\)"):
            await engine.workflows.run(USER, "flow", two)
        with pytest.raises(ConflictError, match="workflow flow is under way"):
            await engine.workflows.run(USER, "flow", one, fresh=True)
        await until(engine, "FINISHED")
        assert (await engine.workflows.run(USER, "flow", one)).id == first.id
        assert (await engine.workflows.run(USER, "flow", one, fresh=True)).id != first.id
        await until(engine, "FINISHED")
        await engine.workflows.run(USER, "flow", two)
        await until(engine, "FINISHED")
        assert await number_of_jobs(engine) == 4

    run(scene)


def test_two_calls_at_the_same_time_run_one_workflow(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        plans = [plan("a"), plan("b", "a")]
        found = await asyncio.gather(*(engine.workflows.run(USER, "flow", plans) for _ in range(3)))
        assert len({flow.id for flow in found}) == 1
        await until(engine, "FINISHED")
        assert await number_of_jobs(engine) == 2

    run(scene)


def test_what_is_wrong_with_any_request_is_told_before_anything_is_submitted(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        with pytest.raises(
            InvalidInputError, match=r"Nothing was submitted\. Node b: appId 'modle'"
        ) as wrong:
            await engine.workflows.run(USER, "flow", [plan("a"), plan("b", "a", appId="modle")])
        assert [error["node"] for error in wrong.value.errors] == ["b"]
        assert await number_of_jobs(engine) == 0
        with pytest.raises(NotFoundError):
            await engine.workflows.told(USER, "flow")

    run(scene)


def test_a_node_that_is_refused_when_its_turn_comes_says_why_and_can_be_retried(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a"), plan("b", "a", appId="batch"), plan("c", "b")])
        engine.apps.set_enabled(USER, "batch", enabled=False)
        assert await until(engine, "FINISHED", "FAILED") == "FAILED"
        assert await states(engine) == {"a": "FINISHED", "b": "FAILED", "c": "NOT_RUN"}
        assert await in_short(engine) == ("FAILED", {"FINISHED": 1, "FAILED": 1, "NOT_RUN": 1})
        assert "is disabled" in (await standing(engine, "b")).problem
        engine.apps.set_enabled(USER, "batch", enabled=True)
        await engine.workflows.retry(USER, "flow")
        assert await until(engine, "FINISHED", "FAILED") == "FINISHED"

    run(scene)


def test_trouble_of_the_store_is_waited_out(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a"), plan("b", "a")])
        troubles = iter(range(3))
        submit = rows.submit

        def full(*given: Any) -> None:
            if next(troubles, None) is not None:
                raise StoreError("The disk of the job store is full.")
            submit(*given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("jupyter_tapis_jobs.store.workflows.submit", full)
            assert await until(engine, "FINISHED", "FAILED") == "FINISHED"
        assert next(troubles, None) is None
        assert await number_of_jobs(engine) == 2

    run(scene)


def test_another_users_workflow_is_not_found(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a")])
        flows = engine.workflows
        for call in (flows.told, flows.cancel, flows.pause, flows.resume, flows.retry, flows.remove):
            with pytest.raises(NotFoundError, match="there is no workflow 'flow'"):
                await call(OTHER, "flow")
        assert await flows.summaries(OTHER) == []

    run(scene)


def test_a_workflow_is_forgotten_once_it_is_over_and_its_jobs_stay(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a")])
        with pytest.raises(ConflictError, match="is under way"):
            await engine.workflows.remove(USER, "flow")
        await until(engine, "FINISHED")
        await asyncio.sleep(1.0)
        await engine.workflows.remove(USER, "flow")
        assert await engine.workflows.summaries(USER) == []
        assert await number_of_jobs(engine) == 1

    run(scene)


def test_a_workflow_keeps_how_its_nodes_ended_when_their_jobs_are_removed(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a"), plan("b", "a")])
        await until(engine, "FINISHED")
        found = [(await engine.views.job(USER, await has_job(engine, name)))[0] for name in ("a", "b")]
        assert engine.database.write(lambda c: old_jobs.remove(c, found)) == 2
        assert await states(engine) == {"a": "FINISHED", "b": "FINISHED"}
        assert await in_short(engine) == ("FINISHED", {"FINISHED": 2})

    run(scene)


def test_a_file_that_a_waiting_node_needs_is_kept(run: Run) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        await engine.workflows.run(USER, "flow", [plan("a"), plan("b", "a", description="/uploads/ab/x")])
        named = engine.database.read(lambda c: list(old_jobs.requests_naming(c, "/uploads/")))
        assert len(named) == 1

    run(scene)
