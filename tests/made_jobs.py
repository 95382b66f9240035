"""Jobs as they come to a store: made up, with a uuid of their own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from jupyter_tapis_jobs.model.job import Job
from jupyter_tapis_jobs.model.status import JobStatus


def job_maker(owner: str, tenant: str, created: str) -> Callable[..., Job]:
    """Return ``make(name="x", …)``: a PENDING job of *owner* that is not yet stored."""
    numbers = count(1)

    def make(**fields: object) -> Job:
        number = next(numbers)
        defaults: dict[str, object] = {
            "uuid": f"00000000-0000-4000-8000-{number:012d}-007",
            "tenant": tenant,
            "owner": owner,
            "name": f"job {number}",
            "description": "a job",
            "app_id": "bash",
            "app_version": "1.0",
            "job_type": "FORK",
            "exec_system_id": "local",
            "archive_system_id": "local",
            "exec_system_logical_queue": None,
            "effective_user_id": owner,
            "node_count": 1,
            "cores_per_node": 1,
            "memory_mb": 100,
            "max_minutes": 10,
            "status": JobStatus.PENDING,
            "created": created,
            "last_updated": created,
        }
        return Job(**(defaults | fields))  # type: ignore[arg-type]

    return make
