"""Cores of jobs at Dask: what workers tell of theirs, and tasks take (``dask worker --resources cores=8``).

Dask itself counts threads, one for each task, and a job of one core is such a task. One of several cores
takes them as well, where workers tell how many they have (https://distributed.dask.org/en/stable/resources.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: The name of the resource.
CORES = "cores"


def taken(cores: int, *, told: bool) -> dict[str, int] | None:
    """Return the resources that a task of so many cores takes; None where workers do not tell theirs."""
    return {CORES: cores} if told and cores > 1 else None


def cores_of(task: Any) -> int:
    """Return the cores that a task of the scheduler takes."""
    return int((task.resource_restrictions or {}).get(CORES, 1))


def by_cores(jobs: Sequence[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """Return cores -> the jobs that want so many, in their order."""
    groups: dict[int, list[Mapping[str, Any]]] = {}
    for job in jobs:
        groups.setdefault(job["cores"], []).append(job)
    return groups


def most_cores(dask_scheduler: Any) -> int | None:
    """Return the cores of the largest worker that tells them, None where none does."""
    told = [worker.resources.get(CORES) for worker in dask_scheduler.workers.values()]
    return max((int(cores) for cores in told if cores), default=None)
