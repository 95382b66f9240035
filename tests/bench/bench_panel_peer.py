"""jupyterlab-slurm 4.1 beside ours: the same 1,000 jobs of one cluster, first rows and a change of state.

Both run in a JupyterLab of their own on this machine. The peer asks Slurm itself; ours reaches it over SSH.
Set ``PANEL_PEER`` to a Python that has jupyterlab-slurm; without it an environment is made below the data
folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import bench_panel
import cluster
import harness
import lab
from grid_walk import TAB

PACKAGES = ("jupyterlab-slurm==4.1.0", "jupyterlab>=4.4,<5")
COMMAND = "jupyterlab-slurm:open"
ROW = ".jp-SlurmWidget .ag-row"
#: Changes of state that are waited for: the peer looks once a minute.
CHANGES = 3


def main() -> None:
    plan = harness.plan(__doc__ or "")
    if reason := lab.why_not():
        harness.say(f"skipped: {reason}")
        return
    with cluster.cluster() as rig:
        if rig is None:
            return
        with harness.folder() as place:
            harness.table(list(_rows(plan, rig, place)))


def _rows(plan: harness.Plan, rig: cluster.Cluster, place: Path) -> Iterator[harness.Row]:
    count = plan.size(1000, 30)
    python = os.environ.get("PANEL_PEER") or _environment(place / "peer")
    alone = {"SLURM_CONF": str(rig.rig.slurm_conf), "PYTHONPATH": "", "JUPYTER_PATH": ""}
    shown = "--LabApp.expose_app_in_browser=True"
    peer = harness.server(place / "theirs", shown, ours=False, module="jupyterlab", python=python, more=alone)
    with ExitStack() as stack:
        theirs = stack.enter_context(peer)
        ours = stack.enter_context(lab.lab_server(place / "ours"))
        browser = stack.enter_context(lab.chromium())
        harness.engine_ready(ours.line())
        jobs = _held(rig, ours, count)
        stack.callback(harness.cleared, ours.line(), list(jobs.values()))
        first, other = harness.interleaved(
            plan.pairs,
            _first_rows(browser, ours, TAB, bench_panel.ROW),
            _first_rows(browser, theirs, COMMAND, ROW),
        )
        seen, late = _changes(plan, rig, browser, ours, theirs, jobs)
    against = "jupyterlab-slurm 4.1"
    yield harness.Row(what=f"first rows of {count:,} jobs on a cluster, from Lab's command on", ours=first,
                      against=against, theirs=other)  # fmt: skip
    yield harness.Row(what="a held job is released: from Slurm's answer until RUNNING is on the screen",
                      ours=seen, against=against, theirs=late)  # fmt: skip


def _environment(folder: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True, stdout=sys.stderr)
    return python


def _held(rig: cluster.Cluster, server: harness.BenchServer, count: int) -> dict[str, str]:
    """Hand held jobs to the cluster, one by one as the peer lists them; return number there -> uuid."""
    tapis, line = server.tapis(), server.line()
    rig.add_to(tapis)
    held = {"parameterSet": {"schedulerOptions": [{"arg": "--hold"}]}}
    tapis.submit_many(
        [{"name": f"held-{number:04d}", **held} for number in range(count)], appId="bash",
        script="sleep 600", execSystemId=cluster.SYSTEM, jobType="BATCH", maxMinutes=15, memoryMB=50,
    )  # fmt: skip
    path = f"/v3/jobs/search?status=QUEUED&select=uuid,remoteJobId&limit={count}"

    def handed() -> list[dict[str, Any]]:
        rows = line.result(path)
        return rows if len(rows) == count and all(row["remoteJobId"] for row in rows) else []

    return {row["remoteJobId"]: row["uuid"] for row in harness.until(handed, 600, 0.5)}


def _first_rows(browser: Any, server: harness.BenchServer, command: str, row: str) -> Callable[[], float]:
    def measured() -> float:
        with lab.opened(browser, server) as page:
            page.evaluate("selector => eyes.await(selector)", row)
            page.evaluate("name => eyes.command(name)", command)
            return bench_panel.since_begun(page)

    return measured


def _changes(
    plan: harness.Plan, rig: cluster.Cluster, browser: Any,
    ours: harness.BenchServer, theirs: harness.BenchServer, jobs: dict[str, str],
) -> tuple[list[float], list[float]]:  # fmt: skip
    """Release jobs that both show, one after the other; return how late each has it on the screen."""
    seen: list[float] = []
    late: list[float] = []
    with lab.opened(browser, ours) as mine, lab.opened(browser, theirs) as other:
        for page, command, row in ((mine, TAB, bench_panel.ROW), (other, COMMAND, ROW)):
            page.evaluate("name => eyes.command(name)", command)
            page.evaluate("selector => eyes.seen(selector)", row)
        listed = [row.get_attribute("row-id") for row in other.locator(ROW).all()]
        for number in [one for one in listed if one in jobs][: plan.size(CHANGES, 1)]:
            mine.locator(".tj-Search").fill(jobs[number])
            mine.evaluate("selector => eyes.seen(selector)", bench_panel.row_of(jobs[number]))
            mine.evaluate("selector => eyes.await(selector, 'RUNNING')", bench_panel.row_of(jobs[number]))
            other.evaluate("selector => eyes.await(selector, 'RUNNING')", f'{ROW}[row-id="{number}"]')
            rig.rig.slurm("scontrol", "release", number)
            released = time.time()
            seen.append(mine.evaluate("eyes.awaited") / 1000 - released)
            late.append(other.evaluate("eyes.awaited") / 1000 - released)
            harness.say(f"  a change: {seen[-1]:.1f} s, {late[-1]:.1f} s")
    return seen, late


if __name__ == "__main__":
    main()
