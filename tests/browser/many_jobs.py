"""A store with so many ended jobs that no page holds them all."""

from __future__ import annotations

import getpass
from functools import partial
from pathlib import Path

from made_jobs import job_maker

from jupyter_tapis_jobs.model.job import JobDefinition
from jupyter_tapis_jobs.model.resolve import definition_json
from jupyter_tapis_jobs.model.status import Condition, JobStatus
from jupyter_tapis_jobs.store import jobs as job_rows
from jupyter_tapis_jobs.store.database import Database
from tests.conftest import own_folders

MANY = 100_000
_CREATED = "2026-01-01T00:00:00.000000Z"
_DEFINITION = definition_json(
    JobDefinition(
        job_type="FORK",
        app_runtime="ZIP",
        container_image="tapis://local/apps/bash-1.0.zip",
        exec_system_id="local",
        exec_system_exec_dir="/work",
        exec_system_input_dir="/work",
        exec_system_output_dir="/work",
        archive_system_id="local",
        archive_system_dir="/work",
        job_working_dir="/work",
        host="localhost",
        root_dir="/",
    )
)


def fill(folder: Path, count: int) -> None:
    """Put so many ended jobs of this user into the store of a server that is yet to come."""
    make = job_maker(getpass.getuser(), "jupyter", _CREATED)
    ended = {"ended": _CREATED, "remote_started": _CREATED}
    ends = (
        {"status": JobStatus.FINISHED, "condition": Condition.NORMAL_COMPLETION, "exit_code": 0, **ended},
        {"status": JobStatus.FAILED, "condition": Condition.SCHEDULER_TIMEOUT, "exit_code": 124, **ended},
    )
    rows = [
        (make(name=f"case-{number:05d}", **ends[number % 20 == 0]), "{}", _DEFINITION)
        for number in range(count)
    ]
    database = Database.open(Path(own_folders(folder)["JUPYTER_DATA_DIR"]) / "tapisjobs")
    try:
        database.write(partial(job_rows.insert, new=rows))
    finally:
        database.close()
