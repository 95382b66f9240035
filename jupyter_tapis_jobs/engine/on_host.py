"""Jobs as they are on their hosts: where each is, which scheduler has it, and what its marks say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model import marks
from ..model.errors import TapisJobsError
from ..model.files import CONTAINER_ID
from ..model.job import Job
from ..model.marks import Marks
from ..model.system import System
from ..model.update_interval import min_update_seconds, spaced
from ..schedulers.base import Launch
from ..transports.base import Transport
from .lane import Lane
from .lane_folder import LaneFolders
from .scheduler_notes import TOLD_BY_NOTES, scheduler_notes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job is on its host: its execution directory, and the scheduler that has it."""

    exec_dir: str
    scheduler: str
    #: What ends the container that it may have beside its own processes (``Runtime.leftover``).
    leftover: str = ""


class OnHost:
    """Reads what hosts know of jobs. Lives on the engine's loop only."""

    def __init__(
        self,
        folders: LaneFolders,
        places: Callable[[Sequence[Job]], Awaitable[Mapping[str, Place]]],
        system: Callable[[str], Awaitable[System]],
    ) -> None:
        self._folders = folders
        self._places = places
        self._system = system

    async def transport(self, lane: Lane) -> Transport:
        """Return the way to the lane's host; the lane's folder is there."""
        return await self._folders.transport(lane)

    async def launches(self, jobs: Sequence[Job]) -> list[Launch]:
        """Return jobs as their scheduler sees them."""
        places = await self._places(jobs)
        notes = await self._notes(jobs, places)
        return [
            Launch(
                uuid=job.uuid,
                exec_dir=places[job.uuid].exec_dir,
                submission_id=job.submission_id,
                remote_job_id=job.remote_job_id,
                cores=job.cores_per_node,
                mode=job.launch_mode,
                submitted=job.remote_submitted,
                max_minutes=job.max_minutes,
                leftover=places[job.uuid].leftover,
                notes=notes.get(job.exec_system_id, {}),
            )
            for job in jobs
        ]

    async def _notes(self, jobs: Sequence[Job], places: Mapping[str, Place]) -> dict[str, Mapping[str, Any]]:
        """Return system -> what its notes say now of its scheduler, for schedulers that are told there."""
        told = {job.exec_system_id for job in jobs if places[job.uuid].scheduler in TOLD_BY_NOTES}
        return {name: scheduler_notes(await self._system(name)) for name in told}

    async def rounds(self, lane: Lane, own: tuple[float, float]) -> tuple[float, float]:
        """Return a scheduler's shortest and longest gap between rounds, as the lane's system wants them.

        What cannot be read there (the system is gone, or was stored before the rule) changes nothing.
        """
        try:
            system = await self._system(lane.key[0])
            return spaced(own, min_update_seconds(system.notes))
        except TapisJobsError:
            return own

    async def by_scheduler(self, jobs: Sequence[Job]) -> list[tuple[str, list[Job]]]:
        """Return jobs by the name of the scheduler that has them, or is to have them."""
        places = await self._places(jobs)
        groups: dict[str, list[Job]] = {}
        for job in jobs:
            groups.setdefault(places[job.uuid].scheduler, []).append(job)
        return list(groups.items())

    async def read_marks(self, lane: Lane, jobs: Sequence[Job]) -> dict[str, Marks]:
        """Read what the directories of *jobs* tell, in one round trip."""
        transport = await self.transport(lane)
        places = await self._places(jobs)
        paths = {
            f"{places[job.uuid].exec_dir}/{name}": (job.uuid, name)
            for job in jobs
            for name in _telling(job, places[job.uuid])
        }
        contents: dict[str, dict[str, tuple[str, float]]] = {job.uuid: {} for job in jobs}
        for path, content in (await transport.get(list(paths))).items():
            uuid, name = paths[path]
            contents[uuid][name] = (content.data.decode("utf-8", "replace"), content.modified)
        return {uuid: marks.read_marks(found) for uuid, found in contents.items()}


def _telling(job: Job, place: Place) -> Iterable[str]:
    """Return the files that tell of a job; one with a container has its number too."""
    return (*marks.TELLING, f"{job.uuid}{CONTAINER_ID}") if place.leftover else marks.TELLING
