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
from .base import Launch, Report, Sighting, Submission
from .condor_refusals import judge
from .condor_travel import PACK, TRAVELS, dispatcher
from .fork import OVERTAKEN

#: condor_submit commands that run at the same time; the schedd takes one job after the other.
AT_A_TIME = 2
#: Days that a submission's folder is kept: longer than anything may still run from it.
KEPT = 60
#: What a job gets of the environment of its submission; HTCondor gives it none by itself.
GETENV = "PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ, SCRATCH, WORK"

_HEAD = """\
lane={lane}
read -r seen < "$lane/epoch" && [ "$seen" = {epoch} ] || exit {overtaken}
s={folder}
mkdir -p "$s" || exit 1
find "$lane/submissions" -mindepth 1 -maxdepth 1 -type d -mtime +{kept} -exec rm -rf {{}} + 2> /dev/null
{prepare}
cat > "$s/{jobs_file}" <<'END_OF_JOBS' || exit 1
{jobs}
END_OF_JOBS
cat > "$s/{run_file}" <<'END_OF_SCRIPT' || exit 1
{run}END_OF_SCRIPT
chmod 770 "$s/{run_file}"
cat > "$s/{description_file}" <<'END_OF_DESCRIPTION' || exit 1
{description}END_OF_DESCRIPTION
{pack}
# heard TEXT: the first number of ``4711.0 - 4711.9`` (condor_submit -terse), and all of it in one line
heard() {{
  id=; text=; set -f; IFS='
'
  for line in $1; do
    text="$text$line | "
    case $line in [0-9]*.[0-9]*" - "[0-9]*.[0-9]*) id=${{line%% *}} ;; esac
  done
  unset IFS; set +f
}}
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
    place = identity.folder(submission.lane_dir, submission.id)
    is_single = submission.mode == "single"
    head = _HEAD.format(
        lane=shlex.quote(submission.lane_dir),
        epoch=submission.epoch,
        overtaken=OVERTAKEN,
        folder=shlex.quote(place),
        kept=KEPT,
        prepare=identity.PREPARE,
        jobs_file=identity.JOBS,
        jobs="\n".join(f"{job.uuid} {job.exec_dir}" for job in submission.launches),
        run_file=identity.RUN,
        run=dispatcher(f"{place}/{identity.JOBS}"),
        description_file=identity.DESCRIPTION,
        pack=PACK,
        description=_description(submission, place) + ("" if is_single else _queue(submission)),
    )
    return head + (_single(submission) if is_single else _together(submission))


def _description(submission: Submission, place: str) -> str:
    """Return what is said of every job of the submission."""
    return _DESCRIPTION.format(
        run=identity.literal(f"{place}/{identity.RUN}"),
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
        ids=identity.IDS,
    )
    calls = [f"one {job.uuid} {n} {shlex.quote(job.exec_dir)}" for n, job in enumerate(submission.launches)]
    queues = ["\n".join(calls[n::AT_A_TIME]) for n in range(min(AT_A_TIME, len(calls)))]
    return function + "".join(f"{{\n{queue}\n}} &\n" for queue in queues) + "wait\n"


def _together(submission: Submission) -> str:
    """Return the part that calls ``condor_submit`` once for all jobs."""
    pack = 'while read -r uuid dir; do pack "$uuid" "$dir"; done < "$s/jobs"\n'
    return (pack if TRAVELS in submission.directives else "") + _TOGETHER.format(
        description_file=identity.DESCRIPTION, id_file=identity.ID
    )


def parse_submit(submission: Submission, answer: Answer) -> Mapping[str, Report]:
    """Return uuid -> report: QUEUED, REFUSED or LATER; nothing for a job whose fate is not clear."""
    lines = (line.split(" ", 2) for line in answer.stdout.split("\n"))
    heard = {words[0]: (words[1], words[2] if len(words) > 2 else "") for words in lines if len(words) > 1}
    reports = {}
    for number, launch in enumerate(submission.launches):
        word, rest = heard.get(launch.uuid if submission.mode == "single" else "all", ("", ""))
        if report := _report(submission, launch, number, word, rest.strip(" |")):
            reports[launch.uuid] = report
    return reports


def _report(submission: Submission, launch: Launch, number: int, word: str, rest: str) -> Report | None:
    """Read one line of the answer for one job."""
    match word:
        case "accepted":
            return Report(sighting=Sighting.QUEUED, remote_job_id=job_number(submission.mode, rest, number))
        case "failed":
            return judge(rest, launch)
        case "skipped":
            return Report(sighting=Sighting.LATER, reason="HTCondor takes no more jobs for now")
    return None


def job_number(mode: str, told: str, place: int) -> str:
    """Return ``cluster.process`` of the job at *place* in a submission that HTCondor calls *told*."""
    return told if mode == "single" else f"{told}.{place}"
