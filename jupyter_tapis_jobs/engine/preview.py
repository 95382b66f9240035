"""A dry run: what a request would become, the script that would run, and where each value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..model.job import Job, JobDefinition
from ..model.origin import Origin
from ..model.provenance import origins_of
from ..model.request import parse_request
from .apps import AppCatalog
from .batch_scripts import named
from .systems import SystemCatalog


@dataclass(frozen=True, slots=True)
class Preview:
    """What a request would become: nothing is stored."""

    job: Job
    definition: JobDefinition
    script: str
    environment: str
    origins: tuple[Origin, ...]


def told_origins(
    raw: Mapping[str, Any], job: Job, definition: JobDefinition, apps: AppCatalog, systems: SystemCatalog
) -> tuple[Origin, ...]:
    """Return the origins of an accepted job's values; its app and system are those it was accepted with."""
    app, system = apps.find(job.app_id, job.app_version), systems.find(job.exec_system_id)
    return tuple(origins_of(job, definition, parse_request(named(raw)), app, system))
