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
from .base import Launch, Report, Sighting, Submission
from .fork import OVERTAKEN
from .slurm_pack import node_script, run_script
from .slurm_refusals import judge

#: sbatch commands that run at the same time; more make a slurmctld no faster.
AT_A_TIME = 4
#: Days that a submission's folder is kept: longer than anything may still run from it.
KEPT = 60

_HEAD = """\
lane={lane}
read -r seen < "$lane/epoch" && [ "$seen" = {epoch} ] || exit {overtaken}
s={folder}
mkdir -p "$s" || exit 1
find "$lane/submissions" -mindepth 1 -maxdepth 1 -type d -mtime +{kept} -exec rm -rf {{}} + 2> /dev/null
{prepare}
# heard TEXT: the number in what sbatch printed (sites put banners around it), and all of it in one line
heard() {{
  id=; text=; set -f; IFS='
'
  for line in $1; do
    text="$text$line | "
    case ${{line%%;*}} in ''|*[!0-9]*) ;; *) id=${{line%%;*}} ;; esac
  done
  unset IFS; set +f
}}
"""

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
cat > "$s/{jobs_file}" <<'END_OF_JOBS' || exit 1
{jobs}
END_OF_JOBS
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
    head = _HEAD.format(
        lane=shlex.quote(submission.lane_dir),
        epoch=submission.epoch,
        overtaken=OVERTAKEN,
        folder=shlex.quote(_folder(submission)),
        kept=KEPT,
        prepare=identity.PREPARE,
    )
    return head + (_single(submission) if submission.mode == "single" else _together(submission))


def _folder(submission: Submission) -> str:
    return identity.folder(submission.lane_dir, submission.id)


def _comment(submission: Submission) -> str:
    return f"{identity.COMMENT}{submission.id}"


def _single(submission: Submission) -> str:
    """Return the part that calls ``sbatch`` once per job, some at the same time."""
    function = _SINGLE.format(comment=_comment(submission), script=files.LAUNCH_SCRIPT, ids=identity.IDS)
    calls = [f"one {job.uuid} {shlex.quote(job.exec_dir)}" for job in submission.launches]
    queues = ["\n".join(calls[n::AT_A_TIME]) for n in range(min(AT_A_TIME, len(calls)))]
    return function + "".join(f"{{\n{queue}\n}} &\n" for queue in queues) + "wait\n"


def _together(submission: Submission) -> str:
    """Return the part that calls ``sbatch`` once for all jobs."""
    place = _folder(submission)
    run, more = (
        _DISPATCHER.format(jobs=shlex.quote(f"{place}/{identity.JOBS}"), script=files.LAUNCH_SCRIPT),
        "",
    )
    if submission.mode == "pack":
        run, more = run_script(place), node_script(submission, place)
    return _TOGETHER.format(
        jobs_file=identity.JOBS,
        jobs="\n".join(f"{job.uuid} {job.exec_dir}" for job in submission.launches),
        run_file=identity.RUN,
        run=run,
        more=more,
        options=identity.words(list(_options(submission, place))),
        id_file=identity.ID,
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
    lines = (line.split(" ", 2) for line in answer.stdout.split("\n"))
    heard = {words[0]: (words[1], words[2] if len(words) > 2 else "") for words in lines if len(words) > 1}
    reports = {}
    for number, launch in enumerate(submission.launches):
        word, rest = heard.get(launch.uuid if submission.mode == "single" else "all", ("", ""))
        if report := _report(submission, launch, number, word, rest):
            reports[launch.uuid] = report
    return reports


def _report(submission: Submission, launch: Launch, number: int, word: str, rest: str) -> Report | None:
    """Read one line of the answer for one job."""
    match word:
        case "accepted":
            first, second = numbers(submission.mode, rest.strip(), number)
            return Report(sighting=Sighting.QUEUED, remote_job_id=first, remote_job_id2=second)
        case "failed":
            return judge(rest, launch)
        case "skipped":
            return Report(sighting=Sighting.LATER, reason="Slurm takes no more jobs for now")
    return None


def numbers(mode: str, slurm_id: str, number: int) -> tuple[str, str | None]:
    """Return a job's two remote ids: its number *number* in the submission that Slurm calls *slurm_id*."""
    if mode == "array":
        return f"{slurm_id}_{number}", None
    return slurm_id, str(number) if mode == "pack" else None
