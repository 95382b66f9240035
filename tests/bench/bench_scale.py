"""1,000, 10,000 and 100,000 cases of a study on made-up time: what one costs must not grow with their number.

The machine, its links and its Slurm are those of ``tests/simulation``; the engine and its store are real.
The seconds hold the work of the made-up world as well.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import harness

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulation.scale import Cost, carry, study

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (250, 1_000, 4_000)


def main() -> None:
    plan = harness.plan(__doc__ or "")
    logging.disable(logging.WARNING)
    costs = [_measured(jobs) for jobs in (QUICK_SIZES if plan.quick else SIZES)]
    fewest = costs[0]
    rows = [row for cost in costs[1:] for row in _rows(cost, fewest)]
    harness.table([*_rows(fewest, None), *rows])


def _measured(jobs: int) -> Cost:
    harness.say(f"{jobs:,} cases on made-up time")
    with harness.folder() as place:
        cost = carry(place, jobs, way=study)
    harness.say(
        f"  {cost.seconds:.1f} s of CPU, {cost.remote} calls to the host, {cost.scheduler} of the scheduler"
    )
    return cost


def _rows(cost: Cost, fewest: Cost | None) -> list[harness.Row]:
    """Return what one job cost, beside what it cost when they were fewest."""
    measures = (
        ("CPU of one of", "ms", lambda c: c.seconds / c.jobs * 1000),
        ("calls to the host, for each thousand of", "calls", lambda c: c.remote / c.jobs * 1000),
        ("calls of the scheduler, for each thousand of", "calls", lambda c: c.scheduler / c.jobs * 1000),
        ("transactions, for each thousand of", "", lambda c: c.calls["store write"] / c.jobs * 1000),
    )
    return [
        harness.Row(
            what=f"{what} {cost.jobs:,} simulated cases",
            ours=[measure(cost)],
            against=f"of {fewest.jobs:,}" if fewest else "",
            theirs=[measure(fewest)] if fewest else (),
            unit=unit,
            goal="no growth" if fewest else "",
        )
        for what, unit, measure in measures
    ]


if __name__ == "__main__":
    main()
