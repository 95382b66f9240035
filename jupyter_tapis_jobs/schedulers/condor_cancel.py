"""Ending jobs of HTCondor: a mark first, then the claim where it is free, then one ``condor_rm`` for all."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ..model import marks
from ..transports.base import Answer
from . import condor_identity as identity
from .base import Launch

#: Seconds that one call waits for jobs to be gone; what is not gone by then is asked for again.
PATIENCE = 5
#: Jobs that one ``condor_rm`` names: its constraint is one argument, of 128 KiB at most (execve(2)).
AT_ONCE = 1000

#: A job is gone once a queue that answers does not show it: one that was removed stays there until its
#: processes have ended.
_CANCEL = """\
{prepare}
# mark DIRECTORY: leave the reason, keep the job from starting
mark() {{
  [ -d "$1/{folder}" ] || return
  [ -s "$1/{exit}" ] || echo {why} > "$1/{killed}"
  own="$1/{folder}/revoke.$$"; echo "{revoked} job" > "$own"
  ln "$own" "$1/{claim}" 2> /dev/null; rm -f "$own"
}}
{marks}
{removals}
left={tries}
while list=$(condor_q -constraint {ours} -af:V {uuid} && echo answered); do
  living=
  for uuid in {uuids}; do case $list in *"\\"$uuid\\""*) living="$living $uuid" ;; esac; done
  [ -n "$living" ] && [ "$left" -gt 0 ] || break
  left=$((left - 1)); sleep 0.5
done
case $list in *answered) ;; *) exit 1 ;; esac
for uuid in {uuids}; do case "$living " in *" $uuid "*) ;; *) echo "$uuid gone" ;; esac; done
"""


def cancel_script(launches: Sequence[Launch], *, why: str) -> str:
    """Return the script that ends *launches* and says which are gone."""
    uuids = [launch.uuid for launch in launches]
    some = [uuids[start : start + AT_ONCE] for start in range(0, len(uuids), AT_ONCE)]
    return _CANCEL.format(
        prepare=identity.PREPARE,
        folder=marks.FOLDER,
        exit=marks.EXIT,
        claim=marks.CLAIM,
        killed=marks.KILLED,
        revoked=marks.REVOKED,
        why=why,
        marks="\n".join(f"mark {shlex.quote(launch.exec_dir)}" for launch in launches),
        removals="\n".join(f"condor_rm -constraint {_named(names)} > /dev/null 2>&1" for names in some),
        ours=shlex.quote(f"{identity.UUID} =!= undefined"),
        uuid=identity.UUID,
        uuids=" ".join(uuids),
        tries=PATIENCE * 2,
    )


def _named(uuids: Sequence[str]) -> str:
    """Return the constraint that these jobs meet, for a shell."""
    return shlex.quote(f"stringListMember({identity.UUID}, {identity.text(','.join(uuids))})")


def parse_cancel(answer: Answer) -> frozenset[str]:
    """Read the lines ``<uuid> gone``."""
    words = (line.split() for line in answer.stdout.split("\n"))
    return frozenset(w[0] for w in words if len(w) == 2 and w[1] == "gone")
