"""Where a job runs that may run in several places, and why there."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from test_launch_modes import JOB

from jupyter_tapis_jobs.engine.system_choice import SystemChoice, none_fits
from jupyter_tapis_jobs.model.errors import InvalidInputError, UnavailableError
from jupyter_tapis_jobs.model.job import Job, JobEvent
from jupyter_tapis_jobs.model.status import EventType, JobStatus
from jupyter_tapis_jobs.model.user import User

ME = User("me", "t", True)


def a_queue(**facts: Any) -> dict[str, Any]:
    return {"name": "normal", "state": "up", "idleNodes": 0, "nodes": 40, "pending": 7, **facts}


class Choice:
    """A choice among systems whose hosts tell the loads that were given; others cannot be asked."""

    def __init__(self, active: tuple[Job, ...] = (), **loads: Mapping[str, Any]) -> None:
        self._loads = loads
        self.choice = SystemChoice(self._load, lambda: {job.uuid: job for job in active})

    async def _load(self, user: User, system: str) -> Mapping[str, Any]:
        if system not in self._loads:
            raise UnavailableError("There is no connection now.")
        return {"queues": [self._loads[system]]}

    def began(self, system: str, *waits: int) -> None:
        """Let jobs begin that waited so many seconds."""
        jobs = [self._begun(system, n, wait) for n, wait in enumerate(waits)]
        kind, running = EventType.JOB_NEW_STATUS, JobStatus.RUNNING
        events = [
            JobEvent(job_uuid=j.uuid, owner="me", event=kind, event_detail=running, created="") for j in jobs
        ]
        self.choice.learn(events, jobs)

    def _begun(self, system: str, number: int, wait: int) -> Job:
        then = f"2026-01-01T{wait // 3600:02}:{wait // 60 % 60:02}:{wait % 60:02}.000000Z"
        return at(system).evolve(
            uuid=f"{system}-{number}", remote_submitted="2026-01-01T00:00:00.000000Z", remote_started=then
        )

    async def of(self, *systems: str, refusals: Any = None, **fields: Any) -> tuple[str, str]:
        """Return the system that is chosen, and why."""
        places: Any = [(at(name), definition(name, **fields)) for name in systems]
        best, reason = await self.choice.best(ME, places, refusals or {})
        return systems[best], reason


def at(system: str) -> Job:
    return JOB.evolve(exec_system_id=system, exec_system_logical_queue="normal")


def definition(system: str, **fields: Any) -> SimpleNamespace:
    told = {"job_type": "BATCH", "exec_system_id": system, "node_count": 1, "hpc_queue_name": "normal"}
    return SimpleNamespace(**{**told, **fields})


async def test_a_queue_with_idle_nodes_and_nobody_who_waits_is_taken():
    choice = Choice(full=a_queue(), free=a_queue(idleNodes=12, pending=0))
    system, reason = await choice.of("full", "free")
    assert system == "free"
    assert reason == (
        "free was chosen, 12 of 40 nodes of normal are idle; full: nothing is known of its waiting times yet."
    )


async def test_too_few_idle_nodes_are_none():
    choice = Choice(one=a_queue(idleNodes=1, pending=0), two=a_queue(idleNodes=2, pending=0))
    assert (await choice.of("one", "two", node_count=2))[0] == "two"


async def test_what_jobs_waited_lately_decides_where_no_node_is_idle():
    choice = Choice(slow=a_queue())
    choice.began("slow", 3600, 7200, 7200)
    choice.began("quick", 5, 720, 900)
    system, reason = await choice.of("slow", "quick", "new")
    assert system == "quick"
    assert reason == (
        "quick was chosen, jobs waited 12 min there lately; slow: jobs waited 2.0 h there lately; "
        "new: nothing is known of its waiting times yet."
    )


async def test_only_the_newest_starts_count():
    choice = Choice()
    choice.began("changed", *[7200] * 60, *[10] * 50)
    choice.began("steady", 60)
    assert (await choice.of("steady", "changed"))[0] == "changed"


async def test_a_process_begins_at_once_where_no_other_job_waits():
    waiting = at("busy").evolve(status=JobStatus.QUEUED)
    choice = Choice(active=(waiting, at("idle").evolve(uuid="r", status=JobStatus.RUNNING)))
    system, reason = await choice.of("busy", "idle", job_type="FORK")
    assert system == "idle"
    assert "no job waits there" in reason


async def test_of_two_that_are_as_good_the_first_is_taken():
    assert (await Choice().of("b", "a"))[0] == "b"


async def test_why_others_do_not_fit_is_told():
    fault = InvalidInputError("maxMinutes 600 is over the limit of 120.")
    _, reason = await Choice().of("a", refusals={"b": fault})
    assert reason.endswith("b does not fit: maxMinutes 600 is over the limit of 120.")


def test_where_none_fits_all_reasons_are_told():
    fault = none_fits({"a": InvalidInputError("It has no queue."), "b": InvalidInputError("It is disabled.")})
    assert fault.message == "none of the systems takes the job. a: It has no queue. b: It is disabled."
    same = InvalidInputError("name is missing.", field="name")
    assert none_fits({"a": same, "b": InvalidInputError("name is missing.")}) is same
