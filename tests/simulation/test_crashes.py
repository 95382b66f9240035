"""The engine on made-up time: however often it dies, every accepted job ends once and starts at most once."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.search import JobQuery
from jupyter_tapis_jobs.model.status import ALLOWED_MOVES, EventType, JobStatus, RemoteOutcome
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.store.search import search

from .lives import USER, Life, unless_dead
from .virtual_time import run_virtually
from .world import World

#: Seconds of made-up time within which everything must be over.
PATIENCE = 24 * 3600.0


def requests(number: int) -> list[dict[str, object]]:
    return [{"name": f"case-{n}", "appId": "model", "appVersion": "1.0"} for n in range(number)]


async def story(
    folder: Path, seed: int, *, jobs: int, deaths: int, trouble: float, vanishing: float, cancels: int
) -> World:
    """Submit jobs, let engines die, and wait until every job has ended; return the world."""
    random = Random(seed)
    world = World(Random(seed + 1), trouble=trouble, vanishing=vanishing)
    submitted = False
    for death in range(deaths + 1):
        last = death == deaths
        life = Life(folder, world, random, None if last else random.randint(2, 120), number=death)
        if death == 0:
            life.define()
        engine = await life.engine()
        if not submitted:
            # A caller whose answer never came asks again: nothing was accepted, or all of it.
            stored = life.database.read(lambda c: search(c, JobQuery(), USER.name)).rows
            if not stored:
                await unless_dead(life, engine.submit(USER, requests(jobs)))
            stored = life.database.read(lambda c: search(c, JobQuery(), USER.name)).rows
            submitted = len(stored) == jobs
        if cancels and submitted:
            await asyncio.sleep(random.uniform(0, 60))
            chosen = random.sample([job.uuid for job in stored], cancels)
            await unless_dead(life, engine.steering.cancel(USER, chosen))
        if last:
            await asyncio.wait_for(_all_over(life), PATIENCE)
        else:
            await unless_dead(life, asyncio.sleep(300))
        await life.end()
        assert not life.faults, life.faults
    check(folder, world, jobs)
    return world


async def _all_over(life: Life) -> None:
    while life.database.read(job_rows.active):
        await asyncio.sleep(1.0)


def check(folder: Path, world: World, jobs: int) -> None:
    """Every job is there once, ended, with a lawful history that agrees with what the world saw."""
    database = Database.open(folder)
    rows: list[Job] = database.read(lambda c: search(c, JobQuery(limit=-1), USER.name)).rows
    assert len(rows) == jobs
    for job in rows:
        started = world.starts[job.uuid]
        assert started <= 1, f"{job.name} was started {started} times"
        assert job.status.is_terminal
        if job.status is JobStatus.FINISHED:
            assert started == 1
            assert (job.exit_code, job.remote_outcome) == (0, RemoteOutcome.FINISHED)
        if job.status is JobStatus.FAILED:
            assert job.remote_outcome is RemoteOutcome.FAILED
        if job.status is JobStatus.CANCELLED:
            assert job.cancel_requested
        if world.fates.get(job.uuid) == "vanished":
            assert job.status is not JobStatus.FINISHED
        history = database.read(lambda c, job=job: job_rows.history(c, job.id))
        statuses = [JobStatus(e.event_detail) for e in history if e.event is EventType.JOB_NEW_STATUS]
        assert statuses[0] is JobStatus.PENDING
        assert statuses[-1] is job.status
        assert all(after in ALLOWED_MOVES[before] for before, after in pairwise(statuses))
        assert sum(status.is_terminal for status in statuses) == 1
    database.close()


@pytest.mark.seeds(8, full=150)
def test_jobs_run_once_and_end_once_though_the_engine_dies_again_and_again(tmp_path: Path, seed: int) -> None:
    world = run_virtually(story(tmp_path, seed, jobs=25, deaths=6, trouble=0.0, vanishing=0.0, cancels=0))
    assert sum(world.starts.values()) == 25


@pytest.mark.seeds(8, full=150)
def test_a_link_that_breaks_loses_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    run_virtually(story(tmp_path, 100 + seed, jobs=25, deaths=4, trouble=0.05, vanishing=0.0, cancels=0))


@pytest.mark.seeds(8, full=150)
def test_cancelled_and_vanished_jobs_end_as_such_through_crashes(tmp_path: Path, seed: int) -> None:
    run_virtually(story(tmp_path, 200 + seed, jobs=25, deaths=4, trouble=0.03, vanishing=0.2, cancels=5))
