"""Why a job did not end well: the cause, a line of evidence, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..model.status import Condition, JobStatus

_Row = Mapping[str, Any]

#: 128 + SIGKILL (POSIX, "Exit Status for Commands").
_KILLED = 137


@dataclass(frozen=True, slots=True)
class Failure:
    """What a card and an error say about a job that failed."""

    cause: str
    #: The telling line of the job's output, or "".
    evidence: str
    #: A call or an advice, or "".
    next_step: str

    def __str__(self) -> str:
        told = f"{self.cause}: {self.evidence}" if self.evidence else self.cause
        ended = told if told.endswith((".", "!", "?")) else f"{told}."
        return f"{ended}   → {self.next_step}" if self.next_step else ended


def failure_of(job: _Row, tail: Sequence[str] = ()) -> Failure | None:
    """Return why *job* (a row as Tapis gives it) ended badly; None when it did not.

    ``tail`` are the last lines of its output.
    """
    if job.get("status") != JobStatus.FAILED:
        return None
    condition = condition_of(job, tail)
    line = _telling_line(tail)
    cause = _CAUSES.get(condition, _plain_cause)(job)
    evidence = line if line not in cause else ""
    if evidence and condition in _CAUSES:
        # It was ended from outside: the line tells how far it came, not why.
        cause = f"{cause}; last line"
    advice = _ADVICE.get(condition)
    return Failure(cause, evidence, advice(job) if advice else _hint(evidence, job))


def condition_of(job: _Row, tail: Sequence[str]) -> str:
    """Return why it ended: where Slurm only looks at memory now and then, its note in the output says it."""
    condition = str(job.get("condition") or "")
    if condition == Condition.SCHEDULER_TERMINATED and any(map(_SLURMS_MEMORY_NOTE.match, tail)):
        return Condition.SCHEDULER_OUT_OF_MEMORY
    return condition


def last_words(job: _Row, tail: Sequence[str] = ()) -> str:
    """Return one line about how *job* stands or ended, for an error or a list."""
    status = job.get("status", "")
    if status == JobStatus.CANCELLED:
        return "it was cancelled"
    failure = failure_of(job, tail)
    if failure is None:
        return f"it is {status}"
    return f"{failure.cause}: {failure.evidence}" if failure.evidence else failure.cause


def exit_code_of(job: _Row) -> int | None:
    """Return the exit code of a job's application, None where it left none: news of a job tell it by name."""
    code = job.get("exitCode")
    if code is None:
        code = job.get("remoteResultInfo") if str(job.get("remoteResultInfo") or "").isdigit() else None
    return None if code is None else int(code)


def _is_killed_batch_job(job: _Row) -> bool:
    """True for SIGKILL in a batch job: a case of a pack that needs too much memory gets no other word."""
    return job.get("jobType") == "BATCH" and exit_code_of(job) == _KILLED


def _plain_cause(job: _Row) -> str:
    number = exit_code_of(job)
    if _is_killed_batch_job(job):
        return f"killed (exit code {_KILLED}), most often for want of memory"
    if number:
        return f"stopped by signal {number - 128}" if 128 < number < 160 else f"exit code {number}"
    message = str(job.get("lastMessage") or "").strip().rstrip(".")
    return message or str(job.get("condition") or "it failed without a message")


def _told(instead: str) -> Callable[[_Row], str]:
    """What the scheduler said, else *instead*."""

    def cause(job: _Row) -> str:
        said = str(job.get("lastMessage") or "").strip() or str(job.get("remoteResultInfo") or "").strip()
        # An exit code alone says nothing of why.
        return instead if not said or said.isdigit() else said.rstrip(".")

    return cause


def _again(job: _Row) -> str:
    return "job.resubmit()"


def _time_limit(job: _Row) -> str:
    minutes = job.get("maxMinutes")
    return f"stopped at the time limit of {minutes} min" if minutes else "stopped at its time limit"


def _memory_limit(job: _Row) -> str:
    memory = job.get("memoryMB")
    return f"out of memory: more than {memory} MB" if memory else "out of memory"


def _more(field: str) -> Callable[[_Row], str]:
    """Advise to run again with twice as much of *field*."""

    def advice(job: _Row) -> str:
        value = job.get(field)
        return f"job.resubmit({field}={2 * int(value)})" if value else f"job.resubmit({field}=…)"

    return advice


_CAUSES: Mapping[str, Callable[[_Row], str]] = MappingProxyType(
    {
        Condition.SCHEDULER_TIMEOUT: _time_limit,
        Condition.JOB_EXECUTION_MONITORING_TIMEOUT: _time_limit,
        Condition.SCHEDULER_DEADLINE: _told("it could not end before its deadline"),
        Condition.SCHEDULER_OUT_OF_MEMORY: _memory_limit,
        Condition.SCHEDULER_TERMINATED: _told("ended by the scheduler, not by its program"),
        Condition.SCHEDULER_CANCELLED: _told("cancelled at the scheduler, not by this server"),
    }
)
_ADVICE: Mapping[str, Callable[[_Row], str]] = MappingProxyType(
    {
        Condition.SCHEDULER_TIMEOUT: _more("maxMinutes"),
        Condition.JOB_EXECUTION_MONITORING_TIMEOUT: _more("maxMinutes"),
        Condition.SCHEDULER_OUT_OF_MEMORY: _more("memoryMB"),
        Condition.SCHEDULER_TERMINATED: _again,
        Condition.SCHEDULER_CANCELLED: _again,
    }
)
#: What a line of output often means, and what to do about it.
_HINTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"No module named '([\w.]+)'"),
        "install {0} for the Python that runs the job (TAPIS_PYTHON), or use an app that has it",
    ),
    (re.compile(r"No such file or directory: '([^'/]+)'"), "give it to the job: inputs=['{0}']"),
    (
        re.compile(r"(?:line \d+: )?(\S+): command not found"),
        "load {0} in the script, or use an app that has it",
    ),
)


def _hint(evidence: str, job: _Row) -> str:
    for pattern, advice in _HINTS:
        found = pattern.search(evidence)
        if found:
            return advice.format(*found.groups())
    if _is_killed_batch_job(job):
        return _more("memoryMB")(job)
    return 'job.read("tapisjob.out")' if evidence or job.get("remoteStarted") else "job.history()"


#: What Slurm writes into the output of a job that it ends; the cause tells it already.
_NOT_THE_PROGRAMS = re.compile(r"\s*(slurmstepd-\S+: |srun: .*\*\*\* (JOB|STEP) )")
_SLURMS_MEMORY_NOTE = re.compile(r"\s*slurmstepd-\S+: .*(memory limit|oom.kill)", re.IGNORECASE)


def _telling_line(tail: Sequence[str]) -> str:
    """Return the last line that says something, cut to what fits a card."""
    lines = [line.strip() for line in tail if line.strip() and not _NOT_THE_PROGRAMS.match(line)]
    return lines[-1][:200] if lines else ""
