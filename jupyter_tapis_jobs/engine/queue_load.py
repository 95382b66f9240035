"""How full a cluster is now: what Slurm tells of the nodes and jobs of each partition.

Read are ``sinfo -h -o '%R|%a|%F|%C'`` (nodes and CPUs, each allocated/idle/other/total) and ``squeue -h -r``,
counted on the host by partition and state: however many jobs there are, the answer is short.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .host_facts import SOON

#: Ends the part of ``sinfo``.
_MARK = "@@jobs"
#: One question for all queues; whatever hangs is left after twenty seconds.
SCRIPT = f"""\
{SOON}soon sinfo -h -o '%R|%a|%F|%C' || exit 1
jobs=$(soon squeue -h -r -t PENDING,RUNNING -o '%P|%T') || exit 1
echo '{_MARK}'
printf '%s\\n' "$jobs" | LC_ALL=C sort | uniq -c
"""
#: Partition, its state, and of nodes and CPUs those that are idle and all.
_NODES = re.compile(r"([^|]+)\|([^|]+)\|\d+/(\d+)/\d+/(\d+)\|\d+/(\d+)/\d+/(\d+)")
_JOBS = re.compile(r"\s*(\d+) ([^|]+)\|(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLoad:
    """What goes on in one partition, whoever's jobs these are."""

    name: str
    #: Slurm's word: up, down, drain or inact.
    state: str
    idle_nodes: int
    nodes: int
    idle_cores: int
    cores: int
    running: int
    pending: int


def queue_loads(answer: str) -> list[QueueLoad]:
    """Return the load of each partition, in Slurm's order, from what ``SCRIPT`` answered."""
    nodes, _, counted = answer.partition(f"{_MARK}\n")
    jobs = _jobs(counted)
    return [load for line in nodes.splitlines() if (load := _load(line.strip(), jobs))]


def _load(line: str, jobs: Mapping[tuple[str, str], int]) -> QueueLoad | None:
    found = _NODES.fullmatch(line)
    if found is None:
        return None
    name, state, *numbers = found.groups()
    idle_nodes, nodes, idle_cores, cores = map(int, numbers)
    return QueueLoad(
        name=name,
        state=state,
        idle_nodes=idle_nodes,
        nodes=nodes,
        idle_cores=idle_cores,
        cores=cores,
        running=jobs.get((name, "RUNNING"), 0),
        pending=jobs.get((name, "PENDING"), 0),
    )


def _jobs(counted: str) -> Mapping[tuple[str, str], int]:
    """Return (partition, state) -> jobs; one that waits for any of several partitions waits in each."""
    found: dict[tuple[str, str], int] = {}
    for number, names, state in (match.groups() for match in map(_JOBS.match, counted.splitlines()) if match):
        for name in names.split(","):
            found[name, state] = found.get((name, state), 0) + int(number)
    return found
