"""1,000 cases as tasks of a Dask cluster until all have finished, against a bare ``client.map``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import harness
from distributed import Client

sys.path.insert(0, str(Path(__file__).parents[1]))

from rig.dask_cluster import DaskCluster, dask_cluster

from jupyter_tapis_jobs.client.job import Job
from jupyter_tapis_jobs.client.tapis import Tapis


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(1000, 50)
    harness.say(f"{count} cases, a worker of 4 threads")
    with (
        harness.folder() as place,
        dask_cluster(place, harness.until) as cluster,
        harness.server(place) as server,
    ):
        harness.engine_ready(server.line())
        tapis = server.tapis()
        _use(tapis, cluster)
        _finished(tapis, 20)
        used: list[float] = []
        with Client(cluster.address, set_as_default=False) as client:
            ours, theirs = harness.interleaved(
                plan.pairs,
                lambda: _counted(server, tapis, count, used),
                lambda: _mapped(client, place / "bare", count),
            )
    what, against = f"{count:,} cases on Dask: submit_many, wait, all FINISHED", "client.map(subprocess.call)"
    harness.table(
        [
            harness.Row(what=what, ours=ours, against=against, theirs=theirs),
            harness.Row(what="CPU of the server for them", ours=used, against=against, theirs=theirs),
        ]
    )


def _use(tapis: Tapis, cluster: DaskCluster) -> None:
    definition = {"canRunBatch": True, "batchScheduler": "DASK", "notes": {"dask": cluster.notes}}
    tapis.connection.call("PATCH", "/v3/systems/local", json=definition)


def _counted(server: harness.BenchServer, tapis: Tapis, count: int, used: list[float]) -> float:
    before = server.cpu()
    taken = harness.seconds(lambda: _finished(tapis, count))
    used.append(server.cpu() - before)
    return taken


def _finished(tapis: Tapis, count: int) -> None:
    cases = [{"name": f"case-{number:05d}"} for number in range(count)]
    made = tapis.submit_many(
        cases, appId="bash", script=harness.SCRIPT, launch_mode="auto", jobType="BATCH", maxMinutes=5
    )
    jobs = tapis.wait([job for job in made if isinstance(job, Job)], progress=False)
    unfinished = [job for job in jobs if job.last_status != "FINISHED"]
    if unfinished or len(jobs) < count:
        raise RuntimeError(f"{len(unfinished)} of {len(jobs)} jobs did not finish: {unfinished[:1]}")


def _mapped(client: Client, place: Path, count: int) -> float:
    """Run the same scripts in prepared directories, each by one call of a shell, and nothing else."""
    places = harness.prepared_directories(place, count)
    start = 'cd "$0" && exec bash script.sh > tapisjob.out 2>&1 < /dev/null'
    commands = [["sh", "-c", start, str(one)] for one in places]
    taken = harness.seconds(lambda: client.gather(client.map(subprocess.call, commands, pure=False)))
    missing = sum(not (one / "answer.txt").exists() for one in places)
    if missing:
        raise RuntimeError(f"{missing} of {count} scripts left no answer")
    shutil.rmtree(place)
    return taken


if __name__ == "__main__":
    main()
