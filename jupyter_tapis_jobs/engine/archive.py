"""ARCHIVING: outputs go where they are kept, and a failed job gets its reason in words."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..model.errors import NotAllowedError, NotFoundError, TapisJobsError
from ..model.job import Job, JobDefinition
from ..model.status import Condition, JobStatus, RemoteOutcome
from ..model.transfer_nodes import outputs_leave
from ..transports.base import Transport
from .archive_moves import Move, Moves, lies_apart
from .background import Background
from .faults import told_of_one, verdict_of
from .inputs import Definitions
from .lane import Lane, LaneKey
from .last_lines import last_line, last_lines
from .oversight import Oversight
from .ports import Ports
from .progress import Progress
from .sources import Sources
from .transfer import Transfer
from .transfer_nodes import Carrier
from .verdict import Go, Verdict


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job failed, in a sentence; ``condition`` where it is not the application's own end."""

    words: str
    condition: Condition | None = None


class Archiver:
    """Works on jobs whose application has ended."""

    def __init__(
        self, ports: Ports, definitions: Definitions, sources: Sources, *, oversight: Oversight
    ) -> None:
        self._ports = ports
        self._definitions = definitions
        self._sources = sources
        self._oversight = oversight
        self._background = Background(ports.spawn, oversight, JobStatus.ARCHIVING)
        self._transfer = Transfer(ports.clock)
        self._carrier = Carrier(ports, self._transfer)

    async def archive(self, lane: Lane, cohort: Sequence[Job]) -> Mapping[str, Verdict]:
        """Archive what each job's mode and filter ask for, all jobs of a place together.

        Jobs whose outputs move stay here meanwhile, and do not hold up the others.
        """
        fresh, verdicts = self._background.sort(cohort)
        definitions = await self._definitions(fresh) if fresh else {}
        later = [
            job for job in fresh if _is_archived(job, definitions[job.uuid]) and _moves(definitions[job.uuid])
        ]
        if any(self._background.needs_care(job.uuid) for job in later):
            later = []
        if later:
            long_work = partial(self._archive, lane, later, definitions)
            verdicts |= self._background.begin(lane.key, [job.uuid for job in later], long_work)
        soon = [job for job in fresh if job.uuid not in verdicts]
        if not soon:
            return verdicts
        work = self._archive(lane, soon, definitions)
        return {**verdicts, **await told_of_one(soon, "its outputs could not be archived", work)}

    async def _archive(
        self, lane: Lane, jobs: Sequence[Job], definitions: Mapping[str, JobDefinition]
    ) -> Mapping[str, Verdict]:
        host = await self._ports.hosts.transport(*lane.key)
        reasons = await self._reasons([job for job in jobs if _has_failed(job)], definitions, host)
        kept = [job for job in jobs if _is_archived(job, definitions[job.uuid])]
        faults = await self._move(lane, host, kept, definitions)
        return {job.uuid: _verdict(job, definitions[job.uuid], reasons, faults) for job in jobs}

    async def _move(
        self, lane: Lane, host: Transport, jobs: Sequence[Job], definitions: Mapping[str, JobDefinition]
    ) -> Mapping[str, TapisJobsError | OSError]:
        """Move the outputs of *jobs*; return what went wrong, by uuid."""
        places: dict[LaneKey, list[Move]] = {}
        carried: dict[LaneKey, list[tuple[LaneKey, str, Move]]] = {}
        faults: dict[str, TapisJobsError | OSError] = {}
        for job in jobs:
            definition = definitions[job.uuid]
            where, root, ground = lane.key, definition.root_dir, definition.root_dir
            node, place = lane.key, None
            if lies_apart(definition):
                place = outputs_leave(job, definition)
                try:
                    where, root, ground = await self._sources.archive_host(job, definition)
                    if place is not None:
                        node = await self._sources.node(job, definition.dtn_system_id or "")
                except (NotAllowedError, NotFoundError) as refusal:
                    faults[job.uuid] = refusal
                    continue
            move = Move.of(job, definition, root, ground)
            if place is None:
                places.setdefault(where, []).append(move)
            else:
                carried.setdefault(where, []).append((node, place, move))
        if carried:
            faults |= await self._carrier.carry_out(host, carried, self._progress)
        for where, moves in places.items():
            progress = self._progress([move.uuid for move in moves])
            try:
                target = host if where == lane.key else await self._ports.hosts.transport(*where)
                faults |= await Moves(host, target, self._transfer, progress).carry_out(moves)
            except TapisJobsError as trouble:
                if where == lane.key:
                    raise
                faults |= dict.fromkeys((move.uuid for move in moves), trouble)
        return faults

    def _progress(self, uuids: Sequence[str]) -> Progress:
        return Progress(self._oversight, self._ports.clock, uuids, what="copying outputs")

    async def _reasons(
        self, failed: Sequence[Job], definitions: Mapping[str, JobDefinition], host: Transport
    ) -> dict[str, Reason]:
        """Say in one sentence each why applications failed, with the last lines they wrote."""
        if not failed:
            return {}
        mark = f"{self._ports.random.getrandbits(128):032x}"
        texts = await last_lines(host, {job.uuid: definitions[job.uuid] for job in failed}, mark)
        return {job.uuid: self._why(job, definitions[job.uuid], texts[job.uuid]) for job in failed}

    def _why(self, job: Job, definition: JobDefinition, text: str) -> Reason:
        """Say why a job failed: its container never began, or its application ended so."""
        runtime = self._ports.runtimes.get(definition.app_runtime)
        if job.condition is None and job.exit_code is not None and runtime is not None:
            trouble = runtime.trouble(definition, job.exit_code, text)
            if trouble is not None:
                words = f"{trouble} ({_exit_words(job.exit_code)})."
                return Reason(words, Condition.JOB_LAUNCH_FAILURE)
        return Reason(_reason(job, last_line(text)))


def _has_failed(job: Job) -> bool:
    return job.remote_outcome is not RemoteOutcome.FINISHED


def _is_archived(job: Job, definition: JobDefinition) -> bool:
    never = definition.archive_mode == "NEVER"
    return not never and not (_has_failed(job) and definition.archive_mode == "SKIP_ON_FAIL")


def _moves(definition: JobDefinition) -> bool:
    """Tell whether outputs go elsewhere than where they are."""
    return lies_apart(definition) or definition.archive_system_dir != definition.exec_system_output_dir


def _verdict(
    job: Job,
    definition: JobDefinition,
    reasons: Mapping[str, Reason],
    faults: Mapping[str, TapisJobsError | OSError],
) -> Verdict:
    reason = reasons.get(job.uuid, Reason(""))
    fields: dict[str, Any] = {"condition": reason.condition} if reason.condition else {}
    if not _is_archived(job, definition):
        skipped = {"remote_outcome": RemoteOutcome.FAILED_SKIP_ARCHIVE} if _has_failed(job) else {}
        return Go(reason.words, {**fields, **skipped})
    if (fault := faults.get(job.uuid)) is None:
        return Go(reason.words, fields)
    place = f"{definition.archive_system_dir} on {definition.archive_system_id}"
    return verdict_of(fault, f"its outputs could not be archived to {place}")


def _reason(job: Job, line: str) -> str:
    """Say who ended it, or how it ended itself, and what it wrote last."""
    last = f"; last line: {line}" if line else ""
    if job.condition in _TIME_LIMITS and (job.remote_result_info or "").isdigit():
        return f"stopped at the time limit of {job.max_minutes} min{last}"
    if job.condition is not None:
        return f"{job.remote_result_info or 'its process vanished'}{last}"
    return f"{_exit_words(job.exit_code)}: {line}" if line else f"{_exit_words(job.exit_code)}, and no output"


#: Kept by this engine or by the runner of a pack, which leave the exit code only.
_TIME_LIMITS = (Condition.JOB_EXECUTION_MONITORING_TIMEOUT, Condition.SCHEDULER_TIMEOUT)


def _exit_words(code: int | None) -> str:
    """Say an exit code in words; 128+n is an end by signal n (POSIX, "Exit Status for Commands")."""
    if code is None:
        return "no exit code"
    try:
        return f"exit code {code} ({signal.Signals(code - 128).name})"
    except ValueError:
        return f"exit code {code}"
