"""What a queue allows: who asks for more is told so before the job waits (Tapis Systems, "LogicalQueue")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import InvalidInputError
from .names import wire_name
from .system import LogicalQueue, System

#: job field -> the queue's fields for the least and the most.
BOUNDS = {
    "node_count": ("min_node_count", "max_node_count"),
    "cores_per_node": ("min_cores_per_node", "max_cores_per_node"),
    "memory_mb": ("min_memory_mb", "max_memory_mb"),
    "max_minutes": ("min_minutes", "max_minutes"),
}


def refuse_over_limits(asked: Mapping[str, Any], queue: LogicalQueue, system: System) -> None:
    """Raise ``InvalidInputError`` when *asked* (job field -> number) is beyond a limit of *queue*."""
    for field, (least_name, most_name) in BOUNDS.items():
        value, least, most = asked[field], getattr(queue, least_name), getattr(queue, most_name)
        if _is_limit(most) and value > most:
            raise _refused(
                field, value, f"over the limit of queue {queue.name} ({most:,})", most_name, queue, system
            )
        if _is_limit(least) and value < least:
            raise _refused(
                field, value, f"below what queue {queue.name} needs ({least:,})", least_name, queue, system
            )


def smallest(*limits: int | None) -> int | None:
    """Return the smallest limit that is one (a positive number), or None."""
    return min((limit for limit in limits if limit is not None and _is_limit(limit)), default=None)


def _is_limit(bound: int | None) -> bool:
    return bound is not None and bound > 0


def _refused(
    field: str, value: int, why: str, bound: str, queue: LogicalQueue, system: System
) -> InvalidInputError:
    name = wire_name(field)
    return InvalidInputError(
        f"{name} {value:,} is {why} on {system.id}.{_better_queue(field, value, bound, queue, system)}",
        field=name,
        value=value,
    )


def _better_queue(field: str, value: int, bound: str, queue: LogicalQueue, system: System) -> str:
    """Name the first other queue that would take the value."""
    least_name, most_name = BOUNDS[field]
    for other in system.queues.values():
        least, most = getattr(other, least_name), getattr(other, most_name)
        if other is queue or (_is_limit(least) and value < least) or (_is_limit(most) and value > most):
            continue
        limit = getattr(other, bound)
        allows = f"{limit:,}" if _is_limit(limit) else "any number"
        return f" {other.name} allows {allows}."
    return " Ask for less." if bound == most_name else " Ask for more."
