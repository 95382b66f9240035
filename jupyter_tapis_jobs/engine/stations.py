"""The stations of the conveyor: what is done for a cohort of jobs in each status before it goes on.

Every station first looks at what is stored and what lies on the host, and does again only what may
safely be done twice: so a station does not need to know whether it is the first to try.
"""

from __future__ import annotations

import errno
import posixpath
import shlex
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from ..model import files, marks
from ..model.errors import InvalidInputError
from ..model.job import FileInput, Job, JobDefinition
from ..model.paths import join
from ..model.status import Condition, JobStatus
from ..model.times import iso
from ..model.urls import data_bytes, is_data
from ..schedulers.base import Sighting, Submission
from ..schedulers.fork import OVERTAKEN
from ..store.jobs import Change
from ..store.lease import LeaseLostError
from ..transports.base import Entry, Transport
from .archive import Archiver
from .conveyor import Conveyor, Station
from .images import SMALL_IMAGE, UNPACK, Image, unpack
from .lane import Lane
from .ports import Ports
from .quota import Limits, first_reached
from .sources import Sources
from .tracker import Tracker
from .verdict import Block, Fail, Go, Stay, Verdict
from .wrapper import launch_script

#: Jobs that one submission hands over at most where a host's cores are shared out.
BATCH = 250
#: Seconds until a job on a full disk is tried again.
DISK_FULL_RETRY = 60.0


class Definitions(Protocol):
    """Finds what jobs were asked to do."""

    def __call__(self, jobs: Sequence[Job]) -> Awaitable[Mapping[str, JobDefinition]]:
        """Return uuid -> definition."""
        ...


class Stations:
    """One method per status; the conveyor's table is ``table``."""

    def __init__(
        self,
        ports: Ports,
        *,
        epoch: int,
        definitions: Definitions,
        sources: Sources,
        limits: Callable[[Sequence[Job]], Awaitable[Mapping[str, Limits]]],
    ) -> None:
        self._ports = ports
        self._epoch = epoch
        self._definitions = definitions
        self._sources = sources
        self._limits = limits
        self._archiver = Archiver(ports, definitions, sources)
        self._images: dict[tuple[str, float, int], Image] = {}
        #: Set by the engine: stations commit through one, look through the other.
        self.conveyor: Conveyor
        self.tracker: Tracker

    @property
    def table(self) -> dict[JobStatus, Station]:
        """status -> the station that works on jobs in it."""
        return {
            JobStatus.PENDING: self.pending,
            JobStatus.PROCESSING_INPUTS: self.processing_inputs,
            JobStatus.STAGING_INPUTS: self.staging_inputs,
            JobStatus.STAGING_JOB: self.staging_job,
            JobStatus.SUBMITTING_JOB: self.submitting_job,
            JobStatus.ARCHIVING: self._archiver.archive,
        }

    # -- PENDING

    async def pending(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Let as many jobs pass as the quotas of system, queue and app allow."""
        limits = await self._limits(cohort)
        active = [job for job in self.conveyor.jobs.values() if _counts(job)]
        tally: Counter[tuple[str, ...]] = Counter(chain.from_iterable(map(Limits.keys, active)))
        verdicts: dict[str, Verdict] = {}
        for job in cohort:
            if reached := limits[job.uuid].disabled or first_reached(limits[job.uuid], job, tally):
                retry = DISK_FULL_RETRY if limits[job.uuid].disabled else None
                verdicts[job.uuid] = Block(reached, retry)
            else:
                tally.update(Limits.keys(job))
        return verdicts

    # -- PROCESSING_INPUTS

    async def processing_inputs(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Make the jobs' directories."""
        transport = await self._prepared(lane)
        definitions = await self._definitions(cohort)
        entries = {job.uuid: list(_directories(definitions[job.uuid])) for job in cohort}
        return await self._put(transport, entries)

    # -- STAGING_INPUTS

    async def staging_inputs(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Bring every input to its place in the job's input directory."""
        transport = await self._prepared(lane)
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
        transport = await self._prepared(lane)
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

    # -- SUBMITTING_JOB

    async def submitting_job(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Hand jobs over, as many as have a place; look first where an earlier try had no clear answer."""
        transport = await self._prepared(lane)
        verdicts = await self._found_submitted(lane, [job for job in cohort if job.submission_id], transport)
        fresh = [job for job in cohort if job.uuid not in verdicts]
        batch, parallel = _batch(fresh, lane.free_cores)
        chosen = {job.uuid for job in batch}
        verdicts.update({job.uuid: Stay() for job in fresh if job.uuid not in chosen})
        if batch:
            verdicts.update(await self._hand_over(lane, batch, parallel, transport))
        return verdicts

    async def _found_submitted(
        self, lane: Lane, jobs: Sequence[Job], transport: Transport
    ) -> dict[str, Verdict]:
        """Return a verdict for those that were handed over before; the others may be handed over anew."""
        if not jobs:
            return {}
        scheduler = self._ports.schedulers[jobs[0].job_type]
        launches = await self.tracker.launches(jobs)
        answer = await transport.run(scheduler.look_script(lane.folder, launches))
        reports = scheduler.parse_look(launches, answer)
        submitted = [uuid for uuid, report in reports.items() if report.sighting is not Sighting.ABSENT]
        lane.early.update(submitted)
        unclear: dict[str, Verdict] = {
            job.uuid: Block("the host gave no clear answer about the job's start", 5.0)
            for job in jobs
            if job.uuid not in reports
        }
        return unclear | {uuid: Go(fields={"remote_submitted": self._now()}) for uuid in submitted}

    async def _hand_over(
        self, lane: Lane, batch: Sequence[Job], parallel: int, transport: Transport
    ) -> Mapping[str, Verdict]:
        """Store the intent, then submit: in this order, so that no start is ever forgotten."""
        scheduler = self._ports.schedulers[batch[0].job_type]
        identifier = f"{self._ports.random.getrandbits(64):016x}"
        lane.planned[identifier] = parallel
        intents = [Change(before=job, after=job.evolve(submission_id=identifier)) for job in batch]
        moved_on = await self.conveyor.commit(intents)
        batch = [job for job in batch if job.uuid not in moved_on]
        submission = Submission(
            id=identifier,
            lane_dir=lane.folder,
            epoch=self._epoch,
            launches=tuple(await self.tracker.launches(batch)),
            parallel=parallel,
        )
        answer = await transport.run(scheduler.submit_script(submission))
        if answer.exit_code == OVERTAKEN:
            raise LeaseLostError("Another job engine has taken over this host; this one stops.")
        reports = scheduler.parse_submit(submission, answer)
        complaint = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        refused = Fail(f"the job could not be started: {complaint}", Condition.JOB_LAUNCH_FAILURE)
        accepted = Go(fields={"remote_submitted": self._now()})
        return {job.uuid: accepted if job.uuid in reports else refused for job in batch}

    # -- what stations share

    async def _prepared(self, lane: Lane) -> Transport:
        """Return the lane's transport; once per lane, make its folder and write the epoch into it."""
        transport = await self._ports.hosts.transport(*lane.key)
        if not lane.is_prepared:
            epoch = Entry(path=f"{lane.folder}/epoch", content=f"{self._epoch}\n".encode())
            failed = await transport.put([Entry(path=lane.events, mode=0o770), epoch])
            for fault in failed.values():
                raise fault
            lane.is_prepared = True
        return transport

    async def _put(self, transport: Transport, entries: Mapping[str, list[Entry]]) -> dict[str, Verdict]:
        """Write everything in one round trip; return a verdict for the jobs whose files were refused."""
        refused = await transport.put(chain.from_iterable(entries.values()))
        if not refused:
            return {}
        owners = {entry.path: uuid for uuid, items in entries.items() for entry in items}
        return {owners[path]: _refused(fault) for path, fault in refused.items()}

    def _now(self) -> str:
        return iso(self._ports.clock.now())


def _counts(job: Job) -> bool:
    """Quotas count jobs that are active and past PENDING (Tapis Jobs, "Job Quotas")."""
    held = job.status in (JobStatus.BLOCKED, JobStatus.PAUSED)
    return (job.resume_status if held else job.status) is not JobStatus.PENDING


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


def _batch(jobs: Sequence[Job], free: int | None) -> tuple[list[Job], int]:
    """Return the jobs to hand over together and how many of them may run at a time (0: all).

    They need the same number of cores; a job that needs more than there are runs alone.
    """
    if not jobs or (free is not None and free <= 0):
        return [], 0
    kind = (jobs[0].job_type, jobs[0].cores_per_node)
    alike = [job for job in jobs if (job.job_type, job.cores_per_node) == kind]
    if free is None:
        return alike, 0
    return alike[:BATCH], max(1, free // kind[1])


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
