"""What can be searched and sorted by: attributes of jobs, apps and systems, and the operators of each kind.

Attributes are written ``memoryMB`` or ``memory_mb``; inside they have our names.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from .errors import InvalidInputError, did_you_mean
from .names import inner_name, wire_name


class Kind(StrEnum):
    """What the values of an attribute are."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    TIME = "time"
    #: A list of texts; ``contains`` asks for one of them.
    LIST = "list"


_T, _N, _B, _W, _L = Kind.TEXT, Kind.NUMBER, Kind.TRUTH, Kind.TIME, Kind.LIST

#: What jobs can be searched and sorted by: fields of the job and of its definition.
JOB_ATTRIBUTES: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(
            [
                "uuid",
                "name",
                "owner",
                "tenant",
                "description",
                "status",
                "condition",
                "last_message",
                "progress_message",
                "app_id",
                "app_version",
                "job_type",
                "exec_system_id",
                "exec_system_logical_queue",
                "archive_system_id",
                "createdby",
                "createdby_tenant",
                "remote_job_id",
                "remote_job_id2",
                "remote_outcome",
                "remote_result_info",
                "remote_queue",
                "tracking_id",
                "effective_user_id",
                "launch_mode",
                "cohort_id",
                "archive_mode",
                "archive_system_dir",
                "exec_system_exec_dir",
                "exec_system_input_dir",
                "exec_system_output_dir",
                "dtn_system_id",
                "dtn_system_input_dir",
                "dtn_system_output_dir",
                "mpi_cmd",
                "cmd_prefix",
            ],
            _T,
        ),
        **dict.fromkeys(
            [
                "id",
                "node_count",
                "cores_per_node",
                "memory_mb",
                "max_minutes",
                "blocked_count",
                "remote_submit_retries",
                "attempt",
                "exit_code",
                "progress",
            ],
            _N,
        ),
        **dict.fromkeys(
            [
                "created",
                "ended",
                "last_updated",
                "remote_submitted",
                "remote_started",
                "remote_ended",
                "remote_last_status_check",
                "progress_told",
            ],
            _W,
        ),
        **dict.fromkeys(["visible", "archive_on_app_error", "dynamic_exec_system", "mpi"], _B),
        "tags": _L,
    }
)
APP_ATTRIBUTES: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(
            [
                "id",
                "version",
                "tenant",
                "description",
                "owner",
                "runtime",
                "runtime_version",
                "container_image",
                "job_type",
                "uuid",
            ],
            _T,
        ),
        **dict.fromkeys(["max_jobs", "max_jobs_per_user"], _N),
        **dict.fromkeys(
            ["enabled", "version_enabled", "locked", "deleted", "strict_file_inputs", "is_public"], _B
        ),
        **dict.fromkeys(["created", "updated"], _W),
        "tags": _L,
    }
)
SYSTEM_ATTRIBUTES: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(
            [
                "id",
                "tenant",
                "description",
                "system_type",
                "owner",
                "host",
                "default_authn_method",
                "effective_user_id",
                "bucket_name",
                "root_dir",
                "dtn_system_id",
                "parent_id",
                "mpi_cmd",
                "job_working_dir",
                "batch_scheduler",
                "batch_default_logical_queue",
                "batch_scheduler_profile",
                "uuid",
            ],
            _T,
        ),
        **dict.fromkeys(["port", "proxy_port", "job_max_jobs", "job_max_jobs_per_user"], _N),
        **dict.fromkeys(
            [
                "enabled",
                "deleted",
                "use_proxy",
                "can_exec",
                "can_run_batch",
                "enable_cmd_prefix",
                "allow_children",
                "is_public",
            ],
            _B,
        ),
        **dict.fromkeys(["created", "updated"], _W),
        "tags": _L,
    }
)

_ORDERED = ("eq", "neq", "gt", "gte", "lt", "lte", "in", "nin", "between", "nbetween")
OPS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        _T: (*_ORDERED, "like", "nlike", "holds"),
        _N: _ORDERED,
        _W: _ORDERED,
        _B: ("eq", "neq"),
        _L: ("contains", "ncontains"),
    }
)
_ALL_OPS = tuple(dict.fromkeys(op for ops in OPS.values() for op in ops))


def known_attribute(name: str, attributes: Mapping[str, Kind]) -> str:
    """Return our name of the attribute that a user wrote; raises ``InvalidInputError`` for an unknown one."""
    own = inner_name(name)
    if own not in attributes:
        names = sorted(map(wire_name, attributes))
        raise InvalidInputError(
            f"'{name}' cannot be searched or sorted by.{did_you_mean(name, names)} "
            f"Attributes: {', '.join(names)}.",
            field=name,
            value=name,
        )
    return own


def check_op(op: str, name: str, kind: Kind) -> None:
    """Raise ``InvalidInputError`` unless attribute *name*, of that kind, can be compared by *op*."""
    if op not in OPS[kind]:
        known = f" for {name}, which is a {kind}" if op in _ALL_OPS else ""
        raise InvalidInputError(
            f"'{op}' is not an operator{known}.{did_you_mean(op, OPS[kind])} "
            f"Operators: {', '.join(OPS[kind])}.",
            field=name,
            value=op,
        )
