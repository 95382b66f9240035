"""What a job is to be, before macros: every field chosen, its type, its queue, and what forbids it.

The request goes before the app, the app before system and defaults (``inheritance``); here is decided
what follows from that: FORK or BATCH, the queue and its limits, when outputs are archived.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .arguments import shell_words
from .batch_request import ScriptedRequest
from .errors import InvalidInputError, did_you_mean
from .fields import NOT_SET, ArchiveMode, JobType
from .inheritance import Frame, archive_mode, chosen_values, job_type
from .limits import refuse_over_limits
from .names import inner_name
from .request import SubmitRequest
from .system import LogicalQueue, System
from .texts import refuse_dangerous, shown


class Choice(NamedTuple):
    """The fields of one job, chosen."""

    frame: Frame
    #: field -> value, see ``inheritance.DEFAULTS``.
    values: dict[str, Any]
    #: wire name -> "request" | "script" | "app" | "system" | "default".
    sources: dict[str, str]
    kind: JobType
    #: Of a BATCH job.
    queue: LogicalQueue | None
    archive_mode: ArchiveMode
    archive_system_id: str
    #: What its owner should know, one sentence each.
    warnings: list[str]

    @property
    def is_archived_elsewhere(self) -> bool:
        """True when outputs go to another system than they are written on."""
        return self.archive_system_id != self.frame.system.id


def choose(
    request: SubmitRequest, frame: Frame, archive_system: System | None, scripted: ScriptedRequest | None
) -> Choice:
    """Choose the fields of a job; raises ``InvalidInputError`` for what cannot be had together."""
    system = frame.system
    warnings = list(request.warnings)
    values, sources = chosen_values(request, frame)
    if scripted is not None:
        warnings += scripted.warnings
        sources |= dict.fromkeys(scripted.fields, "script")
    kind = job_type(request, frame.app, system, sources)
    queue = _queue(kind, values, system, sources, warnings)
    mode = archive_mode(request, frame.app.job_attributes, sources)
    _refuse_bad_prefix(values, system)
    if not system.dtn_system_id:
        for name in ("dtnSystemInputDir", "dtnSystemOutputDir"):
            if sources[name] == "request" and getattr(request, inner_name(name)) != NOT_SET:
                warnings.append(f"{name} is ignored: system {system.id} has no dtnSystemId.")
    archive_id = archive_system.id if archive_system else system.id
    return Choice(frame, values, sources, kind, queue, mode, archive_id, warnings)


def _queue(
    kind: JobType, values: dict[str, Any], system: System, sources: dict[str, str], warnings: list[str]
) -> LogicalQueue | None:
    """Return the queue of a BATCH job, which keeps its limits; a FORK job has none."""
    name = values["exec_system_logical_queue"]
    if kind is JobType.FORK:
        if sources["execSystemLogicalQueue"] == "request":
            warnings.append(
                f"execSystemLogicalQueue {name} is ignored: a FORK job does not go through a queue."
            )
        return None
    queue = system.queues.get(name)
    if queue is None:
        names = ", ".join(system.queues) or "none"
        raise InvalidInputError(
            f"queue '{name}' is not on {system.id}.{did_you_mean(str(name), system.queues)} Queues: {names}.",
            field="execSystemLogicalQueue",
            value=name,
        )
    refuse_over_limits(values, queue, system)
    return queue


def _refuse_bad_prefix(values: dict[str, Any], system: System) -> None:
    mpi, prefix = values["mpi_cmd"], values["cmd_prefix"]
    if prefix:
        shell_words(prefix, "cmdPrefix")
        if not system.enable_cmd_prefix:
            raise InvalidInputError(
                f"cmdPrefix {shown(prefix)} is not allowed on system {system.id}, "
                "where enableCmdPrefix is false. Leave it out.",
                field="cmdPrefix",
                value=prefix,
            )
    if mpi:
        refuse_dangerous(mpi, "mpiCmd")
        shell_words(mpi, "mpiCmd")
    if values["is_mpi"] and not mpi:
        raise InvalidInputError(
            "mpiCmd is missing, and isMpi is true. Give one, for example 'mpirun'.", field="mpiCmd"
        )
    if values["is_mpi"] and prefix:
        raise InvalidInputError(
            f"cmdPrefix {shown(prefix)} cannot be used together with isMpi. Leave one of them out.",
            field="cmdPrefix",
            value=prefix,
        )
