"""Resident memory of an idle Jupyter server: without the extension, with it, and with 10,000 active jobs."""

from __future__ import annotations

import threading
from pathlib import Path

import harness

_QUIET_SECONDS = 3.0
#: Holds the one core that the jobs share, so that all others stay active; ends with its folder.
_HOLDS = "while [ -e script.sh ]; do sleep 1; done\n"


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(10_000, 200)
    bare: list[float] = []
    idle: list[float] = []
    busy: list[float] = []
    share: list[float] = []
    with harness.folder() as place:
        for number in range(2 if plan.quick else 3):
            bare.append(_without(place / f"bare-{number}"))
            _with_jobs(place / f"ours-{number}", count, idle, busy, share)
            memory = ", ".join(f"{found[-1]:.0f}" for found in (bare, idle, busy))
            harness.say(f"  {number + 1}: {memory} MB; {share[-1]:.2f}% of a core")
    against = "an idle server without the extension"
    row = harness.Row
    harness.table(
        [
            row(what="memory, idle", ours=idle, against=against, theirs=bare, unit="MB", told="more"),
            row(what=f"memory, {count:,} active jobs", ours=busy, against=against, theirs=bare, unit="MB",
                told="more", goal="150 MB more"),
            row(what=f"CPU while {count:,} jobs are queued", ours=share, against="", unit="% of a core"),
        ]
    )  # fmt: skip


def _without(place: Path) -> float:
    with harness.server(place, ours=False) as server:
        _quiet(server)
        return server.rss()


def _with_jobs(place: Path, count: int, idle: list[float], busy: list[float], share: list[float]) -> None:
    with harness.server(place, "--TapisJobsApp.fork_cores=1") as server:
        line = server.line()
        harness.engine_ready(line)
        _quiet(server)
        idle.append(server.rss())
        uuids = harness.submitted(line, harness.bulk_body(1, _HOLDS))
        for start in range(0, count, harness.AT_ONCE):
            uuids += harness.submitted(line, harness.bulk_body(min(harness.AT_ONCE, count - start)))
        share.append(_quiet(server))
        busy.append(server.rss())
        harness.cleared(line, uuids)


def _quiet(server: harness.BenchServer) -> float:
    """Wait until the server does nothing; return the percentage of a core that this nothing takes."""
    pause, shares = threading.Event(), list[float]()
    while len(shares) < 2 or abs(shares[-1] - shares[-2]) > 2.0 or shares[-1] > 20.0:
        before = server.cpu()
        pause.wait(_QUIET_SECONDS)
        shares.append((server.cpu() - before) / _QUIET_SECONDS * 100)
    return shares[-1]


if __name__ == "__main__":
    main()
