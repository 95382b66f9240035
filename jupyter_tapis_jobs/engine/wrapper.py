"""The launch script ``tapisjob.sh``: claim, start, application, end; for every runtime and scheduler.

The claim is taken by ``ln``, which is atomic also on network file systems: the job is this copy's
when the claim's content is its own. Events are empty files, made by the shell itself; the script
starts no process besides ``ln`` and the application. On a full disk it waits until there is room again: a
mark that could not be written would tell a lie.
"""

from __future__ import annotations

import shlex

from ..model import files, marks
from ..model.batch_languages import language_of
from ..model.directives import module_lines, user_options
from ..model.fields import JobType
from ..model.job import Job, JobDefinition
from ..runtimes.base import LaunchLines

_SCRIPT = """\
#!{shell}
# Tapis job {uuid}, launch script format {format}.
{directives}cd {exec_dir} || exit 0
marks={folder}; events={events}
exec 3>&1 4>&2 < /dev/null > {log} 2>&1

# At most one start: whoever links its own token to the claim first runs the job.
read -r stat < /proc/$$/stat; read -r boot < /proc/sys/kernel/random/boot_id
read -r host < /proc/sys/kernel/hostname
own="{uuid} $$ $host $boot $stat{scheduler}"
until printf '%s\\n' "$own" > "$marks/token.$host.$$"; do [ -d "$marks" ] || exit 0; sleep 5; done
ln "$marks/token.$host.$$" {claim} 2> /dev/null
read -r claimed < {claim}
[ "$claimed" = "$own" ] || {{ : > "$marks/duplicate.$host.$$"; exit 0; }}
echo $$ > {pid}
{at_once}
{helpers}# A polite end asked from outside goes to the application; this script stays to write down the end.
# So do the two signals that a user may ask the scheduler for before the time is over (--signal).
app=; said=; ending=
trap 'ending=" terminated"; [ -n "$app" ] && kill -TERM "$app" 2> /dev/null{ask}' TERM INT HUP
trap '[ -n "$app" ] && kill -USR1 "$app" 2> /dev/null' USR1
trap '[ -n "$app" ] && kill -USR2 "$app" 2> /dev/null' USR2
{aliases}(
{modules}{before}  {command}
) {redirections} 3>&- 4>&- &
app=$!
{later}wait "$app"; code=$?
while kill -0 "$app" 2> /dev/null; do wait "$app"; code=$?; done
{after}
# What the application says of itself counts when it says "failed".
if [ -r {exit_code} ]; then
  read -r said < {exit_code} || :
  case $said in ''|0|*[!0-9]*) ;; *) code=$said ;; esac
fi
last="$code$ending"
until printf '%s\\n' "$last" > {exit}; do [ -d "$marks" ] || break; sleep 5; done
: > "$events/{uuid}.end"
{epilogue}"""
#: Tells that the job has started: at once, or when its container has.
_STARTED = ': > "$events/{uuid}.start"\n'
#: Schedulers show what ended badly as such. A FORK job's runner would take 255 for an order to stop.
_BATCH_EXIT = 'exit "$code"\n'


def launch_script(job: Job, definition: JobDefinition, lines: LaunchLines, *, events: str) -> str:
    """Return the text of ``tapisjob.sh``; *events* is the lane's events folder on the host.

    That of a BATCH job begins with what its scheduler is told (``#SBATCH``, ``#CONDOR``), and loads its
    modules, which only a login shell knows.
    """
    root, output_dir = definition.root_dir, definition.exec_system_output_dir
    is_batch = definition.job_type == JobType.BATCH
    language = language_of(definition)
    directives = language.as_lines(language.directives(job, definition)) if is_batch else ""
    modules = module_lines(definition) if is_batch else ()
    started = _STARTED.format(uuid=job.uuid)
    later = "".join(f"{line}\n" for line in lines.until_started)
    return _SCRIPT.format(
        shell="/bin/bash -l" if modules else "/bin/sh",
        uuid=job.uuid,
        format=marks.FORMAT,
        directives=directives + (language.prelude if is_batch else ""),
        exec_dir=_quoted(root, definition.exec_system_exec_dir),
        folder=marks.FOLDER,
        log=marks.LAUNCH_LOG,
        events=shlex.quote(events),
        claim=marks.CLAIM,
        pid=files.PID,
        scheduler=language.claim_word if is_batch else "",
        modules="".join(f"  {line}\n" for line in modules),
        at_once="" if later else started,
        helpers=lines.helpers,
        later=later and later + started,
        ask=f"; {lines.when_asked_to_end}" if lines.when_asked_to_end else "",
        before="".join(f"  {line}\n" for line in lines.before),
        command=lines.command,
        after="".join(f"{line}\n" for line in lines.after),
        aliases=_aliases(definition),
        redirections=_redirections(definition),
        exit_code=_quoted(root, output_dir, files.EXIT_CODE),
        exit=marks.EXIT,
        epilogue=_BATCH_EXIT if is_batch and language.tells_exit else "",
    )


def _redirections(definition: JobDefinition) -> str:
    """Both streams into one file, or each into its own; to where the scheduler sends them if asked so.

    A batch job's file is only added to: Slurm has it open too, and says there why it ended a job.
    """
    is_batch = definition.job_type == JobType.BATCH
    own = user_options(definition) if is_batch else {}
    if "--output" in own:
        return ">&3 2>&4"
    root, output_dir = definition.root_dir, definition.exec_system_output_dir
    out, err = definition.stdout_filename, definition.stderr_filename
    into = ">>" if is_batch else ">"
    errors = "2>&1" if out == err else f"2{into} {_quoted(root, output_dir, err)}"
    errors = "2>&4" if "--error" in own else errors
    return f"{into} {_quoted(root, output_dir, out)} {errors}"


def _aliases(definition: JobDefinition) -> str:
    """Return the lines by which Slurm's own output file is found under the name that the job says.

    What ``--output=run-%j.txt`` becomes only Slurm knows; whoever reads or watches the job does not.
    """
    if definition.job_type != JobType.BATCH or "--output" not in user_options(definition):
        return ""
    root, output_dir = definition.root_dir, definition.exec_system_output_dir
    return _ALIAS.format(
        output_dir=_quoted(root, output_dir), name=_quoted(root, output_dir, definition.stdout_filename)
    )


_ALIAS = """\
own=$(readlink /proc/$$/fd/3)
case $own in {output_dir}/*) ln -s "${{own#{output_dir}/}}" {name} ;; esac
"""


def _quoted(root: str, *parts: str) -> str:
    return shlex.quote(host_path(root, *parts))


def host_path(root: str, *parts: str) -> str:
    """Return the absolute path on the host of a path below a system's ``rootDir``."""
    tail = "/".join(part.strip("/") for part in parts)
    return f"{root.rstrip('/')}/{tail}".rstrip("/") or "/"
