"""1,000 cases on a Slurm cluster over SSH, own inputs, collected into a frame, against a bare array."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

import cluster
import harness

from jupyter_tapis_jobs.client.study import Study
from jupyter_tapis_jobs.client.tapis import Tapis
from jupyter_tapis_jobs.model.times import parse_iso

#: No process besides the shell itself; reads its own input, writes its own answer.
SCRIPT = 'read -r n < input.txt\nprintf "n,answer\\n%s,%s\\n" "$n" $((n * 2)) > answer.txt\necho "$n done"\n'
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Run:
    """One study: seconds by phase, and what the cluster was asked."""

    total: float
    accept: float
    stage: float
    wait: float
    collect: float
    asked: cluster.Counts
    #: Seconds of CPU that the server has used for it.
    cpu: float

    @property
    def without_waiting(self) -> float:
        """Seconds of everything but the wait for Slurm and the cases."""
        return self.total - self.wait


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(1000, 50)
    with cluster.cluster() as rig:
        if rig is None:
            return
        with harness.folder() as place, harness.server(place) as server:
            harness.engine_ready(server.line())
            rig.add_to(server.tapis())
            for mode in ("array", "pack"):
                study(rig, server, 20, mode)
            runs: dict[str, list[Run]] = {"array": [], "pack": []}

            def ours(mode: str) -> float:
                runs[mode].append(study(rig, server, count, mode))
                harness.say(f"  {mode}: {runs[mode][-1]}")
                return runs[mode][-1].total

            array, packed, floor = harness.interleaved(
                plan.pairs,
                lambda: ours("array"),
                lambda: ours("pack"),
                lambda: cluster.bare_array(rig, count, SCRIPT),
            )
            rows = [
                _row(f"{count:,} cases, one array", array, floor, "1.2"),
                _row(f"{count:,} cases, packed", packed, floor, "0.3"),
            ]
            rows += [row for mode in runs for row in _phases(mode, count, runs[mode])]
            rows.append(by_glob(rig, server, plan, count))
            if not plan.quick:
                large = study(rig, server, 10 * count, "pack")
                harness.say(f"  {large}")
                # Its first cases run on the same cores while the last are accepted: CPU tells them apart.
                small = sorted(run.cpu for run in runs["pack"])
                rows.append(
                    harness.Row(
                        what=f"{10 * count:,} cases, packed: the server's CPU ({_asked(large)})",
                        ours=[large.cpu],
                        against=f"{count:,} cases",
                        theirs=[small[len(small) // 2]],
                        goal="12",
                    )
                )
            harness.table(rows)


def _row(what: str, ours: list[float], floor: list[float], goal: str) -> harness.Row:
    return harness.Row(
        what=f"{what}: run, wait, collect",
        ours=ours,
        against="sbatch --array",
        theirs=floor,
        goal=goal,
    )


def _phases(mode: str, count: int, runs: list[Run]) -> list[harness.Row]:
    middle = sorted(runs, key=lambda run: run.without_waiting)[len(runs) // 2]
    parts = f"accept {middle.accept:.2f}, stage and submit {middle.stage:.2f}, collect {middle.collect:.2f} s"
    without = [run.without_waiting for run in runs]
    what = f"{count:,} cases, {mode}: all but the wait"
    return [harness.Row(what=what, ours=without, against=f"{parts}; {_asked(middle)}", goal="1.5 s")]


def _asked(run: Run) -> str:
    asked = run.asked
    return f"{asked.sessions} SSH sessions, {asked.submits} sbatch, {asked.questions} squeue"


def submitted(tapis: Tapis, count: int, mode: str) -> Study:
    """Submit a study: each case reads an input of its own and leaves an answer."""
    return tapis.study(
        f"{mode}-{count}-{next(_NUMBERS)}", "bash", cases={"number": range(count)}, script=SCRIPT,
        files={"input.txt": "{{ number }}\n"}, execSystemId=cluster.SYSTEM, maxMinutes=5, memoryMB=100,
        jobType="BATCH", launchMode=mode,
    ).run()  # fmt: skip


def by_glob(rig: cluster.Cluster, server: harness.BenchServer, plan: harness.Plan, count: int) -> harness.Row:
    """Collect the answers of one study by a glob, and by their name."""
    made = submitted(server.tapis(), count, "pack").wait(progress=False)
    sessions: dict[str, int] = {}

    def collected(what: str) -> float:
        before = rig.counts()
        frames = []
        taken = harness.seconds(lambda: frames.append(made.collect(what, parser="csv", fresh=True)))
        sessions[what] = rig.counts().since(before).sessions
        if frames[0]["answer"].tolist() != [number * 2 for number in range(count)]:
            raise RuntimeError(f"wrong answers by {what}: {frames[0].head()}")
        return taken

    glob, name = "answer.*", "answer.txt"
    globbed, named = harness.interleaved(plan.pairs, lambda: collected(glob), lambda: collected(name))
    return harness.Row(
        what=f"{count:,} outputs collected by a glob ({sessions[glob]} SSH sessions)",
        ours=globbed,
        against=f"collected by their name ({sessions[name]} SSH sessions)",
        theirs=named,
    )


def study(rig: cluster.Cluster, server: harness.BenchServer, count: int, mode: str) -> Run:
    """Run one study and check every answer."""
    tapis, line = server.tapis(), server.line()
    before, used = rig.counts(), server.cpu()
    begun = time.time()
    made = submitted(tapis, count, mode)
    accepted = time.time()
    made.wait(progress=False)
    known = time.time()
    frame = made.collect("answer.txt", parser="csv")
    ended = time.time()
    if len(frame) != count or not (frame["answer"] == frame["number"] * 2).all():
        raise RuntimeError(f"{len(frame)} answers of {count}: {frame.head()}")
    newest = f"/v3/jobs/search?select=remoteSubmitted,remoteEnded&orderBy=created(desc)&limit={count}"
    rows = line.result(newest)
    handed_over = max(parse_iso(row["remoteSubmitted"]) for row in rows)
    done = max(parse_iso(row["remoteEnded"]) for row in rows)
    return Run(
        total=ended - begun,
        accept=accepted - begun,
        stage=handed_over - accepted,
        wait=done - handed_over,
        collect=ended - known,
        asked=rig.counts().since(before),
        cpu=server.cpu() - used,
    )


if __name__ == "__main__":
    main()
