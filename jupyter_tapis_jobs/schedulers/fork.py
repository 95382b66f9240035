"""FORK: jobs as processes of the host itself, each in a session of its own.

A submission starts one small runner, ``xargs``, that keeps a given number of jobs running until its
list is through; so a thousand short jobs cost one command, and they go on while the engine is away.
A process is known by its number, its start time and the boot of its machine (proc(5), fields 1 and
22), never by its number alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from ..model import files, marks
from ..transports.base import Answer
from . import taken_back
from .base import Launch, Report, Sighting, Submission
from .claims import REVOKE, gone
from .submissions import fence

_SUBMIT = """\
mkdir -p "$lane/submissions" || exit 1
list="$lane/submissions/{id}"
cat > "$list.part" <<'END_OF_JOBS' && mv "$list.part" "$list" || exit 1
{jobs}
END_OF_JOBS
setsid /bin/sh -c '
tr "\\n" "\\0" < "$1" | xargs -0 -P {parallel} -n 1 setsid /bin/sh
rm -f "$1"' runner "$list" < /dev/null > /dev/null 2>&1 &
read -r boot < /proc/sys/kernel/random/boot_id
read -r stat 2> /dev/null < /proc/$!/stat && echo "$boot $stat" > "$list.runner"
echo accepted
"""

_FUNCTIONS = """\
boot= ; read -r boot < /proc/sys/kernel/random/boot_id
# alive BOOT STAT...: does this very process still run? (a zombie does not)
alive() {
  [ "$1" = "$boot" ] || return 1
  pid=$2; shift; born=${22}
  read -r now 2> /dev/null < "/proc/$pid/stat" || return 1
  set -- $now; [ "$3" != Z ] && [ "${22}" = "$born" ]
}
"""

_LOOK = """\
lane={lane}
runner() {{ f="$lane/submissions/$1.runner"; [ -r "$f" ] && read -r line < "$f" && alive $line; }}
look() {{
  if [ -s "$2/{exit}" ]; then echo "$1 ended"
  elif [ -s "$2/{claim}" ]; then
    read -r submission pid host rest < "$2/{claim}"
    job=$1; dir=$2
    if [ "$submission" = {revoked} ]; then echo "$job absent"
    elif alive $rest; then echo "$job running $pid"
    elif [ -s "$dir/{exit}" ]; then echo "$job ended"
    else echo "$job vanished"; fi
  elif runner "$3"; then echo "$1 queued"
  elif [ -s "$2/{claim}" ]; then echo "$1 queued"
  else echo "$1 absent"; fi
}}
"""

#: Takes the claim itself where the job has not started, so that it never will; else ends its session.
#: A session's number is not given out again while a process of it lives, so what carries the number
#: is the job's, unless a process of another birth leads it. A zombie leads it still: where nobody waits
#: for orphans, that of a launch script that was killed stays for long.
_CANCEL = """\
# ours BOOT STAT...: is the session of that process, which may be gone, none of another's?
ours() {{
  [ "$1" = "$boot" ] || return 1
  leader=$2; shift; born=${{22}}
  read -r now 2> /dev/null < "/proc/$leader/stat" || return 0
  set -- $now; [ "${{22}}" = "$born" ]
}}
# members SESSION: the processes of a session that still do something
members() {{
  for file in /proc/[0-9]*/stat; do
    read -r line 2> /dev/null < "$file" || continue
    set -- "$1" ${{line##*) }}
    [ "$5" = "$1" ] && case $2 in [ZX]) ;; *) line=${{file#/proc/}}; echo "${{line%/stat}}" ;; esac
  done
}}
# gone JOB DIRECTORY LEFTOVER: says so once nothing is left outside the session either
gone() {{
  if [ -n "$3" ]; then (cd "$2" && eval "$3") || return; fi
  echo "$1 gone"
}}
# orphan DIRECTORY: the session of a launch script whose directory somebody has deleted
orphan() {{
  for file in $(grep -slF -- "$1/{script}" /proc/[0-9]*/cmdline); do
    file=${{file%/cmdline}}; read -r line 2> /dev/null < "$file/stat" || continue
    set -- "$1" ${{line##*) }}
    [ "$5" = "${{file#/proc/}}" ] && echo "$5"
  done
}}
# stop SESSION: end what lives of it, politely first; by the clock, for a busy host takes long to look
stop() {{
  read -r now idle < /proc/uptime; hard=$((${{now%.*}} + {grace})); told=
  while living=$(members "$1"); [ -n "$living" ]; do
    read -r now idle < /proc/uptime; now=${{now%.*}}
    if [ "$now" -ge "$hard" ]; then kill -KILL $living 2> /dev/null
    elif [ -z "$told" ]; then kill -TERM $living 2> /dev/null; told=yes; fi
    [ "$now" -lt $((hard + 10)) ] || return
    sleep 0.1
  done
}}
end() {{
  job=$1; d=$2/{folder}
  if [ ! -d "$d" ]; then
    pid=$(orphan "$2")
    if [ -z "$pid" ] || stop "$pid"; then echo "$job gone"; fi
    return
  fi
  [ -s "$2/{exit}" ] || echo {why} > "$2/{killed}"
  revoke "$job" "$2"
  read -r submission pid host rest < "$2/{claim}"
  [ "$submission" = {revoked} ] && {{ echo "$job gone"; return; }}
  # A number that another process has by now: this one's is gone, and nothing of its session lives.
  if ! ours $rest || stop "$pid"; then gone "$job" "$2" "$3"; fi
}}
"""

_LINE = re.compile(r"^(\S+) (queued|running|ended|vanished|absent)(?: (\d+))?$")


class ForkScheduler:
    """Processes of the host, at most so many at a time as it has cores to give."""

    name = "FORK"
    #: The host itself is asked, and it knows its processes.
    doubt = 0.0
    rounds = (5.0, 30.0)

    def submit_script(self, submission: Submission) -> str:
        """Return the script that starts the runner of *submission* in the background."""
        return fence(submission) + _SUBMIT.format(
            id=submission.id,
            jobs="\n".join(f"{job.exec_dir}/{files.LAUNCH_SCRIPT}" for job in submission.launches),
            parallel=submission.parallel,
        )

    def parse_submit(self, submission: Submission, answer: Answer) -> Mapping[str, Report]:
        """All jobs wait for their runner, or none was accepted."""
        report = Report(sighting=Sighting.QUEUED)
        if answer.exit_code != 0 or "accepted" not in answer.stdout:
            complaint = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
            report = Report(sighting=Sighting.REFUSED, reason=f"the job could not be started: {complaint}")
        return {launch.uuid: report for launch in submission.launches}

    def look_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that looks at marks and processes; it starts no process per job."""
        functions = _FUNCTIONS + _LOOK.format(
            lane=shlex.quote(lane_dir), exit=marks.EXIT, claim=marks.CLAIM, revoked=marks.REVOKED
        )
        calls = (
            f"look {j.uuid} {shlex.quote(j.exec_dir)} {shlex.quote(j.submission_id or '-')}" for j in launches
        )
        return functions + "\n".join(calls) + "\n"

    def parse_look(self, launches: Sequence[Launch], answer: Answer) -> Mapping[str, Report]:
        """Read one line per job."""
        lines = (_LINE.match(line) for line in answer.stdout.splitlines())
        return {m[1]: Report(sighting=Sighting(m[2]), remote_job_id=m[3]) for m in lines if m}

    def hold_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that takes jobs back from their runner."""
        return taken_back.hold_script(launches)

    def parse_hold(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """Return the uuids of those that had not begun."""
        return gone(answer)

    def release_script(self, lane_dir: str, launches: Sequence[Launch]) -> str:
        """Return the script that makes the next start of jobs possible."""
        return taken_back.release_script(launches)

    def cancel_script(self, launches: Sequence[Launch], *, why: str, grace: int) -> str:
        """Return the script that ends all jobs at the same time and says which are gone."""
        functions = (
            _FUNCTIONS
            + REVOKE
            + _CANCEL.format(
                folder=marks.FOLDER,
                script=files.LAUNCH_SCRIPT,
                exit=marks.EXIT,
                killed=marks.KILLED,
                claim=marks.CLAIM,
                revoked=marks.REVOKED,
                why=why,
                grace=grace,
            )
        )
        calls = (f"end {j.uuid} {shlex.quote(j.exec_dir)} {shlex.quote(j.leftover)} &" for j in launches)
        return functions + "\n".join(calls) + "\nwait\n"

    def parse_cancel(self, launches: Sequence[Launch], answer: Answer) -> frozenset[str]:
        """Read the lines ``<uuid> gone``."""
        return gone(answer)
