"""A request to run an app: what a user writes, in Tapis's words (Tapis Jobs, "Job Submission")."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, TypeAdapter, ValidationError

from .errors import InvalidInputError
from .fields import (
    ArchiveMode,
    DeliveryTarget,
    EventCategory,
    Flag,
    JobType,
    Notes,
    Positive,
    RequestModel,
    Whole,
)
from .legacy import translated_request
from .validation import friendly

Tag = Annotated[str, Field(min_length=1, max_length=126)]


class FileInputRequest(RequestModel):
    """A file or directory that is copied to the job's input directory before it starts."""

    name: str | None = Field(None, max_length=80, description="Name of the app's input that this one fills.")
    description: str | None = Field(None, max_length=8096)
    env_key: str | None = Field(None, description="Environment variable that is set to the target path.")
    auto_mount_local: Flag | None = Field(
        None, description="Bind a tapislocal input into the container. Default true."
    )
    source_url: str | None = Field(
        None,
        description="tapis://system/path, http(s)://..., tapislocal://exec.tapis/path, or a data: URL.",
    )
    target_path: str | None = Field(
        None,
        max_length=4096,
        description="Relative to execSystemInputDir; blank or * is the source's own name.",
    )
    notes: Notes | None = None


class FileInputArrayRequest(RequestModel):
    """Several inputs that go to one directory."""

    name: str | None = Field(None, max_length=80)
    description: str | None = Field(None, max_length=8096)
    env_key: str | None = Field(None, description="Environment variable that is set to the target directory.")
    source_urls: list[str] | None = None
    target_dir: str | None = Field(
        None, max_length=4096, description="Blank or * is the input directory itself."
    )
    notes: Notes | None = None


class ArgumentRequest(RequestModel):
    """One argument of the application, the container or the scheduler."""

    name: str | None = Field(
        None, max_length=80, description="Name of the app's argument that this one fills."
    )
    description: str | None = Field(None, max_length=8096)
    include: Flag | None = Field(
        None, description="False leaves out an argument that the app includes by default."
    )
    arg: str | None = Field(
        None, description="The text; $NAME and ${NAME} expand on the host, quotes group words."
    )
    notes: Notes | None = None


class EnvVariableRequest(RequestModel):
    """One environment variable of the application."""

    key: str = Field(
        max_length=1024, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="Not beginning with _tapis."
    )
    value: str | None = Field(None, description="'!tapis_not_set' or nothing takes the inherited value.")
    description: str | None = Field(None, max_length=8096)
    include: Flag | None = Field(
        None, description="False leaves out a variable that the app includes by default."
    )
    notes: Notes | None = None


class ArchiveFilterRequest(RequestModel):
    """Which outputs are archived: excludes first, then includes; no includes means all."""

    includes: list[str] | None = Field(None, description="Globs, or REGEX: and a regular expression.")
    excludes: list[str] | None = Field(None, description="Globs, or REGEX: and a regular expression.")
    include_launch_files: Flag | None = Field(
        None, description="Archive tapisjob.sh and tapisjob.env. Default true."
    )


class LogConfigRequest(RequestModel):
    """Where the application's output goes, relative to the output directory; both names or none."""

    stdout_filename: str | None = Field(None, max_length=4096)
    stderr_filename: str | None = Field(None, max_length=4096)


class ParameterSetRequest(RequestModel):
    """Arguments, environment and filters."""

    app_args: list[ArgumentRequest] | None = None
    container_args: list[ArgumentRequest] | None = None
    scheduler_options: list[ArgumentRequest] | None = None
    env_variables: list[EnvVariableRequest] | None = None
    archive_filter: ArchiveFilterRequest | None = None
    log_config: LogConfigRequest | None = None


class SubscriptionRequest(RequestModel):
    """Who is told of the job's events."""

    description: str | None = Field(None, max_length=2048)
    enabled: Flag | None = None
    event_category_filter: EventCategory
    event_detail_filter: list[str] | None = Field(
        None, description="Ours: only events with one of these details, as FINISHED."
    )
    delivery_targets: list[DeliveryTarget] = Field(min_length=1)
    ttl_minutes: Whole | None = Field(
        None, description="Unset or below 1 is a week; at most 40,320 (4 weeks)."
    )


class SubmitRequest(RequestModel):
    """A job as it is asked for; what is left out comes from the app, then from the system."""

    name: str = Field(
        min_length=1, max_length=64, description="Name of the job; macros such as ${AppId} allowed."
    )
    app_id: str = Field(min_length=1, max_length=80)
    app_version: str = Field(min_length=1, max_length=64)
    owner: str | None = Field(None, max_length=64, description="The caller.")
    tenant: str | None = Field(None, max_length=24, description="The caller's tenant.")
    description: str | None = Field(None, max_length=2048)
    job_type: JobType | None = Field(None, description="FORK or BATCH.")
    archive_on_app_error: Flag | None = Field(
        None,
        description="Archive outputs also when the application failed. Default true; archiveMode says more.",
    )
    archive_mode: ArchiveMode | None = Field(None, description="Default ALWAYS.")
    dynamic_exec_system: Flag | None = None
    exec_system_constraints: list[str] | None = None
    exec_system_id: str | None = Field(None, max_length=80, description="Where the job runs.")
    exec_system_exec_dir: str | None = Field(None, max_length=4096)
    exec_system_input_dir: str | None = Field(None, max_length=4096)
    exec_system_output_dir: str | None = Field(None, max_length=4096)
    exec_system_logical_queue: str | None = Field(None, max_length=80, description="Queue of a BATCH job.")
    archive_system_id: str | None = Field(None, max_length=80, description="Default: the execution system.")
    archive_system_dir: str | None = Field(None, max_length=4096)
    dtn_system_input_dir: str | None = Field(None, max_length=4096)
    dtn_system_output_dir: str | None = Field(None, max_length=4096)
    node_count: Whole | None = Field(None, description="Default 1.")
    cores_per_node: Whole | None = Field(None, description="Default 1.")
    memory_mb: Positive | None = Field(None, description="Per node. Default 100.")
    max_minutes: Positive | None = Field(
        None, description="Run time after which the job is ended. Default 10."
    )
    file_inputs: list[FileInputRequest] | None = None
    file_input_arrays: list[FileInputArrayRequest] | None = None
    parameter_set: ParameterSetRequest | None = None
    subscriptions: list[SubscriptionRequest] | None = None
    tags: list[Tag] | None = None
    notes: Notes | None = Field(None, description="At most 65,536 bytes as JSON.")
    is_mpi: Flag | None = Field(None, description="Start the application with mpiCmd.")
    mpi_cmd: str | None = Field(None, max_length=126)
    cmd_prefix: str | None = Field(None, max_length=1024, description="Put before the application's command.")

    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was translated when the request was read, one sentence each."""
        return self._warnings

    @cached_property
    def given(self) -> dict[str, Any]:
        """Field -> value of what the request really says; null and blank count as unsaid."""
        said = ((name, getattr(self, name)) for name in self.model_fields_set)
        return {n: v for n, v in said if v is not None and not (isinstance(v, str) and not v.strip())}


_ADAPTER = TypeAdapter(SubmitRequest)


def parse_request(raw: Mapping[str, Any]) -> SubmitRequest:
    """Read a request; raises ``InvalidInputError`` naming the first field that cannot be used."""
    if not isinstance(raw, Mapping):
        raise InvalidInputError(
            f"a job request is an object with name, appId and appVersion, not {type(raw).__name__}."
        )
    plain, warnings = translated_request(raw)
    try:
        request = _ADAPTER.validate_python(plain)
    except ValidationError as fault:
        raise friendly(fault, "job request", SubmitRequest) from None
    if warnings:
        request._warnings = tuple(warnings)
    return request
