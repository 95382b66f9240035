"""A request, its app and its system become a job: inheritance, merge, macros, and all that is wrong at once.

Where a value comes from: the request, else the app's jobAttributes, else the system or a default;
blank counts as unset (Tapis Jobs, "Job Submission"). Nothing here asks a host or a file.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from . import merge
from .app import App, AppArgument, AppParameterSet, JobAttributes
from .arguments import insert, option_parts, refuse_bad_option, shell_words, unexpanded
from .errors import InvalidInputError, did_you_mean
from .fields import NOT_SET, ArchiveMode, InputMode, JobType, RuntimeType
from .job import ArchiveFilter, Argument, FileInput, Job, JobDefinition
from .limits import refuse_over_limits
from .macros import derive, ground_values, host_variables, simply
from .names import wire_name
from .paths import normalise, relative
from .request import ParameterSetRequest, SubmitRequest
from .status import JobStatus
from .subscriptions import merged_subscriptions
from .system import LogicalQueue, SchedulerType, System
from .texts import is_blank, refuse_control, refuse_dangerous, shown
from .urls import checked_url, is_data, last_segment
from .user import User

#: As JSON, UTF-8.
MOST_NOTES_BYTES = 65_536
DEFAULT_EXEC_DIR = "/${JobWorkingDir}/jobs/${JobUUID}"
DEFAULT_ARCHIVE_DIR = "/jobs/${JobUUID}/archive"
KEEP_ZIP = "--tapis-zip-save"
PROFILE = "--tapis-profile"

#: field -> its value where neither request nor app has one. A dict, so that the order is kept.
_DEFAULTS: dict[str, Any] = {
    "dynamic_exec_system": False,
    "exec_system_id": None,
    "exec_system_exec_dir": DEFAULT_EXEC_DIR,
    "exec_system_input_dir": DEFAULT_EXEC_DIR,
    "exec_system_output_dir": f"{DEFAULT_EXEC_DIR}/output",
    "exec_system_logical_queue": None,
    "archive_system_id": None,
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
}
#: Numbers that count as unset when they are zero or below.
_COUNTS = frozenset({"node_count", "cores_per_node", "memory_mb", "max_minutes"})
_ASKED = frozenset({*_DEFAULTS, "description", "job_type"})

#: sbatch options that Tapis writes itself -> the job field to use (Tapis Jobs, "schedulerOptions").
_SLURM_FIELDS = {
    "--mem": "memoryMB",
    "--nodes": "nodeCount",
    "-N": "nodeCount",
    "--ntasks": "nodeCount and coresPerNode",
    "-n": "nodeCount and coresPerNode",
    "--partition": "execSystemLogicalQueue",
    "-p": "execSystemLogicalQueue",
    "--time": "maxMinutes",
    "-t": "maxMinutes",
}


def resolve(
    request: SubmitRequest,
    app: App,
    system: System,
    *,
    archive_system: System | None,
    user: User,
    uuid: str,
    created: str,
    effective_user: str,
    host_env: Mapping[str, str],
) -> tuple[Job, JobDefinition]:
    """Return the PENDING job (not yet stored) and its definition.

    *archive_system* is None where nothing names one: then it is the execution system. *created* is
    ISO-8601 UTC text. *host_env* has the host's variables (see ``host_eval_names``). Raises
    ``InvalidInputError`` for everything that is wrong and can be known now.
    """
    frame = _frame(app, system)
    if request.name.isspace():
        raise InvalidInputError("name is blank. Give the job a name.", field="name", value=request.name)
    refuse_control(request.name, "name")
    _refuse_other_caller(request, user)
    chosen, sources = _chosen(request, frame)
    warnings = [*request.warnings]
    job_type = _job_type(request, app, system, sources)
    queue = _queue(job_type, chosen, system, sources, warnings)
    _refuse_bad_prefix(chosen, system)
    archive_mode = _archive_mode(request, app.job_attributes, sources)
    archive_id = archive_system.id if archive_system else system.id
    if chosen["dynamic_exec_system"]:
        warnings.append(f"dynamicExecSystem is not supported; the job runs on {system.id}.")
    constraints = [
        *(request.exec_system_constraints or ()),
        *(app.job_attributes.exec_system_constraints or ()),
    ]

    values = ground_values(
        uuid=uuid,
        tenant=user.tenant,
        owner=user.name,
        effective_user=effective_user,
        app_id=app.id,
        app_version=app.version,
        exec_system_id=system.id,
        archive_system_id=archive_id,
        dynamic_exec_system=chosen["dynamic_exec_system"],
        archive_on_app_error=archive_mode is ArchiveMode.ALWAYS,
        archive_mode=archive_mode.value,
        root_dir=frame.root_dir,
        host=system.host,
        node_count=chosen["node_count"],
        cores_per_node=chosen["cores_per_node"],
        memory_mb=chosen["memory_mb"],
        max_minutes=chosen["max_minutes"],
        created=created,
        dtn_system_id=system.dtn_system_id,
        bucket_name=system.bucket_name,
        batch_scheduler=frame.scheduler,
        logical_queue=queue.name if queue else None,
        hpc_queue=queue.hpc_queue_name if queue else None,
    )
    name = values["JobName"] = simply(request.name, values)
    asked = request.parameter_set or _NOTHING_ASKED
    out, err = merge.merge_log_config(frame.parameters.log_config, asked.log_config)
    _enter_directories(chosen, out, err, system, archive_id, values, host_env)
    arguments = _arguments(asked, frame, queue, job_type, system, values, warnings)
    inputs, env_keys = _inputs(request, app)
    variables = merge.merge_environment(
        system.job_env_variables or (), frame.parameters.env_variables or (), asked.env_variables or ()
    )
    chosen_filter = _archive_filter(asked, frame, values)
    description = simply(
        chosen["description"] or f"{app.id}-{app.version} submitted by {user.name}@{user.tenant}", values
    )
    tags = _tags(request, app)

    definition = JobDefinition(
        job_type=job_type.value,
        app_runtime=app.runtime.value,
        container_image=frame.image,
        exec_system_id=system.id,
        exec_system_exec_dir=values["ExecSystemExecDir"],
        exec_system_input_dir=values["ExecSystemInputDir"],
        exec_system_output_dir=values["ExecSystemOutputDir"],
        archive_system_id=archive_id,
        archive_system_dir=values["ArchiveSystemDir"],
        job_working_dir=values["JobWorkingDir"],
        host=system.host,
        root_dir=frame.root_dir,
        exec_system_logical_queue=queue.name if queue else None,
        hpc_queue_name=queue.hpc_queue_name if queue else None,
        batch_scheduler=frame.scheduler,
        bucket_name=system.bucket_name,
        dtn_system_id=system.dtn_system_id,
        dtn_system_input_dir=values.get("DtnSystemInputDir"),
        dtn_system_output_dir=values.get("DtnSystemOutputDir"),
        archive_on_app_error=archive_mode is ArchiveMode.ALWAYS,
        archive_mode=archive_mode.value,
        dynamic_exec_system=chosen["dynamic_exec_system"],
        node_count=chosen["node_count"],
        cores_per_node=chosen["cores_per_node"],
        memory_mb=chosen["memory_mb"],
        max_minutes=chosen["max_minutes"],
        is_mpi=chosen["is_mpi"],
        mpi_cmd=chosen["mpi_cmd"],
        cmd_prefix=chosen["cmd_prefix"],
        app_args=arguments["app_args"],
        container_args=arguments["container_args"],
        scheduler_options=arguments["scheduler_options"],
        env_variables=merge.with_input_keys(variables, env_keys) if env_keys else variables,
        archive_filter=chosen_filter,
        stdout_filename=values["StdoutFilename"],
        stderr_filename=values["StderrFilename"],
        file_inputs=inputs,
        exec_system_constraints=" AND ".join(f"({part})" for part in constraints) or None,
        subscriptions=merged_subscriptions(request, app.job_attributes),
        tags=tags,
        notes=_notes(request, app),
        shared_app_ctx=app.shared_app_ctx or "",
        warnings=tuple(warnings),
        sources=sources,
    )
    job = Job(
        uuid=uuid,
        tenant=user.tenant,
        owner=user.name,
        name=name,
        description=description,
        app_id=app.id,
        app_version=app.version,
        job_type=job_type.value,
        exec_system_id=system.id,
        archive_system_id=archive_id,
        exec_system_logical_queue=queue.name if queue else None,
        effective_user_id=effective_user,
        node_count=chosen["node_count"],
        cores_per_node=chosen["cores_per_node"],
        memory_mb=chosen["memory_mb"],
        max_minutes=chosen["max_minutes"],
        status=JobStatus.PENDING,
        created=created,
        last_updated=created,
        createdby=user.name,
        createdby_tenant=user.tenant,
        tags=tags,
    )
    return job, definition


def host_eval_names(app: App, system: System, request: SubmitRequest) -> set[str]:
    """Return the host variables that resolving *request* needs."""
    frame = _frame(app, system)
    own = {name: text for name, text in request.given.items() if name in _DIRECTORIES}
    if not own:
        return frame.host_variables
    texts = {**frame.directories, **own}
    return host_variables([system.job_working_dir, *texts.values()])


_DEFINITIONS = TypeAdapter(JobDefinition)


def definition_json(definition: JobDefinition) -> str:
    """Return *definition* as JSON text, as it is stored."""
    return _DEFINITIONS.dump_json(definition).decode()


def definition_from_json(text: str | bytes) -> JobDefinition:
    """Return the definition that ``definition_json`` wrote."""
    return _DEFINITIONS.validate_json(text)


# --- what depends on app and system only -----------------------------------------------------------

_DIRECTORIES = frozenset(name for name in _DEFAULTS if name.endswith("_dir"))
_NOTHING_ASKED = ParameterSetRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What every job of one app on one system starts from; made once and used for thousands."""

    app: App
    system: System
    values: dict[str, Any]
    sources: dict[str, str]
    parameters: AppParameterSet
    image: str
    root_dir: str
    scheduler: str | None
    directories: dict[str, str | None]
    host_variables: set[str]


_FRAMES: OrderedDict[tuple[int, int], _Frame] = OrderedDict()
_MOST_FRAMES = 64


def _frame(app: App, system: System) -> _Frame:
    """Return the frame; a kept one holds its app and system, so that their identities stay theirs."""
    key = (id(app), id(system))
    frame = _FRAMES.get(key)
    if frame is None:
        frame = _FRAMES[key] = _made_frame(app, system)
        while len(_FRAMES) > _MOST_FRAMES:
            _FRAMES.popitem(last=False)
    return frame


def _made_frame(app: App, system: System) -> _Frame:
    _refuse_unusable(app, system)
    values, sources = _inherited(app.job_attributes, system)
    directories = {name: values[name] for name in _DIRECTORIES}
    return _Frame(
        app=app,
        system=system,
        values=values,
        sources=sources,
        parameters=app.job_attributes.parameter_set or AppParameterSet(),
        image=app.container_image or "",
        root_dir=system.root_dir or "/",
        scheduler=system.batch_scheduler.value if system.batch_scheduler else None,
        directories=directories,
        host_variables=host_variables([system.job_working_dir, *directories.values()]),
    )


def _inherited(attributes: JobAttributes, system: System) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a job has when its request says nothing, and where each value comes from."""
    values: dict[str, Any] = dict(_DEFAULTS)
    sources = dict.fromkeys(map(wire_name, _DEFAULTS), "default")
    for name, value in (
        ("mpi_cmd", system.mpi_cmd),
        ("exec_system_logical_queue", system.batch_default_logical_queue),
    ):
        if not is_blank(value):
            values[name], sources[wire_name(name)] = value, "system"
    for name in _DEFAULTS:
        value = getattr(attributes, name)
        if _is_said(name, value):
            values[name], sources[wire_name(name)] = value, "app"
    values["description"] = None if is_blank(attributes.description) else attributes.description
    return values, sources


def _is_said(name: str, value: Any) -> bool:
    if value is None or (isinstance(value, str) and is_blank(value)):
        return False
    return not (name in _COUNTS and value <= 0)


def _refuse_unusable(app: App, system: System) -> None:
    if not app.enabled or not app.version_enabled:
        raise InvalidInputError(
            f"app {app.id} {app.version} is disabled. Its owner can enable it again; until then choose another app.",
            field="appId",
            value=app.id,
        )
    if is_blank(app.container_image):
        raise InvalidInputError(
            f"app {app.id} {app.version} has no containerImage. Its owner has to give it one.",
            field="appId",
            value=app.id,
        )
    refuse_control(app.container_image or "", "containerImage")
    for is_missing, why in (
        (not system.enabled, "is disabled. Choose another system, or ask its owner to enable it."),
        (not system.can_exec, "only stores files (canExec is false). Choose a system that runs jobs."),
        (is_blank(system.job_working_dir), "has no jobWorkingDir. Its owner has to give it one."),
        (not system.job_runtimes, "has no jobRuntimes. Its owner has to name at least one."),
    ):
        if is_missing:
            raise InvalidInputError(f"system {system.id} {why}", field="execSystemId", value=system.id)


# --- the parts of a job ----------------------------------------------------------------------------


def _refuse_other_caller(request: SubmitRequest, user: User) -> None:
    for field, asked, own in (("owner", request.owner, user.name), ("tenant", request.tenant, user.tenant)):
        if asked and asked != own:
            raise InvalidInputError(
                f"{field} {shown(asked)} is not you ({own}). Leave {field} out: a job belongs to who submits it.",
                field=field,
                value=asked,
            )


def _chosen(request: SubmitRequest, frame: _Frame) -> tuple[dict[str, Any], dict[str, str]]:
    """Return field -> value and wire name -> source, the request's over what is inherited."""
    values, sources = dict(frame.values), dict(frame.sources)
    for name, value in request.given.items():
        if name in _ASKED and not (name in _COUNTS and value <= 0):
            values[name] = value
            sources[wire_name(name)] = "request"
    return values, sources


def _job_type(request: SubmitRequest, app: App, system: System, sources: dict[str, str]) -> JobType:
    if request.job_type is not None:
        job_type = request.job_type
    elif app.job_type is not None:
        job_type, sources["jobType"] = app.job_type, "app"
    else:
        job_type = JobType.BATCH if system.can_run_batch else JobType.FORK
        sources["jobType"] = "system"
    if job_type is JobType.BATCH and not system.can_run_batch:
        raise InvalidInputError(
            f"jobType BATCH cannot run on system {system.id}, which has no batch scheduler. "
            "Use jobType FORK, or a system with canRunBatch.",
            field="jobType",
            value="BATCH",
        )
    if job_type is JobType.BATCH and app.runtime is RuntimeType.DOCKER:
        raise InvalidInputError(
            f"app {app.id} is a DOCKER app, and those cannot be BATCH jobs. "
            "Use jobType FORK, or an app with runtime SINGULARITY or ZIP.",
            field="jobType",
            value="BATCH",
        )
    return job_type


def _queue(
    job_type: JobType, chosen: dict[str, Any], system: System, sources: dict[str, str], warnings: list[str]
) -> LogicalQueue | None:
    """Return the queue of a BATCH job, its limits kept; a FORK job has none."""
    name = chosen["exec_system_logical_queue"]
    if job_type is JobType.FORK:
        if name and sources["execSystemLogicalQueue"] == "request":
            warnings.append(
                f"execSystemLogicalQueue {name} is ignored: a FORK job does not go through a queue."
            )
        return None
    queue = system.queues.get(name)
    if queue is None:
        names = ", ".join(system.queues) or "none"
        raise InvalidInputError(
            f"queue '{name}' is not on {system.id}.{did_you_mean(str(name), system.queues)} Queues: {names}.",
            field="execSystemLogicalQueue",
            value=name,
        )
    refuse_over_limits(chosen, queue, system)
    return queue


def _refuse_bad_prefix(chosen: dict[str, Any], system: System) -> None:
    mpi, prefix = chosen["mpi_cmd"], chosen["cmd_prefix"]
    if prefix:
        if not system.enable_cmd_prefix:
            raise _wrong(
                "cmdPrefix",
                prefix,
                f"is not allowed on system {system.id} (enableCmdPrefix is false). Leave it out",
            )
        shell_words(prefix)
    if chosen["is_mpi"]:
        if not mpi:
            raise _wrong("mpiCmd", mpi, "is missing, and isMpi is true. Give one, for example 'mpirun'")
        if prefix:
            raise _wrong("cmdPrefix", prefix, "cannot be used together with isMpi. Leave one of them out")
    if mpi:
        refuse_dangerous(mpi, "mpiCmd")
        shell_words(mpi)


def _archive_mode(request: SubmitRequest, attributes: JobAttributes, sources: dict[str, str]) -> ArchiveMode:
    """Who speaks first decides; at one level archiveMode says more than the older archiveOnAppError."""
    for who, source in ((request, "request"), (attributes, "app")):
        if who.archive_mode is not None:
            sources["archiveMode"] = source
            return who.archive_mode
        if who.archive_on_app_error is not None:
            sources["archiveMode"] = source
            return ArchiveMode.ALWAYS if who.archive_on_app_error else ArchiveMode.SKIP_ON_FAIL
    sources["archiveMode"] = "default"
    return ArchiveMode.ALWAYS


def _enter_directories(
    chosen: dict[str, Any],
    out: str,
    err: str,
    system: System,
    archive_id: str,
    values: dict[str, str],
    host_env: Mapping[str, str],
) -> None:
    """Resolve directories and log names, canonical, into *values*."""
    is_same = archive_id == system.id
    archive = chosen["archive_system_dir"] or (
        chosen["exec_system_output_dir"] if is_same else DEFAULT_ARCHIVE_DIR
    )
    given = {
        "JobWorkingDir": (system.job_working_dir or "", f"jobWorkingDir of system {system.id}"),
        "ExecSystemInputDir": (chosen["exec_system_input_dir"], "execSystemInputDir"),
        "ExecSystemExecDir": (chosen["exec_system_exec_dir"], "execSystemExecDir"),
        "ExecSystemOutputDir": (chosen["exec_system_output_dir"], "execSystemOutputDir"),
        "ArchiveSystemDir": (archive, "archiveSystemDir"),
        "StdoutFilename": (out, "parameterSet.logConfig.stdoutFilename"),
        "StderrFilename": (err, "parameterSet.logConfig.stderrFilename"),
    }
    if system.dtn_system_id:
        for name, field in (
            ("DtnSystemInputDir", "dtn_system_input_dir"),
            ("DtnSystemOutputDir", "dtn_system_output_dir"),
        ):
            if chosen[field] != NOT_SET:
                given[name] = (chosen[field], wire_name(field))
    derive(given, values, host_env)
    for name, (text, field) in given.items():
        values[name] = _canonical(values[name], text, field, is_file=name.endswith("Filename"))


def _canonical(resolved: str, text: str, field: str, *, is_file: bool) -> str:
    """Return a directory with a leading slash, a file name without; ``..`` is refused before and after macros."""
    if ".." in text:
        normalise(text, field)
    if not is_file:
        return normalise(resolved, field)
    name = relative(resolved, field)
    if not name:
        raise _wrong(field, text, "names no file. Give a name such as tapisjob.out")
    return name


def _arguments(
    asked: ParameterSetRequest,
    frame: _Frame,
    queue: LogicalQueue | None,
    job_type: JobType,
    system: System,
    values: dict[str, str],
    warnings: list[str],
) -> dict[str, tuple[Argument, ...]]:
    parameters = frame.parameters
    app_args = merge.merge_arguments(parameters.app_args or (), asked.app_args or (), "parameterSet.appArgs")
    containers = merge.merge_arguments(
        parameters.container_args or (), asked.container_args or (), "parameterSet.containerArgs"
    )
    options = _scheduler_options(asked, parameters, queue, job_type, system, warnings)
    for argument in containers:
        _refuse_bad_container_arg(argument.arg, frame.app.runtime)
    return {
        "app_args": tuple(_app_argument(argument, values, warnings) for argument in app_args),
        "container_args": tuple(_with_macros(argument, values, simply) for argument in containers),
        "scheduler_options": tuple(_with_macros(argument, values, simply) for argument in options),
    }


def _app_argument(argument: Argument, values: dict[str, str], warnings: list[str]) -> Argument:
    """Put macros in and read the words once, so that what is wrong is said now."""
    final = _with_macros(argument, values, lambda text, known: insert(text, known.get))
    shell_words(final.arg)
    if "$" in final.arg and (mark := unexpanded(final.arg)):
        warnings.append(
            f"the argument {shown(final.arg)} holds {mark}, which no shell runs: it reaches the application as text."
        )
    return final


def _with_macros(
    argument: Argument, values: dict[str, str], put: Callable[[str, dict[str, str]], str]
) -> Argument:
    if "${" not in argument.arg:
        return argument
    return Argument(
        arg=put(argument.arg, values),
        name=argument.name,
        description=argument.description,
        include=argument.include,
        notes=argument.notes,
    )


def _refuse_bad_container_arg(arg: str, runtime: RuntimeType) -> None:
    field = "parameterSet.containerArgs"
    refuse_bad_option(arg, field)
    is_keep = option_parts(arg)[0] == KEEP_ZIP
    if runtime is RuntimeType.ZIP and not is_keep:
        raise _wrong(field, arg, f"has no meaning for a ZIP app, which knows only {KEEP_ZIP}. Leave it out")
    if is_keep and runtime is not RuntimeType.ZIP:
        raise _wrong(field, arg, f"is for ZIP apps only, and this one is {runtime}. Leave it out")


def _scheduler_options(
    asked: ParameterSetRequest,
    parameters: AppParameterSet,
    queue: LogicalQueue | None,
    job_type: JobType,
    system: System,
    warnings: list[str],
) -> tuple[Argument, ...]:
    """Merge the options of queue, app and request; for a FORK job they are kept but mean nothing."""
    field = "parameterSet.schedulerOptions"
    is_batch = job_type is JobType.BATCH
    merged = merge.merge_arguments(
        [*_queue_options(queue), *(parameters.scheduler_options or ())],
        asked.scheduler_options or (),
        field,
        blanks_are_errors=is_batch,
    )
    if not is_batch:
        if asked.scheduler_options:
            warnings.append("schedulerOptions are ignored: a FORK job does not go through a scheduler.")
        for option in merged:
            refuse_control(option.arg, field)
        return merged
    for option in merged:
        refuse_bad_option(option.arg, field)
        _refuse_own_option(option.arg, field, system)
    profile = system.batch_scheduler_profile
    if profile and not any(option.arg.startswith(f"{PROFILE} ") for option in merged):
        refuse_control(profile, "batchSchedulerProfile")
        merged = (*merged, Argument(arg=f"{PROFILE} {profile}", name=None))
    return merged


def _queue_options(queue: LogicalQueue | None) -> list[AppArgument]:
    """Return the queue's own options; they are there by default, unlike an app's."""
    options = [AppArgument.model_validate(option) for option in (queue and queue.scheduler_options) or ()]
    by_default = {"input_mode": InputMode.INCLUDE_BY_DEFAULT}
    return [option if option.input_mode else option.model_copy(update=by_default) for option in options]


def _refuse_own_option(option: str, field: str, system: System) -> None:
    name = option_parts(option)[0]
    if system.batch_scheduler is SchedulerType.SLURM and name in _SLURM_FIELDS:
        raise _wrong(field, option, f"sets what the job says itself. Use {_SLURM_FIELDS[name]} instead")


def _inputs(request: SubmitRequest, app: App) -> tuple[tuple[FileInput, ...], list[tuple[str | None, str]]]:
    """Return the inputs, ready to be copied, and (envKey, target) pairs."""
    attributes = app.job_attributes
    singles = merge.merge_inputs(
        attributes.file_inputs or (), request.file_inputs or (), strict=app.strict_file_inputs
    )
    arrays = merge.merge_input_arrays(
        attributes.file_input_arrays or (), request.file_input_arrays or (), strict=app.strict_file_inputs
    )
    inputs = tuple(map(_located, (*singles, *merge.array_inputs(arrays))))
    keys = [(item.env_key, item.target_path) for item in inputs if item.env_key]
    return inputs, [*keys, *((array.env_key, array.target_dir) for array in arrays if array.env_key)]


def _located(item: FileInput) -> FileInput:
    """Check the URL and settle the target: blank or ``*`` is the source's own name."""
    label = f"fileInputs '{item.name}'" if item.name else "fileInputs"
    url = checked_url(item.source_url, f"sourceUrl of {label}")
    target = item.target_path
    if is_blank(target) or target == "*":
        target = last_segment(url)
    target = relative(target, f"targetPath of {label}")
    if not target:
        why = "a data: URL has no name" if is_data(url) else f"{shown(url)} ends without a name"
        raise InvalidInputError(
            f"{label} has no targetPath, and {why}. Give it a targetPath.",
            field="fileInputs.targetPath",
            value=url[:200],
        )
    return FileInput(
        source_url=url,
        target_path=target,
        name=item.name,
        description=item.description,
        env_key=item.env_key,
        auto_mount_local=item.auto_mount_local,
        optional=item.optional,
        notes=item.notes,
    )


def _archive_filter(asked: ParameterSetRequest, frame: _Frame, values: dict[str, str]) -> ArchiveFilter:
    merged = merge.merge_archive_filter(frame.parameters.archive_filter, asked.archive_filter)
    if not merged.includes and not merged.excludes:
        return merged
    return ArchiveFilter(
        includes=tuple(simply(pattern, values) for pattern in merged.includes),
        excludes=tuple(simply(pattern, values) for pattern in merged.excludes),
        include_launch_files=merged.include_launch_files,
    )


def _tags(request: SubmitRequest, app: App) -> tuple[str, ...]:
    return tuple(sorted({*(request.tags or ()), *(app.job_attributes.tags or ())}))


def _notes(request: SubmitRequest, app: App) -> dict[str, Any]:
    notes = request.notes if request.notes is not None else app.notes
    if not notes:
        return {}
    size = len(json.dumps(notes, ensure_ascii=False).encode())
    if size > MOST_NOTES_BYTES:
        raise InvalidInputError(
            f"notes has {size:,} bytes; at most {MOST_NOTES_BYTES:,} are allowed. Put the rest into an input file.",
            field="notes",
        )
    return notes


def _wrong(field: str, value: Any, why: str) -> InvalidInputError:
    return InvalidInputError(f"{field}{f' {shown(value)}' if value else ''} {why}.", field=field, value=value)
