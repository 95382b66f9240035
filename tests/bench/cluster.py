"""A real Slurm cluster behind real SSH for the benchmarks, with what it counts by itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import harness

sys.path.insert(0, str(Path(__file__).parents[1]))
from rig.rig import Rig
from rig.variants import FOLDER, VARIANTS, brought_up, why_not

from jupyter_tapis_jobs.client.tapis import Tapis

#: The system that the server under test knows the cluster by.
SYSTEM = "cluster"
_AUTOGROUP = Path("/proc/sys/kernel/sched_autogroup_enabled")
_RPC = re.compile(r"^\s*(REQUEST_\w+)\s*\(\s*\d+\)\s*count:(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the cluster was asked: SSH sessions opened, jobs submitted, questions about jobs."""

    sessions: int
    submits: int
    questions: int

    def since(self, before: Counts) -> Counts:
        """Return what has come since."""
        return Counts(
            self.sessions - before.sessions,
            self.submits - before.submits,
            self.questions - before.questions,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The rig, and a folder on tmpfs that its user may write."""

    rig: Rig
    scratch: Path

    def counts(self) -> Counts:
        """Count by the cluster's own books: sshd's log, and slurmctld's statistics."""
        log = self.rig.folder / "log" / f"{self.rig.hosts['login1'].daemon}.log"
        calls = {name: int(count) for name, count in _RPC.findall(self.rig.slurm("sdiag"))}
        asked = ("REQUEST_JOB_INFO", "REQUEST_JOB_INFO_SINGLE", "REQUEST_JOB_USER_INFO")
        return Counts(
            log.read_text(errors="replace").count("Starting session:"),
            calls.get("REQUEST_SUBMIT_BATCH_JOB", 0),
            sum(calls.get(name, 0) for name in asked),
        )

    @contextmanager
    def gives_way(self) -> Iterator[None]:
        """Let its jobs take only the time that the server leaves, as if they ran on other machines.

        Without this 32 places on the cores of the server would be measured, not the server.
        """
        nodes = [int(file.read_text()) for file in (self.rig.folder / "run").glob("slurmd.*.pid")]
        groups = _AUTOGROUP.read_text() if _AUTOGROUP.exists() else None
        try:
            if groups:
                # Each session would get as much as the whole server, whatever its priority (sched(7)).
                _AUTOGROUP.write_text("0")
            for node in nodes:
                os.setpriority(os.PRIO_PROCESS, node, 19)
            yield
        finally:
            for node in nodes:
                os.setpriority(os.PRIO_PROCESS, node, 0)
            if groups:
                _AUTOGROUP.write_text(groups)

    def folder(self, name: str) -> Path:
        """Make a folder that the cluster's user owns."""
        made = self.scratch / name
        made.mkdir(parents=True)
        shutil.chown(made, self.rig.hosts["login1"].user)
        return made

    def ssh_command(self, *options: str) -> list[str]:
        """Return the OpenSSH command that reaches the host."""
        return ["ssh", "-F", str(self.rig.ssh_config), *options, "login1"]

    def add_to(self, tapis: Tapis) -> None:
        """Add the cluster to a server; its jobs work on tmpfs."""
        host = self.rig.hosts["login1"]
        tapis.add_host(
            SYSTEM, host=host.host, port=host.port, user=host.user, key=self.rig.key,
            knownHosts=self.rig.known_hosts, workDir=str(self.folder("work")),
        )  # fmt: skip


@contextmanager
def cluster() -> Iterator[Cluster | None]:
    """Bring the rig up while the block runs, or say why not and give None."""
    if reason := why_not("default"):
        harness.say(f"skipped: {reason}")
        yield None
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    rig = brought_up(FOLDER / "default", VARIANTS["default"])
    scratch = Path(tempfile.mkdtemp(prefix="tapisjobs-cluster-", dir="/dev/shm"))
    scratch.chmod(0o755)
    try:
        yield Cluster(rig=rig, scratch=scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def bare_array(cluster: Cluster, count: int, script: str) -> float:
    """Run *count* scripts as one ``sbatch --array`` over prepared folders, until their answers are read.

    The floor: the folders are made beforehand, on the cluster itself, and nothing travels over SSH.
    """
    place = cluster.folder(f"floor-{os.getpid()}-{len(list(cluster.scratch.iterdir()))}")
    for number in range(count):
        one = place / str(number)
        one.mkdir()
        (one / "script.sh").write_text(script)
        (one / "input.txt").write_text(f"{number}\n")
    subprocess.run(["chown", "-R", cluster.rig.hosts["login1"].user, str(place)], check=True)
    job = '#!/bin/sh\ncd "$SLURM_ARRAY_TASK_ID" && exec sh script.sh > tapisjob.out 2>&1\n'
    (place / "array.sh").write_text(job)
    sbatch = f"cd {place} && sbatch --parsable --array=0-{count - 1} --output=/dev/null array.sh"

    def work() -> None:
        number = cluster.rig.ssh(sbatch).strip()
        left = f"squeue -h -j {number} -t PD,R,CG | wc -l"
        harness.until(lambda: cluster.rig.ssh(left).strip() == "0", 900, 0.5)
        answers = [(place / str(n) / "answer.txt").read_text() for n in range(count)]
        if any(answer != f"n,answer\n{n},{n * 2}\n" for n, answer in enumerate(answers)):
            raise RuntimeError("the bare array left wrong answers")

    taken = harness.seconds(work)
    shutil.rmtree(place)
    return taken
