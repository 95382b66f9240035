"""A request, its app and its system become a job: inheritance, merge, macros, and all that is wrong at once.

Nothing here asks a host or a file; what can be known without them is checked (Tapis Jobs, "Job Submission").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from .app import App
from .batch_request import ScriptedRequest
from .choices import Choice, choose
from .commands import Commands, commands_of
from .directories import DIRECTORY_FIELDS, directory_texts, host_variables_of, resolve_directories
from .environment import merge_environment, with_input_keys
from .errors import InvalidInputError
from .fields import ArchiveMode
from .inheritance import Frame, frame_of
from .inputs import inputs_of
from .job import ArchiveFilter, Argument, Job, JobDefinition, JobProfile
from .macros import HostEnv, ground_values, host_variables, simply
from .merge import merge_archive_filter, merge_log_config
from .patterns import with_macros
from .profile import SchedulerProfile
from .provenance import telling_origins
from .request import ParameterSetRequest, SubmitRequest
from .scheduler_options import PROFILE, read_option
from .status import JobStatus
from .subscriptions import merged_subscriptions
from .system import System
from .texts import refuse_control, shown
from .user import User

#: Finds a scheduler profile by its name; raises ``NotFoundError``.
Profiles = Callable[[str], SchedulerProfile]
#: As JSON, UTF-8.
MOST_NOTES_BYTES = 65_536
_SIZES = ("node_count", "cores_per_node", "memory_mb", "max_minutes")
_NOTHING_ASKED = ParameterSetRequest.model_validate({})


class _Head(NamedTuple):
    """What makes one job that job: its names and whose it is."""

    uuid: str
    created: str
    user: User
    effective_user: str


@telling_origins
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
    host_env: HostEnv,
    archive_env: HostEnv | None = None,
    profiles: Profiles | None = None,
    scripted: ScriptedRequest | None = None,
) -> tuple[Job, JobDefinition]:
    """Return the PENDING job (not yet stored) and its definition.

    *archive_system* is None where nothing names one: then it is the execution system. *created* is
    ISO-8601 UTC text. *host_env* has the host's variables (see ``host_eval_names``), *archive_env* those
    of the archive's host where it is another. *profiles* finds scheduler profiles; without it none is
    looked for. *scripted* tells which of the request's values come from a batch script. Raises
    ``InvalidInputError`` for everything that is wrong and can be known now, ``NotFoundError`` for a
    profile that is not there.
    """
    frame = frame_of(app, system)
    _refuse_bad_head(request, user)
    choice = choose(request, frame, archive_system, scripted)
    head = _Head(uuid, created, user, effective_user)
    asked = request.parameter_set or _NOTHING_ASKED

    settled = _settled_fields(choice)
    values = _ground_values(head, choice, settled)
    values["JobName"] = simply(request.name, values)
    places, open_variables = resolve_directories(
        directory_texts(choice, _log_names(asked, frame, values)), values, host_env, archive_env
    )
    from_app = app.job_attributes.exec_system_id and not request.dynamic_exec_system
    if choice.values["dynamic_exec_system"] and (request.exec_system_id or from_app):
        choice.warnings.append(f"dynamicExecSystem is ignored: execSystemId names {system.id}.")
    if open_variables:
        choice.warnings.append(_told_later(open_variables))
    commands = commands_of(asked, frame, choice.queue, choice.kind, values, choice.warnings)
    inputs, input_keys = inputs_of(request, app)
    variables = merge_environment(
        system.job_env_variables or (), frame.parameters.env_variables or (), asked.env_variables or ()
    )
    tags = tuple(sorted({*(request.tags or ()), *(app.job_attributes.tags or ())}))
    definition = JobDefinition(
        **settled,
        job_type=choice.kind.value,
        app_runtime=app.runtime.value,
        container_image=frame.image,
        exec_system_logical_queue=choice.queue.name if choice.queue else None,
        hpc_queue_name=choice.queue.hpc_queue_name if choice.queue else None,
        is_mpi=choice.values["is_mpi"],
        mpi_cmd=choice.values["mpi_cmd"],
        cmd_prefix=choice.values["cmd_prefix"],
        **_place_fields(places),
        **_command_fields(commands, choice, profiles),
        open_variables=open_variables,
        task_count=scripted.task_count if scripted else None,
        env_variables=with_input_keys(variables, input_keys),
        archive_filter=_archive_filter(asked, frame, values),
        file_inputs=inputs,
        exec_system_constraints=constraints_of(request, app),
        subscriptions=merged_subscriptions(request, app.job_attributes),
        tags=tags,
        notes=_notes(request, app),
        shared_app_ctx=app.shared_app_ctx or "",
        warnings=tuple(choice.warnings),
        sources=choice.sources,
    )
    description = simply(choice.values["description"] or _description(app, user), values)
    return _new_job(head, choice, values["JobName"], description, tags), definition


def host_eval_names(
    app: App, system: System, request: SubmitRequest, *, archive_elsewhere: bool = False
) -> set[str]:
    """Return the variables of the execution host that resolving *request* needs.

    With *archive_elsewhere* those of the archive directory are another host's, see ``archive_eval_names``.
    """
    left_out = "archive_system_dir" if archive_elsewhere else ""
    return host_variables_of(frame_of(app, system), request, leave_out=left_out)


def archive_eval_names(app: App, request: SubmitRequest) -> set[str]:
    """Return the variables that the archive directory asks of its host."""
    return host_variables([request.given.get("archive_system_dir") or app.job_attributes.archive_system_dir])


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


def _settled_fields(choice: Choice) -> dict[str, Any]:
    """Return what both the macros and the definition of a job have."""
    frame, chosen = choice.frame, choice.values
    system = frame.system
    return {
        "exec_system_id": system.id,
        "archive_system_id": choice.archive_system_id,
        "archive_on_app_error": choice.archive_mode is ArchiveMode.ALWAYS,
        "archive_mode": choice.archive_mode.value,
        "dynamic_exec_system": chosen["dynamic_exec_system"],
        "root_dir": frame.root_dir,
        "host": system.host,
        "dtn_system_id": system.dtn_system_id,
        "bucket_name": system.bucket_name,
        "batch_scheduler": frame.scheduler,
        **{name: chosen[name] for name in _SIZES},
    }


def _ground_values(head: _Head, choice: Choice, settled: dict[str, Any]) -> dict[str, str]:
    """Return the macros that are known at once."""
    app, queue = choice.frame.app, choice.queue
    return ground_values(
        uuid=head.uuid,
        tenant=head.user.tenant,
        owner=head.user.name,
        effective_user=head.effective_user,
        app_id=app.id,
        app_version=app.version,
        created=head.created,
        logical_queue=queue.name if queue else None,
        hpc_queue=queue.hpc_queue_name if queue else None,
        **settled,
    )


def _log_names(asked: ParameterSetRequest, frame: Frame, values: dict[str, str]) -> tuple[str, str]:
    out, err = merge_log_config(frame.parameters.log_config, asked.log_config)
    return simply(out, values), simply(err, values)


def _told_later(names: tuple[str, ...]) -> str:
    return (
        f"the host cannot be asked now for {' and '.join(names)}: the directories that HOST_EVAL needs "
        "it for are settled before the job starts."
    )


def _place_fields(places: Mapping[str, str]) -> dict[str, Any]:
    return {field: places.get(macro) for macro, field in DIRECTORY_FIELDS.items()}


def _command_fields(commands: Commands, choice: Choice, profiles: Profiles | None) -> dict[str, Any]:
    options = commands.scheduler_options
    return {
        "app_args": commands.app_args,
        "container_args": commands.container_args,
        "scheduler_options": options,
        "scheduler_profile": _profile(options, profiles) if choice.queue else None,
    }


def _new_job(head: _Head, choice: Choice, name: str, description: str, tags: tuple[str, ...]) -> Job:
    app, chosen = choice.frame.app, choice.values
    return Job(
        uuid=head.uuid,
        tenant=head.user.tenant,
        owner=head.user.name,
        name=name,
        description=description,
        app_id=app.id,
        app_version=app.version,
        job_type=choice.kind.value,
        exec_system_id=choice.frame.system.id,
        archive_system_id=choice.archive_system_id,
        exec_system_logical_queue=choice.queue.name if choice.queue else None,
        effective_user_id=head.effective_user,
        **{name: chosen[name] for name in _SIZES},
        status=JobStatus.PENDING,
        created=head.created,
        last_updated=head.created,
        createdby=head.user.name,
        createdby_tenant=head.user.tenant,
        tags=tags,
    )


def _profile(options: tuple[Argument, ...], profiles: Profiles | None) -> JobProfile | None:
    """Return what the job has of the one profile that its options name."""
    pairs = (read_option(option.arg) for option in options)
    named = list(dict.fromkeys(value for name, value in pairs if name == PROFILE))
    if len(named) > 1:
        raise InvalidInputError(
            f"schedulerOptions name {len(named)} scheduler profiles, {', '.join(named)}, and a job has one. "
            "Say one of them; an option that the app includes is changed by its name.",
            field="parameterSet.schedulerOptions",
            value=f"{PROFILE} {named[-1]}",
        )
    return profiles(named[0]).for_job() if named and profiles is not None else None


def _description(app: App, user: User) -> str:
    return f"{app.id}-{app.version} submitted by {user.name}@{user.tenant}"


def constraints_of(request: SubmitRequest, app: App) -> str | None:
    """Return the constraints of request and app as one text like SQL's WHERE: all of them must hold."""
    parts = [*(request.exec_system_constraints or ()), *(app.job_attributes.exec_system_constraints or ())]
    return " AND ".join(f"({part})" for part in parts) or None


def _archive_filter(asked: ParameterSetRequest, frame: Frame, values: dict[str, str]) -> ArchiveFilter:
    merged = merge_archive_filter(frame.parameters.archive_filter, asked.archive_filter)
    if not merged.includes and not merged.excludes:
        return merged
    return with_macros(merged, values)


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
