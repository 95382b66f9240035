"""What tests of notifications share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.status import JobStatus


@pytest.fixture
def new_job() -> Callable[..., Job]:
    """``new_job(name="x", …)``: a job with a uuid of its own, not yet stored."""
    numbers = count(1)

    def make(**fields: object) -> Job:
        number = next(numbers)
        defaults: dict[str, object] = {
            "uuid": f"00000000-0000-4000-8000-{number:012d}-007",
            "tenant": "here",
            "owner": "ada",
            "name": f"job {number}",
            "description": "a job",
            "app_id": "bash",
            "app_version": "1.0",
            "job_type": "FORK",
            "exec_system_id": "local",
            "archive_system_id": "local",
            "exec_system_logical_queue": None,
            "effective_user_id": "ada",
            "node_count": 1,
            "cores_per_node": 1,
            "memory_mb": 100,
            "max_minutes": 10,
            "status": JobStatus.PENDING,
            "created": "2023-11-14T22:13:20.000000Z",
            "last_updated": "2023-11-14T22:13:20.000000Z",
        }
        return Job(**(defaults | fields))  # type: ignore[arg-type]

    return make
