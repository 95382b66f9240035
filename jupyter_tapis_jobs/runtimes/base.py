"""What is run: a runtime turns a job's definition into the lines of its launch script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..model.job import Job, JobDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchLines:
    """What a runtime contributes to ``tapisjob.sh``, and the text of ``tapisjob.env``."""

    #: Shell line that runs the application in the foreground, without redirections.
    command: str
    environment: str


class Runtime(Protocol):
    """One kind of app: ZIP, DOCKER or SINGULARITY."""

    name: str

    def launch_lines(self, job: Job, definition: JobDefinition, executable: str | None) -> LaunchLines:
        """Return the launch lines of *job*; *executable* is what its unpacked image starts."""
        ...
