"""Who goes next where many wait: owners one by one, and nobody's large study before all of a small one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from test_conveyor import HERE, KEY, Station
from two_hosts import JOB

from jupyter_tapis_jobs.engine.lane import Lane
from jupyter_tapis_jobs.engine.turns import Turns, in_turns
from jupyter_tapis_jobs.engine.verdict import Go, Stay, Verdict
from jupyter_tapis_jobs.model.job import Job


def jobs(study: str | None, count: int, *, owner: str = "ada") -> list[Job]:
    """Return jobs named after their study, as they arrive at a station."""
    made = (f"{owner[0]}-{study}{n}" for n in range(count))
    return [JOB.evolve(uuid=name, owner=owner, cohort_id=study, status=HERE) for name in made]


def names(found: Sequence[Job]) -> list[str]:
    return [job.uuid for job in found]


def test_owners_go_one_by_one_and_a_study_stays_together() -> None:
    waiting = [*jobs("x", 3), *jobs("y", 1), *jobs("z", 2, owner="bob")]
    found = names(list(in_turns(waiting, lambda group: 0)))
    assert found == ["a-x0", "b-z0", "a-x1", "b-z1", "a-x2", "a-y0"]


def test_of_an_owner_the_study_that_had_least_goes_first() -> None:
    had = {"x": 5, "y": 2, None: 3}
    waiting = [*jobs("x", 2), *jobs(None, 1), *jobs("y", 2)]
    found = names(list(in_turns(waiting, lambda group: had[group[1]])))
    assert found == ["a-y0", "a-y1", "a-None0", "a-x0", "a-x1"]


def test_whose_jobs_went_last_goes_last_the_next_time() -> None:
    turns, waiting = Turns(), [*jobs("x", 2), *jobs("y", 2), *jobs("z", 1)]
    order = []
    for _ in range(5):
        first = next(turns.of(waiting))
        turns.went([first])
        waiting.remove(first)
        order.append(first.uuid)
    assert order == ["a-x0", "a-y0", "a-z0", "a-x1", "a-y1"]


@pytest.fixture
async def station() -> Station:
    return Station()


async def test_a_small_study_does_not_wait_for_all_of_a_large_one(station: Station) -> None:
    station.conveyor.enter(jobs("large", 10))
    station.conveyor.enter(jobs("small", 2))
    await station.quiet()
    # They are taken two by two.
    assert station.asked[:3] == [["a-large0", "a-large1"], ["a-small0", "a-small1"], ["a-large2", "a-large3"]]


async def test_places_that_come_one_by_one_go_to_each_study_in_turn(station: Station) -> None:
    begun: list[str] = []

    async def one_place(lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        station.asked.append(names(cohort))
        if station.kept:
            return {job.uuid: Stay() for job in cohort}
        station.kept = {"no place is left"}
        begun.append(cohort[0].uuid)
        return {job.uuid: Go() if job is cohort[0] else Stay() for job in cohort}

    station.conveyor._stations = {HERE: one_place}
    station.conveyor.enter([*jobs("large", 8), *jobs("small", 3)])
    await station.quiet()
    for look in range(10):
        # Others look as well, and find no place.
        station.kept = {"none yet"} if look % 2 else set()
        station.conveyor.wake(KEY, HERE)
        await station.quiet()
    assert begun == ["a-large0", "a-small0", "a-large1", "a-small1", "a-large2", "a-small2"]


async def test_a_study_that_cannot_go_on_leaves_the_station_to_others(station: Station) -> None:
    async def closed_to_large(lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        station.asked.append(names(cohort))
        return {job.uuid: Stay() if job.cohort_id == "large" else Go() for job in cohort}

    station.conveyor._stations = {HERE: closed_to_large}
    station.conveyor.enter([*jobs("large", 8), *jobs("small", 3)])
    await station.quiet()
    assert station.asked == [["a-large0", "a-large1"], ["a-small0", "a-small1"], ["a-small2"]]
