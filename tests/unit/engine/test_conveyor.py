"""Jobs that rest at a station let others pass, and are asked again when it is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, cast

import pytest
from two_hosts import JOB, Clock

from jupyter_tapis_jobs.engine.conveyor import Conveyor
from jupyter_tapis_jobs.engine.lane import Lane
from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.verdict import Go, Stay, Verdict
from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.status import JobStatus
from jupyter_tapis_jobs.store.jobs import Change

KEY = ("near", "ada")
HERE, NEXT = JobStatus.STAGING_INPUTS, JobStatus.STAGING_JOB


class InMemory(Conveyor):
    """A conveyor that stores nothing."""

    async def commit(self, *rounds: Sequence[Change]) -> frozenset[str]:
        await asyncio.sleep(0)
        changes = [change for round_ in rounds for change in round_]
        self._settle([change.after for change in changes], {c.after.uuid: c.before.status for c in changes})
        return frozenset()


class Station:
    """Lets jobs go, but for those that it is told to keep; takes them two by two."""

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self.asked: list[list[str]] = []
        self.tasks: list[asyncio.Task[Any]] = []
        lane = Lane(key=KEY, folder="/lane", cohort=2)
        ports = Ports(
            clock=Clock(), random=Random(1), spawn=self._spawn, workers=cast(Any, None),
            database=cast(Any, None), hosts=cast(Any, None), schedulers={}, runtimes={},
        )  # fmt: skip
        self.conveyor = InMemory(
            ports, epoch=1, stations={HERE: self.serve}, lane=lambda key: lane, on_lease_lost=lambda: None
        )

    async def serve(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        self.asked.append([job.uuid for job in cohort])
        await asyncio.sleep(0)
        return {job.uuid: Stay(rests=True) if job.uuid in self.kept else Go() for job in cohort}

    def _spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))
        return self.tasks[-1]

    async def quiet(self) -> None:
        while any(not task.done() for task in self.tasks):
            await asyncio.gather(*self.tasks)

    def enter(self, *names: str) -> None:
        self.conveyor.enter([JOB.evolve(uuid=name, status=HERE) for name in names])

    def status(self, name: str) -> JobStatus:
        return self.conveyor.jobs[name].status


@pytest.fixture
async def station() -> Station:
    return Station()


async def test_others_pass_those_that_rest(station: Station) -> None:
    station.kept = {"long1", "long2", "long3"}
    station.enter("long1", "long2", "a", "long3", "b", "c")
    await station.quiet()
    assert {station.status(name) for name in "abc"} == {NEXT}
    assert {station.status(name) for name in station.kept} == {HERE}
    assert station.asked == [["long1", "long2"], ["a", "long3"], ["b", "c"]]


async def test_those_that_rest_are_asked_again_when_woken_and_not_before(station: Station) -> None:
    station.kept = {"long"}
    station.enter("long")
    await station.quiet()
    station.enter("a")
    await station.quiet()
    assert station.asked == [["long"], ["a"]]
    station.kept.clear()
    station.conveyor.wake(KEY, HERE)
    await station.quiet()
    assert station.status("long") is NEXT


async def test_a_wake_that_comes_while_the_station_works_is_not_lost(station: Station) -> None:
    serve = station.serve

    async def woken_meanwhile(lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        verdicts = await serve(lane, cohort)
        if station.kept:
            station.kept.clear()
            station.conveyor.wake(KEY, HERE)
        return verdicts

    station.kept = {"long"}
    station.conveyor._stations = {HERE: woken_meanwhile}
    station.enter("long")
    await station.quiet()
    assert station.status("long") is NEXT


async def test_a_wake_while_the_step_of_others_is_stored_is_not_lost(station: Station) -> None:
    commit = station.conveyor.commit

    async def woken_meanwhile(*rounds: Sequence[Change]) -> frozenset[str]:
        done = await commit(*rounds)
        if station.kept and any(rounds):
            station.kept.clear()
            station.conveyor.wake(KEY, HERE)
        return done

    station.kept = {"long"}
    station.conveyor.commit = woken_meanwhile
    station.enter("long", "a")
    await station.quiet()
    assert {station.status("long"), station.status("a")} == {NEXT}


async def test_a_job_that_only_stays_holds_its_place(station: Station) -> None:
    async def full(lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        station.asked.append([job.uuid for job in cohort])
        return {job.uuid: Stay() for job in cohort}

    station.conveyor._stations = {HERE: full}
    station.enter("a", "b", "c")
    await station.quiet()
    assert station.asked == [["a", "b"]]
