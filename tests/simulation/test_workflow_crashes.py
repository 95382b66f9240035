"""Workflows while engines die: no node is lost, none gets a second job."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from jupyter_tapis_jobs.engine.engine import Engine
from jupyter_tapis_jobs.model.search import JobQuery
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.model.workflow import Node, Plan
from jupyter_tapis_jobs.store import workflows as rows
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.store.search import search

from .lives import USER, Life, unless_dead
from .virtual_time import run_virtually
from .world import World

#: Nodes and what each waits for: a chain, a fan-out of five, a fan-in.
NODES = {
    "mesh": (),
    **{f"solve[{row}]": ("mesh",) for row in range(5)},
    "reduce": ("solve",),
    "report": ("reduce", "mesh"),
}


def plans() -> list[Plan]:
    request = {"appId": "model", "appVersion": "1.0"}
    return [
        Plan(node=Node(name=name, after=after), request=request, parameters={})
        for name, after in NODES.items()
    ]


async def over(engine: Engine) -> None:
    async with asyncio.timeout(24 * 3600.0):
        while (await engine.workflows.told(USER, "flow")).status not in ("FINISHED", "FAILED"):
            await asyncio.sleep(5.0)


def check(folder: Path, world: World) -> None:
    """A node has one job, started once and after all before it were FINISHED, or one of these is not."""
    database = Database.open(folder)
    found = database.read(lambda c: search(c, JobQuery(limit=-1), USER.name)).rows
    (number,) = [flow.id for flow in database.read(lambda c: rows.owned(c, USER.name))]
    nodes = database.read(lambda c: rows.nodes(c, number))
    database.close()
    jobs = {job.uuid: job for job in found}
    given = [row.standing.job_uuid for row in nodes if row.standing.job_uuid]
    assert sorted(given) == sorted(jobs)
    assert all(world.starts[uuid] <= 1 for uuid in jobs)
    for row in nodes:
        before = [jobs.get(n.standing.job_uuid or "") for n in nodes if {*n.node.units} & {*row.node.after}]
        done = [job for job in before if job is not None and job.status is JobStatus.FINISHED]
        assert (row.standing.job_uuid is not None) == (len(done) == len(before))
        assert all((job.ended or "") <= (row.created or "") for job in done if row.created)


@pytest.mark.seeds(3, full=100)
def test_a_workflow_runs_each_node_once_though_the_engine_dies_again_and_again(
    tmp_path: Path, seed: int
) -> None:
    async def story() -> World:
        random, world = Random(seed), World(Random(seed + 1), trouble=0.02)
        for death in range(7):
            last = death == 6
            life = Life(tmp_path, world, random, None if last else random.randint(2, 150), number=death)
            if death == 0:
                life.define()
            engine = await life.engine()
            # The caller whose answer never came runs the cell again.
            await unless_dead(life, engine.workflows.run(USER, "flow", plans()))
            await (over(engine) if last else unless_dead(life, asyncio.sleep(200)))
            await life.end()
            assert not life.faults, life.faults
        return world

    check(tmp_path, run_virtually(story()))


#: Places where an engine waits, from the end of the first node until those behind it are told of.
PLACES = 16


@pytest.mark.parametrize("place", range(PLACES))
def test_wherever_the_engine_dies_after_a_node_has_ended_those_behind_it_get_one_job_each(
    tmp_path: Path, place: int
) -> None:
    async def story() -> World:
        world = World(Random(1), duration=10.0)
        first = Life(tmp_path, world, Random(2))
        first.define()
        engine = await first.engine()
        await engine.workflows.run(USER, "flow", plans())

        def die_soon() -> None:
            """Stored, and not heard of by anybody: the end of the first node."""
            nodes = first.database.read(lambda c: rows.nodes(c, 1))
            if first.die_at is None and nodes[0].standing.is_done:
                first.die_at = first.points + 1 + place

        first.on_write = die_soon
        await asyncio.wait_for(first.died.wait(), 3600.0)
        (row, *_) = first.database.read(lambda c: rows.nodes(c, 1))[1:]
        assert place not in (0, PLACES - 1) or bool(row.standing.job_uuid) == (place > 0)
        await first.end()
        second = Life(tmp_path, world, Random(3), number=1)
        await over(await second.engine())
        await second.end()
        assert [*first.faults, *second.faults] == []
        return world

    check(tmp_path, run_virtually(story()))


def test_what_an_owner_wished_before_the_engine_died_is_done_by_the_next(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(Random(1), duration=1000.0)
        first = Life(tmp_path, world, Random(2))
        first.define()
        engine = await first.engine()
        await engine.workflows.run(USER, "flow", plans())
        # It dies as soon as the wish is stored.
        first.on_write = lambda: setattr(first, "die_at", first.points + 1)
        await unless_dead(first, engine.workflows.cancel(USER, "flow"))
        await first.end()
        second = Life(tmp_path, world, Random(3), number=1)
        engine = await second.engine()
        async with asyncio.timeout(3600.0):
            while (await engine.workflows.told(USER, "flow")).status != "CANCELLED":
                await asyncio.sleep(1.0)
        await second.end()

    run_virtually(story())
