"""What one look at a host tells: its user's places, its tools, its runtimes, its batch scheduler."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..model.limits import smallest
from .associations import ASSOCIATION, QOS, accounting
from .partitions import Partition, partitions, settings
from .pool_facts import COLUMNS, PoolFacts, pool_facts

#: Where a user's jobs can work, the best place first: variables that sites set.
PLACES = ("SCRATCH", "WORK", "HOME")
#: What the verbs of a transport need (GNU's).
TOOLS = ("tar", "find", "stat", "cp", "timeout")
#: Command -> the runtime that it means (Tapis Systems, "jobRuntimes").
RUNTIMES = {"apptainer": "SINGULARITY", "singularity": "SINGULARITY", "docker": "DOCKER", "podman": "DOCKER"}

#: Variables of the login shell without which a scheduler's commands may not be found.
ENVIRONMENT = ("PATH", "SLURM_CONF", "CONDOR_CONFIG")

#: The shell's function ``soon COMMAND…``: a command that hangs is left after twenty seconds.
SOON = 'soon() { if command -v timeout > /dev/null; then timeout 20 "$@"; else "$@"; fi; }\n'

_MARK = "@@tapisjobs:"
_VERSION = re.compile(r"\d+(?:\.\d+)+\S*|\d+")
#: Each look is followed by its exit code. Nothing of it changes the host, but for one small file that
#: is gone again; a scheduler that hangs holds it up for seconds, not for ever.
_SCRIPT = (
    SOON
    + """\
plain() { [ "${SLURM_CONF-}" = "$plain_conf" ] && (PATH=$plain_path && have sbatch); }
plain_pool() { [ "${CONDOR_CONFIG-}" = "$plain_pool_conf" ] && (PATH=$plain_path && have condor_submit); }
say() { printf '\\n%s%s\\n' '@@tapisjobs:' "$1"; }
look() { say "$1"; shift; "$@" 2>&1; printf '\\n@@tapisjobs:=%s\\n' "$?"; }
have() { command -v "$1" > /dev/null 2>&1; }
write() {
  at=$HOME/.tapisjobs
  mkdir -p -m 700 "$at" && printf x > "$at/.look.$$" && rm "$at/.look.$$"
}
place() {
  at=$1
  while [ ! -e "$at" ] && [ "$at" != / ]; do at=$(dirname "$at"); done
  [ -d "$at" ] && [ -w "$at" ] && [ -x "$at" ]
}
tool() { have "$1" && "$1" --version | head -n 1; }
runtime() { have "$1" || return 127; soon "$1" --version < /dev/null; }
config() {
  shown=$(soon scontrol show config) && echo "$shown" | grep -E 'MaxArraySize|AccountingStorage|VERSION'
}
engine() { have docker || return 127; soon docker version --format '{{.Server.Version}}' < /dev/null; }
try() { soon sbatch --test-only -N1 -n1 -t1 "$@" --wrap=true < /dev/null; }
look user id -un
look groups id -Gn
look home write
look cores nproc
look memory sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo
for tool in TOOLS; do look "tool $tool" tool "$tool"; done
for name in apptainer singularity podman; do look "runtime $name" runtime "$name"; done
look "runtime docker" engine
for at in PLACES; do look "place $at" place "$at"; done
if have sbatch && have sinfo; then
  look plain plain
  look slurm sinfo --version
  look partitions soon scontrol show partition -o
  look nodes soon sinfo -h -e -o '%R|%D|%c|%m'
  look config config
  look single try
  look associations soon sacctmgr -nP show assoc user="$(id -un)" format=ASSOCIATION
  look qos soon sacctmgr -nP show qos format=QOS
  look array try --array=0-1
fi
if have condor_submit && have condor_status; then
  look "plain pool" plain_pool
  look condor condor_version
  look schedd soon condor_q -totals
  look machines soon condor_status -constraint 'DynamicSlot =!= true' -af:tV MACHINES
  look domain condor_config_val FILESYSTEM_DOMAIN
fi
say end
"""
)


@dataclass(frozen=True, slots=True)
class Look:
    """What one command said, and its exit code."""

    text: str
    code: int

    @property
    def is_good(self) -> bool:
        """True when the command said yes."""
        return self.code == 0

    @property
    def version(self) -> str | None:
        """The first version number in what it said."""
        found = _VERSION.search(self.text) if self.is_good else None
        return found[0] if found else None

    @property
    def last_line(self) -> str:
        """The last line it said."""
        return (self.text.splitlines() or [""])[-1]


NOTHING = Look("", 127)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmFacts:
    """A cluster as its user sees it."""

    version: str
    partitions: tuple[Partition, ...]
    #: Slurm's own setting: array indices are smaller.
    max_array_size: int
    #: sbatch takes arrays from this user.
    takes_arrays: bool
    has_accounting: bool

    @property
    def default(self) -> Partition:
        """The partition of a job that names none."""
        open_ones = [p for p in self.partitions if p.state == "UP"] or list(self.partitions)
        return next((p for p in self.partitions if p.is_default), open_ones[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What a host said of itself to one user."""

    user: str
    #: Variables of the login shell: HOME, SCRATCH, …; those that are set.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: Why nothing can be written into the home; empty when it can.
    home_trouble: str = ""
    missing_tools: tuple[str, ...] = ()
    #: Places (names of variables) in which directories can be made.
    writable: tuple[str, ...] = ()
    cores: int | None = None
    memory_mb: int | None = None
    #: (Tapis's name, version in its own words).
    runtimes: tuple[tuple[str, str | None], ...] = ()
    slurm: SlurmFacts | None = None
    #: The HTCondor pool that the host submits to.
    pool: PoolFacts | None = None
    #: What has to be set for the scheduler's commands to be found, where only a login shell sets it.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Why Slurm's commands are there and tell nothing; empty when all is well or there is no Slurm.
    slurm_trouble: str = ""
    #: The same of HTCondor.
    pool_trouble: str = ""


def script(variables: Mapping[str, str]) -> str:
    """Return the script to be run on the host; *variables* are those of its login shell.

    Slurm and containers are often found only with a login shell's PATH.
    """
    places = " ".join(shlex.quote(variables[name]) for name in PLACES if name in variables)
    asked = {
        "in TOOLS": f"in {' '.join(TOOLS)}",
        "in PLACES": f"in {places}" if places else 'in "$HOME"',
        "format=ASSOCIATION": f"format={','.join(ASSOCIATION)}",
        "format=QOS": f"format={','.join(QOS)}",
        "MACHINES": COLUMNS,
    }
    # All at once: a place may hold any of these words itself.
    text = re.sub("|".join(asked), lambda word: asked[word[0]], _SCRIPT)
    return (
        "plain_path=$PATH plain_conf=${SLURM_CONF-} plain_pool_conf=${CONDOR_CONFIG-}\n"
        + exports(_environment(variables))
        + text
    )


def exports(variables: Mapping[str, str]) -> str:
    """Return the lines of a script that set *variables*."""
    return "".join(
        f"{name}={shlex.quote(value)}; export {name}\n" for name, value in sorted(variables.items())
    )


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: variables[name] for name in ENVIRONMENT if variables.get(name)}


def facts(answer: str, variables: Mapping[str, str]) -> HostFacts:
    """Read what the script answered."""
    looks = dict(_looks(answer))
    home = looks.get("home", NOTHING)
    slurm, trouble = _slurm(looks)
    pool, pool_trouble = _pool(looks)
    memory = looks.get("memory", NOTHING).text.strip()
    cores = looks.get("cores", NOTHING).text.strip()
    return HostFacts(
        user=looks.get("user", NOTHING).text.strip(),
        variables={name: variables[name] for name in PLACES if variables.get(name)},
        home_trouble="" if home.is_good else home.last_line or "it cannot be written",
        missing_tools=tuple(tool for tool in TOOLS if not _is_gnu(looks.get(f"tool {tool}", NOTHING))),
        writable=tuple(
            name
            for name in PLACES
            if name in variables and looks.get(f"place {variables[name]}", NOTHING).is_good
        ),
        cores=int(cores) if cores.isdigit() else None,
        memory_mb=int(memory) // 1024 if memory.isdigit() else None,
        runtimes=tuple(_runtimes(looks)),
        slurm=slurm,
        pool=pool,
        environment=_environment(variables) if _wants_login(looks, slurm, pool) else {},
        slurm_trouble=trouble,
        pool_trouble=pool_trouble,
    )


def _looks(answer: str) -> Sequence[tuple[str, Look]]:
    found: list[tuple[str, Look]] = []
    for part in f"\n{answer}".split(f"\n{_MARK}")[1:]:
        head, _, text = part.partition("\n")
        if head.startswith("="):
            name, said = found.pop()
            found.append((name, Look(said.text, int(head[1:] or 1))))
        else:
            found.append((head, Look(text.strip("\n"), 1)))
    return found


def _is_gnu(look: Look) -> bool:
    return look.is_good and "GNU" in look.text


def _runtimes(looks: Mapping[str, Look]) -> list[tuple[str, str | None]]:
    """Return each runtime once: Apptainer before the older Singularity, Docker before Podman."""
    found: dict[str, str | None] = {}
    for command, kind in RUNTIMES.items():
        look = looks.get(f"runtime {command}", NOTHING)
        if look.is_good and look.version and kind not in found:
            found[kind] = f"{command} {look.version}"
    # An archive can be unpacked here before it is sent.
    return [*found.items(), ("ZIP", None)]


def _slurm(looks: Mapping[str, Look]) -> tuple[SlurmFacts | None, str]:
    if "slurm" not in looks:
        return None, ""
    for name in ("slurm", "partitions", "nodes", "config"):
        if not looks.get(name, NOTHING).is_good:
            return None, looks.get(name, NOTHING).last_line or "it gave no answer in 20 seconds"
    config = settings(looks["config"].text)
    groups = looks.get("groups", NOTHING).text.split()
    found = partitions(looks["partitions"].text, looks["nodes"].text, groups)
    if "limits" in config.get("AccountingStorageEnforce", ""):
        found = _limited(found, looks)
    if not found:
        return None, "it has no partition that this user may use"
    size = config.get("MaxArraySize", "")
    return SlurmFacts(
        version=looks["slurm"].version or config.get("SLURM_VERSION", ""),
        partitions=tuple(found),
        max_array_size=int(size) if size.isdigit() else 1001,
        takes_arrays=_takes_arrays(looks),
        has_accounting="slurmdbd" in config.get("AccountingStorageType", ""),
    ), ""


def _pool(looks: Mapping[str, Look]) -> tuple[PoolFacts | None, str]:
    if "condor" not in looks:
        return None, ""
    for name in ("condor", "schedd", "machines"):
        if not looks.get(name, NOTHING).is_good:
            return None, looks.get(name, NOTHING).last_line or "it gave no answer in 20 seconds"
    version = looks["condor"].version or ""
    return pool_facts(version, looks["machines"].text, looks.get("domain", NOTHING).text), ""


def _wants_login(looks: Mapping[str, Look], slurm: SlurmFacts | None, pool: PoolFacts | None) -> bool:
    """True where only a login shell finds the commands of the scheduler that is used."""
    name = "plain" if slurm else "plain pool" if pool else ""
    return bool(name) and not looks.get(name, NOTHING).is_good


def _limited(found: Sequence[Partition], looks: Mapping[str, Look]) -> list[Partition]:
    """Lay what the accounting allows the user over the limits of the partitions."""
    said = accounting(looks.get("associations", NOTHING).text, looks.get("qos", NOTHING).text)
    limits = [said.of(partition) for partition in found]
    return [
        replace(
            partition,
            max_jobs=limit.jobs,
            minutes=smallest(partition.minutes, limit.minutes),
            max_nodes=smallest(partition.max_nodes, limit.nodes),
        )
        for partition, limit in zip(found, limits, strict=True)
    ]


def _takes_arrays(looks: Mapping[str, Look]) -> bool:
    """An array is refused where a single job is not, or for what it is."""
    array, single = looks.get("array", NOTHING), looks.get("single", NOTHING)
    return array.is_good or not (single.is_good or "array" in array.text.lower())
