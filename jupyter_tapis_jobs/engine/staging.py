"""What is done before a job can start: its directories, inputs, image and launch files.

Every step first looks at what lies on the host, and does again only what may safely be done twice.
"""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from ..model import files, marks
from ..model.errors import InvalidInputError
from ..model.job import EnvVariable, Job, JobDefinition
from ..model.paths import join
from ..transports.base import Entry, Transport
from .faults import verdict_of
from .folder_turns import FolderTurns
from .image_staging import ImageStaging, exec_dir
from .input_staging import InputStaging
from .inputs import Definitions
from .lane import Lane
from .lane_folder import LaneFolders
from .oversight import Oversight
from .ports import Ports
from .shared_inputs import SharedInputs
from .sources import Sources
from .transfer import Transfer
from .verdict import Fail, Go, Verdict
from .wrapper import launch_script

#: Settles what was left open of jobs, see ``Settling.settle``.
Settle = Callable[
    [Sequence[Job], Mapping[str, JobDefinition]],
    Awaitable[tuple[Mapping[str, JobDefinition], Mapping[str, Verdict]]],
]


async def _nothing_is_open(
    jobs: Sequence[Job], definitions: Mapping[str, JobDefinition]
) -> tuple[Mapping[str, JobDefinition], Mapping[str, Verdict]]:
    """For where every host could be asked when its jobs were accepted."""
    return definitions, {}


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
        turns: FolderTurns,
        settle: Settle = _nothing_is_open,
        told_job: Callable[[Job], tuple[EnvVariable, ...]] = lambda job: (),
    ) -> None:
        self._ports = ports
        self._definitions = definitions
        self._sources = sources
        self._folders = folders
        self._oversight = oversight
        self._turns = turns
        self._settle = settle
        #: Variables that only the job itself is told: they are no part of its definition.
        self._told_job = told_job
        transfer = Transfer(ports.clock)
        shared = SharedInputs(transfer)
        self._image = ImageStaging(ports, sources, shared, oversight)
        self._inputs = InputStaging(
            ports,
            definitions=definitions,
            sources=sources,
            folders=folders,
            transfer=transfer,
            shared=shared,
            oversight=oversight,
        )

    # -- PROCESSING_INPUTS

    async def processing_inputs(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Settle what only the host knows, and make the jobs' directories."""
        transport = await self._folders.transport(lane)
        definitions, verdicts = await self._settle(cohort, await self._definitions(cohort))
        settled = [job for job in cohort if isinstance(verdicts.get(job.uuid, Go()), Go)]
        waiting = await self._turns.take(lane, settled, definitions, transport)
        ready = [job for job in settled if job.uuid not in waiting]
        entries = {job.uuid: list(_directories(definitions[job.uuid])) for job in ready}
        return {**verdicts, **waiting, **await self._put(transport, entries)}

    # -- STAGING_INPUTS

    async def staging_inputs(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Bring every input to its place in the job's input directory."""
        return await self._inputs.stage(lane, cohort)

    # -- STAGING_JOB

    async def staging_job(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Unpack the apps' images and write the launch files."""
        transport = await self._folders.transport(lane)
        definitions = await self._definitions(cohort)
        by_image: dict[tuple[str, str], list[Job]] = {}
        for job in cohort:
            definition = definitions[job.uuid]
            by_image.setdefault((definition.app_runtime, definition.container_image), []).append(job)
        entries: dict[str, list[Entry]] = {}
        verdicts: dict[str, Verdict] = {}
        for (_, url), jobs in by_image.items():
            try:
                programs = await self._image.place(lane, jobs, definitions, transport, entries)
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

    def _launch_files(
        self, lane: Lane, job: Job, definition: JobDefinition, program: str | None
    ) -> Iterable[Entry]:
        told = replace(definition, env_variables=(*definition.env_variables, *self._told_job(job)))
        lines = self._ports.runtimes[definition.app_runtime].launch_lines(job, told, program)
        script = launch_script(job, definition, lines, events=lane.events)
        folder = exec_dir(definition)
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
    folder = exec_dir(definition)
    output_dir = join(root, definition.exec_system_output_dir)
    streams = (definition.stdout_filename, definition.stderr_filename)
    parents = (posixpath.dirname(f"{output_dir}/{stream.lstrip('/')}") for stream in streams)
    wanted = {
        folder: None,
        f"{folder}/{marks.FOLDER}": None,
        join(root, definition.exec_system_input_dir): None,
        output_dir: None,
        **dict.fromkeys(parents),
    }
    return (Entry(path=path, mode=0o770) for path in wanted)
