"""Work of a station that may take hours: its jobs keep their place meanwhile, and others pass."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from ..model.errors import TapisJobsError
from ..model.job import Job
from ..model.status import JobStatus
from .faults import verdict_of
from .lane import LaneKey
from .oversight import Oversight
from .ports import Spawn
from .verdict import Go, Stay, Verdict

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[Mapping[str, Verdict]]]

#: Pieces of such work that a lane does at a time; the others wait.
AT_ONCE = 2


class Background:
    """The long work of one station, for all lanes."""

    def __init__(self, spawn: Spawn, oversight: Oversight, status: JobStatus) -> None:
        self._spawn = spawn
        self._oversight = oversight
        self._status = status
        self._places: dict[LaneKey, asyncio.Semaphore] = {}
        self._under_way: set[str] = set()
        self._ended: dict[str, Verdict] = {}
        self._careful: set[str] = set()

    def sort(self, cohort: Sequence[Job]) -> tuple[list[Job], dict[str, Verdict]]:
        """Return the jobs that are new here, and a verdict for the others: how they ended, or to stay."""
        fresh: list[Job] = []
        verdicts: dict[str, Verdict] = {}
        for job in cohort:
            if job.uuid in self._under_way:
                verdicts[job.uuid] = Stay(rests=True)
            elif job.uuid in self._ended:
                verdicts[job.uuid] = self._ended.pop(job.uuid)
            else:
                fresh.append(job)
        return fresh, verdicts

    def begin(self, lane: LaneKey, uuids: Iterable[str], work: Work) -> dict[str, Verdict]:
        """Begin work for some jobs; they stay until it ends."""
        names = list(uuids)
        self._under_way.update(names)
        self._spawn(self._do(lane, names, work), f"{self._status} of {lane[0]}, in the background")
        return dict.fromkeys(names, Stay(rests=True))

    def needs_care(self, uuid: str) -> bool:
        """Tell whether a job was part of work that failed by a fault, and is to be tried in plain sight."""
        return uuid in self._careful

    async def _do(self, lane: LaneKey, uuids: Sequence[str], work: Work) -> None:
        try:
            async with self._places.setdefault(lane, asyncio.Semaphore(AT_ONCE)):
                verdicts = await work()
            self._careful.difference_update(uuids)
            self._end(uuids, {uuid: verdicts.get(uuid, Go()) for uuid in uuids})
        except TapisJobsError as trouble:
            self._end(uuids, dict.fromkeys(uuids, verdict_of(trouble, "")))
        except OSError as refusal:
            log.info("a host refused work for %d jobs, they are tried one by one: %s", len(uuids), refusal)
            self._careful.update(uuids)
        except Exception:
            # The conveyor finds the job at fault, and it has to see it fail for that.
            log.exception("work in the background failed; its %d jobs are tried one by one", len(uuids))
            self._careful.update(uuids)
        finally:
            self._under_way.difference_update(uuids)
        self._oversight.wake(lane, self._status)

    def _end(self, uuids: Sequence[str], verdicts: Mapping[str, Verdict]) -> None:
        """Keep verdicts until the jobs are asked for; those that were cancelled never are."""
        self._ended |= {uuid: verdicts[uuid] for uuid in uuids if self._oversight.is_wanted(uuid)}
