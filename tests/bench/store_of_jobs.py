"""A store with many ended jobs, written as the engine writes them, before any server has it open."""

from __future__ import annotations

import getpass
import json
import os
import uuid
from functools import partial
from pathlib import Path

from harness import request

from jupyter_tapis_jobs.model.job import Job, JobDefinition
from jupyter_tapis_jobs.model.resolve import definition_json
from jupyter_tapis_jobs.model.status import Condition, JobStatus
from jupyter_tapis_jobs.model.times import iso
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import Database

_AT_ONCE = 5000
#: Seconds since the epoch: 2026-01-01.
_FIRST = 1_767_225_600.0
_ENDS = ((JobStatus.FINISHED, Condition.NORMAL_COMPLETION), (JobStatus.FAILED, Condition.SCHEDULER_TIMEOUT))


def owner() -> str:
    """Return the name of the server's user, as the server finds it."""
    return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()


def filled(data: Path, count: int) -> None:
    """Make the store in *data* with *count* jobs of the server's user, each twentieth FAILED."""
    asked = json.dumps(request(0))
    database = Database.open(data)
    try:
        for start in range(0, count, _AT_ONCE):
            numbers = range(start, min(count, start + _AT_ONCE))
            rows = [(job, asked, plain_definition(job)) for job in (_job(number) for number in numbers)]
            database.write(partial(job_rows.insert, new=rows))
    finally:
        database.close()


def ended_job(number: int, cohort: str) -> Job:
    """Return job *number* of a study, FINISHED."""
    status, condition = _ENDS[0]
    return _job(number).evolve(status=status, condition=condition, exit_code=0, cohort_id=cohort)


def _job(number: int) -> Job:
    status, condition = _ENDS[number % 20 == 0]
    user = owner()
    begun = _FIRST + 60.0 * number
    return Job(
        uuid=f"{uuid.uuid5(uuid.NAMESPACE_OID, str(number))}-007",
        tenant="jupyter",
        owner=user,
        name=f"bench-{number:06d}",
        description="bash 1.0 on local",
        app_id="bash",
        app_version="1.0",
        job_type="FORK",
        exec_system_id="local",
        archive_system_id="local",
        exec_system_logical_queue=None,
        effective_user_id=user,
        node_count=1,
        cores_per_node=1,
        memory_mb=2000,
        max_minutes=60,
        status=status,
        condition=condition,
        created=iso(begun),
        last_updated=iso(begun + 42.5),
        remote_submitted=iso(begun + 1.1),
        remote_started=iso(begun + 1.5),
        remote_ended=iso(begun + 41.5),
        ended=iso(begun + 42.5),
        exit_code=0 if status is JobStatus.FINISHED else 124,
        createdby=user,
        createdby_tenant="jupyter",
    )


def plain_definition(job: Job) -> str:
    """Return what is kept of a job of ``bash`` on this machine."""
    place = f"/work/jobs/{job.uuid}"
    return definition_json(
        JobDefinition(
            job_type="FORK",
            app_runtime="ZIP",
            container_image="tapis://local/apps/bash-1.0.zip",
            exec_system_id="local",
            exec_system_exec_dir=place,
            exec_system_input_dir=place,
            exec_system_output_dir=place,
            archive_system_id="local",
            archive_system_dir=place,
            job_working_dir="/work",
            host="localhost",
            root_dir="/",
        )
    )
