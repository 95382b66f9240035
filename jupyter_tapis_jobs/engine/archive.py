"""ARCHIVING: outputs go where they are kept, and a failed job gets its reason in words."""

from __future__ import annotations

import posixpath
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from ..model import files, marks
from ..model.job import Job, JobDefinition
from ..model.paths import join
from ..model.patterns import selects
from ..model.status import Condition, RemoteOutcome
from ..transports.base import Transport
from .lane import Lane
from .ports import Ports
from .sources import Sources
from .verdict import Fail, Go, Verdict

#: Bytes at the end of an output in which the last line is looked for.
TAIL = 2048
#: Characters of a last line that are shown.
EVIDENCE = 300


class Archiver:
    """Works on jobs whose application has ended."""

    def __init__(
        self,
        ports: Ports,
        definitions: Callable[[Sequence[Job]], Awaitable[Mapping[str, JobDefinition]]],
        sources: Sources,
    ) -> None:
        self._ports = ports
        self._definitions = definitions
        self._sources = sources

    async def archive(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Archive what each job's mode and filter ask for."""
        transport = await self._ports.hosts.transport(*lane.key)
        definitions = await self._definitions(cohort)
        return {job.uuid: await self._one(job, definitions[job.uuid], transport) for job in cohort}

    async def _one(self, job: Job, definition: JobDefinition, transport: Transport) -> Verdict:
        failed = job.remote_outcome is not RemoteOutcome.FINISHED
        reason = await self._reason(job, definition, transport) if failed else ""
        if definition.archive_mode == "NEVER" or (failed and definition.archive_mode == "SKIP_ON_FAIL"):
            skipped = {"remote_outcome": RemoteOutcome.FAILED_SKIP_ARCHIVE} if failed else {}
            return Go(reason, skipped)
        try:
            await self._archive(job, definition, transport)
        except OSError as fault:
            place = f"{definition.archive_system_dir} on {definition.archive_system_id}"
            return Fail(f"its outputs could not be archived to {place}: {fault.strerror or fault}.")
        return Go(reason)

    async def _archive(self, job: Job, definition: JobDefinition, transport: Transport) -> None:
        exec_dir = join(definition.root_dir, definition.exec_system_exec_dir)
        output_dir = join(definition.root_dir, definition.exec_system_output_dir)
        kept_there = definition.archive_system_id == definition.exec_system_id
        target, archive_dir = transport, join(definition.root_dir, definition.archive_system_dir)
        if not kept_there:
            target, archive_dir = await self._sources.archive_place(job, definition)
        if target is not transport or archive_dir != output_dir:
            for path in await self._chosen(definition, transport, output_dir):
                await target.write(f"{archive_dir}/{path}", transport.read(f"{output_dir}/{path}"))
        if definition.archive_filter.include_launch_files and (
            target is not transport or archive_dir != exec_dir
        ):
            for name in (files.LAUNCH_SCRIPT, files.ENVIRONMENT):
                await target.write(f"{archive_dir}/{name}", transport.read(f"{exec_dir}/{name}"))

    async def _chosen(
        self, definition: JobDefinition, transport: Transport, output_dir: str
    ) -> Iterable[str]:
        """Return the outputs that the filter selects, relative to the output directory."""
        listing = await transport.list(output_dir, recurse=True)
        paths = (posixpath.relpath(info.path, output_dir) for info in listing if info.type == "file")
        outputs = (path for path in paths if not path.startswith(f"{marks.FOLDER}/"))
        return [path for path in outputs if selects(definition.archive_filter, path)]

    async def _reason(self, job: Job, definition: JobDefinition, transport: Transport) -> str:
        """Say in one sentence why the application failed, with the last line it wrote."""
        line = await self._last_line(definition, transport)
        if job.condition is Condition.JOB_EXECUTION_MONITORING_TIMEOUT:
            return f"stopped at the time limit of {job.max_minutes} min" + (
                f"; last line: {line}" if line else ""
            )
        if job.condition is Condition.SCHEDULER_TERMINATED:
            return job.remote_result_info or "its process vanished"
        return (
            f"{_exit_words(job.exit_code)}: {line}"
            if line
            else f"{_exit_words(job.exit_code)}, and no output"
        )

    async def _last_line(self, definition: JobDefinition, transport: Transport) -> str:
        output_dir = join(definition.root_dir, definition.exec_system_output_dir)
        for name in dict.fromkeys((definition.stderr_filename, definition.stdout_filename)):
            path = f"{output_dir}/{name.lstrip('/')}"
            info = await transport.stat(path)
            if info is None or info.size == 0:
                continue
            start = max(0, info.size - TAIL)
            tail = b"".join([chunk async for chunk in transport.read(path, offset=start, length=TAIL)])
            lines = [line.strip() for line in tail.decode("utf-8", "replace").splitlines() if line.strip()]
            if lines:
                return lines[-1][:EVIDENCE]
        return ""


def _exit_words(code: int | None) -> str:
    """Say an exit code in words; 128+n is an end by signal n (POSIX, "Exit Status for Commands")."""
    if code is None:
        return "no exit code"
    try:
        return f"exit code {code} ({signal.Signals(code - 128).name})"
    except ValueError:
        return f"exit code {code}"
