"""What HTCondor tells of its pool becomes one queue with the limits of the largest machine.

Read are ``condor_version``, ``condor_config_val FILESYSTEM_DOMAIN`` and, of each machine, cores, memory (MB)
and file system domain (condor_status(1), "Machine ClassAd Attributes", HTCondor 23).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: HTCondor has no queues; jobs of Tapis name one.
QUEUE = "pool"
#: The submit command by which a job takes its files along.
TRAVELS = "should_transfer_files=YES"
#: What condor_status is asked for, as ``MACHINES`` has them.
COLUMNS = "TotalSlotCpus TotalSlotMemory FileSystemDomain"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFacts:
    """A pool as its user sees it."""

    version: str
    #: Cores and memory (MB) of each machine; empty for a pool that has none now.
    machines: tuple[tuple[int, int], ...]
    #: Some machine shows the files of the host that submits.
    shares_files: bool

    @property
    def cores(self) -> int | None:
        """Cores of the largest machine."""
        return max((cores for cores, _ in self.machines), default=None)

    @property
    def memory_mb(self) -> int | None:
        """Memory of the largest machine."""
        return max((memory for _, memory in self.machines), default=None)

    def queue(self) -> dict[str, Any]:
        """Return it as a logical queue, in Tapis's words; without what is unlimited."""
        limits = {"maxNodeCount": 1, "maxCoresPerNode": self.cores, "maxMemoryMB": self.memory_mb}
        given: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
        if not self.shares_files:
            given["schedulerOptions"] = [{"name": "files", "arg": TRAVELS}]
        return {"name": QUEUE, "hpcQueueName": QUEUE, **given}


def pool_facts(version: str, machines: str, domain: str) -> PoolFacts:
    """Read what the host said; *machines* are rows of ``COLUMNS``, parted by tabs."""
    rows = [row for line in machines.splitlines() if (row := _machine(line.split("\t")))]
    sizes = tuple((cores, memory) for cores, memory, _ in rows)
    shares = not rows or any(there == domain.strip() for _, _, there in rows)
    return PoolFacts(version=version, machines=sizes, shares_files=shares)


def _machine(cells: Sequence[str]) -> tuple[int, int, str] | None:
    if len(cells) != 3 or not (cells[0].isdigit() and cells[1].isdigit()):
        return None
    return int(cells[0]), int(cells[1]), cells[2].strip('"')
