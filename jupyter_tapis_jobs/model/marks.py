"""The small files by which a host tells what happened to a job, whatever happened to everyone else.

They lie in ``.tapisjob`` in the job's execution directory and are written by its launch script:

    claim       the start: who runs this job; made once, by an atomic link. The words are the job's uuid,
                process, host, boot, the process's line of proc(5) and, last, in a batch job
                ``slurm:<job id>:<restarts>`` or ``condor:<cluster>.<process>:0``
    exit        the end: the application's exit code, the word ``terminated`` when it had been asked to
                end, and a newline (without it: not yet written)
    killed      written by the engine before it ends a job: ``cancel``, ``timeout``, ``impossible``, ``lost``
    container   the engine, ``docker`` or ``podman``, that was told to run a container for this job
    duplicate.N a second copy of the job that found the claim taken and ran nothing
    launch.log  what the launch script itself complained about

An event file in the lane's ``events`` folder, named ``<uuid>.start`` or ``<uuid>.end``, says that it
is worth looking: an event is a hint, the marks are the truth. The times are those of the files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .files import CONTAINER_ID

#: Written into every launch script; an engine finishes jobs of every format it knows. Format 1 had no
#: scheduler in its claim and no second word in its exit.
FORMAT = 2

FOLDER = ".tapisjob"
CLAIM = f"{FOLDER}/claim"
EXIT = f"{FOLDER}/exit"
KILLED = f"{FOLDER}/killed"
LAUNCH_LOG = f"{FOLDER}/launch.log"
CONTAINER = f"{FOLDER}/container"
#: The files that tell a job's fate, relative to its execution directory.
TELLING = (CLAIM, EXIT, KILLED)

#: The first word of a claim that the engine took itself, so that a job can never start.
REVOKED = "revoked"

_OF_SCHEDULER = re.compile(r"(slurm|condor):")
_CODE = re.compile(r"[0-9]{1,9}")
_CONTAINER = re.compile(r"[0-9a-f]{12,64}")
#: What counts for an exit that is no code: a job can write anything there.
_NO_CODE = 255
#: The last second a date can name; a job can give its files any.
_LAST_TIME = 253402300799.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What a job's directory says; times in seconds since the epoch."""

    #: The first word of the claim: the job's uuid, or ``REVOKED``.
    claimed_by: str | None = None
    pid: str | None = None
    host: str | None = None
    started: float | None = None
    #: The scheduler's own number of the job that won the claim.
    scheduler_id: str | None = None
    exit_code: int | None = None
    ended: float | None = None
    #: Somebody had asked the application to end.
    was_terminated: bool = False
    #: "cancel", "timeout", … when the engine ended it.
    killed: str | None = None
    #: Docker's own number of the job's container.
    container_id: str | None = None

    @property
    def was_started(self) -> bool:
        """True when the job's launch script won its claim."""
        return self.claimed_by is not None and self.claimed_by != REVOKED


def read_marks(contents: Mapping[str, tuple[str, float]]) -> Marks:
    """Read marks from *contents*: name (of ``TELLING``) -> (text, time of last writing)."""
    claim, claimed_at = contents.get(CLAIM, ("", 0.0))
    words = claim.split()
    exit_line, ended_at = _whole_line(contents.get(EXIT, ("", 0.0)))
    code, _, ending = exit_line.partition(" ")
    has_ended = bool(exit_line)
    killed = contents.get(KILLED, ("", 0.0))[0].strip()
    container = next(
        (text.strip() for name, (text, _) in contents.items() if name.endswith(CONTAINER_ID)), ""
    )
    return Marks(
        claimed_by=words[0] if words else None,
        pid=words[1] if len(words) > 1 else None,
        host=words[2] if len(words) > 2 else None,
        scheduler_id=words[-1].split(":")[1] if words and _OF_SCHEDULER.match(words[-1]) else None,
        started=_sane(claimed_at) if words else None,
        exit_code=_code(code) if has_ended else None,
        ended=_sane(ended_at) if has_ended else None,
        was_terminated=ending == "terminated",
        killed=killed or None,
        container_id=container if _CONTAINER.fullmatch(container) else None,
    )


def _whole_line(content: tuple[str, float]) -> tuple[str, float]:
    """A mark counts when its newline is there: before that, it is still being written."""
    text, modified = content
    return (text.strip(), modified) if text.endswith("\n") else ("", modified)


def _code(text: str) -> int:
    return int(text) if _CODE.fullmatch(text) else _NO_CODE


def _sane(moment: float) -> float:
    """Return a time that a calendar has."""
    return min(max(moment, 0.0), _LAST_TIME) if math.isfinite(moment) else 0.0
