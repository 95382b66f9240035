"""The real sbatch reads a batch script as we do, and reads what we write."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator, Sequence

import pytest
from rig.rig import Rig

from jupyter_tapis_jobs.model.batch_request import with_batch_script
from jupyter_tapis_jobs.model.batch_script import read_batch_script
from jupyter_tapis_jobs.model.directives import as_lines
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.request import parse_request
from jupyter_tapis_jobs.model.system import parse_system

#: Lines of a script that sbatch takes.
TAKEN = (
    "--nodes=2 --ntasks-per-node=3",
    "-N2 -n 4",
    "-n 6 -c 2",
    "-N 2 --ntasks-per-node=2 -c 2",
    "-t 90",
    "--time=1:30:00",
    "--time=0:30",
    "-t 1-2",
    "-t 1-2:3:4",
    "-t 30:01",
    "--mem=1G -J 'a job'",
    '--mem=1500 -J "say \\"x\\" # y"',
    "--mem=10gb",
    "--mem=2048K",
    "--mem-per-cpu=100 -n 3 -N 1",
    "-J x#y",
    '-J "x"y"z"',
    "-HJ held",
    "-J 'a\\b'",
    "--job-nam abbreviated",
    "\t-J\ttabbed",
    "--nice -J nice",
    "-p development -J queue",
)
#: Lines that neither takes.
REFUSED = (
    "foo",
    "--acount=x",
    "--hold=yes",
    "-n",
    '-J "open',
    "--job-name = x",
    "-t 1:2:3:4",
    "--mem=1.5G",
    "--mem=1G --mem-per-cpu=100",
    "-p nowhere",
)
#: Texts that must come out of sbatch as they went in.
NAMES = (
    "plain",
    "a b",
    'say "x"',
    "it's",
    "a#b",
    "# c",
    "a\\b",
    "$HOME `id`",
    "50%j",
    "tail\\",
    "a & b; c > d",
)

_CLUSTER = {
    "id": "rig", "systemType": "LINUX", "host": "h", "defaultAuthnMethod": "PKI_KEYS", "canExec": True,
    "rootDir": "/", "jobWorkingDir": "/tmp", "jobRuntimes": [{"runtimeType": "ZIP"}], "canRunBatch": True,
    "batchScheduler": "SLURM", "batchDefaultLogicalQueue": "normal", "batchLogicalQueues": [
        {"name": name, "hpcQueueName": name, "maxCoresPerNode": 8} for name in ("normal", "development")
    ],
}  # fmt: skip
_SHOW = "scontrol -o show job $id; scancel $id"


def submitted(rig: Rig, scripts: Sequence[bytes]) -> list[str]:
    """Hand scripts over, held; return what Slurm has of each, '' for a refused one."""
    lines = ["cd $(mktemp -d) || exit 1"]
    for script in scripts:
        lines.append(f"echo {base64.b64encode(script).decode()} | base64 -d > s.sh")
        lines.append(f"id=$(sbatch --hold --parsable s.sh 2> /dev/null) && {{ {_SHOW}; }} || echo")
    return rig.ssh(f"sh -c {shlex.quote(chr(10).join(lines))}").splitlines()


def script_of(line: str) -> bytes:
    return f"#!/bin/sh\n#SBATCH {line}\nhostname\n".encode()


def shown(text: str, name: str) -> str:
    found = re.search(rf"(?:^| ){name}=(\S*)", text)
    return found[1] if found else ""


def minutes(text: str) -> int:
    """Read a time as scontrol shows it."""
    days, _, clock = text.rpartition("-")
    hours, mins, seconds = map(int, clock.split(":"))
    return (int(days or 0) * 24 + hours) * 60 + mins + (seconds > 0)


def megabytes(text: str) -> int:
    return int(float(text[:-1]) * {"M": 1, "G": 1024}[text[-1]])


def compared(line: str, theirs: str) -> Iterator[tuple[str, object, object]]:
    """Yield what we and Slurm have read, of what the line says."""
    script = read_batch_script(script_of(line))
    raw = {"name": "n", "appId": "slurm", "appVersion": "1.0"}
    scripted = with_batch_script(raw, parse_request(raw), script, parse_system(_CLUSTER)[0])
    ours = scripted.raw
    if "--job-name" in script.directives:
        yield "name", script.value("--job-name"), theirs.partition("JobName=")[2].partition(" UserId=")[0]
    if "nodeCount" in ours:
        tasks = scripted.task_count or ours["nodeCount"] * ours["coresPerNode"]
        yield "tasks", tasks, int(shown(theirs, "NumTasks"))
        yield "nodes", ours["nodeCount"], int(shown(theirs, "NumNodes").split("-")[0])
    if "maxMinutes" in ours:
        yield "minutes", ours["maxMinutes"], minutes(shown(theirs, "TimeLimit"))
    if "--mem" in script.directives:
        yield "memory", ours["memoryMB"], megabytes(shown(theirs, "MinMemoryNode"))
    if "--mem-per-cpu" in script.directives:
        each = megabytes(shown(theirs, "MinMemoryCPU"))
        yield "memory", ours["memoryMB"], each * ours["coresPerNode"]
    if "execSystemLogicalQueue" in ours:
        yield "partition", ours["execSystemLogicalQueue"], shown(theirs, "Partition")


def test_a_line_says_to_us_what_it_says_to_sbatch(rig: Rig) -> None:
    differ = []
    for line, theirs in zip(TAKEN, submitted(rig, [script_of(line) for line in TAKEN]), strict=True):
        assert theirs, f"sbatch does not take {line}"
        differ += [(line, *found) for found in compared(line, theirs) if found[1] != found[2]]
    assert differ == []


def test_what_sbatch_does_not_take_we_do_not_take(rig: Rig) -> None:
    assert submitted(rig, [script_of(line) for line in REFUSED]) == [""] * len(REFUSED)
    for line in REFUSED:
        with pytest.raises(InvalidInputError, match="line 2 of the script"):
            list(compared(line, ""))


def test_what_we_write_sbatch_reads_back(rig: Rig) -> None:
    scripts = [f"#!/bin/sh\n{as_lines([f'--job-name={name}'])}true\n".encode() for name in NAMES]
    names = [text.partition("JobName=")[2].partition(" UserId=")[0] for text in submitted(rig, scripts)]
    assert names == list(NAMES)
