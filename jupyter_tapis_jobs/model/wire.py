"""How jobs and their events look to a client: every attribute of Tapis's Job object, in Tapis's words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model

from .fields import ArchiveMode, JobType
from .job import Argument, EnvVariable, FileInput, Job, JobDefinition, JobEvent
from .macros import tapis_environment
from .names import wire_name
from .status import Condition, EventType, JobStatus, RemoteOutcome


def job_to_wire(job: Job, definition: JobDefinition) -> dict[str, Any]:
    """Return the whole job; what Tapis keeps as JSON text is JSON text here too."""
    from_job = {wire: getattr(job, name) for name, wire in _FROM_JOB}
    return {
        **from_job,
        **{wire: getattr(definition, name) for name, wire in _FROM_DEFINITION},
        **_NOT_KEPT,
        "condition": _shown_condition(job),
        "tags": list(job.tags),
        "mpi": definition.is_mpi,
        "fileInputs": _json([_input_to_wire(item) for item in definition.file_inputs]),
        "parameterSet": _json(parameter_set_to_wire(job, definition)),
        "execSystemConstraints": definition.exec_system_constraints
        and _json(definition.exec_system_constraints),
        "subscriptions": _json(definition.subscriptions),
        "notes": _json(definition.notes),
        "sharedAppCtxAttribs": [],
    }


def summary_to_wire(job: Job) -> dict[str, Any]:
    """Return the row of a list or search."""
    row = {wire: getattr(job, name) for name, wire in _SUMMARY}
    row["condition"] = _shown_condition(job)
    return row


def selected_to_wire(job: Job, definition: JobDefinition | None, select: Iterable[str]) -> dict[str, Any]:
    """Return the row that a search's ``select`` asks for (see ``search.selected``).

    *definition* may be None when ``needs_definition`` says so.
    """
    names = list(select)
    whole = None if definition is None else job_to_wire(job, definition)
    if whole and "allAttributes" in names:
        return whole
    row = summary_to_wire(job) if "summaryAttributes" in names else {}
    single = [name for name in names if name != "summaryAttributes"]
    return row | {wire_name(n): whole[wire_name(n)] if whole else _plain(job, n) for n in single}


def needs_definition(select: Iterable[str]) -> bool:
    """Tell whether a row with these fields needs more than the job's own record."""
    return any(name not in _OWN and name != "summaryAttributes" for name in select)


def _plain(job: Job, name: str) -> Any:
    if name == "condition":
        return _shown_condition(job)
    return list(job.tags) if name == "tags" else getattr(job, name)


def status_to_wire(job: Job) -> dict[str, Any]:
    """Return what ``/jobs/{uuid}/status`` says."""
    return {"status": job.status.value, "condition": _shown_condition(job)}


def event_to_wire(event: JobEvent) -> dict[str, Any]:
    """Return one entry of a job's history."""
    return {
        "event": event.event.value,
        "created": event.created,
        "eventDetail": event.event_detail,
        "description": event.description,
        "transferTaskUuid": event.data.get("transactionId"),
        "transferSummary": event.data.get("transferSummary"),
    }


def parameter_set_to_wire(job: Job, definition: JobDefinition) -> dict[str, Any]:
    """Return the parameter set of a resolved job, the ``_tapis*`` variables included."""
    given = [_variable_to_wire(variable) for variable in definition.env_variables]
    own = [
        _variable_to_wire(EnvVariable(key=key, value=value))
        for key, value in tapis_environment(job, definition).items()
    ]
    chosen = definition.archive_filter
    return {
        "appArgs": list(map(_argument_to_wire, definition.app_args)),
        "containerArgs": list(map(_argument_to_wire, definition.container_args)),
        "schedulerOptions": list(map(_argument_to_wire, definition.scheduler_options)),
        "envVariables": sorted([*given, *own], key=lambda variable: str(variable["key"]).lower()),
        "archiveFilter": {
            "includes": list(chosen.includes),
            "excludes": list(chosen.excludes),
            "includeLaunchFiles": chosen.include_launch_files,
        },
        "logConfig": {
            "stdoutFilename": definition.stdout_filename,
            "stderrFilename": definition.stderr_filename,
        },
    }


def _shown_condition(job: Job) -> str | None:
    return job.condition.value if job.condition and job.status.is_terminal else None


def _argument_to_wire(argument: Argument) -> dict[str, Any]:
    return {
        "arg": argument.arg,
        "name": argument.name,
        "description": argument.description,
        "include": argument.include,
        "notes": argument.notes,
    }


def _variable_to_wire(variable: EnvVariable) -> dict[str, Any]:
    return {
        "key": variable.key,
        "value": variable.value,
        "description": variable.description,
        "include": variable.include,
        "notes": variable.notes,
    }


def _input_to_wire(item: FileInput) -> dict[str, Any]:
    return {
        "name": item.name,
        "description": item.description,
        "envKey": item.env_key,
        "autoMountLocal": item.auto_mount_local,
        "sourceUrl": item.source_url,
        "targetPath": item.target_path,
        "optional": item.optional,
        "notes": item.notes,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- response models, for the OpenAPI document ------------------------------------------------------

_Text = (str | None, None)
_Number = (int | None, None)
_TIME: dict[str, JsonValue] = {"format": "date-time"}
_JSON_TEXT = "JSON text."


def _time(description: str = "") -> tuple[Any, Any]:
    return (str | None, Field(None, description=description or None, json_schema_extra=_TIME))


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=wire_name, extra="allow")


_SUMMARY_FIELDS: dict[str, Any] = {
    "uuid": (str, ...),
    "name": (str, ...),
    "owner": (str, ...),
    "tenant": (str, ...),
    "app_id": (str, ...),
    "app_version": (str, ...),
    "status": (JobStatus, ...),
    "condition": (Condition | None, Field(None, description="Why the job ended; null until it has.")),
    "created": (str, Field(json_schema_extra=_TIME)),
    "remote_started": _time("When the application began."),
    "ended": _time("When the job came to its last status."),
    "last_updated": (str, Field(json_schema_extra=_TIME)),
    "exec_system_id": (str, ...),
    "archive_system_id": (str, ...),
}
_JOB_ONLY: dict[str, Any] = {
    "id": (int, Field(0, description="Order of acceptance.")),
    "description": _Text,
    "last_message": _Text,
    "job_type": (JobType, ...),
    "exec_system_logical_queue": _Text,
    "node_count": (int, ...),
    "cores_per_node": (int, ...),
    "memory_mb": (int, Field(description="Per node.")),
    "max_minutes": (int, ...),
    "tags": (list[str], ...),
    "blocked_count": (int, Field(description="How often the job was held back by passing trouble.")),
    "remote_job_id": (str | None, Field(None, description="The host's id: of the process or scheduler job.")),
    "remote_job_id2": _Text,
    "remote_outcome": (RemoteOutcome | None, None),
    "remote_result_info": (str | None, Field(None, description="The application's exit code.")),
    "remote_queue": _Text,
    "remote_submitted": _time(),
    "remote_ended": _time(),
    "remote_submit_retries": (int, ...),
    "remote_last_status_check": _time(),
    "visible": (bool, Field(description="False once the job is hidden from lists.")),
    "createdby": _Text,
    "createdby_tenant": _Text,
    "tracking_id": _Text,
    # Ours beyond Tapis.
    "launch_mode": (
        str,
        Field(description="single, array or pack; auto until the start settles it."),
    ),
    "launch_reason": (str | None, Field(None, description="Why it is started so.")),
    "cohort_id": (str | None, Field(None, description="The bulk call or study it came with.")),
    "progress": (float | None, Field(None, description="Percent, as the application says it.")),
    "progress_message": (str | None, Field(None, description="The application's words about that.")),
    "progress_told": _time("When it said so."),
}
_DEFINITION_ONLY: dict[str, Any] = {
    "archive_on_app_error": (bool, ...),
    "archive_mode": (ArchiveMode, ...),
    "dynamic_exec_system": (bool, ...),
    "exec_system_exec_dir": (str, ...),
    "exec_system_input_dir": (str, ...),
    "exec_system_output_dir": (str, ...),
    "archive_system_dir": (str, ...),
    "dtn_system_id": _Text,
    "dtn_system_input_dir": _Text,
    "dtn_system_output_dir": _Text,
    "mpi_cmd": _Text,
    "cmd_prefix": _Text,
    "shared_app_ctx": _Text,
}
_MADE: dict[str, Any] = {
    "mpi": (bool, ...),
    "file_inputs": (str, Field(description=_JSON_TEXT)),
    "parameter_set": (str, Field(description=_JSON_TEXT)),
    "exec_system_constraints": (str | None, Field(None, description=_JSON_TEXT)),
    "subscriptions": (str, Field(description=_JSON_TEXT)),
    "notes": (str, Field(description=_JSON_TEXT)),
    "shared_app_ctx_attribs": (list[str], ...),
}
#: Attributes of Tapis's own machinery that nothing of ours stands for: there, and null.
_NULLS: dict[str, Any] = {
    "tapis_queue": _Text,
    "remote_checks_success": _Number,
    "remote_checks_failed": _Number,
    **{
        f"{what}_{which}_id": _Text
        for what in ("input", "archive", "stage_app", "dtn_input", "dtn_output")
        for which in ("transaction", "correlation")
    },
}
_SUMMARY = tuple((name, wire_name(name)) for name in _SUMMARY_FIELDS)
_NOT_KEPT: Mapping[str, None] = dict.fromkeys(map(wire_name, _NULLS))
_FROM_JOB = tuple(
    (name, wire_name(name)) for name in (*_SUMMARY_FIELDS, *_JOB_ONLY) if name not in ("condition", "tags")
)
_FROM_DEFINITION = tuple((name, wire_name(name)) for name in _DEFINITION_ONLY)
_OWN = frozenset({*_SUMMARY_FIELDS, *_JOB_ONLY})
#: Our names of all attributes of a job on the wire.
JOB_FIELDS = frozenset({*_OWN, *_DEFINITION_ONLY, *_MADE, *_NULLS})

JobSummary = create_model("JobSummary", __base__=_Answer, __doc__="A job's row in a list.", **_SUMMARY_FIELDS)
JobDetails = create_model(
    "JobDetails",
    __base__=_Answer,
    __doc__="A whole job.",
    **_SUMMARY_FIELDS,
    **_JOB_ONLY,
    **_DEFINITION_ONLY,
    **_MADE,
    **_NULLS,
)


class JobStanding(_Answer):
    """Where a job stands."""

    status: JobStatus
    condition: Condition | None = None


class HistoryEntry(_Answer):
    """One entry of a job's history."""

    event: EventType
    created: str = Field(json_schema_extra=_TIME)
    event_detail: str = Field(description="For a new status: that status.")
    description: str | None = None
    transfer_task_uuid: str | None = None
    transfer_summary: dict[str, Any] | None = None
