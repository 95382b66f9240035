"""What a batch job says to ``condor_submit``: its resources, its limits, and the user's own commands.

Sources: condor_submit(1) and the manual's "Job ClassAd Attributes", HTCondor 23.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .batch_script import SCRIPT_APP
from .errors import InvalidInputError
from .job import Job, JobDefinition
from .paths import within
from .profile import HiddenOption
from .scheduler_options import PROFILE, read_option
from .submit_commands import TRANSFER, read_command

#: HTCondor starts a job again whose machine was lost; a start that was counted is the only one.
_ONE_START = "(NumJobStarts =?= undefined || NumJobStarts == 0)"
#: Seconds between the polite end of a job and the hard one.
_GRACE = 30
#: Seconds for which a job that was held after its start can be looked at in the queue.
_HELD = 3600
#: Removed by HTCondor itself: over its time; taken from its machine, so that it waits for a second start; or
#: held after its start. What ended it is then in the pool's history.
_ENDS = (
    "(JobStatus == 2 && time() - JobCurrentStartExecutingDate > {seconds}) || (NumJobStarts > 0 && "
    "(JobStatus == 1 || (JobStatus == 5 && time() - EnteredCurrentStatus > {held})))"
)
#: A job that travels: one archive goes with it, one comes back, both named after it (macro ``TapisJob``).
_TRAVEL = {
    "transfer_input_files": "in/$(TapisJob).tar",
    "transfer_output_files": "out.tar",
    "transfer_output_remaps": '"out.tar = out/$(TapisJob).tar"',
    "when_to_transfer_output": "ON_EXIT",
}


def commands_of(job: Job, definition: JobDefinition) -> tuple[str, ...]:
    """Return the commands of a BATCH job, ``name = value`` each, sorted by name; without what starts it."""
    own = dict(_own_commands(definition))
    wanted = own.pop("requirements", "")
    said = {
        **own,
        **dict(_resources(definition)),
        "requirements": f"{_ONE_START} && ({wanted})" if wanted else _ONE_START,
        "job_max_vacate_time": str(_GRACE),
        "periodic_remove": _ENDS.format(seconds=definition.max_minutes * 60, held=_HELD),
    }
    said[TRANSFER] = own.get(TRANSFER, "NO").upper()
    if said[TRANSFER] == "YES":
        said |= _TRAVEL
    return tuple(f"{name} = {said[name]}" for name in sorted(said))


def as_lines(commands: Iterable[str]) -> str:
    """Return the text of ``#CONDOR`` lines, each ended."""
    return "".join(f"#CONDOR {command}\n" for command in commands)


def refuse_unfit(job: Job, definition: JobDefinition) -> None:
    """Raise ``InvalidInputError`` for a job that HTCondor's vanilla universe cannot run."""
    if definition.node_count > 1:
        raise InvalidInputError(
            f"nodeCount {definition.node_count} cannot run on system {definition.exec_system_id}: "
            "a job of HTCondor has one machine. Use nodeCount 1 with more coresPerNode.",
            field="nodeCount",
            value=definition.node_count,
        )
    if dict(_own_commands(definition)).get(TRANSFER, "").upper() == "YES":
        _refuse_places_outside(definition)
    if job.app_id == SCRIPT_APP:
        raise InvalidInputError(
            f"app {SCRIPT_APP} runs batch scripts for Slurm, and system {definition.exec_system_id} "
            "has HTCondor. Use app bash, and say what #SBATCH lines say as fields of the job.",
            field="appId",
            value=job.app_id,
        )


def _refuse_places_outside(definition: JobDefinition) -> None:
    """Only one directory travels."""
    home = definition.exec_system_exec_dir
    for field, place in (
        ("execSystemInputDir", definition.exec_system_input_dir),
        ("execSystemOutputDir", definition.exec_system_output_dir),
    ):
        if not within(home, place):
            raise InvalidInputError(
                f"{field} {place} is not below execSystemExecDir {home}, and only that travels with "
                f"{TRANSFER}. Put it there, or use a pool whose machines show the files.",
                field=field,
                value=place,
            )


def _own_commands(definition: JobDefinition) -> Iterator[tuple[str, str]]:
    """Yield what queue, app and request gave; the last of a name counts."""
    for option in definition.scheduler_options:
        if read_option(option.arg)[0] != PROFILE:
            yield read_command(option.arg)


def _resources(definition: JobDefinition) -> Iterator[tuple[str, str]]:
    hidden = definition.scheduler_profile.hidden_options if definition.scheduler_profile else ()
    yield "request_cpus", str(definition.cores_per_node)
    if HiddenOption.MEM not in hidden:
        yield "request_memory", str(definition.memory_mb)
