"""submitit and psij-python with 200 jobs, Parsl and dask-jobqueue with 1,000, beside ours over SSH.

The peers run on the cluster itself, share its file system and move no files over SSH; ours uploads an
input for each case and collects its answer. Set ``PEERS`` to a Python that has them all; without it an
environment is made below the data folder.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bench_study
import cluster
import harness

PACKAGES = ("submitit", "psij-python", "parsl", "dask-jobqueue")
#: Peer -> (its script, jobs, how ours starts as many).
PEERS = {
    "submitit, map_array": ("with_submitit.py", 200, "array"),
    "psij-python, one sbatch each": ("with_psij.py", 200, "pack"),
    "Parsl, one block of 4 workers": ("with_parsl.py", 1000, "pack"),
    "dask-jobqueue, one job of 4 threads": ("with_dask.py", 1000, "pack"),
}


def main() -> None:
    plan = harness.plan(__doc__ or "")
    with cluster.cluster() as rig:
        if rig is None:
            return
        with harness.folder() as place, harness.server(place) as server:
            harness.engine_ready(server.line())
            rig.add_to(server.tapis())
            python = os.environ.get("PEERS") or _environment(place / "peers")
            rows = []
            for peer, (script, real, mode) in PEERS.items():
                count = plan.size(real, 20)
                ours, theirs = harness.interleaved(
                    min(plan.pairs, 3),
                    _ours(rig, server, count, mode),
                    _theirs(rig, place, python, script, count),
                )
                what = f"{count:,} cases over SSH, {mode}"
                rows.append(harness.Row(what=what, ours=ours, against=f"{peer}, no SSH", theirs=theirs))
        harness.table(rows)


def _environment(folder: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True, stdout=sys.stderr)
    return python


def _ours(rig: cluster.Cluster, server: harness.BenchServer, count: int, mode: str) -> Callable[[], float]:
    return lambda: bench_study.study(rig, server, count, mode).total


_NUMBERS = itertools.count()


def _theirs(rig: cluster.Cluster, place: Path, python: str, script: str, count: int) -> Callable[[], float]:
    def measured() -> float:
        folder = place / f"peer-{next(_NUMBERS)}"
        folder.mkdir()
        command = [python, str(Path(__file__).parent / "peers" / script), str(count), str(folder)]
        path = f"{Path(python).parent}:{os.environ['PATH']}"
        own = {"SLURM_CONF": str(rig.rig.slurm_conf), "HOME": str(folder), "PATH": path}
        environment = {**os.environ, **own}
        return harness.seconds(
            lambda: subprocess.run(
                command, check=True, env=environment, cwd=folder, stdout=sys.stderr, stdin=subprocess.DEVNULL
            )
        )

    return measured


if __name__ == "__main__":
    main()
