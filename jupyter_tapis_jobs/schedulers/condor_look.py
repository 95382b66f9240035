"""Asking about jobs: marks by the shell, one ``condor_q``, ``condor_history`` for what that leaves open."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ..model.times import parse_iso
from . import condor_identity as identity
from . import job_marks
from .base import Launch
from .condor_answer import ATTRIBUTES
from .condor_travel import carry

#: Seconds before the first submission that the history is read back to: two clocks may differ.
MARGIN = 600
#: How far back without any submission's time.
_WEEK = 7 * 24 * 3600

_LOOK = """\
lane={lane}
[ -d "$lane" ] || exit 1
now=$(date +%s)
echo "now $now"
{prepare}
{functions}
pass=job; each=look
seen=$(
{numbers}
look_at_all
condor_q -constraint {ours} -af:tV '"queue"' {attributes}
echo "queue $?"
)
printf '%s\\n' "$seen"
case $seen in *"queue 0") ;; *) exit 1 ;; esac

{carry}
# What is not in the queue, and what left no word or one about a signal, is in the history.
open=$(printf '%s\\n' "$seen" | awk -F'\\t' '
  $1 == "\\"queue\\"" {{ shown[$4 " " $5] = 1; next }}
  {{
    split($0, word, " ")
    if (word[1] != "job") next
    by_signal = word[4] == "ended" && (word[5] >= 128 || word[5] ~ /:/)
    if (word[4] == "claimed" || word[4] == "free" || by_signal)
      asked[word[2]] = 1
  }}
  END {{
    for (key in shown) {{ split(key, word, " "); gsub("\\"", "", word[1]); delete asked[word[1]] }}
    for (uuid in asked) print uuid
  }}')
if [ -n "$open" ]; then
  history=$(condor_history -constraint {ours} -since {since} -af:tV '"history"' {attributes} 2>&1); code=$?
  # A pool that keeps none says so for ever; any other trouble passes.
  case $history in *"HISTORY is unset"*) code=0 ;; esac
  printf '%s\nhistory %s\n' "$history" "$code"
fi

# What no machine was found for is held against the machines that there are.
case $seen in
  *'"no match found '*|*'"no match found"'*)
    condor_status -constraint 'DynamicSlot =!= true' -af:tV '"machine"' TotalSlotCpus TotalSlotMemory |
      sort -u ;;
esac

# What ended meanwhile has left its word by now.
pass=again
look_at_all
echo looked
"""


def look_script(lane_dir: str, launches: Sequence[Launch]) -> str:
    """Return the one script that asks about all jobs."""
    return _LOOK.format(
        lane=shlex.quote(lane_dir),
        prepare=identity.PREPARE,
        functions=job_marks.functions(launches, verb='"$each"'),
        carry=carry(),
        numbers="\n".join(job_marks.numbers(launches)) or ":",
        ours=shlex.quote(f"{identity.LANE} == {identity.text(lane_dir)}"),
        attributes=" ".join(ATTRIBUTES),
        since=_since(launches),
    )


def _since(launches: Sequence[Launch]) -> str:
    """Return where to stop: the history is read from its newest job backwards (condor_history(1))."""
    submitted = [parse_iso(launch.submitted) for launch in launches if launch.submitted]
    first = str(int(min(submitted)) - MARGIN) if submitted else f"$((now - {_WEEK}))"
    return f'"CompletionDate =!= undefined && CompletionDate > 0 && CompletionDate < {first}"'
