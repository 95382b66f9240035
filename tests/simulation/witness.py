"""What must hold whatever happens, checked after every transaction and at every start of an application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from jupyter_tapis_jobs.model.status import ALLOWED_MOVES, CONVEYOR, JobStatus
from jupyter_tapis_jobs.store.database import Database

from .lives import INPUT
from .world import World

#: Seconds of an engine's work after which a blocked job must have been tried again: more than the
#: longest pause between two tries, and what a try itself may take.
NEXT_TRY = 300.0 + 300.0
#: The fate of a job whose directory somebody has deleted.
DELETED = "directory deleted"
#: The words by which a job says that it waits for a place, not for a time.
QUOTA = "goes on when another has ended"

_NEWS = """
SELECT e.id, j.uuid, j.name, e.event_detail, e.description, j.status, j.resume_status, j.submission_id,
       j.cancel_requested, j.condition, j.last_message
FROM job_events e JOIN jobs j ON j.id = e.job_id
WHERE e.id > ? AND e.event = 'JOB_NEW_STATUS' ORDER BY e.id
"""


class Violation(AssertionError):  # noqa: N818 - what it says is the violation
    """Something happened that never may."""


@dataclass(slots=True)
class Seen:
    """What is known of one job."""

    name: str
    status: JobStatus
    since: float
    #: Where it was before it was held.
    before: JobStatus = JobStatus.PENDING
    #: The sentence and the number of its holds.
    message: str = ""
    holds: int = 0
    condition: str = ""
    is_cancelled: bool = False
    path: list[JobStatus] = field(default_factory=list)


class Witness:
    """Sees the store as it is after each transaction, and the world as it is at that moment."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._last = 0
        #: The first thing that was wrong; the story ends there.
        self.violation: Violation | None = None
        self.jobs: dict[str, Seen] = {}
        #: Jobs that their owner holds and has not let go; none of them may start once it is PAUSED.
        self.held: set[str] = set()
        #: Since when the present engine works and its store takes something.
        self.working_since = 0.0
        self.trace: list[str] = []
        world.on_start = self._started
        world.tell = self.tell

    @property
    def unfinished(self) -> list[str]:
        """The jobs that have not ended."""
        return [uuid for uuid, seen in self.jobs.items() if not seen.status.is_terminal]

    def tell(self, kind: str, text: str) -> None:
        """Note something that happened."""
        self.trace.append(f"{self._world.now() - 1.7e9:10.3f} {kind:10} {text}")

    def _wrong(self, uuid: str, what: str) -> None:
        name = self.jobs[uuid].name if uuid in self.jobs else uuid
        self.tell("WRONG", f"{name} ({uuid}): {what}")
        if self.violation is None:
            self.violation = Violation(f"{name} ({uuid}): {what}")

    def excuse(self, uuids: Iterable[str], why: str) -> None:
        """Remember jobs that somebody has laid hands on: they may fail."""
        for uuid in uuids:
            self.tell("excuse", f"{uuid[:8]} {why}")
            self._world.fates.setdefault(uuid, why)

    # -- the world

    def _started(self, uuid: str) -> None:
        """An application starts: for the first time, and of a job that is still wanted."""
        if self._world.starts[uuid] > 1:
            self._wrong(uuid, "was started a second time")
        if uuid not in self.jobs:
            self._wrong(uuid, "was started before it was stored")
        elif self.jobs[uuid].status.is_terminal:
            self._wrong(uuid, f"was started when it was {self.jobs[uuid].status}")
        elif uuid in self.held and self.jobs[uuid].status is JobStatus.PAUSED:
            self._wrong(uuid, "was started though its owner holds it")
        elif self.jobs[uuid].name.startswith("fed") and uuid not in self._world.fates:
            found = self._world.disk.text(f"/work/jobs/{uuid}/input.txt")
            if found != INPUT.decode():
                self._wrong(uuid, f"was started with an input that reads {found!r}")

    # -- the store

    def after_write(self, database: Database) -> None:
        """Look at what the last transaction has stored."""

        def news(connection: Connection) -> list[Any]:
            return list(connection.exec_driver_sql(_NEWS, (self._last,)))

        rows = database.read(news)
        for row in rows:
            self._event(*row)
        # What a job says of itself is what its history says last.
        for uuid, status in {row[1]: row[5] for row in rows}.items():
            if self.jobs[uuid].status != status:
                self._wrong(uuid, f"is {status}, and its history says {self.jobs[uuid].status}")

    def _event(
        self, number: int, uuid: str, name: str, detail: str, text: str, status: str, resume: str | None,
        submission: str | None, cancel: str | None, condition: str | None, message: str | None,
    ) -> None:  # fmt: skip
        self._last = number
        now, after = self._world.now(), JobStatus(detail)
        seen = self.jobs.get(uuid)
        self.tell("store", f"{name} {uuid[:8]} {after}: {text}")
        if seen is None:
            if after is not JobStatus.PENDING:
                self._wrong(uuid, f"begins as {after}")
            self.jobs[uuid] = Seen(name, after, now, path=[after])
            return
        if after not in ALLOWED_MOVES[seen.status] or (rule := self._broken(seen, after)):
            self._wrong(uuid, f"went from {seen.status} to {after}" + (f": {rule}" if rule else ""))
        if after is JobStatus.PAUSED:
            seen.before = seen.before if seen.status is JobStatus.BLOCKED else seen.status
        if after is JobStatus.BLOCKED:
            seen.holds += 1
            seen.before, seen.message = seen.status, text
            if not text.strip():
                self._wrong(uuid, "is BLOCKED without a cause")
            if not resume:
                self._wrong(uuid, "is BLOCKED and does not know where to go on")
        if after.is_terminal:
            self._ended(uuid, after, cancel, condition)
        seen.status, seen.since, seen.condition = after, now, condition or ""
        seen.is_cancelled = cancel is not None
        seen.path.append(after)

    def _broken(self, seen: Seen, after: JobStatus) -> str:
        """Say what is wrong with a move that the table of moves allows, or ''."""
        if seen.status is JobStatus.BLOCKED and not after.is_terminal:
            # A start that was lost before it began is made anew; everything else goes on where it stopped.
            again = seen.before is JobStatus.QUEUED and after is JobStatus.SUBMITTING_JOB
            if after not in (seen.before, JobStatus.BLOCKED, JobStatus.PAUSED) and not again:
                return f"it was held at {seen.before}"
        if seen.status is JobStatus.PAUSED and after in CONVEYOR:
            # Its scheduler may start it in the moment in which it is let go; FORK gives back what it is held.
            known = {seen.before, JobStatus.SUBMITTING_JOB, JobStatus.RUNNING, JobStatus.QUEUED}
            if after not in known:
                return f"it was held by its owner at {seen.before}"
        both = after in CONVEYOR and seen.status in CONVEYOR
        if both and CONVEYOR.index(after) > CONVEYOR.index(seen.status) + 1:
            return "a state was skipped"
        return ""

    def _ended(self, uuid: str, after: JobStatus, cancel: str | None, condition: str | None) -> None:
        """A terminal status is stored: nothing of the job runs any more."""
        # Where somebody has deleted its directory, only a cancel looks for its processes.
        if uuid in self._world.running and self._world.fates.get(uuid) != DELETED:
            self._wrong(uuid, f"is {after}, and its process still runs")
        if after is JobStatus.CANCELLED and cancel is None:
            self._wrong(uuid, "is CANCELLED, and nobody asked for it")
        if not condition:
            self._wrong(uuid, f"is {after} without a condition")

    # -- time

    def tick(self) -> None:
        """Look whether somebody waits longer than it should."""
        now = self._world.now()
        for uuid, seen in self.jobs.items():
            if seen.status is JobStatus.BLOCKED and QUOTA not in seen.message:
                waited = now - max(seen.since, self.working_since)
                if waited > NEXT_TRY:
                    self._wrong(
                        uuid, f"is BLOCKED ({seen.message}) and was not tried again for {waited:.0f} s"
                    )

    # -- the end

    def all_over(self, wanted: Callable[[str], str]) -> None:
        """Compare how each job ended with what the world knows; *wanted* says what a job was made for."""
        for uuid, seen in self.jobs.items():
            started, code = self._world.starts[uuid], self._world.codes.get(uuid)
            fate = self._world.fates.get(uuid)
            if seen.status is JobStatus.FINISHED and (started != 1 or code != 0):
                self._wrong(uuid, f"is FINISHED with {started} starts and exit code {code}")
            if seen.status is JobStatus.FAILED and not self._may_fail(seen, started, code, fate, wanted):
                self._wrong(
                    uuid, f"is FAILED ({seen.condition}) with {started} starts, code {code}, fate {fate}"
                )

    def _may_fail(
        self, seen: Seen, started: int, code: int | None, fate: str | None, wanted: Callable[[str], str]
    ) -> bool:
        """A job fails by its own fault, or by something that befell its process; never by a fault of ours."""
        if started:
            return bool(code) or fate is not None
        return wanted(seen.name) == "FAILED" or fate is not None
