"""Why a program stopped, as far as its conditions and the lines it printed tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from ..model.status import Condition
from .failure import condition_of, failure_of

_Row = Mapping[str, Any]
#: Lines from the end of an output that are looked through.
LOOKED = 60
#: 128 + SIGKILL; in a batch job, most often for want of memory.
_KILLED = 137


class Cause(StrEnum):
    """What most likely ended a case; the value is how it is told."""

    TIME = "time limit"
    MEMORY = "memory"
    CONVERGENCE = "no convergence"
    NUMBERS = "numbers out of range"
    FILE = "missing file"
    COMMAND = "missing command or library"
    PERMISSION = "no permission"
    DISK = "no room on the disk"
    LICENCE = "no licence"
    HOST = "host or scheduler"
    PROGRAM = "the program itself"


@dataclass(frozen=True, slots=True)
class CaseCause:
    """The likely cause of one failed case: ``told`` in words, ``line`` the telling line or ""."""

    cause: Cause
    told: str
    line: str
    #: What is missing, where the line names it.
    thing: str = ""


def cause_of(row: _Row, lines: Sequence[str]) -> CaseCause:
    """Return why a FAILED job (a row as Tapis gives it) ended, by the last *lines* of its output."""
    failure = failure_of({**row, "status": "FAILED"}, lines)
    told = failure.cause.removesuffix("; last line") if failure else "failed"
    shown = failure.evidence if failure else ""
    by_condition = _BY_CONDITION.get(condition_of(row, lines))
    if by_condition is not None:
        return CaseCause(by_condition, told, shown)
    cause, line, thing = _by_lines(lines)
    if cause is Cause.PROGRAM and _was_killed(row):
        return CaseCause(Cause.MEMORY, told, line or shown)
    return CaseCause(cause, told, line or shown, thing)


def _by_lines(lines: Sequence[str]) -> tuple[Cause, str, str]:
    """Return what the last line with a known pattern tells; else the last that speaks of an error."""
    last = [line.strip() for line in lines[-LOOKED:] if line.strip()]
    for line in reversed(last):
        for pattern, cause in _PATTERNS:
            found = pattern.search(line)
            if found:
                named = found.groups() if cause in (Cause.FILE, Cause.COMMAND) else ()
                thing = next((group for group in named if group), "")
                return cause, line[:200], thing
    complaint = next((line for line in reversed(last) if _COMPLAINT.search(line)), "")
    return Cause.PROGRAM, complaint[:200], ""


def _was_killed(row: _Row) -> bool:
    return row.get("jobType") == "BATCH" and str(row.get("exitCode")) == str(_KILLED)


_BY_CONDITION: Mapping[str, Cause] = MappingProxyType(
    {
        Condition.SCHEDULER_TIMEOUT: Cause.TIME,
        Condition.SCHEDULER_DEADLINE: Cause.TIME,
        Condition.JOB_EXECUTION_MONITORING_TIMEOUT: Cause.TIME,
        Condition.SCHEDULER_OUT_OF_MEMORY: Cause.MEMORY,
        Condition.SCHEDULER_TERMINATED: Cause.HOST,
        Condition.SCHEDULER_CANCELLED: Cause.HOST,
        Condition.SCHEDULER_STOPPED: Cause.HOST,
        Condition.JOB_LAUNCH_FAILURE: Cause.HOST,
        Condition.JOB_ARCHIVING_FAILED: Cause.HOST,
        Condition.JOB_REMOTE_ACCESS_ERROR: Cause.HOST,
        Condition.JOB_INTERNAL_ERROR: Cause.HOST,
        Condition.JOB_QUEUE_MONITORING_ERROR: Cause.HOST,
        Condition.JOB_TRANSFER_FAILED_OR_CANCELLED: Cause.HOST,
        Condition.JOB_TRANSFER_MONITORING_TIMEOUT: Cause.HOST,
        Condition.JOB_UNABLE_TO_STAGE_INPUTS: Cause.HOST,
        Condition.JOB_UNABLE_TO_STAGE_JOB: Cause.HOST,
    }
)


def _words(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


#: What a line of output means; the first that fits holds. Sources of the solvers' words: OpenSees
#: ("failed to converge", "analyze failed"), Abaqus ("too many attempts"), ANSYS ("not converged"),
#: OpenFOAM ("Maximum number of iterations exceeded"), PETSc ("DIVERGED_…"), SciPy ("did not converge").
_PATTERNS: tuple[tuple[re.Pattern[str], Cause], ...] = (
    (
        _words(r"\b(std::bad_alloc|MemoryError|out of memory|oom.?kill|cannot allocate|unable to allocate)"),
        Cause.MEMORY,
    ),
    (_words(r"No space left on device|disk quota exceeded|disk is full"), Cause.DISK),
    (
        _words(r"(failed|unable|not able|fails) to converge|(not|n't|un|never) ?converge|non-?converge"),
        Cause.CONVERGENCE,
    ),
    (
        _words(
            r"analyze (has )?failed|ConvergenceTest|Algorithm failed|DIVERGED_|\bdiverg(ed|ing|ence)\b"
            r"|convergence (failure|failed|not|error)|too many attempts made for this increment"
            r"|max(imum)?( number of)? iterations? (was |were |has been )?(exceeded|reached)"
            r"|time (step|increment) .*(too small|less than the minimum|below the minimum)"
        ),
        Cause.CONVERGENCE,
    ),
    (
        _words(
            r"singular matrix|matrix is (exactly )?singular|not positive.definite|zero pivot"
            r"|floating.point exception|ZeroDivisionError|OverflowError|math domain error"
            r"|\b(NaN|inf) (found|detected|encountered)"
        ),
        Cause.NUMBERS,
    ),
    (_words(r"No module named '?([\w.]+)"), Cause.COMMAND),
    (_words(r"(\S+): (?:command )?not found$"), Cause.COMMAND),
    (_words(r"error while loading shared libraries: ([^\s:]+)"), Cause.COMMAND),
    (_words(r"exec(?:ve)?: \"?([^\s\"]+)\"?: (?:no such file|executable file not found)"), Cause.COMMAND),
    (_words(r"module\(s\) .*unknown|Unable to locate a modulefile for '([^']+)"), Cause.COMMAND),
    (_words(r"No such file or directory: '([^']+)'"), Cause.FILE),
    (
        _words(
            r"(?:cannot|can't|can not|could ?n[o']t|failed to|unable to) (?:open|find|read|access)"
            r"(?: (?:the )?(?:input )?file)?:? ['\"]?([\w./-]+\.\w+)"
        ),
        Cause.FILE,
    ),
    (_words(r"([\w./-]+\.\w+)['\"]?: No such file"), Cause.FILE),
    (_words(r"No such file or directory|FileNotFoundError|file not found"), Cause.FILE),
    (_words(r"\blicen[cs]e\b.*(error|fail|denied|expired|checkout|unavailable)"), Cause.LICENCE),
    (_words(r"Permission denied|PermissionError|Operation not permitted"), Cause.PERMISSION),
)
_COMPLAINT = _words(
    r"\b(error|exception|fatal|fail(ed|ure)?|abort(ed)?|segmentation fault|killed)\b|\w+Error\b"
)
