"""The limits that hold for jobs now: what their systems, queues, apps and studies allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ..model.job import Job
from ..model.limits import smallest
from ..model.study import studies_of
from .apps import AppCatalog
from .ports import Ports
from .quota import Limits
from .study_rules import StudyRules
from .systems import SystemCatalog

#: Execution system, queue, app and its version.
Kind = tuple[str, str | None, str, str]


class LimitFinder:
    """Looks limits up, once per kind of job. Lives on the engine's loop only."""

    def __init__(self, ports: Ports, apps: AppCatalog, systems: SystemCatalog) -> None:
        self._workers = ports.workers
        self._apps = apps
        self._systems = systems
        self._rules = StudyRules(ports)

    async def limits(self, jobs: Sequence[Job]) -> dict[str, Limits]:
        """Return uuid -> what its system, queue, app and study allow now."""
        kinds = [(_kind(job), job.cohort_id or "") for job in jobs]
        # No set: the order of what happens is repeatable.
        wanted = dict.fromkeys(kinds)
        studies = studies_of(cohort for _, cohort in wanted)
        rules = await self._rules.of(studies.values())
        found: dict[tuple[Kind, str], Limits] = {}
        for kind, cohort in wanted:
            limits = await self._workers.read(partial(self.limit, *kind))
            found[kind, cohort] = replace(limits, **rules.get(studies.get(cohort, 0), {}))
        return {job.uuid: found[kind] for job, kind in zip(jobs, kinds, strict=True)}

    def limit(self, system_id: str, queue_name: str | None, app_id: str, app_version: str) -> Limits:
        """Return what holds for one kind of job; reads the store."""
        system = self._systems.find(system_id)
        app = self._apps.find(app_id, app_version)
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


def _kind(job: Job) -> Kind:
    return job.exec_system_id, job.exec_system_logical_queue, job.app_id, job.app_version
