"""An app and systems that fit together, each changed as a test needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_tapis_jobs.model.app import App, parse_app
from jupyter_tapis_jobs.model.job import Job, JobDefinition
from jupyter_tapis_jobs.model.system import System, parse_system

UUID = "6c2b0f6e-0001-4000-8000-000000000001-007"
CREATED = "2026-11-21T04:48:47.123456Z"
QUEUES = [
    {"name": "normal", "hpcQueueName": "normal-q", "maxNodeCount": 512, "maxMinutes": 2880},
    {"name": "large", "hpcQueueName": "large-q", "minNodeCount": 100, "maxNodeCount": 2048},
]

Resolved = tuple[Job, JobDefinition]


def make_app(attributes: Mapping[str, Any] | None = None, **changes: Any) -> App:
    """Return a ZIP app; *changes* in Tapis's words, *attributes* are its jobAttributes."""
    raw = {"id": "solver", "version": "1.0", "runtime": "ZIP", "containerImage": "/apps/solver.zip"}
    return parse_app({**raw, "jobAttributes": dict(attributes or {}), **changes})[0]


def make_system(**changes: Any) -> System:
    """Return a host that forks ZIP jobs below /work."""
    raw = {
        "id": "host1",
        "systemType": "LINUX",
        "host": "host1.example.org",
        "defaultAuthnMethod": "PKI_KEYS",
        "canExec": True,
        "rootDir": "/",
        "jobWorkingDir": "/work/tapis",
        "jobRuntimes": [{"runtimeType": "ZIP"}, {"runtimeType": "DOCKER"}],
    }
    return parse_system({**raw, **changes})[0]


def make_cluster(**changes: Any) -> System:
    """Return a host with Slurm and two queues."""
    batch = {
        "canRunBatch": True,
        "batchScheduler": "SLURM",
        "batchLogicalQueues": QUEUES,
        "batchDefaultLogicalQueue": "normal",
    }
    return make_system(**{"id": "frontera", **batch, **changes})
