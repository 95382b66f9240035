"""A host is looked at, and becomes a system: its places, its runtimes, its queues with their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.dask import DASK
from ..model.errors import InvalidInputError, UnavailableError
from ..model.paths import within
from ..transports.base import Transport
from .host_facts import ENVIRONMENT, PLACES, HostFacts, facts, script
from .pool_facts import QUEUE

#: Key of a system's notes under which the facts stand that launch modes and transports need.
NOTES = "tapisjobs"
#: Seconds for the whole look; a scheduler that hangs takes twenty of them per question.
LOOK_SECONDS = 150.0
#: What schedulers say when they are away for now.
_PASSING = ("unable to contact", "timed out", "connection refused", "no answer", "communication")


async def discover(transport: Transport, name: str) -> HostFacts:
    """Return what the host called *name* tells of itself to the user of *transport*: two round trips.

    Raises ``InvalidInputError`` for a host on which no job can run, ``UnavailableError`` when its
    scheduler does not answer now, and what the transport raises.
    """
    variables = await transport.environment([*PLACES, *ENVIRONMENT])
    answer = await transport.run(script(variables), timeout=LOOK_SECONDS)
    found = facts(answer.stdout, variables)
    _refuse_useless(found, name)
    return found


def _refuse_useless(found: HostFacts, name: str) -> None:
    if found.home_trouble:
        home = found.variables.get("HOME", "~")
        raise InvalidInputError(
            f"the home {home} of {found.user} on {name} cannot be written ({found.home_trouble}). "
            "Jobs keep their state in .tapisjobs there: free some space, or ask the site.",
            code="JOBS_HOST_UNFIT",
        )
    if found.missing_tools:
        raise InvalidInputError(
            f"{name} has no GNU {' and no GNU '.join(found.missing_tools)}, "
            "which moving files needs. Ask the site to install it, or take another login host.",
            code="JOBS_HOST_UNFIT",
        )
    if found.slurm or found.pool:
        return
    for scheduler, trouble in (("Slurm", found.slurm_trouble), ("HTCondor", found.pool_trouble)):
        if any(words in trouble.lower() for words in _PASSING):
            raise UnavailableError(
                f"{scheduler} on {name} does not answer now ({trouble}). Try again when it does.",
                code="JOBS_HOST_SCHEDULER_AWAY",
            )


def definition(
    found: HostFacts,
    *,
    root_dir: str = "/",
    working_dir: str | None = None,
    checked: str,
    dask: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the attributes of a system that the host itself tells, in Tapis's words.

    *checked*: when it was looked at, ISO-8601 UTC text; *dask*: how its jobs reach Dask, if they go there.
    """
    system: dict[str, Any] = {
        "systemType": "LINUX",
        "canExec": True,
        "rootDir": root_dir,
        "jobWorkingDir": working_dir or work_place(found, root_dir),
        "jobRuntimes": [{"runtimeType": kind, "version": version} for kind, version in found.runtimes],
        "enableCmdPrefix": True,
        "canRunBatch": False,
        "notes": {NOTES: notes(found, checked)},
    }
    if dask is None:
        return system | batch(found)
    told = {**system["notes"], "dask": dict(dask)}
    return system | {"canRunBatch": True, "batchScheduler": DASK, "notes": told}


def batch(found: HostFacts) -> dict[str, Any]:
    """Return what a system says of its scheduler, Slurm before HTCondor; nothing without one."""
    if found.slurm is not None:
        name, default = "SLURM", found.slurm.default.name
        queues: list[dict[str, Any]] = [dict(partition.queue()) for partition in found.slurm.partitions]
    elif found.pool is not None:
        name, default, queues = "CONDOR", QUEUE, [found.pool.queue()]
    else:
        return {}
    return {
        "canRunBatch": True,
        "batchScheduler": name,
        "batchLogicalQueues": queues,
        "batchDefaultLogicalQueue": default,
    }


def work_place(found: HostFacts, root_dir: str = "/") -> str:
    """Return where jobs work unless somebody says otherwise: below $SCRATCH, $WORK, or the home.

    Below a *root_dir* of its own, paths begin there.
    """
    best = next((name for name in PLACES if name in found.writable), "HOME")
    folder = "tapisjobs" if best == "HOME" else "tapis"
    if root_dir == "/":
        return f"HOST_EVAL(${best})/{folder}"
    place = found.variables.get(best, "")
    return f"{place[len(root_dir) :]}/{folder}" if within(root_dir, place) else "/tapisjobs"


def notes(found: HostFacts, checked: str) -> dict[str, Any]:
    """Return the facts that launch modes need: sizes, arrays, accounting, and what commands need."""
    slurm = found.slurm
    largest = slurm.default if slurm else found.pool
    told: dict[str, Any] = {
        "home": found.variables.get("HOME"),
        "checked": checked,
        "coresPerNode": largest.cores if largest else found.cores,
        "memoryMBPerNode": largest.memory_mb if largest else found.memory_mb,
    }
    if slurm is not None:
        may = slurm.takes_arrays and slurm.max_array_size > 1
        told |= {
            "slurm": slurm.version,
            "accounting": slurm.has_accounting,
            "arrays": may,
            "maxArraySize": slurm.max_array_size if may else 0,
        }
    elif found.pool is not None:
        told["condor"] = found.pool.version
    if found.environment:
        told["environment"] = dict(found.environment)
    return told
