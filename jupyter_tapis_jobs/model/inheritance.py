"""Where a job's values come from: its request, else its app, else its system or a default.

Blank counts as unset, and so does a count of zero or below (Tapis Jobs, "Job Submission").
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from .app import App, AppParameterSet, JobAttributes
from .errors import InvalidInputError
from .fields import NOT_SET, ArchiveMode, JobType, RuntimeType
from .names import wire_name
from .request import SubmitRequest
from .system import System
from .texts import is_blank, refuse_control

DEFAULT_EXEC_DIR = "/${JobWorkingDir}/jobs/${JobUUID}"

#: field -> its value where nobody says one.
DEFAULTS: dict[str, Any] = {
    "dynamic_exec_system": False,
    "exec_system_exec_dir": DEFAULT_EXEC_DIR,
    "exec_system_input_dir": DEFAULT_EXEC_DIR,
    "exec_system_output_dir": f"{DEFAULT_EXEC_DIR}/output",
    "exec_system_logical_queue": None,
    "archive_system_dir": None,
    "dtn_system_input_dir": NOT_SET,
    "dtn_system_output_dir": NOT_SET,
    "node_count": 1,
    "cores_per_node": 1,
    "memory_mb": 100,
    "max_minutes": 10,
    "is_mpi": False,
    "mpi_cmd": None,
    "cmd_prefix": None,
    "description": None,
}
COUNTS = frozenset({"node_count", "cores_per_node", "memory_mb", "max_minutes"})
DIRECTORIES = frozenset(name for name in DEFAULTS if name.endswith("_dir"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every job of one app on one system starts from; made once and used for thousands."""

    app: App
    system: System
    #: field -> value, and wire name -> "app" | "system" | "default": where it comes from.
    values: dict[str, Any]
    sources: dict[str, str]
    parameters: AppParameterSet
    image: str
    root_dir: str
    scheduler: str | None


_FRAMES: OrderedDict[tuple[int, int], Frame] = OrderedDict()
_MOST_FRAMES = 64


def frame_of(app: App, system: System) -> Frame:
    """Return the frame; raises ``InvalidInputError`` when no job of *app* can run on *system*.

    A kept frame holds its app and system, so that their identities stay theirs.
    """
    key = (id(app), id(system))
    frame = _FRAMES.get(key)
    if frame is None:
        frame = _FRAMES[key] = _made_frame(app, system)
        while len(_FRAMES) > _MOST_FRAMES:
            _FRAMES.popitem(last=False)
    return frame


def _made_frame(app: App, system: System) -> Frame:
    _refuse_unusable(app, system)
    values, sources = _inherited(app.job_attributes, system)
    return Frame(
        app=app,
        system=system,
        values=values,
        sources=sources,
        parameters=app.job_attributes.parameter_set or AppParameterSet.model_validate({}),
        image=app.container_image or "",
        root_dir=system.root_dir or "/",
        scheduler=system.batch_scheduler.value if system.batch_scheduler else None,
    )


def _inherited(attributes: JobAttributes, system: System) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = dict(DEFAULTS)
    sources = dict.fromkeys(map(wire_name, DEFAULTS), "default")
    of_system = {"mpi_cmd": system.mpi_cmd, "exec_system_logical_queue": system.batch_default_logical_queue}
    of_app = {name: getattr(attributes, name) for name in DEFAULTS}
    for source, said in (("system", of_system), ("app", of_app)):
        for name, value in said.items():
            if _is_said(name, value):
                values[name], sources[wire_name(name)] = value, source
    return values, sources


def _is_said(name: str, value: Any) -> bool:
    if value is None or (isinstance(value, str) and is_blank(value)):
        return False
    return not (name in COUNTS and value <= 0)


def _refuse_unusable(app: App, system: System) -> None:
    if not app.enabled or not app.version_enabled:
        raise InvalidInputError(
            f"app {app.id} {app.version} is disabled. "
            "Its owner can enable it again; until then choose another app.",
            field="appId",
            value=app.id,
        )
    if is_blank(app.container_image):
        raise InvalidInputError(
            f"app {app.id} {app.version} has no containerImage. Its owner has to give it one.",
            field="appId",
            value=app.id,
        )
    refuse_control(app.container_image or "", f"containerImage of app {app.id}")
    for is_wrong, why in (
        (not system.enabled, "is disabled. Choose another system, or ask its owner to enable it."),
        (not system.can_exec, "only stores files (canExec is false). Choose a system that runs jobs."),
        (is_blank(system.job_working_dir), "has no jobWorkingDir. Its owner has to give it one."),
        (not system.job_runtimes, "has no jobRuntimes. Its owner has to name at least one."),
    ):
        if is_wrong:
            raise InvalidInputError(f"system {system.id} {why}", field="execSystemId", value=system.id)


def chosen_values(request: SubmitRequest, frame: Frame) -> tuple[dict[str, Any], dict[str, str]]:
    """Return field -> value and wire name -> source: the request's over what is inherited."""
    values, sources = dict(frame.values), dict(frame.sources)
    for name, value in request.given.items():
        if name in DEFAULTS and not (name in COUNTS and value <= 0):
            values[name] = value
            sources[wire_name(name)] = "request"
    return values, sources


def is_dynamic(request: SubmitRequest, app: App) -> bool:
    """Tell whether any system that meets the constraints will do: the request's word, else the app's."""
    said = request.dynamic_exec_system
    return bool(app.job_attributes.dynamic_exec_system if said is None else said)


def job_type(request: SubmitRequest, app: App, system: System, sources: dict[str, str]) -> JobType:
    """Return FORK or BATCH; raises ``InvalidInputError`` when the system or the runtime does not allow it."""
    if request.job_type is not None:
        chosen, source = request.job_type, "request"
    elif app.job_type is not None:
        chosen, source = app.job_type, "app"
    else:
        chosen, source = (JobType.BATCH if system.can_run_batch else JobType.FORK), "system"
    sources["jobType"] = source
    if chosen is JobType.BATCH:
        _refuse_impossible_batch(app, system)
    return chosen


def _refuse_impossible_batch(app: App, system: System) -> None:
    if not system.can_run_batch:
        raise InvalidInputError(
            f"jobType BATCH cannot run on system {system.id}, which has no batch scheduler. "
            "Use jobType FORK, or a system with canRunBatch.",
            field="jobType",
            value="BATCH",
        )
    if app.runtime is RuntimeType.DOCKER:
        raise InvalidInputError(
            f"app {app.id} is a DOCKER app, and those cannot be BATCH jobs. "
            "Use jobType FORK, or an app with runtime SINGULARITY or ZIP.",
            field="jobType",
            value="BATCH",
        )


def archive_mode(request: SubmitRequest, attributes: JobAttributes, sources: dict[str, str]) -> ArchiveMode:
    """Return when outputs are archived: the request decides before the app.

    Where one of them says both, archiveMode counts: archiveOnAppError is its older, narrower form.
    """
    for who, source in ((request, "request"), (attributes, "app")):
        if who.archive_mode is not None:
            sources["archiveMode"] = source
            return who.archive_mode
        if who.archive_on_app_error is not None:
            sources["archiveMode"] = source
            return ArchiveMode.ALWAYS if who.archive_on_app_error else ArchiveMode.SKIP_ON_FAIL
    sources["archiveMode"] = "default"
    return ArchiveMode.ALWAYS
