"""How a group of like jobs is started: one by one, as an array, or packed into one allocation.

Only jobs of one bulk call or study are grouped. What is decided, and why, stays visible on each job.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.batch_languages import LANGUAGES
from ..model.batch_script import SCRIPT_APP
from ..model.directives import with_options
from ..model.job import Job, JobDefinition
from ..model.limits import smallest
from ..model.system import LogicalQueue, SchedulerType, System

#: Cases that a place of a pack should at least work on, so that an allocation is worth its wait.
CASES_PER_PLACE = 4
#: Minutes of the time limit up to which cases are taken for short ones.
SHORT = 1
#: Jobs that one submission hands over one by one, where they cannot be an array.
SINGLES = 50
#: Slurm's default of MaxArraySize is 1001: indices 0 to 1000 (slurm.conf(5)).
ARRAY_SIZE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How some jobs are started; ``reason`` is a part of a sentence."""

    mode: str
    reason: str
    #: How many jobs one submission takes at most.
    size: int
    #: Of a pack: nodes, and cases at a time on each.
    nodes: int = 1
    places: int = 1
    #: Of a pack, for the allocation.
    minutes: int = 0
    cores: int = 0
    memory_mb: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found out about a system when it was added (its ``notes.tapisjobs``)."""

    #: Jobs of one array at most; 0 where arrays are forbidden.
    array_size: int = ARRAY_SIZE
    #: Whether cases share an allocation, and whether jobs have any: see the scheduler's language.
    can_pack: bool = True
    has_allocations: bool = True
    cores_per_node: int = 0
    memory_mb_per_node: int = 0

    @classmethod
    def of(cls, system: System) -> Facts:
        """Read the facts; what was never found out has Slurm's own defaults."""
        language = LANGUAGES.get(system.batch_scheduler or "", LANGUAGES[SchedulerType.SLURM])
        said: Mapping[str, Any] = (system.notes or {}).get("tapisjobs") or {}
        largest = _number(said.get("maxArraySize"), ARRAY_SIZE + 1)
        allowed = bool(said.get("arrays", largest > 1))
        return cls(
            array_size=max(0, largest - 1) if allowed else 0,
            can_pack=language.can_pack,
            cores_per_node=_number(said.get("coresPerNode"), 0),
            memory_mb_per_node=_number(said.get("memoryMBPerNode"), 0),
            has_allocations=language.has_allocations,
        )


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def group_key(job: Job, directives: Sequence[str]) -> tuple[Any, ...]:
    """Return what jobs have in common that may be started together; *directives* are without names."""
    return (
        job.cohort_id,
        job.owner,
        job.exec_system_logical_queue,
        job.node_count,
        job.cores_per_node,
        job.memory_mb,
        job.max_minutes,
        *directives,
    )


def why_single(job: Job, definition: JobDefinition, forced: str | None) -> str | None:
    """Return why a job can only be started by itself, or None."""
    if job.launch_mode == "single":
        return "as asked"
    if definition.is_mpi:
        return "MPI jobs are started one by one"
    if job.node_count > 1:
        return "jobs of several nodes are started one by one"
    return f"{forced} can be said of one job only" if forced else None


def plan(group: Sequence[Job], facts: Facts, queue: LogicalQueue | None, *, most: int | None = None) -> Plan:
    """Decide how *group* (like jobs that may be started together) is started.

    *most* is the number of scheduler jobs that the user may have more; None for no known limit.
    """
    mode, reason = _mode(group, facts, queue, most)
    if mode == "pack":
        return _pack(group, facts, queue, reason)
    if mode == "array":
        size = min(facts.array_size, most) if most else facts.array_size
        return Plan(mode=mode, reason=reason, size=max(1, size))
    return Plan(mode="single", reason=reason, size=min(len(group), SINGLES))


def _mode(
    group: Sequence[Job], facts: Facts, queue: LogicalQueue | None, most: int | None
) -> tuple[str, str]:
    asked = group[0].launch_mode
    if not facts.has_allocations:
        return ("array", f"{len(group):,} tasks in one call") if len(group) > 1 else ("single", "one task")
    if group[0].app_id == SCRIPT_APP:
        return _mode_of_scripts(group, facts)
    if not facts.can_pack:
        return _mode_in_pool(group)
    if facts.array_size == 0 and asked != "pack":
        return "pack", f"arrays are not allowed on {group[0].exec_system_id}"
    if asked in ("array", "pack"):
        return asked, "as asked"
    if len(group) == 1:
        return "single", "one job"
    limit = smallest(most, queue.max_jobs_per_user if queue else None)
    if limit is not None and limit < len(group):
        return "pack", f"only {limit:,} jobs of one user are taken at a time"
    if group[0].max_minutes <= SHORT:
        return "pack", "short cases are worth one allocation"
    return "array", f"{len(group):,} like jobs"


def _mode_in_pool(group: Sequence[Job]) -> tuple[str, str]:
    """HTCondor's jobs are a cluster, or one by one."""
    asked = group[0].launch_mode
    if asked == "pack":
        return "array", "HTCondor gives a free slot to the next case by itself, so a pack is a cluster"
    if asked == "array" or len(group) == 1:
        return ("array", "as asked") if asked == "array" else ("single", "one job")
    return "array", f"{len(group):,} like jobs, one cluster"


def _mode_of_scripts(group: Sequence[Job], facts: Facts) -> tuple[str, str]:
    """In a pack a user's own script would read the pack's SLURM_* variables, and its srun find no place."""
    if len(group) > 1 and facts.array_size > 0:
        asked = group[0].launch_mode == "array"
        return "array", "as asked" if asked else f"{len(group):,} batch scripts, each with its own allocation"
    return "single", "a batch script has an allocation of its own"


def _pack(group: Sequence[Job], facts: Facts, queue: LogicalQueue | None, reason: str) -> Plan:
    """Fill whole nodes: as many cases at a time as their cores and memory allow."""
    job = group[0]
    cores = smallest(facts.cores_per_node, queue.max_cores_per_node if queue else None) or job.cores_per_node
    memory = smallest(facts.memory_mb_per_node, queue.max_memory_mb if queue else None)
    places = max(1, cores // job.cores_per_node)
    if memory:
        places = max(1, min(places, memory // max(1, job.memory_mb)))
    wanted = math.ceil(len(group) / (places * CASES_PER_PLACE))
    nodes = max(1, min(wanted, smallest(queue.max_node_count if queue else None) or wanted))
    places = min(places, math.ceil(len(group) / nodes))
    rounds = math.ceil(len(group) / (nodes * places))
    minutes = rounds * job.max_minutes + 1
    longest = smallest(queue.max_minutes if queue else None)
    return Plan(
        mode="pack",
        reason=reason,
        size=len(group),
        nodes=nodes,
        places=places,
        minutes=min(minutes, longest) if longest else minutes,
        cores=places * job.cores_per_node,
        memory_mb=places * job.memory_mb,
    )


def pack_options(directives: Sequence[str], name: str, plan: Plan, *, hide_memory: bool) -> tuple[str, ...]:
    """Return the sbatch options of a pack's allocation."""
    own: dict[str, str | None] = {
        "--job-name": name,
        "--nodes": str(plan.nodes),
        "--ntasks": str(plan.nodes),
        "--ntasks-per-node": "1",
        "--cpus-per-task": str(plan.cores),
        "--time": str(plan.minutes),
        "--mem": None if hide_memory else str(plan.memory_mb),
        "--output": "slurm.out",
        "--error": None,
        "--open-mode": None,
    }
    return with_options(directives, own)
