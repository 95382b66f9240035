"""Asking about jobs: marks by the shell itself, one ``squeue``, ``sacct`` for what that leaves open."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from . import job_marks
from . import slurm_identity as identity
from .base import Launch
from .slurm_answer import MARK

_LOOK = """\
lane={lane}
[ -d "$lane" ] || exit 1
printf 'lane %s\\n' "$lane"
echo "now $(date +%s)"
echo "user $(id -u)"
{prepare}
user=$(id -un)

# ran SUBMISSION: has the runner of a pack begun?
ran() {{ [ -d "$lane/submissions/$1/{taken}" ] && echo "ran $1"; }}

{functions}
pass=job
seen=$(
{numbers}
look_at_all
SLURM_TIME_FORMAT=%s squeue --noheader --all --array --states=all --user="$user" --format='{queue_format}'
echo "squeue $?"
)
printf '%s\\n' "$seen"
case $seen in *"squeue 0") ;; *) exit 1 ;; esac

# What Slurm's list does not show, and what left no word or one about a signal, is in its books; so is
# who cancelled a job that had its nodes and did not begin.
ask=$(printf '%s\\n' "$seen" | awk -F'[ {mark}]' '
  $1 == "row" {{
    split($0, cell, "{mark}")
    if (cell[4] == "CANCELLED" && cell[6] != "") by_whom[$2] = by_whom[$3] = 1
    shown[$2] = shown[$3] = 1
  }}
  $1 == "id" {{ given[$2] = $3 }}
  $1 == "job" && ($4 == "claimed" || $4 == "free" || ($4 == "ended" && ($5 >= 128 || $5 ~ /:/))) {{
    id = $3; if (id ~ /^=/) {{ id = substr(id, 2); id = (id in given) ? given[id] : "-" }}
    if (split($6, word, ":") == 3) id = word[2]
    open_[id] = 1
    if ($4 == "free" && id in by_whom) delete shown[id]
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
_QUEUE_FORMAT = MARK.join(("row", "%i", "%A", "%T", "%r", "%N", "%e", "%k", "%Z"))
_BOOK_FORMAT = "JobID,JobIDRaw,State,Reason,NodeList,End,Comment,WorkDir,ExitCode"


def look_script(lane_dir: str, launches: Sequence[Launch]) -> str:
    """Return the one script that asks about all jobs."""
    submitted = sorted(launch.submitted for launch in launches if launch.submitted)
    since = f"'{submitted[0]} - 10 minutes'" if submitted else "'1 week ago'"
    return _LOOK.format(
        lane=shlex.quote(lane_dir),
        prepare=identity.PREPARE,
        functions=job_marks.functions(launches),
        taken=identity.TAKEN,
        numbers="\n".join(_numbers(launches)) or ":",
        queue_format=_QUEUE_FORMAT,
        book_format=_BOOK_FORMAT,
        mark=MARK,
        since=since,
    )


def _numbers(launches: Sequence[Launch]) -> Iterator[str]:
    """Yield what is asked of the host about submissions, most of it where the engine knows no number."""
    for pack in sorted({j.submission_id for j in launches if j.mode == "pack" and j.submission_id}):
        yield f"ran {pack}"
    yield from job_marks.numbers(launches)
