"""Two hosts made of this machine's files, and jobs that stage and archive between them."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from jupyter_tapis_jobs.engine.archive import Archiver
from jupyter_tapis_jobs.engine.conveyor import Station
from jupyter_tapis_jobs.engine.folder_turns import FolderTurns
from jupyter_tapis_jobs.engine.lane import Lane
from jupyter_tapis_jobs.engine.lane_folder import LaneFolders
from jupyter_tapis_jobs.engine.oversight import Oversight
from jupyter_tapis_jobs.engine.ports import Ports
from jupyter_tapis_jobs.engine.rights import PathRights
from jupyter_tapis_jobs.engine.sources import Sources
from jupyter_tapis_jobs.engine.staging import Staging
from jupyter_tapis_jobs.engine.verdict import Go, Stay, Verdict
from jupyter_tapis_jobs.model.errors import TransportError
from jupyter_tapis_jobs.model.job import ArchiveFilter, FileInput, Job, JobDefinition
from jupyter_tapis_jobs.model.status import JobStatus, RemoteOutcome
from jupyter_tapis_jobs.transports.local import LocalTransport

VERBS = frozenset(
    {
        *("run", "put", "get", "read", "write", "written", "look", "copy_all", "pack", "unpack"),
        *("list", "stat", "real_path", "mkdir", "copy", "move", "delete"),
    }
)


class Host(LocalTransport):
    """Counts what it is asked, breaks its link when told to, and can be full."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        #: Bytes that streams carry until the link breaks, then the next time, and so on.
        self.breaks: list[int] = []
        self.is_down = False
        #: Nothing fits below this path.
        self.full: str | None = None

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in VERBS:
            self.calls[name] += 1
            if self.is_down:
                raise TransportError("the far host cannot be reached")
        return found

    async def _carried(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            for start in range(0, len(chunk), 65536):
                if self.breaks and self.breaks[0] <= 0:
                    del self.breaks[0]
                    raise TransportError("the link was lost")
                if self.breaks:
                    self.breaks[0] -= 65536
                yield chunk[start : start + 65536]

    def _refuse_full(self, path: str) -> None:
        if self.full is not None and path.startswith(self.full):
            raise OSError(errno.ENOSPC, "No space left on device", path)

    async def write(self, path, chunks, *, mode=0o660, resume=None):
        self._refuse_full(path)
        return await super().write(path, self._carried(chunks), mode=mode, resume=resume)

    async def unpack(self, root, chunks, *, within=None):
        self._refuse_full(root)
        await super().unpack(root, self._carried(chunks), within=within)

    async def put(self, entries):
        entries = list(entries)
        return {
            e.path: OSError(errno.ENOSPC, "No space left on device", e.path)
            for e in entries
            if self.full is not None and e.path.startswith(self.full)
        } or await super().put(entries)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        #: Seconds that pass at every look at the clock.
        self.pace = 0.0

    def now(self) -> float:
        self.time += self.pace
        return self.time

    def ticks(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


JOB = Job(
    uuid="u", tenant="t", owner="ada", name="n", description="", app_id="model", app_version="1",
    job_type="FORK", exec_system_id="near", archive_system_id="near", exec_system_logical_queue=None,
    effective_user_id="ada", node_count=1, cores_per_node=1, memory_mb=100, max_minutes=10,
    status=JobStatus.STAGING_INPUTS, created="", last_updated="", remote_outcome=RemoteOutcome.FINISHED,
    exit_code=0,
)  # fmt: skip


@dataclass
class TwoHosts:
    """System ``near`` runs the jobs, system ``far`` is another host; each has a rootDir of its own."""

    folder: Path
    near: Host = field(default_factory=Host)
    far: Host = field(default_factory=Host)
    clock: Clock = field(default_factory=Clock)
    web: dict[str, bytes | Exception] = field(default_factory=dict)
    notes: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    definitions: dict[str, JobDefinition] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    on_note: Callable[[Sequence[str], str], None] = lambda uuids, text: None
    #: (user, system) -> what they may do with its paths, where that is not all.
    rights: dict[tuple[str, str], PathRights] = field(default_factory=dict)
    woken: list[JobStatus] = field(default_factory=list)
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for system in ("near", "far"):
            (self.folder / system).mkdir()
        self.fetched: Counter[str] = Counter()
        ports = Ports(
            clock=self.clock, random=Random(1), spawn=self._spawn, workers=cast(Any, None),
            database=cast(Any, None), hosts=self, schedulers={}, runtimes={},
        )  # fmt: skip
        self.lane = Lane(key=("near", "ada"), folder=f"{self.near_root}/lane", is_prepared=True)
        sources = Sources(ports, system=self._system, paths=self._paths, fetch=self._fetch)
        folders = LaneFolders(ports, epoch=1, store_id="store")
        oversight = Oversight(
            note=self._note,
            is_wanted=lambda uuid: uuid not in self.cancelled,
            wake=lambda lane, status: self.woken.append(status),
        )
        turns = FolderTurns(ports, active=dict, definitions=self._definitions, oversight=oversight)
        self.staging = Staging(
            ports,
            definitions=self._definitions,
            sources=sources,
            folders=folders,
            oversight=oversight,
            turns=turns,
        )
        self.archiver = Archiver(ports, self._definitions, sources, oversight=oversight)

    @property
    def near_root(self) -> Path:
        return self.folder / "near"

    @property
    def far_root(self) -> Path:
        return self.folder / "far"

    async def transport(self, system_id: str, effective_user: str) -> Host:
        return {"near": self.near, "far": self.far}[system_id]

    async def _system(self, system_id: str) -> Any:
        return SimpleNamespace(id=system_id, root_dir=str(self.folder / system_id), effective_user_id=None)

    async def _paths(self, person: str, system: Any) -> PathRights:
        return self.rights.get((person, system.id)) or PathRights.everywhere(system.id, person)

    async def _definitions(self, jobs: Sequence[Job]) -> Mapping[str, JobDefinition]:
        return self.definitions

    def _note(self, uuids: Sequence[str], text: str) -> None:
        self.notes.append((tuple(uuids), text))
        self.on_note(uuids, text)

    async def _fetch(self, url: str) -> AsyncIterator[bytes]:
        self.fetched[url] += 1
        content = self.web[url]
        if isinstance(content, Exception):
            raise content
        for start in range(0, len(content), 1 << 20):
            yield content[start : start + (1 << 20)]

    # -- jobs

    def job(self, uuid: str, *inputs: FileInput, **fields: Any) -> Job:
        """Return a job with *inputs*; *fields* are of its definition."""
        of_jobs = ("remote_outcome", "exit_code", "condition", "remote_result_info")
        job_fields = {name: fields.pop(name) for name in of_jobs if name in fields}
        self.definitions[uuid] = replace(
            JobDefinition(
                job_type="FORK", app_runtime="ZIP", container_image="/i", exec_system_id="near",
                exec_system_exec_dir=f"/jobs/{uuid}", exec_system_input_dir=f"/jobs/{uuid}",
                exec_system_output_dir=f"/jobs/{uuid}/output", archive_system_id="near",
                archive_system_dir=f"/jobs/{uuid}/output", job_working_dir="/", host="h",
                root_dir=str(self.near_root), file_inputs=inputs,
                archive_filter=ArchiveFilter(include_launch_files=False),
            ),
            **fields,
        )  # fmt: skip
        return JOB.evolve(uuid=uuid, archive_system_id=self.definitions[uuid].archive_system_id, **job_fields)

    def place(self, uuid: str) -> Path:
        """Return a job's input directory."""
        return self.near_root / "jobs" / uuid

    def output(self, uuid: str) -> Path:
        """Return a job's output directory, which is made with its launch files beside it."""
        folder = self.place(uuid) / "output"
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("tapisjob.sh", "tapisjob.env"):
            (folder.parent / name).write_text(f"{name} of {uuid}")
        (folder.parent / "tapisjob.sh").chmod(0o770)
        return folder

    async def stage(self, *jobs: Job) -> Mapping[str, Verdict]:
        """Return who does not go on once inputs are staged, also those that take long; count from here on."""
        self.forget()
        served = await self._served(self.staging.staging_inputs, jobs)
        return {uuid: verdict for uuid, verdict in served.items() if verdict != Go()}

    async def archive(self, *jobs: Job) -> Mapping[str, Verdict]:
        """Have outputs archived, also those that take long; count from here on."""
        self.forget()
        return await self._served(self.archiver.archive, jobs)

    async def _served(self, station: Station, jobs: Sequence[Job]) -> Mapping[str, Verdict]:
        """Serve jobs as the conveyor does: those that stay are asked for again when it is woken."""
        self.woken.clear()
        verdicts = dict(await station(self.lane, jobs))
        while staying := [job for job in jobs if isinstance(verdicts.get(job.uuid), Stay)]:
            await asyncio.gather(*self.tasks)
            assert self.woken
            self.woken.clear()
            again = await station(self.lane, staying)
            for job in staying:
                verdicts.pop(job.uuid)
            verdicts |= again
        return {job.uuid: verdicts.get(job.uuid, Go()) for job in jobs}

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.append(task)
        return task

    def forget(self) -> None:
        self.near.calls.clear()
        self.far.calls.clear()


def given(source: str, target: str = "", **fields: Any) -> FileInput:
    """Return an input from a URL."""
    return FileInput(source_url=source, target_path=target or source.rpartition("/")[2], **fields)


def tree_of(folder: Path) -> dict[bytes, object]:
    """Return what lies below a folder: name as bytes -> bytes, link target, or None for a directory."""
    found: dict[bytes, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
        if path.is_symlink():
            found[name] = path.readlink()
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = None
    return found
