"""The job engine: everything a server asks of it, in one place. Lives on one event loop."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from ..model.annotations import Annotate, Annotation
from ..model.errors import ConflictError, InvalidInputError, NotFoundError, StoreError, TapisJobsError
from ..model.fields import JobType
from ..model.job import Job, JobDefinition, JobEvent
from ..model.limits import smallest
from ..model.paths import join
from ..model.resolve import definition_json
from ..model.search import JobQuery
from ..model.status import EventType, JobStatus
from ..model.system import System
from ..model.times import iso
from ..model.user import User
from ..store import jobs as job_rows
from ..store import lease as lease_row
from ..store.jobs import Change
from ..store.page import Page
from ..store.search import search as search_jobs
from ..transports.base import FileInfo
from .apps import AppCatalog
from .archive import Archiver
from .collect import collected, refused
from .conveyor import HANDED_OVER, Conveyor, Listener
from .desks import Desks
from .download import Download
from .files import FileService
from .host_variables import HostVariables
from .hosts import RealHosts
from .job_sharing import JobSharing
from .lane import Lane, LaneKey
from .lane_folder import LaneFolders
from .linux import LinuxTools
from .notifier import Notifier
from .on_host import OnHost, Place
from .outputs import Outputs
from .oversight import Oversight
from .ports import Ports
from .postits import PostIts
from .preview import Preview, told_origins
from .purge import Purge
from .quota import Limits
from .rights import PathRights, Resource, job_shares, path_rights, refuse_job
from .settling import Settling
from .sources import Fetch, Sources
from .staging import Staging
from .starter import Starter
from .stations import Stations
from .submission import Accepted, Submission
from .subscriptions import Subscriptions
from .systems import LOCAL, SystemCatalog
from .tracker import FORK, Tracker
from .transfers import Transfers
from .wrapper import launch_script

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two renewals of the lease, which runs for three times as long.
RENEWAL = 10.0
#: Seconds until a scheduler is told again to end a job.
CANCEL_AGAIN = 20.0
#: Cores that FORK jobs share on a host that is reached over SSH: it is others' machine, too.
SSH_FORK_CORES = 16
#: Jobs of this machine that a station takes at once.
LOCAL_COHORT = 250
#: Seconds between two back-up copies of the store.
BACKUP = 24 * 3600.0
#: Definitions that are kept in memory.
DEFINITIONS = 10_000
#: Characters of a user event (Tapis Jobs, "sendEvent").
EVENT_DATA, EVENT_DETAIL = 16384, 64


class Engine:
    """Accepts jobs, carries them to their end and tells about them.

    Calls on jobs take the caller's ``User``; another user's job is a ``NotFoundError``.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        folder: Path,
        apps: AppCatalog,
        systems: SystemCatalog,
        fetch: Fetch,
        epoch: int,
        fork_cores: int | None,
        store_id: str,
        server_user: User | None = None,
        retention_days: int = 0,
        on_lease_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._ports = ports
        self._folder = folder
        self._epoch = epoch
        self._fork_cores = fork_cores
        self._retention_days = retention_days
        self._lanes: dict[LaneKey, Lane] = {}
        self._known_definitions: OrderedDict[int, JobDefinition] = OrderedDict()
        self._places: dict[str, Place] = {}
        self._on_lease_lost = on_lease_lost
        self._leased_until = ports.clock.ticks() + lease_row.SECONDS
        self.database = ports.database
        self.apps = apps
        self.systems = systems
        self.files = FileService(ports.hosts, systems)
        self.linux = LinuxTools(self.files)
        self.postits = PostIts(ports, self.files)
        self.transfers = Transfers(
            ports,
            self.files,
            fetch=fetch,
            epoch=epoch,
            person=partial(_person, server_user),
            may_act=lambda: ports.clock.ticks() < self._leased_until,
        )
        self.desks = Desks(ports, systems, on_ready=lambda system_id: self._conveyor.try_now(system_id))
        sources = Sources(ports, system=self._system, paths=self._paths_of, fetch=fetch)
        variables = HostVariables(ports)
        self._submission = Submission(ports, apps, systems, sources, variables)
        self._outputs = Outputs(ports, sources)
        folders = LaneFolders(ports, epoch=epoch, store_id=store_id)
        on_host = OnHost(folders, self._places_of)
        starter = Starter(
            ports, epoch=epoch, on_host=on_host, definitions=self._definitions, system=self._system
        )
        oversight = Oversight(
            note=self._note,
            is_wanted=self._is_wanted,
            wake=lambda lane, status: self._conveyor.wake(lane, status),
        )
        self._stations = Stations(
            staging=Staging(
                ports,
                definitions=self._definitions,
                sources=sources,
                folders=folders,
                oversight=oversight,
                settle=Settling(variables, system=self._system, redefine=self._redefine).settle,
            ),
            starter=starter,
            archiver=Archiver(ports, self._definitions, sources, oversight=oversight),
            limits=self._limits,
        )
        self._conveyor = Conveyor(
            ports, epoch=epoch, stations=self._stations.table, lane=self._lane, on_lease_lost=on_lease_lost
        )
        self._tracker = Tracker(ports, self._conveyor, on_host, lane=self._lane)
        self._stations.conveyor = self._conveyor
        starter.conveyor = self._conveyor
        self._conveyor.follow = self._tracker.follow
        self._conveyor.on_end = self._ended
        self._conveyor.subscribe(self._outputs.hear)
        self.subscriptions = Subscriptions(
            ports, epoch=epoch, job_of=self._owned, announce=self._conveyor.announce
        )
        self.sharing = JobSharing(
            ports, epoch=epoch, owned=self._owned, seen=self._seen, announce=self._conveyor.announce
        )
        self._notifier = Notifier(ports, epoch=epoch, on_lease_lost=on_lease_lost)
        self._conveyor.subscribe(self._notifier.hear)
        self.purge = Purge(
            ports,
            epoch=epoch,
            lane=self._lane,
            folders=folders,
            is_busy=lambda key: any(job.lane == key for job in self._conveyor.jobs.values()),
        )
        self._tracker.on_late_cancel = lambda uuids: self._end_soon(uuids, "late cancel")

    # -- life

    async def start(self) -> None:
        """Take up every job where it is stored, and keep the lease."""
        active = await self._read(job_rows.active)
        self._conveyor.enter(active)
        self._notifier.wake()
        await self.sharing.start()
        self._ports.spawn(self._keep_lease(), "lease")
        await self.transfers.start()
        self._ports.spawn(self._back_up(), "back-up")
        if self._retention_days:
            self._ports.spawn(self.purge.keep_house(self._retention_days), "retention")
        self._ports.spawn(self._tracker.look_again(), "look after start")
        self._ports.spawn(self._resume(active), "resume after start")

    async def _resume(self, active: Sequence[Job]) -> None:
        """What the engine was asked or waited for before it ended, it does now."""
        asked = [job.uuid for job in active if job.cancel_requested]
        await self._end(asked)
        await self._conveyor.unblock(job.uuid for job in active if job.status is JobStatus.BLOCKED)

    async def _keep_lease(self) -> None:
        """Renew the lease; without it this engine must not act (the store and the hosts refuse it too)."""
        while True:
            await self._ports.clock.sleep(RENEWAL)
            begun = self._ports.clock.ticks()
            try:
                await self._write(lambda c: lease_row.renew(c, self._epoch, self._ports.clock.now()))
                self._leased_until = begun + lease_row.SECONDS
            except lease_row.LeaseLostError:
                self._on_lease_lost()
                return
            except StoreError as trouble:
                log.error("The lease cannot be renewed now: %s", trouble.message)  # noqa: TRY400

    async def _back_up(self) -> None:
        """Copy the store once a day; a copy that fails harms nothing and is said."""
        while True:
            await self._ports.clock.sleep(BACKUP)
            try:
                await self._ports.workers.read(self.database.backup)
            except StoreError as trouble:
                log.warning("The store could not be backed up: %s", trouble.message)

    def _is_wanted(self, uuid: str) -> bool:
        """Tell whether bytes may still be moved for a job: by an engine that slept they may not."""
        job = self._conveyor.jobs.get(uuid)
        return (
            job is not None
            and job.cancel_requested is None
            and self._ports.clock.ticks() < self._leased_until
        )

    def _note(self, uuids: Sequence[str], text: str) -> None:
        """Let owners see how far the bytes of their jobs are; a note that is lost harms nothing."""

        async def store() -> None:
            with suppress(StoreError, lease_row.LeaseLostError):
                await self._conveyor.note(dict.fromkeys(uuids, text))

        self._ports.spawn(store(), "note of progress")

    def health(self) -> dict[str, Any]:
        """Return the engine's state: epoch, number of active jobs, jobs by status."""
        counts: dict[str, int] = {}
        for job in self._conveyor.jobs.values():
            counts[job.status] = counts.get(job.status, 0) + 1
        return {"epoch": self._epoch, "activeJobs": len(self._conveyor.jobs), "byStatus": counts}

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call *listener* with (events, jobs) after each stored step; return the call that ends it.

        The listener runs on the engine's loop and must not block.
        """
        return self._conveyor.subscribe(listener)

    # -- accepting

    async def submit(
        self,
        user: User,
        raws: Sequence[Mapping[str, Any]],
        *,
        atomic: bool = False,
        launch_mode: str = "single",
        tracking_id: str | None = None,
    ) -> list[tuple[Job, JobDefinition] | TapisJobsError]:
        """Accept requests in one transaction; each becomes a job or the error that says why not.

        With *atomic* one bad request keeps all from being accepted. *launch_mode* is single, array, pack
        or auto: BATCH jobs of one call that are alike may be started together. *tracking_id* is the
        caller's own.
        """
        results = await self._submission.resolve_all(user, raws)
        accepted = [r for r in results if isinstance(r, Accepted)]
        if atomic and len(accepted) < len(results):
            return [_held_back() if isinstance(r, Accepted) else r for r in results]
        cohort = f"{self._ports.random.getrandbits(32):08x}" if launch_mode != "single" else None
        asked = [_as_asked(a, launch_mode, cohort, tracking_id) for a in accepted]
        stored = iter(await self._store(user, asked))
        return [next(stored) if isinstance(r, Accepted) else r for r in results]

    async def _store(self, user: User, accepted: Sequence[Accepted]) -> list[tuple[Job, JobDefinition]]:
        if not accepted:
            return []

        def work(connection: Connection) -> job_rows.Inserted:
            lease_row.check(connection, self._epoch)
            rows = [(a.job, json.dumps(dict(a.raw)), definition_json(a.definition)) for a in accepted]
            stored = job_rows.insert(connection, rows)
            made = [a.definition for a in accepted]
            self.subscriptions.store_new(connection, list(zip(stored, made, strict=True)), stored.events)
            return stored

        jobs = await self._write(work)
        self._known_definitions.update({job.id: a.definition for job, a in zip(jobs, accepted, strict=True)})
        self._conveyor.announce(jobs.events, jobs)
        self._conveyor.enter(jobs)
        return [(job, a.definition) for job, a in zip(jobs, accepted, strict=True)]

    async def validate(self, user: User, raw: Mapping[str, Any]) -> Preview:
        """Return what *raw* would become, with its launch script and environment; store nothing."""
        (result,) = await self._submission.resolve_all(user, [raw])
        if not isinstance(result, Accepted):
            raise result
        job, definition = result.job, result.definition
        lines = self._ports.runtimes[definition.app_runtime].launch_lines(job, definition, None)
        script = launch_script(job, definition, lines, events=self._lane(job.lane).events)
        origins = await self._ports.workers.read(
            lambda: told_origins(raw, job, definition, self.apps, self.systems)
        )
        return Preview(job, definition, script, lines.environment, origins)

    async def resubmit(
        self, user: User, uuid: str, changes: Mapping[str, Any], *, tracking_id: str | None = None
    ) -> tuple[Job, JobDefinition]:
        """Submit a job's original request again, with *changes* laid over it, under a new uuid."""
        raw = {**await self.request(user, uuid), **changes}
        (result,) = await self.submit(user, [raw], tracking_id=tracking_id)
        if isinstance(result, TapisJobsError):
            raise result
        return result

    # -- telling

    async def job(self, user: User, uuid: str, part: Resource | None = None) -> tuple[Job, JobDefinition]:
        """Return a job and its definition: the user's own, or one of which *part* (any) is shared."""
        job = await self._seen(user, uuid, part)
        return job, (await self._definitions([job]))[uuid]

    async def request(self, user: User, uuid: str) -> dict[str, Any]:
        """Return the request as it was submitted."""
        job = await self._seen(user, uuid, Resource.JOB_RESUBMIT_REQUEST)
        raw: dict[str, Any] = json.loads(await self._read(lambda c: job_rows.request(c, job.id)))
        return raw

    async def history(self, user: User, uuid: str, limit: int = -1, skip: int = 0) -> list[JobEvent]:
        """Return a job's history, oldest first."""
        job = await self._seen(user, uuid, Resource.JOB_HISTORY)
        return await self._read(lambda c: job_rows.history(c, job.id, limit, skip))

    async def search(self, user: User, query: JobQuery) -> Page[Job]:
        """Return the user's jobs that *query* selects."""
        return await self._read(lambda c: search_jobs(c, query, user.name))

    async def events(self, user: User, after_id: int, limit: int) -> list[JobEvent]:
        """Return the user's stored events after *after_id*, oldest first."""
        return await self._read(lambda c: job_rows.events_after(c, user.name, after_id, limit))

    async def output_list(
        self,
        user: User,
        uuid: str,
        path: str,
        *,
        limit: int | None = None,
        skip: int = 0,
        allow_if_running: bool = False,
    ) -> Sequence[FileInfo]:
        """List outputs (Tapis Jobs, "output/list"): all levels, or one when *limit* or *skip* is given."""
        job, definition = await self.job(user, uuid, Resource.JOB_OUTPUT)
        return await self._outputs.list(
            job, definition, path, limit=limit, skip=skip, allow_if_running=allow_if_running
        )

    async def output_open(
        self, user: User, uuid: str, path: str, *, as_zip: bool = False, allow_if_running: bool = False
    ) -> Download:
        """Open an output for download; a directory comes as a zip file."""
        job, definition = await self.job(user, uuid, Resource.JOB_OUTPUT)
        return await self._outputs.open(
            job, definition, path, as_zip=as_zip, allow_if_running=allow_if_running
        )

    async def output_collect(self, user: User, uuids: Sequence[str], path: str) -> AsyncIterator[bytes]:
        """Yield a tar stream with the output *path* of each job, see ``collect.collected``."""
        found = await self._read(lambda c: job_rows.get_many(c, uuids))
        mine = await self._read(lambda c: [j for j in found.values() if _gives_output(c, user, j)])
        if uuids and not mine:
            raise NotFoundError(f"there is no job {uuids[0]}, or it is not yours.")
        definitions = await self._definitions(mine)
        own = {job.uuid for job in mine}
        for uuid in dict.fromkeys(u for u in uuids if u not in own):
            yield refused(uuid, f"there is no job {uuid}, or it is not yours.")
        jobs = [(job, definitions[job.uuid]) for job in mine]
        async for piece in collected(jobs, path, self._outputs.place):
            yield piece

    async def output_check(self, user: User, uuid: str, path: str) -> None:
        """Raise unless *path* may be followed; the output itself may come later."""
        await self._outputs.check(*await self.job(user, uuid, Resource.JOB_OUTPUT), path)

    async def output_follow(
        self, user: User, uuid: str, path: str, *, offset: int = 0
    ) -> AsyncIterator[bytes]:
        """Yield an output's bytes from *offset* as they are written, until the job has ended."""
        look = partial(self.job, user, uuid, Resource.JOB_OUTPUT)
        async for chunk in self._outputs.follow(look, path, offset):
            yield chunk

    # -- steering

    async def cancel(self, user: User, uuids: Sequence[str]) -> list[Job | TapisJobsError]:
        """Ask jobs to end. They are CANCELLED once their processes are really gone."""
        results: list[Job | TapisJobsError] = []
        for uuid in uuids:
            try:
                results.append(_cancellable(await self._owned(user, uuid)))
            except TapisJobsError as fault:
                results.append(fault)
        names = [r.uuid for r in results if isinstance(r, Job)]
        await self._note_cancel(names)
        await self._conveyor.end_waiting(names)
        self._end_soon(names, "cancel")
        return results

    async def _note_cancel(self, uuids: Iterable[str]) -> None:
        """Store that jobs shall end; those that moved on in the meantime are noted as they are now."""
        left = list(dict.fromkeys(uuids))
        while left:
            asked = iso(self._ports.clock.now())
            jobs = [self._conveyor.jobs[uuid] for uuid in left if uuid in self._conveyor.jobs]
            fresh = [job for job in jobs if not job.cancel_requested]
            moved_on = await self._conveyor.commit(
                [Change(before=job, after=job.evolve(cancel_requested=asked)) for job in fresh]
            )
            left = [uuid for uuid in left if uuid in moved_on]

    def _end_soon(self, uuids: Sequence[str], name: str) -> None:
        self._ports.spawn(self._end(uuids), name)

    async def _end(self, uuids: Sequence[str]) -> None:
        """End the processes of jobs that were handed to a host; try again while the host is in trouble."""
        try:
            await self._conveyor.end_waiting(uuids)
            jobs = [self._conveyor.jobs[uuid] for uuid in uuids if uuid in self._conveyor.jobs]
            there = [
                job for job in jobs if job.submission_id and (job.status in HANDED_OVER or _is_held(job))
            ]
            if there:
                await self._tracker.end(there, why="cancel")
            # What a scheduler takes its time to end is told by its marks; it is asked again all the same.
            left = [job.uuid for job in there if job.uuid in self._conveyor.jobs]
            if left:
                await self._ports.clock.sleep(CANCEL_AGAIN)
                self._end_soon([uuid for uuid in left if uuid in self._conveyor.jobs], "cancel again")
        except (TapisJobsError, OSError) as trouble:
            if isinstance(trouble, lease_row.LeaseLostError):
                return
            log.warning("%d jobs cannot be ended now (%s); tried again.", len(uuids), trouble)
            await self._ports.clock.sleep(RENEWAL)
            self._end_soon(uuids, "cancel again")

    async def set_visible(self, user: User, uuid: str, visible: bool) -> Job:
        """Hide a job from lists, or show it again."""
        job = await self._owned(user, uuid)
        if job.visible is visible:
            return job
        changed = job.evolve(visible=visible, last_updated=iso(self._ports.clock.now()))
        await self._conveyor.annotate(Change(before=job, after=changed))
        return await self.set_visible(user, uuid, visible)

    async def annotate(
        self, user: User, uuid: str, asked: Annotation, how: Annotate
    ) -> tuple[Job, JobDefinition]:
        """Change a job's tags and notes, whether it has ended or not (Tapis Jobs, "annotation")."""
        while True:
            await self._owned(user, uuid)
            job, definition = await self.job(user, uuid)
            tags, notes = how(asked, job.tags, definition.notes)
            after = job.evolve(tags=tags, last_updated=iso(self._ports.clock.now()))
            made: dict[int, JobDefinition] = {}

            def write(connection: Connection, job_id: int = job.id) -> None:
                # As it is stored: its directories may have been settled in between.
                stored = job_rows.definitions(connection, [job_id])[job_id]
                made[job_id] = replace(stored, tags=tags, notes=notes)  # noqa: B023
                job_rows.redefine(connection, [(job_id, definition_json(made[job_id]))])  # noqa: B023

            await self._conveyor.annotate(Change(before=job, after=after), write)
            if made:
                self._known_definitions.update(made)
                return after, made[job.id]

    async def send_event(self, user: User, uuid: str, data: str, detail: str = "DEFAULT") -> JobEvent:
        """Add a user's event to an active job's history (Tapis Jobs, "sendEvent")."""
        job = await self._owned(user, uuid)
        if job.status.is_terminal:
            raise InvalidInputError(
                f"job {job.name} is {job.status}; events go to active jobs only.", field="jobUuid"
            )
        if not 1 <= len(data) <= EVENT_DATA:
            raise InvalidInputError(
                f"eventData has {len(data):,} characters; 1 to {EVENT_DATA:,} are taken.", field="eventData"
            )
        if len(detail) > EVENT_DETAIL:
            raise InvalidInputError(
                f"eventDetail has {len(detail)} characters; at most {EVENT_DETAIL} are taken.",
                field="eventDetail",
            )
        event = JobEvent(
            job_uuid=uuid,
            owner=job.owner,
            event=EventType.JOB_USER_EVENT,
            event_detail=detail,
            created=iso(self._ports.clock.now()),
            description=data,
        )
        stored = await self._conveyor.annotate(Change(before=job, after=job, events=(event,)))
        return stored[0] if stored else await self.send_event(user, uuid, data, detail)

    # -- what the parts ask for

    def _lane(self, key: LaneKey) -> Lane:
        if key not in self._lanes:
            lane = Lane(key=key, fork_cores=SSH_FORK_CORES)
            if key[0] == LOCAL:
                lane.folder = str(self._folder / "lanes" / f"{key[0]}-{key[1]}")
                # Nothing travels on this machine: small cohorts let the first jobs start sooner.
                lane.fork_cores, lane.cohort = self._fork_cores, LOCAL_COHORT
            self._lanes[key] = lane
        return self._lanes[key]

    def _ended(self, jobs: Sequence[Job]) -> None:
        self._tracker.release(jobs)
        for job in jobs:
            self._places.pop(job.uuid, None)
        if any(job.status is JobStatus.BLOCKED for job in self._conveyor.jobs.values()):
            self._ports.spawn(self._let_in(), "places under quotas")

    async def _let_in(self) -> None:
        """Let those jobs go on that a quota held back and that would pass now, oldest first."""
        by_lane: dict[LaneKey, list[Job]] = {}
        for job in self._conveyor.waiting_for_a_place():
            by_lane.setdefault(job.lane, []).append(job)
        for key, waiting in by_lane.items():
            held = await self._stations.pending(self._lane(key), waiting)
            await self._conveyor.unblock(job.uuid for job in waiting if job.uuid not in held)

    async def _owned(self, user: User, uuid: str) -> Job:
        return await self._seen(user, uuid, owner_only=True)

    async def _seen(
        self, user: User, uuid: str, part: Resource | None = None, *, owner_only: bool = False
    ) -> Job:
        """Return a job of the user's, or (not *owner_only*) one of which *part*, or any, is shared."""
        job = self._conveyor.jobs.get(uuid)
        if job is None:
            job = await self._read(lambda c: job_rows.get(c, uuid))
        if (job.owner, job.tenant) != (user.name, user.tenant):
            shared = await self._read(lambda c: job_shares(c, user, job))
            refuse_job(uuid, job.name, shared, part, owner_only=owner_only)
        return job

    async def _definitions(self, jobs: Sequence[Job]) -> dict[str, JobDefinition]:
        missing = [job.id for job in jobs if job.id not in self._known_definitions]
        if missing:
            self._known_definitions.update(await self._read(lambda c: job_rows.definitions(c, missing)))
        found = {job.uuid: self._known_definitions[job.id] for job in jobs}
        while len(self._known_definitions) > max(DEFINITIONS, len(jobs)):
            self._known_definitions.popitem(last=False)
        return found

    async def _redefine(self, changed: Sequence[tuple[Job, JobDefinition]]) -> None:
        """Store what jobs have become now that their host was asked."""

        def work(connection: Connection) -> None:
            lease_row.check(connection, self._epoch)
            stored = job_rows.definitions(connection, [job.id for job, _ in changed])
            for job, made in changed:
                # Its owner may have annotated it in between.
                kept[job.id] = replace(made, tags=stored[job.id].tags, notes=stored[job.id].notes)
            job_rows.redefine(connection, [(i, definition_json(made)) for i, made in kept.items()])

        kept: dict[int, JobDefinition] = {}
        await self._write(work)
        self._known_definitions.update(kept)

    async def _places_of(self, jobs: Sequence[Job]) -> Mapping[str, Place]:
        """Return uuid -> where it is on its host, remembered for as long as the job lives."""
        unknown = [job for job in jobs if job.uuid not in self._places]
        for uuid, definition in (await self._definitions(unknown) if unknown else {}).items():
            runtime = self._ports.runtimes[definition.app_runtime]
            self._places[uuid] = _place(definition, runtime.leftover(uuid))
        return {job.uuid: self._places[job.uuid] for job in jobs}

    async def _limits(self, jobs: Sequence[Job]) -> dict[str, Limits]:
        """Return what each job's system, queue and app allow now."""
        # No set: the order of what happens is repeatable.
        kinds = dict.fromkeys(
            (j.exec_system_id, j.exec_system_logical_queue, j.app_id, j.app_version) for j in jobs
        )
        found = {kind: await self._ports.workers.read(partial(self._limit, *kind)) for kind in kinds}
        return {
            j.uuid: found[j.exec_system_id, j.exec_system_logical_queue, j.app_id, j.app_version]
            for j in jobs
        }

    def _limit(self, system_id: str, queue_name: str | None, app_id: str, app_version: str) -> Limits:
        system = self.systems.find(system_id)
        app = self.apps.find(app_id, app_version)
        queue = system.queues.get(queue_name or "")
        off = [f"app {app_id} {app_version}"] * (not (app.enabled and app.version_enabled))
        off += [f"system {system_id}"] * (not system.enabled)
        return Limits(
            on_system=smallest(system.job_max_jobs, app.max_jobs),
            per_owner=smallest(system.job_max_jobs_per_user, app.max_jobs_per_user),
            on_queue=queue.max_jobs if queue else None,
            per_owner_on_queue=queue.max_jobs_per_user if queue else None,
            disabled=f"{off[0]} is disabled; the job goes on when it is enabled again." if off else "",
        )

    async def _paths_of(self, name: str, system: System) -> PathRights:
        """Return what the jobs of a user may do with the paths of a system."""
        hosts = self._ports.hosts
        is_server_user = name == hosts.server_user if isinstance(hosts, RealHosts) else True
        user = User(name, "", is_server_user)
        return await self._read(lambda conn: path_rights(conn, user, system, in_job=True))

    async def _system(self, system_id: str) -> System:
        return await self._ports.workers.read(lambda: self.systems.find(system_id))

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await self._ports.workers.read(lambda: self.database.read(work))

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self._ports.workers.write(lambda: self.database.write(work))


def _place(definition: JobDefinition, leftover: str) -> Place:
    is_fork = definition.job_type == JobType.FORK
    scheduler = FORK if is_fork else definition.batch_scheduler or ""
    return Place(join(definition.root_dir, definition.exec_system_exec_dir), scheduler, leftover)


def _gives_output(connection: Connection, user: User, job: Job) -> bool:
    shared = job_shares(connection, user, job)
    return shared is None or Resource.JOB_OUTPUT in shared


def _cancellable(job: Job) -> Job:
    if job.status.is_terminal:
        raise ConflictError(f"job {job.name} is {job.status} already; there is nothing to cancel.")
    return job


def _is_held(job: Job) -> bool:
    return job.status in (JobStatus.BLOCKED, JobStatus.PAUSED)


def _held_back() -> InvalidInputError:
    return InvalidInputError("not accepted, because another request of the same call is wrong (atomic=true).")


def _as_asked(accepted: Accepted, launch_mode: str, cohort: str | None, tracking_id: str | None) -> Accepted:
    is_batch = accepted.job.job_type == JobType.BATCH
    mode, together = (launch_mode, cohort) if is_batch else ("single", None)
    if mode == "single" and tracking_id is None:
        return accepted
    job = accepted.job.evolve(launch_mode=mode, cohort_id=together, tracking_id=tracking_id)
    return Accepted(job, accepted.definition, accepted.raw)


def _person(server_user: User | None, name: str) -> User:
    """Return the user of a name, as who they are at this server."""
    if server_user is not None and server_user.name == name:
        return server_user
    return User(name=name, tenant=server_user.tenant if server_user else "", is_server_user=False)
