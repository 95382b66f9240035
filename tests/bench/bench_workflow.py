"""A workflow: one job, many that take its output, one that reads them all; against the many as a study."""

from __future__ import annotations

import itertools
import time

import harness

from jupyter_tapis_jobs.client.tapis import Tapis

#: Each reads what the first has written, and writes what the last reads.
SCRIPT = "cat seed.txt > {{ n }}.out; echo {{ n }} > value.txt"
_names = itertools.count()


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(998, 98)
    harness.say(f"{count + 2:,} nodes")
    with harness.folder() as place, harness.server(place) as server:
        harness.engine_ready(server.line())
        tapis = server.tapis()
        _flowed(tapis, 3)
        ours, theirs = harness.interleaved(
            plan.pairs, lambda: _flowed(tapis, count), lambda: _studied(tapis, count)
        )
    harness.table(
        [
            harness.Row(
                what=f"a workflow of {count + 2:,} nodes: one, {count:,} after it, one after these",
                ours=ours,
                against=f"a study of the same {count:,} jobs alone",
                theirs=theirs,
            )
        ]
    )


def _flowed(tapis: Tapis, count: int) -> float:
    flow = tapis.workflow(f"flow-{next(_names)}")
    first = flow.add("bash", name="first", script="echo 1 > seed.txt", maxMinutes=30)
    many = flow.map(
        "bash",
        {"n": list(range(count))},
        name="many",
        inputs=[first.output("seed.txt")],
        script=SCRIPT,
        maxMinutes=30,
    )
    flow.add(
        "bash",
        name="last",
        inputs=[many.output("value.txt")],
        script="cat many/*/value.txt | sort -n | wc -l",
        maxMinutes=30,
    )
    start = time.perf_counter()
    flow.run().wait(progress=False, check=True)
    done = time.perf_counter() - start
    if flow.job("last").read("tapisjob.out").strip() != str(count):
        raise RuntimeError("the last node did not read all of them")
    return done


def _studied(tapis: Tapis, count: int) -> float:
    """The floor: what is the same work without anybody who waits for anybody."""
    study = tapis.study(
        f"study-{next(_names)}",
        "bash",
        cases={"n": list(range(count))},
        script=SCRIPT.replace("cat seed.txt", "echo 1"),
        maxMinutes=30,
    )
    start = time.perf_counter()
    study.run().wait(progress=False)
    done = time.perf_counter() - start
    if set(study.frame()["status"]) != {"FINISHED"}:
        raise RuntimeError("a case failed")
    return done


if __name__ == "__main__":
    main()
