"""Tethys's names on top of the client."""

from __future__ import annotations

import itertools

import pytest

from jupyter_tapis_jobs import ConflictError, InvalidInputError, JobManager, NotAllowedError
from jupyter_tapis_jobs.client.tethys_job import STATUSES, status_of
from jupyter_tapis_jobs.model.status import JobStatus


@pytest.fixture
def manager(tapis) -> JobManager:
    return JobManager(tapis, label="my_app")


def test_a_job_is_created_executed_and_stands_by_tethys_words(fake, manager):
    job = manager.create_job("frame-1", script="true", extended_properties={"basin": 7})
    assert (job.id, job.status, job.extended_properties) == (None, "Pending", {"basin": 7})
    job.execute()
    request = fake.last_request()
    assert (request["name"], request["jobType"], request["tags"]) == ("frame-1", "FORK", ["my_app"])
    assert request["notes"] == {"basin": 7}
    fake.move(job.id, "RUNNING")
    assert (job.cached_status, job.status) == ("Submitted", "Running")


def test_what_was_not_executed_has_nothing_to_stop_and_what_was_is_not_executed_twice(manager):
    job = manager.create_job("frame-1", script="true")
    with pytest.raises(ConflictError, match="was not executed yet"):
        job.stop()
    job.execute()
    with pytest.raises(ConflictError, match="executed already"):
        job.execute()


def test_a_condor_job_goes_to_the_first_system_that_has_a_pool(fake, manager):
    fake.systems["pool"] = {"id": "pool", "rootDir": "/", "batchScheduler": "CONDOR"}
    fake.systems["other"] = {"id": "other", "rootDir": "/", "batchScheduler": "CONDOR"}
    fake.systems["cluster"] = {"id": "cluster", "rootDir": "/", "batchScheduler": "SLURM"}
    assert manager.list_schedulers() == {"pool": "CONDOR", "other": "CONDOR"}
    manager.create_job("frame-1", "me", "CONDOR", script="true").execute()
    assert (fake.last_request()["execSystemId"], fake.last_request()["jobType"]) == ("pool", "BATCH")
    manager.create_job("frame-2", job_type="CONDORJOB", scheduler="other", script="true").execute()
    assert fake.last_request()["execSystemId"] == "other"


def test_a_job_type_without_a_system_and_one_that_is_not_there_are_told(manager):
    with pytest.raises(InvalidInputError, match="No system has DASK"):
        manager.create_job("frame-1", job_type="DASK", script="true")
    with pytest.raises(InvalidInputError, match=r"'BATCH' is not one of BASIC, CONDOR"):
        manager.create_job("frame-1", job_type="BATCH", script="true")
    with pytest.raises(InvalidInputError, match=r"CONDORWORKFLOW has nodes: manager.create_workflow"):
        manager.create_job("frame-1", job_type="CONDORWORKFLOW", script="true")


def test_jobs_are_of_who_is_signed_in(manager):
    with pytest.raises(NotAllowedError, match="who is signed in, me; sign in as ada"):
        manager.list_jobs("ada")


def test_a_job_of_another_app_or_that_is_not_there_is_none(fake, manager):
    mine, other = (
        fake.add_job("FINISHED", tags=["my_app"], notes='{"k": 1}'),
        fake.add_job("FINISHED", tags=[]),
    )
    found = manager.get_job(mine)
    assert found is not None
    assert (found.status, found.extended_properties) == ("Complete", {"k": 1})
    assert manager.get_job(other) is None
    assert manager.get_job("00000000-0000-0000-0000-000000000000-007") is None


def test_an_order_that_there_is_not_is_told(manager):
    with pytest.raises(InvalidInputError, match="order_by 'size' is not one of id, name"):
        manager.list_jobs(order_by="size")


def test_every_status_has_a_word_of_tethys_and_many_have_one():
    known = {"Submitted", "Running", "Paused", "Results-Ready", "Complete", "Error", "Aborted"}
    assert set(STATUSES) == set(JobStatus)
    assert set(STATUSES.values()) == known
    assert status_of(["FINISHED", "FINISHED"]) == "Complete"
    assert status_of(["FINISHED", "FAILED"]) == "Various-Complete"
    assert status_of(["FINISHED", "RUNNING"]) == "Various"
    assert all(status_of(pair) for pair in itertools.product(JobStatus, JobStatus))
