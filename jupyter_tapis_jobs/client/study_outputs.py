"""Outputs of many cases: from what is kept on this machine, else fetched in few calls."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..model.errors import NotFoundError
from ..model.extensions import Extension
from ..model.globs import names_matching
from . import bulk
from .collecting import fetched_matching, fetched_or_missing
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

    def matching(self, pattern: str) -> tuple[dict[str, dict[str, bytes]], dict[str, str]]:
        """Return name -> uuid -> content of the outputs that a glob means, and uuid -> why one is not there.

        Names and uuids are in order.
        """
        names_matching((), pattern)
        of_jobs = self._kept_matching(pattern)
        wanted = [uuid for uuid in self.jobs if uuid not in of_jobs]
        problems: dict[str, str] = {}
        for start in range(0, len(wanted), _FETCHED):
            came, missing = self._fetched_matching(wanted[start : start + _FETCHED], pattern)
            of_jobs |= came
            problems |= missing
            whole = came.keys() - missing.keys()
            self._keep_matching(pattern, {uuid: came[uuid] for uuid in came if uuid in whole})
        names = sorted({name for contents in of_jobs.values() for name in contents})
        by_name: dict[str, dict[str, bytes]] = {name: {} for name in names}
        for uuid in self.jobs:
            for name, content in of_jobs.get(uuid, {}).items():
                by_name[name][uuid] = content
        return by_name, problems

    def _fetched_matching(
        self, uuids: Sequence[str], pattern: str
    ) -> tuple[dict[str, Mapping[str, bytes]], dict[str, str]]:
        if self.tapis.can(Extension.BULK):
            contents, missing = fetched_matching(self.tapis.connection, uuids, pattern)
            return dict(contents), {uuid: _none_of(pattern, words) for uuid, words in missing.items()}
        return self._one_by_one(uuids, pattern)

    def _one_by_one(
        self, uuids: Sequence[str], pattern: str
    ) -> tuple[dict[str, Mapping[str, bytes]], dict[str, str]]:
        """List the outputs of each job, then fetch those of the same name together."""
        having: dict[str, list[str]] = {}
        problems: dict[str, str] = {}
        listed = bulk.side_by_side(_paths, [self.jobs[uuid] for uuid in uuids])
        for uuid, names in zip(uuids, listed, strict=True):
            matching = names_matching(names, pattern)
            for name in matching:
                having.setdefault(name, []).append(uuid)
            if not matching:
                problems[uuid] = _none_of(pattern, "has no output")
        found: dict[str, dict[str, bytes]] = {}
        for name, some in having.items():
            contents, missing = self._fetched(some, name)
            problems |= missing
            for uuid, content in contents.items():
                found.setdefault(uuid, {})[name] = content
        return dict(found), problems

    def _kept_matching(self, pattern: str) -> dict[str, Mapping[str, bytes]]:
        """Return uuid -> name -> content where names and contents of an ended job are kept."""
        lists = self.kept.get(list(self.jobs), _list_of(pattern)) if self.kept else {}
        names = {uuid: json.loads(text) for uuid, text in lists.items()}
        having: dict[str, list[str]] = {}
        for uuid, some in names.items():
            for name in some:
                having.setdefault(name, []).append(uuid)
        kept = {name: self.kept.get(uuids, name) for name, uuids in having.items()} if self.kept else {}
        return {
            uuid: {name: kept[name][uuid] for name in some}
            for uuid, some in names.items()
            if all(uuid in kept[name] for name in some)
        }

    def _keep_matching(self, pattern: str, came: Mapping[str, Mapping[str, bytes]]) -> None:
        ended = {uuid: found for uuid, found in came.items() if is_terminal(self.jobs[uuid].last_status)}
        by_name: dict[str, dict[str, bytes]] = {}
        for uuid, found in ended.items():
            for name, content in found.items():
                by_name.setdefault(name, {})[uuid] = content
        for name, contents in by_name.items():
            self.keep.put(contents, name)
        self.keep.put({uuid: json.dumps(list(found)).encode() for uuid, found in ended.items()},
                      _list_of(pattern))  # fmt: skip

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


def _list_of(pattern: str) -> str:
    """Return where the names of a job's outputs are kept that a glob means; no output is called so."""
    return f"\0{pattern}"


def _none_of(path: str, words: str) -> str:
    return f"no output {path}" if "has no output" in words else words.rstrip(".")
