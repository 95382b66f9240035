"""What happens to jobs: statuses, conditions, hosts that are away at submission, systems that are chosen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from simulation.lives import USER, Life
from simulation.test_rules import HOUR, job, play, submit, until
from simulation.world import World
from two_hosts import JOB, TwoHosts

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.engine.outputs import output_place
from jupyter_tapis_jobs.engine.steering import EVENT_DATA, EVENT_DETAIL
from jupyter_tapis_jobs.model.annotations import Annotation, added, replaced
from jupyter_tapis_jobs.model.errors import InvalidInputError, TapisJobsError
from jupyter_tapis_jobs.model.status import (
    ACTIVE,
    ALLOWED_MOVES,
    CONVEYOR,
    FAILURE_CONDITION,
    TERMINAL,
    Condition,
    EventType,
    JobStatus,
    RemoteOutcome,
)
from jupyter_tapis_jobs.store import jobs as job_rows

HOME = "HOST_EVAL($HOME)/tapis"


def test_a_job_of_a_host_that_is_away_waits_and_its_directories_are_settled_when_it_is_back(
    tmp_path: Path,
) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.is_down = True
        (uuid,) = await submit(engine, archiveSystemDir="${JobWorkingDir}/kept/${JobUUID}")
        await engine.steering.annotate(USER, uuid, Annotation(notes={"by": "ada"}), added)
        (held,) = await until(engine, [uuid], JobStatus.BLOCKED)
        assert held.resume_status is JobStatus.PROCESSING_INPUTS
        _, definition = await engine.views.job(USER, uuid)
        assert definition.job_working_dir == HOME
        world.is_down = False
        await until(engine, [uuid], JobStatus.FINISHED)
        _, definition = await engine.views.job(USER, uuid)
        assert definition.job_working_dir == "/home/ada/tapis"
        assert definition.exec_system_exec_dir == f"/home/ada/tapis/jobs/{uuid}"
        assert definition.archive_system_dir == f"/home/ada/tapis/kept/{uuid}"
        assert definition.notes == {"by": "ada"}
        found = await job(engine, uuid)
        stored = life.database.read(lambda c: job_rows.definitions(c, [found.id]))[found.id]
        assert stored == definition

    play(tmp_path, scene, jobWorkingDir=HOME)


def test_a_variable_that_the_host_does_not_have_ends_the_job_that_was_accepted_without_it(
    tmp_path: Path,
) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        world.is_down = True
        (uuid,) = await submit(engine)
        world.is_down = False
        (failed,) = await until(engine, [uuid], JobStatus.FAILED)
        assert failed.condition is Condition.JOB_INVALID_DEFINITION
        assert "needs the variable SCRATCH, which is not set on the host" in (failed.last_message or "")

    play(tmp_path, scene, jobWorkingDir="HOST_EVAL($SCRATCH)/tapis")


def test_a_dynamic_job_runs_on_a_system_that_meets_its_constraints(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        anywhere = {"execSystemId": "", "dynamicExecSystem": True}
        engine.apps.patch(USER, "model", "1.0", {"jobAttributes": {"execSystemId": None}})
        (uuid,) = await submit(engine, **anywhere, execSystemConstraints=["canRunBatch = true"])
        (ended,) = await until(engine, [uuid], JobStatus.FINISHED)
        assert ended.exec_system_id == "cluster"
        raw = {"name": "n", "appId": "model", "appVersion": "1.0", **anywhere}
        (refused,) = await engine.submit(USER, [{**raw, "execSystemConstraints": ["host = 'elsewhere'"]}])
        assert isinstance(refused, TapisJobsError)
        assert "no system that you can use runs ZIP apps and meets (host = 'elsewhere')" in refused.message

    play(tmp_path, scene)


def test_a_job_that_has_ended_can_still_be_annotated(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, tags=["old"], notes={"a": 1})
        await until(engine, [uuid], JobStatus.FINISHED)
        await engine.steering.annotate(USER, uuid, Annotation(tags=["good"], notes={"b": 2}), added)
        found, definition = await engine.views.job(USER, uuid)
        assert (found.tags, definition.notes) == (("good", "old"), {"a": 1, "b": 2})
        await engine.steering.annotate(USER, uuid, Annotation(tags=[]), replaced)
        found, definition = await engine.views.job(USER, uuid)
        assert (found.tags, definition.notes) == ((), {"a": 1, "b": 2})
        assert json.loads(life.database.read(lambda c: job_rows.request(c, found.id)))["tags"] == ["old"]

    play(tmp_path, scene)


def test_a_blocked_job_is_not_given_up_however_long_it_waits(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine)
        engine.apps.set_enabled(USER, "model", False)
        world.is_down = True
        await until(engine, [uuid], JobStatus.BLOCKED)
        # Three days by the clock; every minute of them would take long to play.
        life.clock.skew = 71 * HOUR
        await engine._ports.clock.sleep(HOUR)
        assert (await job(engine, uuid)).status is JobStatus.BLOCKED
        engine.apps.set_enabled(USER, "model", True)
        world.is_down = False
        await until(engine, [uuid], JobStatus.FINISHED)

    play(tmp_path, scene)


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_an_active_job_goes_on_is_held_or_ends_badly(status: JobStatus) -> None:
    bad = {JobStatus.BLOCKED, JobStatus.PAUSED, JobStatus.FAILED, JobStatus.CANCELLED}
    moves = ALLOWED_MOVES[status]
    assert bad | {status} <= moves
    beyond = 2 if status is JobStatus.SUBMITTING_JOB else 1
    assert len(moves - bad - {status}) == beyond


def test_a_held_job_goes_anywhere_and_an_ended_one_nowhere() -> None:
    assert ALLOWED_MOVES[JobStatus.BLOCKED] == ACTIVE | TERMINAL | {JobStatus.PAUSED}
    assert ALLOWED_MOVES[JobStatus.PAUSED] == ACTIVE | TERMINAL
    assert not any(ALLOWED_MOVES[status] for status in TERMINAL)


def test_every_station_has_its_condition() -> None:
    told = [FAILURE_CONDITION[status].removeprefix("JOB_") for status in CONVEYOR]
    assert told == [
        "INTERNAL_ERROR", "REMOTE_ACCESS_ERROR", "UNABLE_TO_STAGE_INPUTS", "UNABLE_TO_STAGE_JOB",
        "LAUNCH_FAILURE", "QUEUE_MONITORING_ERROR", "EXECUTION_MONITORING_ERROR", "ARCHIVING_FAILED",
    ]  # fmt: skip


def test_the_first_cause_of_a_failure_stays(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        archiving = JOB.evolve(status=JobStatus.ARCHIVING)
        known = archiving.evolve(condition=Condition.SCHEDULER_OUT_OF_MEMORY)
        failed = engine._conveyor.steps.failed
        assert failed(archiving, "full").after.condition is Condition.JOB_ARCHIVING_FAILED
        assert failed(known, "full").after.condition is Condition.SCHEDULER_OUT_OF_MEMORY
        later = failed(known, "full", Condition.JOB_FILES_SERVICE_ERROR).after
        assert later.condition is Condition.SCHEDULER_OUT_OF_MEMORY

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("status", "outcome", "mode", "is_archive"),
    [
        (JobStatus.RUNNING, None, "ALWAYS", False),
        (JobStatus.ARCHIVING, RemoteOutcome.FINISHED, "ALWAYS", False),
        (JobStatus.FINISHED, RemoteOutcome.FINISHED, "ALWAYS", True),
        (JobStatus.FINISHED, RemoteOutcome.FINISHED, "NEVER", False),
        (JobStatus.FAILED, RemoteOutcome.FAILED, "ALWAYS", True),
        (JobStatus.FAILED, RemoteOutcome.FAILED_SKIP_ARCHIVE, "SKIP_ON_FAIL", False),
        (JobStatus.FAILED, None, "ALWAYS", False),
        (JobStatus.CANCELLED, None, "ALWAYS", False),
    ],
)
def test_outputs_are_looked_for_where_they_are(
    hosts: TwoHosts, status: JobStatus, outcome: RemoteOutcome | None, mode: str, is_archive: bool
) -> None:
    job = hosts.job("u", archive_system_id="far", archive_system_dir="/kept", archive_mode=mode)
    place = output_place(job.evolve(status=status, remote_outcome=outcome), hosts.definitions["u"])
    assert place == (("far", "/kept") if is_archive else ("near", "/jobs/u/output"))


def test_an_event_of_a_user_has_tapis_limits(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        assert (EVENT_DATA, EVENT_DETAIL) == (16_384, 64)
        (uuid,) = await submit(engine)
        assert (await engine.steering.send_event(USER, uuid, "x" * 16_384)).event_detail == "DEFAULT"
        for data, detail in (("", "d"), ("x" * 16_385, "d"), ("x", "d" * 65)):
            with pytest.raises(InvalidInputError, match="are taken"):
                await engine.steering.send_event(USER, uuid, data, detail)
        await until(engine, [uuid], JobStatus.FINISHED)
        with pytest.raises(InvalidInputError, match="active jobs only"):
            await engine.steering.send_event(USER, uuid, "late")

    play(tmp_path, scene)


def test_a_subscription_is_added_to_jobs_that_have_not_ended_and_changes_no_definition(
    tmp_path: Path,
) -> None:
    asked = {
        "eventCategoryFilter": "ALL",
        "deliveryTargets": [{"deliveryMethod": "EMAIL", "deliveryAddress": "ada@example.org"}],
    }

    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine)
        made = await engine.subscriptions.add(USER, uuid, asked)
        await engine.subscriptions.add(USER, uuid, asked)
        assert await engine.subscriptions.remove(USER, made.uuid) == 1
        assert await engine.subscriptions.remove(USER, uuid) == 1
        assert (await engine.views.job(USER, uuid))[1].subscriptions == ()
        await until(engine, [uuid], JobStatus.FINISHED)
        with pytest.raises(InvalidInputError, match="nothing more to be told"):
            await engine.subscriptions.add(USER, uuid, asked)

    play(tmp_path, scene)


def test_why_a_job_failed_is_an_event_of_its_own_before_its_last_status(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        missing = [{"sourceUrl": "tapis://cluster/data/missing.txt"}]
        (uuid,) = await submit(engine, fileInputs=missing)
        (failed,) = await until(engine, [uuid], JobStatus.FAILED)
        *_, why, end = life.database.read(lambda c: job_rows.history(c, failed.id))
        assert (why.event, why.event_detail) == (EventType.JOB_ERROR_MESSAGE, "FINAL_MESSAGE")
        assert (end.event, end.event_detail) == (EventType.JOB_NEW_STATUS, JobStatus.FAILED)
        assert why.description == end.description == failed.last_message
        (well,) = await submit(engine)
        (done,) = await until(engine, [well], JobStatus.FINISHED)
        events = life.database.read(lambda c: job_rows.history(c, done.id))
        assert {event.event for event in events} == {EventType.JOB_NEW_STATUS}
        assert [event.event_detail for event in events] == [*CONVEYOR, JobStatus.FINISHED]

    play(tmp_path, scene)


def test_a_job_is_named_as_tapis_names_jobs(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine)
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-007", uuid)

    play(tmp_path, scene)


def test_a_blank_system_is_the_apps(tmp_path: Path) -> None:
    async def scene(life: Life, engine: Engine, world: World) -> None:
        (uuid,) = await submit(engine, execSystemId=" ", archiveSystemId="", execSystemLogicalQueue=" ")
        found = await job(engine, uuid)
        assert (found.exec_system_id, found.archive_system_id) == ("cluster", "cluster")
        engine.apps.patch(USER, "model", "1.0", {"jobAttributes": {"execSystemId": " "}})
        raw = {"name": "n", "appId": "model", "appVersion": "1.0", "execSystemId": " "}
        (refused,) = await engine.submit(USER, [raw])
        assert isinstance(refused, TapisJobsError)
        assert refused.message.startswith("execSystemId is missing")

    play(tmp_path, scene)
