"""What a batch job says to ``sbatch``: its resources, its output file, and the user's own options.

Source: Tapis Jobs, "Slurm". What Tapis says of the job comes first; a user's option of the same name
cannot be one of those (``scheduler_options``), apart from --job-name, --output and --error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import files
from .job import Job, JobDefinition
from .paths import join
from .profile import HiddenOption
from .scheduler_options import PROFILE, read_option

#: A user who says one of these looks after the output, or after the starts, of the job alone.
_OWN_OUTPUT = ("--output", "--array")
_ALONE = frozenset({"--array", "--dependency", "--export", "--output", "--error"})
#: sbatch takes one way of asking for memory only.
_SHARED_MEMORY = frozenset({"--mem-per-cpu", "--mem-per-gpu"})
#: What sbatch gets as an argument at each call; the user's would be lost.
_OURS = frozenset({PROFILE, "--comment"})
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./\-\[\]*~^&|()!]+", re.ASCII)


def directives_of(job: Job, definition: JobDefinition) -> tuple[str, ...]:
    """Return the options of a BATCH job as words of a command line (``--nodes=2``), sorted by name."""
    own = user_options(definition)
    said = dict(_resources(definition)) | {"--job-name": files.LAUNCH_SCRIPT} | own
    if not any(name in own for name in _OWN_OUTPUT):
        said = dict(_streams(definition)) | said
    return tuple(_word(name, said[name]) for name in sorted(said))


def as_lines(directives: Iterable[str]) -> str:
    """Return the text of ``#SBATCH`` lines, each ended, quoted as sbatch reads them."""
    return "".join(f"#SBATCH {_quoted(word)}\n" for word in directives)


def module_lines(definition: JobDefinition) -> tuple[str, ...]:
    """Return the shell lines that load the profile's modules; they want a login shell (``bash -l``)."""
    return definition.scheduler_profile.module_lines if definition.scheduler_profile else ()


def forces_single(definition: JobDefinition) -> str | None:
    """Return the option for which a job has to be submitted alone, or None."""
    return next((name for name in user_options(definition) if name in _ALONE), None)


def user_options(definition: JobDefinition) -> dict[str, str]:
    """Return long name -> value of the options that queue, app and request gave; the last one counts."""
    read = (read_option(option.arg) for option in definition.scheduler_options)
    return {name: value for name, value in read if name not in _OURS}


def with_options(directives: Sequence[str], replaced: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return *directives* (``--option=value`` words) with some options set, or left out where None."""
    kept = [word for word in directives if word.partition("=")[0] not in replaced]
    return (*kept, *(f"{name}={value}" for name, value in replaced.items() if value is not None))


def array_options(directives: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the sbatch options of an array: those of its jobs, but each job writes its own output."""
    own = {"--job-name": name, "--output": "/dev/null", "--error": None, "--open-mode": None}
    return with_options(directives, own)


def _resources(definition: JobDefinition) -> Iterator[tuple[str, str]]:
    hidden = definition.scheduler_profile.hidden_options if definition.scheduler_profile else ()
    yield "--nodes", str(definition.node_count)
    yield "--ntasks", str(definition.task_count or definition.node_count * definition.cores_per_node)
    yield "--time", str(definition.max_minutes)
    if HiddenOption.MEM not in hidden and not _SHARED_MEMORY & user_options(definition).keys():
        yield "--mem", str(definition.memory_mb)
    if HiddenOption.PARTITION not in hidden and definition.hpc_queue_name:
        yield "--partition", definition.hpc_queue_name


def _streams(definition: JobDefinition) -> Iterator[tuple[str, str]]:
    """Slurm's last words follow what the application has written, for the launch script writes there too."""
    output, error = definition.stdout_filename, definition.stderr_filename
    yield "--output", _file(definition, output)
    if error != output:
        yield "--error", _file(definition, error)
    yield "--open-mode", "append"


def _file(definition: JobDefinition, name: str) -> str:
    """A ``%`` begins a replacement of Slurm's, unless the name holds a backslash, which ends them all."""
    path = join(definition.root_dir, definition.exec_system_output_dir, name)
    return path.replace("\\", "\\\\") if "\\" in path else path.replace("%", "%%")


def _word(name: str, value: str) -> str:
    return f"{name}={value}" if value else name


def _quoted(word: str) -> str:
    """In double quotes sbatch takes a backslash before a quote or a backslash, and nothing else."""
    if _PLAIN_WORD.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
