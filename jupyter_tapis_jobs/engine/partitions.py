"""What Slurm tells of its partitions becomes queues with limits.

Read are ``scontrol show partition -o`` (its limits), ``sinfo -h -e -o '%R|%D|%c|%m'`` (its nodes:
partition, number, CPUs, MB) and ``scontrol show config``. Sources: the manual pages of Slurm 20.11
to 24.05; fields that a version does not have are as if they were unlimited.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..model.limits import smallest

_PAIR = re.compile(r"(\S+?)=(.*?)(?=\s+\S+?=|\s*$)")
_TIME = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)")
_MEGABYTES = {"K": 1 / 1024, "": 1.0, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One partition and its limits; None is without limit. Memory in MB per node."""

    name: str
    is_default: bool
    state: str
    nodes: int
    cores: int | None
    memory_mb: int | None
    minutes: int | None
    max_nodes: int | None
    min_nodes: int
    #: The QOS whose limits hold in it.
    qos: str | None = None
    #: Jobs that one user may have in it at a time.
    max_jobs: int | None = None

    @property
    def most_nodes(self) -> int | None:
        """How many nodes a job may have."""
        return smallest(self.max_nodes, self.nodes)

    def queue(self) -> dict[str, str | int]:
        """Return it as a logical queue of the same name, in Tapis's words; without what is unlimited."""
        limits = {
            "minNodeCount": self.min_nodes if self.min_nodes > 1 else None,
            "maxNodeCount": self.most_nodes,
            "maxCoresPerNode": self.cores,
            "maxMemoryMB": self.memory_mb,
            "maxMinutes": self.minutes,
            "maxJobsPerUser": self.max_jobs,
        }
        given = {name: value for name, value in limits.items() if value is not None}
        return {"name": self.name, "hpcQueueName": self.name, **given}


def partitions(shown: str, nodes: str, groups: Iterable[str] = ()) -> list[Partition]:
    """Return the partitions that a user of the Unix *groups* can use, in Slurm's order.

    *shown* is ``scontrol show partition -o``, *nodes* is ``sinfo``.
    """
    sizes = dict(_sizes(nodes))
    found = (dict(_PAIR.findall(line)) for line in shown.splitlines() if line.startswith("PartitionName="))
    return [_partition(fields, sizes) for fields in found if _is_open(fields, set(groups))]


def _is_open(fields: Mapping[str, str], groups: set[str]) -> bool:
    if fields.get("RootOnly") == "YES":
        return False
    allowed = fields.get("AllowGroups", "ALL")
    return allowed in ("ALL", "(null)", "") or not groups or bool(groups & set(allowed.split(",")))


def _partition(fields: Mapping[str, str], sizes: Mapping[str, tuple[int, int, int]]) -> Partition:
    name = fields["PartitionName"]
    nodes, cores, memory = sizes.get(name, (0, 0, 0))
    return Partition(
        name=name,
        is_default=fields.get("Default") == "YES",
        state=fields.get("State", "UP"),
        nodes=_count(fields.get("TotalNodes")) or nodes,
        cores=smallest(cores, _count(fields.get("MaxCPUsPerNode"))),
        memory_mb=smallest(memory, megabytes(fields.get("MaxMemPerNode"))),
        minutes=minutes(fields.get("MaxTime", "UNLIMITED")),
        max_nodes=_count(fields.get("MaxNodes")),
        min_nodes=_count(fields.get("MinNodes")) or 0,
        qos=qos if (qos := fields.get("QoS")) not in ("N/A", "(null)") else None,
    )


def _sizes(nodes: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Yield partition -> (nodes, most CPUs of a node, most MB of a node)."""
    seen: dict[str, list[tuple[int, int, int]]] = {}
    for line in nodes.splitlines():
        name, *numbers = line.strip().split("|")
        if len(numbers) == 3:
            count, cores, memory = (_count(number) or 0 for number in numbers)
            seen.setdefault(name.rstrip("*"), []).append((count, cores, memory))
    for name, rows in seen.items():
        yield name, (sum(r[0] for r in rows), max(r[1] for r in rows), max(r[2] for r in rows))


def minutes(text: str) -> int | None:
    """Return ``2-00:00:00``, ``48:00:00`` or ``10:00`` in minutes, at least one; None for no limit."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    days, hours, mins, _ = (int(part or 0) for part in found.groups())
    return max(1, (days * 24 + hours) * 60 + mins)


def megabytes(text: str | None) -> int | None:
    """Return ``4000``, ``4000M`` or ``1.5T`` in MB; None for UNLIMITED."""
    found = _SIZE.fullmatch((text or "").strip())
    return int(float(found[1]) * _MEGABYTES[found[2]]) if found else None


def _count(text: str | None) -> int | None:
    """Return a count (``48+`` and ``2(U)`` too); None for UNLIMITED and what is no number."""
    found = re.match(r"\d+", (text or "").strip())
    return int(found[0]) if found else None


def settings(shown: str) -> dict[str, str]:
    """Return ``scontrol show config`` as name -> value."""
    pairs = (line.partition("=") for line in shown.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}
