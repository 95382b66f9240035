"""STAGING_JOB's first half: an app's image comes to the host, or is found there.

A small archive is unpacked here, once for all jobs that use it; a large one on the host. An image of
Singularity lies on the host, is brought there like any input, or is had by Singularity itself, as Docker's
always are by docker.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Mapping, Sequence

from ..model.container_options import KEEP_ZIP
from ..model.errors import InvalidInputError
from ..model.fields import RuntimeType
from ..model.job import Job, JobDefinition
from ..model.paths import join
from ..transports.base import Entry, Transport
from .images import SMALL_IMAGE, UNPACK, Image, unpack
from .lane import Lane
from .oversight import Oversight
from .ports import Ports
from .progress import Progress
from .shared_inputs import SharedInputs
from .sources import Source, Sources
from .verdict import Fail

#: Small images that are kept unpacked, each of up to 32 MB.
KEPT_IMAGES = 4
#: uuid -> what its image became on the host (see ``Runtime.launch_lines``), or why it is none.
Placed = Mapping[str, str | Fail | None]


class ImageStaging:
    """Brings images, each once for all jobs of a cohort that use it."""

    def __init__(self, ports: Ports, sources: Sources, shared: SharedInputs, oversight: Oversight) -> None:
        self._ports = ports
        self._sources = sources
        self._shared = shared
        self._oversight = oversight
        self._images: dict[str, Image] = {}

    async def place(
        self,
        lane: Lane,
        jobs: Sequence[Job],
        definitions: Mapping[str, JobDefinition],
        transport: Transport,
        entries: dict[str, list[Entry]],
    ) -> Placed:
        """Bring the image that *jobs* have in common; what is to be written goes to *entries*.

        Raises ``InvalidInputError`` when it is not there or is none.
        """
        definition = definitions[jobs[0].uuid]
        url = definition.container_image
        if definition.app_runtime == RuntimeType.ZIP:
            return await self._place_archive(lane, url, jobs, definitions, transport, entries)
        if definition.app_runtime == RuntimeType.SINGULARITY and url.startswith(("/", "tapis://")):
            path = await self._place_container(lane, url, jobs, definition, transport)
            return dict.fromkeys((job.uuid for job in jobs), path)
        return dict.fromkeys((job.uuid for job in jobs), None)

    async def _place_container(
        self,
        lane: Lane,
        url: str,
        jobs: Sequence[Job],
        definition: JobDefinition,
        transport: Transport,
    ) -> str | None:
        """Return where an image of Singularity lies on the host: a file, or a sandbox that is there."""
        source = await self._found(url, jobs[0], definition, transport)
        if source.is_directory and source.transport is not transport:
            raise InvalidInputError(
                f"the app's image {url} is a directory on another system, and a sandbox does not travel. "
                "Make it a file (singularity build image.sif sandbox/).",
                field="containerImage",
                value=url,
            )
        if url.startswith("/"):
            return url
        return await self._image_on_host(lane, source, transport, [job.uuid for job in jobs])

    async def _place_archive(
        self,
        lane: Lane,
        url: str,
        jobs: Sequence[Job],
        definitions: Mapping[str, JobDefinition],
        transport: Transport,
        entries: dict[str, list[Entry]],
    ) -> Placed:
        """Put an archive's files into *entries*, or unpack them on the host; return uuid -> program."""
        folders = {job.uuid: exec_dir(definitions[job.uuid]) for job in jobs}
        kept = [uuid for uuid in folders if _is_kept(definitions[uuid])]
        source = await self._found(url, jobs[0], definitions[jobs[0].uuid], transport)
        name = posixpath.basename(source.name)
        if source.size is not None and source.size <= SMALL_IMAGE:
            known = self._images.get(source.key)
            archive = b"" if known is not None and not kept else await source.read()
            image = known or unpack(name, archive)
            self._remember(source.key, image)
            for job in jobs:
                entries.setdefault(job.uuid, []).extend(image.entries(folders[job.uuid]))
            for uuid in kept:
                entries[uuid].append(Entry(path=f"{folders[uuid]}/{name}", content=archive, mode=0o660))
            return dict.fromkeys(folders, image.executable)
        place = await self._image_on_host(lane, source, transport, list(folders))
        calls = (
            f"(unpack {u} {_word(folder)} {_word(place)} {_word(name)})\n" for u, folder in folders.items()
        )
        copies = (f"cp {_word(place)} {_word(f'{folders[uuid]}/{name}')}\n" for uuid in kept)
        answer = await transport.run(UNPACK + "".join((*calls, *copies)), timeout=3600)
        return _programs(url, folders, answer.stdout)

    async def _found(self, url: str, job: Job, definition: JobDefinition, transport: Transport) -> Source:
        source = await self._sources.find(url, job, transport, definition.contexts.get(url, ""))
        if source is None:
            where = f" on {job.exec_system_id}" if url.startswith("/") else ""
            raise InvalidInputError(
                f"the app's image {url} does not exist{where}. "
                "Correct containerImage, or put the image there.",
                field="containerImage",
                value=url,
            )
        return source

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


def exec_dir(definition: JobDefinition) -> str:
    """Return the path on the host of a job's execution directory."""
    return join(definition.root_dir, definition.exec_system_exec_dir)


def _is_kept(definition: JobDefinition) -> bool:
    return any(argument.arg.strip() == KEEP_ZIP for argument in definition.container_args)


def _programs(url: str, folders: Iterable[str], stdout: str) -> dict[str, str | Fail | None]:
    """Read what ``unpack`` said of each job."""
    said = {
        line.split(" ", 2)[0]: line.split(" ", 2)[1:] for line in stdout.split("\n") if line.count(" ") >= 2
    }
    programs: dict[str, str | Fail | None] = {}
    for uuid in folders:
        verb, text = said.get(uuid, ["fails", "the host gave no answer"])
        programs[uuid] = (
            text if verb == "runs" else Fail(f"the app's image {url} cannot be unpacked: {text}.")
        )
    return programs


def _word(text: str) -> str:
    return shlex.quote(text)
