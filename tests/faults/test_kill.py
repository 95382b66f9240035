"""A real engine with real jobs, killed with SIGKILL at every one of its writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_tapis_jobs.model.status import ACTIVE, JobStatus

PROGRAM = Path(__file__).parent / "kill_at_every_write.py"


@pytest.mark.timeout(400)
def test_killed_in_every_status_a_server_resumes_and_every_job_runs_exactly_once(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, PROGRAM, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    deaths = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(deaths) > 10
    for death in deaths:
        accepted = len(death["at_death"])
        assert death["resumed"] == 0, (death, done.stderr)
        assert accepted in (0, 2), death
        assert death["at_end"] == [JobStatus.FINISHED] * accepted, death
        assert death["starts"] == [1] * accepted, death
    seen = {status for death in deaths for status in death["at_death"]}
    assert seen >= ACTIVE
