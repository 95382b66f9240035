"""What jobs cost grows with their number and no faster; counted in calls, so a busy machine changes nothing.

``tests/bench/bench_scale.py`` does the same with up to 100,000 cases of a study.
"""

from __future__ import annotations

import cProfile
from pathlib import Path

import pytest

from .scale import Cost, Way, bulk, carry, study

FEW, MANY = 200, 800
#: How much more than its share the larger number may cost.
SLACK = 1.15


def measured(folder: Path, jobs: int, mode: str, way: Way) -> tuple[Cost, int]:
    """Carry jobs; return their cost, and how many function calls Python made for them."""
    profile = cProfile.Profile()
    cost = profile.runcall(carry, folder, jobs, mode, way=way)
    return cost, sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize(
    ("mode", "way"), [("array", bulk), ("pack", bulk), ("array", study), ("pack", study)]
)
def test_four_times_the_jobs_cost_at_most_four_times_the_work(tmp_path: Path, mode: str, way: Way) -> None:
    few, work_of_few = measured(tmp_path / "few", FEW, mode, way)
    many, work_of_many = measured(tmp_path / "many", MANY, mode, way)
    assert work_of_many <= work_of_few * MANY / FEW * SLACK
    assert many.remote <= few.remote * 3
    assert many.calls["store write"] <= few.calls["store write"] * 3


@pytest.mark.parametrize("way", [bulk, study])
def test_hundreds_of_jobs_cost_a_handful_of_calls(tmp_path: Path, way: Way) -> None:
    cost = carry(tmp_path, FEW, way=way)
    assert cost.calls["sbatch"] == 1
    assert cost.calls["squeue"] <= cost.took / 30.0 + 2
    assert cost.remote <= 40
