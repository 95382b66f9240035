"""Submissions on their hosts: the fence before them, their folder, and what the answer says of each job.

What Slurm and HTCondor have in common: jobs are handed over one by one (single), some at the same time, or
all by one call; each answer is one line: ``<uuid or "all"> accepted|failed|skipped <text>``.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

from ..transports.base import Answer
from .base import Launch, Report, Sighting, Submission
from .job_marks import JOBS

#: In a submission's folder: what the scheduler runs.
RUN = "run.sh"
#: ``sh`` answers with this when a newer engine has taken over the lane (sysexits.h EX_TEMPFAIL).
OVERTAKEN = 75
#: Days that a submission's folder is kept: longer than anything may still run from it.
KEPT = 60

_FENCE = """\
lane={lane}
read -r seen < "$lane/epoch" && [ "$seen" = {epoch} ] || exit {overtaken}
"""
_FOLDER = """\
s={folder}
mkdir -p "$s" || exit 1
find "$lane/submissions" -mindepth 1 -maxdepth 1 -type d -mtime +{kept} -exec rm -rf {{}} + 2> /dev/null
"""
_JOBS = """\
cat > "$s/{jobs_file}" <<'END_OF_JOBS' || exit 1
{jobs}
END_OF_JOBS
"""
#: The number is taken from the line that fits *pattern*, for sites put banners around it.
_HEARD = """\
# heard TEXT: the id in what the command printed, and all of it in one line
heard() {{
  id=; text=; set -f; IFS='
'
  for line in $1; do
    text="$text$line | "
    case {line} in {pattern} esac
  done
  unset IFS; set +f
}}
"""

#: (job, its place in the submission, what the scheduler calls that) -> report.
Read = Callable[[Launch, int, str], Report]
#: (the command's words in a line, job) -> report; None when the job may be in the queue.
Judge = Callable[[str, Launch], Report | None]


def folder(lane_dir: str, submission_id: str | None) -> str:
    """Return the folder of a submission on its host."""
    return f"{lane_dir}/submissions/{submission_id or '-'}"


def fence(submission: Submission) -> str:
    """Return the lines that end the script where the host has heard of a newer engine; they set ``$lane``."""
    return _FENCE.format(lane=shlex.quote(submission.lane_dir), epoch=submission.epoch, overtaken=OVERTAKEN)


def make_folder(submission: Submission) -> str:
    """Return the lines that make the submission's folder, ``$s``, and remove the oldest ones."""
    place = folder(submission.lane_dir, submission.id)
    return _FOLDER.format(folder=shlex.quote(place), kept=KEPT)


def write_jobs(submission: Submission) -> str:
    """Return the lines that write who belongs to the submission, in order."""
    jobs = "\n".join(f"{job.uuid} {job.exec_dir}" for job in submission.launches)
    return _JOBS.format(jobs_file=JOBS, jobs=jobs)


def heard(line: str, pattern: str) -> str:
    """Return the function ``heard``: *pattern* is the branches of a ``case`` over *line* that set ``id``."""
    return _HEARD.format(line=line, pattern=pattern)


def some_at_a_time(calls: Sequence[str], most: int) -> str:
    """Return the lines that make *calls*, *most* of them at the same time."""
    queues = ["\n".join(calls[n::most]) for n in range(min(most, len(calls)))]
    return "".join(f"{{\n{queue}\n}} &\n" for queue in queues) + "wait\n"


def reports(
    submission: Submission,
    answer: Answer,
    *,
    accepted: Read,
    failed: Callable[[str, Launch], Report | None],
    who: str,
) -> Mapping[str, Report]:
    """Return uuid -> report: QUEUED, REFUSED or LATER; nothing for a job whose fate is not clear."""
    lines = (line.split(" ", 2) for line in answer.stdout.split("\n"))
    told = {words[0]: (words[1], words[2] if len(words) > 2 else "") for words in lines if len(words) > 1}
    found: dict[str, Report] = {}
    for place, launch in enumerate(submission.launches):
        match told.get(launch.uuid if submission.mode == "single" else "all"):
            case "accepted", text:
                found[launch.uuid] = accepted(launch, place, text.strip())
            case "failed", text if report := failed(text.strip(" |"), launch):
                found[launch.uuid] = report
            case "skipped", _:
                later = f"{who} takes no more jobs for now"
                found[launch.uuid] = Report(sighting=Sighting.LATER, reason=later)
    return found
