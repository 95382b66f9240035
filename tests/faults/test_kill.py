"""A real engine with real jobs, killed with SIGKILL at every one of its writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_tapis_jobs.model.status import ACTIVE, JobStatus

PROGRAM = Path(__file__).parent / "kill_at_every_write.py"


def deaths(folder: Path, *story: str) -> list[dict[str, Any]]:
    """Let an engine die at every write of a story, and return what each death and its sequel left."""
    done = subprocess.run([sys.executable, PROGRAM, folder, *story], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    for death in found:
        assert death["resumed"] == 0, (death, done.stderr)
    return found


@pytest.mark.timeout(400)
def test_killed_in_every_status_a_server_resumes_and_every_job_runs_exactly_once(tmp_path: Path) -> None:
    found = deaths(tmp_path)
    assert len(found) > 10
    for death in found:
        accepted = len(death["at_death"]["jobs"])
        assert accepted in (0, 2), death
        assert death["at_end"]["jobs"] == [JobStatus.FINISHED] * accepted, death
        assert death["starts"] == [1] * accepted, death
    seen = {status for death in found for status in death["at_death"]["jobs"]}
    assert seen >= ACTIVE


@pytest.mark.timeout(400)
def test_killed_while_a_study_takes_cases_each_has_one_job_however_often_it_is_asked(tmp_path: Path) -> None:
    found = deaths(tmp_path, "study")
    for death in found:
        # Cases, attempts and jobs are stored together or not at all.
        jobs = death["at_death"]["jobs"]
        assert death["at_death"]["attempts"] == [[f"id{k}", 1, status] for k, status in enumerate(jobs)], (
            death
        )
        assert len(jobs) in (0, 2), death
        assert death["at_end"]["jobs"] == [JobStatus.FINISHED] * 2, death
        assert death["at_end"]["attempts"] == [["id0", 1, "FINISHED"], ["id1", 1, "FINISHED"]], death
        assert death["starts"] == [1, 1], death
    stored = [len(death["at_death"]["jobs"]) for death in found]
    assert stored == sorted(stored)
    assert {0, 2} == set(stored)
