"""Old jobs leave for good: their folders on hosts, what hosts keep for later jobs, then their rows.

A folder is only ever taken away when it is the job's alone: a part of its path holds the job's uuid. What an
app or request put elsewhere (an archive on another system, a directory with a name of its own) stays.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TypeVar

from ..model.errors import NotFoundError, TapisJobsError
from ..model.job import Job, JobDefinition
from ..model.paths import join, within
from ..model.times import iso, parse_iso
from ..store import jobs as job_rows
from ..store import lease as lease_row
from ..store import postits as postit_rows
from ..store import purge as rows
from ..store import tokens as token_rows
from ..store import transfers as transfer_rows
from ..transports.base import Transport
from .lane import Lane, LaneKey
from .lane_folder import LaneFolders
from .ports import Ports
from .uploads import FOLDER as UPLOADS
from .uploads import NONE, Uploads, named_in, swept

log = logging.getLogger(__name__)
T = TypeVar("T")

_DAY = 24 * 3600.0
#: Seconds between two looks for what is past its time, and after a start until the first.
LOOK, FIRST_LOOK = _DAY, 600.0
#: Folders of one script; seconds until it is given up.
FOLDERS, PATIENCE = 200, 600.0
#: Jobs that leave the store in one transaction.
FORGOTTEN = 1000
#: What hosts keep for later jobs is needed for this many days at least.
CACHE_DAYS = 1

_SIZES = "du -sk -- {folders} 2> /dev/null | awk '{{ sum += $1 }} END {{ print sum + 0 }}'\n"
_REMOVE = 'rm -rf -- {folders}\nfor f in {folders}; do [ ! -e "$f" ] && [ ! -L "$f" ] || echo "$f"; done\n'
_CACHES = """\
for d in {folder}/inputs {folder}/submissions; do
  [ ! -d "$d" ] || find "$d" -mindepth 1 -maxdepth 1 -mtime +{days} -exec rm -rf -- {{}} +
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPurge:
    """What is taken away at one host, as one user there."""

    system_id: str
    effective_user: str
    jobs: int
    folders: int
    #: None where the host could not tell.
    size: int | None = None
    #: Why jobs there stay; "" when all go.
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What is, or would be, taken away. ``before`` is the moment that jobs ended before, ISO-8601 UTC."""

    before: str
    is_dry_run: bool
    jobs: tuple[Job, ...] = ()
    events: int = 0
    hosts: tuple[HostPurge, ...] = ()
    uploads: Uploads = NONE
    #: uuids of jobs that stay, because their host could not be cleaned.
    kept: tuple[str, ...] = ()


@dataclass(slots=True)
class _AtHost:
    """The old jobs of one lane and their folders."""

    key: LaneKey
    jobs: list[Job] = field(default_factory=list)
    #: Folder -> the uuid of its job.
    folders: dict[str, str] = field(default_factory=dict)


class Purge:
    """Takes old jobs away, lane by lane; those of a host that cannot be reached stay until it can."""

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        lane: Callable[[LaneKey], Lane],
        folders: LaneFolders,
        is_busy: Callable[[LaneKey], bool],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._lane = lane
        self._folders = folders
        self._is_busy = is_busy
        self._uploads = ports.database.path.parent / UPLOADS

    async def run(
        self,
        before: str,
        *,
        owner: str | None,
        dry_run: bool = True,
        forget_unreachable: bool = False,
        uploads: bool = False,
    ) -> Purged:
        """Take away the jobs of *owner* (None: of all) that ended before *before*; with *dry_run* only tell.

        *forget_unreachable* takes jobs out of the store although their host cannot be cleaned. With *uploads*
        the server's uploads go, too, that are as old and that none of the jobs left needs.
        """
        if not dry_run:
            # An engine that has slept past its lease finds it out before it touches a host.
            await self._ports.write(lambda connection: None, epoch=self._epoch)
        old = await self._ports.read(lambda c: rows.ended_before(c, before, owner))
        definitions = await self._ports.read(lambda c: job_rows.definitions(c, [job.id for job in old]))
        hosts: list[HostPurge] = []
        kept: set[str] = set()
        for there in _by_host(old, definitions):
            host, stay = await self._at_host(there, before, dry_run=dry_run)
            hosts.append(host)
            kept |= stay
        if forget_unreachable:
            kept.clear()
        going = [job for job in old if job.uuid not in kept]
        events = await self._ports.read(lambda c: rows.count_events(c, [job.id for job in going]))
        if not dry_run:
            await self._forget(going)
        return Purged(
            before=before,
            is_dry_run=dry_run,
            jobs=tuple(going),
            events=events,
            hosts=tuple(hosts),
            uploads=await self._sweep_uploads(before, going, dry_run=dry_run) if uploads else NONE,
            kept=tuple(job.uuid for job in old if job.uuid in kept),
        )

    async def keep_house(self, days: int) -> None:
        """Once a day take away what ended *days* days ago, of everybody: jobs, transfers and postits."""
        clock = self._ports.clock
        await clock.sleep(FIRST_LOOK)
        while True:
            try:
                before = iso(clock.now() - days * _DAY)
                _note(await self.run(before, owner=None, dry_run=False, uploads=True), days)
                await self._ports.write(partial(transfer_rows.remove_ended, before=before), epoch=self._epoch)
                await self._ports.write(partial(postit_rows.remove_expired, before=before), epoch=self._epoch)
            except lease_row.LeaseLostError:
                return
            except (TapisJobsError, OSError) as trouble:
                log.warning("Old jobs could not be removed: %s", trouble)
            await clock.sleep(LOOK)

    async def _at_host(self, there: _AtHost, before: str, *, dry_run: bool) -> tuple[HostPurge, set[str]]:
        """Measure or remove the folders at one host; return also the uuids that stay.

        Trouble is told, not raised.
        """
        system_id, user = there.key
        found = HostPurge(
            system_id=system_id, effective_user=user, jobs=len(there.jobs), folders=len(there.folders)
        )
        try:
            host = await self._folders.transport(self._lane(there.key))
            found = replace(found, size=await _measured(host, list(there.folders)))
            if dry_run:
                return found, set()
            left = await _removed(host, list(there.folders))
            await self._sweep(host, there.key, before)
        except NotFoundError as gone:
            trouble = f"the system is gone, and with it the way there: {gone.message}"
        except TapisJobsError as cause:
            trouble = cause.message
        except OSError as cause:
            trouble = str(cause)
        else:
            told = f"{left[0]} cannot be removed there ({len(left)} folders stay)." if left else ""
            return replace(found, trouble=told), {there.folders[folder] for folder in left}
        return replace(found, trouble=trouble), {job.uuid for job in there.jobs}

    async def _sweep(self, host: Transport, key: LaneKey, before: str) -> None:
        """Remove what the host keeps for later jobs and is as old, while no job of the lane runs."""
        if self._is_busy(key):
            return
        age = (self._ports.clock.now() - parse_iso(before)) / _DAY
        folder = shlex.quote(self._lane(key).folder)
        await host.run(_CACHES.format(folder=folder, days=max(CACHE_DAYS, int(age))), timeout=PATIENCE)

    async def _sweep_uploads(self, before: str, gone: Sequence[Job], *, dry_run: bool) -> Uploads:
        """Remove uploads that only *gone* needed, or nobody; what is new may be on its way to a job."""
        older = min(parse_iso(before), self._ports.clock.now() - CACHE_DAYS * _DAY)
        ids = {job.id for job in gone}
        needed = await self._ports.read(
            lambda c: named_in(rows.requests_naming(c, f"/{UPLOADS}/", without=ids))
        )
        return await self._ports.workers.read(lambda: swept(self._uploads, older, needed, dry_run=dry_run))

    async def _forget(self, gone: Sequence[Job]) -> None:
        """Take jobs out of the store, some at a time: others write in between."""
        for start in range(0, len(gone), FORGOTTEN):
            part = gone[start : start + FORGOTTEN]
            await self._ports.write(partial(rows.remove, gone=part), epoch=self._epoch)
        await self._ports.write(
            partial(token_rows.forget_expired, now=iso(self._ports.clock.now())), epoch=self._epoch
        )


def _note(done: Purged, days: int) -> None:
    """Leave word in the log of what was taken away by itself, and of what was not."""
    if done.jobs:
        log.info("%d jobs that ended more than %d days ago were removed.", len(done.jobs), days)
    for host in done.hosts:
        if host.trouble:
            log.warning("Old jobs of %s stay: %s", host.system_id, host.trouble)


def own_folders(job: Job, definition: JobDefinition) -> list[str]:
    """Return the directories on the execution host that are the job's alone, without one inside another."""
    places = (
        definition.exec_system_exec_dir,
        definition.exec_system_input_dir,
        definition.exec_system_output_dir,
    )
    own: list[str] = []
    for place in places:
        path = PurePosixPath(join(definition.root_dir, place))
        parts = next((n for n, part in enumerate(path.parts, 1) if job.uuid in part), None)
        folder = str(PurePosixPath(*path.parts[:parts])) if parts is not None else None
        if folder is not None and not any(within(known, folder) for known in own):
            own.append(folder)
    return own


def _by_host(old: Iterable[Job], definitions: dict[int, JobDefinition]) -> list[_AtHost]:
    lanes: dict[LaneKey, _AtHost] = {}
    for job in old:
        there = lanes.setdefault(job.lane, _AtHost(job.lane))
        there.jobs.append(job)
        there.folders.update(dict.fromkeys(own_folders(job, definitions[job.id]), job.uuid))
    return list(lanes.values())


async def _measured(host: Transport, folders: Sequence[str]) -> int | None:
    """Return the bytes below *folders*; None where the host does not tell in time."""
    total = 0
    for start in range(0, len(folders), FOLDERS):
        script = _SIZES.format(folders=_words(folders[start : start + FOLDERS]))
        answer = await host.run(script, timeout=PATIENCE)
        if answer.exit_code or not answer.stdout.strip().isdigit():
            return None
        total += int(answer.stdout) * 1024
    return total


async def _removed(host: Transport, folders: Sequence[str]) -> list[str]:
    """Remove *folders*; return those that are still there."""
    left: list[str] = []
    for start in range(0, len(folders), FOLDERS):
        part = _words(folders[start : start + FOLDERS])
        answer = await host.run(_REMOVE.format(folders=part), timeout=PATIENCE)
        left += answer.stdout.splitlines()
    return left


def _words(folders: Iterable[str]) -> str:
    return " ".join(map(shlex.quote, folders))
