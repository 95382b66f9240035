"""The apps, systems and profiles that the requests of one call name, each looked up once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from ..model.app import App
from ..model.errors import InvalidInputError, NotFoundError, did_you_mean
from ..model.fields import JobType
from ..model.inheritance import is_dynamic
from ..model.job import JobDefinition
from ..model.profile import SchedulerProfile
from ..model.request import SubmitRequest
from ..model.resolve import constraints_of
from ..model.search import SYSTEM_ATTRIBUTES, from_sql
from ..model.system import System
from ..model.texts import is_blank, shown
from ..model.transfer_nodes import node_of, refuse_bad_node
from ..model.urls import TAPIS, system_and_path
from ..model.user import User
from .admission import Admission
from .apps import AppCatalog
from .catalog import Listing
from .rights import Right
from .systems import LOCAL, SystemCatalog


class Lookups:
    """Looks up what requests of one user name; raises a sentence for what is not there, or not theirs."""

    def __init__(
        self,
        apps: AppCatalog,
        systems: SystemCatalog,
        profile: Callable[[str, tuple[str | None, ...]], SchedulerProfile],
        user: User,
        admission: Admission,
    ) -> None:
        self._apps, self._systems, self._user = apps, systems, user
        self._admission = admission
        self.profile = lru_cache(maxsize=None)(profile)
        self.app = lru_cache(maxsize=None)(self._app)
        self.exec_place = lru_cache(maxsize=None)(self._exec_place)
        self.other_place = lru_cache(maxsize=None)(self._other_place)

    def exec_systems(self, request: SubmitRequest, app: App) -> list[System]:
        """Return the system that the request, else the app, names, or those that fit what they ask of it."""
        name = _said(request, app, "exec_system_id")
        # Who asks for any that fits has not asked for the app's usual one.
        is_open = request.dynamic_exec_system and not request.exec_system_id
        if is_open or (not name and is_dynamic(request, app)):
            return self._fitting_systems(request, app)
        if not name:
            raise InvalidInputError(
                f"execSystemId is missing, and app {app.id} names none. "
                f"Say where to run, for example execSystemId: {LOCAL}.",
                field="execSystemId",
            )
        return [self.named_system(name, app)]

    def named_system(self, name: str, app: App) -> System:
        """Return the system *name* for a request of *app*; it may be there through the app only."""
        from_app = name == app.job_attributes.exec_system_id
        return self.exec_place(name, app.shared_app_ctx if from_app else None)

    def _fitting_systems(self, request: SubmitRequest, app: App) -> list[System]:
        """Return the systems that can run the job and meet its constraints, in order of their names."""
        constraints = constraints_of(request, app) or ""
        asked = Listing(list_type="ALL", limit=0, where=from_sql(constraints, SYSTEM_ATTRIBUTES))
        kind = request.job_type or app.job_type
        fitting = [
            system
            for system in self._systems.search(self._user, asked).rows
            if system.enabled
            and system.can_exec
            and self._admission.may_run(system.id)
            and app.runtime in (r.runtime_type for r in system.job_runtimes or ())
            if kind is not JobType.BATCH or system.can_run_batch
        ]
        if not fitting:
            raise InvalidInputError(
                f"no system that you can use runs {app.runtime} apps"
                f"{f' and meets {constraints}' if constraints else ''}. Name one with execSystemId.",
                field="execSystemConstraints",
                value=constraints,
            )
        return [self.exec_place(name, None) for name in sorted(system.id for system in fitting)]

    def archive_system(self, request: SubmitRequest, app: App) -> System | None:
        """Return the archive system that the request, else the app, names; None for the execution system."""
        name = _said(request, app, "archive_system_id")
        return self.other_place(name, "archiveSystemId", app.shared_app_ctx) if name else None

    def input_systems(self, definition: JobDefinition, app: App) -> None:
        """Look up the systems that inputs come from: one that is not there is told now."""
        for item in definition.file_inputs:
            if item.source_url.startswith(TAPIS):
                name, _ = system_and_path(item.source_url)
                self.other_place(name, "fileInputs.sourceUrl", app.shared_app_ctx)

    def transfer_node(self, definition: JobDefinition, app: App) -> None:
        """Look up the host that carries the job's bytes, where one does."""
        if name := node_of(definition):
            refuse_bad_node(definition, self.other_place(name, "dtnSystemId", app.shared_app_ctx))

    def _app(self, name: str, version: str) -> App:
        try:
            return self._apps.get(self._user, name, version, right=Right.EXECUTE)
        except NotFoundError:
            raise self._unknown_app(name, version) from None

    def _unknown_app(self, name: str, version: str) -> InvalidInputError:
        try:
            latest = self._apps.get(self._user, name).version
        except NotFoundError:
            listed = self._apps.search(self._user, _EVERYTHING).rows
            return _unknown("app", "appId", name, [app.id for app in listed])
        return InvalidInputError(
            f"appVersion {shown(version)} is no version of app {name}. Its latest is {latest}.",
            field="appVersion",
            value=version,
        )

    def _exec_place(self, name: str, sharer: str | None) -> System:
        try:
            return self._admission.exec_system(name, sharer)
        except NotFoundError:
            raise self._unknown_system(name, "execSystemId") from None

    def _other_place(self, name: str, field: str, sharer: str | None) -> System:
        try:
            return self._admission.other_system(name, sharer)
        except NotFoundError:
            raise self._unknown_system(name, field) from None

    def _unknown_system(self, name: str, field: str) -> InvalidInputError:
        listed = self._systems.search(self._user, _EVERYTHING).rows
        return _unknown("system", field, name, [system.id for system in listed])


def _said(request: SubmitRequest, app: App, field: str) -> str | None:
    """Return what the request, else the app, says; blank is nothing."""
    of_app: str | None = getattr(app.job_attributes, field)
    said: str | None = request.given.get(field)
    return said or (None if is_blank(of_app) else of_app)


#: What a user sees of a catalog: many enough for the nearest name.
_EVERYTHING = Listing(list_type="ALL", limit=1000)


def _unknown(kind: str, field: str, name: str, names: Sequence[str]) -> InvalidInputError:
    few = f" There are: {', '.join(names)}." if len(names) <= 10 else ""
    return InvalidInputError(
        f"{field} {shown(name)} is no {kind} that you can use.{did_you_mean(name, names)}{few}",
        field=field,
        value=name,
    )
