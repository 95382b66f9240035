"""The launch script ``tapisjob.sh``: claim, start, application, end; for every runtime and scheduler.

The claim is taken by ``ln``, which is atomic also on network file systems: the job is this copy's
when the claim's content is its own. Events are empty files, made by the shell itself; the script
starts no process besides ``ln`` and the application.
"""

from __future__ import annotations

import shlex

from ..model import files, marks
from ..model.job import Job, JobDefinition
from ..runtimes.base import LaunchLines

_SCRIPT = """\
#!/bin/sh
# Tapis job {uuid}, launch script format {format}.
{directives}cd {exec_dir} || exit 0
marks={folder}; events={events}
exec < /dev/null > {log} 2>&1

# At most one start: whoever links its own token to the claim first runs the job.
read -r stat < /proc/$$/stat; read -r boot < /proc/sys/kernel/random/boot_id
read -r host < /proc/sys/kernel/hostname
own="{uuid} $$ $host $boot $stat"
printf '%s\\n' "$own" > "$marks/token.$$"
ln "$marks/token.$$" {claim} 2> /dev/null
read -r claimed < {claim}
[ "$claimed" = "$own" ] || {{ : > "$marks/duplicate.$$"; exit 0; }}
echo $$ > {pid}
: > "$events/{uuid}.start"

# A polite end asked from outside goes to the application; this script stays to write down the end.
app=; trap '[ -n "$app" ] && kill -TERM "$app" 2> /dev/null' TERM INT HUP
(
  . ./{environment}
  {command}
) {redirections} &
app=$!
wait "$app"; code=$?
while kill -0 "$app" 2> /dev/null; do wait "$app"; code=$?; done

# What the application says of itself counts when it says "failed".
if [ -r {exit_code} ]; then
  read -r said < {exit_code} || :
  case $said in ''|0|*[!0-9]*) ;; *) code=$said ;; esac
fi
printf '%s\\n' "$code" > {exit}
: > "$events/{uuid}.end"
"""


def launch_script(
    job: Job, definition: JobDefinition, lines: LaunchLines, *, events: str, directives: str = ""
) -> str:
    """Return the text of ``tapisjob.sh``; *events* is the lane's events folder on the host."""
    root, output_dir = definition.root_dir, definition.exec_system_output_dir
    return _SCRIPT.format(
        uuid=job.uuid,
        format=marks.FORMAT,
        directives=directives,
        exec_dir=_quoted(root, definition.exec_system_exec_dir),
        folder=marks.FOLDER,
        log=marks.LAUNCH_LOG,
        events=shlex.quote(events),
        claim=marks.CLAIM,
        pid=files.PID,
        environment=files.ENVIRONMENT,
        command=lines.command,
        redirections=_redirections(definition),
        exit_code=_quoted(root, output_dir, files.EXIT_CODE),
        exit=marks.EXIT,
    )


def _redirections(definition: JobDefinition) -> str:
    """Both streams into one file, or each into its own."""
    root, output_dir = definition.root_dir, definition.exec_system_output_dir
    out, err = definition.stdout_filename, definition.stderr_filename
    errors = "2>&1" if out == err else f"2> {_quoted(root, output_dir, err)}"
    return f"> {_quoted(root, output_dir, out)} {errors}"


def _quoted(root: str, *parts: str) -> str:
    return shlex.quote(host_path(root, *parts))


def host_path(root: str, *parts: str) -> str:
    """Return the absolute path on the host of a path below a system's ``rootDir``."""
    tail = "/".join(part.strip("/") for part in parts)
    return f"{root.rstrip('/')}/{tail}".rstrip("/") or "/"
