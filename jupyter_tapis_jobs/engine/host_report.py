"""What is told of a host that was looked at: to programs, and as lines to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .discovery import batch, notes
from .host_facts import HostFacts
from .pool_facts import PoolFacts


def report(found: HostFacts, system: Mapping[str, Any], checked: str) -> dict[str, Any]:
    """Return what programs are told of a host that was looked at; ``lines`` is for people."""
    told = notes(found, checked)
    return {
        "scheduler": _scheduler(found),
        "queues": [
            {
                "name": queue["name"],
                "nodes": queue.get("maxNodeCount"),
                "cores": queue.get("maxCoresPerNode"),
                "memoryMB": queue.get("maxMemoryMB"),
                "minutes": queue.get("maxMinutes"),
            }
            for queue in batch(found).get("batchLogicalQueues", ())
        ],
        "arrays": {"max": max(0, told.get("maxArraySize", 0) - 1)},
        "runtimes": [{"type": kind, "version": version} for kind, version in found.runtimes],
        "home": found.variables.get("HOME"),
        "workDir": system["jobWorkingDir"],
        "warnings": warnings(found),
        "lines": lines(found, str(system["jobWorkingDir"])),
    }


def lines(found: HostFacts, working_dir: str) -> list[str]:
    """Return what a person is told: what runs there, and where."""
    here = working_dir.replace("HOST_EVAL(", "").replace(")", "")
    return [" · ".join(_parts(found)), f"work directory {here} · ready"]


def _parts(found: HostFacts) -> list[str]:
    containers = [version for _, version in found.runtimes if version]
    if found.pool is not None and found.slurm is None:
        return [_scheduler(found) or "", _machines(found.pool), *containers]
    if found.slurm is None:
        size = f"{found.cores} cores" if found.cores else "this host itself"
        return ["no Slurm", f"jobs run on the login host ({size})", *containers]
    queues = " ".join(
        f"{p.name} ({', '.join(filter(None, (_nodes(p.most_nodes), span(p.minutes))))})"
        for p in found.slurm.partitions
    )
    most = found.slurm.max_array_size - 1 if found.slurm.takes_arrays else 0
    arrays = f"arrays up to {most}" if most > 0 else "arrays forbidden"
    return [_scheduler(found) or "", f"queues {queues}", arrays, *containers]


def _scheduler(found: HostFacts) -> str | None:
    if found.slurm is not None:
        return f"Slurm {_short(found.slurm.version)}"
    return f"HTCondor {_short(found.pool.version)}" if found.pool else None


def _machines(pool: PoolFacts) -> str:
    """Return ``12 machines, up to 8 cores and 32,000 MB``."""
    if not pool.machines:
        return "no machine in its pool now"
    count = len(pool.machines)
    many = "1 machine" if count == 1 else f"{count:,} machines"
    return f"{many}, up to {pool.cores} cores and {pool.memory_mb:,} MB"


def warnings(found: HostFacts) -> list[str]:
    """Return what somebody should know who works there, one sentence each."""
    told = []
    if found.slurm_trouble and found.pool is None:
        told.append(f"Slurm's commands are there but tell nothing: {found.slurm_trouble}.")
    if found.pool_trouble:
        told.append(f"HTCondor's commands are there but tell nothing: {found.pool_trouble}.")
    if found.pool is not None and not found.pool.shares_files:
        told.append("No machine of the pool shows this host's files: jobs take theirs along.")
    if found.slurm is not None:
        closed = [p.name for p in found.slurm.partitions if p.state != "UP"]
        if closed:
            told.append(f"Closed for now: {', '.join(closed)}.")
        if not found.slurm.has_accounting:
            told.append("Slurm keeps no accounting: the end of a job that leaves no mark is known less well.")
    if not found.writable:
        told.append("No directory for jobs can be made in its usual places; name one as jobWorkingDir.")
    if not any(kind == "SINGULARITY" for kind, _ in found.runtimes):
        told.append(
            "Apptainer is not on the path; where a module brings it, name the module in a scheduler profile."
        )
    return told


def span(minutes: int | None) -> str:
    """Return ``10 min``, ``2 h``, ``48 h``, ``7 d``; empty for no limit."""
    if minutes is None:
        return ""
    if minutes % 60 or minutes < 60:
        whole, rest = divmod(minutes, 60)
        return f"{whole} h {rest} min" if whole else f"{rest} min"
    return f"{minutes // 60} h" if minutes <= 72 * 60 or minutes % 1440 else f"{minutes // 1440} d"


def _nodes(count: int | None) -> str:
    return "" if count is None else "1 node" if count == 1 else f"{count:,} nodes"


def _short(version: str) -> str:
    """Return ``22.05`` of ``22.05.8``."""
    return ".".join(version.split(".")[:2])
