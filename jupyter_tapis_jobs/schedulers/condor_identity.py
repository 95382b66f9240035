"""By what a job is known to HTCondor: attributes of its own, which name lane, submission and job.

A schedd whose spool was lost gives numbers out again, so a number alone is no identity.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from .base import Launch

#: The attributes: the lane's folder, the id of the submission, the job's uuid.
LANE, SUBMISSION, UUID = "TapisJobLane", "TapisJobSubmission", "TapisJobUuid"
#: In a submission's folder: what HTCondor is told.
DESCRIPTION = "cluster.sub"
#: Jobs that one constraint names: it is one argument, of 128 KiB at most (execve(2)).
AT_ONCE = 1000

#: Finds HTCondor's commands, and its configuration where only a login shell sets it.
PREPARE = """\
if ! command -v condor_submit > /dev/null; then
  login=$(bash -lc 'echo "$CONDOR_CONFIG:$PATH"' 2> /dev/null < /dev/null | tail -n 1)
  PATH=${login#*:}:$PATH; export PATH
  [ -n "${CONDOR_CONFIG-}" ] || [ -z "${login%%:*}" ] || { CONDOR_CONFIG=${login%%:*}; export CONDOR_CONFIG; }
fi
"""


def text(value: str) -> str:
    """Return *value* as a string of HTCondor's expressions ("ClassAd syntax")."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def literal(value: str) -> str:
    """Return *value* for a submit description, where ``$`` begins a macro."""
    return value.replace("$", "$(DOLLAR)")


def for_all(command: str, launches: Sequence[Launch], *more: str) -> Iterator[str]:
    """Yield the lines that do *command* to jobs that also meet all of *more*; it may find none of them."""
    uuids = [launch.uuid for launch in launches]
    for start in range(0, len(uuids), AT_ONCE):
        named = f"stringListMember({UUID}, {text(','.join(uuids[start : start + AT_ONCE]))})"
        yield f"{command} -constraint {shlex.quote(' && '.join((*more, named)))} > /dev/null 2>&1"
