"""From the end of a job on a cluster until a listener knows of it, and what watching costs the cluster."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cluster
import harness
import httpx
import psutil

from jupyter_tapis_jobs.model.times import parse_iso

#: Jobs that end while we look; the others wait in Slurm, held.
ENDING = 60
#: Seconds over which the cost of watching is taken.
WINDOW = 60.0


def main() -> None:
    plan = harness.plan(__doc__ or "")
    sizes = [100] if plan.quick else [100, 5000]
    with cluster.cluster() as rig:
        if rig is None:
            return
        with harness.folder() as place, harness.server(place) as server:
            harness.engine_ready(server.line())
            rig.add_to(server.tapis())
            rows = [row for size in sizes for row in _watched(rig, server, size, plan.size(60, 10))]
        harness.table(rows)


def _watched(
    rig: cluster.Cluster, server: harness.BenchServer, active: int, window: float
) -> list[harness.Row]:
    """Have *active* jobs of which some end; tell how late their ends are known and what it costs."""
    tapis = server.tapis()
    held = [{"name": f"held-{n}", "parameterSet": {"schedulerOptions": [{"arg": "--hold"}]}}
            for n in range(active - ENDING)]  # fmt: skip
    ending = [{"name": f"ending-{n}", "script": f"sleep {2 + n % 20}"} for n in range(ENDING)]
    same = {
        "appId": "bash",
        "execSystemId": cluster.SYSTEM,
        "jobType": "BATCH",
        "maxMinutes": 5,
        "memoryMB": 50,
    }
    with _listening(server) as heard:
        waiting = tapis.submit_many(held, script="true", launch_mode="array", **same)
        line = server.line()
        handed = (
            "/v3/jobs/search?status.in=PENDING,PROCESSING_INPUTS,STAGING_INPUTS,STAGING_JOB,SUBMITTING_JOB"
        )
        harness.until(lambda: not line.result(f"{handed}&select=uuid&limit=1"), 300, 0.2)
        ours = {job.uuid for job in tapis.submit_many(ending, launch_mode="array", **same)}
        harness.until(lambda: ours <= heard.keys(), 300, 0.2)
        newest = f"/v3/jobs/search?select=uuid,remoteEnded&orderBy=created(desc)&limit={ENDING}"
        ended = {row["uuid"]: parse_iso(row["remoteEnded"]) for row in line.result(newest)}
        late = [heard[uuid] - ended[uuid] for uuid in ours]
        before, cpu = rig.counts(), _login_cpu(rig)
        threading.Event().wait(window)
        used = (_login_cpu(rig) - cpu) / window * 100
        asked = rig.counts().since(before)
    harness.cleared(line, [job.uuid for job in waiting])
    what = f"{active:,} active jobs"
    row = harness.Row
    return [
        row(what=f"{what}: end to known, median", ours=[harness.percentile(late, 0.5)], against="no floor"),
        row(what=f"{what}: end to known, 95 %", ours=[harness.percentile(late, 0.95)], against="no floor",
            goal="0.35 s"),
        row(what=f"{what}: login host's CPU for watching", ours=[used], unit="% of a core",
            against=f"{asked.sessions * 60 / window:.0f} SSH sessions a minute", goal="1"),
        row(what=f"{what}: questions to Slurm a minute", ours=[asked.questions * 60 / window], unit="",
            against="no floor", goal="2"),
    ]  # fmt: skip


@contextmanager
def _listening(server: harness.BenchServer) -> Iterator[dict[str, float]]:
    """Listen to the server's events meanwhile: uuid -> when its end was heard of, seconds since the epoch."""
    heard: dict[str, float] = {}
    client = httpx.Client(headers={"Authorization": f"token {server.token}"}, timeout=600)

    def listen() -> None:
        try:
            with client.stream("GET", f"{server.url}tapis/v3/jobs/events") as answer:
                for line in answer.iter_lines():
                    if line.startswith("data:"):
                        _note(json.loads(line.removeprefix("data:")), heard)
        except httpx.HTTPError:
            return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield heard
    finally:
        client.close()
        listener.join(5)


def _note(news: dict[str, Any], heard: dict[str, float]) -> None:
    job = news.get("job") or {}
    if job.get("status") in ("ARCHIVING", "FINISHED"):
        heard.setdefault(job["uuid"], time.time())


def _login_cpu(rig: cluster.Cluster) -> float:
    """Return the seconds of CPU of everything below the login host's sshd."""
    listener = psutil.Process(int((rig.rig.folder / "run" / "sshd.login1.pid").read_text()))
    total = 0.0
    for process in listener.children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


if __name__ == "__main__":
    main()
