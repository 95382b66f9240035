"""1,000 trivial local jobs until Python knows that all have finished, against a bare loop."""

from __future__ import annotations

import shutil
from pathlib import Path

import harness

from jupyter_tapis_jobs.client.job import Job
from jupyter_tapis_jobs.client.tapis import Tapis


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(1000, 50)
    harness.say(f"{count} jobs, {harness.CORES} at a time")
    with harness.folder() as place, harness.server(place) as server:
        harness.engine_ready(server.line())
        tapis = server.tapis()
        _finished(tapis, min(count, 20))
        used: list[float] = []
        ours, theirs = harness.interleaved(
            plan.pairs, lambda: _counted(server, tapis, count, used), lambda: _looped(place / "loop", count)
        )
    what = f"{count:,} trivial jobs: submit_many, wait, all FINISHED"
    against = f"xargs -P {harness.CORES} over prepared directories"
    row = harness.Row
    harness.table(
        [
            row(what=what, ours=ours, against=against, theirs=theirs),
            row(what="CPU of the server for them", ours=used, against="time of the bare loop", theirs=theirs),
        ]
    )


def _counted(server: harness.BenchServer, tapis: Tapis, count: int, used: list[float]) -> float:
    before = server.cpu()
    taken = _finished(tapis, count)
    used.append(server.cpu() - before)
    return taken


def _finished(tapis: Tapis, count: int) -> float:
    def work() -> None:
        cases = [{"name": f"bench-{number:05d}"} for number in range(count)]
        made = tapis.submit_many(cases, appId="bash", script=harness.SCRIPT)
        jobs = tapis.wait([job for job in made if isinstance(job, Job)], progress=False)
        unfinished = [job for job in jobs if job.last_status != "FINISHED"]
        if unfinished or len(jobs) < count:
            raise RuntimeError(f"{len(unfinished)} of {len(jobs)} jobs did not finish: {unfinished[:1]}")

    return harness.seconds(work)


def _looped(place: Path, count: int) -> float:
    places = harness.prepared_directories(place, count)
    taken = harness.seconds(lambda: harness.bare_loop(places))
    shutil.rmtree(place)
    return taken


if __name__ == "__main__":
    main()
