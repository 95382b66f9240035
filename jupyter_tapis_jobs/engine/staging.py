"""What is done before a job can start: its directories, inputs, image and launch files.

Every step first looks at what lies on the host, and does again only what may safely be done twice.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from ..model import files, marks
from ..model.errors import InvalidInputError
from ..model.job import Job, JobDefinition
from ..model.paths import join
from ..transports.base import Entry, Transport
from .faults import verdict_of
from .images import SMALL_IMAGE, UNPACK, Image, unpack
from .input_staging import InputStaging
from .inputs import Definitions
from .lane import Lane
from .lane_folder import LaneFolders
from .oversight import Oversight
from .ports import Ports
from .progress import Progress
from .shared_inputs import SharedInputs
from .sources import Source, Sources
from .transfer import Transfer
from .verdict import Fail, Verdict
from .wrapper import launch_script

#: Small images that are kept unpacked, each of up to 32 MB.
KEPT_IMAGES = 4


class Staging:
    """The stations from PROCESSING_INPUTS to STAGING_JOB."""

    def __init__(
        self,
        ports: Ports,
        *,
        definitions: Definitions,
        sources: Sources,
        folders: LaneFolders,
        oversight: Oversight,
    ) -> None:
        self._ports = ports
        self._definitions = definitions
        self._sources = sources
        self._folders = folders
        self._oversight = oversight
        self._images: dict[str, Image] = {}
        transfer = Transfer(ports.clock)
        self._shared = SharedInputs(transfer)
        self._inputs = InputStaging(
            ports,
            definitions=definitions,
            sources=sources,
            folders=folders,
            transfer=transfer,
            shared=self._shared,
            oversight=oversight,
        )

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
        return await self._inputs.stage(lane, cohort)

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
            except (InvalidInputError, OSError) as fault:
                verdict = verdict_of(fault, f"the app's image {url} could not be brought to the host")
                verdicts.update(dict.fromkeys((job.uuid for job in jobs), verdict))
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
            image = self._images.get(source.key) or unpack(name, await source.read())
            self._remember(source.key, image)
            for job in jobs:
                entries.setdefault(job.uuid, []).extend(image.entries(folders[job.uuid]))
            return dict.fromkeys(folders, image.executable)
        archive = await self._image_on_host(lane, source, transport, list(folders))
        calls = (
            f"(unpack {u} {_word(folder)} {_word(archive)} {_word(name)})\n" for u, folder in folders.items()
        )
        answer = await transport.run(UNPACK + "".join(calls), timeout=3600)
        return _programs(url, folders, answer.stdout)

    def _remember(self, key: str, image: Image) -> None:
        """Keep the images that were used last."""
        self._images.pop(key, None)
        self._images[key] = image
        while len(self._images) > KEPT_IMAGES:
            del self._images[next(iter(self._images))]

    async def _image_on_host(
        self, lane: Lane, source: Source, transport: Transport, uuids: Sequence[str]
    ) -> str:
        """Return the path on the host of a large image; one from elsewhere is brought once per lane."""
        if source.transport is transport and source.path is not None:
            return source.path
        if await self._shared.missing(lane, transport, [source]):
            what = "copying the app's image"
            progress = Progress(self._oversight, self._ports.clock, uuids, what=what, total=source.size)
            await self._shared.bring(lane, transport, source, progress.part(uuids))
        return self._shared.place(lane, source)

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
        return {
            uuid: verdict_of(refused[entry.path], "the host refused the job's files")
            for uuid, items in entries.items()
            for entry in items
            if entry.path in refused
        }


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
        line.split(" ", 2)[0]: line.split(" ", 2)[1:] for line in stdout.split("\n") if line.count(" ") >= 2
    }
    programs: dict[str, str | Fail] = {}
    for uuid in folders:
        verb, text = said.get(uuid, ["fails", "the host gave no answer"])
        programs[uuid] = (
            text if verb == "runs" else Fail(f"the app's image {url} cannot be unpacked: {text}.")
        )
    return programs


def _word(text: str) -> str:
    return shlex.quote(text)
