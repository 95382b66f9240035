"""A lane: the jobs of one (execution system, effective user), which travel together, and their host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..model.job import Job
from ..model.status import JobStatus

LaneKey = tuple[str, str]


@dataclass(slots=True)
class Runner:
    """One submission that starts its jobs a few at a time."""

    parallel: int
    cores: int
    unstarted: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)

    @property
    def cores_in_use(self) -> int:
        """A runner with jobs still to start keeps all its places busy; after that, one per running job."""
        places = self.parallel if self.unstarted else len(self.running)
        return places * self.cores


@dataclass(slots=True)
class Lane:
    """What the engine knows of a lane while it has jobs."""

    key: LaneKey
    #: The lane's folder on the host; '' until the host has been asked for its user's home.
    folder: str = ""
    #: How many cores FORK jobs may use together; None for no limit.
    fork_cores: int | None = None
    #: Jobs that a station takes at once, at most.
    cohort: int = 1000
    #: Handed over and not ended: uuid -> time limit in seconds since the epoch, None before the start.
    tracked: dict[str, float | None] = field(default_factory=dict)
    runners: dict[str, Runner] = field(default_factory=dict)
    #: submission -> how many of its jobs run at a time, noted before they are handed over.
    planned: dict[str, int] = field(default_factory=dict)
    #: Jobs whose event came before it was stored that they were handed over.
    early: set[str] = field(default_factory=set)
    is_watched: bool = False
    is_minded: bool = False
    #: Set once the lane's folder exists on the host under the present lease.
    is_prepared: bool = False

    @property
    def events(self) -> str:
        """The folder in which the launch scripts leave their events."""
        return f"{self.folder}/events"

    @property
    def free_cores(self) -> int | None:
        """Cores that FORK jobs may still take; None for no limit."""
        if self.fork_cores is None:
            return None
        return self.fork_cores - sum(runner.cores_in_use for runner in self.runners.values())

    @property
    def next_deadline(self) -> float:
        """When the next job is over its time, in seconds since the epoch; infinity when none will be."""
        return min((limit for limit in self.tracked.values() if limit is not None), default=float("inf"))

    def overdue(self, now: float) -> list[str]:
        """Return the jobs that have run longer than they may."""
        return [uuid for uuid, limit in self.tracked.items() if limit is not None and limit <= now]

    def track(self, jobs: Iterable[Job]) -> None:
        """Follow jobs that have been handed over (or found so after a restart)."""
        for job in jobs:
            key = job.submission_id or job.uuid
            parallel = self.planned.get(key, self.fork_cores or 0)
            runner = self.runners.setdefault(key, Runner(parallel, job.cores_per_node))
            known = runner.running if job.status is JobStatus.RUNNING else runner.unstarted
            known.add(job.uuid)
            self.tracked[job.uuid] = None

    def started(self, job: Job, deadline: float) -> None:
        """Note a start; *deadline* in seconds since the epoch."""
        self.tracked[job.uuid] = deadline
        if runner := self.runners.get(job.submission_id or job.uuid):
            runner.unstarted.discard(job.uuid)
            runner.running.add(job.uuid)

    def release(self, job: Job) -> None:
        """Forget a job that has ended or was never started."""
        self.tracked.pop(job.uuid, None)
        key = job.submission_id or job.uuid
        if runner := self.runners.get(key):
            runner.unstarted.discard(job.uuid)
            runner.running.discard(job.uuid)
            if not runner.unstarted and not runner.running:
                del self.runners[key]
                self.planned.pop(key, None)
