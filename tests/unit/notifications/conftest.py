"""What tests of notifications share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from jupyter_tapis_jobs.model.fields import DeliveryMethod
from jupyter_tapis_jobs.model.job import Job, JobEvent
from jupyter_tapis_jobs.model.notifications import Delivery, DeliveryState, Notice, Target
from jupyter_tapis_jobs.model.status import EventType, JobStatus


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


@pytest.fixture
def notice_to(new_job: Callable[..., Job]) -> Callable[..., Notice]:
    """``notice_to(address, **fields of the job)``: the news that a job is FINISHED, for one address."""

    def make(address: str, description: str = "all is well", **fields: object) -> Notice:
        job = new_job(**{"uuid": "00000000-0000-4000-8000-000000000001-007", "name": "pushover", **fields})
        method = DeliveryMethod.WEBHOOK if "://" in address else DeliveryMethod.EMAIL
        event = JobEvent(
            job_uuid=job.uuid,
            owner=job.owner,
            event=EventType.JOB_NEW_STATUS,
            event_detail=JobStatus.FINISHED,
            created=job.created,
            description=description,
            id=9,
        )
        delivery = Delivery(
            id=1,
            job_id=1,
            subscription_id=1,
            target=0,
            event_id=9,
            method=method,
            address=address,
            receiver=Target(method=method, address=address).receiver,
            state=DeliveryState.WAITING,
            tries=0,
            next_try=job.created,
            last_error=None,
            updated=job.created,
        )
        return Notice(
            delivery=delivery, subscription="s-1", event=event, job=job, number=9, before="ARCHIVING"
        )

    return make
