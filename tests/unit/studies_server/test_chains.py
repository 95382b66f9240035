"""One job goes on with the outputs of all cases: submitted once they have ended, and once only."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from simulation.lives import USER, Life
from simulation.test_rules import until
from simulation.virtual_time import run_virtually
from simulation.world import World
from test_studies import OTHER, counts, ended, new_study, number_of_jobs, will_end

from jupyter_tapis_jobs.client.study_frame import COLUMNS
from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.engine.rights import Kind
from jupyter_tapis_jobs.engine.sharing import Sharing
from jupyter_tapis_jobs.model.errors import ConflictError, InvalidInputError, NotFoundError, StoreError
from jupyter_tapis_jobs.model.job import JobDefinition
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.study import TABLE_COLUMNS, Added, Case
from jupyter_tapis_jobs.model.study_chain import Chain
from jupyter_tapis_jobs.model.urls import data_bytes
from jupyter_tapis_jobs.store import purge as old_jobs
from jupyter_tapis_jobs.store import studies as study_rows
from jupyter_tapis_jobs.store import study_chains as chain_rows

Cases = Callable[..., list[Case]]
Run = Callable[..., None]
REQUEST = {"name": "reduce", "appId": "model", "appVersion": "1.0"}
OUTPUTS = ["tapisjob.out"]


async def then(engine: Engine, *outputs: str, **fields: Any) -> Chain:
    return await engine.studies.then(USER, "s", {**REQUEST, **fields}, outputs or OUTPUTS)


async def chained(engine: Engine) -> Chain:
    (chain,) = await engine.studies.chained(USER, "s")
    return chain


async def submitted(engine: Engine) -> Chain:
    """Wait until the chained request is a job."""
    async with asyncio.timeout(3600.0):
        while not (chain := await chained(engine)).is_submitted:
            await asyncio.sleep(0.5)
    return chain


async def refused(engine: Engine) -> str:
    """Wait until the chained request is refused; return why."""
    async with asyncio.timeout(3600.0):
        while not (chain := await chained(engine)).refusal:
            await asyncio.sleep(0.5)
    return chain.refusal


async def job_of(engine: Engine, chain: Chain) -> JobDefinition:
    assert chain.job_uuid is not None
    _, definition = await engine.views.job(USER, chain.job_uuid)
    return definition


def leave_outputs(world: World, added: Added) -> None:
    """Put there what the cases will have left when they have ended."""
    for _, uuid in added.submitted:
        world.write(f"/work/jobs/{uuid}/output/tapisjob.out", b"peak 7\n")


def table_of(definition: JobDefinition) -> list[dict[str, str]]:
    (url,) = (item.source_url for item in definition.file_inputs if item.target_path == "cases.csv")
    return list(csv.DictReader(io.StringIO(data_bytes(url).decode())))


def test_a_job_is_submitted_when_the_last_case_has_ended_and_not_before(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine, template='{"defaults":{"temp":20}}')
        added = await engine.studies.add(USER, "s", cases(4, maxMinutes=20))
        will_end(world, added.submitted[1][1], 7)
        will_end(world, added.submitted[3][1], 0, seconds=500.0)
        leave_outputs(world, added)
        asked = await then(engine)
        assert asked.told({"PENDING": 4}) == "is submitted when 4 cases have ended"
        await ended(engine, 3)
        await asyncio.sleep(100.0)
        assert not (await chained(engine)).is_submitted
        chain = await submitted(engine)
        assert await counts(engine) == {"FINISHED": 3, "FAILED": 1}
        definition = await job_of(engine, chain)
        inputs = {item.target_path: item.source_url for item in definition.file_inputs}
        assert set(inputs) == {"cases.csv", *(f"cases/{row}/tapisjob.out" for row in (0, 2, 3))}
        uuid = added.submitted[2][1]
        assert inputs["cases/2/tapisjob.out"].startswith("tapis://cluster/work/")
        assert f"{uuid}" in inputs["cases/2/tapisjob.out"]
        rows = table_of(definition)
        assert [row["k"] for row in rows] == ["0", "1", "2", "3"]
        assert [row["temp"] for row in rows] == ["20"] * 4
        assert [row["status"] for row in rows] == ["FINISHED", "FAILED", "FINISHED", "FINISHED"]
        assert [row["exitCode"] for row in rows] == ["0", "7", "0", "0"]
        assert rows[2]["jobUuid"] == uuid
        (job,) = await until(engine, [chain.job_uuid or ""], JobStatus.FINISHED)
        assert (job.owner, job.name, job.cohort_id) == (USER.name, "reduce", None)

    run(scene)


def test_the_table_has_the_columns_of_a_studys_frame() -> None:
    assert tuple(COLUMNS) == TABLE_COLUMNS


def test_a_request_for_cases_that_have_ended_is_a_job_at_once(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(2))
        await ended(engine, 2)
        chain = await then(engine)
        assert chain.is_submitted
        assert chain.told({}).startswith(f"job {chain.job_uuid} is ")

    run(scene)


def test_a_request_before_the_first_case_waits_for_cases(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        chain = await then(engine)
        assert chain.is_waiting
        assert chain.told({}) == "is submitted when cases have been run"
        await engine.studies.add(USER, "s", cases(1))
        await submitted(engine)

    run(scene)


def test_the_same_request_again_is_the_same_job_until_the_cases_are_others(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        leave_outputs(world, await engine.studies.add(USER, "s", cases(2)))
        first = [await then(engine), await then(engine)]
        assert first[0].id == first[1].id
        chain = await submitted(engine)
        await until(engine, [chain.job_uuid or ""], JobStatus.FINISHED)
        assert (await then(engine)).job_uuid == chain.job_uuid
        assert (await then(engine, maxMinutes=2)).id != chain.id
        await engine.studies.add(USER, "s", cases(3))
        again = await then(engine)
        assert again.id != chain.id
        assert again.is_waiting
        assert await number_of_jobs(engine) == 3 + 2

    run(scene)


def test_a_job_that_ended_badly_is_not_the_same_any_more(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(1))
        await ended(engine, 1)
        first = await then(engine)
        await engine.steering.cancel(USER, [first.job_uuid or ""])
        async with asyncio.timeout(600.0):
            while not (await chained(engine)).is_done_with:
                await asyncio.sleep(0.5)
        assert (await then(engine)).job_uuid != first.job_uuid

    run(scene)


def test_wrong_names_are_told_when_the_request_is_given(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(1))
        with pytest.raises(InvalidInputError, match="appId 'modle' is no app"):
            await then(engine, appId="modle")
        with pytest.raises(InvalidInputError, match="Did you mean 'maxMinutes'"):
            await then(engine, maxMinuts=3)
        with pytest.raises(InvalidInputError, match="fileInputs"):
            await then(engine, fileInputs="x")
        for outputs in (["../x"], ["a//b"], ["/"], [""]):
            with pytest.raises(InvalidInputError, match="outputs must name files or folders"):
                await then(engine, *outputs)
        with pytest.raises(InvalidInputError, match="outputs must name files or folders"):
            await engine.studies.then(USER, "s", REQUEST, [])
        with pytest.raises(NotFoundError, match="there is no study 's'"):
            await engine.studies.then(OTHER, "s", REQUEST, OUTPUTS)
        assert await engine.studies.chained(USER, "s") == []

    run(scene)


def test_a_table_of_the_requests_own_stays(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(1))
        await ended(engine, 1)
        own = {"sourceUrl": "data:,k%0A7%0A", "targetPath": "cases.csv"}
        definition = await job_of(engine, await then(engine, fileInputs=[own]))
        assert table_of(definition) == [{"k": "7"}]

    run(scene)


def test_a_request_without_outputs_keeps_its_reason_and_is_tried_again_with_the_study(
    run: Run, cases: Cases
) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        added = await engine.studies.add(USER, "s", cases(2))
        for _, uuid in added.submitted:
            will_end(world, uuid, 1)
        await then(engine)
        reason = await refused(engine)
        assert reason.startswith("no case of study s has outputs: none is FINISHED. It is tried again when")
        world.behaviours.clear()
        await engine.studies.add(USER, "s", cases(2))
        assert (await chained(engine)).is_waiting
        definition = await job_of(engine, await submitted(engine))
        assert len(table_of(definition)) == 2

    run(scene)


def test_a_request_that_is_refused_at_the_end_is_tried_again_when_it_is_given_once_more(
    run: Run, cases: Cases
) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(1))
        asked = await then(engine)
        engine.apps.set_enabled(USER, "model", False)
        assert (await refused(engine)).startswith("app model 1.0 is disabled.")
        engine.apps.set_enabled(USER, "model", True)
        again = await then(engine)
        assert (again.id, again.is_submitted, again.refusal) == (asked.id, True, "")

    run(scene)


def test_a_cancelled_study_is_not_gone_on_with(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        added = await engine.studies.add(USER, "s", cases(3, maxMinutes=100))
        for _, uuid in added.submitted[1:]:
            will_end(world, uuid, 0, seconds=5000.0)
        await then(engine)
        await ended(engine, 1)
        await engine.studies.cancel(USER, "s")
        await ended(engine, 3)
        await asyncio.sleep(60.0)
        assert (await chained(engine)).refusal.startswith("study s was cancelled before its cases had ended.")
        world.behaviours.clear()
        await engine.studies.add(USER, "s", cases(3))
        assert len((await job_of(engine, await submitted(engine))).file_inputs) == 1 + 3

    run(scene)


def test_a_request_is_taken_back_before_it_is_a_job(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(1))
        chain = await then(engine)
        with pytest.raises(NotFoundError, match="there is no study 's'"):
            await engine.studies.unchain(OTHER, "s", chain.id)
        await engine.studies.unchain(USER, "s", chain.id)
        await ended(engine, 1)
        await asyncio.sleep(60.0)
        assert await number_of_jobs(engine) == 1
        with pytest.raises(NotFoundError, match="study s has no chained request 1"):
            await engine.studies.unchain(USER, "s", chain.id)
        done = await then(engine)
        with pytest.raises(ConflictError, match=r"is job .* already"):
            await engine.studies.unchain(USER, "s", done.id)

    run(scene)


def test_request_and_job_are_stored_together_and_trouble_of_the_store_passes(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(1))
        await ended(engine, 1)

        def full(*_: object) -> None:
            raise StoreError("The disk is full.")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("jupyter_tapis_jobs.store.study_chains.submit", full)
            assert (await then(engine)).is_waiting
            await asyncio.sleep(100.0)
            assert await number_of_jobs(engine) == 1
        await submitted(engine)
        assert await number_of_jobs(engine) == 2

    run(scene)


def test_a_deleted_study_takes_its_chained_requests_along(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        await then(engine, fileInputs=[{"sourceUrl": "tapis://cluster/uploads/x", "targetPath": "x"}])
        kept = "tapis://cluster/uploads/"
        assert engine.database.read(lambda c: len(list(old_jobs.requests_naming(c, kept)))) == 1
        await engine.studies.remove(USER, "s")
        assert engine.database.read(lambda c: list(old_jobs.requests_naming(c, kept))) == []

    run(scene)


def test_a_large_table_is_a_file_beside_the_uploads(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        await new_study(engine)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("jupyter_tapis_jobs.engine.given_outputs.INLINE", 10)
            patch.setattr("jupyter_tapis_jobs.engine.given_outputs.LOCAL", "cluster")
            await engine.studies.add(USER, "s", cases(2))
            await ended(engine, 2)
            definition = await job_of(engine, await then(engine))
        (url,) = (item.source_url for item in definition.file_inputs if item.target_path == "cases.csv")
        path = Path(url.removeprefix("tapis://cluster"))
        assert path.parts[-4] == "uploads"
        assert len(path.read_text().splitlines()) == 3

    run(scene)


def test_the_job_is_submitted_in_the_rights_that_the_owner_has_by_then(run: Run, cases: Cases) -> None:
    async def scene(life: Any, engine: Engine, world: World) -> None:
        sharing = Sharing(engine.database, (engine.apps, engine.systems), life.ports.clock.now)
        things: tuple[tuple[Kind, str], ...] = (("app", "model"), ("system", "cluster"))
        for kind, name in things:
            sharing.grant(USER, kind, name, OTHER.name, ["READ", "EXECUTE"])
        await engine.studies.create(OTHER, "s", {})
        await engine.studies.add(OTHER, "s", cases(1))
        await engine.studies.then(OTHER, "s", REQUEST, OUTPUTS)
        sharing.revoke(USER, "app", "model", OTHER.name, ["READ", "EXECUTE"])
        async with asyncio.timeout(600.0):
            while not (chain := (await engine.studies.chained(OTHER, "s"))[0]).refusal:
                await asyncio.sleep(0.5)
        assert chain.refusal.startswith("appId 'model' is no app that you can use.")
        sharing.grant(USER, "app", "model", OTHER.name, ["READ", "EXECUTE"])
        again = await engine.studies.then(OTHER, "s", REQUEST, OUTPUTS)
        job, _ = await engine.views.job(OTHER, again.job_uuid or "")
        assert (job.owner, job.tenant) == (OTHER.name, OTHER.tenant)

    run(scene)


# --- crashes ----------------------------------------------------------------------------------
def lives(folder: Path, stories: Callable[[Callable[..., Life]], Any]) -> None:
    """Play lives one after another, or beside each other, over one store and one world."""

    async def story() -> None:
        world = World(Random(1), duration=10.0)
        made: list[Life] = []

        def life(die_at: int | None = None) -> Life:
            made.append(Life(folder, world, Random(len(made)), die_at, number=len(made)))
            return made[-1]

        await stories(life)
        assert not [fault for one in made for fault in one.faults]

    run_virtually(story())


def test_cases_that_ended_when_no_engine_was_there_are_gone_on_with(tmp_path: Path, cases: Cases) -> None:
    async def story(life: Callable[..., Life]) -> None:
        first = life()
        first.define()
        engine = await first.engine()
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(3))
        await then(engine)
        await first.end()
        second = life()
        engine = await second.engine()
        await submitted(engine)
        await asyncio.sleep(60.0)
        assert await number_of_jobs(engine) == 4
        await second.end()

    lives(tmp_path, story)


#: Places where an engine waits, from the end of the last case until the job is told of.
PLACES = 24


@pytest.mark.parametrize("place", range(PLACES))
def test_wherever_the_engine_dies_after_the_last_case_there_is_one_job(
    tmp_path: Path, cases: Cases, place: int
) -> None:
    async def story(life: Callable[..., Life]) -> None:
        first = life()
        first.define()
        engine = await first.engine()
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(2))
        await then(engine)

        def die_soon() -> None:
            """Stored, and not heard of by anybody: the end of the last case."""
            (found,) = first.database.read(lambda c: study_rows.counts(c, [1])).values()
            if first.die_at is None and found == {"FINISHED": 2}:
                first.die_at = first.points + 1 + place

        first.on_write = die_soon
        await asyncio.wait_for(first.died.wait(), 3600.0)
        (chain,) = first.database.read(lambda c: chain_rows.of_study(c, 1))
        assert place not in (0, PLACES - 1) or chain.is_submitted == (place > 0)
        await first.end()
        second = life()
        engine = await second.engine()
        assert chain.job_uuid in (None, (await submitted(engine)).job_uuid)
        await asyncio.sleep(60.0)
        assert await number_of_jobs(engine) == 3
        await second.end()

    lives(tmp_path, story)


def test_an_engine_that_slept_while_another_went_on_submits_nothing(tmp_path: Path, cases: Cases) -> None:
    async def story(life: Callable[..., Life]) -> None:
        sleeper = life()
        sleeper.define()
        engine = await sleeper.engine()
        await new_study(engine)
        await engine.studies.add(USER, "s", cases(2))
        await then(engine)
        alarm = sleeper.sleep()
        other = life()
        successor = await other.engine()
        await submitted(successor)
        alarm.set()
        await asyncio.wait_for(sleeper.lost_lease.wait(), 3600.0)
        await asyncio.sleep(60.0)
        assert await number_of_jobs(successor) == 3
        await sleeper.end()
        await other.end()

    lives(tmp_path, story)
