"""Those that wait at one station: in what order they are taken, and who rests until the station is woken."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from itertools import islice

from ..model.job import Job
from ..model.status import JobStatus
from .turns import Group, Turns, group_of


class Waiting:
    """The jobs at one station, by uuid in order of arrival; empty is False."""

    def __init__(self, status: JobStatus) -> None:
        self._status = status
        #: In order, each once: one that its owner held here meanwhile still has its place.
        self._uuids: dict[str, None] = {}
        self._resting: set[str] = set()
        self._turns = Turns()

    def __bool__(self) -> bool:
        return bool(self._uuids)

    def append(self, uuid: str) -> None:
        """Let one more wait."""
        self._uuids.setdefault(uuid)

    def take(self, jobs: Mapping[str, Job], most: int, held: Container[Group]) -> list[Job]:
        """Take the next cohort out of all active *jobs*: in turns, none of the groups that are *held*."""
        present = [jobs[uuid] for uuid in self._uuids if uuid in jobs]
        ready = (job for job in present if job.status is self._status and job.uuid not in self._resting)
        free = (job for job in ready if group_of(job) not in held) if held else ready
        taken = list(islice(self._turns.of(free), most))
        gone = {job.uuid for job in taken}
        self._uuids = {job.uuid: None for job in present if job.uuid not in gone}
        return taken

    def put_back(self, cohort: Iterable[Job], stayed: Sequence[str]) -> None:
        """Let those of a cohort that *stayed* wait in front; the others have had their turn."""
        self._uuids = dict.fromkeys(stayed) | self._uuids
        kept = set(stayed)
        self._turns.went(job for job in cohort if job.uuid not in kept)

    def rest(self, uuids: Iterable[str]) -> None:
        """Do not take these until all are roused."""
        self._resting.update(uuids)

    def rests(self, uuids: Collection[str]) -> bool:
        """Tell whether all of these rest."""
        return self._resting.issuperset(uuids)

    def rouse(self) -> None:
        """Nobody rests any more."""
        self._resting.clear()
