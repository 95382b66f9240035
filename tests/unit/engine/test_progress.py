"""How far bytes are is told in words people use, and not too often."""

from __future__ import annotations

import pytest
from two_hosts import Clock

from jupyter_tapis_jobs.engine.oversight import Oversight
from jupyter_tapis_jobs.engine.progress import Progress


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [
        (41_000_000, 90_000_000, "copying 41 of 90 MB"),
        (500_000, 90_000_000, "copying 0.5 of 90 MB"),
        (0, 90_000_000, "copying 0 of 90 MB"),
        (1_500_000_000, 12_000_000_000, "copying 1.5 of 12 GB"),
        (300, 900, "copying 300 of 900 bytes"),
        (2_000, 9_960, "copying 2.0 of 10 kB"),
        (5_000_000, 4_000_000, "copying 5.0 of 5.0 MB"),
        (5_000_000, None, "copying 5.0 MB"),
        (0, None, "copying 0 bytes"),
    ],
)
def test_progress_is_said_in_one_unit(done: int, total: int | None, text: str) -> None:
    progress = Progress(Oversight(), Clock(), ["u"], what="copying", total=total)
    progress.add(done)
    assert progress.text() == text


@pytest.mark.parametrize(("jobs", "notes"), [(1, 60), (100, 60), (1000, 6)])
def test_many_jobs_are_told_less_often(jobs: int, notes: int) -> None:
    told: list[str] = []
    clock = Clock()
    oversight = Oversight(note=lambda uuids, text: told.append(text))
    progress = Progress(oversight, clock, [str(n) for n in range(jobs)], what="copying", total=None)
    for _ in range(600):
        clock.time += 0.1
        progress.add(1000)
    assert notes - 6 <= len(told) <= notes
