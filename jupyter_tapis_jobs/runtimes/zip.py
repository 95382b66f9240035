"""ZIP: an archive unpacked into the job's directory, whose own program is started there.

Source: Tapis Jobs, "ZIP runtime": ``tapisjob_app.sh``, else the file named by
``tapisjob_executable=`` in ``tapisjob.manifest``; the environment is sourced from ``tapisjob.env``.
"""

from __future__ import annotations

import shlex

from ..model import files
from ..model.arguments import shell_words
from ..model.job import Job, JobDefinition
from ..model.macros import tapis_environment
from .base import LaunchLines, prefix_words


class ZipRuntime:
    """An app that is an archive or a directory of files on the host."""

    name = "ZIP"

    def launch_lines(self, job: Job, definition: JobDefinition, executable: str | None) -> LaunchLines:
        """Return the command ``[prefix] ./'<executable>' <args>`` and ``export KEY=value`` lines."""
        program = "./" + shlex.quote(executable or files.APP_SCRIPT)
        arguments = [shell_words(argument.arg) for argument in definition.app_args]
        return LaunchLines(
            before=(f". ./{files.ENVIRONMENT}",),
            command=" ".join(filter(None, (prefix_words(definition), program, *arguments))),
            environment=self._environment(job, definition),
        )

    def leftover(self, uuid: str) -> str:
        """Return nothing: its processes are all there is."""
        return ""

    def trouble(self, definition: JobDefinition, code: int, text: str) -> str | None:
        """Return nothing: whatever happens is the application's own end."""
        return None

    def _environment(self, job: Job, definition: JobDefinition) -> str:
        merged = {v.key: v.value for v in definition.env_variables} | tapis_environment(job, definition)
        return "".join(f"export {key}={shlex.quote(merged[key])}\n" for key in sorted(merged, key=str.lower))


def executable_in(names: frozenset[str], manifest: str | None) -> str | None:
    """Return what an unpacked image starts, or None when it holds nothing to start.

    *names* are the image's files, *manifest* the text of its ``tapisjob.manifest``.
    """
    if files.APP_SCRIPT in names:
        return files.APP_SCRIPT
    for line in (manifest or "").splitlines():
        key, _, value = line.strip().partition("=")
        if key == "tapisjob_executable":
            return value if value in names else None
    return None
