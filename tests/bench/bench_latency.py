"""How fast Jupyter's own /api/status answers while 1,000 jobs are submitted, staged, run and read.

On this machine, and packed on a cluster over SSH, where the outputs are collected into a frame; the
cluster's processes give way to the server, as if they ran on other machines.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import bench_study
import cluster
import harness

from jupyter_tapis_jobs.client.job import Job
from jupyter_tapis_jobs.client.tapis import Tapis

_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
_IDLE_SECONDS = 4.0


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(1000, 50)
    with (
        harness.folder() as place,
        harness.server(place / "ours") as ours,
        harness.server(place / "bare", ours=False) as bare,
        cluster.cluster() as rig,
    ):
        harness.engine_ready(ours.line())
        tapis = ours.tapis()
        _all_of_it(tapis, 20)
        if rig:
            rig.add_to(tapis)
            _study(rig, ours, 20)
        runs: dict[str, tuple[harness.BenchServer, Callable[[], None]]] = {
            "jobs": (ours, lambda: _all_of_it(tapis, count)),
            "idle": (ours, lambda: _nothing(_IDLE_SECONDS)),
            **({"study": (ours, lambda: _study(rig, ours, count))} if rig else {}),
            "loop": (bare, lambda: _loop(place / "loop", count)),
        }
        found: dict[str, list[list[float]]] = {name: [] for name in runs}
        for number in range(plan.pairs):
            for name, (server, load) in runs.items():
                with probed(server, found[name]):
                    load()
            harness.say(
                f"  {number + 1}/{plan.pairs}: " + "  ".join(_told(name, v[-1]) for name, v in found.items())
            )
    harness.table(list(_rows(found, count)))


def _rows(found: dict[str, list[list[float]]], count: int) -> Iterator[harness.Row]:
    loads = {
        "jobs": f"while {count:,} jobs are submitted, run and read",
        "loop": f"the same beside a bare loop of {count:,} scripts, no extension",
        "idle": "the same server idle",
    }
    if "study" in found:
        values = {name: [harness.percentile(run, 0.99) for run in found[name]] for name in ("study", "idle")}
        yield harness.Row(
            what=f"`/api/status` p99 while {count:,} cases are packed on a cluster over SSH and collected",
            ours=values["study"],
            against=loads["idle"],
            theirs=values["idle"],
            goal="50 ms",
        )
    for part, share in _SHARES.items():
        values = {name: [harness.percentile(run, share) for run in runs] for name, runs in found.items()}
        for other in ("loop", "idle") if part == "p99" else ("loop",):
            yield harness.Row(
                what=f"`/api/status` {part} {loads['jobs']}",
                ours=values["jobs"],
                against=loads[other],
                theirs=values[other],
                goal="50 ms" if part == "p99" else "",
            )


@contextmanager
def probed(server: harness.BenchServer, runs: list[list[float]]) -> Iterator[None]:
    """Ask the server for its status all the while; add the seconds that the answers took to *runs*."""
    program = Path(__file__).with_name("probe.py")
    with subprocess.Popen(
        [sys.executable, program, server.url, server.token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as probe:
        assert probe.stdout is not None
        probe.stdout.readline()
        yield
        told, _ = probe.communicate()
    runs.append(json.loads(told))


def _all_of_it(tapis: Tapis, count: int) -> None:
    """What a study does: submit, wait, read the output of each job."""
    cases = [{"name": f"bench-{number:05d}"} for number in range(count)]
    made = tapis.submit_many(cases, appId="bash", script=harness.SCRIPT)
    jobs = tapis.wait([job for job in made if isinstance(job, Job)], progress=False)
    wrong = sum(job.read("tapisjob.out") != "done\n" for job in jobs)
    if wrong or len(jobs) < count:
        raise RuntimeError(f"{wrong} of {len(jobs)} outputs are wrong")


def _study(rig: cluster.Cluster, server: harness.BenchServer, count: int) -> None:
    with rig.gives_way():
        bench_study.study(rig, server, count, "pack")


def _loop(place: Path, count: int) -> None:
    harness.bare_loop(harness.prepared_directories(place, count))
    shutil.rmtree(place)


def _nothing(seconds: float) -> None:
    threading.Event().wait(seconds)


def _told(name: str, taken: Sequence[float]) -> str:
    return (f"{name}: {len(taken)} asked, p50 {statistics.median(taken) * 1000:.1f}"
            f" p99 {harness.percentile(taken, 0.99) * 1000:.0f} max {max(taken) * 1000:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
