"""Copies of a job: each step of a job is one."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.status import JobStatus

JOB = Job(
    uuid="u", tenant="t", owner="ada", name="n", description="", app_id="bash", app_version="1.0",
    job_type="FORK", exec_system_id="local", archive_system_id="local", exec_system_logical_queue=None,
    effective_user_id="ada", node_count=1, cores_per_node=1, memory_mb=100, max_minutes=10,
    status=JobStatus.PENDING, created="", last_updated="",
)  # fmt: skip


def test_a_copy_differs_in_what_was_said_and_in_nothing_else() -> None:
    copy = JOB.evolve(status=JobStatus.RUNNING, exit_code=0)
    assert copy == replace(JOB, status=JobStatus.RUNNING, exit_code=0)
    assert JOB.status is JobStatus.PENDING
    assert all(hasattr(copy, field.name) for field in fields(Job))


def test_a_copy_can_be_changed_by_nobody() -> None:
    with pytest.raises(AttributeError):
        JOB.evolve(name="other").name = "third"  # type: ignore[misc]


def test_a_field_that_jobs_have_not_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        JOB.evolve(colour="red")


def test_what_changed_is_told_by_field() -> None:
    assert JOB.evolve(name="m", exit_code=3).changes_from(JOB) == {"name": "m", "exit_code": 3}
    assert JOB.evolve().changes_from(JOB) == {}
