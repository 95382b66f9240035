"""By what a job is known to Slurm: its folder and our comment; its number alone is no identity.

A slurmctld that was killed gives numbers out again, so a number counts only together with the
working directory, which is the job's own (single) or its submission's (array, pack).
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from .base import Launch
from .submissions import folder

#: The comment of a Slurm job is this and the id of its submission.
COMMENT = "tapisjob:"
#: In the folder of a pack: which of its chunks somebody works on.
TAKEN = "taken"
#: In a submission's folder: what Slurm had to say itself.
LOG = "log"

#: Finds Slurm's commands, and keeps the user's settings for them out of ours.
PREPARE = """\
if ! command -v sbatch > /dev/null; then
  PATH=$(bash -lc 'echo "$PATH"' 2> /dev/null < /dev/null | tail -n 1):$PATH; export PATH
fi
unset SBATCH_ARRAY_INX SBATCH_WAIT SBATCH_TEST_ONLY SBATCH_COMMENT SBATCH_OUTPUT SBATCH_ERROR \\
  SQUEUE_ACCOUNT SQUEUE_ALL SQUEUE_ARRAY SQUEUE_FEDERATION SQUEUE_FORMAT SQUEUE_FORMAT2 SQUEUE_LICENSES \\
  SQUEUE_NAMES SQUEUE_PARTITION SQUEUE_PRIORITY SQUEUE_QOS SQUEUE_SORT SQUEUE_STATES SQUEUE_USERS \\
  SACCT_FORMAT SCANCEL_ACCOUNT SCANCEL_INTERACTIVE SCANCEL_NAME SCANCEL_PARTITION SCANCEL_QOS \\
  SCANCEL_STATE SCANCEL_USER SCANCEL_VERBOSE
"""


def work_dir(lane_dir: str, launch: Launch) -> str:
    """Return the working directory that a job's entry in Slurm's lists has."""
    return launch.exec_dir if launch.mode == "single" else folder(lane_dir, launch.submission_id)


def words(values: Sequence[str]) -> str:
    """Return *values* quoted for a shell, in one line."""
    return " ".join(shlex.quote(value) for value in values)
