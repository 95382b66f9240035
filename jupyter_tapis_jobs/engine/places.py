"""Places under quotas: whoever leaves one makes room for those that wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from ..model.errors import StoreError
from ..model.fields import JobType
from ..model.job import Job, JobEvent
from ..model.status import JobStatus
from ..store.lease import LeaseLostError
from .conveyor import Conveyor
from .lane import Lane, LaneKey, by_lane
from .ports import Ports
from .stations import Stations
from .verdict import Block

#: Seconds between two looks at least.
PAUSE = 0.1
#: And where a batch scheduler is given the jobs: those of many places are then one submission.
BATCH_PAUSE = 5.0


class Places:
    """Lets jobs go on that a quota held back. Lives on the engine's loop only."""

    def __init__(
        self, ports: Ports, conveyor: Conveyor, stations: Stations, lane: Callable[[LaneKey], Lane]
    ) -> None:
        self._ports = ports
        self._conveyor = conveyor
        self._stations = stations
        self._lane = lane
        #: Somebody left a place since those that wait were last looked at.
        self._is_asked = False
        self._is_looking = False
        #: Lanes that are not looked at for a while -> whether a place was left there meanwhile.
        self._pausing: dict[LaneKey, bool] = {}

    def look(self) -> None:
        """Let those go on, soon, that no quota holds any more."""
        self._is_asked = True
        if self._is_looking or not any(
            job.status is JobStatus.BLOCKED for job in self._conveyor.jobs.values()
        ):
            return
        self._is_looking = True
        self._ports.spawn(self._look(), "places under quotas")

    def hear(self, events: Sequence[JobEvent], jobs: Sequence[Job]) -> None:
        """A place may have been left while it was being stored that these jobs wait for one."""
        if self._is_asked and not self._is_looking and any(map(_waits, jobs)):
            self.look()

    async def _look(self) -> None:
        """Look as long as places are left: many that end in a moment cost one look.

        Where thousands wait, looking takes a fifth of the time at most.
        """
        try:
            while self._is_asked:
                self._is_asked = False
                begun = self._ports.clock.ticks()
                await self._let_in()
                await self._ports.clock.sleep(max(PAUSE, 4 * (self._ports.clock.ticks() - begun)))
        finally:
            self._is_looking = False

    async def _let_in(self) -> None:
        """Let those jobs go on that would pass now, oldest first; the others are told what holds them."""
        for lane, waiting in by_lane(self._conveyor.blocked.waiting_for_a_place(), self._lane):
            if self._pauses(lane.key, waiting[0]):
                continue
            held = await self._stations.pending(lane, waiting)
            await self._conveyor.blocked.let_go_on(job.uuid for job in waiting if job.uuid not in held)
            with suppress(StoreError, LeaseLostError):
                await self._conveyor.note({u: v.message for u, v in held.items() if isinstance(v, Block)})

    def _pauses(self, lane: LaneKey, first: Job) -> bool:
        """Tell whether it is too soon to look at a lane; if not, the next look may have to wait."""
        if lane in self._pausing:
            self._pausing[lane] = True
            return True
        if first.job_type == JobType.BATCH:
            self._pausing[lane] = False
            self._ports.spawn(self._pause(lane), f"places of {lane[0]}")
        return False

    async def _pause(self, lane: LaneKey) -> None:
        await self._ports.clock.sleep(BATCH_PAUSE)
        if self._pausing.pop(lane):
            self.look()


def _waits(job: Job) -> bool:
    return job.status is JobStatus.BLOCKED and job.resume_status is JobStatus.PENDING
