"""Handing jobs to Slurm: one ``sbatch`` each (single), or one for all of them (array, pack).

The number that Slurm gives is written beside the submission on the host before the answer goes out,
so that it is found when the answer is lost.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from ..model import files
from ..transports.base import Answer
from . import slurm_identity as identity
from . import submissions
from .base import Launch, Report, Sighting, Submission
from .job_marks import ID, IDS, JOBS
from .slurm_pack import node_script, run_script
from .slurm_refusals import judge

#: sbatch commands that run at the same time; more make a slurmctld no faster.
AT_A_TIME = 4
_HEARD = submissions.heard("${line%%;*}", "''|*[!0-9]*) ;; *) id=${line%%;*} ;;")

#: Once Slurm is away or takes no more, the others of the cohort are not even tried.
_SINGLE = """\
one() {{ # UUID DIRECTORY
  if [ -e "$s/closed" ]; then echo "$1 skipped"; return; fi
  said=$(sbatch --parsable --no-requeue --comment={comment} --chdir="$2" "$2/{script}" 2>&1); code=$?
  heard "$said"
  if [ "$code" = 0 ] && [ -n "$id" ]; then echo "$1 $id" >> "$s/{ids}"; echo "$1 accepted $id"; return; fi
  case $text in
    *"nable to contact"*|*"imed out"*|*"ate limit exceeded"*|*Submit*|*MaxJobCount*) : > "$s/closed" ;;
  esac
  printf '%s %s %.3000s\\n' "$1" failed "$text"
}}
"""

_TOGETHER = """\
cat > "$s/{run_file}" <<'END_OF_SCRIPT' || exit 1
{run}END_OF_SCRIPT
{more}chmod 770 "$s/{run_file}"
said=$(sbatch {options} "$s/{run_file}" 2>&1); code=$?
heard "$said"
if [ "$code" = 0 ] && [ -n "$id" ]; then echo "$id" > "$s/{id_file}"; echo "all accepted $id"
else printf '%s %s %.3000s\\n' all failed "$text"; fi
"""

#: One process finds the job of a task, and becomes its launch script.
_DISPATCHER = """\
#!/bin/sh
job=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1)){{p;q;}}" {jobs}) || exit 1
exec "${{job#* }}/{script}"
"""


def submit_script(submission: Submission) -> str:
    """Return the script that hands the cohort over."""
    rest = _single(submission) if submission.mode == "single" else _together(submission)
    fence, folder = submissions.fence(submission), submissions.make_folder(submission)
    return f"{fence}{folder}{identity.PREPARE}{_HEARD}{rest}"


def _comment(submission: Submission) -> str:
    return f"{identity.COMMENT}{submission.id}"


def _single(submission: Submission) -> str:
    """Return the part that calls ``sbatch`` once per job, some at the same time."""
    function = _SINGLE.format(comment=_comment(submission), script=files.LAUNCH_SCRIPT, ids=IDS)
    calls = [f"one {job.uuid} {shlex.quote(job.exec_dir)}" for job in submission.launches]
    return function + submissions.some_at_a_time(calls, AT_A_TIME)


def _together(submission: Submission) -> str:
    """Return the part that calls ``sbatch`` once for all jobs."""
    place = submissions.folder(submission.lane_dir, submission.id)
    run, more = (
        _DISPATCHER.format(jobs=shlex.quote(f"{place}/{JOBS}"), script=files.LAUNCH_SCRIPT),
        "",
    )
    if submission.mode == "pack":
        run, more = run_script(place), node_script(submission, place)
    return submissions.write_jobs(submission) + _TOGETHER.format(
        run_file=submissions.RUN,
        run=run,
        more=more,
        options=identity.words(list(_options(submission, place))),
        id_file=ID,
    )


def _options(submission: Submission, place: str) -> Iterator[str]:
    """Yield sbatch's options; ours come last, so that they hold."""
    yield from submission.directives
    yield from ("--parsable", "--no-requeue", f"--comment={_comment(submission)}", f"--chdir={place}")
    yield from (f"--output={place}/{identity.LOG}", f"--error={place}/{identity.LOG}", "--open-mode=append")
    if submission.mode == "array":
        at_a_time = f"%{submission.parallel}" if submission.parallel else ""
        yield f"--array=0-{len(submission.launches) - 1}{at_a_time}"


def parse_submit(submission: Submission, answer: Answer) -> Mapping[str, Report]:
    """Return uuid -> report: QUEUED, REFUSED or LATER; nothing for a job whose fate is not clear."""

    def accepted(launch: Launch, place: int, number: str) -> Report:
        first, second = numbers(submission.mode, number, place)
        return Report(sighting=Sighting.QUEUED, remote_job_id=first, remote_job_id2=second)

    return submissions.reports(submission, answer, accepted=accepted, failed=judge, who="Slurm")


def numbers(mode: str, slurm_id: str, number: int) -> tuple[str, str | None]:
    """Return a job's two remote ids: its number *number* in the submission that Slurm calls *slurm_id*."""
    if mode == "array":
        return f"{slurm_id}_{number}", None
    return slurm_id, str(number) if mode == "pack" else None
