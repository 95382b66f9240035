"""A system: a host as Tapis knows it, its directories, runtimes, scheduler and queues (Tapis Systems)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from .app import AppArgument, EnvVariable, odd_variables
from .dask import dask_rules, with_dask_queue
from .errors import InvalidInputError, did_you_mean
from .fields import NOT_SET, Flag, InputMode, Notes, RuntimeType, StoredModel, Whole, default_for_null
from .paths import normalise
from .stored import parse_stored, to_wire
from .texts import is_blank, refuse_control, refuse_dangerous
from .update_interval import min_update_seconds


class SystemType(StrEnum):
    """What kind of storage or host a system is."""

    LINUX = "LINUX"
    S3 = "S3"
    IRODS = "IRODS"
    GLOBUS = "GLOBUS"


class AuthnMethod(StrEnum):
    """How a system is signed in to."""

    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a method
    PKI_KEYS = "PKI_KEYS"
    ACCESS_KEY = "ACCESS_KEY"
    TOKEN = "TOKEN"  # noqa: S105 - the name of a method
    TMS_KEYS = "TMS_KEYS"
    CERT = "CERT"


class SchedulerType(StrEnum):
    """The batch schedulers that a definition may name."""

    SLURM = "SLURM"
    CONDOR = "CONDOR"
    PBS = "PBS"
    SGE = "SGE"
    UGE = "UGE"
    TORQUE = "TORQUE"
    #: Ours: Tapis has none for it.
    DASK = "DASK"


class JobRuntime(StoredModel):
    """A runtime that is installed on the host."""

    runtime_type: RuntimeType
    version: str | None = None


class LogicalQueue(StoredModel):
    """A queue by the name that jobs use, with its limits."""

    name: str = Field(min_length=1, max_length=128)
    hpc_queue_name: str = Field(min_length=1, max_length=128, description="The scheduler's own name for it.")
    description: str | None = Field(None, max_length=2048)
    max_jobs: Whole | None = Field(None, description="-1 or null is without limit.")
    max_jobs_per_user: Whole | None = Field(None, description="-1 or null is without limit.")
    min_node_count: Whole | None = None
    max_node_count: Whole | None = None
    min_cores_per_node: Whole | None = None
    max_cores_per_node: Whole | None = None
    min_memory_mb: Whole | None = Field(None, description="Per node.")
    max_memory_mb: Whole | None = Field(None, description="Per node.")
    min_minutes: Whole | None = None
    max_minutes: Whole | None = None
    scheduler_options: list[AppArgument] | None = Field(
        None, description="Options of every job of the queue; inputMode is INCLUDE_BY_DEFAULT unless said."
    )


class System(StoredModel):
    """A host."""

    id: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9\-._~]*$")
    system_type: SystemType
    host: str = Field(min_length=1, max_length=256)
    default_authn_method: AuthnMethod
    can_exec: Flag
    tenant: str | None = None
    description: str | None = Field(None, max_length=2048)
    owner: str | None = Field(None, max_length=64, description="Default: the caller.")
    enabled: Flag = True
    effective_user_id: str | None = Field(
        "${apiUserId}", max_length=64, description="The host user: ${apiUserId}, ${owner} or a fixed name."
    )
    authn_credential: dict[str, Any] | None = Field(None, description="Taken, never returned.", exclude=True)
    bucket_name: str | None = Field(None, max_length=256)
    root_dir: str | None = Field(None, max_length=4096, description="All paths are relative to it.")
    port: Whole | None = -1
    use_proxy: Flag | None = False
    proxy_host: str | None = Field(None, max_length=256)
    proxy_port: Whole | None = -1
    dtn_system_id: str | None = Field(None, max_length=80)
    can_run_batch: Flag = False
    enable_cmd_prefix: Flag = False
    allow_children: Flag = False
    parent_id: str | None = None
    mpi_cmd: str | None = Field(None, max_length=126)
    job_runtimes: list[JobRuntime] | None = None
    job_working_dir: str | None = Field(
        None, max_length=4096, description="Macros and HOST_EVAL($NAME) allowed."
    )
    job_env_variables: list[EnvVariable] | None = None
    job_max_jobs: Whole | None = Field(-1, description="-1 is without limit.")
    job_max_jobs_per_user: Whole | None = Field(-1, description="-1 is without limit.")
    batch_scheduler: SchedulerType | None = None
    batch_logical_queues: list[LogicalQueue] | None = None
    batch_default_logical_queue: str | None = Field(None, max_length=128)
    batch_scheduler_profile: str | None = Field(None, max_length=80)
    job_capabilities: list[dict[str, Any]] | None = None
    tags: list[str] | None = None
    notes: Notes | None = None
    uuid: str | None = None
    deleted: Flag | None = None
    created: str | None = None
    updated: str | None = None
    has_credentials: Flag | None = None
    is_public: Flag | None = None
    is_dynamic_effective_user: Flag | None = None
    shared_with_users: list[str] | None = None

    @field_validator(
        *("enabled", "effective_user_id", "port", "use_proxy", "proxy_port", "can_run_batch"),
        *("enable_cmd_prefix", "allow_children", "job_max_jobs", "job_max_jobs_per_user"),
        mode="before",
    )
    @classmethod
    def _default_for_null(cls, value: Any, info: ValidationInfo) -> Any:
        return default_for_null(cls, value, info)

    @cached_property
    def queues(self) -> dict[str, LogicalQueue]:
        """Name -> queue, in the order of the definition."""
        return {queue.name: queue for queue in self.batch_logical_queues or []}

    def to_wire(self) -> dict[str, Any]:
        """Return every Tapis attribute but the credential, null when unset, in Tapis's words."""
        return to_wire(self) | {"authnCredential": None}


def parse_system(raw: Mapping[str, Any]) -> tuple[System, list[str]]:
    """Read a system definition; returns it and what to tell its owner, one sentence each.

    Raises ``InvalidInputError`` when the rules of Tapis Systems are broken.
    """
    system, warnings = parse_stored(System, with_dask_queue(raw), "system")
    for rule in (_secret_rules, _storage_rules, _execution_rules, _queue_rules, _text_rules, dask_rules):
        rule(system)
    min_update_seconds(system.notes)
    return _completed(system), [*warnings, *_oddities(system)]


def _oddities(system: System) -> Iterator[str]:
    """What is kept as it is, but keeps jobs from running there."""
    if system.dtn_system_id == system.id:
        yield "dtnSystemId is the system itself; jobs that use a data transfer node are refused."
    variables = system.job_env_variables or []
    yield from odd_variables(variables, "jobEnvVariables", "the system")
    for number, item in enumerate(variables):
        if item.input_mode is InputMode.REQUIRED and item.value not in (None, NOT_SET):
            yield (
                f"jobEnvVariables[{number}] is REQUIRED, so its value must be {NOT_SET}; jobs of the system "
                "are refused until it is."
            )


#: Keys under which somebody gives a secret; a definition is shown to whoever sees the system.
_SECRETS = re.compile(r"credential|password|passphrase|private_?key|secret", re.IGNORECASE)


def _secret_rules(system: System) -> None:
    odd = next((key for key in system.model_extra or {} if _SECRETS.search(key)), None)
    if odd is not None:
        raise InvalidInputError(
            f"'{odd}' is no attribute of a system and looks like a secret, so nothing is stored. "
            "Give a credential as authnCredential, or with createUserCredential.",
            field=odd,
        )


def _storage_rules(system: System) -> None:
    if system.system_type in (SystemType.LINUX, SystemType.IRODS):
        if is_blank(system.root_dir):
            raise _wrong(system, "rootDir", f"is needed by a {system.system_type} system, for example '/'")
        if not (system.root_dir or "").startswith(("/", "HOST_EVAL(")):
            raise _wrong(system, "rootDir", f"'{system.root_dir}' must be absolute, for example '/'")
        normalise(system.root_dir or "/", "rootDir")
    if system.system_type is SystemType.S3:
        if is_blank(system.bucket_name):
            raise _wrong(system, "bucketName", "is needed by an S3 system")
        if system.can_exec:
            raise _wrong(system, "canExec", "must be false: an S3 system runs nothing")


def _execution_rules(system: System) -> None:
    if not system.can_exec:
        return
    if is_blank(system.job_working_dir):
        raise _wrong(
            system,
            "jobWorkingDir",
            "is needed where canExec is true, for example 'HOST_EVAL($SCRATCH)/tapis'",
        )
    if not system.job_runtimes:
        raise _wrong(
            system, "jobRuntimes", 'is needed where canExec is true, for example [{"runtimeType": "ZIP"}]'
        )


def _queue_rules(system: System) -> None:
    repeated = [
        name for name, n in Counter(q.name for q in system.batch_logical_queues or []).items() if n > 1
    ]
    if repeated:
        raise _wrong(system, "batchLogicalQueues", f"names queue '{repeated[0]}' twice")
    default = system.batch_default_logical_queue
    if default and system.queues and default not in system.queues:
        names = ", ".join(system.queues)
        hint = did_you_mean(default, system.queues)
        raise _wrong(system, "batchDefaultLogicalQueue", f"'{default}' is not one of: {names}", hint)
    if not system.can_run_batch:
        return
    if system.batch_scheduler is None:
        names = ", ".join(SchedulerType)
        raise _wrong(system, "batchScheduler", f"is needed where canRunBatch is true; one of: {names}")
    if not system.queues:
        raise _wrong(system, "batchLogicalQueues", "needs at least one queue where canRunBatch is true")
    if len(system.queues) > 1 and not default:
        names = ", ".join(system.queues)
        raise _wrong(system, "batchDefaultLogicalQueue", f"must say which of these is the default: {names}")


def _text_rules(system: System) -> None:
    refuse_dangerous(system.mpi_cmd or "", "mpiCmd")
    refuse_control(system.host, "host")
    refuse_control(system.job_working_dir or "", "jobWorkingDir")
    for queue in system.queues.values():
        refuse_dangerous(queue.name, "batchLogicalQueues.name")
        refuse_dangerous(queue.hpc_queue_name, "batchLogicalQueues.hpcQueueName")


def _completed(system: System) -> System:
    """The only queue of a system is its default."""
    if system.can_run_batch and not system.batch_default_logical_queue and len(system.queues) == 1:
        return system.model_copy(update={"batch_default_logical_queue": next(iter(system.queues))})
    return system


def _wrong(system: System, field: str, why: str, hint: str = "") -> InvalidInputError:
    return InvalidInputError(f"{field} of system {system.id} {why}.{hint}", field=field)
