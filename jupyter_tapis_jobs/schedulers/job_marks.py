"""What the directories of batch jobs say, read by the script that asks their scheduler too."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..model import marks
from .base import Launch

#: In a submission's folder: ``<uuid> <execution directory>`` per job, in the order of their numbers.
JOBS = "jobs"
#: In a submission's folder: the number of its array, allocation or cluster.
ID = "id"
#: In a submission's folder: ``<uuid> <number>`` per single job.
IDS = "ids"

#: Wants ``$lane`` and ``$pass`` (``job`` before the scheduler is asked, ``again`` after).
_FUNCTIONS = """\
# say TEXT: a line of this pass; a backslash in what a job has written stays one
say() {{ printf '%s\\n' "$pass $1"; }}
# look UUID DIRECTORY NUMBER: the marks in a job's directory, and the number its scheduler knows it by
look() {{
  said=-; word=-; killed=
  if [ ! -d "$2/{folder}" ]; then [ -d "${{2%/*}}" ] && say "$1 $3 missing - -"; return; fi
  if [ ! -s "$2/{exit}" ] && [ -s "$2/{claim}" ]; then set -- "$@" "$2/{folder}"/*; fi
  if [ -s "$2/{exit}" ]; then
    state=ended; rest=; read -r said rest < "$2/{exit}"; said=$said${{rest:+:$rest}}
    case $said in ?|??|1[01]?|12[0-7]) say "$1 $3 ended $said -"; return ;; esac
  elif [ -s "$2/{claim}" ]; then state=claimed
  else say "$1 $3 free - -"; return; fi
  if [ "$pass" = job ]; then
    read -r first rest < "$2/{claim}"; word=${{rest##* }}
    [ "$state:$first" = claimed:{revoked} ] && state=revoked
  fi
  [ -s "$2/{killed}" ] && read -r killed rest < "$2/{killed}"
  say "$1 $3 $state $said $word $killed"
}}
# known SUBMISSION FILE [KEY]: the numbers that a submission left on the host
known() {{
  list="$lane/submissions/$1/$2"
  [ -s "$list" ] || return
  while read -r key id; do printf 'id %s %s\\n' "${{3:-$key}}" "${{id:-$key}}"; done < "$list"
}}
# listed SUBMISSION: the jobs of a submission in their order
listed() {{
  list="$lane/submissions/$1/{jobs}"
  [ -s "$list" ] && echo "jobs $1" $(sed 's/ .*//' "$list")
}}
look_at_all() {{
{looks}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the marks in one job's directory say."""

    #: ended, claimed, revoked, free, or missing (the directory is gone).
    state: str
    #: The exit mark's words, ``:`` between them; empty without one.
    exit: str = ""
    #: The scheduler's number of the job that claimed it; empty when unknown.
    claimed_by: str = ""
    #: Why the engine ended it; empty when it did not.
    killed: str = ""

    @property
    def is_by_signal(self) -> bool:
        """True when the application did not end by itself."""
        code, _, terminated = self.exit.partition(":")
        return bool(terminated) or (code.isdigit() and int(code) > 128)


def functions(launches: Sequence[Launch], *, verb: str = "look") -> str:
    """Return the shell functions that look at *launches*; ``look_at_all`` calls *verb* for each of them."""
    return _FUNCTIONS.format(
        folder=marks.FOLDER,
        exit=marks.EXIT,
        claim=marks.CLAIM,
        killed=marks.KILLED,
        revoked=marks.REVOKED,
        jobs=JOBS,
        looks="\n".join(f"{verb} {j.uuid} {shlex.quote(j.exec_dir)} {_number(j)}" for j in launches) or ":",
    )


def numbers(launches: Sequence[Launch]) -> Iterator[str]:
    """Yield what is asked of the host about submissions whose numbers the engine does not know."""
    asked = [j for j in launches if j.submission_id and not j.remote_job_id]
    for submission in sorted({j.submission_id or "" for j in asked if j.mode == "single"}):
        yield f"known {submission} {IDS}"
    for submission in sorted({j.submission_id or "" for j in asked if j.mode != "single"}):
        yield f"known {submission} {ID} {submission}"
        yield f"listed {submission}"


def _number(launch: Launch) -> str:
    """Return a job's number, or where on the host it may be found."""
    return launch.remote_job_id or f"={launch.uuid if launch.mode == 'single' else launch.submission_id}"


@dataclass(slots=True, kw_only=True)
class Seen:
    """What one look at the directories of batch jobs brought back."""

    #: The host's clock, in seconds since the epoch.
    now: int = 0
    #: uuid -> marks.
    found: dict[str, Found] = field(default_factory=dict)
    #: The same, after the scheduler was asked.
    found_later: dict[str, Found] = field(default_factory=dict)
    #: Numbers that lay on the host, by uuid or submission.
    numbers: dict[str, str] = field(default_factory=dict)
    #: uuid -> place in its submission.
    places: dict[str, int] = field(default_factory=dict)

    def read(self, words: Sequence[str]) -> None:
        """Take in a line that the functions have printed; any other is passed over."""
        match words:
            case ["job", uuid, _, state, said, word, *killed]:
                self.found[uuid] = _found(state, said, word, killed)
            case ["again", uuid, _, state, said, word, *killed]:
                self.found_later[uuid] = _found(state, said, word, killed)
            case ["now", seconds] if seconds.isdigit():
                self.now = int(seconds)
            case ["id", key, number]:
                self.numbers[key] = number
            case ["jobs", _, *uuids]:
                self.places |= {uuid: n for n, uuid in enumerate(uuids)}


def _found(state: str, said: str, word: str, killed: Sequence[str]) -> Found:
    """Read the words of a line of ``look``, after uuid and number."""
    parts = word.split(":")
    return Found(
        state=state,
        exit="" if said == "-" else said,
        claimed_by=parts[1] if len(parts) == 3 and parts[0] in ("slurm", "condor") else "",
        killed=killed[0] if killed else "",
    )
