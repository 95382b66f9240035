"""One output of many cases: from what is kept on this machine, else fetched in few calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..model.errors import NotFoundError
from ..model.extensions import Extension
from . import bulk
from .collecting import fetched_or_missing
from .job import Job
from .output_cache import OutputCache
from .words import is_terminal

if TYPE_CHECKING:
    from .tapis import Tapis

#: Jobs of one answer, so that a broken link loses little.
_FETCHED = 2000


@dataclass(frozen=True, slots=True)
class Fetch:
    """The way to the outputs of *jobs*; ``kept`` is asked first, ``keep`` takes what came."""

    tapis: Tapis
    jobs: Mapping[str, Job]
    kept: OutputCache | None
    keep: OutputCache

    def outputs(self, uuids: Sequence[str], path: str) -> tuple[dict[str, bytes], dict[str, str]]:
        """Return uuid -> content of the output *path*, and uuid -> why it cannot be had."""
        contents = self.kept.get(uuids, path) if self.kept else {}
        problems: dict[str, str] = {}
        wanted = [uuid for uuid in uuids if uuid not in contents]
        for start in range(0, len(wanted), _FETCHED):
            came, missing = self._fetched(wanted[start : start + _FETCHED], path)
            contents |= came
            problems |= missing
            ended = {uuid: data for uuid, data in came.items() if is_terminal(self.jobs[uuid].last_status)}
            self.keep.put(ended, path)
        return {uuid: contents[uuid] for uuid in uuids if uuid in contents}, problems

    def listed(self) -> dict[str, list[str]]:
        """Return uuid -> the paths of its outputs."""
        jobs = list(self.jobs.values())
        found = bulk.side_by_side(_paths, jobs)
        return dict(zip(self.jobs, found, strict=True))

    def _fetched(self, uuids: Sequence[str], path: str) -> tuple[Mapping[str, bytes], Mapping[str, str]]:
        if self.tapis.can(Extension.BULK):
            contents, missing = fetched_or_missing(self.tapis.connection, uuids, path)
            return contents, {uuid: _none_of(path, words) for uuid, words in missing.items()}
        read = bulk.side_by_side(lambda uuid: self._one(uuid, path), uuids)
        came = {uuid: data for uuid, data in zip(uuids, read, strict=True) if isinstance(data, bytes)}
        lost = {uuid: words for uuid, words in zip(uuids, read, strict=True) if isinstance(words, str)}
        return came, lost

    def _one(self, uuid: str, path: str) -> bytes | str:
        try:
            return self.jobs[uuid].read_bytes(path)
        except NotFoundError:
            return _none_of(path, "has no output")


def _paths(job: Job) -> list[str]:
    try:
        return [str(row["path"]) for row in job.output_rows()]
    except NotFoundError:
        # Purged, or removed on its host: one such job must not lose the others.
        return []


def _none_of(path: str, words: str) -> str:
    return f"no output {path}" if "has no output" in words else words.rstrip(".")
