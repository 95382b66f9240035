"""Holding jobs in Slurm's queue and letting them go: ``scontrol hold`` and ``release`` (scontrol(1))."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from . import slurm_identity as identity
from .base import Launch

#: A number counts only with the folder it was handed over from: Slurm may have given it out again. A job
#: that began in between is refused by Slurm itself, and the others of the same call are held.
_SCRIPT = """\
{prepare}
wanted() {{
cat <<'END_OF_JOBS'
{jobs}
END_OF_JOBS
}}
listed() {{ squeue --noheader --array --states=PENDING --user="$(id -un)" --format='{format}'; }}
numbers=$({{ wanted; listed; }} |
  awk -F'{mark}' '$1 == "job" {{ folder[$2] = $3 }}
    $1 == "row" && ($2 in folder) && folder[$2] == $3 {{ print $2 }}' | sort -u | paste -s -d ,)
[ -z "$numbers" ] || scontrol {verb} "$numbers"
"""

_FORMAT = "\x1f".join(("row", "%i", "%Z"))


def script(verb: str, lane_dir: str, launches: Sequence[Launch]) -> str:
    """Return the script that holds or releases, by *verb*, those of *launches* that wait in the queue."""
    return _SCRIPT.format(
        prepare=identity.PREPARE,
        jobs="\n".join(
            "\x1f".join(("job", launch.remote_job_id, identity.work_dir(lane_dir, launch)))
            for launch in launches
            if launch.remote_job_id
        ),
        format=_FORMAT,
        mark="\x1f",
        verb=shlex.quote(verb),
    )
