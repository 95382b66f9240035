"""Acceptance: a request becomes a job that is stored, or a sentence that says why not."""

from __future__ import annotations

import asyncio
import uuid as uuids
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..model import files, marks
from ..model.app import App
from ..model.batch_languages import language_of
from ..model.errors import (
    InvalidInputError,
    TapisJobsError,
    TransportError,
)
from ..model.fields import JobType
from ..model.job import Job, JobDefinition
from ..model.macros import HostEnv
from ..model.request import SubmitRequest, parse_request
from ..model.resolve import archive_eval_names, host_eval_names, resolve
from ..model.system import System
from ..model.texts import shown
from ..model.times import iso
from ..model.user import User
from .admission import Admission
from .alike import Alike
from .apps import AppCatalog
from .batch_scripts import BatchScripts, named
from .host_variables import HostVariables
from .hosts import RealHosts
from .lookups import Lookups
from .ports import Ports
from .process_wishes import ProcessWishes
from .profiles import ProfileCatalog
from .rights import Right
from .runtime_checks import with_runtime
from .sources import Source, Sources, effective_user
from .subscriptions import checked
from .system_choice import SystemChoice, none_fits
from .systems import LOCAL, SystemCatalog
from .tracker import FORK

#: What the engine itself writes into a job's execution directory.
LAUNCH_FILES = frozenset({files.LAUNCH_SCRIPT, files.ENVIRONMENT, files.PID, marks.FOLDER})
#: Requests that are resolved before other calls get their turn.
SLICE = 25


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that is resolved; stored once the store has given it an id."""

    job: Job
    definition: JobDefinition
    raw: Mapping[str, Any]


def held_back() -> InvalidInputError:
    """Return why a good request was not accepted."""
    return InvalidInputError("not accepted, because another request of the same call is wrong (atomic=true).")


def as_asked(accepted: Accepted, launch_mode: str, cohort: str | None, tracking_id: str | None) -> Accepted:
    """Return a job as one of the *cohort* of its call, where it is a BATCH job."""
    is_batch = accepted.job.job_type == JobType.BATCH
    mode, together = (launch_mode, cohort) if is_batch else ("single", None)
    if mode == "single" and tracking_id is None:
        return accepted
    job = accepted.job.evolve(launch_mode=mode, cohort_id=together, tracking_id=tracking_id)
    return Accepted(job, accepted.definition, accepted.raw)


class Submission:
    """Turns requests into jobs; looks up each app, system, profile and host variable once per call."""

    def __init__(
        self,
        ports: Ports,
        apps: AppCatalog,
        systems: SystemCatalog,
        sources: Sources,
        variables: HostVariables,
        choice: SystemChoice,
    ) -> None:
        self._ports = ports
        self._apps = apps
        self._systems = systems
        self._sources = sources
        self._scripts = BatchScripts(ports, sources)
        self._profiles = ProfileCatalog(ports.database, ports.clock.now)
        self._variables = variables
        self._choice = choice

    async def resolve_all(
        self, user: User, raws: Sequence[Mapping[str, Any]], *, only_check: bool = False
    ) -> list[Accepted | TapisJobsError]:
        """Resolve requests one by one; what is wrong with one does not touch the others.

        With *only_check* those that differ in plain values only share the job of the first.
        """
        hosts = self._ports.hosts
        trusted = hosts.server_user if isinstance(hosts, RealHosts) else None
        admission = Admission(self._systems, user, trusted)
        profile = partial(self._profiles.usable, user, server_user=trusted)
        known = Lookups(self._apps, self._systems, profile, user, admission)
        alike = Alike(known.app, known.named_system)
        wishes = ProcessWishes(self._ports, user)
        passed: dict[str, Accepted] = {}
        results: list[Accepted | TapisJobsError] = []
        for number, raw in enumerate(raws):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            key = alike.key(raw) if only_check else None
            if key is not None and key in passed:
                results.append(passed[key])
                continue
            try:
                found = await self._resolve(user, raw, known, admission)
                await wishes.check(found.definition.notes)
            except TapisJobsError as fault:
                results.append(fault)
                continue
            results.append(found)
            if key is not None:
                passed[key] = found
        return await self._without_missing_inputs(user, results)

    async def _resolve(
        self, user: User, raw: Mapping[str, Any], known: Lookups, admission: Admission
    ) -> Accepted:
        request = parse_request(named(raw))
        app = known.app(request.app_id, request.app_version)
        systems = known.exec_systems(request, app)
        here = partial(self._resolve_at, user, raw, request, app, known=known, admission=admission)
        if len(systems) == 1:
            return await here(systems[0])
        return await self._best(user, {system.id: partial(here, system) for system in systems})

    async def _best(self, user: User, tries: Mapping[str, Callable[[], Awaitable[Accepted]]]) -> Accepted:
        """Resolve a request for each of several systems, and take the one with the shortest expected wait."""
        fitting: list[Accepted] = []
        refusals: dict[str, TapisJobsError] = {}
        for name, resolved in tries.items():
            try:
                fitting.append(await resolved())
            except TapisJobsError as fault:
                refusals[name] = fault
        if not fitting:
            raise none_fits(refusals)
        places = [(one.job, one.definition) for one in fitting]
        best, reason = await self._choice.best(user, places, refusals)
        job, definition = places[best]
        told = replace(definition, warnings=(*definition.warnings, reason))
        return replace(fitting[best], job=job.evolve(last_message=reason), definition=told)

    async def _resolve_at(
        self,
        user: User,
        raw: Mapping[str, Any],
        request: SubmitRequest,
        app: App,
        system: System,
        *,
        known: Lookups,
        admission: Admission,
    ) -> Accepted:
        """Resolve a request for one system."""
        self._refuse_disabled(system, app)
        user_there = effective_user(system, user.name)
        scripted = await self._scripts.read(user, named(raw), request, system)
        if scripted is not None:
            request = parse_request(scripted.raw)
        archive = known.archive_system(request, app)
        elsewhere = archive if archive is not None and archive.id != system.id else None
        wanted = host_eval_names(app, system, request, archive_elsewhere=elsewhere is not None)
        job, definition = resolve(
            request,
            app,
            system,
            archive_system=archive,
            user=user,
            uuid=f"{uuids.UUID(int=self._ports.random.getrandbits(128), version=4)}-007",
            created=iso(self._ports.clock.now()),
            effective_user=user_there,
            host_env=await self._asked(system, user, wanted),
            archive_env=await self._asked_elsewhere(elsewhere, user, archive_eval_names(app, request)),
            profiles=lambda name: known.profile(name, (system.owner, app.owner)),
            scripted=scripted,
        )
        known.input_systems(definition, app)
        known.transfer_node(definition, app)
        definition = admission.admitted(definition, request, app, is_builtin=self._apps.is_builtin(app.id))
        self._refuse_impossible(job, definition, system)
        self._refuse_overwritten(definition)
        definition = with_runtime(definition, app, system)
        return Accepted(job, checked(self._ports, definition), raw)

    def _refuse_disabled(self, system: System, app: App) -> None:
        if not app.enabled or not app.version_enabled:
            raise _disabled("app", f"{app.id} {app.version}", "appId", app.id)
        if not system.enabled:
            raise _disabled("system", system.id, "execSystemId", system.id)

    def _refuse_impossible(self, job: Job, definition: JobDefinition, system: System) -> None:
        """What this server cannot run is said at once, not after hours in a queue."""
        is_batch = definition.job_type == JobType.BATCH
        if is_batch and definition.batch_scheduler not in self._ports.schedulers:
            known = ", ".join(sorted(self._ports.schedulers.keys() - {FORK}))
            raise InvalidInputError(
                f"jobType BATCH cannot run on system {system.id}: its batchScheduler "
                f"{definition.batch_scheduler} is not one of: {known}. Use jobType FORK, or another system.",
                field="jobType",
                value=definition.job_type,
            )
        if is_batch:
            language_of(definition).refuse_job(job, definition)
        if definition.app_runtime not in self._ports.runtimes:
            raise InvalidInputError(
                f"app runtime {definition.app_runtime} cannot run on system {system.id}: "
                f"it runs {' and '.join(sorted(self._ports.runtimes))} apps.",
                field="runtime",
                value=definition.app_runtime,
            )

    def _refuse_overwritten(self, definition: JobDefinition) -> None:
        """An input in the place of a launch file would be lost, or worse."""
        if definition.exec_system_input_dir != definition.exec_system_exec_dir:
            return
        for item in definition.file_inputs:
            first = item.target_path.strip("/").split("/", 1)[0]
            if first in LAUNCH_FILES:
                raise InvalidInputError(
                    f"targetPath {shown(item.target_path)} is the place of the job's own {first}. "
                    "Give the input another targetPath.",
                    field="fileInputs.targetPath",
                    value=item.target_path,
                )

    async def _without_missing_inputs(
        self, user: User, results: Sequence[Accepted | TapisJobsError]
    ) -> list[Accepted | TapisJobsError]:
        """Put errors in the place of jobs whose inputs should lie on this very machine, and do not."""
        wanted = {
            url: None
            for result in results
            if isinstance(result, Accepted)
            for url in _nearby(result.definition)
        }
        if not wanted:
            return list(results)
        host = await self._ports.hosts.transport(LOCAL, user.name)
        wishes = [(url, user.name, "") for url in wanted]
        found = await self._sources.find_all(wishes, (LOCAL, user.name), host)
        missing = {
            url: _missing_input(url, result)
            for (url, *_), result in found.items()
            if not isinstance(result, Source)
        }
        return [_or_missing(result, missing) for result in results]

    async def _asked_elsewhere(
        self, system: System | None, user: User, names: Collection[str]
    ) -> HostEnv | None:
        """Return the variables of another host, which tells them only to whom works there."""
        if system is None or not names:
            return None if system is None else {}
        await self._ports.workers.read(lambda: self._systems.get(user, system.id, right=Right.EXECUTE))
        return await self._asked(system, user, names)

    async def _asked(self, system: System, user: User, names: Collection[str]) -> HostEnv:
        """Return a host's variables; None each while it cannot be asked: PROCESSING_INPUTS asks again."""
        if not names:
            return {}
        try:
            return await self._variables.of(system, effective_user(system, user.name), names)
        except TransportError:
            return dict.fromkeys(names)


def _nearby(definition: JobDefinition) -> list[str]:
    """Return the URLs of the inputs that must lie on this machine."""
    here = f"tapis://{LOCAL}/"
    return [i.source_url for i in definition.file_inputs if i.source_url.startswith(here) and not i.optional]


def _missing_input(url: str, fault: Exception | None) -> TapisJobsError:
    if isinstance(fault, TapisJobsError):
        return fault
    return InvalidInputError(
        f"fileInputs.sourceUrl {url} does not exist on this machine. "
        "Correct the path, or upload the file first.",
        field="fileInputs.sourceUrl",
        value=url,
    )


def _or_missing(
    result: Accepted | TapisJobsError, missing: Mapping[str, TapisJobsError]
) -> Accepted | TapisJobsError:
    if not missing or not isinstance(result, Accepted):
        return result
    return next((missing[url] for url in _nearby(result.definition) if url in missing), result)


def _disabled(kind: str, name: str, field: str, value: str) -> InvalidInputError:
    return InvalidInputError(
        f"{kind} {name} is disabled. Its owner can enable it again; until then choose another {kind}.",
        field=field,
        value=value,
    )
