"""Ending jobs of Slurm: a mark first, then the claim where it is free, then ``scancel``.

A case of a pack is ended by the warden of its node, who finds the mark; ``scancel`` would end them all.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ..model import marks
from . import slurm_identity as identity
from .base import Launch
from .claims import REVOKE
from .job_marks import JOBS

#: Seconds that one call waits for jobs to be gone; what is not gone by then is asked for again.
PATIENCE = 5

#: A job that cannot start any more is gone at once, whatever still stands in a queue under its name. Where
#: somebody has deleted its directory ("lost"), Slurm's list alone says whether it runs; the warden of a pack
#: ends such a case by itself.
_CANCEL = """\
{prepare}
user=$(id -un)
{revoke}
# mark UUID DIRECTORY MODE SUBMISSION NUMBER: leave the reason, keep it from starting, say how it stands
mark() {{
  claimed=; state=lost
  if [ -d "$2/{folder}" ]; then
    [ -s "$2/{exit}" ] || echo {why} > "$2/{killed}"
    revoke "$1" "$2"
    state=begun; first=; rest=
    read -r first rest < "$2/{claim}" || [ -n "$first" ]
    [ "$first" = {revoked} ] && state=free
    case ${{rest##* }} in slurm:*) claimed=${{rest##* slurm:}}; claimed=${{claimed%:*}} ;; esac
    case $claimed in *[!0-9]*) claimed= ;; esac
  fi
  printf '%s{mark}' job "$1" "$state" "$3" "{comment}$4" "$5" "$claimed"; printf '%s\\n' "$2"
}}
# rows: what is in Slurm's list for our jobs: ``one NUMBER UUID``, and ``pack NUMBER FOLDER``
rows() {{
  {{ printf '%s\\n' "$jobs"
    squeue --noheader --all --array --user="$user" --format='{format}' && echo answered; }} | awk -F'{mark}' '
    # Was the job handed over from this folder? Its number may be that of another one by now.
    function member(folder, uuid,  list, line, found) {{
      list = folder "/{jobs}"; found = 0
      while (!found && (getline line < list) > 0) found = index(line, uuid " ") == 1
      close(list)
      return found
    }}
    $1 == "job" && $4 == "pack" {{ pack[$5] = 1; next }}
    $1 == "job" {{
      if ($7 != "") raw[$7] = $2
      own[$2] = $8; comment[$2] = $5
      if ($4 == "single") {{ place[$8] = $2; if ($6 != "-") number[$6] = $2 }}
      else task[$5 "{mark}" $6] = $2
      next
    }}
    $1 == "row" && $2 ~ /^[0-9][0-9_]*$/ {{
      ours = index($4, "{comment}") == 1
      won = ($3 in raw) && ours ? raw[$3] : ""
      if (won != "" && ($5 == own[won] || $4 == comment[won] || member($5, won))) print "one", $2, won
      else if (($5 in place) && (ours || ($2 in number))) print "one", $2, place[$5]
      else if (($4 "{mark}" $2) in task) print "one", $2, task[$4 "{mark}" $2]
      else if ($4 in pack) print "pack", $2, $5
    }}
    $1 == "answered"'
}}
# idle FOLDER: has every case of a pack ended, or will it never begin?
idle() {{
  while read -r uuid dir; do
    [ -s "$dir/{exit}" ] && continue
    first=; read -r first rest 2> /dev/null < "$dir/{claim}"
    [ "$first" = {revoked} ] || return 1
  done < "$1/{jobs}"
}}
cases_run() {{
  while IFS= read -r dir; do [ -z "$dir" ] || [ -s "$dir/{exit}" ] || return 0; done <<CASES
$cases
CASES
  return 1
}}

jobs=$(
{marks}
)
cases=$(printf '%s\\n' "$jobs" | awk -F'{mark}' '$3 == "begun" && $4 == "pack" {{ print $8 }}')
list=$(rows)
numbers=$(printf '%s\\n' "$list" | awk '$1 == "one" {{ print $2 }}')
packs=$(printf '%s\\n' "$list" | while read -r kind number place; do
  [ "$kind" = pack ] && idle "$place" && echo "$number"; done)
[ -z "$numbers$packs" ] || scancel --quiet $numbers $packs
left={tries}
while printf '%s\\n' "$list" | grep -q '^one ' || cases_run; do
  [ "$left" -gt 0 ] || break
  left=$((left - 1)); sleep 0.5; list=$(rows)
done
printf '%s\\n' "$jobs" | while IFS='{mark}' read -r word uuid state mode comment number claimed dir; do
  case $state$mode in free*|lostpack) echo "$uuid gone"; continue ;; esac
  if [ "$mode" = pack ]; then [ -s "$dir/{exit}" ] && echo "$uuid gone"
  else case "$list" in
    *" $uuid"*) ;;
    *answered) echo "$uuid gone" ;;
  esac; fi
done
"""

_FORMAT = "\x1f".join(("row", "%i", "%A", "%k", "%Z"))


def cancel_script(launches: Sequence[Launch], *, why: str) -> str:
    """Return the script that ends *launches* and says which are gone."""
    return _CANCEL.format(
        prepare=identity.PREPARE,
        revoke=REVOKE,
        folder=marks.FOLDER,
        exit=marks.EXIT,
        claim=marks.CLAIM,
        killed=marks.KILLED,
        revoked=marks.REVOKED,
        jobs=JOBS,
        comment=identity.COMMENT,
        format=_FORMAT,
        mark="\x1f",
        why=why,
        tries=PATIENCE * 2,
        marks="\n".join(map(_mark, launches)),
    )


def _mark(launch: Launch) -> str:
    known = (launch.mode, launch.submission_id or "-", launch.remote_job_id or "-")
    return f"mark {launch.uuid} {shlex.quote(launch.exec_dir)} {identity.words(known)}"
