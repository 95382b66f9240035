"""What a cluster's accounting allows its user: jobs at a time, minutes, nodes.

Read are ``sacctmgr -nP show assoc`` and ``show qos``. Of the partition's QOS, the user's own QOS and the
user's association the first that sets a limit counts (Slurm, "Resource Limits": hierarchy).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .partitions import Partition, minutes

#: What is asked of ``sacctmgr``, in this order.
ASSOCIATION = ("account", "partition", "qos", "defaultqos", "maxsubmit", "maxwall", "maxtres")
QOS = ("name", "maxsubmitpu", "maxwall", "maxtres")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one level sets; None sets nothing."""

    jobs: int | None = None
    minutes: int | None = None
    nodes: int | None = None

    def over(self, below: Limits) -> Limits:
        """Return these limits, and those of the level below where they set nothing."""
        return Limits(
            below.jobs if self.jobs is None else self.jobs,
            below.minutes if self.minutes is None else self.minutes,
            below.nodes if self.nodes is None else self.nodes,
        )


@dataclass(frozen=True, slots=True)
class Accounting:
    """The associations of one user, and all QOS by name; empty where nothing is enforced."""

    associations: tuple[Mapping[str, str], ...] = ()
    qos: Mapping[str, Limits] = field(default_factory=dict)

    def of(self, partition: Partition) -> Limits:
        """Return what holds for a job of the user in *partition*."""
        mine = [row for row in self.associations if row["partition"] in ("", partition.name)]
        own = _widest([_limits(row, "maxsubmit") for row in mine])
        names = {row["defaultqos"] or row["qos"] for row in mine}
        job = self.qos.get(names.pop(), Limits()) if len(names) == 1 else Limits()
        return self.qos.get(partition.qos or "", Limits()).over(job).over(own)


def accounting(associations: str, qos: str) -> Accounting:
    """Read what ``sacctmgr`` says of one user and of all QOS."""
    rows = tuple(_rows(associations, ASSOCIATION))
    return Accounting(rows, {row["name"]: _limits(row, "maxsubmitpu") for row in _rows(qos, QOS)})


def _rows(text: str, names: tuple[str, ...]) -> Iterable[Mapping[str, str]]:
    for line in text.splitlines():
        cells = line.split("|")
        if len(cells) == len(names):
            yield dict(zip(names, cells, strict=True))


def _limits(row: Mapping[str, str], jobs: str) -> Limits:
    nodes = re.search(r"(?:^|,)node=(\d+)", row["maxtres"])
    return Limits(
        int(row[jobs]) if row[jobs].isdigit() else None,
        minutes(row["maxwall"]) if row["maxwall"] else None,
        int(nodes[1]) if nodes else None,
    )


def _widest(levels: list[Limits]) -> Limits:
    """Of several accounts the widest counts: a job may name that one."""

    def most(values: list[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return max(known) if known and len(known) == len(values) else None

    return Limits(
        most([level.jobs for level in levels]),
        most([level.minutes for level in levels]),
        most([level.nodes for level in levels]),
    )
