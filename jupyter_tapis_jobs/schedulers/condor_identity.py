"""By what a job is known to HTCondor: attributes of its own, which name lane, submission and job.

A schedd whose spool was lost gives numbers out again, so a number alone is no identity.
"""

from __future__ import annotations

from .job_marks import JOBS as JOBS

#: The attributes: the lane's folder, the id of the submission, the job's uuid.
LANE, SUBMISSION, UUID = "TapisJobLane", "TapisJobSubmission", "TapisJobUuid"
#: In a submission's folder: the number of its cluster.
ID = "id"
#: In a submission's folder: ``<uuid> <cluster.process>`` per single job.
IDS = "ids"
#: In a submission's folder: what HTCondor runs, and what it is told.
RUN, DESCRIPTION = "run.sh", "cluster.sub"

#: Finds HTCondor's commands, and its configuration where only a login shell sets it.
PREPARE = """\
if ! command -v condor_submit > /dev/null; then
  login=$(bash -lc 'echo "$CONDOR_CONFIG:$PATH"' 2> /dev/null < /dev/null | tail -n 1)
  PATH=${login#*:}:$PATH; export PATH
  [ -n "${CONDOR_CONFIG-}" ] || [ -z "${login%%:*}" ] || { CONDOR_CONFIG=${login%%:*}; export CONDOR_CONFIG; }
fi
"""


def folder(lane_dir: str, submission_id: str | None) -> str:
    """Return the folder of a submission on its host."""
    return f"{lane_dir}/submissions/{submission_id or '-'}"


def text(value: str) -> str:
    """Return *value* as a string of HTCondor's expressions ("ClassAd syntax")."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def literal(value: str) -> str:
    """Return *value* for a submit description, where ``$`` begins a macro."""
    return value.replace("$", "$(DOLLAR)")
