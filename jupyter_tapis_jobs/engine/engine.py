"""The job engine: everything a server asks of it, in one place. Lives on one event loop."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ..model.errors import StoreError, TapisJobsError
from ..model.job import Job, JobDefinition
from ..model.processing import process_wish
from ..model.resolve import definition_json
from ..model.status import JobStatus
from ..model.system import System
from ..model.user import User
from ..secrets.callback_tokens import CallbackTokens
from ..store import jobs as job_rows
from ..store import lease as lease_row
from ..store import processings as processing_rows
from .apps import AppCatalog
from .archive import Archiver
from .callbacks import Callbacks
from .conveyor import Conveyor, Listener
from .desks import Desks
from .files import FileService
from .folder_turns import FolderTurns
from .holding import Holding
from .host_variables import HostVariables
from .hosts import RealHosts
from .job_sharing import JobSharing
from .job_views import JobViews
from .known_jobs import KnownJobs
from .lane_folder import LaneFolders
from .lanes import Lanes
from .limit_finder import LimitFinder
from .linux import LinuxTools
from .notifier import Notifier
from .on_host import OnHost
from .outputs import Outputs
from .oversight import Oversight
from .places import Places
from .ports import Ports
from .post_processing import PostProcessing
from .postits import PostIts
from .preview import Preview, told_origins
from .purge import Purge
from .rights import PathRights, path_rights
from .settling import Settling
from .sources import Fetch, Sources
from .staging import Staging
from .starter import Starter
from .stations import Stations
from .steering import Steering
from .studies import Studies
from .submission import Accepted, Submission, as_asked, held_back
from .subscriptions import Subscriptions
from .system_choice import SystemChoice
from .systems import SystemCatalog
from .tenure import Tenure
from .told_progress import ToldProgress
from .tracker import Tracker
from .transfers import Transfers
from .workflows import Workflows
from .wrapper import launch_script

log = logging.getLogger(__name__)

#: Seconds between two back-up copies of the store.
BACKUP = 24 * 3600.0


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
        callback_url: str = "",
        on_lease_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._retention_days = retention_days
        self._lane = Lanes(folder, fork_cores=fork_cores).of
        self._tenure = Tenure(ports, epoch=epoch, on_lost=on_lease_lost)
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
            may_act=self._tenure.may_act,
        )
        variables = HostVariables(ports)
        self.desks = Desks(
            ports, systems, variables, on_ready=lambda system_id: self._conveyor.blocked.try_now(system_id)
        )
        sources = Sources(ports, system=self._system, paths=self._paths_of, fetch=fetch)
        choice = SystemChoice(
            lambda user, system_id: self.desks.now.load(user, system_id), lambda: self._conveyor.jobs
        )
        self._submission = Submission(ports, apps, systems, sources, variables, choice)
        outputs = Outputs(ports, sources)
        known = KnownJobs(ports, epoch=epoch, active=lambda: self._conveyor.jobs)
        self._folders = folders = LaneFolders(ports, epoch=epoch, store_id=store_id)
        on_host = OnHost(folders, known.places, self._system)
        starter = Starter(
            ports, epoch=epoch, on_host=on_host, definitions=known.definitions, system=self._system
        )
        oversight = Oversight(
            note=self._note,
            is_wanted=self._is_wanted,
            wake=lambda lane, status: self._conveyor.wake(lane, status),
        )
        self._stations = Stations(
            staging=Staging(
                ports,
                definitions=known.definitions,
                sources=sources,
                folders=folders,
                oversight=oversight,
                turns=FolderTurns(
                    ports,
                    active=lambda: self._conveyor.jobs,
                    definitions=known.definitions,
                    oversight=oversight,
                ),
                settle=Settling(variables, system=self._system, redefine=known.redefine).settle,
                told_job=lambda job: self.callbacks.variables(job),
            ),
            starter=starter,
            archiver=Archiver(ports, known.definitions, sources, oversight=oversight),
            limits=LimitFinder(ports, apps, systems).limits,
        )
        self._conveyor = Conveyor(
            ports, epoch=epoch, stations=self._stations.table, lane=self._lane, on_lease_lost=on_lease_lost
        )
        self._places = Places(ports, self._conveyor, self._stations, self._lane)
        self._conveyor.subscribe(choice.learn)
        self._conveyor.subscribe(self._places.hear)
        self._progress = ToldProgress(ports, self._conveyor, on_host, known.definitions)
        self._tracker = Tracker(ports, self._conveyor, on_host, lane=self._lane, progress=self._progress)
        self.callbacks = Callbacks(
            ports,
            self._conveyor,
            self._progress,
            tokens=CallbackTokens(folder / "keys"),
            url=callback_url,
            lane=self._lane,
            look=self._tracker.look,
        )
        self._stations.conveyor = self._conveyor
        starter.conveyor = self._conveyor
        self._conveyor.follow = self._tracker.follow
        self._conveyor.on_end = self._ended
        self._conveyor.subscribe(outputs.hear)
        self.subscriptions = Subscriptions(
            ports, epoch=epoch, job_of=known.owned, announce=self._conveyor.announce
        )
        self.sharing = JobSharing(
            ports, epoch=epoch, owned=known.owned, seen=known.seen, announce=self._conveyor.announce
        )
        self._notifier = Notifier(ports, epoch=epoch, on_lease_lost=on_lease_lost)
        self._conveyor.subscribe(self._notifier.hear)
        self.processing = PostProcessing(
            ports, epoch=epoch, owned=known.owned, announce=self._conveyor.announce
        )
        self._conveyor.subscribe(self.processing.hear)
        self.purge = Purge(
            ports,
            epoch=epoch,
            lane=self._lane,
            folders=folders,
            is_busy=lambda key: any(job.lane == key for job in self._conveyor.jobs.values()),
        )
        self._known = known
        self.views = JobViews(ports, known, outputs)
        self.steering = Steering(ports, known, self._conveyor, self._tracker)
        self.holding = Holding(ports, known, self._conveyor, self._tracker, on_host, lane=self._lane)
        self.studies = Studies(
            ports,
            epoch=epoch,
            submission=self._submission,
            store=self._store,
            steering=self.steering,
            active=lambda: self._conveyor.jobs,
            let_in=self._places.look,
            system=self._system,
            reasons=self._conveyor.steps.reasons,
            person=partial(_person, server_user),
        )
        self._conveyor.subscribe(self.studies.hear)
        self.workflows = Workflows(
            ports,
            epoch=epoch,
            submission=self._submission,
            store=self._store,
            steering=self.steering,
            holding=self.holding,
            active=lambda: self._conveyor.jobs,
            person=partial(_person, server_user),
        )
        self._conveyor.subscribe(lambda events, jobs: self.workflows.hear(jobs))
        self._conveyor.on_wish = self.holding.fulfil_soon
        self._tracker.on_late_cancel = lambda uuids: self.steering.end_soon(uuids, "late cancel")

    # -- life

    async def start(self) -> None:
        """Take up every job where it is stored, and keep the lease."""
        active = await self._ports.read(job_rows.active)
        self._conveyor.enter(active)
        await self.studies.start(active)
        await self.workflows.start()
        self._notifier.wake()
        await self.processing.start()
        await self.sharing.start()
        self._ports.spawn(self._tenure.keep(), "lease")
        await self.transfers.start()
        self._ports.spawn(self._back_up(), "back-up")
        if self._retention_days:
            self._ports.spawn(self.purge.keep_house(self._retention_days), "retention")
        self._ports.spawn(self._tracker.look_again(), "look after start")
        self._ports.spawn(self._resume(active), "resume after start")

    async def _resume(self, active: Sequence[Job]) -> None:
        """What the engine was asked or waited for before it ended, it does now."""
        asked = [job.uuid for job in active if job.cancel_requested]
        await self.steering.end(asked)
        await self._conveyor.blocked.let_go_on(job.uuid for job in active if job.status is JobStatus.BLOCKED)

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
        return job is not None and job.cancel_requested is None and self._tenure.may_act()

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
            return [held_back() if isinstance(r, Accepted) else r for r in results]
        cohort = f"{self._ports.random.getrandbits(32):08x}" if launch_mode != "single" else None
        asked = [as_asked(a, launch_mode, cohort, tracking_id) for a in accepted]
        stored = iter(await self._store(user, asked))
        return [next(stored) if isinstance(r, Accepted) else r for r in results]

    async def _store(
        self,
        user: User,
        accepted: Sequence[Accepted],
        also: Callable[[Connection, Sequence[Job]], None] = lambda connection, jobs: None,
    ) -> list[tuple[Job, JobDefinition]]:
        """Store new jobs, and in the same transaction what *also* does with them; set them on their way."""
        if not accepted:
            return []

        def work(connection: Connection) -> job_rows.Inserted:
            rows = [(a.job, json.dumps(dict(a.raw)), definition_json(a.definition)) for a in accepted]
            stored = job_rows.insert(connection, rows)
            made = [a.definition for a in accepted]
            self.subscriptions.store_new(connection, list(zip(stored, made, strict=True)), stored.events)
            wishes = [(job, process_wish(one.notes)) for job, one in zip(stored, made, strict=True)]
            processing_rows.add(connection, [(job.id, wish, job.created) for job, wish in wishes if wish])
            also(connection, stored)
            return stored

        jobs = await self._ports.write(work, epoch=self._epoch)
        self._known.learn({job.id: a.definition for job, a in zip(jobs, accepted, strict=True)})
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
        events = f"{self._folders.expected(self._lane(job.lane))}/events"
        script = launch_script(job, definition, lines, events=events)
        origins = await self._ports.workers.read(
            lambda: told_origins(raw, job, definition, self.apps, self.systems)
        )
        return Preview(job, definition, script, lines.environment, origins)

    async def resubmit(
        self, user: User, uuid: str, changes: Mapping[str, Any], *, tracking_id: str | None = None
    ) -> tuple[Job, JobDefinition]:
        """Submit a job's original request again, with *changes* laid over it, under a new uuid."""
        raw = {**await self.views.request(user, uuid), **changes}
        (result,) = await self.submit(user, [raw], tracking_id=tracking_id)
        if isinstance(result, TapisJobsError):
            raise result
        return result

    # -- what the parts ask for

    def _ended(self, jobs: Sequence[Job]) -> None:
        self._tracker.release(jobs)
        self._known.forget_places(jobs)
        self._progress.forget(jobs)
        for lane in {job.lane: None for job in jobs}:
            # One of those that rest there may have waited for the directory of one that has ended.
            self._conveyor.wake(lane, JobStatus.PROCESSING_INPUTS)
        self._places.look()

    async def _paths_of(self, name: str, system: System) -> PathRights:
        """Return what the jobs of a user may do with the paths of a system."""
        hosts = self._ports.hosts
        is_server_user = name == hosts.server_user if isinstance(hosts, RealHosts) else True
        user = User(name, "", is_server_user)
        return await self._ports.read(lambda conn: path_rights(conn, user, system, in_job=True))

    async def _system(self, system_id: str) -> System:
        return await self._ports.workers.read(lambda: self.systems.find(system_id))


def _person(server_user: User | None, name: str) -> User:
    """Return the user of a name, as who they are at this server."""
    if server_user is not None and server_user.name == name:
        return server_user
    return User(name=name, tenant=server_user.tenant if server_user else "", is_server_user=False)
