"""A request, its app and its system become a job: inheritance, merge, macros, and all that is wrong at once.

Nothing here asks a host or a file; what can be known without them is checked (Tapis Jobs, "Job Submission").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter

from .app import App
from .arguments import shell_words
from .batch_request import ScriptedRequest
from .commands import commands_of
from .directories import enter_directories, host_variables_of
from .environment import merge_environment, with_input_keys
from .errors import InvalidInputError, did_you_mean
from .fields import ArchiveMode, JobType
from .inheritance import Frame, archive_mode, chosen_values, frame_of, job_type
from .inputs import inputs_of
from .job import ArchiveFilter, Argument, Job, JobDefinition, JobProfile
from .limits import refuse_over_limits
from .macros import ground_values, simply
from .merge import merge_archive_filter, merge_log_config
from .profile import SchedulerProfile
from .request import ParameterSetRequest, SubmitRequest
from .scheduler_options import PROFILE, read_option
from .status import JobStatus
from .subscriptions import merged_subscriptions
from .system import LogicalQueue, System
from .texts import refuse_control, refuse_dangerous, shown
from .user import User

#: Finds a scheduler profile by its name; raises ``NotFoundError``.
Profiles = Callable[[str], SchedulerProfile]
#: As JSON, UTF-8.
MOST_NOTES_BYTES = 65_536
_NOTHING_ASKED = ParameterSetRequest.model_validate({})
#: What job, definition and macros all hold.
_SIZES = ("node_count", "cores_per_node", "memory_mb", "max_minutes")


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
    profiles: Profiles | None = None,
    scripted: ScriptedRequest | None = None,
) -> tuple[Job, JobDefinition]:
    """Return the PENDING job (not yet stored) and its definition.

    *archive_system* is None where nothing names one: then it is the execution system. *created* is
    ISO-8601 UTC text. *host_env* has the host's variables (see ``host_eval_names``). *profiles* finds
    scheduler profiles; without it none is looked for. *scripted* tells which of the request's values come
    from a batch script. Raises ``InvalidInputError`` for everything that
    is wrong and can be known now, ``NotFoundError`` for a profile that is not there.
    """
    frame = frame_of(app, system)
    _refuse_bad_head(request, user)
    warnings = list(request.warnings)
    chosen, sources = chosen_values(request, frame)
    if scripted is not None:
        warnings += scripted.warnings
        sources |= dict.fromkeys(scripted.fields, "script")
    kind = job_type(request, app, system, sources)
    queue = _queue(kind, chosen, system, sources, warnings)
    mode = archive_mode(request, app.job_attributes, sources)
    _refuse_bad_prefix(chosen, system)
    if chosen["dynamic_exec_system"]:
        warnings.append(f"dynamicExecSystem is not supported; the job runs on {system.id}.")

    asked = request.parameter_set or _NOTHING_ASKED
    # In turns the arguments of the macros, of the definition and of the job.
    same: dict[str, Any] = {name: chosen[name] for name in _SIZES}
    same["exec_system_id"] = system.id
    same["archive_system_id"] = archive_system.id if archive_system else system.id
    defined: dict[str, Any] = {
        "archive_on_app_error": mode is ArchiveMode.ALWAYS,
        "archive_mode": mode.value,
        "dynamic_exec_system": chosen["dynamic_exec_system"],
        "root_dir": frame.root_dir,
        "host": system.host,
        "dtn_system_id": system.dtn_system_id,
        "bucket_name": system.bucket_name,
        "batch_scheduler": frame.scheduler,
    }
    queue_name, hpc_queue = (queue.name, queue.hpc_queue_name) if queue else (None, None)
    values = ground_values(
        uuid=uuid,
        tenant=user.tenant,
        owner=user.name,
        effective_user=effective_user,
        app_id=app.id,
        app_version=app.version,
        created=created,
        logical_queue=queue_name,
        hpc_queue=hpc_queue,
        **same,
        **defined,
    )
    values["JobName"] = simply(request.name, values)
    logs = merge_log_config(frame.parameters.log_config, asked.log_config)
    logs = (simply(logs[0], values), simply(logs[1], values))
    enter_directories(chosen, logs, system, same["archive_system_id"], values, host_env)
    commands = commands_of(asked, frame, queue, kind, values, warnings)
    inputs, input_keys = inputs_of(request, app)
    variables = merge_environment(
        system.job_env_variables or (), frame.parameters.env_variables or (), asked.env_variables or ()
    )
    tags = tuple(sorted({*(request.tags or ()), *(app.job_attributes.tags or ())}))
    definition = JobDefinition(
        job_type=kind.value,
        app_runtime=app.runtime.value,
        container_image=frame.image,
        exec_system_exec_dir=values["ExecSystemExecDir"],
        exec_system_input_dir=values["ExecSystemInputDir"],
        exec_system_output_dir=values["ExecSystemOutputDir"],
        archive_system_dir=values["ArchiveSystemDir"],
        job_working_dir=values["JobWorkingDir"],
        dtn_system_input_dir=values.get("DtnSystemInputDir"),
        dtn_system_output_dir=values.get("DtnSystemOutputDir"),
        stdout_filename=values["StdoutFilename"],
        stderr_filename=values["StderrFilename"],
        exec_system_logical_queue=queue_name,
        hpc_queue_name=hpc_queue,
        is_mpi=chosen["is_mpi"],
        mpi_cmd=chosen["mpi_cmd"],
        cmd_prefix=chosen["cmd_prefix"],
        app_args=commands.app_args,
        container_args=commands.container_args,
        scheduler_options=commands.scheduler_options,
        task_count=scripted.task_count if scripted else None,
        scheduler_profile=_profile(commands.scheduler_options, profiles) if queue else None,
        env_variables=with_input_keys(variables, input_keys),
        archive_filter=_archive_filter(asked, frame, values),
        file_inputs=inputs,
        exec_system_constraints=_constraints(request, app),
        subscriptions=merged_subscriptions(request, app.job_attributes),
        tags=tags,
        notes=_notes(request, app),
        shared_app_ctx=app.shared_app_ctx or "",
        warnings=tuple(warnings),
        sources=sources,
        **same,
        **defined,
    )
    job = Job(
        uuid=uuid,
        tenant=user.tenant,
        owner=user.name,
        name=values["JobName"],
        description=simply(chosen["description"] or _description(app, user), values),
        app_id=app.id,
        app_version=app.version,
        job_type=kind.value,
        exec_system_logical_queue=queue_name,
        effective_user_id=effective_user,
        status=JobStatus.PENDING,
        created=created,
        last_updated=created,
        createdby=user.name,
        createdby_tenant=user.tenant,
        tags=tags,
        **same,
    )
    return job, definition


def host_eval_names(app: App, system: System, request: SubmitRequest) -> set[str]:
    """Return the host variables that resolving *request* needs."""
    return host_variables_of(frame_of(app, system), request)


_DEFINITIONS = TypeAdapter(JobDefinition)


def definition_json(definition: JobDefinition) -> str:
    """Return *definition* as JSON text, as it is stored."""
    return _DEFINITIONS.dump_json(definition).decode()


def definition_from_json(text: str | bytes) -> JobDefinition:
    """Return the definition that ``definition_json`` wrote."""
    return _DEFINITIONS.validate_json(text)


def _refuse_bad_head(request: SubmitRequest, user: User) -> None:
    refuse_control(request.name, "name")
    if request.name.isspace():
        raise InvalidInputError("name is blank. Give the job a name.", field="name", value=request.name)
    for field, asked, own in (("owner", request.owner, user.name), ("tenant", request.tenant, user.tenant)):
        if asked and asked != own:
            raise InvalidInputError(
                f"{field} {shown(asked)} is not yours ({own}). "
                f"Leave {field} out: a job belongs to who submits it.",
                field=field,
                value=asked,
            )


def _queue(
    kind: JobType, chosen: dict[str, Any], system: System, sources: dict[str, str], warnings: list[str]
) -> LogicalQueue | None:
    """Return the queue of a BATCH job, which keeps its limits; a FORK job has none."""
    name = chosen["exec_system_logical_queue"]
    if kind is JobType.FORK:
        if sources["execSystemLogicalQueue"] == "request":
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


def _profile(options: tuple[Argument, ...], profiles: Profiles | None) -> JobProfile | None:
    """Return what the job has of the profile that its options name."""
    named = (value for name, value in (read_option(option.arg) for option in options) if name == PROFILE)
    name = next(named, None)
    if name is None or profiles is None:
        return None
    return profiles(name).for_job()


def _refuse_bad_prefix(chosen: dict[str, Any], system: System) -> None:
    mpi, prefix = chosen["mpi_cmd"], chosen["cmd_prefix"]
    if prefix:
        shell_words(prefix, "cmdPrefix")
        if not system.enable_cmd_prefix:
            raise InvalidInputError(
                f"cmdPrefix {shown(prefix)} is not allowed on system {system.id}, "
                "where enableCmdPrefix is false. Leave it out.",
                field="cmdPrefix",
                value=prefix,
            )
    if mpi:
        refuse_dangerous(mpi, "mpiCmd")
        shell_words(mpi, "mpiCmd")
    if chosen["is_mpi"] and not mpi:
        raise InvalidInputError(
            "mpiCmd is missing, and isMpi is true. Give one, for example 'mpirun'.", field="mpiCmd"
        )
    if chosen["is_mpi"] and prefix:
        raise InvalidInputError(
            f"cmdPrefix {shown(prefix)} cannot be used together with isMpi. Leave one of them out.",
            field="cmdPrefix",
            value=prefix,
        )


def _description(app: App, user: User) -> str:
    return f"{app.id}-{app.version} submitted by {user.name}@{user.tenant}"


def _constraints(request: SubmitRequest, app: App) -> str | None:
    """Return the constraints of request and app as one SQL-like text."""
    parts = [*(request.exec_system_constraints or ()), *(app.job_attributes.exec_system_constraints or ())]
    return " AND ".join(f"({part})" for part in parts) or None


def _archive_filter(asked: ParameterSetRequest, frame: Frame, values: dict[str, str]) -> ArchiveFilter:
    merged = merge_archive_filter(frame.parameters.archive_filter, asked.archive_filter)
    if not merged.includes and not merged.excludes:
        return merged
    return ArchiveFilter(
        includes=tuple(simply(pattern, values) for pattern in merged.includes),
        excludes=tuple(simply(pattern, values) for pattern in merged.excludes),
        include_launch_files=merged.include_launch_files,
    )


def _notes(request: SubmitRequest, app: App) -> dict[str, Any]:
    notes = request.notes if request.notes is not None else app.notes
    if not notes:
        return {}
    size = len(json.dumps(notes, ensure_ascii=False).encode())
    if size > MOST_NOTES_BYTES:
        raise InvalidInputError(
            f"notes has {size:,} bytes; at most {MOST_NOTES_BYTES:,} are allowed. "
            "Put the rest into an input file.",
            field="notes",
        )
    return notes
