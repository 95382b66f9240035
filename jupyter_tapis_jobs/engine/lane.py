"""A lane: the jobs of one (execution system, effective user), which travel together, and their host."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..model.fields import JobType
from ..model.job import Job
from ..model.status import JobStatus

LaneKey = tuple[str, str]

#: FORK jobs that one submission hands over: before it is known how fast they go, and at most.
FIRST_BATCH, LARGEST_BATCH = 8, 250
#: Seconds in which those of a batch should have begun: so long do others wait for their turn.
TURN = 10.0
#: How much larger than the last batch the next one may be.
GROWTH = 4


@dataclass(slots=True)
class Runner:
    """One submission that starts its jobs a few at a time."""

    parallel: int
    cores: int
    #: Ticks of the engine's clock when it began.
    since: float
    size: int = 0
    unstarted: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)

    @property
    def cores_in_use(self) -> int:
        """A runner with jobs still to start keeps all its places busy; after that, one per running job."""
        places = self.parallel if self.unstarted else len(self.running)
        return places * self.cores


@dataclass(slots=True)
class Turn:
    """When a scheduler is asked again about its jobs of a lane; times in the ticks of the engine's clock."""

    due: float = 0.0
    #: Before this it is not asked, whatever happens.
    earliest: float = 0.0
    #: Seconds between two rounds; grows while nothing changes.
    gap: float = 0.0
    #: The shortest gap that there may be.
    shortest: float = 0.0
    #: Rounds without any answer, one after the other.
    silent: int = 0
    #: Why it could not be asked the last time, where that is known.
    away: str = ""

    def begin(self, now: float, rounds: tuple[float, float]) -> None:
        """Note a round that begins *now*; *rounds* are the shortest and the longest gap."""
        self.shortest, longest = rounds
        self.gap = min(max(self.shortest, self.gap * 1.5), longest)
        self.due, self.earliest = now + self.gap, now + self.shortest

    def hasten(self, now: float, gap: float = 0.0) -> None:
        """Something changes: go on with a *gap* of so many seconds, or the shortest."""
        self.gap = max(self.shortest, gap)
        self.due = now + self.gap


@dataclass(slots=True)
class Lane:
    """What the engine knows of a lane while it has jobs."""

    key: LaneKey
    #: The lane's folder on the host; '' until the host has been asked for its user's home.
    folder: str = ""
    #: How many cores FORK jobs may use together; None for no limit.
    fork_cores: int | None = None
    #: FORK jobs that the next submission hands over, if there are so many.
    fork_batch: int = FIRST_BATCH
    #: Jobs that a station takes at once, at most.
    cohort: int = 1000
    #: Handed over and not ended: uuid -> when its time is over by the host's clock, None before the start.
    tracked: dict[str, float | None] = field(default_factory=dict)
    runners: dict[str, Runner] = field(default_factory=dict)
    #: submission -> how many of its jobs run at a time, noted before they are handed over.
    planned: dict[str, int] = field(default_factory=dict)
    #: Jobs whose event came before it was stored that they were handed over.
    early: set[str] = field(default_factory=set)
    #: Not to be seen at their scheduler: uuid -> when that was noticed first.
    absent: dict[str, float] = field(default_factory=dict)
    #: Ended, but only their scheduler knows why: uuid -> how often it has been asked.
    doubtful: dict[str, int] = field(default_factory=dict)
    #: scheduler -> when it is asked again.
    turns: dict[str, Turn] = field(default_factory=dict)
    #: What the host's clock says beyond the engine's ticks; None until the host has been asked.
    host_clock: float | None = None
    is_watched: bool = False
    is_minded: bool = False
    #: What was said on its jobs about their host or scheduler being out of sight; '' when all is well.
    trouble: str = ""
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
        """When the next job is over its time, by the host's clock; infinity when none will be."""
        return min((limit for limit in self.tracked.values() if limit is not None), default=float("inf"))

    def until_limit(self, ticks: float) -> float:
        """Return the seconds until the next job is over its time; infinity when that cannot be said.

        Starts are told by the host's clock, so it alone says how long a job has run: the engine's own
        may be wrong, or be set while a job runs.
        """
        if self.host_clock is None:
            return float("inf")
        return max(0.0, self.next_deadline - (ticks + self.host_clock))

    def overdue(self, ticks: float) -> list[str]:
        """Return the jobs that have run longer than they may."""
        if self.host_clock is None:
            return []
        now = ticks + self.host_clock
        return [uuid for uuid, limit in self.tracked.items() if limit is not None and limit <= now]

    def take_turns(self, names: Iterable[str]) -> None:
        """Note which schedulers have jobs here: the others are not asked, and keep their earliest time."""
        present = dict.fromkeys(names)
        for name in present:
            turn = self.turns.setdefault(name, Turn())
            turn.due = turn.earliest if turn.due == float("inf") else turn.due
        for name, turn in self.turns.items():
            if name not in present:
                turn.due = float("inf")

    def is_surely_absent(self, uuid: str, now: float, doubt: float) -> bool:
        """Note that a job is not to be seen; True when that has been so for *doubt* seconds."""
        if now - self.absent.setdefault(uuid, now) < doubt:
            return False
        del self.absent[uuid]
        return True

    def track(self, jobs: Iterable[Job], now: float) -> None:
        """Follow jobs that have been handed over (or found so after a restart); *now* in ticks."""
        for job in jobs:
            self.tracked[job.uuid] = None
            if job.job_type != JobType.FORK:
                continue
            key = job.submission_id or job.uuid
            parallel = self.planned.get(key, self.fork_cores or 0)
            runner = self.runners.setdefault(key, Runner(parallel, job.cores_per_node, now))
            runner.size += 1
            known = runner.running if job.status is JobStatus.RUNNING else runner.unstarted
            known.add(job.uuid)

    def started(self, job: Job, deadline: float, now: float) -> None:
        """Note a start that is seen *now*, in ticks; *deadline* by the host's clock."""
        self.tracked[job.uuid] = deadline
        if runner := self.runners.get(job.submission_id or job.uuid):
            if runner.unstarted == {job.uuid}:
                self._pace(runner, now)
            runner.unstarted.discard(job.uuid)
            runner.running.add(job.uuid)

    def _pace(self, runner: Runner, now: float) -> None:
        """The last of a batch begins: how long the others waited for their places says how many go next."""
        if (waited := runner.size - runner.parallel) > 0:
            fit = int(waited * TURN / max(now - runner.since, 0.001))
            self.fork_batch = max(FIRST_BATCH // 2, min(LARGEST_BATCH, GROWTH * runner.size, fit))

    def release(self, job: Job) -> None:
        """Forget a job that has ended or was never started."""
        self.tracked.pop(job.uuid, None)
        self.absent.pop(job.uuid, None)
        self.doubtful.pop(job.uuid, None)
        key = job.submission_id or job.uuid
        if runner := self.runners.get(key):
            runner.unstarted.discard(job.uuid)
            runner.running.discard(job.uuid)
            if not runner.unstarted and not runner.running:
                del self.runners[key]
                self.planned.pop(key, None)


def by_lane(jobs: Iterable[Job], lane: Callable[[LaneKey], Lane]) -> list[tuple[Lane, list[Job]]]:
    """Return jobs by the lane they are on."""
    lanes: dict[LaneKey, list[Job]] = {}
    for job in jobs:
        lanes.setdefault(job.lane, []).append(job)
    return [(lane(key), members) for key, members in lanes.items()]
