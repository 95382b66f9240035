"""A job: what was asked of it (its definition, which never changes) and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from .status import Condition, EventType, HoldWish, JobStatus, RemoteOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInput:
    """One file or directory that is copied to the execution system before the job starts."""

    source_url: str
    #: Relative to the job's input directory.
    target_path: str
    name: str | None = None
    description: str | None = None
    env_key: str | None = None
    auto_mount_local: bool = True
    #: A missing source is then no error.
    optional: bool = False
    notes: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of the app, the container or the scheduler, after the merge."""

    arg: str
    name: str | None = None
    description: str | None = None
    include: bool | None = None
    notes: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvVariable:
    """One environment variable of the job, after the merge."""

    key: str
    value: str
    description: str | None = None
    include: bool | None = None
    notes: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFilter:
    """Which outputs are archived: excludes first, then includes; no includes means all."""

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    include_launch_files: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProfile:
    """What a job has of its scheduler profile."""

    name: str
    #: Shell lines that load modules, run by a login shell before the application.
    module_lines: tuple[str, ...] = ()
    #: MEM, PARTITION: what sbatch is not told.
    hidden_options: tuple[str, ...] = ()


#: The place of the outputs, in ``JobDefinition.contexts``.
ARCHIVE = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefinition:
    """A request after inheritance, merge and macros: all that the engine needs to run the job.

    Directories are absolute below the system's ``rootDir``, canonical, without trailing slash.
    ``env_variables`` holds the merged variables without the ``_tapis*`` ones, which follow from
    the job (``model.macros``).
    """

    job_type: str
    app_runtime: str
    container_image: str
    exec_system_id: str
    exec_system_exec_dir: str
    exec_system_input_dir: str
    exec_system_output_dir: str
    archive_system_id: str
    archive_system_dir: str
    job_working_dir: str
    host: str
    root_dir: str
    exec_system_logical_queue: str | None = None
    hpc_queue_name: str | None = None
    #: The system's scheduler; also a FORK job is told of it.
    batch_scheduler: str | None = None
    bucket_name: str | None = None
    dtn_system_id: str | None = None
    dtn_system_input_dir: str | None = None
    dtn_system_output_dir: str | None = None
    archive_on_app_error: bool = True
    #: ALWAYS, SKIP_ON_FAIL or NEVER.
    archive_mode: str = "ALWAYS"
    dynamic_exec_system: bool = False
    node_count: int = 1
    cores_per_node: int = 1
    memory_mb: int = 100
    max_minutes: int = 10
    is_mpi: bool = False
    mpi_cmd: str | None = None
    cmd_prefix: str | None = None
    app_args: tuple[Argument, ...] = ()
    container_args: tuple[Argument, ...] = ()
    scheduler_options: tuple[Argument, ...] = ()
    scheduler_profile: JobProfile | None = None
    #: The number of tasks where it is not nodeCount x coresPerNode: a batch script said so.
    task_count: int | None = None
    env_variables: tuple[EnvVariable, ...] = ()
    archive_filter: ArchiveFilter = field(default_factory=ArchiveFilter)
    stdout_filename: str = "tapisjob.out"
    stderr_filename: str = "tapisjob.out"
    file_inputs: tuple[FileInput, ...] = ()
    exec_system_constraints: str | None = None
    subscriptions: tuple[dict[str, Any], ...] = ()
    tags: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    shared_app_ctx: str = ""
    #: docker, podman, singularity or apptainer where app or system names one; else what the host has.
    runtime_tool: str | None = None
    #: The host's variables that could not be asked for: until they are, directories are as they were written.
    open_variables: tuple[str, ...] = ()
    #: URL of an input or the image, or ARCHIVE -> the owner of the app it comes from, whose rights count too.
    contexts: dict[str, str] = field(default_factory=dict)
    #: What was translated or ignored on the way, one sentence each.
    warnings: tuple[str, ...] = ()
    #: job field -> "request" | "script" | "app" | "queue" | "system" | "default": where its value came from.
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Where one job stands. Times are ISO-8601 UTC text with microseconds and ``Z``.

    A new state is a new copy (``evolve``); nothing changes a job in place.
    """

    uuid: str
    tenant: str
    owner: str
    name: str
    description: str
    app_id: str
    app_version: str
    job_type: str
    exec_system_id: str
    archive_system_id: str
    exec_system_logical_queue: str | None
    effective_user_id: str
    node_count: int
    cores_per_node: int
    memory_mb: int
    max_minutes: int
    status: JobStatus
    created: str
    last_updated: str
    #: Given by the store; the order of acceptance.
    id: int = 0
    createdby: str = ""
    createdby_tenant: str = ""
    condition: Condition | None = None
    last_message: str | None = None
    ended: str | None = None
    visible: bool = True
    tags: tuple[str, ...] = ()
    tracking_id: str | None = None
    blocked_count: int = 0
    #: The station a BLOCKED or PAUSED job goes back to.
    resume_status: JobStatus | None = None
    #: When its owner asked to cancel; the engine acts on it also after a restart.
    cancel_requested: str | None = None
    #: Counts starts: one more after each start that is known not to have happened.
    attempt: int = 1
    #: The intent, stored before the scheduler is asked.
    submission_id: str | None = None
    #: single, array, pack, or auto until it is settled at the start.
    launch_mode: str = "single"
    remote_job_id: str | None = None
    remote_job_id2: str | None = None
    remote_outcome: RemoteOutcome | None = None
    remote_result_info: str | None = None
    remote_queue: str | None = None
    remote_submitted: str | None = None
    remote_started: str | None = None
    remote_ended: str | None = None
    remote_submit_retries: int = 0
    remote_last_status_check: str | None = None
    exit_code: int | None = None
    #: Why it is started in this launch mode.
    launch_reason: str | None = None
    #: The bulk call or study it came with; only jobs of one may be started together.
    cohort_id: str | None = None
    #: What its owner asked for and is not done yet; the engine acts on it also after a restart.
    hold_wish: HoldWish | None = None
    #: How far its application says it is: percent, words (or what is wrong with what it said), and when.
    progress: float | None = None
    progress_message: str | None = None
    progress_told: str | None = None

    def evolve(self, **changes: Any) -> Job:
        """Return a copy with *changes*.

        The same as ``dataclasses.replace`` in half of its time: every step of every job makes some.
        """
        copy = object.__new__(Job)
        for name, put, value in zip(_NAMES, _PUTS, _values_of(self), strict=True):
            put(copy, changes.pop(name) if name in changes else value)
        if changes:
            raise TypeError(f"a job has no {', '.join(changes)}")
        return copy

    def changes_from(self, before: Job) -> dict[str, Any]:
        """Return field -> value of what is different from *before*."""
        pairs = zip(_NAMES, _values_of(before), _values_of(self), strict=True)
        return {name: new for name, old, new in pairs if old is not new and old != new}

    @property
    def lane(self) -> tuple[str, str]:
        """(execution system, effective user): the jobs that travel together."""
        return (self.exec_system_id, self.effective_user_id)


_NAMES = tuple(field.name for field in fields(Job))
_values_of = attrgetter(*_NAMES)
_PUTS: tuple[Callable[[Job, Any], None], ...] = tuple(getattr(Job, name).__set__ for name in _NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """One entry of a job's history. ``id`` grows by one over all jobs of the store."""

    job_uuid: str
    owner: str
    event: EventType
    event_detail: str
    created: str
    description: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    uuid: str = ""
    id: int = 0
