"""Ending jobs of HTCondor: a mark first, then the claim where it is free, then one ``condor_rm`` for all."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ..model import marks
from . import condor_identity as identity
from .base import Launch
from .claims import REVOKE

#: Seconds that one call waits for jobs to be gone; what is not gone by then is asked for again.
PATIENCE = 5

#: A job is gone once a queue that answers does not show it: one that was removed stays there until its
#: processes have ended.
_CANCEL = """\
{prepare}
{revoke}
# mark UUID DIRECTORY: leave the reason, keep the job from starting
mark() {{
  [ -d "$2/{folder}" ] || return
  [ -s "$2/{exit}" ] || echo {why} > "$2/{killed}"
  revoke "$1" "$2"
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
    return _CANCEL.format(
        prepare=identity.PREPARE,
        revoke=REVOKE,
        folder=marks.FOLDER,
        exit=marks.EXIT,
        killed=marks.KILLED,
        why=why,
        marks="\n".join(f"mark {launch.uuid} {shlex.quote(launch.exec_dir)}" for launch in launches),
        removals="\n".join(identity.for_all("condor_rm", launches)),
        ours=shlex.quote(f"{identity.UUID} =!= undefined"),
        uuid=identity.UUID,
        uuids=" ".join(uuids),
        tries=PATIENCE * 2,
    )
