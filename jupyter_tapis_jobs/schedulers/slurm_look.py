"""Asking about jobs: marks by the shell itself, one ``squeue``, ``sacct`` for what that leaves open."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..model import marks
from ..transports.base import Answer
from . import slurm_identity as identity
from .base import Launch

#: Between the fields of a row: what stands in no name of a directory.
_MARK = "\x1f"

_LOOK = """\
lane={lane}
[ -d "$lane" ] || exit 1
printf 'lane %s\\n' "$lane"
echo "now $(date +%s)"
{prepare}
user=$(id -un)

# say TEXT: a line of this pass; a backslash in what a job has written stays one
say() {{ printf '%s\\n' "$pass $1"; }}
# look UUID DIRECTORY NUMBER: the marks in a job's directory, and the number Slurm knows it by
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
# known KEY FILE: the number that a submission left on the host
known() {{
  [ -s "$lane/submissions/$2" ] && read -r id < "$lane/submissions/$2" && printf 'id %s %s\\n' "$1" "$id"
}}
# listed SUBMISSION: the jobs of a submission in their order
listed() {{
  list="$lane/submissions/$1/{jobs}"
  [ -s "$list" ] && echo "jobs $1" $(sed 's/ .*//' "$list")
}}
# ran SUBMISSION: has the runner of a pack begun?
ran() {{ [ -d "$lane/submissions/$1/{taken}" ] && echo "ran $1"; }}

look_at_all() {{
{looks}
}}

pass=job
seen=$(
{numbers}
look_at_all
SLURM_TIME_FORMAT=%s squeue --noheader --array --states=all --user="$user" --format='{queue_format}'
echo "squeue $?"
)
printf '%s\\n' "$seen"
case $seen in *"squeue 0") ;; *) exit 1 ;; esac

# What Slurm's list does not show, and what left no word or one about a signal, is in its books.
ask=$(printf '%s\\n' "$seen" | awk -F'[ {mark}]' '
  $1 == "row" {{ shown[$2] = shown[$3] = 1 }}
  $1 == "id" {{ given[$2] = $3 }}
  $1 == "job" && ($4 == "claimed" || $4 == "free" || ($4 == "ended" && ($5 >= 128 || $5 ~ /:/))) {{
    id = $3; if (id ~ /^=/) {{ id = substr(id, 2); id = (id in given) ? given[id] : "-" }}
    if (split($6, word, ":") == 3) id = word[2]
    open_[id] = 1
  }}
  END {{
    for (id in open_) if (!(id in shown)) {{ sub(/_.*/, "", id); asked[id] = 1 }}
    for (id in asked) print id
  }}')
books() {{
  SLURM_TIME_FORMAT=%s sacct --allocations --noheader --parsable2 --delimiter='{mark}' \\
    --format={book_format} "$@" 2>&1 | sed 's/^/book{mark}/'
}}
ids=$(printf '%s\\n' "$ask" | grep -v '^-$' | tr '\\n' ',')
[ -z "${{ids%,}}" ] || books --jobs="${{ids%,}}"
case "$ask" in *-*) books --user="$user" --starttime="$(date -d {since} +%Y-%m-%dT%H:%M:%S)" ;; esac

# What ended meanwhile has left its word by now.
pass=again
look_at_all
echo looked
"""

#: %i number or array_task, %A number, %T state, %r reason, %N nodes, %e end, %k comment, %Z directory.
_QUEUE_FORMAT = _MARK.join(("row", "%i", "%A", "%T", "%r", "%N", "%e", "%k", "%Z"))
_BOOK_FORMAT = "JobID,JobIDRaw,State,Reason,NodeList,End,Comment,WorkDir,ExitCode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of Slurm's list or books."""

    #: ``4711``, or ``4711_17`` for a task of an array.
    number: str
    #: The number of the job itself; a task of an array that has begun has one of its own.
    raw: str
    #: Slurm's word, upper case, without what follows it (``CANCELLED by 1000``).
    state: str
    reason: str
    nodes: str
    #: Seconds since the epoch; None while it is not over, or where Slurm writes times in another way.
    ended: int | None
    comment: str
    work_dir: str
    #: ``code:signal``; only the books have it.
    exit_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the marks in one job's directory say."""

    #: ended, claimed, revoked, free, or missing (the directory is gone).
    state: str
    #: The exit mark's words, ``:`` between them; empty without one.
    exit: str = ""
    #: The number of the Slurm job that claimed it; empty when unknown.
    claimed_by: str = ""
    #: Why the engine ended it; empty when it did not.
    killed: str = ""


@dataclass(slots=True, kw_only=True)
class Look:
    """All that one look brought back."""

    lane_dir: str = ""
    #: The host's clock, in seconds since the epoch.
    now: int = 0
    found: dict[str, Found] = field(default_factory=dict)
    #: The same, after Slurm was asked.
    found_later: dict[str, Found] = field(default_factory=dict)
    #: Numbers that lay on the host, by uuid or submission.
    numbers: dict[str, str] = field(default_factory=dict)
    #: uuid -> place in its submission.
    places: dict[str, int] = field(default_factory=dict)
    #: Packs whose runner had begun.
    ran: set[str] = field(default_factory=set)
    queue: list[Entry] = field(default_factory=list)
    books: list[Entry] = field(default_factory=list)
    #: What sacct complained of; empty when it answered.
    trouble: str = ""
    #: True when Slurm's list and all that follows it came back.
    complete: bool = False


def look_script(lane_dir: str, launches: Sequence[Launch]) -> str:
    """Return the one script that asks about all jobs."""
    submitted = sorted(launch.submitted for launch in launches if launch.submitted)
    since = f"'{submitted[0]} - 10 minutes'" if submitted else "'1 week ago'"
    return _LOOK.format(
        lane=shlex.quote(lane_dir),
        prepare=identity.PREPARE,
        folder=marks.FOLDER,
        exit=marks.EXIT,
        claim=marks.CLAIM,
        killed=marks.KILLED,
        revoked=marks.REVOKED,
        jobs=identity.JOBS,
        taken=identity.TAKEN,
        numbers="\n".join(_numbers(launches)) or ":",
        looks="\n".join(f"look {j.uuid} {shlex.quote(j.exec_dir)} {_number(j)}" for j in launches) or ":",
        queue_format=_QUEUE_FORMAT,
        book_format=_BOOK_FORMAT,
        mark=_MARK,
        since=since,
    )


def _numbers(launches: Sequence[Launch]) -> Iterator[str]:
    """Yield what is asked of the host about submissions, most of it where the engine knows no number."""
    for pack in sorted({j.submission_id for j in launches if j.mode == "pack" and j.submission_id}):
        yield f"ran {pack}"
    for launch in launches:
        if launch.mode == "single" and not launch.remote_job_id and launch.submission_id:
            yield f"known {launch.uuid} {launch.submission_id}/{identity.IDS}/{launch.uuid}"
    nameless = {
        j.submission_id for j in launches if j.mode != "single" and j.submission_id and not j.remote_job_id
    }
    for submission in sorted(nameless):
        yield f"known {submission} {submission}/{identity.ID}"
        yield f"listed {submission}"


def _number(launch: Launch) -> str:
    """Return a job's number, or where on the host it may be found."""
    return launch.remote_job_id or f"={launch.uuid if launch.mode == 'single' else launch.submission_id}"


def parse(answer: Answer) -> Look:
    """Read what the script of ``look_script`` printed; nothing of it counts when its end is missing.

    A name of somebody's directory may hold a line break, so a line that fits nothing is passed over.
    """
    look = Look(complete=answer.stdout.endswith("looked\n"))
    for line in answer.stdout.split("\n") if look.complete else ():
        cells = line.split(_MARK)
        if len(cells) > 1:
            _read_row(look, cells)
        else:
            _read_line(look, line)
    return look


def _read_line(look: Look, line: str) -> None:
    """Read a line of the script's own."""
    match line.split():
        case ["job", uuid, _, state, said, word, *killed]:
            look.found[uuid] = _found(state, said, word, killed)
        case ["again", uuid, _, state, said, word, *killed]:
            look.found_later[uuid] = _found(state, said, word, killed)
        case ["lane", *_]:
            look.lane_dir = line.partition(" ")[2]
        case ["now", seconds] if seconds.isdigit():
            look.now = int(seconds)
        case ["id", key, number]:
            look.numbers[key] = number
        case ["jobs", _, *uuids]:
            look.places |= {uuid: n for n, uuid in enumerate(uuids)}
        case ["ran", submission]:
            look.ran.add(submission)
        case ["squeue", code]:
            look.complete = look.complete and code == "0"


def _found(state: str, said: str, word: str, killed: Sequence[str]) -> Found:
    parts = word.split(":")
    return Found(
        state=state,
        exit="" if said == "-" else said,
        claimed_by=parts[1] if len(parts) == 3 and parts[0] == "slurm" else "",
        killed=killed[0] if killed else "",
    )


def _read_row(look: Look, cells: list[str]) -> None:
    """Read a row of the list or of the books; what is neither is a complaint of sacct."""
    if cells[0] == "row" and len(cells) == 9:
        look.queue.append(_entry(cells[1:]))
    elif cells[0] == "book" and len(cells) == 10:
        look.books.append(_entry(cells[1:]))
    elif cells[0] == "book":
        look.trouble = look.trouble or " ".join(cells[1:])


def _entry(cells: Sequence[str]) -> Entry:
    number, raw, state, reason, nodes, ended, comment, work_dir, *rest = cells
    return Entry(
        number=number,
        raw=raw,
        state=(state.split() or [""])[0].rstrip("+").upper(),
        reason="" if reason in ("None", "(null)") else reason,
        nodes="" if nodes == "None assigned" else nodes,
        ended=int(ended) if ended.isdigit() else None,
        comment=comment,
        work_dir=work_dir,
        exit_code=rest[0] if rest else "",
    )


def by_number(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Return rows by both their numbers; the later row wins."""
    return {entry.raw: entry for entry in entries} | {entry.number: entry for entry in entries}
