"""What may be said to ``sbatch`` in schedulerOptions, option by option, and what Tapis says itself.

Sources: Tapis Jobs, "schedulerOptions"; the manual page of sbatch, Slurm 20 to 24.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from .arguments import option_parts, refuse_bad_option
from .errors import InvalidInputError, did_you_mean
from .texts import is_blank, shown

FIELD = "parameterSet.schedulerOptions"
#: Names a scheduler profile; Tapis's own, sbatch never sees it.
PROFILE = "--tapis-profile"


class Value(Enum):
    """Whether an option has a value."""

    NONE = "takes no value"
    NEEDED = "needs a value"
    OPTIONAL = "may have a value"


@dataclass(frozen=True, slots=True)
class SchedulerOption:
    """One option of sbatch: its long name, its letter where it has one, and its value."""

    name: str
    letter: str = ""
    value: Value = Value.NEEDED


#: ``--name`` or ``--name/-letter``; ``=`` needs a value, ``[=]`` may have one.
_SBATCH = """
    --account/-A= --acctg-freq= --array/-a= --batch= --bb= --bbf= --begin/-b= --chdir/-D=
    --cluster-constraint= --clusters/-M= --comment= --constraint/-C= --container= --container-id= --contiguous
    --core-spec/-S= --cores-per-socket= --cpu-freq= --cpus-per-gpu= --cpus-per-task/-c= --deadline=
    --delay-boot= --dependency/-d= --distribution/-m= --error/-e= --exclude/-x= --exclusive[=] --export=
    --export-file= --extra= --extra-node-info/-B= --get-user-env[=] --gid= --gpu-bind= --gpu-freq= --gpus/-G=
    --gpus-per-node= --gpus-per-socket= --gpus-per-task= --gres= --gres-flags= --help/-h --hint= --hold/-H
    --ignore-pbs --input/-i= --job-name/-J= --kill-on-invalid-dep= --licenses/-L= --mail-type= --mail-user=
    --mcs-label= --mem= --mem-bind= --mem-per-cpu= --mem-per-gpu= --mincpus= --network= --nice[=]
    --no-kill/-k[=] --no-requeue --nodefile/-F= --nodelist/-w= --nodes/-N= --ntasks/-n= --ntasks-per-core=
    --ntasks-per-gpu= --ntasks-per-node= --ntasks-per-socket= --open-mode= --output/-o= --overcommit/-O
    --oversubscribe/-s --parsable --partition/-p= --power= --prefer= --priority= --profile= --propagate[=]
    --qos/-q= --quiet/-Q --reboot --requeue --reservation= --resv-ports[=] --segment= --signal=
    --sockets-per-node= --spread-job --stepmgr --switches= --test-only --thread-spec= --threads-per-core=
    --time/-t= --time-min= --tmp= --tres-bind= --tres-per-task= --uid= --usage --use-min-nodes --verbose/-v
    --version/-V --wait/-W --wait-all-nodes= --wckey= --wrap=
"""
#: Older and other names that sbatch takes as well.
_ALIASES = {
    "--tasks": "--ntasks",
    "--tasks-per-node": "--ntasks-per-node",
    "--share": "--oversubscribe",
    "--cluster": "--clusters",
    "--workdir": "--chdir",
    "--exclude-nodes": "--exclude",
    "-X": "--exclude",
}
#: What Tapis writes itself -> the job field that says it.
RESERVED = {
    "--mem": "memoryMB",
    "--nodes": "nodeCount",
    "--ntasks": "nodeCount and coresPerNode",
    "--partition": "execSystemLogicalQueue",
    "--time": "maxMinutes",
}
_CALL = "belongs to the command line of sbatch, which this engine calls itself. Leave it out."
#: What cannot be had -> why, and the way out.
_REFUSED = {
    "--array": (
        "would start one job many times, and a job starts once. Use a study, or submit/bulk with "
        "launchMode=array: each case is then a job with its own output, exit code and cancel."
    ),
    "--requeue": (
        "would let Slurm start the job a second time by itself, in the files of the first. Leave it out; "
        "a job that was lost is FAILED and says so, and resubmit runs it anew."
    ),
    "--chdir": "moves the job out of its own directory. Use execSystemExecDir instead.",
    "--clusters": "sends the job where it is not followed. Register that cluster as a system of its own.",
    "--input": "has no effect, for the job's standard input is empty. Use fileInputs instead.",
    "--wrap": "replaces the job's own script. Use the app 'bash' or 'slurm' for a command of your own.",
    "--wait": "keeps sbatch from answering until the job has ended. Leave it out.",
    "--uid": "is for root alone. Use a system whose effectiveUserId is that user.",
    **dict.fromkeys(("--help", "--parsable", "--quiet", "--test-only", "--usage", "--version"), _CALL),
}


def _read_table() -> Iterator[SchedulerOption]:
    for word in _SBATCH.split():
        value = Value.OPTIONAL if word.endswith("[=]") else Value.NEEDED if word[-1] == "=" else Value.NONE
        name, _, letter = word.rstrip("[=]").partition("/")
        yield SchedulerOption(name, letter, value)


_BY_NAME = {option.name: option for option in _read_table()}
_BY_LETTER = {option.letter: option for option in _BY_NAME.values() if option.letter}
_WORDS = {**_BY_NAME, **_BY_LETTER, **{word: _BY_NAME[name] for word, name in _ALIASES.items()}}


def known_option(word: str) -> SchedulerOption | None:
    """Return the option that *word* (``--nodes``, ``-N``) names."""
    return _WORDS.get(word)


def long_names() -> tuple[str, ...]:
    """Return the long names of all options."""
    return tuple(_BY_NAME)


def abbreviated_option(word: str) -> SchedulerOption | None:
    """Return the one option whose name begins with *word*, as sbatch itself reads its command line."""
    found = {id(option): option for name, option in _WORDS.items() if name.startswith(word)}
    is_one = word.startswith("--") and len(found) == 1
    return next(iter(found.values())) if is_one else None


def refusal(option: SchedulerOption) -> str | None:
    """Return why Tapis does not take an option of sbatch, with the way out; None where it does."""
    if field := RESERVED.get(option.name):
        return f"sets what the job says itself. Use {field} instead."
    return _REFUSED.get(option.name)


@lru_cache(maxsize=4096)
def read_option(text: str) -> tuple[str, str]:
    """Return long name and value of one entry of schedulerOptions; an unknown name comes back as it is.

    ``-N2``, ``-N 2``, ``--nodes 2`` and ``--nodes=2`` are the same; one pair of quotes around the value goes.
    """
    name, value = option_parts(text)
    option = known_option(name)
    if option is None and name[:2] in _BY_LETTER and not name.startswith("--"):
        option, value = _BY_LETTER[name[:2]], text.strip()[2:].lstrip(" =")
    return option.name if option else name, _unquoted(value)


@lru_cache(maxsize=4096)
def refuse_unusable_option(text: str) -> None:
    """Raise ``InvalidInputError`` unless *text* is one option that a Slurm job may have."""
    refuse_bad_option(text, FIELD)
    name, value = read_option(text)
    if name == PROFILE:
        option = SchedulerOption(PROFILE)
    elif (found := _BY_NAME.get(name)) is None:
        raise _wrong(text, f"is no option of sbatch.{did_you_mean(name, _WORDS)}")
    else:
        option = found
    if why := refusal(option):
        raise _wrong(text, why)
    if option.value is Value.NEEDED and is_blank(value):
        raise _wrong(text, f"needs a value. Write it as {option.name}=VALUE.")
    if option.value is Value.NONE and not is_blank(value):
        raise _wrong(text, "takes no value. Write one option an entry.")
    if " -" in value and value == option_parts(text)[1]:
        raise _wrong(text, "holds more than one option. Write one option an entry, or quote the value.")


def refuse_option_of_dask(text: str) -> None:
    """Raise ``InvalidInputError`` unless *text* names a profile: a Dask scheduler takes no options."""
    refuse_bad_option(text, FIELD)
    if read_option(text)[0] != PROFILE:
        raise _wrong(text, "means nothing to a DASK scheduler, which has none. Leave it out.")


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]
    return value[1:-1] if is_quoted else value


def _wrong(text: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"{FIELD} {shown(text)} {why}", field=FIELD, value=text)
