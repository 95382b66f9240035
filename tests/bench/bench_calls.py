"""Calls of a function as jobs here, from ``tapis.map`` to the values, against a pool of processes."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor

import harness

from jupyter_tapis_jobs.client.tapis import Tapis


def square(k: int) -> int:
    """Return what costs nothing, so that the way there and back is measured."""
    return k * k


#: Calls that share a job where they do.
CHUNK = 100


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count, shared = plan.size(1000, 100), plan.size(10_000, 1000)
    harness.say(f"{count:,} calls, and {shared:,} of which {CHUNK} share a job")
    with harness.folder() as place, harness.server(place) as server:
        harness.engine_ready(server.line())
        tapis = server.tapis()
        _mapped(tapis, 20)
        accepted: list[float] = []
        collected: list[float] = []
        ours, theirs = harness.interleaved(
            plan.pairs, lambda: _mapped(tapis, count, accepted, collected), lambda: _pooled(count)
        )
        ours_shared, theirs_shared = harness.interleaved(
            plan.pairs, lambda: _mapped(tapis, shared, chunksize=CHUNK), lambda: _pooled(shared)
        )
    against = "ProcessPoolExecutor.map in the same process"
    harness.table(
        [
            harness.Row(
                what=f"{count:,} calls: map, wait, all values", ours=ours, against=against, theirs=theirs
            ),
            harness.Row(what="of it until map has returned", ours=accepted, against=against, theirs=theirs),
            harness.Row(
                what="of it the values, once all have ended", ours=collected, against=against, theirs=theirs
            ),
            harness.Row(
                what=f"{shared:,} calls, chunksize={CHUNK}: map, wait, all values",
                ours=ours_shared,
                against=against,
                theirs=theirs_shared,
            ),
        ]
    )


def _mapped(
    tapis: Tapis,
    count: int,
    accepted: list[float] | None = None,
    collected: list[float] | None = None,
    chunksize: int = 1,
) -> float:
    start = time.perf_counter()
    calls = tapis.map(square, range(count), maxMinutes=30, chunksize=chunksize)
    submitted = time.perf_counter()
    calls.wait(progress=False)
    ended = time.perf_counter()
    _check(calls.results(progress=False), count)
    done = time.perf_counter()
    if accepted is not None and collected is not None:
        accepted.append(submitted - start)
        collected.append(done - ended)
    return done - start


def _pooled(count: int) -> float:
    """The floor: the same calls in as many processes as there are cores; nothing is kept of them."""

    def work() -> None:
        with ProcessPoolExecutor(harness.CORES) as pool:
            _check(list(pool.map(square, range(count))), count)

    return harness.seconds(work)


def _check(values: list[int], count: int) -> None:
    if values != [k * k for k in range(count)]:
        raise RuntimeError("the calls gave wrong values")


if __name__ == "__main__":
    main()
