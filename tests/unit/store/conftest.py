"""A store in a folder of its own, and jobs to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_jobs import job_maker

from jupyter_tapis_jobs.model.job import Job, JobEvent
from jupyter_tapis_jobs.model.status import EventType, JobStatus
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import Database
from jupyter_tapis_jobs.store.jobs import Change

CREATED = "2026-11-21T04:48:47.123456Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder, not yet made."""
    return tmp_path / "tapisjobs"


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    """An empty store."""
    opened = Database.open(folder)
    yield opened
    opened.close()


@pytest.fixture
def new_job() -> Callable[..., Job]:
    """``new_job(name="x", …)``: a job with a uuid of its own, not yet stored."""
    return job_maker("train301", "local", CREATED)


@pytest.fixture
def store_jobs(database: Database) -> Callable[..., list[Job]]:
    """``store_jobs(job, …)``: store jobs with a small definition; returns them with ids."""

    def store(*jobs: Job, definition: str = "{}") -> list[Job]:
        return database.write(lambda conn: job_rows.insert(conn, [(job, "{}", definition) for job in jobs]))

    return store


@pytest.fixture
def new_status() -> Callable[..., Change]:
    """``new_status(job, JobStatus.RUNNING, …)``: the change with its event."""

    def make(job: Job, status: JobStatus, **fields: object) -> Change:
        event = JobEvent(
            job_uuid=job.uuid,
            owner=job.owner,
            event=EventType.JOB_NEW_STATUS,
            event_detail=status,
            created=CREATED,
            description=f"now {status}",
            data={"newJobStatus": status},
        )
        return Change(before=job, after=job.evolve(status=status, **fields), events=(event,))

    return make
