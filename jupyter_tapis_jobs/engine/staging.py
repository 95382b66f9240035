"""What is done before a job can start: its directories, inputs, image and launch files.

Every step first looks at what lies on the host, and does again only what may safely be done twice.
"""

from __future__ import annotations

import errno
import posixpath
import shlex
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from ..model import files, marks
from ..model.errors import InvalidInputError
from ..model.job import FileInput, Job, JobDefinition
from ..model.paths import join
from ..model.urls import data_bytes, is_data
from ..transports.base import Entry, Transport
from .images import SMALL_IMAGE, UNPACK, Image, unpack
from .lane import Lane
from .lane_folder import LaneFolders
from .ports import Ports
from .sources import Sources
from .verdict import Block, Fail, Verdict
from .wrapper import launch_script

#: Seconds until a job on a full disk is tried again.
DISK_FULL_RETRY = 60.0


class Definitions(Protocol):
    """Finds what jobs were asked to do."""

    def __call__(self, jobs: Sequence[Job]) -> Awaitable[Mapping[str, JobDefinition]]:
        """Return uuid -> definition."""
        ...


class Staging:
    """The stations from PROCESSING_INPUTS to STAGING_JOB."""

    def __init__(
        self, ports: Ports, *, definitions: Definitions, sources: Sources, folders: LaneFolders
    ) -> None:
        self._ports = ports
        self._definitions = definitions
        self._sources = sources
        self._folders = folders
        self._images: dict[tuple[str, float, int], Image] = {}

    # -- PROCESSING_INPUTS

    async def processing_inputs(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Make the jobs' directories."""
        transport = await self._folders.transport(lane)
        definitions = await self._definitions(cohort)
        entries = {job.uuid: list(_directories(definitions[job.uuid])) for job in cohort}
        return await self._put(transport, entries)

    # -- STAGING_INPUTS

    async def staging_inputs(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Bring every input to its place in the job's input directory."""
        transport = await self._folders.transport(lane)
        definitions = await self._definitions(cohort)
        small: dict[str, list[Entry]] = {}
        verdicts: dict[str, Verdict] = {}
        for job in cohort:
            try:
                small[job.uuid] = await self._bring(job, definitions[job.uuid], transport)
            except InvalidInputError as fault:
                verdicts[job.uuid] = Fail(fault.message)
            except OSError as fault:
                verdicts[job.uuid] = _refused(fault)
        return {**await self._put(transport, small), **verdicts}

    async def _bring(self, job: Job, definition: JobDefinition, transport: Transport) -> list[Entry]:
        """Copy the inputs that lie elsewhere; return those that are part of the request."""
        inline: list[Entry] = []
        for item in definition.file_inputs:
            target = join(definition.root_dir, definition.exec_system_input_dir, item.target_path)
            if is_data(item.source_url):
                inline.append(Entry(path=target, content=data_bytes(item.source_url)))
            elif not item.source_url.startswith("tapislocal:"):
                await self._bring_file(job, item, transport, target)
        return inline

    async def _bring_file(self, job: Job, item: FileInput, transport: Transport, target: str) -> None:
        found = await self._sources.bring(item.source_url, job, transport, target)
        if not found and not item.optional:
            raise InvalidInputError(
                f"the input {item.source_url} does not exist. Upload it, or correct its sourceUrl.",
                field=f"fileInputs[{item.name or item.target_path}].sourceUrl",
                value=item.source_url,
            )

    # -- STAGING_JOB

    async def staging_job(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Unpack the apps' images and write the launch files."""
        transport = await self._folders.transport(lane)
        definitions = await self._definitions(cohort)
        by_image: dict[str, list[Job]] = {}
        for job in cohort:
            by_image.setdefault(definitions[job.uuid].container_image, []).append(job)
        entries: dict[str, list[Entry]] = {}
        verdicts: dict[str, Verdict] = {}
        for url, jobs in by_image.items():
            try:
                programs = await self._place_image(lane, url, jobs, definitions, transport, entries)
            except InvalidInputError as fault:
                verdicts.update(dict.fromkeys((job.uuid for job in jobs), Fail(fault.message)))
                continue
            for job in jobs:
                program = programs[job.uuid]
                if isinstance(program, Fail):
                    verdicts[job.uuid] = program
                    entries.pop(job.uuid, None)
                else:
                    launch = self._launch_files(lane, job, definitions[job.uuid], program)
                    entries.setdefault(job.uuid, []).extend(launch)
        return {**await self._put(transport, entries), **verdicts}

    async def _place_image(
        self,
        lane: Lane,
        url: str,
        jobs: Sequence[Job],
        definitions: Mapping[str, JobDefinition],
        transport: Transport,
        entries: dict[str, list[Entry]],
    ) -> Mapping[str, str | Fail]:
        """Put an image's files into *entries*, or unpack them on the host; return uuid -> program."""
        folders = {job.uuid: _exec_dir(definitions[job.uuid]) for job in jobs}
        source = await self._sources.find(url, jobs[0], transport)
        if source is None:
            raise InvalidInputError(
                f"the app's image {url} does not exist.", field="containerImage", value=url
            )
        name = posixpath.basename(source.name)
        if source.size is not None and source.size <= SMALL_IMAGE:
            key = (url, source.modified, source.size)
            image = self._images.get(key) or unpack(name, await source.content())
            self._images[key] = image
            for job in jobs:
                entries.setdefault(job.uuid, []).extend(image.entries(folders[job.uuid]))
            return dict.fromkeys(folders, image.executable)
        archive = await self._sources.on_host(source, transport, f"{lane.folder}/images")
        calls = (
            f"(unpack {u} {_word(folder)} {_word(archive)} {_word(name)})\n" for u, folder in folders.items()
        )
        answer = await transport.run(UNPACK + "".join(calls), timeout=3600)
        return _programs(url, folders, answer.stdout)

    def _launch_files(self, lane: Lane, job: Job, definition: JobDefinition, program: str) -> Iterable[Entry]:
        lines = self._ports.runtimes[definition.app_runtime].launch_lines(job, definition, program)
        script = launch_script(job, definition, lines, events=lane.events)
        folder = _exec_dir(definition)
        yield Entry(path=f"{folder}/{files.LAUNCH_SCRIPT}", content=script.encode(), mode=0o770)
        yield Entry(path=f"{folder}/{files.ENVIRONMENT}", content=lines.environment.encode(), mode=0o660)

    # -- what stations share

    async def _put(self, transport: Transport, entries: Mapping[str, list[Entry]]) -> dict[str, Verdict]:
        """Write everything in one round trip; return a verdict for the jobs whose files were refused."""
        refused = await transport.put(chain.from_iterable(entries.values()))
        if not refused:
            return {}
        owners = {entry.path: uuid for uuid, items in entries.items() for entry in items}
        return {owners[path]: _refused(fault) for path, fault in refused.items()}


def _directories(definition: JobDefinition) -> Iterable[Entry]:
    root = definition.root_dir
    exec_dir = _exec_dir(definition)
    output_dir = join(root, definition.exec_system_output_dir)
    streams = (definition.stdout_filename, definition.stderr_filename)
    parents = (posixpath.dirname(f"{output_dir}/{stream.lstrip('/')}") for stream in streams)
    wanted = {
        exec_dir: None,
        f"{exec_dir}/{marks.FOLDER}": None,
        join(root, definition.exec_system_input_dir): None,
        output_dir: None,
        **dict.fromkeys(parents),
    }
    return (Entry(path=path, mode=0o770) for path in wanted)


def _exec_dir(definition: JobDefinition) -> str:
    return join(definition.root_dir, definition.exec_system_exec_dir)


def _programs(url: str, folders: Iterable[str], stdout: str) -> dict[str, str | Fail]:
    """Read what ``unpack`` said of each job."""
    said = {
        line.split(" ", 2)[0]: line.split(" ", 2)[1:] for line in stdout.splitlines() if line.count(" ") >= 2
    }
    programs: dict[str, str | Fail] = {}
    for uuid in folders:
        verb, text = said.get(uuid, ["fails", "the host gave no answer"])
        programs[uuid] = (
            text if verb == "runs" else Fail(f"the app's image {url} cannot be unpacked: {text}.")
        )
    return programs


def _refused(fault: OSError) -> Verdict:
    """A full disk passes; what the host refuses for another reason fails the job."""
    reason = f"{fault.filename or 'the host'}: {fault.strerror or fault}"
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return Block(
            f"no space is left for the job's files ({reason}); it goes on when there is room.",
            DISK_FULL_RETRY,
        )
    return Fail(f"the host refused the job's files: {reason}.")


def _word(text: str) -> str:
    return shlex.quote(text)
