"""Columns and actions that other packages add to the rows of jobs.

A package names them as entry points, each leading to a ``JobColumn`` or ``JobAction``::

    [project.entry-points."jupyter_tapis_jobs.job_columns"]
    drift = "my_package.jobs:DRIFT"

They run in the Jupyter server, on threads of their own, and see a job as ``GET /v3/jobs/list`` shows it, with
``ROW_FIELDS`` beside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

COLUMNS_GROUP, ACTIONS_GROUP = "jupyter_tapis_jobs.job_columns", "jupyter_tapis_jobs.job_actions"
#: What a row has beside the attributes of a list, by our names.
ROW_FIELDS = (
    "summaryAttributes",
    "last_message",
    "exit_code",
    "description",
    "job_type",
    "exec_system_logical_queue",
    "node_count",
    "cores_per_node",
    "memory_mb",
    "max_minutes",
    "remote_job_id",
    "tags",
    "progress",
    "progress_message",
)
Row = Mapping[str, Any]
Value = str | int | float | bool | None
#: Characters of one value.
_LONGEST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class JobColumn:
    """A column: *value* tells what stands in a job's row; None is nothing."""

    title: str
    value: Callable[[Row], Any]
    kind: Literal["text", "number", "time"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAction:
    """Something to do with jobs: *run* does it with one and returns a sentence, or raises."""

    title: str
    run: Callable[[Row], Any]
    #: Asked before; None does it at once.
    confirm: str | None = None
    #: Of which statuses a job must be; none means any.
    statuses: tuple[str, ...] = ()


def plain(value: Any) -> Value:
    """Return what a column tells as JSON has it; what is none of its kinds comes as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)[:_LONGEST]
