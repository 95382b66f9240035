"""What is new of a study is submitted, what is done or on its way is not, and all or nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from simulation.lives import USER
from simulation.world import Behaviour, World

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.search import EVERYTHING, JobQuery
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.study import Case, CasesError
from jupyter_tapis_jobs.model.user import User
from jupyter_tapis_jobs.store import purge as old_jobs
from jupyter_tapis_jobs.store import study_frame

Cases = Callable[..., list[Case]]
Run = Callable[..., None]
OTHER = User(name="bob", tenant="tapisjobs", is_server_user=False)


async def new_study(engine: Engine, **asked: Any) -> None:
    await engine.studies.create(USER, "s", asked)


async def counts(engine: Engine) -> dict[str, int]:
    ((_, found),) = await engine.studies.told(USER, "s")
    return found


async def ended(engine: Engine, number: int) -> dict[str, int]:
    """Wait until so many cases have ended; return how all stand."""
    words = {status.value for status in JobStatus if status.is_terminal}
    async with asyncio.timeout(3600.0):
        while True:
            found = await counts(engine)
            if sum(n for word, n in found.items() if word in words) >= number:
                return found
            await asyncio.sleep(0.5)


async def frame(engine: Engine, *, all_attempts: bool = False) -> dict[str, list[Any]]:
    study = await engine.studies.get(USER, "s")
    slices = engine.database.read(
        lambda c: list(study_frame.columns(c, study.id, all_attempts=all_attempts, chunk=2))
    )
    names = study_frame.FRAME_COLUMNS
    return {name: [v for part in slices for v in part[i]] for i, name in enumerate(names)}


async def number_of_jobs(engine: Engine) -> int:
    page = await engine.views.search(USER, JobQuery(where=EVERYTHING, limit=-1, compute_total=True))
    return page.total


def will_end(world: World, uuid: str | None, code: int, seconds: float = 10.0) -> None:
    assert uuid is not None
    world.behaviours[uuid] = Behaviour(seconds, code)


def test_a_study_runs_its_cases_and_gives_them_back_in_order(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        added = await engine.studies.add(USER, "s", cases(5))
        assert [case_id for case_id, _ in added.submitted] == [f"id{k:04d}" for k in range(5)]
        assert (added.known, added.errors) == (0, ())
        assert await ended(engine, 5) == {"FINISHED": 5}
        table = await frame(engine)
        assert table["caseId"] == [f"id{k:04d}" for k in range(5)]
        assert table["parameters"] == [f'{{"k":{k},"damping":0.05}}' for k in range(5)]
        assert table["jobUuid"] == [uuid for _, uuid in added.submitted]
        assert table["attempt"] == [1] * 5
        assert table["condition"] == ["NORMAL_COMPLETION"] * 5
        assert table["exitCode"] == [0] * 5
        assert all(9.9 <= seconds <= 12.0 for seconds in table["runSeconds"]), table["runSeconds"]
        assert all(seconds >= 0.0 for seconds in table["queueSeconds"])

    run(scene)


def test_what_is_done_or_on_its_way_is_not_submitted_again_and_what_is_new_is(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(2))
        await ended(engine, 2)
        await engine.studies.add(USER, "s", cases(2, first=2))
        again = await engine.studies.add(USER, "s", cases(7))
        assert (again.known, again.done, again.in_flight, again.failed) == (4, 2, 2, 0)
        assert [case_id for case_id, _ in again.submitted] == ["id0004", "id0005", "id0006"]
        assert await ended(engine, 7) == {"FINISHED": 7}
        assert await number_of_jobs(engine) == 7

    run(scene)


def test_two_calls_at_the_same_time_double_nothing(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        calls = [engine.studies.add(USER, "s", cases(20)) for _ in range(3)]
        answers = await asyncio.gather(*calls)
        assert sorted(len(answer.submitted) for answer in answers) == [0, 0, 20]
        assert await number_of_jobs(engine) == 20

    run(scene)


def test_failures_are_not_cached_and_fresh_does_all_anew(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        added = await engine.studies.add(USER, "s", cases(3))
        will_end(world, added.submitted[1][1], 3)
        assert await ended(engine, 3) == {"FINISHED": 2, "FAILED": 1}
        looked = await engine.studies.add(USER, "s", cases(3), dry_run=True)
        assert (looked.done, looked.failed, looked.submitted) == (2, 1, (("id0001", None),))
        again = await engine.studies.add(USER, "s", cases(3))
        assert [case_id for case_id, _ in again.submitted] == ["id0001"]
        assert await ended(engine, 3) == {"FINISHED": 3}
        fresh = await engine.studies.add(USER, "s", cases(3), fresh=True)
        assert len(fresh.submitted) == 3
        await ended(engine, 3)
        assert (await frame(engine))["attempt"] == [2, 3, 2]
        table = await frame(engine, all_attempts=True)
        assert table["caseId"] == ["id0000"] * 2 + ["id0001"] * 3 + ["id0002"] * 2
        assert table["attempt"] == [1, 2, 1, 2, 3, 1, 2]

    run(scene)


def test_one_bad_case_keeps_all_from_being_stored_and_each_bad_one_is_told(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        bad = Case(case_id="bad", parameters={}, request={"name": "x", "appId": "modle", "appVersion": "1.0"})
        given = [*cases(2), bad, *cases(1, first=1), Case(case_id="bare")]
        with pytest.raises(CasesError, match=r"^Nothing was submitted\. Row 2: appId 'modle'") as caught:
            await engine.studies.add(USER, "s", given)
        errors = caught.value.added.errors
        assert [(error.row, error.case_id, error.field) for error in errors] == [
            (2, "bad", "appId"),
            (3, "id0001", None),
            (4, "bare", "request"),
        ]
        assert "same case as row 1" in errors[1].message
        assert "(2 more cases are wrong.)" in caught.value.message
        assert (await number_of_jobs(engine), await counts(engine)) == (0, {})
        looked = await engine.studies.add(USER, "s", given, dry_run=True)
        assert looked.errors == errors
        assert looked.submitted == (("id0000", None), ("id0001", None))

    run(scene)


def test_cases_and_jobs_are_stored_together_or_not_at_all(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)

        class Stopped(Exception):  # noqa: N818
            pass

        def refuse(*_: object) -> None:
            raise Stopped

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("jupyter_tapis_jobs.store.studies.add_attempts", refuse)
            with pytest.raises(Stopped):
                await engine.studies.add(USER, "s", cases(3))
        assert (await number_of_jobs(engine), await counts(engine)) == (0, {})
        assert len((await engine.studies.add(USER, "s", cases(3))).submitted) == 3

    run(scene)


def test_a_retry_lays_changes_over_the_last_request_and_keeps_the_old_attempt(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        added = await engine.studies.add(USER, "s", cases(2, memoryMB=200))
        will_end(world, added.submitted[0][1], 1)
        await ended(engine, 2)
        retried = await engine.studies.retry(USER, "s", ["id0000"], {"maxMinutes": 7})
        ((_, second),) = retried.submitted
        joined = await engine.studies.retry(USER, "s", ["id0000"], {})
        assert (joined.in_flight, joined.submitted) == (1, ())
        await ended(engine, 2)
        ((_, third),) = (await engine.studies.retry(USER, "s", ["id0000"], {"memoryMB": 900})).submitted
        assert second is not None
        assert third is not None
        job, _ = await engine.views.job(USER, second)
        assert (job.max_minutes, job.memory_mb) == (7, 200)
        job, _ = await engine.views.job(USER, third)
        assert (job.max_minutes, job.memory_mb) == (7, 900)
        study = await engine.studies.get(USER, "s")
        (attempts, *_) = engine.database.read(lambda c: study_frame.attempts(c, study.id, 1, 1)).values()
        assert [(a.number, a.why, a.overrides) for a in attempts] == [
            (1, "run", "{}"),
            (2, "retry", '{"maxMinutes":7}'),
            (3, "retry", '{"maxMinutes":7,"memoryMB":900}'),
        ]
        with pytest.raises(CasesError, match="study s has no case 'nobody'"):
            await engine.studies.retry(USER, "s", ["id0001", "nobody"], {})
        with pytest.raises(CasesError, match="maxMinutes"):
            await engine.studies.retry(USER, "s", ["id0001"], {"maxMinuts": 9})

    run(scene)


def test_a_known_case_needs_no_request_and_another_request_is_kept(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        added = await engine.studies.add(USER, "s", cases(2))
        for _, uuid in added.submitted:
            will_end(world, uuid, 1)
        await ended(engine, 2)
        (other,) = cases(1, first=1, maxMinutes=9)
        again = await engine.studies.add(USER, "s", [Case(case_id="id0000"), other])
        minutes = [(await engine.views.job(USER, uuid))[0].max_minutes for _, uuid in again.submitted if uuid]
        assert minutes == [1, 9]
        study = await engine.studies.get(USER, "s")
        rows = engine.database.read(lambda c: study_frame.cases(c, study.id, 0, -1))
        assert ['"maxMinutes":9' in row.request for row in rows] == [False, True]

    run(scene)


def test_a_study_is_its_owners_alone_and_its_name_is_free_for_others(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine, max_running=3)
        with pytest.raises(NotFoundError, match="there is no study 's'"):
            await engine.studies.add(OTHER, "s", cases(1))
        await engine.studies.create(OTHER, "s", {})
        assert [study.max_running for study, _ in await engine.studies.told(USER)] == [3]
        assert [study.max_running for study, _ in await engine.studies.told(OTHER)] == [None]

    run(scene)


def test_the_same_name_again_is_the_same_study_with_other_settings(run: Run) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine, template='{"appId":"model"}', max_running=3)
        await new_study(engine, launch_mode="pack")
        ((study, _),) = await engine.studies.told(USER)
        assert (study.template, study.max_running, study.launch_mode) == ('{"appId":"model"}', 3, "pack")

    run(scene)


def test_a_study_is_renamed_archived_and_deleted_and_its_jobs_stay(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await engine.studies.create(USER, "other", {})
        await engine.studies.add(USER, "s", cases(2))
        with pytest.raises(ConflictError, match="a study 'other' already"):
            await engine.studies.change(USER, "s", {"name": "other"})
        with pytest.raises(InvalidInputError, match="cannot name a study"):
            await engine.studies.change(USER, "s", {"name": "a/b"})
        with pytest.raises(ConflictError, match="2 cases of study s are still on their way"):
            await engine.studies.remove(USER, "s")
        await ended(engine, 2)
        await engine.studies.change(USER, "s", {"archived": True})
        with pytest.raises(ConflictError, match="is archived"):
            await engine.studies.add(USER, "s", cases(3))
        assert [s.name for s, _ in await engine.studies.told(USER, archived=False)] == ["other"]
        await engine.studies.change(USER, "s", {"name": "pushover"})
        with pytest.raises(NotFoundError, match="Did you mean 'pushover'"):
            await engine.studies.get(USER, "pushovr")
        await engine.studies.remove(USER, "pushover")
        assert [s.name for s, _ in await engine.studies.told(USER)] == ["other"]
        assert await number_of_jobs(engine) == 2

    run(scene)


def test_a_cancelled_study_ends_what_is_on_its_way_and_nothing_else(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        world.duration = 500.0
        await engine.studies.add(USER, "s", cases(4))
        (alone,) = await engine.submit(USER, [{"name": "alone", "appId": "model", "appVersion": "1.0"}])
        assert isinstance(alone, tuple)
        assert await engine.studies.cancel(USER, "s") == 4
        assert await ended(engine, 4) == {"CANCELLED": 4}
        job, _ = await engine.views.job(USER, alone[0].uuid)
        assert job.cancel_requested is None
        assert await engine.studies.cancel(USER, "s") == 0

    run(scene)


def test_a_case_whose_job_was_removed_long_ago_is_still_done(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        added = await engine.studies.add(USER, "s", cases(2))
        await ended(engine, 2)
        gone: list[Job] = [(await engine.views.job(USER, uuid))[0] for _, uuid in added.submitted if uuid]
        engine.database.write(lambda c: old_jobs.remove(c, gone))
        assert await counts(engine) == {"FINISHED": 2}
        assert (await engine.studies.add(USER, "s", cases(2))).done == 2
        table = await frame(engine)
        assert table["status"] == ["FINISHED"] * 2
        assert table["jobUuid"] == [uuid for _, uuid in added.submitted]
        assert table["runSeconds"] == [None, None]

    run(scene)


@pytest.mark.parametrize(
    ("fields", "asked", "mode", "why"),
    [
        ({"appId": "model"}, "auto", "single", "the host itself starts FORK jobs"),
        ({"appId": "batch", "maxMinutes": 30}, "auto", "array", "12 like jobs"),
        ({"appId": "batch"}, "auto", "pack", "short cases are worth one allocation; 1 node x 4 at a time"),
        ({"appId": "batch"}, "single", "single", "as asked"),
        (
            {"appId": "batch", "nodeCount": 2},
            "auto",
            "single",
            "jobs of several nodes are started one by one",
        ),
    ],
)
def test_a_dry_run_tells_how_the_cases_would_be_started(
    run: Run, cases: Cases, fields: dict[str, Any], asked: str, mode: str, why: str
) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine, launch_mode=asked)
        looked = await engine.studies.add(USER, "s", cases(12, **fields), dry_run=True)
        assert looked.launch_mode == mode
        assert looked.launch_reason is not None
        assert looked.launch_reason.startswith(why)
        await engine.studies.add(USER, "s", cases(12, **fields))
        await ended(engine, 12)
        (job,) = (await engine.views.search(USER, JobQuery(where=EVERYTHING, limit=1))).rows
        assert job.launch_mode == mode
        assert job.launch_reason in (looked.launch_reason, None)

    run(scene)


def test_a_dry_run_needs_no_study_and_leaves_none(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        looked = await engine.studies.add(USER, "s", cases(12), dry_run=True, launch_mode="single")
        assert (len(looked.submitted), looked.launch_mode) == (12, "single")
        assert await engine.studies.told(USER) == []
        with pytest.raises(InvalidInputError, match="cannot name a study"):
            await engine.studies.add(USER, "..", cases(1), dry_run=True)
        with pytest.raises(NotFoundError):
            await engine.studies.add(USER, "s", cases(12))

    run(scene)
