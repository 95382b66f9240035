"""10,000 cases of one study, packed on a Slurm cluster over SSH: what notebook, server and host bear."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import bench_latency
import cluster
import harness
from bench_study import SCRIPT

from jupyter_tapis_jobs.client.study import Study

_NAMES = itertools.count()
#: What one case may cost more than one of a study with a tenth of the cases.
_GOAL = "12"


@dataclass(slots=True)
class Load:
    """What one study was for everybody."""

    cases: int
    #: Part -> seconds as the notebook sees them, and seconds of the notebook's own CPU.
    seconds: dict[str, float] = field(default_factory=dict)
    own: dict[str, float] = field(default_factory=dict)
    #: Seconds of the server's CPU; its memory before and the most it had, in MB.
    cpu: float = 0.0
    before: float = 0.0
    peak: float = 0.0
    asked: cluster.Counts = field(default_factory=lambda: cluster.Counts(0, 0, 0))
    #: Seconds that Jupyter's own /api/status took, again and again, part by part.
    status: list[list[float]] = field(default_factory=list)

    def timed(self, part: str, work: Callable[[], object]) -> None:
        """Do one part, and note what it takes."""
        used = time.process_time()
        self.seconds[part] = harness.seconds(work)
        self.own[part] = time.process_time() - used


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(10_000, 500)
    with cluster.cluster() as rig:
        if rig is None:
            return
        with harness.folder() as place, harness.server(place) as server, rig.gives_way():
            harness.engine_ready(server.line())
            rig.add_to(server.tapis())
            carried(rig, server, 50)
            small = carried(rig, server, count // 10)
            large = carried(rig, server, count)
            harness.table(_rows(large, small))


def carried(rig: cluster.Cluster, server: harness.BenchServer, count: int) -> Load:
    """Carry one study from its cases to the frame of results, and check every answer."""
    load, made = Load(count), _study(server, count)
    asked, used = rig.counts(), server.cpu()
    load.before = server.rss()
    server.forget_peak()
    parts: dict[str, Callable[[], object]] = {
        "preview": made.preview,
        "run": made.run,
        "frame while it runs": made.frame,
        "wait": lambda: made.wait(progress=False),
        "frame": made.frame,
        "collect": lambda: _checked(made, count),
    }
    for part, work in parts.items():
        with bench_latency.probed(server, load.status):
            load.timed(part, work)
    load.asked, load.cpu, load.peak = rig.counts().since(asked), server.cpu() - used, server.peak()
    harness.say(f"  {load.cases:,}: {_told(load.seconds)}; own CPU {_told(load.own)}")
    harness.say(f"  server {load.cpu:.1f} s of CPU, {load.before:.0f} to {load.peak:.0f} MB; {load.asked}")
    longest = {part: max(taken) for part, taken in zip(parts, load.status, strict=True)}
    harness.say(f"  /api/status p99 {_p99(load):.3f} s; longest: {_told(longest)}")
    return load


def _study(server: harness.BenchServer, count: int) -> Study:
    return server.tapis().study(
        f"large-{next(_NAMES)}", "bash", cases={"number": range(count)}, script=SCRIPT,
        files={"input.txt": "{{ number }}\n"}, execSystemId=cluster.SYSTEM, maxMinutes=5, memoryMB=100,
        jobType="BATCH", launchMode="pack",
    )  # fmt: skip


def _checked(study: Study, count: int) -> None:
    frame = study.collect("answer.txt", parser="csv")
    if len(frame) != count or not (frame["answer"] == frame["number"] * 2).all():
        raise RuntimeError(f"{len(frame)} answers of {count}: {frame.head()}")


def _rows(large: Load, small: Load) -> list[harness.Row]:
    title, other = f"{large.cases:,} cases packed", f"{small.cases:,} cases"

    def row(what: str, measure: Callable[[Load], float], *, unit: str = "s", goal: str = "") -> harness.Row:
        return harness.Row(
            what=f"{title}: {what}", ours=[measure(large)], against=other, theirs=[measure(small)], unit=unit,
            goal=goal,
        )  # fmt: skip

    own = row("the notebook's own CPU", lambda load: sum(load.own.values()), goal=_GOAL)
    return [
        *(row(f"`{part}`", lambda load, part=part: load.seconds[part], goal=goal) for part, goal in _PARTS),
        own,
        row("the server's CPU", lambda load: load.cpu, goal=_GOAL),
        row("the server's memory above what it had", lambda load: load.peak - load.before, unit="MB"),
        row("`/api/status` p99 meanwhile", _p99, goal="50 ms"),
        row("SSH sessions", lambda load: load.asked.sessions, unit="", goal=_GOAL),
        row("sbatch", lambda load: load.asked.submits, unit="", goal=_GOAL),
        row("squeue", lambda load: load.asked.questions, unit="", goal=_GOAL),
    ]


_PARTS = (("preview", "2 s"), ("run", _GOAL), ("frame while it runs", ""), ("frame", ""), ("collect", _GOAL))


def _p99(load: Load) -> float:
    return harness.percentile(list(itertools.chain.from_iterable(load.status)), 0.99)


def _told(parts: dict[str, float]) -> str:
    return ", ".join(f"{part} {seconds:.3g} s" for part, seconds in parts.items())


if __name__ == "__main__":
    main()
