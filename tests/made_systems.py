"""A made-up cluster that nobody connects to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def made_up_cluster(queues: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return the definition of a Slurm cluster with these queues; the last one is its default."""
    return {
        "id": "made-up-cluster",
        "systemType": "LINUX",
        "host": "login.example.org",
        "defaultAuthnMethod": "PKI_KEYS",
        "canExec": True,
        "rootDir": "/",
        "jobWorkingDir": "/scratch",
        "jobRuntimes": [{"runtimeType": "ZIP"}],
        "canRunBatch": True,
        "batchScheduler": "SLURM",
        "batchLogicalQueues": list(queues),
        "batchDefaultLogicalQueue": queues[-1]["name"],
    } | more
