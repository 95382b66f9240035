"""What tests of notifications share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from made_jobs import job_maker
from made_up_receivers import Office, Receivers
from simulation.virtual_time import run_virtually

from jupyter_tapis_jobs.model.fields import DeliveryMethod
from jupyter_tapis_jobs.model.job import Job, JobEvent
from jupyter_tapis_jobs.model.notifications import Delivery, DeliveryState, Notice, Target
from jupyter_tapis_jobs.model.status import EventType, JobStatus

#: What happens to an office.
Story = Callable[[Office], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story on made-up time."""

    def run(story: Story) -> None:
        async def whole() -> None:
            office = Office(tmp_path / "store", Receivers())
            try:
                await story(office)
                assert not office.faults, office.faults
            finally:
                await office.die()

        run_virtually(whole())

    return run


@pytest.fixture
def new_job() -> Callable[..., Job]:
    """``new_job(name="x", …)``: a job with a uuid of its own, not yet stored."""
    return job_maker("ada", "here", "2023-11-14T22:13:20.000000Z")


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
