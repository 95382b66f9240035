"""Handing jobs to HTCondor: one ``condor_submit`` each (single), or one cluster for all of them (array).

The number that it gives is written beside the submission on the host before the answer goes out, so that it
is found when the answer is lost. Source: condor_submit(1), HTCondor 23.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from ..model import files
from ..transports.base import Answer
from . import condor_identity as identity
from . import submissions
from .base import Launch, Report, Sighting, Submission
from .condor_refusals import judge
from .condor_travel import PACK, TRAVELS, dispatcher
from .job_marks import ID, IDS, JOBS

#: condor_submit commands that run at the same time; the schedd takes one job after the other.
AT_A_TIME = 2
#: What a job gets of the environment of its submission; HTCondor gives it none by itself.
GETENV = "PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ, SCRATCH, WORK"

#: The first number of ``4711.0 - 4711.9`` (condor_submit -terse).
_HEARD = submissions.heard("$line", """[0-9]*.[0-9]*" - "[0-9]*.[0-9]*) id=${line%% *} ;;""")
_FILES = """\
cat > "$s/{run_file}" <<'END_OF_SCRIPT' || exit 1
{run}END_OF_SCRIPT
chmod 770 "$s/{run_file}"
cat > "$s/{description_file}" <<'END_OF_DESCRIPTION' || exit 1
{description}END_OF_DESCRIPTION
{pack}
"""

#: Once the schedd is away or takes no more, the others of the cohort are not even tried.
_SINGLE = """\
one() {{ # UUID NUMBER DIRECTORY
  if [ -e "$s/closed" ]; then echo "$1 skipped"; return; fi
  commands=$(sed -n '/^cd /q; s/^#CONDOR //p' "$3/{script}")
  case $commands in *"{travels}"*) pack "$1" "$3" ;; esac
  said=$({{
    cat "$s/{description_file}"
    printf 'TapisJob = %s\\n%s\\narguments = %s %s\\nqueue\\n' "$1" "$commands" "$2" "$1"
  }} | condor_submit -terse - 2>&1); code=$?
  heard "$said"
  if [ "$code" = 0 ] && [ -n "$id" ]; then echo "$1 $id" >> "$s/{ids}"; echo "$1 accepted $id"; return; fi
  case $text in *"onnect to "*|*MAX_JOBS*) : > "$s/closed" ;; esac
  printf '%s %s %.3000s\\n' "$1" failed "$text"
}}
"""

_TOGETHER = """\
said=$(condor_submit -terse "$s/{description_file}" 2>&1); code=$?
heard "$said"
if [ "$code" = 0 ] && [ -n "$id" ]; then echo "${{id%.*}}" > "$s/{id_file}"; echo "all accepted ${{id%.*}}"
else printf '%s %s %.3000s\\n' all failed "$text"; fi
"""

#: No log and no output of its own: what HTCondor knows is asked of its queue and its history.
_DESCRIPTION = """\
universe = vanilla
executable = {run}
initialdir = {folder}
getenv = {getenv}
environment = "CONDOR_JOB_ID=$(ClusterId).$(ProcId)"
notification = Never
+{lane_name} = {lane}
+{submission_name} = "{submission}"
+{uuid_name} = "$(TapisJob)"
"""
_QUEUE = """\
{commands}
arguments = $(ProcId) $(TapisJob)
queue TapisJob from (
{uuids}
)
"""


def submit_script(submission: Submission) -> str:
    """Return the script that hands the cohort over."""
    place = submissions.folder(submission.lane_dir, submission.id)
    is_single = submission.mode == "single"
    written = _FILES.format(
        run_file=submissions.RUN,
        run=dispatcher(f"{place}/{JOBS}"),
        description_file=identity.DESCRIPTION,
        pack=PACK,
        description=_description(submission, place) + ("" if is_single else _queue(submission)),
    )
    head = (
        submissions.fence(submission),
        submissions.make_folder(submission),
        identity.PREPARE,
        submissions.write_jobs(submission),
        written,
        _HEARD,
    )
    return "".join((*head, _single(submission) if is_single else _together(submission)))


def _description(submission: Submission, place: str) -> str:
    """Return what is said of every job of the submission."""
    return _DESCRIPTION.format(
        run=identity.literal(f"{place}/{submissions.RUN}"),
        folder=identity.literal(place),
        getenv=GETENV,
        lane_name=identity.LANE,
        lane=identity.literal(identity.text(submission.lane_dir)),
        submission_name=identity.SUBMISSION,
        submission=submission.id,
        uuid_name=identity.UUID,
    )


def _queue(submission: Submission) -> str:
    """Return what is said of a cluster: the commands of its jobs, and the jobs."""
    return _QUEUE.format(
        commands="\n".join(submission.directives),
        uuids="\n".join(job.uuid for job in submission.launches),
    )


def _single(submission: Submission) -> str:
    """Return the part that calls ``condor_submit`` once per job, some at the same time."""
    function = _SINGLE.format(
        description_file=identity.DESCRIPTION,
        script=files.LAUNCH_SCRIPT,
        travels=TRAVELS,
        ids=IDS,
    )
    calls = [f"one {job.uuid} {n} {shlex.quote(job.exec_dir)}" for n, job in enumerate(submission.launches)]
    return function + submissions.some_at_a_time(calls, AT_A_TIME)


def _together(submission: Submission) -> str:
    """Return the part that calls ``condor_submit`` once for all jobs."""
    pack = 'while read -r uuid dir; do pack "$uuid" "$dir"; done < "$s/jobs"\n'
    return (pack if TRAVELS in submission.directives else "") + _TOGETHER.format(
        description_file=identity.DESCRIPTION, id_file=ID
    )


def parse_submit(submission: Submission, answer: Answer) -> Mapping[str, Report]:
    """Return uuid -> report: QUEUED, REFUSED or LATER; nothing for a job whose fate is not clear."""

    def accepted(launch: Launch, place: int, told: str) -> Report:
        return Report(sighting=Sighting.QUEUED, remote_job_id=job_number(submission.mode, told, place))

    return submissions.reports(submission, answer, accepted=accepted, failed=judge, who="HTCondor")


def job_number(mode: str, told: str, place: int) -> str:
    """Return ``cluster.process`` of the job at *place* in a submission that HTCondor calls *told*."""
    return told if mode == "single" else f"{told}.{place}"
