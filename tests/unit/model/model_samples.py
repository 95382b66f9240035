"""An app and systems that fit together, each changed as a test needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_tapis_jobs.model.app import App, parse_app
from jupyter_tapis_jobs.model.batch_request import ScriptedRequest
from jupyter_tapis_jobs.model.job import Job, JobDefinition
from jupyter_tapis_jobs.model.macros import HostEnv
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.resolve import Profiles, resolve
from jupyter_tapis_jobs.model.system import System, parse_system
from jupyter_tapis_jobs.model.user import User

UUID = "6c2b0f6e-0001-4000-8000-000000000001-007"
CREATED = "2026-11-21T04:48:47.123456Z"
QUEUES = [
    {"name": "normal", "hpcQueueName": "normal-q", "maxNodeCount": 512, "maxMinutes": 2880},
    {"name": "large", "hpcQueueName": "large-q", "minNodeCount": 100, "maxNodeCount": 2048},
]

Resolved = tuple[Job, JobDefinition]


def resolve_sample(
    *,
    app: App | None = None,
    system: System | None = None,
    archive_system: System | None = None,
    host_env: HostEnv | None = None,
    archive_env: HostEnv | None = None,
    profiles: Profiles | None = None,
    scripted: ScriptedRequest | None = None,
    **fields: Any,
) -> Resolved:
    """Resolve a request of ada's for the app ``solver``; *fields* in Tapis's words."""
    raw = {"name": "case", "appId": "solver", "appVersion": "1.0", **fields}
    return resolve(
        parse_request(raw),
        app or make_app(),
        system or make_system(),
        archive_system=archive_system,
        user=User("ada", "jupyter", is_server_user=True),
        uuid=UUID,
        created=CREATED,
        effective_user="ada",
        host_env=host_env or {},
        archive_env=archive_env,
        profiles=profiles,
        scripted=scripted,
    )


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
