"""What is run: a runtime turns a job's definition into the lines of its launch script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..model.job import Job, JobDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchFiles:
    """What a runtime writes into ``tapisjob.sh`` and ``tapisjob.env``."""

    #: Shell lines that prepare (unpack, make executable); they end non-zero when they cannot.
    prepare: str
    #: Shell line that runs the application in the foreground, output redirected.
    command: str
    #: The text of ``tapisjob.env``.
    environment: str


class Runtime(Protocol):
    """One kind of app: ZIP, DOCKER or SINGULARITY."""

    name: str

    def launch_files(self, job: Job, definition: JobDefinition) -> LaunchFiles:
        """Return the launch lines and the environment of *job*."""
        ...
