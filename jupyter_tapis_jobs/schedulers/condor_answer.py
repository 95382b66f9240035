"""What a look at HTCondor brought back: marks, jobs in the queue, jobs in the history, sizes of machines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..transports.base import Answer
from . import condor_identity as identity
from .job_marks import Seen

#: The attributes that are asked for, in this order ("Job ClassAd Attributes").
ATTRIBUTES = (
    *("ClusterId", "ProcId", identity.UUID, identity.SUBMISSION, "JobStatus", "LastJobStatus"),
    *("NumJobStarts", "HoldReasonCode", "HoldReason", "RemoveReason", "ExitCode", "ExitBySignal"),
    *("ExitSignal", "CompletionDate", "EnteredCurrentStatus", "RequestCpus", "RequestMemory"),
    *("LastRejMatchReason", "VacateReason", "RemoteHost", "LastRemoteHost"),
)  # fmt: skip
_COLUMN = {name: place for place, name in enumerate(ATTRIBUTES)}
_ESCAPED = re.compile(r"\\([0-7]{3}|.)")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One job of HTCondor's, in the queue or in the history."""

    #: ``cluster.process``.
    number: str
    uuid: str
    submission: str
    #: 1 idle, 2 running, 3 removed, 4 completed, 5 held, 6 transferring output, 7 suspended.
    status: int
    last_status: int
    #: How often it began.
    starts: int
    hold_code: int = 0
    hold_reason: str = ""
    remove_reason: str = ""
    exit_code: int | None = None
    #: The signal that ended it; 0 for none.
    signal: int = 0
    #: Seconds since the epoch, by the schedd's clock; 0 while it is not over.
    ended: int = 0
    cores: int = 0
    memory_mb: int = 0
    #: Why the negotiator found no machine the last time.
    rejected: str = ""
    #: Why it was taken from its machine.
    vacated: str = ""
    machine: str = ""


@dataclass(slots=True, kw_only=True)
class Look(Seen):
    """All that one look brought back."""

    queue: list[Entry] = field(default_factory=list)
    history: list[Entry] = field(default_factory=list)
    #: False when the history was asked and did not answer.
    has_history: bool = True
    #: Cores and memory (MB) of the machines of the pool; empty when nobody asked.
    machines: list[tuple[int, int]] = field(default_factory=list)
    #: True when the queue and all that follows it came back.
    complete: bool = False


def parse(answer: Answer) -> Look:
    """Read what the script of ``look_script`` printed; nothing of it counts when its end is missing."""
    look = Look(complete=answer.stdout.endswith("looked\n"))
    for line in answer.stdout.split("\n") if look.complete else ():
        cells = line.split("\t")
        if len(cells) > 1:
            _read_row(look, cells)
        else:
            _read_line(look, line)
    return look


def _read_line(look: Look, line: str) -> None:
    """Read a line of the script's own."""
    match words := line.split():
        case ["queue", code]:
            look.complete = look.complete and code == "0"
        case ["history", code]:
            look.has_history = code == "0"
        case _:
            look.read(words)


def _read_row(look: Look, cells: Sequence[str]) -> None:
    """Read a row of the queue, of the history, or of the machines."""
    kind, *values = (value(cell) for cell in cells)
    if kind in ("queue", "history") and len(values) == len(ATTRIBUTES):
        (look.queue if kind == "queue" else look.history).append(_entry(values))
    elif kind == "machine" and len(values) == 2:
        look.machines.append((_number(values[0]), _number(values[1])))


def value(cell: str) -> str:
    """Return the text of a value as HTCondor writes it (``-af:V``); empty for an undefined one."""
    if cell.startswith('"') and cell.endswith('"') and len(cell) > 1:
        return _ESCAPED.sub(_unescaped, cell[1:-1])
    return "" if cell in ("undefined", "error") else cell


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1]
    return chr(int(code, 8)) if len(code) == 3 else _PLAIN.get(code, code)


def _entry(values: Sequence[str]) -> Entry:
    def cell(name: str) -> str:
        return values[_COLUMN[name]]

    code = cell("ExitCode")
    return Entry(
        number=f"{cell('ClusterId')}.{cell('ProcId')}",
        uuid=cell(identity.UUID),
        submission=cell(identity.SUBMISSION),
        status=_number(cell("JobStatus")),
        last_status=_number(cell("LastJobStatus")),
        starts=_number(cell("NumJobStarts")),
        hold_code=_number(cell("HoldReasonCode")),
        hold_reason=" ".join(cell("HoldReason").split()),
        remove_reason=" ".join(cell("RemoveReason").split()),
        exit_code=_number(code) if code else None,
        signal=_number(cell("ExitSignal")) if cell("ExitBySignal") == "true" else 0,
        ended=max(_number(cell("CompletionDate")), _number(cell("EnteredCurrentStatus"))),
        cores=_number(cell("RequestCpus")),
        memory_mb=_number(cell("RequestMemory")),
        rejected=cell("LastRejMatchReason").strip(),
        vacated=" ".join(cell("VacateReason").split()),
        machine=cell("RemoteHost") or cell("LastRemoteHost"),
    )


def _number(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else 0
